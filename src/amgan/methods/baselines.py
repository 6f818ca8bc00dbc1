"""Rankers that learn nothing: what any method has to beat."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional

from amgan.attributes import AttributeSchema
from amgan.images import ImageSettings
from amgan.methods.method import Method, QueryBatch, RankingMetric
from amgan.models.network import NetworkConfig


@dataclass(frozen=True)
class NoOptions:
    """These rankers have no options."""


class _Untrained(Method):
    """Nothing to train, to draw or to classify."""

    ranking_metric: RankingMetric = "euclidean"

    def __init__(
        self,
        schema: AttributeSchema,
        images: ImageSettings,
        network: NetworkConfig,
        config: NoOptions,
    ) -> None:
        super().__init__()

    def encode_query(self, query: QueryBatch) -> Tensor:
        """The reference's own embedding: changes are ignored."""
        return self.encode_gallery(query.reference)


class NearestPicture(_Untrained):
    """Ranks by pixels, shrunk to 16 x 16, without manipulation."""

    embedding_dim = 3 * 16 * 16

    def encode_gallery(self, images: Tensor) -> Tensor:
        """Area-averaged pixels (N, 768)."""
        return functional.interpolate(images.float(), (16, 16), mode="area").flatten(1)


class RandomRanker(_Untrained):
    """Ranks at random; the same pictures in the same order give the same ranks."""

    embedding_dim = 16

    def encode_gallery(self, images: Tensor) -> Tensor:
        """Numbers (N, 16) drawn anew for each picture, seeded by the pictures' sum."""
        seed = int(images.double().sum().mul(1e3).round().item()) & 0x7FFF_FFFF
        generator = torch.Generator().manual_seed(seed)
        return torch.randn(len(images), self.embedding_dim, generator=generator).to(images.device)


class Unmanipulated(Method):
    """A trained method whose queries are the reference's own embedding: changes are ignored."""

    def __init__(self, method: Method) -> None:
        super().__init__()
        self.method = method
        self.ranking_metric = method.ranking_metric
        self.embedding_dim = method.embedding_dim

    def encode_gallery(self, images: Tensor) -> Tensor:
        """As the method."""
        return self.method.encode_gallery(images)

    def encode_query(self, query: QueryBatch) -> Tensor:
        """The reference as if it were a gallery item, or a query that asks for no change."""
        if self.method.takes_features:
            nothing = torch.zeros_like(query.indicator)
            return self.method.encode_query(replace(query, indicator=nothing))
        return self.encode_gallery(query.reference)

    def attribute_logits(self, images: Tensor) -> Tensor | None:
        """As the method."""
        return self.method.attribute_logits(images)
