"""The work of one block: pictures to vectors, the same whoever does it.

A block says no more than its pictures need, so that it can be sent to another process or machine:
ids and labels stay with the catalogue.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from amgan.devices import Precision
from amgan.gallery.encoding.executor_choice import ExecutorChoice
from amgan.images import (
    DEFAULT_LIMITS,
    DecodedPicture,
    PictureError,
    PictureLimits,
    Pixels,
    decode_picture,
)
from amgan.methods.model_file import load_model
from amgan.methods.trained import TrainedModel
from amgan.progress import Progress, quiet


@dataclass(frozen=True)
class EncodingOptions:
    """How the pictures of a catalogue are encoded.

    Attributes:
        limits: what a picture file may measure.
        batch_size: pictures of a block: held in memory by each worker, and written at once.
        executor: who does the work; see `executors`.
        workers: threads that decode, or processes or Ray actors that decode and encode; None takes
            as many as there are cores (with Ray: CPUs or, for a model on a GPU, GPUs).
        progress: shows how far it is.
    """

    limits: PictureLimits = DEFAULT_LIMITS
    batch_size: int = 256
    executor: ExecutorChoice = ExecutorChoice.threads
    workers: int | None = None
    progress: Progress = quiet


DEFAULT_OPTIONS = EncodingOptions()
HOW_TO_GO_ON = (  # in the error of an executor that had to stop
    "what was encoded so far is kept: give the same command again to go on, with fewer workers or "
    "a smaller batch size where memory ran out"
)


@dataclass(frozen=True)
class Block:
    """Neighbouring rows of a catalogue.

    Attributes:
        images: n picture files, absolute paths.
        pixels: their decoded pictures (n, H, W, 3) uint8; None reads the files.
    """

    images: tuple[Path, ...]
    pixels: Pixels | None = None


@dataclass(frozen=True)
class EncodedBlock:
    """What became of a block's n pictures.

    Attributes:
        reasons: n entries: why there is no vector, None where there is one.
        vectors: (n less those without, D) float32, in the block's order.
        digests: n entries: SHA-256 of each picture file, None where it is not known.
    """

    reasons: tuple[str | None, ...]
    vectors: NDArray[np.float32]
    digests: tuple[str | None, ...]


@dataclass(frozen=True)
class Recipe:
    """How another process computes what the model of this one would, but for rounding.

    Attributes:
        device: torch device.
        precision: of the networks.
        batch_size: pictures a forward pass.
        limits: what a picture file may measure.
    """

    device: str
    precision: Precision
    batch_size: int
    limits: PictureLimits

    @classmethod
    def of(cls, model: TrainedModel, limits: PictureLimits) -> Recipe:
        """The recipe that repeats `model`."""
        precision: Precision = "bf16" if model.compute.bfloat16 else "fp32"
        return cls(str(model.compute.device), precision, model.batch_size, limits)

    def load(self, model_file: Path) -> BlockEncoder:
        """Load the model.

        Raises:
            ValueError: not a model file, or no such device here.
        """
        model = load_model(model_file, self.device, self.precision)
        model.batch_size = self.batch_size
        return BlockEncoder(model, self.limits)


class BlockEncoder:
    """Encodes one block after the other, alone in its process."""

    def __init__(self, model: TrainedModel, limits: PictureLimits) -> None:
        self._model = model
        self._limits = limits

    def __call__(self, block: Block) -> EncodedBlock:
        """Decode and encode."""
        if block.pixels is not None:
            return encode_pictures(self._model, given_pictures(block.pixels))
        settings = self._model.images
        decoded = (decode_picture(image, settings, self._limits) for image in block.images)
        return encode_pictures(self._model, decoded)


def encode_pictures(model: TrainedModel, decoded: Iterable[DecodedPicture]) -> EncodedBlock:
    """Encode the pictures of one block that could be decoded."""
    pictures: list[Pixels] = []
    reasons: list[str | None] = []
    digests: list[str | None] = []
    for picture, digest in decoded:
        digests.append(digest)
        if isinstance(picture, PictureError):
            reasons.append(picture.reason)
        else:
            reasons.append(None)
            pictures.append(picture)
    vectors = np.empty((0, model.embedding_dim), np.float32)
    if pictures:
        vectors = model.encode_gallery(np.stack(pictures))
    return EncodedBlock(tuple(reasons), vectors, tuple(digests))


def given_pictures(pixels: Pixels) -> Iterator[DecodedPicture]:
    """Pictures that were decoded before; which files they came from is not known."""
    return (DecodedPicture(picture, None) for picture in pixels)
