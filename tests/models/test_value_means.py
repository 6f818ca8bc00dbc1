from __future__ import annotations

import torch

from amgan.models.value_means import ValueMeans, value_blocks

SIZES = (3, 2)


def test_without_decay_they_are_the_means_over_everything_seen():
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(40, 2, 4, generator=generator)
    labels = torch.stack(
        [torch.randint(-1, size, (40,), generator=generator) for size in SIZES], dim=1
    )
    means = ValueMeans(SIZES, 4, decay=1.0)
    for part in range(0, 40, 8):
        means.observe(features[part : part + 8], labels[part : part + 8])
    row = 0
    for attribute, size in enumerate(SIZES):
        for value in range(size):
            expected = features[labels[:, attribute] == value, attribute].mean(dim=0)
            torch.testing.assert_close(means.means[row], expected)
            row += 1


def test_old_pictures_fade_when_their_value_comes_again_and_only_then():
    means = ValueMeans(SIZES, 1, decay=0.5)
    means.observe(torch.full((2, 2, 1), 1.0), torch.tensor([[0, 0], [1, 0]]))
    means.observe(torch.full((1, 2, 1), 4.0), torch.tensor([[0, -1]]))
    # Value 0: weight 0.5 of 1.0 and weight 1 of 4.0. Value 1 and the second attribute: untouched.
    assert means.means[:, 0].tolist() == [3.0, 1.0, 0.0, 1.0, 0.0]


def test_missing_labels_change_nothing():
    means = ValueMeans(SIZES, 3)
    means.observe(torch.randn(5, 2, 3), torch.full((5, 2), -1))
    assert not means.means.any()
    assert not means.weights.any()


def test_value_blocks_mark_each_values_attribute():
    assert value_blocks(SIZES).int().tolist() == [[1, 0], [1, 0], [1, 0], [0, 1], [0, 1]]
