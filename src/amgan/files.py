"""Reading files of settings, and writing files so that a reader sees the old or the new one."""

from __future__ import annotations

import contextlib
import errno
import glob
import hashlib
import json
import os
import re
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from amgan.errors import FileFormatError

if TYPE_CHECKING:
    from torch import Tensor

_DIGEST = "sha256"  # key of a safetensors file's metadata
StrPath = str | os.PathLike[str]


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; when the block ends well it takes `path`'s place.

    The content is flushed to disk before the rename. When the block raises, `path` stays as it was.

    Raises:
        OSError: the disk is full or refuses; names `path` where the block's error names no file.
    """
    with naming(path), _replacing(path) as temporary:
        yield temporary


@contextlib.contextmanager
def naming(path: Path) -> Iterator[None]:
    """Give an error of the disk that names no file the name of `path`."""
    try:
        yield
    except OSError as error:
        if error.filename is not None:
            raise
        reason = error.strerror or str(error)
        raise OSError(error.errno or errno.EIO, reason, os.fspath(path)) from error


def remove_leftovers(path: Path) -> None:
    """Remove the temporary files of killed writers of `path`; nobody may be writing it now."""
    for leftover in path.parent.glob(f".{glob.escape(path.name)}.*"):
        leftover.unlink(missing_ok=True)


@contextlib.contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=path.suffix, dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o644)
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text atomically."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def read_json(path: Path) -> Any:
    """Content of a JSON file.

    Raises:
        FileFormatError: it is not JSON.
        OSError: it cannot be read.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise FileFormatError(f"{path}: not JSON ({error})", file=path) from None


def read_toml(path: Path) -> dict[str, Any]:
    """Content of a TOML file.

    Raises:
        FileFormatError: it cannot be read, or is not TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise FileFormatError(f"{path}: cannot be read ({error.strerror})", file=path) from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise FileFormatError(f"{path}: not TOML ({error})", file=path) from None


def write_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> None:
    """Write tensors and text metadata as one safetensors file, atomically, with their SHA-256.

    Raises:
        OSError: the disk is full or refuses.
    """
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    flat = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    kept = {**metadata, _DIGEST: _digest_tensors(flat)}
    with replacing(path) as temporary:
        try:
            save_file(flat, temporary, kept)
        except SafetensorError as error:  # its word for an error of the disk
            raise _disk_error(path, str(error)) from error


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors and metadata of a file that `write_tensors` wrote.

    Raises:
        FileFormatError: not a safetensors file, or its content is not what was written.
        OSError: it cannot be read.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as opened:
            metadata = dict(opened.metadata() or {})
            tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
    except (SafetensorError, ValueError, TypeError) as error:
        raise FileFormatError(
            f"{path}: not a readable safetensors file ({error})", file=path
        ) from None
    expected = metadata.pop(_DIGEST, None)  # not there in files of older versions
    if expected is not None and expected != _digest_tensors(tensors):
        raise FileFormatError(
            f"{path}: damaged (its tensors are not those that were written, SHA-256 differs)",
            file=path,
        )
    return tensors, metadata


def _digest_tensors(tensors: Mapping[str, Tensor]) -> str:
    import torch

    digest = hashlib.sha256()
    for name in sorted(tensors):
        value = tensors[name].contiguous()
        digest.update(f"{name} {value.dtype} {tuple(value.shape)}\n".encode())
        digest.update(value.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _disk_error(path: Path, told: str) -> OSError:
    """An error with the number and the words of the system, where its text tells the number."""
    number = re.search(r"os error (\d+)", told)
    code = int(number.group(1)) if number else errno.EIO
    return OSError(code, os.strerror(code) if number else told, os.fspath(path))
