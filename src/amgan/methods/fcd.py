"""FCD: Han et al., "Automatic Spatially-Aware Fashion Concept Discovery", ICCV 2017.

Pictures and descriptions share one embedding space, learned with a bidirectional ranking loss
(section 3.1 there); attribute-feedback retrieval is vector arithmetic in it (section 3.4): the
reference minus the unwanted value's embedding plus the wanted one's.

What we had to choose:

- A description is the sum of its values' embeddings; an item without any label takes no part.
- Descriptions that say the same are no negatives of each other: a catalogue with few attributes
  repeats its descriptions within a minibatch, and the loss would tear equal items apart.
- A picture's embedding has no length of its own, the ranking being by cosine. Pictures and values
  get length 1 before the arithmetic (`length="unit"`); or the picture gets the length of its own
  description and values keep theirs (`length="description"`), so that a picture which lies exactly
  on its description is carried exactly onto the description of what is wanted. No picture lies
  there: after short training the first form ranked better (Top-10 on validation items .560, the
  second .528).
- The unwanted value is the reference's label where it is known; otherwise it is detected as the
  paper does, as the attribute's value nearest to the picture.
- The concepts that the paper discovers by clustering words are the catalogue's attributes, so
  there is nothing to discover; the concept subspaces, which serve browsing and the detection of the
  unwanted value, are left out.
- The trunk is the one all methods share, 512-d (the paper's Table 4), instead of GoogleNet.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from amgan.attributes import MISSING, AttributeSchema
from amgan.images import ImageSettings
from amgan.methods.baseline_losses import bidirectional_ranking_loss
from amgan.methods.labels import one_hot
from amgan.methods.method import Method, Phase, QueryBatch, RankingMetric, TrainingBatch
from amgan.models.blocks import initialise
from amgan.models.encoder import Encoder
from amgan.models.network import NetworkConfig

# Cosines become logits by this factor; it decides how sure predictions sound, not their order.
_LOGIT_SCALE = 20.0


@dataclass(frozen=True)
class FcdConfig:
    """Options of FCD.

    Attributes:
        margin: m of the ranking loss.
        length: see above.
    """

    margin: float = 0.2
    length: Literal["unit", "description"] = "unit"


class Fcd(Method):
    """Encoder and one embedding an attribute value, ranked by cosine."""

    ranking_metric: RankingMetric = "inner_product"

    def __init__(
        self,
        schema: AttributeSchema,
        images: ImageSettings,
        network: NetworkConfig,
        config: FcdConfig,
    ) -> None:
        super().__init__()
        self.config = config
        self.sizes = schema.sizes
        self.embedding_dim = network.embedding_dim
        self.encoder = Encoder(images.height, images.width, network)
        self.value_embedding = nn.Linear(schema.num_values, network.embedding_dim, bias=False)
        initialise(self.value_embedding)

    def phases(self) -> tuple[Phase, ...]:
        """A single step on the ranking loss."""
        return (Phase("embedding", (self.encoder, self.value_embedding), {"ranking": 1.0}),)

    def losses(self, phase: str, batch: TrainingBatch) -> dict[str, Tensor]:
        """Ranking loss of references against each other's descriptions."""
        labels = batch.reference_labels
        described = (labels != MISSING).any(dim=1)
        different = (labels[:, None] != labels[None, :]).any(dim=2)
        return {
            "ranking": bidirectional_ranking_loss(
                self.encoder(batch.reference),
                self.describe(one_hot(labels, self.sizes)),
                different & described[:, None] & described[None, :],
                self.config.margin,
            )
        }

    def describe(self, one_hot: Tensor) -> Tensor:
        """Embeddings (N, D) float32 of descriptions f (N, J): the sum of their values'."""
        with torch.autocast(one_hot.device.type, enabled=False):  # sums are compared with cosines
            embeddings: Tensor = self.value_embedding(one_hot.float())
        return embeddings

    def encode_gallery(self, images: Tensor) -> Tensor:
        """Picture embeddings of length 1, (N, D)."""
        return functional.normalize(self.encoder(images), dim=1)

    def encode_query(self, query: QueryBatch) -> Tensor:
        """The reference minus what is unwanted plus what is wanted, of length 1, (N, D)."""
        picture = self.encode_gallery(query.reference)
        labels = self._known_or_detected(picture, query.reference_labels)
        own = one_hot(labels, self.sizes)
        unwanted = own * self._asked(query.indicator)
        change = query.indicator - unwanted
        if self.config.length == "unit":
            values = functional.normalize(self.value_embedding.weight.float(), dim=0)
            with torch.autocast(picture.device.type, enabled=False):
                moved = picture + change @ values.T
        else:
            length = self.describe(own).norm(dim=1, keepdim=True)
            moved = length * picture + self.describe(change)
        return functional.normalize(moved, dim=1)

    def attribute_logits(self, images: Tensor) -> Tensor:
        """Scaled cosines between pictures and values, (N, J)."""
        return self._cosines(self.encode_gallery(images)) * _LOGIT_SCALE

    def _cosines(self, picture: Tensor) -> Tensor:
        with torch.autocast(picture.device.type, enabled=False):
            return picture @ functional.normalize(self.value_embedding.weight, dim=0)

    def _known_or_detected(self, picture: Tensor, labels: Tensor) -> Tensor:
        blocks = self._cosines(picture).split(list(self.sizes), dim=1)
        detected = torch.stack([block.argmax(dim=1) for block in blocks], dim=1)
        return torch.where(labels == MISSING, detected, labels)

    def _asked(self, indicator: Tensor) -> Tensor:
        """1 for every value of an attribute that is to be changed, (N, J)."""
        blocks = [
            block.amax(dim=1, keepdim=True).expand_as(block)
            for block in indicator.split(list(self.sizes), dim=1)
        ]
        return torch.cat(blocks, dim=1)
