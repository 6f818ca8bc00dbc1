from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from amgan.attributes import Change
from amgan.catalogue.records import Catalogue
from amgan.errors import NoSuchItemError, QueryError
from amgan.gallery.gallery import Gallery
from amgan.gallery.store import GalleryError, build_gallery
from amgan.images import PictureError, load_pixels
from amgan.methods.model_file import save_model
from amgan.methods.query_arrays import QueryArrays
from amgan.methods.trained import TrainedModel
from amgan.search import SearchQuery, SearchService, open_search

Shapes = Callable[..., Catalogue]


@pytest.fixture
def catalogue(shapes: Shapes) -> Catalogue:
    return shapes(40)


@pytest.fixture
def service(catalogue: Catalogue, shape_model: TrainedModel) -> SearchService:
    return SearchService(shape_model, Gallery.in_memory(shape_model, catalogue))


def rank_naively(service: SearchService, picture: Path, changes: list[str]) -> list[int]:
    """Rows by the distance between E(G(x, h)) and E(y), one pair at a time."""
    schema = service.schema
    indicator = schema.changes_indicator(schema.parse_changes(changes))[None]
    pixels = load_pixels(picture, service.model.images)[None]
    query = service.model.encode_queries(QueryArrays(pixels, indicator))[0].astype(float)
    distances = [float(((v.astype(float) - query) ** 2).sum()) for v in service.gallery.vectors]
    return sorted(range(len(distances)), key=distances.__getitem__)


def test_search_returns_the_nearest_items_in_order(
    service: SearchService, catalogue: Catalogue
) -> None:
    changes = service.schema.parse_changes(["colour=blue", "ground=dark"])
    result = service.search(SearchQuery(catalogue.images[3], changes=changes, k=10))
    expected = rank_naively(service, catalogue.images[3], ["colour=blue", "ground=dark"])
    assert [hit.row for hit in result.hits] == expected[:10]
    assert [hit.rank for hit in result.hits] == list(range(1, 11))
    scores = [hit.score for hit in result.hits]
    assert scores == sorted(scores)
    assert result.candidates == 40
    assert result.prototype is not None and result.prototype.shape == (16, 16, 3)
    assert result.reference.shape == (16, 16, 3)
    assert result.mode == "exact"
    assert set(result.seconds) == {"decode", "encode", "search"}


def test_matches_compare_with_the_wanted_value_or_the_reference(
    service: SearchService, catalogue: Catalogue
) -> None:
    result = service.search(
        SearchQuery(item_id="item-001", changes=(Change("colour", "red"),), k=39)
    )
    reference = catalogue.schema.decode(catalogue.labels[1])
    assert result.changes == (Change("colour", "red", reference["colour"]),)
    assert [attribute.value for attribute in result.attributes] == list(reference.values())
    assert all(attribute.confidence is None for attribute in result.attributes)
    wanted = reference | {"colour": "red"}
    seen = set()
    for hit in result.hits:
        labels = catalogue.schema.decode(catalogue.labels[hit.row])
        assert hit.labels == labels
        for name, value in labels.items():
            expected = None if value is None else value == wanted[name]
            assert hit.matches[name] is expected
            seen.add((name == "colour", expected))
        assert hit.fields == {"brand": catalogue.fields["brand"][hit.row]}
        assert hit.image == catalogue.images[hit.row]
    assert seen == {(True, True), (True, False), (True, None), (False, True), (False, False)}


def test_each_result_knows_whether_it_has_all_that_was_asked_for(
    service: SearchService, catalogue: Catalogue
) -> None:
    """Against a loop over the labels; every fifth colour is missing."""
    schema, changes = service.schema, (Change("colour", "green"), Change("shape", "bar"))
    result = service.search(
        SearchQuery(item_id="item-003", changes=changes, k=39, exclude=["item-004"])
    )
    reference = schema.decode(catalogue.labels[3])
    asked = {"colour": "green", "shape": "bar"}
    seen = set()
    for hit in result.hits:
        labels = schema.decode(catalogue.labels[hit.row])
        states = [None if labels[name] is None else labels[name] == asked[name] for name in asked]
        expected = False if False in states else None if None in states else True
        assert hit.has_wanted is expected
        assert hit.keeps_rest is (labels["ground"] == reference["ground"])
        seen.add(expected)
    assert seen == {True, False, None}
    assert result.matching == sum(hit.has_wanted is True for hit in result.hits)
    some = service.search(
        SearchQuery(item_id="item-003", changes=changes, k=39, filters={"brand": ["acme"]})
    )
    assert some.matching == sum(hit.has_wanted is True for hit in some.hits) < result.matching
    plain = service.search(SearchQuery(item_id="item-003", k=3))
    assert plain.matching is None
    assert all(hit.has_wanted is True for hit in plain.hits)


