"""The tables of a suite as Markdown, published figures beside ours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from amgan.evaluation.metrics import mean_of_defined
from amgan.evaluation.per_query import number_word
from amgan.evaluation.report import Protocol
from amgan.evaluation.significance import marks_of, stars
from amgan.evaluation.tables import PICTURE_SHOWN, SHOWN, format_number, format_table, metric_title
from amgan.reproduction.published import CLAIMS, TABLE_3_METRICS, TABLE_4, published_metrics
from amgan.reproduction.results import FUSED, RowRecord, SuiteResults
from amgan.reproduction.timing import QueryTime

CLAIM_METRIC = "top@10"
_QUALITY = (
    ("l1", "L1", False),
    ("ssim", "SSIM", True),
    ("exact_l1", "L1, exact", False),
    ("exact_ssim", "SSIM, exact", True),
    ("judged", "Judged", True),
    ("judged_wanted", "Judged wanted", True),
    ("judged_kept", "Judged kept", True),
    ("frechet", "Fréchet", False),
)


def comparison_table(results: SuiteResults, protocol: Protocol) -> str:
    """Every row, every shown metric; stars against the best baseline, the best of a column bold."""
    records = results.records
    metrics = [m for m in SHOWN if all(_has(results, r, m, protocol) for r in records)]
    marks = marks_of(results.comparisons(metrics, protocol))
    values = {
        (record.name, metric): results.mean(record, metric, "queries", protocol)
        for record in records
        for metric in metrics
    }
    rows = []
    for record in records:
        cells = [
            _starred(
                _bold_best(values, records, record.name, metric),
                marks.get((record.name, metric), ""),
            )
            for metric in metrics
        ]
        rows.append([record.name, record.spec.kind, *cells])
    return format_table(["Method", "", *map(metric_title, metrics)], rows)


def fused_table(results: SuiteResults, protocol: Protocol) -> str | None:
    """Rows that draw, under their fused ranking, and the best baseline; None without such rows."""
    fused = [r for r in results.records if results.has_fused(r, protocol)]
    if not fused:
        return None
    metrics = [m for m in SHOWN if all(_has(results, r, m, protocol) for r in results.records)]
    baselines = results.of_kind("baseline")
    best = {
        metric: max(
            baselines,
            key=lambda r: results.mean(r, metric, "queries", protocol),
            default=None,
        )
        for metric in metrics
    }
    rows = []
    for record in fused:
        cells = []
        for metric in metrics:
            number = format_number(results.mean(record, metric, f"{FUSED}queries", protocol))
            peer = best[metric]
            better = "" if peer is None else results.fused_mark(record, peer, metric, protocol)
            cells.append(_starred(number, better))
        title = results.reports(record, f"{FUSED}queries", protocol)[0].title
        rows.append([title, *cells])
    if baselines:
        own = [
            format_number(results.mean(peer, metric, "queries", protocol))
            for metric, peer in best.items()
            if peer is not None
        ]
        rows.append(["best baseline of each column", *own])
    return format_table(["Method", *map(metric_title, metrics)], rows)


def picture_table(results: SuiteResults, protocol: Protocol) -> str | None:
    """Whether the picture counts, by row and ranking; None where it was not measured."""
    rows = []
    for record in results.records:
        for test in ("queries", f"{FUSED}queries"):
            if test != "queries" and not results.has_fused(record, protocol):
                continue
            reports = results.reports(record, test, protocol)
            measured = [report.picture for report in reports if report.picture is not None]
            if measured:
                means = (
                    mean_of_defined(np.array([one.means[name] for one in measured]))[0]
                    for name in PICTURE_SHOWN
                )
                rows.append([reports[0].title, *map(format_number, means)])
    if not rows:
        return None
    return format_table(["Method", *map(metric_title, PICTURE_SHOWN)], rows)


def table_3(results: SuiteResults, protocol: Protocol) -> str:
    """Ours in the four metrics of the paper's Table 3, and the paper's beside them."""
    headings = ["Approach", *map(metric_title, TABLE_3_METRICS)]
    for dataset in results.suite.published:
        headings += [f"{dataset} {metric_title(metric)}" for metric in TABLE_3_METRICS]
    rows = []
    for record in results.of_kind("ours", "ablation"):
        cells = [
            format_number(results.mean(record, metric, "queries", protocol))
            for metric in TABLE_3_METRICS
        ]
        for dataset in results.suite.published:
            paper = published_metrics(record.name, dataset)
            cells += [format_number(paper[m]) if paper else "–" for m in TABLE_3_METRICS]
        rows.append([record.name, *cells])
    return format_table(headings, rows)


def table_4(times: Mapping[str, QueryTime]) -> str:
    """Milliseconds a query by phase, and the paper's seconds beside them."""
    rows = []
    for name, time in times.items():
        drawing = "–" if time.drawing is None else f"{time.drawing * 1000:.1f}"
        cells = [
            f"{time.dimensions:,}",
            drawing,
            *(f"{s * 1000:.1f}" for s in (time.representation, time.search, time.total)),
        ]
        paper = TABLE_4.get(name)
        if paper is None:
            cells += ["–"] * 4
        else:
            seconds = (paper.representation, paper.search, paper.total)
            cells += [f"{paper.dimensions:,}", *(f"{value:.3f} s" for value in seconds)]
        rows.append([name, *cells])
    headings = ["Approach", "Dim", "of it drawing, ms", "T_repr, ms", "T_sea, ms", "T_sum, ms"]
    headings += ["published Dim", "T_repr", "T_sea", "T_sum"]
    return format_table(headings, rows)


