"""Gallery folders: write and open the versions of an encoded catalogue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from amgan.attributes import Labels
from amgan.catalogue.records import Catalogue
from amgan.errors import InputError
from amgan.gallery.content_checks import check_content
from amgan.gallery.encoding.blocks import DEFAULT_OPTIONS, EncodingOptions
from amgan.gallery.encoding.encode import (
    JOURNAL_FILE,
    VECTORS_FILE,
    EncodingJob,
    Skipped,
    encode_to_file,
    map_vectors,
)
from amgan.gallery.encoding.picture_state import picture_states
from amgan.gallery.engine_files import NewVersion, open_engine
from amgan.gallery.engines.approximate import INDEX_FILE
from amgan.gallery.engines.rowset import Rowset
from amgan.gallery.engines.settings import parse_engine
from amgan.gallery.gallery import Gallery
from amgan.gallery.integrity import MappedFiles, check_files, check_size, record_files
from amgan.gallery.items import ItemTable
from amgan.gallery.manifest import Manifest, TableReading
from amgan.gallery.picture_root import PictureRoot
from amgan.gallery.versions import GalleryError, VersionedFolder, load_array
from amgan.images import Pixels
from amgan.methods.compiled import compiled_file
from amgan.methods.model_file import load_model, save_model
from amgan.methods.ranking import RankingChoice
from amgan.methods.trained import TrainedModel
from amgan.progress import Progress

__all__ = [
    "Gallery",
    "GalleryError",
    "build_gallery",
    "gallery_ranking",
    "load_gallery_model",
    "open_gallery",
]

ITEMS_FILE = "items.arrow"
LABELS_FILE = "labels.npy"
SKIPPED_FILE = "skipped.jsonl"
MODEL_FILE = "model.safetensors"  # the copy of the model that a version holds


@dataclass(frozen=True)
class Content:
    """What a version holds beside its vectors.

    Attributes:
        name: the catalogue's.
        items: N items.
        labels: (N, M).
        skipped: items that could not be encoded.
        engine: setting as the user wrote it.
        ranking: as the user chose it.
        trust_labels: see `build_gallery`.
        table: see `build_gallery`.
    """

    name: str
    items: ItemTable
    labels: Labels
    skipped: Sequence[Skipped]
    engine: str
    ranking: RankingChoice
    trust_labels: bool
    table: TableReading | None


def build_gallery(
    folder: Path,
    model: TrainedModel,
    catalogue: Catalogue,
    *,
    pixels: Pixels | None = None,
    engine: str = "auto",
    encoding: EncodingOptions = DEFAULT_OPTIONS,
    ranking: RankingChoice | None = None,
    trust_labels: bool = False,
    table: TableReading | None = None,
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
        encoding: who encodes, in blocks of how many pictures; with limits and progress.
        ranking: the choice that the model was loaded with, kept for a newer model; None takes what
            the model tells.
        trust_labels: a fused ranking takes the catalogue's labels for certain, those of an item
            that is searched with too, and what the classifiers see only where a label is missing.
            Not for measuring a model: the labels are what it is measured by.
        table: how the catalogue's table was read, kept for updates.

    Raises:
        GalleryError: schemas differ, no picture could be read, the disk is full or refuses, a
            worker was lost, Ray is wanted and not installed.
        ValueError: an engine setting that cannot be read.
    """
    parse_engine(engine)
    store = VersionedFolder(folder)
    with store.writing():
        store.clear_work(keep=(VECTORS_FILE, JOURNAL_FILE))
        save_model(store.work / MODEL_FILE, model.method, model.description)
        model.save_compiled(compiled_file(store.work / MODEL_FILE))
        job = EncodingJob(model, catalogue, pixels, encoding, store.work / MODEL_FILE, trust_labels)
        states = None if pixels is not None else picture_states(catalogue)
        encoded = encode_to_file(job, store.work)
        if not len(encoded.rows):
            first = encoded.skipped[0] if encoded.skipped else None
            reason = f"; the first is {first.image}: {first.reason}" if first else ""
            raise GalleryError(f"catalogue {catalogue.name!r}: no picture could be read{reason}")
        kept = catalogue.subset(encoded.rows)
        known = None if states is None else [states[row] for row in encoded.rows]
        items = ItemTable.from_catalogue(kept, known, None if known is None else encoded.digests)
        chosen = ranking or model.description.facts.ranking_choice
        content = Content(
            kept.name, items, kept.labels, encoded.skipped, engine, chosen, trust_labels, table
        )
        version = begin_version(store, model, content, encoding.progress)
        version.write_engine()
        finish_version(version, content)
    return open_gallery(folder, model, verify=False)


