"""The generator G: reference picture and indicator -> prototype picture (section 3.2)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from amgan.models.blocks import Float32Linear, ResidualBlock, conv_block, initialise, upsample_block
from amgan.models.network import NetworkConfig
from amgan.models.trunk import pool_maps


class Generator(nn.Module):
    """Encoder, fusion with the indicator's embedding, residual blocks, decoder (Eq. 1-2).

    The layer sizes of the paper's Figure 3 are not readable; where the text is silent the layers
    follow Dong et al. (ICCV 2017), the paper's reference [6].

    Args:
        num_values: J, the number of attribute values.
        num_attributes: M, the number of attributes.
        config: network widths.
    """

    def __init__(self, num_values: int, num_attributes: int, config: NetworkConfig) -> None:
        super().__init__()
        width, latent = config.generator_width, config.latent_channels
        self.num_attributes = num_attributes
        self.encoder = nn.Sequential(
            nn.Conv2d(3, width, 3, padding=1),
            nn.ReLU(inplace=True),
            *conv_block(width, 2 * width, 4, 2),
            *conv_block(2 * width, latent, 4, 2),
        )
        self.attribute_embedding = Float32Linear(num_values, latent, bias=False)
        self.fusion = conv_block(2 * latent, latent, 3, 1)
        self.residual = nn.Sequential(
            *(ResidualBlock(latent) for _ in range(config.residual_blocks))
        )
        self.decoder = nn.Sequential(
            upsample_block(latent, 2 * width),
            upsample_block(2 * width, width),
            nn.Conv2d(width, 3, 3, padding=1),
            nn.Tanh(),
        )
        initialise(self)
        # As strong as the normalised feature maps it is concatenated with; at 0.02 the changes go
        # unheard for hundreds of steps. Eq. 4 does not see the scale.
        nn.init.normal_(self.attribute_embedding.weight)

    def encode(self, images: Tensor) -> Tensor:
        """Feature maps F_x (N, L, H/4, W/4) of pictures (N, 3, H, W)."""
        features: Tensor = self.encoder(images)
        return features

    def embed_indicator(self, indicator: Tensor) -> Tensor:
        """Eq. 1: W_a times the indicator divided by its sum, (N, J) -> (N, L).

        A query without changes has an all-zero indicator and gets an all-zero embedding.
        """
        total = indicator.sum(dim=1, keepdim=True).clamp(min=1)
        embedded: Tensor = self.attribute_embedding(indicator / total)
        return embedded

    def embed_labels(self, one_hot: Tensor) -> Tensor:
        """Eq. 3: s = W_a f / M, (N, J) -> (N, L)."""
        embedded: Tensor = self.attribute_embedding(one_hot) / self.num_attributes
        return embedded

    def draw(self, features: Tensor, indicator: Tensor) -> Tensor:
        """Prototypes (N, 3, H, W) in [-1, 1] from feature maps (N, L, H/4, W/4) and h (N, J)."""
        semantic = self.embed_indicator(indicator).to(features.dtype)
        tiled = semantic[:, :, None, None].expand(-1, -1, *features.shape[2:])
        fused = self.fusion(torch.cat((features, tiled), dim=1))
        prototype: Tensor = self.decoder(self.residual(fused))
        return prototype.float()

    def forward(self, images: Tensor, indicator: Tensor) -> Tensor:
        """Eq. 2: prototypes G(x, h), (N, 3, H, W) in [-1, 1]."""
        return self.draw(self.encode(images), indicator)


def visual_embedding(features: Tensor) -> Tensor:
    """v: global average pooling of feature maps (section 3.2.1), (N, L, H, W) -> (N, L) float32."""
    return pool_maps(features)
