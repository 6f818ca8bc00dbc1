"""The encoder E, shared by all methods, and attribute classifiers on top of it (section 3.3)."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from amgan.models.blocks import initialise
from amgan.models.network import NetworkConfig


class ConvolutionalTrunk(nn.Sequential):
    """Strided 4 x 4 convolutions with LeakyReLU 0.2, batch normalisation except in the first.

    (N, 3, H, W) -> (N, C, H / 2^n, W / 2^n) for n widths, C the last of them.
    """

    def __init__(self, config: NetworkConfig) -> None:
        layers: list[nn.Module] = []
        channels = 3
        for position, width in enumerate(config.encoder_widths):
            layers.append(nn.Conv2d(channels, width, 4, 2, padding=1, bias=position == 0))
            if position > 0:
                layers.append(nn.BatchNorm2d(width))
            layers.append(nn.LeakyReLU(0.2, inplace=True))
            channels = width
        super().__init__(*layers)


class Encoder(nn.Module):
    """E: pictures (N, 3, H, W) -> embeddings (N, D).

    Args:
        height, width: picture size in pixels.
        config: network widths.
        output_scale: embeddings are multiplied by it.
        length: embeddings are brought to this Euclidean length; 0 leaves them as they are.

    Raises:
        ValueError: the picture size does not fit the strides.
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
        config.check_picture(height, width)
        stride = 2 ** len(config.encoder_widths)
        cells = (height // stride) * (width // stride)
        self.trunk = ConvolutionalTrunk(config)
        self.project = nn.Linear(config.encoder_widths[-1] * cells, config.embedding_dim)
        initialise(self)

    def forward(self, images: Tensor) -> Tensor:
        """Embeddings (N, D), float32."""
        return self.embed(self.trunk(images))

    def embed(self, features: Tensor) -> Tensor:
        """Embeddings (N, D) of the trunk's last feature maps (N, C, H', W')."""
        embeddings: Tensor = self.project(features.flatten(1))
        embeddings = embeddings.float() * self.output_scale
        if not self.length:
            return embeddings
        return self.length * functional.normalize(embeddings, dim=1)


class AttributeClassifier(nn.Linear):
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
        """Logits (N, J)."""
        return super().forward(embeddings * self.input_scale)