def test_a_value_that_the_reference_has_already_is_no_change(
    service: SearchService, catalogue: Catalogue
) -> None:
    colour, shape, _ = catalogue.schema.decode(catalogue.labels[1]).values()
    assert colour is not None and shape is not None
    other = "square" if shape == "bar" else "bar"
    same, change = Change("colour", colour), Change("shape", other)
    asked = service.search(SearchQuery(item_id="item-001", changes=(same, change), k=39))
    bare = service.search(SearchQuery(item_id="item-001", changes=(change,), k=39))
    assert asked.changes == bare.changes == (Change("shape", other, shape),)
    assert asked.already == (Change("colour", colour, colour),)
    assert [hit.row for hit in asked.hits] == [hit.row for hit in bare.hits]
    assert all(not hit.has_wanted for hit in asked.hits if hit.labels["colour"] != colour), (
        "it is a wish all the same"
    )
    photo = SearchQuery(catalogue.images[1], changes=(same,), k=3)
    assert service.search(photo).already == (), "nothing is known of a photo"
    told = SearchQuery(catalogue.images[1], changes=(same,), k=3, known={"colour": colour})
    assert service.search(told).already == (Change("colour", colour, colour),)


def test_attributes_of_an_unlabelled_picture_are_predicted(
    service: SearchService, catalogue: Catalogue
) -> None:
    result = service.search(SearchQuery(catalogue.images[1], k=3, known={"shape": "bar"}))
    pixels = load_pixels(catalogue.images[1], service.model.images)[None]
    predicted = service.model.predict_attributes(pixels)
    assert predicted is not None
    colour, shape, ground = result.attributes
    assert (shape.value, shape.confidence) == ("bar", None)
    assert colour.value == ["red", "green", "blue"][int(predicted[0, :3].argmax())]
    assert colour.confidence == pytest.approx(predicted[0, :3].max(), abs=1e-6)
    assert ground.confidence == pytest.approx(predicted[0, 5:].max(), abs=1e-6)
    assert result.hits[0].matches["shape"] is (result.hits[0].labels["shape"] == "bar")
    described = service.describe(catalogue.images[1].read_bytes())
    assert described[0] == colour and described[1].confidence is not None


