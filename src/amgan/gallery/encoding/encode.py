"""A catalogue's pictures to vectors: streamed in blocks, resumable, bounded in memory.

Vectors are appended to a file, and each block to a journal once its vectors have reached the disk.
Each line of the journal holds the CRC-32 of itself and of its block's vectors. After an
interruption the same job goes on behind the last block that is undamaged and whose pictures are
unchanged.
"""

from __future__ import annotations

import hashlib
import json
import os
import zlib
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from itertools import repeat
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from amgan.catalogue.records import Catalogue
from amgan.gallery.encoding.blocks import DEFAULT_OPTIONS, Block, EncodedBlock, EncodingOptions
from amgan.gallery.encoding.executors import EXECUTORS
from amgan.gallery.encoding.picture_state import picture_state
from amgan.gallery.versions import GalleryError
from amgan.methods.query_arrays import PictureArray
from amgan.methods.trained import TrainedModel

VECTORS_FILE = "vectors.f32"
JOURNAL_FILE = "journal.jsonl"


@dataclass(frozen=True)
class Skipped:
    """A picture that could not be encoded."""

    item_id: str
    image: str
    reason: str

    def to_json(self) -> str:
        """One line of ``skipped.jsonl``."""
        return json.dumps(asdict(self), ensure_ascii=False)


@dataclass(frozen=True)
class Encoded:
    """What became of a catalogue's rows.

    Attributes:
        rows: catalogue rows that have a vector, in the order of the vectors.
        skipped: the others.
        digests: SHA-256 of the picture file of each of `rows`, None where it is not known.
    """

    rows: NDArray[np.int64]
    skipped: tuple[Skipped, ...]
    digests: tuple[str | None, ...] = ()


