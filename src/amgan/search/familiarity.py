"""Whether a picture shows anything like what a gallery holds.

A classifier must choose among the values it knows, so it is certain of a landscape too. What tells
a landscape apart is that no item looks like it: it lies farther from its nearest item than items
lie from each other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
LEAST_ITEMS = 50  # with fewer, their distances say little of what else there may be
STRANGE = 0.01  # share of the gallery's own items that lie as far, below which nothing is alike
_COMPARED = 4096
_MEASURED = 1000


@dataclass(frozen=True, eq=False)
class Familiarity:
    """Distances among a gallery's own items, to judge other pictures by.

    A distance is 1 - cosine to the nearest of the items compared.

    Attributes:
        items: vectors of at most some thousand items, drawn evenly, of length 1, (C, A).
        distances: of other items, or of these to each other, ascending, (S,).
    """

    items: Vectors
    distances: NDArray[np.float32]

    @classmethod
    def among(cls, vectors: Vectors, seed: int = 0) -> Familiarity | None:
        """Learn the distances among items.

        Args:
            vectors: how N items look, (N, A), of any length but 0.
            seed: of the draw.

        Returns:
            None for fewer than `LEAST_ITEMS` items.
        """
        if len(vectors) < LEAST_ITEMS:
            return None
        order = np.random.default_rng(seed).permutation(len(vectors))
        compared = order[:_COMPARED]
        items = _of_length_one(np.asarray(vectors[np.sort(compared)]))
        others = order[_COMPARED : _COMPARED + _MEASURED]
        if len(others) < _MEASURED:  # each compared item to the others of them
            products = items[:_MEASURED] @ items.T
            np.fill_diagonal(products, -np.inf)
        else:
            products = _of_length_one(np.asarray(vectors[np.sort(others)])) @ items.T
        return cls(items, np.sort(1 - products.max(1)).astype(np.float32))

    def distance(self, vector: Vectors) -> float:
        """How far the nearest item lies from a vector (A,)."""
        return float(1 - (_of_length_one(vector[None]) @ self.items.T).max())

    def knows(self, vector: Vectors) -> bool:
        """Whether a vector (A,) lies among the gallery's items, or about as near as they do.

        One in a hundred of their own kind does not.
        """
        return self.share_as_far(vector) >= STRANGE

    def share_as_far(self, vector: Vectors) -> float:
        """Share of the gallery's own items that lie as far from their nearest, or farther."""
        below = int(np.searchsorted(self.distances, self.distance(vector), "left"))
        return 1 - below / len(self.distances)


def _of_length_one(vectors: Vectors) -> Vectors:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    scaled: Vectors = (vectors / np.where(lengths > 0, lengths, 1)).astype(np.float32)
    return scaled
