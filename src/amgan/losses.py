"""Loss terms as pure functions, one an equation of the paper. All are minimised.

Sigmoids never meet a logarithm: log p = logsigmoid(z) and log(1 - p) = logsigmoid(-z).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn import functional

MISSING = -1
AttributeLoss = Callable[[Tensor, Tensor, Sequence[int]], Tensor]


def euclidean_distance(first: Tensor, second: Tensor) -> Tensor:
    """Distance of Eq. 7 and 10: Euclidean, row by row, (N, D), (N, D) -> (N,).

    The tiny constant keeps the gradient finite (zero) where both rows are equal.
    """
    return ((first - second).square().sum(dim=1) + 1e-12).sqrt()


def visual_semantic_loss(visual: Tensor, semantic: Tensor, margin: float = 0.2) -> Tensor:
    """Hinge on the cosine between a picture's and its own labels' embedding against others'.

    Eq. (4), section 3.2.1: the mean over ordered pairs i != j of both directions.

    Args:
        visual: v, (N, L).
        semantic: s, (N, L).
        margin: g.
    """
    with torch.autocast(
        visual.device.type, enabled=False
    ):  # a product of unit vectors needs float32
        cosine = functional.normalize(visual, dim=1) @ functional.normalize(semantic, dim=1).T
    own = cosine.diagonal()
    # Row i, column j: cos(v_i, s_j). The first term of Eq. 4 holds s_i and varies the picture.
    other_picture = (margin - own[None, :] + cosine).clamp(min=0)
    other_labels = (margin - own[:, None] + cosine).clamp(min=0)
    off_diagonal = ~torch.eye(len(cosine), dtype=torch.bool, device=cosine.device)
    pairs = (other_picture + other_labels)[off_diagonal]
    return pairs.sum() / max(1, pairs.numel())


def pixel_loss(prototype: Tensor, target: Tensor) -> Tensor:
    """Mean absolute difference between prototype and target picture, (N, 3, H, W).

    Eq. (5), section 3.2.2; averaged over pixels, so its weight does not depend on their number.
    """
    return (prototype - target).abs().mean()


def attribute_probability_loss(logits: Tensor, labels: Tensor, sizes: Sequence[int]) -> Tensor:
    """Minus the mean probability of the right value of each attribute.

    Eq. (6), section 3.3.1, to the letter (probabilities, not their logarithms).

    Args:
        logits: (N, J), attribute blocks side by side.
        labels: (N, M), -1 where missing; missing labels do not count.
        sizes: number of values of each attribute.
    """
    return _mean_over_labels(
        [
            -block.softmax(dim=1).gather(1, column.clamp(min=0)[:, None])[:, 0]
            for block, column in zip(logits.split(list(sizes), 1), labels.unbind(1), strict=True)
        ],
        labels,
    )


def attribute_cross_entropy_loss(
    logits: Tensor, labels: Tensor, sizes: Sequence[int], *, label_smoothing: float = 0.0
) -> Tensor:
    """Mean cross-entropy of each attribute's right value.

    Eq. (6), section 3.3.1, with log-probabilities. Arguments as `attribute_probability_loss`;
    `label_smoothing` is the share of a label's probability that is spread over all values.
    """
    return _mean_over_labels(
        [
            functional.cross_entropy(
                block, column.clamp(min=0), reduction="none", label_smoothing=label_smoothing
            )
            for block, column in zip(logits.split(list(sizes), 1), labels.unbind(1), strict=True)
        ],
        labels,
    )


def _mean_over_labels(columns: list[Tensor], labels: Tensor) -> Tensor:
    known = labels != MISSING
    terms = torch.where(known, torch.stack(columns, dim=1), 0.0)
    return terms.sum() / known.sum().clamp(min=1)


def group_contrast_loss(embeddings: Tensor, groups: Tensor, temperature: float) -> Tensor:
    """Tell the members of an embedding's group from all others of the minibatch.

    InfoNCE (van den Oord et al., 2018) with several positives (Khosla et al., NeurIPS 2020, the
    variant with the sum outside of the logarithm); embeddings without another member count nothing.

    Args:
        embeddings: of length 1, (N, D).
        groups: equal for embeddings that belong together, (N,).
        temperature: what inner products are divided by.
    """
    own = torch.eye(len(embeddings), dtype=torch.bool, device=embeddings.device)
    logits = (embeddings @ embeddings.T / temperature).masked_fill(own, -torch.inf)
    positive = (groups[:, None] == groups[None]) & ~own
    logs = logits.log_softmax(1).masked_fill(~positive, 0.0)
    counts = positive.sum(1)
    means = -logs.sum(1) / counts.clamp(min=1)
    return means.sum() / (counts > 0).sum().clamp(min=1)


def pair_discriminator_losses(
    positive: Tensor, prototype: Tensor, shift: float = 1.0
) -> tuple[Tensor, Tensor]:
    """Pull the real pair (y, y+) together; push the prototype, a hard negative, away from y+.

    Eq. (7)-(8), section 3.3.2, negated for minimisation; the paper's term is their sum.

    Args:
        positive: d(y, y+), (N,).
        prototype: d(x~, y+), (N,).
        shift: b.
    """
    real = -functional.logsigmoid(shift - positive).mean()
    hard_negative = -functional.logsigmoid(prototype - shift).mean()
    return real, hard_negative


def pair_generator_loss(prototype: Tensor, shift: float = 1.0, saturating: bool = True) -> Tensor:
    """Bring the prototype to y+ under the learned distance.

    Eq. (9), section 3.3.2; `saturating=False` minimises -log p instead of log(1 - p).

    Args:
        prototype: d(x~, y+), (N,).
        shift: b.
        saturating: the paper's form.
    """
    return _fool(shift - prototype, saturating)


def triplet_discriminator_losses(
    positive: Tensor, negative: Tensor, prototype: Tensor
) -> tuple[Tensor, Tensor]:
    """Keep y nearer to y+ than to the random item y-, and than to the prototype.

    Eq. (10)-(11), section 3.3.2, negated for minimisation; the paper's term is their sum.

    Args:
        positive: d(y, y+), (N,).
        negative: d(y, y-), (N,).
        prototype: d(y, x~), (N,).
    """
    real = -functional.logsigmoid(negative - positive).mean()
    hard_negative = -functional.logsigmoid(prototype - positive).mean()
    return real, hard_negative


def triplet_generator_loss(positive: Tensor, negative: Tensor, saturating: bool = True) -> Tensor:
    """Bring the prototype nearer to y+ than to y-.

    Eq. (12), section 3.3.2; `saturating=False` minimises -log p instead of log(1 - p).

    Args:
        positive: d(x~, y+), (N,).
        negative: d(x~, y-), (N,).
        saturating: the paper's form.
    """
    return _fool(negative - positive, saturating)


def _fool(score: Tensor, saturating: bool) -> Tensor:
    if saturating:
        return functional.logsigmoid(-score).mean()
    return -functional.logsigmoid(score).mean()


def hinge_discriminator_loss(real: Tensor, fake: Tensor) -> Tensor:
    """Scores of real pictures above 1, of drawn ones below -1.

    Lim and Ye (2017); scores of any shape, the generator's side is minus the mean of its scores.
    """
    return functional.relu(1 - real).mean() + functional.relu(1 + fake).mean()


def exact_pixel_loss(prototype: Tensor, target: Tensor, exact: Tensor) -> Tensor:
    """Absolute and squared difference from targets that are the exact answer to the query.

    Eq. 5 alone has next to no gradient towards an answer while a copy of the reference is the
    median of what is asked for; the square follows the mean from the first step. With exact answers
    both have the same optimum.

    Args:
        prototype: (N, 3, H, W).
        target: (N, 3, H, W).
        exact: (N,) bool; 0 is returned where there is none.
    """
    difference = prototype - target
    return _mean_where(exact, (difference.abs() + difference.square()).flatten(1).mean(dim=1))


def exact_feature_loss(drawn: Sequence[Tensor], real: Sequence[Tensor], exact: Tensor) -> Tensor:
    """Distance in feature maps to targets that are the exact answer (Johnson et al., ECCV 2016).

    The mean over maps of the squared difference, relative to the mean square of the target's.

    Args:
        drawn: feature maps (N, C, H, W) of prototypes.
        real: the same of targets.
        exact: (N,) bool; 0 is returned where there is none.
    """
    terms = []
    for own, other in zip(drawn, real, strict=True):
        scale = other.float().square().mean().clamp(min=1e-6)
        terms.append((own.float() - other.float()).square().flatten(1).mean(dim=1) / scale)
    return _mean_where(exact, torch.stack(terms).mean(dim=0))


def _mean_where(chosen: Tensor, values: Tensor) -> Tensor:
    return torch.where(chosen, values, 0.0).sum() / chosen.sum().clamp(min=1)
