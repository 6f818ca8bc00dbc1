"""Sizes of the networks, the same for every method of a comparison."""

from __future__ import annotations

from dataclasses import dataclass

from amgan.errors import InputError


@dataclass(frozen=True)
class NetworkConfig:
    """Widths of generator and encoder. The defaults are the paper's scale.

    Attributes:
        generator_width: c, channels of the generator's first convolution.
        latent_channels: L, channels of the feature maps and length of an attribute embedding.
        residual_blocks: residual blocks between the generator's encoder and decoder.
        encoder_widths: channels of the encoder's convolutions, each of which halves the picture.
        embedding_dim: length of the encoder's output (512 in Table 4).
    """

    generator_width: int = 128
    latent_channels: int = 512
    residual_blocks: int = 4
    encoder_widths: tuple[int, ...] = (64, 128, 256, 512)
    embedding_dim: int = 512

    def __post_init__(self) -> None:
        sizes = (self.generator_width, self.latent_channels, self.embedding_dim)
        if min(*sizes, *self.encoder_widths) < 1 or self.residual_blocks < 0:
            raise InputError("network sizes must be positive")

    def check_picture(self, height: int, width: int) -> None:
        """Raise ValueError where pictures of this size do not pass through the networks."""
        factor = max(4, 2 ** len(self.encoder_widths))
        if height % factor or width % factor:
            raise InputError(
                f"picture size {height} x {width} does not fit the networks; "
                f"height and width must be multiples of {factor}"
            )
