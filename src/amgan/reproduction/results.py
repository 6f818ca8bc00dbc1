"""What the rows of a suite left on disk, gathered for tables and figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from amgan.evaluation.metrics import mean_of_defined
from amgan.evaluation.per_query import PerQueryResults, load_per_query
from amgan.evaluation.report import EvaluationReport, Protocol, Ranking, load_report
from amgan.evaluation.significance import (
    Comparison,
    PairedTest,
    compare_scores,
    paired_test,
    scores_of_folds,
    scores_of_queries,
    stars,
)
from amgan.reproduction.runner import read_row_state
from amgan.reproduction.suite import RowSpec
from amgan.reproduction.suite_run import SuiteRun
from amgan.run_folder import RunFolder

FUSED = "fused-"  # before the name of a test, where the fused ranking was asked


def has_evaluation(folder: Path, test: str, protocol: Protocol) -> bool:
    """Whether a run folder holds the metrics of every query of a test."""
    return (RunFolder(folder).evaluation / test / f"test-{protocol}.parquet").exists()


@dataclass(frozen=True)
class RowRecord:
    """One finished row.

    Attributes:
        spec: which.
        folders: run folder of each fold.
        facts: content of row.json of each fold.
    """

    spec: RowSpec
    folders: tuple[Path, ...]
    facts: tuple[Mapping[str, Any], ...]

    @property
    def name(self) -> str:
        """As in tables."""
        return self.spec.name

    def fact(self, name: str) -> Any:
        """A fact of the first fold, None where it has none."""
        return self.facts[0].get(name)

    def evaluations(self, test: str) -> list[Path]:
        """Folder of a test's reports in each fold."""
        return [RunFolder(folder).evaluation / test for folder in self.folders]

    def total(self, name: str) -> float:
        """Sum of a fact over the folds."""
        return float(sum(facts.get(name) or 0.0 for facts in self.facts))


