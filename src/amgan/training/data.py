"""Minibatches of triplets, a pure function of seed, epoch and step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from amgan.catalogue.records import Catalogue
from amgan.devices import Compute
from amgan.errors import InputError
from amgan.images import Pixels, to_tensor
from amgan.methods.method import Minibatch, TrainingBatch
from amgan.queries import PositiveSampler, Triplets
from amgan.text import counted

# Distinguishes the random streams drawn from one seed.
_ORDER, _PICTURES = 1, 2


@dataclass(frozen=True)
class BatchRequest:
    """Which minibatch: epoch, step within it, and the phase's stream (Algorithm 1, lines 4 and 8).

    `rank` of `world` processes gets its share of the minibatch.
    """

    epoch: int
    step: int
    stream: int = 0
    rank: int = 0
    world: int = 1


class Batches(Protocol):
    """Where the loop gets its minibatches from."""

    def __len__(self) -> int:
        """Minibatches an epoch."""

    def batch(self, request: BatchRequest, compute: Compute) -> Minibatch:
        """The minibatch that `request` names, on the device; the same at every call."""


class TripletBatches:
    """Draws `TrainingBatch`es; nothing is kept between calls, so a resumed run sees the same ones.

    Args:
        catalogue: the items that triplets refer to.
        pixels: (N, H, W, 3) uint8, one row an item of the catalogue; may be memory-mapped.
        triplets: training triplets.
        pool: rows that positives and negatives are drawn from (training items).
        batch_size: triplets a minibatch over all processes.
        seed: of order, positives, negatives and flips.
        flip: whether each picture is mirrored with probability 1/2.

    Raises:
        ValueError: no triplets, or fewer than one minibatch.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        pixels: Pixels,
        triplets: Triplets,
        pool: NDArray[np.int64],
        *,
        batch_size: int,
        seed: int,
        flip: bool,
    ) -> None:
        if len(triplets) < batch_size:
            raise InputError(_too_few(len(triplets), len(pool), batch_size))
        self.catalogue = catalogue
        self.pixels = pixels
        self.triplets = triplets
        self.pool = pool
        self.batch_size = batch_size
        self.seed = seed
        self.flip = flip
        self.positives = PositiveSampler(catalogue.labels, pool)

    def __len__(self) -> int:
        """Whole minibatches an epoch; the remainder of a shuffled epoch is left out."""
        return len(self.triplets) // self.batch_size

    def batch(self, request: BatchRequest, compute: Compute) -> TrainingBatch:
        """The minibatch that `request` names, on the device."""
        chosen = self._triplet_numbers(request)
        rng = np.random.default_rng(
            (self.seed, _PICTURES, request.stream, request.epoch, request.step, request.rank)
        )
        reference = self.triplets.reference[chosen]
        target = self.triplets.target[chosen]
        positive = self.positives.positive(target, rng)
        negative = rng.choice(self.pool, len(chosen))
        labels = self.catalogue.labels
        schema = self.catalogue.schema

        def pictures(rows: NDArray[np.int64]) -> Tensor:
            return self._pictures(rows, rng, compute)

        def label_tensor(rows: NDArray[np.int64]) -> Tensor:
            return torch.from_numpy(labels[rows].astype(np.int64)).to(compute.device)

        return TrainingBatch(
            reference=pictures(reference),
            indicator=torch.from_numpy(schema.indicator(labels[reference], labels[target])).to(
                compute.device
            ),
            target=pictures(target),
            positive=pictures(positive),
            negative=pictures(negative),
            reference_labels=label_tensor(reference),
            target_labels=label_tensor(target),
            positive_labels=label_tensor(positive),
            negative_labels=label_tensor(negative),
            item_ids=tuple(self.catalogue.item_ids[row] for row in reference),
        )

    def _triplet_numbers(self, request: BatchRequest) -> NDArray[np.int64]:
        rng = np.random.default_rng((self.seed, _ORDER, request.stream, request.epoch))
        order = rng.permutation(len(self.triplets))
        whole = order[request.step * self.batch_size :][: self.batch_size]
        return np.array_split(whole, request.world)[request.rank]

    def _pictures(
        self, rows: NDArray[np.int64], rng: np.random.Generator, compute: Compute
    ) -> Tensor:
        pixels = np.asarray(self.pixels[rows])
        if self.flip:
            mirrored = rng.random(len(rows)) < 0.5
            pixels = np.where(mirrored[:, None, None, None], pixels[:, :, ::-1], pixels)
        return to_tensor(pixels).to(compute.device, memory_format=compute.memory_format)


def _too_few(triplets: int, items: int, batch_size: int) -> str:
    """Why there is not one minibatch, and which setting helps."""
    if not items:
        return "no item is in the training split: write train into the column of splits"
    if not triplets:
        return (
            f"no training triplet could be drawn from {counted(items, 'training item')}: no two of "
            "them differ in as few attributes as triplets.min_changes to triplets.max_changes say, "
            "with labels for both; give more items, more labels, or a larger triplets.max_changes"
        )
    return (
        f"{counted(triplets, 'training triplet')} from {counted(items, 'training item')} do not "
        f"fill one minibatch of {batch_size}: set training.batch_size to {triplets} or less, or "
        "have more drawn with triplets.per_item"
    )
