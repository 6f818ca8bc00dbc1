"""Decoded pictures of a catalogue in a memory-mapped file, decoded once.

A cache file (`pixel_store`) belongs to a list of picture paths and to `ImageSettings`. A picture
file that looks as it did is trusted; one that looks different is read and hashed, and decoded only
where no cache file of the same settings in the folder has that content. Pixels and records are
checked each time a file is opened; what is damaged is decoded again.

A build goes to a partial file under a lock and replaces the old file when it is whole, so a reader
sees the old pixels or the new ones. An interrupted build goes on where it stopped. The folder may
be deleted at any time.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from filelock import FileLock, Timeout

from amgan.catalogue.parallel import map_in_threads
from amgan.catalogue.pixel_store import (
    DIGEST,
    LOOK,
    NO_DIGEST,
    RECORD_BYTES,
    Donors,
    PixelStore,
    Records,
    Rows,
    failed_rows,
    look_at,
    write_record,
)
from amgan.catalogue.records import Catalogue
from amgan.images import (
    DEFAULT_LIMITS,
    ImageSettings,
    PictureError,
    PictureLimits,
    Pixels,
    load_pixels,
    read_picture,
)
from amgan.progress import Progress, quiet

_ROWS_A_SAVE = 1024
_FORGOTTEN_S = 7 * 24 * 3600  # age of a partial file that nobody is going to finish
_NAMED = 3


class UnusablePicturesError(PictureError):
    """Pictures of a catalogue that cannot be decoded.

    Attributes:
        errors: what is wrong, by row.
    """

    def __init__(self, errors: Mapping[int, PictureError]) -> None:
        self.errors = dict(errors)
        first = next(iter(self.errors.values()))
        super().__init__(first.source, first.reason)

    def __str__(self) -> str:
        named = [str(error) for error in self.errors.values()][:_NAMED]
        more = len(self.errors) - len(named)
        return "\n  ".join([*named, *([f"... and {more:,} more pictures"] if more else [])])


@dataclass(frozen=True)
class PixelOptions:
    """How pictures are decoded and kept.

    Attributes:
        limits: what a picture may measure.
        workers: threads that decode; None takes as many as there are cores.
        progress: shows how far it is.
        verify: read every picture file and compare its content, also where it looks the same.
    """

    limits: PictureLimits = DEFAULT_LIMITS
    workers: int | None = None
    progress: Progress = quiet
    verify: bool = False


DEFAULT_OPTIONS = PixelOptions()


def open_usable_pixels(
    catalogue: Catalogue,
    settings: ImageSettings,
    cache_dir: Path,
    options: PixelOptions = DEFAULT_OPTIONS,
) -> tuple[Catalogue, Pixels, dict[int, PictureError]]:
    """As `open_pixels`, without the items whose pictures cannot be decoded.

    Returns:
        The items that remain, their pixels, and what is wrong with the others, by row of
        `catalogue`.

    Raises:
        PictureError: none can be decoded.
        OSError: the folder cannot be written, or the disk is full.
    """
    try:
        return catalogue, _open(catalogue, settings, cache_dir, options), {}
    except UnusablePicturesError as error:
        errors = error.errors
        if len(errors) == len(catalogue):
            raise
    usable = catalogue.subset([row for row in range(len(catalogue)) if row not in errors])
    return usable, _open(usable, settings, cache_dir, options), errors


def open_pixels(
    catalogue: Catalogue,
    settings: ImageSettings,
    cache_dir: Path,
    *,
    limits: PictureLimits = DEFAULT_LIMITS,
    workers: int | None = None,
    progress: Progress = quiet,
) -> Pixels:
    """Pixels (N, H, W, 3) of all pictures in catalogue order, read-only and memory-mapped.

    Args:
        catalogue: whose pictures.
        settings: their size.
        cache_dir: folder of cache files, made where it is missing.
        limits: what a picture may measure.
        workers: threads that decode; None takes as many as there are cores.
        progress: shows how far decoding is.

    Raises:
        UnusablePicturesError: names every picture that is gone or cannot be decoded.
        OSError: the folder cannot be written, or the disk is full.
    """
    return _open(catalogue, settings, cache_dir, PixelOptions(limits, workers, progress))


def _open(
    catalogue: Catalogue, settings: ImageSettings, cache_dir: Path, options: PixelOptions
) -> Pixels:
    shape = (len(catalogue), settings.height, settings.width, 3)
    if not len(catalogue):
        return np.zeros(shape, np.uint8)
    paths = [image.absolute() for image in catalogue.images]
    address = hashlib.sha256(b"\0".join(map(os.fsencode, paths))).hexdigest()
    store = PixelStore(cache_dir / f"{settings.digest[:16]}-{address[:24]}.pixels", shape)
    opened = _Opening(store, paths, look_at(paths), settings, options)
    errors = opened.errors_of_current()
    if errors is None:
        cache_dir.mkdir(parents=True, exist_ok=True)
        with FileLock(store.file.with_suffix(".lock")):
            errors = opened.errors_of_current()
            if errors is None:
                errors = opened.build()
    if errors:
        raise UnusablePicturesError(errors)
    return store.pixels()


@dataclass(frozen=True)
class _Opening:
    """One cache file, and the pictures that it is to hold."""

    store: PixelStore
    paths: Sequence[Path]
    looks: Records
    settings: ImageSettings
    options: PixelOptions

    def errors_of_current(self) -> dict[int, PictureError] | None:
        """What is wrong with pictures, by row; None where the file has to be built."""
        if not self.store.is_whole() or not self._sound_rows().all():
            return None
        errors: dict[int, PictureError] = {}
        for row in failed_rows(self.store.records()):
            _, _, found = self._decode(row, None)
            if not isinstance(found, PictureError):  # it may be larger now than it might before
                return None
            errors[row] = found
        return errors

    def _sound_rows(self) -> Rows:
        sound = self.store.sound_rows(self.looks, self.options.workers, self.options.progress)
        if self.options.verify:
            sound &= self._same_content(self.store.records())
        return sound

    def _same_content(self, records: Records) -> Rows:
        """Rows whose picture files have the content that was recorded, (N,)."""

        def is_same(row: int) -> bool:
            try:
                content = read_picture(self.paths[row], self.options.limits)
            except PictureError:
                return False
            return hashlib.sha256(content).digest() == records[row, DIGEST].tobytes()

        rows = range(len(self.paths))
        compared = map_in_threads(is_same, rows, self.options.workers)
        told = self.options.progress(compared, "comparing pictures", len(rows))
        return np.fromiter(told, bool, len(rows))

    def build(self) -> dict[int, PictureError]:
        """Fill the partial file and put it in place of the old one; what is wrong, by row."""
        partial = self.store.file.with_suffix(".partial")
        _remove_forgotten(partial)
        donors = Donors(self.store.others())
        errors: dict[int, PictureError] = {}
        try:
            with partial.open("a+b"):
                pass
            with partial.open("r+b") as file:
                todo = self._rows_to_do(file, errors)
                decoded = map_in_threads(
                    lambda row: self._decode(row, donors), todo, self.options.workers
                )
                told = self.options.progress(decoded, "decoding pictures", len(todo))
                self._write(file, told, errors)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(error.filename or partial)) from error
        partial.replace(self.store.file)
        return dict(sorted(errors.items()))

    def _decode(self, row: int, donors: Donors | None) -> tuple[int, bytes, Pixels | PictureError]:
        """Row, digest of the file, and its pixels or what is wrong with it."""
        trusted = donors is not None and not self.options.verify
        known = donors.by_look(self.looks[row, LOOK].tobytes()) if donors and trusted else None
        if known is not None:
            return row, *known
        digest = NO_DIGEST
        try:
            content = read_picture(self.paths[row], self.options.limits)
            digest = hashlib.sha256(content).digest()
            pixels = None if donors is None else donors.by_digest(digest)
            if pixels is None:
                pixels = load_pixels(content, self.settings, self.options.limits)
        except PictureError as error:
            return row, digest, PictureError(str(self.paths[row]), error.reason)
        return row, digest, pixels

    def _rows_to_do(self, file: BinaryIO, errors: dict[int, PictureError]) -> list[int]:
        """Rows an earlier, interrupted build has not done, or whose picture looks different now."""
        store = self.store
        if os.fstat(file.fileno()).st_size != store.total_bytes or self.options.verify:
            file.truncate(0)
            file.truncate(store.total_bytes)
            return list(range(len(self.looks)))
        partial = PixelStore(store.file.with_suffix(".partial"), store.shape)
        done = partial.sound_rows(self.looks, self.options.workers, self.options.progress)
        done[failed_rows(partial.records())] = False
        rows: list[int] = np.flatnonzero(~done).tolist()
        return rows

    def _write(
        self,
        file: BinaryIO,
        results: Iterable[tuple[int, bytes, Pixels | PictureError]],
        errors: dict[int, PictureError],
    ) -> None:
        """Write pixels, and behind them the records, which count only once the pixels are down."""
        store = self.store
        written: list[tuple[int, bytes]] = []

        def save_records() -> None:
            file.flush()
            os.fsync(file.fileno())
            for row, record in written:
                file.seek(store.records_at + row * RECORD_BYTES)
                file.write(record)
            written.clear()

        try:
            for row, digest, found in results:
                content = None if isinstance(found, PictureError) else found.tobytes()
                if isinstance(found, PictureError):
                    errors[row] = found
                file.seek(row * store.picture_bytes)
                file.write(content or bytes(store.picture_bytes))
                written.append((row, write_record(self.looks[row], digest, content)))
                if len(written) == _ROWS_A_SAVE:
                    save_records()
        finally:
            save_records()


def _remove_forgotten(partial: Path) -> None:
    """Remove other builds that were interrupted long ago and that nobody is at."""
    for other in partial.parent.glob("*.partial"):
        try:
            if other == partial or time.time() - other.stat().st_mtime < _FORGOTTEN_S:
                continue
            with FileLock(other.with_suffix(".lock"), timeout=0):
                other.unlink()
        except (OSError, Timeout):
            continue
