"""Threads, processes and Ray give one gallery; what is killed leaves only its work behind."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import bulk_worker
import numpy as np
import pytest

import amgan
from amgan.catalogue.records import Catalogue
from amgan.gallery.encoding.blocks import Block, EncodingOptions, Recipe
from amgan.gallery.encoding.encode import EncodingJob, encode_in_memory
from amgan.gallery.encoding.executor_choice import ExecutorChoice
from amgan.gallery.encoding.processes import map_in_processes
from amgan.gallery.store import Gallery, GalleryError, build_gallery, open_gallery
from amgan.gallery.update import renew_gallery, update_gallery
from amgan.images import DEFAULT_LIMITS, PictureLimits, load_pixels
from amgan.methods.model_file import save_model
from amgan.methods.trained import TrainedModel

Shapes = Callable[..., Catalogue]
ITEMS = 40
MARK = "AMGAN_TEST_DRIVER"  # inherited by all that a driver starts
PROCESSES = EncodingOptions(batch_size=4, executor=ExecutorChoice.processes, workers=2)
needs_ray = pytest.mark.skipif(find_spec("ray") is None, reason="ray is not installed")


class Driver:
    """A process that builds a gallery."""

    def __init__(self, folder: Path, executor: str, **order: Any) -> None:
        whole = {"die_after": 0, "wait_after": 0, "own_ray": False} | order
        whole |= {"folder": str(folder), "executor": executor, "items": ITEMS}
        self.mark = str(folder)
        sources = str(Path(amgan.__file__).parents[1])
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("bulk_worker.py")), json.dumps(whole)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": sources, MARK: self.mark},
            start_new_session=True,
        )

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def workers(self) -> list[int]:
        word, *pids = self.line().split()
        assert word == "workers"
        return [int(pid) for pid in pids]

    def end(self) -> tuple[int, str, str]:
        out, err = self.process.communicate(timeout=120)
        return self.process.returncode, out.strip(), err

    def left(self) -> list[Path]:
        """Processes that this one started, and theirs, also where it is gone."""
        return [path for path in Path("/proc").glob("[0-9]*/environ") if self._started(path)]

    def sweep(self) -> None:
        for path in self.left():
            with suppress(ProcessLookupError):
                os.kill(int(path.parent.name), signal.SIGKILL)

    def _started(self, environment: Path) -> bool:
        try:
            return f"{MARK}={self.mark}\0".encode() in environment.read_bytes()
        except OSError:
            return False


def wait_until(condition: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


class Shown:
    """A progress that remembers what it was told."""

    def __init__(self, at_first: Callable[[], None] = lambda: None) -> None:
        self.totals: list[int | None] = []
        self.steps = 0
        self._at_first = at_first

    def __call__(
        self, iterable: Iterable[Any], description: str, total: int | None = None
    ) -> Iterator[Any]:
        self.totals.append(total)
        for element in iterable:
            self.steps += 1
            yield element
            if self.steps == PROCESSES.batch_size:
                self._at_first()


def same(one: Gallery, other: Gallery) -> None:
    assert one.item_ids == other.item_ids
    assert np.array_equal(one.vectors, other.vectors)  # one thread in each: to the last bit
    assert one.folder is not None and other.folder is not None
    skipped = [(gallery.folder / "skipped.jsonl").read_text() for gallery in (one, other)]  # type: ignore[operator]
    assert skipped[0] == skipped[1]


@pytest.fixture
def stage(tmp_path: Path) -> Catalogue:
    """Pictures where `bulk_worker` looks for them; two cannot be read."""
    catalogue = bulk_worker.catalogue(tmp_path, ITEMS, draw=True)
    catalogue.images[5].write_bytes(b"no picture")
    catalogue.images[30].unlink()
    return catalogue


@pytest.fixture
def expected(tmp_path: Path, stage: Catalogue, shape_model: TrainedModel) -> Gallery:
    options = EncodingOptions(batch_size=4)
    return build_gallery(tmp_path / "expected", shape_model, stage, encoding=options)


def test_processes_give_the_gallery_that_threads_give(
    tmp_path: Path, stage: Catalogue, expected: Gallery, shape_model: TrainedModel
) -> None:
    shown = Shown()
    options = replace(PROCESSES, progress=shown)
    gallery = build_gallery(tmp_path / "gallery", shape_model, stage, encoding=options)
    same(gallery, expected)
    assert expected.folder is not None
    lines = (expected.folder / "skipped.jsonl").read_text().splitlines()
    assert [json.loads(line)["item_id"] for line in lines] == ["item-005", "item-030"]
    assert (shown.totals, shown.steps) == ([ITEMS], ITEMS)
    assert not multiprocessing.active_children()


def test_processes_take_limits_and_decoded_pixels(
    tmp_path: Path, shapes: Shapes, shape_model: TrainedModel
) -> None:
    catalogue = shapes(12)
    options = replace(PROCESSES, limits=PictureLimits(min_side=100))
    with pytest.raises(GalleryError, match=r"no picture could be read.*each side needs 100"):
        build_gallery(tmp_path / "none", shape_model, catalogue, encoding=options)
    pixels = np.stack([load_pixels(image, shape_model.images) for image in catalogue.images])
    for image in catalogue.images:
        image.unlink()
    gallery = build_gallery(
        tmp_path / "gallery", shape_model, catalogue, pixels=pixels, encoding=PROCESSES
    )
    job = EncodingJob(shape_model, catalogue, pixels, EncodingOptions(batch_size=4))
    assert np.array_equal(gallery.vectors, encode_in_memory(job)[1])


def test_processes_update_and_renew(
    tmp_path: Path, shapes: Shapes, shape_model: TrainedModel, other_shape_model: TrainedModel
) -> None:
    catalogue, new = shapes(10), shapes(9, 3, "new")
    galleries = []
    for name, options in (("a", EncodingOptions(batch_size=4)), ("b", PROCESSES)):
        build_gallery(tmp_path / name, shape_model, catalogue)
        updated = update_gallery(tmp_path / name, shape_model, add=new, encoding=options)
        assert (updated.added, len(updated.gallery)) == (9, 19)
        renewed = renew_gallery(tmp_path / name, other_shape_model, encoding=options)
        galleries.append((updated.gallery, renewed.gallery))
    for one, other in zip(*galleries, strict=True):
        assert np.array_equal(one.vectors, other.vectors)
        assert one.item_ids == other.item_ids


def model_file(folder: Path, model: TrainedModel) -> Path:
    save_model(folder / "model.safetensors", model.method, model.description)
    return folder / "model.safetensors"


def test_processes_read_only_a_few_blocks_ahead_and_end_with_the_caller(
    tmp_path: Path, shapes: Shapes, shape_model: TrainedModel
) -> None:
    image = shapes(1).images[0]
    read = 0

    def blocks() -> Iterator[Block]:
        nonlocal read
        while True:
            read += 1
            yield Block((image,) * read)  # so that each result says which block it is of

    recipe = Recipe.of(shape_model, DEFAULT_LIMITS)
    results = map_in_processes(recipe, model_file(tmp_path, shape_model), blocks(), 2)
    for number in range(1, 12):
        assert len(next(results).vectors) == number
        time.sleep(0.02)
        assert read <= number + 2 * 2 + 1
    assert len(multiprocessing.active_children()) == 2
    results.close()  # type: ignore[attr-defined]
    assert not multiprocessing.active_children()


def test_an_error_in_a_process_comes_with_its_traceback(
    tmp_path: Path, shapes: Shapes, shape_model: TrainedModel
) -> None:
    recipe = Recipe.of(shape_model, DEFAULT_LIMITS)
    (tmp_path / "broken").write_bytes(b"no model")
    blocks = iter([Block(shapes(1).images)] * 3)
    with pytest.raises(RuntimeError, match=r"(?s)worker process failed.*recipe\.load.*broken: not"):
        list(map_in_processes(recipe, tmp_path / "broken", blocks, 2))
    assert not multiprocessing.active_children()


def test_a_killed_process_is_said_and_the_job_goes_on(
    tmp_path: Path, stage: Catalogue, expected: Gallery, shape_model: TrainedModel
) -> None:
    def kill_one() -> None:
        victim = multiprocessing.active_children()[0].pid
        assert victim is not None
        os.kill(victim, signal.SIGKILL)

    options = replace(PROCESSES, progress=Shown(kill_one))
    message = r"was killed, as the system does where memory runs out.*same command again"
    with pytest.raises(GalleryError, match=message):
        build_gallery(tmp_path / "gallery", shape_model, stage, encoding=options)
    assert not multiprocessing.active_children()
    again = Shown()
    options = replace(PROCESSES, progress=again)
    gallery = build_gallery(tmp_path / "gallery", shape_model, stage, encoding=options)
    assert again.totals[0] is not None and 0 < again.totals[0] < ITEMS
    same(gallery, expected)


@pytest.mark.parametrize(
    ("killed", "resumed"),
    [
        ("threads", "processes"),
        ("processes", "threads"),
        pytest.param("ray", "processes", marks=needs_ray),
    ],
)
def test_a_killed_driver_leaves_no_process_and_another_executor_goes_on(
    killed: str,
    resumed: str,
    tmp_path: Path,
    stage: Catalogue,
    expected: Gallery,
    shape_model: TrainedModel,
) -> None:
    driver = Driver(tmp_path, killed, die_after=15)  # the third block is on the disk
    assert len(driver.workers()) == (2 if killed == "processes" else 0)
    assert driver.end()[0] == -signal.SIGKILL
    if killed == "ray":
        driver.sweep()  # helpers of Ray notice by themselves, but after a minute
    wait_until(lambda: not driver.left())
    shown = Shown()
    options = replace(PROCESSES, executor=ExecutorChoice(resumed), progress=shown)
    gallery = build_gallery(tmp_path / "gallery", shape_model, stage, encoding=options)
    assert shown.totals == [ITEMS - 12]
    same(gallery, expected)


@pytest.mark.parametrize("executor", ["processes", pytest.param("ray", marks=needs_ray)])
def test_an_interrupt_leaves_no_process_and_no_noise(
    executor: str, tmp_path: Path, stage: Catalogue
) -> None:
    driver = Driver(tmp_path, executor, wait_after=9)
    driver.workers()
    assert driver.line() == "waiting"
    os.killpg(driver.process.pid, signal.SIGINT)  # as a terminal does, to workers as well
    status, _, err = driver.end()
    assert (status, err) == (130, "")
    wait_until(lambda: not driver.left())


@needs_ray
@pytest.mark.parametrize("own_ray", [False, True])
def test_ray_gives_the_gallery_that_threads_give(
    own_ray: bool, tmp_path: Path, stage: Catalogue, expected: Gallery, shape_model: TrainedModel
) -> None:
    driver = Driver(tmp_path, "ray", own_ray=own_ray)
    status, out, err = driver.end()
    assert status == 0, err
    assert out == ("kept" if own_ray else "gone")
    assert own_ray or not err
    same(open_gallery(tmp_path / "gallery", shape_model), expected)
    wait_until(lambda: not driver.left())


RAY = replace(PROCESSES, executor=ExecutorChoice.ray)


def test_a_missing_ray_is_said(
    tmp_path: Path, shapes: Shapes, shape_model: TrainedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(GalleryError, match=r"pip install 'amgan\[ray\]'"):
        build_gallery(tmp_path / "gallery", shape_model, shapes(3), encoding=RAY)


def test_ray_takes_no_decoded_pixels(
    tmp_path: Path, shapes: Shapes, shape_model: TrainedModel
) -> None:
    pixels = np.zeros((3, 16, 16, 3), np.uint8)
    with pytest.raises(ValueError, match="reads picture files"):
        build_gallery(tmp_path / "g", shape_model, shapes(3), pixels=pixels, encoding=RAY)
