"""A whole suite on a few rendered garments: rows, resuming, tables, figures."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image
from tests.reproduction.conftest import ROWS

from amgan.evaluation.significance import paired_test
from amgan.evaluation.tables import format_number
from amgan.presets import SUITES
from amgan.reproduction.measuring import REFERENCE_ITSELF, TARGET_ITSELF
from amgan.reproduction.ranking_ablation import RANKINGS
from amgan.reproduction.reproduce import reproduce
from amgan.reproduction.results import SuiteResults
from amgan.reproduction.runner import read_row_state, run_suite
from amgan.reproduction.suite_run import SuiteData, SuiteRun, prepare_suite_run
from amgan.reproduction.tables import changes_table, claims_table, comparison_table, table_3


def column(suite_run: SuiteRun, row: str, metric: str, protocol: str = "unseen") -> np.ndarray:
    """A metric of every query, read from the file without this program's code."""
    slug = row.lower()
    path = suite_run.folder / "rows" / slug / "evaluation" / "queries" / f"test-{protocol}.parquet"
    return pq.read_table(path)[metric].to_numpy()


def test_every_row_is_done_and_has_both_protocols_and_both_tests(suite_run):
    for row in ROWS:
        folder = suite_run.folder / "rows" / row.lower()
        state = read_row_state(folder)
        assert state["done"]
        for test, names in {
            "queries": ("test-unseen", "test-paper"),
            "more": ("test-unseen",),
        }.items():
            for name in names:
                for suffix in (".json", ".md", ".parquet"):
                    assert (folder / "evaluation" / test / f"{name}{suffix}").stat().st_size > 0
        assert not (folder / "evaluation" / "more" / "test-paper.json").exists()


def test_rows_share_their_queries(suite_run):
    references = {tuple(column(suite_run, row, "reference")) for row in ROWS}
    assert len(references) == 1


def test_more_changes_are_asked_for_than_were_trained(suite_run):
    path = suite_run.folder / "rows/fcd/evaluation/{}/test-unseen.json"
    numbers = ("one", "two", "three", "four", "five")
    few, more = (
        json.loads(Path(str(path).format(test)).read_text())["groups"]
        for test in ("queries", "more")
    )
    assert not {"three", "four", "five"} & set(few)
    assert {"three", "four", "five"} & set(more)
    assert sum(more[name]["n"] for name in numbers if name in more) == more["all"]["n"]


def test_the_table_shows_the_means_of_the_queries(suite_run):
    text = comparison_table(SuiteResults(suite_run), "unseen")
    heading, _, *lines = text.splitlines()
    titles = [cell.strip() for cell in heading.strip("|").split("|")]
    for line in lines:
        cells = [cell.strip().strip("*\\") for cell in line.strip("|").split("|")]
        mean = column(suite_run, cells[0].replace(" ", "-"), "top@10").mean()
        assert float(cells[titles.index("Top-10")]) == pytest.approx(mean, abs=5e-5)


def test_the_fused_ranking_stands_beside_the_pure_one(suite_run):
    results = SuiteResults(suite_run)
    text = (suite_run.folder / "README.md").read_text()
    drawing = [record for record in results.records if record.fact("draws")]
    assert drawing
    for record in results.records:
        for protocol in suite_run.suite.protocols:
            assert results.has_fused(record, protocol) == (record in drawing)
    for record in drawing:
        for test, ranking in (("queries", "pure"), ("fused-queries", "fused")):
            assert {r.ranking for r in results.reports(record, test, "unseen")} == {ranking}
        mean = results.mean(record, "top@10", "fused-queries", "unseen")
        (line,) = {x for x in text.splitlines() if x.startswith(f"| {record.name}, fused")} & set(
            text.partition("### Fused ranking, unseen")[2].partition("###")[0].splitlines()
        )
        assert f"{mean:.4f}".removeprefix("0") in line


def test_the_report_says_whether_the_picture_counts(suite_run):
    results = SuiteResults(suite_run)
    text = (suite_run.folder / "README.md").read_text()
    for protocol in suite_run.suite.protocols:
        section = text.partition(f"### Whether the picture counts, {protocol}")[2]
        for record in results.records:
            tests = ["queries"] + ["fused-queries"] * results.has_fused(record, protocol)
            for test in tests:
                (report,) = results.reports(record, test, protocol)
                assert report.picture.asked["self"] > 0
                shown = format_number(report.picture.means["self@1"])
                line = next(line for line in section.splitlines() if f"| {report.title} " in line)
                assert shown in line


