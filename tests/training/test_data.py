"""Minibatches: pure functions of the request, right pictures, right labels."""

from __future__ import annotations

import importlib
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from amgan.devices import choose_compute
from amgan.errors import InputError
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


def with_products(tiny_run: Any, **settings: Any) -> TripletBatches:
    """Squares in products of three; the pixels of each row carry its number in the corners."""
    catalogue, pixels = tiny_run.squares()
    products = tuple(f"p{row // 3}" for row in range(len(catalogue)))
    marked = pixels.copy()
    marked[:, 0, 0] = np.arange(len(marked))[:, None]
    return TripletBatches(
        replace(catalogue, products=products),
        marked,
        sample_triplets(catalogue),
        catalogue.rows_in_split("train"),
        **{"batch_size": 8, "seed": 3, "flip": True, **settings},
    )


def test_a_share_of_the_minibatch_are_variants_and_exact(tiny_run: Any) -> None:
    batches = with_products(tiny_run, variants=0.5)
    batch = batches.batch(BatchRequest(0, 0), CPU)
    assert batch.exact is not None
    assert batch.exact.tolist() == [True] * 4 + [False] * 4
    for row in range(4):
        reference = batches.catalogue.row(batch.item_ids[row])
        shown = batch.target[row : row + 1]
        siblings = [r for r in range(len(batches.pixels)) if r // 3 == reference // 3]
        pictures = to_tensor(batches.pixels[siblings])
        mirrored = pictures.flip(3)
        own = to_tensor(batches.pixels[[reference]])
        turned = not torch.equal(batch.reference[row : row + 1], own)
        found = (mirrored if turned else pictures) == shown
        assert found.flatten(1).all(1).any(), "the target is mirrored as the reference is"
    again = with_products(tiny_run, variants=0.5).batch(BatchRequest(0, 0), CPU)
    assert torch.equal(batch.target, again.target)


def test_without_variants_minibatches_are_what_they_were(tiny_run: Any) -> None:
    plain, none = make(tiny_run, flip=True), with_products(tiny_run, variants=0.0)
    none.pixels = plain.pixels
    first, second = (each.batch(BatchRequest(0, 1), CPU) for each in (plain, none))
    assert torch.equal(first.target, second.target)
    assert first.exact is not None and not first.exact.any()


def test_variants_need_products(tiny_run: Any) -> None:
    catalogue, pixels = tiny_run.squares()
    rows = catalogue.rows_in_split("train")
    settings = {"batch_size": 8, "seed": 3, "flip": False, "variants": 0.5}
    with pytest.raises(InputError, match=r"catalogue\.product"):
        TripletBatches(catalogue, pixels, sample_triplets(catalogue), rows, **settings)