def changes_table(results: SuiteResults, metric: str, test: str, protocol: Protocol) -> str:
    """A metric by number of changes in one query; rows that draw under both rankings."""
    counts = numbers_of_changes(results, test, protocol)

    def line(name: str, record: RowRecord, asked: str) -> list[str]:
        means = (results.mean(record, metric, asked, protocol, number_word(n)) for n in counts)
        return [name, *map(format_number, means)]

    rows = [line(record.name, record, test) for record in results.records]
    rows += [
        line(f"{record.name}, fused", record, f"{FUSED}{test}")
        for record in results.records
        if results.has_fused(record, protocol)
    ]
    return format_table([metric_title(metric), *map(str, counts)], rows)


def numbers_of_changes(results: SuiteResults, test: str, protocol: Protocol) -> list[int]:
    """Which numbers of changes the queries of a test have."""
    if not results.records:
        return []
    changed = results.results(results.records[0], test, protocol).changed
    return sorted({int(n) for n in changed.sum(axis=1)} - {0})


def claims_table(results: SuiteResults, protocol: Protocol) -> tuple[str, list[dict[str, Any]]]:
    """The orders that the paper reports, and whether they hold here."""
    known = {record.name: record for record in results.records}
    rows, values = [], []
    for claim in CLAIMS:
        test = results.pair(claim.better, claim.worse, CLAIM_METRIC, protocol)
        if test is None:
            continue
        better, worse = (
            results.mean(known[name], CLAIM_METRIC, "queries", protocol)
            for name in (claim.better, claim.worse)
        )
        verdict = _verdict(test.difference, test.p_value)
        rows.append(
            [
                f"{claim.better} > {claim.worse}",
                claim.place,
                format_number(better),
                format_number(worse),
                f"{test.p_value:.4f}{stars(test.p_value)}".replace("*", r"\*"),
                verdict,
            ]
        )
        values.append(
            {
                "claim": f"{claim.better} > {claim.worse}",
                "place": claim.place,
                "metric": CLAIM_METRIC,
                "better": better,
                "worse": worse,
                "p": test.p_value,
                "verdict": verdict,
            }
        )
    title = metric_title(CLAIM_METRIC)
    headings = ["The paper's order", "where", f"{title} of the first", "of the second", "p", "here"]
    return format_table(headings, rows), values


def quality_table(qualities: Mapping[str, Mapping[str, float]]) -> str:
    """Prototype quality of the rows that draw; the best of the methods is bold."""
    shown = [q for q in _QUALITY if any(q[0] in values for values in qualities.values())]
    rows = []
    methods = [name for name in qualities if not name.startswith("(")]
    for name, values in qualities.items():
        cells = []
        for key, _, higher in shown:
            text = format_number(values.get(key, float("nan")))
            pick = max if higher else min
            best = pick(
                (qualities[m][key] for m in methods if key in qualities[m]), default=float("nan")
            )
            cells.append(f"**{text}**" if name in methods and values.get(key) == best else text)
        rows.append([name, *cells])
    arrows = [f"{title} {'↑' if higher else '↓'}" for _, title, higher in shown]
    return format_table(["Prototypes of", *arrows], rows)


def ranking_ablation_table(ways: Mapping[str, Mapping[str, Mapping[str, float]]]) -> str:
    """A line for each row and each way its networks were asked."""
    rows = [
        [name if not place else "", way, *(format_number(value) for value in means.values())]
        for name, asked in ways.items()
        for place, (way, means) in enumerate(asked.items())
    ]
    metrics = list(next(iter(next(iter(ways.values())).values())))
    return format_table(["Networks of", "asked by", *map(metric_title, metrics)], rows)


def runs_table(records: Iterable[RowRecord]) -> str:
    """What each row cost."""
    rows = []
    for record in records:
        seconds = record.total("train_seconds")
        rows.append(
            [
                record.name,
                str(record.fact("method")),
                f"{record.fact('parameters'):,}",
                f"{record.fact('training_triplets'):,}",
                str(record.fact("epochs") or "–"),
                str(record.fact("best_epoch") or "–"),
                f"{seconds / 60:.1f}" if seconds >= 1 else "0",
                f"{record.total('measure_seconds') / 60:.1f}",
                str(record.fact("seed")),
                f"`{(record.fact('commit') or 'not known')[:9]}`",
                record.spec.as_published or "",
            ]
        )
    headings = ["Row", "method", "parameters", "triplets", "epochs", "best", "training, min"]
    return format_table([*headings, "measuring, min", "seed", "commit", "deviation"], rows)


def _verdict(difference: float, p_value: float) -> str:
    if p_value >= 0.05:
        return "not told apart"
    return "holds" if difference > 0 else "reversed"


def _has(results: SuiteResults, record: RowRecord, metric: str, protocol: Protocol) -> bool:
    return metric in results.results(record, "queries", protocol).metrics


def _bold_best(
    values: Mapping[tuple[str, str], float], records: Sequence[RowRecord], name: str, metric: str
) -> str:
    best = max(values[(record.name, metric)] for record in records)
    number = format_number(values[(name, metric)])
    return f"**{number}**" if values[(name, metric)] == best else number


def _starred(number: str, mark: str) -> str:
    return number + mark.replace("*", r"\*")
