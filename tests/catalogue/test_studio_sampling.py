"""Drawn garments: distribution, rules, products and splits."""

from __future__ import annotations

import itertools
from collections import defaultdict

import numpy as np
import pytest
from numpy.typing import NDArray

from amgan.catalogue.studio import STUDIO_SCHEMA, sample_garments
from amgan.catalogue.studio.sampling import StudioItem, sample_items
from amgan.catalogue.studio.schema import FREQUENCIES, RULES, breaks_rules


@pytest.fixture(scope="module")
def items() -> list[StudioItem]:
    return sample_items(12_000, 0)


@pytest.fixture(scope="module")
def labels(items: list[StudioItem]) -> NDArray[np.int64]:
    return np.array([item.garment.labels for item in items])


def test_same_seed_same_garments() -> None:
    assert sample_garments(50, 1) == sample_garments(50, 1)
    assert sample_garments(50, 1) != sample_garments(50, 2)
    assert sample_garments(50, 1) == [item.garment for item in sample_items(50, 1)]


def test_nuisance_is_each_items_own(items: list[StudioItem]) -> None:
    assert len({item.garment.nuisance_seed for item in items}) > 0.999 * len(items)


def test_every_value_occurs_and_frequent_ones_more_often(labels: NDArray[np.int64]) -> None:
    for position, (name, frequencies) in enumerate(FREQUENCIES.items()):
        counts = np.bincount(labels[:, position], minlength=len(frequencies))
        assert counts.min() > 0, name
        wanted = np.array(list(frequencies.values()), float)
        assert np.corrcoef(counts, wanted)[0, 1] > 0.95, name


def test_no_garment_breaks_a_rule(items: list[StudioItem]) -> None:
    assert not any(breaks_rules(item.garment.labels) for item in items)


def test_attributes_without_a_common_rule_are_independent(labels: NDArray[np.int64]) -> None:
    """Cramér's V of every pair of attributes that no rule, nor a chain of two, ties together."""
    tied = {frozenset(pair) for rule in RULES for pair in itertools.combinations(rule, 2)}
    names = STUDIO_SCHEMA.names
    checked = 0
    for (i, a), (j, b) in itertools.combinations(enumerate(names), 2):
        if any(
            {frozenset((a, x)), frozenset((x, b))} & tied or frozenset((a, b)) in tied
            for x in names
            if x not in (a, b)
        ):
            continue
        checked += 1
        table = np.zeros((STUDIO_SCHEMA.sizes[i], STUDIO_SCHEMA.sizes[j]))
        np.add.at(table, (labels[:, i], labels[:, j]), 1)
        expected = table.sum(1, keepdims=True) * table.sum(0, keepdims=True) / table.sum()
        chi2 = ((table - expected) ** 2 / expected).sum()
        v = np.sqrt(chi2 / table.sum() / (min(table.shape) - 1))
        assert v < 0.15, (a, b)
    assert checked > 0


@pytest.mark.parametrize("n", [1, 7, 60, 333, 12_000])
def test_splits_are_80_10_10(n: int, items: list[StudioItem]) -> None:
    drawn = items if n == len(items) else sample_items(n, 3)
    splits = [item.split for item in drawn]
    assert len(splits) == n
    for split in ("val", "test"):
        assert abs(splits.count(split) - 0.1 * n) <= 0.5
    assert set(splits) <= {"train", "val", "test"}


def test_products_stay_in_one_split_and_share_their_cut(items: list[StudioItem]) -> None:
    products = defaultdict(list)
    for item in items:
        products[item.product].append(item)
    several = [group for group in products.values() if len(group) > 1]
    assert 0.3 < len(several) / len(products) < 0.6
    vary = {STUDIO_SCHEMA.names.index("colour"), STUDIO_SCHEMA.names.index("pattern")}
    for group in several:
        assert len({item.split for item in group}) == 1
        for position in set(range(STUDIO_SCHEMA.num_attributes)) - vary:
            assert len({item.garment.labels[position] for item in group}) == 1


def test_held_out_splits_have_pairs_one_or_two_changes_apart() -> None:
    drawn = sample_items(2000, 5)
    for split in ("val", "test"):
        rows = np.array([item.garment.labels for item in drawn if item.split == split])
        apart = (rows[:, None] != rows[None]).sum(axis=2)
        assert (((apart == 1) | (apart == 2)).any(axis=1)).mean() > 0.95


@pytest.mark.parametrize(
    ("n", "seed", "message"),
    [(0, 0, "cannot draw 0"), (-3, 0, "cannot draw -3"), (5, -1, "seed -1")],
)
def test_bad_arguments(n: int, seed: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        sample_garments(n, seed)
