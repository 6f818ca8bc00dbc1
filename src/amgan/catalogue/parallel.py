"""Ordered, bounded work in threads; decoding a picture holds no lock, so threads are enough."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

S = TypeVar("S")
R = TypeVar("R")

_CHUNK = 16
_CHUNKS_AHEAD = 4


def available_workers() -> int:
    """Number of cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def map_in_threads(
    function: Callable[[S], R], elements: Iterable[S], workers: int | None = None
) -> Generator[R, None, None]:
    """`map` in `workers` threads: same order, and only a few elements ahead of the caller.

    An exception of `function` is raised when its element's turn comes; work not begun is dropped.
    """
    workers = available_workers() if workers is None else workers
    if workers <= 1:
        yield from map(function, elements)
        return

    def run(chunk: tuple[S, ...]) -> list[R]:
        return [function(element) for element in chunk]

    chunks = _chunked(elements)
    pool = ThreadPoolExecutor(workers, thread_name_prefix="amgan")
    waiting: deque[Future[list[R]]] = deque()
    try:
        for chunk in islice(chunks, workers * _CHUNKS_AHEAD):
            waiting.append(pool.submit(run, chunk))
        while waiting:
            results = waiting.popleft().result()
            for chunk in islice(chunks, 1):
                waiting.append(pool.submit(run, chunk))
            yield from results
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _chunked(elements: Iterable[S]) -> Iterator[tuple[S, ...]]:
    iterator = iter(elements)
    while chunk := tuple(islice(iterator, _CHUNK)):
        yield chunk
