from __future__ import annotations

from pathlib import Path

import pytest
from dataset_folders import CUB_VALUES, write_cub, write_lines

from amgan.catalogue.assembly import Checks
from amgan.catalogue.cub import load_cub
from amgan.catalogue.validation import ValidationError


def naive_label(lines: list[str], picture: int, group: str) -> str | None:
    """The surest visible value of a group, None where there is none or no single one."""
    seen = []
    for line in lines:
        number, value, present, certainty = line.split()[:4]
        name = CUB_VALUES[int(value) - 1]
        if int(number) == picture and name.startswith(group + "::") and present == "1":
            seen.append((int(certainty), name.split("::")[1]))
    seen = [(c, v) for c, v in seen if c > 1]
    best = [v for c, v in seen if c == max(c for c, _ in seen)]
    return best[0] if len(best) == 1 else None


def test_labels_classes_and_splits(tmp_path: Path) -> None:
    write_cub(tmp_path)
    catalogue, report = load_cub(tmp_path, checks=Checks(strict=True))
    assert not report.errors
    lines = (tmp_path / "attributes/image_attribute_labels.txt").read_text("utf-8").splitlines()
    assert catalogue.schema.names == ("has_bill_shape", "has_wing_color", "has_size")
    assert catalogue.schema.num_values == len(CUB_VALUES)
    found = [catalogue.schema.decode(item.labels) for item in catalogue]
    wanted = [
        {name: naive_label(lines, picture, name) for name in catalogue.schema.names}
        for picture in range(1, 13)
    ]
    assert found == wanted
    assert any(None in labels.values() for labels in wanted)
    assert catalogue.splits == ("train", "train", "train", "test") * 3
    assert catalogue.fields["class"][:2] == ("001.Black_footed_Albatross", "002.Laysan_Albatross")
    assert catalogue.images[0].is_file()


def test_undecided_labels_are_counted(tmp_path: Path) -> None:
    write_cub(tmp_path)
    lines = [f"{p} {v} 1 4 1.0" for p in range(1, 13) for v in range(1, 8)]
    lines[0] = "1 1 1 2 1.0"
    write_lines(tmp_path / "attributes/image_attribute_labels.txt", lines[:7])
    catalogue, report = load_cub(tmp_path)
    messages = [p.message for p in report.warnings if "attribute_labels" in p.file]
    assert messages == [
        "has 7 lines; 12 pictures times 7 attributes make 84",
        "3 labels are missing: several values are equally sure",
        "11 pictures have no label",
    ]
    assert (catalogue.labels == -1).all()


def test_words_too_many_are_known_of_the_real_file(tmp_path: Path) -> None:
    write_cub(tmp_path)
    before, _ = load_cub(tmp_path)
    file = tmp_path / "attributes/image_attribute_labels.txt"
    lines = file.read_text("utf-8").splitlines()
    lines[3] = lines[3] + " 0 1.509"
    write_lines(file, lines)
    after, report = load_cub(tmp_path)
    assert after.digest == before.digest and not report.errors


def test_attribute_names_may_lie_beside_the_folder(tmp_path: Path) -> None:
    root = write_cub(tmp_path / "CUB_200_2011")
    before, _ = load_cub(root)
    (root / "attributes/attributes.txt").rename(tmp_path / "attributes.txt")
    assert load_cub(root)[0].digest == before.digest
    write_lines(tmp_path / "attributes.txt", ["1 no separator"])
    with pytest.raises(ValidationError, match="names no attribute"):
        load_cub(root)


@pytest.mark.parametrize(
    ("name", "line", "message"),
    [
        ("images.txt", "picture", "write a number and what it stands for"),
        ("images.txt", "1 b.jpg", "number 1 stands in line 1 already"),
        ("classes.txt", "x y", "write a number"),
        ("image_class_labels.txt", "3 9", "9 is not in classes.txt"),
        ("image_class_labels.txt", "77 1", "picture 77 is not in images.txt"),
        ("train_test_split.txt", "3 2", "2 is not 1 or 0"),
        ("attributes/attributes.txt", "3 has_bill_shape", "group::value"),
        ("attributes/image_attribute_labels.txt", "1 3 2 3 1.0", "present or not"),
        ("attributes/image_attribute_labels.txt", "1 3", "present or not"),
        ("attributes/image_attribute_labels.txt", "99 3 1 3 1.0", "picture 99 is not in images"),
        ("attributes/image_attribute_labels.txt", "1 99 1 3 1.0", "attribute 99 is not in attr"),
    ],
)
def test_bad_lines_are_named(tmp_path: Path, name: str, line: str, message: str) -> None:
    write_cub(tmp_path)
    lines = (tmp_path / name).read_text("utf-8").splitlines()
    lines[2] = line
    write_lines(tmp_path / name, lines)
    _, report = load_cub(tmp_path)
    errors = [e for e in report.errors if (e.file, e.row) == (str(tmp_path / name), 3)]
    assert any(message in error.message for error in errors)


def test_published_counts(tmp_path: Path) -> None:
    write_cub(tmp_path)
    with pytest.raises(ValidationError, match="11,788") as caught:
        load_cub(tmp_path, checks=Checks(expect_published=True))
    assert len(caught.value.report.errors) == 4
