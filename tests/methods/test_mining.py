from __future__ import annotations

import numpy as np
import torch

from amgan.methods.mining import next_matching, valid_negatives


def draw(seed: int, size: int = 9) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).integers(-1, 2, (size, 2)))


def test_batch_negatives_are_all_pictures_with_other_labels():
    target, negative = draw(0), draw(1)
    valid = valid_negatives(target, negative, "batch")
    for i, own in enumerate(target.tolist()):
        for k, other in enumerate([*target.tolist(), *negative.tolist()]):
            assert bool(valid[i, k]) == (own != other)


def test_random_negatives_are_each_targets_own_one():
    target, negative = draw(0), draw(1)
    valid = valid_negatives(target, negative, "random")
    expected = torch.zeros(9, 18, dtype=torch.bool)
    for i in range(9):
        expected[i, 9 + i] = target[i].tolist() != negative[i].tolist()
    assert torch.equal(valid, expected)


def test_next_matching_walks_the_minibatch_from_each_picture():
    labels = draw(2, size=12)
    positive, negative, valid = next_matching(labels)
    for i in range(12):
        for m in range(2):
            own = labels[i, m]
            following = [(i + step) % 12 for step in range(1, 12)]
            same = [j for j in following if own != -1 and labels[j, m] == own]
            other = [j for j in following if own != -1 and labels[j, m] not in (own, -1)]
            assert bool(valid[i, m]) == bool(same and other)
            if valid[i, m]:
                assert (int(positive[i, m]), int(negative[i, m])) == (same[0], other[0])


def test_a_batch_of_one_has_no_triplet():
    labels = torch.tensor([[0, 1]])
    assert not next_matching(labels)[2].any()
    assert not valid_negatives(labels, labels, "batch").any()