def test_the_fused_ranking_is_shown_by_number_of_changes(suite_run):
    folder = suite_run.folder / "rows" / "amgan-p" / "evaluation" / "fused-more"
    table = pq.read_table(folder / "test-unseen.parquet")
    changed = np.array([len(names) for names in table["changed"].to_pylist()])
    text = changes_table(SuiteResults(suite_run), "top@10", "more", "unseen")
    (line,) = [x for x in text.splitlines() if x.startswith("| AMGAN-P, fused ")]
    cells = [cell.strip() for cell in line.strip("|").split("|")][1:]
    values = table["top@10"].to_numpy()
    means = [values[changed == n].mean() for n in range(1, len(cells) + 1)]
    assert [float(cell) for cell in cells] == pytest.approx(means, abs=5e-5)


def test_table_3_has_the_published_numbers_beside_ours(suite_run):
    line = next(r for r in table_3(SuiteResults(suite_run), "unseen").splitlines() if "NoL1" in r)
    assert [cell.strip() for cell in line.strip("|").split("|")][5:] == [
        *(".1652", ".4720", ".7551", ".2324"),
        *(".0875", ".2998", ".7067", ".1603"),
    ]


def test_claims_are_judged_by_a_paired_test(suite_run):
    _, values = claims_table(SuiteResults(suite_run), "unseen")
    assert {value["claim"] for value in values} == {
        "AMGAN-P > FCD",
        "AMGAN-P > AMGAN-P-NoL1",
    }
    value = next(v for v in values if v["claim"] == "AMGAN-P > FCD")
    ours, theirs = column(suite_run, "AMGAN-P", "top@10"), column(suite_run, "FCD", "top@10")
    test = paired_test(ours, theirs)
    assert value["p"] == test.p_value
    expected = "holds" if ours.mean() > theirs.mean() else "reversed"
    assert value["verdict"] == (expected if test.p_value < 0.05 else "not told apart")


def test_the_report_links_what_exists_and_forgets_no_row(suite_run):
    text = (suite_run.folder / "README.md").read_text()
    links = re.findall(r"\]\(([^)]+)\)", text)
    assert len(links) >= 7
    assert all((suite_run.folder / link).is_file() for link in links)
    for row in ROWS:
        assert text.count(f"| {row} ") >= 5, row
    assert "Yang et al." in text


def test_charts_hold_no_catalogue_pictures_and_sheets_are_apart(suite_run):
    assert {path.suffix for path in (suite_run.folder / "figures").iterdir()} == {".png", ".svg"}
    names = {path.name for path in (suite_run.folder / "pictures").iterdir()}
    assert names == {"figure-6.png", "figure-7.png", "figure-8-amgan-p.png"}
    for path in suite_run.folder.glob("*/*.png"):
        pixels = np.asarray(Image.open(path).convert("L"))
        assert min(pixels.shape) > 200
        assert pixels.std() > 10, path


def test_results_json_repeats_the_means(suite_run):
    values = json.loads((suite_run.folder / "results.json").read_text())
    rows = {row["name"]: row for row in values["rows"]}
    assert list(rows) == list(ROWS)
    for name, row in rows.items():
        mean = column(suite_run, name, "mrr@1000", "paper").mean()
        assert row["metrics"]["paper"]["mrr@1000"]["mean"] == pytest.approx(mean)
    assert rows["AMGAN-P"]["published"]["DARN"]["top@1"] == 0.0978
    assert rows["FCD"]["query_time"]["dimensions"] == 12
    assert rows["FCD"]["query_time"]["drawing"] is None
    time = rows["AMGAN-P"]["query_time"]
    assert time["drawing"] > 0
    assert time["total"] == pytest.approx(time["representation"] + time["search"])


