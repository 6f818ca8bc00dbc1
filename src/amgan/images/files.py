"""Picture files: their content, and why a path leads to none."""

from __future__ import annotations

import os
import re
import stat
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from urllib.parse import unquote

from amgan.images.settings import DEFAULT_LIMITS, PictureError, PictureLimits, too_many_bytes

_ADDRESS = re.compile(r"(?:^|/)([a-z][a-z0-9+.-]+):/", re.IGNORECASE)
_DRIVE = re.compile(r"(?:^|[/\\])[a-z]:[/\\]", re.IGNORECASE)
_SUFFIX = re.compile(r"\.(?:jpe?g|png|webp|gif|bmp|tiff?|avif|heic|ppm)$", re.IGNORECASE)
_SEPARATORS = (r"\s*[,;|\n\t]\s*", r"\s+")


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
            raise PictureError(str(path), too_many_bytes(status.st_size, limits))
        return path.read_bytes()
    except FileNotFoundError:
        raise PictureError(str(path), explain_missing(path)) from None
    except OSError as error:
        raise PictureError(str(path), f"cannot be read ({error.strerror})") from error
    except ValueError as error:  # a null character in the path
        if isinstance(error, PictureError):
            raise
        raise PictureError(str(path), f"is not a path ({error})") from error


def explain_missing(path: Path, unknown: str = "no such file") -> str:
    """Why there is no file at `path`: the commonest mistakes by name, else `unknown`."""
    text = str(path)
    address = _ADDRESS.search(text)
    if address is not None:
        return "is an address, not a file; download the picture and write its path"
    if re.search(r"(?:^|/)data:\w+/", text):
        return "holds the picture itself (a data address); save it as a file and write its path"
    if _DRIVE.search(text):
        return "is a path of a Windows drive; write the path relative to the table"
    if "\\" in text:
        slashed = Path(text.replace("\\", "/"))
        found = f"{slashed.name!r} is there" if _exists(slashed) else "that is not there either"
        return f"has backslashes; write / between folders ({found})"
    if _names_several(text):
        return "names several pictures; write one in each row"
    unquoted = Path(unquote(text))
    if unquoted != path and _exists(unquoted):
        return f"is written with %; write {unquoted.name!r}, which is there"
    alike = _find_alike(path)
    if alike is not None:
        return _explain_alike(path, alike)
    return unknown


def _explain_alike(path: Path, alike: Path) -> str:
    written, there = next(
        pair for pair in zip(path.parts, alike.parts, strict=True) if pair[0] != pair[1]
    )
    if unicodedata.normalize("NFC", written) == unicodedata.normalize("NFC", there):
        return (
            f"differs from {there!r}, which is there, in how accents are encoded "
            "(composed or decomposed letters)"
        )
    return f"differs from {there!r}, which is there, in upper and lower case"


def _names_several(text: str) -> bool:
    """Whether a cell holds two paths or more, as a list or with something between them."""
    plain = re.sub(r"[\[\]\"']", "", text)
    for separator in _SEPARATORS:
        pieces = [piece for piece in re.split(separator, plain) if piece]
        if len(pieces) > 1 and (
            all(_SUFFIX.search(piece) for piece in pieces) or _exists(Path(pieces[0]))
        ):
            return True
    return False


def _find_alike(path: Path) -> Path | None:
    """A file whose path differs from `path` in case and in the encoding of accents only."""
    there = Path(path.anchor) if path.is_absolute() else Path()
    parts = path.parts[1:] if path.is_absolute() else path.parts
    for part in parts:
        following = there / part
        if not _exists(following):
            name = next(_same_names(there, part), None)
            if name is None:
                return None
            following = there / name
        there = following
    return there


def _same_names(folder: Path, name: str) -> Iterator[str]:
    try:
        changed = folder.stat().st_mtime_ns
        yield from _names(folder, changed).get(_form(name), ())
    except (OSError, ValueError):
        return


@lru_cache(maxsize=16)
def _names(folder: Path, changed: int) -> dict[str, list[str]]:
    """Names in a folder as it was `changed`, by their form without case."""
    names: dict[str, list[str]] = {}
    for name in os.listdir(folder):  # noqa: PTH208 - names are wanted, not paths
        names.setdefault(_form(name), []).append(name)
    return names


def _form(name: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # a text that can be no path
        return False