def open_gallery(
    folder: Path,
    model: TrainedModel | None = None,
    engine: str | None = None,
    *,
    pictures: Path | None = None,
    verify: bool = True,
) -> Gallery:
    """Open the current version of a gallery folder.

    Args:
        folder: written by `build_gallery`.
        model: has to be the one that encoded the gallery; None leaves it unchecked.
        engine: search with another engine than it was written for: faiss://exact, or the same kind
            with another ef_search.
        pictures: folder of the pictures; None takes the table's, where it was or where it would
            have been moved with the gallery.
        verify: read every file and compare its SHA-256 with that of the manifest. Structure,
            counts and ranges are checked in any case.

    Raises:
        GalleryError: no gallery, a damaged one, or one of another model.
        ValueError: an engine that the gallery was not written for.
    """
    store = VersionedFolder(folder)
    name = store.current_name()
    while name is not None:
        try:
            gallery = open_version(store.version(name), engine, pictures=pictures, verify=verify)
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


def load_gallery_model(
    gallery: Gallery, device: str = "auto", path: Path | None = None
) -> TrainedModel:
    """The model that encoded a gallery, from the copy in its folder or from where it was trained.

    Args:
        gallery: an open gallery.
        device: auto, cpu, cuda or cuda:N.
        path: run folder or model file; None takes the copy.

    Raises:
        GalleryError: the gallery was encoded by another model.
        ValueError: no model there; the gallery lives in memory, or its copy is gone.
    """
    if path is not None:
        # A fused ranking is an inner product; a model not fitted for one stays pure.
        ranking = RankingChoice("auto" if gallery.metric == "inner_product" else "pure")
        model = load_model(path, device, ranking=ranking)
        gallery.check_model(model)
        return model
    if gallery.folder is None:
        raise InputError(f"gallery {gallery.name!r} lives in memory and holds no model")
    return load_model(gallery.folder / MODEL_FILE, device)


def gallery_ranking(gallery: Gallery) -> RankingChoice:
    """What the user chose that a gallery is ranked by, to load a newer model with.

    Galleries written before the choice was kept tell it by their copy of the model.

    Raises:
        ValueError: such a gallery, and its copy is gone.
    """
    if gallery.manifest.ranking is not None:
        return gallery.manifest.ranking
    return load_gallery_model(gallery, "cpu").description.facts.ranking_choice


def open_version(
    folder: Path,
    engine: str | None = None,
    *,
    pictures: Path | None = None,
    verify: bool = True,
) -> Gallery:
    """Open one version's folder; see `open_gallery`.

    Raises:
        GalleryError: damaged.
        FileNotFoundError: a file is missing.
    """
    manifest = Manifest.load(folder)
    if verify:
        check_files(folder, manifest.files)
    gallery_folder = folder.parent.parent
    root = manifest.pictures.find(gallery_folder) if manifest.pictures is not None else None
    items = ItemTable.load(folder / ITEMS_FILE, pictures.absolute() if pictures else root)
    labels = load_array(folder / LABELS_FILE)
    _check_vector_bytes(folder / VECTORS_FILE, manifest)
    vectors = map_vectors(folder / VECTORS_FILE, manifest.dim)
    check_content(folder, manifest, items, labels, vectors)
    opened = open_engine(folder, manifest, vectors, engine)
    mapped = MappedFiles.of(folder / VECTORS_FILE, folder / INDEX_FILE)
    return Gallery(manifest, items, labels, vectors, opened, folder, mapped)


def _check_vector_bytes(file: Path, manifest: Manifest) -> None:
    """Raise GalleryError unless a file holds as many numbers as the manifest says."""
    problem = check_size(file, 4 * manifest.count * manifest.dim)
    if problem is not None:
        raise GalleryError(f"{problem}; the gallery is damaged, write it again")


def begin_version(
    store: VersionedFolder, model: TrainedModel, content: Content, progress: Progress
) -> NewVersion:
    """A version whose vectors are in the work folder."""
    vectors = map_vectors(store.work / VECTORS_FILE, model.embedding_dim)
    settings = parse_engine(content.engine).resolve(len(content.items), model.embedding_dim)
    manifest = replace(
        Manifest.of(model, content.name, len(content.items), len(content.skipped)),
        engine=settings.url,
        engine_asked=content.engine,
        ranking=content.ranking,
        trust_labels=content.trust_labels,
        table=content.table,
        pictures=PictureRoot.of(content.items.root, store.folder),
    )
    rows = Rowset(content.items, content.labels, vectors)
    return NewVersion(store, settings, manifest, rows, progress)


def finish_version(version: NewVersion, content: Content) -> None:
    """Write what belongs to the vectors in the work folder, and publish it all."""
    folder = version.store.work
    content.items.save(folder / ITEMS_FILE)
    np.save(folder / LABELS_FILE, content.labels)
    with (folder / SKIPPED_FILE).open("w", encoding="utf-8") as file:
        file.writelines(skipped.to_json() + "\n" for skipped in content.skipped)
    (folder / JOURNAL_FILE).unlink(missing_ok=True)
    replace(version.manifest, files=record_files(folder)).save(folder)
    version.store.publish()
    version.clean_up()
