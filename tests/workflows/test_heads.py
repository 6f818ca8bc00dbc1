"""Heads on a trunk: features once, training, fitting, the gallery and its search."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors import safe_open

from amgan.attributes import Change
from amgan.catalogue.records import Catalogue
from amgan.catalogue.validation import ValidationReport
from amgan.config import ExperimentConfig, config_from_dict
from amgan.gallery.gallery import Gallery
from amgan.images import load_pixels
from amgan.methods.heads import HeadsRanker
from amgan.methods.model_file import load_model
from amgan.methods.query_arrays import QueryArrays
from amgan.queries import assign_splits, sample_triplets
from amgan.search import SearchQuery, SearchService
from amgan.workflows.data import ExperimentData
from amgan.workflows.evaluate import build_untrained, evaluate_model
from amgan.workflows.features import look_at
from amgan.workflows.train import train_experiment
from conftest import write_shapes


def make_config(**options: object) -> ExperimentConfig:
    return config_from_dict(
        {
            "method": "heads",
            "options": {"hidden": 32, "style_dim": 8, "appearance_dim": 16, **options},
            "images": {"height": 32, "width": 32},
            "network": {
                "encoder_widths": [8, 16],
                "trunk": {"frozen_blocks": 0 if options.get("fine_tune") else -1},
            },
            "training": {
                "epochs": 6,
                "batch_size": 32,
                "learning_rate": 5e-3,
                "device": "cpu",
                "metric": "top@10",
                "validate_every": 3,
            },
        }
    )


def make_data(folder: Path, config: ExperimentConfig) -> ExperimentData:
    catalogue = assign_splits(write_shapes(folder / "pictures", 200), seed=0)
    pixels = np.stack([load_pixels(image, config.images) for image in catalogue.images])
    triplets = sample_triplets(catalogue, seed=0)
    report = ValidationReport((), len(catalogue), 0)
    return ExperimentData(catalogue, pixels, triplets, report, folder / "cache")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> ExperimentData:
    return make_data(tmp_path_factory.mktemp("heads"), make_config())


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, data: ExperimentData) -> Path:
    folder = tmp_path_factory.mktemp("run")
    train_experiment(make_config(), folder, data)
    return folder


@pytest.fixture(scope="module")
def service(run: Path, data: ExperimentData) -> SearchService:
    model = load_model(run, "cpu")
    return SearchService(model, Gallery.in_memory(model, data.catalogue, data.pixels))


def test_heads_on_random_features_find_far_more_than_chance(
    run: Path, data: ExperimentData
) -> None:
    model = load_model(run, "cpu")
    found = evaluate_model(model, data, split="test").means()
    assert found["wanted@10"] > 0.6  # at random: 1/3 of colours, 1/2 of shapes and grounds
    assert found["kept@10"] > 0.6


def test_features_are_computed_once(run: Path, data: ExperimentData, monkeypatch) -> None:
    """Evaluation finds what training computed: the network is never asked."""
    model = load_model(run, "cpu")
    assert model.num_features > 0
    monkeypatch.setattr(model, "compute_features", None)
    rows = data.catalogue.rows_in_split("val")
    assert look_at(model, data, rows).shape == (len(rows), model.num_features)


def test_pictures_and_their_features_are_encoded_alike(run: Path, data: ExperimentData) -> None:
    model = load_model(run, "cpu")
    rows = data.catalogue.rows_in_split("test")
    by_picture = model.encode_gallery(data.pixels[rows])
    by_feature = model.encode_gallery(look_at(model, data, rows))
    np.testing.assert_allclose(by_picture, by_feature, atol=0.02)  # features are kept in float16


def test_an_item_is_its_own_nearest_where_nothing_is_asked(
    service: SearchService, data: ExperimentData
) -> None:
    rows = np.arange(0, len(data.catalogue), 7)
    nothing = np.zeros((len(rows), data.catalogue.schema.num_values), np.float32)
    found = service.rank(QueryArrays(data.pixels[rows], nothing), 1)
    assert (found.rows[:, 0] == rows).mean() > 0.9


def test_a_photo_that_shows_nothing_like_the_gallery_is_told(
    service: SearchService, data: ExperimentData
) -> None:
    """Drawn shapes are known, also when something is asked of them; noise and stripes are not."""
    changes = (Change("colour", "blue"),)
    own = [
        service.search(SearchQuery(data.catalogue.images[row], changes=changes, k=3)).familiar
        for row in range(0, len(data.catalogue), 5)
    ]
    assert np.mean(own) > 0.9  # type: ignore[arg-type]
    noise = np.random.default_rng(0).integers(0, 255, (40, 40, 3), np.uint8)
    stripes = np.zeros((40, 40, 3), np.uint8)
    stripes[::4] = (255, 0, 255)
    for pixels in (noise, stripes):
        content = io.BytesIO()
        Image.fromarray(pixels).save(content, "PNG")
        assert service.search(SearchQuery(content.getvalue(), k=3)).familiar is False
    assert service.search(SearchQuery(item_id=data.catalogue.item_ids[0], k=3)).familiar is None


def test_with_given_labels_what_was_asked_for_comes_first(
    service: SearchService, data: ExperimentData, run: Path
) -> None:
    gallery = service.gallery
    labels = np.where(data.catalogue.labels < 0, 0, data.catalogue.labels)
    vectors = service.model.give_labels(gallery.vectors, labels)
    engine = type(gallery.engine)(vectors, gallery.metric)
    trusted = replace(
        gallery,
        labels=labels,
        vectors=vectors,
        engine=engine,
        manifest=replace(gallery.manifest, trust_labels=True),
    )
    asked = SearchService(service.model, trusted)
    blue = labels[:, 0] == 2
    for row in range(0, 40, 8):
        query = SearchQuery(
            item_id=trusted.item_ids[row], changes=(Change("colour", "blue"),), k=int(blue.sum())
        )
        hits = asked.search(query).hits
        own = int(blue[row])
        assert all(hit.labels["colour"] == "blue" for hit in hits[: blue.sum() - own])


def test_importance_moves_the_ranking(service: SearchService, data: ExperimentData) -> None:
    item = data.catalogue.item_ids[3]
    plain = service.search(SearchQuery(item_id=item, k=60, importance={"ground": 0.0}))
    weighed = service.search(SearchQuery(item_id=item, k=60, importance={"ground": 50.0}))
    name = "ground"
    value = {attribute.name: attribute.value for attribute in plain.attributes}[name]

    def share(result: object) -> float:
        return float(np.mean([hit.labels[name] == value for hit in result.hits]))  # type: ignore[attr-defined]

    assert share(weighed) > share(plain)


def test_the_score_decides_no_vector_of_the_gallery(run: Path) -> None:
    model = load_model(run, "cpu")
    other = load_model(run, "cpu")
    assert isinstance(other.method, HeadsRanker)
    with torch.no_grad():
        other.method.score.style.add_(1.0)
    assert other.identity == model.identity
    with torch.no_grad():
        third = load_model(run, "cpu")
        next(third.method.attribute_head.parameters()).add_(1.0)
    assert third.identity != model.identity


def test_a_trunk_that_is_trained_searches_with_the_average_of_its_weights(
    tmp_path: Path,
) -> None:
    config = make_config(fine_tune=True)
    config = replace(config, training=replace(config.training, epochs=2, validate_every=1))
    data = make_data(tmp_path, config)
    train_experiment(config, tmp_path / "run", data)
    with safe_open(tmp_path / "run" / "model.safetensors", "pt") as opened:
        names = set(opened.keys())
    assert not any(name.startswith("trained.") for name in names)
    assert any(name.startswith("pictures.trunk.") for name in names)
    log = (tmp_path / "run" / "log.jsonl").read_text().splitlines()
    losses = [r["heads.attribute"] for r in map(json.loads, log) if r["kind"] == "train"]
    assert losses[-1] < losses[0]
    model = load_model(tmp_path / "run", "cpu")
    assert evaluate_model(model, data, split="test").means()["wanted@10"] > 0.4


def test_a_catalogue_without_validation_items_is_trained_and_searched(tmp_path: Path) -> None:
    config = make_config()
    data = make_data(tmp_path, config)
    catalogue: Catalogue = replace(data.catalogue, splits=("train",) * len(data.catalogue))
    data = replace(data, catalogue=catalogue, triplets=sample_triplets(catalogue, seed=0))
    train_experiment(config, tmp_path / "run", data)
    model = load_model(tmp_path / "run", "cpu")
    service = SearchService(model, Gallery.in_memory(model, catalogue, data.pixels))
    result = service.search(
        SearchQuery(item_id=catalogue.item_ids[1], changes=(Change("shape", "bar"),), k=5)
    )
    assert len(result.hits) == 5


def test_ignoring_changes_is_worse_at_what_was_asked(run: Path, data: ExperimentData) -> None:
    model = load_model(run, "cpu")
    ignoring = build_untrained("unmanipulated", model)
    asked = evaluate_model(model, data, split="test").means()["wanted@10"]
    assert evaluate_model(ignoring, data, split="test").means()["wanted@10"] < asked
