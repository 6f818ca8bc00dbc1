"""Whether the picture counts: measures of rankings whose queries no triplet asks.

The definitions are in `evaluation.metrics`; like those there, these measures take row ids and
labels, and no model.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amgan.errors import InputError
from amgan.evaluation.metrics import Numbers, Rows, first_rank, mean_of_defined
from amgan.queries.picture_queries import OVERLAP_DEPTH

DEPTHS = (1, 10)  # of variant and self


@dataclass(frozen=True)
class PictureMeasures:
    """What was measured, over how many queries of how many there are.

    Attributes:
        means: "variant@1" and so on, by names of `evaluation.tables`; NaN where nothing could be
            asked.
        asked: number of pairs behind "variant", of items behind "self", of pairs of references
            behind "overlap".
        available: the same without a limit on the number of queries; for "overlap" the number of
            items that can be the first of a pair.
        products: that the pairs behind "variant" come from.
        unreadable: items that were drawn for "self" and whose picture files could not be read.
        gallery_size: items that were ranked.
        seed: of the draws and of the changes to pictures.
    """

    means: Mapping[str, float]
    asked: Mapping[str, int]
    available: Mapping[str, int]
    products: int
    unreadable: int
    gallery_size: int
    seed: int

    def to_dict(self) -> dict[str, Any]:
        """Plain values, None for NaN; the inverse of `from_dict`."""
        means = {name: None if math.isnan(mean) else mean for name, mean in self.means.items()}
        return asdict(self) | {"means": means}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> PictureMeasures:
        """Measures from plain values.

        Raises:
            InputError: something else.
        """
        try:
            means = {k: math.nan if v is None else float(v) for k, v in values["means"].items()}
            return cls(**{**values, "means": means})
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise InputError(f"not measures of the picture: {error!r}") from None


def compute_variant_ranks(
    retrieved: Rows,
    *,
    gallery_products: Rows,
    gallery_labels: NDArray[np.signedinteger],
    products: Rows,
    attribute: Rows,
    value: Rows,
) -> Numbers:
    """Rank of the first item of the reference's product that has the wanted value.

    Args:
        retrieved: gallery rows, best first, -1 where nothing was found, (Q, K).
        gallery_products: number of each item's product, -1 where not known, (N,).
        gallery_labels: (N, M), -1 where missing.
        products: number of each reference's product, (Q,).
        attribute: position of the attribute that is asked for, (Q,).
        value: the wanted label in it, (Q,).

    Returns:
        Ranks from 1, (Q,); infinite where no such item was retrieved.
    """
    hits = (
        (retrieved >= 0)
        & (gallery_products[retrieved] == products[:, None])
        & (gallery_labels[retrieved, attribute[:, None]] == value[:, None])
    )
    return first_rank(hits)


def compute_own_ranks(retrieved: Rows, own: Rows) -> Numbers:
    """Rank of each query's own item (Q,) among `retrieved` (Q, K); infinite where it is not."""
    return first_rank((retrieved == own[:, None]) & (retrieved >= 0))


def mean_by_product(hits: Numbers, products: Rows) -> float:
    """Mean of `hits` (Q,) within each product (Q,), then over products; NaN without any."""
    if not len(hits):
        return math.nan
    _, number = np.unique(products, return_inverse=True)
    number = number.reshape(-1)
    within = np.bincount(number, hits) / np.bincount(number)
    return float(within.mean())


def compute_overlaps(retrieved: Rows, depth: int = OVERLAP_DEPTH) -> Numbers:
    """Share of the first `depth` results that the two queries of a pair have in common.

    Args:
        retrieved: gallery rows (2 P, K), best first, -1 where nothing was found; rows 2 i and
            2 i + 1 are a pair.
        depth: results that count.

    Returns:
        Shares (P,).
    """
    first, second = retrieved[0::2, :depth], retrieved[1::2, :depth]
    shared = (first[:, :, None] == second[:, None, :]) & (first >= 0)[:, :, None]
    overlaps: Numbers = shared.any(2).sum(1) / depth
    return overlaps


def summarise_picture_measures(
    *,
    variant_ranks: Numbers,
    products: Rows,
    own_ranks: Numbers,
    overlaps: Numbers,
) -> dict[str, float]:
    """The means of a report by name; NaN where there were no queries.

    Args:
        variant_ranks: of `compute_variant_ranks`, (V,).
        products: product of each of these, (V,).
        own_ranks: of `compute_own_ranks`, (S,).
        overlaps: of `compute_overlaps`, (P,).
    """
    means = {}
    for k in DEPTHS:
        means[f"variant@{k}"] = mean_by_product(_within(variant_ranks, k), products)
    for k in DEPTHS:
        means[f"variant_pairs@{k}"] = mean_of_defined(_within(variant_ranks, k))[0]
    for k in DEPTHS:
        means[f"self@{k}"] = mean_of_defined(_within(own_ranks, k))[0]
    means[f"overlap@{OVERLAP_DEPTH}"] = mean_of_defined(overlaps)[0]
    return means


def _within(ranks: Numbers, k: int) -> Numbers:
    return (ranks <= k).astype(np.float64)
