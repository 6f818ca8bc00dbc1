"""Queries that show whether a ranking looks at the picture, drawn from a catalogue's labels.

Triplets ask for labels, so that a ranking can do well on them and ignore what the labels do not
name. These queries ask for the picture: the same product in another value, the item itself, and the
same change of two references that only their pictures tell apart. Everything drawn is a function of
the labels and the seed.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageEnhance

from amgan.attributes import MISSING, AttributeSchema, Indicator, Labels
from amgan.queries.groups import LabelGroups

Rows = NDArray[np.int64]
OVERLAP_DEPTH = 12
# Below twice the depth two lists would have to share items, whatever ranked them.
LEAST_ITEMS = 2 * OVERLAP_DEPTH
_CROP = (0.03, 0.06)  # of width or height, a side
_BRIGHTNESS = 0.15
_JPEG_QUALITY = 60
_VARIANTS, _OWN, _PAIRS = range(3)  # streams of random numbers


@dataclass(frozen=True, eq=False)
class Draw:
    """Q queries that change at most one attribute each.

    Attributes:
        reference: catalogue rows, (Q,).
        attribute: position of the attribute that changes, -1 for none, (Q,).
        value: position of the wanted value within it, (Q,).
        available: how many there would be without a limit; see each draw.
    """

    reference: Rows
    attribute: Rows
    value: Rows
    available: int

    def __len__(self) -> int:
        return len(self.reference)

    def indicator(self, schema: AttributeSchema) -> Indicator:
        """Wanted values, (Q, J)."""
        wanted = np.full((len(self), schema.num_attributes), MISSING, np.int16)
        asked = np.flatnonzero(self.attribute >= 0)
        wanted[asked, self.attribute[asked]] = self.value[asked]
        return schema.one_hot(wanted) if len(self) else np.empty((0, schema.num_values), np.float32)


def draw_variants(
    labels: Labels, products: Sequence[str | None], rows: Rows, *, limit: int, seed: int
) -> Draw:
    """Ordered pairs of one product whose labels differ in exactly one attribute.

    From the first of a pair the value of the second is asked for. Missing labels are equal to each
    other only, and a missing one cannot be asked for. Past the limit, whole products are drawn
    at random until it is reached, so that the mean over products is that of a random sample of
    them; of the last product only a part may be drawn.

    Args:
        labels: of the catalogue, (N, M).
        products: of the catalogue, N; None where not known.
        rows: from which both items of a pair come.
        limit: pairs at most.
        seed: of the draw.

    Returns:
        The pairs; `available` is the number of all.
    """
    rng = np.random.default_rng((seed, _VARIANTS))
    known = np.array([row for row in rows.tolist() if products[row] is not None], np.int64)
    if not len(known):
        return _empty()
    _, codes = np.unique([str(products[row]) for row in known.tolist()], return_inverse=True)
    chosen = labels[known].astype(np.int64)
    groups = [_Siblings(codes, chosen, position) for position in range(labels.shape[1])]
    counts = np.stack([group.counts for group in groups], 1)
    shuffled = rng.permutation(codes.max() + 1)[codes]
    order = np.lexsort((rng.permutation(len(known)), shuffled))
    reached = np.cumsum(counts.sum(1)[order])
    last = int(np.searchsorted(reached, min(limit, reached[-1]))) if reached[-1] else -1
    pairs = [
        (place, position, value)
        for place in order[: last + 1].tolist()
        for position in np.flatnonzero(counts[place]).tolist()
        for value in rng.permutation(groups[position].values_of(place)).tolist()
    ]
    drawn = np.array(pairs[:limit], np.int64).reshape(-1, 3)
    return Draw(known[drawn[:, 0]], drawn[:, 1], drawn[:, 2], int(counts.sum()))


def draw_own(rows: Rows, *, limit: int, seed: int) -> Draw:
    """Items to be found by their own pictures, nothing asked; `available` counts all."""
    rng = np.random.default_rng((seed, _OWN))
    chosen = np.sort(rng.choice(rows, min(limit, len(rows)), replace=False))
    return Draw(chosen, np.full(len(chosen), MISSING), np.full(len(chosen), MISSING), len(rows))


def draw_equal_pairs(labels: Labels, rows: Rows, *, limit: int, seed: int) -> Draw:
    """Pairs of references with equal labels that are asked for the same change.

    The first of a pair is any item that has another with equal labels, drawn without replacement;
    the second one of those others. Of the attributes in which something else can be asked for, one
    is drawn evenly; of its values, one by how often it occurs. Only values that `LEAST_ITEMS` items
    or more have are asked for: with fewer, any two good lists share items.

    Args:
        labels: of the catalogue, (N, M).
        rows: where references come from.
        limit: pairs at most.
        seed: of the draw.

    Returns:
        Queries 2 i and 2 i + 1 are a pair; `available` is the number of items that can be the first
        of one.
    """
    rng = np.random.default_rng((seed, _PAIRS))
    if not len(rows):
        return _empty()
    groups = LabelGroups.from_rows(labels, rows)
    twins = np.repeat(groups.sizes >= 2, groups.sizes)
    counts = [_common_values(labels[rows, position]) for position in range(labels.shape[1])]
    askable = np.stack(
        [
            count.sum() - _own_count(count, labels[groups.members, position]) > 0
            for position, count in enumerate(counts)
        ],
        1,
    )
    candidates = np.flatnonzero(twins & askable.any(1))
    chosen = rng.choice(candidates, min(limit, len(candidates)), replace=False)
    of_group = np.repeat(np.arange(len(groups)), groups.sizes)
    reference, attribute, value = [], [], []
    for place in chosen.tolist():
        start, size = groups.starts[of_group[place]], groups.sizes[of_group[place]]
        other = start + (place - start + rng.integers(1, size)) % size
        position = int(rng.choice(np.flatnonzero(askable[place])))
        weights = counts[position].astype(np.float64)
        own = labels[groups.members[place], position]
        if own != MISSING:
            weights[own] = 0
        wanted = int(rng.choice(len(weights), p=weights / weights.sum()))
        reference += [groups.members[place], groups.members[other]]
        attribute += [position] * 2
        value += [wanted] * 2
    asked = [np.array(part, np.int64) for part in (reference, attribute, value)]
    return Draw(asked[0], asked[1], asked[2], len(candidates))


def alter_picture(picture: Image.Image, seed: int, row: int) -> bytes:
    """A picture as another photograph of the same thing might be, as a JPEG file.

    Each side is cropped by 3 to 6 % of the width or height, the brightness is changed by up to
    15 %, and the result is encoded at quality 60.

    Args:
        picture: RGB.
        seed: of the queries.
        row: of the item; each has its own changes.
    """
    rng = np.random.default_rng((seed, _OWN, row))
    left, top, right, bottom = rng.uniform(*_CROP, 4)
    width, height = picture.size
    box = (left * width, top * height, (1 - right) * width, (1 - bottom) * height)
    cropped = picture.crop(tuple(map(round, box)))
    factor = 1 + rng.uniform(-_BRIGHTNESS, _BRIGHTNESS)
    encoded = io.BytesIO()
    ImageEnhance.Brightness(cropped).enhance(factor).save(encoded, "JPEG", quality=_JPEG_QUALITY)
    return encoded.getvalue()


class _Siblings:
    """Items of one product that are equal in every attribute but, perhaps, one.

    Args:
        codes: product of each of n items, (n,).
        labels: (n, M).
        position: of the attribute in which they may differ.
    """

    def __init__(self, codes: Rows, labels: Rows, position: int) -> None:
        self._own = labels[:, position]
        others = np.delete(labels, position, axis=1)
        _, self._group = np.unique(np.column_stack([codes, others]), axis=0, return_inverse=True)
        self._group = self._group.reshape(-1)
        self._order = np.argsort(self._group, kind="stable")
        self._ends = np.cumsum(np.bincount(self._group))

    @property
    def counts(self) -> Rows:
        """How many items of each item's group have another value, (n,)."""
        present = np.bincount(self._group, self._own != MISSING)[self._group]
        _, same, sizes = np.unique(
            np.column_stack([self._group, self._own]),
            axis=0,
            return_inverse=True,
            return_counts=True,
        )
        alike = np.where(self._own == MISSING, 0, sizes[same.reshape(-1)])
        return (present - alike).astype(np.int64)

    def values_of(self, place: int) -> Rows:
        """The value of every item that differs from the one at `place`."""
        end = self._ends[self._group[place]]
        start = self._ends[self._group[place] - 1] if self._group[place] else 0
        values = self._own[self._order[start:end]]
        others: Rows = values[(values != MISSING) & (values != self._own[place])]
        return others


def _common_values(column: Labels) -> Rows:
    """How often each value occurs in a column of labels, 0 where it is rarer than is asked for."""
    counts = np.bincount(column[column != MISSING])
    return np.where(counts >= LEAST_ITEMS, counts, 0)


def _own_count(counts: Rows, column: Labels) -> Rows:
    """What `counts` says of each item's own value, 0 where it is missing."""
    if not len(counts):
        return np.zeros(len(column), np.int64)
    return np.where(column == MISSING, 0, counts[column])


def _empty() -> Draw:
    nothing = np.empty(0, np.int64)
    return Draw(nothing, nothing, nothing, 0)
