"""What tells one set of weights from another."""

from __future__ import annotations

import hashlib

from torch import nn


def digest_weights(text: str, network: nn.Module, without: tuple[str, ...] = ()) -> str:
    """SHA-256 of a description and a network's weights and buffers.

    Args:
        text: what else decides the result.
        network: whose weights, by name.
        without: weights whose names begin so are left out.
    """
    digest = hashlib.sha256(text.encode())
    for name, value in sorted(network.state_dict().items()):
        if not name.startswith(without):
            digest.update(name.encode())
            digest.update(value.detach().cpu().contiguous().view(-1).numpy().tobytes())
    return digest.hexdigest()
