"""Pictures that go out: the gallery's, by item id and never by path, and prototypes."""

from __future__ import annotations

import io
import threading
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from PIL import Image

from amgan.images import PictureLimits, Pixels, load_picture
from amgan.images.formats import open_formats

WIDTHS = (96, 160, 240, 320, 480, 640, 960, 1280)
_TALLEST = 2  # a very tall picture is scaled to this many times its width
_QUALITY = 86
_USUAL_SHAPE = 0.8
_SHAPES_READ = 25
_EXIF_ORIENTATION = 0x0112


def fitting_width(width: int) -> int:
    """The smallest of WIDTHS that has `width` pixels."""
    return next((choice for choice in WIDTHS if choice >= width), WIDTHS[-1])


def encode_png(pixels: Pixels) -> bytes:
    """PNG of one picture (H, W, 3)."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def encode_thumbnail(source: Path | bytes, width: int, limits: PictureLimits) -> bytes:
    """JPEG of a gallery picture, at most `width` wide, without the original's metadata.

    The file is decoded and encoded anew: whatever a catalogue's table names, nothing but pixels
    leaves the server.

    Raises:
        PictureError: no picture, or one beyond the limits.
    """
    picture = load_picture(source, limits, draft_side=width)
    picture.thumbnail((width, width * _TALLEST), Image.Resampling.LANCZOS, reducing_gap=2.0)
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=_QUALITY, optimize=True, progressive=True)
    return file.getvalue()


class PictureCache:
    """Encoded pictures in memory, up to a number of bytes; the least recently used goes first."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._pictures: OrderedDict[tuple[str, str, int], bytes] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._pictures)

    @property
    def held_bytes(self) -> int:
        """Bytes held now."""
        return self._bytes

    def get(self, key: tuple[str, str, int]) -> bytes | None:
        """A picture by gallery version, item id and width."""
        with self._lock:
            if key not in self._pictures:
                return None
            self._pictures.move_to_end(key)
            return self._pictures[key]

    def put(self, key: tuple[str, str, int], picture: bytes) -> None:
        """Keep a picture."""
        if len(picture) > self._max_bytes:
            return
        with self._lock:
            self._bytes += len(picture) - len(self._pictures.pop(key, b""))
            self._pictures[key] = picture
            while self._bytes > self._max_bytes:
                _, dropped = self._pictures.popitem(last=False)
                self._bytes -= len(dropped)


def typical_shape(paths: Sequence[Path]) -> float:
    """Median width / height of some of the pictures; `_USUAL_SHAPE` where none can be read."""
    shapes = []
    for path in paths[:: max(1, len(paths) // _SHAPES_READ)][:_SHAPES_READ]:
        try:
            if not path.is_file():
                continue
            with Image.open(path, formats=open_formats()) as picture:
                turned = picture.getexif().get(_EXIF_ORIENTATION, 1) in (5, 6, 7, 8)
                shape = picture.width / picture.height
        except Exception:  # whoever decodes it tells what is wrong
            continue
        shapes.append(1 / shape if turned else shape)
    return median(shapes) if shapes else _USUAL_SHAPE
