"""Blocks encoded by Ray Data, on a cluster or on this machine alone.

The model travels as bytes and the vectors come back to the driver, so the workers share nothing
with it but the paths of the pictures.
"""

from __future__ import annotations

import logging
import os
import pickle
import tempfile
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from amgan.catalogue.parallel import available_workers
from amgan.errors import InputError
from amgan.gallery.encoding.blocks import HOW_TO_GO_ON, Block, BlockEncoder, EncodedBlock, Recipe
from amgan.gallery.versions import GalleryError

ADDRESS_VARIABLE = "RAY_ADDRESS"

_BLOCK = "block"  # name of the one column
_SETTLE_S = 1.0
_MOST_PARTS = 10_000  # Ray keeps a record of each part of a dataset


def map_with_ray(
    recipe: Recipe, model_file: Path, blocks: Iterator[Block], workers: int | None
) -> Generator[EncodedBlock, None, None]:
    """What became of each block, in order.

    Works on the cluster at ``RAY_ADDRESS``, in a Ray that this process has initialised already, or
    else in a local one, which ends with the work. The paths of all blocks lie in Ray's object
    store meanwhile; vectors pass through it. Ray replaces a worker that is lost, and gives up where
    nothing goes on for long.

    Raises:
        GalleryError: Ray is not installed or not reachable, or gave up.
        ValueError: blocks with decoded pictures, which are not sent to other machines.
    """
    rows = []
    for block in blocks:
        if block.pixels is not None:
            raise InputError("Ray reads picture files; leave out decoded pixels, or use processes")
        rows.append({_BLOCK: pickle.dumps(block)})
    if not rows:
        return
    ray = _import_ray()
    with _connected(ray, workers), _quiet(ray):
        unit = "GPU" if recipe.device.startswith("cuda") else "CPU"
        wanted = workers or int(ray.cluster_resources().get(unit, 1))
        actors = max(1, min(wanted, len(rows)))
        model = ray.put(model_file.read_bytes())  # named, so that a replaced worker finds it too
        try:
            encoded = ray.data.from_items(
                rows, override_num_blocks=min(len(rows), _MOST_PARTS)
            ).map_batches(
                _Actor,
                batch_size=1,
                compute=ray.data.ActorPoolStrategy(
                    min_size=1, max_size=actors, initial_size=actors
                ),
                fn_constructor_args=(recipe, model),
                **{f"num_{unit.lower()}s": 1},
            )
            batches = encoded.iter_batches(batch_size=1, prefetch_batches=0)
            with closing(iter(batches)) as answers:
                for batch in answers:
                    answer = pickle.loads(batch[_BLOCK][0])
                    assert isinstance(answer, EncodedBlock)
                    yield answer
        except Exception as error:  # Ray's have no common parent
            raise GalleryError(f"Ray gave up ({_last_line(error)}); {HOW_TO_GO_ON}") from error


class _Actor:
    """Holds the model on a worker."""

    def __init__(self, recipe: Recipe, model: Any) -> None:
        self._encode = _load(recipe, model)

    def __call__(self, rows: dict[str, Any]) -> dict[str, Any]:
        """Encode the blocks of some rows."""
        answers = [pickle.dumps(self._encode(pickle.loads(block))) for block in rows[_BLOCK]]
        return {_BLOCK: np.array(answers, object)}


def _load(recipe: Recipe, model: Any) -> BlockEncoder:
    import ray
    import torch

    if not recipe.device.startswith("cuda"):
        torch.set_num_threads(1)
    with tempfile.NamedTemporaryFile(suffix=".safetensors") as file:
        file.write(ray.get(model))
        file.flush()
        return recipe.load(Path(file.name))


def _import_ray() -> Any:
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"  # read when Ray starts: it reports to nobody
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise GalleryError(
            f"this needs Ray, which is not installed here ({error}); pip install 'amgan[ray]'"
        ) from None
    return ray


@contextmanager
def _connected(ray: Any, workers: int | None) -> Iterator[None]:
    """A Ray to work on; what was started or joined here is left at the end."""
    if ray.is_initialized():
        yield
        return
    address = os.environ.get(ADDRESS_VARIABLE)
    # A processor more than actors, for what Ray itself has to do.
    cpus = {} if address else {"num_cpus": 1 + (workers or available_workers())}
    try:
        with _silent_start():
            ray.init(
                address or "local",
                include_dashboard=None if address else False,
                log_to_driver=False,
                logging_level=logging.ERROR,
                **cpus,
            )
    except (ConnectionError, TimeoutError, RuntimeError, ValueError) as error:
        where = f"reach Ray at {ADDRESS_VARIABLE}={address}" if address else "start Ray"
        raise GalleryError(f"cannot {where} ({_last_line(error)})") from error
    threads = set(threading.enumerate())
    try:
        yield
    finally:
        _let_end(threads)
        ray.shutdown()


def _let_end(before: set[threading.Thread]) -> None:
    """Wait a moment for the threads of Ray Data that were not there `before`.

    One that still asks Ray something when it is shut down makes it end this process.
    """
    end = time.monotonic() + _SETTLE_S
    while set(threading.enumerate()) - before and time.monotonic() < end:
        time.sleep(0.02)


@contextmanager
def _silent_start() -> Iterator[None]:
    """Keep Ray's compiled parts from writing to our stderr.

    They call an error what is none; the variable that stops them is announced on stderr in turn.
    """
    variable = "RAY_BACKEND_LOG_LEVEL"
    chosen = variable in os.environ
    os.environ.setdefault(variable, "fatal")
    stderr = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)
        os.close(nowhere)
        if not chosen:
            del os.environ[variable]


@contextmanager
def _quiet(ray: Any) -> Iterator[None]:
    """Results in order, and stderr left to our own progress."""
    context, logger = ray.data.DataContext.get_current(), logging.getLogger("ray.data")
    options = context.execution_options
    before = context.enable_progress_bars, options.preserve_order, logger.level
    context.enable_progress_bars, options.preserve_order = False, True
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        context.enable_progress_bars, options.preserve_order, level = before
        logger.setLevel(level)


def _last_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
