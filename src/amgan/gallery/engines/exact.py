"""The exact engine: every query against every gallery vector, through FAISS's kernels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import faiss
import numpy as np

from amgan.gallery.engines.protocol import NO_ROW, Filters, Neighbours, Rows, Vectors
from amgan.methods.method import RankingMetric

_faiss: Any = faiss  # its type stubs leave out the functions on plain arrays
# One query after another is faster below this many queries, a matrix product above (measured at
# 50,000 x 512: 4 queries 11 against 15 ms, 16 queries 44 against 21).
_BATCH = 6
_MARGIN = 16  # candidates of a matrix product beyond k, whose scores are computed again
# Engines with an index search up to this many numbers exactly, in about half a millisecond.
EXACT_FLOATS = 4_000_000
_GATHER_BYTES = 2**30  # rows kept by a filter are copied for a matrix product up to this size

# FAISS decides on its own when to use a matrix product, by a rule that changed between releases.
# With 1 it always does, except under a selector, which is how `_first_pass` chooses.
_faiss.cvar.distance_compute_blas_threshold = 1
_ALL = _faiss.IDSelectorAll()
THREADS = _faiss.omp_get_max_threads()


@dataclass(frozen=True)
class _Metric:
    """FAISS's kernels of one metric. Scores are made ascending by `sign`."""

    sign: float
    knn: Callable[..., None]
    all_scores: Callable[..., None]
    chosen_scores: Callable[..., None]


_METRICS: dict[RankingMetric, _Metric] = {
    "euclidean": _Metric(1.0, _faiss.knn_L2sqr, _faiss.fvec_L2sqr_ny, _faiss.fvec_L2sqr_by_idx),
    "inner_product": _Metric(
        -1.0,
        _faiss.knn_inner_product,
        _faiss.fvec_inner_products_ny,
        _faiss.fvec_inner_products_by_idx,
    ),
}


class ExactEngine:
    """Compares every query with every gallery vector.

    A first pass through FAISS finds slightly more than k candidates: a scan for few queries, a
    matrix product for many. The candidates' scores are then computed one by one, so a result does
    not depend on how many queries came together. Where the first pass cannot tell which rows come
    first (equal vectors, or differences below its rounding), all scores are computed.

    Args:
        vectors: (N, D) float32, contiguous; a memory map will do.
        metric: how vectors are compared.
    """

    name = "faiss://exact"

    def __init__(self, vectors: Vectors, metric: RankingMetric) -> None:
        assert vectors.dtype == np.float32 and vectors.ndim == 2 and vectors.flags.c_contiguous
        self.vectors = vectors
        self.metric = metric
        self._metric = _METRICS[metric]

    @cached_property
    def _largest_square(self) -> float:
        return largest_square(self.vectors)

    def search(
        self, queries: Vectors, k: int, rows: Rows | None = None, filters: Filters | None = None
    ) -> Neighbours:
        """Best k of each query; see `Engine.search`."""
        assert k >= 1 and queries.ndim == 2 and queries.shape[1] == self.vectors.shape[1]
        queries = np.ascontiguousarray(queries, np.float32)
        size = len(self.vectors) if rows is None else len(rows)
        kept = min(k, size)
        scores = np.full((len(queries), k), np.inf, np.float32)
        found = np.full((len(queries), k), NO_ROW, np.int64)
        if kept and len(queries):
            self._fill(queries, kept, rows, scores, found)
        return Neighbours(to_scores(scores, self.metric), found, "exact")

    def _fill(
        self, queries: Vectors, k: int, rows: Rows | None, scores: Vectors, found: Rows
    ) -> None:
        batch = len(queries) >= _BATCH
        vectors, chosen = self.vectors, rows
        if rows is not None:
            rows = chosen = np.ascontiguousarray(rows, np.int64)
            gathered = batch and len(rows) * vectors.shape[1] * 4 <= _GATHER_BYTES
            if gathered:
                vectors, chosen = vectors[rows], None
            batch = gathered
        scan = not batch and _is_wide(chosen, vectors)
        if not scan:
            candidates, certain = self._first_pass(queries, k, vectors, chosen, batch)
        for position, query in enumerate(queries):
            if not scan:
                near, best = self._rescore(query, vectors, candidates[position], k)
            if scan or near[-1] >= certain[position]:
                near, best = self._scan(query, vectors, chosen, k)
            scores[position, :k] = near
            found[position, :k] = best if rows is None or chosen is not None else rows[best]

    def _first_pass(
        self, queries: Vectors, k: int, vectors: Vectors, chosen: Rows | None, batch: bool
    ) -> tuple[Rows, Vectors]:
        """Candidates (Q, >= k), and the ascending scores (Q,) below which none is missing."""
        size = len(vectors) if chosen is None else len(chosen)
        wanted = min(k + (_MARGIN if batch else 1), size)
        scores = np.empty((len(queries), wanted), np.float32)
        candidates = np.empty((len(queries), wanted), np.int64)
        selector = None if batch else _ALL if chosen is None else _faiss.IDSelectorArray(chosen)
        arguments = [
            *map(_faiss.swig_ptr, (queries, vectors)),
            *(vectors.shape[1], len(queries), len(vectors), wanted),
            *map(_faiss.swig_ptr, (scores, candidates)),
        ]
        if self.metric == "euclidean":
            arguments.append(None)  # the gallery's norms, computed by FAISS
        # A single query gains nothing from a second thread but the wait for it.
        _faiss.omp_set_num_threads(THREADS if batch else 1)
        self._metric.knn(*arguments, selector)
        certain = scores[:, -1] * self._metric.sign
        if wanted == size:
            certain = np.full(len(queries), np.inf, np.float32)
        elif batch:
            squares = np.einsum("qd,qd->q", queries, queries) + self._largest_square
            certain = certain - squares * (4e-7 * np.sqrt(queries.shape[1]))
        return candidates, certain

    def _rescore(
        self, query: Vectors, vectors: Vectors, candidates: Rows, k: int
    ) -> tuple[Vectors, Rows]:
        candidates = np.sort(candidates)
        return first_rows(self._scores(query, vectors, candidates), candidates, k)

    def _scan(
        self, query: Vectors, vectors: Vectors, chosen: Rows | None, k: int
    ) -> tuple[Vectors, Rows]:
        if chosen is not None and _is_wide(chosen, vectors):
            scores = self._scores(query, vectors, None)[chosen]
        else:
            scores = self._scores(query, vectors, chosen)
        near = np.flatnonzero(scores <= np.partition(scores, k - 1)[k - 1])
        return first_rows(scores[near], near if chosen is None else chosen[near], k)

    def _scores(self, query: Vectors, vectors: Vectors, chosen: Rows | None) -> Vectors:
        return score_rows(self.metric, query, vectors, chosen)


