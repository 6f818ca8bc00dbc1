"""AMGAN without target pictures: the future work of the AMGAN paper (section 5).

"Currently we only focus on the supervised prototype image generation, and thus we plan to explore
the unsupervised setting for handling cases without the ground truth images of target items."

Networks, Eq. 3-4 (visual-semantic consistency), Eq. 6 (attributes) and Eq. 7-12 (metric) are
AMGAN's. The target picture y is never looked at; the catalogue's labels are. Our choices:

- In place of Eq. 5, pictures stand in for themselves. Self-reconstruction: a reference asked for
  the values it has comes back unchanged. Cycle (Zhu et al., ICCV 2017): a prototype asked for the
  values the reference had comes back as the reference. A reference whose value is not known cannot
  be asked for; the cycle leaves out queries that change such an attribute.
  `pixel_weight` weighs both.
- The wanted labels are the reference's with the asked-for values put in; where the reference's
  label is missing and not asked for, the prototype may show anything.
- y+ is any catalogue item that carries the wanted labels, as in AMGAN. The real pair of Eq. 8 and
  11 is (y+, the item of the minibatch most like it by labels) in place of (y+, y).
"""

from __future__ import annotations

import torch
from torch import Tensor

from amgan import losses
from amgan.attributes import MISSING
from amgan.methods.amgan import Amgan
from amgan.methods.baseline_losses import masked_pixel_loss
from amgan.methods.labels import one_hot
from amgan.methods.method import Phase, TrainingBatch
from amgan.models.generator import visual_embedding


class UnsupervisedAmgan(Amgan):
    """Generator and discriminator as in AMGAN, trained on references, changes and labels."""

    def phases(self) -> tuple[Phase, ...]:
        """One discriminator step, then one generator step."""
        discriminator, generator = super().phases()
        weights = dict(generator.weights)
        weights["cycle"] = weights["self"] = weights.pop("pixel")
        return discriminator, Phase("generator", generator.modules, weights)

    def _discriminator_losses(self, batch: TrainingBatch) -> dict[str, Tensor]:
        with torch.no_grad():
            prototype = self.prototype(batch.query)
        pictures = [batch.positive, batch.reference, batch.negative, prototype]
        *real, fake = self.encoder(torch.cat(pictures)).chunk(4)
        labels = torch.cat((batch.positive_labels, batch.reference_labels, batch.negative_labels))
        positive, _, negative = real
        alike = torch.cat(real)[most_alike(labels)[: len(positive)]]
        # The prototype is told apart from y+: the partner of Eq. 8's pairs, the anchor of Eq. 11.
        anchor, partner = (alike, positive) if self.config.scheme == "pair" else (positive, alike)
        return {
            **self._discriminator_metric(anchor, partner, negative, fake),
            "attribute": self._attribute_loss(torch.cat(real), labels),
        }

    def _generator_losses(self, batch: TrainingBatch) -> dict[str, Tensor]:
        features = self.generator.encode(batch.reference)
        prototype = self.generator.draw(features, batch.indicator)
        fake = self.encoder(prototype)
        semantic = self.generator.embed_labels(one_hot(batch.reference_labels, self.sizes))
        back, restorable = way_back(batch.reference_labels, batch.indicator, self.sizes)
        returned, kept = self.generator(prototype, back), self.generator.draw(features, back)
        return {
            "metric": self._generator_metric_loss(fake, batch),
            "visual_semantic": losses.visual_semantic_loss(
                visual_embedding(features).float(), semantic.float(), self.config.margin
            ),
            "cycle": masked_pixel_loss(returned, batch.reference, restorable),
            "self": losses.pixel_loss(kept, batch.reference),
            "attribute": self._attribute_loss(
                fake, wanted_labels(batch.reference_labels, batch.indicator, self.sizes)
            ),
        }

    def _generator_metric_loss(self, fake: Tensor, batch: TrainingBatch) -> Tensor:
        with torch.no_grad():
            positive, negative = self.encoder(batch.positive), self.encoder(batch.negative)
        distance = losses.euclidean_distance
        near, far = distance(fake, positive), distance(fake, negative)
        if self.config.scheme == "pair":
            return losses.pair_generator_loss(near, self.config.shift, self.config.saturating)
        return losses.triplet_generator_loss(near, far, self.config.saturating)


def wanted_labels(labels: Tensor, indicator: Tensor, sizes: tuple[int, ...]) -> Tensor:
    """Labels (N, M) with the asked-for values of `indicator` (N, J) put in."""
    columns = [
        torch.where(block.any(dim=1), block.argmax(dim=1), column)
        for block, column in zip(indicator.split(list(sizes), 1), labels.unbind(1), strict=True)
    ]
    return torch.stack(columns, dim=1)


def way_back(labels: Tensor, indicator: Tensor, sizes: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    """What to ask a prototype for to get the reference back.

    Args:
        labels: the reference's (N, M).
        indicator: what was asked for, (N, J).
        sizes: number of values of each attribute.

    Returns:
        The reference's own values of the changed attributes as an indicator (N, J), and whether all
        of them are known (N,).
    """
    asked = torch.stack([block.any(dim=1) for block in indicator.split(list(sizes), 1)], dim=1)
    own = torch.where(asked, labels, MISSING)
    return one_hot(own, sizes), ~(asked & (labels == MISSING)).any(dim=1)


def most_alike(labels: Tensor) -> Tensor:
    """For each item the other one that shares most labels, (N,), from labels (N, M).

    Missing labels count as shared with missing ones; of several, the first.
    """
    shared = (labels[:, None] == labels[None, :]).sum(dim=2)
    shared.fill_diagonal_(-1)
    return shared.argmax(dim=1)
