"""The whole path without any data: render, train, index, measure, search, draw."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from amgan.attributes import Change
from amgan.catalogue.studio import write_studio_catalogue
from amgan.config import ExperimentConfig, config_from_dict
from amgan.gallery.encoding.blocks import EncodingOptions
from amgan.gallery.store import build_gallery
from amgan.methods.model_file import load_model
from amgan.methods.ranking import RankingChoice
from amgan.methods.trained import TrainedModel
from amgan.progress import track
from amgan.run_folder import RunFolder
from amgan.search import SearchQuery, SearchResult, SearchService
from amgan.sheets import render_result_sheet
from amgan.workflows.data import ExperimentData, evenly, load_data
from amgan.workflows.evaluate import build_untrained, evaluate_model
from amgan.workflows.index import table_reading
from amgan.workflows.train import train_experiment

# Enough to be worth searching, few enough that a small network learns them in minutes.
ATTRIBUTES = ("category", "colour", "pattern", "sleeve", "neckline")
NETWORK = {
    "generator_width": 24,
    "latent_channels": 96,
    "residual_blocks": 2,
    "encoder_widths": (32, 64, 128, 256),
    "embedding_dim": 256,
}
METRICS = ("top@1", "top@10", "ndcg@10", "wanted@10", "kept@10")
SHOWN = 4


@dataclass(frozen=True)
class QuickstartSettings:
    """What to make, and where.

    Attributes:
        folder: everything is written here.
        items: garments to render.
        epochs: passes over the training triplets.
        method: amgan-p or amgan-t.
        seed: of garments, triplets and training.
        device: auto, cpu, cuda or cuda:N.
    """

    folder: Path = Path("amgan-quickstart")
    items: int = 3000
    epochs: int = 7
    method: str = "amgan-t"
    seed: int = 0
    device: str = "auto"


@dataclass(frozen=True)
class QuickstartOutcome:
    """What was made.

    Attributes:
        run: the run folder; the gallery is in it.
        written: every path that matters, by what it is.
        metrics: means of METRICS over the test queries, by ranker.
        queries: test queries asked.
        gallery_size: items ranked for each.
        example: a query to try next: a picture and a change.
    """

    run: Path
    written: Mapping[str, Path]
    metrics: Mapping[str, Mapping[str, float]]
    queries: int
    gallery_size: int
    example: tuple[Path, Change]


def run_quickstart(
    settings: QuickstartSettings, announce: Callable[[str], None] = lambda step: None
) -> QuickstartOutcome:
    """Do everything that is not done yet.

    Args:
        settings: what to make, and where.
        announce: told each step as it begins.

    Raises:
        ValueError: the folder holds a quickstart with other settings.
    """
    folder = settings.folder
    announce(f"Rendering {settings.items:,} garments")
    table = write_studio_catalogue(
        folder / "catalogue", settings.items, settings.seed, progress=track
    )
    config = _configure(settings, table)
    data = load_data(config, cache=folder / "cache")
    announce(f"Training {config.method} on {len(data.triplets.in_split('train')):,} triplets")
    run = RunFolder(folder / "run")
    file = train_experiment(config, run.path, data)
    pure, model = (
        load_model(file, settings.device, ranking=ranking)
        for ranking in (RankingChoice.pure, RankingChoice.auto)
    )
    announce("Encoding the catalogue")
    gallery = build_gallery(
        run.gallery,
        model,
        data.catalogue,
        pixels=data.pixels,
        encoding=EncodingOptions(progress=track),
        trust_labels=True,
        table=table_reading(config.catalogue),
    )
    announce("Measuring on items that training has not seen")
    metrics, queries, gallery_size = _compare(pure, model, data)
    announce("Searching, and drawing the results")
    results = _search_examples(SearchService(model, gallery), data)
    sheet = folder / "results.png"
    render_result_sheet(
        results, sheet, title="Rendered garments: what was asked for, and what was found"
    )
    example = results[0]
    assert isinstance(example.source, Path)
    return QuickstartOutcome(
        run.path,
        {
            "results": sheet,
            "catalogue": table,
            "model": run.model,
            "prototypes": run.prototypes,
            "gallery": run.gallery,
        },
        metrics,
        queries,
        gallery_size,
        (example.source, example.changes[0]),
    )


def _configure(settings: QuickstartSettings, table: Path) -> ExperimentConfig:
    return config_from_dict(
        {
            "method": settings.method,
            "catalogue": {
                "path": str(table),
                "attributes": ATTRIBUTES,
                "item_id": "item_id",
                "product": "product",
                "split": "split",
            },
            "triplets": {"seed": settings.seed, "per_item": 3},
            "images": {"height": 48, "width": 48},
            "network": NETWORK,
            "options": {
                "metric_weight": 0.3,
                "hard_negative_weight": 0.1,
                "saturating": False,
                "pixel_weight": 10.0,
            },
            "training": {
                "epochs": settings.epochs,
                "learning_rate": 5e-4,
                "schedule": "cosine",
                "seed": settings.seed,
                "device": settings.device,
            },
        }
    )


def _compare(
    pure: TrainedModel, fused: TrainedModel, data: ExperimentData
) -> tuple[dict[str, dict[str, float]], int, int]:
    """Mean metrics of the model and of two rankers that learn nothing, on the same triplets."""
    method = pure.description.method
    rankers = {
        f"{method}, fused with attributes": fused,
        method: pure,
        "nearest picture, no changes": build_untrained("nearest-picture", pure),
        "random": build_untrained("random", pure),
    }
    found = {name: evaluate_model(ranker, data, split="test") for name, ranker in rankers.items()}
    report = next(iter(found.values())).report
    metrics = {
        name: {metric: evaluation.means()[metric] for metric in METRICS}
        for name, evaluation in found.items()
    }
    return metrics, report.num_queries, report.gallery_size


def _search_examples(service: SearchService, data: ExperimentData) -> list[SearchResult]:
    """Results for evenly spaced test triplets, those with fewer changes first."""
    catalogue, triplets = data.catalogue, data.triplets.in_split("test")
    chosen = evenly(len(triplets), SHOWN)
    shown = triplets.select(chosen)
    shown = shown.select(np.argsort(shown.num_changes(catalogue), kind="stable"))
    indicators = shown.indicator(catalogue)
    return [
        service.search(
            SearchQuery(
                item_id=catalogue.item_ids[row],
                changes=catalogue.schema.changes(catalogue.labels[row], indicator),
                k=6,
            )
        )
        for row, indicator in zip(shown.reference.tolist(), indicators, strict=True)
    ]
