"""Pictures for the server: small ones are decoded where they are needed, others apart."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from amgan.images import (
    ImageSettings,
    PictureError,
    PictureLimits,
    Pixels,
    decoding_bytes,
    load_pixels,
    read_picture,
)
from amgan.web.decoder_process import DecoderProcess
from amgan.web.pictures import encode_thumbnail

T = TypeVar("T")
MOST_HERE = 64 * 2**20  # bytes that decoding takes; a search thread each may take so many
# TIFF and the plain formats have decoders that can take long for few pixels; AVIF too.
_APART = (b"II", b"MM", b"P")


class LargePictureError(Exception):
    """A picture that is to be decoded apart.

    Args:
        source: its content, or where it lies.
    """

    def __init__(self, source: Path | bytes) -> None:
        super().__init__("to be decoded apart")
        self.source = source


class PictureDecoder:
    """Decodes reference pictures and pictures that are shown, whatever their source.

    Args:
        limits: what a picture may measure.
        seconds: for one that is decoded apart.
    """

    def __init__(self, limits: PictureLimits, seconds: float) -> None:
        self.limits = limits
        self._process = DecoderProcess(limits, seconds)
        self._apart = ThreadPoolExecutor(1, "amgan-decode")

    def pixels(self, source: Path | bytes, settings: ImageSettings) -> Pixels:
        """As `load_pixels`, for what takes little.

        Raises:
            LargePictureError: it takes more; see `pixels_apart`.
            PictureError: it cannot be used.
        """
        content = self._small(source, 2 * max(settings.height, settings.width))
        return load_pixels(content, settings, self.limits)

    def thumbnail(self, source: Path, width: int) -> bytes:
        """As `encode_thumbnail`, for what takes little.

        Raises:
            LargePictureError: it takes more; see `thumbnail_apart`.
            PictureError: it cannot be used.
        """
        return encode_thumbnail(self._small(source, width), width, self.limits)

    async def pixels_apart(self, source: Path | bytes, settings: ImageSettings) -> Pixels:
        """As `load_pixels`, after those that came before, in a process that can be ended."""
        return await self._in_turn(lambda: self._process.pixels(source, settings))

    async def thumbnail_apart(self, source: Path | bytes, width: int) -> bytes:
        """As `encode_thumbnail`, after those that came before, in a process that can be ended."""
        return await self._in_turn(lambda: self._process.thumbnail(source, width))

    async def _in_turn(self, call: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._apart, call)

    def _small(self, source: Path | bytes, draft_side: int) -> bytes:
        content = source if isinstance(source, bytes) else read_picture(source, self.limits)
        if not content:
            raise PictureError("picture", "the file is empty")
        apart = content.startswith(_APART) or content[4:8] == b"ftyp"
        if apart or decoding_bytes(content, draft_side) > MOST_HERE:
            raise LargePictureError(source)
        return content

    def close(self) -> None:
        """Stop, also in the middle of a picture."""
        self._apart.shutdown(wait=False, cancel_futures=True)
        self._process.close()
