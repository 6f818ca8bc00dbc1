"""Trunks by name: the paper's convolutions, EfficientNet-Lite0, any encoder from an ONNX file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from amgan.errors import InputError
from amgan.models import efficientnet
from amgan.models.onnx_trunk import OnnxTrunk
from amgan.models.pretrained import EFFICIENTNET_LITE0, match_weights, read_weights
from amgan.models.trunk import ALL_BLOCKS, Trunk, TrunkConfig, pool_maps

__all__ = [
    "ALL_BLOCKS",
    "PAPER_WIDTHS",
    "ConvolutionalTrunk",
    "EfficientNetTrunk",
    "OnnxTrunk",
    "Trunk",
    "TrunkConfig",
    "build_trunk",
]

PAPER_WIDTHS = (64, 128, 256, 512)


class ConvolutionalTrunk(Trunk):
    """Strided 4 x 4 convolutions with LeakyReLU 0.2, batch normalisation except in the first.

    (N, 3, H, W) -> (N, C, H / 2^n, W / 2^n) for n widths, C the last of them.

    Args:
        config: `weights` may name a state dict of such a trunk.
        widths: channels of the convolutions.
    """

    def __init__(self, config: TrunkConfig, widths: Sequence[int] = PAPER_WIDTHS) -> None:
        super().__init__()
        self.config = config
        self.channels = self.num_features = widths[-1]
        # The generator halves a picture's sides twice.
        self.stride = max(4, 2 ** len(widths))
        blocks = []
        channels = 3
        for position, width in enumerate(widths):
            layers: list[nn.Module] = [
                nn.Conv2d(channels, width, 4, 2, padding=1, bias=position == 0)
            ]
            if position > 0:
                layers.append(nn.BatchNorm2d(width))
            layers.append(nn.LeakyReLU(0.2, inplace=True))
            blocks.append(layers)
            channels = width
        # Layers are children of the trunk itself, as the names in model files have it.
        for number, layer in enumerate(layer for block in blocks for layer in block):
            self.add_module(str(number), layer)
        self._frozen = _freeze(blocks, config)

    def forward(self, images: Tensor) -> Tensor:
        """Feature maps (N, C, H / 2^n, W / 2^n)."""
        maps = images
        for layer in self.children():
            maps = layer(maps)
        return maps

    def features(self, images: Tensor) -> Tensor:
        """The maps' means over positions (N, C), float32."""
        return pool_maps(self(images))

    def load_pretrained(self) -> None:
        """Take the weights of the file that is named, if one is."""
        if self.config.weights:
            path = Path(self.config.weights)
            self.load_state_dict(match_weights(read_weights(path), self.state_dict(), path))

    def train(self, mode: bool = True) -> ConvolutionalTrunk:
        """Training mode, but for the frozen blocks."""
        super().train(mode)
        for module in self._frozen:
            module.eval()
        return self


class EfficientNetTrunk(Trunk):
    """EfficientNet-Lite0; its batch normalisation always runs on the statistics of ImageNet.

    The features are the means of the last maps, and of the last maps that have 1/16 of the
    picture's sides.
    """

    channels = efficientnet.FEATURE_CHANNELS
    num_features = efficientnet.FEATURE_CHANNELS + efficientnet.MIDDLE_CHANNELS
    stride = efficientnet.STRIDE

    def __init__(self, config: TrunkConfig) -> None:
        super().__init__()
        self.config = config
        self.network = efficientnet.EfficientNetLite0()
        self._frozen = _freeze([[block] for block in self.network.blocks], config)
        self.train()

    def forward(self, images: Tensor) -> Tensor:
        """Feature maps (N, 1280, H / 32, W / 32)."""
        return self._maps(images)[0]

    def features(self, images: Tensor) -> Tensor:
        """Pooled features (N, 1392), float32."""
        return torch.cat([pool_maps(maps) for maps in self._maps(images)], dim=1)

    def _maps(self, images: Tensor) -> tuple[Tensor, Tensor]:
        # From [-1, 1] to pixels of 0 to 255, and from there to what the network was trained with.
        maps: tuple[Tensor, Tensor] = self.network((images * 127.5 + 0.5) / 128)
        return maps

    def load_pretrained(self) -> None:
        """Take the ImageNet weights, or those of the file that is named."""
        own = self.config.weights
        path = Path(own) if own else EFFICIENTNET_LITE0.locate()
        tensors = read_weights(path)
        # The packaged file also holds a classifier of ImageNet's classes.
        tensors = {k: v for k, v in tensors.items() if not k.startswith("_fc.")}
        with torch.device("meta"):
            wanted = efficientnet.EfficientNetLite0().state_dict()
        self.network.load_state_dict(match_weights(tensors, wanted, path))

    def train(self, mode: bool = True) -> EfficientNetTrunk:
        """Training mode, but for frozen blocks and batch normalisation."""
        super().train(mode)
        normalising = [module for module in self.modules() if isinstance(module, nn.BatchNorm2d)]
        for module in (*self._frozen, *normalising):
            module.eval()
        return self


def build_trunk(
    config: TrunkConfig, height: int, width: int, widths: Sequence[int] = PAPER_WIDTHS
) -> Trunk:
    """A trunk with random weights, or without its model where that is a file.

    Args:
        config: which.
        height: of the pictures, in pixels.
        width: of the pictures, in pixels.
        widths: channels of the convolutions of `conv`.

    Raises:
        InputError: pictures of this size do not pass through it, or it has fewer blocks than are
            to be frozen.
    """
    trunk: Trunk
    if config.name == "conv":
        trunk = ConvolutionalTrunk(config, widths)
    elif config.name == "efficientnet-lite0":
        trunk = EfficientNetTrunk(config)
    else:
        trunk = OnnxTrunk(config.resolved())
    trunk.check_picture(height, width)
    return trunk


def _freeze(blocks: Sequence[Sequence[nn.Module]], config: TrunkConfig) -> list[nn.Module]:
    """Make buffers of the first blocks' parameters; the modules that are frozen."""
    number = len(blocks) if config.frozen_blocks == ALL_BLOCKS else config.frozen_blocks
    if number > len(blocks):
        raise InputError(
            f"network.trunk.frozen_blocks is {number}, but the trunk {config.name} has "
            f"{len(blocks)} blocks; give 0 to {len(blocks)}, or -1 for all",
            field="network.trunk.frozen_blocks",
        )
    frozen = [module for block in blocks[:number] for module in block]
    for module in frozen:
        for part in module.modules():
            for name, parameter in list(part.named_parameters(recurse=False)):
                delattr(part, name)
                part.register_buffer(name, parameter.detach())
    return frozen
