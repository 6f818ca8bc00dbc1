"""Ranking and memory losses of the peers as pure functions. All are minimised.

They take distances or embeddings and masks, so that each is one line of its paper.
"""

from __future__ import annotations

import torch
from torch import Tensor


def triplet_margin_loss(
    positive: Tensor, negative: Tensor, valid: Tensor, margin: float = 0.5
) -> Tensor:
    """Keep each positive nearer than its negatives by a margin.

    max(0, d+ - d- + margin), the mean over violated triplets (the "batch all, non-zero" mean of
    Hermans et al., 2017): satisfied triplets do not dilute the others. Zero where none is violated.

    Args:
        positive: d+, (N,).
        negative: d-, (N, K).
        valid: which negatives count, (N, K) bool.
        margin: how much nearer.
    """
    hinge = (positive[:, None] - negative + margin).clamp(min=0)
    violated = valid & (hinge.detach() > 0)
    return torch.where(violated, hinge, 0.0).sum() / violated.sum().clamp(min=1)


def soft_triplet_loss(positive: Tensor, negative: Tensor, valid: Tensor) -> Tensor:
    """Make the positive's share of the softmax over both distances vanish.

    ||(s+, s- - 1)||^2 with (s+, s-) = softmax(d+, d-), which is 2 s+^2 (Hoffer and Ailon, 2015).

    Args:
        positive: d+, any shape.
        negative: d-, the same shape.
        valid: which triplets count, the same shape, bool.
    """
    share = torch.sigmoid(positive - negative)
    return masked_mean(2 * share.square(), valid)


def consistency_loss(embeddings: Tensor, composed: Tensor, valid: Tensor) -> Tensor:
    """Keep each attribute's embedding near its value's prototype.

    Mean absolute difference over known labels (Hou et al., ICCV 2021, consistency loss).

    Args:
        embeddings: (N, M, d).
        composed: what the memory holds for the same labels, (N, M, d).
        valid: which labels are known, (N, M) bool.
    """
    return masked_mean((embeddings - composed).abs().mean(dim=2), valid)


def block_diagonal_loss(memory: Tensor, blocks: Tensor) -> Tensor:
    """Keep a value's prototype within its own attribute's part of the embedding.

    L1 norm of what lies outside of the blocks, a value's mean (Hou et al., ICCV 2021, memory loss).

    Args:
        memory: (J, M, d), row j the prototype of value j.
        blocks: which value belongs to which attribute, (J, M) bool.
    """
    return (memory.abs().sum(dim=2) * ~blocks).sum() / len(memory)


def distance_matrix(first: Tensor, second: Tensor) -> Tensor:
    """Euclidean distances of all rows, (N, D), (K, D) -> (N, K), float32.

    The clamp keeps the gradient finite (zero) where two rows are equal.
    """
    with torch.autocast(first.device.type, enabled=False):
        first, second = first.float(), second.float()
        products = first @ second.T
        squares = first.square().sum(1)[:, None] + second.square().sum(1)
        return (squares - 2 * products).clamp(min=1e-12).sqrt()


def masked_mean(terms: Tensor, valid: Tensor) -> Tensor:
    """Mean of the terms where `valid` holds; zero, with zero gradient, where it nowhere does."""
    return torch.where(valid, terms, 0.0).sum() / valid.sum().clamp(min=1)
