"""Pictures: decode, resize, normalise. The one place for training, index and HTTP alike."""

from __future__ import annotations

import hashlib
import io
import json
import stat
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from amgan.errors import InputError

if TYPE_CHECKING:
    import torch

Pixels = NDArray[np.uint8]
Fit = Literal["pad", "stretch", "crop"]

# Read by content, never by suffix. EPS and the like, which start other programs, are left out.
PICTURE_FORMATS = ("JPEG", "MPO", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "PPM")
PREPROCESSING_VERSION = 1  # raise it when the same file no longer gives the same pixels
_MAX_SIDE = 4096
_WHITE = (255, 255, 255)
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


def read_picture(path: Path, limits: PictureLimits = DEFAULT_LIMITS) -> bytes:
    """Content of a picture file, not decoded.

    Raises:
        PictureError: no such file, no ordinary file, too large, or it cannot be read.
    """
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise PictureError(str(path), "is a folder, not a picture")
        if not stat.S_ISREG(status.st_mode):
            raise PictureError(str(path), "is not an ordinary file")
        if status.st_size > limits.max_bytes:
            raise PictureError(str(path), _too_many_bytes(status.st_size, limits))
        return path.read_bytes()
    except FileNotFoundError:
        raise PictureError(str(path), "no such file") from None
    except OSError as error:
        raise PictureError(str(path), f"cannot be read ({error.strerror})") from error
    except ValueError as error:  # a null character in the path
        if isinstance(error, PictureError):
            raise
        raise PictureError(str(path), f"is not a path ({error})") from error


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
        raise PictureError(name, _too_many_bytes(len(content), limits))
    try:
        with Image.open(io.BytesIO(content), formats=_open_formats()) as picture:
            _check_size(name, picture, limits)
            if draft_side is not None:
                picture.draft(None, (draft_side, draft_side))
            picture.load()
            return _flatten(_turn_upright(picture))
    except PictureError:
        raise
    except UnidentifiedImageError:
        formats = ", ".join(_open_formats())
        raise PictureError(name, f"not a picture in a format read here ({formats})") from None
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


def decode_picture(
    path: Path, settings: ImageSettings, limits: PictureLimits = DEFAULT_LIMITS
) -> Pixels | PictureError:
    """As `load_pixels`, with what is wrong with the picture as an answer, not raised."""
    try:
        return load_pixels(path, settings, limits)
    except PictureError as error:
        return error


def to_tensor(pixels: Pixels) -> torch.Tensor:
    """Pixels (N, H, W, 3) as float32 (N, 3, H, W) in [-1, 1]."""
    import torch

    assert pixels.ndim == 4 and pixels.shape[3] == 3, f"expected (N, H, W, 3), got {pixels.shape}"
    images = torch.from_numpy(np.array(pixels)).permute(0, 3, 1, 2)
    return images.to(torch.float32, memory_format=torch.contiguous_format).div_(127.5).sub_(1)


def to_pixels(images: torch.Tensor) -> Pixels:
    """Images (N, 3, H, W) as pixels (N, H, W, 3); what lies outside [-1, 1] is clamped."""
    import torch

    assert images.ndim == 4 and images.shape[1] == 3, f"expected (N, 3, H, W), got {images.shape}"
    levels = images.detach().float().clamp(-1, 1).add(1).mul(127.5).round().to(torch.uint8)
    pixels: Pixels = levels.permute(0, 2, 3, 1).contiguous().cpu().numpy()
    return pixels


@cache
def _open_formats() -> tuple[str, ...]:
    """The formats this Pillow can read of those allowed."""
    Image.init()
    return tuple(name for name in PICTURE_FORMATS if name in Image.OPEN)


def _too_many_bytes(size: int, limits: PictureLimits) -> str:
    return f"has {size:,} bytes; at most {limits.max_bytes:,} are allowed"


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


def _flatten(picture: Image.Image) -> Image.Image:
    """RGB of any mode; transparent parts become white, deep grey is scaled to 8 bits."""
    if picture.mode.startswith("I"):  # Pillow's own conversion clips 16 bits instead of scaling
        picture = Image.fromarray((np.asarray(picture).clip(0, 65535) >> 8).astype(np.uint8))
    if picture.mode in _MODES_WITH_ALPHA or "transparency" in picture.info:
        layer = picture.convert("RGBA")
        canvas = Image.new("RGBA", layer.size, (*_WHITE, 255))
        picture = Image.alpha_composite(canvas, layer)
    return picture.convert("RGB")
