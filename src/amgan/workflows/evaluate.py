"""Measuring a model through the search that serves users."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from amgan.config import load_run_config
from amgan.errors import InputError
from amgan.evaluation.metrics import compute_query_metrics
from amgan.evaluation.per_query import PerQueryResults, save_per_query
from amgan.evaluation.report import EvaluationReport, Protocol, build_report, save_report
from amgan.gallery.store import Gallery
from amgan.methods.baselines import Unmanipulated
from amgan.methods.method import Method
from amgan.methods.model_file import load_model
from amgan.methods.query_arrays import QueryArrays
from amgan.methods.ranking import RankingChoice
from amgan.methods.registry import UNTRAINED, build_method
from amgan.methods.trained import TrainedModel
from amgan.queries import Triplets
from amgan.run_folder import RunFolder
from amgan.search import SearchService
from amgan.workflows.data import ExperimentData, load_data, places_among, rows_of_protocol
from amgan.workflows.features import look_at
from amgan.workflows.fit import fit_facts
from amgan.workflows.picture import PictureQueries

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
    picture: PictureQueries | None = None,
) -> Evaluation:
    """Rank the gallery for every triplet of a split, through the search that serves users.

    The reference stays out of its own result list.

    Args:
        model: ranks.
        data: whose triplets and pictures.
        split: which triplets.
        protocol: `paper` ranks the whole catalogue, `unseen` the items of the split.
        name: the row's name in tables; None takes the method's.
        picture: further queries, about pictures; None leaves their measures out.

    Raises:
        ValueError: no triplets in the split, or a schema that is not the model's.
    """
    catalogue, triplets = data.catalogue, data.triplets.in_split(split)
    if not len(triplets):
        raise InputError(f"catalogue {catalogue.name!r} has no triplets in split {split!r}")
    rows = rows_of_protocol(catalogue, split, protocol)
    seen = look_at(model, data, rows)
    gallery = Gallery.in_memory(model, catalogue.subset(rows), seen)
    places = places_among(rows, len(catalogue))
    service = SearchService(model, gallery)
    ranking = service.rank(
        QueryArrays(
            seen[places[triplets.reference]],
            triplets.indicator(catalogue),
            catalogue.labels[triplets.reference],
        ),
        min(RANKED, len(rows) - 1),
        exclude=places[triplets.reference],
    )
    retrieved = np.where(ranking.rows >= 0, rows[ranking.rows], -1)
    metrics = compute_query_metrics(
        ranking.rows,
        gallery_labels=catalogue.labels[rows],
        target_labels=catalogue.labels[triplets.target],
        changed=triplets.changed(catalogue),
        target_rows=places[triplets.target],
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
        seed=model.description.facts.seed or 0,
        gallery_size=len(rows),
        picture=None if picture is None else picture.measure(service, rows),
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
        method: Method = Unmanipulated(model.method)
    elif name in UNTRAINED:
        method = build_method(name, model.schema, model.images, model.description.network)
    else:
        raise InputError(f"unknown ranker {name!r}; choose unmanipulated, {', '.join(UNTRAINED)}")
    facts = replace(model.description.facts, ranking="pure")
    description = replace(model.description, method=name, options={}, facts=facts)
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
        ranking: the method's own, or fused; auto measures both where the method can be fused. A
            model without weights for it gets them from validation queries for this measurement
            alone: its file stays as it is.

    Raises:
        ValueError: no model, an unknown ranker, or triplets that do not agree with the catalogue.
    """
    config = load_run_config(run)
    asked = replace(config.triplets, path=str(triplets or RunFolder(run).triplets))
    data = load_data(replace(config, triplets=asked))
    model = load_model(run, device, ranking=RankingChoice.pure)
    rankers = rankers_of(model, data, config.training.metric, ranking)
    rankers += [build_untrained(name, model) for name in beside]
    picture = PictureQueries.of_split(data, split, model.images)
    for protocol in protocols:
        for ranker in rankers:
            yield evaluate_model(ranker, data, split=split, protocol=protocol, picture=picture)


def rankers_of(
    model: TrainedModel, data: ExperimentData, metric: str, ranking: RankingChoice
) -> list[TrainedModel]:
    """The model as it is to be measured: pure, fused, or one after the other.

    Args:
        model: ranks by its own metric.
        data: where the weights of a fused ranking come from if the model has none.
        metric: that they are to make largest.
        ranking: which; `auto` is the pure one, and the fused one where there is one.

    Raises:
        InputError: a fused ranking is wanted, and the method has none.
    """
    if ranking is RankingChoice.pure:
        return [model]
    facts = fit_facts(model, data, metric).choose(ranking)
    fused = [model.with_facts(facts)] if facts.ranking == "fused" else []
    return fused if ranking is RankingChoice.fused else [model, *fused]
