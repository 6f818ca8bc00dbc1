"""What is fitted to a model, and what measuring leaves alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from amgan.methods.facts import ModelFacts
from amgan.methods.fusion import FusionWeights
from amgan.methods.model_file import load_model, save_model
from amgan.methods.ranking import RankingChoice
from amgan.run_folder import RunFolder
from amgan.workflows import fit
from amgan.workflows.data import ExperimentData
from amgan.workflows.evaluate import evaluate_model, rankers_of
from amgan.workflows.fit import CHANGED, DISTANCES, choose_fusion, fit_model

METRIC = "ndcg@10"


@pytest.fixture
def bare(run: Path, tmp_path: Path) -> Path:
    """The run's model without anything that was fitted to it."""
    model = load_model(RunFolder(run).model, "cpu")
    file = tmp_path / "model.safetensors"
    save_model(file, model.method, replace(model.description, facts=ModelFacts("shapes", 3)))
    return file


def test_a_file_is_read_once_and_written_once(
    bare: Path, data: ExperimentData, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []

    def load(*args: object, **options: object) -> object:
        calls.append("read")
        return load_model(*args, **options)  # type: ignore[arg-type]

    def save(*args: object) -> None:
        calls.append("write")
        save_model(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(fit, "load_model", load)
    monkeypatch.setattr(fit, "save_model", save)
    fit_model(bare, data, METRIC)
    assert calls == ["read", "write"]
    facts = load_model(bare, "cpu").description.facts
    assert (facts.catalogue, facts.seed, facts.ranking) == ("shapes", 3, "pure")
    assert facts.temperatures is not None and set(facts.temperatures) == set(
        data.catalogue.schema.names
    )
    assert facts.fusion is not None
    fit_model(bare, data, METRIC)
    assert calls == ["read", "write", "read"]


def test_measuring_does_not_touch_the_file(bare: Path, data: ExperimentData) -> None:
    before = bare.read_bytes()
    model = load_model(bare, "cpu", ranking=RankingChoice.pure)
    rankers = rankers_of(model, data, METRIC, RankingChoice.auto)
    assert [ranker.ranking for ranker in rankers] == ["pure", "fused"]
    for ranker in rankers:
        evaluate_model(ranker, data)
    assert bare.read_bytes() == before


def test_the_chosen_weights_are_the_best_of_the_grid_by_the_search_of_users(
    bare: Path, data: ExperimentData
) -> None:
    model = load_model(bare, "cpu")
    chosen = choose_fusion(model, data, METRIC)
    worth = {}
    for weights in (chosen, FusionWeights(DISTANCES[0], CHANGED[0]), FusionWeights(16.0, 4.0)):
        fused = model.with_facts(ModelFacts(fusion=weights, ranking="fused"))
        worth[weights] = evaluate_model(fused, data, split="val").means()[METRIC]
    assert worth[chosen] == max(worth.values())


def test_facts_that_are_not_known_are_refused_by_name(bare: Path) -> None:
    model = load_model(bare, "cpu")
    described = model.description.to_json().replace('"seed": 3', '"seed": 3, "sharpness": 2')

    class Newer:
        def to_json(self) -> str:
            return described

    save_model(bare, model.method, Newer())  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"model\.safetensors: says 'sharpness'"):
        load_model(bare)


def test_a_header_of_an_older_version_is_read() -> None:
    note = {"catalogue": "c", "seed": 1, "commit": None, "temperatures": {"a": 2.0}}
    note |= {"fusion": {"distance": 0.5, "changed": 2.0}, "ranking": "fused"}
    facts = ModelFacts.from_dict(note)
    assert facts == ModelFacts("c", 1, None, {"a": 2.0}, FusionWeights(0.5, 2.0), "fused")
    assert facts.ranking_choice is RankingChoice.auto
    assert facts.choose(RankingChoice.pure).ranking_choice is RankingChoice.pure
    assert ModelFacts.from_dict(facts.to_dict()) == facts
    with pytest.raises(ValueError, match="no fused ranking"):
        ModelFacts().choose(RankingChoice.fused)
