"""cGAN-P and cGAN-T: AMGAN taken apart into two stages (section 4.1 of the AMGAN paper).

"The cGAN part is derived from our model by replacing the adversarial metric learning with the
traditional real/fake discriminator. Besides, the metric learning part follows the pair-based scheme
(i.e., Eqn. (9)) but keeps the generated prototype image fixed"; the triplet-based scheme is Eq. 12.

What the paper leaves open, and what is done here:

- The discriminator of the first stage is AMGAN's encoder with the attribute classifiers of Eq. 6
  and one further linear output, real or fake, trained by Eq. 1 of Goodfellow et al. (NeurIPS 2014),
  the paper's reference [9]. That output sees the picture only; the condition is held by the
  attribute loss, as in AttGAN, the paper's reference [13]. `condition="labels"` judges pictures
  together with their labels (projection discriminator, Miyato and Koyama, ICLR 2018).
- The generator's real/fake term has the non-saturating form that [9] recommends.
- In the second stage the encoder goes on from the first stage's weights and the generator stands
  still. `metric` says what is learned: `anchored` is the paper's reference to Eq. 9 and 12, in
  which the fixed prototype is brought to y+ (with Eq. 9 alone all distances would shrink to
  nothing, so the random item y- is pushed away); `hard_negative` is Eq. 8 and 11, in which the
  prototype is one more negative. With a generator that stands still nothing ever answers that
  push: Top-10 on validation items fell from .24 to .06, where `anchored` kept it at .25.
- How training is divided between the stages: seven tenths for the cGAN, three for the metric. In a
  short run half and half gave .40 where this gave .47.
- The attribute classifiers are trained in both stages (Eq. 6) on the pictures that AMGAN's learn
  from, and everything that AMGAN has too is AMGAN's: networks, options, weights.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from amgan import losses
from amgan.attributes import AttributeSchema
from amgan.errors import InputError
from amgan.images import ImageSettings
from amgan.methods import baseline_losses
from amgan.methods.amgan import Amgan, AmganConfig
from amgan.methods.labels import one_hot
from amgan.methods.method import Phase, TrainingBatch
from amgan.models.discriminator import RealFakeHead
from amgan.models.generator import visual_embedding
from amgan.models.network import NetworkConfig


@dataclass(frozen=True)
class CganConfig(AmganConfig):
    """AMGAN's options and these.

    Attributes:
        metric: what the second stage learns, see above.
        condition: whether real or fake is judged from the picture alone or with its labels.
        first_stage: share of training that the cGAN gets; the metric gets the rest.
        adversarial_weight: weight of the real/fake terms.
        saturating: real/fake term of the generator as log(1 - D) instead of -log D.
    """

    metric: Literal["anchored", "hard_negative"] = "anchored"
    condition: Literal["none", "labels"] = "none"
    first_stage: float = 0.7
    adversarial_weight: float = 1.0
    saturating: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.first_stage < 1:
            raise InputError(f"first_stage must lie between 0 and 1, not {self.first_stage}")


class Cgan(Amgan):
    """Generator, then encoder, each trained while the other's part is done."""

    config: CganConfig

    def __init__(
        self,
        schema: AttributeSchema,
        images: ImageSettings,
        network: NetworkConfig,
        config: CganConfig,
    ) -> None:
        super().__init__(schema, images, network, config)
        self.real_fake = RealFakeHead(
            network.embedding_dim, schema.num_values if config.condition == "labels" else 0
        )

    def phases(self) -> tuple[Phase, ...]:
        """Real/fake discriminator and generator, then the metric."""
        config = self.config
        return (
            Phase(
                "discriminator",
                (self.encoder, self.classifier, self.real_fake),
                {"real_fake": config.adversarial_weight, "attribute": config.attribute_weight},
                last_step=config.first_stage,
                learning_rate=config.discriminator_learning_rate,
            ),
            Phase(
                "generator",
                (self.generator,),
                {
                    "real_fake": config.adversarial_weight,
                    "visual_semantic": config.visual_semantic_weight,
                    "pixel": config.pixel_weight,
                    "attribute": config.attribute_weight,
                },
                last_step=config.first_stage,
            ),
            Phase(
                "metric",
                (self.encoder, self.classifier),
                {"metric": config.metric_weight, "attribute": config.attribute_weight},
                first_step=config.first_stage,
                learning_rate=config.discriminator_learning_rate,
            ),
        )

    def losses(self, phase: str, batch: TrainingBatch) -> dict[str, Tensor]:
        """Terms of one phase."""
        if phase == "metric":
            return self._metric_losses(batch)
        return super().losses(phase, batch)

    def _discriminator_losses(self, batch: TrainingBatch) -> dict[str, Tensor]:
        with torch.no_grad():
            prototype = self.prototype(batch.query)
        pictures, labels = self._classified(batch)
        *real, fake = self.encoder(torch.cat([*pictures, prototype])).split(len(prototype))
        condition = one_hot(batch.target_labels, self.sizes)
        return {
            "real_fake": baseline_losses.real_fake_discriminator_loss(
                self.real_fake(real[0], condition), self.real_fake(fake, condition)
            ),
            "attribute": self._attribute_loss(torch.cat(real), labels),
        }

    def _classified(self, batch: TrainingBatch) -> tuple[list[Tensor], Tensor]:
        """Pictures that the first stage's classifiers learn from, y first, and their labels."""
        if self.config.classified == "target":
            return [batch.target], batch.target_labels
        labels = (batch.target_labels, batch.positive_labels, batch.negative_labels)
        return [batch.target, batch.positive, batch.negative], torch.cat(labels)

    def _generator_losses(self, batch: TrainingBatch) -> dict[str, Tensor]:
        features = self.generator.encode(batch.reference)
        prototype = self.generator.draw(features, batch.indicator)
        fake = self.encoder(prototype)
        semantic = self.generator.embed_labels(one_hot(batch.reference_labels, self.sizes))
        judged = self.real_fake(fake, one_hot(batch.target_labels, self.sizes))
        return {
            "real_fake": baseline_losses.real_fake_generator_loss(judged, self.config.saturating),
            "visual_semantic": losses.visual_semantic_loss(
                visual_embedding(features).float(), semantic.float(), self.config.margin
            ),
            "pixel": losses.pixel_loss(prototype, batch.target),
            "attribute": self._attribute_loss(fake, batch.target_labels),
        }

    def _metric_losses(self, batch: TrainingBatch) -> dict[str, Tensor]:
        with torch.no_grad():
            prototype = self.prototype(batch.query)
        pictures = [batch.target, batch.positive, batch.negative, prototype]
        target, positive, negative, drawn = self.encoder(torch.cat(pictures)).chunk(4)
        anchored = self.config.metric == "anchored"
        learn = self._anchored_loss if anchored else self._hard_negative_loss
        embeddings, labels = target, batch.target_labels
        if self.config.classified == "gallery":
            embeddings = torch.cat([target, positive, negative])
            labels = torch.cat([labels, batch.positive_labels, batch.negative_labels])
        return {
            "metric": learn(target, positive, negative, drawn),
            "attribute": self._attribute_loss(embeddings, labels),
        }

    def _anchored_loss(
        self, target: Tensor, positive: Tensor, negative: Tensor, drawn: Tensor
    ) -> Tensor:
        distance = losses.euclidean_distance
        near, far = distance(drawn, positive), distance(drawn, negative)
        if self.config.scheme == "pair":
            return baseline_losses.anchored_pair_loss(near, far, self.config.shift)
        return losses.triplet_generator_loss(near, far, saturating=False)

    def _hard_negative_loss(
        self, target: Tensor, positive: Tensor, negative: Tensor, drawn: Tensor
    ) -> Tensor:
        terms = self._discriminator_metric(target, positive, negative, drawn)
        return terms["metric"] + self.config.hard_negative_weight * terms["hard_negative"]
