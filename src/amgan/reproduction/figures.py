"""Figures 4 to 8 of a suite, written as files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from amgan.attributes import Change
from amgan.charts.style import save_figure
from amgan.evaluation.metrics import mean_of_defined
from amgan.evaluation.per_query import number_word
from amgan.evaluation.report import PROTOCOLS, Protocol
from amgan.evaluation.significance import marks_of
from amgan.evaluation.tables import metric_title
from amgan.images import Pixels
from amgan.methods.query_arrays import QueryArrays
from amgan.reproduction.cases import choose_cases, choose_search_cases, search_rows
from amgan.reproduction.charts import (
    Bar,
    BarPanel,
    GroupedPanel,
    LinePanel,
    draw_by_number,
    draw_comparison,
    draw_one_two,
)
from amgan.reproduction.measuring import Measurements
from amgan.reproduction.prototype_sheet import PrototypeBlock, render_prototype_sheet
from amgan.reproduction.published import TABLE_3_METRICS, published_metrics
from amgan.reproduction.quality import draw_counterfactuals
from amgan.reproduction.results import RowRecord, SuiteResults
from amgan.reproduction.tables import numbers_of_changes
from amgan.sheets import render_result_sheet
from amgan.workflows.data import ExperimentData

_BY_CHANGES = ("top@10", "ndcg@10")
_BY_NUMBER = ("top@10", "wanted@10", "kept@10")
_NO_BREAK = "\u00a0"
_ABLATIONS = ("NoVSE", "NoL1", "NoCls")


def write_figure_4(results: SuiteResults, folder: Path, protocol: Protocol) -> list[Path]:
    """Bars of every method in the paper's four metrics, stars against the best baseline."""
    records = results.of_kind("ours", "baseline", "reference")
    comparisons = results.comparisons(TABLE_3_METRICS, protocol)
    marks = marks_of(comparisons)
    dataset = results.suite.published[0] if results.suite.published else None
    panels = []
    for metric in TABLE_3_METRICS:
        bars = {}
        for record in records:
            values = results.results(record, "queries", protocol).metrics[metric]
            mean, n = mean_of_defined(values)
            error = 1.96 * float(np.nanstd(values)) / max(1, n) ** 0.5
            paper = published_metrics(record.name, dataset) if dataset else None
            mark = marks.get((record.name, metric), "")
            bars[record.name] = Bar(mean, error, mark, paper[metric] if paper else None)
        panels.append(BarPanel(metric_title(metric), bars))
    note = _note(results, records, protocol) + " Whiskers: 95 % interval of the mean."
    if comparisons:
        marked = "* p < 0.05, ** p < 0.01".replace(" ", _NO_BREAK).replace(f",{_NO_BREAK}", ", ")
        note += f" {marked} against the best baseline."
    shown = dataset if dataset and any(published_metrics(r.name, dataset) for r in records) else ""
    figure = draw_comparison(panels, _kinds(records), note, shown or "")
    return save_figure(figure, folder / f"figure-4-{protocol}")


def write_figure_5(results: SuiteResults, folder: Path, protocol: Protocol) -> list[Path]:
    """Bars by number of changes as in the paper; lines over all numbers where they were asked."""
    records = results.of_kind("ours", "baseline", "reference")
    counts = numbers_of_changes(results, "queries", protocol)[:2]
    panels = [
        GroupedPanel(
            metric_title(metric),
            {
                record.name: [
                    results.mean(record, metric, "queries", protocol, number_word(n))
                    for n in counts
                ]
                for record in records
            },
        )
        for metric in _BY_CHANGES
    ]
    titles = [f"{number_word(n)} attribute{'s' * (n > 1)} changed" for n in counts]
    figure = draw_one_two(panels, _kinds(records), titles, _note(results, records, protocol))
    paths = save_figure(figure, folder / f"figure-5-{protocol}")
    if protocol == results.suite.protocols[0] and results.has_test("more"):
        paths += _write_by_number(results, records, folder, protocol)
    return paths


def _write_by_number(
    results: SuiteResults, records: Sequence[RowRecord], folder: Path, protocol: Protocol
) -> list[Path]:
    counts = numbers_of_changes(results, "more", protocol)
    panels = [
        LinePanel(
            metric_title(metric),
            {
                record.name: [
                    results.mean(record, metric, "more", protocol, number_word(n)) for n in counts
                ]
                for record in records
            },
        )
        for metric in _BY_NUMBER
    ]
    asked = len(results.results(records[0], "more", protocol))
    note = f"{asked:,} queries, evenly over the numbers of changes; gallery: {protocol}."
    figure = draw_by_number(panels, counts, _kinds(records), note)
    return save_figure(figure, folder / f"figure-5-more-{protocol}")


