"""What is kept of each item for the learned score, and how a query reads it.

An item's profile holds, side by side, the posteriors p of its attribute values (J), log(p + e)
(J), its style (S) and its appearance (A), the last two of length 1. An item y fits a reference x
and wanted values h as well as

    score = sum_m [ a_m <q_m, p_m(y)> + b_m log(<q_m, p_m(y)> + e) ]
            + s <style(x), style(y)> + l <appearance(x), appearance(y)>

where q_m is the posterior of x in attribute m, or the wanted value for certain, so that <q_m, p_m>
is the probability that the item is right in attribute m. `methods.score` learns a, b, s and l.

Vector engines need an inner product, so they rank by <q_m, log(p_m + e)> in place of
log(<q_m, p_m> + e), which it never exceeds (Jensen's inequality), and the score orders the first of
what they find. Both are functions of the same two vectors: the query's vector holds a_m q_m,
b_m q_m, s style(x) and l appearance(x), from which q_m and b_m can be told again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from amgan.methods.labels import apply_indicator, one_hot

FLOOR = 1e-3  # e: no attribute's disagreement counts as impossible


@dataclass(frozen=True)
class ProfileLayout:
    """Where the parts of a profile lie.

    Attributes:
        sizes: number of values of each attribute.
        style_dim: S.
        appearance_dim: A.
    """

    sizes: tuple[int, ...]
    style_dim: int
    appearance_dim: int

    @property
    def num_values(self) -> int:
        """J."""
        return sum(self.sizes)

    @property
    def dim(self) -> int:
        """2 J + S + A."""
        return 2 * self.num_values + self.style_dim + self.appearance_dim

    def split(self, vectors: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """The four parts of vectors (..., D)."""
        values = self.num_values
        parts = vectors.split([values, values, self.style_dim, self.appearance_dim], -1)
        return parts[0], parts[1], parts[2], parts[3]

    def blocks(self, values: Tensor) -> tuple[Tensor, ...]:
        """The attributes' parts of (..., J)."""
        blocks: tuple[Tensor, ...] = values.split(list(self.sizes), -1)
        return blocks

    def per_value(self, weights: Tensor) -> Tensor:
        """Numbers of attributes (..., M), repeated for each of their values (..., J)."""
        counts = torch.tensor(self.sizes, device=weights.device)
        return weights.repeat_interleave(counts, -1, output_size=self.num_values)


def build_profiles(posteriors: Tensor, style: Tensor, appearance: Tensor) -> Tensor:
    """Profiles (N, D) from posteriors (N, J), style (N, S) and appearance (N, A)."""
    return torch.cat([posteriors, (posteriors + FLOOR).log(), style, appearance], 1)


def with_given_labels(profiles: Tensor, labels: Tensor, layout: ProfileLayout) -> Tensor:
    """Profiles (N, D) in which an attribute with a label (N, M) has that value for certain."""
    posteriors, _, style, appearance = layout.split(profiles)
    certain = apply_indicator(posteriors, one_hot(labels, layout.sizes), layout.sizes)
    return build_profiles(certain, style, appearance)


def changed_attributes(indicator: Tensor, sizes: Sequence[int]) -> Tensor:
    """Which attributes h (N, J) asks to change, (N, M) bool."""
    return torch.stack([block.any(1) for block in indicator.split(list(sizes), 1)], 1)


def agreement(queries: Tensor, items: Tensor, layout: ProfileLayout) -> Tensor:
    """The score of items for queries.

    Args:
        queries: vectors of queries, (Q, D).
        items: profiles of R items for each query, (Q, R, D), or of R items for all, (R, D).
        layout: of both.

    Returns:
        (Q, R) float32.
    """
    _, logarithmic, *_ = layout.split(queries)
    seen_values, logs, *_ = layout.split(items)
    scores = _products(queries, items) - _products(logarithmic, logs)
    for wanted, seen in zip(layout.blocks(logarithmic), layout.blocks(seen_values), strict=True):
        weight = wanted.sum(1, keepdim=True)
        certain = wanted / weight.clamp(min=1e-12)
        scores = scores + weight * (_products(certain, seen) + FLOOR).log()
    return scores


def _products(queries: Tensor, items: Tensor) -> Tensor:
    """Inner products (Q, R) of vectors (Q, D) with items (Q, R, D) or (R, D)."""
    if items.ndim == 2:
        return queries @ items.T
    return (items @ queries[:, :, None])[..., 0]
