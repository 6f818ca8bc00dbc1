"""Nearest-neighbour engines: query vectors in, gallery rows out."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
Rows = NDArray[np.int64]
Filters = Mapping[str, Collection[str]]

NO_ROW = -1


@dataclass(frozen=True)
class Neighbours:
    """The best k gallery rows of each query.

    Attributes:
        scores: (Q, k); Euclidean distances, ascending, or inner products, descending.
        rows: (Q, k) gallery rows; equal scores are ordered by row. Where the gallery holds fewer
            than k, the rest is -1 with a score of plus or minus infinity.
        mode: how the engine searched, such as "exact".
    """

    scores: Vectors
    rows: Rows
    mode: str


class Engine(Protocol):
    """Searches one gallery's vectors."""

    @property
    def name(self) -> str:
        """How a user chooses it, such as ``faiss://exact``."""

    def search(
        self, queries: Vectors, k: int, rows: Rows | None = None, filters: Filters | None = None
    ) -> Neighbours:
        """Best k of each query.

        Args:
            queries: (Q, D) float32.
            k: results a query, at least 1.
            rows: search only these gallery rows, ascending and unique; None for all.
            filters: what keeps exactly `rows`; an engine that knows the items' values may apply
                it instead.
        """


def places_kept(rows: Rows, excluded: Rows, k: int) -> NDArray[np.int64]:
    """Places (Q, k) of the first k found rows (Q, k + E) that are not excluded (Q, E)."""
    left_out = ((rows[:, :, None] == excluded[:, None]) & (rows != NO_ROW)[:, :, None]).any(2)
    return np.argsort(left_out, axis=1, kind="stable")[:, :k]
