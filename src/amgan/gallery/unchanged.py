"""Which rows of a new table a gallery holds already, just as they are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from amgan.catalogue.parallel import map_in_threads
from amgan.catalogue.records import Catalogue
from amgan.gallery.encoding.picture_state import PictureState, picture_digest
from amgan.gallery.gallery import Gallery


def unchanged_rows(
    old: Gallery, new: Catalogue, states: Sequence[PictureState], *, verify: bool = False
) -> NDArray[np.bool_]:
    """Rows of `new` with labels, fields, product and picture as `old` has for their ids, (N,).

    A picture is the same where its path, size and time of change are those that were recorded when
    it was encoded. Where size or time differ, its content decides. Where neither was recorded, as
    in a gallery of an older version, it counts as changed. The split does not count: where a table
    names none it is drawn anew.

    Args:
        old: the gallery.
        new: rows with ids, some of them known.
        states: of the pictures of `new`.
        verify: content decides in any case.
    """
    same = np.array([_describes_same(old, new, row) for row in range(len(new))], bool)

    def has_same_picture(row: int) -> bool:
        place = old.items.find(new.item_ids[row])
        if place is None or states[row] is None:
            return False
        if states[row] == old.items.picture_state(place) and not verify:
            return True
        known = old.items.picture_digest(place)
        return known is not None and picture_digest(new.images[row]) == known

    rows = np.flatnonzero(same)
    same[rows] = np.fromiter(map_in_threads(has_same_picture, rows.tolist()), bool, len(rows))
    return same


def _describes_same(old: Gallery, new: Catalogue, row: int) -> bool:
    """Whether everything but the picture's content is as the gallery has it."""
    place = old.items.find(new.item_ids[row])
    if place is None:
        return False
    item, known = new[row], old[place]
    if (item.image.absolute(), item.labels, item.product) != (
        known.image.absolute(),
        known.labels,
        known.product,
    ):
        return False
    fields = old.items.fields(place)
    names = dict.fromkeys((*fields, *new.fields))
    return all(
        fields.get(name) == (new.fields[name][row] if name in new.fields else None)
        for name in names
    )
