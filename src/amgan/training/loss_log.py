"""Loss terms of the steps between two log lines."""

from __future__ import annotations

import math
from collections.abc import Mapping

from torch import Tensor

from amgan.errors import AmganError
from amgan.methods.method import Minibatch, Phase
from amgan.training.checkpoint import Progress


class TrainingDivergedError(AmganError):
    """A loss term is not finite."""


class LossLog:
    """Adds up loss terms, and tells their means."""

    def __init__(self) -> None:
        self._values: dict[str, list[float]] = {}

    def add(
        self, phase: Phase, terms: Mapping[str, Tensor], batch: Minibatch, progress: Progress
    ) -> None:
        """Note the terms of one step.

        Raises:
            ValueError: the phase has weights for other terms.
            TrainingDivergedError: a term is not finite.
        """
        if set(terms) != set(phase.weights):
            raise ValueError(
                f"phase {phase.name!r} has weights for {sorted(phase.weights)} "
                f"but its losses are {sorted(terms)}"
            )
        for name, term in terms.items():
            value = float(term.detach())
            if not math.isfinite(value):
                raise TrainingDivergedError(
                    f"loss {phase.name}.{name} is {value} at epoch {progress.epoch}, "
                    f"step {progress.step}; items of the minibatch: {', '.join(batch.item_ids)}"
                )
            self._values.setdefault(f"{phase.name}.{name}", []).append(value)

    def means(self) -> dict[str, float]:
        """Mean of each term since the last call, named PHASE.TERM."""
        means = {name: sum(values) / len(values) for name, values in self._values.items()}
        self._values.clear()
        return means
