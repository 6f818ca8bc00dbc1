"""One experiment from its configuration: data, training, evaluation."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from amgan.attributes import AttributeSchema
from amgan.catalogue.pixels import open_pixels
from amgan.catalogue.readers import READERS
from amgan.catalogue.records import Catalogue
from amgan.catalogue.table import TableLayout, load_table
from amgan.catalogue.validation import ValidationReport
from amgan.config import CatalogueConfig, ExperimentConfig, TripletConfig
from amgan.devices import choose_compute
from amgan.evaluation.metrics import compute_query_metrics
from amgan.evaluation.per_query import PerQueryResults, save_per_query
from amgan.evaluation.provenance import commit_id
from amgan.evaluation.report import EvaluationReport, Protocol, build_report, save_report
from amgan.gallery.store import Gallery
from amgan.images import Pixels
from amgan.methods.baselines import Unmanipulated
from amgan.methods.registry import UNTRAINED, build_method
from amgan.methods.trained import ModelDescription, TrainedModel, save_model
from amgan.progress import track
from amgan.queries import Triplets, assign_splits, load_triplets, sample_triplets, save_triplets
from amgan.search import SearchService
from amgan.training.data import TripletBatches
from amgan.training.loop import Trainer
from amgan.training.run_folder import RunFolder

RANKED = 1000  # MRR@1000 looks this far
_PREVIEWED = 12


@dataclass(frozen=True)
class ExperimentData:
    """What a run learns from.

    Attributes:
        catalogue: items with splits.
        pixels: (N, H, W, 3) uint8, memory-mapped.
        triplets: of all splits.
        report: what validation found in the catalogue.
    """

    catalogue: Catalogue
    pixels: Pixels
    triplets: Triplets
    report: ValidationReport

    @property
    def digest(self) -> str:
        """Identifies catalogue, picture content and triplets."""
        digest = hashlib.sha256(self.catalogue.digest.encode())
        digest.update(self.triplets.digest.encode())
        digest.update(str(self.pixels.shape).encode())
        return digest.hexdigest()


@dataclass(frozen=True)
class Evaluation:
    """Rankings of one protocol and what they are worth.

    Attributes:
        report: means by group.
        results: metrics of every query.
        triplets: the queries.
        retrieved: catalogue rows (Q, K), best first, -1 past the gallery's end.
    """

    report: EvaluationReport
    results: PerQueryResults
    triplets: Triplets
    retrieved: NDArray[np.int64]

    def means(self) -> dict[str, float]:
        """Mean of each metric over all queries for which it is defined."""
        return dict(self.report.groups["all"].means)

    def save(self, folder: Path, *, per_query: bool = True) -> Path:
        """Write JSON, Markdown and, if asked, every query's metrics; returns the JSON file."""
        stem = f"{self.report.split}-{self.report.protocol}"
        save_report(self.report, folder / f"{stem}.json")
        save_report(self.report, folder / f"{stem}.md")
        if per_query:
            save_per_query(self.results, folder / f"{stem}.parquet")
        return folder / f"{stem}.json"


