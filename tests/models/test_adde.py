from __future__ import annotations

import torch

from amgan.models.adde import DisentangledEncoder, ManipulationMemory
from amgan.models.network import NetworkConfig

SIZES = (2, 3)


def filled_memory() -> ManipulationMemory:
    torch.manual_seed(0)
    memory = ManipulationMemory(SIZES, 4)
    memory.means.observe(torch.randn(6, 2, 4), torch.tensor([[0, 0], [1, 1], [0, 2]] * 2))
    return memory


def test_it_starts_with_mean_embeddings_in_their_own_blocks():
    memory = filled_memory()
    prototypes = memory.prototypes()
    assert not prototypes[~memory.blocks()].any()
    torch.testing.assert_close(prototypes[memory.blocks()], memory.means.means)


def test_it_adds_and_removes_exactly_the_prototypes():
    memory = filled_memory()
    torch.nn.init.normal_(memory.correction)
    prototypes = memory.prototypes()
    change = torch.tensor([[-1.0, 1, 0, 0, 0], [0, 0, -1, 0, 1], [-1, 1, 1, -1, 0], [0] * 5])
    expected = torch.stack(
        [
            prototypes[1] - prototypes[0],
            prototypes[4] - prototypes[2],
            prototypes[1] - prototypes[0] + prototypes[2] - prototypes[3],
            torch.zeros(2, 4),
        ]
    )
    torch.testing.assert_close(memory.compose(change), expected)


def test_swapping_a_value_and_back_is_no_change():
    memory = filled_memory()
    there, back = torch.tensor([[-1.0, 1, 0, 0, 0]]), torch.tensor([[1.0, -1, 0, 0, 0]])
    torch.testing.assert_close(memory.compose(there) + memory.compose(back), torch.zeros(1, 2, 4))


def test_each_classifier_sees_its_own_embedding_only():
    torch.manual_seed(0)
    network = NetworkConfig(4, 8, 1, (4, 8), 6)
    encoder = DisentangledEncoder(8, 8, network, SIZES, 4).eval()
    embeddings = torch.randn(3, 2, 4)
    other = embeddings.clone()
    other[:, 1] += 1
    changed = encoder.classify(embeddings) != encoder.classify(other)
    assert not changed[:, :2].any()
    assert changed[:, 2:].all()
    assert encoder(torch.randn(3, 3, 8, 8)).shape == (3, 2, 4)
