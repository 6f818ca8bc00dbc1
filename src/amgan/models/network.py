"""Sizes of the networks, the same for every method of a comparison."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from amgan.errors import InputError
from amgan.models.trunks import PAPER_WIDTHS, TrunkConfig


@dataclass(frozen=True)
class NetworkConfig:
    """Widths of generator and encoder. The defaults are the paper's scale.

    Attributes:
        generator_width: c, channels of the generator's first convolution.
        latent_channels: L, channels of the feature maps and length of an attribute embedding.
        residual_blocks: residual blocks between the generator's encoder and decoder.
        encoder_widths: channels of the encoder's convolutions, each of which halves the picture;
            for the trunk `conv`.
        embedding_dim: length of the encoder's output (512 in Table 4).
        trunk: what the encoder takes pictures in with.
    """

    generator_width: int = 128
    latent_channels: int = 512
    residual_blocks: int = 4
    encoder_widths: tuple[int, ...] = PAPER_WIDTHS
    embedding_dim: int = 512
    trunk: TrunkConfig = field(default_factory=TrunkConfig)

    def __post_init__(self) -> None:
        sizes = (self.generator_width, self.latent_channels, self.embedding_dim)
        if min(*sizes, *self.encoder_widths) < 1 or self.residual_blocks < 0:
            raise InputError("network sizes must be positive")

    def resolved(self) -> NetworkConfig:
        """The same with all that decides shapes; see `TrunkConfig.resolved`."""
        return replace(self, trunk=self.trunk.resolved())

    def to_dict(self) -> dict[str, Any]:
        """Plain data; the inverse of `from_dict`.

        The default trunk is left out: files from before there was a choice say the same thing.
        """
        values = asdict(self)
        if self.trunk == TrunkConfig():
            del values["trunk"]
        return values

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> NetworkConfig:
        """Sizes from plain data, as a model's header holds them."""
        trunk = TrunkConfig.from_dict(values.get("trunk", {}))
        widths = tuple(values["encoder_widths"])
        return cls(**{**values, "encoder_widths": widths, "trunk": trunk})
