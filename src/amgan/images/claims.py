"""What a picture file says of itself, read from its bytes before a decoder sees it.

Some files cost a decoder far more than their pixels: a WebP reserves the canvas that it claims as
soon as it is opened, a progressive JPEG goes over all of its pixels once for each of its scans.
"""

from __future__ import annotations

import io
from dataclasses import dataclass

from PIL import Image

from amgan.images.formats import open_formats
from amgan.images.settings import PictureError, PictureLimits

MAX_SCANS = 100
MAX_SCANNED_PIXELS = 1_000_000_000
_BYTES_A_PIXEL = 16  # decoded with transparency, on its white canvas, flattened, and RGB
_COEFFICIENT = 2  # bytes a pixel and channel that a progressive JPEG keeps until its last scan
_DRAFTS = (8, 4, 2, 1)  # a JPEG can be decoded to a size divided by these
_FRAMES = frozenset(
    (*range(0xC0, 0xC4), *range(0xC5, 0xC8), *range(0xC9, 0xCC), *range(0xCD, 0xD0))
)
_PROGRESSIVE = (0xC2, 0xC6, 0xCA, 0xCE)
_BARE_MARKERS = (0x01, *range(0xD0, 0xD9))


@dataclass(frozen=True)
class JpegFrame:
    """The frame header of a JPEG.

    Attributes:
        width, height: in pixels.
        channels: such as 3.
        progressive: whether pixels come in several scans, each over all of them.
        scans: how many there are.
    """

    width: int
    height: int
    channels: int
    progressive: bool
    scans: int


def check_claims(name: str, content: bytes, limits: PictureLimits) -> None:
    """Refuse what would cost a decoder more than the limits allow, before one opens it.

    Raises:
        PictureError: a canvas beyond the limit, or too many scans.
    """
    size = webp_canvas(content)
    if size is not None and size[0] * size[1] > limits.max_pixels:
        raise PictureError(
            name,
            f"is {size[0]} x {size[1]}; at most {limits.max_pixels:,} pixels are allowed",
        )
    frame = read_jpeg(content)
    if frame is None:
        return
    scanned = frame.width * frame.height * frame.scans
    if frame.scans > MAX_SCANS or (frame.scans > 1 and scanned > MAX_SCANNED_PIXELS):
        raise PictureError(
            name, f"is a JPEG of {frame.scans:,} scans; save it again, with one scan or a few"
        )


def decoding_bytes(content: bytes, draft_side: int | None = None) -> int:
    """About how many bytes decoding a picture takes, by what it says of itself; 0 where unreadable.

    Args:
        content: of the file.
        draft_side: as for `load_picture`.
    """
    frame = read_jpeg(content)
    if frame is not None:
        kept = (
            frame.width * frame.height * frame.channels * _COEFFICIENT if frame.progressive else 0
        )
        return kept + _BYTES_A_PIXEL * _drafted_pixels(frame, draft_side)
    width, height = webp_canvas(content) or _opened_size(content)
    return width * height * _BYTES_A_PIXEL


def read_jpeg(content: bytes) -> JpegFrame | None:
    """The frame of a JPEG; None where there is none."""
    if not content.startswith(b"\xff\xd8\xff"):
        return None
    place = 2
    while place + 4 <= len(content):
        if content[place] != 0xFF:
            return None
        marker = content[place + 1]
        if marker == 0xFF or marker in _BARE_MARKERS:
            place += 1 if marker == 0xFF else 2
            continue
        length = int.from_bytes(content[place + 2 : place + 4])
        if marker in _FRAMES:
            height = int.from_bytes(content[place + 5 : place + 7])
            width = int.from_bytes(content[place + 7 : place + 9])
            channels = content[place + 9] if place + 9 < len(content) else 0
            scans = content.count(b"\xff\xda", place)
            return JpegFrame(width, height, channels, marker in _PROGRESSIVE, scans)
        place += 2 + max(2, length)
    return None


def webp_canvas(content: bytes) -> tuple[int, int] | None:
    """Width and height that a WebP claims; None for what is none."""
    if content[:4] != b"RIFF" or content[8:12] != b"WEBP":
        return None
    kind, head = content[12:16], content[20:30]
    if len(head) < 10:
        return None
    if kind == b"VP8X":
        return 1 + int.from_bytes(head[4:7], "little"), 1 + int.from_bytes(head[7:10], "little")
    if kind == b"VP8L":
        bits = int.from_bytes(head[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    width, height = int.from_bytes(head[6:8], "little"), int.from_bytes(head[8:10], "little")
    return width & 0x3FFF, height & 0x3FFF


def _drafted_pixels(frame: JpegFrame, draft_side: int | None) -> int:
    divisor = next(
        (
            divisor
            for divisor in _DRAFTS
            if draft_side is not None and min(frame.width, frame.height) // divisor >= draft_side
        ),
        1,
    )
    return frame.width * frame.height // divisor**2


def _opened_size(content: bytes) -> tuple[int, int]:
    try:
        with Image.open(io.BytesIO(content), formats=open_formats()) as picture:
            return picture.size
    except Exception:  # what is wrong with it is told by whoever decodes it
        return 0, 0
