"""Ranking metrics of single queries: row ids and labels in, one number a query out.

Notation: a query has a target with labels y_1..y_M (-1 where missing) and changes the attributes
C, a non-empty subset of {1..M}; r_1, r_2, ... are the gallery items retrieved for it, best first.
Item r matches the target in attribute m when both labels are equal; missing matches missing only.

- top@K: 1 if some r_k, k <= K, matches in all M attributes, else 0. The hit of AMNet (Zhao et al.,
  CVPR 2017), FashionSearchNet (Ak et al., CVPR 2018) and ADDE (Hou et al., ICCV 2021); Top-K in
  Section 4.1 of the AMGAN paper.
- item@K: 1 if the ground-truth item itself is among r_1..r_K, else 0.
- ndcg@K = sum_k g(r_k) / log2(k + 1) / sum_k 1 / log2(k + 1), k <= K, with g = 2^rel - 1 and rel
  the share of the M attributes that match: an ideal list has rel = 1 throughout (Ak et al., 2018).
  ndcg_t@K takes rel over the changed attributes C alone, ndcg_o@K over the others.
- mrr@K: 1 / k for the ground-truth item at rank k <= K, else 0; mrr_label@K likewise for the first
  item that matches in all M attributes.
- wanted@K: share of the attributes in C that match, averaged over k <= K; kept@K: the same for the
  attributes outside C.

Whether the picture counts is asked by queries of its own (`queries.picture_queries` draws them,
`evaluation.picture_measures` computes the values); no label of the reference is told to the query:

- variant@K: over ordered pairs (r, v) of one product whose labels differ in exactly one attribute:
  asked from r's picture for v's value of it, 1 if any item of that product with that value is among
  the first K, else 0; r stays out of its own list. The mean is taken over the pairs of each product
  first, then over products; variant_pairs@K is the plain mean over pairs.
- self@K: an item's own picture, cropped by 3 to 6 % a side, its brightness changed by up to 15 %,
  encoded as JPEG at quality 60, no change asked: 1 if the item is among the first K, else 0.
- overlap@12 (reference overlap): for two queries that ask the same change of different references
  with equal labels, |first 12 of one and of the other| / 12, each reference left out of its own
  list; mean over such pairs. 1: the picture is ignored. 12 / N is what chance gives in a gallery
  of N items.

Conventions:
- Items with equal scores count in the order in which they were retrieved.
- -1 in a list is padding: a rank with nothing at it, thus no hit and no matching attribute.
- A metric whose K exceeds the length of the lists is left out, unless the lists already hold the
  whole gallery (one item less where the reference stays out); then it runs over the ranks there
  are, the ideal list of ndcg included.
- ndcg_o and kept are NaN for a query that changes every attribute, ndcg_t and wanted for one that
  changes none, item and mrr for one whose ground-truth item is not in the gallery (-1). A mean
  leaves NaN out and states how many queries it is over.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Rows = NDArray[np.int64]
# Queries computed at once; 1,000 ranks and 12 attributes then stay within a few megabytes.
BLOCK_QUERIES = 256


@dataclass(frozen=True)
class Cutoffs:
    """The K of each kind of metric.

    Attributes:
        hits: for top and item.
        graded: for ndcg, ndcg_t, ndcg_o, wanted and kept.
        reciprocal: for mrr and mrr_label.
    """

    hits: tuple[int, ...] = (1, 5, 10, 20, 30, 50)
    graded: tuple[int, ...] = (10,)
    reciprocal: tuple[int, ...] = (1000,)

    def __post_init__(self) -> None:
        if min(self.hits + self.graded + self.reciprocal, default=1) < 1:
            raise ValueError(f"every cutoff must be at least 1: {self}")

    def within(self, length: int) -> Cutoffs:
        """The cutoffs that lists of this length reach."""
        hits, graded, reciprocal = (
            tuple(k for k in kind if k <= length)
            for kind in (self.hits, self.graded, self.reciprocal)
        )
        return Cutoffs(hits, graded, reciprocal)


def compute_query_metrics(
    retrieved: Rows,
    *,
    gallery_labels: NDArray[np.signedinteger],
    target_labels: NDArray[np.signedinteger],
    changed: NDArray[np.bool_],
    target_rows: Rows,
    cutoffs: Cutoffs | None = None,
) -> dict[str, Numbers]:
    """Every ranking metric of Q queries; definitions in the module's docstring.

    Args:
        retrieved: gallery rows, best first, -1 where nothing was found, (Q, K).
        gallery_labels: (N, M), -1 where missing.
        target_labels: (Q, M), -1 where missing.
        changed: which attributes the query changes, (Q, M).
        target_rows: gallery row of the ground-truth item, -1 where the gallery has none, (Q,).
        cutoffs: the K of each metric.

    Returns:
        Values (Q,) by name such as "top@10", "ndcg_o@10", "mrr@1000".

    Raises:
        ValueError: shapes that do not belong together, or a row outside the gallery.
    """
    _check_shapes(retrieved, gallery_labels, target_labels, changed, target_rows)
    cutoffs = cutoffs or Cutoffs()
    if retrieved.shape[1] < len(gallery_labels) - 1:
        cutoffs = cutoffs.within(retrieved.shape[1])
    gallery_groups, target_groups = _group_labels(gallery_labels, target_labels)
    depth = max(cutoffs.graded, default=0)
    parts: dict[str, list[Numbers]] = {}
    for start in range(0, max(1, len(retrieved)), BLOCK_QUERIES):
        block = slice(start, start + BLOCK_QUERIES)
        ranked = retrieved[block]
        found = ranked >= 0
        is_label = (gallery_groups[ranked] == target_groups[block, None]) & found
        is_item = (ranked == target_rows[block, None]) & found
        matches = gallery_labels[ranked[:, :depth]] == target_labels[block, None, :]
        matches &= found[:, :depth, None]
        for name, values in (
            *_hit_metrics(is_label, is_item, target_rows[block] >= 0, cutoffs),
            *_graded_metrics(matches, changed[block], cutoffs),
        ):
            parts.setdefault(name, []).append(values)
    return {name: np.concatenate(values) for name, values in parts.items()}


def mean_of_defined(values: Numbers) -> tuple[float, int]:
    """Mean over the values that are not NaN, and how many they are; (NaN, 0) without any."""
    defined = values[~np.isnan(values)]
    return (float(defined.mean()) if len(defined) else float("nan")), len(defined)


def _hit_metrics(
    is_label: NDArray[np.bool_],
    is_item: NDArray[np.bool_],
    has_item: NDArray[np.bool_],
    cutoffs: Cutoffs,
) -> Iterator[tuple[str, Numbers]]:
    """Metrics that ask at which rank the first hit lies."""
    label_rank, item_rank = first_rank(is_label), first_rank(is_item)
    for k in cutoffs.hits:
        yield f"top@{k}", (label_rank <= k).astype(np.float64)
        yield f"item@{k}", np.where(has_item, item_rank <= k, np.nan)
    for k in cutoffs.reciprocal:
        yield f"mrr@{k}", np.where(has_item, _reciprocal(item_rank, k), np.nan)
        yield f"mrr_label@{k}", _reciprocal(label_rank, k)


def _graded_metrics(
    matches: NDArray[np.bool_], changed: NDArray[np.bool_], cutoffs: Cutoffs
) -> Iterator[tuple[str, Numbers]]:
    """Metrics that ask how many attributes match at each rank; `matches` is (Q, K, M)."""
    over_all = _share(matches, np.ones_like(changed))
    over_changed = _share(matches, changed)
    over_others = _share(matches, ~changed)
    for k in cutoffs.graded:
        yield f"ndcg@{k}", _ndcg(over_all[:, :k])
        yield f"ndcg_t@{k}", _ndcg(over_changed[:, :k])
        yield f"ndcg_o@{k}", _ndcg(over_others[:, :k])
        yield f"wanted@{k}", over_changed[:, :k].mean(axis=1)
        yield f"kept@{k}", over_others[:, :k].mean(axis=1)


def first_rank(hits: NDArray[np.bool_]) -> Numbers:
    """Rank of the first hit in each row of (Q, K), from 1; infinite where there is none."""
    if not hits.shape[1]:
        return np.full(len(hits), np.inf)
    return np.where(hits.any(axis=1), hits.argmax(axis=1) + 1.0, np.inf)


def _reciprocal(rank: Numbers, k: int) -> Numbers:
    return np.where(rank <= k, 1 / rank, 0.0)


def _share(matches: NDArray[np.bool_], chosen: NDArray[np.bool_]) -> Numbers:
    """Share of the chosen attributes (Q, M) that match at each rank, (Q, K); NaN with none."""
    hits = (matches & chosen[:, None, :]).sum(axis=2, dtype=np.float64)
    total = chosen.sum(axis=1, dtype=np.float64)
    share: Numbers = hits / np.where(total > 0, total, np.nan)[:, None]
    return share


def _ndcg(relevance: Numbers) -> Numbers:
    """NDCG of lists whose relevance is (Q, K) in [0, 1], against a list of ones."""
    discount = 1 / np.log2(np.arange(relevance.shape[1]) + 2)
    # Not a matrix product: its last bits would depend on how many queries come at once.
    ndcg: Numbers = ((np.exp2(relevance) - 1) * discount).sum(axis=1) / discount.sum()
    return ndcg


def _group_labels(
    gallery_labels: NDArray[np.signedinteger], target_labels: NDArray[np.signedinteger]
) -> tuple[Rows, Rows]:
    """Numbers for the gallery's and the targets' label vectors, equal when the vectors are."""
    both = np.concatenate([gallery_labels, target_labels])
    _, groups = np.unique(both, axis=0, return_inverse=True)
    groups = groups.reshape(-1).astype(np.int64)
    return groups[: len(gallery_labels)], groups[len(gallery_labels) :]


def _check_shapes(
    retrieved: Rows,
    gallery_labels: NDArray[np.signedinteger],
    target_labels: NDArray[np.signedinteger],
    changed: NDArray[np.bool_],
    target_rows: Rows,
) -> None:
    if len(gallery_labels) == 0 or retrieved.shape[1] == 0:
        raise ValueError("the gallery or the retrieved lists are empty")
    queries, attributes = len(retrieved), gallery_labels.shape[1]
    expected = {
        "target_labels": (target_labels.shape, (queries, attributes)),
        "changed": (changed.shape, (queries, attributes)),
        "target_rows": (target_rows.shape, (queries,)),
    }
    for name, (shape, wanted) in expected.items():
        if shape != wanted:
            raise ValueError(f"{name} has shape {shape}, expected {wanted}")
    for name, rows in (("retrieved", retrieved), ("target_rows", target_rows)):
        if rows.size and not -1 <= rows.min() <= rows.max() < len(gallery_labels):
            raise ValueError(
                f"{name} holds rows {rows.min()} to {rows.max()}; "
                f"the gallery has rows 0 to {len(gallery_labels) - 1}, and -1 is padding"
            )
