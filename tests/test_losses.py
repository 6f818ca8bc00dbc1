"""Each loss against a value worked by hand, a naive transcription, or a property."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from amgan import losses


def sigmoid(z: float) -> float:
    return 1 / (1 + math.exp(-z))


def test_euclidean_distance_is_the_three_four_five_triangle() -> None:
    distance = losses.euclidean_distance(torch.tensor([[3.0, 4.0]]), torch.zeros(1, 2))
    assert distance.tolist() == pytest.approx([5.0])


def test_euclidean_distance_has_a_finite_gradient_at_zero() -> None:
    first = torch.ones(2, 3, requires_grad=True)
    losses.euclidean_distance(first, torch.ones(2, 3)).sum().backward()
    assert first.grad is not None
    assert torch.equal(first.grad, torch.zeros(2, 3))


def naive_visual_semantic(v: Tensor, s: Tensor, g: float) -> float:
    def cos(a: Tensor, b: Tensor) -> float:
        return float(a @ b / (a.norm() * b.norm()))

    n = len(v)
    terms = [
        max(0.0, g - cos(s[i], v[i]) + cos(s[i], v[j]))
        + max(0.0, g - cos(v[i], s[i]) + cos(v[i], s[j]))
        for i in range(n)
        for j in range(n)
        if i != j
    ]
    return sum(terms) / len(terms)


def test_visual_semantic_loss_is_equation_4() -> None:
    generator = torch.Generator().manual_seed(1)
    v, s = torch.randn(5, 7, generator=generator), torch.randn(5, 7, generator=generator)
    expected = naive_visual_semantic(v, s, 0.3)
    assert float(losses.visual_semantic_loss(v, s, 0.3)) == pytest.approx(expected, rel=1e-5)


def test_visual_semantic_loss_of_separated_pairs_is_zero_whatever_their_length() -> None:
    own = torch.eye(3)
    assert float(losses.visual_semantic_loss(5 * own, 0.1 * own)) == 0.0


def test_visual_semantic_loss_of_one_picture_is_zero() -> None:
    assert float(losses.visual_semantic_loss(torch.ones(1, 4), -torch.ones(1, 4))) == 0.0


def test_visual_semantic_loss_is_computed_in_float32_under_autocast() -> None:
    v, s = torch.randn(4, 300), torch.randn(4, 300)
    with torch.autocast("cpu", torch.bfloat16):
        inside = losses.visual_semantic_loss(v, s)
    assert torch.equal(inside, losses.visual_semantic_loss(v, s))


def test_pixel_loss_does_not_depend_on_the_number_of_pixels() -> None:
    for side in (2, 8):
        drawn, target = torch.full((1, 3, side, side), 0.5), torch.zeros(1, 3, side, side)
        assert float(losses.pixel_loss(drawn, target)) == pytest.approx(0.5)


LOGITS = torch.tensor([[0.0, 0.0, 0.0, math.log(3.0)], [math.log(3.0), 0.0, 0.0, 0.0]])
SIZES = (2, 2)


def test_attribute_probability_loss_is_minus_the_mean_probability() -> None:
    labels = torch.tensor([[0, 1], [0, 0]])  # probabilities 1/2, 3/4; 3/4, 1/2
    loss = losses.attribute_probability_loss(LOGITS, labels, SIZES)
    assert float(loss) == pytest.approx(-(0.5 + 0.75 + 0.75 + 0.5) / 4)


def test_attribute_cross_entropy_loss_is_the_mean_negative_logarithm() -> None:
    labels = torch.tensor([[0, 1], [0, 0]])
    loss = losses.attribute_cross_entropy_loss(LOGITS, labels, SIZES)
    assert float(loss) == pytest.approx((2 * math.log(2) + 2 * math.log(4 / 3)) / 4)


@pytest.mark.parametrize(
    "loss", [losses.attribute_probability_loss, losses.attribute_cross_entropy_loss]
)
class TestMissingLabels:
    def test_missing_labels_do_not_count(self, loss: losses.AttributeLoss) -> None:
        some = loss(LOGITS, torch.tensor([[0, 1], [-1, -1]]), SIZES)
        assert float(some) == pytest.approx(float(loss(LOGITS[:1], torch.tensor([[0, 1]]), SIZES)))

    def test_missing_labels_give_no_gradient(self, loss: losses.AttributeLoss) -> None:
        logits = LOGITS.clone().requires_grad_()
        loss(logits, torch.tensor([[0, -1], [-1, -1]]), SIZES).backward()
        assert logits.grad is not None
        assert logits.grad[0, :2].abs().sum() > 0
        assert logits.grad[0, 2:].abs().sum() == 0
        assert logits.grad[1].abs().sum() == 0

    def test_all_labels_missing_is_zero_and_not_nan(self, loss: losses.AttributeLoss) -> None:
        assert float(loss(LOGITS, torch.full((2, 2), -1), SIZES)) == 0.0


def test_pair_discriminator_loss_is_equation_8() -> None:
    positive, prototype = torch.tensor([0.5, 2.0]), torch.tensor([1.5, 0.25])
    real, hard = losses.pair_discriminator_losses(positive, prototype, shift=1.0)
    expected_real = sum(math.log(sigmoid(1 - d)) for d in positive.tolist())
    expected_hard = sum(math.log(1 - sigmoid(1 - d)) for d in prototype.tolist())
    assert float(real) == pytest.approx(-expected_real / 2, rel=1e-6)
    assert float(hard) == pytest.approx(-expected_hard / 2, rel=1e-6)


def test_pair_generator_loss_is_equation_9_or_its_non_saturating_form() -> None:
    d = torch.tensor([0.5, 2.0])
    p = [sigmoid(1 - x) for x in d.tolist()]
    assert float(losses.pair_generator_loss(d)) == pytest.approx(
        sum(math.log(1 - x) for x in p) / 2
    )
    assert float(losses.pair_generator_loss(d, saturating=False)) == pytest.approx(
        -sum(map(math.log, p)) / 2
    )


def test_triplet_discriminator_loss_is_equation_11() -> None:
    positive, negative, prototype = 0.5, 2.0, 1.5
    real, hard = losses.triplet_discriminator_losses(
        torch.tensor([positive]), torch.tensor([negative]), torch.tensor([prototype])
    )
    assert float(real) == pytest.approx(-math.log(sigmoid(negative - positive)))
    assert float(hard) == pytest.approx(-math.log(sigmoid(prototype - positive)))


def test_triplet_generator_loss_is_equation_12_or_its_non_saturating_form() -> None:
    positive, negative = torch.tensor([0.5]), torch.tensor([2.0])
    p = sigmoid(1.5)
    assert float(losses.triplet_generator_loss(positive, negative)) == pytest.approx(
        math.log(1 - p)
    )
    assert float(
        losses.triplet_generator_loss(positive, negative, saturating=False)
    ) == pytest.approx(-math.log(p))


@pytest.mark.parametrize("saturating", [True, False])
def test_both_generator_forms_pull_the_prototype_towards_the_positive(saturating: bool) -> None:
    pair = torch.tensor([3.0], requires_grad=True)
    losses.pair_generator_loss(pair, saturating=saturating).backward()
    assert pair.grad is not None
    assert pair.grad.item() > 0
    positive = torch.tensor([3.0], requires_grad=True)
    losses.triplet_generator_loss(positive, torch.tensor([1.0]), saturating=saturating).backward()
    assert positive.grad is not None
    assert positive.grad.item() > 0


def test_metric_losses_stay_finite_at_any_distance() -> None:
    far, near = torch.tensor([1e4]), torch.tensor([0.0])
    for first, second in ((far, near), (near, far)):
        assert all(map(torch.isfinite, losses.pair_discriminator_losses(first, second)))
        assert all(map(torch.isfinite, losses.triplet_discriminator_losses(first, second, second)))
        for saturating in (True, False):
            assert torch.isfinite(losses.pair_generator_loss(first, saturating=saturating))
            assert torch.isfinite(losses.triplet_generator_loss(first, second, saturating))


def test_hinge_loss_by_hand() -> None:
    real, fake = torch.tensor([2.0, 0.5]), torch.tensor([[-3.0], [0.25]])
    assert float(losses.hinge_discriminator_loss(real, fake)) == pytest.approx(0.25 + 0.625)


def test_exact_losses_leave_other_targets_out() -> None:
    prototype, target = torch.zeros(3, 1, 2, 2), torch.zeros(3, 1, 2, 2)
    target[0] += 2.0
    target[1] += 4.0
    chosen = torch.tensor([True, False, True])
    assert float(losses.exact_pixel_loss(prototype, target, chosen)) == pytest.approx((2 + 4) / 2)
    none = torch.zeros(3, dtype=torch.bool)
    assert float(losses.exact_pixel_loss(prototype, target, none)) == 0.0


def test_feature_loss_weighs_each_map_by_its_size() -> None:
    maps = [torch.full((2, 1, 2, 2), 1.0), torch.full((2, 3, 1, 1), 10.0)]
    drawn = [torch.full((2, 1, 2, 2), 1.5), torch.full((2, 3, 1, 1), 20.0)]
    chosen = torch.tensor([True, True])
    assert float(losses.exact_feature_loss(drawn, maps, chosen)) == pytest.approx((0.25 + 1) / 2)
    assert float(losses.exact_feature_loss(maps, maps, chosen)) == 0.0
