"""Rankers that learn nothing: what any method has to beat."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from amgan.attributes import AttributeSchema
from amgan.errors import InputError
from amgan.images import ImageSettings
from amgan.methods.protocol import Phase, QueryBatch, RankingMetric, TrainingBatch
from amgan.models.network import NetworkConfig


@dataclass(frozen=True)
class NoOptions:
    """These rankers have no options."""


class _Untrained(nn.Module):
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

    def phases(self) -> tuple[Phase, ...]:
        """No steps."""
        return ()

    def losses(self, phase: str, batch: TrainingBatch) -> dict[str, Tensor]:
        """Never called, as there are no phases."""
        raise InputError(f"there is no phase {phase!r}")

    def prototype(self, query: QueryBatch) -> None:
        """None."""
        return

    def attribute_logits(self, images: Tensor) -> None:
        """None."""
        return

    def encode_query(self, query: QueryBatch) -> Tensor:
        """The reference's own embedding: changes are ignored."""
        return self.encode_gallery(query.reference)

    def encode_gallery(self, images: Tensor) -> Tensor:
        """Embeddings (N, D)."""
        raise NotImplementedError


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


class Unmanipulated(nn.Module):
    """A trained method whose queries are the reference's own embedding: changes are ignored."""

    def __init__(self, method: Any) -> None:
        super().__init__()
        self.method = method
        self.ranking_metric: RankingMetric = method.ranking_metric
        self.embedding_dim: int = method.embedding_dim

    def encode_gallery(self, images: Tensor) -> Tensor:
        """As the method."""
        embeddings: Tensor = self.method.encode_gallery(images)
        return embeddings

    def encode_query(self, query: QueryBatch) -> Tensor:
        """The reference as if it were a gallery item."""
        return self.encode_gallery(query.reference)

    def prototype(self, query: QueryBatch) -> None:
        """None."""
        return

    def attribute_logits(self, images: Tensor) -> Tensor | None:
        """As the method."""
        logits: Tensor | None = self.method.attribute_logits(images)
        return logits
