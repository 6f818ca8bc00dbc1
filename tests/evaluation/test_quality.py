from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import linalg

from amgan.attributes import Attribute, AttributeSchema
from amgan.evaluation.quality import (
    compute_frechet_distance,
    compute_judged_accuracy,
    compute_l1,
    compute_ssim,
)

SCHEMA = AttributeSchema(
    (Attribute("collar", ("round", "v")), Attribute("colour", ("r", "g", "b")))
)


def random_pictures(n: int = 3, side: int = 24, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (n, side, side, 3), np.uint8)


def test_l1_by_hand() -> None:
    black, white = np.zeros((2, 4, 4, 3), np.uint8), np.full((2, 4, 4, 3), 255, np.uint8)
    half = black.copy()
    half[1, :2] = 255
    assert compute_l1(black, white).tolist() == [1, 1]
    assert compute_l1(half, black).tolist() == [0, 0.5]


def naive_ssim(a: np.ndarray, b: np.ndarray) -> float:
    """Wang et al. 2004 on one picture, a window around every pixel, borders mirrored."""
    a, b = (np.pad(p, ((5, 5), (5, 5), (0, 0)), mode="reflect") for p in (a, b))
    offsets = np.arange(11) - 5
    window = np.exp(-(offsets**2) / (2 * 1.5**2))
    kernel = np.outer(window, window) / window.sum() ** 2
    c1, c2 = 0.01**2, 0.03**2
    values = []
    for channel in range(3):
        for i in range(a.shape[0] - 10):
            for j in range(a.shape[1] - 10):
                x = a[i : i + 11, j : j + 11, channel] / 255
                y = b[i : i + 11, j : j + 11, channel] / 255
                mx, my = (kernel * x).sum(), (kernel * y).sum()
                vx, vy = (kernel * x**2).sum() - mx**2, (kernel * y**2).sum() - my**2
                cov = (kernel * x * y).sum() - mx * my
                values.append(
                    (2 * mx * my + c1) * (2 * cov + c2) / ((mx**2 + my**2 + c1) * (vx + vy + c2))
                )
    return float(np.mean(values))


def test_ssim_against_a_naive_loop() -> None:
    truth = random_pictures()
    noise = np.random.default_rng(1).integers(-60, 60, truth.shape)
    drawn = np.clip(truth + noise, 0, 255).astype(np.uint8)
    for value, a, b in zip(compute_ssim(drawn, truth), drawn, truth, strict=True):
        assert value == pytest.approx(naive_ssim(a.astype(float), b.astype(float)), abs=1e-4)


def test_equal_pictures() -> None:
    pictures = random_pictures(70, 12)
    assert compute_ssim(pictures, pictures) == pytest.approx(np.ones(70))
    assert compute_l1(pictures, pictures).tolist() == [0] * 70
    assert compute_ssim(pictures[:1], pictures[:1]).shape == (1,)
    assert compute_ssim(pictures[:0], pictures[:0]).shape == (0,)


def test_pictures_are_checked() -> None:
    pictures = random_pictures(2, 10)
    with pytest.raises(ValueError, match="at least 11 pixels"):
        compute_ssim(pictures, pictures)
    with pytest.raises(ValueError, match=r"must both be \(N, H, W, 3\)"):
        compute_l1(pictures, pictures[:1])
    with pytest.raises(ValueError, match="uint8"):
        compute_l1(pictures, pictures.astype(np.float32))


def test_judged_accuracy_by_hand() -> None:
    # Seen: (round, b), (v, r), (v, g).
    logits = np.array([[3, 1, 0, 0, 9], [0, 1, 5, 4, 4], [-2, -1, -9, -1, -3]], float)
    labels = np.array([[0, 1], [1, -1], [1, 1]], np.int16)
    changed = np.array([[True, False], [False, True], [True, True]])
    judged = compute_judged_accuracy(logits, SCHEMA, target_labels=labels, changed=changed)
    assert judged["judged"].tolist() == [0.5, 1, 1]
    assert judged["judged_wanted"] == pytest.approx([1, math.nan, 1], nan_ok=True)
    assert judged["judged_kept"] == pytest.approx([0, 1, math.nan], nan_ok=True)


def test_logits_must_fit_the_schema() -> None:
    with pytest.raises(ValueError, match=r"expected \(1, 5\)"):
        compute_judged_accuracy(
            np.zeros((1, 4)),
            SCHEMA,
            target_labels=np.zeros((1, 2), np.int16),
            changed=np.ones((1, 2), np.bool_),
        )


def test_frechet_distance_in_one_dimension() -> None:
    # Two Gaussians: (m - m')^2 + (s - s')^2. Samples 0, 2 (variance 2) and 5, 13 (variance 32).
    distance = compute_frechet_distance(np.array([[0.0], [2.0]]), np.array([[5.0], [13.0]]))
    assert distance == pytest.approx((1 - 9) ** 2 + (math.sqrt(2) - math.sqrt(32)) ** 2)


def test_frechet_distance_against_a_matrix_root() -> None:
    rng = np.random.default_rng(0)
    drawn = rng.normal(size=(300, 8)) @ rng.normal(size=(8, 8))
    real = rng.normal(size=(200, 8)) @ rng.normal(size=(8, 8)) + 0.5
    a, b = np.cov(drawn, rowvar=False), np.cov(real, rowvar=False)
    expected = ((drawn.mean(0) - real.mean(0)) ** 2).sum()
    expected += np.trace(a + b - 2 * linalg.sqrtm(a @ b).real)
    assert compute_frechet_distance(drawn, real) == pytest.approx(expected)
    assert compute_frechet_distance(real, drawn) == pytest.approx(expected)


def test_frechet_distance_of_equal_sets_is_zero() -> None:
    features = np.random.default_rng(0).normal(size=(20, 64)).astype(np.float32)  # N < D
    assert compute_frechet_distance(features, features) == pytest.approx(0, abs=1e-5)
    shifted = features.astype(np.float64) + 1.0
    assert compute_frechet_distance(features, shifted) == pytest.approx(64, rel=1e-6)


def test_frechet_distance_is_checked() -> None:
    good = np.zeros((3, 2))
    for bad, message in (
        (np.zeros((3, 4)), "one D"),
        (np.zeros((1, 2)), "two samples"),
        (np.full((3, 2), np.nan), "finite"),
    ):
        with pytest.raises(ValueError, match=message):
            compute_frechet_distance(good, bad)
    assert compute_frechet_distance(good, good) == 0
