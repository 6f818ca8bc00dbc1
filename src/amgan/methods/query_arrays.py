"""Queries as arrays, one row each: what a search asks of a model."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amgan.attributes import MISSING, Indicator, Labels
from amgan.images import Pixels

# Pictures (N, H, W, 3) uint8, or features (N, F) that a method takes in their place.
PictureArray = Pixels | NDArray[np.floating[Any]]


@dataclass(frozen=True, eq=False)
class QueryArrays:
    """Q queries.

    `SearchService` turns a `SearchQuery` into one row; evaluation makes many rows of triplets. A
    further kind of wish is a further field here: an array with a row per query, or None for none,
    whose neutral form `filled` tells. Slicing, and joining the queries of several callers, then
    work as they do for the others.

    Attributes:
        pixels: references (Q, H, W, 3) uint8, or their features (Q, F).
        indicator: wanted values (Q, J) in {0, 1}.
        labels: the references' labels (Q, M), -1 where not known; None where none is known. A fused
            ranking takes them for certain, and what the classifiers see where they are missing.
        importance: what each attribute's weight in a fused ranking is multiplied with, (Q, M)
            float32; None counts all alike.
    """

    pixels: PictureArray
    indicator: Indicator
    labels: Labels | None = None
    importance: NDArray[np.float32] | None = None

    def __len__(self) -> int:
        return len(self.pixels)

    def __getitem__(self, part: slice) -> QueryArrays:
        rows = {field.name: getattr(self, field.name) for field in fields(self)}
        chosen: Any = {name: None if some is None else some[part] for name, some in rows.items()}
        return QueryArrays(**chosen)

    def filled(self, num_attributes: int) -> tuple[NDArray[Any], ...]:
        """All fields in order, those that are None as arrays that say nothing.

        Args:
            num_attributes: M.
        """
        shape = (len(self), num_attributes)
        labels, importance = self.labels, self.importance
        return (
            self.pixels,
            self.indicator,
            np.full(shape, MISSING, np.int16) if labels is None else labels,
            np.ones(shape, np.float32) if importance is None else importance,
        )
