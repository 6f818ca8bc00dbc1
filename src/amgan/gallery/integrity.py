"""SHA-256 of a version's files, of large ones in blocks, and what has changed since."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from amgan.catalogue.parallel import map_in_threads
from amgan.gallery.versions import GalleryError, require_ordinary

BLOCK_BYTES = 2**26
_PIECE = 2**20


@dataclass(frozen=True)
class FileRecord:
    """What a file held when it was written.

    Attributes:
        size: bytes.
        sha256: hexadecimal, of each block of `block` bytes; the last one may be shorter.
        block: bytes of a block.
    """

    size: int
    sha256: Sequence[str]
    block: int = BLOCK_BYTES


def record_files(folder: Path, block: int = BLOCK_BYTES) -> dict[str, FileRecord]:
    """Records of all files in a folder, by name."""
    files = sorted(path for path in folder.iterdir() if path.is_file())
    parts = [(file, start) for file in files for start in _starts(file.stat().st_size, block)]
    digests: dict[Path, list[str]] = {file: [] for file in files}
    found = map_in_threads(lambda part: _digest(*part, block), parts)
    for (file, _), digest in zip(parts, found, strict=True):
        digests[file].append(digest)
    return {file.name: FileRecord(file.stat().st_size, digests[file], block) for file in files}


def check_files(folder: Path, records: Mapping[str, FileRecord]) -> None:
    """Read all files of a version and hold them against their records.

    Raises:
        GalleryError: a file that is no ordinary one, has another size or other content.
        FileNotFoundError: a file is missing.
    """
    for problem in find_damage(folder, records):
        raise GalleryError(f"{problem}; the gallery is damaged, write it again")


def find_damage(folder: Path, records: Mapping[str, FileRecord]) -> Iterator[str]:
    """What is wrong with a version's files, one sentence for each of them.

    Raises:
        FileNotFoundError: a file is missing.
    """
    parts: list[tuple[Path, int, int, str]] = []
    for name, record in records.items():
        problem = check_size(folder / name, record.size)
        if problem is not None:
            yield problem
            continue
        starts = list(_starts(record.size, record.block))
        if len(starts) != len(record.sha256):
            yield f"{folder / name}: the manifest has {len(record.sha256)} digests for it"
            continue
        parts += [
            (folder / name, start, record.block, digest)
            for start, digest in zip(starts, record.sha256, strict=True)
        ]
    told: set[Path] = set()
    found = map_in_threads(lambda part: _digest(*part[:3]), parts)
    for (file, start, _, expected), digest in zip(parts, found, strict=True):
        if digest != expected and file not in told:
            told.add(file)
            where = f" from byte {start:,} on" if len(records[file.name].sha256) > 1 else ""
            yield f"{file}: does not hold what was written{where} (SHA-256 differs)"


def check_size(file: Path, size: int) -> str | None:
    """Why a file cannot be the one that was written, as far as its kind and size tell.

    Raises:
        FileNotFoundError: no such file.
    """
    require_ordinary(file)
    found = file.stat().st_size
    return None if found == size else f"{file}: has {found:,} bytes instead of {size:,}"


def _starts(size: int, block: int) -> Iterator[int]:
    yield from range(0, max(size, 1), block)


def _digest(file: Path, start: int, block: int) -> str:
    digest = hashlib.sha256()
    with file.open("rb") as content:
        content.seek(start)
        left = block
        while left and (piece := content.read(min(_PIECE, left))):
            digest.update(piece)
            left -= len(piece)
    return digest.hexdigest()


@dataclass(frozen=True)
class MappedFiles:
    """The files of a version that are mapped into memory, held open as long as it is.

    A mapped file that is cut short ends the process when what is gone is read; so it is looked at
    before each search.

    Attributes:
        sizes: path and bytes of each open file.
    """

    sizes: Mapping[int, tuple[Path, int]] = field(default_factory=dict)

    @classmethod
    def of(cls, *files: Path) -> MappedFiles:
        """Hold those of the files that are there."""
        handles = {os.open(file, os.O_RDONLY): file for file in files if file.exists()}
        return cls({handle: (file, os.fstat(handle).st_size) for handle, file in handles.items()})

    def require_whole(self) -> None:
        """Raise GalleryError where a file is shorter than it was when it was opened."""
        for handle, (file, size) in self.sizes.items():
            found = os.fstat(handle).st_size
            if found < size:
                raise GalleryError(
                    f"{file}: was cut to {found:,} of {size:,} bytes while it was in use; "
                    "write the gallery again"
                )

    def __del__(self) -> None:
        for handle in self.sizes:
            os.close(handle)
