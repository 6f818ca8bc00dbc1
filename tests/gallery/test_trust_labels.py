"""A gallery that takes the catalogue's labels for certain."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tests.conftest import build_shape_model

from amgan.attributes import MISSING, Change
from amgan.catalogue.records import Catalogue
from amgan.gallery.encoding.blocks import EncodingOptions
from amgan.gallery.encoding.executor_choice import ExecutorChoice
from amgan.gallery.gallery import Gallery
from amgan.gallery.store import build_gallery, load_gallery_model, open_gallery
from amgan.gallery.update import renew_gallery, update_gallery
from amgan.methods.facts import ModelFacts
from amgan.methods.fusion import FusionWeights
from amgan.methods.trained import TrainedModel
from amgan.search import SearchQuery, SearchService

Shapes = Callable[..., Catalogue]


def fused(seed: int = 0, changed: float = 4.0) -> TrainedModel:
    model = build_shape_model(seed=seed)
    return model.with_facts(ModelFacts(fusion=FusionWeights(2.0**-6, changed), ranking="fused"))


@pytest.fixture
def model() -> TrainedModel:
    return fused()


def agree(gallery: Gallery, model: TrainedModel) -> bool:
    """Whether the posteriors in every vector are the item's labels, where it has them."""
    posteriors = np.asarray(gallery.vectors)[:, -2 - model.schema.num_values : -2]
    given = model.schema.one_hot(np.asarray(gallery.labels))
    known = np.repeat(np.asarray(gallery.labels) != MISSING, model.schema.sizes, 1)
    assert known.any()
    return np.array_equal(posteriors[known], given[known])


def test_results_have_the_wanted_label_first(
    tmp_path: Path, shapes: Shapes, model: TrainedModel
) -> None:
    catalogue = shapes(40)
    seen = SearchService(model, build_gallery(tmp_path / "seen", model, catalogue))
    trusting = build_gallery(tmp_path / "given", model, catalogue, trust_labels=True)
    given = SearchService(model, trusting)
    assert not seen.gallery.manifest.trust_labels
    assert agree(given.gallery, model)
    assert not agree(seen.gallery, model)
    attribute = model.schema.attributes[0]
    item = next(i for i in catalogue.item_ids if _value(trusting, i) != attribute.values[0])
    change = Change(attribute.name, attribute.values[0])
    carriers = int((catalogue.labels[:, 0] == 0).sum())
    first = given.search(SearchQuery(item_id=item, changes=(change,), k=carriers)).hits
    assert all(hit.labels[attribute.name] == attribute.values[0] for hit in first)
    # An untrained model that believes its own eyes does not manage that.
    assert not all(
        hit.labels[attribute.name] == attribute.values[0]
        for hit in seen.search(SearchQuery(item_id=item, changes=(change,), k=carriers)).hits
    )


def test_what_the_reference_has_already_comes_first_when_it_is_asked_for(
    tmp_path: Path, shapes: Shapes, model: TrainedModel
) -> None:
    catalogue = shapes(40)
    gallery = build_gallery(tmp_path / "given", model, catalogue, trust_labels=True)
    service = SearchService(model, gallery)
    held = []
    for row in np.flatnonzero(catalogue.labels[:, 0] != MISSING).tolist():
        value = model.schema.attributes[0].values[catalogue.labels[row, 0]]
        others = int((catalogue.labels[:, 0] == catalogue.labels[row, 0]).sum()) - 1
        first = {}
        for asked in ((), (Change("colour", value),)):
            query = SearchQuery(item_id=catalogue.item_ids[row], changes=asked, k=others)
            hits = service.search(query).hits
            first[len(asked)] = all(hit.labels["colour"] in (value, None) for hit in hits)
        assert first[1]
        held.append(first[0])
    assert not all(held), "without asking, other colours come in between"


