"""A catalogue in memory: what each item is called, where its picture lies, how it is labelled."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from amgan.attributes import AttributeSchema, Labels
from amgan.errors import InputError


@dataclass(frozen=True, slots=True)
class Item:
    """One catalogue item. `labels` has M entries, -1 where missing."""

    item_id: str
    image: Path
    labels: tuple[int, ...]
    product: str | None = None
    split: str | None = None


@dataclass(frozen=True)
class Catalogue:
    """Items in a fixed order; row numbers in triplets and galleries count in this order.

    Attributes:
        name: short name, used in reports.
        schema: the attributes that `labels` refer to.
        item_ids: N ids, unique.
        images: N picture paths.
        labels: (N, M) int16, -1 where missing.
        products: N product keys (variants of one garment share one), None where not known.
        splits: N split names ("train", "val", "test"), None where not assigned.
        fields: further columns of the source table as text, by column name; N entries each.
        root: folder that the source's picture paths are relative to; None where not known.
    """

    name: str
    schema: AttributeSchema
    item_ids: tuple[str, ...]
    images: tuple[Path, ...]
    labels: Labels
    products: tuple[str | None, ...]
    splits: tuple[str | None, ...]
    fields: Mapping[str, tuple[str | None, ...]] = field(default_factory=dict)
    root: Path | None = None

    def __post_init__(self) -> None:
        n = len(self.item_ids)
        if len(set(self.item_ids)) != n:
            raise InputError(f"catalogue {self.name!r} has an item id twice")
        assert self.labels.shape == (n, self.schema.num_attributes)
        assert len(self.images) == len(self.products) == len(self.splits) == n
        assert all(len(column) == n for column in self.fields.values())

    @property
    def product_numbers(self) -> NDArray[np.int64]:
        """A number for each item's product, -1 where it is not known, (N,)."""
        known: dict[str, int] = {}
        numbers = (
            -1 if name is None else known.setdefault(name, len(known)) for name in self.products
        )
        return np.fromiter(numbers, np.int64, len(self))

    def __len__(self) -> int:
        return len(self.item_ids)

    def __getitem__(self, row: int) -> Item:
        return Item(
            self.item_ids[row],
            self.images[row],
            tuple(int(label) for label in self.labels[row]),
            self.products[row],
            self.splits[row],
        )

    def __iter__(self) -> Iterator[Item]:
        return (self[row] for row in range(len(self)))

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {item_id: row for row, item_id in enumerate(self.item_ids)}

    @cached_property
    def digest(self) -> str:
        """SHA-256 over schema, item ids and labels: what triplets and results depend on."""
        digest = hashlib.sha256(self.schema.digest.encode())
        digest.update("\0".join(self.item_ids).encode())
        digest.update(np.ascontiguousarray(self.labels).tobytes())
        return digest.hexdigest()

    def row(self, item_id: str) -> int:
        """Row of an item by its id.

        Raises:
            ValueError: no such item.
        """
        if item_id not in self._rows:
            raise InputError(f"catalogue {self.name!r} has no item {item_id!r}")
        return self._rows[item_id]

    def rows_in_split(self, split: str) -> NDArray[np.int64]:
        """Rows of one split, in order."""
        return np.array([i for i, s in enumerate(self.splits) if s == split], np.int64)

    def subset(self, rows: Sequence[int] | NDArray[np.int64]) -> Catalogue:
        """Catalogue of `rows` in the given order."""
        chosen = [int(row) for row in rows]
        return Catalogue(
            self.name,
            self.schema,
            tuple(self.item_ids[row] for row in chosen),
            tuple(self.images[row] for row in chosen),
            self.labels[chosen],
            tuple(self.products[row] for row in chosen),
            tuple(self.splits[row] for row in chosen),
            {name: tuple(column[row] for row in chosen) for name, column in self.fields.items()},
            self.root,
        )
