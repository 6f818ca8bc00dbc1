from __future__ import annotations

import math

import numpy as np
import pytest

from amgan.evaluation.calibration import (
    compute_reliability,
    fit_temperature,
    negative_log_likelihood,
    softmax,
)


def drawn(temperature: float, n: int = 20_000) -> tuple[np.ndarray, np.ndarray]:
    """Logits, and labels drawn from the softmax of logits / temperature."""
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, (n, 4))
    cumulative = softmax(logits / temperature).cumsum(axis=1)
    return logits, (rng.random((n, 1)) > cumulative).sum(axis=1).clip(max=3)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_the_temperature_labels_were_drawn_with_is_found(temperature):
    logits, labels = drawn(temperature)
    assert fit_temperature(logits, labels) == pytest.approx(temperature, rel=0.05)


def test_missing_labels_do_not_count():
    logits, labels = drawn(2.0)
    hidden = np.where(np.arange(len(labels)) % 2, labels, -1)
    assert fit_temperature(logits, hidden) == pytest.approx(
        fit_temperature(logits[1::2], labels[1::2])
    )
    assert fit_temperature(logits, np.full(len(labels), -1)) == 1.0


def test_likelihood_by_hand():
    logits, labels = np.array([[0.0, math.log(3)]]), np.array([1])
    assert negative_log_likelihood(logits, labels, 1.0) == pytest.approx(-math.log(0.75))
    assert negative_log_likelihood(logits, labels, 0.5) == pytest.approx(-math.log(0.9))


def test_reliability_by_hand():
    found = compute_reliability(
        np.array([0.1, 0.6, 0.9, 1.0]), np.array([False, True, False, True]), bins=2
    )
    assert found.counts.tolist() == [1, 3]
    assert found.accuracy.tolist() == pytest.approx([0, 2 / 3])
    assert found.confidence.tolist() == pytest.approx([0.1, 2.5 / 3])
    assert found.error == pytest.approx((0.1 + 3 * (2.5 / 3 - 2 / 3)) / 4)


def test_the_fitted_temperature_lowers_the_calibration_error():
    logits, labels = drawn(3.0)

    def error(temperature: float) -> float:
        p = softmax(logits / temperature)
        return compute_reliability(p.max(axis=1), p.argmax(axis=1) == labels).error

    assert error(fit_temperature(logits, labels)) < 0.2 * error(1.0)


def test_empty_bins_are_nan_and_leave_the_error_alone():
    found = compute_reliability(np.array([0.95]), np.array([True]))
    assert np.isnan(found.accuracy[:9]).all()
    assert found.error == pytest.approx(0.05)
    assert math.isnan(compute_reliability(np.zeros(0), np.zeros(0, bool)).error)
