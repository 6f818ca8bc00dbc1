from __future__ import annotations

import json
import math
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from amgan.attributes import Attribute, AttributeSchema
from amgan.catalogue.records import Catalogue
from amgan.evaluation.per_query import PerQueryResults, load_per_query, number_word, save_per_query
from amgan.evaluation.provenance import commit_id, machine_description
from amgan.evaluation.report import (
    EvaluationReport,
    Ranking,
    build_report,
    comparison_to_markdown,
    load_report,
    save_report,
)
from amgan.evaluation.tables import format_number, format_table, metric_title
from amgan.queries import Triplets

NAN = math.nan


def make_results() -> PerQueryResults:
    """Four queries over collar and colour; the last changes both."""
    return PerQueryResults(
        {
            "top@1": np.array([1.0, 0.0, 1.0, 0.0]),
            "ndcg_o@10": np.array([0.5, 0.25, 0.75, NAN]),
            "mine": np.array([1.0, 2.0, 3.0, 4.0]),
        },
        ("a", "b", "a", "c"),
        ("x", "y", "z", "x"),
        ("collar", "colour"),
        np.array([[True, False], [False, True], [True, False], [True, True]]),
    )


def make_report(
    results: PerQueryResults | None = None, method: str = "AMGAN-P", ranking: Ranking = "pure"
) -> EvaluationReport:
    return build_report(
        results or make_results(),
        method=method,
        ranking=ranking,
        protocol="unseen",
        catalogue="small",
        split="test",
        triplet_digest="0123456789abcdef",
        seed=5,
        gallery_size=1234,
    )


def test_groups_and_means_by_hand() -> None:
    report = make_report()
    assert list(report.groups) == ["all", "one", "two", "changes collar", "changes colour"]
    assert [group.n for group in report.groups.values()] == [4, 3, 1, 3, 2]
    top = [group.means["top@1"] for group in report.groups.values()]
    assert top == pytest.approx([0.5, 2 / 3, 0, 2 / 3, 0])
    others = [group.means["ndcg_o@10"] for group in report.groups.values()]
    assert others == pytest.approx([0.5, 0.5, NAN, 0.625, 0.25], nan_ok=True)
    defined = [dict(group.defined) for group in report.groups.values()]
    assert defined == [
        {"ndcg_o@10": 3},
        {},
        {"ndcg_o@10": 0},
        {"ndcg_o@10": 2},
        {"ndcg_o@10": 1},
    ]
    assert report.num_queries == 4


def test_json_round_trip(tmp_path: Path) -> None:
    report = make_report()
    save_report(report, tmp_path / "r.json")
    loaded = load_report(tmp_path / "r.json")
    assert math.isnan(loaded.groups["two"].means["ndcg_o@10"])
    assert loaded.to_json() == report.to_json()
    plain = json.loads(report.to_json())
    assert plain["groups"]["two"]["means"]["ndcg_o@10"] is None
    assert plain["protocol"] == "unseen"
    assert plain["ranking"] == "pure"
    assert plain["triplet_digest"] == "0123456789abcdef"


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"groups": {"all": 1}}', '{"groups": {}}'])
def test_what_is_not_a_report_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "r.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"r\.json"):
        load_report(path)


def test_unknown_protocol() -> None:
    with pytest.raises(ValueError, match="protocols are paper, unseen"):
        replace(make_report(), protocol="easy")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="rankings are pure, fused"):
        replace(make_report(), ranking="auto")  # type: ignore[arg-type]


@pytest.mark.parametrize("ranking", ["pure", "fused"])
def test_a_ranking_is_read_back_and_told(ranking: Ranking, tmp_path: Path) -> None:
    report = make_report(ranking=ranking)
    save_report(report, tmp_path / "r.json")
    other: Ranking = "pure" if ranking == "fused" else "fused"
    assert load_report(tmp_path / "r.json", other).ranking == ranking, "the file is believed"
    assert f"- Ranking: **{ranking}** (" in report.to_markdown()
    assert report.title == {"pure": "AMGAN-P", "fused": "AMGAN-P, fused"}[ranking]


