from __future__ import annotations

import pytest
import torch

from amgan.models.critic import Critic, augment


def test_scores_lie_at_every_position_and_hear_the_labels():
    torch.manual_seed(0)
    critic = Critic(4, (6, 8)).eval()
    pictures = torch.rand(1, 3, 16, 12).repeat(2, 1, 1, 1)
    scores = critic(pictures, torch.eye(4)[:2])
    assert scores.shape == (2, 4, 3)
    assert (scores[0] - scores[1]).abs().max() > 0


def test_missing_labels_are_no_error():
    critic = Critic(4, (6,)).eval()
    assert torch.isfinite(critic(torch.rand(1, 3, 8, 8), torch.zeros(1, 4))).all()


def test_spectral_norm_holds_every_layer_at_one():
    torch.manual_seed(0)
    critic = Critic(4, (6, 8)).train()
    for _ in range(60):
        critic(torch.rand(2, 3, 16, 16), torch.eye(4)[:2])
    critic.eval()
    for layer in (critic.trunk[0], critic.trunk[2], critic.judge, critic.label_embedding):
        largest = torch.linalg.svdvals(layer.weight.detach().flatten(1))[0]
        assert float(largest) == pytest.approx(1.0, abs=0.02)


def test_augmentation_without_a_shift_only_cuts_a_hole():
    pictures = torch.rand(1, 3, 16, 16) + 1
    seen = augment(pictures, torch.zeros(1, 2), torch.tensor([[0.5, 0.25]]))
    hole = (seen == 0).all(dim=1)[0]
    assert hole.any(dim=1).nonzero().flatten().tolist() in ([7, 8, 9], [6, 7, 8, 9, 10][1:-1])
    torch.testing.assert_close(seen[0, :, ~hole], pictures[0, :, ~hole])


def test_augmentation_moves_and_lets_gradients_through():
    pictures = torch.zeros(1, 1, 16, 16)
    pictures[0, 0, 8, 8] = 1.0
    pictures.requires_grad_()
    # A shift of one eighth of 16 pixels is two; the sample grid moves, so the picture goes back.
    seen = augment(pictures, torch.tensor([[1.0, 0.0]]), torch.tensor([[2.0, 2.0]]))
    assert seen[0, 0].nonzero().tolist() == [[8, 6]]
    seen.sum().backward()
    assert pictures.grad is not None
    assert float(pictures.grad[0, 0, 8, 8]) == 1.0
