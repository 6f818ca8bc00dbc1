"""Builds a gallery of shapes in a process that `test_executors.py` watches, or that kills itself.

Reads one JSON object from its argument: folder, executor, items, die_after (pictures after which it
kills itself; 0 for never), wait_after (pictures after which it says ``waiting`` and sleeps a while;
0 for never). Says ``workers PID...`` before either, ``kept`` where a Ray of its own is still there
in the end (own_ray), and ends with 130 on Ctrl-C.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import conftest
from amgan.catalogue.records import Catalogue
from amgan.gallery.encoding.blocks import EncodingOptions
from amgan.gallery.encoding.executor_choice import ExecutorChoice
from amgan.gallery.store import build_gallery


def catalogue(folder: Path, items: int, draw: bool = False) -> Catalogue:
    return conftest.write_shapes(folder / "pictures", items, draw=draw)


def say(*words: object) -> None:
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def main(order: dict[str, Any]) -> None:
    def progress(
        iterable: Iterable[Any], description: str, total: int | None = None
    ) -> Iterator[Any]:
        for number, element in enumerate(iterable, 1):
            yield element
            if number in (order["die_after"], order["wait_after"]):
                say("workers", *(child.pid for child in multiprocessing.active_children()))
            if number == order["die_after"]:
                os.kill(os.getpid(), signal.SIGKILL)
            if number == order["wait_after"]:
                say("waiting")
                time.sleep(60)

    folder = Path(order["folder"])
    if order["own_ray"]:
        import ray

        ray.init(address="local", num_cpus=3, include_dashboard=False, log_to_driver=False)
    options = EncodingOptions(
        batch_size=4, executor=ExecutorChoice(order["executor"]), workers=2, progress=progress
    )
    model, shapes = conftest.build_shape_model(), catalogue(folder, order["items"])
    build_gallery(folder / "gallery", model, shapes, encoding=options)
    if order["executor"] == "ray":
        import ray

        say("kept" if ray.is_initialized() else "gone")


if __name__ == "__main__":
    # A shell that runs the tests in the background lets its children ignore Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        main(json.loads(sys.argv[1]))
    except KeyboardInterrupt:
        sys.exit(130)
