from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from dataset_folders import CATEGORY_FOLDERS, Shopping, write_lines, write_shopping100k

from amgan.catalogue.assembly import Checks
from amgan.catalogue.shopping100k import SHOPPING100K_ATTRIBUTES, load_shopping100k
from amgan.catalogue.validation import ValidationError

FORMS = ["pairs", "backslashes", "integers", "one-hot", "named one-hot"]
TOPS = ("1_Coat", "2_Jacket", "4_Shirt", "5_T-shirt", "6_Jumper")


def expected_labels(written: Shopping, paths: tuple[str, ...]) -> list[list[int]]:
    rows = [written.paths.index(path) for path in paths]
    columns = [[-1 if v is None else v for v in column] for column in written.labels.values()]
    return [[column[row] for column in columns] for row in rows]


@pytest.mark.parametrize("base", [0, 1])
@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_labels(tmp_path: Path, form: str, base: int) -> None:
    written = write_shopping100k(tmp_path, form, base)
    catalogue, report = load_shopping100k(tmp_path)
    assert not report.errors
    assert catalogue.item_ids == tuple(p for p in written.paths if p.split("/")[1] in TOPS)
    assert catalogue.labels.tolist() == expected_labels(written, catalogue.item_ids)
    assert catalogue.images[0] == tmp_path / "Images" / catalogue.item_ids[0]


def test_schema_has_all_values_and_speaking_names(tmp_path: Path) -> None:
    write_shopping100k(tmp_path)
    catalogue, _ = load_shopping100k(tmp_path)
    schema = catalogue.schema
    assert dict(zip(schema.names, schema.sizes, strict=True)) == SHOPPING100K_ATTRIBUTES
    assert schema.num_values == 151
    assert schema.attributes[0].values[:5] == ("coat", "jacket", "3", "shirt", "t-shirt")
    assert schema.attributes[6].values == ("female", "male")
    assert schema.attributes[1].values == tuple(str(i) for i in range(1, 18))


def test_values_can_be_named(tmp_path: Path) -> None:
    write_shopping100k(tmp_path)
    names = {"pocket": ["none", "chest", "zip", "zip", "back", "flap", "other"]}
    file = tmp_path / "Attributes" / "values.json"
    file.write_text(json.dumps(names), "utf-8")
    catalogue, _ = load_shopping100k(tmp_path)
    assert catalogue.schema.attributes[9].values[:4] == ("1 none", "2 chest", "3 zip", "4 zip")
    for content, message in (
        ('{"pocket": ["a"]}', "'pocket' needs a list of 7 value names"),
        ('{"sleeve": ["a"]}', "unknown attribute 'sleeve'; known are category"),
        ('{"pocket":\n [}', "values.json:2: is no JSON"),
        ("[1]", "as a JSON object"),
    ):
        file.write_text(content, "utf-8")
        with pytest.raises(ValidationError, match=message):
            load_shopping100k(tmp_path)


def test_tops_are_a_choice(tmp_path: Path) -> None:
    written = write_shopping100k(tmp_path)
    catalogue, _ = load_shopping100k(tmp_path, tops_only=False)
    assert catalogue.item_ids == tuple(written.paths)
    assert catalogue.labels.tolist() == expected_labels(written, catalogue.item_ids)


def test_same_number_in_another_folder_is_another_product(tmp_path: Path) -> None:
    write_shopping100k(tmp_path)
    catalogue, _ = load_shopping100k(tmp_path)
    by_product: dict[str | None, set[str]] = {}
    for item in catalogue:
        by_product.setdefault(item.product, set()).add(str(Path(item.item_id).parent))
    assert None not in by_product
    assert all(len(folders) == 1 for folders in by_product.values())


def test_published_counts(tmp_path: Path) -> None:
    write_shopping100k(tmp_path)
    _, report = load_shopping100k(tmp_path)
    counts = [p.message for p in report.warnings if p.kind == "count"]
    assert counts == [
        "36 pictures; the published data set has 101,021",
        "30 tops; the published data set has 57,834",
    ]
    with pytest.raises(ValidationError, match="57,834"):
        load_shopping100k(tmp_path, checks=Checks(expect_published=True))


def test_lines_need_an_image_list(tmp_path: Path) -> None:
    write_shopping100k(tmp_path, "integers")
    (tmp_path / "Attributes" / "images.txt").rename(tmp_path / "imgs.txt")
    assert load_shopping100k(tmp_path)[1].kept == 30
    (tmp_path / "imgs.txt").unlink()
    with pytest.raises(ValidationError, match=r"category\.txt: names no pictures"):
        load_shopping100k(tmp_path)


