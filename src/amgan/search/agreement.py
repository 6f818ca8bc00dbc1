"""Whether an item has what was asked for, and keeps what else is known of the reference."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from amgan.attributes import MISSING, AttributeSchema, Labels
from amgan.gallery.engines.protocol import Rows


@dataclass(frozen=True)
class Agreement:
    """One item held against a query.

    Attributes:
        matches: for each attribute, whether the item has the wanted value, or, where none was
            wanted, the reference's; None where either is not known.
        has_wanted: whether it has all that was asked for, True where nothing was; None where a
            label is missing that decides it.
        keeps_rest: the same for everything else that is known of the reference.
    """

    matches: Mapping[str, bool | None]
    has_wanted: bool | None
    keeps_rest: bool | None


@dataclass(frozen=True, eq=False)
class Judge:
    """What items are held against for one query.

    Attributes:
        schema: of the labels.
        wanted: values that were asked for, by attribute.
        reference: the reference's values, None where not known.
        wished: attributes that another wish is about, and that need not stay as they are.
        unmet: how far each item of the gallery is from the other wishes, 0 where it meets them,
            (N,); None without such wishes.
    """

    schema: AttributeSchema
    wanted: Mapping[str, str]
    reference: Mapping[str, str | None]
    wished: Collection[str] = ()
    unmet: NDArray[np.int8] | None = None

    def compare(self, labels: Mapping[str, str | None], row: int) -> Agreement:
        """Hold one item, by its labels (None where missing) and its row, against the query."""
        right = {**self.reference, **self.wanted}
        matches = {
            name: None if value is None or right[name] is None else value == right[name]
            for name, value in labels.items()
        }
        changed = {*self.wanted, *self.wished}
        kept = [name for name, value in self.reference.items() if value and name not in changed]
        met = self.unmet is None or self.unmet[row] == 0
        return Agreement(
            matches,
            _all(matches[name] for name in self.wanted) if met else False,
            _all(matches[name] for name in kept),
        )

    def count(self, labels: Labels, rows: Rows | None, excluded: Rows) -> int | None:
        """How many items are known to have all that was asked for; None where nothing was.

        Args:
            labels: of the gallery, (N, M), -1 where missing.
            rows: count only these gallery rows; None for all.
            excluded: gallery rows to leave out.
        """
        if not self.wanted and self.unmet is None:
            return None
        wanted = np.array(self.schema.encode(self.wanted))
        asked = np.flatnonzero(wanted != MISSING)
        has = (labels[:, asked] == wanted[asked]).all(1)
        if self.unmet is not None:
            has &= self.unmet == 0
        if rows is None:
            return int(has.sum()) - int(has[excluded].sum())
        return int(has[np.setdiff1d(rows, excluded)].sum())


def _all(matches: Iterable[bool | None]) -> bool | None:
    """False where one is, else None where one is not known, else True."""
    found = list(matches)
    if False in found:
        return False
    return None if None in found else True
