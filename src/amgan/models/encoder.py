"""The encoder E, shared by all methods, and attribute classifiers on top of it (section 3.3)."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from amgan.models.blocks import Float32Linear, initialise
from amgan.models.network import NetworkConfig
from amgan.models.trunks import ConvolutionalTrunk, build_trunk


class Encoder(nn.Module):
    """E: pictures (N, 3, H, W) -> embeddings (N, D).

    Args:
        height, width: picture size in pixels.
        config: network widths.
        output_scale: embeddings are multiplied by it.
        length: embeddings are brought to this Euclidean length; 0 leaves them as they are.

    Raises:
        InputError: the picture size does not fit the trunk.
    """

    def __init__(
        self,
        height: int,
        width: int,
        config: NetworkConfig,
        output_scale: float = 1.0,
        *,
        length: float = 0.0,
    ) -> None:
        super().__init__()
        self.output_scale = output_scale
        self.length = length
        self.trunk = build_trunk(config.trunk, height, width, config.encoder_widths)
        self.pooled = not isinstance(self.trunk, ConvolutionalTrunk)
        if self.pooled:
            self.standardise = nn.BatchNorm1d(self.trunk.num_features, affine=False)
            inputs = self.trunk.num_features
        else:
            stride = 2 ** len(config.encoder_widths)
            inputs = self.trunk.channels * (height // stride) * (width // stride)
        self.project = Float32Linear(inputs, config.embedding_dim)
        initialise(self)

    def forward(self, images: Tensor) -> Tensor:
        """Embeddings (N, D), float32."""
        if self.pooled:
            return self._project(self.standardise(self.trunk.features(images)))
        return self.embed(self.trunk(images))

    def embed(self, maps: Tensor) -> Tensor:
        """Embeddings (N, D) of the last feature maps (N, C, h, w) of strided convolutions."""
        return self._project(maps.flatten(1))

    def _project(self, hidden: Tensor) -> Tensor:
        embeddings: Tensor = self.project(hidden) * self.output_scale
        if not self.length:
            return embeddings
        return self.length * functional.normalize(embeddings, dim=1)


class AttributeClassifier(Float32Linear):
    """C_1 ... C_M of Eq. 6: a linear classifier an attribute, logits side by side (N, J).

    Args:
        embedding_dim: D.
        num_values: J.
        input_scale: embeddings (N, D) are multiplied by it first.
    """

    def __init__(self, embedding_dim: int, num_values: int, input_scale: float = 1.0) -> None:
        super().__init__(embedding_dim, num_values)
        self.input_scale = input_scale
        initialise(self)

    def forward(self, embeddings: Tensor) -> Tensor:
        """Logits (N, J), float32."""
        return super().forward(embeddings * self.input_scale)
