"""Encoders from ONNX files, against a convolution by hand."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import pytest
import torch
from onnx import TensorProto
from onnx_models import CHANNELS, DESCRIPTION, expected_maps, write_encoder

from amgan.config import load_config
from amgan.errors import InputError
from amgan.images import to_tensor
from amgan.models.onnx_file import read_description
from amgan.models.trunks import TrunkConfig, build_trunk

PIXELS = np.random.default_rng(1).integers(0, 256, (3, 8, 12, 3), np.uint8)


def build(path: Path, *size: int):
    trunk = build_trunk(TrunkConfig("onnx", str(path)), *(size or (8, 12)))
    trunk.load_pretrained()
    return trunk.eval()


@pytest.mark.parametrize("output", ["embedding", "maps", "tokens"])
def test_features_are_the_means_of_what_the_encoder_gives(tmp_path, output):
    trunk = build(write_encoder(tmp_path / "encoder.onnx", outputs=[output]))
    images = to_tensor(PIXELS)
    maps = expected_maps(PIXELS)
    assert trunk.num_features == trunk.channels == CHANNELS
    np.testing.assert_allclose(trunk.features(images), maps.mean((2, 3)), atol=1e-4)
    given = trunk(images)
    if output == "maps":
        np.testing.assert_allclose(given, maps, atol=1e-4)
    if output == "tokens":
        np.testing.assert_allclose(given[..., 0], maps.reshape(3, CHANNELS, 6), atol=1e-4)
    if output == "embedding":
        assert given.shape == (3, CHANNELS, 1, 1)


def test_layout_colour_order_and_a_fixed_number_of_pictures_are_followed(tmp_path):
    text = DESCRIPTION + 'layout = "NHWC"\noutput = "maps"\n'
    shape = (2, 8, 12, 3)
    file = tmp_path / "last.onnx"
    write_encoder(file, outputs=["maps", "embedding"], picture=shape, description=text)
    images = to_tensor(PIXELS)
    np.testing.assert_allclose(build(file)(images), expected_maps(PIXELS), atol=1e-4)
    turned = text.replace("[0.4, 0.5, 0.6]", "[0.6, 0.5, 0.4]")
    turned = turned.replace("[0.2, 0.25, 0.3]", "[0.3, 0.25, 0.2]") + 'channels = "BGR"\n'
    file = write_encoder(tmp_path / "bgr.onnx", outputs=["maps"], picture=shape, description=turned)
    given = build(file)(images.flip(1))
    np.testing.assert_allclose(given, expected_maps(PIXELS), atol=1e-4)


def test_it_trains_nothing_and_lets_no_gradient_through(tmp_path):
    trunk = build(write_encoder(tmp_path / "encoder.onnx"))
    assert not trunk.trainable and not trunk.differentiable
    images = to_tensor(PIXELS).requires_grad_()
    assert not trunk.train().features(images).requires_grad


def test_the_model_travels_with_the_weights(tmp_path):
    file = write_encoder(tmp_path / "encoder.onnx")
    trunk = build(file)
    images = to_tensor(PIXELS)
    expected, config, state = trunk.features(images), trunk.config, trunk.state_dict()
    copied = copy.deepcopy(trunk)
    file.unlink()
    file.with_suffix(".toml").unlink()
    again = build_trunk(config, 8, 12)
    again.load_state_dict(state)
    assert torch.equal(again.features(images), expected)
    assert torch.equal(copied.features(images), expected)
    assert again.identity == trunk.identity


def test_identity_follows_the_file_and_its_description(tmp_path):
    one = build(write_encoder(tmp_path / "one.onnx"))
    same = build(write_encoder(tmp_path / "same.onnx"))
    other = build(write_encoder(tmp_path / "other.onnx", outputs=["tokens"]))
    text = DESCRIPTION.replace("0.4", "0.45")
    described = build(write_encoder(tmp_path / "described.onnx", description=text))
    assert one.identity == same.identity
    assert len({one.identity, other.identity, described.identity}) == 3


def test_a_picture_of_another_size_is_refused_with_the_right_settings(tmp_path):
    file = write_encoder(tmp_path / "encoder.onnx")
    with pytest.raises(InputError, match=r"8 x 12, not 64 x 64; set images.height=8 and images"):
        build(file, 64, 64)


def test_it_cannot_be_traced_by_mistake(tmp_path):
    trunk = build(write_encoder(tmp_path / "encoder.onnx"))
    with pytest.raises(RuntimeError, match="cannot be traced"):
        torch.jit.trace(trunk, to_tensor(PIXELS))


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"picture": ("N", 3, 16, 16)}, r"\[\?,3,16,16\].*NCHW pictures of 8 x 12"),
        ({"picture": ("N", 8, 12, 3)}, r"takes picture \[\?,8,12,3\], but .* NCHW"),
        ({"extra_input": True}, r"has 2 inputs \(picture .*, text .*\); an encoder has one"),
        ({"element": TensorProto.UINT8}, "has to take floating-point numbers"),
        ({"outputs": ["maps", "embedding"]}, "has several outputs; name one of maps, embedding"),
        ({"outputs": ["number"]}, r"gives number \[\]; features \[N,F\]"),
        (
            {"description": DESCRIPTION + 'output = "pooled"'},
            "has no output 'pooled'; name one of embedding",
        ),
    ],
)
def test_a_model_that_is_not_as_described_gets_a_clear_word(tmp_path, settings, word):
    file = write_encoder(tmp_path / "encoder.onnx", **settings)
    with pytest.raises(InputError, match=word) as caught:
        build(file)
    assert str(file) in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"hello", None])
def test_a_damaged_model_is_refused(tmp_path, content):
    file = write_encoder(tmp_path / "encoder.onnx")
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2] if content is None else content)
    with pytest.raises(InputError, match=r"encoder.onnx: not an ONNX model that OpenVINO reads"):
        build(file)


def test_missing_files_are_named(tmp_path):
    with pytest.raises(InputError, match=r"none.toml: no such file; it has to say"):
        build(tmp_path / "none.onnx")
    (tmp_path / "none.toml").write_text(DESCRIPTION)
    with pytest.raises(InputError, match=r"none.onnx: no such file"):
        build(tmp_path / "none.onnx")
    with pytest.raises(InputError, match="needs a model"):
        TrunkConfig("onnx")


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("height = 8", "width: "),
        ("height = 8\nwidth = 'wide'", "width: .*'wide'"),
        ("height = 0\nwidth = 8", "must be positive"),
        ("height = 8\nwidth = 8\ndeviation = [1.0, 0.0, 1.0]", "deviation must be positive"),
        ("height = 8\nwidth = 8\nmean = [1.0]", "mean"),
        ("height = 8\nwidth = 8\nlayout = 'CHW'", "layout: .*'NCHW' or 'NHWC'"),
        ("height = 8\nwidth = 8\nsize = 8", "unknown key size; the keys are height, width, mean"),
        ("height = 8\nwidth = 8\nfeatures = 8", "unknown key features"),
        ("height =", "cannot be read"),
    ],
)
def test_a_wrong_description_is_refused(tmp_path, text, word):
    file = write_encoder(tmp_path / "encoder.onnx", description=text)
    with pytest.raises(InputError, match=word) as caught:
        build(file)
    assert str(file.with_suffix(".toml")) in str(caught.value)


def test_a_file_that_changed_between_building_and_loading_is_noticed(tmp_path):
    file = write_encoder(tmp_path / "encoder.onnx")
    trunk = build_trunk(TrunkConfig("onnx", str(file)), 8, 12)
    file.with_suffix(".toml").write_text(DESCRIPTION.replace("0.4", "0.41"))
    with pytest.raises(InputError, match="not the one that training began with"):
        trunk.load_pretrained()


def test_the_description_in_the_documentation_is_one(tmp_path):
    page = (Path(__file__).parents[2] / "docs" / "formats.md").read_text(encoding="utf-8")
    blocks = page.split("## Trunks")[1].split("\n## ")[0].split("```toml\n")[1:]
    settings, description = (block.split("```")[0] for block in blocks)
    (tmp_path / "encoder.toml").write_text(description)
    assert read_description(tmp_path / "encoder.toml").output == "image_embeds"
    (tmp_path / "settings.toml").write_text(settings)
    config = load_config([tmp_path / "settings.toml"])
    trunk = build_trunk(config.network.trunk, config.images.height, config.images.width)
    assert trunk.trainable
