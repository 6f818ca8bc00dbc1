"""Picture formats: those that are read, and the names of those that are not."""

from __future__ import annotations

import ctypes
import logging
import warnings
from contextlib import suppress
from functools import cache
from pathlib import Path

from PIL import Image

# Read by content, never by suffix. EPS and the like, which start other programs, are left out.
PICTURE_FORMATS = ("JPEG", "MPO", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "PPM")

_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_BEGINNINGS = {
    b"\xff\x0a": "JPEG XL",
    b"\x00\x00\x00\x0cJXL ": "JPEG XL",
    b"\x00\x00\x00\x0cjP  ": "JPEG 2000",
    b"\xff\x4f\xff\x51": "JPEG 2000",
    b"8BPS": "a Photoshop document",
    b"%PDF": "a PDF document",
    b"%!PS": "PostScript",
    b"\xc5\xd0\xd3\xc6": "PostScript",
    b"\x00\x00\x01\x00": "an icon (ICO)",
    b"qoif": "QOI",
    b"FUJIFILM": "a raw camera file",
    b"PK\x03\x04": "a ZIP archive",
    b"\x1f\x8b": "a gzip archive",
    b"version https://git-lfs": "a Git LFS pointer; fetch the file with `git lfs pull`",
}


@cache
def open_formats() -> tuple[str, ...]:
    """Those of `PICTURE_FORMATS` that this Pillow can read; the decoders are silenced with them.

    What is wrong with a picture is told by a `PictureError` and nothing else: not by warnings, by
    Pillow's logger, or by lines that libtiff writes to stderr between the lines of a log.
    """
    Image.init()
    warnings.filterwarnings("ignore", module=r"PIL\.")
    logging.getLogger("PIL").setLevel(logging.CRITICAL)
    _silence_libtiff()
    return tuple(name for name in PICTURE_FORMATS if name in Image.OPEN)


def name_format(content: bytes) -> str | None:
    """What a file that is not read seems to be by its first bytes, None where not known."""
    if content[4:8] == b"ftyp":
        brands = content[8:64]
        if b"avif" in brands or b"avis" in brands:
            return "AVIF"
        if content[8:12] in _HEIF_BRANDS:
            return "HEIC"
        return "a raw camera file" if content[8:12] == b"crx " else "a video"
    for beginning, name in _BEGINNINGS.items():
        if content.startswith(beginning):
            return name
    text = content[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith(b"<svg") or (text.startswith(b"<?xml") and b"<svg" in text):
        return "SVG"
    if text.startswith((b"<!doctype html", b"<html", b"<head", b"<body")):
        return "a web page"
    return None


def _silence_libtiff() -> None:
    """Take away libtiff's handlers, which print; errors still end the decoding."""
    with suppress(OSError):
        mapped = Path("/proc/self/maps").read_text(encoding="utf-8", errors="replace")
        for path in {line.split()[-1] for line in mapped.splitlines() if "libtiff" in line}:
            library = ctypes.CDLL(path)
            for name in ("TIFFSetErrorHandler", "TIFFSetWarningHandler"):
                set_handler = getattr(library, name)
                set_handler.argtypes, set_handler.restype = [ctypes.c_void_p], ctypes.c_void_p
                set_handler(None)
