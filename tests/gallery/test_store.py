from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from amgan.attributes import AttributeSchema
from amgan.catalogue.records import Catalogue
from amgan.gallery.encoding.blocks import EncodingOptions
from amgan.gallery.store import Gallery, GalleryError, build_gallery, open_gallery
from amgan.images import load_pixels
from amgan.methods.trained import TrainedModel

Shapes = Callable[..., Catalogue]


class Interrupted(Exception):
    pass


def test_a_gallery_holds_what_the_model_gives_for_each_picture(
    tmp_path: Path, shapes: Shapes, shape_model: TrainedModel
) -> None:
    catalogue = shapes(20)
    build_gallery(
        tmp_path / "gallery", shape_model, catalogue, encoding=EncodingOptions(batch_size=8)
    )
    gallery = open_gallery(tmp_path / "gallery", shape_model)
    pixels = np.stack([load_pixels(image, shape_model.images) for image in catalogue.images])
    expected = shape_model.encode_gallery(pixels)
    np.testing.assert_allclose(gallery.vectors, expected, rtol=1e-4, atol=1e-5)
    assert gallery.catalogue.digest == catalogue.digest
    assert gallery.catalogue.images == catalogue.images
    assert gallery.catalogue.products == catalogue.products
    assert gallery.catalogue.fields == catalogue.fields
    assert gallery[3] == catalogue[3]
    assert gallery.image_settings == shape_model.images
    assert gallery.metric == "euclidean"
    assert len(gallery) == 20


def test_decoded_pixels_and_files_and_memory_give_one_gallery(
    tmp_path: Path, shapes: Shapes, shape_model: TrainedModel
) -> None:
    catalogue = shapes(10)
    pixels = np.stack([load_pixels(image, shape_model.images) for image in catalogue.images])
    from_files = build_gallery(tmp_path / "a", shape_model, catalogue)
    from_pixels = build_gallery(tmp_path / "b", shape_model, catalogue, pixels=pixels)
    in_memory = Gallery.in_memory(shape_model, catalogue, pixels)
    for other in (from_pixels, in_memory):
        assert np.array_equal(from_files.vectors, other.vectors)
        assert from_files.item_ids == other.item_ids
        assert np.array_equal(from_files.labels, other.labels)


def test_pictures_that_cannot_be_decoded_are_skipped_and_named(
    tmp_path: Path, shapes: Shapes, shape_model: TrainedModel
) -> None:
    catalogue = shapes(12)
    catalogue.images[4].write_bytes(catalogue.images[4].read_bytes()[:60])
    catalogue.images[9].unlink()
    gallery = build_gallery(
        tmp_path / "gallery", shape_model, catalogue, encoding=EncodingOptions(batch_size=5)
    )
    kept = [row for row in range(12) if row not in (4, 9)]
    assert gallery.item_ids == tuple(catalogue.item_ids[row] for row in kept)
    assert np.array_equal(gallery.labels, catalogue.labels[kept])
    assert gallery.manifest.skipped == 2
    assert gallery.folder is not None
    lines = (gallery.folder / "skipped.jsonl").read_text().splitlines()
    reports = [json.loads(line) for line in lines]
    assert [report["item_id"] for report in reports] == ["item-004", "item-009"]
    assert reports[1]["image"] == str(catalogue.images[9])
    assert "no such file" in reports[1]["reason"]


def test_another_model_is_refused(
    tmp_path: Path, shapes: Shapes, shape_model: TrainedModel, other_shape_model: TrainedModel
) -> None:
    build_gallery(tmp_path / "gallery", shape_model, shapes(5))
    with pytest.raises(GalleryError, match="encoded by another model"):
        open_gallery(tmp_path / "gallery", other_shape_model)
    assert len(open_gallery(tmp_path / "gallery")) == 5


def test_a_catalogue_of_another_schema_is_refused(
    tmp_path: Path, shapes: Shapes, shape_model: TrainedModel
) -> None:
    catalogue = shapes(5)
    values = catalogue.schema.to_dict() | {"shape": ["square", "bar", "star"]}
    other = replace(catalogue, schema=AttributeSchema.from_dict(values))
    with pytest.raises(GalleryError, match="different: shape"):
        build_gallery(tmp_path / "gallery", shape_model, other)


def test_no_gallery_and_no_readable_picture(
    tmp_path: Path, shapes: Shapes, shape_model: TrainedModel
) -> None:
    with pytest.raises(GalleryError, match="no gallery here"):
        open_gallery(tmp_path / "none")
    catalogue = shapes(3)
    build_gallery(tmp_path / "gallery", shape_model, catalogue)
    for image in catalogue.images:
        image.write_bytes(b"no picture")
    with pytest.raises(GalleryError, match=r"no picture could be read; the first is .*000\.png"):
        build_gallery(tmp_path / "gallery", shape_model, catalogue)
    assert len(open_gallery(tmp_path / "gallery", shape_model)) == 3


def test_a_damaged_file_is_noticed(
    tmp_path: Path, shapes: Shapes, shape_model: TrainedModel
) -> None:
    gallery = build_gallery(tmp_path / "gallery", shape_model, shapes(6))
    assert gallery.folder is not None
    for name in ("vectors.f32", "items.arrow", "labels.npy"):
        content = (gallery.folder / name).read_bytes()
        (gallery.folder / name).write_bytes(content[:-4])
        with pytest.raises(GalleryError, match=f"{name}: has .* bytes instead of"):
            open_gallery(tmp_path / "gallery")
        (gallery.folder / name).write_bytes(content)
    (gallery.folder / "labels.npy").unlink()
    with pytest.raises(GalleryError, match=r"labels\.npy: this part of the gallery is gone"):
        open_gallery(tmp_path / "gallery")


