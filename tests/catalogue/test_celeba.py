from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from dataset_folders import write_celeba, write_lines

from amgan.catalogue.assembly import Checks
from amgan.catalogue.celeba import load_celeba
from amgan.catalogue.validation import ValidationError


def test_attributes_splits_and_identities(tmp_path: Path) -> None:
    written = write_celeba(tmp_path)
    catalogue, report = load_celeba(tmp_path, checks=Checks(strict=True))
    assert not report.errors
    assert catalogue.schema.to_dict() == {name: ["no", "yes"] for name in written.names}
    assert catalogue.labels.tolist() == ((written.answers + 1) // 2).tolist()
    assert catalogue.splits == tuple(("train", "val", "test")[s] for s in written.splits)
    assert catalogue.products == tuple(str(i) for i in written.identities)
    assert catalogue.item_ids[:2] == ("000001.jpg", "000002.jpg")


def test_flat_folder_and_missing_optional_files(tmp_path: Path) -> None:
    write_celeba(tmp_path / "a")
    flat = tmp_path / "flat"
    flat.mkdir()
    shutil.copy(tmp_path / "a/Anno/list_attr_celeba.txt", flat)
    shutil.copytree(tmp_path / "a/Img/img_align_celeba", flat / "img_align_celeba")
    catalogue, _ = load_celeba(flat)
    assert len(catalogue) == 24
    assert set(catalogue.splits) == set(catalogue.products) == {None}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("000004.jpg 1 1 1 1", "has 4 values; there are 5 attributes"),
        ("000004.jpg 1 1 1 1 0", "write 1 or -1"),
        ("000004.jpg 1 1 1 1 1 1", "has 6 values"),
    ],
)
def test_bad_lines_are_named(tmp_path: Path, line: str, message: str) -> None:
    write_celeba(tmp_path)
    file = tmp_path / "Anno" / "list_attr_celeba.txt"
    lines = file.read_text("utf-8").splitlines()
    lines[5] = line
    write_lines(file, lines)
    catalogue, report = load_celeba(tmp_path)
    (error,) = report.errors
    assert (error.file, error.row) == (str(file), 6) and message in error.message
    assert "000004.jpg" not in catalogue.item_ids


def test_bad_partition_lines_are_named(tmp_path: Path) -> None:
    write_celeba(tmp_path)
    file = tmp_path / "Eval" / "list_eval_partition.txt"
    lines = file.read_text("utf-8").splitlines()
    lines[0], lines[1], lines[2] = "000001.jpg 3", "000002.jpg", "000004.jpg 2"
    write_lines(file, lines)
    catalogue, report = load_celeba(tmp_path)
    assert [(e.file, e.row) for e in report.errors] == [(str(file), row) for row in (1, 2, 4)]
    assert "0 (train), 1 (val), 2 (test)" in report.errors[0].message
    assert "stands here twice" in report.errors[2].message
    assert catalogue.splits[:4] == (None, None, None, "test")
    assert any(
        "3 pictures with attributes are not in this file" in p.message for p in report.warnings
    )


def test_header_is_needed_and_its_count_compared(tmp_path: Path) -> None:
    write_celeba(tmp_path)
    file = tmp_path / "Anno" / "list_attr_celeba.txt"
    lines = file.read_text("utf-8").splitlines()
    write_lines(file, lines[:-1])
    _, report = load_celeba(tmp_path)
    assert any("says 24 pictures; 23 lines follow" in p.message for p in report.warnings)
    write_lines(file, lines[1:])
    with pytest.raises(ValidationError, match="the first line is the number of pictures"):
        load_celeba(tmp_path)
    write_lines(file, [lines[0], "Bald Bald", *lines[2:]])
    with pytest.raises(ValidationError, match="names an attribute twice"):
        load_celeba(tmp_path)


def test_published_counts(tmp_path: Path) -> None:
    write_celeba(tmp_path)
    with pytest.raises(ValidationError, match="202,599") as caught:
        load_celeba(tmp_path, checks=Checks(expect_published=True))
    assert len(caught.value.report.errors) == 4