def write_figure_6(results: SuiteResults, measured: Measurements, folder: Path) -> list[Path]:
    """Prototypes of AMGAN-P and AMGAN-T and of their ablations, for the same queries."""
    known = {record.name: record for record in results.records if record.fact("draws")}
    groups = []
    for name in ("AMGAN-P", "AMGAN-T"):
        columns = [name, *(f"{name}-{without}" for without in _ABLATIONS)]
        present = [known[column] for column in columns if column in known]
        if len(present) > 1:
            groups.append((name, present))
    if not groups:
        return []
    data = measured.test_data(groups[0][1][0])
    cases = _cases(data, max(2, results.suite.cases // 2))
    blocks = []
    for name, records in groups:
        short = [record.name.removeprefix(f"{name}-") for record in records]
        blocks.append(_block(name, measured, data, records, short, cases))
    path = folder / "figure-6.png"
    render_prototype_sheet(blocks, path)
    return [path]


def write_figure_7(results: SuiteResults, measured: Measurements, folder: Path) -> list[Path]:
    """Prototypes of every method that draws, for the same queries."""
    records = [r for r in results.of_kind("ours", "baseline") if r.fact("draws")]
    if not records:
        return []
    data = measured.test_data(records[0])
    cases = _cases(data, results.suite.cases)
    names = [record.name for record in records]
    path = folder / "figure-7.png"
    render_prototype_sheet([_block("", measured, data, records, names, cases)], path)
    return [path]


def write_figure_8(results: SuiteResults, measured: Measurements, folder: Path) -> list[Path]:
    """Reference and change, and the first four items found; the ground truth framed green."""
    paths = []
    for record in results.of_kind("ours"):
        data = measured.test_data(record)
        triplets = data.triplets.in_split("test")
        count = max(2, results.suite.cases // 2 * 2)
        # The unseen gallery's hits, whichever protocols were measured: its items are the sheet's.
        protocol = "unseen" if "unseen" in results.suite.protocols else results.suite.protocols[0]
        hit = results.results(record, "queries", protocol).metrics["item@5"][: len(triplets)]
        cases = choose_search_cases(hit, triplets.num_changes(data.catalogue), triplets, count)
        rows = search_rows(measured.model(record), data, cases, record.name)
        path = folder / f"figure-8-{record.spec.slug}.png"
        render_result_sheet(rows, path, columns=4)
        paths.append(path)
    return paths


def _cases(data: ExperimentData, count: int) -> NDArray[np.int64]:
    triplets = data.triplets.in_split("test")
    return choose_cases(triplets, triplets.num_changes(data.catalogue), count)


def _block(
    title: str,
    measured: Measurements,
    data: ExperimentData,
    records: Sequence[RowRecord],
    headings: Sequence[str],
    cases: NDArray[np.int64],
) -> PrototypeBlock:
    """The cases as the rows draw them, beside the target and, where there is one, the exact one."""
    catalogue = data.catalogue
    triplets = data.triplets.in_split("test").select(cases)
    references = np.asarray(data.pixels[triplets.reference])
    indicator = triplets.indicator(catalogue)
    queries = QueryArrays(references, indicator, catalogue.labels[triplets.reference])
    columns: dict[str, Pixels] = {}
    for record, heading in zip(records, headings, strict=True):
        drawn = measured.model(record).draw_prototypes(queries)
        assert drawn is not None
        columns[heading] = drawn
    model = measured.model(records[0])
    exact = draw_counterfactuals(data, measured.table, model.images, cases)
    truth = ["ground truth"]
    columns["ground truth"] = np.asarray(data.pixels[triplets.target])
    if exact is not None:
        columns["exact"] = exact
        truth.append("exact")
    changes: list[tuple[Change, ...]] = [
        catalogue.schema.changes([int(label) for label in row], asked)
        for row, asked in zip(catalogue.labels[triplets.reference], indicator, strict=True)
    ]
    return PrototypeBlock(title, references, changes, columns, tuple(truth))


def _kinds(records: Sequence[RowRecord]) -> dict[str, str]:
    return {record.name: record.spec.kind for record in records}


def _note(results: SuiteResults, records: Sequence[RowRecord], protocol: Protocol) -> str:
    report = results.reports(records[0], "queries", protocol)[0]
    folds = f", {results.suite.folds} folds" if results.suite.folds else ""
    asked = len(results.results(records[0], "queries", protocol))
    gallery = PROTOCOLS[protocol].removeprefix("the gallery is ")
    return (
        f"{results.catalogue_name}{folds}; {asked:,} queries; "
        f"gallery: {gallery} ({report.gallery_size:,})."
    )
