"""Seeded splits and cross-validation folds; the variants of one product stay together."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from amgan.catalogue.records import Catalogue
from amgan.errors import InputError

SPLITS = ("train", "val", "test")


def assign_splits(
    catalogue: Catalogue,
    *,
    seed: int = 0,
    fractions: tuple[float, float, float] = (0.8, 0.1, 0.1),
) -> Catalogue:
    """The catalogue with new splits "train", "val", "test" in these fractions of its items.

    Raises:
        ValueError: fractions that are negative or do not add up to 1.
    """
    if min(fractions) < 0 or abs(sum(fractions) - 1) > 1e-9:
        raise InputError(f"fractions {fractions}: three numbers that add up to 1")
    place = _shuffled_places(catalogue, seed)
    boundaries = np.cumsum(fractions)[:2]
    return _with_splits(catalogue, np.searchsorted(boundaries, place, side="right"))


def assign_folds(catalogue: Catalogue, *, folds: int = 5, fold: int, seed: int = 0) -> Catalogue:
    """The catalogue split for one fold of a cross-validation.

    Fold number `fold` is the test set, so every item is tested in exactly one fold; the first half
    of the next fold is the validation set; the rest is for training (70/10/20 with five folds).

    Raises:
        ValueError: fewer than two folds, or a fold that is not among them.
    """
    if folds < 2:
        raise InputError(f"{folds} folds: cross-validation needs at least 2")
    if not 0 <= fold < folds:
        raise InputError(f"fold {fold}: the folds are 0 to {folds - 1}")
    place = _shuffled_places(catalogue, seed) * folds
    number = place.astype(np.int64)
    is_val = (number == (fold + 1) % folds) & (place - number < 0.5)
    return _with_splits(catalogue, np.where(number == fold, 2, np.where(is_val, 1, 0)))


def _shuffled_places(catalogue: Catalogue, seed: int) -> NDArray[np.float64]:
    """Each item's place in [0, 1) after a shuffle that keeps the items of a product together.

    All items of a product get the place of the middle of the product.
    """
    keys = [
        ("product", product) if product is not None else ("item", item_id)
        for product, item_id in zip(catalogue.products, catalogue.item_ids, strict=True)
    ]
    numbers = {key: number for number, key in enumerate(dict.fromkeys(keys))}
    group = np.array([numbers[key] for key in keys], np.int64)
    # Raw words and a stable sort, because Generator.permutation may change with NumPy's version.
    words = np.random.PCG64(np.random.SeedSequence(seed)).random_raw(len(numbers))
    order = np.argsort(words, kind="stable")
    sizes = np.bincount(group, minlength=len(numbers))[order]
    middle = np.empty(len(numbers))
    middle[order] = np.cumsum(sizes) - sizes / 2
    places: NDArray[np.float64] = middle[group] / max(1, len(keys))
    return places


def _with_splits(catalogue: Catalogue, chosen: NDArray[np.integer]) -> Catalogue:
    return replace(catalogue, splits=tuple(SPLITS[number] for number in chosen))
