"""What a search method has to offer so that the one loop trains it and the one search uses it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from torch import Tensor, nn

RankingMetric = Literal["euclidean", "inner_product"]


@dataclass(frozen=True)
class QueryBatch:
    """What is known at search time.

    Attributes:
        reference: pictures (N, 3, H, W) in [-1, 1].
        indicator: wanted values h, (N, J) in {0, 1}.
        reference_labels: labels (N, M) int64, -1 where missing or not known. At search time a
            picture may come without labels; a method that needs them predicts what is missing.
    """

    reference: Tensor
    indicator: Tensor
    reference_labels: Tensor


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
class Phase:
    """One optimiser step of the loop.

    Attributes:
        name: passed to `Method.losses`.
        modules: what this phase trains; everything else is frozen while it runs.
        weights: weight of each loss term; a term not listed here is an error.
        first_step, last_step: fractions of training between which the phase runs.
        learning_rate: relative to the configured one.
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


@runtime_checkable
class Method(Protocol):
    """A search method: an `nn.Module` with the following members."""

    ranking_metric: RankingMetric
    embedding_dim: int

    def phases(self) -> tuple[Phase, ...]:
        """Optimiser steps in the order in which the loop takes them for each minibatch."""

    def losses(self, phase: str, batch: TrainingBatch) -> dict[str, Tensor]:
        """Named, unweighted, scalar loss terms; all are minimised."""

    def encode_gallery(self, images: Tensor) -> Tensor:
        """Embeddings (N, D) of gallery pictures (N, 3, H, W)."""

    def encode_query(self, query: QueryBatch) -> Tensor:
        """Embeddings (N, D) to rank the gallery with, under `ranking_metric`."""

    def prototype(self, query: QueryBatch) -> Tensor | None:
        """Prototype pictures (N, 3, H, W) in [-1, 1]; None where the method draws none."""

    def attribute_logits(self, images: Tensor) -> Tensor | None:
        """Logits (N, J) of the attribute values in pictures; None where there is no classifier."""

    def parameters(self) -> Iterator[nn.Parameter]:
        """As `nn.Module`."""


@runtime_checkable
class FollowsSteps(Protocol):
    """A method that has something to do after each optimiser step, such as averaging weights."""

    def after_step(self, phase: str) -> None:
        """Called when the weights of `phase` have moved."""
