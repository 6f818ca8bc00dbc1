"""Quotation marks that swallow rows, cells that run over lines of text, and `sep=`."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from amgan.catalogue.csv_table import read_csv

HEADER = "sku,picture,colour"
ROWS = ["a1,1.png,red", "a2,2.png,blue", "a3,3.png,red", "a4,4.png,blue", "a5,5.png,red"]


def read(folder: Path, *lines: str, header: str = HEADER) -> tuple[list[object], list[object]]:
    """Rows by line and first cell, and problems by line and message."""
    path = folder / "t.csv"
    path.write_text("\n".join((header, *lines)) + "\n", "utf-8")
    table = read_csv(path)
    rows: list[object] = [(line, cells[0]) for line, cells in table.rows]
    return rows, [(problem.row, problem.message) for problem in table.problems]


@pytest.mark.parametrize(
    ("opening", "closing"),
    [
        ("a2,2.png,\"blue", "a4,4.png,blue\""),
        ("a2,2.png,\"blue", "a4,4\",blue"),  # closes in an earlier column: another number of cells
        ("a2,\"2.png,blue", "a4,4.png\",blue"),
        ("\"a2,2.png,blue", "a4\",4.png,blue"),
        ("a2,\"2.png,blue", "a4,\"4.png\",blue"),
    ],
)  # fmt: skip
def test_a_stray_mark_costs_the_lines_it_stands_in(
    tmp_path: Path, opening: str, closing: str
) -> None:
    rows, problems = read(tmp_path, ROWS[0], opening, ROWS[2], closing, ROWS[4])
    closes = closing.count('"') % 2 == 1
    assert rows == [(2, "a1"), (4, "a3"), *([] if closes else [(5, "a4")]), (6, "a5")]
    assert [line for line, _ in problems] == ([3, 5] if closes else [3])


def test_a_mark_that_swallows_one_row_is_found(tmp_path: Path) -> None:
    rows, problems = read(tmp_path, ROWS[0], 'a2,2.png,"blue', 'a3,3.png,red"', ROWS[3])
    assert rows == [(2, "a1"), (5, "a4")]
    message = problems[0][1]  # type: ignore[index]
    assert "in column 'colour' opens here and runs to line 4" in message
    assert [line for line, _ in problems] == [3, 4]


def test_a_mark_before_sound_quotes_swallows_nothing(tmp_path: Path) -> None:
    rows, problems = read(tmp_path, 'a1,"1.png,red', ROWS[1], 'a3,"3.png",red', ROWS[3])
    assert rows == [(3, "a2"), (4, "a3"), (5, "a4")]
    assert [line for line, _ in problems] == [2]


@pytest.mark.parametrize(
    "note",
    [
        "two\nlines",
        "soft, warm, light\nand dry",
        "care:\nwash, dry, iron\nnever bleach",
        "\n\n",
        "a\r\nb\rc",
        'a "quoted" word\nand more',
    ],
)
def test_text_over_lines_is_a_cell(tmp_path: Path, note: str) -> None:
    path = tmp_path / "t.csv"
    with path.open("w", encoding="utf-8", newline="") as lines:
        csv.writer(lines).writerows([HEADER.split(","), ["a1", note, "red"], ["a2", "x", "blue"]])
    table = read_csv(path)
    assert [cells for _, cells in table.rows] == [("a1", note, "red"), ("a2", "x", "blue")]
    assert table.problems == []


def test_many_stray_marks_cost_their_lines_only(tmp_path: Path) -> None:
    lines = [f'b{i},"{i}.png,red' if i % 3 == 0 else f"b{i},{i}.png,red" for i in range(300)]
    rows, problems = read(tmp_path, *lines, 'last,"x.png",red')
    assert [first for _, first in rows if first != "last"] == [  # type: ignore[misc]
        f"b{i}" for i in range(300) if i % 3
    ]
    assert len(problems) == 100


@pytest.mark.parametrize(
    ("first", "between"), [("sep=;", ";"), ('"sep=|"', "|"), ("SEP=\t", "\t"), ("sep=,,,", ",")]
)
def test_the_line_that_names_the_separator(tmp_path: Path, first: str, between: str) -> None:
    lines = [line.replace(",", between) for line in (HEADER, *ROWS)]
    rows, problems = read(tmp_path, *lines, header=first)
    assert rows == [(line, f"a{line - 2}") for line in range(3, 8)]
    assert problems == []


def test_a_column_may_be_called_like_that_line(tmp_path: Path) -> None:
    rows, _ = read(tmp_path, "a1,1", header="sep=x,n")
    assert rows == [(2, "a1")]


def test_names_of_columns_hold_nothing_invisible(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("sku\u200b,\u2060,cafe\u0301\u00a0size\na,b,c\n", "utf-8")
    table = read_csv(path)
    assert table.columns == ("sku", "caf\u00e9 size")
    assert table.rows == [(2, ("a", "c"))]
