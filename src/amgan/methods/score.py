"""The learned score: weights of agreement, style and appearance, fitted to validation queries.

The form of the score is told in `methods.profile`. It is learned listwise (ListNet: Cao et al.,
Learning to rank, ICML 2007): the softmax over the items' scores is brought close to a distribution
in which items count by how many attributes are as the query wants them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from amgan.methods.profile import ProfileLayout, agreement

# Queries are told apart by how many changes they ask for: 0, 1, 2, 3 or more.
NUMBERS_OF_CHANGES = 4
_FIRST_AGREEMENT = 0.5
_FIRST_STYLE = 1.0
_FIRST_APPEARANCE = 0.3
# Where nothing is asked, the same picture is what is looked for.
_FIRST_APPEARANCE_UNCHANGED = 10.0
_MARGIN = 1.01


class LearnedScore(nn.Module):
    """Weights of the score, all positive.

    Args:
        layout: of the profiles.
    """

    def __init__(self, layout: ProfileLayout) -> None:
        super().__init__()
        self.layout = layout
        attributes = len(layout.sizes)
        # [changed, kept] x [linear, logarithmic] of each attribute.
        self.attribute = nn.Parameter(_inverse_softplus(attributes, 2, 2, value=_FIRST_AGREEMENT))
        # Of kept attributes, by number of changes.
        self.kept = nn.Parameter(_inverse_softplus(NUMBERS_OF_CHANGES, value=1.0))
        self.style = nn.Parameter(_inverse_softplus(NUMBERS_OF_CHANGES, value=_FIRST_STYLE))
        appearance = _inverse_softplus(NUMBERS_OF_CHANGES, value=_FIRST_APPEARANCE)
        appearance[0] = _inverse_softplus(value=_FIRST_APPEARANCE_UNCHANGED)
        self.appearance = nn.Parameter(appearance)

    def query_vectors(
        self, wanted: Tensor, profiles: Tensor, changed: Tensor, importance: Tensor | None = None
    ) -> Tensor:
        """What a query brings, (Q, D).

        Args:
            wanted: q, posteriors of the references with the wanted values made certain, (Q, J).
            profiles: of the references, (Q, D).
            changed: which attributes are asked for, (Q, M) bool.
            importance: what the attributes' weights are multiplied with, (Q, M); None for 1.
        """
        number = changed.sum(1).clamp(max=NUMBERS_OF_CHANGES - 1)
        weights = functional.softplus(self.attribute)
        kept = weights[:, 1] * functional.softplus(self.kept)[number][:, None, None]
        chosen = torch.where(changed[:, :, None], weights[:, 0], kept)  # (Q, M, 2)
        if importance is not None:
            chosen = chosen * importance[:, :, None]
        *_, style, appearance = self.layout.split(profiles)
        return torch.cat(
            [
                wanted * self.layout.per_value(chosen[:, :, 0]),
                wanted * self.layout.per_value(chosen[:, :, 1]),
                style * functional.softplus(self.style)[number][:, None],
                appearance * functional.softplus(self.appearance)[number][:, None],
            ],
            1,
        )

    def decisive_importance(self, changed: Tensor, largest: float) -> Tensor:
        """Importance (Q, M) with which no item that lacks a wanted value is above one that has it.

        Args:
            changed: which attributes are asked for, (Q, M) bool.
            largest: by how much log agreement can differ between two items.
        """
        number = changed.sum(1).clamp(max=NUMBERS_OF_CHANGES - 1)
        weights = functional.softplus(self.attribute)
        span = weights[:, :, 0] + largest * weights[:, :, 1]  # (M, 2)
        kept = span[:, 1] * functional.softplus(self.kept)[number][:, None]
        others = torch.where(changed, torch.zeros_like(kept), kept).sum(1)
        others = others + 2 * functional.softplus(self.style)[number]
        others = others + 2 * functional.softplus(self.appearance)[number]
        return torch.where(changed, (_MARGIN * others[:, None] / span[:, 0]).clamp(min=1.0), 1.0)


@dataclass(frozen=True, eq=False)
class ScoreExamples:
    """Queries whose right answers are known.

    Attributes:
        profiles: of the references, (Q, D).
        indicator: wanted values h, (Q, J).
        wanted_labels: labels of a perfect answer, (Q, M), -1 where missing.
        own: place among the items of the reference itself, which is left out; -1 for none, (Q,).
        targets: place of the one right item, for queries without a change; -1 elsewhere, (Q,).
    """

    profiles: Tensor
    indicator: Tensor
    wanted_labels: Tensor
    own: Tensor
    targets: Tensor

    def __len__(self) -> int:
        return len(self.profiles)

    def part(self, rows: Tensor) -> ScoreExamples:
        """Some of the queries."""
        return ScoreExamples(
            self.profiles[rows],
            self.indicator[rows],
            self.wanted_labels[rows],
            self.own[rows],
            self.targets[rows],
        )


def fit_score(
    score: LearnedScore,
    ask: Callable[[Tensor, Tensor], Tensor],
    examples: ScoreExamples,
    items: Tensor,
    labels: Tensor,
    *,
    steps: int = 300,
    batch_size: int = 128,
    learning_rate: float = 0.05,
    prior: float = 1.0,
    sharpness: float = 16.0,
    seed: int = 0,
) -> list[float]:
    """Fit the weights; returns the loss of each step.

    Args:
        score: its parameters are changed.
        ask: makes query vectors (Q, D) of profiles and indicators, by way of `score`.
        examples: queries.
        items: profiles of the items to rank, (N, D).
        labels: of the items, (N, M), -1 where missing.
        steps: minibatches.
        batch_size: queries in each.
        learning_rate: Adam's, falling to zero along a cosine.
        prior: how strongly weights are held to where they began, in queries: with few queries they
            stay near it.
        sharpness: an item with all attributes right counts e^(sharpness / M) times as much as one
            with all but one; large values look at exact answers alone.
        seed: of the minibatches.
    """
    random = torch.Generator().manual_seed(seed)
    optimiser = torch.optim.Adam(score.parameters(), learning_rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    first = [parameter.detach().clone() for parameter in score.parameters()]
    losses = []
    with torch.enable_grad():
        for _ in range(steps):
            rows = torch.randint(len(examples), (min(batch_size, len(examples)),), generator=random)
            part = examples.part(rows)
            vectors = ask(part.profiles, part.indicator)
            scores = agreement(vectors, items, score.layout)
            loss = _listwise_loss(scores, part, labels, sharpness)
            moved = zip(score.parameters(), first, strict=True)
            away = sum((now - then).square().sum() for now, then in moved)
            loss = loss + prior / len(examples) * away
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            losses.append(float(loss.detach()))
    return losses


def _listwise_loss(
    scores: Tensor, examples: ScoreExamples, labels: Tensor, sharpness: float
) -> Tensor:
    """Cross-entropy between what items are worth and the softmax of their scores (Q, N)."""
    own = functional.one_hot(examples.own + 1, scores.shape[1] + 1)[:, 1:].bool()
    scores = scores.masked_fill(own, -torch.inf)
    right = (labels[None] == examples.wanted_labels[:, None]).float().mean(2)
    worth = (sharpness * right).masked_fill(own, -torch.inf).softmax(1)
    single = functional.one_hot(examples.targets + 1, scores.shape[1] + 1)[:, 1:].float()
    worth = torch.where((examples.targets >= 0)[:, None], single, worth)
    logs = scores.log_softmax(1).masked_fill(own, 0.0)
    return -(worth * logs).sum(1).mean()


def _inverse_softplus(*shape: int, value: float) -> Tensor:
    return torch.full(shape, value).expm1().log()