@pytest.mark.parametrize(
    ("method", "assumed", "expected"),
    [
        ("amgan-p fused", "pure", ("amgan-p", "fused")),
        ("amgan-p", "pure", ("amgan-p", "pure")),
        ("AMGAN-P", "fused", ("AMGAN-P", "fused")),
    ],
)
def test_reports_from_before_the_ranking_still_load(
    method: str, assumed: Ranking, expected: tuple[str, str], tmp_path: Path
) -> None:
    values = json.loads(make_report(method=method).to_json())
    del values["ranking"]
    (tmp_path / "old.json").write_text(json.dumps(values), encoding="utf-8")
    loaded = load_report(tmp_path / "old.json", assumed)
    assert (loaded.method, loaded.ranking) == expected
    assert loaded.groups.keys() == make_report().groups.keys()


def test_markdown(tmp_path: Path) -> None:
    report = replace(make_report(), commit=None, machine="a machine")
    save_report(report, tmp_path / "r.md")
    expected = """\
## AMGAN-P on small

- Protocol: **unseen** (the gallery is the items of the tested split only).
- Ranking: **pure** (by the method's own metric).
- Catalogue small, split test; gallery of 1,234 items, the reference left out of its own list; \
4 queries.
- Triplets `0123456789ab`, seed 5, commit `not known`.
- Machine: a machine.

| Number of changes | Queries | Top-1 | NDCG-o@10 |
| ----------------- | ------: | ----: | --------: |
| all               |       4 | .5000 |     .5000 |
| one               |       3 | .6667 |     .5000 |
| two               |       1 | .0000 |         – |

| Changed attribute | Queries | Top-1 | NDCG-o@10 |
| ----------------- | ------: | ----: | --------: |
| collar            |       3 | .6667 |     .6250 |
| colour            |       2 | .0000 |     .2500 |

- Top-1: the first item has every label of the target.
- NDCG-o@10: NDCG over the other attributes.
- Row all: NDCG-o@10 over the 3 of 4 queries for which it is defined.
- Row two: NDCG-o@10 over the 0 of 1 queries for which it is defined.
- Row collar: NDCG-o@10 over the 2 of 3 queries for which it is defined.
- Row colour: NDCG-o@10 over the 1 of 2 queries for which it is defined.
"""
    assert (tmp_path / "r.md").read_text("utf-8") == expected


def test_chosen_columns() -> None:
    text = make_report().to_markdown(["mine", "not measured"])
    assert "| all               |       4 | 2.5000 |" in text
    assert "not measured" not in text


def test_comparison_marks_the_best() -> None:
    results = make_results()
    better = replace(results, metrics={"top@1": np.ones(4), "ndcg_o@10": np.full(4, NAN)})
    table = comparison_to_markdown(
        [make_report(results, "FCD"), make_report(better, "AMGAN-P")],
        ["top@1", "ndcg_o@10", "mine"],
        marks={("AMGAN-P", "top@1"): "**"},
    )
    assert table == (
        "| Method  |          Top-1 | NDCG-o@10 |\n"
        "| ------- | -------------: | --------: |\n"
        "| FCD     |          .5000 | **.5000** |\n"
        "| AMGAN-P | **1.0000**\\*\\* |         – |\n"
    )


def test_a_comparison_of_two_rankings_tells_them_apart() -> None:
    better = replace(make_results(), metrics={"top@1": np.ones(4)})
    table = comparison_to_markdown(
        [make_report(), make_report(better, ranking="fused")],
        ["top@1"],
        marks={("AMGAN-P, fused", "top@1"): "*"},
    )
    assert table == (
        "| Method  | Ranking |        Top-1 |\n"
        "| ------- | ------: | -----------: |\n"
        "| AMGAN-P |    pure |        .5000 |\n"
        "| AMGAN-P |   fused | **1.0000**\\* |\n"
    )


