"""What commands say of rows, labels and pictures that cannot be used; galleries that move."""

from __future__ import annotations

import csv
import json
import os
import shutil
from pathlib import Path

import pytest
from tests.conftest import TINY, Call, write_shapes

from amgan.catalogue.table import save_table
from amgan.cli import main
from amgan.gallery.store import open_gallery
from amgan.queries import assign_splits

COLUMNS = ["--attributes", "colour,shape,ground", "--id", "item_id", "--split", "split"]
TRAIN = [*TINY, "-s", "training.epochs=1"]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with 80 shapes, their table, and a run that was trained on it."""
    folder = tmp_path_factory.mktemp("shop")
    save_table(assign_splits(write_shapes(folder / "pictures", 80)), folder / "shapes.csv")
    arguments = ["train", str(folder / "shapes.csv"), *COLUMNS, *TRAIN]
    with pytest.raises(SystemExit) as exited:
        main([*arguments, "--run", str(folder / "run")])
    assert exited.value.code == 0
    return folder


@pytest.fixture
def copied(shop: Path, tmp_path: Path) -> Path:
    """A copy of the shop, to be changed."""
    return Path(shutil.copytree(shop, tmp_path / "shop"))


def rewrite(table: Path, **changes: dict[int, str]) -> Path:
    """Change cells of some rows, counted from 0, by column."""
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for column, values in changes.items():
        for row, value in values.items():
            rows[row][column] = value
    with table.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys(), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return table


@pytest.fixture
def faulty(copied: Path) -> Path:
    """The table with two missing pictures, one damaged one, and a column without any value."""
    table = rewrite(copied / "shapes.csv", image={3: "pictures/none.png", 4: "pictures/no.png"})
    (copied / "pictures" / "item-005.png").write_bytes(b"no picture")
    return table


def test_train_says_what_it_leaves_out(faulty: Path, call: Call) -> None:
    run = faulty.parent / "other"
    code, _, err = call("train", faulty, *COLUMNS, *TRAIN, "--run", run)
    assert code == 0, err
    assert "kept 77 of 80 rows, skipped 3" in err
    assert "2 x picture is missing (column image)" in err
    assert "1 x picture cannot be used" in err
    file = run / "left-out.jsonl"
    assert str(file) in err
    lost = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    assert [problem["kind"] for problem in lost] == ["missing-picture"] * 2 + ["bad-picture"]
    assert lost[0]["row"] == 5 and "item-005" in lost[2]["message"]
    code, _, err = call("evaluate", "--run", run)  # with the same items
    assert code == 0, err


def test_index_says_what_it_leaves_out(faulty: Path, call: Call) -> None:
    run = faulty.parent / "run"
    rewrite(faulty, colour={10: "mauve", 11: " RED"})
    gallery = faulty.parent / "gallery"
    arguments = ("index", faulty, "--run", run, "--gallery", gallery)
    code, out, err = call(*arguments)
    assert (code, out.splitlines()[0]) == (0, f"77 items in {gallery}"), err
    assert "kept 78 of 80 rows, skipped 2" in err
    assert "labels left missing:\n  1 x value is not in the schema (column colour)" in err
    assert str(gallery / "left-out.jsonl") in err
    assert "1 picture could not be read and left out" in err
    opened = open_gallery(gallery)
    labels = [
        opened.schema.decode(opened[opened.row(name)].labels) for name in ("item-010", "item-011")
    ]
    assert [values["colour"] for values in labels] == [None, "red"]
    assert [path.name for path in gallery.glob("*.jsonl")] == ["left-out.jsonl"]


@pytest.mark.parametrize("command", ["train", "index", "update", "prepare", "triplets make"])
def test_strict_ends_with_1_and_changes_nothing(faulty: Path, command: str, call: Call) -> None:
    folder = faulty.parent
    gallery = folder / "gallery"
    assert call("index", "--run", folder / "run", "--gallery", gallery)[0] == 0
    before = sorted(path for path in folder.rglob("*"))
    options: dict[str, tuple[object, ...]] = {
        "train": ("train", faulty, *COLUMNS, *TRAIN, "--run", folder / "new"),
        "index": ("index", faulty, "--run", folder / "run", "--gallery", folder / "new"),
        "update": ("update", faulty, "--gallery", gallery),
        "prepare": ("prepare", faulty, *COLUMNS, *TINY),
        "triplets make": ("triplets", "make", folder / "new.jsonl", faulty, *COLUMNS),
    }
    code, out, err = call(*options[command], "--strict")
    assert (code, out) == (1, ""), err
    assert "2 x picture is missing (column image)" in err
    assert "error: --strict: " in err
    assert sorted(path for path in folder.rglob("*")) == before


def test_strict_passes_where_all_is_well(copied: Path, call: Call) -> None:
    run = copied / "run"
    for arguments in (("prepare", copied / "shapes.csv", *COLUMNS, *TINY), ("index", "--run", run)):
        code, _, err = call(*arguments, "--strict")
        assert (code, "error" in err) == (0, False)


def test_strict_of_no_table_at_all_is_wrong_input(copied: Path, call: Call) -> None:
    code, _, err = call("prepare", copied / "none.csv", *COLUMNS, "--strict")
    assert (code, "none.csv: no such file" in err) == (2, True)


def test_a_column_without_values_is_mentioned(copied: Path, call: Call) -> None:
    table = rewrite(copied / "shapes.csv", ground=dict.fromkeys(range(80), ""))
    code, _, err = call("triplets", "make", copied / "t.jsonl", table, *COLUMNS)
    assert code == 0
    assert "column 'ground': has no value in any row and is left out" in err


def test_update_knows_how_the_table_was_read(copied: Path, tmp_path: Path, call: Call) -> None:
    gallery = tmp_path / "elsewhere" / "gallery"
    table = rewrite(copied / "shapes.csv", colour={1: "red|blue"})
    index = ("index", table, "--run", copied / "run", "--gallery", gallery)
    assert call(*index, "--separator", "|")[0] == 0
    code, out, err = call("update", table, "--gallery", gallery)
    assert (code, out) == (0, "0 added, 80 unchanged\n80 items in the gallery\n"), err
    reading = open_gallery(gallery).manifest.table
    assert reading is not None
    assert (reading.item_id, reading.separator, reading.several) == ("item_id", "|", "first")


def test_update_of_an_older_gallery_wants_the_id_column(
    copied: Path, tmp_path: Path, call: Call
) -> None:
    gallery = tmp_path / "elsewhere" / "gallery"
    assert (
        call("index", copied / "shapes.csv", "--run", copied / "run", "--gallery", gallery)[0] == 0
    )
    file = gallery / "versions" / "000001" / "gallery.json"
    file.write_text(json.dumps(json.loads(file.read_text("utf-8")) | {"table": None}), "utf-8")
    code, _, err = call("update", copied / "shapes.csv", "--gallery", gallery)
    assert (code, "name it with --id" in err) == (2, True)
    update = ("update", copied / "shapes.csv", "--gallery", gallery, "--id", "item_id")
    code, out, err = call(*update, "--split", "split")
    assert (code, out.splitlines()[0]) == (0, "0 added, 80 unchanged"), err


def test_update_keeps_an_item_with_an_unknown_value(copied: Path, call: Call) -> None:
    gallery = copied / "gallery"
    assert (
        call("index", copied / "shapes.csv", "--run", copied / "run", "--gallery", gallery)[0] == 0
    )
    table = rewrite(copied / "shapes.csv", colour={1: "mauve", 2: "RED"}, brand={1: "x", 2: "x"})
    code, out, err = call("update", table, "--gallery", gallery)
    assert (code, out.splitlines()) == (
        0,
        ["0 added, 2 replaced, 78 unchanged", "80 items in the gallery"],
    )
    assert "labels left missing:\n  1 x value is not in the schema (column colour)" in err
    opened = open_gallery(gallery)
    found = [opened.schema.decode(opened[opened.row(f"item-00{i}")].labels) for i in (1, 2)]
    assert [values["colour"] for values in found] == [None, "red"]


def test_content_decides_what_an_update_takes_for_the_same(copied: Path, call: Call) -> None:
    table, gallery = copied / "shapes.csv", copied / "gallery"
    assert call("index", table, "--run", copied / "run", "--gallery", gallery)[0] == 0
    touched, swapped = (copied / "pictures" / f"item-00{i}.png" for i in (1, 2))
    os.utime(touched, ns=(1, 1))
    status = swapped.stat()
    content = bytearray(swapped.read_bytes())
    content[-5] ^= 1  # in the checksum of the last chunk, which decoders do not need
    swapped.write_bytes(content)
    os.utime(swapped, ns=(status.st_atime_ns, status.st_mtime_ns))
    code, out, _ = call("update", table, "--gallery", gallery)
    assert (code, out.splitlines()[0]) == (0, "0 added, 80 unchanged")
    code, out, _ = call("update", table, "--gallery", gallery, "--verify")
    assert (code, out.splitlines()[0]) == (0, "0 added, 1 replaced, 79 unchanged")


def test_a_gallery_that_moves_with_its_pictures_finds_them(
    copied: Path, tmp_path: Path, call: Call
) -> None:
    gallery = copied / "run" / "gallery"
    assert call("index", copied / "shapes.csv", "--run", copied / "run")[0] == 0
    moved = copied.rename(tmp_path / "moved")
    opened = open_gallery(moved / "run" / "gallery")
    assert all(image.is_file() for image in opened.items.images)
    assert not gallery.exists()
    search = ("search", "--item", "item-003", "--json", "-k", 3)
    code, _, err = call(*search, "--gallery", moved / "run" / "gallery")
    assert code == 0, err
    alone = (moved / "run" / "gallery").rename(tmp_path / "alone")
    code, _, err = call(*search, "--gallery", alone)
    assert code == 2 and "item-003.png: no such file" in err
    code, out, err = call("check", alone)
    assert (code, "80 of 80 items not found" not in out) == (0, True)
    assert "80 of 80 pictures not found, such as " in out and "--pictures" in out
    code, _, err = call(*search, "--gallery", alone, "--pictures", moved)
    assert code == 0, err
    code, out, err = call("check", alone, "--pictures", moved)
    assert (code, out) == (0, f"{alone}: version 000001, 80 items, sound\n")
    update = ("update", moved / "shapes.csv", "--gallery", alone, "--pictures", moved)
    code, out, err = call(*update)
    assert (code, out.splitlines()[0]) == (0, "0 added, 80 unchanged"), err


def test_check_ends_with_1_for_a_damaged_gallery(copied: Path, call: Call) -> None:
    gallery = copied / "gallery"
    assert (
        call("index", copied / "shapes.csv", "--run", copied / "run", "--gallery", gallery)[0] == 0
    )
    file = gallery / "versions" / "000001" / "vectors.f32"
    content = bytearray(file.read_bytes())
    content[7] ^= 1
    file.write_bytes(content)
    code, out, _ = call("check", gallery)
    assert (code, "damaged: " in out, "vectors.f32: does not hold" in out) == (1, True, True)
    code, out, _ = call("check", gallery, "--json")
    assert code == 1 and "vectors.f32" in json.loads(out)["damage"][0]
    code, _, err = call("search", "--item", "item-003", "--gallery", gallery)
    assert (code, "the gallery is damaged, write it again" in err) == (2, True)


def test_pictures_may_be_larger_by_setting(
    copied: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AMGAN_CACHE", str(copied / "cache"))
    arguments = ("prepare", copied / "shapes.csv", *COLUMNS, *TINY)
    code, _, err = call(*arguments, "-s", "catalogue.max_pixels=100")
    assert (code, "at most 100 pixels" in err) == (2, True)
    code, _, err = call(*arguments, "-s", "catalogue.max_pixels=576")
    assert code == 0, err
