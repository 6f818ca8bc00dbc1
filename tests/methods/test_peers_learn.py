"""AMNet, FashionSearchNet and ADDE-M learn to change the colour of 32 coloured squares."""

from __future__ import annotations

import pytest
import torch

from amgan.attributes import Attribute, AttributeSchema
from amgan.images import ImageSettings
from amgan.methods.labels import one_hot
from amgan.methods.method import QueryBatch, TrainingBatch
from amgan.methods.registry import build_method
from amgan.models.network import NetworkConfig

SCHEMA = AttributeSchema(
    (Attribute("colour", ("blue", "green", "red", "white")), Attribute("size", ("large", "small")))
)
COLOURS = torch.tensor([[-0.8, -0.8, 0.8], [-0.8, 0.8, -0.8], [0.8, -0.8, -0.8], [0.8, 0.8, 0.8]])
LABELS = torch.tensor([[i % 4, i // 4 % 2] for i in range(32)])
ROWS = [
    ("adde-m", {"attribute_dim": 16}),
    ("amnet", {"representation_dim": 32}),
    ("fsn", {"representation_dim": 32}),
]


def draw_squares() -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    pictures = torch.full((32, 3, 16, 16), -0.2)
    for picture, (colour, size) in zip(pictures, LABELS.tolist(), strict=True):
        side = 12 if size == 0 else 6
        top, left = torch.randint(0, 17 - side, (2,), generator=generator).tolist()
        picture[:, top : top + side, left : left + side] = COLOURS[colour][:, None, None]
    return pictures + 0.1 * torch.randn(pictures.shape, generator=generator)


def wanted_labels(change: torch.Tensor) -> torch.Tensor:
    """Labels with the colour moved on by 1, 2 or 3, the size kept."""
    wanted = LABELS.clone()
    wanted[:, 0] = (wanted[:, 0] + change) % 4
    return wanted


def indicator(wanted: torch.Tensor) -> torch.Tensor:
    return one_hot(torch.where(wanted == LABELS, -1, wanted), SCHEMA.sizes)


def draw_batch(pictures: torch.Tensor, step: int) -> TrainingBatch:
    generator = torch.Generator().manual_seed(step)
    wanted = wanted_labels(torch.randint(1, 4, (32,), generator=generator))
    equal = (wanted[:, None] == LABELS).all(dim=2).float()
    target = equal.multinomial(1, generator=generator)[:, 0]
    negative = torch.randint(0, 32, (32,), generator=generator)
    return TrainingBatch(
        pictures,
        indicator(wanted),
        pictures[target],
        pictures[target],
        pictures[negative],
        LABELS,
        LABELS[target],
        LABELS[target],
        LABELS[negative],
        tuple(map(str, range(32))),
    )


def right_share(method, pictures: torch.Tensor, change: int, asked: bool) -> float:
    """Share of the first three pictures found that have the wanted colour and the same size."""
    wanted = wanted_labels(torch.full((32,), change))
    changes = indicator(wanted) * float(asked)
    method.eval()
    with torch.inference_mode():
        gallery = method.encode_gallery(pictures)
        query = method.encode_query(QueryBatch(pictures, changes, torch.full_like(LABELS, -1)))
    scores = (query @ gallery.T).fill_diagonal_(-1e9)
    found = LABELS[scores.topk(3).indices]
    return float((found == wanted[:, None]).all(dim=2).float().mean())


@pytest.mark.parametrize(("name", "options"), ROWS)
def test_it_learns_to_change_colours(name, options):
    torch.manual_seed(0)
    network = NetworkConfig(4, 8, 1, (8, 16, 16), 16)
    method = build_method(name, SCHEMA, ImageSettings(16, 16), network, options)
    pictures = draw_squares()
    optimiser = torch.optim.Adam(method.parameters(), 3e-3)
    totals = []
    for step in range(60):
        phase = method.phases()[step >= 20]
        method.train()
        terms = method.losses(phase.name, draw_batch(pictures, step))
        loss = sum(phase.weights[key] * term for key, term in terms.items())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        totals.append(float(loss.detach()))
    assert totals[19] < 0.8 * totals[0]
    assert totals[-1] < 0.8 * totals[20]
    for change in (1, 2, 3):
        asked = right_share(method, pictures, change, asked=True)
        assert asked > 0.4  # chance is 1/8
        assert asked > right_share(method, pictures, change, asked=False) + 0.2
