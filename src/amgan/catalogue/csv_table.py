"""CSV files. A quotation mark that is never closed costs its own row, not those behind it."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from amgan.catalogue.raw_table import (
    UTF16_MARKS,
    RawTable,
    column_names,
    file_error,
    named_positions,
)

_DELIMITERS = (",", ";", "\t")
_SEPARATOR_LINE = re.compile(r'"?sep=(?P<delimiter>[^\s"\w]|\t)"?[,;\t]*[\r\n]*', re.IGNORECASE)
_LINE_ENDS = re.compile(r"\r\n|\r|\n")


def read_csv(path: Path) -> RawTable:
    """Read a CSV file.

    Raises:
        ValidationError: not UTF-8 in the header, no header, or a quotation mark that never closes.
        OSError: no such file, or it cannot be read.
    """
    with path.open("rb") as head:
        if head.read(2) in UTF16_MARKS:
            raise file_error(path, "is UTF-16; save the table as UTF-8")
    # Bytes that are no UTF-8 come through as lone surrogates, so that each bad row can be named.
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        lines = list(file)
    records = _Records(path, lines)
    header = next(records, None)
    if header is None:
        raise file_error(path, "the file is empty; its first line has to name the columns")
    if isinstance(header.cells, str):
        raise file_error(path, f"the header {header.cells}", header.line)
    table = RawTable(path, column_names(path, header.cells))
    named = named_positions(header.cells)
    records.header = header.cells
    for record in records:
        if isinstance(record.cells, str):
            table.reject(record.line, record.cells)
        elif len(record.cells) != len(header.cells):
            message = f"has {len(record.cells)} cells; the header has {len(header.cells)}"
            table.reject(record.line, message)
        else:
            table.add(record.line, tuple(record.cells[i] for i in named))
    return table


@dataclass(frozen=True, slots=True)
class _Record:
    """A record by its first line, counted from 1: its cells, or what is wrong with it."""

    line: int
    cells: list[str] | str


class _Records:
    """The records of a file that are not empty.

    Where a quotation mark opens a cell that runs over whole rows, the line that it stands in is
    given up, and reading goes on with the next one.
    """

    def __init__(self, path: Path, lines: Sequence[str]) -> None:
        self.header: Sequence[str] = ()
        self._path = path
        self._lines = lines
        separator = _SEPARATOR_LINE.fullmatch(lines[0]) if lines else None
        self._next = 0 if separator is None else 1
        if separator is not None:
            self._delimiter = separator["delimiter"]
        else:
            self._delimiter = max(_DELIMITERS, key=lines[0].count) if lines else ","
        self._opened: dict[int, int] = {}  # lines where a mark closes: where it opened
        self._open()

    def __iter__(self) -> Iterator[_Record]:
        return self

    def __next__(self) -> _Record:
        while True:
            start = self._next
            try:
                cells = next(self._reader)
            except csv.Error as error:
                return self._failed(start, str(error))
            swallowing = self._swallowing_column(cells) if self._next > start + 1 else None
            if swallowing is not None:
                return self._give_up(start, swallowing)
            if start + 1 in self._opened and self._lines[start].count('"') % 2:
                opened = self._opened[start + 1]
                message = f"the quotation mark that opens in line {opened} closes here"
                return _Record(start + 1, message)
            if any(cells):
                return _Record(start + 1, cells)

    def _open(self) -> None:
        self._reader = csv.reader(self._feed(), delimiter=self._delimiter, strict=True)

    def _feed(self) -> Iterator[str]:
        while self._next < len(self._lines):
            self._next += 1
            yield self._lines[self._next - 1]

    def _failed(self, start: int, error: str) -> _Record:
        if "end of data" in error or "field limit" in error:
            message = "a quotation mark that opens here is never closed"
            raise file_error(self._path, message, start + 1)
        self._next = start + 1
        self._open()
        return _Record(start + 1, f"is no CSV: {error}")

    def _give_up(self, start: int, column: int) -> _Record:
        """The first line alone as a bad row; those behind it are read as rows of their own."""
        last = self._next
        self._opened[last] = start + 1
        self._next = start + 1
        self._open()
        where = f" in column {self.header[column]!r}" if column < len(self.header) else ""
        message = (
            f"a quotation mark{where} opens here and runs to line {last}, over rows of their own; "
            "close it, or write it twice"
        )
        return _Record(start + 1, message)

    def _swallowing_column(self, cells: Sequence[str]) -> int | None:
        """The column whose cell holds rows rather than lines of text, None where none does."""
        width = len(self.header)
        if width < 2:
            return None
        for column, cell in enumerate(cells):
            pieces = _LINE_ENDS.split(cell)
            if len(pieces) == 1:
                continue
            if any(map(self._is_row, pieces[1:-1])):
                return column
            first, last = (piece.count(self._delimiter) for piece in (pieces[0], pieces[-1]))
            text = pieces[0] + pieces[-1]
            if (first, last) == (width - 1 - column, column) and not self._is_prose(text):
                return column
        return None

    def _is_row(self, line: str) -> bool:
        """Whether a line within a cell has as many cells as the header."""
        if self._delimiter not in line or self._is_prose(line):
            return False
        cells = next(csv.reader([line], delimiter=self._delimiter), [])
        return len(cells) == len(self.header)

    def _is_prose(self, text: str) -> bool:
        """Whether spaces stand behind all delimiters, where those of the header have none."""
        spaced = f"{self._delimiter} "
        if spaced in self._delimiter.join(self.header):
            return False
        return text.count(self._delimiter) == text.count(spaced)
