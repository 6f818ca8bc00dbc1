"""Positives y+: items that share all labels with a target (Section 3.3)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from amgan.attributes import Labels
from amgan.errors import InputError
from amgan.queries.groups import LabelGroups


class PositiveSampler:
    """Draws y+ for targets from a pool of items.

    y+ carries all labels of y (missing matches missing) and is not y itself. Where the pool holds
    no other such item, y+ is drawn from the items nearest by labels: those that differ from y in
    the fewest attributes.

    Attributes:
        drawn_count: number of positives drawn so far.
        nearest_count: how many of them came from the nearest items instead of equal ones.
    """

    def __init__(self, labels: Labels, rows: NDArray[np.int64]) -> None:
        """Prepare the pool.

        Args:
            labels: labels of the whole catalogue, (N, M).
            rows: catalogue rows of the pool.

        Raises:
            ValueError: a pool of fewer than two items.
        """
        if len(rows) < 2:
            raise InputError(f"a positive needs at least two items to draw from, not {len(rows)}")
        self._labels = np.ascontiguousarray(labels)
        self._groups = LabelGroups.from_rows(self._labels, rows)
        self._group_of = {vector.tobytes(): g for g, vector in enumerate(self._groups.vectors)}
        self._position = np.full(len(labels), -1, np.int64)
        within = np.arange(len(self._groups.members))
        within -= np.repeat(self._groups.starts, self._groups.sizes)
        self._position[self._groups.members] = within
        self._nearest: dict[bytes, NDArray[np.int64]] = {}
        self.drawn_count = 0
        self.nearest_count = 0

    def positive(
        self, target_rows: NDArray[np.int64], rng: np.random.Generator
    ) -> NDArray[np.int64]:
        """One positive for each target, (B,); targets need not be in the pool."""
        positives = np.empty(len(target_rows), np.int64)
        draws = rng.random(len(target_rows))
        lonely = []
        for i, row in enumerate(target_rows.tolist()):
            group = self._group_of.get(self._labels[row].tobytes())
            own = int(self._position[row])
            others = 0 if group is None else int(self._groups.sizes[group]) - (own >= 0)
            if group is None or others == 0:
                lonely.append(i)
                continue
            chosen = int(draws[i] * others)
            chosen += 0 <= own <= chosen
            positives[i] = self._groups.members[self._groups.starts[group] + chosen]
        self._remember_nearest(target_rows[lonely])
        for i in lonely:
            near = self._nearest[self._labels[target_rows[i]].tobytes()]
            positives[i] = near[int(draws[i] * len(near))]
        self.drawn_count += len(target_rows)
        self.nearest_count += len(lonely)
        return positives

    def _remember_nearest(self, rows: NDArray[np.int64]) -> None:
        """Find the pool items nearest to each label vector that is not known yet."""
        vectors = {self._labels[row].tobytes(): self._labels[row] for row in rows}
        new = [key for key in vectors if key not in self._nearest]
        if not new:
            return
        stacked = np.stack([vectors[key] for key in new])
        for block in self._groups.blocks(len(new)):
            counts = self._groups.count_differences(stacked[block])
            # Distance 0 is the target itself: no other item carries the same labels.
            counts[counts == 0] = np.iinfo(counts.dtype).max
            nearest = counts == counts.min(axis=1, keepdims=True)
            for key, found in zip(new[block], nearest, strict=True):
                members = [self._groups.members_of(g) for g in np.flatnonzero(found).tolist()]
                self._nearest[key] = np.concatenate(members)
