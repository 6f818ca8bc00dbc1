"""A table as it stands in its file: columns, rows with their places, and what could not be read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from amgan.attributes import suggest_name
from amgan.catalogue.tidying import tidy
from amgan.catalogue.validation import Problem, ValidationError

UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")

Cells = tuple[object, ...]


@dataclass
class RawTable:
    """A table as it stands in its file.

    Attributes:
        file: the file.
        columns: column names, unique.
        rows: (place, cells) of each readable row; cells in the order of `columns`.
        problems: the rows that could not be read.
    """

    file: Path
    columns: tuple[str, ...]
    rows: list[tuple[int, Cells]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def reject(self, row: int, message: str, column: str | None = None, value: str = "") -> None:
        """Note a row that cannot be read."""
        self.problems.append(
            Problem(str(self.file), row, column, value or None, message, "bad-row")
        )

    def require(self, names: Sequence[str], advice: Mapping[str, str] | None = None) -> None:
        """Check that columns are there.

        Args:
            names: the columns.
            advice: what to do about a missing one, in place of the name it may be meant for.

        Raises:
            ValidationError: names every column that is not, and those that are.
        """
        problems = []
        for name in names:
            if name not in self.columns:
                told = (advice or {}).get(name) or suggest_name(name, self.columns)
                message = f"no such column; {told}the columns are {', '.join(self.columns)}"
                problems.append(
                    Problem(str(self.file), None, name, None, message, "missing-column")
                )
        if problems:
            raise ValidationError.of(*problems, *self.problems)

    def add(self, row: int, cells: Cells) -> None:
        """Take a row, or note it where a cell is not Unicode."""
        for name, cell in zip(self.columns, cells, strict=True):
            if isinstance(cell, str) and not is_unicode(cell):
                self.reject(row, "is not UTF-8; save the table as UTF-8", name, visible(cell))
                return
        self.rows.append((row, cells))


def file_error(path: Path, message: str, row: int | None = None) -> ValidationError:
    """Error about a table as a whole."""
    return ValidationError.of(Problem(str(path), row, None, None, message, "bad-file"))


def column_names(path: Path, cells: Sequence[str]) -> tuple[str, ...]:
    """The names of a header, tidy; those of columns without a name are left out.

    Raises:
        ValidationError: not UTF-8, or one name twice.
    """
    for name in cells:
        if not is_unicode(name):
            shown = visible(name.strip())
            raise file_error(path, f"column name {shown!r} is not UTF-8; save as UTF-8", 1)
    names = [tidy(name).strip() for name in cells]
    for name in names:
        if name and names.count(name) > 1:
            raise file_error(path, f"column {name!r} stands twice in the header", 1)
    return tuple(name for name in names if name)


def named_positions(cells: Sequence[str]) -> list[int]:
    """Positions of the columns that `column_names` keeps."""
    return [position for position, name in enumerate(cells) if tidy(name).strip()]


def is_unicode(text: str) -> bool:
    """Whether a text has no bytes that were no UTF-8."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def visible(text: str) -> str:
    """The text with bytes that were no UTF-8 as escapes."""
    return text.encode("utf-8", "backslashreplace").decode()
