"""Model files: round trip, identity, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from amgan.attributes import Attribute, AttributeSchema
from amgan.devices import choose_compute
from amgan.images import ImageSettings
from amgan.methods.description import ModelDescription
from amgan.methods.facts import ModelFacts
from amgan.methods.model_file import load_model, save_model
from amgan.methods.query_arrays import QueryArrays
from amgan.methods.trained import TrainedModel
from amgan.models.network import NetworkConfig

SCHEMA = AttributeSchema(
    (Attribute("colour", ("blue", "green", "red")), Attribute("size", ("large", "small")))
)
DESCRIPTION = ModelDescription(
    "amgan-p",
    {},
    SCHEMA,
    ImageSettings(16, 16),
    NetworkConfig(4, 8, 1, (4, 8), 6),
    ModelFacts(seed=1),
)
PIXELS = np.random.default_rng(0).integers(0, 256, (5, 16, 16, 3), np.uint8)
INDICATOR = np.eye(5, dtype=np.float32)


def build(description: ModelDescription = DESCRIPTION) -> TrainedModel:
    torch.manual_seed(0)
    return TrainedModel(description.build(), description, choose_compute("cpu", "fp32"))


def test_a_model_file_gives_the_same_model(tmp_path: Path) -> None:
    model = build()
    save_model(tmp_path / "model.safetensors", model.method, DESCRIPTION)
    again = load_model(tmp_path, "cpu", "fp32")
    assert again.identity == model.identity
    assert again.description == DESCRIPTION
    assert np.array_equal(again.encode_gallery(PIXELS), model.encode_gallery(PIXELS))
    assert np.array_equal(
        again.encode_queries(QueryArrays(PIXELS, INDICATOR)),
        model.encode_queries(QueryArrays(PIXELS, INDICATOR)),
    )


def test_identity_follows_weights_and_preprocessing_but_not_facts() -> None:
    model = build()
    known = build(replace(DESCRIPTION, facts=ModelFacts(seed=2)))
    stretched = build(replace(DESCRIPTION, images=ImageSettings(16, 16, "stretch")))
    assert known.identity == model.identity
    assert stretched.identity != model.identity
    moved = build()
    with torch.no_grad():
        next(iter(moved.method.parameters())).add_(1e-3)
    assert moved.identity != model.identity


def test_batches_do_not_change_the_result() -> None:
    model = build()
    whole = model.encode_queries(QueryArrays(PIXELS, INDICATOR))
    model.batch_size = 2
    np.testing.assert_allclose(
        model.encode_queries(QueryArrays(PIXELS, INDICATOR)), whole, atol=1e-5
    )
    assert model.encode_gallery(PIXELS[:0]).shape == (0, 6)


def test_prototypes_are_pictures_and_queries_embed_them() -> None:
    model = build()
    drawn = model.draw_prototypes(QueryArrays(PIXELS, INDICATOR))
    assert drawn is not None
    assert (drawn.shape, drawn.dtype) == (PIXELS.shape, np.uint8)


def test_predicted_attributes_are_probabilities() -> None:
    predicted = build().predict_attributes(PIXELS)
    assert predicted is not None
    for columns in SCHEMA.slices:
        np.testing.assert_allclose(predicted[:, columns].sum(axis=1), 1, rtol=1e-5)


def test_refusals_name_the_file(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no model here"):
        load_model(tmp_path)
    file = tmp_path / "model.safetensors"
    file.write_bytes(b"not a model")
    with pytest.raises(ValueError, match=r"model\.safetensors: not a readable safetensors file"):
        load_model(tmp_path)
    save_file({"a": torch.zeros(1)}, file)
    with pytest.raises(ValueError, match="not a model of this program"):
        load_model(tmp_path)
    model = build()
    save_model(file, model.method, replace(DESCRIPTION, network=NetworkConfig(4, 8, 2, (4, 8), 6)))
    with pytest.raises(ValueError, match="weights do not fit"):
        load_model(tmp_path)


def test_an_interrupted_save_keeps_the_old_file(tmp_path: Path) -> None:
    model = build()
    file = tmp_path / "model.safetensors"
    save_model(file, model.method, DESCRIPTION)
    before = file.read_bytes()
    broken = replace(DESCRIPTION, options={"bad": object()})
    with pytest.raises(TypeError):
        save_model(file, model.method, broken)
    assert file.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["model.safetensors"]
