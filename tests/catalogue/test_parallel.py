from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from amgan.catalogue.parallel import available_workers, map_in_threads


@pytest.mark.parametrize("workers", [None, 0, 1, 2, 7])
@pytest.mark.parametrize("n", [0, 1, 15, 16, 17, 500])
def test_order_is_kept(n: int, workers: int | None) -> None:
    def square(x: int) -> int:
        if x % 17 == 0:
            time.sleep(0.0005)
        return x * x

    assert list(map_in_threads(square, range(n), workers)) == [x * x for x in range(n)]


def test_work_is_shared_between_threads() -> None:
    together = threading.Barrier(3, timeout=10)  # passes only when three threads are in it

    def meet(x: int) -> int:
        if x % 16 == 0:
            together.wait()
        return x

    assert list(map_in_threads(meet, range(48), 3)) == list(range(48))


def test_only_a_few_elements_are_taken_ahead() -> None:
    taken = 0

    def elements() -> Iterator[int]:
        nonlocal taken
        for i in range(10_000):
            taken += 1
            yield i

    results = map_in_threads(lambda x: x, elements(), 2)
    for _ in range(100):
        next(results)
    assert taken < 500
    results.close()  # type: ignore[attr-defined]
    assert taken < 500


@pytest.mark.parametrize("workers", [1, 3])
def test_exception_comes_when_its_turn_comes(workers: int) -> None:
    def check(x: int) -> int:
        if x == 100:
            raise ValueError("element 100")
        return x

    results = map_in_threads(check, range(1000), workers)
    got: list[int] = []
    with pytest.raises(ValueError, match="element 100"):
        for result in results:
            got.append(result)  # noqa: PERF402 - what came before the exception counts
    assert got == list(range(len(got)))
    assert 100 - 16 < len(got) <= 100
    assert threading.active_count() < 10


def test_there_is_a_worker() -> None:
    assert available_workers() >= 1
