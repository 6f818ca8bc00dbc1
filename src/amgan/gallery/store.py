"""Gallery folders: an encoded catalogue on disk, and in memory."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from amgan.catalogue.records import Catalogue
from amgan.gallery.encode import (
    JOURNAL_FILE,
    VECTORS_FILE,
    Encoded,
    EncodingJob,
    encode_to_file,
)
from amgan.gallery.engines import ExactEngine, Vectors
from amgan.gallery.gallery import Gallery
from amgan.gallery.items import ItemTable
from amgan.gallery.manifest import Manifest
from amgan.gallery.versions import GalleryError, VersionedFolder
from amgan.images import DEFAULT_LIMITS, PictureLimits, Pixels
from amgan.methods.trained import TrainedModel
from amgan.progress import Progress

__all__ = ["Gallery", "GalleryError", "build_gallery", "open_gallery"]

SKIPPED_FILE = "skipped.jsonl"
_ITEMS_FILE = "items.arrow"
_LABELS_FILE = "labels.npy"


def build_gallery(
    folder: Path,
    model: TrainedModel,
    catalogue: Catalogue,
    *,
    pixels: Pixels | None = None,
    limits: PictureLimits = DEFAULT_LIMITS,
    workers: int | None = None,
    batch_size: int = 256,
    progress: Progress | None = None,
) -> Gallery:
    """Encode a catalogue into a gallery folder and make it the folder's current version.

    Pictures that cannot be decoded are left out and listed in the version's ``skipped.jsonl``.
    An interrupted build goes on where it stopped when it is called again. Until the build is whole
    readers see the version before it.

    Args:
        folder: made where it is missing.
        model: encodes the pictures.
        catalogue: its schema has to be the model's.
        pixels: the catalogue's decoded pictures (N, H, W, 3), such as `open_pixels` gives; without
            them the picture files are read.
        limits: what a picture file may measure.
        workers: threads that decode; None takes as many as there are cores.
        batch_size: pictures held in memory and written at once.
        progress: shows how far it is.

    Raises:
        GalleryError: schemas differ, no picture could be read, the disk is full or refuses.
    """
    job = EncodingJob(model, catalogue, pixels, limits, workers, batch_size, progress)
    store = VersionedFolder(folder)
    with store.writing():
        encoded = encode_to_file(job, store.work)
        _write_version(store.work, model, catalogue, encoded)
        (store.work / JOURNAL_FILE).unlink()
        store.publish()
    return open_gallery(folder, model)


def open_gallery(folder: Path, model: TrainedModel | None = None) -> Gallery:
    """Open the current version of a gallery folder.

    Args:
        folder: written by `build_gallery`.
        model: has to be the one that encoded the gallery; None leaves it unchecked.

    Raises:
        GalleryError: no gallery, a damaged one, or one of another model.
    """
    store = VersionedFolder(folder)
    name = store.current_name()
    while name is not None:
        try:
            gallery = _open_version(store.version(name))
            break
        except FileNotFoundError as error:
            # The version may have been replaced twice since CURRENT was read.
            if store.current_name() == name:
                raise GalleryError(f"{error.filename}: this part of the gallery is gone") from None
            name = store.current_name()
    else:
        raise GalleryError(f"{folder}: no gallery here; write one with `amgan index`")
    if model is not None:
        gallery.check_model(model)
    return gallery


def _write_version(
    folder: Path, model: TrainedModel, catalogue: Catalogue, encoded: Encoded
) -> None:
    if not len(encoded.rows):
        first = encoded.skipped[0] if encoded.skipped else None
        reason = f"; the first is {first.image}: {first.reason}" if first else ""
        raise GalleryError(f"catalogue {catalogue.name!r}: no picture could be read{reason}")
    kept = catalogue.subset(encoded.rows)
    ItemTable.from_catalogue(kept).save(folder / _ITEMS_FILE)
    np.save(folder / _LABELS_FILE, kept.labels)
    with (folder / SKIPPED_FILE).open("w", encoding="utf-8") as file:
        file.writelines(skipped.to_json() + "\n" for skipped in encoded.skipped)
    sizes = {
        name: (folder / name).stat().st_size
        for name in (_ITEMS_FILE, _LABELS_FILE, VECTORS_FILE, SKIPPED_FILE)
    }
    Manifest.of(model, kept, encoded, sizes).save(folder)


def _open_version(folder: Path) -> Gallery:
    manifest = Manifest.load(folder)
    items = ItemTable.load(folder / _ITEMS_FILE)
    labels = np.load(folder / _LABELS_FILE, mmap_mode="r")
    shape = (manifest.count, manifest.dim)
    vectors: Vectors = np.memmap(folder / VECTORS_FILE, np.float32, "r", shape=shape)
    engine = ExactEngine(vectors, manifest.metric)
    return Gallery(manifest, items, labels, vectors, engine, folder)
