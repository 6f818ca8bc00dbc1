"""What the user chose to rank by stays with the gallery, whatever model encodes it next."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tests.conftest import build_shape_model

from amgan.catalogue.records import Catalogue
from amgan.gallery.store import (
    Gallery,
    GalleryError,
    build_gallery,
    gallery_ranking,
    load_gallery_model,
    open_gallery,
)
from amgan.gallery.update import renew_gallery, update_gallery
from amgan.methods.facts import ModelFacts
from amgan.methods.fusion import FusionWeights
from amgan.methods.model_file import load_model, save_model
from amgan.methods.ranking import RankingChoice
from amgan.search import SearchQuery, open_search
from amgan.workflows.index import update_index

Shapes = Callable[..., Catalogue]
FUSION = ModelFacts(fusion=FusionWeights(0.5, 1.0))
METRICS = {"pure": "euclidean", "fused": "inner_product", "auto": "inner_product"}


def write_model(file: Path, seed: int = 0, fitted: bool = True) -> Path:
    model = build_shape_model(seed=seed)
    description = replace(model.description, facts=FUSION if fitted else ModelFacts())
    save_model(file, model.method, description)
    return file


def build(folder: Path, catalogue: Catalogue, choice: RankingChoice) -> Gallery:
    model = load_model(write_model(folder.with_suffix(".safetensors")), "cpu", ranking=choice)
    return build_gallery(folder, model, catalogue, ranking=choice)


def forget(gallery: Gallery) -> None:
    """Make a gallery one that was written before the choice was kept."""
    assert gallery.folder is not None
    file = gallery.folder / "gallery.json"
    values = json.loads(file.read_text(encoding="utf-8"))
    del values["ranking"]
    file.write_text(json.dumps(values), encoding="utf-8")


@pytest.mark.parametrize("choice", list(RankingChoice))
@pytest.mark.parametrize("known", [True, False], ids=["kept", "older gallery"])
def test_a_newer_model_ranks_as_was_chosen(
    choice: RankingChoice, known: bool, tmp_path: Path, shapes: Shapes
) -> None:
    folder = tmp_path / "gallery"
    built = build(folder, shapes(8), choice)
    assert built.metric == METRICS[choice]
    if not known:
        forget(built)
    update_index(folder, remove=["item-001"], device="cpu")
    done = update_index(folder, run=write_model(tmp_path / "new.safetensors", 1), device="cpu")
    assert done.renewed
    gallery = open_gallery(folder)
    assert (gallery.metric, len(gallery)) == (METRICS[choice], 7)
    # An older fused gallery cannot tell whether that was asked for or found by itself.
    expected = choice if known or choice is RankingChoice.pure else RankingChoice.auto
    assert gallery.manifest.ranking == expected


def test_auto_finds_what_a_newer_model_can(tmp_path: Path, shapes: Shapes) -> None:
    folder = tmp_path / "gallery"
    old = load_model(write_model(tmp_path / "old.safetensors", fitted=False), "cpu")
    gallery = build_gallery(folder, old, shapes(8))
    assert (gallery.metric, gallery_ranking(gallery)) == (METRICS["pure"], "auto")
    update_index(folder, run=write_model(tmp_path / "new.safetensors", 1), device="cpu")
    assert open_gallery(folder).metric == METRICS["fused"]
    update_index(folder, run=write_model(tmp_path / "newer.safetensors", 2, False), device="cpu")
    assert open_gallery(folder).metric == METRICS["pure"]


def test_a_fused_gallery_refuses_a_model_without_one(tmp_path: Path, shapes: Shapes) -> None:
    folder = tmp_path / "gallery"
    before = build(folder, shapes(8), RankingChoice.fused).folder
    new = write_model(tmp_path / "new.safetensors", 1, fitted=False)
    with pytest.raises(ValueError, match="this model has no fused ranking"):
        update_index(folder, run=new, device="cpu")
    assert open_gallery(folder).folder == before


@pytest.mark.parametrize("choice", [RankingChoice.pure, RankingChoice.fused])
def test_a_model_that_was_loaded_to_rank_otherwise_is_refused(
    choice: RankingChoice, tmp_path: Path, shapes: Shapes
) -> None:
    folder = tmp_path / "gallery"
    before = build(folder, shapes(8), choice).folder
    (other,) = {RankingChoice.pure, RankingChoice.fused} - {choice}
    model = load_model(write_model(tmp_path / "new.safetensors", 1), "cpu", ranking=other)
    with pytest.raises(GalleryError, match=f"indexed with ranking '{choice}'.*ranks {other}"):
        renew_gallery(folder, model)
    assert open_gallery(folder).folder == before


def test_every_field_and_file_is_documented(tmp_path: Path, shapes: Shapes) -> None:
    model = build_shape_model()
    built = build_gallery(tmp_path / "gallery", model, shapes(8), engine="faiss://hnsw?m=8")
    assert built.folder is not None
    text = (Path(__file__).parents[2] / "docs" / "formats.md").read_text(encoding="utf-8")
    section = text.partition("### The gallery folder")[2]
    values = json.loads((built.folder / "gallery.json").read_text(encoding="utf-8"))
    names = [*values, *(path.name for path in built.folder.iterdir())]
    assert [name for name in names if f"`{name}`" not in section] == []


def test_an_update_keeps_the_choice(tmp_path: Path, shapes: Shapes) -> None:
    folder = tmp_path / "gallery"
    gallery = build(folder, shapes(8), RankingChoice.fused)
    model = load_gallery_model(gallery, "cpu")
    done = update_gallery(folder, model, add=shapes(2, 5, "new"))
    assert done.gallery.manifest.ranking is RankingChoice.fused


def test_a_choice_that_there_is_not_is_a_damaged_gallery(tmp_path: Path, shapes: Shapes) -> None:
    gallery = build(tmp_path / "gallery", shapes(4), RankingChoice.pure)
    assert gallery.folder is not None
    file = gallery.folder / "gallery.json"
    file.write_text(file.read_text().replace('"ranking": "pure"', '"ranking": "best"'))
    with pytest.raises(GalleryError, match=r"gallery\.json: damaged .*best"):
        open_gallery(tmp_path / "gallery")


def test_a_gallery_or_a_run_is_enough_to_search(tmp_path: Path, shapes: Shapes) -> None:
    run = tmp_path / "run"
    file = write_model(run / "model.safetensors")
    gallery = build_gallery(run / "gallery", load_model(file, "cpu"), shapes(8))
    moved = tmp_path / "moved"
    shutil.copytree(run / "gallery", moved)
    for places in ((None, moved), (run, None), (file, None), (run, moved)):
        service = open_search(*places, device="cpu", compiled=False)
        assert service.model.identity == gallery.model_identity
        assert len(service.search(SearchQuery(item_id="item-001", k=3)).hits) == 3
    with pytest.raises(ValueError, match="name a run folder or a gallery folder"):
        open_search()
    with pytest.raises(ValueError, match="nowhere: no model here"):
        open_search(tmp_path / "nowhere", moved)