def test_quality_of_pictures_that_are_true_by_construction(suite_run):
    quality = json.loads((suite_run.folder / "judge" / "target.json").read_text())
    assert quality["l1"] == 0
    assert quality["ssim"] == pytest.approx(1)
    assert quality["frechet"] == pytest.approx(0, abs=1e-6)
    assert quality["exact_l1"] > 0  # another garment with the same attributes
    text = (suite_run.folder / "README.md").read_text()
    assert REFERENCE_ITSELF in text
    assert TARGET_ITSELF in text


def test_drawing_rows_are_asked_in_other_ways_too(suite_run):
    values = json.loads((suite_run.folder / "results.json").read_text())
    asked = {row["name"]: row.get("asked_in_other_ways") for row in values["rows"]}
    text = (suite_run.folder / "README.md").read_text().partition("## Where drawing rows lose")[2]
    for record in SuiteResults(suite_run).records:
        ways = asked[record.name]
        assert (ways is not None) == bool(record.fact("draws"))
        if ways is None:
            continue
        assert list(ways) == list(RANKINGS)
        own = column(suite_run, record.name.replace(" ", "-"), "top@10").mean()
        assert ways["distance, prototype"]["top@10"] == pytest.approx(own)
        for way, means in ways.items():
            shown = [f"{mean:.4f}".removeprefix("0") for mean in means.values()]
            assert any(way in x and all(y in x for y in shown) for x in text.splitlines())


def test_a_second_run_does_nothing_again(suite_run, monkeypatch):
    monkeypatch.setenv("AMGAN_CACHE", str(suite_run.folder.parent / "cache"))
    files = [
        *suite_run.folder.glob("rows/*/model.safetensors"),
        *suite_run.folder.glob("rows/*/row.json"),
    ]
    before = {path: path.stat().st_mtime_ns for path in files}
    told: list[str] = []
    run_suite(suite_run, told.append)
    assert len(told) == len(ROWS)
    assert all(text.endswith("done before") for text in told)
    assert {path: path.stat().st_mtime_ns for path in files} == before


