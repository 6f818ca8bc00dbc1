"""Which pictures of a minibatch serve as positives and negatives of a ranking loss."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from amgan.attributes import MISSING

# `random`: each target's own negative, drawn at random. `batch`: every target and negative of the
# minibatch with other labels.
Negatives = Literal["random", "batch"]


def valid_negatives(target_labels: Tensor, negative_labels: Tensor, negatives: Negatives) -> Tensor:
    """Which of the minibatch's targets and negatives, side by side, are negatives of each target.

    A picture with all labels of the target (a missing one matches a missing one) never is.

    Args:
        target_labels: (N, M).
        negative_labels: (N, M).
        negatives: see there.

    Returns:
        (N, 2N) bool.
    """
    candidates = torch.cat((target_labels, negative_labels))
    differ = (target_labels[:, None] != candidates).any(dim=2)
    if negatives == "batch":
        return differ
    own = torch.eye(len(target_labels), dtype=torch.bool, device=differ.device)
    return differ & torch.cat((torch.zeros_like(own), own), dim=1)


def next_matching(labels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """For each picture and attribute, the next picture with the same and with another value.

    "Next" is cyclic in the order of the minibatch, which is random. Missing labels match nothing.

    Args:
        labels: (N, M), -1 where missing.

    Returns:
        Rows of positives and of negatives, (N, M) int64 each, and where both exist, (N, M) bool.
    """
    total = len(labels)
    rows = torch.arange(total, device=labels.device)
    steps = ((rows[None, :] - rows[:, None]) % total)[:, :, None]
    known = labels != MISSING
    both = known[:, None] & known[None, :] & (steps > 0)
    same = labels[:, None] == labels[None, :]
    to_positive = torch.where(both & same, steps, total).amin(dim=1)
    to_negative = torch.where(both & ~same, steps, total).amin(dim=1)
    valid = (to_positive < total) & (to_negative < total)
    return (rows[:, None] + to_positive) % total, (rows[:, None] + to_negative) % total, valid