class SuiteResults:
    """Finished rows, their metrics and how they compare.

    Args:
        suite_run: a suite that ran.

    Attributes:
        records: rows that are done in every fold, in the suite's order.
        failures: why a row is not there, by name.
    """

    def __init__(self, suite_run: SuiteRun) -> None:
        self.suite_run = suite_run
        self.suite = suite_run.suite
        self.records: list[RowRecord] = []
        self.failures: dict[str, str] = {}
        for row in self.suite.rows:
            folders = tuple(suite_run.row_folder(row, fold) for fold in suite_run.fold_numbers)
            states = [read_row_state(folder) for folder in folders]
            failure = next((s["failure"] for s in states if s and s.get("failure")), None)
            if failure:
                self.failures[row.name] = f"diverged: {failure}"
            elif not all(state and state["done"] for state in states):
                self.failures[row.name] = "not finished"
            else:
                facts = tuple(state for state in states if state)
                self.records.append(RowRecord(row, folders, facts))
        self._results: dict[tuple[str, str, str], PerQueryResults] = {}

    @property
    def catalogue_name(self) -> str:
        """What the items are called in reports."""
        if self.suite.studio is not None:
            return "rendered garments"
        return self.reports(self.records[0], "queries", self.suite.protocols[0])[0].catalogue

    def of_kind(self, *kinds: str) -> list[RowRecord]:
        """Finished rows of these kinds."""
        return [record for record in self.records if record.spec.kind in kinds]

    def reports(self, record: RowRecord, test: str, protocol: Protocol) -> list[EvaluationReport]:
        """A row's report in each fold."""
        ranking: Ranking = "fused" if test.startswith(FUSED) else "pure"
        return [
            load_report(place / f"test-{protocol}.json", ranking)
            for place in record.evaluations(test)
        ]

    def results(self, record: RowRecord, test: str, protocol: Protocol) -> PerQueryResults:
        """Metrics of every query of a row, the folds one after the other."""
        key = (record.name, test, protocol)
        if key not in self._results:
            name = f"test-{protocol}.parquet"
            parts = [
                load_per_query(RunFolder(folder).evaluation / test / name)
                for folder in record.folders
            ]
            self._results[key] = _join(parts)
        return self._results[key]

    def has_test(self, test: str) -> bool:
        """Whether this test was made."""
        return any(
            (RunFolder(record.folders[0]).evaluation / test).is_dir() for record in self.records
        )

    def has_fused(self, record: RowRecord, protocol: Protocol) -> bool:
        """Whether a row was also measured under its fused ranking."""
        return all(has_evaluation(folder, f"{FUSED}queries", protocol) for folder in record.folders)

    def fused_mark(
        self, record: RowRecord, peer: RowRecord, metric: str, protocol: Protocol
    ) -> str:
        """Stars where a row's fused ranking is better than a peer's own, paired over queries."""
        scores = [
            self.results(one, test, protocol).metrics[metric]
            for one, test in ((record, f"{FUSED}queries"), (peer, "queries"))
        ]
        tested = paired_test(*scores)
        return stars(tested.p_value) if tested.difference > 0 else ""

    def mean(
        self, record: RowRecord, metric: str, test: str, protocol: Protocol, group: str = "all"
    ) -> float:
        """Mean of a metric over the queries of a group, NaN where there are none."""
        results = self.results(record, test, protocol)
        chosen = results.groups().get(group)
        if chosen is None or metric not in results.metrics:
            return float("nan")
        return mean_of_defined(results.metrics[metric][chosen])[0]

    def spread(self, record: RowRecord, metric: str, test: str, protocol: Protocol) -> float | None:
        """Standard deviation of the folds' means; None without cross-validation."""
        if len(record.folders) < 2:
            return None
        means = [r.groups["all"].means[metric] for r in self.reports(record, test, protocol)]
        return float(np.std(means, ddof=1))

    def comparisons(self, metrics: Sequence[str], protocol: Protocol) -> list[Comparison]:
        """Our rows against the best baseline in each metric; empty without either."""
        baselines = [record.name for record in self.of_kind("baseline")]
        rows = self.of_kind("ours", "ablation", "baseline")
        if not baselines or len(rows) == len(baselines):
            return []
        test = "permutation" if self.suite.significance == "queries" else "t"
        return compare_scores(
            {record.name: self._scores[protocol][record.name] for record in rows},
            baselines,
            metrics,
            test=test,  # type: ignore[arg-type]
        )

    def pair(self, better: str, worse: str, metric: str, protocol: Protocol) -> PairedTest | None:
        """Paired test between two rows, None where one is not there."""
        scores = self._scores[protocol]
        if better not in scores or worse not in scores:
            return None
        test = "permutation" if self.suite.significance == "queries" else "t"
        return paired_test(scores[better][metric], scores[worse][metric], test=test)  # type: ignore[arg-type]

    @cached_property
    def _scores(self) -> dict[Protocol, dict[str, Mapping[str, Any]]]:
        return {protocol: self._scores_of(protocol) for protocol in self.suite.protocols}

    def _scores_of(self, protocol: Protocol) -> dict[str, Mapping[str, Any]]:
        if self.suite.significance == "folds":
            return scores_of_folds(
                {
                    record.name: [
                        report.groups["all"].means
                        for report in self.reports(record, "queries", protocol)
                    ]
                    for record in self.records
                }
            )
        return scores_of_queries(
            {record.name: self.results(record, "queries", protocol) for record in self.records}
        )


def _join(parts: Sequence[PerQueryResults]) -> PerQueryResults:
    first = parts[0]
    if len(parts) == 1:
        return first
    names = [name for name in first.metrics if all(name in part.metrics for part in parts)]
    return PerQueryResults(
        {name: np.concatenate([part.metrics[name] for part in parts]) for name in names},
        tuple(item for part in parts for item in part.references),
        tuple(item for part in parts for item in part.targets),
        first.attributes,
        np.concatenate([part.changed for part in parts]),
    )
