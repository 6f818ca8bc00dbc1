from __future__ import annotations

import json
from pathlib import Path

import pytest
from dataset_folders import write_darn, write_lines

from amgan.catalogue.assembly import Checks
from amgan.catalogue.darn import DARN_ATTRIBUTES, load_darn
from amgan.catalogue.validation import ValidationError

PARTS = {"train": "train", "valid": "val", "test": "test"}


def test_labels_splits_and_gone_pictures(tmp_path: Path) -> None:
    written = write_darn(tmp_path / "DARN")
    catalogue, report = load_darn(tmp_path / "DARN", checks=Checks(strict=True))
    assert len(report.tolerated) == report.skipped == len(written.gone) == 2
    assert catalogue.schema.names == ("clothes category", "clothes color", "sleeve length")
    expected = []
    for part, split in PARTS.items():
        for path, labels in zip(written.paths[part], written.labels[part], strict=True):
            if path not in written.gone:
                named = {a: str(v) for a, v in labels.items()}
                if 2 in labels:
                    named[2] = ["none", "short", "long"][labels[2]]
                expected.append((path, split, [named.get(a) for a in range(3)]))
    found = [
        (item.item_id, item.split, list(catalogue.schema.decode(item.labels).values()))
        for item in catalogue
    ]
    assert found == expected


def test_values_come_from_the_data_in_numeric_order(tmp_path: Path) -> None:
    written = write_darn(tmp_path / "DARN")
    catalogue, _ = load_darn(tmp_path / "DARN")
    seen = {labels[1] for part in written.labels.values() for labels in part if 1 in labels}
    assert catalogue.schema.attributes[1].values == tuple(str(value) for value in sorted(seen))
    assert max(seen) >= 10


def test_meta_file_may_lie_beside_or_lack(tmp_path: Path) -> None:
    write_darn(tmp_path / "DARN")
    inside, _ = load_darn(tmp_path / "DARN")
    (tmp_path / "DARN" / "meta.json").rename(tmp_path / "meta.json")
    beside, _ = load_darn(tmp_path / "DARN")
    assert beside.digest == inside.digest
    (tmp_path / "meta.json").unlink()
    without, _ = load_darn(tmp_path / "DARN")
    assert without.schema.names == DARN_ATTRIBUTES[:3]
    assert without.labels.tolist() == inside.labels.tolist()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", r"meta\.json:1: is no JSON"),
        ('{"FashionAI": {"ATTRIBUTES": ["a"]}}', 'needs "ATTRIBUTES"'),
        ("[]", 'needs "ATTRIBUTES"'),
        ('{"ATTRIBUTES": ["a", "a"]}', "different names"),
        (
            json.dumps(
                {
                    "ATTRIBUTES": ["a", "b", "c"],
                    "ATTRIBUTES_VALUES": {"a": ["x", "x", "x", "x"]},
                }
            ),
            "gives two values of 'a' one name",
        ),
    ],
)
def test_bad_meta_files(tmp_path: Path, content: str, message: str) -> None:
    write_darn(tmp_path / "DARN")
    (tmp_path / "DARN" / "meta.json").write_text(content, "utf-8")
    with pytest.raises(ValidationError, match=message):
        load_darn(tmp_path / "DARN")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("5 0", "write a picture's number, then pairs"),
        ("5", "write a picture's number, then pairs"),
        ("20 0 1", "picture 20 is not among the 20 of filenames_train.txt"),
        ("-1 0 1", "picture -1 is not among"),
        ("5 3 1", "attribute 3 is not among the 3"),
        ("5 0 -2", "value -2 is negative"),
        ("5 0 x", "not made of integers"),
    ],
)
def test_bad_label_lines_are_named(tmp_path: Path, line: str, message: str) -> None:
    write_darn(tmp_path / "DARN")
    file = tmp_path / "DARN" / "label_train.txt"
    lines = file.read_text("utf-8").splitlines()
    lines[5] = line
    write_lines(file, lines)
    catalogue, report = load_darn(tmp_path / "DARN")
    (error,) = report.errors
    assert (error.file, error.row, error.value) == (str(file), 6, line)
    assert message in error.message
    assert catalogue.labels[catalogue.row("pic/train_5.jpg")].tolist() == [-1, -1, -1]
    assert any(
        "1 pictures of filenames_train.txt have no label, number 5" in p.message
        for p in report.warnings
    )


def test_two_labels_for_one_picture(tmp_path: Path) -> None:
    write_darn(tmp_path / "DARN")
    file = tmp_path / "DARN" / "query_test.txt"
    first = file.read_text("utf-8").splitlines()[0].split()
    again = f"{first[0]} {first[1]} {int(first[2]) + 1}"
    with file.open("a", encoding="utf-8") as lines:
        lines.write(f"{again}\n")
    _, report = load_darn(tmp_path / "DARN")
    assert report.errors[0].file == str(file)
    assert f"has the value {first[2]} already" in report.errors[0].message


def test_bare_names_lie_in_pic(tmp_path: Path) -> None:
    written = write_darn(tmp_path / "DARN")
    for part, paths in written.paths.items():
        names = [Path(path).name for path in paths]
        write_lines(tmp_path / "DARN" / f"filenames_{part}.txt", names)
    catalogue, report = load_darn(tmp_path / "DARN")
    assert len(catalogue) == 34 and not report.errors


def test_published_count(tmp_path: Path) -> None:
    write_darn(tmp_path / "DARN")
    with pytest.raises(ValidationError, match="36 pictures; the published data set has 214,619"):
        load_darn(tmp_path / "DARN", checks=Checks(expect_published=True))
