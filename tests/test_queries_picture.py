"""Queries about the picture: pairs of one product, own pictures, references with equal labels."""

from __future__ import annotations

import io
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from amgan.attributes import AttributeSchema
from amgan.queries.picture_queries import (
    LEAST_ITEMS,
    Draw,
    alter_picture,
    draw_equal_pairs,
    draw_own,
    draw_variants,
)

SCHEMA = AttributeSchema.from_dict({"colour": ["red", "blue"], "sleeve": ["short", "long", "no"]})


def naive_variants(
    labels: list[list[int]], products: list[str | None], rows: list[int]
) -> Counter[tuple[int, int, int]]:
    """Every ordered pair of one product that differs in one attribute, by two loops."""
    found: Counter[tuple[int, int, int]] = Counter()
    for r in rows:
        for v in rows:
            if r == v or products[r] is None or products[r] != products[v]:
                continue
            differing = [m for m in range(len(labels[r])) if labels[r][m] != labels[v][m]]
            if len(differing) == 1 and labels[v][differing[0]] != -1:
                found[r, differing[0], labels[v][differing[0]]] += 1
    return found


def as_counter(draw: Draw) -> Counter[tuple[int, int, int]]:
    columns = (draw.reference.tolist(), draw.attribute.tolist(), draw.value.tolist())
    return Counter(zip(*columns, strict=True))


def test_variants_by_hand() -> None:
    labels = np.array([[0, 0], [1, 0], [1, 1], [0, -1], [0, 0], [1, 0]], np.int16)
    products = ["a", "a", "a", "a", "b", None]
    drawn = draw_variants(labels, products, np.arange(6), limit=100, seed=0)
    assert as_counter(drawn) == Counter(
        {
            (0, 0, 1): 1,  # red in blue
            (1, 0, 0): 1,  # blue in red
            (1, 1, 1): 1,  # blue, short in long
            (2, 1, 0): 1,  # and back
            (3, 1, 0): 1,  # a missing sleeve can be named, but not asked for
        }
    )
    assert drawn.available == 5
    wanted = SCHEMA.indicator(labels[[0]], labels[[1]])[0]
    place = drawn.reference.tolist().index(0)
    assert drawn.indicator(SCHEMA)[place].tolist() == wanted.tolist()


@settings(max_examples=150, deadline=None)
@given(st.data(), st.integers(1, 14), st.integers(1, 3), st.integers(0, 30), st.integers(0, 5))
def test_variants_against_a_naive_loop(
    data: st.DataObject, n: int, width: int, limit: int, seed: int
) -> None:
    label = st.integers(-1, 2)
    labels = data.draw(
        st.lists(st.lists(label, min_size=width, max_size=width), min_size=n, max_size=n)
    )
    products = data.draw(st.lists(st.sampled_from([None, "a", "b"]), min_size=n, max_size=n))
    rows = data.draw(st.lists(st.integers(0, n - 1), unique=True, max_size=n))
    every = naive_variants(labels, products, rows)
    drawn = draw_variants(
        np.array(labels, np.int16),
        products,
        np.array(sorted(rows), np.int64),
        limit=limit,
        seed=seed,
    )
    assert drawn.available == every.total()
    assert len(drawn) == min(limit, every.total())
    assert as_counter(drawn) <= every, "each pair at most once"


def test_variants_are_drawn_by_whole_products() -> None:
    labels = np.array([[0, 0], [1, 0]] * 50, np.int16)
    products = [f"p{row // 2}" for row in range(100)]
    drawn = draw_variants(labels, products, np.arange(100), limit=20, seed=3)
    of_product = Counter(row // 2 for row in drawn.reference.tolist())
    assert len(of_product) == 10 and set(of_product.values()) == {2}
    other = draw_variants(labels, products, np.arange(100), limit=20, seed=4)
    assert set(of_product) != {row // 2 for row in other.reference.tolist()}


def test_equal_pairs_share_labels_and_are_asked_for_another_common_value() -> None:
    rng = np.random.default_rng(0)
    labels = np.stack([rng.integers(-1, 2, 400), rng.integers(-1, 3, 400)], 1).astype(np.int16)
    labels[:5, 1] = 3  # rarer than is asked for
    rows = np.arange(0, 400, 2)
    drawn = draw_equal_pairs(labels, rows, limit=120, seed=1)
    assert len(drawn) == 240 and drawn.available <= len(rows)
    first, second = drawn.reference[0::2], drawn.reference[1::2]
    assert len(set(first.tolist())) == 120, "each item begins one pair"
    assert (first != second).all() and (labels[first] == labels[second]).all()
    assert (drawn.attribute[0::2] == drawn.attribute[1::2]).all()
    assert (drawn.value[0::2] == drawn.value[1::2]).all()
    own = labels[drawn.reference, drawn.attribute]
    assert (own != drawn.value).all()
    for attribute, value in set(zip(drawn.attribute, drawn.value, strict=True)):
        assert (labels[rows, attribute] == value).sum() >= LEAST_ITEMS
    again = draw_equal_pairs(labels, rows, limit=120, seed=1)
    assert as_counter(again) == as_counter(drawn)


@pytest.mark.parametrize(
    ("labels", "why"),
    [
        (np.zeros((40, 2), np.int16), "one value alone cannot be changed"),
        (np.arange(40).reshape(40, 1), "no two items are labelled alike"),
        (np.full((40, 2), -1, np.int16), "nothing is labelled"),
        (np.array([[0], [1]] * (LEAST_ITEMS - 1)), "too few items of each value"),
        (np.empty((0, 2), np.int16), "no items"),
    ],
)
def test_where_no_equal_pair_can_be_asked(labels: np.ndarray, why: str) -> None:
    drawn = draw_equal_pairs(labels.astype(np.int16), np.arange(len(labels)), limit=9, seed=0)
    assert (len(drawn), drawn.available) == (0, 0), why
    assert drawn.indicator(SCHEMA).shape == (0, 5)


def test_own_items_ask_for_nothing() -> None:
    drawn = draw_own(np.arange(5, 50), limit=7, seed=0)
    assert (len(set(drawn.reference.tolist())), drawn.available) == (7, 45)
    assert not drawn.indicator(SCHEMA).any()
    assert len(draw_own(np.arange(5), limit=7, seed=0)) == 5


def test_an_altered_picture_is_cropped_and_brightened_as_said() -> None:
    pixels = np.full((400, 200, 3), 100, np.uint8)
    pixels[:, :2] = (255, 0, 0)  # within the 3 % that are always cropped
    sizes, levels = set(), []
    for row in range(60):
        altered = alter_picture(Image.fromarray(pixels), 0, row)
        with Image.open(io.BytesIO(altered)) as opened:
            assert opened.format == "JPEG"
            width, height = opened.size
            shown = np.asarray(opened.convert("RGB"), np.float64)
        assert 200 * 0.88 - 1 <= width <= 200 * 0.94 + 1
        assert 400 * 0.88 - 1 <= height <= 400 * 0.94 + 1
        assert np.ptp(shown.mean((0, 1))) < 3, "the red edge is gone"
        sizes.add((width, height))
        levels.append(shown.mean() / 100)
    assert len(sizes) > 20
    assert 0.84 < min(levels) < 0.9 and 1.1 < max(levels) < 1.16
    assert alter_picture(Image.fromarray(pixels), 0, 3) == alter_picture(
        Image.fromarray(pixels), 0, 3
    )
