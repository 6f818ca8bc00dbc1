"""Configuration files, overrides, and their errors."""

from __future__ import annotations

from pathlib import Path

import pytest

from amgan.config import (
    ExperimentConfig,
    config_from_dict,
    find_preset,
    load_config,
)
from amgan.presets import PRESETS


def test_defaults_are_the_papers() -> None:
    config = load_config()
    assert config == ExperimentConfig()
    assert (config.training.learning_rate, config.training.batch_size) == (2e-4, 64)
    assert (config.triplets.min_changes, config.triplets.max_changes) == (1, 2)
    options = config.to_dict()["options"]
    assert (options["margin"], options["shift"]) == (0.2, 1.0)
    weights = ("visual_semantic_weight", "pixel_weight", "attribute_weight", "metric_weight")
    assert [options[name] for name in weights] == [1.0] * 4


def test_later_files_and_overrides_win_key_by_key(tmp_path: Path) -> None:
    first, second = tmp_path / "a.toml", tmp_path / "b.toml"
    first.write_text('method = "amgan-t"\n[training]\nepochs = 7\nseed = 3\n')
    second.write_text("[training]\nepochs = 8\n")
    config = load_config(
        [first, second],
        ["training.flip=false", "catalogue.path=a b.csv", "options.pixel_weight=0"],
    )
    assert config.method == "amgan-t"
    assert (config.training.epochs, config.training.seed, config.training.flip) == (8, 3, False)
    assert config.catalogue.path == "a b.csv"
    assert config.to_dict()["options"]["pixel_weight"] == 0.0


def test_resolved_configuration_reads_back_as_itself() -> None:
    config = load_config(overrides=["catalogue.attributes=['a', 'b']", "network.latent_channels=9"])
    again = config_from_dict(config.to_dict())
    assert again.to_dict() == config.to_dict()
    assert again.catalogue.attributes == ("a", "b")


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("training.epoch=3", r"unknown setting training\.epoch; .*epochs"),
        ("trainings.epochs=3", r"unknown setting trainings; .*training"),
        ("training.epochs=many", r"training\.epochs.*integer.*'many'"),
        ("training.epochs=0", r"training\.epochs must be positive, not 0"),
        ("training.schedule=linear", r"training\.schedule.*'linear'"),
        ("method=gan", r"unknown method 'gan'; the methods are .*amgan-p"),
        ("options.gamma=1", r"'amgan-p' has no option 'gamma'; its options are .*pixel_weight"),
        ("options.scheme=quad", r"'amgan-p'.*scheme"),
        ("epochs", r"cannot read setting 'epochs'; write key=value"),
        ("images.fit=zoom", r"images\.fit.*'zoom'"),
    ],
)
def test_a_wrong_setting_is_named_with_what_would_be_right(override: str, message: str) -> None:
    with pytest.raises(ValueError, match=f"(?s){message}"):
        load_config(overrides=[override])


def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    broken = tmp_path / "broken.toml"
    broken.write_text("method = \n")
    with pytest.raises(ValueError, match=r"broken\.toml: not TOML.*line 1"):
        load_config([broken])
    with pytest.raises(ValueError, match=r"absent\.toml"):
        load_config([tmp_path / "absent.toml"])


@pytest.mark.parametrize(
    "name", ["short/amgan-t", "short/amgan-t.toml", "experiments/short/amgan-t.toml"]
)
def test_our_own_files_have_short_names(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_preset(Path(name)).samefile(PRESETS / "short" / "amgan-t.toml")
    assert load_config([Path(name)]).options["metric_weight"] == 0.3
    (tmp_path / "short").mkdir()
    own = tmp_path / "short" / "amgan-t.toml"
    own.write_text('method = "fcd"')
    if name == "short/amgan-t.toml":
        assert find_preset(Path(name)).samefile(own)


def test_an_unknown_configuration_is_told_with_the_known_ones() -> None:
    with pytest.raises(
        ValueError, match=r"no configuration 'short/amgan-x'.* short/amgan-t"
    ) as info:
        load_config([Path("short/amgan-x")])
    assert "suites" not in str(info.value)
