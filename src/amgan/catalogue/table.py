"""A shop's own catalogue: a table with an image column and one column an attribute."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from amgan.attributes import AttributeSchema
from amgan.catalogue.assembly import Checks, Columns, assemble_catalogue
from amgan.catalogue.missing_columns import IMAGE_OPTION, advise_columns
from amgan.catalogue.raw_table import Cells, RawTable
from amgan.catalogue.records import Catalogue
from amgan.catalogue.rows import cell_text, read_rows, write_rows
from amgan.catalogue.source_rows import SourceRow
from amgan.catalogue.validation import Problem, ValidationReport
from amgan.errors import InputError
from amgan.images import DEFAULT_LIMITS, PictureLimits
from amgan.progress import Progress, quiet
from amgan.text import counted

Several = Literal["first", "none"]
_PLAIN_STEMS = ("catalogue", "catalog", "metadata", "items", "articles")


@dataclass(frozen=True)
class TableLayout:
    """Which column of a table holds what; columns not named here end up in `Catalogue.fields`.

    Attributes:
        image: picture path, relative to the table's folder or absolute.
        attributes: the attributes, in the order the schema gets; at least one.
        item_id: id of the item; None takes the picture path as it is written.
        product: key that variants of one garment share.
        split: "train", "val" or "test".
        separator: what stands between several values in one cell, such as "|"; then a list is taken
            for several values too. Empty takes every cell for one value.
        several: of several values take the "first", or "none": the label is missing.
    """

    image: str = "image"
    attributes: tuple[str, ...] = ()
    item_id: str | None = None
    product: str | None = None
    split: str | None = None
    separator: str = ""
    several: Several = "first"

    def __post_init__(self) -> None:
        if self.several not in ("first", "none"):
            raise InputError(f"unknown choice {self.several!r} of several values; first or none")
        if not self.attributes:
            raise InputError("name at least one attribute column")
        for name in self.named:
            if self.named.count(name) > 1:
                raise InputError(f"column {name!r} is used twice in the layout")

    @property
    def named(self) -> tuple[str, ...]:
        """All columns the layout uses."""
        optional = (self.item_id, self.product, self.split)
        return (self.image, *self.attributes, *(name for name in optional if name is not None))

    @property
    def options(self) -> dict[str, str]:
        """The command-line option that names each of these columns."""
        optional = {"--id": self.item_id, "--product": self.product, "--split": self.split}
        return {
            self.image: IMAGE_OPTION,
            **dict.fromkeys(self.attributes, "--attributes"),
            **{name: option for option, name in optional.items() if name is not None},
        }


def load_table(
    path: Path,
    layout: TableLayout,
    *,
    schema: AttributeSchema | None = None,
    name: str | None = None,
    strict: bool = False,
    check_pictures: bool = True,
    limits: PictureLimits = DEFAULT_LIMITS,
    workers: int | None = None,
    progress: Progress = quiet,
) -> tuple[Catalogue, ValidationReport]:
    """Read a CSV, JSONL or Parquet table; an empty cell is a missing label.

    Args:
        path: the table; its suffix says what it is.
        layout: which column holds what.
        schema: attributes and values to hold the table against. None takes the values found,
            sorted, and leaves out an attribute that is empty everywhere.
        name: the catalogue's name; None takes it from the path.
        strict: raise on any bad row or label. False leaves them out and says so in the report.
        check_pictures: decode every picture. False only looks whether the files are there.
        limits: what a picture may measure.
        workers: threads; None takes as many as there are cores.
        progress: shows how far it is.

    Raises:
        ValidationError: the table as a whole cannot be used, or strict mode and any bad row; its
            `report` holds every problem.
    """
    path = Path(path).absolute()
    if schema is not None and set(schema.names) != set(layout.attributes):
        raise InputError(
            f"the schema has the attributes {', '.join(schema.names)}, "
            f"the layout {', '.join(layout.attributes)}"
        )
    table = read_rows(path)
    table.require(layout.named, advise_columns(table, layout.options))
    rows = list(_source_rows(table, layout))
    return assemble_catalogue(
        name or (path.parent.name if path.stem in _PLAIN_STEMS else path.stem),
        path,
        rows,
        layout.attributes if schema is None else schema,
        problems=table.problems,
        columns=Columns(layout.image, layout.item_id or layout.image, layout.split or "split"),
        checks=Checks(strict, check_pictures, limits, workers, progress),
    )


def save_table(catalogue: Catalogue, path: Path) -> None:
    """Write a catalogue as a CSV, JSONL or Parquet table by the path's suffix.

    The columns are item_id, image, product, split, the attributes, then the fields. Picture paths
    are relative to the table's folder. The order of an attribute's values is not in the table.

    Raises:
        ValueError: another suffix, or an attribute or field called like one of the four columns.
    """
    path = Path(path).absolute()
    columns = ("item_id", "image", "product", "split")
    names = (*columns, *catalogue.schema.names, *catalogue.fields)
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"{path}: two columns would be called {name!r}; rename one")
    rows = []
    for row, item in enumerate(catalogue):
        image = Path(os.path.relpath(item.image.absolute(), path.parent)).as_posix()
        cells = [item.item_id, image, item.product, item.split]
        cells += catalogue.schema.decode(item.labels).values()
        cells += (column[row] for column in catalogue.fields.values())
        rows.append(cells)
    write_rows(path, names, rows)


def _source_rows(table: RawTable, layout: TableLayout) -> Iterator[SourceRow]:
    """Rows of the table; one with a cell that holds what is no text goes to its problems."""
    position = {name: i for i, name in enumerate(table.columns)}
    others = [name for name in table.columns if name not in layout.named]
    several: Counter[str] = Counter()

    def text(cells: Cells, name: str | None) -> str | None:
        return None if name is None else cell_text(cells[position[name]])

    def value(cells: Cells, name: str) -> str | None:
        found = _values(cells[position[name]], layout.separator)
        several[name] += len(found) > 1
        return found[0] if found and (len(found) == 1 or layout.several == "first") else None

    for row, cells in table.rows:
        nested = [name for name in layout.named if _is_nested(cells[position[name]], name, layout)]
        for name in nested:
            kind = type(cells[position[name]]).__name__
            message = f"holds a {kind}; one text or number is needed"
            table.problems.append(
                Problem(str(table.file), row, name, text(cells, name), message, "bad-value")
            )
        if nested:
            continue
        image = text(cells, layout.image)
        yield SourceRow(
            table.file,
            row,
            text(cells, layout.item_id) if layout.item_id else image,
            None if image is None else table.file.parent / image,
            {name: value(cells, name) for name in layout.attributes},
            text(cells, layout.product),
            text(cells, layout.split),
            {name: text(cells, name) for name in others},
        )
    outcome = "the first is taken" if layout.several == "first" else "those labels are missing"
    for name, count in several.items():
        if count:
            message = f"{counted(count, 'cell')} hold several values; {outcome}"
            table.problems.append(
                Problem(str(table.file), None, name, None, message, "several-values", "warning")
            )


def _values(cell: object, separator: str) -> list[str]:
    """The values of an attribute's cell: one, none, or several where there is a separator."""
    if separator and isinstance(cell, list):
        return [text for part in cell if (text := cell_text(part)) is not None]
    text = cell_text(cell)
    parts = [] if text is None else text.split(separator) if separator else [text]
    return [tidied for part in parts if (tidied := part.strip())]


def _is_nested(cell: object, name: str, layout: TableLayout) -> bool:
    """Whether a cell holds what is neither one text nor, where they are told apart, several."""
    if isinstance(cell, list) and layout.separator and name in layout.attributes:
        return any(isinstance(part, list | dict | bytes) for part in cell)
    return isinstance(cell, list | dict | bytes)
