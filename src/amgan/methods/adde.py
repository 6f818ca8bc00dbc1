"""ADDE-M (Hou, Vig, Donoser, Bazzani, ICCV 2021): attribute-driven disentangled representations.

Each attribute has its own embedding; their concatenation is searched. A memory block holds a
prototype for each value. A change adds the wanted value's prototype to the reference's embedding
and takes away the unwanted one's: r' = r + M i, with an indicator i of -1, 0 and 1. Losses: cross-
entropy, a triplet loss between manipulated reference and pictures, the same between it and what the
memory composes from labels, an L1 consistency between embedding and prototype, and an L1 penalty on
what the memory holds outside of a value's own attribute. The encoder is first trained by cross-
entropy, the memory starts as the mean embeddings, then everything is trained.

Ours to choose: the shared convolutional trunk in place of AlexNet or ResNet; embeddings are
compared at unit length; what norms are summed and averaged over (see `ranking_losses`); the share
of training given to cross-entropy alone. The unwanted value is the reference's label, or its
likeliest value where the label is not known.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from amgan import losses
from amgan.attributes import MISSING, AttributeSchema
from amgan.images import ImageSettings
from amgan.methods import ranking_losses
from amgan.methods.labels import one_hot
from amgan.methods.method import Method, Phase, QueryBatch, RankingMetric, TrainingBatch
from amgan.methods.mining import Negatives, valid_negatives
from amgan.models.adde import DisentangledEncoder, ManipulationMemory
from amgan.models.network import NetworkConfig


@dataclass(frozen=True)
class AddeConfig:
    """Options of ADDE-M. Weights, margin and length default to the paper's.

    Attributes:
        attribute_dim: length of an attribute's embedding.
        margin: of both triplet losses, between unit vectors.
        attribute_weight: weight of the cross-entropy.
        label_weight: weight of the triplet loss on what the memory composes from labels.
        manipulation_weight: weight of the triplet loss on pictures.
        consistency_weight: weight of the L1 between embeddings and prototypes.
        memory_weight: weight of the block-diagonal penalty.
        classification_share: share of training with the cross-entropy alone.
        negatives: each target's own random negative (the paper), or all of the minibatch.
    """

    attribute_dim: int = 340
    margin: float = 0.5
    attribute_weight: float = 0.2
    label_weight: float = 1.0
    manipulation_weight: float = 1.0
    consistency_weight: float = 1.0
    memory_weight: float = 0.4
    classification_share: float = 0.5
    negatives: Negatives = "batch"


class Adde(Method):
    """Disentangled encoder and memory block; the gallery is ranked by cosine."""

    ranking_metric: RankingMetric = "inner_product"

    def __init__(
        self,
        schema: AttributeSchema,
        images: ImageSettings,
        network: NetworkConfig,
        config: AddeConfig,
    ) -> None:
        super().__init__()
        self.config = config
        self.sizes = schema.sizes
        self.embedding_dim = schema.num_attributes * config.attribute_dim
        self.encoder = DisentangledEncoder(
            images.height, images.width, network, schema.sizes, config.attribute_dim
        )
        self.memory = ManipulationMemory(schema.sizes, config.attribute_dim)

    def phases(self) -> tuple[Phase, ...]:
        """Cross-entropy alone, then everything."""
        config = self.config
        return (
            Phase(
                "classification",
                (self.encoder, self.memory.means),
                {"attribute": 1.0},
                last_step=config.classification_share,
            ),
            Phase(
                "manipulation",
                (self.encoder, self.memory),
                {
                    "attribute": config.attribute_weight,
                    "label": config.label_weight,
                    "manipulation": config.manipulation_weight,
                    "consistency": config.consistency_weight,
                    "memory": config.memory_weight,
                },
                first_step=config.classification_share,
            ),
        )

    def losses(self, phase: str, batch: TrainingBatch) -> dict[str, Tensor]:
        """Cross-entropy; in the second phase also the manipulation's terms."""
        pictures = torch.cat((batch.reference, batch.target, batch.negative))
        labels = torch.cat((batch.reference_labels, batch.target_labels, batch.negative_labels))
        embeddings = self.encoder(pictures)
        self.memory.means.observe(embeddings.detach(), labels)
        logits = self.encoder.classify(embeddings)
        attribute = losses.attribute_cross_entropy_loss(logits, labels, self.sizes)
        if phase == "classification":
            return {"attribute": attribute}
        reference, target, negative = embeddings.chunk(3)
        change = self.signed_indicator(batch.query, logits.chunk(3)[0])
        anchor = flatten(reference + self.memory.compose(change))
        composed = self.memory.compose(one_hot(labels, self.sizes))
        return {
            "attribute": attribute,
            "label": self._triplet_loss(anchor, composed[len(anchor) :], batch),
            "manipulation": self._triplet_loss(anchor, torch.cat((target, negative)), batch),
            "consistency": ranking_losses.consistency_loss(embeddings, composed, labels != MISSING),
            "memory": ranking_losses.block_diagonal_loss(
                self.memory.prototypes(), self.memory.blocks()
            ),
        }

    def _triplet_loss(self, anchor: Tensor, candidates: Tensor, batch: TrainingBatch) -> Tensor:
        """Anchors (N, D) against targets and negatives (2N, M, d), side by side."""
        distances = ranking_losses.distance_matrix(anchor, flatten(candidates))
        valid = valid_negatives(batch.target_labels, batch.negative_labels, self.config.negatives)
        return ranking_losses.triplet_margin_loss(
            distances.diagonal(), distances, valid, self.config.margin
        )

    def signed_indicator(self, query: QueryBatch, logits: Tensor) -> Tensor:
        """The i of r + M i: 1 for wanted values, -1 for those that they replace, (N, J).

        Zero for a wanted value that the reference already has.

        Args:
            query: the queries.
            logits: (N, J) for the references, for values whose labels are not known.
        """
        changed = [wanted.any(dim=1) for wanted in query.indicator.split(list(self.sizes), dim=1)]
        likeliest = [block.argmax(dim=1) for block in logits.split(list(self.sizes), dim=1)]
        current = torch.where(
            query.reference_labels == MISSING,
            torch.stack(likeliest, dim=1),
            query.reference_labels,
        )
        unwanted = torch.where(torch.stack(changed, dim=1), current, MISSING)
        return query.indicator - one_hot(unwanted, self.sizes)

    def encode_gallery(self, images: Tensor) -> Tensor:
        """Concatenated embeddings at unit length, (N, M * d)."""
        return flatten(self.encoder(images))

    def encode_query(self, query: QueryBatch) -> Tensor:
        """Manipulated embeddings at unit length, (N, M * d)."""
        embeddings = self.encoder(query.reference)
        change = self.signed_indicator(query, self.encoder.classify(embeddings))
        return flatten(embeddings + self.memory.compose(change))

    def attribute_logits(self, images: Tensor) -> Tensor:
        """Logits (N, J)."""
        return self.encoder.classify(self.encoder(images))


def flatten(embeddings: Tensor) -> Tensor:
    """Embeddings (N, M, d) as one unit vector each, (N, M * d)."""
    return functional.normalize(embeddings.flatten(1))
