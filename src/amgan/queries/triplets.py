"""Triplets (x, h, y): a reference, the wanted changes, and a target that shows them (Section 4.1).

A target y is eligible for a reference x when both lie in the same split, y differs from x in a
number of attributes within the asked range, and no value of x is missing in y: a change can add
or replace a value, never remove one. Attributes that both miss match.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amgan.attributes import Indicator
from amgan.catalogue.records import Catalogue
from amgan.errors import InputError
from amgan.queries.groups import LabelGroups


@dataclass(frozen=True)
class Triplets:
    """T triplets over one catalogue.

    Attributes:
        reference: catalogue rows of x, (T,).
        target: catalogue rows of y, (T,).
        splits: split of each triplet, T names.
        seed: seed of the draw.
        catalogue_digest: `Catalogue.digest` of the catalogue that the rows count in.
        skipped: number of items for which no target was eligible.
        settings: the other settings of the draw, as plain data.
    """

    reference: NDArray[np.int64]
    target: NDArray[np.int64]
    splits: tuple[str, ...]
    seed: int
    catalogue_digest: str
    skipped: int = 0
    settings: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        assert self.reference.shape == self.target.shape == (len(self.splits),)

    def __len__(self) -> int:
        return len(self.reference)

    @property
    def digest(self) -> str:
        """SHA-256 over the catalogue and all rows: equal exactly when the queries are equal."""
        digest = hashlib.sha256(self.catalogue_digest.encode())
        digest.update("\0".join(self.splits).encode())
        for rows in (self.reference, self.target):
            digest.update(rows.astype("<i8").tobytes())
        return digest.hexdigest()

    def select(self, chosen: NDArray[Any]) -> Triplets:
        """The triplets at `chosen`, which is a mask (T,) or positions."""
        positions = np.arange(len(self))[chosen]
        return Triplets(
            self.reference[positions],
            self.target[positions],
            tuple(self.splits[position] for position in positions),
            self.seed,
            self.catalogue_digest,
            self.skipped,
            self.settings,
        )

    def in_split(self, split: str) -> Triplets:
        """The triplets of one split, in order."""
        return self.select(np.array([name == split for name in self.splits], np.bool_))

    def changed(self, catalogue: Catalogue) -> NDArray[np.bool_]:
        """Which attributes each triplet changes, (T, M)."""
        return np.asarray(catalogue.labels[self.reference] != catalogue.labels[self.target])

    def num_changes(self, catalogue: Catalogue) -> NDArray[np.int64]:
        """Number of attributes that each triplet changes, (T,)."""
        return np.asarray(self.changed(catalogue).sum(axis=1), np.int64)

    def indicator(self, catalogue: Catalogue) -> Indicator:
        """Indicator h of each triplet, (T, J)."""
        labels = catalogue.labels
        return catalogue.schema.indicator(labels[self.reference], labels[self.target])


def sample_triplets(
    catalogue: Catalogue,
    *,
    seed: int = 0,
    changes: tuple[int, int] = (1, 2),
    per_item: Mapping[str, int] | int = 1,
    balance_changes: bool = False,
) -> Triplets:
    """Draw targets for every item of the catalogue that has a split.

    The targets of one item differ from each other. Every item reads its own random numbers, so a
    draw depends on nothing but the seed and the catalogue; the first target of an item is the same
    whatever `per_item` is.

    Args:
        catalogue: items with splits; items without one take no part.
        seed: any non-negative integer.
        changes: smallest and largest number of changed attributes; the largest is cut to M.
        per_item: targets an item, or such numbers by split (1 for a split that is not named).
        balance_changes: draw the number of changes first, uniformly among the numbers for which
            the item has a target, instead of uniformly among all eligible targets.

    Raises:
        ValueError: no item has a split, or a setting is out of range.
    """
    low, high = _check_changes(changes, catalogue.schema.num_attributes)
    numbers = _targets_per_split(catalogue, per_item)
    words = _random_words(seed, max(numbers.values()), len(catalogue))
    references: list[int] = []
    targets: list[int] = []
    skipped = 0
    for split, number in numbers.items():
        if number:
            draw = _Draw(number, low, high, balance_changes, words)
            groups = LabelGroups.from_rows(catalogue.labels, catalogue.rows_in_split(split))
            skipped += _draw_split(groups, draw, references, targets)
    order = np.argsort(np.array(references, np.int64), kind="stable")
    reference = np.array(references, np.int64)[order]
    settings = {
        "changes": [low, high],
        "per_item": dict(sorted(numbers.items())),
        "balance_changes": balance_changes,
    }
    return Triplets(
        reference,
        np.array(targets, np.int64)[order],
        tuple(str(catalogue.splits[row]) for row in reference),
        seed,
        catalogue.digest,
        skipped,
        settings,
    )


@dataclass(frozen=True)
class _Draw:
    number: int
    low: int
    high: int
    balance_changes: bool
    words: NDArray[np.uint64]


def _draw_split(groups: LabelGroups, draw: _Draw, references: list[int], targets: list[int]) -> int:
    """Append the draws of one split; returns how many items had no eligible target."""
    skipped = 0
    for block in groups.blocks(len(groups)):
        vectors = groups.vectors[block]
        counts = groups.count_differences(vectors)
        eligible = (counts >= draw.low) & (counts <= draw.high)
        eligible &= ~groups.find_removals(vectors)
        for position in range(len(vectors)):
            found = np.flatnonzero(eligible[position])
            members = groups.members_of(block.start + position)
            if not len(found):
                skipped += len(members)
                continue
            classes = [found]
            if draw.balance_changes:
                numbers = counts[position][found]
                classes = [found[numbers == number] for number in np.unique(numbers)]
            for row, target in _draw_members(groups, members, classes, draw):
                references.append(row)
                targets.append(target)
    return skipped


def _draw_members(
    groups: LabelGroups,
    members: NDArray[np.int64],
    classes: Sequence[NDArray[np.int64]],
    draw: _Draw,
) -> list[tuple[int, int]]:
    """(reference, target) rows for references that share labels and thus eligible groups."""
    ends = [np.cumsum(groups.sizes[found]) for found in classes]
    totals = [int(end[-1]) for end in ends]
    drawn = []
    for row in members.tolist():
        for chosen, rank in _draw_ranks(totals, draw.number, draw.words[row].tolist()):
            place = int(np.searchsorted(ends[chosen], rank, side="right"))
            group = classes[chosen][place]
            position = groups.starts[group] + groups.sizes[group] - (ends[chosen][place] - rank)
            drawn.append((row, int(groups.members[position])))
    return drawn


def _draw_ranks(
    totals: Sequence[int], number: int, words: Sequence[Sequence[int]]
) -> list[tuple[int, int]]:
    """Up to `number` different (class, rank), the class drawn uniformly, then the rank.

    A 64-bit word w picks one of n as floor(w n / 2**64): exact integers, the same everywhere.
    """
    taken: list[list[int]] = [[] for _ in totals]
    drawn = []
    for class_word, rank_word in words[: min(number, sum(totals))]:
        left = [i for i, total in enumerate(totals) if total > len(taken[i])]
        chosen = left[class_word * len(left) >> 64]
        rank = rank_word * (totals[chosen] - len(taken[chosen])) >> 64
        for earlier in sorted(taken[chosen]):
            rank += rank >= earlier
        taken[chosen].append(rank)
        drawn.append((chosen, rank))
    return drawn


def _random_words(seed: int, draws: int, items: int) -> NDArray[np.uint64]:
    """Two words for each draw of each item, (N, draws, 2); raw words never change with NumPy."""
    streams = [
        np.random.PCG64(np.random.SeedSequence(seed, spawn_key=(draw,))).random_raw(2 * items)
        for draw in range(draws)
    ]
    return np.array(streams, np.uint64).reshape(draws, items, 2).swapaxes(0, 1)


def _check_changes(changes: tuple[int, int], num_attributes: int) -> tuple[int, int]:
    low, high = changes
    if not 1 <= low <= high:
        raise InputError(f"changes {low} to {high}: write 1 <= smallest <= largest")
    if low > num_attributes:
        raise InputError(f"changes from {low}: the catalogue has {num_attributes} attributes")
    return low, min(high, num_attributes)


def _targets_per_split(catalogue: Catalogue, per_item: Mapping[str, int] | int) -> dict[str, int]:
    """Number of targets an item for each split of the catalogue, in order of appearance."""
    splits = [split for split in dict.fromkeys(catalogue.splits) if split is not None]
    if not splits:
        raise InputError(
            f"catalogue {catalogue.name!r} has no splits; name a split column or assign splits"
        )
    by_split = per_item if isinstance(per_item, Mapping) else dict.fromkeys(splits, per_item)
    for split, number in by_split.items():
        if split not in splits:
            raise InputError(
                f"per_item names split {split!r}; the catalogue has {', '.join(splits)}"
            )
        if number < 0:
            raise InputError(f"per_item is {number} for split {split!r}; it cannot be negative")
    return {split: int(by_split.get(split, 1)) for split in splits}
