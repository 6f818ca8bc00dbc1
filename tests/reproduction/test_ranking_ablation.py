"""The other ways of asking a method that draws."""

from __future__ import annotations

import pytest
import torch

from amgan.attributes import Attribute, AttributeSchema
from amgan.images import ImageSettings
from amgan.methods.amgan import Amgan, AmganConfig
from amgan.methods.method import QueryBatch
from amgan.models.network import NetworkConfig
from amgan.reproduction.ranking_ablation import (
    AgreementWithLabels,
    AgreementWithPrototype,
    AgreementWithReference,
)

SCHEMA = AttributeSchema((Attribute("colour", ("red", "blue", "green")), Attribute("neck", "vo")))


@pytest.fixture(scope="module")
def method() -> Amgan:
    torch.manual_seed(0)
    network = NetworkConfig(4, 8, 1, (4, 8), 12)
    return Amgan(SCHEMA, ImageSettings(16, 16), network, AmganConfig()).eval()


@pytest.fixture(scope="module")
def query() -> QueryBatch:
    """Red with v becomes blue; a green one whose neck is not known becomes o."""
    torch.manual_seed(1)
    indicator = torch.tensor([[0.0, 1, 0, 0, 0], [0, 0, 0, 0, 1]])
    return QueryBatch(torch.rand(2, 3, 16, 16) * 2 - 1, indicator, torch.tensor([[0, 0], [2, -1]]))


def test_labels_are_the_targets(method: Amgan, query: QueryBatch) -> None:
    asked = AgreementWithLabels(method, SCHEMA.sizes).encode_query(query)
    assert asked.tolist() == [[0, 1, 0, 1, 0], [0, 0, 1, 0, 1]]


def test_the_reference_is_seen_and_the_wanted_put_in(method: Amgan, query: QueryBatch) -> None:
    way = AgreementWithReference(method, SCHEMA.sizes)
    seen, asked = way.encode_gallery(query.reference), way.encode_query(query)
    assert torch.equal(asked[0, 3:], seen[0, 3:])
    assert asked[0, :3].tolist() == [0, 1, 0]
    assert torch.equal(asked[1, :3], seen[1, :3])
    assert asked[1, 3:].tolist() == [0, 1]


def test_what_is_seen_in_the_prototype_is_asked_for(method: Amgan, query: QueryBatch) -> None:
    way = AgreementWithPrototype(method, SCHEMA.sizes)
    asked = way.encode_query(query)
    drawn = method.classifier(method.encoder(method.generator(query.reference, query.indicator)))
    colour, neck = drawn.split([3, 2], 1)
    assert torch.allclose(asked, torch.cat([colour.softmax(1), neck.softmax(1)], 1))
    assert torch.allclose(asked.sum(1), torch.full((2,), 2.0))
