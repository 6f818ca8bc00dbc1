"""Kills, full disks and read-only folders: the old state or the new one, whole.

AMGAN_CRASHES says how many times each job is killed (10 by default).
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import crash_worker
import numpy as np
import pytest

from amgan.catalogue.records import Catalogue
from amgan.gallery.store import build_gallery, load_gallery_model, open_gallery
from amgan.gallery.update import update_gallery
from amgan.images import load_pixels
from amgan.methods.trained import TrainedModel

CRASHES = int(os.environ.get("AMGAN_CRASHES", "10"))
State = dict[str, np.ndarray]


class Worker:
    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("crash_worker.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
        )
        assert self._line() == "ready"

    def _line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def start(self, folder: Path, job: str, engine: str = "faiss://exact", **limits: Any) -> int:
        order = {"die_at": 0, "max_file_bytes": 0, "as_nobody": False, "cycles": 1000} | limits
        order |= {"folder": str(folder), "job": job, "engine": engine}
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        word, pid = self._line().split()
        assert word == "pid"
        return int(pid)

    def ended(self) -> tuple[int, str]:
        word, status, error = (self._line() + "  ").split(" ", 2)
        assert word == "ended"
        return int(status), error.strip()

    def close(self) -> None:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    started = Worker()
    yield started
    started.close()


class Stage:
    """A folder with pictures, and what its gallery may hold."""

    def __init__(self, folder: Path, one: TrainedModel, two: TrainedModel) -> None:
        pictures = folder / "pictures"
        self.gallery = folder / "gallery"
        self.one, self.two = one, two
        self.first = crash_worker.first(pictures, draw=True)
        self.second = crash_worker.second(pictures, draw=True)
        self.added = crash_worker.added(pictures, draw=True)
        self.a = encode(one, self.first)
        self.b = encode(two, self.second)
        stays = {item_id: self.a[item_id] for item_id in self.first.item_ids[4:]}
        self.c = stays | encode(one, self.added)

    def states(self, job: str) -> dict[str, tuple[TrainedModel, State]]:
        if job == "build":
            return {"first": (self.one, self.a), "second": (self.two, self.b)}
        return {"before": (self.one, self.a), "after": (self.one, self.c)}

    def check(self, job: str) -> str:
        """Open the gallery and return which of the states it is in, whole."""
        gallery = open_gallery(self.gallery)
        model = load_gallery_model(gallery, "cpu")
        gallery.check_model(model)
        vectors = np.array(gallery.vectors)
        for name, (expected_model, state) in self.states(job).items():
            if model.identity != expected_model.identity:
                continue
            if set(gallery.item_ids) != set(state):
                continue
            expected = np.stack([state[item_id] for item_id in gallery.item_ids])
            if np.allclose(vectors, expected, rtol=1e-4, atol=1e-5):
                nearest = gallery.engine.search(vectors, 1)
                assert (nearest.rows[:, 0] == np.arange(len(gallery))).all()
                assert len(gallery.labels) == len(gallery)
                return name
        raise AssertionError(f"a mixture of {sorted(gallery.item_ids)}")


def encode(model: TrainedModel, catalogue: Catalogue) -> State:
    pixels = np.stack([load_pixels(image, model.images) for image in catalogue.images])
    return dict(zip(catalogue.item_ids, model.encode_gallery(pixels), strict=True))


@pytest.fixture
def stage(tmp_path: Path, shape_model: TrainedModel, other_shape_model: TrainedModel) -> Stage:
    return Stage(tmp_path, shape_model, other_shape_model)


@pytest.mark.parametrize("job", ["build", "update"])
@pytest.mark.parametrize("engine", ["faiss://exact", "faiss://hnsw?m=4"])
def test_killed_at_any_moment(worker: Worker, stage: Stage, job: str, engine: str) -> None:
    build_gallery(stage.gallery, stage.one, stage.first, engine=engine)
    dice = random.Random(job + engine)
    start = time.monotonic()
    worker.start(stage.gallery, job, engine, cycles=1)
    assert worker.ended() == (0, "")
    cycle = time.monotonic() - start
    seen = set()
    for crash in range(CRASHES):
        if crash % 2:  # at a file operation
            worker.start(stage.gallery, job, engine, die_at=dice.randrange(1, 240))
        else:  # at any time, while this process reads
            pid = worker.start(stage.gallery, job, engine)
            end = time.monotonic() + dice.uniform(0, 1.5 * cycle)
            while time.monotonic() < end:
                seen.add(stage.check(job))
            os.kill(pid, signal.SIGKILL)
        assert worker.ended() == (-signal.SIGKILL, "")
        seen.add(stage.check(job))
    worker.start(stage.gallery, job, engine, cycles=1)
    assert worker.ended() == (0, "")
    assert stage.check(job) in ("first", "before")
    assert seen == set(stage.states(job))
    names = {path.name for path in stage.gallery.iterdir()}
    assert names <= {"CURRENT", "versions", ".lock"}
    assert len(list((stage.gallery / "versions").iterdir())) == 2


@pytest.mark.parametrize("job", ["build", "update"])
@pytest.mark.parametrize("engine", ["faiss://exact", "faiss://hnsw?m=4"])
def test_a_full_disk_loses_nothing(worker: Worker, stage: Stage, job: str, engine: str) -> None:
    build_gallery(stage.gallery, stage.one, stage.first, engine=engine)
    failures = 0
    for limit in (3, 100, 300, 900, 1500, 2500, 4000, 12_000):
        worker.start(stage.gallery, job, engine, max_file_bytes=limit, cycles=1)
        status, error = worker.ended()
        if status == 0:
            continue
        assert status == 1
        assert error.startswith("GalleryError: ") and "cannot write" in error, error
        assert str(stage.gallery) in error and "is as it was before" in error
        failures += 1
        stage.check(job)
    assert failures >= 4
    worker.start(stage.gallery, job, engine, cycles=1)
    assert worker.ended() == (0, "")
    assert stage.check(job) in ("first", "before")  # the last of a cycle


@pytest.mark.parametrize("job", ["build", "update"])
def test_a_read_only_folder_is_named(
    worker: Worker, shape_model: TrainedModel, other_shape_model: TrainedModel, job: str
) -> None:
    as_nobody = os.geteuid() == 0  # nothing is read-only for root
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        stage = Stage(folder, shape_model, other_shape_model)
        build_gallery(stage.gallery, stage.one, stage.first)
        folder.chmod(0o755)
        written = [stage.gallery, *stage.gallery.rglob("*")]
        modes = {path: path.stat().st_mode for path in written}
        for path in written:
            path.chmod(0o555 if path.is_dir() else 0o444)
        try:
            worker.start(stage.gallery, job, cycles=1, as_nobody=as_nobody)
            status, error = worker.ended()
            assert status == 1
            assert "cannot write (Permission denied)" in error
            assert stage.check(job) in ("first", "before")
        finally:
            for path, mode in modes.items():
                path.chmod(mode)
        update_gallery(stage.gallery, stage.one, remove=stage.first.item_ids[:1])
        assert len(open_gallery(stage.gallery)) == len(stage.first) - 1