def _is_wide(chosen: Rows | None, vectors: Vectors) -> bool:
    """Whether reading all vectors in order is faster than reading the chosen ones (measured)."""
    return chosen is not None and len(chosen) * 3 > len(vectors)


def largest_square(vectors: Vectors) -> float:
    """Largest squared norm among vectors (N, D), 0 without any; reads a memory map in parts."""
    return max(
        (
            float(np.einsum("nd,nd->n", part, part).max())
            for part in np.array_split(vectors, 1 + len(vectors) // 65_536)
            if len(part)
        ),
        default=0.0,
    )


def score_rows(
    metric: RankingMetric, query: Vectors, vectors: Vectors, rows: Rows | None = None
) -> Vectors:
    """Ascending scores (n,) of one query (D,): squared distances or negated inner products.

    A row's score has the same bits however it is asked for.
    """
    kernels = _METRICS[metric]
    scores = np.empty(len(vectors) if rows is None else len(rows), np.float32)
    out, x, y = map(_faiss.swig_ptr, (scores, query, vectors))
    if rows is None:
        kernels.all_scores(out, x, y, vectors.shape[1], len(vectors))
    else:
        kernels.chosen_scores(out, x, y, _faiss.swig_ptr(rows), vectors.shape[1], 1, len(rows))
    scores *= kernels.sign
    return scores


def to_scores(ascending: Vectors, metric: RankingMetric) -> Vectors:
    """Euclidean distances, or inner products, from ascending scores."""
    return np.sqrt(ascending) if metric == "euclidean" else -ascending


def rescore(
    metric: RankingMetric,
    queries: Vectors,
    vectors: Vectors,
    candidates: Sequence[Rows],
    k: int,
    mode: str,
) -> Neighbours:
    """The best k of each query's candidates, by scores computed from the vectors."""
    scores = np.full((len(queries), k), np.inf, np.float32)
    rows = np.full((len(queries), k), NO_ROW, np.int64)
    for position, proposed in enumerate(candidates):
        proposed = np.sort(proposed)
        again = score_rows(metric, queries[position], vectors, proposed)
        again, best = first_rows(again, proposed, k)
        scores[position, : len(best)], rows[position, : len(best)] = again, best
    return Neighbours(to_scores(scores, metric), rows, mode)


def first_rows(scores: Vectors, rows: Rows, k: int) -> tuple[Vectors, Rows]:
    """The k smallest scores and their rows; `rows` is ascending, and so are rows of one score."""
    order = np.argsort(scores, kind="stable")[:k]
    return scores[order], rows[order]