def test_comparing_different_queries_is_refused() -> None:
    report = make_report()
    for other in (
        replace(report, triplet_digest="f"),
        replace(report, protocol="paper"),
        replace(report, gallery_size=1),
    ):
        with pytest.raises(ValueError, match="must share"):
            comparison_to_markdown([report, other])


def test_per_query_round_trip(tmp_path: Path) -> None:
    results = make_results()
    save_per_query(results, tmp_path / "q.parquet")
    loaded = load_per_query(tmp_path / "q.parquet")
    assert loaded.references == results.references
    assert loaded.targets == results.targets
    assert loaded.attributes == results.attributes
    assert np.array_equal(loaded.changed, results.changed)
    assert list(loaded.metrics) == list(results.metrics)
    for name, values in results.metrics.items():
        assert np.array_equal(loaded.metrics[name], values, equal_nan=True)
    table = pq.read_table(tmp_path / "q.parquet")
    assert table["changed"].to_pylist()[3] == ["collar", "colour"]


def test_files_that_are_not_per_query_results(tmp_path: Path) -> None:
    path = tmp_path / "q.parquet"
    path.write_text("no table")
    with pytest.raises(ValueError, match=r"q\.parquet: not a Parquet file"):
        load_per_query(path)
    pq.write_table(pa.table({"reference": ["a"]}), path)
    with pytest.raises(ValueError, match="not per-query results"):
        load_per_query(path)
    metadata = {"amgan-per-query": '{"version": 9}'}
    pq.write_table(pa.table({"reference": ["a"]}, metadata=metadata), path)
    with pytest.raises(ValueError, match="version 9"):
        load_per_query(path)


def test_results_of_triplets() -> None:
    schema = AttributeSchema((Attribute("collar", ("round", "v")), Attribute("colour", ("red",))))
    labels = np.array([[0, 0], [1, 0], [1, -1]], np.int16)
    images = (Path("x.jpg"),) * 3
    catalogue = Catalogue("s", schema, ("a", "b", "c"), images, labels, (None,) * 3, (None,) * 3)
    triplets = Triplets(np.array([0, 2]), np.array([1, 0]), ("t", "t"), 0, catalogue.digest)
    results = PerQueryResults.from_triplets({"top@1": np.zeros(2)}, triplets, catalogue)
    assert results.references == ("a", "c")
    assert results.targets == ("b", "a")
    assert results.changed.tolist() == [[True, False], [True, True]]


def test_number_words() -> None:
    assert [number_word(n) for n in (1, 2, 3, 10, 11)] == ["one", "two", "three", "ten", "11"]


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.12345, ".1235"), (0, ".0000"), (1, "1.0000"), (-0.5, "-.5000"), (10.01, "10.0100")],
)
def test_numbers(value: float, text: str) -> None:
    assert format_number(value) == text


def test_tables_escape_bars() -> None:
    assert format_table(["a|b", "c"], [["d", "e"]]).splitlines()[0] == r"| a\|b |   c |"
    assert metric_title("ndcg_t@5") == "NDCG-t@5"
    assert metric_title("l1") == "L1"
    assert metric_title("mine@3") == "mine@3"


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=n", "-c", "user.email=e@example.org"]
    command = ["git", "-C", str(folder), *identity, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def test_commit(tmp_path: Path) -> None:
    assert commit_id(tmp_path) is None
    git(tmp_path, "init", "-q")
    assert commit_id(tmp_path) is None
    (tmp_path / "file").write_text("one")
    git(tmp_path, "add", "file")
    git(tmp_path, "commit", "-q", "-m", "first")
    assert commit_id(tmp_path) == git(tmp_path, "rev-parse", "HEAD")
    (tmp_path / "file").write_text("two")
    assert commit_id(tmp_path) == git(tmp_path, "rev-parse", "HEAD") + "+"
    installed = tmp_path / "site-packages"
    installed.mkdir()
    (installed / "module.py").write_text("")
    assert commit_id(installed) is None


def test_no_commit_without_git(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert commit_id() is None


def test_machine() -> None:
    text = machine_description()
    assert f"Python {sys.version_info.major}.{sys.version_info.minor}" in text
    assert "cores" in text
