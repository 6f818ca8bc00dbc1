"""Pictures that show nothing like a gallery."""

from __future__ import annotations

import numpy as np
import pytest

from amgan.search.familiarity import LEAST_ITEMS, Familiarity


def around(centre: int, n: int, seed: int, spread: float = 0.05) -> np.ndarray:
    """Vectors (n, 8) near an axis, of various lengths."""
    rng = np.random.default_rng(seed)
    vectors = np.eye(8)[centre] + rng.normal(0, spread, (n, 8))
    return (vectors * rng.uniform(0.5, 3, (n, 1))).astype(np.float32)


def test_distances_are_those_of_a_naive_loop() -> None:
    vectors = around(0, 60, 0)
    known = Familiarity.among(vectors)
    assert known is not None
    scaled = [v / np.sqrt((v.astype(float) ** 2).sum()) for v in vectors]
    nearest = [min(1 - a @ b for j, b in enumerate(scaled) if j != i) for i, a in enumerate(scaled)]
    assert known.distances == pytest.approx(np.sort(nearest), abs=1e-6)
    stranger = around(0, 1, 9, spread=0.2)[0]
    far = min(1 - s @ stranger / np.linalg.norm(stranger) for s in scaled)
    assert known.distance(stranger) == pytest.approx(far, abs=1e-6)
    share = sum(d >= far for d in nearest) / len(nearest)
    assert known.share_as_far(stranger) == pytest.approx(share)


def test_only_what_lies_far_from_every_item_is_strange() -> None:
    both = np.concatenate([around(0, 200, 0), around(3, 200, 1)])
    known = Familiarity.among(both)
    assert known is not None
    assert np.mean([known.knows(vector) for vector in around(0, 200, 5)]) > 0.98
    assert np.mean([known.knows(vector) for vector in around(3, 200, 6)]) > 0.98
    assert not any(known.knows(vector) for vector in around(5, 200, 7))


def test_a_large_gallery_is_judged_by_a_part_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("amgan.search.familiarity._COMPARED", 300)
    monkeypatch.setattr("amgan.search.familiarity._MEASURED", 100)
    known = Familiarity.among(around(0, 1000, 0))
    assert known is not None
    assert (known.items.shape, known.distances.shape) == ((300, 8), (100,))
    assert known.knows(around(0, 1, 5)[0]) and not known.knows(around(5, 1, 7)[0])


def test_a_few_items_tell_nothing() -> None:
    assert Familiarity.among(around(0, LEAST_ITEMS - 1, 0)) is None


def test_vectors_without_a_direction_make_nothing_strange() -> None:
    known = Familiarity.among(np.zeros((80, 4), np.float32))
    assert known is not None
    assert known.knows(np.ones(4, np.float32)) and known.knows(np.zeros(4, np.float32))
