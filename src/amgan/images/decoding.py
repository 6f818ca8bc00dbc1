"""From a file to pixels: decode, turn upright, flatten, resize."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, UnidentifiedImageError

from amgan.images.claims import check_claims
from amgan.images.files import read_picture
from amgan.images.formats import name_format, open_formats
from amgan.images.png import SIGNATURE, Colour, TooManyChunksError, keep_what_shows
from amgan.images.settings import (
    DEFAULT_LIMITS,
    ImageSettings,
    PictureError,
    PictureLimits,
    Pixels,
    too_many_bytes,
)

_WHITE = (255, 255, 255)
_KEYED = {1: "L", 3: "RGB"}
_MODES_WITH_ALPHA = ("RGBA", "RGBa", "LA", "La", "PA")
_EXIF_ORIENTATION = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def load_picture(
    source: Path | bytes,
    limits: PictureLimits = DEFAULT_LIMITS,
    *,
    draft_side: int | None = None,
) -> Image.Image:
    """Decode a picture to RGB, turned upright, transparency laid on white.

    Args:
        source: a file, or a file's content.
        limits: checked before the pixels are decoded.
        draft_side: a JPEG may be decoded to a smaller size as long as both sides keep at least
            this many pixels; much faster for large photographs.

    Raises:
        PictureError: no such file, too large, too small, no picture, or a damaged one.
    """
    name = "picture" if isinstance(source, bytes) else str(source)
    content = source if isinstance(source, bytes) else read_picture(source, limits)
    if not content:
        raise PictureError(name, "the file is empty")
    if len(content) > limits.max_bytes:
        raise PictureError(name, too_many_bytes(len(content), limits))
    check_claims(name, content, limits)
    formats = open_formats()
    _allow_pixels(limits)
    try:
        key: Colour | None = None
        if content.startswith(SIGNATURE):
            content, key = keep_what_shows(content)
        with Image.open(io.BytesIO(content), formats=formats) as picture:
            _check_size(name, picture, limits)
            if draft_side is not None:
                picture.draft(None, (draft_side, draft_side))
            picture.load()
            return _flatten(_turn_upright(picture), key)
    except PictureError:
        raise
    except UnidentifiedImageError:
        raise PictureError(name, _unknown_format(content)) from None
    except TooManyChunksError as error:
        raise PictureError(name, str(error)) from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise PictureError(name, f"has more than {limits.max_pixels:,} pixels") from None
    except Exception as error:  # decoders raise nearly anything on damaged content
        raise PictureError(name, f"damaged or truncated ({error})") from error


def prepare_picture(picture: Image.Image, settings: ImageSettings) -> Pixels:
    """Bring an RGB picture to the size in `settings`: (H, W, 3)."""
    assert picture.mode == "RGB", f"expected an RGB picture, got {picture.mode}"
    wanted = (settings.width, settings.height)
    width, height = picture.size
    if settings.fit == "pad":
        scale = min(wanted[0] / width, wanted[1] / height)
        inner = (max(1, round(width * scale)), max(1, round(height * scale)))
        resized = picture.resize(inner, Image.Resampling.BICUBIC, reducing_gap=3.0)
        if inner != wanted:
            canvas = Image.new("RGB", wanted, _WHITE)
            canvas.paste(resized, ((wanted[0] - inner[0]) // 2, (wanted[1] - inner[1]) // 2))
            resized = canvas
    else:
        box = None
        if settings.fit == "crop":
            scale = min(width / wanted[0], height / wanted[1])
            cut_x, cut_y = (width - wanted[0] * scale) / 2, (height - wanted[1] * scale) / 2
            box = (cut_x, cut_y, width - cut_x, height - cut_y)
        resized = picture.resize(wanted, Image.Resampling.BICUBIC, box=box, reducing_gap=3.0)
    return np.array(resized)


def load_pixels(
    source: Path | bytes,
    settings: ImageSettings,
    limits: PictureLimits = DEFAULT_LIMITS,
) -> Pixels:
    """Decode a picture and bring it to size: (H, W, 3).

    Raises:
        PictureError: as `load_picture`.
    """
    draft_side = 2 * max(settings.height, settings.width)
    return prepare_picture(load_picture(source, limits, draft_side=draft_side), settings)


class DecodedPicture(NamedTuple):
    """A picture file's pixels, or what is wrong with it, and what it held.

    Attributes:
        picture: (H, W, 3), or why there are none.
        digest: SHA-256 of the file, hexadecimal; None where it could not be read.
    """

    picture: Pixels | PictureError
    digest: str | None


def decode_picture(
    path: Path, settings: ImageSettings, limits: PictureLimits = DEFAULT_LIMITS
) -> DecodedPicture:
    """As `load_pixels`, with what is wrong with the picture as an answer, not raised."""
    digest = None
    try:
        content = read_picture(path, limits)
        digest = hashlib.sha256(content).hexdigest()
        return DecodedPicture(load_pixels(content, settings, limits), digest)
    except PictureError as error:
        return DecodedPicture(PictureError(str(path), error.reason), digest)


def _unknown_format(content: bytes) -> str:
    name = name_format(content)
    known = f"not a picture in a format read here ({', '.join(open_formats())})"
    return known if name is None else f"is {name}, {known}; save it as JPEG or PNG"


def _allow_pixels(limits: PictureLimits) -> None:
    """Raise Pillow's own limit, which is the process's, to the one that was asked for."""
    allowed = Image.MAX_IMAGE_PIXELS
    if allowed is not None and allowed < limits.max_pixels:
        Image.MAX_IMAGE_PIXELS = limits.max_pixels


def _check_size(name: str, picture: Image.Image, limits: PictureLimits) -> None:
    width, height = picture.size
    if width * height > limits.max_pixels:
        raise PictureError(
            name,
            f"is {width} x {height}; at most {limits.max_pixels:,} pixels are allowed",
        )
    if min(width, height) < limits.min_side:
        raise PictureError(
            name, f"is {width} x {height}; each side needs {limits.min_side} pixels or more"
        )


def _turn_upright(picture: Image.Image) -> Image.Image:
    try:
        orientation = picture.getexif().get(_EXIF_ORIENTATION)
    except Exception:  # damaged EXIF beside a sound picture
        return picture
    turn = _TURNS.get(orientation) if isinstance(orientation, int) else None
    return picture if turn is None else picture.transpose(turn)


def _flatten(picture: Image.Image, key: Colour | None) -> Image.Image:
    """RGB of any mode; what is transparent becomes white, deep grey is scaled to 8 bits.

    Args:
        picture: as decoded.
        key: a colour that is transparent, beside what the picture itself says.
    """
    if key is not None:
        shown = picture if picture.mode.startswith("I") else picture.convert(_KEYED[len(key)])
        hidden = (np.atleast_3d(np.asarray(shown)) == key).all(axis=2)
    if picture.mode.startswith("I"):  # Pillow's own conversion clips 16 bits instead of scaling
        opaque = (np.asarray(picture).clip(0, 65535) >> 8).astype(np.uint8)
        picture = Image.fromarray(opaque)
    if picture.mode in _MODES_WITH_ALPHA or "transparency" in picture.info:
        layer = picture.convert("RGBA")
        canvas = Image.new("RGBA", layer.size, (*_WHITE, 255))
        picture = Image.alpha_composite(canvas, layer)
    picture = picture.convert("RGB")
    if key is not None:
        picture.paste(_WHITE, mask=Image.fromarray(hidden))
    return picture
