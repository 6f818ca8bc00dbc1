"""Wishes beyond changes: what is met comes first, what may not be is left out."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from amgan.attributes import Change
from amgan.catalogue.records import Catalogue
from amgan.errors import QueryError
from amgan.gallery.engines.protocol import NO_ROW, Neighbours, Rows
from amgan.gallery.gallery import Gallery
from amgan.images import load_pixels
from amgan.methods.query_arrays import QueryArrays
from amgan.methods.trained import TrainedModel
from amgan.search import SearchQuery, SearchService
from amgan.search.wishes import VISIBLE_STEP, lean, rank_by_wishes
from amgan.search.words import wish_in_words, word_fields
from amgan.words import WordReader

Shapes = Callable[..., Catalogue]
SIZES = {"shape": ["bar", "square"]}  # an order that an owner states


@pytest.fixture
def service(shapes: Shapes, shape_model: TrainedModel) -> SearchService:
    gallery = Gallery.in_memory(shape_model, shapes(40))
    return SearchService(shape_model, gallery, orders=SIZES)


def lightness(service: SearchService, row: int) -> float:
    return float(service.gallery.items.colours[row, 0])


@pytest.mark.parametrize("direction", ["more", "less"])
def test_lighter_and_darker_items_come_first(service: SearchService, direction: str) -> None:
    order = np.argsort(service.gallery.items.colours[:, 0])
    start = int(order[len(order) // 2])
    own = lightness(service, start)
    sign = 1 if direction == "more" else -1
    query = SearchQuery(
        item_id=service.gallery.item_ids[start], relative={"lightness": direction}, k=39
    )
    gained = [sign * (lightness(service, hit.row) - own) for hit in service.search(query).hits]
    steps = [0 if g >= VISIBLE_STEP else 1 if g > 0 else 2 for g in gained]
    assert steps == sorted(steps)
    assert steps[0] == 0 and steps[-1] == 2
    assert len(gained) == 39


def test_an_item_that_misses_another_wish_has_not_all_that_was_asked_for(
    service: SearchService,
) -> None:
    """Darker and of another shape, against a loop over labels and measured colours."""
    order = np.argsort(service.gallery.items.colours[:, 0])
    start = int(order[-3])
    own = service.schema.decode(service.gallery.labels[start])
    other = "bar" if own["shape"] == "square" else "square"
    query = SearchQuery(
        item_id=service.gallery.item_ids[start],
        changes=(Change("shape", other),),
        relative={"lightness": "less"},
        avoid={"colour": ["red"]},
        k=39,
    )
    result = service.search(query)
    seen = set()
    for hit in result.hits:
        darker = lightness(service, start) - lightness(service, hit.row) >= VISIBLE_STEP
        met = darker and hit.labels["colour"] != "red" and hit.labels["shape"] == other
        assert hit.has_wanted is met
        assert hit.keeps_rest is (hit.labels["ground"] == own["ground"]), "not the colour"
        seen.add(met)
    assert seen == {True, False}
    assert result.matching == sum(hit.has_wanted is True for hit in result.hits)
    avoided = service.search(SearchQuery(item_id="item-003", avoid={"colour": ["red"]}, k=39))
    assert avoided.matching == sum(hit.labels["colour"] != "red" for hit in avoided.hits)


def test_without_wishes_nothing_changes(service: SearchService) -> None:
    item = service.gallery.item_ids[3]
    plain = [hit.row for hit in service.search(SearchQuery(item_id=item, k=39)).hits]
    query = SearchQuery(item_id=item, avoid={"colour": ["red"]}, k=39)
    avoided = service.search(query).hits
    reds = [hit.labels["colour"] == "red" for hit in avoided]
    assert reds == sorted(reds) and any(reds)
    for is_red in (False, True):  # within a group the ranking is as it was
        rows = [hit.row for hit, red in zip(avoided, reds, strict=True) if red == is_red]
        assert rows == [row for row in plain if row in rows]


def test_pages_of_a_wished_search_join(service: SearchService) -> None:
    item = service.gallery.item_ids[3]
    asked = {"item_id": item, "relative": {"lightness": "less"}, "avoid": {"shape": ["bar"]}}
    whole = [hit.row for hit in service.search(SearchQuery(**asked, k=20)).hits]
    pages = [
        hit.row
        for offset in range(0, 20, 5)
        for hit in service.search(SearchQuery(**asked, k=5, offset=offset)).hits
    ]
    assert pages == whole


def test_a_stated_order_compares(service: SearchService) -> None:
    bar = next(
        name
        for row, name in enumerate(service.gallery.item_ids)
        if service.schema.decode(service.gallery.labels[row])["shape"] == "bar"
    )
    hits = service.search(SearchQuery(item_id=bar, relative={"Shape": "more"}, k=10)).hits
    assert {hit.labels["shape"] for hit in hits} == {"square"}
    with pytest.raises(QueryError, match="'ground' has no order") as caught:
        service.search(SearchQuery(item_id=bar, relative={"ground": "more"}))
    assert caught.value.field == "relative.ground"


def test_never_filters(service: SearchService) -> None:
    query = SearchQuery(
        item_id="item-003", never={"colour": ["red"]}, filters={"shape": ["bar"]}, k=40
    )
    result = service.search(query)
    labels = [hit.labels for hit in result.hits]
    assert labels and all(one["colour"] != "red" and one["shape"] == "bar" for one in labels)
    assert result.candidates == len(labels)


def test_what_is_kept_comes_first(service: SearchService) -> None:
    result = service.search(SearchQuery(item_id="item-003", keep=["shape"], k=39))
    same = [hit.labels["shape"] == result.attributes[1].value for hit in result.hits]
    assert same == sorted(same, reverse=True)


def test_examples_pull_and_push(service: SearchService) -> None:
    schema, gallery = service.schema, service.gallery
    blue = schema.changes_indicator(schema.parse_changes(["colour=blue"]))[None]

    def encode(item: str, indicator: np.ndarray) -> np.ndarray:
        entry = gallery[gallery.row(item)]
        pixels = load_pixels(entry.image, service.model.images)[None]
        labels = np.array([entry.labels], np.int16)
        return service.model.encode_queries(QueryArrays(pixels, indicator, labels))[0]

    own, liked = encode("item-003", blue), encode("item-010", blue)
    disliked = encode("item-017", np.zeros_like(blue))
    moved = own + 0.5 * (liked - own)
    moved = moved + 0.25 * (own - disliked)
    distances = ((gallery.vectors - moved) ** 2).sum(1)
    gone = {gallery.row(item) for item in ("item-003", "item-010", "item-017")}
    expected = [row for row in np.argsort(distances).tolist() if row not in gone]
    query = SearchQuery(
        item_id="item-003",
        changes=(Change("colour", "blue"),),
        liked=("item-010",),
        disliked=("item-017",),
        k=37,
    )
    assert [hit.row for hit in service.search(query).hits] == expected


def test_too_many_examples_are_refused(service: SearchService) -> None:
    many = service.gallery.item_ids[:9]
    with pytest.raises(QueryError, match="up to 8 examples, not 9") as caught:
        service.search(SearchQuery(item_id="item-003", liked=many))
    assert caught.value.field == "liked"


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        ({"avoid": {"colour": ["mauve"]}}, "unknown value 'mauve'"),
        ({"never": {"collar": ["round"]}}, "unknown attribute 'collar'"),
        ({"keep": ["collar"]}, "unknown attribute 'collar'"),
        ({"relative": {"lightness": "up"}}, "'more' or 'less'"),
        ({"avoid": {"colour": "red"}}, "give a list"),
    ],
)
def test_a_wish_that_cannot_be_read_is_told(
    service: SearchService, wish: dict[str, object], message: str
) -> None:
    with pytest.raises(QueryError, match=message):
        service.search(SearchQuery(item_id="item-003", **wish))


def test_a_gallery_without_measured_colours_says_so(
    shapes: Shapes, shape_model: TrainedModel
) -> None:
    gallery = Gallery.in_memory(shape_model, shapes(10))
    gallery.items.colours[:] = np.nan
    service = SearchService(shape_model, gallery)
    with pytest.raises(QueryError, match="amgan index"):
        service.search(SearchQuery(item_id="item-003", relative={"lightness": "more"}))


def test_words_become_a_query(service: SearchService) -> None:
    gallery = service.gallery
    reader = WordReader(service.schema, fields=word_fields(gallery))
    reading = reader.read("darker, not red, by acme, keep the shape, on dark ground, never green")
    query = wish_in_words(SearchQuery(item_id="item-003"), reading, gallery)
    assert query.changes == (Change("ground", "dark"),)
    assert query.relative == {"lightness": "less"}
    assert query.avoid == {"colour": ("red", "green")}
    assert query.never == {"colour": ("green",)}
    assert query.filters == {"brand": ("acme",)}
    assert query.keep == ("shape",)
    assert all(hit.fields["brand"] == "acme" for hit in service.search(query).hits)
    own = SearchQuery(item_id="item-003", changes=(Change("ground", "light"),))
    assert wish_in_words(own, reading, gallery).changes == (Change("ground", "light"),)


def test_groups_are_ranked_by_themselves() -> None:
    scores = np.array([5.0, 1.0, 4.0, 2.0, 3.0], np.float32)

    def rank(rows: Rows, k: int) -> Neighbours:
        best = rows[np.argsort(scores[rows])][:k]
        padded = np.full((1, k), NO_ROW)
        padded[0, : len(best)] = best
        return Neighbours(np.append(scores[best], np.full(k - len(best), np.inf))[None], padded, "")

    unmet = np.array([0, 2, 0, 1, 2], np.int8)
    assert rank_by_wishes(rank, unmet, None, 5).rows.tolist() == [[2, 0, 3, 1, 4]]
    assert rank_by_wishes(rank, unmet, None, 2).rows.tolist() == [[2, 0]]
    assert rank_by_wishes(rank, unmet, np.array([1, 3]), 5).rows.tolist() == [[3, 1]]


def test_leaning_by_hand() -> None:
    query = np.array([[0.0, 0.0]], np.float32)
    liked = np.array([[2.0, 0.0], [2.0, 4.0]], np.float32)
    disliked = np.array([[0.0, 5.0]], np.float32)
    assert lean(query, liked, disliked[:0]).tolist() == [[1.0, 1.0]]
    assert lean(query, liked[:0], disliked).tolist() == [[0.0, -1.25]]
