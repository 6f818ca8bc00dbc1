"""Every method that encodes pictures, on every trunk, at sizes that are not square."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from onnx_models import write_encoder

from amgan.devices import choose_compute
from amgan.errors import InputError
from amgan.images import ImageSettings
from amgan.methods.description import ModelDescription
from amgan.methods.method import Method
from amgan.methods.model_file import load_model, save_model
from amgan.methods.prototypes import PrototypeSearch
from amgan.methods.query_arrays import QueryArrays
from amgan.methods.registry import METHODS, UNTRAINED, build_method
from amgan.methods.trained import TrainedModel
from amgan.models.trunks import Trunk, TrunkConfig
from amgan.training.loop import _parameter_groups

TRAINED = [
    name
    for name, entry in METHODS.items()
    if name not in UNTRAINED and not getattr(entry.build, "learns_labels", False)
]
DRAWING = [name for name in TRAINED if "gan" in name]
OPTIONS: dict[str, dict[str, Any]] = {  # small, where the paper's are large
    "adde-m": {"attribute_dim": 4},
    "amnet": {"representation_dim": 16},
    "fsn": {"representation_dim": 12},
    "amgan-edit": {
        "editor": {"widths": [4, 4, 8], "condition_width": 8},
        "critic_widths": [8, 8],
    },
}
# Terms of a generator's loss that do not pass through the encoder.
OUTSIDE = ("pixel", "cycle", "self", "same", "visual_semantic", "adversarial")
SETTINGS = {
    "conv": TrunkConfig(),
    "frozen": TrunkConfig("efficientnet-lite0", frozen_blocks=-1),
    "part": TrunkConfig("efficientnet-lite0", frozen_blocks=12, learning_rate=0.1),
}


@pytest.fixture
def images() -> ImageSettings:
    return ImageSettings(64, 32)


def build(name: str, schema, images, network, trunk: TrunkConfig) -> Method:
    torch.manual_seed(0)
    method = build_method(name, schema, images, replace(network, trunk=trunk), OPTIONS.get(name))
    method.load_pretrained()
    return method


def step(method: Method, phase, batch) -> None:
    """One step of the loop's kind, in bfloat16."""
    optimiser = torch.optim.Adam(_parameter_groups(phase), 1e-3)
    method.eval().requires_grad_(False)
    for module in phase.modules:
        module.train().requires_grad_(True)
    with torch.autocast("cpu", torch.bfloat16):
        terms = method.losses(phase.name, batch)
    total = sum(phase.weights[key] * term for key, term in terms.items())
    assert torch.isfinite(total)
    total.backward()
    optimiser.step()


@pytest.mark.parametrize("kind", ["frozen", "part"])
@pytest.mark.parametrize("name", TRAINED)
def test_every_method_trains_on_a_pretrained_trunk(name, kind, schema, images, network, make_batch):
    method = build(name, schema, images, network, SETTINGS[kind])
    trunk = next(module for module in method.modules() if isinstance(module, Trunk))
    before = {key: value.clone() for key, value in trunk.state_dict().items()}
    batch = make_batch(4, 2, 0.2)
    for phase in method.phases():
        step(method, phase, batch)
    moved = {k for k, v in trunk.state_dict().items() if not torch.equal(v, before[k])}
    if kind == "frozen":
        assert not moved
    else:
        blocks = {int(key.split(".")[2]) for key in moved}
        assert min(blocks) == 12 and max(blocks) == 17
        assert not any("running" in key for key in moved)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        answer = method.eval().answer(batch.query)
    assert answer.embeddings.shape == (4, method.embedding_dim)
    if answer.prototypes is not None:
        assert answer.prototypes.shape == (4, 3, 64, 32)


@pytest.mark.parametrize("name", DRAWING)
def test_a_generator_learns_through_a_frozen_trunk(name, schema, images, network, make_batch):
    method = build(name, schema, images, network, SETTINGS["frozen"])
    assert isinstance(method, PrototypeSearch)
    phase = next(phase for phase in method.phases() if phase.name == "generator")
    weights = {key: 0.0 if key in OUTSIDE else 1.0 for key in phase.weights}
    parameters = [p for module in phase.modules for p in module.parameters()]
    before = [parameter.detach().clone() for parameter in parameters]
    step(method, replace(phase, weights=weights), make_batch(4, 1))
    assert any(not torch.equal(now, then) for now, then in zip(parameters, before, strict=True))


@pytest.mark.parametrize("name", TRAINED)
def test_a_trunk_has_the_learning_rate_of_its_configuration(name, schema, images, network):
    method = build(name, schema, images, network, SETTINGS["part"])
    trunk = next(module for module in method.modules() if isinstance(module, Trunk))
    theirs = {id(p) for p in trunk.parameters()}
    for phase in method.phases():
        for group in _parameter_groups(phase):
            inside = {id(p) in theirs for p in group["params"]}
            assert inside == {group["rate"] == 0.1}, phase.name


