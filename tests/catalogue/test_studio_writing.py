"""Rendered catalogues on disk."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from amgan.catalogue.studio import (
    STUDIO_SCHEMA,
    load_garments,
    render_garment,
    sample_garments,
    write_studio_catalogue,
    writing,
)
from amgan.catalogue.studio.sampling import sample_items


def read_rows(table: Path) -> list[dict[str, str]]:
    with table.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def write(folder: Path, n: int = 12, seed: int = 1, **settings: Any) -> Path:
    return write_studio_catalogue(
        folder, n, seed, **{"height": 32, "width": 24, "workers": 1, **settings}
    )


def test_table_names_labels_products_splits_and_pictures(tmp_path: Path) -> None:
    table = write(tmp_path / "studio")
    rows, items = read_rows(table), sample_items(12, 1)
    assert table == tmp_path / "studio" / "catalogue.csv"
    assert list(rows[0]) == [
        "item_id", "image", "product", "split", *STUDIO_SCHEMA.names, "nuisance_seed",
    ]  # fmt: skip
    assert len({row["item_id"] for row in rows}) == 12
    for row, item in zip(rows, items, strict=True):
        assert {name: row[name] for name in STUDIO_SCHEMA.names} == item.garment.values
        assert (row["product"], row["split"]) == (item.product, item.split)
        with Image.open(table.parent / row["image"]) as picture:
            assert picture.size == (24, 32)
            assert picture.format == "JPEG"


def test_png_pictures_are_exact_and_jpeg_pictures_close(tmp_path: Path) -> None:
    for picture_format, tolerance in (("png", 0.0), ("jpeg", 6.0)):
        table = write(tmp_path / picture_format, picture_format=picture_format)
        garments = load_garments(table)
        for row in read_rows(table):
            with Image.open(table.parent / row["image"]) as picture:
                stored = np.asarray(picture, np.float64)
            rendered = render_garment(garments[row["item_id"]], 32, 24)
            assert np.abs(stored - rendered).mean() <= tolerance


def test_missing_labels_are_left_out_of_the_table_only(tmp_path: Path) -> None:
    full, partial = write(tmp_path / "full", 60), write(tmp_path / "partial", 60, missing=0.3)
    cells = [row[name] for row in read_rows(partial) for name in STUDIO_SCHEMA.names]
    assert 0.24 < cells.count("") / len(cells) < 0.36
    assert list(load_garments(partial).values()) == sample_garments(60, 1)
    for with_all, with_some in zip(read_rows(full), read_rows(partial), strict=True):
        assert all(with_some[name] in ("", with_all[name]) for name in STUDIO_SCHEMA.names)
        assert (full.parent / with_all["image"]).read_bytes() == (
            partial.parent / with_some["image"]
        ).read_bytes()


def test_finished_catalogue_is_reused(tmp_path: Path) -> None:
    table = write(tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    assert write(tmp_path) == table
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_interrupted_catalogue_is_continued(tmp_path: Path) -> None:
    table = write(tmp_path)
    contents = {path: path.read_bytes() for path in tmp_path.rglob("*.*")}
    images = [table.parent / row["image"] for row in read_rows(table)]
    kept_at = images[0].stat().st_mtime_ns
    table.unlink()
    images[5].unlink()
    images[7].with_name(images[7].name + ".part").write_bytes(b"half a picture")
    images[7].unlink()
    counted: list[int | None] = []

    def progress(steps: Iterable[Any], description: str, total: int | None) -> Iterable[Any]:
        counted.append(total)
        return steps

    write(tmp_path, progress=progress)
    assert counted == [2]
    assert images[0].stat().st_mtime_ns == kept_at
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.*")} == contents


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"n": 13}, "n 12 there, 13 asked for"),
        ({"seed": 2}, "seed 1 there"),
        ({"height": 40}, "height 32 there"),
        ({"missing": 0.5}, "missing 0.0 there"),
        ({"picture_format": "png"}, "picture_format 'jpeg' there"),
    ],
)
def test_changed_settings_are_noticed(tmp_path: Path, changed: dict[str, Any], named: str) -> None:
    write(tmp_path)
    with pytest.raises(ValueError, match=named):
        write(tmp_path, **changed)


def test_other_peoples_catalogues_are_not_touched(tmp_path: Path) -> None:
    (tmp_path / "catalogue.csv").write_text("image\na.jpg\n", encoding="utf-8")
    with pytest.raises(ValueError, match="not a studio's"):
        write(tmp_path)
    (tmp_path / "studio.json").write_text("{", encoding="utf-8")
    with pytest.raises(ValueError, match="not readable"):
        write(tmp_path)


def test_processes_write_the_same_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "_FEWEST_FOR_WORKERS", 1)
    alone, together = write(tmp_path / "a", 40), write(tmp_path / "b", 40, workers=2)
    for path in alone.parent.rglob("*.*"):
        twin = together.parent / path.relative_to(alone.parent)
        assert twin.read_bytes() == path.read_bytes()
    assert len(list(together.parent.rglob("*"))) == len(list(alone.parent.rglob("*")))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"n": 0}, "cannot draw 0"),
        ({"seed": -1}, "seed -1"),
        ({"height": 8}, "height 8"),
        ({"width": 5000}, "width 5000"),
        ({"missing": 1.0}, "missing 1.0"),
        ({"missing": -0.1}, "missing -0.1"),
        ({"workers": 0}, "0 workers"),
        ({"picture_format": "gif"}, "'gif'"),
    ],
)
def test_bad_arguments_leave_no_trace(
    tmp_path: Path, settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        write(tmp_path / "studio", **settings)
    assert not (tmp_path / "studio").exists()


class TestLoadGarments:
    def test_needs_a_rendered_catalogue(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match=r"garments\.csv does not exist"):
            load_garments(tmp_path / "catalogue.csv")

    def test_names_file_line_and_value(self, tmp_path: Path) -> None:
        table = write(tmp_path, 3)
        garments = tmp_path / "garments.csv"
        lines = garments.read_text("utf-8").splitlines()
        lines[2] = lines[2].replace(lines[2].split(",")[1], "toga")
        garments.write_text("\n".join(lines) + "\n", encoding="utf-8")
        with pytest.raises(ValueError, match=r"garments\.csv, line 3: unknown value 'toga'"):
            load_garments(table)

    def test_refuses_another_schema(self, tmp_path: Path) -> None:
        table = write(tmp_path, 3)
        (tmp_path / "garments.csv").write_text("item_id,hat\na,b\n", encoding="utf-8")
        with pytest.raises(ValueError, match="other columns"):
            load_garments(table)


def test_settings_file_says_what_was_rendered(tmp_path: Path) -> None:
    write(tmp_path)
    settings = json.loads((tmp_path / "studio.json").read_text("utf-8"))
    assert settings["n"] == 12
    assert settings["schema"] == STUDIO_SCHEMA.digest


def test_pictures_change_only_together_with_the_version() -> None:
    """Mean grey of 4 x 4 fields; who changes the drawing raises STUDIO_VERSION and these."""
    wanted = [
        [213, 207, 198, 211, 218, 140, 111, 204, 223, 119, 102, 216, 222, 223, 222, 219],
        [208, 201, 200, 202, 205, 171, 177, 203, 207, 140, 154, 203, 204, 205, 203, 197],
        [229, 223, 218, 235, 226, 137, 132, 225, 228, 128, 126, 233, 221, 164, 165, 227],
    ]
    assert writing.STUDIO_VERSION == 2
    for garment, fields in zip(sample_garments(3, 2026), wanted, strict=True):
        grey = render_garment(garment, 48, 48).mean(axis=2)
        drawn = grey.reshape(4, 12, 4, 12).mean(axis=(1, 3)).ravel()
        assert np.abs(drawn - fields).max() <= 2.0
