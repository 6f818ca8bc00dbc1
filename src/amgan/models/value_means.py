"""Running mean of the features of pictures with each attribute value."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class ValueMeans(nn.Module):
    """Means over recent minibatches, one for each attribute value; a value not yet seen has zero.

    A value's older pictures fade only when it is seen again, so that rare values keep theirs.

    Args:
        sizes: number of values of each attribute.
        dim: length d of a feature.
        decay: weight left to what was known when a value comes again.
    """

    means: Tensor
    weights: Tensor

    def __init__(self, sizes: Sequence[int], dim: int, decay: float = 0.98) -> None:
        super().__init__()
        self.sizes = tuple(sizes)
        self.decay = decay
        self.register_buffer("means", torch.zeros(sum(sizes), dim))
        self.register_buffer("weights", torch.zeros(sum(sizes)))

    @torch.no_grad()
    def observe(self, features: Tensor, labels: Tensor) -> None:
        """Take in a minibatch.

        Args:
            features: (N, M, d), the features that stand for each attribute.
            labels: (N, M), -1 where missing: not counted.
        """
        first = 0
        for position, size in enumerate(self.sizes):
            block = slice(first, first + size)
            values = torch.arange(size, device=labels.device)
            member = (labels[:, position, None] == values).float()
            with torch.autocast(features.device.type, enabled=False):
                total = member.T @ features[:, position].float()
            count = member.sum(dim=0)
            seen = count > 0
            weights = torch.where(seen, self.decay * self.weights[block] + count, 1.0)
            step = (total - count[:, None] * self.means[block]) / weights[:, None]
            self.means[block] += torch.where(seen[:, None], step, 0.0)
            self.weights[block] = torch.where(seen, weights, self.weights[block])
            first += size


def value_blocks(sizes: Sequence[int], device: torch.device | None = None) -> Tensor:
    """Which value belongs to which attribute, (J, M) bool."""
    attribute = torch.arange(len(sizes), device=device)
    owner = attribute.repeat_interleave(torch.tensor(tuple(sizes), device=device))
    return owner[:, None] == attribute
