from __future__ import annotations

import csv
import json
import pickle
import struct
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

import numpy as np
import pyarrow
import pytest
from PIL import Image
from pyarrow import parquet

from amgan.attributes import Attribute, AttributeSchema
from amgan.catalogue.table import Several, TableLayout, load_table, save_table
from amgan.catalogue.validation import ValidationError, ValidationReport
from amgan.images import PictureLimits

T = TypeVar("T")
LAYOUT = TableLayout("picture", ("colour", "neck"), "sku", "style", "part")
HEADER = ["sku", "picture", "style", "part", "colour", "neck", "price"]
ROWS = [
    ["a1", "img/a1.png", "s1", "train", "red", "round", "9.90"],
    ["a2", "img/a2.png", "s1", "val", "blue", "", "5"],
    ["a3", "img/a3.png", "", "", "red", "v, deep", ""],
    ["ä4", "img/ä4.png", "s2", "test", "", "round", "x"],
]


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    (tmp_path / "img").mkdir()
    for i, row in enumerate(ROWS):
        Image.new("RGB", (16, 20), (40 * i, 0, 0)).save(tmp_path / row[1])
    return tmp_path


def write_csv(path: Path, rows: Iterable[list[str]], *, encoding: str = "utf-8") -> Path:
    with path.open("w", encoding=encoding, newline="") as lines:
        csv.writer(lines).writerows([HEADER, *rows])
    return path


def write_table(folder: Path, suffix: str) -> Path:
    path = folder / f"shop{suffix}"
    if suffix == ".csv":
        return write_csv(path, ROWS)
    if suffix == ".tsv":
        path.write_text("\n".join("\t".join(row) for row in [HEADER, *ROWS]), "utf-8")
    elif suffix == ".jsonl":
        records = [{k: v for k, v in zip(HEADER, row, strict=True) if v} for row in ROWS]
        path.write_text("\n".join(map(json.dumps, records)), "utf-8")
    else:
        columns = {name: [row[i] or None for row in ROWS] for i, name in enumerate(HEADER)}
        parquet.write_table(pyarrow.table(columns), path)
    return path


def places(report: ValidationReport) -> list[tuple[int | None, str | None, str]]:
    return [(problem.row, problem.column, problem.kind) for problem in report.problems]


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl", ".parquet"])
def test_every_format_reads_the_same(shop: Path, suffix: str) -> None:
    catalogue, report = load_table(write_table(shop, suffix), LAYOUT)
    assert catalogue.name == "shop"
    assert catalogue.item_ids == ("a1", "a2", "a3", "ä4")
    assert catalogue.images == tuple(shop / row[1] for row in ROWS)
    assert catalogue.schema.to_dict() == {
        "colour": ["blue", "red"],
        "neck": ["round", "v, deep"],
    }
    assert catalogue.labels.tolist() == [[1, 0], [0, -1], [1, 1], [-1, 0]]
    assert catalogue.labels.dtype == np.int16
    assert catalogue.products == ("s1", "s1", None, "s2")
    assert catalogue.splits == ("train", "val", None, "test")
    assert catalogue.fields == {"price": ("9.90", "5", None, "x")}
    assert (report.problems, report.kept, report.skipped) == ((), 4, 0)
    assert report.summary() == "kept 4 of 4 rows"


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl", ".parquet"])
def test_what_is_saved_loads_again(shop: Path, suffix: str) -> None:
    catalogue, _ = load_table(write_table(shop, ".csv"), LAYOUT)
    (shop / "elsewhere").mkdir()
    path = shop / "elsewhere" / f"copy{suffix}"
    save_table(catalogue, path)
    layout = TableLayout("image", ("colour", "neck"), "item_id", "product", "split")
    again, report = load_table(path, layout, strict=True)
    assert not report.problems
    assert again.digest == catalogue.digest
    assert again.products == catalogue.products and again.splits == catalogue.splits
    assert again.fields == catalogue.fields
    assert [p.resolve() for p in again.images] == [p.resolve() for p in catalogue.images]
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_without_optional_columns_the_path_is_the_id(shop: Path) -> None:
    catalogue, _ = load_table(write_table(shop, ".csv"), TableLayout("picture", ("neck",)))
    assert catalogue.item_ids == tuple(row[1] for row in ROWS)
    assert catalogue.products == catalogue.splits == (None,) * 4
    assert list(catalogue.fields) == ["sku", "style", "part", "colour", "price"]


