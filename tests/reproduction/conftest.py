"""A suite of four rows that runs in seconds, and the folder that it leaves."""

from __future__ import annotations

import dataclasses

import pytest

from amgan.presets import SUITES
from amgan.reproduction.reproduce import reproduce
from amgan.reproduction.suite import Suite, load_suite
from amgan.reproduction.suite_run import SuiteRun, prepare_suite_run

TINY = (
    "images.height=16",
    "images.width=16",
    "network.generator_width=4",
    "network.latent_channels=8",
    "network.residual_blocks=1",
    "network.encoder_widths=[4, 8]",
    "network.embedding_dim=12",
    "training.batch_size=16",
    "training.device=cpu",
    "training.precision=fp32",
)
ROWS = ("AMGAN-P", "AMGAN-P-NoL1", "FCD", "Random")


@pytest.fixture(scope="session")
def tiny_suite() -> Suite:
    suite = load_suite(
        SUITES / "smoke.toml",
        studio={"items": 140, "seed": 3, "side": 32},
        timing={"gallery": 300, "queries": 3},
        cases=2,
    )
    return dataclasses.replace(suite.select(ROWS), settings=(*suite.settings, *TINY))


@pytest.fixture(scope="session")
def suite_run(tiny_suite: Suite, tmp_path_factory: pytest.TempPathFactory) -> SuiteRun:
    """The suite after `reproduce`."""
    folder = tmp_path_factory.mktemp("reproduction")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AMGAN_CACHE", str(folder / "cache"))
        ready = prepare_suite_run(tiny_suite, folder / "results")
        reproduce(ready)
    return ready