@dataclass(frozen=True)
class EncodingJob:
    """Pictures of `catalogue` through `model`.

    Attributes:
        model: encodes.
        catalogue: whose pictures.
        pixels: decoded pictures (N, H, W, 3), or their features (N, F), in catalogue order; None
            reads the files.
        options: who does it, and how.
        model_file: the same model on disk, for other processes; threads need none.
        trust_labels: see `build_gallery`.
    """

    model: TrainedModel
    catalogue: Catalogue
    pixels: PictureArray | None = None
    options: EncodingOptions = DEFAULT_OPTIONS
    model_file: Path | None = None
    trust_labels: bool = False

    def __post_init__(self) -> None:
        if self.catalogue.schema != self.model.schema:
            raise GalleryError(self._schema_differs())
        if self.pixels is not None:
            images = self.model.images
            expected: tuple[int, ...] = (len(self.catalogue), images.height, images.width, 3)
            if self.pixels.ndim == 2:  # features in place of pictures
                expected = (len(self.catalogue), self.pixels.shape[1])
            assert self.pixels.shape == expected, f"{self.pixels.shape} is not {expected}"

    def _schema_differs(self) -> str:
        ours, theirs = self.model.schema.to_dict(), self.catalogue.schema.to_dict()
        different = [name for name in {**ours, **theirs} if ours.get(name) != theirs.get(name)]
        return (
            f"catalogue {self.catalogue.name!r} is not described by the model's attributes; "
            + (f"different: {', '.join(different)}" if different else "their order differs")
            + "; read the catalogue with the model's schema"
        )

    def digest(self) -> str:
        """SHA-256 of what has to be equal for one run to go on where another stopped."""
        parts = [self.model.identity, self.catalogue.digest, repr(self.options.limits)]
        parts += [str(image.absolute()) for image in self.catalogue.images]
        parts.append("files" if self.pixels is None else "pixels")
        if self.trust_labels:
            parts.append("labels")
        return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()

    def fingerprint(self, start: int, stop: int) -> str:
        """What tells whether the pictures of a block are still the same."""
        if self.pixels is not None:
            return f"{zlib.crc32(self.pixels[start:stop].tobytes()):08x}"
        digest = hashlib.sha256()
        for image in self.catalogue.images[start:stop]:
            digest.update(f"{picture_state(image) or '?'};".encode())
        return digest.hexdigest()

    def blocks(self, start: int) -> Generator[tuple[int, Encoded, NDArray[np.float32]], None, None]:
        """Encode from row `start` on: last row + 1, which rows, their vectors (n, D)."""
        execute = EXECUTORS[self.options.executor]
        # Closed whatever happens, so that workers are gone when an error or Ctrl-C is told.
        with closing(
            execute(self.model, self.model_file, self.options, self._todo(start))
        ) as results:
            for result in self._shown(results, len(self.catalogue) - start):
                stop = start + len(result.reasons)
                encoded = self._name(start, result)
                self._check_finite(encoded.rows, result.vectors)
                vectors = result.vectors
                if self.trust_labels:
                    vectors = self.model.give_labels(vectors, self.catalogue.labels[encoded.rows])
                yield stop, encoded, vectors
                start = stop

    def _name(self, start: int, result: EncodedBlock) -> Encoded:
        """What became of the rows of a block that begins at `start`."""
        rows, skipped, digests = [], [], []
        for row, reason in enumerate(result.reasons, start):
            if reason is None:
                rows.append(row)
                digests.append(result.digests[row - start])
            else:
                image = str(self.catalogue.images[row])
                skipped.append(Skipped(self.catalogue.item_ids[row], image, reason))
        return Encoded(np.array(rows, np.int64), tuple(skipped), tuple(digests))

    def _todo(self, start: int) -> Iterator[Block]:
        for first in range(start, len(self.catalogue), self.options.batch_size):
            part = slice(first, first + self.options.batch_size)
            images = tuple(image.absolute() for image in self.catalogue.images[part])
            yield Block(images, None if self.pixels is None else np.array(self.pixels[part]))

    def _shown(self, results: Iterator[EncodedBlock], total: int) -> Iterator[EncodedBlock]:
        """The results, with progress counted in pictures."""

        def pictures() -> Iterator[EncodedBlock | None]:
            for result in results:
                yield from repeat(None, len(result.reasons) - 1)
                yield result

        for result in self.options.progress(pictures(), "Encode pictures", total):
            if result is not None:
                yield result

    def _check_finite(self, rows: NDArray[np.int64], vectors: NDArray[np.float32]) -> None:
        finite = np.isfinite(vectors).all(axis=1)
        if not finite.all():
            item_id = self.catalogue.item_ids[rows[int(np.argmin(finite))]]
            raise GalleryError(
                f"the model gives no finite vector for item {item_id!r}; it did not train well"
            )


def encode_to_file(job: EncodingJob, folder: Path) -> Encoded:
    """Encode into ``folder/vectors.f32``, going on where an equal job was interrupted."""
    journal = _Journal(folder, job)
    rows, skipped = [journal.done.rows], list(journal.done.skipped)
    digests = list(journal.done.digests)
    start = journal.next_row
    with (
        journal.open_vectors() as vectors_file,
        journal.open_lines() as lines,
        closing(job.blocks(start)) as blocks,
    ):
        for stop, encoded, vectors in blocks:
            content = np.ascontiguousarray(vectors, np.float32).tobytes()
            _append(vectors_file, content)
            entry = {
                "start": start,
                "stop": stop,
                "pictures": job.fingerprint(start, stop),
                "skipped": [[s.item_id, s.image, s.reason] for s in encoded.skipped],
                "digests": encoded.digests,
                "vectors": zlib.crc32(content),
            }
            _append(lines, _with_check(json.dumps(entry).encode()) + b"\n")
            rows.append(encoded.rows)
            skipped += encoded.skipped
            digests += encoded.digests
            start = stop
    return Encoded(np.concatenate(rows), tuple(skipped), tuple(digests))


