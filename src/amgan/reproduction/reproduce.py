"""Run a suite, measure, write tables and figures with the paper's beside ours."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from amgan.errors import InputError
from amgan.evaluation.metrics import mean_of_defined
from amgan.evaluation.provenance import commit_id, machine_description
from amgan.evaluation.report import PROTOCOLS, Protocol
from amgan.evaluation.tables import PICTURE_SHOWN, SHOWN, metric_definition, metric_title
from amgan.files import write_text
from amgan.reproduction.figures import (
    write_figure_4,
    write_figure_5,
    write_figure_6,
    write_figure_7,
    write_figure_8,
)
from amgan.reproduction.measuring import Measurements
from amgan.reproduction.published import CITATION, TABLE_3_METRICS, published_metrics
from amgan.reproduction.quality import Quality
from amgan.reproduction.ranking_ablation import Means
from amgan.reproduction.results import SuiteResults
from amgan.reproduction.runner import Announce, run_suite
from amgan.reproduction.suite_run import SuiteData, SuiteRun
from amgan.reproduction.tables import (
    CLAIM_METRIC,
    changes_table,
    claims_table,
    comparison_table,
    fused_table,
    picture_table,
    quality_table,
    ranking_ablation_table,
    runs_table,
    table_3,
    table_4,
)
from amgan.reproduction.timing import QueryTime

CHARTS, PICTURES = "figures", "pictures"


def reproduce(
    suite_run: SuiteRun,
    announce: Announce = lambda text: None,
    *,
    rows: Sequence[str] = (),
    train: bool = True,
) -> Path:
    """Run what is not done, then write README.md, results.json, figures/ and pictures/.

    `pictures/` holds pictures of the catalogue, `figures/` does not. All finished rows are shown,
    whichever were asked for.

    Args:
        suite_run: where, and which suite.
        announce: told each step as it begins.
        rows: run only these; all without any.
        train: False writes what there is.

    Returns:
        README.md.

    Raises:
        ValueError: nothing to show, or as `run_suite`.
        KeyboardInterrupt: stopped by a signal, after the state was saved.
    """
    if train:
        run_suite(suite_run, announce, rows)
    results = SuiteResults(suite_run)
    if not results.records:
        reasons = "; ".join(f"{name}: {why}" for name, why in results.failures.items())
        raise InputError(f"no row of suite {suite_run.suite.name!r} is finished ({reasons})")
    measured = Measurements(results, SuiteData(suite_run), announce)
    times = measured.times()
    qualities = measured.qualities()
    ways = measured.ways()
    measured.fused()
    measured.picture()
    announce("drawing figures")
    charts = []
    for protocol in suite_run.suite.protocols:
        charts += write_figure_4(results, suite_run.folder / CHARTS, protocol)
        charts += write_figure_5(results, suite_run.folder / CHARTS, protocol)
    pictures = []
    for write in (write_figure_6, write_figure_7, write_figure_8):
        pictures += write(results, measured, suite_run.folder / PICTURES)
    values = _values(results, times, qualities, ways)
    write_text(suite_run.folder / "results.json", _to_json(values))
    text = _readme(results, times, qualities, ways, charts, pictures)
    path = suite_run.folder / "README.md"
    write_text(path, text)
    return path


def _values(
    results: SuiteResults,
    times: Mapping[str, QueryTime],
    qualities: Mapping[str, Quality],
    ways: Mapping[str, Mapping[str, Means]],
) -> dict[str, Any]:
    """Everything in the tables, as plain data."""
    suite = results.suite
    rows = []
    for record in results.records:
        row: dict[str, Any] = {"name": record.name, "kind": record.spec.kind}
        row["folds"] = [dict(facts) for facts in record.facts]
        row["metrics"] = {
            protocol: {
                metric: {
                    "mean": mean_of_defined(column)[0],
                    "spread_of_folds": results.spread(record, metric, "queries", protocol),
                }
                for metric, column in results.results(record, "queries", protocol).metrics.items()
            }
            for protocol in suite.protocols
        }
        row["picture"] = {
            protocol: [
                report.picture and report.picture.to_dict()
                for report in results.reports(record, "queries", protocol)
            ]
            for protocol in suite.protocols
        }
        row["published"] = {
            dataset: published_metrics(record.name, dataset) for dataset in suite.published
        }
        if record.name in times:
            row["query_time"] = {**vars(times[record.name]), "total": times[record.name].total}
        if record.name in qualities:
            row["prototype_quality"] = dict(qualities[record.name])
        if record.name in ways:
            row["asked_in_other_ways"] = dict(ways[record.name])
        rows.append(row)
    return {
        "suite": suite.name,
        "commit": commit_id(),
        "machine": machine_description(),
        "citation": CITATION,
        "rows": rows,
        "not_finished": results.failures,
        "comparisons": {
            protocol: [
                {
                    "method": c.method,
                    "metric": c.metric,
                    "value": c.value,
                    "baseline": c.baseline,
                    "baseline_value": c.baseline_value,
                    "p": c.result.p_value,
                    "test": c.result.test,
                    "pairs": c.result.n,
                }
                for c in results.comparisons(TABLE_3_METRICS, protocol)
            ]
            for protocol in suite.protocols
        },
        "claims": {protocol: claims_table(results, protocol)[1] for protocol in suite.protocols},
    }


def _to_json(values: Mapping[str, Any]) -> str:
    def plain(value: Any) -> Any:
        if isinstance(value, float) and not math.isfinite(value):
            return None
        if isinstance(value, Mapping):
            return {key: plain(part) for key, part in value.items()}
        if isinstance(value, list | tuple):
            return [plain(part) for part in value]
        return value

    return json.dumps(plain(values), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _readme(
    results: SuiteResults,
    times: Mapping[str, QueryTime],
    qualities: Mapping[str, Quality],
    ways: Mapping[str, Mapping[str, Means]],
    charts: list[Path],
    pictures: list[Path],
) -> str:
    suite, folder = results.suite, results.suite_run.folder
    sections = [f"# {suite.title}", _facts(results)]
    for protocol in suite.protocols:
        sections += _protocol_sections(results, protocol, folder, charts)
    sections += [
        "## Time a query (Table 4)",
        f"{next(iter(times.values())).machine}; medians over "
        f"{suite.timing.queries:,} queries asked one after the other, exact search among "
        f"{suite.timing.gallery:,} vectors. T_repr runs from pixels and changes to a vector; "
        f"drawing is part of it. The published times are those of {CITATION}, on four TITAN X.",
        table_4(times),
    ]
    if qualities:
        sections += [
            "## Prototype quality",
            "Against the target's picture (L1, SSIM), against the exact counterfactual where the "
            "catalogue is rendered, and as a classifier sees it that was trained apart from all "
            "rows (judged; Fréchet distance in its features). The last two lines are pictures "
            "that nobody drew.",
            quality_table(qualities),
        ]
    if ways:
        sections += [
            "## Where drawing rows lose",
            "The same networks asked in other ways, each without a step of the way before it: the "
            "prototype's distance to items; the agreement of the attributes that the row's own "
            "classifiers see in prototype and items; that of the reference's, with the wanted "
            f"values put in; that of its labels. Protocol {suite.protocols[0]}.",
            ranking_ablation_table(ways),
        ]
    sections += ["## Pictures", "Queries are spread evenly over the test set."]
    sections += [f"![{p.stem}]({p.relative_to(folder)})" for p in pictures]
    sections += ["## Runs", runs_table(results.records)]
    if results.failures:
        lines = [f"- {name}: {why}" for name, why in results.failures.items()]
        sections += ["Not finished:", "\n".join(lines)]
    notes = [f"- {metric_title(m)}: {metric_definition(m)}." for m in (*SHOWN, *PICTURE_SHOWN)]
    return "\n\n".join([*sections, "## Metrics", "\n".join(notes)]) + "\n"


def _facts(results: SuiteResults) -> str:
    suite = results.suite
    report = results.reports(results.records[0], "queries", suite.protocols[0])[0]
    minutes = sum(r.total("train_seconds") + r.total("measure_seconds") for r in results.records)
    # A path says where something lies on one machine, not how to repeat it.
    asked = [s for s in results.suite_run.overrides if not s.startswith("catalogue.path")]
    command = " ".join([f"amgan reproduce {suite.name}", *(f"-s '{text}'" for text in asked)])
    test = "paired permutation test over queries"
    if suite.significance == "folds":
        test = "Student's paired test over folds"
    lines = [
        f"- Made by `{command}`, commit `{(report.commit or 'not known')[:12]}`; "
        f"{minutes / 60:.0f} minutes for {len(results.records)} rows, measuring included.",
        f"- Catalogue: {results.catalogue_name}; triplets `{report.triplet_digest[:12]}`; "
        + (f"{suite.folds} folds." if suite.folds else "one split."),
        f"- Machine: {report.machine}.",
        f"- Significance: {test}, against the best row of kind baseline in each metric; "
        r"\* p < 0.05, \*\* p < 0.01.",
        f"- Published figures: {CITATION}.",
    ]
    return "\n".join(lines)


def _fused_sections(results: SuiteResults, protocol: Protocol) -> list[str]:
    table = fused_table(results, protocol)
    if table is None:
        return []
    return [
        f"### Fused ranking, {protocol}",
        "The rows that draw once more, ranked by the distance fused with attribute posteriors, "
        "weights chosen on validation queries; stars against the best baseline's own ranking, "
        "paired over queries.",
        table,
    ]


def _picture_sections(results: SuiteResults, protocol: Protocol) -> list[str]:
    table = picture_table(results, protocol)
    if table is None:
        return []
    return [
        f"### Whether the picture counts, {protocol}",
        "By queries of their own, references drawn from the test items, their labels not told; "
        "each row's report says how many.",
        table,
    ]


def _protocol_sections(
    results: SuiteResults, protocol: Protocol, folder: Path, charts: list[Path]
) -> list[str]:
    shown = [path for path in charts if path.suffix == ".png" and path.stem.endswith(protocol)]
    claims, _ = claims_table(results, protocol)
    sections = [
        f"## Protocol {protocol}",
        f"Here {PROTOCOLS[protocol]}; the reference stays out of its own list.",
        comparison_table(results, protocol),
        *(f"![{path.stem}]({path.relative_to(folder)})" for path in shown),
        *_fused_sections(results, protocol),
        *_picture_sections(results, protocol),
        f"### Ablations (Table 3), {protocol}",
        table_3(results, protocol),
        f"### The paper's order, {protocol}",
        f"By {metric_title(CLAIM_METRIC)}, paired test over the same queries.",
        claims,
        f"### By number of changes, {protocol}",
        changes_table(results, "top@10", "queries", protocol),
    ]
    if protocol == results.suite.protocols[0] and results.has_test("more"):
        sections += [
            "More changes, evenly asked:",
            changes_table(results, "top@10", "more", protocol),
            changes_table(results, "wanted@10", "more", protocol),
        ]
    return sections
