"""Minibatches: pure functions of the request, right pictures, right labels."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from amgan.devices import choose_compute
from amgan.images import to_tensor
from amgan.queries import sample_triplets
from amgan.training.data import BatchRequest, TripletBatches

CPU = choose_compute("cpu", "fp32")


@pytest.fixture(scope="module")
def tiny_run() -> Any:
    sys.path.insert(0, str(Path(__file__).parent))
    try:
        return importlib.import_module("tiny_run")
    finally:
        sys.path.pop(0)


def make(tiny_run: Any, flip: bool = False, batch_size: int = 8) -> TripletBatches:
    catalogue, pixels = tiny_run.squares()
    return TripletBatches(
        catalogue,
        pixels,
        sample_triplets(catalogue),
        catalogue.rows_in_split("train"),
        batch_size=batch_size,
        seed=3,
        flip=flip,
    )


def test_the_same_request_gives_the_same_minibatch(tiny_run: Any) -> None:
    first = make(tiny_run, flip=True).batch(BatchRequest(1, 2), CPU)
    second = make(tiny_run, flip=True).batch(BatchRequest(1, 2), CPU)
    for name, value in vars(first).items():
        other = getattr(second, name)
        assert torch.equal(value, other) if isinstance(value, torch.Tensor) else value == other


def test_an_epoch_shows_every_triplet_at_most_once_in_every_stream(tiny_run: Any) -> None:
    batches = make(tiny_run)
    orders = []
    for stream in (0, 1):
        numbers = [
            number
            for step in range(len(batches))
            for number in batches._triplet_numbers(BatchRequest(0, step, stream))
        ]
        assert len(set(numbers)) == len(numbers) == len(batches) * 8
        orders.append(numbers)
    assert orders[0] != orders[1]


def test_processes_share_a_minibatch_out(tiny_run: Any) -> None:
    batches = make(tiny_run)
    whole = batches._triplet_numbers(BatchRequest(0, 1))
    parts = [batches._triplet_numbers(BatchRequest(0, 1, 0, rank, 2)) for rank in range(2)]
    assert np.concatenate(parts).tolist() == whole.tolist()


def test_pictures_labels_and_indicator_belong_together(tiny_run: Any) -> None:
    batches = make(tiny_run)
    catalogue = batches.catalogue
    batch = batches.batch(BatchRequest(0, 0), CPU)
    rows = [catalogue.row(item_id) for item_id in batch.item_ids]
    assert torch.equal(batch.reference, to_tensor(batches.pixels[rows]))
    assert batch.reference_labels.tolist() == catalogue.labels[rows].tolist()
    expected = catalogue.schema.indicator(
        catalogue.labels[rows], batch.target_labels.numpy().astype(np.int16)
    )
    assert np.array_equal(batch.indicator.numpy(), expected)
    assert batch.indicator.sum(dim=1).min() >= 1


def test_flipping_mirrors_whole_pictures(tiny_run: Any) -> None:
    plain = make(tiny_run).batch(BatchRequest(0, 0), CPU).reference
    flipped = make(tiny_run, flip=True).batch(BatchRequest(0, 0), CPU).reference
    mirrored = 0
    for before, after in zip(plain, flipped, strict=True):
        turned = torch.equal(after, before.flip(2))
        assert turned or torch.equal(after, before)
        mirrored += turned
    assert 0 < mirrored < len(plain)


def test_too_few_triplets_are_refused(tiny_run: Any) -> None:
    with pytest.raises(
        ValueError, match=r"do not fill one minibatch of 500: set training\.batch_size to"
    ):
        make(tiny_run, batch_size=500)
