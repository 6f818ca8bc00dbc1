"""Variants of one product, paired both ways."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from amgan.attributes import Attribute, AttributeSchema
from amgan.catalogue.records import Catalogue
from amgan.queries import variant_pairs

SCHEMA = AttributeSchema((Attribute("colour", ("red", "blue")), Attribute("sleeve", ("a", "b"))))
LABELS = [[0, 0], [1, 0], [0, 0], [1, -1], [0, 1], [1, 1]]
PRODUCTS = ("shirt", "shirt", "shirt", "shirt", None, None)


def catalogue() -> Catalogue:
    count = len(LABELS)
    return Catalogue(
        "tiny",
        SCHEMA,
        tuple(f"item-{row}" for row in range(count)),
        tuple(Path(f"{row}.png") for row in range(count)),
        np.array(LABELS, np.int16),
        PRODUCTS,
        (None,) * count,
    )


def test_labels_differ_and_no_value_is_lost() -> None:
    reference, target = variant_pairs(catalogue(), np.arange(6))
    pairs = set(zip(reference.tolist(), target.tolist(), strict=True))
    # 0 and 2 look alike; 3 lacks a sleeve, so that nothing with a sleeve can become it.
    assert pairs == {(0, 1), (1, 0), (1, 2), (2, 1), (3, 0), (3, 1), (3, 2)}
    assert len(reference) == len(pairs)


def test_only_the_given_rows_are_paired() -> None:
    reference, target = variant_pairs(catalogue(), np.array([1, 2, 4, 5]))
    assert sorted(zip(reference.tolist(), target.tolist(), strict=True)) == [(1, 2), (2, 1)]


def test_items_without_a_product_have_no_variants() -> None:
    reference, target = variant_pairs(catalogue(), np.array([4, 5]))
    assert len(reference) == len(target) == 0
