"""Tags of pictures without labels."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from amgan.attributes import Attribute, AttributeSchema
from amgan.devices import choose_compute
from amgan.images import ImageSettings
from amgan.methods.description import ModelDescription
from amgan.methods.facts import ModelFacts
from amgan.methods.trained import TrainedModel
from amgan.models.network import NetworkConfig
from amgan.tagging import find_pictures, tag_pictures, write_tags

SCHEMA = AttributeSchema(
    (Attribute("colour", ("blue", "green", "red")), Attribute("size", ("large", "small")))
)
NETWORK = NetworkConfig(4, 8, 1, (4, 8), 6)


def build(method: str = "posterior", facts: ModelFacts | None = None) -> TrainedModel:
    torch.manual_seed(0)
    images = ImageSettings(16, 16)
    description = ModelDescription(method, {}, SCHEMA, images, NETWORK, facts or ModelFacts())
    return TrainedModel(description.build(), description, choose_compute("cpu", "fp32"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    for number in range(3):
        pixels = rng.integers(0, 256, (20, 20, 3), np.uint8)
        (tmp_path / f"sub{number % 2}").mkdir(exist_ok=True)
        Image.fromarray(pixels).save(tmp_path / f"sub{number % 2}" / f"{number}.png")
    (tmp_path / "notes.txt").write_text("not a picture")
    return tmp_path


def test_pictures_are_found_to_the_bottom_in_order(folder: Path) -> None:
    names = [str(path.relative_to(folder)) for path in find_pictures([folder])]
    assert names == ["sub0/0.png", "sub0/2.png", "sub1/1.png"]
    with pytest.raises(ValueError, match="absent: no such file or folder"):
        find_pictures([folder / "absent"])
    (folder / "empty").mkdir()
    with pytest.raises(ValueError, match="no picture in this folder"):
        find_pictures([folder / "empty"])


def test_tags_are_the_models_likeliest_values(folder: Path) -> None:
    model = build()
    for tag in tag_pictures(model, find_pictures([folder])):
        pixels = np.asarray(Image.open(tag.picture).resize((16, 16), Image.Resampling.BICUBIC))
        predicted = model.predict_attributes(pixels[None])
        assert predicted is not None
        assert tag.values[1] == SCHEMA.attributes[1].values[predicted[0, 3:].argmax()]
        assert tag.confidences[1] == pytest.approx(predicted[0, 3:].max(), abs=0.01)


def test_temperatures_change_the_confidence_and_not_the_value(folder: Path) -> None:
    pictures = find_pictures([folder])
    plain = list(tag_pictures(build(), pictures))
    cold = list(tag_pictures(build(facts=ModelFacts(temperatures={"colour": 0.05})), pictures))
    assert [tag.values for tag in plain] == [tag.values for tag in cold]
    assert all(c.confidences[0] > p.confidences[0] for c, p in zip(cold, plain, strict=True))
    assert all(c.confidences[1] == p.confidences[1] for c, p in zip(cold, plain, strict=True))


def test_a_table_of_tags(folder: Path) -> None:
    broken = folder / "sub0" / "broken.png"
    broken.write_bytes(b"\x89PNG nothing more")
    model = build()
    tags = list(tag_pictures(model, find_pictures([folder])))
    assert write_tags(folder / "tags.csv", model, tags, least_confidence=2.0) == 4
    with (folder / "tags.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == [
        "image",
        "colour_predicted",
        "colour_confidence",
        "size_predicted",
        "size_confidence",
        "problem",
    ]
    unread = [row for row in rows if row["problem"]]
    assert [row["image"] for row in unread] == [str(broken)]
    assert unread[0]["colour_confidence"] == ""
    read = [row for row in rows if not row["problem"]]
    assert all(row["colour_predicted"] == "" and row["colour_confidence"] for row in read)


def test_a_method_without_a_classifier_is_refused(folder: Path) -> None:
    with pytest.raises(ValueError, match="'random' has no attribute classifier"):
        list(tag_pictures(build("random"), find_pictures([folder])))
