"""Layers that several networks share."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def conv_block(inputs: int, outputs: int, kernel: int, stride: int) -> nn.Sequential:
    """Convolution with padding 1, batch normalisation, ReLU: (N, C, H, W) -> (N, C', H', W')."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


def upsample_block(inputs: int, outputs: int) -> nn.Sequential:
    """Nearest-neighbour doubling, then a 3 x 3 `conv_block`: (N, C, H, W) -> (N, C', 2H, 2W)."""
    return nn.Sequential(
        nn.Upsample(scale_factor=2, mode="nearest"), *conv_block(inputs, outputs, 3, 1)
    )


class ResidualBlock(nn.Module):
    """Two 3 x 3 convolutions around an identity (He et al., CVPR 2016): shape is kept."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *conv_block(channels, channels, 3, 1),
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
        )

    def forward(self, features: Tensor) -> Tensor:
        """Features (N, C, H, W) -> the same shape."""
        return torch.relu(features + self.body(features))


class Float32Linear(nn.Linear):
    """A linear layer in float32, also under autocast.

    What ends in logits, embeddings and distances is a layer of this kind: in bfloat16, with its
    three digits, nearly equal items would change places.
    """

    def forward(self, inputs: Tensor) -> Tensor:
        """(..., I) -> (..., O), float32."""
        with torch.autocast(inputs.device.type, enabled=False):
            return super().forward(inputs.float())


def initialise(network: nn.Module) -> None:
    """Draw weights from N(0, 0.02), batch-normalisation scales from N(1, 0.02), biases 0.

    DCGAN's initialisation (Radford et al., ICLR 2016), also used by Dong et al. (ICCV 2017).
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.normal_(module.weight, 0.0, 0.02)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1.0, 0.02)
            nn.init.zeros_(module.bias)
