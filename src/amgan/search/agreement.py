"""Whether an item has what was asked for, and keeps what else is known of the reference."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from amgan.attributes import MISSING, Labels
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


def compare_labels(
    labels: Mapping[str, str | None],
    wanted: Mapping[str, str],
    reference: Mapping[str, str | None],
) -> Agreement:
    """Hold an item's labels against what was asked for.

    Args:
        labels: of the item, None where missing.
        wanted: values that were asked for, by attribute.
        reference: the reference's values, None where not known.
    """
    right = {**reference, **wanted}
    matches = {
        name: None if value is None or right[name] is None else value == right[name]
        for name, value in labels.items()
    }
    kept = [name for name, value in reference.items() if value is not None and name not in wanted]
    return Agreement(
        matches,
        _all(matches[name] for name in wanted),
        _all(matches[name] for name in kept),
    )


def count_matching(labels: Labels, wanted: Labels, rows: Rows | None, excluded: Rows) -> int:
    """How many items are known to have every wanted value.

    Args:
        labels: of the gallery, (N, M), -1 where missing.
        wanted: (M,), -1 where nothing is asked for.
        rows: count only these gallery rows; None for all.
        excluded: gallery rows to leave out.
    """
    asked = np.flatnonzero(wanted != MISSING)
    if rows is None:
        has: NDArray[np.bool_] = (labels[:, asked] == wanted[asked]).all(1)
        return int(has.sum()) - int(has[excluded].sum())
    counted = np.setdiff1d(rows, excluded)
    return int((labels[counted][:, asked] == wanted[asked]).all(1).sum())


def _all(matches: Iterable[bool | None]) -> bool | None:
    """False where one is, else None where one is not known, else True."""
    found = list(matches)
    if False in found:
        return False
    return None if None in found else True
