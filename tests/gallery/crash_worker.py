"""Writes gallery folders in forked children that `test_crash.py` kills.

Reads one JSON object a line from stdin: folder, engine, job ("build" or "update"), die_at (the file
operation at which the child kills itself; 0 for never), max_file_bytes (0 for no limit), as_nobody,
cycles (how often to go there and back). Answers ``pid N`` and, when the child is gone,
``ended STATUS ERROR``, where STATUS is negative for a signal.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import torch

import conftest
from amgan.catalogue.records import Catalogue
from amgan.gallery.encoding.blocks import EncodingOptions
from amgan.gallery.store import build_gallery
from amgan.gallery.update import update_gallery
from amgan.methods.trained import TrainedModel

_FILE_EVENTS = {"open", "os.rename", "os.remove", "os.link", "os.mkdir", "os.rmdir", "os.truncate"}


def first(pictures: Path, draw: bool = False) -> Catalogue:
    return conftest.write_shapes(pictures / "first", 24, 1, draw=draw)


def second(pictures: Path, draw: bool = False) -> Catalogue:
    return conftest.write_shapes(pictures / "second", 18, 2, draw=draw)


def added(pictures: Path, draw: bool = False) -> Catalogue:
    """Items that replace some of `first`."""
    replacing = conftest.write_shapes(pictures / "replacing", 12, 3, draw=draw)
    return replacing.subset(range(8, 12))


def models() -> tuple[TrainedModel, TrainedModel]:
    return conftest.build_shape_model(seed=0), conftest.build_shape_model(seed=1)


def build(folder: Path, pictures: Path, engine: str, cycles: int) -> None:
    """Build the second state by the second model, then the first by the first, and so on."""
    one, two = models()
    for _ in range(cycles):
        build_gallery(
            folder, two, second(pictures), engine=engine, encoding=EncodingOptions(batch_size=6)
        )
        build_gallery(
            folder, one, first(pictures), engine=engine, encoding=EncodingOptions(batch_size=6)
        )


def update(folder: Path, pictures: Path, cycles: int) -> None:
    """Replace some items and remove others, then undo it, and so on."""
    model, _ = models()
    catalogue = first(pictures)
    for _ in range(cycles):
        update_gallery(
            folder,
            model,
            add=added(pictures),
            remove=catalogue.item_ids[:4],
            encoding=EncodingOptions(batch_size=3),
        )
        back = catalogue.subset([*range(4), *range(8, 12)])
        update_gallery(folder, model, add=back, encoding=EncodingOptions(batch_size=3))


def die_at(operation: int) -> None:
    """Kill this process at the given of its file operations."""
    left = operation

    def count(event: str, _: Any) -> None:
        nonlocal left
        if event in _FILE_EVENTS:
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    flush = os.fsync

    def counted_flush(handle: int) -> None:
        count("open", ())
        flush(handle)

    os.fsync = counted_flush
    sys.addaudithook(count)


def run(order: dict[str, Any]) -> None:
    folder = Path(order["folder"])
    if order["as_nobody"]:
        os.chdir(folder.parent)
        folder = Path(folder.name)
        os.setgid(65534)
        os.setuid(65534)
    pictures = folder.parent / "pictures"
    if order["max_file_bytes"]:
        limit = order["max_file_bytes"]
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    if order["die_at"]:
        die_at(order["die_at"])
    if order["job"] == "build":
        build(folder, pictures, order["engine"], order["cycles"])
    else:
        update(folder, pictures, order["cycles"])


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main() -> None:
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:  # all modules are loaded before the first fork
        catalogue = conftest.write_shapes(Path(name) / "pictures", 4)
        build_gallery(Path(name) / "gallery", models()[0], catalogue)
        update_gallery(Path(name) / "gallery", models()[0], add=catalogue)
    say("ready")
    for line in sys.stdin:
        order = json.loads(line)
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            status = 0
            try:
                run(order)
            except BaseException as error:
                os.write(writer, f"{type(error).__name__}: {error}".encode())
                status = 1
            os._exit(status)
        os.close(writer)
        say(f"pid {child}")
        with os.fdopen(reader, encoding="utf-8") as errors:
            error = errors.read().replace("\n", " ")
        _, status = os.waitpid(child, 0)
        say(f"ended {os.waitstatus_to_exitcode(status)} {error}")


if __name__ == "__main__":
    main()
