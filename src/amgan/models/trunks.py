"""Trunks by name: what turns pictures into feature maps, for every method that encodes pictures."""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn

from amgan.errors import InputError
from amgan.models import efficientnet
from amgan.models.pretrained import EFFICIENTNET_LITE0, match_weights, read_weights

TrunkName = Literal["conv", "efficientnet-lite0", "onnx"]
ALL_BLOCKS = -1
PAPER_WIDTHS = (64, 128, 256, 512)


@dataclass(frozen=True)
class TrunkConfig:
    """Which trunk, and how much of it is trained.

    Attributes:
        name: `conv` is the paper's kind of encoder, strided convolutions; `efficientnet-lite0` is
            pretrained on ImageNet.
        weights: file of weights; empty for the known ones of a pretrained trunk, and for random
            ones of `conv`.
        frozen_blocks: how many first blocks keep their weights; -1 for all of them.
    """

    name: TrunkName = "conv"
    weights: str = ""
    frozen_blocks: int = 0

    def __post_init__(self) -> None:
        if self.frozen_blocks < ALL_BLOCKS:
            raise InputError(
                f"network.trunk.frozen_blocks must be 0 or more, or -1 for all, "
                f"not {self.frozen_blocks}",
                field="network.trunk.frozen_blocks",
            )


class Trunk(nn.Module, ABC):
    """Pictures (N, 3, H, W) in [-1, 1] -> feature maps, or features pooled from them.

    Weights are random until `load_pretrained`, which a new model calls once; a saved model brings
    its own. What a frozen block learned is kept in buffers: no optimiser sees it, and gradients
    still pass through it to the pictures.

    Attributes:
        config: what it was built from.
        channels: C of the maps.
        num_features: F of the pooled features.
        stride: sides of a picture must be multiples of it.
        differentiable: whether gradients pass through it to the pictures.
    """

    config: TrunkConfig
    channels: int
    num_features: int
    stride: int
    differentiable = True

    @abstractmethod
    def forward(self, images: Tensor) -> Tensor:
        """Feature maps (N, C, h, w)."""

    @abstractmethod
    def features(self, images: Tensor) -> Tensor:
        """Pooled features (N, F), float32."""

    @abstractmethod
    def load_pretrained(self) -> None:
        """Take the weights that the configuration names, where it names any.

        Raises:
            InputError: a file that is missing, damaged, or of another network.
        """

    @property
    def trainable(self) -> bool:
        """Whether any of it is trained."""
        return any(True for _ in self.parameters())

    @property
    def identity(self) -> str:
        """SHA-256 over what decides the features: name, settings and weights."""
        digest = hashlib.sha256(json.dumps(asdict(self.config), sort_keys=True).encode())
        for name, value in sorted(self.state_dict().items()):
            digest.update(name.encode())
            digest.update(value.detach().cpu().contiguous().view(-1).numpy().tobytes())
        return digest.hexdigest()

    def check_picture(self, height: int, width: int) -> None:
        """Raise InputError where pictures of this size do not pass through."""
        if height % self.stride or width % self.stride:
            raise InputError(
                f"picture size {height} x {width} does not fit the networks; "
                f"height and width must be multiples of {self.stride}"
            )


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
        return _pool(self(images))

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
        _freeze([[block] for block in self.network.blocks], config)
        self.train()

    def forward(self, images: Tensor) -> Tensor:
        """Feature maps (N, 1280, H / 32, W / 32)."""
        return self._maps(images)[0]

    def features(self, images: Tensor) -> Tensor:
        """Pooled features (N, 1392), float32."""
        return torch.cat([_pool(maps) for maps in self._maps(images)], dim=1)

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
        """Training mode, but for batch normalisation."""
        super().train(mode)
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eval()
        return self


def build_trunk(
    config: TrunkConfig, height: int, width: int, widths: Sequence[int] = PAPER_WIDTHS
) -> Trunk:
    """A trunk with random weights.

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
        raise InputError(f"unknown trunk {config.name!r}", field="network.trunk.name")
    trunk.check_picture(height, width)
    return trunk


def _pool(maps: Tensor) -> Tensor:
    """Means over positions of maps (N, C, h, w), (N, C) float32."""
    return maps.float().mean(dim=(2, 3))


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
