"""Add, replace and remove items: a new version beside the old one, switched to at once."""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from amgan.attributes import Labels
from amgan.catalogue.records import Catalogue
from amgan.gallery.encoding.blocks import DEFAULT_OPTIONS, EncodingOptions
from amgan.gallery.encoding.encode import (
    VECTORS_FILE,
    Encoded,
    EncodingJob,
    encode_to_file,
    map_vectors,
)
from amgan.gallery.encoding.picture_state import PictureState, picture_states
from amgan.gallery.engines.protocol import Rows, Vectors
from amgan.gallery.gallery import Gallery
from amgan.gallery.items import ItemTable
from amgan.gallery.store import (
    MODEL_FILE,
    Content,
    begin_version,
    build_gallery,
    finish_version,
    gallery_ranking,
    open_gallery,
    open_version,
)
from amgan.gallery.unchanged import unchanged_rows
from amgan.gallery.versions import GalleryError, VersionedFolder
from amgan.images import Pixels
from amgan.methods.compiled import compiled_file
from amgan.methods.ranking import RankingChoice
from amgan.methods.trained import TrainedModel
from amgan.progress import Progress

_ADDED = "added"  # folder in which new items are encoded
_COPIED_AT_ONCE = 2**24  # bytes


@dataclass(frozen=True)
class UpdateSummary:
    """What an update did.

    Attributes:
        gallery: the new version.
        added, replaced, removed: numbers of items.
        skipped: new items whose picture could not be decoded; an item they would have replaced
            stays as it was.
        unknown: ids that were to be removed and were not there.
        unchanged: rows given that the gallery had already, just as they are.
        changed: whether a new version was written.
    """

    gallery: Gallery
    added: int
    replaced: int
    removed: int
    skipped: int
    unknown: tuple[str, ...]
    unchanged: int = 0
    changed: bool = True


def update_gallery(
    folder: Path,
    model: TrainedModel,
    *,
    add: Catalogue | None = None,
    remove: Collection[str] = (),
    pixels: Pixels | None = None,
    encoding: EncodingOptions = DEFAULT_OPTIONS,
    verify: bool = False,
    pictures: Path | None = None,
) -> UpdateSummary:
    """Add or replace items, and remove others, in one step.

    Readers see the old version until the new one is whole, and keep theirs until they open the
    folder again. Items that stay keep their order and their vectors; new ones come behind them.
    Rows that the gallery has already are not encoded; see `unchanged_rows`. Where nothing is left
    to do no version is written.

    Args:
        folder: written by `build_gallery`.
        model: the one that encoded the gallery.
        add: new items; one with the id of an item that is there replaces it.
        remove: ids of items to remove; those that are not there are reported.
        pixels: decoded pictures (N, H, W, 3) of `add`.
        encoding: who encodes, in blocks of how many pictures; with limits and progress.
        verify: compare the content of pictures whose size and time are the same.
        pictures: folder of the pictures that the gallery has; see `open_gallery`.

    Raises:
        GalleryError: no gallery, another model or schema, the disk is full or refuses, a worker was
            lost, Ray is wanted and not installed.
    """
    store = VersionedFolder(folder, "update")
    with store.writing():
        name = store.current_name()
        if name is None:
            raise GalleryError(f"{folder}: no gallery here to update; write one first")
        old = open_version(store.version(name), "faiss://exact", pictures=pictures)
        old.check_model(model)
        states: list[PictureState] = []
        same: frozenset[str] = frozenset()
        if add is not None:
            # Of pixels given it is not known which file they came from: all of them are new.
            states = (
                picture_states(add) if pixels is None else list[PictureState]([None]) * len(add)
            )
            add, states, same = _without_unchanged(old, add, states, verify)
        adds = add is not None and len(add) > 0
        store.clear_work(keep=(_ADDED,) if adds else ())
        encoded, new = Encoded(np.empty(0, np.int64), ()), None
        if add is not None and adds:
            assert old.folder is not None
            trust_labels = old.manifest.trust_labels
            job = EncodingJob(model, add, pixels, encoding, old.folder / MODEL_FILE, trust_labels)
            (store.work / _ADDED).mkdir(exist_ok=True)
            encoded = encode_to_file(job, store.work / _ADDED)
            new = add.subset(encoded.rows)
        gone = [item_id for item_id in remove if item_id not in same]
        plan = _plan(old, () if new is None else new.item_ids, gone)
        changed = bool(len(encoded.rows) or plan.removed)
        if changed:
            known = [states[row] for row in encoded.rows]
            joined = _join(old, plan.kept, new, known, encoded.digests)
            _publish(store, model, old, plan, joined, encoded, encoding.progress)
        else:
            store.clear_work(keep=())
    return UpdateSummary(
        open_gallery(folder, model, verify=False),
        len(encoded.rows) - plan.replaced,
        plan.replaced,
        plan.removed,
        len(encoded.skipped),
        plan.unknown,
        len(same),
        changed,
    )


