"""Searches a gallery's collection on a Milvus server."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from amgan.attributes import AttributeSchema
from amgan.gallery.engines.exact import EXACT_FLOATS, ExactEngine, rescore
from amgan.gallery.engines.milvus import (
    KEY,
    METRIC,
    CollectionState,
    Server,
    failing,
    filter_expression,
    row_lookup,
)
from amgan.gallery.engines.protocol import Filters, Neighbours, Rows, Vectors
from amgan.gallery.engines.settings import AUTO_GRAPH_FLOATS, EngineSettings
from amgan.methods.method import RankingMetric

_MOST_RESULTS, _WIDEST = 16_384, 32_768  # the server's limits
_QUERIES_AT_ONCE = 64
_SPARE = 8
# What a filter keeps is compared in the folder up to this many numbers: the exact answer in 2 to 3
# ms on one core, where a server's takes 4 with its journey and loses recall under a filter.
EXACT_KEPT_FLOATS = AUTO_GRAPH_FLOATS


class MilvusEngine:
    """Asks the server for candidates, whose scores are computed again from the folder's vectors.

    What the server cannot answer with certainty is searched in the folder: few kept rows, filters
    it does not know, more results than it gives.

    Args:
        settings: address and options.
        vectors: (N, D) float32.
        metric: how vectors are compared.
        schema: attributes of the labels.
        state, keys: what the version has on the server.
    """

    def __init__(
        self,
        settings: EngineSettings,
        vectors: Vectors,
        metric: RankingMetric,
        schema: AttributeSchema,
        state: CollectionState,
        keys: Rows,
    ) -> None:
        self.settings = settings
        self.vectors = vectors
        self.metric = metric
        self._schema = schema
        self._state = state
        self._keys = keys
        self._exact = ExactEngine(vectors, metric)
        self._server = Server(settings)
        self._server.check(state.collection)

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
        expression = ""
        if rows is not None and filters is not None:
            expression = filter_expression(filters, self._schema, self._state.fields) or ""
        answered = rows is None or expression
        few = EXACT_FLOATS if rows is None else EXACT_KEPT_FLOATS
        small = kept * self.vectors.shape[1] <= few or k * 20 >= kept
        limit = k + _SPARE + min(len(self._state.retired), k)
        if small or not answered or limit > _MOST_RESULTS or not len(queries):
            found = self._exact.search(queries, k, rows)
            mode = "exact" if rows is None else "exact, filtered"
            return Neighbours(found.scores, found.rows, mode)
        # Under a filter the server looks no further than without one, and loses recall: measured on
        # 20,000 vectors, 4 queries of 100 got another top 10 at the ef that was enough for all.
        ef = max(self.settings.options["ef_search"], limit)
        ef = min(_WIDEST, round(ef * len(self.vectors) / kept))
        candidates = self._ask(queries, limit, ef, expression)
        mode = f"milvus ef={ef}" + ("" if rows is None else ", filtered")
        answer = rescore(self.metric, queries, self.vectors, candidates, k, mode)
        missed = [place for place, found in enumerate(candidates) if len(found) < min(k, kept)]
        if missed:
            exact = self._exact.search(queries[missed], k, rows)
            answer.scores[missed], answer.rows[missed] = exact.scores, exact.rows
        return answer

    def _ask(self, queries: Vectors, limit: int, ef: int, expression: str) -> list[Rows]:
        """Rows of each query's candidates."""
        found: list[NDArray[np.int64]] = []
        collection = self._state.collection
        queries = self._state.form.queries(queries)
        with failing(f"collection {collection} cannot be searched"):
            for start in range(0, len(queries), _QUERIES_AT_ONCE):
                answers = self._server.client.search(
                    collection,
                    data=list(queries[start : start + _QUERIES_AT_ONCE]),
                    filter=expression,
                    limit=limit,
                    output_fields=[KEY],
                    search_params={"metric_type": METRIC, "params": {"ef": ef}},
                )
                found += [np.array([hit.id for hit in hits], np.int64) for hits in answers]
        rows = (row_lookup(self._keys, keys) for keys in found)
        return [known[known >= 0] for known in rows]
