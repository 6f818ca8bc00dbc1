from __future__ import annotations

import numpy as np
import pytest

from amgan.attributes import Attribute, AttributeSchema
from amgan.evaluation.editing import (
    Edits,
    JudgedPictures,
    compute_attribute_quality,
    compute_edit_quality,
)

SCHEMA = AttributeSchema((Attribute("colour", ("red", "blue")), Attribute("sleeve", ("a", "b"))))
REFERENCE = np.array([[0, 0], [0, 1], [1, 1]], np.int16)
TARGET = np.array([[1, 0], [1, 1], [0, 0]], np.int16)
RNG = np.random.default_rng(0)


def pictures(labels, pixels):
    logits = SCHEMA.one_hot(labels).astype(np.float32)
    return JudgedPictures(pixels, logits, logits + RNG.normal(0, 0.01, logits.shape))


@pytest.fixture
def edits():
    exact = RNG.integers(0, 256, (3, 16, 16, 3), dtype=np.uint8)
    return Edits(SCHEMA, REFERENCE, TARGET, pictures(TARGET, exact))


def test_the_exact_answer_is_perfect(edits):
    quality = compute_edit_quality(edits, edits.exact)
    assert quality == pytest.approx({"l1": 0, "ssim": 1, "changed": 1, "kept": 1, "frechet": 0})


def test_copying_changes_nothing_and_keeps_everything(edits):
    copy = pictures(REFERENCE, np.asarray(255 - edits.exact.pixels))
    quality = compute_edit_quality(edits, copy)
    assert quality["changed"] == 0
    assert quality["kept"] == 1
    expected = np.abs(255 - 2 * edits.exact.pixels.astype(int)).mean() / 255
    assert quality["l1"] == pytest.approx(expected)
    assert quality["frechet"] > 0.1


def test_by_attribute_only_queries_that_change_it_alone_count(edits):
    seen = TARGET.copy()
    seen[0, 0] = 0  # one of the two recoloured garments stayed red
    by_attribute = compute_attribute_quality(edits, pictures(seen, edits.exact.pixels))
    assert by_attribute["colour"] == pytest.approx(
        {"queries": 2, "l1": 0, "ssim": 1, "changed": 0.5}
    )
    assert by_attribute["sleeve"]["queries"] == 0
    assert np.isnan(by_attribute["sleeve"]["ssim"])
