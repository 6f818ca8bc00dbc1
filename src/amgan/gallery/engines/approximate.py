"""FAISS indexes on disk: a graph for large galleries, and vectors in 8 bits a number.

The index proposes candidates; their scores are computed again from the full vectors, so a score is
the same as in an exact search, and compression costs no order among the candidates.

The index may hold entries that no gallery row stands for any more: an update appends to the index
of the version before it and leaves removed items in. `nodes` says which row an entry is.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from amgan.gallery.engines.euclidean import EuclideanForm
from amgan.gallery.engines.exact import EXACT_FLOATS, THREADS, ExactEngine, rescore
from amgan.gallery.engines.protocol import Filters, Neighbours, Rows, Vectors
from amgan.gallery.engines.settings import EngineSettings
from amgan.gallery.versions import GalleryError, load_array
from amgan.methods.method import RankingMetric
from amgan.progress import Progress, quiet

INDEX_FILE = "index.faiss"
NODES_FILE = "nodes.npy"
STALE_SHARE = 0.2  # an index with more removed or added entries than this is built anew

_faiss: Any = faiss
_TRAINING_VECTORS = 100_000
_ADDED_AT_ONCE = 4096
_SPARE = {"sq8": 2.0, "hnsw": 1.0, "hnsw_sq8": 2.0}  # candidates a result
_SPARE_AT_LEAST = 8
# A filter that keeps less than 1/8 of the items is searched exactly. The graph is not much faster
# there, and misses neighbours where what is kept lies far from the query (.96 of them found with a
# tenth of 200,000 kept).
_WIDEST = 8
_EXPECTED = 0.5  # least share of the kept items that a walk finds where a filter keeps at random


class IndexEngine:
    """Searches through a FAISS index over the gallery's vectors.

    Args:
        settings: kind and options.
        vectors: (N, D) float32.
        metric: how vectors are compared.
        index: FAISS index of at least N entries.
        nodes: gallery row of each entry, -1 where it is no longer in the gallery.
    """

    def __init__(
        self,
        settings: EngineSettings,
        vectors: Vectors,
        metric: RankingMetric,
        index: Any,
        nodes: Rows,
    ) -> None:
        assert index.ntotal == len(nodes)
        self.settings = settings
        self.vectors = vectors
        self.metric = metric
        self._index = index
        self._nodes = np.ascontiguousarray(nodes, np.int64)
        self._whole = bool(np.array_equal(self._nodes, np.arange(len(vectors))))
        self._exact = ExactEngine(vectors, metric)

    @property
    def name(self) -> str:
        """The setting in full."""
        return self.settings.url

    def search(
        self, queries: Vectors, k: int, rows: Rows | None = None, filters: Filters | None = None
    ) -> Neighbours:
        """Best k of each query; see `Engine.search`."""
        queries = np.ascontiguousarray(queries, np.float32)
        kept = len(self.vectors) if rows is None else len(rows)
        if self._exact_is_faster(kept, k):
            found = self._exact.search(queries, k, rows)
            mode = "exact" if rows is None else "exact, filtered"
            return Neighbours(found.scores, found.rows, mode)
        if self.settings.kind == "sq8":
            return self._scan(queries, k, rows)
        return self._walk(queries, k, rows)

    def _exact_is_faster(self, kept: int, k: int) -> bool:
        size, dim = self.vectors.shape
        if kept * dim <= EXACT_FLOATS or k * 20 >= kept:
            return True
        return self.settings.kind != "sq8" and kept * _WIDEST < size

    def _scan(self, queries: Vectors, k: int, rows: Rows | None) -> Neighbours:
        """Compare all kept entries in 8 bits."""
        wanted = min(self._candidates(k), len(self.vectors) if rows is None else len(rows))
        if rows is None and self._whole:
            parameters = None
        else:
            chosen = np.flatnonzero(self._is_kept(rows))
            selector = _faiss.IDSelectorArray(chosen)
            if len(chosen) * 4 > len(self._nodes):
                bits = np.packbits(self._is_kept(rows), bitorder="little")
                selector = _faiss.IDSelectorBitmap(bits)
            parameters = _faiss.SearchParameters(sel=selector)
        _faiss.omp_set_num_threads(1 if len(queries) == 1 else THREADS)
        _, entries = self._index.search(queries, wanted, params=parameters)
        filtered = "" if rows is None else ", filtered"
        candidates = [self._nodes[found[found >= 0]] for found in entries]
        return rescore(self.metric, queries, self.vectors, candidates, k, "sq8" + filtered)

    def _walk(self, queries: Vectors, k: int, rows: Rows | None) -> Neighbours:
        """Walk the graph as if there were no filter, widely enough to find k kept rows.

        Among the nearest of all items the kept ones are the nearest kept ones. Where far fewer of
        them are found than the filter keeps on average, what it keeps lies away from the query,
        where the walk ended: then the kept rows are searched exactly, so a filter costs no recall.
        """
        kept = None if rows is None and self._whole else self._is_kept(rows)
        share = 1.0 if kept is None else float(kept.mean())
        wanted = self._candidates(k)
        breadth = max(self.settings.options["ef_search"], wanted)
        ef = min(len(self._nodes), round(breadth / share))
        _, entries = self._search_graph(queries, wanted if kept is None else ef, ef)
        enough = min(k, len(self.vectors))
        if kept is not None:
            enough = max(enough, round(_EXPECTED * breadth))
        found: list[Rows] = []
        missed = []
        for position, query_entries in enumerate(entries):
            query_entries = query_entries[query_entries >= 0]
            if kept is not None:
                query_entries = query_entries[kept[query_entries]]
            found.append(self._nodes[query_entries[:wanted]])
            if len(query_entries) < enough:
                missed.append(position)
        mode = f"{self.settings.kind} ef={ef}" + ("" if rows is None else ", filtered")
        answer = rescore(self.metric, queries, self.vectors, found, k, mode)
        if missed:
            exact = self._exact.search(queries[missed], k, rows)
            answer.scores[missed], answer.rows[missed] = exact.scores, exact.rows
            if len(missed) == len(queries):
                return Neighbours(answer.scores, answer.rows, "exact, filtered")
        return answer

    def _search_graph(self, queries: Vectors, k: int, ef: int) -> tuple[Vectors, Rows]:
        _faiss.omp_set_num_threads(1 if len(queries) == 1 else THREADS)
        parameters = _faiss.SearchParametersHNSW(efSearch=max(ef, k))
        asked = EuclideanForm(self.metric).queries(queries)
        scores, entries = self._index.search(asked, k, params=parameters)
        return scores, entries

    def _candidates(self, k: int) -> int:
        return max(k + _SPARE_AT_LEAST, round(k * _SPARE[self.settings.kind]))

    def _is_kept(self, rows: Rows | None) -> NDArray[np.bool_]:
        """Which entries stand for one of `rows`."""
        if rows is None:
            return self._nodes >= 0
        mask = np.zeros(len(self.vectors) + 1, bool)  # the last element answers for -1
        mask[rows] = True
        kept: NDArray[np.bool_] = mask[self._nodes]
        return kept


def build_index(
    settings: EngineSettings,
    vectors: Vectors,
    metric: RankingMetric,
    progress: Progress = quiet,
) -> Any:
    """FAISS index over all vectors, in their order; a graph is Euclidean for every metric."""
    form = EuclideanForm.of(vectors, metric) if settings.is_graph else EuclideanForm("euclidean")
    index = _empty_index(settings, form.dim(vectors.shape[1]), metric)
    _faiss.omp_set_num_threads(THREADS)
    if not index.is_trained:
        step = max(1, len(vectors) // _TRAINING_VECTORS)
        index.train(form.items(vectors[::step]))
    _append(index, vectors, form, progress)
    return index


def append_to_graph(
    index: Any, vectors: Vectors, metric: RankingMetric, progress: Progress = quiet
) -> None:
    """Add vectors behind those that a graph holds."""
    # In the graph every entry has the square that its form was made with.
    known = index.reconstruct_n(0, 1) if index.ntotal else vectors
    _append(index, vectors, EuclideanForm.of(known, metric), progress)


def _append(index: Any, vectors: Vectors, form: EuclideanForm, progress: Progress) -> None:
    _faiss.omp_set_num_threads(THREADS)
    starts = range(0, len(vectors), _ADDED_AT_ONCE)
    for start in progress(starts, "Build index", len(starts)):
        index.add(form.items(vectors[start : start + _ADDED_AT_ONCE]))


def save_index(index: Any, nodes: Rows, folder: Path) -> None:
    """Write an index and the rows of its entries.

    Raises:
        OSError: the disk is full or refuses.
    """
    np.save(folder / NODES_FILE, nodes)
    try:
        _faiss.write_index(index, os.fspath(folder / INDEX_FILE))
    except RuntimeError as error:
        raise OSError(None, str(error).splitlines()[-1], os.fspath(folder / INDEX_FILE)) from None


def load_index(folder: Path, mapped: bool = True) -> tuple[Any, Rows]:
    """Index and rows of its entries; mapped into memory where this FAISS can.

    Raises:
        GalleryError: damaged.
        FileNotFoundError: a file is missing.
    """
    nodes: Rows = load_array(folder / NODES_FILE)
    file = os.fspath(folder / INDEX_FILE)
    if not Path(file).is_file():
        raise FileNotFoundError(None, "no such file", file)
    try:
        if mapped and hasattr(faiss, "IO_FLAG_MMAP_IFC"):
            index = _faiss.read_index(file, _faiss.IO_FLAG_MMAP_IFC)
        else:
            index = _faiss.read_index(file)
    except RuntimeError as error:
        raise GalleryError(f"{file}: damaged ({str(error).splitlines()[-1]})") from None
    if nodes.shape != (index.ntotal,) or nodes.dtype.kind != "i":
        raise GalleryError(
            f"{folder / NODES_FILE}: damaged ({nodes.shape} {nodes.dtype} for {index.ntotal:,} "
            "entries of the index); write the gallery again"
        )
    return index, nodes


def _empty_index(settings: EngineSettings, dim: int, metric: RankingMetric) -> Any:
    eight_bits = _faiss.ScalarQuantizer.QT_8bit
    if settings.kind == "sq8":
        euclidean = metric == "euclidean"
        scan_metric = _faiss.METRIC_L2 if euclidean else _faiss.METRIC_INNER_PRODUCT
        return _faiss.IndexScalarQuantizer(dim, eight_bits, scan_metric)
    if settings.kind == "hnsw":
        index = _faiss.IndexHNSWFlat(dim, settings.options["m"], _faiss.METRIC_L2)
    else:
        index = _faiss.IndexHNSWSQ(dim, eight_bits, settings.options["m"], _faiss.METRIC_L2)
    index.hnsw.efConstruction = settings.options["ef_construction"]
    return index
