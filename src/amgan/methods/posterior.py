"""Posterior ranker: a plain attribute classifier, no manipulation network.

What an engineer would build first. The reference's posteriors get the wanted values set to certain;
gallery items are ranked by how well their own posteriors agree with them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from amgan import losses
from amgan.attributes import AttributeSchema
from amgan.images import ImageSettings
from amgan.methods.fusion import posteriors
from amgan.methods.labels import apply_indicator
from amgan.methods.method import Method, Phase, QueryBatch, RankingMetric, TrainingBatch
from amgan.models.encoder import AttributeClassifier, Encoder
from amgan.models.network import NetworkConfig


@dataclass(frozen=True)
class PosteriorConfig:
    """Options of the posterior ranker.

    Attributes:
        agreement: `overlap` scores sum_m <q_m, p_m>, the expected number of attributes on which
            query and item agree; `cross_entropy` scores sum_m <q_m, log p_m>.
    """

    agreement: Literal["overlap", "cross_entropy"] = "overlap"


class PosteriorRanker(Method):
    """Encoder and attribute classifiers, trained by cross-entropy; embeddings are posteriors."""

    ranking_metric: RankingMetric = "inner_product"

    def __init__(
        self,
        schema: AttributeSchema,
        images: ImageSettings,
        network: NetworkConfig,
        config: PosteriorConfig,
    ) -> None:
        super().__init__()
        self.config = config
        self.sizes = schema.sizes
        self.embedding_dim = schema.num_values
        self.encoder = Encoder(images.height, images.width, network)
        self.classifier = AttributeClassifier(network.embedding_dim, schema.num_values)

    def phases(self) -> tuple[Phase, ...]:
        """A single step on the classification loss."""
        return (Phase("classifier", (self.encoder, self.classifier), {"attribute": 1.0}),)

    def losses(self, phase: str, batch: TrainingBatch) -> dict[str, Tensor]:
        """Cross-entropy of the reference's labels."""
        logits = self.attribute_logits(batch.reference)
        return {
            "attribute": losses.attribute_cross_entropy_loss(
                logits, batch.reference_labels, self.sizes
            )
        }

    def encode_gallery(self, images: Tensor) -> Tensor:
        """Posteriors, or their logarithms, (N, J)."""
        logits = self.attribute_logits(images)
        if self.config.agreement == "overlap":
            return posteriors(logits, self.sizes)
        return torch.cat([b.log_softmax(1) for b in logits.split(list(self.sizes), 1)], dim=1)

    def encode_query(self, query: QueryBatch) -> Tensor:
        """Posteriors of the reference with the wanted values certain, (N, J)."""
        posterior = posteriors(self.attribute_logits(query.reference), self.sizes)
        return apply_indicator(posterior, query.indicator, self.sizes)

    def attribute_logits(self, images: Tensor) -> Tensor:
        """Logits (N, J)."""
        logits: Tensor = self.classifier(self.encoder(images))
        return logits
