"""ADDE's disentangled encoder and memory block (Hou et al., ICCV 2021)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from amgan.models.blocks import Float32Linear, initialise
from amgan.models.encoder import Encoder
from amgan.models.network import NetworkConfig
from amgan.models.value_means import ValueMeans, value_blocks


class DisentangledEncoder(nn.Module):
    """The shared encoder with one embedding and one linear classifier an attribute.

    Args:
        height, width: picture size in pixels.
        network: network widths.
        sizes: number of values of each attribute.
        dim: d, length of an attribute's embedding.
    """

    def __init__(
        self, height: int, width: int, network: NetworkConfig, sizes: Sequence[int], dim: int
    ) -> None:
        super().__init__()
        self.dim = dim
        self.encoder = Encoder(height, width, network)
        self.heads = Float32Linear(network.embedding_dim, len(sizes) * dim)
        self.classifiers = nn.ModuleList(Float32Linear(dim, size) for size in sizes)
        initialise(self.heads)
        initialise(self.classifiers)

    def forward(self, images: Tensor) -> Tensor:
        """Embeddings (N, M, d), float32."""
        hidden = torch.nn.functional.leaky_relu(self.encoder(images), 0.2)
        embeddings: Tensor = self.heads(hidden)
        return embeddings.view(len(embeddings), -1, self.dim)

    def classify(self, embeddings: Tensor) -> Tensor:
        """Logits (N, J) from embeddings (N, M, d)."""
        blocks = [
            classifier(embeddings[:, position])
            for position, classifier in enumerate(self.classifiers)
        ]
        return torch.cat(blocks, dim=1)


class ManipulationMemory(nn.Module):
    """Prototype embeddings of all attribute values, which are added to and taken from a picture's.

    Prototype = mean embedding of pictures with the value, in its own attribute's part, plus a
    learned correction, which may reach into the other parts (the block-diagonal loss holds it
    back). The means are gathered while embeddings are first learned.

    Args:
        sizes: number of values of each attribute.
        dim: d.
    """

    def __init__(self, sizes: Sequence[int], dim: int) -> None:
        super().__init__()
        self.means = ValueMeans(sizes, dim)
        self.correction = nn.Parameter(torch.zeros(sum(sizes), len(sizes), dim))

    def blocks(self) -> Tensor:
        """Which value belongs to which attribute, (J, M) bool."""
        return value_blocks(self.means.sizes, self.correction.device)

    def prototypes(self) -> Tensor:
        """(J, M, d)."""
        return self.blocks()[:, :, None] * self.means.means[:, None] + self.correction

    def compose(self, weights: Tensor) -> Tensor:
        """Weighted sum of prototypes, (N, J) -> (N, M, d), float32."""
        with torch.autocast(weights.device.type, enabled=False):
            return torch.einsum("nj,jmd->nmd", weights.float(), self.prototypes())
