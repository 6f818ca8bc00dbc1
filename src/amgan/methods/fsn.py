"""FashionSearchNet (Ak, Kassim, Lim, Tham, CVPR 2018): attribute features from their own regions.

A localisation branch learns attribute activation maps from labels alone (global average pooling and
a classifier). The region around a map's peak is pooled from the convolutional features and becomes
that attribute's feature. A change substitutes the feature of the unwanted value by the average
feature of the wanted one. Weights of attributes, learned for each changed attribute, make one
representation of the features. Losses: cross-entropy of both branches, and the soft triplet loss
(Hoffer and Ailon, 2015) on each attribute's feature and on the weighted whole. Localisation and
classification come first, ranking follows.

Ours to choose: the shared convolutional trunk in place of AlexNet; regions are pooled by averages
(a matrix product) in place of maxima; features have a fixed length, so that the weighted distance
of the paper is an inner product with the gallery's vectors and any engine can search it; several
changes use the geometric mean of their weights, no change has weights of its own; triplets of an
attribute are drawn within the minibatch.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from amgan import losses
from amgan.attributes import AttributeSchema
from amgan.images import ImageSettings
from amgan.methods import ranking_losses
from amgan.methods.method import Method, Phase, QueryBatch, RankingMetric, TrainingBatch
from amgan.methods.mining import Negatives, next_matching, valid_negatives
from amgan.models.fsn import RegionNetwork
from amgan.models.network import NetworkConfig
from amgan.models.trunks import build_trunk
from amgan.models.value_means import ValueMeans


@dataclass(frozen=True)
class FsnConfig:
    """Options of FashionSearchNet.

    Attributes:
        representation_dim: length of all attributes' features together, at most (4,096 in the
            paper); shared out evenly.
        pooled_size: cells a side that a region is pooled to.
        threshold: share of an activation map's range above which it belongs to the region.
        radius: length of an attribute's feature, which sets how far the softmax of a triplet goes.
        attribute_weight: weight of both cross-entropies.
        local_weight: weight of the triplet loss on each attribute's feature.
        global_weight: weight of the triplet loss on the weighted whole.
        classification_share: share of training with the cross-entropies alone.
        negatives: of the whole: each target's own random negative (the paper), or all of the
            minibatch.
    """

    representation_dim: int = 4096
    pooled_size: int = 2
    threshold: float = 0.2
    radius: float = 4.0
    attribute_weight: float = 1.0
    local_weight: float = 1.0
    global_weight: float = 1.0
    classification_share: float = 0.25
    negatives: Negatives = "batch"


class Fsn(Method):
    """Region network, average features, attribute weights."""

    ranking_metric: RankingMetric = "inner_product"

    def __init__(
        self,
        schema: AttributeSchema,
        images: ImageSettings,
        network: NetworkConfig,
        config: FsnConfig,
    ) -> None:
        super().__init__()
        self.config = config
        self.sizes = schema.sizes
        dim = config.representation_dim // schema.num_attributes
        self.embedding_dim = dim * schema.num_attributes
        self.regions = RegionNetwork(
            build_trunk(network.trunk, images.height, images.width, network.encoder_widths),
            schema.sizes,
            dim,
            config.pooled_size,
            config.threshold,
        )
        self.averages = ValueMeans(schema.sizes, dim)
        self.importance = Importance(schema.num_attributes)

    def phases(self) -> tuple[Phase, ...]:
        """Localisation and classification, then everything."""
        config = self.config
        share = config.classification_share
        return (
            Phase(
                "classification",
                (self.regions, self.averages),
                {"localisation": 1.0, "attribute": 1.0},
                last_step=share,
            ),
            Phase(
                "ranking",
                (self.regions, self.averages, self.importance),
                {
                    "localisation": config.attribute_weight,
                    "attribute": config.attribute_weight,
                    "local_ranking": config.local_weight,
                    "global_ranking": config.global_weight,
                },
                first_step=share,
            ),
        )

    def losses(self, phase: str, batch: TrainingBatch) -> dict[str, Tensor]:
        """Cross-entropies; in the second phase also the triplet losses."""
        pictures = torch.cat((batch.reference, batch.target, batch.negative))
        labels = torch.cat((batch.reference_labels, batch.target_labels, batch.negative_labels))
        features, map_logits = self.regions(pictures)
        logits = self.regions.classify(features)
        terms = {
            "localisation": losses.attribute_cross_entropy_loss(map_logits, labels, self.sizes),
            "attribute": losses.attribute_cross_entropy_loss(logits, labels, self.sizes),
        }
        features = self._fix_length(features)
        self.averages.observe(features.detach(), labels)
        if phase == "ranking":
            terms["local_ranking"] = _local_ranking_loss(features, labels)
            terms["global_ranking"] = self._global_ranking_loss(features, batch)
        return terms

    def _global_ranking_loss(self, features: Tensor, batch: TrainingBatch) -> Tensor:
        """The soft triplet loss under the distance sqrt(sum_m w_m^2 |q_m - g_m|^2)."""
        reference, target, negative = features.chunk(3)
        anchor = self.substitute(reference, batch.indicator)
        weights = self.importance(self._changed(batch.indicator))[:, :, None]
        candidates = torch.cat((target, negative))
        # Both have the same length, so the weighted distance follows from the inner product.
        with torch.autocast(features.device.type, enabled=False):
            weighted = weights.square() * anchor
            products = weighted.flatten(1) @ candidates.flatten(1).T
            own = (weights.square() * self.config.radius**2).sum(dim=1)
        distances = (2 * (own - products)).clamp(min=1e-12).sqrt()
        return ranking_losses.soft_triplet_loss(
            distances.diagonal()[:, None],
            distances,
            valid_negatives(batch.target_labels, batch.negative_labels, self.config.negatives),
        )

    def _changed(self, indicator: Tensor) -> Tensor:
        blocks = indicator.split(list(self.sizes), dim=1)
        return torch.stack([block.any(dim=1) for block in blocks], dim=1)

    def substitute(self, features: Tensor, indicator: Tensor) -> Tensor:
        """Features (N, M, d) with those of changed attributes replaced by the wanted averages."""
        averages = self._fix_length(self.averages.means)
        sizes = list(self.sizes)
        blocks = zip(indicator.float().split(sizes, 1), averages.split(sizes), strict=True)
        with torch.autocast(features.device.type, enabled=False):
            wanted = torch.stack([asked @ block for asked, block in blocks], dim=1)
        return torch.where(self._changed(indicator)[:, :, None], wanted, features)

    def _fix_length(self, features: Tensor) -> Tensor:
        fixed: Tensor = self.config.radius * functional.normalize(features, dim=-1)
        return fixed

    def encode_gallery(self, images: Tensor) -> Tensor:
        """Attribute features side by side, (N, M * d)."""
        return self._fix_length(self.regions(images)[0]).flatten(1)

    def encode_query(self, query: QueryBatch) -> Tensor:
        """Weighted features after substitution, (N, M * d).

        Their inner product with gallery vectors orders as the weighted distance does.
        """
        features = self._fix_length(self.regions(query.reference)[0])
        manipulated = self.substitute(features, query.indicator)
        weights = self.importance(self._changed(query.indicator))
        weighted: Tensor = weights.square()[:, :, None] * manipulated
        return weighted.flatten(1)

    def attribute_logits(self, images: Tensor) -> Tensor:
        """Logits (N, J) of the attribute features' classifiers."""
        return self.regions.classify(self.regions(images)[0])


