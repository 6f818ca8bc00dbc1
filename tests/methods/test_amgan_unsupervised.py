from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from amgan.methods.amgan import AmganConfig
from amgan.methods.amgan_unsupervised import (
    UnsupervisedAmgan,
    most_alike,
    wanted_labels,
    way_back,
)
from amgan.methods.baseline_losses import masked_pixel_loss


@pytest.fixture(params=["pair", "triplet"])
def method(request, schema, images, network):
    torch.manual_seed(0)
    config = AmganConfig(scheme=request.param)
    return UnsupervisedAmgan(schema, images, network, config)


def test_masked_pixel_loss_by_hand():
    drawn = torch.tensor([1.0, 2.0, 3.0]).reshape(3, 1, 1, 1).expand(3, 3, 2, 2)
    original = torch.zeros(3, 3, 2, 2)
    rows = torch.tensor([True, False, True])
    assert float(masked_pixel_loss(drawn, original, rows)) == pytest.approx(2.0)
    assert float(masked_pixel_loss(drawn, original, torch.zeros(3).bool())) == 0


@pytest.mark.parametrize("missing", [0.0, 0.4])
@pytest.mark.parametrize("changes", [0, 1, 2, 3])
def test_labels_of_the_way_there_and_back_agree_with_the_schema(
    make_batch, schema, changes, missing
):
    """Against the numpy schema: apply(x, h) is y; asking y for the way back gives x again."""
    batch = make_batch(20, changes, missing)
    reference = batch.reference_labels.numpy().astype(np.int16)
    indicator = batch.indicator.numpy()
    there = wanted_labels(batch.reference_labels, batch.indicator, schema.sizes)
    np.testing.assert_array_equal(there.numpy(), schema.apply(reference, indicator))
    np.testing.assert_array_equal(there.numpy(), batch.target_labels.numpy())
    back, restorable = way_back(batch.reference_labels, batch.indicator, schema.sizes)
    returned = schema.apply(there.numpy().astype(np.int16), back.numpy())
    complete = (returned == reference).all(axis=1)
    np.testing.assert_array_equal(complete, restorable.numpy())
    asked = [sum(indicator[row, columns].any() for columns in schema.slices) for row in range(20)]
    assert (back.sum(dim=1).numpy() <= asked).all()


def test_most_alike_is_the_naive_search(make_batch):
    labels = make_batch(15, 0, 0.3).reference_labels
    found = most_alike(labels)
    for row in range(15):
        shared = {
            other: int((labels[row] == labels[other]).sum()) for other in range(15) if other != row
        }
        assert int(found[row]) in shared
        assert shared[int(found[row])] == max(shared.values())


def test_target_pictures_are_never_looked_at(method, make_batch):
    method.eval()
    batch = make_batch(6, 2)
    blind = replace(batch, target=torch.full_like(batch.target, torch.nan))
    for phase in method.phases():
        seen, unseen = method.losses(phase.name, batch), method.losses(phase.name, blind)
        assert all(torch.equal(seen[key], unseen[key]) for key in seen)


class Identity(torch.nn.Module):
    """Draws the reference again, whatever is asked for."""

    def encode(self, images):
        return images

    def draw(self, features, indicator):
        return features

    def forward(self, images, indicator):
        return images

    def embed_labels(self, one_hot):
        return one_hot[:, :3]


def test_a_generator_that_changes_nothing_has_no_reconstruction_loss(method, make_batch):
    method.generator = Identity()
    with torch.no_grad():
        terms = method.eval().losses("generator", make_batch(5, 2))
    assert float(terms["cycle"]) == 0
    assert float(terms["self"]) == 0
    assert float(terms["attribute"]) > 0  # and does not do what was asked


def test_cycle_leaves_out_what_cannot_be_restored(method, make_batch, schema):
    batch = make_batch(4, 1)
    labels = batch.reference_labels.clone()
    changed = batch.target_labels != labels
    labels[:2] = torch.where(changed[:2], -1, labels[:2])
    batch = replace(batch, reference_labels=labels)
    method.eval()
    with torch.no_grad():
        loss = method.losses("generator", batch)["cycle"]
        back, restorable = way_back(labels, batch.indicator, schema.sizes)
        there = method.generator(batch.reference, batch.indicator)
        returned = method.generator(there, back)
    assert restorable.tolist() == [False, False, True, True]
    expected = (returned - batch.reference)[2:].abs().mean()
    assert float(loss) == pytest.approx(float(expected), rel=1e-5)


def test_missing_labels_that_nobody_asks_for_give_no_attribute_gradient(method, make_batch):
    batch = make_batch(4, 0)
    unknown = torch.full_like(batch.reference_labels, -1)
    batch = replace(
        batch, reference_labels=unknown, positive_labels=unknown, negative_labels=unknown
    )
    for phase in method.phases():
        method.zero_grad()
        method.losses(phase.name, batch)["attribute"].backward()
        gradients = [p.grad for p in method.parameters() if p.grad is not None]
        assert not any(gradient.any() for gradient in gradients)


def test_learns_to_change_and_to_return_one_minibatch(
    make_plain_batch, schema, images, network, fit
):
    """Against a discriminator that knows the attributes and stands still."""
    torch.manual_seed(0)
    network = replace(network, generator_width=8, latent_channels=16)
    config = AmganConfig(pixel_weight=4)
    method = UnsupervisedAmgan(schema, images, network, config)
    batch = make_plain_batch(8, 1)
    fit(method, "discriminator", batch)
    history = fit(method, "generator", batch)
    for term in ("self", "cycle", "attribute"):
        assert history[-1][term] < 0.7 * history[0][term], (term, history[0], history[-1])
