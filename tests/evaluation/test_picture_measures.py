from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amgan.errors import InputError
from amgan.evaluation.picture_measures import (
    PictureMeasures,
    compute_overlaps,
    compute_own_ranks,
    compute_variant_ranks,
    mean_by_product,
    summarise_picture_measures,
)
from amgan.evaluation.picture_words import (
    describe_picture,
    picture_to_markdown,
    warn_of_picture,
)


def make_measures(own: float = 0.98, overlap: float = 0.25) -> PictureMeasures:
    return PictureMeasures(
        {
            "variant@1": 0.5,
            "variant@10": 0.75,
            "variant_pairs@1": 0.4,
            "variant_pairs@10": 0.7,
            "self@1": own,
            "self@10": 1.0,
            "overlap@12": overlap,
        },
        {"variant": 250, "self": 200, "overlap": 150},
        {"variant": 4376, "self": 1750, "overlap": 1600},
        120,
        0,
        1750,
        7,
    )


def test_measures_by_hand() -> None:
    """Five items: 0, 1, 2 are one product in red, blue and red; 3, 4 another one in red, blue."""
    labels = np.array([[0, 5], [1, 5], [0, 6], [0, 5], [1, 5]])
    gallery_products = np.array([0, 0, 0, 1, 1])
    retrieved = np.array(
        [
            [4, 1, 2, 3],  # from 0, in blue: 4 is of another product, 1 is right
            [3, 4, 0, 2],  # from 1, in red: 3 is of another product
            [4, 0, 1, -1],  # from 3, in blue
            [0, -1, -1, -1],  # from 4, in red: not found
        ]
    )
    products = np.array([0, 0, 1, 1])
    ranks = compute_variant_ranks(
        retrieved,
        gallery_products=gallery_products,
        gallery_labels=labels,
        products=products,
        attribute=np.zeros(4, np.int64),
        value=np.array([1, 0, 1, 0]),
    )
    assert ranks.tolist() == [2, 3, 1, math.inf]
    assert compute_own_ranks(retrieved, np.array([4, 2, -1, 1])).tolist() == [1, 4, *[math.inf] * 2]
    pairs = np.array([[0, 1, 2], [2, 0, 4], [1, 3, -1], [3, -1, -1]])
    assert compute_overlaps(pairs, depth=3).tolist() == pytest.approx([2 / 3, 1 / 3])
    # Product 0 has hits 1, 0, 0; product 1 has 1.
    assert mean_by_product(np.array([1.0, 0, 0, 1]), np.array([0, 0, 0, 9])) == pytest.approx(2 / 3)
    means = summarise_picture_measures(
        variant_ranks=np.array([1.0, math.inf, 11, 10]),
        products=np.array([0, 0, 0, 9]),
        own_ranks=np.array([1.0, 3, math.inf, 10]),
        overlaps=np.array([0.5, 0.0]),
    )
    assert means == pytest.approx(
        {
            "variant@1": (1 / 3 + 0) / 2,
            "variant@10": (1 / 3 + 1) / 2,
            "variant_pairs@1": 1 / 4,
            "variant_pairs@10": 2 / 4,
            "self@1": 1 / 4,
            "self@10": 3 / 4,
            "overlap@12": 0.25,
        }
    )


@settings(max_examples=100, deadline=None)
@given(st.data(), st.integers(2, 9), st.integers(1, 5), st.integers(1, 6))
def test_against_naive_loops(data: st.DataObject, n: int, queries: int, k: int) -> None:
    row = st.integers(-1, n - 1)
    lists = data.draw(
        st.lists(
            st.permutations(range(n)).map(lambda p: [*p, *[-1] * k][:k]),
            min_size=2 * queries,
            max_size=2 * queries,
        )
    )
    own = data.draw(st.lists(row, min_size=2 * queries, max_size=2 * queries))
    labels = data.draw(
        st.lists(st.lists(st.integers(-1, 1), min_size=2, max_size=2), min_size=n, max_size=n)
    )
    product = data.draw(st.lists(st.integers(-1, 1), min_size=n, max_size=n))
    asked = data.draw(
        st.lists(
            st.tuples(st.integers(0, 1), st.integers(0, 1), st.integers(0, 1)),
            min_size=2 * queries,
            max_size=2 * queries,
        )
    )
    ranks = compute_variant_ranks(
        np.array(lists),
        gallery_products=np.array(product),
        gallery_labels=np.array(labels),
        products=np.array([p for p, _, _ in asked]),
        attribute=np.array([m for _, m, _ in asked]),
        value=np.array([v for _, _, v in asked]),
    )
    own_ranks = compute_own_ranks(np.array(lists), np.array(own))
    for q, (ranked, (p, m, v)) in enumerate(zip(lists, asked, strict=True)):
        first = own_first = math.inf
        for rank in range(len(ranked), 0, -1):
            item = ranked[rank - 1]
            if item != -1 and product[item] == p and labels[item][m] == v:
                first = rank
            if item != -1 and item == own[q]:
                own_first = rank
        assert (ranks[q], own_ranks[q]) == (first, own_first)
    overlaps = compute_overlaps(np.array(lists), depth=k)
    for pair in range(queries):
        shared = {r for r in lists[2 * pair] if r != -1} & set(lists[2 * pair + 1])
        assert overlaps[pair] == pytest.approx(len(shared) / k)


def test_nothing_asked_is_not_defined() -> None:
    none = np.empty(0)
    means = summarise_picture_measures(
        variant_ranks=none, products=none.astype(np.int64), own_ranks=none, overlaps=none
    )
    assert all(math.isnan(mean) for mean in means.values())
    measures = PictureMeasures(
        means, dict.fromkeys(("variant", "self", "overlap"), 0), {}, 0, 0, 4, 0
    )
    assert describe_picture(measures) == []
    assert warn_of_picture(measures) is None
    assert PictureMeasures.from_dict(measures.to_dict()).to_dict() == measures.to_dict()


@pytest.mark.parametrize("values", [{}, {"means": 3}, {"means": {"self@1": "much"}}])
def test_what_is_no_measure_is_refused(values: dict[str, object]) -> None:
    with pytest.raises(InputError, match="not measures of the picture"):
        PictureMeasures.from_dict(values)


def test_words_say_the_numbers_and_warn() -> None:
    sentences = " ".join(describe_picture(make_measures()))
    for part in (
        "98% of 200 items",
        "50%",
        "250 pairs of 120 products",
        "share 3.0 of",
        "150 pairs",
    ):
        assert part in sentences
    assert warn_of_picture(make_measures()) is None
    lost = warn_of_picture(make_measures(own=0.2)) or ""
    alike = warn_of_picture(make_measures(overlap=0.9)) or ""
    assert "does not find" in lost and "same results" not in lost
    assert "same results" in alike and "does not find" not in alike


def test_a_report_says_how_many_were_asked() -> None:
    text = picture_to_markdown(make_measures())
    assert "250 of 4,376 pairs of one product, from 120 products" in text
    assert "200 of 1,750 items" in text and "seed 7" in text
    lines = {line.split("|")[1].strip(): line for line in text.splitlines() if "|" in line}
    assert ".5000" in lines["Variant@1"] and ".4000" in lines["Variant@1, pairs"]
    assert ".9800" in lines["Self@1"] and ".2500" in lines["Overlap@12"]
