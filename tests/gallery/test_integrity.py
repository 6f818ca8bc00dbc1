"""Damage of every file of a gallery, before it is opened and while it is in use."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from amgan.attributes import Change
from amgan.catalogue.records import Catalogue
from amgan.gallery.examine import examine_gallery
from amgan.gallery.gallery import Gallery
from amgan.gallery.integrity import find_damage, record_files
from amgan.gallery.store import GalleryError, build_gallery, open_gallery
from amgan.methods.trained import TrainedModel
from amgan.search import SearchQuery, SearchService

Shapes = Callable[..., Catalogue]
FILES = (
    *("vectors.f32", "items.arrow", "labels.npy", "model.safetensors", "skipped.jsonl"),
    *("index.faiss", "nodes.npy"),
)


@pytest.fixture
def gallery(tmp_path: Path, shapes: Shapes, shape_model: TrainedModel) -> Gallery:
    return build_gallery(tmp_path / "gallery", shape_model, shapes(30), engine="faiss://hnsw?m=8")


def flip(file: Path, place: int) -> None:
    content = bytearray(file.read_bytes())
    content[place % len(content)] ^= 1
    file.write_bytes(content)


@pytest.mark.parametrize("name", [name for name in FILES if name != "skipped.jsonl"])
def test_one_flipped_bit_is_noticed_when_it_is_opened(
    gallery: Gallery, tmp_path: Path, name: str
) -> None:
    assert gallery.folder is not None
    file = gallery.folder / name
    sound = file.read_bytes()
    for place in np.random.default_rng(len(name)).integers(0, len(sound), 8).tolist():
        flip(file, place)
        with pytest.raises(GalleryError, match=rf"{name}: does not hold what was written"):
            open_gallery(tmp_path / "gallery")
        file.write_bytes(sound)
    open_gallery(tmp_path / "gallery")


def test_all_zero_and_shifted_vectors_are_noticed(gallery: Gallery, tmp_path: Path) -> None:
    assert gallery.folder is not None
    file = gallery.folder / "vectors.f32"
    sound, row = file.read_bytes(), 4 * gallery.manifest.dim
    for damaged in (bytes(len(sound)), sound[row:] + sound[:row]):
        file.write_bytes(damaged)
        with pytest.raises(GalleryError, match=r"vectors\.f32: does not hold"):
            open_gallery(tmp_path / "gallery")


@pytest.mark.parametrize("name", ["items.arrow", "labels.npy", "nodes.npy"])
def test_without_digests_damage_is_still_an_error_of_the_gallery(
    gallery: Gallery, tmp_path: Path, name: str
) -> None:
    """As in galleries of older versions: never a crash, and never an error without the file."""
    assert gallery.folder is not None
    forget_digests(gallery.folder)
    file = gallery.folder / name
    file.write_bytes(np.random.default_rng(1).bytes(file.stat().st_size))
    with pytest.raises(GalleryError, match=rf"{name}: damaged"):
        open_gallery(tmp_path / "gallery")


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (np.full((30, 3), 7, np.int16), "has label 7 of attribute 'colour', which has 3 values"),
        (np.full((30, 3), -2, np.int16), "has label -2"),
        (np.zeros((29, 3), np.int16), "29 x 3 labels, the manifest says 30 x 3"),
        (np.zeros((30, 2), np.int16), "30 x 2 labels"),
        (np.zeros((30, 3), np.float32), "not whole numbers"),
        (np.array([None] * 90).reshape(30, 3), "not one array of numbers"),
    ],
)
def test_labels_are_held_against_the_schema(
    gallery: Gallery, tmp_path: Path, labels: np.ndarray, said: str
) -> None:
    assert gallery.folder is not None
    np.save(gallery.folder / "labels.npy", labels, allow_pickle=True)
    forget_digests(gallery.folder)
    with pytest.raises(GalleryError, match=said) as caught:
        open_gallery(tmp_path / "gallery")
    assert "pickle" not in str(caught.value)


@pytest.mark.parametrize("nodes", [np.arange(30) + 5, np.arange(29), np.full(30, -2)])
def test_rows_of_the_index_are_held_against_the_items(
    gallery: Gallery, tmp_path: Path, nodes: np.ndarray
) -> None:
    assert gallery.folder is not None
    np.save(gallery.folder / "nodes.npy", nodes)
    forget_digests(gallery.folder)
    with pytest.raises(GalleryError, match=r"nodes\.npy: damaged"):
        open_gallery(tmp_path / "gallery")


def forget_digests(folder: Path) -> None:
    """Make a version one that was written before digests were kept."""
    file = folder / "gallery.json"
    values = json.loads(file.read_text("utf-8"))
    file.write_text(json.dumps(values | {"files": {}}), "utf-8")


def test_current_may_hold_anything(gallery: Gallery, tmp_path: Path) -> None:
    current = tmp_path / "gallery" / "CURRENT"
    for content in (b"\xff\xfe\x00", b"", b"../../etc", b"0" * 10_000_000):
        current.write_bytes(content)
        with pytest.raises(GalleryError, match="CURRENT: holds"):
            open_gallery(tmp_path / "gallery")


@pytest.mark.parametrize("name", ["CURRENT", "gallery.json", *FILES])
def test_a_pipe_in_a_file_s_place_does_not_wait_for_ever(
    gallery: Gallery, tmp_path: Path, name: str
) -> None:
    assert gallery.folder is not None
    file = tmp_path / "gallery" / name if name == "CURRENT" else gallery.folder / name
    file.unlink()
    os.mkfifo(file)
    with pytest.raises(GalleryError, match=rf"{name}: is not an ordinary file"):
        open_gallery(tmp_path / "gallery")


def test_an_open_gallery_does_not_see_what_happens_to_its_items(
    gallery: Gallery, tmp_path: Path
) -> None:
    opened = open_gallery(tmp_path / "gallery")
    assert opened.folder is not None
    ids, labels = opened.item_ids, np.array(opened.labels)
    for name in ("items.arrow", "labels.npy", "nodes.npy"):
        with (opened.folder / name).open("r+b") as file:
            file.write(os.urandom((opened.folder / name).stat().st_size))
    assert tuple(opened[row].item_id for row in range(len(opened))) == ids
    assert np.array_equal(opened.labels, labels)


@pytest.mark.parametrize("name", ["vectors.f32", "index.faiss"])
def test_a_mapped_file_that_is_cut_short_is_an_error_not_the_end(
    gallery: Gallery, tmp_path: Path, shape_model: TrainedModel, name: str
) -> None:
    opened = open_gallery(tmp_path / "gallery")
    assert opened.folder is not None
    service = SearchService(shape_model, opened)
    query = SearchQuery(item_id="item-003", changes=[Change("colour", "blue")], k=3)
    service.search(query)
    os.truncate(opened.folder / name, 8)
    with pytest.raises(GalleryError, match=f"{name}: was cut to 8 of"):
        service.search(query)


def test_a_gallery_whose_version_was_removed_is_still_searched(
    gallery: Gallery, tmp_path: Path, shape_model: TrainedModel
) -> None:
    opened = open_gallery(tmp_path / "gallery")
    shutil.rmtree(tmp_path / "gallery")
    query = SearchQuery(item_id="item-003", changes=[Change("colour", "blue")], k=3)
    assert len(SearchService(shape_model, opened).search(query).hits) == 3


def test_large_files_are_recorded_in_blocks(
    tmp_path: Path,
) -> None:
    (tmp_path / "large").write_bytes(os.urandom(3500))
    (tmp_path / "empty").touch()
    records = record_files(tmp_path, 1000)
    assert (len(records["large"].sha256), len(records["empty"].sha256)) == (4, 1)


def test_damage_of_a_block_is_told_by_its_place(tmp_path: Path) -> None:
    file = tmp_path / "large"
    file.write_bytes(os.urandom(3500))
    records = record_files(tmp_path, 1000)
    assert list(find_damage(tmp_path, records)) == []
    flip(file, 2345)
    (told,) = find_damage(tmp_path, records)
    assert "from byte 2,000 on" in told


def test_an_examination_tells_all_of_it(
    gallery: Gallery, tmp_path: Path, shape_model: TrainedModel
) -> None:
    folder = tmp_path / "gallery"
    found = examine_gallery(folder, verify_pictures=True)
    assert (found.version, found.items, found.damage) == ("000001", 30, ())
    assert (found.checked, found.missing, found.changed) == (True, 0, 0)
    gallery[4].image.unlink()
    gallery[5].image.write_bytes(gallery[6].image.read_bytes())
    found = examine_gallery(folder, verify_pictures=True)
    assert (found.damage, found.missing, found.changed) == ((), 1, 1)
    assert found.example == gallery[4].image
    assert gallery.folder is not None
    flip(gallery.folder / "vectors.f32", 100)
    flip(gallery.folder / "model.safetensors", -1)
    found = examine_gallery(folder)
    assert any("vectors.f32: does not hold" in sentence for sentence in found.damage)
    assert any("model.safetensors: does not hold" in sentence for sentence in found.damage)
    assert examine_gallery(tmp_path / "none").damage == (f"{tmp_path / 'none'}: no gallery here",)
