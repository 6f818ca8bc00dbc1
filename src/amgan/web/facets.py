"""What results can be filtered by, and how many items each value would leave."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from amgan.attributes import MISSING
from amgan.gallery.gallery import Gallery

MOST_VALUES = 1000
_MOST_ROWS = 2_000_000

Counts = dict[str, dict[str, int]]


@dataclass(frozen=True)
class _Facet:
    """One attribute or field: its values and, for each item, which it has (-1 for none)."""

    values: Sequence[str]
    codes: NDArray[np.integer]

    def count(self, rows: NDArray[np.int64] | None) -> dict[str, int]:
        codes = self.codes if rows is None else self.codes[rows]
        found = np.bincount(codes[codes >= 0], minlength=len(self.values))
        return dict(zip(self.values, found.tolist(), strict=True))


class Facets:
    """Attributes and fields of one gallery that it can be filtered by.

    Attributes:
        unlisted: fields of too many different values to be listed. They can be filtered by.
    """

    def __init__(self, gallery: Gallery) -> None:
        assert MISSING < 0
        self._gallery = gallery
        labels = np.asarray(gallery.labels)
        self._attributes = {
            attribute.name: _Facet(attribute.values, labels[:, position])
            for position, attribute in enumerate(gallery.schema.attributes)
        }
        self._fields: dict[str, _Facet] = {}
        unlisted = []
        listed = len(gallery) <= _MOST_ROWS
        for name, column in gallery.catalogue.fields.items():
            facet = _encode(column) if listed else None
            if facet is None:
                unlisted.append(name)
            elif len(facet.values) > 1:
                self._fields[name] = facet
        self.unlisted = tuple(unlisted)
        self.attributes, self.fields = self.count({})

    def count(self, filters: Mapping[str, Collection[str]]) -> tuple[Counts, Counts]:
        """Items by value, of attributes and of fields.

        Those of one name are counted under the filters of all others: so many items there would be
        if that value were chosen.

        Args:
            filters: as for `Gallery.select`.

        Raises:
            ValueError: no such name or value.
        """
        all_rows = self._gallery.select(filters)
        rows = {
            name: self._gallery.select(
                {other: filters[other] for other in filters if other != name}
            )
            for name in filters
        }
        made: list[Counts] = [
            {name: facet.count(rows.get(name, all_rows)) for name, facet in facets.items()}
            for facets in (self._attributes, self._fields)
        ]
        return made[0], made[1]


def _encode(column: Sequence[str | None]) -> _Facet | None:
    """A field's values in alphabetical order; None where there are too many."""
    found: dict[str, int] = {}
    codes = np.full(len(column), MISSING, np.int32)
    for row, value in enumerate(column):
        if value:
            codes[row] = found.setdefault(value, len(found))
            if len(found) > MOST_VALUES:
                return None
    order = sorted(found)
    place = np.empty(len(found) + 1, np.int32)
    place[-1] = MISSING
    for position, value in enumerate(order):
        place[found[value]] = position
    return _Facet(order, place[codes])
