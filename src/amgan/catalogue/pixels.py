"""Decoded pictures of a catalogue in a memory-mapped file, decoded once.

A cache file belongs to a list of picture paths and to `ImageSettings`. It holds the pixels of all
pictures and behind them one record a picture: what its file looked like (size and times) and the
SHA-256 of its content. A file that looks the same is trusted; one that looks different is read and
hashed, and decoded only where no cache file of the same settings in the folder has that content.

A build goes to a partial file under a lock and replaces the old file when it is whole, so a reader
sees the old pixels or the new ones. An interrupted build goes on where it stopped. The folder may
be deleted at any time.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from amgan.catalogue.parallel import map_in_threads
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

_RECORD = np.dtype(
    [("path", "V16"), ("size", "<i8"), ("mtime", "<i8"), ("ctime", "<i8"), ("digest", "V32")]
)
_LOOK = slice(0, 40)  # the bytes of a record that say which file it was and how it looked
_DIGEST = slice(40, 72)
_NO_DIGEST = bytes(32)
_ROWS_A_SAVE = 1024
_MAX_DONORS = 4

Records = NDArray[np.uint8]  # (N, 72): `_RECORD` as bytes


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
        PictureError: a picture is gone or cannot be decoded.
        OSError: the folder cannot be written, or the disk is full.
    """
    shape = (len(catalogue), settings.height, settings.width, 3)
    if not len(catalogue):
        return np.zeros(shape, np.uint8)
    paths = [image.absolute() for image in catalogue.images]
    address = hashlib.sha256(b"\0".join(map(os.fsencode, paths))).hexdigest()
    store = _Store(cache_dir / f"{settings.digest[:16]}-{address[:24]}.pixels", shape)
    looks = _look_at(paths)
    if not store.is_current(looks):
        cache_dir.mkdir(parents=True, exist_ok=True)
        with _locked(store.file.with_suffix(".lock")):
            if not store.is_current(looks):
                _build(store, paths, looks, _Decoder(settings, limits), workers, progress)
    return store.pixels()


@dataclass(frozen=True)
class _Store:
    """A cache file: N pictures, then N records."""

    file: Path
    shape: tuple[int, int, int, int]

    @property
    def picture_bytes(self) -> int:
        return self.shape[1] * self.shape[2] * self.shape[3]

    @property
    def records_at(self) -> int:
        return self.shape[0] * self.picture_bytes

    @property
    def total_bytes(self) -> int:
        return self.records_at + self.shape[0] * _RECORD.itemsize

    def pixels(self) -> Pixels:
        return np.memmap(self.file, np.uint8, "r", shape=self.shape)

    def records(self) -> Records:
        shape = (self.shape[0], _RECORD.itemsize)
        return np.memmap(self.file, np.uint8, "r", offset=self.records_at, shape=shape)

    def is_current(self, looks: Records) -> bool:
        """Whether the file is whole and every picture looks as it did when it was decoded."""
        try:
            whole = self.file.stat().st_size == self.total_bytes
        except FileNotFoundError:
            return False
        return whole and np.array_equal(self.records()[:, _LOOK], looks[:, _LOOK])

    def others(self) -> Iterator[_Store]:
        """This file as it stands and the newest others of the same settings."""
        prefix = self.file.name.partition("-")[0]
        files = sorted(self.file.parent.glob(f"{prefix}-*.pixels"), key=_age)
        files.sort(key=lambda file: file != self.file)
        for file in files[:_MAX_DONORS]:
            count, rest = divmod(file.stat().st_size, self.picture_bytes + _RECORD.itemsize)
            if count and not rest:
                yield _Store(file, (count, *self.shape[1:]))


@dataclass(frozen=True)
class _Decoder:
    settings: ImageSettings
    limits: PictureLimits

    def decode(self, path: Path, content: bytes) -> Pixels:
        try:
            return load_pixels(content, self.settings, self.limits)
        except PictureError as error:
            raise PictureError(str(path), error.reason) from error


class _Donors:
    """Pictures that lie decoded in other cache files, found by look or by content."""

    def __init__(self, stores: Iterable[_Store]) -> None:
        chosen = list(stores)
        counts = [store.shape[0] for store in chosen]
        empty = np.zeros((0, _RECORD.itemsize), np.uint8)
        self._pixels = [store.pixels() for store in chosen]
        self._records = np.concatenate([empty, *(store.records() for store in chosen)])
        self._store_of = np.repeat(np.arange(len(chosen)), counts)
        self._row_of = np.concatenate([np.zeros(0, np.int64), *map(np.arange, counts)])
        self._looks = _sorted_keys(self._records[:, _LOOK])
        self._digests = _sorted_keys(self._records[:, _DIGEST])

    def by_look(self, look: bytes) -> tuple[bytes, Pixels] | None:
        place = _find(self._looks, look)
        if place is None:
            return None
        return self._records[place, _DIGEST].tobytes(), self._picture(place)

    def by_digest(self, digest: bytes) -> Pixels | None:
        place = _find(self._digests, digest)
        return None if place is None else self._picture(place)

    def _picture(self, place: int) -> Pixels:
        picture: Pixels = self._pixels[self._store_of[place]][self._row_of[place]]
        return picture


