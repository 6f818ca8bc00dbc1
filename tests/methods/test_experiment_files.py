from __future__ import annotations

import dataclasses

import pytest

from amgan.config import ExperimentConfig, load_config
from amgan.methods.registry import build_method, method_options
from amgan.presets import PRESETS

ROWS = sorted(PRESETS.glob("*.toml"))
SCALES = sorted((PRESETS / "scales").glob("*.toml"))


def test_there_are_rows_and_scales():
    assert len(ROWS) >= 13
    assert {path.stem for path in SCALES} >= {"small", "paper"}


@pytest.mark.parametrize("path", ROWS, ids=lambda path: path.stem)
def test_every_row_builds_at_every_scale(path, schema):
    for scale in SCALES:
        config = load_config([path, scale], ["network.generator_width=4"])
        assert build_method(
            config.method,
            schema,
            config.images,
            dataclasses.replace(config.network),
            config.options,
        )


# Rows that stand on a pretrained trunk say how large its pictures are and how its heads train.
OWN_SCALE = ("heads", "heads-tuned", "amgan-edit")


@pytest.mark.parametrize(
    "path", [path for path in ROWS if path.stem not in OWN_SCALE], ids=lambda path: path.stem
)
def test_a_row_changes_method_and_options_only(path):
    config = load_config([path])
    default = ExperimentConfig(method=config.method, options=config.options)
    assert config == default


@pytest.mark.parametrize("scheme", "pt")
@pytest.mark.parametrize(
    ("ablation", "weight"),
    [
        ("novse", "visual_semantic_weight"),
        ("nol1", "pixel_weight"),
        ("nocls", "attribute_weight"),
    ],
)
def test_an_ablation_differs_from_its_row_by_one_weight(scheme, ablation, weight):
    full, less = (
        load_config([PRESETS / f"amgan-{scheme}{suffix}.toml"]) for suffix in ("", f"-{ablation}")
    )
    assert less.method == full.method
    whole = dataclasses.asdict(method_options(full.method, full.options))
    reduced = dataclasses.asdict(method_options(less.method, less.options))
    assert {key for key in whole if whole[key] != reduced[key]} == {weight}
    assert reduced[weight] == 0


def test_small_scale_is_half_of_the_generator_that_two_cores_bear():
    config = load_config([PRESETS / "scales" / "small.toml"])
    assert (config.network.generator_width, config.network.latent_channels) == (32, 128)
    assert (config.images.height, config.images.width) == (64, 64)
