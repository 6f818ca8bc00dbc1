"""Fused ranking: the learned distance and the agreement of attribute posteriors, in one vector.

An item y is scored, for a query with prototype G(x, h), by

    sum_m w_m <q_m, p_m(y)>  -  a |E(G(x, h)) - E(y)|^2

where p_m(y) is the posterior of attribute m, q_m the reference's with a wanted value made certain,
and w_m is 1 for kept attributes, `changed` for changed ones, times what a person asks for. The
first sum is the expected number of attributes that are as they should be. Written out, the score is
an inner product of a vector that only the query knows and one that only the item knows, so every
engine can search it, and weights can be set anew with each query. With all w_m = 0 the order is
that of the distance alone (the paper's).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from amgan.errors import InputError
from amgan.methods.labels import apply_indicator, one_hot


@dataclass(frozen=True)
class FusionWeights:
    """How the parts of the score are weighed; chosen on validation queries.

    Attributes:
        distance: a, of the squared Euclidean distance.
        changed: w_m of an attribute that is to change; a kept one has 1.
    """

    distance: float
    changed: float

    def __post_init__(self) -> None:
        if self.distance <= 0 or self.changed < 0:
            raise InputError("a fused ranking needs distance > 0 and changed >= 0")


def fused_dim(embedding_dim: int, num_values: int) -> int:
    """Length of fused vectors: D + J + 2."""
    return embedding_dim + num_values + 2


def fused_gallery_vectors(embeddings: Tensor, logits: Tensor, sizes: Sequence[int]) -> Tensor:
    """What an item brings: E(y), its posteriors, |E(y)|^2 and 1.

    Args:
        embeddings: E(y), (N, D).
        logits: of its attribute values, (N, J).
        sizes: number of values of each attribute.

    Returns:
        (N, D + J + 2) float32.
    """
    embeddings = embeddings.float()
    square = embeddings.square().sum(1, keepdim=True)
    return torch.cat([embeddings, posteriors(logits, sizes), square, torch.ones_like(square)], 1)


def with_given_labels(vectors: Tensor, labels: Tensor, sizes: Sequence[int]) -> Tensor:
    """Item vectors in which an attribute with a label has that value for certain.

    Args:
        vectors: of `fused_gallery_vectors`, (N, D + J + 2).
        labels: (N, M), -1 where missing: what the classifiers see then stays.
        sizes: number of values of each attribute.
    """
    values = sum(sizes)
    embeddings, seen, rest = vectors.split([vectors.shape[1] - values - 2, values, 2], 1)
    return torch.cat([embeddings, apply_indicator(seen, one_hot(labels, sizes), sizes), rest], 1)


def fused_query_vectors(
    embeddings: Tensor,
    logits: Tensor,
    indicator: Tensor,
    sizes: Sequence[int],
    weights: FusionWeights,
    importance: Tensor,
    labels: Tensor,
) -> Tensor:
    """What a query brings; its inner product with an item's vector is the score.

    Args:
        embeddings: E(G(x, h)), (N, D).
        logits: of the reference's attribute values, (N, J).
        indicator: wanted values h, (N, J).
        sizes: number of values of each attribute.
        weights: of the score's parts.
        importance: what each attribute's w_m is multiplied with, (N, M).
        labels: the reference's values that are certain, (N, M), -1 where missing.

    Returns:
        (N, D + J + 2) float32.
    """
    embeddings = embeddings.float()
    known = apply_indicator(posteriors(logits, sizes), one_hot(labels, sizes), sizes)
    wanted = apply_indicator(known, indicator, sizes)
    blocks = [
        block * torch.where(asked.any(1), weights.changed, 1.0)[:, None] * factor[:, None]
        for block, asked, factor in zip(
            wanted.split(list(sizes), 1),
            indicator.split(list(sizes), 1),
            importance.unbind(1),
            strict=True,
        )
    ]
    square = embeddings.square().sum(1, keepdim=True)
    distance = weights.distance
    parts = [2 * embeddings, -torch.ones_like(square), -square]
    scaled = [distance * part for part in parts]
    return torch.cat([scaled[0], *blocks, *scaled[1:]], 1)


def posteriors(logits: Tensor, sizes: Sequence[int]) -> Tensor:
    """Softmax of each attribute's block of logits (N, J)."""
    return torch.cat([block.softmax(1) for block in logits.float().split(list(sizes), 1)], 1)