def renew_gallery(
    folder: Path,
    model: TrainedModel,
    *,
    add: Catalogue | None = None,
    remove: Collection[str] = (),
    encoding: EncodingOptions = DEFAULT_OPTIONS,
    pictures: Path | None = None,
) -> UpdateSummary:
    """As `update_gallery`, with another model than before: every item is encoded anew.

    Items that stay are decoded from the picture files that they were indexed from; one whose file
    is gone is left out and counts as skipped, and so does a new item that cannot be decoded, which
    then leaves no older one behind.

    Args:
        folder: written by `build_gallery`.
        model: encodes every item from now on; its attributes and values are the gallery's, and it
            was loaded with the gallery's ranking, see `gallery_ranking`.
        add: new items; one with the id of an item that is there replaces it.
        remove: ids of items to remove; those that are not there are reported.
        encoding: who encodes, in blocks of how many pictures; with limits and progress.
        pictures: folder of the pictures that the gallery has; see `open_gallery`.

    Raises:
        GalleryError: no gallery, another schema or ranking, no item is left, the disk is full or
            refuses, a worker was lost, Ray is wanted and not installed.
    """
    old = open_gallery(folder, engine="faiss://exact", pictures=pictures)
    ranking = gallery_ranking(old)
    if ranking is not RankingChoice.auto and ranking != model.ranking:
        raise GalleryError(
            f"{folder}: this gallery was indexed with ranking {str(ranking)!r}, and the model "
            f"ranks {model.ranking}; load it with that ranking, or index anew with another"
        )
    plan = _plan(old, () if add is None else add.item_ids, remove)
    items, labels = _join(old, plan.kept, add)
    gallery = build_gallery(
        folder,
        model,
        items.to_catalogue(old.name, old.schema, labels),
        engine=old.manifest.engine_asked,
        encoding=encoding,
        ranking=ranking,
        trust_labels=old.manifest.trust_labels,
        table=old.manifest.table,
    )
    new = (
        []
        if add is None
        else [name for name in add.item_ids if gallery.items.find(name) is not None]
    )
    replaced = sum(old.items.find(name) is not None for name in new)
    return UpdateSummary(
        gallery,
        len(new) - replaced,
        replaced,
        plan.removed,
        len(items) - len(gallery),
        plan.unknown,
    )


@dataclass(frozen=True)
class _Plan:
    """Rows of the old version that stay, and what becomes of the others."""

    kept: Rows
    replaced: int
    removed: int
    unknown: tuple[str, ...]


def _publish(
    store: VersionedFolder,
    model: TrainedModel,
    old: Gallery,
    plan: _Plan,
    joined: tuple[ItemTable, Labels],
    encoded: Encoded,
    progress: Progress,
) -> None:
    """Put the new version together and make it the current one."""
    assert old.folder is not None
    _write_vectors(store.work, old.vectors, plan.kept, model.embedding_dim)
    items, labels = joined
    _link_or_copy(old.folder / MODEL_FILE, store.work / MODEL_FILE)
    compiled = compiled_file(old.folder / MODEL_FILE)
    if compiled.is_file():
        _link_or_copy(compiled, store.work / compiled.name)
    else:  # of an older version
        model.save_compiled(store.work / compiled.name)
    asked, ranking = old.manifest.engine_asked, gallery_ranking(old)
    trust_labels, table = old.manifest.trust_labels, old.manifest.table
    content = Content(old.name, items, labels, encoded.skipped, asked, ranking, trust_labels, table)
    version = begin_version(store, model, content, progress)
    version.update_engine(old, plan.kept)
    store.clear_work(keep=[path.name for path in store.work.iterdir() if path.is_file()])
    finish_version(version, content)


def _plan(old: Gallery, added: Iterable[str], remove: Collection[str]) -> _Plan:
    stays = np.ones(len(old), bool)
    replaced = [row for row in map(old.items.find, added) if row is not None]
    stays[replaced] = False
    unknown, removed = [], 0
    for item_id in dict.fromkeys(remove):
        row = old.items.find(item_id)
        if row is None:
            unknown.append(item_id)
        elif stays[row]:
            stays[row] = False
            removed += 1
    return _Plan(np.flatnonzero(stays), len(replaced), removed, tuple(unknown))


def _without_unchanged(
    old: Gallery, add: Catalogue, states: list[PictureState], verify: bool
) -> tuple[Catalogue, list[PictureState], frozenset[str]]:
    """The rows to encode with their pictures' states, and the ids of the others."""
    same = unchanged_rows(old, add, states, verify=verify)
    rows = np.flatnonzero(~same)
    ids = frozenset(add.item_ids[row] for row in np.flatnonzero(same))
    return add.subset(rows), [states[row] for row in rows], ids


def _join(
    old: Gallery,
    kept: Rows,
    new: Catalogue | None,
    states: Sequence[PictureState] | None = None,
    digests: Sequence[str | None] | None = None,
) -> tuple[ItemTable, Labels]:
    items, labels = old.items.take(kept), np.asarray(old.labels)[kept]
    if new is not None:
        added = ItemTable.from_catalogue(new, states, digests, old.items.root)
        items = items.followed_by(added)
        labels = np.concatenate([labels, new.labels])
    return items, labels


def _write_vectors(folder: Path, old: Vectors, kept: Rows, dim: int) -> None:
    """Vectors of the rows that stay, then those encoded anew."""
    added = folder / _ADDED / VECTORS_FILE
    with (folder / VECTORS_FILE).open("wb") as file:
        for part in _runs(kept, max(1, _COPIED_AT_ONCE // (4 * dim))):
            file.write(np.ascontiguousarray(old[part]).data)
        if added.exists():
            vectors = map_vectors(added, dim)
            for start in range(0, len(vectors), max(1, _COPIED_AT_ONCE // (4 * dim))):
                stop = start + max(1, _COPIED_AT_ONCE // (4 * dim))
                file.write(np.ascontiguousarray(vectors[start:stop]).data)


def _runs(rows: Rows, longest: int) -> Iterator[slice]:
    """Slices of neighbouring rows."""
    breaks = np.flatnonzero(np.diff(rows) != 1) + 1
    for run in np.split(rows, breaks) if len(rows) else ():
        for start in range(int(run[0]), int(run[-1]) + 1, longest):
            yield slice(start, min(start + longest, int(run[-1]) + 1))


def _link_or_copy(source: Path, target: Path) -> None:
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
