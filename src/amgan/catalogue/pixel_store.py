"""The file of decoded pictures: its layout, what is sound in it, and what another one has already.

N pictures, and behind them N records of 84 bytes: how the picture file looked (a digest of its
path, size, two times), SHA-256 of its content, CRC-32 of the pixels, 1 where it could not be
decoded, and CRC-32 of the record itself.
"""

from __future__ import annotations

import hashlib
import os
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amgan.catalogue.parallel import map_in_threads
from amgan.images import Pixels
from amgan.progress import Progress

_RECORD = np.dtype(
    [
        *[("path", "V16"), ("size", "<i8"), ("mtime", "<i8"), ("ctime", "<i8")],
        *[("digest", "V32"), ("pixels", "<u4"), ("failed", "<u4"), ("check", "<u4")],
    ]
)
RECORD_BYTES = _RECORD.itemsize
LOOK = slice(0, 40)  # the bytes of a record that say which file it was and how it looked
DIGEST = slice(40, 72)
_PIXELS, _FAILED, _CHECKED, _CHECK = slice(72, 76), slice(76, 80), slice(0, 80), slice(80, 84)
NO_DIGEST = bytes(32)
_MAX_DONORS = 4
_ROWS_A_CHECK = 1024

Records = NDArray[np.uint8]  # (N, RECORD_BYTES): `_RECORD` as bytes
Rows = NDArray[np.bool_]


def look_at(paths: Sequence[Path]) -> Records:
    """Records of picture files as they look now; zeros for one that is not there."""
    records: NDArray[Any] = np.zeros(len(paths), _RECORD)
    for row, path in enumerate(paths):
        key = hashlib.blake2b(os.fsencode(path), digest_size=16).digest()
        try:
            status = path.stat()
        except OSError:
            records["path"][row] = key
            continue
        look = (key, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
        records[row] = (*look, NO_DIGEST, 0, 0, 0)
    return records.view(np.uint8).reshape(len(paths), RECORD_BYTES)


def write_record(look: Records, digest: bytes, pixels: bytes | None) -> bytes:
    """A finished record; no `pixels` for a picture that could not be decoded."""
    found = zlib.crc32(b"" if pixels is None else pixels)
    record = look[LOOK].tobytes() + digest
    record += found.to_bytes(4, "little") + int(pixels is None).to_bytes(4, "little")
    return record + zlib.crc32(record).to_bytes(4, "little")


def sound_records(records: Records) -> Rows:
    """Which records are written and undamaged, (N,)."""
    found = np.array([zlib.crc32(record[_CHECKED].tobytes()) for record in records], "<u4")
    sound: Rows = (found == _numbers(records, _CHECK)) & records.any(axis=1)
    return sound


def failed_rows(records: Records) -> list[int]:
    """Rows whose pictures could not be decoded."""
    rows: list[int] = np.flatnonzero(_numbers(records, _FAILED)).tolist()
    return rows


def _numbers(records: Records, part: slice) -> NDArray[np.uint32]:
    return np.ascontiguousarray(records[:, part]).view("<u4")[:, 0]


@dataclass(frozen=True)
class PixelStore:
    """A cache file: N pictures, then N records.

    Attributes:
        file: the file.
        shape: (N, H, W, 3).
    """

    file: Path
    shape: tuple[int, int, int, int]

    @property
    def picture_bytes(self) -> int:
        """Bytes of one picture."""
        return self.shape[1] * self.shape[2] * self.shape[3]

    @property
    def records_at(self) -> int:
        """Where the records begin."""
        return self.shape[0] * self.picture_bytes

    @property
    def total_bytes(self) -> int:
        """Bytes of a whole file."""
        return self.records_at + self.shape[0] * RECORD_BYTES

    def is_whole(self) -> bool:
        """Whether the file is there and as long as it should be."""
        try:
            return self.file.stat().st_size == self.total_bytes
        except FileNotFoundError:
            return False

    def pixels(self) -> Pixels:
        """The pictures, mapped into memory."""
        return np.memmap(self.file, np.uint8, "r", shape=self.shape)

    def records(self) -> Records:
        """The records, mapped into memory."""
        shape = (self.shape[0], RECORD_BYTES)
        return np.memmap(self.file, np.uint8, "r", offset=self.records_at, shape=shape)

    def sound_rows(self, looks: Records, workers: int | None, progress: Progress) -> Rows:
        """Which pictures are here, undamaged, of files that look as they did, (N,).

        All pixels are read once.
        """
        if not self.is_whole():
            return np.zeros(self.shape[0], bool)
        records = np.asarray(self.records())
        same = (records[:, LOOK] == looks[:, LOOK]).all(axis=1) & sound_records(records)
        pixels, wanted = self.pixels(), _numbers(records, _PIXELS)
        failed = _numbers(records, _FAILED) != 0

        def check(rows: tuple[int, int]) -> list[bool]:
            return [failed[i] or zlib.crc32(pixels[i].data) == wanted[i] for i in range(*rows)]

        bounds = [*range(0, self.shape[0], _ROWS_A_CHECK), self.shape[0]]
        parts = map_in_threads(check, pairwise(bounds), workers)
        told = progress(parts, "checking decoded pictures", len(bounds) - 1)
        sound: Rows = same & np.array([is_sound for part in told for is_sound in part], bool)
        return sound

    def others(self) -> Iterator[PixelStore]:
        """This file as it stands and the newest others of the same settings."""
        prefix = self.file.name.partition("-")[0]
        files = sorted(self.file.parent.glob(f"{prefix}-*.pixels"), key=_age)
        files.sort(key=lambda file: file != self.file)
        for file in files[:_MAX_DONORS]:
            count, rest = divmod(file.stat().st_size, self.picture_bytes + RECORD_BYTES)
            if count and not rest:
                yield PixelStore(file, (count, *self.shape[1:]))


class Donors:
    """Pictures that lie decoded in cache files, found by look or by content; sound ones only."""

    def __init__(self, stores: Iterable[PixelStore]) -> None:
        chosen = list(stores)
        counts = [store.shape[0] for store in chosen]
        empty = np.zeros((0, RECORD_BYTES), np.uint8)
        self._pixels = [store.pixels() for store in chosen]
        self._records = np.concatenate([empty, *(store.records() for store in chosen)])
        self._sound = sound_records(self._records)
        self._sound[failed_rows(self._records)] = False
        self._wanted = _numbers(self._records, _PIXELS)
        self._store_of = np.repeat(np.arange(len(chosen)), counts)
        self._row_of = np.concatenate([np.zeros(0, np.int64), *map(np.arange, counts)])
        self._looks = _sorted_keys(self._records[:, LOOK])
        self._digests = _sorted_keys(self._records[:, DIGEST])

    def by_look(self, look: bytes) -> tuple[bytes, Pixels] | None:
        """Digest and pixels of a picture file that looks so."""
        place = _find(self._looks, look)
        pixels = None if place is None else self._picture(place)
        return None if pixels is None else (self._records[place, DIGEST].tobytes(), pixels)

    def by_digest(self, digest: bytes) -> Pixels | None:
        """Pixels of a picture file with this content."""
        place = _find(self._digests, digest)
        return None if place is None else self._picture(place)

    def _picture(self, place: int) -> Pixels | None:
        if not self._sound[place]:
            return None
        picture: Pixels = self._pixels[self._store_of[place]][self._row_of[place]]
        return picture if zlib.crc32(picture.data) == self._wanted[place] else None


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


def _age(file: Path) -> float:
    return -file.stat().st_mtime