def test_what_is_asked_for_counts_as_much_as_all_that_is_kept(
    tmp_path: Path, shapes: Shapes
) -> None:
    """Weights fitted to guesses would put what is alike before what was asked for."""
    model = fused(changed=0.5)
    catalogue = shapes(60)
    gallery = build_gallery(tmp_path / "gallery", model, catalogue, trust_labels=True)
    service = SearchService(model, gallery)
    first, second = model.schema.attributes[:2]
    reference = next(
        name
        for name, labels in zip(catalogue.item_ids, catalogue.labels, strict=True)
        if labels[0] > 0 and labels[1] > 0
    )
    changes = [Change(first.name, first.values[0]), Change(second.name, second.values[0])]
    hits = service.search(SearchQuery(item_id=reference, changes=changes, k=59)).hits
    met = [sum(h.labels[c.attribute] == c.wanted for c in changes) for h in hits]
    known = [met[i] for i, h in enumerate(hits) if None not in h.labels.values()]
    assert known == sorted(known, reverse=True)
    # A person may say otherwise.
    less = service.search(
        SearchQuery(item_id=reference, changes=changes, k=59, importance={second.name: 0.0})
    ).hits
    assert [h.item_id for h in less] != [h.item_id for h in hits]


def _value(gallery: Gallery, item_id: str) -> str | None:
    labels = gallery.labels[gallery.row(item_id)]
    return gallery.schema.decode(labels)[gallery.schema.names[0]]


def test_an_item_finds_the_items_with_its_labels_and_a_picture_what_is_said_of_it(
    tmp_path: Path, shapes: Shapes, model: TrainedModel
) -> None:
    catalogue = shapes(40)
    gallery = build_gallery(tmp_path / "gallery", model, catalogue, trust_labels=True)
    service = SearchService(model, gallery)
    alike = service.search(SearchQuery(item_id=catalogue.item_ids[0], k=3)).hits
    others = (catalogue.labels[1:] == catalogue.labels[0]).all(1).sum()
    assert all(all(hit.matches.values()) for hit in alike[: int(others)])
    known = model.schema.decode(np.array([1] * model.schema.num_attributes, np.int16))
    told = service.search(SearchQuery(catalogue.images[0], k=40, known=known)).hits
    agreeing = [sum(hit.labels[name] == value for name, value in known.items()) for hit in told]
    assert agreeing == sorted(agreeing, reverse=True)


@pytest.mark.parametrize("executor", [ExecutorChoice.threads, ExecutorChoice.processes])
def test_updates_and_newer_models_go_on_trusting(
    executor: ExecutorChoice, tmp_path: Path, shapes: Shapes, model: TrainedModel
) -> None:
    folder = tmp_path / "gallery"
    options = EncodingOptions(batch_size=4, executor=executor, workers=2)
    build_gallery(folder, model, shapes(12), trust_labels=True, encoding=options)
    updated = update_gallery(folder, model, add=shapes(5, 3, "new"), encoding=options).gallery
    assert (len(updated), updated.manifest.trust_labels) == (17, True)
    assert agree(updated, model)
    newer = fused(seed=1)
    renewed = renew_gallery(folder, newer, remove=["item-001"], encoding=options).gallery
    assert (len(renewed), renewed.manifest.trust_labels) == (16, True)
    assert agree(renewed, newer)
    assert open_gallery(folder).manifest.trust_labels


def test_a_ranking_by_the_distance_alone_stays_as_it_was(tmp_path: Path, shapes: Shapes) -> None:
    model = build_shape_model()
    trusting = build_gallery(tmp_path / "trusting", model, shapes(8), trust_labels=True)
    plain = build_gallery(tmp_path / "plain", model, shapes(8))
    assert np.array_equal(np.asarray(trusting.vectors), np.asarray(plain.vectors))
    assert load_gallery_model(trusting, "cpu").identity == model.identity


def test_a_build_that_was_interrupted_does_not_mix_the_two(
    tmp_path: Path, shapes: Shapes, model: TrainedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, options = tmp_path / "gallery", EncodingOptions(batch_size=4)

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("amgan.gallery.store.begin_version", interrupt)
        with pytest.raises(KeyboardInterrupt):
            build_gallery(folder, model, shapes(12), encoding=options)
    built = build_gallery(folder, model, shapes(12), encoding=options, trust_labels=True)
    assert agree(built, model)
