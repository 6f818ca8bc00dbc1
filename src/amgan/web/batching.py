"""Concurrent queries through one forward pass.

Requests run in threads; each asks the model for one picture. `BatchedModel` stands in for the
model and hands such calls to a `Batcher`, whose one thread collects what arrives within a few
milliseconds and makes one call of it.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, InvalidStateError
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amgan.methods.description import Embeddings, QueryAnswers
from amgan.methods.query_arrays import PictureArray, QueryArrays
from amgan.methods.trained import TrainedModel

Arrays = tuple[NDArray[Any], ...]
Made = Any  # an array with a row a query, None, or a tuple of these
Call = Callable[..., Made]


class BatcherClosedError(RuntimeError):
    """The server is stopping."""


@dataclass
class _Job:
    call: Call
    rows: Arrays
    result: Future[Made] = field(default_factory=Future)


class Batcher:
    """Collects calls of equal kind from several threads and makes them together.

    A call is made at once when every caller that is inside `caller` waits for one, so a lone caller
    never waits for others.

    Args:
        size: most calls made together.
        window: seconds that the first call waits for others at most.
        observe: told how many calls were made together.
    """

    def __init__(
        self, size: int, window: float, observe: Callable[[int], None] | None = None
    ) -> None:
        self._size = size
        self._window = window
        self._observe = observe
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._callers = 0
        self._lock = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="amgan-batcher", daemon=True)
        self._thread.start()

    @contextmanager
    def caller(self) -> Iterator[None]:
        """Count this thread among those that may call while the block runs."""
        with self._lock:
            self._callers += 1
        try:
            yield
        finally:
            with self._lock:
                self._callers -= 1

    def submit(self, call: Call, rows: Arrays) -> Future[Made]:
        """Make `call(*rows)` together with others; the future can be cancelled until it is made.

        Args:
            call: given arrays with N rows it returns an array with N rows, None, or a tuple of
                these.
            rows: arrays with one row each.

        Raises:
            BatcherClosedError: after `close`.
        """
        job = _Job(call, rows)
        with self._lock:
            if self._closed:
                raise BatcherClosedError("the server is stopping")
            self._jobs.put(job)
        return job.result

    def close(self) -> None:
        """Make what was submitted, then stop."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._jobs.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (first := self._jobs.get()) is not None:
            jobs, last = self._collect(first)
            groups: dict[Call, list[_Job]] = {}
            for job in jobs:
                if job.result.set_running_or_notify_cancel():
                    groups.setdefault(job.call, []).append(job)
            for call, group in groups.items():
                self._make(call, group)
            if last:
                return

    def _collect(self, first: _Job) -> tuple[list[_Job], bool]:
        """`first` and what follows within the window; whether the batcher was closed meanwhile."""
        jobs = [first]
        until = time.monotonic() + self._window
        while len(jobs) < self._size:
            everybody_waits = len(jobs) >= self._callers
            left = 0.0 if everybody_waits else until - time.monotonic()
            try:
                job = self._jobs.get_nowait() if left <= 0 else self._jobs.get(timeout=left)
            except queue.Empty:
                break
            if job is None:
                return jobs, True
            jobs.append(job)
        return jobs, False

    def _make(self, call: Call, jobs: Sequence[_Job]) -> None:
        if self._observe is not None:
            self._observe(len(jobs))
        try:
            columns = zip(*(job.rows for job in jobs), strict=True)
            made = call(*(np.concatenate(column) for column in columns))
        except Exception as error:
            if len(jobs) == 1:
                _settle(jobs[0], error=error)
            else:  # find the one that fails; its neighbours get their answers
                for job in jobs:
                    self._make(call, [job])
            return
        for row, job in enumerate(jobs):
            _settle(job, _row_of(made, row))


def _row_of(made: Made, row: int) -> Made:
    if isinstance(made, tuple):
        return tuple(_row_of(part, row) for part in made)
    return None if made is None else made[row : row + 1]


def _settle(job: _Job, value: Made = None, error: BaseException | None = None) -> None:
    try:
        if error is None:
            job.result.set_result(value)
        else:
            job.result.set_exception(error)
    except InvalidStateError:
        pass


class BatchedModel(TrainedModel):
    """A trained model whose calls for one picture are made together with other threads' calls.

    Args:
        model: does the work.
        batcher: collects calls.
    """

    def __init__(self, model: TrainedModel, batcher: Batcher) -> None:
        super().__init__(model.method, model.description, model.compute, model.batch_size)
        self._batcher = batcher
        self._calls: dict[str, Call] = {
            "encode": lambda *rows: model.encode_queries(QueryArrays(*rows)),
            "answer": lambda *rows: _as_tuple(model.answer_queries(QueryArrays(*rows))),
            "predict": model.predict_attributes,
        }
        self.__dict__["identity"] = model.identity  # computed once; reads all weights

    def encode_queries(self, queries: QueryArrays) -> Embeddings:
        """As `TrainedModel.encode_queries`."""
        made: Embeddings = self._together("encode", *self._rows(queries))
        return made

    def answer_queries(self, queries: QueryArrays) -> QueryAnswers:
        """As `TrainedModel.answer_queries`."""
        return QueryAnswers(*self._together("answer", *self._rows(queries)))

    def predict_attributes(self, pixels: PictureArray) -> NDArray[np.float32] | None:
        """As `TrainedModel.predict_attributes`."""
        made: NDArray[np.float32] | None = self._together("predict", pixels)
        return made

    def _rows(self, queries: QueryArrays) -> Arrays:
        """All fields of queries, so that different callers' can be joined."""
        return queries.filled(self.schema.num_attributes)

    def _together(self, kind: str, *rows: NDArray[Any]) -> Made:
        call = self._calls[kind]
        if len(rows[0]) != 1:
            return call(*rows)
        return self._batcher.submit(call, rows).result()


def _as_tuple(answers: QueryAnswers) -> Made:
    return answers.vectors, answers.prototypes, answers.probabilities
