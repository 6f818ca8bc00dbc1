from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from amgan.catalogue.records import Catalogue
from amgan.gallery.encoding.blocks import EncodingOptions
from amgan.gallery.engines import approximate
from amgan.gallery.store import (
    Gallery,
    GalleryError,
    build_gallery,
    load_gallery_model,
    open_gallery,
)
from amgan.gallery.update import update_gallery
from amgan.images import load_pixels
from amgan.methods.trained import TrainedModel
from amgan.search import SearchQuery, SearchService, open_search

Shapes = Callable[..., Catalogue]
ENGINES = ("faiss://exact", "faiss://sq8", "faiss://hnsw?m=8", "faiss://hnsw_sq8?m=8")


def expect(model: TrainedModel, *parts: tuple[Catalogue, list[int]]) -> dict[str, np.ndarray]:
    """Vectors by id, encoded one by one."""
    vectors = {}
    for catalogue, rows in parts:
        for row in rows:
            pixels = load_pixels(catalogue.images[row], model.images)[None]
            vectors[catalogue.item_ids[row]] = model.encode_gallery(pixels)[0]
    return vectors


def check(gallery: Gallery, expected: dict[str, np.ndarray]) -> None:
    assert gallery.item_ids == tuple(expected)
    found = np.array(gallery.vectors)
    np.testing.assert_allclose(found, np.stack(list(expected.values())), rtol=1e-4, atol=1e-5)
    nearest = gallery.engine.search(found, 1)
    np.testing.assert_allclose(nearest.scores, 0, atol=1e-4)
    assert (nearest.rows[:, 0] == np.arange(len(gallery))).all()