@pytest.mark.parametrize("kind", ["conv", "part"])
@pytest.mark.parametrize("name", TRAINED)
def test_linear_layers_compute_in_float32_under_autocast(
    name, kind, schema, images, network, make_batch
):
    method = build(name, schema, images, network, SETTINGS[kind])
    seen: dict[str, torch.dtype] = {}
    for key, module in method.named_modules():
        drawing = key.split(".")[0] in ("generator", "trained", "critic")
        if isinstance(module, torch.nn.Linear) and not drawing:
            module.register_forward_hook(
                lambda _module, _given, result, key=key: seen.update({key: result.dtype})
            )
    batch = make_batch(4, 1)
    with torch.autocast("cpu", torch.bfloat16):
        for phase in method.phases():
            method.losses(phase.name, batch)
        answer = method.answer(batch.query)
    assert seen and set(seen.values()) == {torch.float32}, seen
    assert answer.embeddings.dtype == torch.float32
    assert answer.logits is not None and answer.logits.dtype == torch.float32


@pytest.mark.parametrize("name", TRAINED)
def test_onnx_encoders_carry_what_draws_nothing(name, schema, network, make_batch, tmp_path):
    height, width = (32, 32) if name in DRAWING else (8, 12)
    file = write_encoder(
        tmp_path / "encoder.onnx",
        picture=("N", 3, height, width),
        description=f"height = {height}\nwidth = {width}",
    )
    trunk = TrunkConfig("onnx", str(file))
    small = ImageSettings(height, width)
    if name in DRAWING:
        with pytest.raises(InputError, match="lets none through; choose conv or efficientnet"):
            build(name, schema, small, network, trunk)
        return
    method = build(name, schema, small, network, trunk)
    batch = make_batch(4, 1)
    sized = replace(
        batch,
        **{
            key: torch.nn.functional.interpolate(getattr(batch, key), (8, 12))
            for key in ("reference", "target", "positive", "negative")
        },
    )
    for phase in method.phases():
        step(method, phase, sized)


@pytest.mark.parametrize("kind", ["part", "onnx"])
@pytest.mark.parametrize("name", ["posterior", "heads"])
def test_a_model_file_needs_no_other_file(
    name, kind, schema, images, network, tmp_path, monkeypatch
):
    trunk = SETTINGS.get(kind) or TrunkConfig("onnx", str(write_encoder(tmp_path / "e.onnx")))
    images = ImageSettings(8, 12) if kind == "onnx" else images
    description = ModelDescription(name, {}, schema, images, replace(network, trunk=trunk))
    method = description.build()
    method.load_pretrained()
    model = TrainedModel(method, description, choose_compute("cpu", "fp32"))
    save_model(tmp_path / "model.safetensors", method, description)
    for left in tmp_path.glob("e.*"):
        left.unlink()
    monkeypatch.setattr("amgan.models.pretrained.read_weights", None)
    monkeypatch.setattr("amgan.models.trunks.EFFICIENTNET_LITE0", None)
    again = load_model(tmp_path, "cpu", "fp32")
    assert again.identity == model.identity
    assert again.description == description
    pixels = np.random.default_rng(0).integers(
        0, 256, (2, images.height, images.width, 3), np.uint8
    )
    asked = QueryArrays(pixels, np.zeros((2, schema.num_values), np.float32))
    assert np.array_equal(again.encode_gallery(pixels), model.encode_gallery(pixels))
    assert np.array_equal(again.encode_queries(asked), model.encode_queries(asked))


@pytest.mark.parametrize(("height", "width"), [(192, 128), (96, 64)])
def test_compiled_queries_of_a_drawing_method_agree_on_a_pretrained_trunk(
    height, width, schema, network
):
    trunk = SETTINGS["frozen"]
    description = ModelDescription(
        "amgan-t", {}, schema, ImageSettings(height, width), replace(network, trunk=trunk)
    )
    torch.manual_seed(0)
    method = description.build()
    method.load_pretrained()
    model = TrainedModel(method, description, choose_compute("cpu", "fp32"))
    pixels = np.random.default_rng(0).integers(0, 256, (2, height, width, 3), np.uint8)
    asked = QueryArrays(pixels, np.eye(schema.num_values, dtype=np.float32)[:2])
    eager = model.answer_queries(asked)
    assert eager.prototypes is not None and eager.prototypes.shape == pixels.shape
    model.compile()
    compiled = model.answer_queries(asked)
    np.testing.assert_allclose(compiled.vectors, eager.vectors, atol=1e-3)
    np.testing.assert_allclose(compiled.probabilities, eager.probabilities, atol=1e-3)
