"""Labels as tensors."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from amgan.attributes import MISSING


def one_hot(labels: Tensor, sizes: Sequence[int]) -> Tensor:
    """f, (N, J) float32 in {0, 1}, from labels (N, M); a missing label is an all-zero block."""
    blocks = [
        torch.nn.functional.one_hot(column + 1, size + 1)[:, 1:]
        for column, size in zip(labels.unbind(1), sizes, strict=True)
    ]
    assert MISSING == -1
    return torch.cat(blocks, dim=1).float()


def apply_indicator(posterior: Tensor, indicator: Tensor, sizes: Sequence[int]) -> Tensor:
    """Attribute posteriors (N, J) with each asked-for value made certain (its block replaced)."""
    blocks = [
        torch.where(wanted.any(dim=1, keepdim=True), wanted, current)
        for current, wanted in zip(
            posterior.split(list(sizes), 1), indicator.split(list(sizes), 1), strict=True
        )
    ]
    return torch.cat(blocks, dim=1)
