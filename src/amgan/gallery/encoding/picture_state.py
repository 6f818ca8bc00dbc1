"""What tells whether a picture file is still the one that was encoded."""

from __future__ import annotations

import hashlib
from pathlib import Path

from amgan.catalogue.parallel import map_in_threads
from amgan.catalogue.records import Catalogue

PictureState = str | None  # size and time of the last change; None where it is not known


def picture_state(picture: Path) -> PictureState:
    """Size and time of the last change of a picture file; None where there is none."""
    try:
        status = picture.stat()
    except (OSError, ValueError):
        return None
    return f"{status.st_size} {status.st_mtime_ns}"


def picture_states(catalogue: Catalogue) -> list[PictureState]:
    """State of each picture file; taken before encoding, so that a later change is noticed."""
    return list(map_in_threads(picture_state, catalogue.images))


def picture_digest(picture: Path) -> str | None:
    """SHA-256 of a picture file's content, hexadecimal; None where it cannot be read."""
    try:
        with picture.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, ValueError):
        return None
