from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from amgan.attributes import Attribute, AttributeSchema
from amgan.catalogue.records import Catalogue
from amgan.queries import assign_folds, assign_splits


def make_catalogue(products: list[str | None]) -> Catalogue:
    n = len(products)
    return Catalogue(
        "made",
        AttributeSchema((Attribute("colour", ("black", "white")),)),
        tuple(f"item{i}" for i in range(n)),
        (Path("x.jpg"),) * n,
        np.zeros((n, 1), np.int16),
        tuple(products),
        (None,) * n,
    )


def test_fractions_are_kept_by_item() -> None:
    splits = assign_splits(make_catalogue([None] * 1000)).splits
    assert Counter(splits) == {"train": 800, "val": 100, "test": 100}


def test_fractions_are_kept_nearly_by_product() -> None:
    rng = np.random.default_rng(0)
    products = [f"p{i}" for i in rng.integers(0, 600, 2000)]
    catalogue = assign_splits(make_catalogue([*products, *[None] * 100]), fractions=(0.6, 0.3, 0.1))
    numbers = Counter(catalogue.splits)
    for split, share in {"train": 0.6, "val": 0.3, "test": 0.1}.items():
        assert abs(numbers[split] / 2100 - share) < 0.01
    seen: dict[str, set[str | None]] = {}
    for product, split in zip(products, catalogue.splits, strict=False):
        seen.setdefault(product, set()).add(split)
    assert all(len(splits) == 1 for splits in seen.values())


def test_a_product_called_like_an_item_is_not_that_item() -> None:
    catalogue = assign_splits(make_catalogue(["item1", None]), fractions=(0.5, 0, 0.5))
    assert set(catalogue.splits) == {"train", "test"}


def test_seeds() -> None:
    catalogue = make_catalogue([None] * 200)
    assert assign_splits(catalogue, seed=1).splits == assign_splits(catalogue, seed=1).splits
    assert assign_splits(catalogue, seed=1).splits != assign_splits(catalogue, seed=2).splits


def test_every_item_is_tested_in_one_fold() -> None:
    products = [f"p{i // 3}" for i in range(300)]
    folds = [assign_folds(make_catalogue(products), folds=5, fold=fold) for fold in range(5)]
    for item in range(300):
        assert [fold.splits[item] for fold in folds].count("test") == 1
    for fold in folds:
        numbers = Counter(fold.splits)
        assert numbers["test"] == 60
        assert 27 <= numbers["val"] <= 33
        by_product: dict[str, set[str | None]] = {}
        for product, split in zip(products, fold.splits, strict=True):
            by_product.setdefault(product, set()).add(split)
        assert all(len(splits) == 1 for splits in by_product.values())


@pytest.mark.parametrize("fractions", [(0.8, 0.1, 0.2), (1.2, -0.1, -0.1), (0.0, 0.0, 0.0)])
def test_fractions_that_do_not_add_up(fractions: tuple[float, float, float]) -> None:
    with pytest.raises(ValueError, match="add up to 1"):
        assign_splits(make_catalogue([None]), fractions=fractions)


def test_folds_out_of_range() -> None:
    catalogue = make_catalogue([None] * 10)
    with pytest.raises(ValueError, match="at least 2"):
        assign_folds(catalogue, folds=1, fold=0)
    with pytest.raises(ValueError, match="the folds are 0 to 4"):
        assign_folds(catalogue, fold=5)
