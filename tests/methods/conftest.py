"""A schema with missing labels and minibatches of random pictures, for every method."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from amgan.attributes import Attribute, AttributeSchema
from amgan.images import ImageSettings
from amgan.methods.method import TrainingBatch
from amgan.models.network import NetworkConfig

MakeBatch = Callable[..., TrainingBatch]
Fit = Callable[..., list[dict[str, float]]]


@pytest.fixture
def schema() -> AttributeSchema:
    return AttributeSchema(
        (
            Attribute("colour", ("black", "red", "white")),
            Attribute("collar", ("round", "v-neck")),
            Attribute("sleeve", ("long", "none", "short", "three-quarter")),
        )
    )


@pytest.fixture
def images() -> ImageSettings:
    return ImageSettings(16, 16)


@pytest.fixture
def network() -> NetworkConfig:
    return NetworkConfig(
        generator_width=4,
        latent_channels=8,
        residual_blocks=1,
        encoder_widths=(4, 8, 8, 16),
        embedding_dim=12,
    )


@pytest.fixture
def make_batch(schema: AttributeSchema, images: ImageSettings) -> MakeBatch:
    """A minibatch of `size` triplets with `changes` changes each; the target's labels follow."""

    def make(size: int = 8, changes: int = 1, missing: float = 0.0, seed: int = 0) -> TrainingBatch:
        rng = np.random.default_rng(seed)
        sizes = np.array(schema.sizes)

        def draw() -> np.ndarray:
            labels = rng.integers(0, sizes, (size, len(sizes)))
            return np.where(rng.random(labels.shape) < missing, -1, labels).astype(np.int16)

        reference, negative = draw(), draw()
        target = reference.copy()
        for row in range(size):
            for column in rng.permutation(len(sizes))[:changes]:
                shift = rng.integers(1, sizes[column])
                target[row, column] = (max(0, reference[row, column]) + shift) % sizes[column]
        shape = (size, 3, images.height, images.width)
        x, y, positive, other = (
            torch.from_numpy(rng.uniform(-1, 1, shape).astype(np.float32)) for _ in range(4)
        )
        return TrainingBatch(
            x,
            torch.from_numpy(schema.indicator(reference, target)),
            y,
            positive,
            other,
            *(
                torch.from_numpy(part.astype(np.int64))
                for part in (reference, target, target, negative)
            ),
            tuple(f"item-{row}" for row in range(size)),
        )

    return make


@pytest.fixture
def make_plain_batch(make_batch: MakeBatch, images: ImageSettings) -> MakeBatch:
    """A minibatch whose pictures show their labels: three flat bands, one grey an attribute."""

    def paint(labels: torch.Tensor) -> torch.Tensor:
        pictures = torch.zeros(len(labels), 3, images.height, images.width)
        for attribute, rows in enumerate((slice(0, 5), slice(5, 10), slice(10, 16))):
            shade = labels[:, attribute].float() * 0.6 - 0.8
            pictures[:, attribute, rows] = shade[:, None, None]
        return pictures

    def make(size: int = 8, changes: int = 1, seed: int = 0) -> TrainingBatch:
        batch = make_batch(size, changes, seed=seed)
        target = paint(batch.target_labels)
        return replace(
            batch,
            reference=paint(batch.reference_labels),
            target=target,
            positive=target,
            negative=paint(batch.negative_labels),
        )

    return make


@pytest.fixture
def fit() -> Fit:
    """Train one phase on one minibatch, the rest standing still; the terms of every step."""

    def run(
        method: Any, name: str, batch: TrainingBatch, steps: int = 80, rate: float = 3e-3
    ) -> list[dict[str, float]]:
        phase = {phase.name: phase for phase in method.phases()}[name]
        parameters = [p for module in phase.modules for p in module.parameters()]
        optimiser = torch.optim.Adam(parameters, rate)
        history = []
        for _ in range(steps):
            method.eval().requires_grad_(False)
            for module in phase.modules:
                module.train().requires_grad_(True)
            terms = method.losses(name, batch)
            optimiser.zero_grad()
            torch.stack([phase.weights[key] * term for key, term in terms.items()]).sum().backward()
            optimiser.step()
            history.append({key: float(term.detach()) for key, term in terms.items()})
        return history

    return run
