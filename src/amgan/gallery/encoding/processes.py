"""Blocks encoded by worker processes: in order, bounded, and gone when the caller is gone.

A worker has one block at most, so that a pipe never fills from both ends. It ends when its pipe is
closed, which happens also where the caller was killed. A worker that ends by itself ends the job.
"""

from __future__ import annotations

import multiprocessing
import signal
import traceback
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from pathlib import Path

from amgan.gallery.encoding.blocks import HOW_TO_GO_ON, Block, EncodedBlock, Recipe
from amgan.gallery.versions import GalleryError

_BLOCKS_AHEAD = 2  # for each worker, counted from the one that the caller waits for
_PATIENCE_S = 5.0
_KILLED = 9  # SIGKILL, which Windows does not name


@dataclass(frozen=True)
class _Failure:
    """What a worker sends instead of a block: its traceback."""

    text: str


def map_in_processes(
    recipe: Recipe, model_file: Path, blocks: Iterator[Block], workers: int
) -> Generator[EncodedBlock, None, None]:
    """What became of each block, in order.

    Each worker loads the model once and computes with one thread. In memory are the model and one
    block of pictures for each worker, and here the vectors of two blocks for each.

    Raises:
        GalleryError: a worker ended by itself, such as one that the system killed.
        RuntimeError: a worker failed; holds its traceback.
    """
    team = _Team(recipe, model_file, max(1, workers))
    try:
        yield from _map_in_order(team, blocks)
    finally:
        team.dismiss()


def _map_in_order(team: _Team, blocks: Iterator[Block]) -> Iterator[EncodedBlock]:
    given = taken = 0
    done: dict[int, EncodedBlock] = {}
    block = next(blocks, None)
    while block is not None or taken < given:
        done |= team.collect(patient=taken not in done)
        while block is not None and given - taken < team.size * _BLOCKS_AHEAD:
            if not team.give(given, block):
                break
            given, block = given + 1, next(blocks, None)
        if taken in done:
            yield done.pop(taken)
            taken += 1


class _Worker:
    """One process and the driver's end of its pipe."""

    def __init__(self, recipe: Recipe, model_file: Path) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(
            target=_work, args=(theirs, recipe, model_file), name="amgan-encoder", daemon=True
        )
        with _interrupts_held():
            self.process.start()
        theirs.close()  # so that the pipe ends with the process

    def give(self, block: Block) -> None:
        try:
            self.pipe.send(block)
        except OSError:
            raise self._lost() from None

    def take(self) -> EncodedBlock:
        try:
            answer = self.pipe.recv()
        except (EOFError, OSError):
            raise self._lost() from None
        if isinstance(answer, _Failure):
            raise RuntimeError(f"a worker process failed:\n{answer.text}")
        assert isinstance(answer, EncodedBlock)
        return answer

    def _lost(self) -> GalleryError:
        self.process.join(_PATIENCE_S)
        code = self.process.exitcode
        if code == -_KILLED:
            how = "it was killed, as the system does where memory runs out"
        else:
            how = f"exit code {code}"
        return GalleryError(
            f"a worker process ended before its work was done ({how}); {HOW_TO_GO_ON}"
        )


class _Team:
    """Workers, started when there is work for them."""

    def __init__(self, recipe: Recipe, model_file: Path, size: int) -> None:
        self.size = size
        self._recipe = recipe
        self._model_file = model_file
        self._all: list[_Worker] = []
        self._idle: list[_Worker] = []
        self._busy: dict[Connection, tuple[_Worker, int]] = {}

    def give(self, number: int, block: Block) -> bool:
        """Give a block to a worker that has none; false where all have one."""
        if not self._idle:
            if len(self._all) == self.size:
                return False
            self._start()
        worker = self._idle.pop(0)
        worker.give(block)
        self._busy[worker.pipe] = (worker, number)
        return True

    def _start(self) -> None:
        try:
            worker = _Worker(self._recipe, self._model_file)
        except OSError as error:
            raise GalleryError(
                f"cannot start a worker process ({error.strerror}); take fewer workers"
            ) from None
        self._all.append(worker)
        self._idle.append(worker)

    def collect(self, patient: bool) -> dict[int, EncodedBlock]:
        """Blocks that are done, by number; `patient` waits for one if any is being worked on."""
        done = {}
        if self._busy:
            for pipe in wait(list(self._busy), None if patient else 0):
                assert isinstance(pipe, Connection)
                worker, number = self._busy.pop(pipe)
                done[number] = worker.take()
                self._idle.append(worker)
        return done

    def dismiss(self) -> None:
        """End all workers, whatever they do."""
        for worker in self._all:
            worker.pipe.close()
            worker.process.terminate()
        for worker in self._all:
            worker.process.join(_PATIENCE_S)
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()
            worker.process.close()


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Ctrl-C waits, and processes started meanwhile never hear of it: the driver ends them."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows has none
        yield
        return
    resource_tracker.ensure_running()  # unblocks the signal when it starts, so let it start before
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _work(pipe: Connection, recipe: Recipe, model_file: Path) -> None:
    """A worker's life: blocks in, vectors out, until the pipe is closed."""
    import torch

    torch.set_num_threads(1)
    encode = None
    while True:
        try:
            block = pipe.recv()
        except (EOFError, OSError):
            return
        answer: EncodedBlock | _Failure
        try:
            encode = recipe.load(model_file) if encode is None else encode
            answer = encode(block)
        except Exception:
            answer = _Failure(traceback.format_exc())
        try:
            pipe.send(answer)
        except OSError:
            return
