from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from amgan.methods.baseline_losses import (
    anchored_pair_loss,
    real_fake_discriminator_loss,
    real_fake_generator_loss,
)
from amgan.methods.cgan import Cgan, CganConfig
from amgan.models.discriminator import RealFakeHead


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def test_real_fake_losses_are_goodfellows():
    real, fake = [0.3, -1.2, 2.0], [-0.4, 0.9, 0.1]
    expected = -sum(math.log(sigmoid(r)) for r in real) / 3
    expected -= sum(math.log(1 - sigmoid(f)) for f in fake) / 3
    value = real_fake_discriminator_loss(torch.tensor(real), torch.tensor(fake))
    assert float(value) == pytest.approx(expected, rel=1e-5)
    logits = torch.tensor(fake)
    assert float(real_fake_generator_loss(logits)) == pytest.approx(
        -sum(math.log(sigmoid(f)) for f in fake) / 3, rel=1e-5
    )
    assert float(real_fake_generator_loss(logits, saturating=True)) == pytest.approx(
        sum(math.log(1 - sigmoid(f)) for f in fake) / 3, rel=1e-5
    )


@pytest.mark.parametrize("saturating", [False, True])
def test_generator_gets_a_finite_gradient_from_a_sure_discriminator(saturating):
    logits = torch.tensor([-200.0, 200.0], requires_grad=True)
    real_fake_generator_loss(logits, saturating).backward()
    assert logits.grad is not None
    assert torch.isfinite(logits.grad).all()
    assert (logits.grad <= 0).all()  # a higher logit is always better for the generator


def test_anchored_pair_loss_by_hand():
    near, far = torch.tensor([0.5, 2.0]), torch.tensor([3.0, 0.0])
    expected = -(
        math.log(sigmoid(0.5))
        + math.log(sigmoid(2.0))
        + math.log(sigmoid(-1.0))
        + math.log(sigmoid(-1.0))
    )
    assert float(anchored_pair_loss(near, far, shift=1.0)) == pytest.approx(expected / 2, rel=1e-5)


def test_label_condition_makes_the_judgement_depend_on_labels():
    torch.manual_seed(0)
    embeddings = torch.randn(2, 6)
    labels = torch.eye(4)[:2]
    alone, conditioned = RealFakeHead(6), RealFakeHead(6, 4)
    assert torch.equal(alone(embeddings, labels), alone(embeddings, labels.flip(0)))
    assert not torch.equal(conditioned(embeddings, labels), conditioned(embeddings, labels.flip(0)))
    nothing = conditioned(embeddings, torch.zeros(2, 4))
    torch.testing.assert_close(nothing, conditioned.judge(embeddings)[:, 0])


@pytest.fixture(params=["anchored", "hard_negative"])
def metric(request):
    return request.param


@pytest.fixture(params=["pair", "triplet"])
def cgan(request, metric, schema, images, network):
    torch.manual_seed(0)
    return Cgan(schema, images, network, CganConfig(scheme=request.param, metric=metric))


def test_stages_follow_each_other(schema, images, network):
    cgan = Cgan(schema, images, network, CganConfig(first_stage=0.4))
    discriminator, generator, metric = cgan.phases()
    assert (discriminator.first_step, discriminator.last_step) == (0.0, 0.4)
    assert (generator.first_step, generator.last_step) == (0.0, 0.4)
    assert (metric.first_step, metric.last_step) == (0.4, 1.0)


@pytest.mark.parametrize("share", [0.0, 1.0, -0.1])
def test_both_stages_must_exist(share):
    with pytest.raises(ValueError, match="first_stage"):
        CganConfig(first_stage=share)


def test_second_stage_leaves_the_generator_as_it_is(cgan, make_batch):
    phase = cgan.phases()[2]
    cgan.eval()
    for module in phase.modules:
        module.train()
    before = {k: v.clone() for k, v in cgan.generator.state_dict().items()}
    terms = cgan.losses("metric", make_batch(8, 2))
    sum(terms.values()).backward()
    assert all(parameter.grad is None for parameter in cgan.generator.parameters())
    assert all(torch.equal(v, before[k]) for k, v in cgan.generator.state_dict().items())


def test_the_generator_does_not_look_at_positives_and_negatives(cgan, make_batch):
    cgan.eval()
    for parameter in cgan.parameters():
        if parameter.dim() > 1:  # initial weights are too small to tell anything apart
            torch.nn.init.normal_(parameter, std=0.3)
    one, other = make_batch(4, 1), make_batch(4, 1, seed=1)
    object.__setattr__(other, "reference", one.reference)
    for name in ("indicator", "target", "reference_labels", "target_labels"):
        object.__setattr__(other, name, getattr(one, name))
    left, right = cgan.losses("generator", one), cgan.losses("generator", other)
    assert all(torch.equal(left[key], right[key]) for key in left)
    # They teach the classifiers, not what is real and what is drawn.
    left, right = cgan.losses("discriminator", one), cgan.losses("discriminator", other)
    assert torch.equal(left["real_fake"], right["real_fake"])
    assert not torch.equal(left["attribute"], right["attribute"])


def test_classifiers_may_learn_from_targets_alone(make_batch, schema, images, network):
    torch.manual_seed(0)
    cgan = Cgan(schema, images, network, CganConfig(classified="target")).eval()
    batch = make_batch(6, 1)
    terms = cgan.losses("discriminator", batch)
    by_hand = torch.nn.functional.cross_entropy(
        cgan.attribute_logits(batch.target)[:, :3], batch.target_labels[:, 0]
    )
    parts = [by_hand]
    for columns, attribute in ((slice(3, 5), 1), (slice(5, 9), 2)):
        logits = cgan.attribute_logits(batch.target)[:, columns]
        parts.append(torch.nn.functional.cross_entropy(logits, batch.target_labels[:, attribute]))
    torch.testing.assert_close(terms["attribute"], torch.stack(parts).mean())


@pytest.mark.parametrize("scheme", ["pair", "triplet"])
def test_anchored_metric_brings_prototypes_to_their_positives(
    scheme, make_batch, schema, images, network, fit
):
    """Trained on one minibatch, prototypes come nearer to y+ than to y-."""
    torch.manual_seed(0)
    cgan = Cgan(schema, images, network, CganConfig(scheme=scheme))
    for parameter in cgan.generator.parameters():
        if parameter.dim() > 1:
            torch.nn.init.normal_(parameter, std=0.3)
    batch = make_batch(8, 1)
    fit(cgan, "metric", batch, steps=60)
    cgan.eval()
    with torch.no_grad():
        drawn = cgan.encode_query(batch.query)
        near = (drawn - cgan.encode_gallery(batch.positive)).norm(dim=1)
        far = (drawn - cgan.encode_gallery(batch.negative)).norm(dim=1)
    assert (near < far).float().mean() >= 0.75


def test_first_stage_learns_one_minibatch(make_plain_batch, schema, images, network, fit):
    """The generator against a discriminator that stands still."""
    torch.manual_seed(0)
    network = replace(network, generator_width=8, latent_channels=16)
    cgan = Cgan(schema, images, network, CganConfig(pixel_weight=10))
    batch = make_plain_batch(8, 1)
    judged = fit(cgan, "discriminator", batch)
    assert judged[-1]["real_fake"] < 0.5 * judged[0]["real_fake"]
    drawn = fit(cgan, "generator", batch)
    for term in ("real_fake", "pixel", "attribute"):
        assert drawn[-1][term] < 0.6 * drawn[0][term], (term, drawn[0], drawn[-1])