@pytest.mark.parametrize(
    "change",
    [
        *("nothing", "picture", "torn journal", "torn vectors"),
        *("wrong journal", "wrong vectors", "no journal at all"),
    ],
)
def test_an_interrupted_build_goes_on_where_it_stopped(
    change: str,
    tmp_path: Path,
    shapes: Shapes,
    shape_model: TrainedModel,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    catalogue = shapes(30)
    catalogue.images[2].write_bytes(b"no picture")
    folder = tmp_path / "gallery"
    encoded: list[int] = []
    original = TrainedModel.encode_gallery

    def stop_after(blocks: int) -> None:
        def encode(model: TrainedModel, pixels: np.ndarray) -> np.ndarray:
            if len(encoded) == blocks:
                raise Interrupted
            encoded.append(len(pixels))
            return original(model, pixels)

        monkeypatch.setattr(TrainedModel, "encode_gallery", encode)

    stop_after(3)
    with pytest.raises(Interrupted):
        build_gallery(folder, shape_model, catalogue, encoding=EncodingOptions(batch_size=5))
    with pytest.raises(GalleryError, match="no gallery here"):
        open_gallery(folder)
    assert encoded == [4, 5, 5]
    journal, vectors = folder / "work-build/journal.jsonl", folder / "work-build/vectors.f32"
    first_again = 15
    if change == "picture":  # one of the second block
        catalogue.images[7].write_bytes(catalogue.images[8].read_bytes())
        first_again = 5
    elif change == "torn journal":
        journal.write_bytes(journal.read_bytes()[:-9])
        first_again = 10
    elif change == "torn vectors":
        vectors.write_bytes(vectors.read_bytes()[:-9])
        first_again = 10
    elif change == "wrong journal":  # another number in the line of the third block
        lines = journal.read_bytes().split(b"\n")
        lines[3] = lines[3].replace(b'"stop": 15', b'"stop": 14')
        journal.write_bytes(b"\n".join(lines))
        first_again = 10
    elif change == "wrong vectors":  # one bit in the second block, of pictures 5 to 9
        content = bytearray(vectors.read_bytes())
        content[4 * shape_model.embedding_dim * 6] ^= 1
        vectors.write_bytes(content)
        first_again = 5
    elif change == "no journal at all":
        journal.write_bytes(b"\xff\x00[]\n{}\nnull\n")
        first_again = 1  # all but the one that is no picture
    encoded.clear()
    stop_after(99)
    resumed = build_gallery(folder, shape_model, catalogue, encoding=EncodingOptions(batch_size=5))
    assert sum(encoded) == 30 - first_again
    whole = build_gallery(
        tmp_path / "other", shape_model, catalogue, encoding=EncodingOptions(batch_size=5)
    )
    assert np.array_equal(resumed.vectors, whole.vectors)
    assert resumed.item_ids == whole.item_ids
    assert resumed.manifest == whole.manifest
    assert not (folder / "work-build").exists()


def test_a_newer_build_replaces_the_gallery_and_readers_keep_theirs(
    tmp_path: Path, shapes: Shapes, shape_model: TrainedModel
) -> None:
    folder = tmp_path / "gallery"
    first = build_gallery(folder, shape_model, shapes(4, 1, "old"))
    kept = np.array(first.vectors)
    for size in (5, 6, 7):
        build_gallery(folder, shape_model, shapes(size, size, "new"))
    assert len(open_gallery(folder)) == 7
    assert np.array_equal(first.vectors, kept)
    assert first.item_ids[0] == "old-000"
    assert sorted(path.name for path in (folder / "versions").iterdir()) == ["000003", "000004"]


def test_only_one_writer_at_a_time(
    tmp_path: Path, shapes: Shapes, shape_model: TrainedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalogue = shapes(4)
    refused: list[str] = []
    original = TrainedModel.encode_gallery

    def encode(model: TrainedModel, pixels: np.ndarray) -> np.ndarray:
        monkeypatch.setattr(TrainedModel, "encode_gallery", original)
        with pytest.raises(GalleryError, match="another process is writing"):
            build_gallery(tmp_path / "gallery", shape_model, catalogue)
        refused.append("second")
        return original(model, pixels)

    monkeypatch.setattr(TrainedModel, "encode_gallery", encode)
    build_gallery(tmp_path / "gallery", shape_model, catalogue)
    assert refused == ["second"]


def test_a_broken_pointer_is_an_error(
    tmp_path: Path, shapes: Shapes, shape_model: TrainedModel
) -> None:
    build_gallery(tmp_path / "gallery", shape_model, shapes(3))
    (tmp_path / "gallery/CURRENT").write_text("../../elsewhere\n")
    with pytest.raises(GalleryError, match="not a version's number"):
        open_gallery(tmp_path / "gallery")


def test_a_model_that_diverged_is_refused(
    tmp_path: Path, shapes: Shapes, shape_model: TrainedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def encode(model: TrainedModel, pixels: np.ndarray) -> np.ndarray:
        vectors = np.zeros((len(pixels), model.embedding_dim), np.float32)
        vectors[2, 1] = np.nan
        return vectors

    monkeypatch.setattr(TrainedModel, "encode_gallery", encode)
    with pytest.raises(GalleryError, match="no finite vector for item 'item-002'"):
        build_gallery(tmp_path / "gallery", shape_model, shapes(4))
