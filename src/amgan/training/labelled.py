"""Minibatches of labelled pictures or their features, a pure function of seed, epoch and step."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from amgan.catalogue.records import Catalogue
from amgan.devices import Compute
from amgan.errors import InputError
from amgan.features.store import StoredFeatures
from amgan.images import Pixels, to_tensor
from amgan.methods.method import LabelledBatch
from amgan.training.data import BatchRequest

_ORDER, _PICTURES = 3, 4
_LARGEST_SHIFT = 1 / 16  # of a picture's side


class LabelledBatches:
    """Draws `LabelledBatch`es of pairs; nothing is kept between calls.

    A pair is an item and a variant of its product where the catalogue has one, else the item twice.
    Each picture of a pair is another view: plain, mirrored, or slightly cropped and brightened
    (`views`), or a random crop, mirrored or not, where the pictures themselves are drawn.

    Args:
        catalogue: the items.
        rows: catalogue rows to draw from (training items).
        pixels: (N, H, W, 3) uint8, one row an item of the catalogue; None where features will do.
        views: features of all items of the catalogue, once for each view; empty for pictures.
        batch_size: pictures a minibatch over all processes.
        seed: of order, partners and views.

    Raises:
        InputError: fewer items than half a minibatch.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        rows: NDArray[np.int64],
        *,
        pixels: Pixels | None,
        views: Sequence[StoredFeatures],
        batch_size: int,
        seed: int,
    ) -> None:
        assert (pixels is None) == bool(views)
        self.catalogue = catalogue
        self.rows = rows
        self.pixels = pixels
        self.views = tuple(views)
        self.batch_size = min(batch_size, 2 * len(rows))
        self.seed = seed
        if len(rows) < 2:
            raise InputError(
                f"{len(rows)} training items are too few to learn from; a catalogue needs some "
                "dozens of items with readable pictures in its training split"
            )
        self._groups = _group_products(catalogue)
        self._variants = _variants_of(self._groups, rows)

    def __len__(self) -> int:
        """Minibatches an epoch: every item is the first of a pair once."""
        return max(1, len(self.rows) // (self.batch_size // 2))

    def batch(self, request: BatchRequest, compute: Compute) -> LabelledBatch:
        """The minibatch that `request` names, on the device."""
        rng = np.random.default_rng(
            (self.seed, _PICTURES, request.stream, request.epoch, request.step, request.rank)
        )
        first = self._items(request)
        second = np.array([rng.choice(self._variants[row]) for row in first.tolist()], np.int64)
        rows = np.concatenate([first, second])
        labels = self.catalogue.labels[rows].astype(np.int64)
        pictures = features = None
        if self.pixels is not None:
            drawn = _draw_views(np.asarray(self.pixels[rows]), rng)
            pictures = to_tensor(drawn).to(compute.device, memory_format=compute.memory_format)
        else:
            features = self._features(first, second, rng).to(compute.device)
        return LabelledBatch(
            pictures,
            features,
            torch.from_numpy(labels).to(compute.device),
            torch.from_numpy(self._groups[rows]).to(compute.device),
            tuple(self.catalogue.item_ids[row] for row in rows),
        )

    def _items(self, request: BatchRequest) -> NDArray[np.int64]:
        rng = np.random.default_rng((self.seed, _ORDER, request.stream, request.epoch))
        half = self.batch_size // 2
        whole = self.rows[rng.permutation(len(self.rows))[request.step * half :][:half]]
        return np.array_split(whole, request.world)[request.rank]

    def _features(
        self, first: NDArray[np.int64], second: NDArray[np.int64], rng: np.random.Generator
    ) -> Tensor:
        """Features of pairs, each picture of a pair from another view."""
        views = len(self.views)
        chosen = rng.integers(views, size=len(first))
        other = (chosen + rng.integers(1, max(2, views), size=len(first))) % views
        rows, numbers = np.concatenate([first, second]), np.concatenate([chosen, other])
        features = np.empty((len(rows), self.views[0].shape[1]), np.float32)
        for number, view in enumerate(self.views):
            places = numbers == number
            features[places] = view[rows[places]]
        return torch.from_numpy(features)


def _group_products(catalogue: Catalogue) -> NDArray[np.int64]:
    """A number for each item, equal for items of one product; an item without one is its own."""
    numbers = catalogue.product_numbers
    alone = numbers.max(initial=-1) + 1 + np.arange(len(numbers))
    return np.where(numbers < 0, alone, numbers)


def _variants_of(
    groups: NDArray[np.int64], rows: NDArray[np.int64]
) -> dict[int, NDArray[np.int64]]:
    """For each row the others of its product; itself where there are none."""
    order = rows[np.argsort(groups[rows], kind="stable")]
    bounds = np.flatnonzero(np.diff(groups[order])) + 1
    variants = {}
    for members in np.split(order, bounds):
        for row in members.tolist():
            variants[row] = members[members != row] if len(members) > 1 else members
    return variants


def _draw_views(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Each picture shifted by up to a sixteenth of its sides and mirrored with probability 1/2."""
    height, width = pixels.shape[1:3]
    down, right = max(1, int(height * _LARGEST_SHIFT)), max(1, int(width * _LARGEST_SHIFT))
    margins = ((0, 0), (down, down), (right, right), (0, 0))
    padded = np.pad(pixels, margins, mode="edge")
    drawn = np.empty_like(pixels)
    for place, picture in enumerate(padded):
        top, left = rng.integers(2 * down + 1), rng.integers(2 * right + 1)
        view = picture[top : top + height, left : left + width]
        drawn[place] = view[:, ::-1] if rng.random() < 0.5 else view
    return drawn
