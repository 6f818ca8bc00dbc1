"""AMNet (Zhao, Feng, Wu, Yan, CVPR 2017): memory-augmented attribute manipulation network.

A memory block holds a template for each attribute value in the space of picture representations.
The wanted values' templates are retrieved with the indicator and fused with the reference's
representation by a fully connected layer. Attribute classification and a triplet ranking loss
(manipulated reference, target, negative) train all of it.

Ours to choose: the shared convolutional trunk in place of AlexNet; representations are compared at
unit length; classification runs alone for the first part of training, as representations have to
mean something before their averages can become templates; the margin; several wanted values are the
sum of their templates; the fusion layer starts as the sum of representation and templates.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from amgan import losses
from amgan.attributes import AttributeSchema
from amgan.images import ImageSettings
from amgan.methods import ranking_losses
from amgan.methods.method import Method, Phase, QueryBatch, RankingMetric, TrainingBatch
from amgan.methods.mining import Negatives, valid_negatives
from amgan.models.amnet import AttributeMemory, Fusion, WideEncoder
from amgan.models.encoder import AttributeClassifier
from amgan.models.network import NetworkConfig


@dataclass(frozen=True)
class AmnetConfig:
    """Options of AMNet.

    Attributes:
        representation_dim: length of a representation (4,096 in the paper).
        margin: of the triplet ranking loss, between unit vectors.
        attribute_weight: weight of the classification losses.
        ranking_weight: weight of the triplet ranking loss.
        classification_share: share of training with the classification loss alone.
        negatives: each target's own random negative (the paper), or all of the minibatch.
    """

    representation_dim: int = 4096
    margin: float = 0.5
    attribute_weight: float = 1.0
    ranking_weight: float = 1.0
    classification_share: float = 0.25
    negatives: Negatives = "batch"


class Amnet(Method):
    """Encoder, memory block, fusion layer; the gallery is ranked by cosine."""

    ranking_metric: RankingMetric = "inner_product"

    def __init__(
        self,
        schema: AttributeSchema,
        images: ImageSettings,
        network: NetworkConfig,
        config: AmnetConfig,
    ) -> None:
        super().__init__()
        self.config = config
        self.sizes = schema.sizes
        self.embedding_dim = dim = config.representation_dim
        self.encoder = WideEncoder(images.height, images.width, network, dim)
        self.classifier = AttributeClassifier(dim, schema.num_values)
        self.memory = AttributeMemory(schema.sizes, dim)
        self.fusion = Fusion(dim)

    def phases(self) -> tuple[Phase, ...]:
        """Classification alone, then everything."""
        share = self.config.classification_share
        learned = (self.encoder, self.classifier)
        return (
            Phase(
                "classification",
                (*learned, self.memory.value_means, self.memory.overall_mean),
                {"attribute": 1.0},
                last_step=share,
            ),
            Phase(
                "manipulation",
                (*learned, self.memory, self.fusion),
                {
                    "attribute": self.config.attribute_weight,
                    "manipulated_attribute": self.config.attribute_weight,
                    "ranking": self.config.ranking_weight,
                },
                first_step=share,
            ),
        )

    def losses(self, phase: str, batch: TrainingBatch) -> dict[str, Tensor]:
        """Classification losses and the triplet ranking loss."""
        pictures = torch.cat((batch.reference, batch.target, batch.negative))
        labels = torch.cat((batch.reference_labels, batch.target_labels, batch.negative_labels))
        representations = self.encoder(pictures)
        self.memory.observe(representations.detach(), labels)
        terms = {"attribute": self._attribute_loss(representations, labels)}
        if phase == "classification":
            return terms
        reference, target, negative = representations.chunk(3)
        manipulated = self.fusion(reference, self.memory(batch.indicator))
        terms["manipulated_attribute"] = self._attribute_loss(manipulated, batch.target_labels)
        anchor = functional.normalize(manipulated)
        candidates = functional.normalize(torch.cat((target, negative)))
        distances = ranking_losses.distance_matrix(anchor, candidates)
        terms["ranking"] = ranking_losses.triplet_margin_loss(
            distances.diagonal(),
            distances,
            valid_negatives(batch.target_labels, batch.negative_labels, self.config.negatives),
            self.config.margin,
        )
        return terms

    def _attribute_loss(self, representations: Tensor, labels: Tensor) -> Tensor:
        logits = self.classifier(representations)
        return losses.attribute_cross_entropy_loss(logits, labels, self.sizes)

    def encode_gallery(self, images: Tensor) -> Tensor:
        """Representations at unit length, (N, R)."""
        return functional.normalize(self.encoder(images))

    def encode_query(self, query: QueryBatch) -> Tensor:
        """Manipulated representations at unit length, (N, R)."""
        retrieved = self.memory(query.indicator)
        return functional.normalize(self.fusion(self.encoder(query.reference), retrieved))

    def attribute_logits(self, images: Tensor) -> Tensor:
        """Logits (N, J)."""
        logits: Tensor = self.classifier(self.encoder(images))
        return logits
