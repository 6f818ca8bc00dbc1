"""AMNet's memory block and fusion layer (Zhao et al., CVPR 2017)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from amgan.models.blocks import Float32Linear, initialise
from amgan.models.encoder import Encoder
from amgan.models.network import NetworkConfig
from amgan.models.value_means import ValueMeans


class WideEncoder(nn.Module):
    """The shared encoder with a further layer: pictures -> representations (N, R).

    Args:
        height, width: picture size in pixels.
        network: network widths.
        dim: R.
    """

    def __init__(self, height: int, width: int, network: NetworkConfig, dim: int) -> None:
        super().__init__()
        self.encoder = Encoder(height, width, network)
        self.widen = Float32Linear(network.embedding_dim, dim)
        initialise(self.widen)

    def forward(self, images: Tensor) -> Tensor:
        """Representations (N, R), float32."""
        hidden = torch.nn.functional.leaky_relu(self.encoder(images), 0.2)
        representation: Tensor = self.widen(hidden)
        return representation


class AttributeMemory(nn.Module):
    """A template for each attribute value, in the space of representations.

    Template = mean representation of pictures with the value, less that of all pictures, plus a
    learned correction. The means are gathered while representations are first learned.

    Args:
        sizes: number of values of each attribute.
        dim: R.
    """

    overall: Tensor

    def __init__(self, sizes: Sequence[int], dim: int) -> None:
        super().__init__()
        self.value_means = ValueMeans(sizes, dim)
        self.overall_mean = ValueMeans((1,), dim)
        self.correction = nn.Parameter(torch.zeros(sum(sizes), dim))

    def observe(self, representations: Tensor, labels: Tensor) -> None:
        """Take representations (N, R) with labels (N, M) into the means."""
        everywhere = representations[:, None]
        self.value_means.observe(everywhere.expand(-1, labels.shape[1], -1), labels)
        self.overall_mean.observe(everywhere, torch.zeros_like(labels[:, :1]))

    def templates(self) -> Tensor:
        """(J, R); a value never seen has its correction only."""
        seen = self.value_means.weights[:, None] > 0
        offset = self.value_means.means - self.overall_mean.means
        return torch.where(seen, offset, 0.0) + self.correction

    def forward(self, indicator: Tensor) -> Tensor:
        """Sum of the wanted values' templates, (N, J) -> (N, R); zero for no change."""
        with torch.autocast(indicator.device.type, enabled=False):
            return indicator.float() @ self.templates()


class Fusion(nn.Module):
    """Fully connected layer on representation and retrieved templates side by side.

    It starts as their sum, so that a query without changes starts as its own picture.

    Args:
        dim: R.
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.layer = Float32Linear(2 * dim, dim)
        initialise(self.layer)
        with torch.no_grad():
            self.layer.weight.mul_(0.02).add_(torch.eye(dim).repeat(1, 2))

    def forward(self, representation: Tensor, retrieved: Tensor) -> Tensor:
        """Manipulated representations, (N, R), (N, R) -> (N, R), float32."""
        fused: Tensor = self.layer(torch.cat((representation, retrieved), dim=1))
        return fused
