from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from amgan.gallery.engines.exact import ExactEngine
from amgan.methods.method import RankingMetric

METRICS = get_args(RankingMetric)


def naive(
    vectors: NDArray[np.float32],
    queries: NDArray[np.float32],
    k: int,
    metric: RankingMetric,
    rows: list[int] | None = None,
) -> list[list[int]]:
    """Rows of the best k by Python's own sort, for integer-valued vectors: no rounding."""
    answers = []
    for query in queries.astype(int).tolist():
        scored = []
        for row in range(len(vectors)) if rows is None else rows:
            vector = vectors[row].astype(int).tolist()
            if metric == "euclidean":
                score = sum((a - b) ** 2 for a, b in zip(vector, query, strict=True))
            else:
                score = -sum(a * b for a, b in zip(vector, query, strict=True))
            scored.append((score, row))
        best = [row for _, row in sorted(scored)[:k]]
        answers.append(best + [-1] * (k - len(best)))
    return answers


def draw_integers(seed: int, *shape: int, largest: int = 3) -> NDArray[np.float32]:
    return np.random.default_rng(seed).integers(-largest, largest + 1, shape).astype(np.float32)


@given(
    seed=st.integers(0, 10**6),
    size=st.integers(1, 120),
    dim=st.integers(1, 9),
    queries=st.sampled_from([1, 2, 5, 6, 7, 20]),
    k=st.sampled_from([1, 2, 7, 30, 200]),
    metric=st.sampled_from(METRICS),
    kept=st.sampled_from([None, 0.0, 0.1, 0.7, 1.0]),
)
@settings(max_examples=150, deadline=None)
def test_exact_engine_agrees_with_naive_sort_ties_by_row(
    seed: int, size: int, dim: int, queries: int, k: int, metric: RankingMetric, kept: float | None
) -> None:
    vectors = draw_integers(seed, size, dim)  # few distinct values: many ties
    asked = draw_integers(seed + 1, queries, dim)
    rows = None
    if kept is not None:
        rows = np.flatnonzero(np.random.default_rng(seed).random(size) < kept)
    found = ExactEngine(vectors, metric).search(asked, k, rows)
    expected = naive(vectors, asked, k, metric, None if rows is None else rows.tolist())
    assert found.rows.tolist() == expected


@pytest.mark.parametrize("metric", METRICS)
def test_scores_are_distances_or_products_and_padded(metric: RankingMetric) -> None:
    vectors = np.array([[0, 0], [3, 4], [1, 0]], np.float32)
    found = ExactEngine(vectors, metric).search(np.array([[3, 4]], np.float32), 5)
    if metric == "euclidean":
        assert found.rows.tolist() == [[1, 2, 0, -1, -1]]
        np.testing.assert_allclose(found.scores[0, :3], [0, np.sqrt(20), 5], rtol=1e-6)
        assert (found.scores[0, 3:] == np.inf).all()
    else:
        assert found.rows.tolist() == [[1, 2, 0, -1, -1]]
        assert found.scores[0, :3].tolist() == [25, 3, 0]
        assert (found.scores[0, 3:] == -np.inf).all()
    assert found.mode == "exact"


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("kept", [None, 0.5])
def test_a_batch_gives_the_bits_that_single_queries_give(
    metric: RankingMetric, kept: float | None
) -> None:
    rng = np.random.default_rng(0)
    distinct = rng.standard_normal((300, 64), dtype=np.float32)
    vectors = distinct[rng.integers(0, 300, 2000)]  # each about seven times, in any order
    queries = distinct[:40] + rng.standard_normal((40, 64), dtype=np.float32) * 1e-4
    rows = None if kept is None else np.flatnonzero(rng.random(2000) < kept)
    engine = ExactEngine(vectors, metric)
    together = engine.search(queries, 50, rows)
    for position in range(len(queries)):
        alone = engine.search(queries[position : position + 1], 50, rows)
        assert alone.rows[0].tolist() == together.rows[position].tolist()
        assert alone.scores[0].tobytes() == together.scores[position].tobytes()
    scores = together.scores if metric == "euclidean" else -together.scores
    tied = scores[:, 1:] == scores[:, :-1]
    assert (np.diff(scores, axis=1) >= 0).all() and tied.any()
    assert (np.diff(together.rows, axis=1)[tied] > 0).all()


def test_collapsed_vectors_are_ranked_by_row() -> None:
    vectors = np.ones((5000, 32), np.float32) * np.float32(0.1)
    queries = np.random.default_rng(0).standard_normal((16, 32), dtype=np.float32)
    found = ExactEngine(vectors, "euclidean").search(queries, 10)
    assert (found.rows == np.arange(10)).all()


def test_no_queries_and_an_empty_gallery() -> None:
    engine = ExactEngine(np.zeros((4, 2), np.float32), "euclidean")
    assert engine.search(np.zeros((0, 2), np.float32), 3).rows.shape == (0, 3)
    empty = ExactEngine(np.zeros((0, 2), np.float32), "euclidean")
    assert empty.search(np.zeros((1, 2), np.float32), 2).rows.tolist() == [[-1, -1]]
