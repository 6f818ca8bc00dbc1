"""AMGAN without target pictures: the future work of the AMGAN paper (section 5).

"Currently we only focus on the supervised prototype image generation, and thus we plan to explore
the unsupervised setting for handling cases without the ground truth images of target items."

Networks, Eq. 3-4 (visual-semantic consistency), Eq. 6 (attributes) and Eq. 7-12 (metric) are
AMGAN's. The target picture y is never looked at; the catalogue's labels are. Our choices:

- In place of Eq. 5, pictures stand in for themselves. Self-reconstruction: a reference asked for
  the values it has comes back unchanged. Cycle (Zhu et al., ICCV 2017): a prototype asked for the
  values the reference had comes back as the reference. A reference whose value is not known cannot
  be asked for; the cycle leaves out queries that change such an attribute.
- The wanted labels are the reference's with the asked-for values put in; where the reference's
  label is missing and not asked for, the prototype may show anything.
- y+ is any catalogue item that carries the wanted labels, as in AMGAN. The real pair of Eq. 8 and
  11 is (y+, the item of the minibatch most like it by labels) in place of (y+, y).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from amgan import losses
from amgan.attributes import MISSING, AttributeSchema
from amgan.images import ImageSettings
from amgan.methods.baseline_losses import masked_pixel_loss
from amgan.methods.labels import one_hot
from amgan.methods.protocol import Phase, TrainingBatch
from amgan.methods.prototypes import AttributeLoss, PrototypeSearch
from amgan.models.generator import visual_embedding
from amgan.models.network import NetworkConfig


@dataclass(frozen=True)
class UnsupervisedAmganConfig:
    """Options; margins and the weights that AMGAN has too are AMGAN's.

    Attributes:
        scheme: metric learning on pairs (Eq. 7-9) or triplets (Eq. 10-12).
        margin: g of Eq. 4.
        shift: b of Eq. 7.
        visual_semantic_weight: gamma of Eq. 14.
        cycle_weight: of the cycle.
        self_weight: of the self-reconstruction.
        attribute_weight: lambda of Eq. 13 and 14.
        metric_weight: weight of the metric terms.
        attribute_loss: Eq. 6 to the letter (`probability`) or with logarithms (`cross_entropy`).
        saturating: Eq. 9 and 12 as printed, log(1 - p); otherwise -log p.
    """

    scheme: Literal["pair", "triplet"] = "pair"
    margin: float = 0.2
    shift: float = 1.0
    visual_semantic_weight: float = 1.0
    cycle_weight: float = 1.0
    self_weight: float = 1.0
    attribute_weight: float = 1.0
    metric_weight: float = 1.0
    attribute_loss: AttributeLoss = "cross_entropy"
    saturating: bool = True


class UnsupervisedAmgan(PrototypeSearch):
    """Generator and discriminator as in AMGAN, trained on references, changes and labels."""

    def __init__(
        self,
        schema: AttributeSchema,
        images: ImageSettings,
        network: NetworkConfig,
        config: UnsupervisedAmganConfig,
    ) -> None:
        super().__init__(schema, images, network)
        self.config = config

    def phases(self) -> tuple[Phase, ...]:
        """One discriminator step, then one generator step."""
        config = self.config
        return (
            Phase(
                "discriminator",
                (self.encoder, self.classifier),
                {"metric": config.metric_weight, "attribute": config.attribute_weight},
            ),
            Phase(
                "generator",
                (self.generator,),
                {
                    "metric": config.metric_weight,
                    "visual_semantic": config.visual_semantic_weight,
                    "cycle": config.cycle_weight,
                    "self": config.self_weight,
                    "attribute": config.attribute_weight,
                },
            ),
        )

    def losses(self, phase: str, batch: TrainingBatch) -> dict[str, Tensor]:
        """Terms of one phase."""
        if phase == "discriminator":
            return self._discriminator_losses(batch)
        return self._generator_losses(batch)

    def _discriminator_losses(self, batch: TrainingBatch) -> dict[str, Tensor]:
        with torch.no_grad():
            prototype = self.prototype(batch.query)
        pictures = [batch.reference, batch.positive, batch.negative, prototype]
        encoded = self.encoder(torch.cat(pictures))
        reference, positive, negative, fake = encoded.chunk(4)
        wanted = wanted_labels(batch.reference_labels, batch.indicator, self.sizes)
        real = torch.cat([positive, reference, negative])
        real_labels = torch.cat([wanted, batch.reference_labels, batch.negative_labels])
        alike = real[most_alike(real_labels)[: len(positive)]]
        distance = losses.euclidean_distance
        if self.config.scheme == "pair":
            metric = losses.pair_discriminator_loss(
                distance(alike, positive), distance(fake, positive), self.config.shift
            )
        else:
            metric = losses.triplet_discriminator_loss(
                distance(positive, alike), distance(positive, negative), distance(positive, fake)
            )
        return {
            "metric": metric,
            "attribute": self._attribute_loss(
                torch.cat([reference, negative]),
                torch.cat([batch.reference_labels, batch.negative_labels]),
            ),
        }

    def _generator_losses(self, batch: TrainingBatch) -> dict[str, Tensor]:
        features = self.generator.encode(batch.reference)
        prototype = self.generator.draw(features, batch.indicator)
        back, restorable = way_back(batch.reference_labels, batch.indicator, self.sizes)
        fake = self.encoder(prototype)
        semantic = self.generator.embed_labels(one_hot(batch.reference_labels, self.sizes))
        everyone = torch.ones_like(restorable)
        return {
            "metric": self._generator_metric_loss(fake, batch),
            "visual_semantic": losses.visual_semantic_loss(
                visual_embedding(features).float(), semantic.float(), self.config.margin
            ),
            "cycle": masked_pixel_loss(
                self.generator(prototype, back), batch.reference, restorable
            ),
            "self": masked_pixel_loss(
                self.generator.draw(features, back), batch.reference, everyone
            ),
            "attribute": self._attribute_loss(
                fake, wanted_labels(batch.reference_labels, batch.indicator, self.sizes)
            ),
        }

    def _generator_metric_loss(self, fake: Tensor, batch: TrainingBatch) -> Tensor:
        distance = losses.euclidean_distance
        with torch.no_grad():
            positive = self.encoder(batch.positive)
        if self.config.scheme == "pair":
            return losses.pair_generator_loss(
                distance(fake, positive), self.config.shift, self.config.saturating
            )
        with torch.no_grad():
            negative = self.encoder(batch.negative)
        return losses.triplet_generator_loss(
            distance(fake, positive), distance(fake, negative), self.config.saturating
        )

    def _attribute_loss(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        return self.attribute_loss(embeddings, labels, self.config.attribute_loss)


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
