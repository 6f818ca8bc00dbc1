"""The items that an engine stores."""

from __future__ import annotations

from dataclasses import dataclass

from amgan.attributes import Labels
from amgan.gallery.engines.protocol import Vectors
from amgan.gallery.items import ItemTable


@dataclass(frozen=True)
class Rowset:
    """Items to be stored.

    Attributes:
        items: ids and fields.
        labels: (n, M).
        vectors: (n, D).
    """

    items: ItemTable
    labels: Labels
    vectors: Vectors
