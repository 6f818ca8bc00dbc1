"""Features on disk, found again by the picture's content and by what computed them.

A store is a folder of one feature network's identity. `features.f16` holds a row of numbers for
each picture, `keys.bin` a record for each row: a digest of the picture's pixels and a checksum of
the row. Rows are appended, and a record is written once its row has reached the disk, so that an
interrupted computation goes on where it stopped. A row that does not fit its checksum is computed
again. The folder may be deleted at any time.
"""

from __future__ import annotations

import hashlib
import os
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from amgan.images import Pixels
from amgan.progress import Progress, quiet

Features = NDArray[np.float16]
Compute = Callable[[Pixels], NDArray[np.float32]]

FEATURES_FILE = "features.f16"
KEYS_FILE = "keys.bin"
_KEY = np.dtype([("digest", "V16"), ("checksum", "<u4")])
_ROWS_A_BLOCK = 256


@dataclass(frozen=True)
class StoredFeatures:
    """Features (N, F) of N pictures, some rows of a memory-mapped file.

    Attributes:
        file: features of all pictures of the store, (R, F) float16.
        rows: row of each picture, (N,).
    """

    file: Features
    rows: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def shape(self) -> tuple[int, int]:
        """(N, F)."""
        return len(self.rows), self.file.shape[1]

    def __getitem__(self, chosen: NDArray[np.int64] | slice) -> Features:
        return np.asarray(self.file[self.rows[chosen]])


class FeatureStore:
    """Features of one network.

    Args:
        folder: of the store, made where it is missing.
        width: F, numbers for each picture.
    """

    def __init__(self, folder: Path, width: int) -> None:
        self.folder = folder
        self.width = width

    def collect(
        self,
        pixels: Pixels,
        rows: NDArray[np.int64],
        compute: Compute,
        progress: Progress = quiet,
    ) -> StoredFeatures:
        """Features of pictures, computed where the store does not have them yet.

        Args:
            pixels: (R, H, W, 3) uint8; may be memory-mapped.
            rows: which of them, (N,).
            compute: features (n, F) of pictures (n, H, W, 3).
            progress: shows how far the computation is.

        Raises:
            OSError: the folder cannot be written, or the disk is full.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        digests = [_digest(pixels[row]) for row in rows.tolist()]
        with FileLock(self.folder / ".lock"):
            known = self._read_keys()
            todo = _first_places(digests, known)
            starts = range(0, len(todo), _ROWS_A_BLOCK)
            shown = progress(starts, "Compute features", len(starts)) if todo else starts
            for start in shown:
                places = todo[start : start + _ROWS_A_BLOCK]
                features = compute(pixels[rows[places]])
                self._append(known, [digests[place] for place in places], features)
        count = max(known.values(), default=-1) + 1
        if not count:
            return StoredFeatures(np.empty((0, self.width), np.float16), np.empty(0, np.int64))
        file = np.memmap(self._features_file, np.float16, "r", shape=(count, self.width))
        return StoredFeatures(file, np.array([known[digest] for digest in digests], np.int64))

    @property
    def _features_file(self) -> Path:
        return self.folder / FEATURES_FILE

    @property
    def _keys_file(self) -> Path:
        return self.folder / KEYS_FILE

    def _read_keys(self) -> dict[bytes, int]:
        """Row of each digest; rows whose numbers do not fit their checksum are left out."""
        try:
            content = self._keys_file.read_bytes()
            stored = self._features_file.stat().st_size // (2 * self.width)
        except FileNotFoundError:
            return {}
        count = min(len(content) // _KEY.itemsize, stored)
        if not count:
            return {}
        keys = np.frombuffer(content, _KEY, count)
        rows = np.memmap(self._features_file, np.float16, "r", shape=(count, self.width))
        sound = (zlib.crc32(rows[row].tobytes()) == keys["checksum"][row] for row in range(count))
        digests = [keys["digest"][row].tobytes() for row in range(count)]
        return {digests[row]: row for row, fits in enumerate(sound) if fits}

    def _append(
        self, known: dict[bytes, int], digests: list[bytes], features: NDArray[np.float32]
    ) -> None:
        assert features.shape == (len(digests), self.width), features.shape
        numbers = np.ascontiguousarray(features, np.float16)
        with self._keys_file.open("ab") as keys, self._features_file.open("ab") as file:
            # What an interrupted write left is cut off: rows and records stay side by side.
            count = min(keys.tell() // _KEY.itemsize, file.tell() // (2 * self.width))
            file.truncate(count * 2 * self.width)
            keys.truncate(count * _KEY.itemsize)
            _write(file, numbers.tobytes())
            records = np.zeros(len(digests), _KEY)
            for place, digest in enumerate(digests):
                records[place] = (digest, zlib.crc32(numbers[place].tobytes()))
                known[digest] = count + place
            _write(keys, records.tobytes())


def _write(file: BinaryIO, content: bytes) -> None:
    file.write(content)
    file.flush()
    os.fsync(file.fileno())


def _digest(picture: Pixels) -> bytes:
    return hashlib.blake2b(picture.tobytes(), digest_size=16).digest()


def _first_places(digests: list[bytes], known: dict[bytes, int]) -> list[int]:
    """Places of the digests that are not known, equal ones once."""
    first: dict[bytes, int] = {}
    for place, digest in enumerate(digests):
        if digest not in known:
            first.setdefault(digest, place)
    return list(first.values())
