from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from amgan.cli import main
from amgan.errors import InputError
from amgan.methods.model_file import load_model
from amgan.methods.registry import build_method
from amgan.presets import RECIPES
from amgan.workflows.edits import load_held_out, measure_edits
from amgan.workflows.pretrain import pretrain
from amgan.workflows.recipe import load_recipe

TINY = """
method = "amgan-edit"
attributes = ["colour", "sleeve"]
blocks = 1
seed = 1
held_out_seed = 3
catalogue_seed = 4
images = { height = 16, width = 16 }
network = { generator_width = 4, latent_channels = 4, residual_blocks = 0, \
encoder_widths = [4, 8], embedding_dim = 8 }

[[stages]]
name = "encoder"
steps = 2
options = { encoder_share = 1.0, critic_start = 1.0, game_start = 1.0, critic_widths = [], \
editor = { widths = [4, 8], condition_width = 8 } }
training = { epochs = 1, batch_size = 8 }

[[stages]]
name = "generator"
steps = 2
options = { encoder_share = 0.0, critic_start = 0.0, critic_widths = [4, 8], \
editor = { widths = [4, 8], condition_width = 8 } }
training = { epochs = 2, batch_size = 8 }

[judge]
blocks = 1
seed = 2
network = { encoder_widths = [4, 8], embedding_dim = 12 }
steps = 2
training = { epochs = 1, batch_size = 8 }
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A model made by a tiny recipe, and the folder that it was made in."""
    folder = tmp_path_factory.mktemp("pretrain")
    path = folder / "tiny.toml"
    path.write_text(TINY)
    recipe = load_recipe(path)
    small = pytest.MonkeyPatch()
    small.setattr("amgan.workflows.recipe.FAMILIES_IN_BLOCK", 12)
    small.setattr("amgan.workflows.pretrain.FITTED_ITEMS", 200)
    try:
        file, quality = pretrain(folder / "made", recipe)
        again, _ = pretrain(folder / "made", recipe)
        assert again == file
        yield folder / "made", recipe, file, quality
    finally:
        small.undo()


def test_the_model_is_packed_measured_and_fitted(made):
    _, recipe, file, quality = made
    model = load_model(file, "cpu", "fp32")
    facts = model.description.facts
    assert facts.recipe == recipe.digest
    assert facts.fusion is not None and set(facts.temperatures) == {"colour", "sleeve"}
    assert facts.quality == quality.to_dict()
    assert quality.exact["ssim"] == pytest.approx(1)
    assert quality.copied["l1"] > 0
    names = model.method.state_dict()
    assert not any(name.startswith(("trained.", "critic.")) for name in names)
    for value in names.values():  # rounded to 16 bits: nothing is lost by storing them so
        if value.is_floating_point():
            assert torch.equal(value, value.half().float())


def test_its_quality_can_be_measured_again(made):
    folder, recipe, file, quality = made
    settings = recipe.families(recipe.held_out_seed, 1)
    held_out = load_held_out(folder / "held-out-families", settings, recipe.schema)
    judge = load_model(folder / "judge")
    again = measure_edits(load_model(file), judge, held_out)
    assert again.drawn == pytest.approx(quality.drawn, rel=0.05, abs=0.02)
    assert again.queries == 12 * 7
    changed = (held_out.reference_labels != held_out.target_labels).sum(axis=1)
    assert changed.min() >= 1


def test_the_stages_hand_their_weights_on(made):
    folder, _, file, _ = made
    encoder = load_model(folder / "encoder").method.state_dict()
    last = load_model(file).method.state_dict()
    name = "encoder.trunk.0.weight"
    np.testing.assert_allclose(last[name].half(), encoder[name].half(), rtol=1e-2, atol=1e-3)


def test_bad_recipes_are_refused(tmp_path):
    path = tmp_path / "bad.toml"
    for old, new, message in (
        ("seed = 2", "seed = 3", "seeds of their own"),
        ('"sleeve"]', '"heel"]', "heel"),
        ("steps = 2", "stops = 2", "stops"),
        ("encoder_share = 0.0", "encoder_part = 0.0", "encoder_part"),
    ):
        path.write_text(TINY.replace(old, new))
        with pytest.raises(InputError, match=message):
            load_recipe(path)
    path.write_text("[")
    with pytest.raises(InputError, match=r"bad\.toml"):
        load_recipe(path)
    with pytest.raises(InputError, match="cannot read"):
        load_recipe(tmp_path / "none.toml")


@pytest.mark.parametrize("path", sorted(RECIPES.glob("*.toml")), ids=lambda p: p.name)
def test_a_recipe_of_the_package_resolves(path):
    recipe = load_recipe(path)
    for stage in recipe.stages:
        options = stage.options
        build_method(recipe.method, recipe.schema, recipe.images, recipe.network, options)


def test_the_digest_hears_every_setting():
    recipe = load_recipe()
    for changes in ({"seed": 99}, {"stages": recipe.stages[:1]}, {"catalogue_seed": 5}):
        assert dataclasses.replace(recipe, **changes).digest != recipe.digest


def test_the_command_says_what_is_wrong(tmp_path, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["pretrain", str(tmp_path), "--recipe", str(tmp_path / "none.toml")])
    assert stopped.value.code == 2
    assert "none.toml" in capsys.readouterr().err