def cache_folder() -> Path:
    """Where decoded pictures are kept: $AMGAN_CACHE, else `amgan` in the user's cache folder."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("AMGAN_CACHE") or Path(home) / "amgan")


def load_catalogue(
    config: CatalogueConfig,
    *,
    schema: AttributeSchema | None = None,
    strict: bool = False,
    check_pictures: bool = True,
) -> tuple[Catalogue, ValidationReport]:
    """Read the configured catalogue; items without a split get one.

    Args:
        config: which catalogue.
        schema: attributes and values to hold a table against; None takes what the table has.
        strict: raise on any bad row instead of leaving it out.
        check_pictures: decode every picture.

    Raises:
        ValueError: no path, an unknown reader, or a catalogue that cannot be used.
    """
    if not config.path:
        raise ValueError("no catalogue: set catalogue.path to a table or a dataset's folder")
    path = Path(config.path)
    if config.reader == "table":
        layout = TableLayout(
            config.image,
            config.attributes,
            config.item_id or None,
            config.product or None,
            config.split or None,
        )
        catalogue, report = load_table(
            path,
            layout,
            schema=schema,
            strict=strict,
            check_pictures=check_pictures,
            progress=track,
        )
    elif config.reader in READERS:
        catalogue, report = READERS[config.reader](path)
    else:
        raise ValueError(
            f"unknown reader {config.reader!r}; the readers are table, {', '.join(READERS)}"
        )
    if all(split is None for split in catalogue.splits):
        catalogue = assign_splits(catalogue)
    return catalogue, report


def load_data(
    config: ExperimentConfig, *, check_pictures: bool = False, cache: Path | None = None
) -> ExperimentData:
    """Catalogue, decoded pictures and triplets of an experiment.

    Args:
        config: which ones.
        check_pictures: decode every picture before, and leave out those that cannot be.
        cache: where decoded pictures are kept; None takes `cache_folder()`.

    Raises:
        ValueError: as `load_catalogue` and `load_triplets`.
    """
    catalogue, report = load_catalogue(config.catalogue, check_pictures=check_pictures)
    pixels = open_pixels(catalogue, config.images, cache or cache_folder(), progress=track)
    return ExperimentData(catalogue, pixels, choose_triplets(config.triplets, catalogue), report)


def choose_triplets(config: TripletConfig, catalogue: Catalogue) -> Triplets:
    """The configured triplet file, or a draw."""
    if config.path:
        return load_triplets(Path(config.path), catalogue)
    return sample_triplets(
        catalogue,
        seed=config.seed,
        changes=(config.min_changes, config.max_changes),
        per_item={"train": config.per_item},
    )


def describe_model(config: ExperimentConfig, catalogue: Catalogue) -> ModelDescription:
    """The model that `config` trains on `catalogue`."""
    return ModelDescription(
        config.method,
        config.to_dict()["options"],
        catalogue.schema,
        config.images,
        config.network,
        {"catalogue": catalogue.name, "seed": config.training.seed, "commit": commit_id()},
    )


def train_experiment(
    config: ExperimentConfig, folder: Path, data: ExperimentData | None = None
) -> Path:
    """Train in a run folder, or continue where it was left; returns the best model's file.

    Raises:
        ValueError: the folder holds a run of another configuration, or as `load_data`.
        TrainingDivergedError: a loss term became non-finite.
        KeyboardInterrupt: stopped by a signal, after the state was saved.
    """
    data = data or load_data(config)
    run = RunFolder(folder)
    run.write_config(config.to_dict())
    save_triplets(data.triplets, data.catalogue, folder / "triplets.jsonl")
    torch.manual_seed(config.training.seed)
    description = describe_model(config, data.catalogue)
    method = description.build()
    compute = choose_compute(config.training.device, config.training.precision)
    model = TrainedModel(method, description, compute)
    if method.phases():
        _trainer(config, data, run, model).train()
    else:
        save_model(run.model, method, description)
    return run.model


def _trainer(
    config: ExperimentConfig, data: ExperimentData, run: RunFolder, model: TrainedModel
) -> Trainer:
    validation = data.triplets.in_split("val")
    batches = TripletBatches(
        data.catalogue,
        data.pixels,
        data.triplets.in_split("train"),
        data.catalogue.rows_in_split("train"),
        batch_size=config.training.batch_size,
        seed=config.training.seed,
        flip=config.training.flip,
    )

    def validate() -> dict[str, float]:
        return evaluate_model(model, data, split="val", protocol="unseen").means()

    def preview(epoch: int) -> None:
        shown = validation.select(_evenly(len(validation), _PREVIEWED))
        reference = np.asarray(data.pixels[shown.reference])
        drawn = model.draw_prototypes(reference, shown.indicator(data.catalogue))
        if drawn is not None:
            run.save_prototypes(epoch, (reference, drawn, np.asarray(data.pixels[shown.target])))

    return Trainer(
        model.method,
        batches,
        config.training,
        run,
        _fingerprint(config, data),
        lambda: save_model(run.model, model.method, model.description),
        validate if len(validation) else None,
        preview if len(validation) else None,
    )


def evaluate_model(
    model: TrainedModel,
    data: ExperimentData,
    *,
    split: str = "test",
    protocol: Protocol = "unseen",
    name: str | None = None,
) -> Evaluation:
    """Rank the gallery for every triplet of a split, through the search that serves users.

    The reference stays out of its own result list.

    Args:
        model: ranks.
        data: whose triplets and pictures.
        split: which triplets.
        protocol: `paper` ranks the whole catalogue, `unseen` the items of the split.
        name: the row's name in tables; None takes the method's.

    Raises:
        ValueError: no triplets in the split, or a schema that is not the model's.
    """
    catalogue, triplets = data.catalogue, data.triplets.in_split(split)
    if not len(triplets):
        raise ValueError(f"catalogue {catalogue.name!r} has no triplets in split {split!r}")
    rows = np.arange(len(catalogue)) if protocol == "paper" else catalogue.rows_in_split(split)
    pixels = data.pixels if len(rows) == len(catalogue) else data.pixels[rows]
    gallery = Gallery.in_memory(model, catalogue.subset(rows), pixels)
    place = np.full(len(catalogue), -1, np.int64)
    place[rows] = np.arange(len(rows))
    ranking = SearchService(model, gallery).rank(
        data.pixels[triplets.reference],
        triplets.indicator(catalogue),
        catalogue.labels[triplets.reference],
        min(RANKED, len(rows) - 1),
        exclude=place[triplets.reference],
    )
    retrieved = np.where(ranking.rows >= 0, rows[ranking.rows], -1)
    metrics = compute_query_metrics(
        ranking.rows,
        gallery_labels=catalogue.labels[rows],
        target_labels=catalogue.labels[triplets.target],
        changed=triplets.changed(catalogue),
        target_rows=place[triplets.target],
    )
    results = PerQueryResults.from_triplets(metrics, triplets, catalogue)
    report = build_report(
        results,
        method=name or model.description.method,
        protocol=protocol,
        catalogue=catalogue.name,
        split=split,
        triplet_digest=triplets.digest,
        seed=int(model.description.note.get("seed", 0)),
        gallery_size=len(rows),
    )
    return Evaluation(report, results, triplets, retrieved)


def build_untrained(name: str, model: TrainedModel) -> TrainedModel:
    """A ranker that needs no training, on the schema and pictures of `model`.

    Args:
        name: `random`, `nearest-picture`, or `unmanipulated`: `model` itself, changes ignored.
        model: the model that is compared with it.

    Raises:
        ValueError: another name.
    """
    if name == "unmanipulated":
        method: torch.nn.Module = Unmanipulated(model.method)
    elif name in UNTRAINED:
        method = build_method(name, model.schema, model.images, model.description.network)
    else:
        raise ValueError(f"unknown ranker {name!r}; choose unmanipulated, {', '.join(UNTRAINED)}")
    description = replace(model.description, method=name, options={})
    return TrainedModel(method, description, model.compute)


def read_run_config(folder: Path) -> dict[str, Any]:
    """The resolved configuration of a run folder.

    Raises:
        ValueError: not a run folder.
    """
    path = folder / "config.json"
    if not path.is_file():
        raise ValueError(f"{folder}: not a run folder (no config.json)")
    values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return values


def _fingerprint(config: ExperimentConfig, data: ExperimentData) -> str:
    values = config.to_dict()
    for name in ("device", "metric", "validate_every", "checkpoint_seconds", "log_every"):
        del values["training"][name]
    del values["catalogue"], values["triplets"]
    values["data"] = data.digest
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def _evenly(total: int, wanted: int) -> NDArray[np.int64]:
    return np.unique(np.linspace(0, total - 1, wanted).astype(np.int64))