@pytest.mark.parametrize("engine", ENGINES)
def test_items_are_added_replaced_and_removed(
    engine: str,
    tmp_path: Path,
    shapes: Shapes,
    shape_model: TrainedModel,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(approximate, "EXACT_FLOATS", 0)
    catalogue, more = shapes(40), shapes(6, 7)
    folder = tmp_path / "gallery"
    before = build_gallery(folder, shape_model, catalogue, engine=engine)
    removed = [catalogue.item_ids[row] for row in (0, 11, 12, 39)]
    new = more.subset([3, 4, 5])  # replaces item-003 to item-005
    other = shapes(8, 8, "new")
    summary = update_gallery(folder, shape_model, add=new, remove=[*removed, "gone"])
    assert (summary.added, summary.replaced, summary.removed) == (0, 3, 4)
    assert summary.unknown == ("gone",)
    kept = [row for row in range(40) if row not in (0, 11, 12, 39, 3, 4, 5)]
    expected = expect(shape_model, (catalogue, kept), (more, [3, 4, 5]))
    check(summary.gallery, expected)
    check(open_gallery(folder, shape_model), expected)
    second = update_gallery(folder, shape_model, add=other)
    assert (second.added, second.replaced, second.removed) == (8, 0, 0)
    check(second.gallery, expected | expect(shape_model, (other, list(range(8)))))
    labels = np.concatenate([catalogue.labels[kept], more.labels[[3, 4, 5]], other.labels])
    assert np.array_equal(second.gallery.labels, labels)
    assert second.gallery[36] == other[0]
    assert second.gallery.engine.name == before.engine.name
    check(before, expect(shape_model, (catalogue, list(range(40)))))  # a reader keeps its version


def test_rows_that_are_the_same_are_not_encoded(
    tmp_path: Path, shapes: Shapes, shape_model: TrainedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalogue, folder = shapes(10), tmp_path / "gallery"
    build_gallery(folder, shape_model, catalogue)
    labels = catalogue.labels.copy()
    labels[1, 1] = 1 - labels[1, 1]
    brands = (*catalogue.fields["brand"][:-1], "other")
    changed = replace(catalogue, labels=labels, fields={"brand": brands})
    repainted = catalogue.images[4]
    repainted.write_bytes(shapes(1, 9).images[0].read_bytes())
    os.utime(repainted, ns=(0, 0))
    seen: list[int] = []
    encode = TrainedModel.encode_gallery

    def count(self: TrainedModel, pixels: Any) -> Any:
        seen.append(len(pixels))
        return encode(self, pixels)

    monkeypatch.setattr(TrainedModel, "encode_gallery", count)
    # An item that is both given, unchanged, and to be removed stays.
    summary = update_gallery(folder, shape_model, add=changed, remove=["item-002", "item-009"])
    assert (summary.added, summary.replaced, summary.unchanged) == (0, 3, 7)
    assert (summary.removed, summary.unknown, sum(seen)) == (0, (), 3)
    monkeypatch.undo()
    kept = [0, 2, 3, 5, 6, 7, 8]
    check(summary.gallery, expect(shape_model, (changed, [*kept, 1, 4, 9])))
    again = update_gallery(folder, shape_model, add=changed, remove=["gone"])
    assert (again.unchanged, again.changed, again.unknown) == (10, False, ("gone",))
    assert again.gallery.folder == summary.gallery.folder


def test_pictures_of_which_nothing_is_recorded_are_encoded_once_more(
    tmp_path: Path, shapes: Shapes, shape_model: TrainedModel
) -> None:
    catalogue, folder = shapes(4), tmp_path / "gallery"
    pixels = np.stack([load_pixels(image, shape_model.images) for image in catalogue.images])
    build_gallery(folder, shape_model, catalogue, pixels=pixels)
    for replaced, unchanged in ((4, 0), (0, 4)):
        summary = update_gallery(folder, shape_model, add=catalogue)
        assert (summary.replaced, summary.unchanged) == (replaced, unchanged)


@pytest.mark.parametrize("engine", ["faiss://hnsw?m=8", "faiss://hnsw_sq8?m=8"])
def test_an_index_with_many_removed_entries_is_built_anew(
    engine: str, tmp_path: Path, shapes: Shapes, shape_model: TrainedModel
) -> None:
    catalogue = shapes(30)
    folder = tmp_path / "gallery"
    build_gallery(folder, shape_model, catalogue, engine=engine)

    def entries(gallery: Gallery) -> list[int]:
        assert gallery.folder is not None
        return list(np.load(gallery.folder / "nodes.npy"))

    summary = update_gallery(folder, shape_model, remove=catalogue.item_ids[:5])
    assert entries(summary.gallery) == [-1] * 5 + list(range(25))
    summary = update_gallery(folder, shape_model, remove=catalogue.item_ids[5:9])
    assert entries(summary.gallery) == list(range(21))
    check(summary.gallery, expect(shape_model, (catalogue, list(range(9, 30)))))


def test_a_replacement_that_cannot_be_decoded_leaves_the_old_item(
    tmp_path: Path, shapes: Shapes, shape_model: TrainedModel
) -> None:
    catalogue, more = shapes(6), shapes(6, 7)
    build_gallery(tmp_path / "gallery", shape_model, catalogue)
    more.images[1].write_bytes(b"no picture")
    summary = update_gallery(tmp_path / "gallery", shape_model, add=more.subset([1, 2]))
    assert (summary.added, summary.replaced, summary.skipped) == (0, 1, 1)
    expected = expect(shape_model, (catalogue, [0, 1, 3, 4, 5]), (more, [2]))
    check(summary.gallery, expected)


def test_everything_may_be_removed_and_come_back(
    tmp_path: Path, shapes: Shapes, shape_model: TrainedModel
) -> None:
    catalogue = shapes(4)
    folder = tmp_path / "gallery"
    build_gallery(folder, shape_model, catalogue)
    summary = update_gallery(folder, shape_model, remove=catalogue.item_ids)
    assert len(summary.gallery) == 0
    service = SearchService(shape_model, summary.gallery)
    assert service.search(SearchQuery(catalogue.images[0])).hits == ()
    again = update_gallery(folder, shape_model, add=catalogue)
    check(again.gallery, expect(shape_model, (catalogue, list(range(4)))))


def test_new_fields_have_no_values_for_old_items(
    tmp_path: Path, shapes: Shapes, shape_model: TrainedModel
) -> None:
    from dataclasses import replace

    old, new = shapes(3), shapes(2, 3, "new")
    new = replace(new, fields={"brand": ("acme", None), "price": ("10", "20")})
    build_gallery(tmp_path / "gallery", shape_model, old)
    gallery = update_gallery(tmp_path / "gallery", shape_model, add=new).gallery
    assert gallery.items.fields(0) == {"brand": old.fields["brand"][0], "price": None}
    assert gallery.items.fields(4) == {"brand": None, "price": "20"}
    rows = gallery.select({"price": ["10", ""]})
    assert rows is not None and rows.tolist() == [0, 1, 2, 3]


def test_an_interrupted_update_goes_on_and_leaves_an_interrupted_build_alone(
    tmp_path: Path, shapes: Shapes, shape_model: TrainedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "gallery"
    build_gallery(folder, shape_model, shapes(5))
    large, new = shapes(12, 2, "large"), shapes(12, 3, "new")
    original = TrainedModel.encode_gallery
    encoded: list[int] = []

    def stop_after(blocks: int) -> None:
        encoded.clear()

        def encode(model: TrainedModel, pixels: np.ndarray) -> np.ndarray:
            if len(encoded) == blocks:
                raise KeyboardInterrupt
            encoded.append(len(pixels))
            return original(model, pixels)

        monkeypatch.setattr(TrainedModel, "encode_gallery", encode)

    stop_after(2)
    with pytest.raises(KeyboardInterrupt):
        build_gallery(folder, shape_model, large, encoding=EncodingOptions(batch_size=4))
    stop_after(1)
    with pytest.raises(KeyboardInterrupt):
        update_gallery(folder, shape_model, add=new, encoding=EncodingOptions(batch_size=4))
    stop_after(99)
    summary = update_gallery(folder, shape_model, add=new, encoding=EncodingOptions(batch_size=4))
    assert encoded == [4, 4]
    assert len(summary.gallery) == 17
    stop_after(99)
    assert (
        len(build_gallery(folder, shape_model, large, encoding=EncodingOptions(batch_size=4))) == 12
    )
    assert encoded == [4]


def test_what_cannot_be_updated_is_named(
    tmp_path: Path, shapes: Shapes, shape_model: TrainedModel, other_shape_model: TrainedModel
) -> None:
    with pytest.raises(GalleryError, match="no gallery here to update"):
        update_gallery(tmp_path / "none", shape_model, remove=["a"])
    build_gallery(tmp_path / "gallery", shape_model, shapes(3))
    with pytest.raises(GalleryError, match="encoded by another model"):
        update_gallery(tmp_path / "gallery", other_shape_model, remove=["item-001"])
    assert len(open_gallery(tmp_path / "gallery")) == 3


def test_a_new_model_is_switched_to_together_with_its_vectors(
    tmp_path: Path, shapes: Shapes, shape_model: TrainedModel, other_shape_model: TrainedModel
) -> None:
    catalogue, folder = shapes(8), tmp_path / "gallery"
    build_gallery(folder, shape_model, catalogue)
    old = open_search(None, folder, "cpu")
    before = [hit.item_id for hit in old.search(SearchQuery(catalogue.images[0])).hits]
    build_gallery(folder, other_shape_model, catalogue)
    new = open_search(None, folder, "cpu")
    assert new.model.identity == other_shape_model.identity
    assert old.model.identity == shape_model.identity
    assert [hit.item_id for hit in old.search(SearchQuery(catalogue.images[0])).hits] == before
    update_gallery(folder, other_shape_model, remove=["item-001"])
    assert load_gallery_model(open_gallery(folder), "cpu").identity == other_shape_model.identity


def test_another_engine_at_opening(
    tmp_path: Path, shapes: Shapes, shape_model: TrainedModel
) -> None:
    folder = tmp_path / "gallery"
    build_gallery(folder, shape_model, shapes(10), engine="faiss://hnsw?m=8")
    assert open_gallery(folder, engine="faiss://exact").engine.name == "faiss://exact"
    wider = open_gallery(folder, engine="faiss://hnsw?m=8&ef_search=200")
    assert wider.engine.name.endswith("ef_search=200")
    with pytest.raises(ValueError, match=r"written for faiss://hnsw.*, not for faiss://sq8"):
        open_gallery(folder, engine="faiss://sq8")
    with pytest.raises(ValueError, match="unknown engine"):
        build_gallery(folder, shape_model, shapes(10), engine="faiss://best")
