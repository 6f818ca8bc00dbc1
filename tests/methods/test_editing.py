from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from amgan import losses
from amgan.errors import InputError
from amgan.methods.editing import Editing, EditingConfig, wanted_minus_present
from amgan.methods.registry import build_method
from amgan.models.editor import EditorConfig

SMALL = EditorConfig(widths=(8, 16), condition_width=16)


@pytest.fixture
def build(schema, images, network):
    def make(**options) -> Editing:
        torch.manual_seed(0)
        settings = {"editor": SMALL, "critic_widths": (4, 8), **options}
        return Editing(schema, images, network, EditingConfig(**settings))

    return make


def exact(batch, chosen=True):
    return replace(batch, exact=torch.full((len(batch.reference),), chosen))


def test_the_difference_is_wanted_minus_present():
    logits = torch.log(torch.tensor([[0.7, 0.2, 0.1, 0.5, 0.5]]))
    indicator = torch.tensor([[0.0, 0.0, 1.0, 0.0, 0.0]])
    expected = torch.tensor([[-0.7, -0.2, 0.9, 0.0, 0.0]])
    torch.testing.assert_close(wanted_minus_present(indicator, logits, (3, 2)), expected)
    nothing = wanted_minus_present(torch.zeros(1, 5), logits, (3, 2))
    assert torch.equal(nothing, torch.zeros(1, 5))


def test_pixels_are_compared_with_exact_answers_only(build, make_batch):
    method = build()
    batch = make_batch(6, 1)
    terms = method.losses("generator", exact(batch, False))
    assert float(terms["pixel"].detach()) == float(terms["feature"].detach()) == 0
    assert terms["cycle"] > 0 and terms["same"] >= 0
    terms = method.losses("generator", exact(batch))
    assert terms["pixel"] > 0 and terms["feature"] > 0
    assert float(terms["cycle"]) == float(terms["same"]) == 0
    unknown = method.losses("generator", batch)
    assert float(unknown["pixel"].detach()) == 0


def test_it_learns_exact_answers(build, make_plain_batch, fit):
    method = build(average=0.0, critic_widths=())
    batch = exact(make_plain_batch(8, 1))
    fit(method, "encoder", batch, steps=80)
    history = fit(method, "generator", batch, steps=150)
    copying = float(losses.pixel_loss(batch.reference, batch.target))
    assert history[-1]["pixel"] < 0.4 * copying


def test_critic_and_game_count_once_they_have_begun(build, make_batch):
    method = build()
    batch = exact(make_batch(6, 1))
    terms = method.losses("generator", batch)
    assert float(terms["adversarial"]) == float(terms["metric"]) == 0
    for phase in ("critic", "game"):
        method.losses(phase, batch)
        method.after_step(phase)
    resumed = build()
    resumed.load_state_dict(method.state_dict())
    terms = resumed.losses("generator", batch)
    assert float(terms["adversarial"].detach()) != 0
    assert float(terms["metric"].detach()) > 0


def test_the_average_draws_and_follows(build, make_batch):
    method = build(average=0.9).eval()
    batch = make_batch(4, 1)
    with torch.no_grad():
        before = method.prototype(batch.query)
        for parameter in method.trained.parameters():
            parameter.add_(0.1)
        assert torch.equal(method.prototype(batch.query), before)
        method.after_step("encoder")
        assert torch.equal(method.prototype(batch.query), before)
        own = method.generator.last.weight.clone()
        method.after_step("generator")
    torch.testing.assert_close(method.generator.last.weight, own + 0.1 * 0.1)


def test_without_an_average_weights_are_kept_once(build):
    names = build(average=0.0, critic_widths=()).state_dict()
    assert not any(name.startswith(("trained.", "critic.")) for name in names)


def test_phases_begin_where_the_options_say(build):
    method = build(encoder_share=0.2, critic_start=0.5, game_start=0.9)
    spans = {phase.name: (phase.first_step, phase.last_step) for phase in method.phases()}
    assert spans == {
        "encoder": (0.0, 0.2),
        "generator": (0.2, 1.0),
        "critic": (0.5, 1.0),
        "game": (0.9, 1.0),
    }


@pytest.mark.parametrize(
    "options", [{"encoder_share": 0.9, "game_start": 0.5}, {"average": 1.0}, {"game_start": 1.2}]
)
def test_bad_options_are_refused(options):
    with pytest.raises(InputError):
        EditingConfig(**options)


def test_widths_are_set_by_name(schema, images, network):
    options = {"editor": {"widths": (4, 8), "condition_width": 6}}
    method = build_method("amgan-edit", schema, images, network, options)
    assert method.config.editor == EditorConfig((4, 8), 6, 1)
    with pytest.raises(InputError, match="multiples of"):
        build_method("amgan-edit", schema, images, network, {"editor": {"widths": (4,) * 6}})
