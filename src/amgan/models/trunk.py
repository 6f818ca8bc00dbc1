"""What every trunk is: it turns pictures into feature maps, for every method that encodes them."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args

from torch import Tensor, nn

from amgan.errors import InputError
from amgan.models.onnx_file import OnnxDescription, description_from_dict, read_onnx
from amgan.models.weight_digest import digest_weights

TrunkName = Literal["conv", "efficientnet-lite0", "onnx"]
ALL_BLOCKS = -1


@dataclass(frozen=True)
class TrunkConfig:
    """Which trunk, and how much of it is trained.

    Attributes:
        name: `conv` is the paper's kind of encoder, strided convolutions; `efficientnet-lite0` is
            pretrained on ImageNet; `onnx` is any encoder from a file, which is never trained.
        weights: file of weights; empty for the known ones of a pretrained trunk, and for random
            ones of `conv`. Of `onnx` it is the model, `encoder.onnx`; `encoder.toml` lies beside it
            (`OnnxDescription`).
        frozen_blocks: how many first blocks keep their weights; -1 for all of them.
        learning_rate: of what is trained of it, relative to that of the other networks.
        onnx: what the files of an ONNX encoder say; read from them, not given.
    """

    name: TrunkName = "conv"
    weights: str = ""
    frozen_blocks: int = 0
    learning_rate: float = 1.0
    onnx: OnnxDescription | None = None

    def __post_init__(self) -> None:
        if self.name not in get_args(TrunkName):
            raise InputError(
                f"unknown trunk {self.name!r}; the trunks are {', '.join(get_args(TrunkName))}",
                field="network.trunk.name",
            )
        if self.frozen_blocks < ALL_BLOCKS:
            raise InputError(
                f"network.trunk.frozen_blocks must be 0 or more, or -1 for all, "
                f"not {self.frozen_blocks}",
                field="network.trunk.frozen_blocks",
            )
        if self.learning_rate <= 0:
            raise InputError(
                f"network.trunk.learning_rate must be positive, not {self.learning_rate}; "
                "frozen_blocks = -1 leaves a trunk as it is",
                field="network.trunk.learning_rate",
            )
        if self.name == "onnx" and not self.weights:
            raise InputError(
                "the trunk onnx needs a model: name the file with network.trunk.weights",
                field="network.trunk.weights",
            )

    def resolved(self) -> TrunkConfig:
        """The same with all that decides a network's shape, so that no file has to be read again.

        Raises:
            InputError: the files of an ONNX encoder are missing, or do not fit each other.
        """
        if self.name != "onnx" or self.onnx is not None:
            return self
        return replace(self, onnx=read_onnx(Path(self.weights))[1])

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> TrunkConfig:
        """From plain data, as a model's header holds it."""
        onnx = values.get("onnx")
        description = None if onnx is None else description_from_dict(onnx)
        return cls(**{**values, "onnx": description})


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
        """SHA-256 over what decides the features: name, weights, and what an ONNX encoder takes."""
        onnx = self.config.onnx
        settings = [self.config.name, None if onnx is None else asdict(onnx)]
        return digest_weights(json.dumps(settings), self)

    def check_picture(self, height: int, width: int) -> None:
        """Raise InputError where pictures of this size do not pass through."""
        if height % self.stride or width % self.stride:
            raise InputError(
                f"picture size {height} x {width} does not fit the networks; "
                f"height and width must be multiples of {self.stride}"
            )


def pool_maps(maps: Tensor) -> Tensor:
    """Means over positions of maps (N, C, h, w), (N, C) float32."""
    return maps.float().mean(dim=(2, 3))
