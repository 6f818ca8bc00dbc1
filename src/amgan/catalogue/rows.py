"""Rows of a CSV, JSONL or Parquet file, each with the place it stands at."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path

from amgan.catalogue.csv_table import read_csv
from amgan.catalogue.raw_table import (
    UTF16_MARKS,
    RawTable,
    column_names,
    file_error,
    named_positions,
    visible,
)
from amgan.catalogue.tidying import tidy
from amgan.errors import InputError
from amgan.files import replacing

TABLE_SUFFIXES = (".csv", ".tsv", ".jsonl", ".parquet")


def read_rows(path: Path) -> RawTable:
    """Read a table of any of `TABLE_SUFFIXES`.

    Raises:
        ValidationError: no such file, no table, two columns of one name, or no rows.
    """
    readers = {
        ".csv": read_csv,
        ".tsv": read_csv,
        ".jsonl": _read_jsonl,
        ".parquet": _read_parquet,
    }
    reader = readers.get(path.suffix.lower())
    if reader is None:
        known = ", ".join(TABLE_SUFFIXES)
        raise file_error(path, f"unknown kind of table {path.suffix!r}; known are {known}")
    try:
        table = reader(path)
    except FileNotFoundError:
        raise file_error(path, "no such file") from None
    except OSError as error:
        raise file_error(path, f"cannot be read ({error})") from error
    if not table.rows and not table.problems:
        raise file_error(path, "the table has no rows")
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


def _read_jsonl(path: Path) -> RawTable:
    records: list[tuple[int, dict[str, object]]] = []
    table = RawTable(path, ())
    with path.open("rb") as lines:
        for row, line in enumerate(lines, 1):
            if row == 1 and line[:2] in UTF16_MARKS:
                raise file_error(path, "is UTF-16; save the table as UTF-8")
            if row == 1:
                line = line.removeprefix(b"\xef\xbb\xbf")
            if not line.strip():
                continue
            try:
                record = json.loads(line.decode(), object_pairs_hook=_tidy_object)
            except UnicodeDecodeError as error:
                shown = visible(line.decode(errors="surrogateescape").strip())
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
        table.add(row, tuple(record.get(name) for name in table.columns))
    return table


def _tidy_object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """A JSON object with tidy names; where one stands twice, the later would hide the earlier."""
    record: dict[str, object] = {}
    for written, value in pairs:
        name = tidy(written).strip()
        if name in record:
            raise ValueError(f"{name!r} stands twice in it")
        record[name] = value
    return record


def _read_parquet(path: Path) -> RawTable:
    import pyarrow
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(path) as source:
            names = [str(name) for name in source.schema_arrow.names]
            table = RawTable(path, column_names(path, names))
            named = named_positions(names)
            row = 1
            for batch in source.iter_batches():
                columns = [batch.column(i).to_pylist() for i in named]
                for cells in zip(*columns, strict=True):
                    table.add(row, cells)
                    row += 1
    except (pyarrow.ArrowException, UnicodeDecodeError) as error:
        raise file_error(path, f"cannot be read as Parquet ({error})") from error
    return table


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
