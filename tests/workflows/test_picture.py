"""Whether the picture counts, asked through the search that serves users."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from amgan.attributes import Change
from amgan.catalogue.records import Catalogue
from amgan.gallery.gallery import Gallery
from amgan.gallery.store import build_gallery
from amgan.images import load_pixels
from amgan.methods.trained import TrainedModel
from amgan.queries.picture_queries import alter_picture
from amgan.search import SearchQuery, SearchService
from amgan.workflows.evaluate import build_untrained
from amgan.workflows.picture import PictureQueries, PictureSample, measure_gallery

SAMPLE = PictureSample(variants=30, own=12, pairs=10)
Shapes = Callable[..., Catalogue]


def ask(catalogue: Catalogue, model: TrainedModel, sample: PictureSample) -> PictureQueries:
    def read(rows: np.ndarray) -> np.ndarray:
        return np.stack([load_pixels(catalogue.images[row], model.images) for row in rows])

    return PictureQueries(catalogue, np.arange(len(catalogue)), read, model.images, sample, seed=3)


def test_measures_are_those_of_single_searches(shapes: Shapes, shape_model: TrainedModel) -> None:
    catalogue = shapes(120)
    service = SearchService(shape_model, Gallery.in_memory(shape_model, catalogue))
    queries = ask(catalogue, shape_model, SAMPLE)
    measures = queries.measure(service, np.arange(len(catalogue)))
    schema, labels = catalogue.schema, catalogue.labels

    def search(
        row: int, attribute: int, value: int, k: int, picture: bytes | None = None
    ) -> list[int]:
        changes = ()
        if attribute >= 0:
            asked = schema.attributes[attribute]
            changes = (Change(asked.name, asked.values[value]),)
        content = picture or catalogue.images[row].read_bytes()
        own = () if picture else (catalogue.item_ids[row],)
        query = SearchQuery(content, changes=changes, k=k, exclude=own)
        return [hit.row for hit in service.search(query).hits]

    hits: dict[str, list[float]] = {}
    for row, attribute, value in zip(
        queries.variants.reference, queries.variants.attribute, queries.variants.value, strict=True
    ):
        found = search(row, attribute, value, 10)
        right = [
            catalogue.products[r] == catalogue.products[row] and labels[r, attribute] == value
            for r in found
        ]
        hits.setdefault(catalogue.products[row] or "", []).append(float(any(right)))
    assert measures.means["variant@10"] == pytest.approx(
        np.mean([np.mean(h) for h in hits.values()])
    )
    assert measures.means["variant_pairs@10"] == pytest.approx(
        np.mean(np.concatenate(list(hits.values())))
    )
    assert measures.products == len(hits) > 1

    own = []
    for row in queries.own.reference.tolist():
        with Image.open(catalogue.images[row]) as picture:
            altered = alter_picture(picture.convert("RGB"), 3, row)
        own.append(row in search(row, -1, -1, 10, altered))
    assert measures.means["self@10"] == pytest.approx(np.mean(own))

    asked = zip(queries.pairs.reference, queries.pairs.attribute, queries.pairs.value, strict=True)
    lists = [set(search(row, attribute, value, 12)) for row, attribute, value in asked]
    overlaps = [len(a & b) / 12 for a, b in zip(lists[0::2], lists[1::2], strict=True)]
    assert measures.means["overlap@12"] == pytest.approx(np.mean(overlaps))
    assert measures.asked == {"variant": len(queries.variants), "self": 12, "overlap": 10}


def test_a_ranking_by_the_picture_and_one_that_ignores_it(
    shapes: Shapes, shape_model: TrainedModel
) -> None:
    """The nearest picture finds itself and shares little; random order does neither."""
    catalogue = shapes(120)
    measures = {}
    for name in ("nearest-picture", "random"):
        model = build_untrained(name, shape_model)
        service = SearchService(model, Gallery.in_memory(model, catalogue))
        measures[name] = ask(catalogue, model, SAMPLE).measure(service, np.arange(120)).means
    assert measures["nearest-picture"]["self@10"] > measures["random"]["self@10"] + 0.3


def test_pictures_that_cannot_be_read_are_counted(
    shapes: Shapes, shape_model: TrainedModel
) -> None:
    catalogue = shapes(30)
    gallery = Gallery.in_memory(shape_model, catalogue)
    for row in (4, 9):
        catalogue.images[row].unlink()
    queries = ask(catalogue, shape_model, PictureSample(0, 30, 0))
    measures = queries.measure(SearchService(shape_model, gallery), np.arange(30))
    assert (measures.unreadable, measures.asked["self"], measures.available["self"]) == (2, 28, 30)


def test_a_gallery_folder_is_measured_with_its_own_model(
    shapes: Shapes, shape_model: TrainedModel, tmp_path: Path
) -> None:
    catalogue = shapes(60)
    build_gallery(tmp_path / "gallery", shape_model, catalogue)
    first, second = (measure_gallery(tmp_path / "gallery", "cpu", SAMPLE) for _ in range(2))
    assert first == second
    assert first.gallery_size == 60
    assert first.means["self@10"] > 0
