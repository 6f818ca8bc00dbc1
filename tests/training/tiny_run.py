"""Trains a tiny AMGAN on coloured squares; run as a script by the tests that need a process."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch

from amgan.attributes import Attribute, AttributeSchema
from amgan.catalogue.records import Catalogue
from amgan.images import ImageSettings, Pixels
from amgan.methods.registry import build_method
from amgan.models.network import NetworkConfig
from amgan.queries import sample_triplets
from amgan.run_folder import RunFolder
from amgan.training.data import TripletBatches
from amgan.training.loop import Trainer, TrainingConfig
from amgan.training.run_log import RunLog

SCHEMA = AttributeSchema(
    (Attribute("colour", ("blue", "green", "red")), Attribute("size", ("large", "small")))
)
NETWORK = NetworkConfig(4, 8, 1, (4, 8), 6)
IMAGES = ImageSettings(16, 16)
COLOURS = {"red": (220, 30, 30), "green": (30, 200, 30), "blue": (30, 30, 220)}


def squares(n: int = 48, seed: int = 0) -> tuple[Catalogue, Pixels]:
    """Coloured squares of two sizes, every third of them without a size label."""
    rng = np.random.default_rng(seed)
    labels = np.stack([rng.integers(0, 3, n), rng.integers(0, 2, n)], 1).astype(np.int16)
    pixels = np.full((n, 16, 16, 3), 255, np.uint8)
    for row, (colour, size) in enumerate(labels):
        side = 12 if size == 0 else 6
        top, left = rng.integers(0, 16 - side, 2)
        square = np.array(COLOURS[SCHEMA.attributes[0].values[colour]])
        noise = rng.integers(-20, 20, (side, side, 3))
        pixels[row, top : top + side, left : left + side] = np.clip(square + noise, 0, 255)
    labels[::3, 1] = -1
    ids = tuple(f"item-{row}" for row in range(n))
    catalogue = Catalogue(
        "squares",
        SCHEMA,
        ids,
        tuple(Path(f"{item_id}.png") for item_id in ids),
        labels,
        (None,) * n,
        ("train",) * n,
    )
    return catalogue, pixels


def tiny_trainer(folder: Path, method: str = "amgan-p", **training: object) -> Trainer:
    """A trainer of 2 epochs of 6 steps that logs every step and checkpoints every step."""
    catalogue, pixels = squares()
    settings: dict[str, object] = {
        "epochs": 2,
        "batch_size": 8,
        "log_every": 1,
        "checkpoint_seconds": 0,
        "device": "cpu",
        "precision": "fp32",
    }
    config = TrainingConfig(**(settings | training))  # type: ignore[arg-type]
    torch.manual_seed(config.seed)
    batches = TripletBatches(
        catalogue,
        pixels,
        sample_triplets(catalogue),
        catalogue.rows_in_split("train"),
        batch_size=config.batch_size,
        seed=config.seed,
        flip=config.flip,
    )
    built = build_method(method, SCHEMA, IMAGES, NETWORK)
    return Trainer(built, batches, config, RunLog(RunFolder(folder)), "tiny", lambda: None)


if __name__ == "__main__":
    torch.set_num_threads(1)
    trainer = tiny_trainer(Path(sys.argv[1]), sys.argv[2], epochs=int(sys.argv[3]))
    trainer.train()