def test_an_interrupted_suite_goes_on_where_it_was(suite_run, tmp_path, monkeypatch):
    """Stopped between training and measuring of the second row; the results are the same."""
    monkeypatch.setenv("AMGAN_CACHE", str(suite_run.folder.parent / "cache"))
    suite = suite_run.suite.select(["AMGAN-P", "FCD"])
    other = SuiteRun(suite, tmp_path, suite_run.overrides)

    def stop(text: str) -> None:
        if text.startswith("[2/2]") and text.endswith("measuring"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_suite(other, stop)
    assert read_row_state(tmp_path / "rows/amgan-p")["done"]
    state = read_row_state(tmp_path / "rows/fcd")
    assert not state["done"]
    assert state["train_seconds"] > 0
    told: list[str] = []
    run_suite(other, told.append)
    assert told[0].endswith("done before")
    for row in ("AMGAN-P", "FCD"):
        for metric in ("top@10", "mrr@1000"):
            np.testing.assert_array_equal(
                column(other, row, metric), column(suite_run, row, metric)
            )


def test_a_folder_of_other_settings_is_refused(suite_run, monkeypatch):
    monkeypatch.setenv("AMGAN_CACHE", str(suite_run.folder.parent / "cache"))
    other = dataclasses.replace(suite_run, overrides=(*suite_run.overrides, "training.epochs=9"))
    with pytest.raises(ValueError, match="amgan-p: holds this row with other settings"):
        run_suite(other)


def test_a_diverging_row_is_told_and_the_others_go_on(suite_run, tmp_path, monkeypatch):
    monkeypatch.setenv("AMGAN_CACHE", str(suite_run.folder.parent / "cache"))
    rows = tuple(
        dataclasses.replace(row, settings=(*row.settings, "training.learning_rate=1e30"))
        if row.name == "AMGAN-P"
        else row
        for row in suite_run.suite.select(["AMGAN-P", "FCD"]).rows
    )
    other = SuiteRun(dataclasses.replace(suite_run.suite, rows=rows), tmp_path, suite_run.overrides)
    text = reproduce(other).read_text()
    assert re.search(r"- AMGAN-P: diverged: loss \w+\.\w+ is (nan|inf|-inf)", text)
    assert "| FCD " in text
    assert [record.name for record in SuiteResults(other).records] == ["FCD"]


def test_a_chosen_row_is_run_and_the_report_shows_all_done_ones(suite_run, tmp_path, monkeypatch):
    monkeypatch.setenv("AMGAN_CACHE", str(suite_run.folder.parent / "cache"))
    suite = suite_run.suite.select(["FCD", "Random"])
    other = SuiteRun(suite, tmp_path, (*suite_run.overrides, "training.seed=5"))
    reproduce(other, rows=["Random"])
    assert not (tmp_path / "rows" / "fcd").exists()
    text = reproduce(other, rows=["FCD"]).read_text()
    assert "| FCD " in text
    assert "| Random " in text
    assert "`amgan reproduce smoke -s 'training.seed=5'`" in text
    assert "catalogue.csv" not in text  # where it lies is no part of how to repeat it


def test_nothing_finished_is_an_error_that_says_so(suite_run, tmp_path):
    other = SuiteRun(suite_run.suite.select(["FCD"]), tmp_path, suite_run.overrides)
    with pytest.raises(ValueError, match=r"no row of suite 'smoke' is finished.*FCD: not finished"):
        reproduce(other, train=False)


def test_folds_test_every_item_once(suite_run, tmp_path, monkeypatch):
    monkeypatch.setenv("AMGAN_CACHE", str(suite_run.folder.parent / "cache"))
    suite = dataclasses.replace(
        suite_run.suite.select(["FCD", "Random"]), folds=2, significance="folds", more_changes=1
    )
    other = SuiteRun(suite, tmp_path, suite_run.overrides)
    run_suite(other)
    results = SuiteResults(other)
    record = results.records[0]
    assert len(record.folders) == 2
    joined = results.results(record, "queries", "unseen")
    assert len(set(joined.references)) == len(joined) > 120  # of 140; some have no target
    assert results.spread(record, "top@10", "queries", "unseen") is not None
    assert not results.has_test("more")
    reproduce(other, train=False)
    assert "2 folds" in (tmp_path / "README.md").read_text()


def test_the_users_own_catalogue_replaces_the_studio(suite_run, tmp_path):
    table = suite_run.folder / "catalogue" / "catalogue.csv"
    other = prepare_suite_run(suite_run.suite, tmp_path, [f'catalogue.path="{table}"'])
    assert not (tmp_path / "catalogue").exists()
    assert other.suite.common_config(other.overrides).catalogue.path == str(table)


def test_data_is_read_once_for_all_rows(suite_run, monkeypatch):
    monkeypatch.setenv("AMGAN_CACHE", str(suite_run.folder.parent / "cache"))
    data = SuiteData(suite_run)
    configs = [suite_run.suite.row_config(row, suite_run.overrides) for row in suite_run.suite.rows]
    assert len({id(data.of_row(config, None)) for config in configs}) == 1
    tests = data.tests(configs[0], None)
    assert set(tests) == {"queries", "more"}


def test_command_line(suite_run, tmp_path, monkeypatch, capsys):
    from amgan.cli import main

    monkeypatch.setenv("AMGAN_CACHE", str(suite_run.folder.parent / "cache"))
    with pytest.raises(SystemExit) as exited:
        main(["reproduce", "nosuch", "--out", str(tmp_path)])
    assert exited.value.code == 2
    assert "no suite 'nosuch'" in capsys.readouterr().err
    monkeypatch.chdir(Path(__file__).parents[2])
    with pytest.raises(SystemExit) as exited:
        main(["reproduce", "smoke", "--row", "AMGAN-X", "--out", str(tmp_path)])
    assert exited.value.code == 2
    assert "no row 'AMGAN-X'" in capsys.readouterr().err
    assert not (tmp_path / "catalogue").exists()
    shutil.copytree(suite_run.folder / "rows", tmp_path / "rows")
    path = SUITES / "smoke.toml"
    settings = [f"--setting=catalogue.path={suite_run.folder / 'catalogue/catalogue.csv'}"]
    settings += [f"--setting={text}" for text in suite_run.suite.settings]
    settings += ["--report-only", f"--out={tmp_path}"]
    with pytest.raises(SystemExit) as exited:
        main(["reproduce", str(path), *settings])
    captured = capsys.readouterr()
    assert exited.value.code == 0, captured.err
    assert captured.out == f"report: {tmp_path / 'README.md'}\n"
