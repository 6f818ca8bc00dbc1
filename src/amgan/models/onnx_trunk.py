"""A trunk that OpenVINO runs from an ONNX file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from amgan.errors import InputError
from amgan.models.onnx_file import OnnxEncoder, read_onnx
from amgan.models.trunk import Trunk, TrunkConfig, pool_maps


class OnnxTrunk(Trunk):
    """Any encoder from an ONNX file; OpenVINO runs it, and no gradient passes through it.

    The model itself is kept with the weights, so that a saved model needs no further file. What the
    encoder gives is the maps; where it is no map, it is one of a single position.

    Args:
        config: resolved.
    """

    differentiable = False
    model: Tensor

    def __init__(self, config: TrunkConfig) -> None:
        super().__init__()
        assert config.onnx is not None, "a resolved configuration"
        self.config = config
        self.description = config.onnx
        self.channels = self.num_features = config.onnx.features
        self.register_buffer("model", torch.empty(0, dtype=torch.uint8))
        self._encoders: dict[bool, OnnxEncoder] = {}

    def forward(self, images: Tensor) -> Tensor:
        """Maps (N, C, h, w), float32."""
        given = self._encode(images)
        if given.ndim == 3:  # tokens: one position each
            return given.transpose(1, 2)[..., None]
        return given if given.ndim == 4 else given[..., None, None]

    def features(self, images: Tensor) -> Tensor:
        """The encoder's own output, its mean over positions where there are several, (N, C)."""
        return pool_maps(self(images))

    def load_pretrained(self) -> None:
        """Take the model from its file."""
        path = Path(self.config.weights)
        content, description = read_onnx(path)
        if description != self.description:
            raise InputError(
                f"{path}: the file or its description is not the one that training began with",
                file=path,
            )
        self._set_model(torch.frombuffer(bytearray(content), dtype=torch.uint8))

    def check_picture(self, height: int, width: int) -> None:
        """Raise InputError where the encoder takes pictures of another size."""
        wanted = (self.description.height, self.description.width)
        if (height, width) != wanted:
            raise InputError(
                f"{self.config.weights} takes pictures of {wanted[0]} x {wanted[1]}, not "
                f"{height} x {width}; set images.height={wanted[0]} and images.width={wanted[1]}",
                field="images",
            )

    def _encode(self, images: Tensor) -> Tensor:
        if torch.jit.is_tracing():  # type: ignore[attr-defined, no-untyped-call]
            raise RuntimeError("an encoder from an ONNX file cannot be traced; OpenVINO runs it")
        bfloat16 = images.device.type == "cpu" and torch.is_autocast_enabled("cpu")
        if bfloat16 not in self._encoders:
            self._encoders[bfloat16] = OnnxEncoder(
                self.model.cpu().numpy().tobytes(),
                self.description,
                bfloat16=bfloat16,
                name=self.config.weights,
            )
        given = self._encoders[bfloat16](images.detach().float().cpu().numpy())
        return torch.from_numpy(given).to(images.device)

    def _set_model(self, model: Tensor) -> None:
        self.model = model
        self._encoders.clear()

    def _load_from_state_dict(self, state_dict: dict[str, Tensor], prefix: str, *rest: Any) -> None:
        """Make room for the model that is about to be loaded, however long it is."""
        if f"{prefix}model" in state_dict:
            self._set_model(torch.empty_like(state_dict[f"{prefix}model"]))
        super()._load_from_state_dict(state_dict, prefix, *rest)

    def __getstate__(self) -> dict[str, Any]:
        """Without the compiled encoders: a copy compiles its own."""
        return {**self.__dict__, "_encoders": {}}
