"""Attribute heads, style and appearance on a trunk, ranked by a learned score.

A trunk, pretrained or not, turns a picture into features; colour cues that a trunk trained to name
objects loses are put beside them. On these lie three heads:

- attributes: posteriors of every attribute's values, calibrated by a temperature each;
- style: what labels do not name, trained by contrast (InfoNCE: van den Oord et al., 2018) so that
  variants of one product, or two views of one picture, are alike;
- appearance: the features themselves, reduced to the directions in which pictures differ from each
  other and hardly from their own other views (a linear discriminant analysis in which every picture
  is a class), for finding a picture again.

Features of a trunk that stays as it is are computed once for each picture; the heads then train in
a minute. `methods.profile` tells what is kept of an item, `methods.score` how queries are ranked.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from amgan import losses
from amgan.attributes import AttributeSchema
from amgan.errors import InputError
from amgan.images import ImageSettings
from amgan.methods.fusion import posteriors
from amgan.methods.labels import apply_indicator, one_hot
from amgan.methods.method import (
    LabelledBatch,
    Method,
    MethodAnswer,
    Phase,
    QueryBatch,
    RankingMetric,
)
from amgan.methods.profile import (
    FLOOR,
    ProfileLayout,
    agreement,
    build_profiles,
    changed_attributes,
    with_given_labels,
)
from amgan.methods.score import LearnedScore
from amgan.models.averaging import follow_average
from amgan.models.colour import ColourCues
from amgan.models.network import NetworkConfig
from amgan.models.trunks import build_trunk

# Of the mean variance between views, added in each direction: few pictures do not show them all.
_RIDGE = 0.05


@dataclass(frozen=True)
class HeadsConfig:
    """Options of the heads.

    Attributes:
        hidden: units between features and attribute logits, and between features and style.
        style_dim: S.
        appearance_dim: A.
        dropout: of hidden units; half as much of features.
        style: weight of the contrast between styles; 0 trains none.
        contrast_temperature: what similarities of styles are divided by.
        label_smoothing: share of a label's probability that is spread over all values.
        colour: whether colour cues are put beside the trunk's features.
        fine_tune: train the trunk too, from pictures; otherwise its features are computed once.
        average: decay of the moving average of the weights, which is what searches, where the trunk
            is trained; 0 for none.
    """

    hidden: int = 512
    style_dim: int = 128
    appearance_dim: int = 256
    dropout: float = 0.4
    style: float = 0.1
    contrast_temperature: float = 0.1
    label_smoothing: float = 0.0
    colour: bool = True
    fine_tune: bool = False
    average: float = 0.998

    def __post_init__(self) -> None:
        if min(self.hidden, self.style_dim, self.appearance_dim) < 1:
            raise InputError("hidden, style_dim and appearance_dim must be 1 or more")
        if not 0 <= self.dropout < 1:
            raise InputError(f"dropout must be from 0 to below 1, not {self.dropout}")
        if not 0 <= self.average < 1:
            raise InputError(f"average must be from 0 to below 1, not {self.average}")


class PictureFeatures(nn.Module):
    """Pictures (N, 3, H, W) -> the trunk's features and colour cues, (N, F) float32."""

    def __init__(self, images: ImageSettings, network: NetworkConfig, *, colour: bool) -> None:
        super().__init__()
        self.trunk = build_trunk(network.trunk, images.height, images.width, network.encoder_widths)
        self.colour = ColourCues(images.height, images.width) if colour else None
        self.num_features = self.trunk.num_features + (ColourCues.num_cues if colour else 0)

    def forward(self, images: Tensor) -> Tensor:
        """Features (N, F)."""
        features = self.trunk.features(images).float()
        if self.colour is None:
            return features
        return torch.cat([features, self.colour(images)], 1)


