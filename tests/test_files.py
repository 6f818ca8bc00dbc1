from __future__ import annotations

import errno
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from amgan.errors import FileFormatError
from amgan.files import read_tensors, remove_leftovers, replacing, write_tensors, write_text

TENSORS = {
    "weights": torch.arange(12.0).reshape(3, 4),
    "scalar": torch.tensor(3),
    "half": torch.ones(2, dtype=torch.bfloat16),
    "empty": torch.zeros(0),
}


def test_tensors_come_back_with_their_metadata(tmp_path: Path) -> None:
    file = tmp_path / "t.safetensors"
    write_tensors(file, TENSORS, {"note": "ä"})
    tensors, metadata = read_tensors(file)
    assert metadata == {"note": "ä"}
    assert tensors.keys() == TENSORS.keys()
    assert all(torch.equal(tensors[name], value) for name, value in TENSORS.items())


def test_a_flipped_bit_of_any_tensor_is_noticed(tmp_path: Path) -> None:
    file = tmp_path / "t.safetensors"
    write_tensors(file, TENSORS, {})
    sound = file.read_bytes()
    for place in range(len(sound) - 60, len(sound)):
        damaged = bytearray(sound)
        damaged[place] ^= 1
        file.write_bytes(damaged)
        with pytest.raises(FileFormatError, match=r"t\.safetensors: damaged") as caught:
            read_tensors(file)
        assert caught.value.file == file


def test_tensors_that_changed_places_are_noticed(tmp_path: Path) -> None:
    file = tmp_path / "t.safetensors"
    write_tensors(file, {"a": torch.zeros(2), "b": torch.ones(2)}, {})
    with safe_open(file, "pt") as opened:
        metadata = opened.metadata()
    save_file({"a": torch.ones(2), "b": torch.zeros(2)}, file, metadata)
    with pytest.raises(FileFormatError, match="damaged"):
        read_tensors(file)


def test_a_file_without_digest_is_read_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "t.safetensors"
    save_file({"a": torch.ones(2)}, file, {"note": "old"})
    assert read_tensors(file)[1] == {"note": "old"}


@pytest.mark.parametrize("content", [b"", b"no tensors at all", b"\xff" * 40])
def test_what_is_no_tensor_file_is_named(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "t.safetensors"
    file.write_bytes(content)
    with pytest.raises(FileFormatError, match=r"t\.safetensors: not a readable safetensors"):
        read_tensors(file)


def test_an_error_of_the_disk_names_the_file(tmp_path: Path) -> None:
    with (
        pytest.raises(OSError, match=r"No space left.*report\.json") as caught,
        replacing(tmp_path / "report.json"),
    ):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert caught.value.errno == errno.ENOSPC
    assert list(tmp_path.iterdir()) == []


FULL = """
import resource, signal, sys
from pathlib import Path
import torch
from amgan.files import write_tensors, write_text
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
for name, write in (
    ("a.safetensors", lambda file: write_tensors(file, {"a": torch.ones(10_000)}, {})),
    ("a.txt", lambda file: write_text(file, "x" * 10_000)),
):
    try:
        write(Path(sys.argv[1]) / name)
    except OSError as error:
        print(error.errno, Path(error.filename).name)
"""


def test_a_file_that_may_not_grow_is_an_error_of_the_disk(tmp_path: Path) -> None:
    """As on a full disk; safetensors has an error of its own for it."""
    command = [sys.executable, "-c", FULL, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.split("\n") == [
        f"{errno.EFBIG} a.safetensors",
        f"{errno.EFBIG} a.txt",
        "",
    ]
    assert list(tmp_path.iterdir()) == []


def test_leftovers_of_one_file_are_removed(tmp_path: Path) -> None:
    write_text(tmp_path / "a.txt", "kept")
    for name in (".a.txt.x1y2.txt", ".a.txt.zzzz.txt", ".b.txt.x1y2.txt"):
        (tmp_path / name).touch()
    remove_leftovers(tmp_path / "a.txt")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".b.txt.x1y2.txt", "a.txt"]
