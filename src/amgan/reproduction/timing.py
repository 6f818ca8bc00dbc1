"""Table 4: time a query by phase, one query at a time."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from amgan.evaluation.provenance import machine_description
from amgan.gallery.engines.exact import ExactEngine
from amgan.methods.query_arrays import QueryArrays
from amgan.methods.trained import TrainedModel
from amgan.reproduction.suite import TimingSpec
from amgan.workflows.data import ExperimentData

_RANKED = 100
_WARM_UP = 3


@dataclass(frozen=True)
class QueryTime:
    """Seconds a query, medians.

    Attributes:
        dimensions: length of a representation.
        drawing: of the prototype, part of `representation`; None where none is drawn.
        representation: from pixels and changes to a vector, T_repr.
        search: exact search in the gallery, T_sea.
        gallery: vectors in the gallery.
        queries: asked.
        machine: on which.
    """

    dimensions: int
    drawing: float | None
    representation: float
    search: float
    gallery: int
    queries: int
    machine: str

    @property
    def total(self) -> float:
        """T_sum."""
        return self.representation + self.search


def measure_query_time(model: TrainedModel, data: ExperimentData, spec: TimingSpec) -> QueryTime:
    """Time test queries one by one.

    The gallery holds random vectors: an exact search takes as long whatever they are.
    """
    triplets = data.triplets.in_split("test")
    chosen = np.resize(np.arange(len(triplets)), spec.queries)
    indicator = triplets.indicator(data.catalogue)
    labels = data.catalogue.labels[triplets.reference]
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((spec.gallery, model.embedding_dim), np.float32)
    engine = ExactEngine(vectors, model.ranking_metric)
    seconds: dict[str, list[float]] = {"draw": [], "represent": [], "search": []}
    draws = False
    for number in (*chosen[:_WARM_UP], *chosen):
        row = slice(number, number + 1)
        pixels = np.asarray(data.pixels[triplets.reference[row]])
        asked = QueryArrays(pixels, indicator[row], labels[row])
        with _clock(seconds["represent"]):
            query = model.encode_queries(asked)
        with _clock(seconds["search"]):
            engine.search(query, min(_RANKED, spec.gallery))
        with _clock(seconds["draw"]):
            draws = model.draw_prototypes(asked) is not None
    medians = {part: statistics.median(values[_WARM_UP:]) for part, values in seconds.items()}
    return QueryTime(
        model.embedding_dim,
        medians["draw"] if draws else None,
        medians["represent"],
        medians["search"],
        spec.gallery,
        spec.queries,
        machine_description(),
    )


@contextmanager
def _clock(seconds: list[float]) -> Iterator[None]:
    start = time.perf_counter()
    yield
    seconds.append(time.perf_counter() - start)
