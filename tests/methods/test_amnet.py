from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from amgan.methods.amnet import Amnet, AmnetConfig


@pytest.fixture
def method(schema, images, network):
    torch.manual_seed(0)
    return Amnet(schema, images, network, AmnetConfig(representation_dim=32))


def test_representations_have_the_papers_length():
    assert AmnetConfig().representation_dim == 4096


def test_training_starts_with_classification_alone(method):
    first, second = method.phases()
    assert set(first.weights) == {"attribute"}
    assert first.last_step == second.first_step
    assert (first.first_step, second.last_step) == (0, 1)


def test_templates_are_gathered_before_they_are_used(method, make_plain_batch):
    assert not method.memory.templates().any()
    batch = make_plain_batch(16, 2)
    method.losses("classification", batch)
    seen = torch.cat((batch.reference_labels, batch.target_labels, batch.negative_labels))
    rows = torch.cat([seen[:, m] + (0, 3, 5)[m] for m in range(3)]).unique()
    assert method.memory.templates()[rows].any(dim=1).all()


def test_missing_labels_give_no_gradient(method, make_batch):
    batch = make_batch(6, 1)
    unknown = torch.full_like(batch.target_labels, -1)
    batch = replace(batch, reference_labels=unknown, target_labels=unknown, negative_labels=unknown)
    sum(method.losses("manipulation", batch).values()).backward()
    gradients = [p.grad for p in method.parameters() if p.grad is not None]
    assert gradients
    assert not any(gradient.any() for gradient in gradients)


def test_a_query_without_changes_starts_as_its_own_picture(method, make_plain_batch):
    batch = make_plain_batch(6, 1)
    method.eval()
    query = replace(batch.query, indicator=torch.zeros_like(batch.indicator))
    with torch.inference_mode():
        similarity = (method.encode_query(query) * method.encode_gallery(batch.reference)).sum(1)
    assert similarity.min() > 0.99
