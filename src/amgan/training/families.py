"""Minibatches of exact counterfactuals, a pure function of seed, epoch and step."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from amgan.attributes import AttributeSchema, Labels
from amgan.catalogue.studio.families import FamilyBlock
from amgan.catalogue.studio.schema import STUDIO_SCHEMA
from amgan.devices import Compute
from amgan.errors import InputError
from amgan.images import Pixels, to_tensor
from amgan.methods.method import TrainingBatch
from amgan.queries import PositiveSampler
from amgan.training.data import BatchRequest

_STREAM = 3
# Shares of the pairs: nothing is asked for; a change of the family's first member or back to it.
# The rest lie between two changed members and mostly ask for two or three changes.
_UNCHANGED = 0.05
_WITH_FIRST = 0.6


class FamilyBatches:
    """Draws references and their exact counterfactuals; a resumed run sees the same ones.

    Args:
        blocks: families that stand.
        schema: the attributes of the labels, a part of the studio's.
        steps: minibatches an epoch.
        batch_size: pairs a minibatch over all processes.
        seed: of pairs, positives, negatives and flips.
        flip: whether a pair is mirrored with probability 1/2.

    Raises:
        InputError: no families.
    """

    def __init__(
        self,
        blocks: Sequence[FamilyBlock],
        schema: AttributeSchema,
        *,
        steps: int,
        batch_size: int,
        seed: int,
        flip: bool = True,
    ) -> None:
        if not blocks:
            raise InputError("training on counterfactuals needs at least one block of families")
        self.blocks, self.schema = blocks, schema
        self.steps, self.batch_size, self.seed, self.flip = steps, batch_size, seed, flip
        self.per_block, self.members = blocks[0].labels.shape[:2]
        self.labels: Labels = studio_part(
            np.concatenate([block.labels for block in blocks]), schema
        ).reshape(-1, schema.num_attributes)
        self.positives = PositiveSampler(self.labels, np.arange(len(self.labels)))

    def __len__(self) -> int:
        """Minibatches an epoch."""
        return self.steps

    def batch(self, request: BatchRequest, compute: Compute) -> TrainingBatch:
        """The minibatch that `request` names, on the device."""
        rng = np.random.default_rng(
            (self.seed, _STREAM, request.stream, request.epoch, request.step, request.rank)
        )
        reference, target = self._pairs(self.batch_size // request.world, rng)
        positive = self.positives.positive(target, rng)
        negative = rng.integers(len(self.labels), size=len(target))
        mirrored = rng.random(len(target)) < (0.5 if self.flip else 0.0)
        labels = self.labels

        def pictures(rows: NDArray[np.int64]) -> Tensor:
            pixels = self.pixels(rows)
            pixels = np.where(mirrored[:, None, None, None], pixels[:, :, ::-1], pixels)
            return to_tensor(pixels).to(compute.device, memory_format=compute.memory_format)

        def label_tensor(rows: NDArray[np.int64]) -> Tensor:
            return torch.from_numpy(labels[rows].astype(np.int64)).to(compute.device)

        indicator = self.schema.indicator(labels[reference], labels[target])
        return TrainingBatch(
            reference=pictures(reference),
            indicator=torch.from_numpy(indicator).to(compute.device),
            target=pictures(target),
            positive=pictures(positive),
            negative=pictures(negative),
            reference_labels=label_tensor(reference),
            target_labels=label_tensor(target),
            positive_labels=label_tensor(positive),
            negative_labels=label_tensor(negative),
            item_ids=tuple(f"counterfactual {row}" for row in reference.tolist()),
            exact=torch.ones(len(target), dtype=torch.bool, device=compute.device),
        )

    def _pairs(
        self, count: int, rng: np.random.Generator
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Rows of references and targets, (count,) each."""
        family = rng.integers(len(self.blocks) * self.per_block, size=count)
        kind = rng.random(count)
        one = rng.integers(self.members, size=count)
        one = np.where(kind < _UNCHANGED + _WITH_FIRST, 0, one)
        other = (one + rng.integers(1, self.members, size=count)) % self.members
        other = np.where(kind < _UNCHANGED, one, other)
        turned = rng.random(count) < 0.5
        reference, target = np.where(turned, other, one), np.where(turned, one, other)
        return family * self.members + reference, family * self.members + target

    def pixels(self, rows: NDArray[np.int64]) -> Pixels:
        """Pictures (N, H, W, 3) of rows, which count members within families within blocks."""
        family, member = np.divmod(rows, self.members)
        block, place = np.divmod(family, self.per_block)
        chosen = zip(block.tolist(), place.tolist(), member.tolist(), strict=True)
        return np.stack([self.blocks[b].pixels[p, m] for b, p, m in chosen])


def studio_part(labels: Labels, schema: AttributeSchema) -> Labels:
    """Columns of `schema` (..., M) from labels (..., 12) in the studio's own schema."""
    positions = [STUDIO_SCHEMA.names.index(name) for name in schema.names]
    return labels[..., positions]
