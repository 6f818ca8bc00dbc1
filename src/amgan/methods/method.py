"""What a search method has to offer so that the one loop trains it and the one search uses it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn

from amgan.models.trunks import Trunk

RankingMetric = Literal["euclidean", "inner_product"]


@dataclass(frozen=True)
class QueryBatch:
    """What is known at search time.

    Attributes:
        reference: pictures (N, 3, H, W) in [-1, 1].
        indicator: wanted values h, (N, J) in {0, 1}.
        reference_labels: labels (N, M) int64, -1 where missing or not known. At search time a
            picture may come without labels; a method that needs them predicts what is missing.
        features: what the method's `feature_network` makes of the references, (N, F), where it has
            one; the pictures are then not needed, and `reference` may be empty.
        importance: what attributes' weights are multiplied with, (N, M); None for 1 each.
    """

    reference: Tensor
    indicator: Tensor
    reference_labels: Tensor
    features: Tensor | None = None
    importance: Tensor | None = None


@dataclass(frozen=True)
class MethodAnswer:
    """What a method makes of N queries.

    Attributes:
        embeddings: to rank the gallery with, (N, D).
        prototypes: (N, 3, H, W) in [-1, 1]; None where none are drawn.
        logits: of the references' attribute values, (N, J); None without a classifier.
    """

    embeddings: Tensor
    prototypes: Tensor | None
    logits: Tensor | None


@dataclass(frozen=True)
class TrainingBatch:
    """One minibatch of triplets (x, h, y) with a positive and a negative for each target.

    Attributes:
        reference: x, (N, 3, H, W) in [-1, 1].
        indicator: h, (N, J).
        target: y, (N, 3, H, W).
        positive: y+, a picture with all labels of the target, (N, 3, H, W).
        negative: y-, a picture of an item drawn at random, (N, 3, H, W).
        reference_labels, target_labels, positive_labels, negative_labels: (N, M) int64, -1 where
            missing.
        item_ids: reference ids, for error messages.
        exact: which targets are the exact answer, the reference itself after the changes, (N,)
            bool; None where that is not known.
    """

    reference: Tensor
    indicator: Tensor
    target: Tensor
    positive: Tensor
    negative: Tensor
    reference_labels: Tensor
    target_labels: Tensor
    positive_labels: Tensor
    negative_labels: Tensor
    item_ids: tuple[str, ...]
    exact: Tensor | None = None

    @property
    def query(self) -> QueryBatch:
        """The search-time part."""
        return QueryBatch(self.reference, self.indicator, self.reference_labels)


@dataclass(frozen=True)
class LabelledBatch:
    """One minibatch of pictures with labels, for methods that learn without triplets.

    Attributes:
        pictures: (N, 3, H, W) in [-1, 1]; None where `features` will do.
        features: what the method's `feature_network` makes of the pictures, (N, F), or None.
        labels: (N, M) int64, -1 where missing.
        groups: equal for pictures of one product, (N,) int64; every group has two or more.
        item_ids: for error messages.
    """

    pictures: Tensor | None
    features: Tensor | None
    labels: Tensor
    groups: Tensor
    item_ids: tuple[str, ...]


Minibatch = TrainingBatch | LabelledBatch


@dataclass(frozen=True)
class Phase:
    """One optimiser step of the loop.

    Attributes:
        name: passed to `Method.losses`.
        modules: what this phase trains; everything else is frozen while it runs.
        weights: weight of each loss term; a term not listed here is an error.
        first_step, last_step: fractions of training between which the phase runs.
        learning_rate: relative to the configured one; a trunk's is relative to that, as its own
            configuration says.
        own_schedule: the configured schedule runs from the phase's first step to its last, not from
            the training's.
    """

    name: str
    modules: tuple[nn.Module, ...]
    weights: Mapping[str, float]
    first_step: float = 0.0
    last_step: float = 1.0
    learning_rate: float = 1.0
    own_schedule: bool = False


class Method(nn.Module, ABC):
    """A search method: what the one loop trains and the one search path uses.

    A method defines `encode_gallery` and `encode_query`, and `phases` and `losses` where it learns.
    Of the rest it overrides what it offers: the defaults offer nothing. Callers never look at a
    method's class; whatever differs between methods is a member here.

    Attributes:
        ranking_metric: how embeddings of queries and items are compared.
        embedding_dim: D, set by `__init__`.
        fusible: whether `classify` tells the attribute logits of an item from its embedding, and
            the metric is Euclidean: the fused ranking of `methods.fusion` needs both.
        takes_features: whether all its answers are functions of what `feature_network` makes of a
            picture, by way of `encode_features` and `classify`.
        learns_labels: whether it learns from `LabelledBatch`es, not from triplets.
        num_features: F, of what `feature_network` makes; 0 where there is none.
        trains_on_pictures: whether those have to hold pictures; else features will do.
        weighs_attributes: whether its ranking weighs attributes: it then takes labels that it is
            told for certain, and a person can say how much each counts.
        training_only: first letters of the names of those that no model file needs.
        query_side: first letters of the names of those weights and buffers that do not decide the
            gallery's vectors.
        rescored: how many of the items that an engine finds `rescore` puts in order.
        appearance: where in the vectors of queries and items lies how the picture looks, whatever
            is asked, up to its length; None where it is not there.
    """

    ranking_metric: RankingMetric
    embedding_dim: int
    fusible: bool = False
    takes_features: bool = False
    learns_labels: bool = False
    num_features: int = 0
    trains_on_pictures: bool = True
    weighs_attributes: bool = False
    training_only: tuple[str, ...] = ()
    query_side: tuple[str, ...] = ()
    rescored: int = 0
    appearance: slice | None = None

    def load_pretrained(self) -> None:
        """Give each trunk its pretrained weights, where the settings name any.

        Called once for a new model; one that is loaded from a file brings its own.

        Raises:
            InputError: a file of weights that is missing, damaged, or of another network.
        """
        for module in self.modules():
            if isinstance(module, Trunk):
                module.load_pretrained()

    def phases(self) -> tuple[Phase, ...]:
        """Optimiser steps in the order in which the loop takes them for each minibatch.

        Without any, as here, there is nothing to train.
        """
        return ()

    def losses(self, phase: str, batch: TrainingBatch) -> dict[str, Tensor]:
        """Named, unweighted, scalar loss terms; all are minimised."""
        raise NotImplementedError(f"{type(self).__name__} has no phase {phase!r}")

    def fit_scale(self, features: Tensor) -> None:
        """Bring features (N, F) to one scale, where the method `takes_features`."""

    def labelled_losses(self, phase: str, batch: LabelledBatch) -> dict[str, Tensor]:
        """As `losses`, where the method `learns_labels`."""
        raise NotImplementedError(f"{type(self).__name__} does not learn from labels alone")

    @abstractmethod
    def encode_gallery(self, images: Tensor) -> Tensor:
        """Embeddings (N, D) of gallery pictures (N, 3, H, W)."""

    @abstractmethod
    def encode_query(self, query: QueryBatch) -> Tensor:
        """Embeddings (N, D) to rank the gallery with, under `ranking_metric`."""

    def prototype(self, query: QueryBatch) -> Tensor | None:
        """Prototype pictures (N, 3, H, W) in [-1, 1]; None, as here, where none are drawn."""
        return None

    def attribute_logits(self, images: Tensor) -> Tensor | None:
        """Logits (N, J) of the values in pictures; None, as here, without a classifier."""
        return None

    def classify(self, embeddings: Tensor) -> Tensor:
        """Logits (N, J) of the values of items, from their embeddings (N, D); where `fusible`."""
        raise NotImplementedError(f"{type(self).__name__} does not classify embeddings")

    def answer(self, query: QueryBatch) -> MethodAnswer:
        """All that a search needs of a query; one pass where the parts share work."""
        return MethodAnswer(
            self.encode_query(query), self.prototype(query), self.attribute_logits(query.reference)
        )

    def feature_network(self) -> nn.Module | None:
        """Pictures (N, 3, H, W) -> features (N, F), where the method `takes_features`."""
        return None

    def encode_features(self, features: Tensor) -> Tensor:
        """As `encode_gallery`, from features (N, F)."""
        raise NotImplementedError(f"{type(self).__name__} takes no features")

    def give_labels(self, vectors: Tensor, labels: Tensor) -> Tensor:
        """Gallery vectors (N, D) with labels (N, M) for certain, -1 where missing.

        As here, where labels play no part in the ranking, the vectors stay as they are.
        """
        return vectors

    def rescore(self, queries: Tensor, items: Tensor) -> Tensor:
        """Scores (Q, R) of items (Q, R, D) for queries (Q, D), where `rescored` is above 0."""
        raise NotImplementedError(f"{type(self).__name__} does not rescore")

    def decisive_importance(self, indicator: Tensor) -> Tensor:
        """Importance (N, M) that puts items with all wanted values first, labels being certain."""
        raise NotImplementedError(f"{type(self).__name__} does not weigh attributes")

    def query_network(self) -> nn.Module | None:
        """The pass of `answer` as a network that can be compiled; None, as here, without one.

        Called with references (N, 3, H, W) and indicators (N, J), it gives prototypes, their
        embeddings and the references' logits, always all three.
        """
        return None

    def after_step(self, phase: str) -> None:
        """Called when the weights of `phase` have moved; here, nothing is to be done."""
