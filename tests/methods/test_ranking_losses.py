from __future__ import annotations

import numpy as np
import pytest
import torch

from amgan.methods import ranking_losses
from amgan.models.value_means import value_blocks


def test_triplet_margin_loss_is_the_mean_over_violated_triplets():
    rng = np.random.default_rng(0)
    positive, negative = rng.random(5), rng.random((5, 7)) * 2
    valid = rng.random((5, 7)) < 0.7
    violations = [
        positive[i] - negative[i, k] + 0.5
        for i in range(5)
        for k in range(7)
        if valid[i, k] and positive[i] - negative[i, k] + 0.5 > 0
    ]
    value = ranking_losses.triplet_margin_loss(
        torch.from_numpy(positive), torch.from_numpy(negative), torch.from_numpy(valid), 0.5
    )
    assert float(value) == pytest.approx(sum(violations) / len(violations))


def test_triplet_margin_loss_of_satisfied_triplets_is_zero_with_zero_gradient():
    positive = torch.zeros(3, requires_grad=True)
    loss = ranking_losses.triplet_margin_loss(
        positive, torch.ones(3, 2), torch.ones(3, 2, dtype=torch.bool), 0.5
    )
    loss.backward()
    assert float(loss.detach()) == 0
    assert positive.grad is not None
    assert not positive.grad.any()


def test_soft_triplet_loss_is_the_squared_error_of_the_softmax():
    rng = np.random.default_rng(1)
    positive, negative = rng.random(6), rng.random(6)
    expected = []
    for near, far in zip(positive, negative, strict=True):
        softmax = np.exp([near, far]) / np.exp([near, far]).sum()
        expected.append(np.sum((softmax - np.array([0, 1])) ** 2))
    value = ranking_losses.soft_triplet_loss(
        torch.from_numpy(positive), torch.from_numpy(negative), torch.ones(6, dtype=torch.bool)
    )
    assert float(value) == pytest.approx(np.mean(expected))


def test_soft_triplet_loss_leaves_invalid_triplets_alone():
    positive = torch.rand(4, requires_grad=True)
    valid = torch.tensor([True, False, True, False])
    ranking_losses.soft_triplet_loss(positive, torch.rand(4), valid).backward()
    assert positive.grad is not None
    assert torch.equal(positive.grad != 0, valid)


def test_consistency_loss_gives_missing_labels_no_gradient():
    embeddings = torch.rand(3, 2, 4, requires_grad=True)
    valid = torch.tensor([[True, False], [False, False], [True, True]])
    loss = ranking_losses.consistency_loss(embeddings, torch.zeros(3, 2, 4), valid)
    loss.backward()
    assert float(loss.detach()) == pytest.approx(float(embeddings.detach()[valid].mean()))
    assert embeddings.grad is not None
    assert torch.equal(embeddings.grad.any(dim=2), valid)


def test_block_diagonal_loss_is_zero_on_blocks_only():
    blocks = value_blocks((2, 3))
    memory = torch.randn(5, 2, 4) * blocks[:, :, None]
    assert float(ranking_losses.block_diagonal_loss(memory, blocks)) == 0
    for value, attribute in torch.nonzero(~blocks).tolist():
        touched = memory.clone()
        touched[value, attribute, 1] = -0.5
        loss = ranking_losses.block_diagonal_loss(touched, blocks)
        assert float(loss) == pytest.approx(0.5 / 5)


def test_distance_matrix_is_the_euclidean_distance_and_finite_where_rows_are_equal():
    first, second = torch.randn(4, 6), torch.randn(5, 6)
    second[2] = first[1]
    first.requires_grad_()
    distances = ranking_losses.distance_matrix(first, second)
    expected = np.linalg.norm(first.detach().numpy()[:, None] - second.numpy(), axis=2)
    np.testing.assert_allclose(distances.detach().numpy(), expected, atol=2e-3)
    distances.sum().backward()
    assert first.grad is not None
    assert torch.isfinite(first.grad).all()


def test_masked_mean_of_nothing_is_zero():
    terms = torch.ones(3, requires_grad=True)
    mean = ranking_losses.masked_mean(terms, torch.zeros(3, dtype=torch.bool))
    mean.backward()
    assert float(mean.detach()) == 0
    assert terms.grad is not None
    assert not terms.grad.any()