def test_numbers_are_read_as_text(shop: Path) -> None:
    columns = {
        "picture": [row[1] for row in ROWS],
        "sku": [10, 11, 12, 13],
        "size": pyarrow.array([38.0, None, float("nan"), 39.5]),
        "new": [True, False, None, True],
        "tags": [["a"], [], None, ["b", "ä"]],
    }
    parquet.write_table(pyarrow.table(columns), shop / "numbers.parquet")
    layout = TableLayout("picture", ("size", "new"), "sku")
    catalogue, _ = load_table(shop / "numbers.parquet", layout)
    assert catalogue.item_ids == ("10", "11", "12", "13")
    assert catalogue.schema.to_dict() == {"size": ["38", "39.5"], "new": ["false", "true"]}
    assert catalogue.labels.tolist() == [[0, 1], [-1, 0], [-1, -1], [1, 1]]
    assert catalogue.fields["tags"] == ('["a"]', "[]", None, '["b", "ä"]')


def test_byte_order_mark_blank_lines_and_semicolons(shop: Path) -> None:
    text = "\ufeffpicture;colour\r\n img/a1.png ; red \r\n\r\n;\r\nimg/a2.png;blue\r\n"
    (shop / "excel.csv").write_text(text, "utf-8", newline="")
    catalogue, report = load_table(shop / "excel.csv", TableLayout("picture", ("colour",)))
    assert catalogue.item_ids == ("img/a1.png", "img/a2.png")
    assert not report.problems
    (shop / "mark.jsonl").write_text('\ufeff{"picture": "img/a1.png", "colour": "red"}\n', "utf-8")
    assert len(load_table(shop / "mark.jsonl", TableLayout("picture", ("colour",)))[0]) == 1


def bomb_png() -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    header = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


