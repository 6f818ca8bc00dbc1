from __future__ import annotations

from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from numpy.typing import NDArray

from amgan.gallery.engines import approximate
from amgan.gallery.engines.approximate import (
    IndexEngine,
    append_to_graph,
    build_index,
    load_index,
    save_index,
)
from amgan.gallery.engines.exact import ExactEngine
from amgan.gallery.engines.settings import parse_engine
from amgan.gallery.versions import GalleryError
from amgan.methods.method import RankingMetric

KINDS = ("sq8", "hnsw", "hnsw_sq8")
SIZE, DIM = 3000, 24
CLUSTERS = 30


@pytest.fixture(autouse=True)
def small_sets_take_the_index_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(approximate, "EXACT_FLOATS", 0)


def draw(n: int, seed: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Points around 30 centres, and which centre each belongs to."""
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(99).standard_normal((CLUSTERS, DIM))
    cluster = rng.integers(0, CLUSTERS, n)
    return (centres[cluster] + 0.4 * rng.standard_normal((n, DIM))).astype(np.float32), cluster


VECTORS, CLUSTER = draw(SIZE, 0)
QUERIES, QUERY_CLUSTER = draw(50, 1)


def build(kind: str, metric: RankingMetric = "euclidean") -> IndexEngine:
    settings = parse_engine(f"faiss://{kind}")
    return IndexEngine(
        settings, VECTORS, metric, build_index(settings, VECTORS, metric), np.arange(SIZE)
    )


@pytest.fixture(scope="module")
def engines() -> dict[str, IndexEngine]:
    return {kind: build(kind) for kind in KINDS}


def recall(found: NDArray[np.int64], expected: NDArray[np.int64]) -> float:
    pairs = zip(found.tolist(), expected.tolist(), strict=True)
    return float(np.mean([len(set(a) & set(b)) / len(b) for a, b in pairs]))


@pytest.mark.parametrize("kind", KINDS)
def test_recall_and_scores_of_an_index(engines: dict[str, IndexEngine], kind: str) -> None:
    exact = ExactEngine(VECTORS, "euclidean").search(QUERIES, 10)
    found = engines[kind].search(QUERIES, 10)
    assert found.mode.startswith(kind)
    assert recall(found.rows, exact.rows) >= 0.99
    for position in range(len(QUERIES)):
        naive = np.sqrt(((VECTORS[found.rows[position]] - QUERIES[position]) ** 2).sum(1))
        np.testing.assert_allclose(found.scores[position], naive, rtol=1e-5)
    same = found.rows == exact.rows
    assert found.scores[same].tobytes() == exact.scores[same].tobytes()
    alone = engines[kind].search(QUERIES[3:4], 10)
    assert alone.rows.tolist() == found.rows[3:4].tolist()


def fused_vectors(n: int, seed: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Items and queries of the form that a fused ranking has: few large parts only queries have."""
    rng = np.random.default_rng(seed)
    embeddings, cluster = draw(n, seed)
    embeddings *= 0.2
    square = (embeddings**2).sum(1, keepdims=True)
    posterior = np.eye(6)[(cluster + (rng.random(n) < 0.2)) % 6] * 0.9 + 0.1 / 6
    items = np.column_stack([embeddings, posterior, square, np.ones(n)])
    wanted = 8 * np.eye(6)[rng.integers(0, 6, n)]
    queries = np.column_stack([2 * embeddings, wanted, -np.ones(n), -square])
    return items.astype(np.float32), queries.astype(np.float32)


@pytest.mark.parametrize("kind", ["hnsw", "hnsw_sq8"])
def test_recall_of_fused_vectors_and_of_those_added_later(kind: str) -> None:
    items, queries = fused_vectors(SIZE, 2)
    settings = parse_engine(f"faiss://{kind}")
    index = build_index(settings, items[: SIZE // 2], "inner_product")
    append_to_graph(index, items[SIZE // 2 :], "inner_product")
    engine = IndexEngine(settings, items, "inner_product", index, np.arange(SIZE))
    exact = ExactEngine(items, "inner_product").search(queries[:200], 10)
    found = engine.search(queries[:200], 10)
    assert found.mode.startswith(kind)
    assert recall(found.rows, exact.rows) >= 0.99


@pytest.mark.parametrize("kind", KINDS)
def test_recall_of_inner_products(kind: str) -> None:
    exact = ExactEngine(VECTORS, "inner_product").search(QUERIES, 10)
    found = build(kind, "inner_product").search(QUERIES, 10)
    assert recall(found.rows, exact.rows) >= 0.99
    assert (np.diff(found.scores, axis=1) <= 0).all()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("share", [0.9, 0.5, 0.2, 0.08])
@pytest.mark.parametrize("how", ["at random", "whole clusters"])
def test_filters_cost_no_recall(
    engines: dict[str, IndexEngine], kind: str, share: float, how: str
) -> None:
    if how == "at random":
        rows = np.flatnonzero(np.random.default_rng(2).random(SIZE) < share)
    else:  # most queries are far from all that is kept
        rows = np.flatnonzero(share * CLUSTERS > CLUSTER)
    exact = ExactEngine(VECTORS, "euclidean").search(QUERIES, 10, rows)
    found = engines[kind].search(QUERIES, 10, rows)
    assert set(found.rows.ravel().tolist()) <= set(rows.tolist())
    assert recall(found.rows, exact.rows) >= 0.99
    assert found.mode.endswith("filtered")


def test_the_mode_says_what_ran(
    engines: dict[str, IndexEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    graph = engines["hnsw"]
    half = np.arange(0, SIZE, 2)
    few = np.arange(0, SIZE, 30)
    assert graph.search(QUERIES[:1], 5).mode == "hnsw ef=256"
    assert graph.search(QUERIES[:1], 5, half).mode == "hnsw ef=512, filtered"
    assert graph.search(QUERIES[:1], 5, few).mode == "exact, filtered"
    assert graph.search(QUERIES[:1], SIZE // 10).mode == "exact"
    far = np.flatnonzero(QUERY_CLUSTER[0] != CLUSTER)[: SIZE // 8]
    far = far[((VECTORS[far] - QUERIES[0]) ** 2).sum(1).argsort()[SIZE // 16 :]]
    assert graph.search(QUERIES[:1], 5, np.sort(far)).mode == "exact, filtered"
    # Enough kept items near the query for an answer, but far fewer than half of those looked at.
    nearest = ((VECTORS - QUERIES[0]) ** 2).sum(1).argsort()
    apart = np.sort(np.concatenate([nearest[:15], nearest[SIZE // 2 :]]))
    assert graph.search(QUERIES[:1], 5, apart).mode == "exact, filtered"
    monkeypatch.setattr(approximate, "EXACT_FLOATS", SIZE * DIM // 2)
    assert graph.search(QUERIES[:1], 5, half).mode == "exact, filtered"
    assert engines["sq8"].search(QUERIES[:1], 5).mode == "sq8"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("metric", get_args(RankingMetric))
def test_entries_that_are_no_longer_items_are_never_found(kind: str, metric: RankingMetric) -> None:
    settings = parse_engine(f"faiss://{kind}")
    index = build_index(settings, VECTORS, metric)
    gone = np.random.default_rng(3).random(SIZE) < 0.15
    nodes = np.full(SIZE, -1)
    nodes[~gone] = np.random.default_rng(4).permutation(int((~gone).sum()))
    left = np.empty_like(VECTORS[~gone])
    left[nodes[~gone]] = VECTORS[~gone]
    engine = IndexEngine(settings, left, metric, index, nodes)
    for rows in (None, np.arange(0, len(left), 2)):
        exact = ExactEngine(left, metric).search(QUERIES, 10, rows)
        found = engine.search(QUERIES, 10, rows)
        assert recall(found.rows, exact.rows) >= 0.99


@pytest.mark.parametrize("kind", KINDS)
def test_an_index_on_disk_is_mapped_and_gives_the_same(
    engines: dict[str, IndexEngine], kind: str, tmp_path: Path
) -> None:
    settings = parse_engine(f"faiss://{kind}")
    save_index(build_index(settings, VECTORS, "euclidean"), np.arange(SIZE), tmp_path)
    for mapped in (True, False):
        index, nodes = load_index(tmp_path, mapped)
        engine = IndexEngine(settings, VECTORS, "euclidean", index, nodes)
        assert (
            recall(engine.search(QUERIES, 10).rows, engines[kind].search(QUERIES, 10).rows) > 0.99
        )
    file = tmp_path / "index.faiss"
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(GalleryError, match="damaged"):
        load_index(tmp_path)
    file.unlink()
    with pytest.raises(FileNotFoundError):
        load_index(tmp_path)