class HeadsRanker(Method):
    """The method; see the module's docstring."""

    ranking_metric: RankingMetric = "inner_product"
    takes_features = True
    learns_labels = True
    weighs_attributes = True
    query_side = ("score.",)
    training_only = ("trained.",)
    rescored = 500

    def __init__(
        self,
        schema: AttributeSchema,
        images: ImageSettings,
        network: NetworkConfig,
        config: HeadsConfig,
    ) -> None:
        super().__init__()
        self.config = config
        self.layout = ProfileLayout(schema.sizes, config.style_dim, config.appearance_dim)
        self.embedding_dim = self.layout.dim
        self.appearance = slice(self.layout.dim - config.appearance_dim, self.layout.dim)
        self.pictures = PictureFeatures(images, network, colour=config.colour)
        self.num_features = number = self.pictures.num_features
        self.attribute_head = _head(number, config, self.layout.num_values)
        self.style_head = _head(number, config, config.style_dim)
        self.score = LearnedScore(self.layout)
        # What is trained where the modules above are its moving average: pictures, heads.
        self.trained: nn.ModuleList | None = None
        self.trains_on_pictures = config.fine_tune and self.pictures.trunk.trainable
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))
        self.register_buffer("mean", torch.zeros(number))
        self.register_buffer("deviation", torch.ones(number))
        self.register_buffer("temperatures", torch.ones(len(schema.sizes)))
        self.register_buffer("components", torch.zeros(number, config.appearance_dim))

    steps: Tensor
    mean: Tensor
    deviation: Tensor
    temperatures: Tensor
    components: Tensor

    def feature_network(self) -> nn.Module:
        """Trunk and colour cues."""
        return self.pictures

    def fit_scale(self, features: Tensor) -> None:
        """Bring features (N, F) to mean 0 and deviation 1; called before training."""
        self.mean.copy_(features.mean(0))
        self.deviation.copy_(features.std(0, correction=0) + 1e-3)

    def fit_appearance(self, features: Tensor, others: Tensor) -> None:
        """Find the directions of appearance.

        Args:
            features: of N pictures, (N, F).
            others: of another view of each of them, (N, F).
        """
        scaled = self._scale(features).double()
        within = (self._scale(others).double() - scaled).T.cov()
        size = len(within)
        ridge = _RIDGE * within.trace().clamp(min=1e-12) / size
        values, vectors = torch.linalg.eigh(within + ridge * torch.eye(size).to(within))
        whitening = vectors / values.sqrt()
        between = (scaled @ whitening).T.cov()
        _, directions = torch.linalg.eigh(between)
        chosen = (whitening @ directions).flip(1)[:, : self.config.appearance_dim]
        self.components.zero_()
        self.components[:, : chosen.shape[1]] = chosen.float()

    def phases(self) -> tuple[Phase, ...]:
        """One step on labels and styles."""
        weights = {"attribute": 1.0, "style": self.config.style}
        if not self.trains_on_pictures:
            return (Phase("heads", (self.attribute_head, self.style_head), weights),)
        if self.config.average and self.trained is None:
            self.trained = nn.ModuleList(copy.deepcopy(module) for module in self._averaged)
        return (Phase("heads", self._trainees, weights),)

    @property
    def _averaged(self) -> tuple[nn.Module, ...]:
        """What searches: pictures, attribute head, style head."""
        return self.pictures, self.attribute_head, self.style_head

    @property
    def _trainees(self) -> tuple[nn.Module, ...]:
        """What is trained, in the same order."""
        return self._averaged if self.trained is None else tuple(self.trained)

    def after_step(self, phase: str) -> None:
        """Let the average follow; fast at first, so that it soon forgets the random heads."""
        if self.trained is None:
            return
        self.steps += 1
        decay = min(self.config.average, (1 + int(self.steps)) / (10 + int(self.steps)))
        for averaged, trained in zip(self._averaged, self.trained, strict=True):
            follow_average(averaged, trained, decay)

    def labelled_losses(self, phase: str, batch: LabelledBatch) -> dict[str, Tensor]:
        """Cross-entropy of the labels; contrast of styles between groups."""
        pictures, attribute_head, style_head = self._trainees
        features = batch.features if batch.pictures is None else pictures(batch.pictures)
        assert features is not None
        scaled = self._scale(features)
        with torch.autocast(scaled.device.type, enabled=False):
            return {
                "attribute": losses.attribute_cross_entropy_loss(
                    attribute_head(scaled),
                    batch.labels,
                    self.layout.sizes,
                    label_smoothing=self.config.label_smoothing,
                ),
                "style": losses.group_contrast_loss(
                    functional.normalize(style_head(scaled), dim=1),
                    batch.groups,
                    self.config.contrast_temperature,
                ),
            }

    def encode_gallery(self, images: Tensor) -> Tensor:
        """Profiles (N, D)."""
        return self.encode_features(self.pictures(images))

    def encode_features(self, features: Tensor) -> Tensor:
        """Profiles (N, D) from features (N, F)."""
        with torch.autocast(features.device.type, enabled=False):
            scaled = self._scale(features)
            logits = self.attribute_head(scaled) / self.layout.per_value(self.temperatures)
            seen = posteriors(logits, self.layout.sizes)
            style = functional.normalize(self.style_head(scaled), dim=1)
            appearance = functional.normalize(scaled @ self.components, dim=1)
            return build_profiles(seen, style, appearance)

    def encode_query(self, query: QueryBatch) -> Tensor:
        """Vectors of queries (N, D)."""
        return self.answer(query).embeddings

    def answer(self, query: QueryBatch) -> MethodAnswer:
        """Vectors of queries, and what is seen in the references."""
        features = self.pictures(query.reference) if query.features is None else query.features
        profiles = self.encode_features(features)
        labels = one_hot(query.reference_labels, self.layout.sizes)
        vectors = self.ask(profiles, query.indicator, labels, query.importance)
        return MethodAnswer(vectors, None, self.layout.split(profiles)[1])

    def ask(
        self,
        profiles: Tensor,
        indicator: Tensor,
        labels: Tensor | None = None,
        importance: Tensor | None = None,
    ) -> Tensor:
        """Vectors of queries (Q, D).

        Args:
            profiles: of the references, (Q, D).
            indicator: wanted values h, (Q, J).
            labels: f of the references as far as it is certain, (Q, J); None for not at all.
            importance: what attributes' weights are multiplied with, (Q, M); None for 1.
        """
        known = self.layout.split(profiles)[0]
        if labels is not None:
            known = apply_indicator(known, labels, self.layout.sizes)
        wanted = apply_indicator(known, indicator, self.layout.sizes)
        changed = changed_attributes(indicator, self.layout.sizes)
        return self.score.query_vectors(wanted, profiles, changed, importance)

    def rescore(self, queries: Tensor, items: Tensor) -> Tensor:
        """The exact score (Q, R) of items (Q, R, D); engines rank by its inner-product form."""
        return agreement(queries, items, self.layout)

    def give_labels(self, vectors: Tensor, labels: Tensor) -> Tensor:
        """Profiles (N, D) with labels (N, M) for certain."""
        return with_given_labels(vectors, labels, self.layout)

    def decisive_importance(self, indicator: Tensor) -> Tensor:
        """Importance (N, M) that puts items with all wanted values first where labels are given."""
        changed = changed_attributes(indicator, self.layout.sizes)
        largest = float(torch.tensor((1 + FLOOR) / FLOOR).log())
        return self.score.decisive_importance(changed, largest)

    def attribute_logits(self, images: Tensor) -> Tensor:
        """Logarithms of calibrated posteriors (N, J)."""
        return self.classify(self.encode_gallery(images))

    def classify(self, embeddings: Tensor) -> Tensor:
        """Logarithms of calibrated posteriors (N, J), from profiles (N, D)."""
        return self.layout.split(embeddings)[1]

    def _scale(self, features: Tensor) -> Tensor:
        return (features.float() - self.mean) / self.deviation


def _head(inputs: int, config: HeadsConfig, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Dropout(config.dropout / 2),
        nn.Linear(inputs, config.hidden),
        nn.ReLU(),
        nn.Dropout(config.dropout),
        nn.Linear(config.hidden, outputs),
    )
