from __future__ import annotations

import torch

from amgan.models.amnet import AttributeMemory, Fusion

SIZES = (2, 2)
LABELS = torch.tensor([[0, 0], [0, 1], [1, 1], [1, 1]])


def filled_memory() -> tuple[AttributeMemory, torch.Tensor]:
    torch.manual_seed(0)
    memory = AttributeMemory(SIZES, 3)
    representations = torch.randn(4, 3)
    memory.observe(representations, LABELS)
    return memory, representations


def test_templates_are_what_a_value_adds_to_the_mean_picture():
    memory, seen = filled_memory()
    mean = seen.mean(dim=0)
    expected = [seen[:2].mean(0), seen[2:].mean(0), seen[0], seen[1:].mean(0)]
    torch.testing.assert_close(memory.templates(), torch.stack(expected) - mean)


def test_retrieval_is_the_sum_of_exactly_the_wanted_templates():
    memory, _ = filled_memory()
    torch.nn.init.normal_(memory.correction)
    templates = memory.templates()
    retrieved = memory(torch.tensor([[0.0, 0, 0, 0], [0, 1, 0, 0], [1, 0, 0, 1]]))
    expected = torch.stack([torch.zeros(3), templates[1], templates[0] + templates[3]])
    torch.testing.assert_close(retrieved, expected)


def test_a_value_never_seen_adds_nothing():
    memory = AttributeMemory(SIZES, 3)
    memory.observe(torch.ones(1, 3), torch.tensor([[0, -1]]))
    assert not memory(torch.tensor([[0.0, 1, 0, 0]])).any()


def test_fusion_starts_near_the_sum():
    torch.manual_seed(0)
    representation, retrieved = torch.randn(5, 8), torch.randn(5, 8)
    torch.testing.assert_close(
        Fusion(8)(representation, retrieved), representation + retrieved, atol=0.02, rtol=0
    )
