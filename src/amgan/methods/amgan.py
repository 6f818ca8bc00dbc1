"""AMGAN-P and AMGAN-T (Yang et al., SIGIR 2020): Algorithm 1, Eq. 13 and 14."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from amgan import losses
from amgan.attributes import AttributeSchema
from amgan.images import ImageSettings
from amgan.methods.labels import one_hot
from amgan.methods.method import Phase, TrainingBatch
from amgan.methods.prototypes import AttributeLoss, PrototypeSearch
from amgan.models.generator import Generator, visual_embedding
from amgan.models.network import NetworkConfig


@dataclass(frozen=True)
class AmganConfig:
    """What AMGAN's rows differ by. Weights and margins default to the paper's (section 4.1).

    Attributes:
        scheme: metric learning on pairs (Eq. 7-9) or triplets (Eq. 10-12).
        margin: g of Eq. 4.
        shift: b of Eq. 7.
        visual_semantic_weight: gamma of Eq. 14; 0 is NoVSE.
        pixel_weight: mu of Eq. 14; 0 is NoL1.
        attribute_weight: lambda of Eq. 13 and 14; 0 is NoCls.
        metric_weight: weight of the metric terms (1 in the paper).
        hard_negative_weight: of the prototype as a negative in Eq. 8 and 11, over that weight (1
            in the paper).
        attribute_loss: Eq. 6 to the letter (`probability`) or with logarithms (`cross_entropy`).
        saturating: Eq. 9 and 12 as printed, log(1 - p); otherwise -log p.
        classified: pictures that the classifiers learn from: the `target` alone (section 3.3.1), or
            every `gallery` picture that the metric terms embed anyway (y, y+ and y-).
        discriminator_learning_rate: relative to the generator's.
        embedding_length: Euclidean length of all embeddings (the paper does not say); 1 puts
            distances between 0 and 2, around the paper's shift b = 1. 0 leaves it free.
    """

    scheme: Literal["pair", "triplet"] = "pair"
    margin: float = 0.2
    shift: float = 1.0
    visual_semantic_weight: float = 1.0
    pixel_weight: float = 1.0
    attribute_weight: float = 1.0
    metric_weight: float = 1.0
    hard_negative_weight: float = 1.0
    attribute_loss: AttributeLoss = "cross_entropy"
    saturating: bool = True
    classified: Literal["target", "gallery"] = "gallery"
    discriminator_learning_rate: float = 1.0
    embedding_length: float = 0.0


class Amgan(PrototypeSearch):
    """Generator G and discriminator D (encoder E with attribute classifiers)."""

    generator: Generator

    def __init__(
        self,
        schema: AttributeSchema,
        images: ImageSettings,
        network: NetworkConfig,
        config: AmganConfig,
    ) -> None:
        super().__init__(schema, images, network, embedding_length=config.embedding_length)
        self.config = config

    def phases(self) -> tuple[Phase, ...]:
        """One discriminator step (Eq. 13), then one generator step (Eq. 14)."""
        config = self.config
        return (
            Phase(
                "discriminator",
                (self.encoder, self.classifier),
                {
                    "metric": config.metric_weight,
                    "hard_negative": config.metric_weight * config.hard_negative_weight,
                    "attribute": config.attribute_weight,
                },
                learning_rate=config.discriminator_learning_rate,
            ),
            Phase(
                "generator",
                (self.generator,),
                {
                    "metric": config.metric_weight,
                    "visual_semantic": config.visual_semantic_weight,
                    "pixel": config.pixel_weight,
                    "attribute": config.attribute_weight,
                },
            ),
        )

    def losses(self, phase: str, batch: TrainingBatch) -> dict[str, Tensor]:
        """Terms of Eq. 13 or 14."""
        if phase == "discriminator":
            return self._discriminator_losses(batch)
        return self._generator_losses(batch)

    def _discriminator_losses(self, batch: TrainingBatch) -> dict[str, Tensor]:
        with torch.no_grad():
            prototype = self.generator(batch.reference, batch.indicator)
        pictures = [batch.target, batch.positive, prototype]
        if self.config.scheme == "triplet":
            pictures.append(batch.negative)
        # One pass, so that real and drawn pictures share batch statistics as they do in search.
        target, positive, fake, *rest = self.encoder(torch.cat(pictures)).chunk(len(pictures))
        negative = rest[0] if rest else None
        metric = self._discriminator_metric(target, positive, negative, fake)
        embeddings, labels = target, batch.target_labels
        if self.config.classified == "gallery":
            embeddings = torch.cat((target, positive, *rest))
            parts = (batch.target_labels, batch.positive_labels, batch.negative_labels)
            labels = torch.cat(parts[: 2 + len(rest)])
        return {**metric, "attribute": self._attribute_loss(embeddings, labels)}

    def _discriminator_metric(
        self, target: Tensor, positive: Tensor, negative: Tensor | None, fake: Tensor
    ) -> dict[str, Tensor]:
        """Terms of Eq. 8 or 11 on embeddings (N, D); pairs take no negative."""
        distance = losses.euclidean_distance
        if negative is None or self.config.scheme == "pair":
            real, hard_negative = losses.pair_discriminator_losses(
                distance(target, positive), distance(fake, positive), self.config.shift
            )
        else:
            real, hard_negative = losses.triplet_discriminator_losses(
                distance(target, positive), distance(target, negative), distance(target, fake)
            )
        return {"metric": real, "hard_negative": hard_negative}

    def _generator_losses(self, batch: TrainingBatch) -> dict[str, Tensor]:
        features = self.generator.encode(batch.reference)
        prototype = self.generator.draw(features, batch.indicator)
        fake = self.encoder(prototype)
        with torch.no_grad():
            positive = self.encoder(batch.positive)
        distance = losses.euclidean_distance
        if self.config.scheme == "pair":
            metric = losses.pair_generator_loss(
                distance(fake, positive), self.config.shift, self.config.saturating
            )
        else:
            with torch.no_grad():
                negative = self.encoder(batch.negative)
            metric = losses.triplet_generator_loss(
                distance(fake, positive), distance(fake, negative), self.config.saturating
            )
        semantic = self.generator.embed_labels(one_hot(batch.reference_labels, self.sizes))
        return {
            "metric": metric,
            "visual_semantic": losses.visual_semantic_loss(
                visual_embedding(features).float(), semantic.float(), self.config.margin
            ),
            "pixel": losses.pixel_loss(prototype, batch.target),
            "attribute": self._attribute_loss(fake, batch.target_labels),
        }

    def _attribute_loss(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        return self.attribute_loss(embeddings, labels, self.config.attribute_loss)