def _sorted_keys(keys: Records) -> tuple[NDArray[np.bytes_], NDArray[np.int64]]:
    """Keys of one length as sorted byte strings, and where each stood."""
    texts = np.ascontiguousarray(keys).view(f"S{keys.shape[1]}")[:, 0]
    order = np.argsort(texts, kind="stable")
    return texts[order], order


def _find(keys: tuple[NDArray[np.bytes_], NDArray[np.int64]], key: bytes) -> int | None:
    texts, order = keys
    place = int(np.searchsorted(texts, np.bytes_(key)))
    # numpy hands a byte string out without the zeros at its end
    found = place < len(texts) and texts[place] == key.rstrip(b"\0")
    return int(order[place]) if found else None


def _build(
    store: _Store,
    paths: Sequence[Path],
    looks: Records,
    decoder: _Decoder,
    workers: int | None,
    progress: Progress,
) -> None:
    """Fill the partial file and put it in place of the old one."""
    partial = store.file.with_suffix(".partial")
    donors = _Donors(store.others())

    def prepare(row: int) -> tuple[int, bytes, Pixels]:
        known = donors.by_look(looks[row, _LOOK].tobytes())
        if known is not None:
            return row, *known
        content = read_picture(paths[row], decoder.limits)
        digest = hashlib.sha256(content).digest()
        pixels = donors.by_digest(digest)
        return row, digest, decoder.decode(paths[row], content) if pixels is None else pixels

    try:
        with partial.open("a+b"):
            pass
        with partial.open("r+b") as file:
            todo = _rows_to_do(file, store, looks)
            prepared = map_in_threads(prepare, todo, workers)
            described = "decoding pictures"
            _write(file, store, looks, progress(prepared, described, len(todo)))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(error.filename or partial)) from error
    partial.replace(store.file)


def _rows_to_do(file: BinaryIO, store: _Store, looks: Records) -> list[int]:
    """Rows an earlier, interrupted build has not done, or whose picture looks different now."""
    if os.fstat(file.fileno()).st_size != store.total_bytes:
        file.truncate(0)
        file.truncate(store.total_bytes)
        return list(range(len(looks)))
    file.seek(store.records_at)
    records = np.frombuffer(file.read(), np.uint8).reshape(looks.shape)
    done = (records[:, _LOOK] == looks[:, _LOOK]).all(axis=1) & records[:, _DIGEST].any(axis=1)
    rows: list[int] = np.flatnonzero(~done).tolist()
    return rows


def _write(
    file: BinaryIO, store: _Store, looks: Records, results: Iterable[tuple[int, bytes, Pixels]]
) -> None:
    """Write pixels, and behind them the records, which count only once the pixels are down."""
    written: list[tuple[int, bytes]] = []

    def save_records() -> None:
        file.flush()
        os.fsync(file.fileno())
        for row, digest in written:
            file.seek(store.records_at + row * _RECORD.itemsize)
            file.write(looks[row, _LOOK].tobytes() + digest)
        written.clear()

    try:
        for row, digest, pixels in results:
            file.seek(row * store.picture_bytes)
            file.write(pixels.tobytes())
            written.append((row, digest))
            if len(written) == _ROWS_A_SAVE:
                save_records()
    finally:
        save_records()


def _look_at(paths: Sequence[Path]) -> Records:
    """Records without digests."""
    records: NDArray[Any] = np.zeros(len(paths), _RECORD)
    for row, path in enumerate(paths):
        try:
            status = path.stat()
        except OSError as error:
            reason = "no such file" if isinstance(error, FileNotFoundError) else error.strerror
            raise PictureError(str(path), str(reason)) from error
        key = hashlib.blake2b(os.fsencode(path), digest_size=16).digest()
        look = (key, status.st_size, status.st_mtime_ns, status.st_ctime_ns, _NO_DIGEST)
        records[row] = look
    return records.view(np.uint8).reshape(len(paths), _RECORD.itemsize)


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    """Hold a lock that other processes and threads wait for; it goes with the process."""
    with file.open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _age(file: Path) -> float:
    return -file.stat().st_mtime
