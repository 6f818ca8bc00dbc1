"""Pairs of a product's variants: one garment in two colours is the exact answer to the change."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from numpy.typing import NDArray

from amgan.attributes import MISSING
from amgan.catalogue.records import Catalogue

Rows = NDArray[np.int64]


def variant_pairs(catalogue: Catalogue, rows: Rows) -> tuple[Rows, Rows]:
    """All ordered pairs of items that are variants of one product.

    As for triplets, the labels of a pair differ, and no value of the reference is missing in the
    target.

    Args:
        catalogue: with product keys; items without one have no variants.
        rows: items to pair.

    Returns:
        Rows of references and of targets, (P,) each; P is 0 where no product has two variants.
    """
    products: dict[str, list[int]] = defaultdict(list)
    for row in rows.tolist():
        product = catalogue.products[row]
        if product is not None:
            products[product].append(row)
    labels = catalogue.labels
    references: list[int] = []
    targets: list[int] = []
    for members in products.values():
        for reference in members:
            for target in members:
                own, wanted = labels[reference], labels[target]
                if (own != wanted).any() and not ((own != MISSING) & (wanted == MISSING)).any():
                    references.append(reference)
                    targets.append(target)
    return np.array(references, np.int64), np.array(targets, np.int64)
