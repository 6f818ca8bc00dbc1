from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from amgan.queries import PositiveSampler


def naive_positives(labels: list[list[int]], pool: list[int], target: int) -> tuple[set[int], bool]:
    """Rows that may be drawn, and whether they are only the nearest."""
    others = [row for row in pool if row != target]
    distance = {
        row: sum(a != b for a, b in zip(labels[row], labels[target], strict=True)) for row in others
    }
    least = min(distance.values())
    return {row for row in others if distance[row] == least}, least > 0


@settings(max_examples=150, deadline=None)
@given(st.data(), st.integers(2, 20), st.integers(1, 4), st.integers(0, 3))
def test_positives_share_all_labels_or_are_nearest(
    data: st.DataObject, n: int, width: int, seed: int
) -> None:
    row = st.lists(st.integers(-1, 2), min_size=width, max_size=width)
    labels = data.draw(st.lists(row, min_size=n, max_size=n))
    pool = data.draw(st.lists(st.integers(0, n - 1), min_size=2, max_size=n, unique=True))
    sampler = PositiveSampler(np.array(labels, np.int16), np.array(pool))
    targets = np.arange(n)
    rng = np.random.default_rng(seed)
    nearest = 0
    for _ in range(2):
        drawn = sampler.positive(targets, rng)
        for target, positive in zip(targets.tolist(), drawn.tolist(), strict=True):
            allowed, is_nearest = naive_positives(labels, pool, target)
            assert positive in allowed
            nearest += is_nearest
    assert (sampler.nearest_count, sampler.drawn_count) == (nearest, 2 * n)


def test_every_equal_item_but_the_target_is_drawn_equally_often() -> None:
    labels = np.array([[0], [1], [0], [0], [0], [1]], np.int16)
    sampler = PositiveSampler(labels, np.arange(6))
    drawn = sampler.positive(np.full(3000, 2), np.random.default_rng(0))
    counts = Counter(drawn.tolist())
    assert set(counts) == {0, 3, 4}
    assert chisquare(list(counts.values())).pvalue > 1e-3
    assert sampler.nearest_count == 0


def test_label_values_beyond_a_byte_do_not_look_alike() -> None:
    # In eight bits 255 would read as -1, that is, as missing.
    labels = np.array([[255, 0], [-1, 0], [3, 0], [3, 1]], np.int16)
    sampler = PositiveSampler(labels, np.array([1, 2, 3]))
    drawn = sampler.positive(np.zeros(200, np.int64), np.random.default_rng(0))
    assert set(drawn.tolist()) == {1, 2}
    assert sampler.nearest_count == 200


def test_the_generator_decides_the_draw() -> None:
    labels = np.random.default_rng(5).integers(-1, 2, (60, 3)).astype(np.int16)
    rows = np.arange(60)
    one = PositiveSampler(labels, rows).positive(rows, np.random.default_rng(1))
    same = PositiveSampler(labels, rows).positive(rows, np.random.default_rng(1))
    other = PositiveSampler(labels, rows).positive(rows, np.random.default_rng(2))
    assert one.tolist() == same.tolist() != other.tolist()


def test_an_empty_batch_draws_nothing() -> None:
    sampler = PositiveSampler(np.zeros((2, 1), np.int16), np.arange(2))
    assert sampler.positive(np.array([], np.int64), np.random.default_rng(0)).shape == (0,)


def test_a_pool_of_one_is_refused() -> None:
    with pytest.raises(ValueError, match="at least two"):
        PositiveSampler(np.zeros((2, 1), np.int16), np.array([0]))