@pytest.fixture
def bad_shop(shop: Path) -> Path:
    """Line by line what can be wrong; lines 2 to 5 are sound."""
    Image.new("RGB", (16, 16)).save(shop / "img/whole.jpg", quality=95)
    content = (shop / "img/whole.jpg").read_bytes()
    (shop / "img/cut.jpg").write_bytes(content[: len(content) // 2])
    (shop / "img/text.jpg").write_text("no picture")
    (shop / "img/bomb.png").write_bytes(bomb_png())
    Image.new("RGB", (4, 400)).save(shop / "img/narrow.png")
    Image.new("RGB", (16, 400)).save(shop / "img/long.png")
    bad = [
        ["b6", "img/none.png", "", "", "red", "", ""],
        ["b7", "img/cut.jpg", "", "", "red", "", ""],
        ["b8", "img/text.jpg", "", "", "red", "", ""],
        ["b9", "img/bomb.png", "", "", "red", "", ""],
        ["b10", "img/narrow.png", "", "", "red", "", ""],
        ["b11", "img", "", "", "red", "", ""],
        ["a1", "img/a1.png", "", "", "red", "", ""],
        ["b13", "", "", "", "red", "", ""],
        ["", "img/a1.png", "", "", "red", "", ""],
        ["b15", "img/a1.png", "", "training", "red", "", ""],
        ["b16", "img/a1.png", "", ""],
        ["b17", "img/long.png", "", "", "red", "", ""],
    ]
    return write_csv(shop / "bad.csv", [*ROWS, *bad])


EXPECTED_PLACES = [
    (6, "picture", "missing-picture"),
    (7, "picture", "bad-picture"),
    (8, "picture", "bad-picture"),
    (9, "picture", "bad-picture"),
    (10, "picture", "bad-picture"),
    (11, "picture", "bad-picture"),
    (12, "sku", "duplicate-id"),
    (13, "picture", "missing-value"),
    (14, "sku", "missing-value"),
    (15, "part", "bad-split"),
    (16, None, "bad-row"),
    (17, "picture", "odd-picture"),
]


def test_every_bad_row_is_reported_in_one_go(bad_shop: Path) -> None:
    catalogue, report = load_table(bad_shop, LAYOUT)
    assert catalogue.item_ids == ("a1", "a2", "a3", "ä4", "b17")
    assert (report.kept, report.skipped) == (5, 11)
    assert places(report) == EXPECTED_PLACES
    by_row = {problem.row: problem for problem in report.problems}
    assert all(problem.file == str(bad_shop) for problem in report.problems)
    assert by_row[6].value == str(bad_shop.parent / "img/none.png")
    assert "truncated" in by_row[7].message
    assert "pixels" in by_row[9].message
    assert "4 x 400" in by_row[10].message
    assert "folder" in by_row[11].message
    assert by_row[12].value == "a1" and "row 2" in by_row[12].message
    assert "train, val, test" in by_row[15].message
    assert "4 cells; the header has 7" in by_row[16].message
    assert by_row[17].severity == "warning"


def test_summary_and_json(bad_shop: Path) -> None:
    _, report = load_table(bad_shop, LAYOUT)
    summary = report.summary(examples=2)
    assert summary.startswith("kept 5 of 16 rows, skipped 11\nerrors:\n")
    assert "5 x picture cannot be used (column picture)" in summary
    assert "... and 3 more" in summary
    assert f"{bad_shop}:12: column 'sku', value 'a1': the id stands in row 2 already" in summary
    content = json.loads(report.to_json())
    assert (content["kept"], content["skipped"], len(content["problems"])) == (5, 11, 12)
    assert content["problems"][0]["row"] == 6


def test_strict_raises_once_with_the_first_and_the_count(bad_shop: Path) -> None:
    with pytest.raises(ValueError, match="11 problems") as caught:
        load_table(bad_shop, LAYOUT, strict=True)
    assert isinstance(caught.value, ValidationError)
    assert f"{bad_shop}:6: column 'picture'" in str(caught.value)
    assert str(caught.value).endswith("... and 6 more")
    assert places(caught.value.report) == EXPECTED_PLACES
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_strict_lets_warnings_pass(shop: Path) -> None:
    Image.new("RGB", (16, 400)).save(shop / "img/a1.png")
    catalogue, report = load_table(write_table(shop, ".csv"), LAYOUT, strict=True)
    assert len(catalogue) == 4 and len(report.warnings) == 1


def test_quick_check_only_looks_for_files(bad_shop: Path) -> None:
    catalogue, report = load_table(bad_shop, LAYOUT, check_pictures=False)
    assert [row for row, _, kind in places(report) if "picture" in kind] == [6, 11]
    assert {"b7", "b8", "b9", "b10"} <= set(catalogue.item_ids)


def test_limits_and_workers_reach_the_pictures(shop: Path) -> None:
    with pytest.raises(ValidationError) as caught:
        load_table(write_table(shop, ".csv"), LAYOUT, limits=PictureLimits(min_side=17), workers=1)
    assert "no usable row" in str(caught.value)
    assert len(caught.value.report.errors) == 5


def test_progress_sees_each_distinct_picture(shop: Path) -> None:
    seen: list[tuple[str, int | None]] = []

    def progress(iterable: Iterable[T], description: str, total: int | None = None) -> Iterable[T]:
        seen.append((description, total))
        return iterable

    rows = [*ROWS, ["a5", "img/a1.png", "", "", "red", "", ""]]
    load_table(write_csv(shop / "shop.csv", rows), LAYOUT, progress=progress)
    assert seen == [("checking pictures", 4)]


def test_schema_decides_values_and_order(shop: Path) -> None:
    schema = AttributeSchema(
        (Attribute("neck", ("v, deep", "round", "boat")), Attribute("colour", ("red", "bleu")))
    )
    catalogue, report = load_table(write_table(shop, ".csv"), LAYOUT, schema=schema)
    assert catalogue.schema is schema
    assert catalogue.labels.tolist() == [[1, 0], [-1, -1], [0, 0], [1, -1]]
    assert places(report) == [(3, "colour", "unknown-value"), (None, "colour", "attribute")]
    problem = report.problems[0]
    assert problem.value == "blue" and "did you mean 'bleu'" in problem.message
    assert (report.kept, report.skipped, len(report.labels)) == (4, 0, 1)
    assert "labels left missing:\n  1 x value is not in the schema" in report.summary()
    with pytest.raises(ValidationError, match="unknown value"):
        load_table(shop / "shop.csv", LAYOUT, schema=schema, strict=True)
    with pytest.raises(ValueError, match="the schema has the attributes neck, colour, the layout"):
        load_table(shop / "shop.csv", TableLayout("picture", ("neck",)), schema=schema)


def test_values_are_matched_to_a_schema_as_a_search_matches_them(shop: Path) -> None:
    """Case, spaces and what is invisible do not matter; where they decide, they do."""
    written = ["RED", " dark  Blue", "re\u200bd", "Navy", "38.0", "navy", "NAVY"]
    rows = "".join(f"{i},img/a1.png,{value}\n" for i, value in enumerate(written))
    (shop / "more.csv").write_text("id,picture,colour\n" + rows, "utf-8")
    schema = AttributeSchema((Attribute("colour", ("red", "dark blue", "Navy", "navy", "38")),))
    layout = TableLayout("picture", ("colour",), "id")
    catalogue, report = load_table(shop / "more.csv", layout, schema=schema)
    assert catalogue.labels[:, 0].tolist() == [0, 1, 0, 2, 4, 3, -1]
    assert [(problem.row, problem.value) for problem in report.labels] == [(8, "NAVY")]


def test_look_alikes_are_normalised_or_warned_of(shop: Path) -> None:
    written = ["cafe\u0301", "caf\u00e9", "re\u200bd", "red", "38", "38.0", "red|blue", "blue|red"]
    rows = "".join(f"{i},img/a1.png,{value}\n" for i, value in enumerate([*written, "blue"]))
    (shop / "alike.csv").write_text("id,picture,colour\n" + rows, "utf-8")
    layout = TableLayout("picture", ("colour",), "id")
    catalogue, report = load_table(shop / "alike.csv", layout)
    assert catalogue.schema.to_dict() == {
        "colour": ["38", "38.0", "blue", "blue|red", "caf\u00e9", "red", "red|blue"]
    }
    told = "\n".join(problem.message for problem in report.warnings)
    assert "look alike: 38, 38.0" in told
    assert "look alike: blue|red, red|blue" in told
    assert "several values, such as 'blue|red'; separator '|' takes them apart" in told


@pytest.mark.parametrize(("several", "labels"), [("first", [1, 0, 1, 1]), ("none", [1, 0, -1, -1])])
def test_several_values_in_a_cell(shop: Path, several: Several, labels: list[int]) -> None:
    lines = [
        {"picture": "img/a1.png", "colour": "red"},
        {"picture": "img/a2.png", "colour": "|blue|"},
        {"picture": "img/a3.png", "colour": "red | blue"},
        {"picture": "img/ä4.png", "colour": ["red", "blue"]},
    ]
    (shop / "tags.jsonl").write_text("\n".join(map(json.dumps, lines)), "utf-8")
    layout = TableLayout("picture", ("colour",), separator="|", several=several)
    catalogue, report = load_table(shop / "tags.jsonl", layout)
    assert catalogue.schema.to_dict() == {"colour": ["blue", "red"]}
    assert catalogue.labels[:, 0].tolist() == labels
    (problem, *_) = report.warnings
    assert (problem.kind, problem.message[:29]) == (
        "several-values",
        "2 cells hold several values; ",
    )


def test_a_name_that_stands_twice_in_an_object_hides_nothing(shop: Path) -> None:
    lines = [
        '{"picture": "img/a1.png", "neck": "v", "neck": "round"}',
        '{"picture": "img/a2.png", "neck": "v"}',
    ]
    (shop / "twice.jsonl").write_text("\n".join(lines), "utf-8")
    catalogue, report = load_table(shop / "twice.jsonl", TableLayout("picture", ("neck",)))
    assert catalogue.item_ids == ("img/a2.png",)
    assert "'neck' stands twice" in report.errors[0].message


def test_a_title_is_no_attribute(shop: Path) -> None:
    rows = "".join(f"{i},img/a1.png,shirt no. {i},c{i % 5}\n" for i in range(40))
    (shop / "titles.csv").write_text("id,picture,title,colour\n" + rows, "utf-8")
    layout = TableLayout("picture", ("title", "colour"), "id")
    _, report = load_table(shop / "titles.csv", layout)
    (problem,) = (p for p in report.warnings if p.kind == "attribute")
    assert problem.column == "title" and "40 values in 40 labelled rows" in problem.message


@pytest.mark.parametrize("copies", [False, True])
@pytest.mark.parametrize("decode", [False, True])
def test_a_placeholder_is_warned_of(shop: Path, copies: bool, decode: bool) -> None:
    content = (shop / "img/a1.png").read_bytes()
    for i in range(6):
        (shop / f"img/none-{i}.png").write_bytes(content)
    names = ["img/a2.png", "img/a3.png", *(f"img/none-{i if copies else 0}.png" for i in range(6))]
    rows = "".join(f"{i},{name},c{i % 2}\n" for i, name in enumerate(names))
    (shop / "few.csv").write_text("id,picture,colour\n" + rows, "utf-8")
    layout = TableLayout("picture", ("colour",), "id")
    _, report = load_table(shop / "few.csv", layout, check_pictures=decode)
    (problem,) = (p for p in report.warnings if p.kind == "shared-picture")
    assert "the picture of 6 of 8 rows" in problem.message
    assert problem.value == str(shop / "img/none-0.png")


def test_empty_single_and_nearly_equal_values_are_warned_of(shop: Path) -> None:
    header = "picture,none,one,alike\n"
    rows = "".join(
        f"{row[1]},,x,{v}\n" for row, v in zip(ROWS, ["Red", "red", "blue"], strict=False)
    )
    (shop / "few.csv").write_text(header + rows, "utf-8")
    catalogue, report = load_table(
        shop / "few.csv", TableLayout("picture", ("none", "one", "alike")), strict=True
    )
    assert catalogue.schema.names == ("one", "alike")
    assert [(p.column, p.severity, p.row) for p in report.problems] == [
        ("none", "warning", None),
        ("alike", "warning", None),
        ("one", "warning", None),
    ]
    assert "Red, red" in report.problems[1].message
    with pytest.raises(ValidationError, match="no attribute has a value"):
        load_table(shop / "few.csv", TableLayout("picture", ("none",)))


def test_values_of_bad_rows_are_not_in_the_schema(shop: Path) -> None:
    rows = [*ROWS, ["a9", "img/none.png", "", "", "gold", "", ""]]
    catalogue, _ = load_table(write_csv(shop / "shop.csv", rows), LAYOUT)
    assert catalogue.schema.to_dict()["colour"] == ["blue", "red"]


def test_missing_columns_are_named_with_those_there_are(shop: Path) -> None:
    layout = TableLayout("image", ("color", "neck"), "id")
    with pytest.raises(ValidationError) as caught:
        load_table(write_table(shop, ".csv"), layout)
    text = str(caught.value)
    assert "3 problems" in text
    assert "column 'color': no such column; did you mean 'colour'?" in text
    assert "sku, picture, style, part, colour, neck, price" in text
    assert "--image COLUMN; did you mean --image 'picture'?" in text
    assert "column 'id': no such column; --id names it" in text
    assert len(text.splitlines()) == 4


def test_a_column_of_pictures_is_suggested_by_its_files_else_by_its_name(tmp_path: Path) -> None:
    Image.new("RGB", (16, 20)).save(tmp_path / "a.png")
    table = tmp_path / "tops.csv"
    table.write_text("File,shown,colour\nx,gone.png,red\ny,a.png,blue\n")
    with pytest.raises(ValidationError, match="did you mean --image 'shown'"):
        load_table(table, TableLayout(attributes=("colour",)))
    (tmp_path / "a.png").unlink()
    with pytest.raises(ValidationError, match="did you mean --image 'File'"):
        load_table(table, TableLayout(attributes=("colour",)))


def test_what_remains_of_nothing_is_no_problem_of_its_own(tmp_path: Path) -> None:
    table = tmp_path / "tops.csv"
    table.write_text("image,colour\ngone.png,red\n")
    with pytest.raises(ValidationError) as caught:
        load_table(table, TableLayout(attributes=("colour",)))
    first, second = str(caught.value).splitlines()
    assert first == f"{table}: no usable row remains: 1 problem"
    assert second.startswith(f"  {table}:2: column 'image'")
    table.write_text("image,colour\ngone.png,red\n,blue\n")
    with pytest.raises(ValidationError, match="remains: 2 problems"):
        load_table(table, TableLayout(attributes=("colour",)))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("empty.csv", b"", "the file is empty"),
        ("header.csv", b"picture,neck\n", "no rows"),
        ("twice.csv", b"picture,neck,neck\na,b,c\n", "'neck' stands twice"),
        ("quote.csv", b'picture,neck\na,b\n"a,b\nc,d\n', ":3: a quotation mark"),
        ("utf16.csv", "picture,neck\na,b\n".encode("utf-16"), "is UTF-16"),
        ("header1.csv", "picture,neck,größe\na,b,c\n".encode("latin-1"), "not UTF-8"),
        ("utf16.jsonl", '{"a": 1}'.encode("utf-16"), "is UTF-16"),
        ("empty.jsonl", b"\n\n", "no rows"),
        ("broken.parquet", b"PAR1 and no more", "cannot be read as Parquet"),
        ("empty.parquet", b"", "cannot be read as Parquet"),
        ("table.xlsx", b"PK", "unknown kind of table '.xlsx'; known are .csv, .tsv"),
    ],
)
def test_files_that_are_no_tables(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ValidationError, match=message) as caught:
        load_table(path, TableLayout("picture", ("neck",)))
    assert str(path) in str(caught.value)


