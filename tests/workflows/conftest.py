"""One small run that several tests look at."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from amgan.catalogue.studio import STUDIO_SCHEMA, write_studio_catalogue
from amgan.config import ExperimentConfig, load_config
from amgan.workflows.data import ExperimentData, load_data
from amgan.workflows.train import train_experiment

SETTINGS = [
    "catalogue.item_id=item_id",
    "catalogue.product=product",
    "catalogue.split=split",
    "triplets.max_changes=12",
    "images.height=16",
    "images.width=16",
    "network.generator_width=4",
    "network.latent_channels=8",
    "network.residual_blocks=1",
    "network.encoder_widths=[4, 8]",
    "network.embedding_dim=16",
    "training.epochs=2",
    "training.batch_size=16",
    "training.log_every=2",
    "training.device=cpu",
    "training.precision=fp32",
]


@pytest.fixture(scope="package", autouse=True)
def one_thread() -> Iterator[None]:
    """Several threads may add in another order from run to run; one thread repeats bit by bit."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="package")
def config(tmp_path_factory: pytest.TempPathFactory) -> ExperimentConfig:
    folder = tmp_path_factory.mktemp("studio")
    table = write_studio_catalogue(folder, 120, seed=1, height=32, width=32, workers=1)
    attributes = ", ".join(f"'{name}'" for name in STUDIO_SCHEMA.names)
    return load_config(
        overrides=[*SETTINGS, f"catalogue.path={table}", f"catalogue.attributes=[{attributes}]"]
    )


@pytest.fixture(scope="package")
def data(config: ExperimentConfig, tmp_path_factory: pytest.TempPathFactory) -> ExperimentData:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AMGAN_CACHE", str(tmp_path_factory.mktemp("cache")))
        return load_data(config)


@pytest.fixture(scope="package")
def run(
    config: ExperimentConfig, data: ExperimentData, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "first"
    train_experiment(config, folder, data)
    return folder
