"""The whole path on rendered garments: data, training, evaluation through the search."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from amgan.catalogue.studio import STUDIO_SCHEMA
from amgan.config import ExperimentConfig, load_config
from amgan.evaluation.report import EvaluationReport
from amgan.methods.model_file import load_model
from amgan.methods.query_arrays import QueryArrays
from amgan.run_folder import RunFolder
from amgan.workflows.data import ExperimentData, choose_triplets, load_data
from amgan.workflows.evaluate import build_untrained, evaluate_model, evaluate_run
from amgan.workflows.train import train_experiment


def test_balanced_draws_ask_for_one_change_as_often_as_for_many(
    config: ExperimentConfig, data: ExperimentData
) -> None:
    shares = {}
    for balanced in (False, True):
        triplets = replace(config.triplets, balance_changes=balanced)
        drawn = choose_triplets(triplets, data.catalogue)
        shares[balanced] = float((drawn.num_changes(data.catalogue) <= 4).mean())
    assert shares[False] < 0.5 * shares[True]


def test_a_run_folder_holds_what_the_docs_say(run: Path, config: ExperimentConfig) -> None:
    assert RunFolder(run).read_config() == config.to_dict()
    for name in ("log.jsonl", "checkpoint.safetensors", "model.safetensors", "triplets.jsonl"):
        assert (run / name).stat().st_size > 0
    assert len(list((run / "prototypes").glob("epoch-*.png"))) == 2
    assert list((run / "tensorboard").iterdir())
    records = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    validations = [record for record in records if record["kind"] == "validation"]
    assert [record["epoch"] for record in validations] == [1, 2]
    assert {"top@10", "ndcg@10", "mrr@1000"} <= set(validations[0])


def test_training_lowers_what_it_minimises(run: Path) -> None:
    records = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    pixel = [r["generator.pixel"] for r in records if r["kind"] == "train"]
    assert pixel[-1] < pixel[0]


def test_two_runs_of_one_configuration_are_one(
    run: Path, config: ExperimentConfig, data: ExperimentData, tmp_path: Path
) -> None:
    again = load_model(train_experiment(config, tmp_path / "second", data), "cpu")
    assert again.identity == load_model(run, "cpu").identity


@pytest.mark.parametrize("protocol", ["paper", "unseen"])
def test_evaluation_says_what_it_ranked(run: Path, data: ExperimentData, protocol: str) -> None:
    found = evaluate_model(load_model(run, "cpu"), data, protocol=protocol)  # type: ignore[arg-type]
    test = data.catalogue.rows_in_split("test")
    assert found.report.gallery_size == (len(data.catalogue) if protocol == "paper" else len(test))
    assert found.report.num_queries == len(found.triplets)
    assert not (found.retrieved == found.triplets.reference[:, None]).any()
    if protocol == "unseen":
        assert set(np.unique(found.retrieved)) <= {-1, *test.tolist()}


def test_reports_are_written(run: Path, data: ExperimentData, tmp_path: Path) -> None:
    found = evaluate_model(load_model(run, "cpu"), data)
    path = found.save(tmp_path)
    report = json.loads(path.read_text())
    assert (report["protocol"], report["triplet_digest"]) == ("unseen", found.triplets.digest)
    assert "Top-10" in (tmp_path / "test-unseen.md").read_text()
    assert (tmp_path / "test-unseen.parquet").stat().st_size > 0


def test_a_report_says_whether_the_picture_counts(run: Path, data: ExperimentData) -> None:
    for evaluation in evaluate_run(run, ["unseen"], device="cpu"):
        report = evaluation.report
        assert report.picture is not None
        test = data.catalogue.rows_in_split("test")
        assert report.picture.asked["self"] == len(test)
        assert 0 < report.picture.means["self@10"] <= 1
        assert EvaluationReport.from_json(report.to_json()).to_json() == report.to_json()
        assert "Whether the picture counts" in report.to_markdown()


def test_an_untrained_ranker_finds_the_same_picture_first(run: Path, data: ExperimentData) -> None:
    model = build_untrained("nearest-picture", load_model(run, "cpu"))
    vectors = model.encode_gallery(data.pixels[:20])
    distances = np.linalg.norm(vectors[:, None] - vectors[None], axis=2)
    assert distances.argmin(axis=1).tolist() == list(range(20))


def test_unmanipulated_queries_ignore_the_changes(run: Path, data: ExperimentData) -> None:
    model = build_untrained("unmanipulated", load_model(run, "cpu"))
    some = np.zeros((5, STUDIO_SCHEMA.num_values), np.float32)
    some[:, 0] = 1
    assert np.array_equal(
        model.encode_queries(QueryArrays(data.pixels[:5], some)),
        model.encode_gallery(data.pixels[:5]),
    )


def test_a_random_ranker_hits_as_often_as_chance(run: Path, data: ExperimentData) -> None:
    found = evaluate_model(build_untrained("random", load_model(run, "cpu")), data, split="train")
    gallery = len(data.catalogue.rows_in_split("train")) - 1
    assert found.means()["item@10"] == pytest.approx(10 / gallery, abs=0.08)


def test_another_catalogue_is_refused(config: ExperimentConfig, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no catalogue: set catalogue\.path"):
        load_data(load_config())
    with pytest.raises(ValueError, match=r"unknown reader 'nowhere'; the readers are table, "):
        load_data(load_config(overrides=["catalogue.path=x", "catalogue.reader=nowhere"]))
