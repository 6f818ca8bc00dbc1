"""What pictures become, what they may measure, and the error of one that cannot be used."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from amgan.errors import InputError

Pixels = NDArray[np.uint8]
Fit = Literal["pad", "stretch", "crop"]

PREPROCESSING_VERSION = 2  # raise it when the same file no longer gives the same pixels
_MAX_SIDE = 4096


class PictureError(InputError):
    """A picture that cannot be used.

    Attributes:
        source: the file's path, or "picture" for bytes.
        reason: what is wrong with it, without the path.
    """

    def __init__(self, source: str, reason: str) -> None:
        super().__init__(source, reason, file=source)
        self.source = source
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.source}: {self.reason}"


@dataclass(frozen=True)
class ImageSettings:
    """The size pictures are brought to, in pixels.

    Attributes:
        height: rows.
        width: columns.
        fit: "pad" keeps the aspect ratio and fills up with white, "stretch" does not keep it,
            "crop" keeps it and cuts what stands over, evenly on both sides.
    """

    height: int = 64
    width: int = 64
    fit: Fit = "pad"

    def __post_init__(self) -> None:
        for name, side in (("height", self.height), ("width", self.width)):
            if not 1 <= side <= _MAX_SIDE:
                raise InputError(f"picture {name} must be 1 to {_MAX_SIDE}, not {side}")
        if self.fit not in ("pad", "stretch", "crop"):
            raise InputError(f"unknown fit {self.fit!r}; choose pad, stretch or crop")

    @property
    def digest(self) -> str:
        """SHA-256 of everything that decides which pixels a file becomes."""
        text = json.dumps({"version": PREPROCESSING_VERSION, **asdict(self)}, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class PictureLimits:
    """What a picture may measure before it is decoded.

    Attributes:
        max_bytes: largest file.
        max_pixels: largest width times height.
        min_side: smallest width and smallest height.
    """

    max_bytes: int = 20 * 2**20
    max_pixels: int = 50_000_000
    min_side: int = 8


DEFAULT_LIMITS = PictureLimits()


def too_many_bytes(size: int, limits: PictureLimits) -> str:
    """The reason why a file of `size` bytes is refused."""
    return f"has {size:,} bytes; at most {limits.max_bytes:,} are allowed"
