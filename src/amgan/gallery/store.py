"""Gallery folders: write and open the versions of an encoded catalogue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from safetensors import SafetensorError

from amgan.attributes import Labels
from amgan.catalogue.records import Catalogue
from amgan.gallery.approximate import IndexEngine, build_index, load_index, save_index
from amgan.gallery.encode import (
    JOURNAL_FILE,
    VECTORS_FILE,
    EncodingJob,
    Skipped,
    encode_to_file,
    map_vectors,
)
from amgan.gallery.engine_settings import EngineSettings, parse_engine
from amgan.gallery.engines import Engine, ExactEngine
from amgan.gallery.gallery import Gallery
from amgan.gallery.items import ItemTable
from amgan.gallery.manifest import Manifest
from amgan.gallery.versions import GalleryError, VersionedFolder
from amgan.images import DEFAULT_LIMITS, PictureLimits, Pixels
from amgan.methods.trained import TrainedModel, load_model, save_model
from amgan.progress import Progress

__all__ = ["Gallery", "GalleryError", "build_gallery", "load_gallery_model", "open_gallery"]

ITEMS_FILE = "items.arrow"
LABELS_FILE = "labels.npy"
SKIPPED_FILE = "skipped.jsonl"
MODEL_FILE = "model.safetensors"


@dataclass(frozen=True)
class Content:
    """What a version holds beside its vectors.

    Attributes:
        name: the catalogue's.
        items: N items.
        labels: (N, M).
        skipped: items that could not be encoded.
        engine: setting as the user wrote it.
    """

    name: str
    items: ItemTable
    labels: Labels
    skipped: Sequence[Skipped]
    engine: str


def build_gallery(
    folder: Path,
    model: TrainedModel,
    catalogue: Catalogue,
    *,
    pixels: Pixels | None = None,
    engine: str = "auto",
    limits: PictureLimits = DEFAULT_LIMITS,
    workers: int | None = None,
    batch_size: int = 256,
    progress: Progress | None = None,
) -> Gallery:
    """Encode a catalogue into a gallery folder and make it the folder's current version.

    Pictures that cannot be decoded are left out and listed in the version's ``skipped.jsonl``.
    An interrupted build goes on where it stopped when it is called again. Until the build is whole
    readers see the version before it. The version holds a copy of the model, so that model and
    vectors are switched together.

    Args:
        folder: made where it is missing.
        model: encodes the pictures.
        catalogue: its schema has to be the model's.
        pixels: the catalogue's decoded pictures (N, H, W, 3), such as `open_pixels` gives; without
            them the picture files are read.
        engine: how it will be searched; see `engine_settings`.
        limits: what a picture file may measure.
        workers: threads that decode; None takes as many as there are cores.
        batch_size: pictures held in memory and written at once.
        progress: shows how far it is.

    Raises:
        GalleryError: schemas differ, no picture could be read, the disk is full or refuses.
        ValueError: an engine setting that cannot be read.
    """
    parse_engine(engine)
    job = EncodingJob(model, catalogue, pixels, limits, workers, batch_size, progress)
    store = VersionedFolder(folder)
    with store.writing():
        store.clear_work(keep=(VECTORS_FILE, JOURNAL_FILE))
        encoded = encode_to_file(job, store.work)
        if not len(encoded.rows):
            first = encoded.skipped[0] if encoded.skipped else None
            reason = f"; the first is {first.image}: {first.reason}" if first else ""
            raise GalleryError(f"catalogue {catalogue.name!r}: no picture could be read{reason}")
        kept = catalogue.subset(encoded.rows)
        items = ItemTable.from_catalogue(kept)
        content = Content(kept.name, items, kept.labels, encoded.skipped, engine)
        settings = resolve_engine(engine, len(items), model)
        _save_model(store.work / MODEL_FILE, model)
        if settings.builds_index:
            vectors = map_vectors(store.work / VECTORS_FILE, model.embedding_dim)
            index = build_index(settings, vectors, model.ranking_metric, progress)
            save_index(index, np.arange(len(items)), store.work)
        finish_version(store, model, content, settings)
    return open_gallery(folder, model)


def open_gallery(
    folder: Path, model: TrainedModel | None = None, engine: str | None = None
) -> Gallery:
    """Open the current version of a gallery folder.

    Args:
        folder: written by `build_gallery`.
        model: has to be the one that encoded the gallery; None leaves it unchecked.
        engine: search with another engine than it was written for: faiss://exact, or the same kind
            with another ef_search.

    Raises:
        GalleryError: no gallery, a damaged one, or one of another model.
        ValueError: an engine that the gallery was not written for.
    """
    store = VersionedFolder(folder)
    name = store.current_name()
    while name is not None:
        try:
            gallery = open_version(store.version(name), engine)
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


def load_gallery_model(gallery: Gallery, device: str = "auto") -> TrainedModel:
    """The model that encoded a gallery, from the copy in its folder.

    Raises:
        ValueError: the gallery lives in memory, or its copy is gone.
    """
    if gallery.folder is None:
        raise ValueError(f"gallery {gallery.name!r} lives in memory and holds no model")
    return load_model(gallery.folder / MODEL_FILE, device)


def open_version(folder: Path, engine: str | None = None) -> Gallery:
    """Open one version's folder.

    Raises:
        GalleryError: damaged.
        FileNotFoundError: a file is missing.
    """
    manifest = Manifest.load(folder)
    items = ItemTable.load(folder / ITEMS_FILE)
    labels = np.load(folder / LABELS_FILE, mmap_mode="r" if manifest.count else None)
    vectors = map_vectors(folder / VECTORS_FILE, manifest.dim)
    settings = _choose_engine(folder, manifest, engine)
    opened: Engine = ExactEngine(vectors, manifest.metric)
    if settings.builds_index:
        index, nodes = load_index(folder)
        opened = IndexEngine(settings, vectors, manifest.metric, index, nodes)
    return Gallery(manifest, items, labels, vectors, opened, folder)


def resolve_engine(engine: str, count: int, model: TrainedModel) -> EngineSettings:
    """The engine that a setting means for a gallery of `count` items."""
    return parse_engine(engine).resolve(count, model.embedding_dim)


def finish_version(
    store: VersionedFolder, model: TrainedModel, content: Content, settings: EngineSettings
) -> None:
    """Write what belongs to the vectors in the work folder, and publish it all."""
    folder = store.work
    content.items.save(folder / ITEMS_FILE)
    np.save(folder / LABELS_FILE, content.labels)
    with (folder / SKIPPED_FILE).open("w", encoding="utf-8") as file:
        file.writelines(skipped.to_json() + "\n" for skipped in content.skipped)
    (folder / JOURNAL_FILE).unlink(missing_ok=True)
    files = sorted(path for path in folder.iterdir() if path.is_file())
    manifest = replace(
        Manifest.of(model, content.name, len(content.items), len(content.skipped)),
        engine=settings.url,
        engine_asked=content.engine,
        sizes={path.name: path.stat().st_size for path in files},
    )
    manifest.save(folder)
    store.publish()


def _save_model(file: Path, model: TrainedModel) -> None:
    try:
        save_model(file, model.method, model.description)
    except SafetensorError as error:  # its word for an error of the disk
        raise OSError(None, str(error), str(file)) from error


def _choose_engine(folder: Path, manifest: Manifest, engine: str | None) -> EngineSettings:
    written = parse_engine(manifest.engine)
    if engine is None or engine == "auto":
        return written
    asked = parse_engine(engine)
    if asked.kind == "exact" or asked.kind == written.kind:
        return asked
    raise ValueError(
        f"{folder}: written for {manifest.engine}, not for {engine}; "
        "open it with that or faiss://exact, or write it again"
    )
