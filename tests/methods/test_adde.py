from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from amgan.methods.adde import Adde, AddeConfig
from amgan.methods.method import QueryBatch


@pytest.fixture
def method(schema, images, network):
    torch.manual_seed(0)
    return Adde(schema, images, network, AddeConfig(attribute_dim=8))


def test_defaults_are_the_papers():
    config = AddeConfig()
    assert (config.attribute_dim, config.margin) == (340, 0.5)
    assert (config.attribute_weight, config.memory_weight) == (0.2, 0.4)
    assert config.label_weight == config.manipulation_weight == config.consistency_weight == 1


def test_signed_indicator_by_hand(method):
    # Attributes have 3, 2 and 4 values.
    wanted = torch.tensor(
        [
            [0.0, 1, 0, 0, 0, 0, 0, 0, 0],  # red for black
            [0, 0, 0, 0, 0, 0, 0, 0, 0],  # no change
            [1, 0, 0, 0, 1, 0, 0, 1, 0],  # all three
            [0, 1, 0, 0, 0, 0, 0, 0, 0],  # what it already is
            [0, 0, 1, 0, 0, 0, 0, 0, 0],  # label not known, likeliest is 1
        ]
    )
    labels = torch.tensor([[0, 1, 2], [0, 1, 2], [2, 0, 3], [1, 0, 0], [-1, -1, -1]])
    logits = torch.zeros(5, 9)
    logits[:, 1] = logits[:, 4] = logits[:, 5] = 1
    query = QueryBatch(torch.zeros(5, 3, 16, 16), wanted, labels)
    assert method.signed_indicator(query, logits).tolist() == [
        [-1, 1, 0, 0, 0, 0, 0, 0, 0],
        [0] * 9,
        [1, 0, -1, -1, 1, 0, 0, 1, -1],
        [0] * 9,
        [0, -1, 1, 0, 0, 0, 0, 0, 0],
    ]


def test_a_query_without_changes_is_its_own_picture(method, make_plain_batch):
    batch = make_plain_batch(6, 1)
    method.eval()
    query = replace(batch.query, indicator=torch.zeros_like(batch.indicator))
    with torch.inference_mode():
        torch.testing.assert_close(
            method.encode_query(query), method.encode_gallery(batch.reference)
        )


def test_a_change_reaches_its_own_attribute_only(method, make_plain_batch):
    batch = make_plain_batch(6, 1)
    method.losses("classification", batch)
    method.eval()
    with torch.inference_mode():
        reference = method.encoder(batch.reference)
        change = method.signed_indicator(batch.query, method.encoder.classify(reference))
        moved = method.memory.compose(change).any(dim=2)
    assert torch.equal(moved, batch.reference_labels != batch.target_labels)


def test_label_loss_is_the_naive_loop(method, make_batch):
    batch = make_batch(5, 2, missing=0.2)
    anchor = torch.nn.functional.normalize(torch.randn(5, 24))
    candidates = torch.randn(10, 3, 8)
    flat = torch.nn.functional.normalize(candidates.flatten(1))
    targets = batch.target_labels.tolist()
    labels = targets + batch.negative_labels.tolist()
    terms = []
    for i in range(5):
        near = float((anchor[i] - flat[i]).norm())
        for k in range(10):
            hinge = near - float((anchor[i] - flat[k]).norm()) + 0.5
            if labels[k] != targets[i] and hinge > 0:
                terms.append(hinge)
    loss = method._triplet_loss(anchor, candidates, batch)
    assert float(loss) == pytest.approx(sum(terms) / len(terms), rel=1e-4)


def test_missing_labels_give_no_gradient(method, make_batch):
    batch = make_batch(6, 0)
    unknown = torch.full_like(batch.target_labels, -1)
    batch = replace(batch, reference_labels=unknown, target_labels=unknown, negative_labels=unknown)
    sum(method.losses("manipulation", batch).values()).backward()
    gradients = [p.grad for p in method.parameters() if p.grad is not None]
    assert gradients
    assert not any(gradient.any() for gradient in gradients)
