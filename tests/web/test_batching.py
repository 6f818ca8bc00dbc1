from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from amgan.methods.query_arrays import QueryArrays
from amgan.methods.trained import TrainedModel
from amgan.web.batching import BatchedModel, Batcher, BatcherClosedError


def row(value: float) -> tuple[NDArray[Any]]:
    return (np.array([[value]]),)


@pytest.fixture
def sizes() -> list[int]:
    return []


@pytest.fixture
def batcher(sizes: list[int]) -> Iterator[Batcher]:
    opened = Batcher(8, 0.25, sizes.append)
    yield opened
    opened.close()


def call_from_threads(batcher: Batcher, count: int, call: Any) -> list[Any]:
    """What each of `count` threads gets, in order; an exception counts as an answer."""
    barrier = threading.Barrier(count)

    def one(value: int) -> Any:
        with batcher.caller():
            barrier.wait()  # everybody is counted before anybody calls
            try:
                made = batcher.submit(call, row(value)).result(timeout=30)
            except Exception as error:
                return error
            assert made is not None
            return made.item()

    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(one, range(count)))


def double(values: NDArray[Any]) -> NDArray[Any]:
    return 2 * values


def test_concurrent_calls_are_made_together_and_answered_apart(
    batcher: Batcher, sizes: list[int]
) -> None:
    assert call_from_threads(batcher, 6, double) == [0, 2, 4, 6, 8, 10]
    assert sum(sizes) == 6
    assert max(sizes) > 1


def test_a_batch_never_exceeds_its_size(batcher: Batcher, sizes: list[int]) -> None:
    assert call_from_threads(batcher, 20, double) == [2 * value for value in range(20)]
    assert sum(sizes) == 20 and max(sizes) <= 8


def test_a_lone_caller_does_not_wait_for_the_window() -> None:
    batcher = Batcher(8, 20)
    started = time.monotonic()
    with batcher.caller():
        assert batcher.submit(double, row(1)).result(timeout=30) is not None
    assert time.monotonic() - started < 10
    batcher.close()


def test_one_bad_query_does_not_fail_its_neighbours(batcher: Batcher) -> None:
    def fail_on_three(values: NDArray[Any]) -> NDArray[Any]:
        if (values == 3).any():
            raise ValueError("three")
        return values

    answers = call_from_threads(batcher, 6, fail_on_three)
    assert isinstance(answers[3], ValueError)
    assert answers[:3] + answers[4:] == [0, 1, 2, 4, 5]
    assert call_from_threads(batcher, 2, double) == [0, 2]


def test_different_calls_in_one_window_are_kept_apart(batcher: Batcher) -> None:
    def negate(values: NDArray[Any]) -> NDArray[Any]:
        return -values

    with batcher.caller(), batcher.caller():
        futures = [batcher.submit(call, row(5)) for call in (double, negate, double)]
        answers = [future.result(timeout=30) for future in futures]
    assert [answer.item() for answer in answers if answer is not None] == [10, -5, 10]


def test_a_cancelled_call_is_not_made_and_the_others_are() -> None:
    held, made = threading.Event(), []
    batcher = Batcher(1, 0)

    def hold(values: NDArray[Any]) -> NDArray[Any]:
        held.wait(timeout=30)
        return values

    def note(values: NDArray[Any]) -> NDArray[Any]:
        made.append(values.item())
        return values

    first = batcher.submit(hold, row(0))
    second, third = batcher.submit(note, row(1)), batcher.submit(note, row(2))
    assert second.cancel()
    held.set()
    assert third.result(timeout=30) is not None and first.result(timeout=30) is not None
    assert made == [2]
    batcher.close()


def test_closing_makes_what_was_submitted_and_refuses_what_comes_after() -> None:
    batcher = Batcher(4, 0)
    futures = [batcher.submit(double, row(value)) for value in range(10)]
    batcher.close()
    assert [f.result(timeout=0) for f in futures] == [2 * value for value in range(10)]
    with pytest.raises(BatcherClosedError):
        batcher.submit(double, row(1))


def test_no_answer_is_an_answer(batcher: Batcher) -> None:
    def nothing(values: NDArray[Any]) -> None:
        return None

    assert batcher.submit(nothing, row(1)).result(timeout=30) is None


def test_the_batched_model_agrees_with_the_model(shape_model: TrainedModel) -> None:
    sizes: list[int] = []
    batcher = Batcher(16, 0.25, sizes.append)
    batched = BatchedModel(shape_model, batcher)
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 255, (12, 16, 16, 3)).astype(np.uint8)
    labels = rng.integers(-1, 2, (12, 3)).astype(np.int16)
    indicator = np.zeros((12, 7), np.float32)
    indicator[np.arange(12), rng.integers(0, 7, 12)] = 1
    barrier = threading.Barrier(12)

    def ask(place: int) -> tuple[Any, ...]:
        part = slice(place, place + 1)
        query = (pixels[part], indicator[part], None if place % 2 else labels[part])
        with batcher.caller():
            barrier.wait()
            return (
                batched.encode_queries(QueryArrays(*query)),
                batched.predict_attributes(pixels[part]),
                batched.answer_queries(QueryArrays(*query)),
            )

    with ThreadPoolExecutor(12) as threads:
        answers = list(threads.map(ask, range(12)))
    batcher.close()
    encoded, predicted = (np.concatenate([answer[place] for answer in answers]) for place in (0, 1))
    expected = shape_model.answer_queries(QueryArrays(pixels, indicator))
    assert expected.prototypes is not None
    np.testing.assert_allclose(encoded, expected.vectors, atol=1e-4)
    np.testing.assert_allclose(predicted, expected.probabilities, atol=1e-5)
    whole = [answer[2] for answer in answers]
    np.testing.assert_allclose(np.concatenate([w.vectors for w in whole]), encoded, atol=1e-4)
    np.testing.assert_allclose(np.concatenate([w.probabilities for w in whole]), predicted)
    drawn = np.concatenate([w.prototypes for w in whole])
    assert np.abs(drawn.astype(int) - expected.prototypes).max() <= 1
    assert max(sizes) > 1
    assert batched.identity == shape_model.identity
