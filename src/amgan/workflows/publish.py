"""A trained model for others: weights, settings, and a card that says what it is."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from amgan.config import ExperimentConfig, config_from_dict
from amgan.evaluation.report import PROTOCOLS, EvaluationReport, comparison_to_markdown, load_report
from amgan.evaluation.tables import SHOWN, metric_definition, metric_title
from amgan.files import replacing, write_text
from amgan.methods.description import ModelDescription
from amgan.methods.model_file import load_model
from amgan.run_folder import RunFolder

_INTENDED_USE = (
    "Searching a catalogue of garments like those it was trained on: a person has a picture that "
    "is almost right and says which attributes should be different. It sees garments, not people: "
    "do not use it to identify or to judge persons. On other kinds of pictures, measure it first."
)


@dataclass(frozen=True)
class ModelCard:
    """What only the owner of a model can say about it.

    Attributes:
        data_licence: terms of the pictures and labels that it was trained on.
        licence: of the model, as hubs abbreviate it; None says nothing.
        intended_use: None takes a general text.
    """

    data_licence: str
    licence: str | None = None
    intended_use: str | None = None


def publish_run(run: RunFolder, folder: Path, card: ModelCard) -> Path:
    """Copy a run's model and settings into a folder, with a model card.

    Args:
        run: where the model lies, and what was measured.
        folder: made where it is missing.
        card: what only the owner can say.

    Returns:
        The folder, itself a run folder for searching.

    Raises:
        InputError: no model, or no settings.
    """
    description = load_model(run.path, "cpu").description
    config = config_from_dict(run.read_config())
    target = RunFolder(folder)
    with replacing(target.model) as temporary:
        shutil.copyfile(run.model, temporary)
    write_text(target.config, json.dumps(_without_paths(config).to_dict(), indent=2) + "\n")
    write_text(folder / "README.md", write_card(description, config, _reports(run), card))
    return folder


def write_card(
    description: ModelDescription,
    config: ExperimentConfig,
    reports: list[EvaluationReport],
    card: ModelCard,
) -> str:
    """The model card as Markdown, with the metadata of model hubs at its head."""
    head = {"library_name": "amgan", "tags": ["fashion", "image-retrieval", description.method]}
    if card.licence:
        head["license"] = card.licence
    metadata = "".join(f"{name}: {json.dumps(value)}\n" for name, value in head.items())
    facts, images = description.facts, description.images
    sections = [
        f"---\n{metadata}---",
        f"# {description.method} for {facts.catalogue or 'a catalogue of garments'}",
        "A model of amgan for flexible fashion search: it takes the picture "
        "of a garment and wanted attribute values, and ranks a catalogue by what was asked for.",
        "## Use",
        "```python\nimport amgan\n\n"
        'run = amgan.Run.from_pretrained("this folder")\n'
        "catalogue, _ = amgan.read_catalogue(\n"
        f'    "tops.csv", attributes={list(description.schema.names)!r}\n)\n'
        "searcher = run.index(catalogue)\n```",
        "## Intended use",
        card.intended_use or _INTENDED_USE,
        "## Training data",
        f"- Catalogue: {facts.catalogue or 'not known'}.\n"
        f"- Licence of pictures and labels: {card.data_licence}",
        "Attributes and their values:",
        "\n".join(f"- {a.name}: {', '.join(a.values)}" for a in description.schema.attributes),
        "## Training",
        f"- Pictures of {images.height} x {images.width} pixels ({images.fit}).\n"
        f"- Networks: {json.dumps(description.network.to_dict())}.\n"
        f"- Epochs: {config.training.epochs}; batches of {config.training.batch_size}; "
        f"seed {config.training.seed}; program {(facts.commit or 'not known')[:12]}.",
        "## Figures",
        _figures(reports),
    ]
    return "\n\n".join(sections) + "\n"


def _figures(reports: list[EvaluationReport]) -> str:
    if not reports:
        return "Nothing was measured: run `amgan evaluate` before you publish a model."
    notes = [f"- {metric_title(m)}: {metric_definition(m)}." for m in SHOWN if metric_definition(m)]
    groups: dict[tuple[str, str], list[EvaluationReport]] = {}
    for report in reports:
        groups.setdefault((report.protocol, report.triplet_digest), []).append(report)
    parts = [f"{_asked(group[0])}\n\n{comparison_to_markdown(group)}" for group in groups.values()]
    return "\n\n".join([*parts, "\n".join(notes)])


def _asked(report: EvaluationReport) -> str:
    """What the figures of a table are about."""
    return (
        f"{report.num_queries:,} queries of split {report.split} of {report.catalogue}; "
        f"{PROTOCOLS[report.protocol]} ({report.gallery_size:,} items)."
    )


def _reports(run: RunFolder) -> list[EvaluationReport]:
    """What `amgan evaluate` found on the test split, both rankings."""
    return list(_read_reports(run))


def _read_reports(run: RunFolder) -> Iterator[EvaluationReport]:
    for folder in (run.evaluation, run.evaluation / "fused"):
        for protocol in ("unseen", "paper"):
            file = folder / f"test-{protocol}.json"
            if file.is_file():
                yield load_report(file)


def _without_paths(config: ExperimentConfig) -> ExperimentConfig:
    return replace(
        config,
        catalogue=replace(config.catalogue, path=""),
        triplets=replace(config.triplets, path=""),
    )
