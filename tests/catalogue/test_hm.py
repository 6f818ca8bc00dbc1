from __future__ import annotations

import csv
from pathlib import Path

import pytest
from dataset_folders import HM_HEADER, write_hm

from amgan.catalogue.assembly import Checks
from amgan.catalogue.hm import HM_ATTRIBUTES, TOPS_GROUP, load_hm
from amgan.catalogue.validation import ValidationError


def read(root: Path) -> list[dict[str, str]]:
    with (root / "articles.csv").open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def write(root: Path, rows: list[dict[str, str]]) -> None:
    with (root / "articles.csv").open("w", encoding="utf-8", newline="") as lines:
        writer = csv.DictWriter(lines, HM_HEADER)
        writer.writeheader()
        writer.writerows(rows)


def test_articles_become_items(tmp_path: Path) -> None:
    write_hm(tmp_path)
    catalogue, report = load_hm(tmp_path, checks=Checks(strict=True))
    rows = [row for i, row in enumerate(read(tmp_path)) if i != 4]
    assert catalogue.item_ids == tuple(row["article_id"] for row in rows)
    assert catalogue.item_ids[0] == "0108775015"
    assert catalogue.images[0] == tmp_path / "images/010/0108775015.jpg"
    assert catalogue.products == tuple(row["product_code"] for row in rows)
    assert catalogue.schema.names == HM_ATTRIBUTES
    for item, row in zip(catalogue, rows, strict=True):
        for name, value in catalogue.schema.decode(item.labels).items():
            assert value == (None if row[name] in ("Unknown", "undefined") else row[name])
    assert catalogue.fields["detail_desc"][0] == "Jersey top, with\nnarrow straps é."
    assert len(report.tolerated) == report.skipped == 1
    assert report.tolerated[0].row == 10  # descriptions run over two lines


def test_one_group_and_other_attributes(tmp_path: Path) -> None:
    write_hm(tmp_path)
    catalogue, _ = load_hm(
        tmp_path, product_group=TOPS_GROUP, attributes=("colour_group_name", "department_name")
    )
    kinds = set(catalogue.fields["product_type_name"])
    assert kinds == {"T-shirt", "Sweater"}
    assert catalogue.schema.names == ("colour_group_name", "department_name")
    with pytest.raises(ValidationError, match=r"'Shoes'.*the groups are Garment Lower body, Gar"):
        load_hm(tmp_path, product_group="Shoes")


def test_lost_zeros_come_back(tmp_path: Path) -> None:
    write_hm(tmp_path)
    before, _ = load_hm(tmp_path)
    write(
        tmp_path, [{**row, "article_id": row["article_id"].lstrip("0")} for row in read(tmp_path)]
    )
    after, _ = load_hm(tmp_path)
    assert after.digest == before.digest and after.images == before.images


def test_bad_ids_and_missing_columns_are_named(tmp_path: Path) -> None:
    write_hm(tmp_path)
    rows = read(tmp_path)
    for i, bad in enumerate(("", "01087750150", "abc", rows[5]["article_id"])):
        rows[i]["article_id"] = bad
    write(tmp_path, rows)
    _, report = load_hm(tmp_path)
    assert [(e.row, e.value) for e in report.errors] == [
        (2, None),
        (4, "01087750150"),
        (6, "abc"),
        (12, rows[5]["article_id"]),
    ]
    with pytest.raises(ValidationError, match="did you mean 'colour_group_name'"):
        load_hm(tmp_path, attributes=("color_group_name",))


def test_published_count(tmp_path: Path) -> None:
    write_hm(tmp_path)
    with pytest.raises(ValidationError, match="20 articles; the published data set has 105,542"):
        load_hm(tmp_path, checks=Checks(expect_published=True))