class Importance(nn.Module):
    """Weight of each attribute in the whole, which depends on the attributes that change."""

    def __init__(self, num_attributes: int) -> None:
        super().__init__()
        self.logarithms = nn.Parameter(torch.zeros(num_attributes, num_attributes))
        self.unchanged = nn.Parameter(torch.zeros(num_attributes))

    def forward(self, changed: Tensor) -> Tensor:
        """Which attributes change, (N, M) bool -> positive weights (N, M), float32."""
        share = changed.float() / changed.sum(dim=1, keepdim=True).clamp(min=1)
        with torch.autocast(changed.device.type, enabled=False):
            logarithms = share @ self.logarithms
        none = ~changed.any(dim=1, keepdim=True)
        return torch.where(none, self.unchanged, logarithms).exp()


def _local_ranking_loss(features: Tensor, labels: Tensor) -> Tensor:
    """The soft triplet loss on each attribute's features (N, M, d)."""
    positive, negative, valid = next_matching(labels)
    index = (..., None)
    size = (-1, -1, features.shape[2])
    to_positive = features - features.gather(0, positive[index].expand(size))
    to_negative = features - features.gather(0, negative[index].expand(size))
    distances = [
        (difference.square().sum(dim=2) + 1e-12).sqrt() for difference in (to_positive, to_negative)
    ]
    return ranking_losses.soft_triplet_loss(distances[0], distances[1], valid)
