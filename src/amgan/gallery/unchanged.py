"""Which rows of a new table a gallery holds already, just as they are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from amgan.catalogue.records import Catalogue
from amgan.gallery.encoding.picture_state import PictureState
from amgan.gallery.gallery import Gallery


def unchanged_rows(
    old: Gallery, new: Catalogue, states: Sequence[PictureState]
) -> NDArray[np.bool_]:
    """Rows of `new` with labels, fields, product and picture as `old` has for their ids, (N,).

    A picture is the same where its path, size and time of change are those that were recorded when
    it was encoded; where none were, as in a gallery of an older version, it counts as changed. The
    split does not count: where a table names none it is drawn anew.
    """
    names = dict.fromkeys((*old.items.field_names, *new.fields))

    def is_same(row: int) -> bool:
        place = old.items.find(new.item_ids[row])
        if place is None or states[row] is None:
            return False
        if states[row] != old.items.picture_state(place):
            return False
        item, known = new[row], old[place]
        if (item.image.absolute(), item.labels, item.product) != (
            known.image,
            known.labels,
            known.product,
        ):
            return False
        fields = old.items.fields(place)
        return all(
            fields.get(name) == (new.fields[name][row] if name in new.fields else None)
            for name in names
        )

    return np.array([is_same(row) for row in range(len(new))], bool)
