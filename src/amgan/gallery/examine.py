"""All that is wrong with a gallery folder, in one go."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from amgan.catalogue.parallel import map_in_threads
from amgan.errors import AmganError
from amgan.gallery.encoding.picture_state import picture_digest
from amgan.gallery.gallery import Gallery
from amgan.gallery.integrity import find_damage
from amgan.gallery.manifest import Manifest
from amgan.gallery.store import load_gallery_model, open_version
from amgan.gallery.versions import VersionedFolder
from amgan.progress import Progress, quiet

_ROWS_AT_ONCE = 65_536


@dataclass(frozen=True)
class Examination:
    """What a look at every file of a gallery found.

    Attributes:
        version: name of the current version; None where there is none.
        items: number of its items; 0 where it cannot be opened.
        damage: one sentence for each thing that is wrong; the gallery can be searched where there
            is none.
        checked: whether the version has SHA-256 of its files. Versions of older galleries do not.
        missing: picture files that are not there.
        changed: picture files whose content is no longer what was encoded; counted where asked for.
        example: one of the missing pictures.
    """

    version: str | None
    items: int
    damage: tuple[str, ...]
    checked: bool = True
    missing: int = 0
    changed: int = 0
    example: Path | None = None


def examine_gallery(
    folder: Path,
    *,
    pictures: Path | None = None,
    verify_pictures: bool = False,
    progress: Progress = quiet,
) -> Examination:
    """Read every file of a gallery's current version, and look for its pictures.

    Args:
        folder: gallery folder.
        pictures: folder of the pictures; see `open_gallery`.
        verify_pictures: compare the content of each picture with what was encoded.
        progress: shows how far it is.
    """
    damage: list[str] = []
    gallery: Gallery | None = None
    name, checked = None, True
    try:
        store = VersionedFolder(folder)
        name = store.current_name()
        if name is None:
            return Examination(None, 0, (f"{folder}: no gallery here",))
        manifest = Manifest.load(store.version(name))
        checked = bool(manifest.files)
        damage += find_damage(store.version(name), manifest.files)
        gallery = open_version(store.version(name), pictures=pictures, verify=False)
        damage += _look_within(gallery)
    except FileNotFoundError as error:
        damage.append(f"{error.filename}: this part of the gallery is gone")
    except (AmganError, OSError) as error:
        damage.append(str(error))
    if gallery is None:
        return Examination(name, 0, tuple(dict.fromkeys(damage)), checked)
    missing = missing_pictures(gallery, progress)
    changed = _count_changed(gallery, progress) if verify_pictures else 0
    return Examination(
        name,
        len(gallery),
        tuple(dict.fromkeys(damage)),
        checked,
        len(missing),
        changed,
        missing[0] if missing else None,
    )


def missing_pictures(gallery: Gallery, progress: Progress = quiet) -> list[Path]:
    """Picture files of a gallery that are not there, in the order of its items."""
    images = gallery.items.images
    there = map_in_threads(_is_file, images)
    told = progress(zip(images, there, strict=True), "looking for pictures", len(images))
    return [image for image, found in told if not found]


def _look_within(gallery: Gallery) -> Iterator[str]:
    """What only the whole content tells: vectors that are no numbers, another gallery's model."""
    for start in range(0, len(gallery), _ROWS_AT_ONCE):
        finite = np.isfinite(gallery.vectors[start : start + _ROWS_AT_ONCE]).all(axis=1)
        if not finite.all():
            row = start + int(np.argmin(finite))
            yield f"{gallery.folder}: the vector of item {gallery.item_ids[row]!r} is not finite"
            break
    gallery.check_model(load_gallery_model(gallery, "cpu"))


def _count_changed(gallery: Gallery, progress: Progress) -> int:
    def is_changed(row: int) -> bool:
        known, found = gallery.items.picture_digest(row), picture_digest(gallery.items.image(row))
        return None not in (known, found) and known != found

    rows = range(len(gallery))
    return sum(progress(map_in_threads(is_changed, rows), "comparing pictures", len(rows)))


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False
