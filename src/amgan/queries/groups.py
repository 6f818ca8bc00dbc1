"""Items grouped by equal labels, and how many attributes two label vectors differ in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from amgan.attributes import MISSING, Labels

# A comparison block of about this many pairs stays in a core's second-level cache.
BLOCK_PAIRS = 1 << 18


@dataclass(frozen=True)
class LabelGroups:
    """Rows of a catalogue, grouped by equal label vectors.

    Attributes:
        vectors: the G distinct label vectors in lexicographic order, (G, M).
        sizes: number of rows in each group, (G,).
        starts: first position of each group in `members`, (G,).
        members: catalogue rows, group after group, ascending within a group.
        label_type: the smallest integers that hold every label of the catalogue.
    """

    vectors: Labels
    sizes: NDArray[np.int64]
    starts: NDArray[np.int64]
    members: NDArray[np.int64]
    label_type: type[np.signedinteger]

    @classmethod
    def from_rows(cls, labels: Labels, rows: NDArray[np.int64]) -> LabelGroups:
        """Group `rows` (at least one) of a catalogue's `labels` (N, M)."""
        rows = np.sort(rows)
        vectors, group, sizes = np.unique(
            labels[rows], axis=0, return_inverse=True, return_counts=True
        )
        order = np.argsort(group.reshape(-1), kind="stable")
        label_type = np.int8 if labels.max() <= np.iinfo(np.int8).max else np.int16
        return cls(vectors, sizes, np.cumsum(sizes) - sizes, rows[order], label_type)

    def __len__(self) -> int:
        return len(self.sizes)

    def members_of(self, group: int) -> NDArray[np.int64]:
        """Catalogue rows of one group."""
        start = self.starts[group]
        return self.members[start : start + self.sizes[group]]

    def blocks(self, rows: int) -> Iterator[slice]:
        """Slices over `rows` label vectors, each a small block when compared with all groups."""
        step = max(1, BLOCK_PAIRS // max(1, len(self)))
        return (slice(start, start + step) for start in range(0, rows, step))

    def count_differences(self, labels: Labels) -> NDArray[np.unsignedinteger]:
        """Number of attributes in which `labels` (A, M) differ from each group: (A, G).

        Attributes that both miss do not differ.
        """
        shape = (len(labels), len(self))
        counts = np.zeros(shape, np.uint8 if labels.shape[1] < 256 else np.uint16)
        differs = np.empty(shape, np.bool_)
        for wanted, column in zip(labels.T.astype(self._columns.dtype), self._columns, strict=True):
            np.not_equal(wanted[:, None], column[None, :], out=differs)
            np.add(counts, differs.view(np.uint8), out=counts)
        return counts

    def find_removals(self, labels: Labels) -> NDArray[np.bool_]:
        """Where a group misses a value that `labels` (A, M) have: (A, G)."""
        removed = np.zeros((len(labels), len(self)), np.bool_)
        for position, missing in self._missing:
            for row in np.flatnonzero(labels[:, position] != MISSING):
                np.logical_or(removed[row], missing, out=removed[row])
        return removed

    @cached_property
    def _columns(self) -> NDArray[np.signedinteger]:
        """The vectors as (M, G), contiguous."""
        return np.ascontiguousarray(self.vectors.T, self.label_type)

    @cached_property
    def _missing(self) -> list[tuple[int, NDArray[np.bool_]]]:
        """Position of each attribute that some group misses, and which groups miss it."""
        missing = np.ascontiguousarray(self.vectors.T == MISSING)
        return [(position, column) for position, column in enumerate(missing) if column.any()]
