"""Inner products as Euclidean distances, which a graph of neighbours needs.

A walk finds its way where neighbours of neighbours are near. Inner products do not have that: the
largest vectors are everybody's neighbours. With every |y| at most c,

    |(q, 0) - (y, sqrt(c^2 - |y|^2))|^2  =  |q|^2 + c^2 - 2 <q, y>

so that one more number a vector gives the order of inner products to Euclidean distances
(Bachrach et al., RecSys 2014, theorem 1).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from amgan.gallery.engines.exact import largest_square
from amgan.gallery.engines.protocol import Vectors
from amgan.methods.method import RankingMetric


@dataclass(frozen=True)
class EuclideanForm:
    """How vectors of a metric are written for a Euclidean index.

    Attributes:
        metric: how the vectors are compared; Euclidean ones stay as they are.
        square: c^2. An item beyond it, added later, has 0 for the further number and is proposed
            somewhat too late; its score is not affected.
    """

    metric: RankingMetric
    square: float = 0.0

    @classmethod
    def of(cls, vectors: Vectors, metric: RankingMetric) -> EuclideanForm:
        """The form for these vectors (N, D)."""
        return cls(metric, 0.0 if metric == "euclidean" else largest_square(vectors))

    def dim(self, dim: int) -> int:
        """Length of what `dim` numbers become."""
        return dim + (self.metric != "euclidean")

    def items(self, vectors: Vectors) -> Vectors:
        """Gallery vectors (n, D) as (n, `dim`(D))."""
        if self.metric == "euclidean":
            return np.ascontiguousarray(vectors)
        left = self.square - np.einsum("nd,nd->n", vectors, vectors)
        return np.column_stack([vectors, np.sqrt(left.clip(min=0)).astype(np.float32)])

    def queries(self, queries: Vectors) -> Vectors:
        """Queries (q, D) as (q, `dim`(D))."""
        if self.metric == "euclidean":
            return queries
        return np.column_stack([queries, np.zeros(len(queries), np.float32)])
