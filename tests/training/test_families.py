from __future__ import annotations

import numpy as np
import pytest
import torch

from amgan.attributes import AttributeSchema
from amgan.catalogue.studio import STUDIO_SCHEMA
from amgan.catalogue.studio.families import FamilyBlock, FamilySettings, family_labels
from amgan.devices import choose_compute
from amgan.errors import InputError
from amgan.training.data import BatchRequest
from amgan.training.families import FamilyBatches, studio_part

NAMES = ("colour", "sleeve")
SCHEMA = AttributeSchema(tuple(a for a in STUDIO_SCHEMA.attributes if a.name in NAMES))
COMPUTE = choose_compute("cpu", "fp32")


@pytest.fixture(scope="module")
def blocks():
    """Pictures that carry their own row number, and are darker on the left."""
    settings = FamilySettings(NAMES, blocks=2, families=6, members=5)
    made = []
    for block in range(2):
        pixels = np.zeros((6, 5, 4, 4, 3), np.uint8)
        pixels[..., 0] = (np.arange(30) + 30 * block).reshape(6, 5, 1, 1)
        pixels[:, :, :, 2:, 1] = 200
        made.append(FamilyBlock(pixels, family_labels(settings, block)))
    return made


def make(blocks, **changes):
    settings = {"steps": 7, "batch_size": 64, "seed": 3, **changes}
    return FamilyBatches(blocks, SCHEMA, **settings)


def rows_of(pictures):
    return ((pictures[:, 0, 0, 0] + 1) * 127.5).round().long().numpy()


def test_targets_are_of_the_same_family_and_exact(blocks):
    batches = make(blocks)
    batch = batches.batch(BatchRequest(0, 0), COMPUTE)
    reference, target = rows_of(batch.reference), rows_of(batch.target)
    np.testing.assert_array_equal(reference // 5, target // 5)
    assert batch.exact is not None and batch.exact.all()
    np.testing.assert_array_equal(batch.reference_labels, batches.labels[reference])
    np.testing.assert_array_equal(batch.target_labels, batches.labels[target])
    expected = SCHEMA.indicator(batches.labels[reference], batches.labels[target])
    np.testing.assert_array_equal(batch.indicator, expected)
    assert (rows_of(batch.negative) < 60).all()


def test_some_pairs_ask_for_nothing_and_most_for_one_change(blocks):
    batches = make(blocks, batch_size=512)
    asked = batches.batch(BatchRequest(0, 0), COMPUTE).indicator.sum(dim=1).numpy()
    counts = np.bincount(asked.astype(int), minlength=3)
    assert 0 < counts[0] < 0.1 * len(asked)
    assert counts[1] > 0.4 * len(asked)
    assert asked.max() == len(NAMES)


def test_reference_and_target_are_mirrored_together(blocks):
    batch = make(blocks).batch(BatchRequest(0, 0), COMPUTE)
    mirrored = batch.reference[:, 1, 0, 0] > 0
    assert torch.equal(mirrored, batch.target[:, 1, 0, 0] > 0)
    assert 0 < int(mirrored.sum()) < len(mirrored)
    plain = make(blocks, flip=False).batch(BatchRequest(0, 0), COMPUTE)
    assert not (plain.reference[:, 1, 0, 0] > 0).any()


def test_a_minibatch_depends_on_its_request_alone(blocks):
    one, other = make(blocks), make(blocks)
    other.batch(BatchRequest(0, 0), COMPUTE)
    again = other.batch(BatchRequest(1, 4), COMPUTE)
    assert torch.equal(one.batch(BatchRequest(1, 4), COMPUTE).target, again.target)
    assert not torch.equal(one.batch(BatchRequest(1, 5), COMPUTE).target, again.target)
    assert len(one) == 7


def test_labels_are_the_schema_s_part_of_the_studio_s():
    labels = np.arange(24, dtype=np.int16).reshape(2, 12)
    positions = [STUDIO_SCHEMA.names.index(name) for name in SCHEMA.names]
    np.testing.assert_array_equal(studio_part(labels, SCHEMA), labels[:, positions])


def test_no_families_is_an_error():
    with pytest.raises(InputError, match="at least one block"):
        make([])
