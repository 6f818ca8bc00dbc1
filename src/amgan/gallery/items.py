"""The items of a gallery as an Arrow table in memory; rows are unpacked when asked for."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from amgan.catalogue.records import Catalogue
from amgan.gallery.versions import GalleryError

_FIELD = "field:"  # prefix of the columns that the catalogue's table had beyond the known ones
_STATE, _DIGEST = "picture_state", "picture_digest"  # not there in galleries of an older version
_ROWS_A_BATCH = 65_536


class ItemTable:
    """Ids, picture paths, products, splits and further fields of N items.

    Attributes:
        root: folder of the pictures whose paths are not absolute.
    """

    def __init__(self, table: Any, root: Path | None = None) -> None:
        self._table = table
        self.root = root

    @classmethod
    def from_catalogue(
        cls,
        catalogue: Catalogue,
        picture_states: Sequence[str | None] | None = None,
        picture_digests: Sequence[str | None] | None = None,
        root: Path | None = None,
    ) -> ItemTable:
        """Table of a catalogue's items.

        Args:
            catalogue: the items.
            picture_states: what `picture_state` is to tell of each; None where it is not known.
            picture_digests: what `picture_digest` is to tell of each.
            root: folder below which picture paths are kept relative to it; None takes the
                catalogue's. Others become absolute.
        """
        root = root or catalogue.root
        columns: dict[str, Any] = {
            "item_id": catalogue.item_ids,
            "image": [_stored_path(image, root) for image in catalogue.images],
            "product": catalogue.products,
            "split": catalogue.splits,
        }
        if picture_states is not None:
            columns[_STATE] = list(picture_states)
        if picture_digests is not None:
            columns[_DIGEST] = list(picture_digests)
        columns |= {_FIELD + name: column for name, column in catalogue.fields.items()}
        arrays = {name: pa.array(column, pa.string()) for name, column in columns.items()}
        return cls(pa.table(arrays), root)

    @classmethod
    def load(cls, file: Path, root: Path | None = None) -> ItemTable:
        """Read a file written by `save` into memory, where nothing changes it any more.

        Args:
            file: the file.
            root: folder of the pictures whose paths are not absolute.

        Raises:
            GalleryError: damaged.
            FileNotFoundError: no such file.
        """
        content = pa.py_buffer(file.read_bytes())
        try:
            table = pa.ipc.open_file(content).read_all()
            table.validate(full=True)
        except (pa.ArrowException, OSError, ValueError) as error:
            raise GalleryError(f"{file}: damaged ({error})") from None
        _check_columns(file, table)
        return cls(table, root)

    def save(self, file: Path) -> None:
        """Write as an Arrow file.

        Raises:
            OSError: the disk is full or refuses.
        """
        with (
            pa.OSFile(os.fspath(file), "wb") as sink,
            pa.ipc.new_file(sink, self._table.schema) as writer,
        ):
            writer.write_table(self._table.combine_chunks(), _ROWS_A_BATCH)

    def __len__(self) -> int:
        return int(self._table.num_rows)

    @cached_property
    def item_ids(self) -> tuple[str, ...]:
        """All ids."""
        return tuple(self._table["item_id"].to_pylist())

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {item_id: row for row, item_id in enumerate(self.item_ids)}

    @property
    def field_names(self) -> tuple[str, ...]:
        """Names of the further fields."""
        names = self._table.column_names
        return tuple(name.removeprefix(_FIELD) for name in names if name.startswith(_FIELD))

    @property
    def images(self) -> tuple[Path, ...]:
        """All picture paths."""
        return tuple(map(self._full_path, self._table["image"].to_pylist()))

    def image(self, row: int) -> Path:
        """Picture path of one item."""
        return self._full_path(self._table["image"][row].as_py())

    def _full_path(self, stored: str) -> Path:
        return Path(stored) if self.root is None else self.root / stored

    def find(self, item_id: str) -> int | None:
        """Row of an item; None where there is no such item."""
        return self._rows.get(item_id)

    def value(self, column: str, row: int) -> str | None:
        """One cell of "item_id", "product" or "split"."""
        value: str | None = self._table[column][row].as_py()
        return value

    def picture_state(self, row: int) -> str | None:
        """Size and time of change of the picture when it was encoded; None where not recorded."""
        return self.value(_STATE, row) if _STATE in self._table.column_names else None

    def picture_digest(self, row: int) -> str | None:
        """SHA-256 of the picture file when it was encoded; None where not recorded."""
        return self.value(_DIGEST, row) if _DIGEST in self._table.column_names else None

    def fields(self, row: int) -> dict[str, str | None]:
        """Further fields of one item."""
        return {name: self._table[_FIELD + name][row].as_py() for name in self.field_names}

    def longest(self, field: str) -> int:
        """Bytes of the longest value of a further field."""
        length = pc.max(pc.binary_length(self._table[_FIELD + field])).as_py()
        return int(length or 0)

    def is_in(self, field: str, values: Collection[str | None]) -> NDArray[np.bool_]:
        """Which items have one of `values` in a further field, (N,)."""
        found = pc.is_in(self._table[_FIELD + field], value_set=pa.array(values, pa.string()))
        mask: NDArray[np.bool_] = found.to_numpy(zero_copy_only=False).astype(bool)
        return mask

    def take(self, rows: NDArray[np.int64]) -> ItemTable:
        """The items of `rows`, in that order."""
        return ItemTable(self._table.take(pa.array(rows)), self.root)

    def followed_by(self, other: ItemTable) -> ItemTable:
        """These items and then the other's; a field that one of them lacks has no values there."""
        joined = pa.concat_tables([self._table, other._table], promote_options="default")
        return ItemTable(joined, self.root)

    def to_catalogue(self, name: str, schema: Any, labels: Any) -> Catalogue:
        """The catalogue of these items with their labels (N, M)."""
        columns: Mapping[str, list[Any]] = self._table.to_pydict()
        return Catalogue(
            name,
            schema,
            tuple(columns["item_id"]),
            self.images,
            labels,
            tuple(columns["product"]),
            tuple(columns["split"]),
            {name: tuple(columns[_FIELD + name]) for name in self.field_names},
            self.root,
        )


def _stored_path(image: Path, root: Path | None) -> str:
    full = image.absolute()
    if root is not None and full.is_relative_to(root):
        return full.relative_to(root).as_posix()
    return os.fspath(full)


def _check_columns(file: Path, table: Any) -> None:
    """Check that the columns are those that `save` writes, and that items have ids and pictures.

    Raises:
        GalleryError: they are not.
    """
    names = table.column_names
    missing = [name for name in ("item_id", "image", "product", "split") if name not in names]
    if missing or any(not pa.types.is_string(kind) for kind in table.schema.types):
        what = f"has no column {missing[0]!r}" if missing else "has a column that is no text"
        raise GalleryError(f"{file}: damaged ({what})")
    for name in ("item_id", "image"):
        if table[name].null_count:
            raise GalleryError(f"{file}: damaged (an item has no {name})")
    if pc.count_distinct(table["item_id"]).as_py() != table.num_rows:
        raise GalleryError(f"{file}: damaged (an item id stands twice)")
