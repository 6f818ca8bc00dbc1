from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from amgan.methods.fsn import Fsn, FsnConfig, Importance


@pytest.fixture
def method(schema, images, network):
    torch.manual_seed(0)
    built = Fsn(schema, images, network, FsnConfig(representation_dim=32))
    torch.nn.init.normal_(built.importance.logarithms)
    torch.nn.init.normal_(built.importance.unchanged)
    return built


def test_attributes_share_the_papers_length_evenly(method):
    assert FsnConfig().representation_dim == 4096
    assert method.embedding_dim == 3 * (32 // 3)


def test_substitution_replaces_changed_attributes_by_the_wanted_averages(method, make_batch):
    batch = make_batch(12, 2)
    method.losses("classification", batch)
    features = torch.randn(12, 3, 10)
    substituted = method.substitute(features, batch.indicator)
    averages = 4 * torch.nn.functional.normalize(method.averages.means)
    offsets = (0, 3, 5)
    for n in range(12):
        for m in range(3):
            wanted = int(batch.target_labels[n, m])
            if wanted == int(batch.reference_labels[n, m]):
                assert torch.equal(substituted[n, m], features[n, m])
            else:
                torch.testing.assert_close(substituted[n, m], averages[offsets[m] + wanted])


@pytest.mark.parametrize("changes", [0, 1, 2, 3])
def test_the_inner_product_ranks_as_the_weighted_distance(method, make_batch, changes):
    batch = make_batch(8, changes)
    method.losses("classification", batch)
    method.eval()
    with torch.inference_mode():
        gallery = method.encode_gallery(batch.negative)
        query = method.encode_query(batch.query)
        anchor = method.substitute(
            method.encode_gallery(batch.reference).view(8, 3, -1), batch.indicator
        )
        weights = method.importance(batch.reference_labels != batch.target_labels)
    ranked = (query @ gallery.T).argsort(dim=1, descending=True)
    for n in range(8):
        gap = weights[n][:, None] * (anchor[n] - gallery.view(8, 3, -1))
        assert gap.square().sum(dim=(1, 2)).argsort().tolist() == ranked[n].tolist()


def test_weights_of_several_changes_are_the_geometric_mean_of_theirs():
    importance = Importance(3)
    torch.nn.init.normal_(importance.logarithms)
    torch.nn.init.normal_(importance.unchanged)
    changed = torch.tensor([[1, 0, 0], [0, 0, 1], [1, 0, 1], [0, 0, 0]]).bool()
    weights = importance(changed)
    torch.testing.assert_close(weights[2], (weights[0] * weights[1]).sqrt())
    torch.testing.assert_close(weights[3], importance.unchanged.exp())
    assert (weights > 0).all()


def test_missing_labels_give_no_gradient(method, make_batch):
    batch = make_batch(6, 1)
    unknown = torch.full_like(batch.target_labels, -1)
    batch = replace(batch, reference_labels=unknown, target_labels=unknown, negative_labels=unknown)
    sum(method.losses("ranking", batch).values()).backward()
    gradients = [p.grad for p in method.parameters() if p.grad is not None]
    assert gradients
    assert not any(gradient.any() for gradient in gradients)
