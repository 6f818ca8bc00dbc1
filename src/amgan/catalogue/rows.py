"""Rows of a CSV, JSONL or Parquet file, each with the place it stands at."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from amgan.attributes import suggest_name
from amgan.catalogue.validation import Problem, ValidationError
from amgan.errors import InputError
from amgan.files import replacing

TABLE_SUFFIXES = (".csv", ".tsv", ".jsonl", ".parquet")
_DELIMITERS = (",", ";", "\t")
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")

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


def read_rows(path: Path) -> RawTable:
    """Read a table of any of `TABLE_SUFFIXES`.

    Raises:
        ValidationError: no such file, no table, two columns of one name, or no rows.
    """
    readers = {
        ".csv": _read_csv,
        ".tsv": _read_csv,
        ".jsonl": _read_jsonl,
        ".parquet": _read_parquet,
    }
    reader = readers.get(path.suffix.lower())
    if reader is None:
        known = ", ".join(TABLE_SUFFIXES)
        raise _file_error(path, f"unknown kind of table {path.suffix!r}; known are {known}")
    try:
        table = reader(path)
    except FileNotFoundError:
        raise _file_error(path, "no such file") from None
    except OSError as error:
        raise _file_error(path, f"cannot be read ({error})") from error
    if not table.rows and not table.problems:
        raise _file_error(path, "the table has no rows")
    return table


def cell_text(cell: object) -> str | None:
    """A cell as text without spaces around it; None where it is empty, null or not a number."""
    if cell is None:
        return None
    if isinstance(cell, str):
        return cell.strip() or None
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        if math.isnan(cell):
            return None
        return str(int(cell)) if cell.is_integer() else repr(cell)
    if isinstance(cell, bytes):
        return f"<{len(cell)} bytes>"
    if isinstance(cell, list | dict):
        return json.dumps(cell, ensure_ascii=False, default=str)
    return str(cell)


def write_rows(path: Path, columns: Sequence[str], rows: Sequence[Sequence[str | None]]) -> None:
    """Write a table of any of `TABLE_SUFFIXES`; the file appears whole or not at all.

    Raises:
        ValueError: another suffix.
    """
    writers: dict[str, Callable[[Path, Sequence[str], Sequence[Sequence[str | None]]], None]] = {
        ".csv": _write_csv,
        ".tsv": _write_csv,
        ".jsonl": _write_jsonl,
        ".parquet": _write_parquet,
    }
    writer = writers.get(path.suffix.lower())
    if writer is None:
        raise InputError(
            f"{path}: unknown kind of table {path.suffix!r}; known are {', '.join(TABLE_SUFFIXES)}"
        )
    with replacing(path) as temporary:
        writer(temporary, columns, rows)


def _file_error(path: Path, message: str, row: int | None = None) -> ValidationError:
    return ValidationError.of(Problem(str(path), row, None, None, message, "bad-file"))


def _read_csv(path: Path) -> RawTable:
    with path.open("rb") as head:
        if head.read(2) in _UTF16_MARKS:
            raise _file_error(path, "is UTF-16; save the table as UTF-8")
    # Bytes that are no UTF-8 come through as lone surrogates, so that each bad row can be named.
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as lines:
        records = _csv_records(path, lines, _delimiter(path))
        first = next(records, None)
        if first is None:
            raise _file_error(path, "the file is empty; its first line has to name the columns")
        if isinstance(first[1], str):
            raise _file_error(path, f"the header {first[1]}", 1)
        table = RawTable(path, _header(path, first[1]))
        named = [i for i, name in enumerate(first[1]) if name.strip()]
        for row, cells in records:
            if isinstance(cells, str):
                table.reject(row, cells)
            elif len(cells) != len(first[1]):
                table.reject(row, f"has {len(cells)} cells; the header has {len(first[1])}")
            else:
                _add_row(table, row, tuple(cells[i] for i in named))
    return table


def _csv_records(path: Path, lines: Any, delimiter: str) -> Iterator[tuple[int, list[str] | str]]:
    """(line, cells) of each record, or (line, what is wrong with it)."""
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            if "end of data" in str(error) or "field limit" in str(error):
                message = "a quotation mark that opens here is never closed"
                raise _file_error(path, message, line) from None
            yield line, f"is no CSV: {error}"
            continue
        if any(cells):
            yield line, cells


def _delimiter(path: Path) -> str:
    """The one of `_DELIMITERS` that the header uses most."""
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as lines:
        header = lines.readline(1_000_000)
    return max(_DELIMITERS, key=header.count)


def _header(path: Path, cells: Sequence[str]) -> tuple[str, ...]:
    names = [name.strip() for name in cells]
    for name in names:
        if not _is_unicode(name):
            shown = _visible(name)
            raise _file_error(path, f"column name {shown!r} is not UTF-8; save as UTF-8", 1)
        if name and names.count(name) > 1:
            raise _file_error(path, f"column {name!r} stands twice in the header", 1)
    return tuple(name for name in names if name)


def _read_jsonl(path: Path) -> RawTable:
    records: list[tuple[int, dict[str, object]]] = []
    table = RawTable(path, ())
    with path.open("rb") as lines:
        for row, line in enumerate(lines, 1):
            if row == 1 and line[:2] in _UTF16_MARKS:
                raise _file_error(path, "is UTF-16; save the table as UTF-8")
            if row == 1:
                line = line.removeprefix(b"\xef\xbb\xbf")
            if not line.strip():
                continue
            try:
                record = json.loads(line.decode())
            except UnicodeDecodeError as error:
                shown = _visible(line.decode(errors="surrogateescape").strip())
                table.reject(row, f"is not UTF-8 (byte {error.start})", value=shown)
            except (ValueError, RecursionError) as error:
                shown = line.decode().strip()
                table.reject(row, f"is no JSON object ({error})", value=shown)
            else:
                if isinstance(record, dict):
                    records.append((row, record))
                else:
                    table.reject(row, "is no JSON object", value=line.decode().strip())
    table.columns = tuple(dict.fromkeys(name for _, record in records for name in record))
    for row, record in records:
        _add_row(table, row, tuple(record.get(name) for name in table.columns))
    return table


def _read_parquet(path: Path) -> RawTable:
    import pyarrow
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(path) as source:
            names = [str(name) for name in source.schema_arrow.names]
            table = RawTable(path, _header(path, names))
            named = [i for i, name in enumerate(names) if name.strip()]
            row = 1
            for batch in source.iter_batches():
                columns = [batch.column(i).to_pylist() for i in named]
                for cells in zip(*columns, strict=True):
                    _add_row(table, row, cells)
                    row += 1
    except (pyarrow.ArrowException, UnicodeDecodeError) as error:
        raise _file_error(path, f"cannot be read as Parquet ({error})") from error
    return table


def _add_row(table: RawTable, row: int, cells: Cells) -> None:
    for name, cell in zip(table.columns, cells, strict=True):
        if isinstance(cell, str) and not _is_unicode(cell):
            table.reject(row, "is not UTF-8; save the table as UTF-8", name, _visible(cell))
            return
    table.rows.append((row, cells))


def _is_unicode(text: str) -> bool:
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _visible(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()


def _write_csv(path: Path, columns: Sequence[str], rows: Sequence[Sequence[str | None]]) -> None:
    delimiter = "\t" if path.suffix.lower() == ".tsv" else ","
    with path.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.writer(lines, delimiter=delimiter, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(["" if cell is None else cell for cell in cells] for cells in rows)


def _write_jsonl(path: Path, columns: Sequence[str], rows: Sequence[Sequence[str | None]]) -> None:
    with path.open("w", encoding="utf-8") as lines:
        for cells in rows:
            record = {n: cell for n, cell in zip(columns, cells, strict=True) if cell is not None}
            lines.write(json.dumps(record, ensure_ascii=False) + "\n")


def _write_parquet(
    path: Path, columns: Sequence[str], rows: Sequence[Sequence[str | None]]
) -> None:
    import pyarrow
    from pyarrow import parquet

    arrays = [
        pyarrow.array([cells[i] for cells in rows], pyarrow.string()) for i in range(len(columns))
    ]
    parquet.write_table(pyarrow.table(arrays, names=list(columns)), path)
