"""What an engine needs beside the vectors: written with a version, updated, opened."""

from __future__ import annotations

import logging
import secrets
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from amgan.errors import InputError
from amgan.gallery.engines.approximate import (
    NODES_FILE,
    STALE_SHARE,
    IndexEngine,
    append_to_graph,
    build_index,
    load_index,
    save_index,
)
from amgan.gallery.engines.exact import ExactEngine
from amgan.gallery.engines.milvus import SERVER_FILE, CollectionState, Server
from amgan.gallery.engines.milvus_engine import MilvusEngine
from amgan.gallery.engines.protocol import NO_ROW, Engine, Rows, Vectors
from amgan.gallery.engines.rowset import Rowset
from amgan.gallery.engines.settings import EngineSettings, parse_engine
from amgan.gallery.gallery import Gallery
from amgan.gallery.manifest import Manifest
from amgan.gallery.versions import GalleryError, VersionedFolder
from amgan.progress import Progress

_ID_FILE = "collection-id"  # tells this folder's collections from others of the same name


@dataclass(frozen=True)
class NewVersion:
    """A version being written, whose vectors are in the work folder already.

    Attributes:
        store: where.
        settings: its engine.
        manifest: with metric and schema.
        rows: all its items.
        progress: shows how far it is.
    """

    store: VersionedFolder
    settings: EngineSettings
    manifest: Manifest
    rows: Rowset
    progress: Progress

    def write_engine(self) -> None:
        """Build what the engine needs."""
        vectors, metric = self.rows.vectors, self.manifest.metric
        if self.settings.builds_index:
            index = build_index(self.settings, vectors, metric, self.progress)
            save_index(index, np.arange(len(vectors)), self.store.work)
        elif self.settings.kind == "milvus":
            name = f"{_collection_prefix(self.store, self.settings)}{self.store.next_name()}"
            state, keys = Server(self.settings).create(
                name, self.rows, self.manifest.schema, metric, self.progress
            )
            state.save(self.store.work, keys)

    def update_engine(self, old: Gallery, kept: Rows) -> None:
        """Go on from the engine of the version `old`, whose rows `kept` are this one's first.

        An index that holds too many removed entries is built anew.
        """
        assert old.folder is not None
        same = parse_engine(old.manifest.engine) == self.settings
        if not same or not (self._extend_index(old, kept) or self._extend_collection(old, kept)):
            self.write_engine()

    def _extend_index(self, old: Gallery, kept: Rows) -> bool:
        if not self.settings.is_graph:
            return False
        assert old.folder is not None
        vectors = self.rows.vectors
        index, nodes = load_index(old.folder, mapped=False)
        row_now = np.full(len(old) + 1, NO_ROW, np.int64)  # the last element answers for -1
        row_now[kept] = np.arange(len(kept))
        nodes = np.concatenate([row_now[nodes], np.arange(len(kept), len(vectors))])
        if (nodes == NO_ROW).mean() > STALE_SHARE:
            return False
        append_to_graph(index, vectors[len(kept) :], self.manifest.metric, self.progress)
        save_index(index, nodes, self.store.work)
        return True

    def _extend_collection(self, old: Gallery, kept: Rows) -> bool:
        if self.settings.kind != "milvus":
            return False
        assert old.folder is not None
        state, keys = CollectionState.load(old.folder)
        new = np.arange(len(kept), len(self.rows.items))
        added = Rowset(
            self.rows.items.take(new), self.rows.labels[new], self.rows.vectors[len(kept) :]
        )
        state, keys = Server(self.settings).extend(state, keys, kept, added)
        state.save(self.store.work, keys)
        return True

    def clean_up(self) -> None:
        """Remove what no version needs any more, now that this one is published.

        What cannot be removed now is removed after the next version.
        """
        if self.settings.kind != "milvus":
            return
        kept = [folder for folder in self.store.versions() if (folder / SERVER_FILE).exists()]
        states = [CollectionState.load(folder)[0] for folder in kept]
        prefix = _collection_prefix(self.store, self.settings)
        try:
            server = Server(self.settings)
            server.forget(states[-1])
            server.drop_others(prefix, [state.collection for state in states])
        except GalleryError as error:
            logging.getLogger(__name__).warning("%s", error)


def open_engine(folder: Path, manifest: Manifest, vectors: Vectors, setting: str | None) -> Engine:
    """The engine of a version, or another one that needs no more than the version has.

    Raises:
        ValueError: the version was written for another engine.
    """
    settings = _choose(folder, manifest, setting)
    if settings.builds_index:
        index, nodes = load_index(folder)
        if len(nodes) and not (nodes.min() >= NO_ROW and nodes.max() < manifest.count):
            raise GalleryError(
                f"{folder / NODES_FILE}: damaged (rows {nodes.min():,} to {nodes.max():,} of "
                f"{manifest.count:,}); write the gallery again"
            )
        return IndexEngine(settings, vectors, manifest.metric, index, nodes)
    if settings.kind == "milvus":
        state, keys = CollectionState.load(folder)
        return MilvusEngine(settings, vectors, manifest.metric, manifest.schema, state, keys)
    return ExactEngine(vectors, manifest.metric)


def _choose(folder: Path, manifest: Manifest, setting: str | None) -> EngineSettings:
    written = parse_engine(manifest.engine)
    if setting is None or setting == "auto":
        return written
    asked = parse_engine(setting)
    same = (asked.kind, asked.collection) == (written.kind, written.collection)
    if asked.kind == "exact" or same:
        return asked
    raise InputError(
        f"{folder}: written for {manifest.engine}, not for {setting}; "
        "open it with that or faiss://exact, or write it again"
    )


def _collection_prefix(store: VersionedFolder, settings: EngineSettings) -> str:
    file = store.folder / _ID_FILE
    if not file.exists():
        file.write_text(secrets.token_hex(4), encoding="utf-8")
    return f"{settings.collection}_{file.read_text(encoding='utf-8')}_"
