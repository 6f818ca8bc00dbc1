"""Methods that search with a drawn prototype: generator, encoder, attribute classifiers."""

from __future__ import annotations

import math
from typing import Literal

from torch import Tensor, nn

from amgan import losses
from amgan.attributes import AttributeSchema
from amgan.errors import InputError
from amgan.images import ImageSettings
from amgan.methods.method import Method, MethodAnswer, QueryBatch, RankingMetric
from amgan.models.encoder import AttributeClassifier, Encoder
from amgan.models.generator import Generator
from amgan.models.network import NetworkConfig

AttributeLoss = Literal["probability", "cross_entropy"]


class PrototypeSearch(Method):
    """Ranks the gallery by the Euclidean distance between E(G(x, h)) and E(y).

    What such methods share at search time; how G and E are trained is left to each.

    Args:
        schema, images, network: sizes of the networks.
        embedding_length: length of E's embeddings; 0 leaves it free.
        generator: takes the place of the paper's.
    """

    ranking_metric: RankingMetric = "euclidean"
    fusible = True
    generator: nn.Module

    def __init__(
        self,
        schema: AttributeSchema,
        images: ImageSettings,
        network: NetworkConfig,
        *,
        embedding_length: float = 0.0,
        generator: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.sizes = schema.sizes
        self.embedding_dim = network.embedding_dim
        self.generator = generator or Generator(schema.num_values, schema.num_attributes, network)
        # Distances then start near 1, the shift b of Eq. 7, instead of near 36, from where the pair
        # scheme shrinks all embeddings together before it learns anything.
        root = math.sqrt(network.embedding_dim)
        self.encoder = Encoder(
            images.height, images.width, network, 1 / root, length=embedding_length
        )
        if not self.encoder.trunk.differentiable:
            raise InputError(
                "a method that draws prototypes learns from gradients that pass through the trunk, "
                f"and {network.trunk.name} lets none through; choose conv or efficientnet-lite0",
                field="network.trunk.name",
            )
        self.classifier = AttributeClassifier(network.embedding_dim, schema.num_values, root)

    def encode_gallery(self, images: Tensor) -> Tensor:
        """E(y), (N, D)."""
        embeddings: Tensor = self.encoder(images)
        return embeddings

    def encode_query(self, query: QueryBatch) -> Tensor:
        """E(G(x, h)), (N, D)."""
        return self.encode_gallery(self.prototype(query))

    def prototype(self, query: QueryBatch) -> Tensor:
        """G(x, h), (N, 3, H, W) in [-1, 1]."""
        prototype: Tensor = self.generator(query.reference, query.indicator)
        return prototype

    def draw(self, reference: Tensor, indicator: Tensor, logits: Tensor) -> Tensor:
        """The same where the logits (N, J) of the references' values are known already.

        The paper's generator does not ask for them.
        """
        prototype: Tensor = self.generator(reference, indicator)
        return prototype

    def attribute_logits(self, images: Tensor) -> Tensor:
        """Logits of C_1 ... C_M on E(images), (N, J)."""
        return self.classify(self.encoder(images))

    def classify(self, embeddings: Tensor) -> Tensor:
        """Logits of C_1 ... C_M on embeddings (N, D), (N, J) float32."""
        logits: Tensor = self.classifier(embeddings)
        return logits.float()

    def answer(self, query: QueryBatch) -> MethodAnswer:
        """Prototypes, their embeddings, and logits of the references; each is drawn once."""
        logits = self.attribute_logits(query.reference)
        prototypes = self.draw(query.reference, query.indicator, logits)
        return MethodAnswer(self.encode_gallery(prototypes), prototypes, logits)

    def query_network(self) -> nn.Module:
        """The same as one network."""
        return QueryNetwork(self)

    def attribute_loss(self, embeddings: Tensor, labels: Tensor, form: AttributeLoss) -> Tensor:
        """Eq. 6 on embeddings (N, D) and labels (N, M), in either form."""
        logits = self.classify(embeddings)
        if form == "probability":
            return losses.attribute_probability_loss(logits, labels, self.sizes)
        return losses.attribute_cross_entropy_loss(logits, labels, self.sizes)


class QueryNetwork(nn.Module):
    """What one query of a drawing method needs, in one pass."""

    def __init__(self, method: PrototypeSearch) -> None:
        super().__init__()
        self.method = method

    def forward(self, reference: Tensor, indicator: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Pictures (N, 3, H, W) and h (N, J) to prototypes, their embeddings, logits of x."""
        logits = self.method.attribute_logits(reference)
        prototype = self.method.draw(reference, indicator, logits)
        return prototype, self.method.encoder(prototype), logits