def map_vectors(file: Path, dim: int) -> NDArray[np.float32]:
    """Vectors (N, D) of a file, mapped into memory, read-only."""
    if not file.stat().st_size:
        return np.empty((0, dim), np.float32)
    return np.memmap(file, np.float32, "r").reshape(-1, dim)


def encode_in_memory(job: EncodingJob) -> tuple[Encoded, NDArray[np.float32]]:
    """Encode into an array (n, D)."""
    rows = [np.empty(0, np.int64)]
    skipped: list[Skipped] = []
    vectors = [np.empty((0, job.model.embedding_dim), np.float32)]
    for _, encoded, block in job.blocks(0):
        rows.append(encoded.rows)
        skipped += encoded.skipped
        vectors.append(block)
    return Encoded(np.concatenate(rows), tuple(skipped)), np.concatenate(vectors)


class _Journal:
    """The blocks that an earlier run of the same job brought to the disk."""

    def __init__(self, folder: Path, job: EncodingJob) -> None:
        self._vectors_file = folder / VECTORS_FILE
        self._file = folder / JOURNAL_FILE
        self._job = job
        self._header = {"job": job.digest(), "dim": job.model.embedding_dim}
        self._lines: list[bytes] = []
        self.next_row = 0
        self.done = Encoded(np.empty(0, np.int64), ())
        self._read()

    def _read(self) -> None:
        try:
            lines = self._file.read_bytes().split(b"\n")
            stored = self._vectors_file.stat().st_size
        except FileNotFoundError:
            return
        if _parse(lines[0]) != self._header:
            return
        rows: list[int] = []
        skipped: list[Skipped] = []
        digests: list[str | None] = []
        for line in lines[1:-1]:  # what stands behind the last line end was not finished
            entry = _parse(_without_check(line))
            if not entry or entry["start"] != self.next_row:
                break
            start, stop = entry["start"], entry["stop"]
            if entry["pictures"] != self._job.fingerprint(start, stop):
                break
            block = [Skipped(*fields) for fields in entry["skipped"]]
            lost = {skip.item_id for skip in block}
            kept = [row for row in range(start, stop) if self._item_id(row) not in lost]
            if (len(rows) + len(kept)) * self._row_bytes > stored:
                break
            if self._check_of_vectors(len(rows), len(kept)) != entry["vectors"]:
                break
            rows += kept
            skipped += block
            digests += entry["digests"]
            self.next_row = stop
            self._lines.append(line + b"\n")
        self.done = Encoded(np.array(rows, np.int64), tuple(skipped), tuple(digests))

    def _check_of_vectors(self, first: int, count: int) -> int:
        """CRC-32 of the vectors of a block as they lie on the disk."""
        with self._vectors_file.open("rb") as file:
            file.seek(first * self._row_bytes)
            return zlib.crc32(file.read(count * self._row_bytes))

    @property
    def _row_bytes(self) -> int:
        return 4 * self._job.model.embedding_dim

    def _item_id(self, row: int) -> str:
        return self._job.catalogue.item_ids[row]

    def open_vectors(self) -> BinaryIO:
        """The vectors' file, cut behind the last block that counts, ready to append."""
        file = self._vectors_file.open("ab")
        file.truncate(len(self.done.rows) * self._row_bytes)
        return file

    def open_lines(self) -> BinaryIO:
        """The journal, holding only what counts, ready to append."""
        file = self._file.open("wb")
        _append(file, json.dumps(self._header).encode() + b"\n" + b"".join(self._lines))
        return file


def _append(file: BinaryIO, content: bytes) -> None:
    file.write(content)
    file.flush()
    os.fsync(file.fileno())


def _with_check(line: bytes) -> bytes:
    """A line of the journal with its CRC-32 before it."""
    return b"%08x " % zlib.crc32(line) + line


def _without_check(line: bytes) -> bytes:
    """The line again; empty where it is damaged."""
    check, _, rest = line.partition(b" ")
    return rest if check == b"%08x" % zlib.crc32(rest) else b""


def _parse(line: bytes) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        return None