def test_rank_and_search_are_one_path_for_any_number_of_queries(
    service: SearchService, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("amgan.search.service._QUERIES_A_BLOCK", 16)
    pixels = np.stack([load_pixels(image, service.model.images) for image in catalogue.images])
    target = np.roll(catalogue.labels, 1, axis=0)
    indicator = catalogue.schema.indicator(catalogue.labels, target)
    own = np.arange(40)
    ranking = service.rank(QueryArrays(pixels, indicator, catalogue.labels), 39, exclude=own)
    assert ranking.rows.shape == (40, 39)
    for row in range(0, 40, 3):
        changes = catalogue.schema.changes(catalogue.labels[row].tolist(), indicator[row])
        result = service.search(SearchQuery(item_id=catalogue.item_ids[row], changes=changes, k=39))
        assert [hit.row for hit in result.hits] == ranking.rows[row].tolist()
        assert sorted(ranking.rows[row].tolist()) == [other for other in own if other != row]


def test_exclusions_past_the_end_of_a_small_gallery(service: SearchService) -> None:
    pixels = np.zeros((3, 16, 16, 3), np.uint8)
    indicator = np.zeros((3, service.schema.num_values), np.float32)
    exclude = np.array([[5, 6], [7, -1], [-1, -1]])
    rows = np.array([5, 6, 7])
    ranking = service.rank(QueryArrays(pixels, indicator), 4, exclude=exclude, rows=rows)
    found = [sorted(row) for row in ranking.rows.tolist()]
    assert found == [[-1, -1, -1, 7], [-1, -1, 5, 6], [-1, 5, 6, 7]]
    assert np.isinf(ranking.scores[ranking.rows == -1]).all()
    assert np.isfinite(ranking.scores[ranking.rows >= 0]).all()


def test_paging_filters_and_exclusions(service: SearchService, catalogue: Catalogue) -> None:
    changes = service.schema.parse_changes(["shape=square"])
    picture = catalogue.images[0]
    every = [hit.row for hit in service.search(SearchQuery(picture, changes=changes, k=40)).hits]
    kept = [row for row in every if catalogue.fields["brand"][row] == "acme"]
    filters = {"brand": ["acme"]}
    first = service.search(SearchQuery(picture, changes=changes, k=5, filters=filters))
    second = service.search(SearchQuery(picture, changes=changes, k=5, filters=filters, offset=5))
    assert [hit.row for hit in (*first.hits, *second.hits)] == kept[:10]
    assert [hit.rank for hit in second.hits] == [6, 7, 8, 9, 10]
    assert first.candidates == len(kept)
    excluded = [catalogue.item_ids[row] for row in kept[:3]]
    without = service.search(
        SearchQuery(
            picture, changes=changes, k=99, filters=filters, exclude=[*excluded, "item-002", "gone"]
        )
    )
    assert [hit.row for hit in without.hits] == [row for row in kept[3:] if row != 2]
    assert without.candidates == len(without.hits)
    assert not service.search(
        SearchQuery(picture, changes=changes, k=5, filters={"brand": ["none"]})
    ).hits
    assert not service.search(SearchQuery(picture, changes=changes, k=5, offset=40)).hits


def test_a_method_without_prototype_and_with_inner_products(
    catalogue: Catalogue, posterior_model: TrainedModel
) -> None:
    service = SearchService(posterior_model, Gallery.in_memory(posterior_model, catalogue))
    result = service.search(
        SearchQuery(catalogue.images[0], changes=(Change("colour", "red"),), k=10)
    )
    assert result.prototype is None
    scores = [hit.score for hit in result.hits]
    assert scores == sorted(scores, reverse=True)


def test_what_a_user_gets_wrong_is_named(service: SearchService, catalogue: Catalogue) -> None:
    picture = catalogue.images[0]
    with pytest.raises(ValueError, match="unknown value 'pink' for attribute 'colour'"):
        service.search(SearchQuery(picture, changes=(Change("colour", "pink"),)))
    with pytest.raises(ValueError, match="named more than once"):
        service.search(
            SearchQuery(picture, changes=(Change("colour", "red"), Change("colour", "blue")))
        )
    with pytest.raises(ValueError, match="1 result or more"):
        service.search(SearchQuery(picture, k=0))
    with pytest.raises(ValueError, match="has no item 'item-999'"):
        service.search(SearchQuery(item_id="item-999"))
    with pytest.raises(PictureError, match="not a picture"):
        service.search(SearchQuery(b"no picture at all"))


def test_open_search_from_folders(
    tmp_path: Path,
    catalogue: Catalogue,
    shape_model: TrainedModel,
    other_shape_model: TrainedModel,
) -> None:
    for name, model in (("run", shape_model), ("other", other_shape_model)):
        save_model(tmp_path / name / "model.safetensors", model.method, model.description)
    build_gallery(tmp_path / "gallery", shape_model, catalogue)
    service = open_search(tmp_path / "run", tmp_path / "gallery", "cpu")
    result = service.search(
        SearchQuery(catalogue.images[0], changes=service.schema.parse_changes(["colour=red"]))
    )
    assert len(result.hits) == 12
    with pytest.raises(GalleryError, match="encoded by another model"):
        open_search(tmp_path / "other", tmp_path / "gallery", "cpu")


def test_every_error_names_the_field_it_is_about(
    service: SearchService, catalogue: Catalogue
) -> None:
    start = {"item_id": "item-001"}
    for field, wrong in {
        "changes.colour": {"changes": (Change("colour", "pink"),)},
        "changes.size": {"changes": (Change("size", "small"),)},
        "known.Colour": {"known": {"colour": "red", "Colour": "blue"}},
        "filters.brand name": {"filters": {"brand name": ["acme"]}},
        "filters.shape": {"filters": {"shape": ["round"]}},
        "importance": {"importance": {"colour": 2.0}},
    }.items():
        with pytest.raises(QueryError) as caught:
            service.search(SearchQuery(**start, **wrong))  # type: ignore[arg-type]
        assert caught.value.field == field
    with pytest.raises(NoSuchItemError) as gone:
        service.search(SearchQuery(item_id="item-999"))
    assert (gone.value.item_id, gone.value.field) == ("item-999", "item_id")
    with pytest.raises(QueryError, match="give one of them"):
        SearchQuery(catalogue.images[0], "item-001")
    for field in ("k", "offset"):
        with pytest.raises(QueryError) as caught:
            SearchQuery(item_id="item-001", **{field: -1})  # type: ignore[arg-type]
        assert caught.value.field == field


def test_what_is_known_of_an_item_stands_over_its_own_labels(
    service: SearchService, catalogue: Catalogue
) -> None:
    own = catalogue.schema.decode(catalogue.labels[1])
    other = next(value for value in ("red", "green") if value != own["colour"])
    told = service.search(SearchQuery(item_id="item-001", known={"COLOUR": other}))
    assert told.attributes[0].value == other
    assert [a.value for a in told.attributes[1:]] == list(own.values())[1:]
