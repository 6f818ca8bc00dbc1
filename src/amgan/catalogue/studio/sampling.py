"""Draws garments: independent attributes, rules, families of similar products, splits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from amgan.attributes import Indicator
from amgan.catalogue.studio.render import Garment
from amgan.catalogue.studio.schema import (
    STUDIO_SCHEMA,
    breaks_rules,
    value_probabilities,
)

SPLITS: dict[str, float] = {"train": 0.8, "val": 0.1, "test": 0.1}
MAX_ITEMS = 10_000_000
# A family is a handful of products that differ in few attributes, as a brand's line does. Without
# them, twelve independent attributes would leave next to no two items one change apart.
_PRODUCTS_IN_FAMILY = (5, 10)
_CHANGES_IN_FAMILY = (0.3, 0.45, 0.25)
_ITEMS_OF_PRODUCT = (0.55, 0.27, 0.18)
_VARIANT_ATTRIBUTES = ("colour", "pattern")


@dataclass(frozen=True, slots=True)
class StudioItem:
    """A garment with its product (items that differ in colour or pattern only) and split."""

    garment: Garment
    product: str
    split: str


class _Sampler:
    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.probabilities = [value_probabilities(name) for name in STUDIO_SCHEMA.names]

    def draw(self, position: int) -> int:
        p = self.probabilities[position]
        return int(self.rng.choice(len(p), p=p))

    def base(self) -> tuple[int, ...]:
        """Labels with every attribute drawn by itself, drawn again while a rule is broken."""
        while True:
            labels = tuple(self.draw(i) for i in range(len(self.probabilities)))
            if not breaks_rules(labels):
                return labels

    def changed(self, labels: tuple[int, ...], positions: list[int]) -> tuple[int, ...]:
        """Labels with these attributes drawn afresh, or as they were where rules allow none."""
        for _ in range(20):
            fresh = list(labels)
            for position in positions:
                fresh[position] = self.draw(position)
            if not breaks_rules(fresh):
                return tuple(fresh)
        return labels

    def family(self) -> list[list[tuple[int, ...]]]:
        """Products of one family, each a list of its items' labels."""
        base = self.base()
        names = STUDIO_SCHEMA.names
        variants = [names.index(name) for name in _VARIANT_ATTRIBUTES]
        products = []
        for _ in range(int(self.rng.integers(*_PRODUCTS_IN_FAMILY, endpoint=True))):
            count = int(self.rng.choice(len(_CHANGES_IN_FAMILY), p=_CHANGES_IN_FAMILY))
            changes = self.rng.choice(len(names), size=count, replace=False).tolist()
            first = self.changed(base, changes)
            items = [first]
            for _ in range(int(self.rng.choice(len(_ITEMS_OF_PRODUCT), p=_ITEMS_OF_PRODUCT))):
                positions = variants[:1] if self.rng.random() < 0.7 else variants
                items.append(self.changed(first, positions))
            products.append(items)
        return products


def sample_items(n: int, seed: int) -> list[StudioItem]:
    """`n` garments with products and splits, in an order that mixes families.

    Families never cross splits, so that each split holds pairs one or two changes apart.

    Raises:
        ValueError: `n` out of range or a negative seed.
    """
    if not 1 <= n <= MAX_ITEMS:
        raise ValueError(f"cannot draw {n} garments; ask for 1 to {MAX_ITEMS}")
    if seed < 0:
        raise ValueError(f"seed {seed} is negative")
    sampler = _Sampler(seed)
    items: list[StudioItem] = []
    counts = dict.fromkeys(SPLITS, 0)
    products = 0
    while len(items) < n:
        split = min(SPLITS, key=lambda name: counts[name] / SPLITS[name])
        for labels_of_product in sampler.family():
            products += 1
            for labels in labels_of_product:
                nuisance = int(sampler.rng.integers(2**32))
                if len(items) < n:
                    items.append(StudioItem(Garment(labels, nuisance), f"p{products:06d}", split))
                    counts[split] += 1
    return [items[i] for i in sampler.rng.permutation(n)]


def sample_garments(n: int, seed: int) -> list[Garment]:
    """The garments of `sample_items`.

    Raises:
        ValueError: as `sample_items`.
    """
    return [item.garment for item in sample_items(n, seed)]


def counterfactual(garment: Garment, indicator: Indicator) -> Garment:
    """The same garment, photographed in the same way, after the changes in `indicator` (J,).

    Raises:
        ValueError: an indicator of another schema, or one that asks for two values at once.
    """
    asked = np.asarray(indicator, np.float32).reshape(-1)
    if len(asked) != STUDIO_SCHEMA.num_values:
        raise ValueError(
            f"the indicator has {len(asked)} values, the studio's schema {STUDIO_SCHEMA.num_values}"
        )
    for name, columns in zip(STUDIO_SCHEMA.names, STUDIO_SCHEMA.slices, strict=True):
        if np.count_nonzero(asked[columns]) > 1:
            raise ValueError(f"the indicator asks for several values of attribute {name!r}")
    labels = STUDIO_SCHEMA.apply(np.array([garment.labels], np.int16), asked[None])[0]
    return Garment(tuple(int(label) for label in labels), garment.nuisance_seed)
