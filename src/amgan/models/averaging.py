"""Moving averages of weights, which draw and search better than the weights of the last step."""

from __future__ import annotations

import torch
from torch import nn


def follow_average(average: nn.Module, trained: nn.Module, decay: float) -> None:
    """Move the parameters of `average` towards those of `trained`, of which it is a copy.

    Args:
        average: keeps the share `decay` of its own values.
        trained: the same network after an optimiser step.
        decay: from 0, a plain copy, to below 1.
    """
    with torch.no_grad():
        for mean, parameter in zip(average.parameters(), trained.parameters(), strict=True):
            mean.lerp_(parameter, 1 - decay)
