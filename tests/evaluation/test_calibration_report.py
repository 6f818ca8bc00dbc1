"""Confidence held against labels, where the right answer is known."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from scipy.stats import binomtest

from amgan.attributes import Attribute, AttributeSchema
from amgan.evaluation.calibration import compute_reliability, softmax
from amgan.evaluation.calibration_report import (
    POOLED,
    CalibrationReport,
    build_calibration_report,
)

SCHEMA = AttributeSchema(
    (Attribute("colour", ("blue", "green", "red")), Attribute("size", ("large", "small")))
)
HEAT = {"colour": 3.0, "size": 2.0}


def planted(n: int = 20_000, **heat: float) -> tuple[np.ndarray, np.ndarray]:
    """Logits that are `heat` times as far apart as the labels, drawn from them, bear out."""
    rng = np.random.default_rng(0)
    logits, labels = [], []
    for attribute in SCHEMA.attributes:
        block = rng.normal(0, 1.5, (n, len(attribute.values)))
        cumulative = softmax(block).cumsum(axis=1)
        drawn = (rng.random((n, 1)) > cumulative).sum(axis=1)
        labels.append(drawn.clip(max=len(attribute.values) - 1))
        logits.append(block * heat.get(attribute.name, 1.0))
    return np.hstack(logits).astype(np.float32), np.stack(labels, 1).astype(np.int16)


def build(
    logits: np.ndarray, labels: np.ndarray, temperatures: dict[str, float] | None = None
) -> CalibrationReport:
    return build_calibration_report(
        logits,
        labels,
        SCHEMA,
        temperatures or {},
        method="amgan-p",
        catalogue="small",
        split="test",
        seed=3,
    )


def test_planted_overconfidence_is_the_error_it_must_be() -> None:
    logits, labels = planted(**HEAT)
    report = build(logits, labels, HEAT)
    for found, columns in zip(report.attributes, SCHEMA.slices, strict=True):
        # What a confidence claims too much: it less the probability labels were drawn with.
        claimed = softmax(logits[:, columns].astype(np.float64)).max(axis=1)
        true = softmax(logits[:, columns].astype(np.float64) / HEAT[found.name]).max(axis=1)
        assert found.before.ece == pytest.approx((claimed - true).mean(), abs=0.01)
        assert found.before.ece > 0.08
        assert found.after.ece < 0.015
        assert found.after.nll < found.before.nll
        assert found.accuracy == pytest.approx(true.mean(), abs=0.01)


def test_confidence_that_is_right_needs_no_temperature() -> None:
    report = build(*planted())
    assert not report.calibrated
    for found in (*report.attributes, report.pooled):
        assert found.before.ece < 0.015
        assert found.before.ece == found.after.ece
    assert "has no temperatures" in report.to_markdown()


def test_always_sure_and_right_half_the_time_by_hand() -> None:
    logits = np.tile(np.float32([0, 50, 0, 0, 50]), (4, 1))
    labels = np.array([[1, 0], [1, 1], [0, 1], [0, -1]])
    report = build(logits, labels)
    colour, size = report.attributes
    assert (colour.n, colour.accuracy, colour.before.ece) == pytest.approx((4, 0.5, 0.5))
    assert (size.n, size.accuracy, size.before.ece) == pytest.approx((3, 2 / 3, 1 / 3))
    assert colour.before.nll == pytest.approx(25)
    assert (report.pooled.n, report.pooled.accuracy) == pytest.approx((7, 4 / 7))
    assert report.pooled.before.ece == pytest.approx(3 / 7)
    assert report.pooled.before.nll == pytest.approx((4 * 25 + 3 * 50 / 3) / 7)


def test_missing_labels_do_not_count() -> None:
    logits, labels = planted(2000, **HEAT)
    hidden = labels.copy()
    hidden[::2, 0] = -1
    wrong = logits.copy()
    wrong[::2, :3] = 1e4 * np.eye(3)[0]
    found, alone = build(wrong, hidden, HEAT), build(logits[1::2], labels[1::2], HEAT)
    assert found.attributes[0].n == 1000
    assert found.attributes[0].before.ece == alone.attributes[0].before.ece
    assert found.attributes[0].after.nll == alone.attributes[0].after.nll
    assert found.attributes[1].n == 2000
    assert found.items == 2000


def test_an_attribute_without_a_label_is_named() -> None:
    logits, labels = planted(5)
    labels[:, 1] = -1
    with pytest.raises(ValueError, match="no item of split 'test' has a label of attribute 'size'"):
        build(logits, labels)


def test_json_tells_bins_and_markdown_numbers() -> None:
    report = build(*planted(200, **HEAT), HEAT)
    values = json.loads(report.to_json())
    assert [row["name"] for row in values["attributes"]] == ["colour", "size", POOLED]
    assert values["attributes"][0]["temperature"] == 3.0
    bins = values["attributes"][1]["before"]["bins"]
    assert sum(bins["counts"]) == 200
    assert bins["accuracy"][0] is None, "two values leave bins below .5 empty"
    assert len(bins["edges"]) == values["bins"] + 1 == 11
    ece = f"{report.attributes[0].before.ece:.4f}".removeprefix("0")
    (row,) = (line for line in report.to_markdown().splitlines() if line.startswith("| colour"))
    assert ece in row


def test_the_error_by_chance_is_that_of_confidences_that_are_right() -> None:
    rng = np.random.default_rng(1)
    confidence = rng.uniform(0.3, 1, 400)
    errors = [
        compute_reliability(confidence, rng.random(400) < confidence).error for _ in range(2000)
    ]
    found = compute_reliability(confidence, rng.random(400) < confidence)
    assert found.error_by_chance() == pytest.approx(np.quantile(errors, 0.95), rel=0.06)
    many = np.tile(confidence, 100)
    fewer = compute_reliability(many, rng.random(40_000) < many).error_by_chance()
    assert fewer == pytest.approx(found.error_by_chance() / 10, rel=0.1)
    assert math.isnan(compute_reliability(np.zeros(0), np.zeros(0, bool)).error_by_chance())


def test_intervals_are_wilsons() -> None:
    confidence = np.repeat([0.15, 0.55, 0.95], [4, 30, 7])
    right = np.concatenate([np.zeros(4, bool), np.arange(30) < 20, np.ones(7, bool)])
    low, high = compute_reliability(confidence, right).interval()
    for place, (hits, n) in {1: (0, 4), 5: (20, 30), 9: (7, 7)}.items():
        expected = binomtest(hits, n).proportion_ci(method="wilson")
        assert low[place] == pytest.approx(expected.low, abs=1e-6)
        assert high[place] == pytest.approx(expected.high, abs=1e-6)
    assert math.isnan(low[0])
