"""A folder whose content is switched from one whole version to the next.

    FOLDER/CURRENT            the name of the version to read, such as 000003
    FOLDER/versions/000003/   its files, never changed once CURRENT names them
    FOLDER/work-build/        what a writer is making; it becomes the next version by a rename
    FOLDER/.lock              held by the one writer

CURRENT is replaced by a rename after everything it names has reached the disk, so a crash at any
moment leaves the old version or the new one. The version before the current one is kept for readers
that have just looked at CURRENT; files that are mapped into memory outlive their removal.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import numpy as np
from filelock import FileLock, Timeout

from amgan.errors import InputError
from amgan.files import write_text

_NAME = re.compile(r"\d{6,18}")


class GalleryError(InputError):
    """A gallery folder that cannot be read, written, or used with a model."""


class VersionedFolder:
    """Reads and switches the versions in a folder.

    Args:
        folder: made by the first writer.
        purpose: writers of different purposes leave each other's unfinished work alone.
    """

    def __init__(self, folder: Path, purpose: Literal["build", "update"] = "build") -> None:
        self.folder = folder
        self.work = folder / f"work-{purpose}"
        self._versions = folder / "versions"
        self._pointer = folder / "CURRENT"

    def current_name(self) -> str | None:
        """Name of the version to read; None where nothing was published yet.

        Raises:
            GalleryError: CURRENT does not hold a version's name.
        """
        try:
            require_ordinary(self._pointer)
            name = self._pointer.read_bytes().decode("utf-8", "backslashreplace").strip()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise GalleryError(f"{self._pointer}: cannot be read ({error.strerror})") from error
        except UnicodeDecodeError:
            raise GalleryError(f"{self._pointer}: holds no version's number") from None
        if not _NAME.fullmatch(name):
            raise GalleryError(f"{self._pointer}: holds {name[:40]!r}, not a version's number")
        return name

    def version(self, name: str) -> Path:
        """Folder of a version."""
        return self._versions / name

    def versions(self) -> list[Path]:
        """Folders of all versions, oldest first."""
        return [self.version(name) for name in self._names()]

    def next_name(self) -> str:
        """Name that the next version will have."""
        return f"{int(max(self._names(), default='0', key=int)) + 1:06d}"

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Be the one writer; afterwards remove what no reader needs.

        Raises:
            GalleryError: another process is writing, or the disk refuses.
        """
        try:
            self._versions.mkdir(parents=True, exist_ok=True)
            with self._locked():
                self._remove_leftovers()
                self.work.mkdir(exist_ok=True)
                yield
        except OSError as error:
            raise GalleryError(
                f"{error.filename or self.folder}: cannot write ({error.strerror or error}); "
                f"the gallery in {self.folder} is as it was before"
            ) from error

    @contextmanager
    def _locked(self) -> Iterator[None]:
        lock = FileLock(self.folder / ".lock", timeout=0)
        try:
            lock.acquire()
        except Timeout:
            raise GalleryError(
                f"{self.folder}: another process is writing this gallery; wait until it is done"
            ) from None
        try:
            yield
        finally:
            lock.release()

    def publish(self) -> str:
        """Make the content of `work` the current version; returns its name."""
        for path in sorted(self.work.rglob("*"), reverse=True):
            flush(path)
        flush(self.work)
        name = self.next_name()
        self.work.rename(self.version(name))
        flush(self._versions)
        write_text(self._pointer, name + "\n")
        flush(self.folder)
        self._remove_leftovers()
        return name

    def clear_work(self, keep: Collection[str]) -> None:
        """Empty `work` but for the files and folders named in `keep`."""
        for path in self.work.iterdir():
            if path.name in keep:
                continue
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()

    def _names(self) -> list[str]:
        return sorted(
            (path.name for path in self._versions.iterdir() if _NAME.fullmatch(path.name)), key=int
        )

    def _remove_leftovers(self) -> None:
        """Remove versions that a crash left unpublished, and all but one of the old ones."""
        current = self.current_name()
        if current is None:
            kept = []
        else:
            kept = [name for name in self._names() if int(name) <= int(current)][-2:]
        for name in self._names():
            if name not in kept:
                shutil.rmtree(self.version(name), ignore_errors=True)
        for unfinished in self.folder.glob(f".{self._pointer.name}.*"):
            unfinished.unlink(missing_ok=True)


def require_ordinary(file: Path) -> None:
    """Refuse what is no ordinary file, such as a pipe, whose reader would wait for ever.

    Raises:
        GalleryError: a folder, a pipe, a device.
        FileNotFoundError: no such file.
    """
    if not stat.S_ISREG(file.stat().st_mode):
        raise GalleryError(f"{file}: is not an ordinary file; the gallery is damaged")


def load_array(file: Path) -> Any:
    """An array of a version, in memory, where nothing that happens to the file reaches it.

    Raises:
        GalleryError: damaged.
        FileNotFoundError: no such file.
    """
    require_ordinary(file)
    try:
        array = np.load(file, allow_pickle=False)
    except FileNotFoundError:
        raise
    except (ValueError, EOFError, OSError, SyntaxError):  # each says of its own what is wrong
        array = None
    if not isinstance(array, np.ndarray):
        raise GalleryError(f"{file}: damaged (not one array of numbers); write the gallery again")
    return array


def flush(path: Path) -> None:
    """Bring a file or folder to the disk."""
    if os.name == "nt" and path.is_dir():  # Windows knows no such thing
        return
    handle = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
