"""Measuring a model through the search that serves users."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from amgan.config import load_run_config
from amgan.errors import InputError
from amgan.evaluation.metrics import compute_query_metrics
from amgan.evaluation.per_query import PerQueryResults, save_per_query
from amgan.evaluation.report import EvaluationReport, Protocol, build_report, save_report
from amgan.gallery.store import Gallery
from amgan.methods.baselines import Unmanipulated
from amgan.methods.model_file import load_model
from amgan.methods.ranking import RankingChoice
from amgan.methods.registry import UNTRAINED, build_method
from amgan.methods.trained import TrainedModel
from amgan.queries import Triplets
from amgan.run_folder import RunFolder
from amgan.search import SearchService
from amgan.workflows.data import ExperimentData, load_data
from amgan.workflows.fit import fuse_model

RANKED = 1000  # MRR@1000 looks this far


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
        raise InputError(f"catalogue {catalogue.name!r} has no triplets in split {split!r}")
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
        ranking=model.ranking,
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
        raise InputError(f"unknown ranker {name!r}; choose unmanipulated, {', '.join(UNTRAINED)}")
    note = {key: value for key, value in model.description.note.items() if key != "ranking"}
    description = replace(model.description, method=name, options={}, note=note)
    return TrainedModel(method, description, model.compute)


def evaluate_run(
    run: Path,
    protocols: Sequence[Protocol] = ("paper", "unseen"),
    *,
    split: str = "test",
    triplets: Path | None = None,
    beside: Sequence[str] = (),
    device: str = "auto",
    ranking: RankingChoice = RankingChoice.auto,
) -> Iterator[Evaluation]:
    """Measure a run's best model, one protocol after the other.

    Args:
        run: run folder.
        protocols: galleries to rank.
        split: which triplets to ask.
        triplets: triplet file; None takes the run's own.
        beside: rankers that need no training, measured after the model; see `build_untrained`.
        device: auto, cpu, cuda or cuda:N.
        ranking: the method's own, or fused, whose weights are chosen on validation queries first
            where the model has none yet; auto measures both where the model draws prototypes.

    Raises:
        ValueError: no model, an unknown ranker, or triplets that do not agree with the catalogue.
    """
    config = load_run_config(run)
    asked = replace(config.triplets, path=str(triplets or RunFolder(run).triplets))
    data = load_data(replace(config, triplets=asked))
    if ranking is not RankingChoice.pure:
        fuse_model(RunFolder(run).model, data, config.training.metric)
    model = load_model(run, device, ranking=ranking)
    rankers = [model]
    if ranking is RankingChoice.auto and model.fusion is not None:
        rankers.insert(0, load_model(run, device, ranking=RankingChoice.pure))
    rankers += [build_untrained(name, model) for name in beside]
    for protocol in protocols:
        for ranker in rankers:
            yield evaluate_model(ranker, data, split=split, protocol=protocol)