def test_missing_table_and_folder(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match=r"none\.csv: no such file"):
        load_table(tmp_path / "none.csv", LAYOUT)
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(ValidationError, match=r"folder\.csv: cannot be read"):
        load_table(tmp_path / "folder.csv", LAYOUT)


def test_rows_in_another_encoding_are_named(shop: Path) -> None:
    lines = [",".join(HEADER), *(",".join(row) for row in [*ROWS[:2], ROWS[3]])]
    (shop / "latin.csv").write_text("\n".join(lines), "latin-1")
    catalogue, report = load_table(shop / "latin.csv", LAYOUT)
    assert catalogue.item_ids == ("a1", "a2")
    assert places(report)[0] == (4, "sku", "bad-row")
    assert "UTF-8" in report.problems[0].message and report.problems[0].value == r"\udce44"


def test_multi_line_cells_keep_row_numbers_right(shop: Path) -> None:
    text = 'picture,neck,note\nimg/a1.png,round,"two\nlines"\nimg/none.png,round,x\n'
    (shop / "lines.csv").write_text(text, "utf-8")
    catalogue, report = load_table(shop / "lines.csv", TableLayout("picture", ("neck",)))
    assert catalogue.fields["note"] == ("two\nlines",)
    assert report.problems[0].row == 4


