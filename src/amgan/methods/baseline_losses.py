"""Loss terms that the AMGAN paper does not print: of its baselines and of its future work.

Pure functions, all minimised; a logarithm of a sigmoid is always computed as logsigmoid.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def real_fake_discriminator_loss(real: Tensor, fake: Tensor) -> Tensor:
    """Tell photographs from drawn pictures.

    Eq. (1) of Goodfellow et al. (NeurIPS 2014), negated for minimisation:
    -log D(y) - log(1 - D(x~)).

    Args:
        real: logits of D for photographs, (N,).
        fake: logits of D for drawn pictures, (N,).
    """
    return -(functional.logsigmoid(real).mean() + functional.logsigmoid(-fake).mean())


def real_fake_generator_loss(fake: Tensor, saturating: bool = False) -> Tensor:
    """Draw pictures that pass for photographs.

    Section 3 of Goodfellow et al. (NeurIPS 2014): -log D(x~), or log(1 - D(x~)) where `saturating`.

    Args:
        fake: logits of D for drawn pictures, (N,).
        saturating: the form of the minimax game; its gradient vanishes while D is sure.
    """
    if saturating:
        return functional.logsigmoid(-fake).mean()
    return -functional.logsigmoid(fake).mean()


def anchored_pair_loss(positive: Tensor, negative: Tensor, shift: float = 1.0) -> Tensor:
    """Bring a fixed prototype to y+ and keep it away from y-.

    Eq. (7) of the AMGAN paper, on the pairs (x~, y+) and (x~, y-):
    -log p(x~, y+) - log(1 - p(x~, y-)).

    Args:
        positive: d(x~, y+), (N,).
        negative: d(x~, y-), (N,).
        shift: b.
    """
    return -(
        functional.logsigmoid(shift - positive) + functional.logsigmoid(negative - shift)
    ).mean()


def bidirectional_ranking_loss(
    visual: Tensor, semantic: Tensor, different: Tensor, margin: float = 0.2
) -> Tensor:
    """Rank a picture's own description above others' and a description's own picture above others.

    Section 3.1 of Han et al. (ICCV 2017), after Kiros et al. (2014): a hinge on cosines, both ways.

    Args:
        visual: pictures, (N, D).
        semantic: their descriptions, (N, D).
        different: (N, N) bool, whether description j is wrong for picture i; only such pairs count.
        margin: m.
    """
    with torch.autocast(visual.device.type, enabled=False):  # cosines need float32
        cosine = (
            functional.normalize(visual.float(), dim=1)
            @ functional.normalize(semantic.float(), dim=1).T
        )
    own = cosine.diagonal()
    other_description = (margin - own[:, None] + cosine).clamp(min=0)
    other_picture = (margin - own[None, :] + cosine).clamp(min=0)
    terms = other_description * different + other_picture * different
    return terms.sum() / different.sum().clamp(min=1)


def masked_pixel_loss(drawn: Tensor, original: Tensor, rows: Tensor) -> Tensor:
    """Mean absolute difference between pictures, over the rows that count.

    Eq. (1) and (2) of Zhu et al. (ICCV 2017), cycle consistency; averaged over pixels.

    Args:
        drawn: (N, 3, H, W).
        original: (N, 3, H, W).
        rows: (N,) bool.
    """
    differences = (drawn - original).abs().mean(dim=(1, 2, 3))
    return (differences * rows).sum() / rows.sum().clamp(min=1)
