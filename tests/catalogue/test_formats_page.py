"""The examples of docs/formats.md run, and the page names every reader and kind of problem."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, get_args

import pytest
from dataset_folders import write_lines, write_picture

from amgan.catalogue.assembly import Checks
from amgan.catalogue.readers import READERS, Reader
from amgan.catalogue.table import TableLayout, load_table
from amgan.catalogue.validation import Kind, Severity, ValidationError
from amgan.images import PICTURE_FORMATS

PAGE = (Path(__file__).parents[2] / "docs" / "formats.md").read_text("utf-8")


def block(heading: str, language: str) -> str:
    section = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    found = re.search(rf"```{language}\n(.*?)```", section, re.DOTALL)
    assert found is not None
    return found[1]


@pytest.fixture
def load_photos() -> Reader:
    names: dict[str, Any] = {}
    exec(compile(block("Adding a reader", "python"), "formats.md", "exec"), names)
    reader: Reader = names["load_photos"]
    return reader


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    for i, name in enumerate(("p1", "p2", "p3")):
        write_picture(tmp_path / "photos" / f"{name}.jpg", i)
    lines = ["p1 colour=red neck=round", "p2 neck=v colour=blue", "p3 colour=red"]
    write_lines(tmp_path / "labels.txt", lines)
    return tmp_path


def test_example_reader_reads(load_photos: Reader, photos: Path) -> None:
    catalogue, report = load_photos(photos, checks=Checks(strict=True, expect_published=True))
    assert not report.problems
    assert catalogue.item_ids == ("p1", "p2", "p3")
    assert catalogue.schema.to_dict() == {"colour": ["blue", "red"], "neck": ["round", "v"]}
    assert catalogue.labels.tolist() == [[1, 0], [0, 1], [1, -1]]


def test_example_reader_names_what_is_wrong(load_photos: Reader, photos: Path) -> None:
    write_lines(photos / "labels.txt", ["p1 colour=red", "p2 collar=v", "p1 neck=v", "p4 neck=v"])
    _, report = load_photos(photos)
    assert [(e.row, e.kind) for e in report.errors] == [
        (2, "bad-row"),
        (3, "duplicate-id"),
        (4, "missing-picture"),
    ]
    (photos / "labels.txt").unlink()
    with pytest.raises(ValidationError, match=r"labels\.txt: no such file"):
        load_photos(photos)


def test_example_table_loads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "shop.csv").write_text(block("Your own catalogue", "csv"), "utf-8")
    for i, name in enumerate(("a1", "a2", "a3")):
        write_picture(tmp_path / "img" / f"{name}.jpg", i)
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"print": lambda text: None}
    exec(compile(block("Your own catalogue", "python"), "formats.md", "exec"), names)
    catalogue = names["catalogue"]
    assert catalogue.labels.tolist() == [[1, 0], [0, -1], [1, 1]]
    assert catalogue.products == ("s1", "s1", "s2") and catalogue.splits[2] is None


def test_picture_folder_with_metadata_loads(tmp_path: Path) -> None:
    write_picture(tmp_path / "0.jpg", 0)
    write_lines(tmp_path / "metadata.jsonl", ['{"file_name": "0.jpg", "colour": "red"}'])
    catalogue, _ = load_table(tmp_path / "metadata.jsonl", TableLayout("file_name", ("colour",)))
    assert catalogue.item_ids == ("0.jpg",)


def test_every_reader_kind_severity_and_picture_format_is_on_the_page() -> None:
    for name in READERS:
        assert f"load_{name}(" in PAGE
    for word in (*get_args(Kind), *get_args(Severity)):
        assert f"`{word}`" in PAGE, word
    for name in PICTURE_FORMATS:
        if name != "MPO":  # a JPEG with further pictures behind the first
            assert name.lower() in PAGE.lower()


def test_links_within_the_page_lead_somewhere() -> None:
    headings = re.findall(r"^#+ (.*)$", PAGE, re.MULTILINE)
    anchors = {re.sub(r"[^\w\- ]", "", h).strip().lower().replace(" ", "-") for h in headings}
    targets = re.findall(r"\]\(#([^)]*)\)", PAGE)
    assert targets and set(targets) <= anchors
