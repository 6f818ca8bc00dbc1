"""The search engines: against raw FAISS, under filters, against each other, and their sizes.

    python benchmarks/engines.py                              all parts, 50,000 x 512
    python benchmarks/engines.py raw --items 1000000          2 GB in a temporary folder
    python benchmarks/engines.py filters --items 200000 --dim 128
    python benchmarks/engines.py filters --cluster 50000      one cloud without clusters
    python benchmarks/engines.py parity --milvus milvus://localhost:19530/parity
    python benchmarks/engines.py parity --gallery run/gallery embeddings of a trained model
    python benchmarks/engines.py --json engines.json

Medians; the compared calls take turns, so that a change of load meets all of them. The vectors
are invented: clusters in a space of few dimensions, as embeddings have them, turned into all.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amgan.evaluation.report import commit_id, machine_description
from amgan.gallery.engines.approximate import IndexEngine, build_index, save_index
from amgan.gallery.engines.exact import ExactEngine
from amgan.gallery.engines.milvus import Server
from amgan.gallery.engines.milvus_engine import MilvusEngine
from amgan.gallery.engines.protocol import Engine, Rows, Vectors
from amgan.gallery.engines.rowset import Rowset
from amgan.gallery.engines.settings import EngineSettings, parse_engine
from amgan.methods.method import RankingMetric
from raw_faiss import RawFaiss
from samples import Clusters, Sample, invent_sample, load_sample

K = 10
BLOCK = 16_384
SHARES = (0.5, 0.1, 0.01, 0.001)


@dataclass(frozen=True)
class Setup:
    """What is measured, and how often.

    Attributes:
        items, dim: the gallery's shape.
        latent: dimensions in which the clusters lie, at most `dim`.
        cluster: items a cluster, on average.
        queries: for recall.
        repeats: timed calls of each kind.
        milvus: address of a collection; empty for Milvus Lite in a temporary folder.
        graph: setting of the engine that stands for graphs.
        folder: gallery whose embeddings take the place of invented ones in filters and parity.
    """

    items: int
    dim: int
    latent: int
    cluster: int
    queries: int
    repeats: int
    milvus: str
    graph: str
    folder: Path | None = None

    @property
    def gallery(self) -> str:
        """The shape in words."""
        return f"{self.items} x {self.dim}, clusters of {self.cluster} in {self.latent} dimensions"

    @property
    def clusters(self) -> Clusters:
        """What draws invented vectors of this shape."""
        return Clusters(self.items, self.dim, self.latent, self.cluster)

    @property
    def sample(self) -> Sample:
        """Vectors and queries for filters and parity."""
        if self.folder is not None:
            return load_sample(self.folder, self.queries)
        return invent_sample(self.clusters, self.items, self.queries, self.gallery)


def write_vectors(clusters: Clusters, setup: Setup, folder: Path) -> Path:
    """The gallery as a file without a header, written block by block."""
    file = folder / "vectors.f32"
    with file.open("wb") as out:
        for seed, start in enumerate(range(0, setup.items, BLOCK)):
            clusters.draw(min(BLOCK, setup.items - start), 1000 + seed)[0].tofile(out)
    return file


def numpy_scan(vectors: Vectors, query: Vectors) -> NDArray[np.int64]:
    """The best K rows of one query, in plain numpy."""
    distances = np.empty(len(vectors), np.float32)
    for start in range(0, len(vectors), BLOCK):
        difference = vectors[start : start + BLOCK] - query
        distances[start : start + BLOCK] = (difference * difference).sum(1)
    return np.argsort(distances)[:K]


def measure_raw(setup: Setup) -> dict[str, Any]:
    """The exact engine on a mapped file against FAISS alone and numpy; one query, and 64."""
    clusters = setup.clusters
    batch = 64
    seconds: dict[str, list[float]] = {}
    same = []
    with tempfile.TemporaryDirectory(prefix="amgan-engines-") as folder:
        file = write_vectors(clusters, setup, Path(folder))
        queries, _ = clusters.draw(batch * 4, 1)
        queries.tofile(Path(folder) / "queries.f32")
        vectors = np.memmap(file, np.float32, "r").reshape(-1, setup.dim)
        engine = ExactEngine(vectors, "euclidean")
        with RawFaiss(file, Path(folder) / "queries.f32", setup.dim) as raw:
            calls: dict[str, Callable[[int, int], tuple[float, Rows]]] = {
                "engine": lambda first, count: timed_rows(engine, queries[first : first + count]),
                "raw_faiss": lambda first, count: raw.search(first, count, K),
            }
            for repeat in range(-2, setup.repeats):  # each side is first half the time
                counted = seconds if repeat >= 0 else {}
                few = repeat < setup.repeats // 4
                for label, count in [("one", 1), ("batch", batch)][: 1 + few]:
                    found = {}
                    for name in sorted(calls, reverse=bool(repeat % 2)):
                        took, found[name] = calls[name](repeat % 4 * batch, count)
                        counted.setdefault(f"{name}_{label}", []).append(took)
                    same.append(float(np.mean(found["engine"] == found["raw_faiss"])))
                if few:
                    took, _ = timed(numpy_scan, vectors, queries[repeat])
                    counted.setdefault("numpy_one", []).append(took)
    medians = {label: 1000 * statistics.median(values) for label, values in seconds.items()}
    return {
        "gallery": setup.gallery,
        "milliseconds": medians,
        "same_rows_as_raw_faiss": statistics.mean(same),
        "engine_over_raw_faiss": {
            label: medians[f"engine_{label}"] / medians[f"raw_faiss_{label}"]
            for label in ("one", "batch")
        },
        "numpy_over_engine": medians["numpy_one"] / medians["engine_one"],
    }


def measure_filters(setup: Setup) -> dict[str, Any]:
    """Recall and time of one query under filters, for the exact engine and a graph.

    One filter of each share keeps items at random, another keeps whole clusters, so that most
    queries have their nearest items outside it.
    """
    sample = setup.sample
    vectors, queries = sample.vectors, sample.queries
    graph, build_s = build_graph(parse_engine(setup.graph), vectors, sample.metric)
    exact = ExactEngine(vectors, sample.metric)
    engines: dict[str, Engine] = {"exact": exact, setup.graph: graph}
    distances = all_distances(queries, vectors, sample.metric)
    rng = np.random.default_rng(4)
    result: dict[str, Any] = {"gallery": sample.name, "queries": len(queries)}
    result["build_items_per_second"] = len(vectors) / build_s
    for label, rows in filters_of(sample.cluster, rng):
        best = nearest(distances, rows)
        kept = len(vectors) if rows is None else len(rows)
        result[label] = {"kept": kept, **compare(engines, queries, rows, best, setup.repeats)}
    return result


def filters_of(
    cluster: NDArray[np.int64], rng: np.random.Generator
) -> Iterator[tuple[str, Rows | None]]:
    """Names and kept rows of the filters."""
    yield "all", None
    items = len(cluster)
    order = rng.permutation(int(cluster.max()) + 1)
    sizes = np.bincount(cluster)[order].cumsum()
    for share in SHARES:
        kept = max(K, round(share * items))
        yield f"{share:.1%} at random", np.sort(rng.permutation(items)[:kept])
        whole = order[: int(np.searchsorted(sizes, kept)) + 1]
        yield f"{share:.1%} by cluster", np.flatnonzero(np.isin(cluster, whole))


def compare(
    engines: dict[str, Engine], queries: Vectors, rows: Rows | None, best: Rows, repeats: int
) -> dict[str, Any]:
    """Recall over all queries and the median time of a query, engine by engine, in turns."""
    found: dict[str, list[Rows]] = {name: [] for name in engines}
    seconds: dict[str, list[float]] = {name: [] for name in engines}
    modes: dict[str, Counter[str]] = {name: Counter() for name in engines}
    for position in range(-2, len(queries)):
        for name, engine in engines.items():
            if name == "exact" and position >= repeats:
                continue
            query = queries[position : position + 1] if position >= 0 else queries[:1]
            took, answer = timed(engine.search, query, K, rows)
            if position >= 0:
                found[name].append(answer.rows[0])
                seconds[name].append(took)
                modes[name][answer.mode] += 1
    return {
        name: {
            "recall_at_10": recall(best[: len(found[name])], np.stack(found[name])),
            "milliseconds": 1000 * statistics.median(seconds[name]),
            "modes": dict(modes[name]),
        }
        for name in engines
    }


def measure_parity(setup: Setup) -> dict[str, Any]:
    """The same queries through every engine, with and without filters."""
    sample = setup.sample
    vectors, queries = sample.vectors, sample.queries
    exact = ExactEngine(vectors, sample.metric)
    graph, _ = build_graph(parse_engine(setup.graph), vectors, sample.metric)
    distances = all_distances(queries, vectors, sample.metric)
    with tempfile.TemporaryDirectory(prefix="amgan-engines-") as folder:
        place = setup.milvus or f"milvus://{folder}/lite.db/parity"
        settings = parse_engine(place)
        rowset = Rowset(sample.items, sample.labels, vectors)
        took, (state, keys) = timed(
            Server(settings).create, "parity_benchmark", rowset, sample.schema, sample.metric
        )
        milvus = MilvusEngine(settings, vectors, sample.metric, sample.schema, state, keys)
        engines: dict[str, Engine] = {"exact": exact, setup.graph: graph, "milvus": milvus}
        result: dict[str, Any] = {
            "gallery": sample.name,
            "queries": len(queries),
            "milvus": "server" if setup.milvus else "Milvus Lite",
            "milvus_items_per_second": len(vectors) / took,
        }
        size = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())
        if not setup.milvus:
            result["milvus_lite_bytes_per_item"] = size / len(vectors)
        for label, filters in sample.filters.items():
            rows = kept_rows(sample, filters) if filters else None
            best = nearest(distances, rows)
            part = result[label] = {"kept": len(vectors) if rows is None else len(rows)}
            for name, engine in engines.items():
                took, found = timed(engine.search, queries, K, rows, filters or None)
                single = [
                    timed(engine.search, queries[at : at + 1], K, rows, filters or None)[0]
                    for at in range(min(len(queries), setup.repeats))
                ]
                part[name] = {
                    "identical_top_10": float(np.mean((found.rows == best).all(1))),
                    "recall_at_10": recall(best, found.rows),
                    "milliseconds_a_query_in_one_batch": 1000 * took / len(queries),
                    "milliseconds_one_query": 1000 * statistics.median(single),
                    "mode": found.mode,
                }
        Server(settings).client.drop_collection("parity_benchmark")
    return result


def kept_rows(sample: Sample, filters: dict[str, list[str]]) -> Rows:
    kept = np.ones(len(sample.labels), bool)
    for name, values in filters.items():
        codes = [sample.schema.value_position(name, value) for value in values]
        kept &= np.isin(sample.labels[:, sample.schema.attribute_position(name)], codes)
    return np.flatnonzero(kept)


def measure_sizes(setup: Setup) -> dict[str, Any]:
    """Bytes an item on disk (and in memory, once read), build speed and queries/s of one core."""
    clusters = setup.clusters
    vectors, _ = clusters.draw(setup.items, 2)
    queries, _ = clusters.draw(setup.queries, 3)
    result: dict[str, Any] = {"gallery": setup.gallery, "vectors_bytes": 4 * setup.dim}
    for kind in ("sq8", "hnsw", "hnsw_sq8"):
        engine, build_s = build_graph(parse_engine(f"faiss://{kind}"), vectors)
        with tempfile.TemporaryDirectory(prefix="amgan-engines-") as folder:
            save_index(engine._index, np.arange(setup.items), Path(folder))
            size = sum(path.stat().st_size for path in Path(folder).iterdir())
        seconds = [
            timed(engine.search, queries[at : at + 1], K)[0]
            for at in range(min(setup.queries, 4 * setup.repeats))
        ]
        result[kind] = {
            "bytes_per_item": size / setup.items,
            "build_items_per_second": setup.items / build_s,
            "queries_per_second": 1 / statistics.median(seconds),
            "mode": engine.search(queries[:1], K).mode,
        }
    return result


def build_graph(
    settings: EngineSettings, vectors: Vectors, metric: RankingMetric = "euclidean"
) -> tuple[IndexEngine, float]:
    """An engine with an index, and the seconds that its build took."""
    took, index = timed(build_index, settings, vectors, metric)
    return IndexEngine(settings, vectors, metric, index, np.arange(len(vectors))), took


def all_distances(queries: Vectors, vectors: Vectors, metric: RankingMetric) -> NDArray[np.float64]:
    """What orders items (Q, N), ascending, in float64: the brute force."""
    distances = np.empty((len(queries), len(vectors)))
    asked = queries.astype(np.float64)
    for start in range(0, len(vectors), BLOCK):
        part = vectors[start : start + BLOCK].astype(np.float64)
        products = asked @ part.T
        squares = (part * part).sum(1) if metric == "euclidean" else 0
        distances[:, start : start + BLOCK] = squares - (1 + (metric == "euclidean")) * products
    return distances


def nearest(distances: NDArray[np.float64], rows: Rows | None) -> Rows:
    """The best K of `rows` (Q, K)."""
    kept = distances if rows is None else distances[:, rows]
    best = np.argpartition(kept, K - 1, axis=1)[:, :K]
    order = np.argsort(np.take_along_axis(kept, best, 1), axis=1)
    best = np.take_along_axis(best, order, 1)
    return best if rows is None else rows[best]


def recall(best: Rows, found: Rows) -> float:
    pairs = zip(best.tolist(), found.tolist(), strict=True)
    return statistics.mean(len(set(a) & set(b)) / len(a) for a, b in pairs)


def timed_rows(engine: Engine, queries: Vectors) -> tuple[float, Rows]:
    took, found = timed(engine.search, queries, K)
    return took, found.rows


def timed(call: Callable[..., Any], *arguments: Any) -> tuple[float, Any]:
    start = time.perf_counter()
    answer = call(*arguments)
    return time.perf_counter() - start, answer


PARTS: dict[str, Callable[[Setup], dict[str, Any]]] = {
    "raw": measure_raw,
    "filters": measure_filters,
    "parity": measure_parity,
    "sizes": measure_sizes,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="all where none is named")
    parser.add_argument("--items", type=int, default=50_000)
    parser.add_argument("--dim", type=int, default=512)
    parser.add_argument("--latent", type=int, default=32, help="dimensions of the clusters")
    parser.add_argument("--cluster", type=int, default=250, help="items a cluster")
    parser.add_argument("--queries", type=int, default=1000, help="queries for recall")
    parser.add_argument("--repeats", type=int, default=100, help="timed calls of each kind")
    parser.add_argument("--milvus", default="", help="milvus://host:port/name, not Milvus Lite")
    parser.add_argument("--graph", default="faiss://hnsw_sq8", help="what auto takes by default")
    parser.add_argument("--gallery", type=Path, help="folder of `amgan index`, for real embeddings")
    parser.add_argument("--json", type=Path, help="write the figures here as well")
    given = parser.parse_args()
    shape = (given.items, given.dim, min(given.latent, given.dim), given.cluster)
    setup = Setup(*shape, given.queries, given.repeats, given.milvus, given.graph, given.gallery)
    figures: dict[str, Any] = {"machine": machine_description(), "commit": commit_id()}
    for part in given.parts or PARTS:
        figures[part] = PARTS[part](setup)
        print(json.dumps({part: figures[part]}, indent=2, default=float), flush=True)
    if given.json:
        given.json.write_text(json.dumps(figures, indent=2, default=float) + "\n")


if __name__ == "__main__":
    main()
