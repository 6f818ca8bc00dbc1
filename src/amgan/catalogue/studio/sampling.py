"""Draws garments: independent attributes, rules, families of similar products, splits."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from amgan.attributes import Indicator
from amgan.catalogue.studio.render import Garment
from amgan.catalogue.studio.schema import (
    STUDIO_SCHEMA,
    breaks_rules,
    value_probabilities,
)
from amgan.errors import InputError

MAX_ITEMS = 10_000_000
_HELD_OUT = {"val": 0.1, "test": 0.1}
# A family is a handful of products that differ in few attributes, as a brand's line does. Without
# them, twelve independent attributes would leave next to no two items one change apart.
_PRODUCTS_IN_FAMILY = (5, 10)
# Cumulative: products 30 % like their family, 45 % with one attribute drawn afresh, the rest two.
_CHANGES_STEPS = (0.3, 0.75)
# Cumulative: 55 % of products have one item, 27 % two, the rest three.
_VARIANTS_STEPS = (0.55, 0.82)
_BOTH_VARY = 0.3
_VARYING = tuple(STUDIO_SCHEMA.names.index(name) for name in ("colour", "pattern"))


@dataclass(frozen=True, slots=True)
class StudioItem:
    """A garment with its product (items that differ in colour or pattern only) and split."""

    garment: Garment
    product: str
    split: str


class _Sampler:
    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.steps = [
            np.cumsum(value_probabilities(name)).tolist()[:-1] for name in STUDIO_SCHEMA.names
        ]

    def pick(self, steps: Sequence[float]) -> int:
        """Index drawn with these cumulative probabilities, the last one left out."""
        return bisect(steps, self.rng.random())

    def base(self) -> tuple[int, ...]:
        """Labels with every attribute drawn by itself, drawn again while a rule is broken."""
        while True:
            labels = tuple(self.pick(steps) for steps in self.steps)
            if not breaks_rules(labels):
                return labels

    def changed(self, labels: tuple[int, ...], positions: Iterable[int]) -> tuple[int, ...]:
        """Labels with these attributes drawn afresh, or as they were where rules allow none."""
        for _ in range(20):
            fresh = list(labels)
            for position in positions:
                fresh[position] = self.pick(self.steps[position])
            if not breaks_rules(fresh):
                return tuple(fresh)
        return labels

    def family(self) -> list[list[tuple[int, ...]]]:
        """Products of one family, each a list of its items' labels."""
        base = self.base()
        products = []
        for _ in range(int(self.rng.integers(*_PRODUCTS_IN_FAMILY, endpoint=True))):
            order = np.argsort(self.rng.random(len(base))).tolist()
            first = self.changed(base, order[: self.pick(_CHANGES_STEPS)])
            items = [first]
            for _ in range(self.pick(_VARIANTS_STEPS)):
                both = self.rng.random() < _BOTH_VARY
                items.append(self.changed(first, _VARYING if both else _VARYING[:1]))
            products.append(items)
        return products


def sample_items(n: int, seed: int) -> list[StudioItem]:
    """`n` garments with products and splits, in an order that mixes families.

    Families never cross splits, so that each split holds pairs one or two changes apart.

    Raises:
        ValueError: `n` out of range or a negative seed.
    """
    if not 1 <= n <= MAX_ITEMS:
        raise InputError(f"cannot draw {n} garments; ask for 1 to {MAX_ITEMS}")
    if seed < 0:
        raise InputError(f"seed {seed} is negative")
    sampler = _Sampler(seed)
    held_out = {split: round(n * share) for split, share in _HELD_OUT.items()}
    counts = {"train": n - sum(held_out.values()), **held_out}
    items: list[StudioItem] = []
    products = wanted = 0
    for split, count in counts.items():
        wanted += count
        while len(items) < wanted:
            for variants in sampler.family():
                products += 1
                for labels in variants:
                    garment = Garment(labels, int(sampler.rng.integers(2**32)))
                    items.append(StudioItem(garment, f"p{products:07d}", split))
        del items[wanted:]
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
        raise InputError(
            f"the indicator has {len(asked)} values, the studio's schema {STUDIO_SCHEMA.num_values}"
        )
    for name, columns in zip(STUDIO_SCHEMA.names, STUDIO_SCHEMA.slices, strict=True):
        if np.count_nonzero(asked[columns]) > 1:
            raise InputError(f"the indicator asks for several values of attribute {name!r}")
    labels = STUDIO_SCHEMA.apply(np.array([garment.labels], np.int16), asked[None])[0]
    return Garment(tuple(int(label) for label in labels), garment.nuisance_seed)