def test_bad_json_lines_are_named(shop: Path) -> None:
    lines = [
        b'{"picture": "img/a1.png", "neck": "round"}',
        b'{"picture": "img/a2.png", "neck": ',
        b"[1, 2]",
        '{"picture": "img/ä4.png", "neck": "v"}'.encode("latin-1"),
        b'{"picture": "img/a2.png", "neck": ["v", "w"]}',
        b'{"picture": "img/a2.png", "neck": "\\ud800"}',
        b"[" * 100_000,
        b'{"picture": "img/a3.png", "neck": "v"}',
    ]
    (shop / "bad.jsonl").write_bytes(b"\n".join(lines))
    catalogue, report = load_table(shop / "bad.jsonl", TableLayout("picture", ("neck",)))
    assert catalogue.item_ids == ("img/a1.png", "img/a3.png")
    assert places(report) == [
        (2, None, "bad-row"),
        (3, None, "bad-row"),
        (4, None, "bad-row"),
        (5, "neck", "bad-value"),
        (6, "neck", "bad-row"),
        (7, None, "bad-row"),
    ]


def test_bad_quotes_cost_one_row(shop: Path) -> None:
    (shop / "q.csv").write_text('picture,neck\n"img/a1.png"x,r\nimg/a2.png,r\n', "utf-8")
    catalogue, report = load_table(shop / "q.csv", TableLayout("picture", ("neck",)))
    assert catalogue.item_ids == ("img/a2.png",)
    assert places(report)[0] == (2, None, "bad-row")