def test_labels_of_other_pictures_are_noticed_by_the_folders(tmp_path: Path) -> None:
    written = write_shopping100k(tmp_path, "integers")
    shifted = [written.paths[-1], *written.paths[:-1]]
    write_lines(tmp_path / "Attributes" / "images.txt", shifted)
    with pytest.raises(ValidationError, match=r"category\.txt:1: .*the folder of") as caught:
        load_shopping100k(tmp_path)
    assert len(caught.value.report.errors) == 36


def test_one_label_against_its_folder_costs_one_item(tmp_path: Path) -> None:
    written = write_shopping100k(tmp_path)
    file = tmp_path / "Attributes" / "category.txt"
    lines = file.read_text("utf-8").splitlines()
    lines[1] = f"{written.paths[1]} 5"
    write_lines(file, lines)
    catalogue, report = load_shopping100k(tmp_path)
    assert written.paths[1] not in catalogue.item_ids
    (error,) = report.errors
    assert (error.file, error.row, error.column) == (str(file), 2, "category")
    assert "says category 2" in error.message
    with pytest.raises(ValidationError, match=r"category\.txt:2"):
        load_shopping100k(tmp_path, checks=Checks(strict=True))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{path} 18", "values are 1 to 17, or -1"),
        ("{path} 0", "values are 1 to 17, or -1"),
        ("{path} red", "write a path and a value"),
        ("7", "write a path and a value"),
        ("{path}", "write a path and a value"),
        ("{path} 1 0 0", "has 3 numbers; write one value or 17 zeros and ones"),
        ("{path} 1 1 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0", "a single 1 among zeros"),
        ("Female/5_T-shirt/9999999_1.jpg 3", "category.txt does not name this picture"),
    ],
)
def test_bad_lines_are_named_and_leave_the_label_missing(
    tmp_path: Path, line: str, message: str
) -> None:
    written = write_shopping100k(tmp_path)
    file = tmp_path / "Attributes" / "collar.txt"
    lines = file.read_text("utf-8").splitlines()
    lines[3] = line.format(path=written.paths[3])
    write_lines(file, lines)
    catalogue, report = load_shopping100k(tmp_path, tops_only=False)
    (error,) = report.errors
    assert (error.file, error.row) == (str(file), 4)
    assert message in error.message
    wanted = np.array(expected_labels(written, catalogue.item_ids))
    wanted[3, 1] = -1
    assert np.array_equal(catalogue.labels, wanted)


def test_a_path_labelled_twice(tmp_path: Path) -> None:
    written = write_shopping100k(tmp_path)
    file = tmp_path / "Attributes" / "fit.txt"
    lines = file.read_text("utf-8").splitlines()
    first = 1 if written.labels["fit"][0] is None else written.labels["fit"][0] + 1
    write_lines(file, [*lines, lines[1], f"{written.paths[0]} {first % 15 + 1}"])
    _, report = load_shopping100k(tmp_path)
    (error,) = report.errors
    assert (error.row, error.message) == (38, "line 1 labels this picture otherwise")


def test_paths_off_the_layout_are_named(tmp_path: Path) -> None:
    write_shopping100k(tmp_path, "integers")
    file = tmp_path / "Attributes" / "images.txt"
    lines = file.read_text("utf-8").splitlines()
    lines[2] = "Images/Kids/4_Shirt/0000000_2.jpg"
    lines[3] = "Images/Male/17_Hat/0000000_2.jpg"
    write_lines(file, lines)
    catalogue, report = load_shopping100k(tmp_path)
    assert [(e.row, e.column) for e in report.errors] == [(3, "image"), (4, "image")]
    assert len(catalogue) == 28
    assert sum(CATEGORY_FOLDERS[1] in path for path in catalogue.item_ids) == 6


def test_genders_keep_their_numbers_where_folders_disagree(tmp_path: Path) -> None:
    written = write_shopping100k(tmp_path, "integers")
    swapped = [2 - i % 2 for i in range(len(written.paths))]
    write_lines(tmp_path / "Attributes" / "gender.txt", [str(number) for number in swapped])
    catalogue, report = load_shopping100k(tmp_path, tops_only=False)
    assert catalogue.schema.attributes[6].values == ("1", "2")
    (doubt,) = [p for p in report.warnings if p.column == "gender"]
    assert doubt.file == str(tmp_path / "Attributes" / "gender.txt")
    assert "do not agree with the Female and Male folders" in doubt.message
    assert catalogue.labels[:, 6].tolist() == [number - 1 for number in swapped]
