"""A cache of the tests' own, a small labelled catalogue, and an untrained AMGAN that fits it."""

from __future__ import annotations

import csv
import os

# Before torch loads: with one thread two runs are equal to the last bit.
os.environ.setdefault("OMP_NUM_THREADS", "1")

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from amgan.attributes import AttributeSchema
from amgan.catalogue.records import Catalogue
from amgan.catalogue.studio import write_studio_catalogue
from amgan.cli import main
from amgan.devices import choose_compute
from amgan.images import ImageSettings
from amgan.methods.description import ModelDescription
from amgan.methods.registry import build_method
from amgan.methods.trained import TrainedModel
from amgan.models.network import NetworkConfig

# Hooks are found by their names here.
from skips import (  # noqa: F401
    pytest_addoption,
    pytest_collection_modifyitems,
    pytest_sessionfinish,
)

SHAPES = AttributeSchema.from_dict(
    {"colour": ["red", "green", "blue"], "shape": ["square", "bar"], "ground": ["light", "dark"]}
)
Call = Callable[..., tuple[int, str, str]]
TINY = [  # settings of networks that train in a moment
    *("-s", "images.height=16", "-s", "images.width=16", "-s", "network.generator_width=4"),
    *("-s", "network.latent_channels=8", "-s", "network.residual_blocks=1"),
    *("-s", "network.encoder_widths=[8, 16]", "-s", "network.embedding_dim=12"),
    *("-s", "training.batch_size=8", "-s", "training.device=cpu", "-s", "method='amgan-p'"),
]
_COLOURS = {"red": (210, 40, 40), "green": (40, 170, 60), "blue": (40, 60, 200)}


def draw_shape(labels: dict[str, str | None], seed: int) -> Image.Image:
    rng = np.random.default_rng(seed)
    ground = 40 if labels["ground"] == "dark" else 230
    pixels = rng.integers(ground - 20, ground + 20, (24, 24, 3))
    tall, wide = (16, 16) if labels["shape"] == "square" else (6, 22)
    colour = _COLOURS[labels["colour"] or "red"]
    top, left = (24 - tall) // 2, (24 - wide) // 2
    pixels[top : top + tall, left : left + wide] = colour
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def write_shapes(
    folder: Path, n: int, seed: int = 0, prefix: str = "item", draw: bool = True
) -> Catalogue:
    """`n` items; every fifth colour label is missing. Without `draw` the pictures are there."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    labels = np.stack([rng.integers(0, size, n) for size in SHAPES.sizes], 1).astype(np.int16)
    images = []
    for row in range(n):
        path = folder / f"{prefix}-{row:03d}.png"
        if draw:
            draw_shape(SHAPES.decode(labels[row]), seed * 1000 + row).save(path)
        images.append(path)
    labels[::5, 0] = -1
    return Catalogue(
        "shapes",
        SHAPES,
        tuple(f"{prefix}-{row:03d}" for row in range(n)),
        tuple(images),
        labels,
        tuple(None if row % 7 == 0 else f"product-{row // 2}" for row in range(n)),
        ("train",) * n,
        {"brand": tuple((None, "acme", "zeta")[row % 3] for row in range(n))},
    )


def build_shape_model(method: str = "amgan-p", seed: int = 0) -> TrainedModel:
    torch.manual_seed(seed)
    network = NetworkConfig(
        generator_width=4,
        latent_channels=8,
        residual_blocks=1,
        encoder_widths=(8, 16),
        embedding_dim=12,
    )
    images = ImageSettings(16, 16)
    description = ModelDescription(method, {}, SHAPES, images, network)
    built = build_method(method, SHAPES, images, network)
    return TrainedModel(built, description, choose_compute("cpu", "fp32"))


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Decoded pictures go to a folder of this test session, also those of child processes."""
    before = os.environ.get("AMGAN_CACHE")
    os.environ["AMGAN_CACHE"] = str(tmp_path_factory.mktemp("cache"))
    yield
    if before is None:
        del os.environ["AMGAN_CACHE"]
    else:
        os.environ["AMGAN_CACHE"] = before


@pytest.fixture(scope="session")
def shape_model() -> TrainedModel:
    return build_shape_model()


@pytest.fixture(scope="session")
def other_shape_model() -> TrainedModel:
    return build_shape_model(seed=1)


@pytest.fixture(scope="session")
def posterior_model() -> TrainedModel:
    return build_shape_model("posterior")


@pytest.fixture
def shapes(tmp_path: Path) -> Callable[..., Catalogue]:
    """Call with a number of items, a seed and a prefix of ids."""

    def write(n: int = 20, seed: int = 0, prefix: str = "item") -> Catalogue:
        return write_shapes(tmp_path / f"pictures-{prefix}-{seed}", n, seed, prefix)

    return write


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Call:
    """Run the command line in this process: exit code, stdout, stderr."""

    def run(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as exited:
            main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        assert isinstance(exited.value.code, int)
        return exited.value.code, captured.out, captured.err

    return run


@pytest.fixture(scope="module")
def tops(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what README and examples suppose: tops.csv and photo.jpg."""
    folder = tmp_path_factory.mktemp("shop")
    table = write_studio_catalogue(folder, 240, seed=3, height=64, width=64, workers=1)
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    kept = ("category", "colour", "sleeve")
    with (folder / "tops.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["sku", "photo", *kept])
        for row in rows:
            writer.writerow([row["item_id"], row["image"], *(row[name] for name in kept)])
    (folder / "photo.jpg").write_bytes((folder / rows[0]["image"]).read_bytes())
    return folder