def test_layout_is_checked() -> None:
    with pytest.raises(ValueError, match="at least one attribute"):
        TableLayout("image")
    with pytest.raises(ValueError, match="'neck' is used twice"):
        TableLayout("image", ("neck", "colour"), item_id="neck")


def test_saving_refuses_two_columns_of_one_name(shop: Path) -> None:
    layout = TableLayout("picture", ("colour",))
    path = write_csv(shop / "shop.csv", ROWS)
    renamed = write_csv(shop / "renamed.csv", ROWS)
    renamed.write_text(path.read_text("utf-8").replace("price", "split"), "utf-8")
    catalogue, _ = load_table(renamed, layout)
    with pytest.raises(ValueError, match="two columns would be called 'split'"):
        save_table(catalogue, shop / "out.csv")
    with pytest.raises(ValueError, match=r"unknown kind of table '\.xls'"):
        save_table(load_table(path, layout)[0], shop / "out.xls")
    assert not list(shop.glob("out*"))


def test_an_attribute_of_too_many_values_is_refused(tmp_path: Path) -> None:
    Image.new("RGB", (16, 16)).save(tmp_path / "a.png")
    rows = "".join(f"{i},a.png,v{i}\n" for i in range(32_768))
    (tmp_path / "t.csv").write_text("id,picture,serial\n" + rows, "utf-8")
    layout = TableLayout("picture", ("serial",), "id")
    with pytest.raises(ValidationError, match="'serial': has 32,768 values; at most 32,767"):
        load_table(tmp_path / "t.csv", layout, check_pictures=False)
