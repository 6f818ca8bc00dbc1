"""What is measured once the rows of a suite stand: time a query, prototype quality."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from amgan.evaluation.report import EvaluationReport, Ranking, load_report, save_report
from amgan.methods.model_file import load_model
from amgan.methods.ranking import RankingChoice
from amgan.methods.trained import TrainedModel
from amgan.reproduction.measured import load_measured, save_measured
from amgan.reproduction.quality import (
    MOST_QUERIES,
    Quality,
    compute_quality,
    draw_counterfactuals,
    draw_test_prototypes,
    train_judge,
)
from amgan.reproduction.ranking_ablation import Means, measure_ranking_ablation
from amgan.reproduction.results import FUSED, RowRecord, SuiteResults, has_evaluation
from amgan.reproduction.runner import Announce
from amgan.reproduction.suite_run import SuiteData
from amgan.reproduction.timing import QueryTime, measure_query_time
from amgan.run_folder import RunFolder
from amgan.workflows.data import ExperimentData, rows_of_protocol
from amgan.workflows.evaluate import evaluate_model, rankers_of
from amgan.workflows.fit import fit_facts
from amgan.workflows.picture import PictureQueries, measure_rows

REFERENCE_ITSELF = "(the reference, unchanged)"
TARGET_ITSELF = "(the target itself)"


class Measurements:
    """Measures what is not measured yet; one fold is enough for times and pictures.

    Args:
        results: finished rows.
        data: their data.
        announce: told each step as it begins.
    """

    def __init__(self, results: SuiteResults, data: SuiteData, announce: Announce) -> None:
        self._results = results
        self._data = data
        self._announce = announce
        self._suite_run = results.suite_run

    def test_data(self, record: RowRecord) -> ExperimentData:
        """The suite's test queries on the pictures of a row."""
        config = self._suite_run.suite.row_config(record.spec, self._suite_run.overrides)
        return self._data.tests(config, self._suite_run.fold_numbers[0])["queries"]

    @property
    def table(self) -> Path:
        """The catalogue's table."""
        config = self._suite_run.suite.common_config(self._suite_run.overrides)
        return Path(config.catalogue.path)

    def model(self, record: RowRecord) -> TrainedModel:
        """A row's trained model."""
        config = self._suite_run.suite.row_config(record.spec, self._suite_run.overrides)
        return load_model(record.folders[0], config.training.device)

    def times(self) -> dict[str, QueryTime]:
        """Table 4, by row."""
        times = {}
        for record in self._results.of_kind("ours", "baseline", "reference"):
            path = record.folders[0] / "query_time.json"
            known = load_measured(path)
            if known is None:
                self._announce(f"{record.name}: time a query")
                spec = self._suite_run.suite.timing
                known = asdict(measure_query_time(self.model(record), self.test_data(record), spec))
                save_measured(known, path)
            times[record.name] = QueryTime(**known)
        return times

    def ways(self) -> dict[str, dict[str, Means]]:
        """How well each drawing row's own networks rank when they are asked in other ways."""
        measured = {}
        protocol = self._suite_run.suite.protocols[0]
        for record in self._drawing:
            path = record.folders[0] / "ways.json"
            known = load_measured(path)
            if known is None:
                self._announce(f"{record.name}: its networks asked in other ways")
                own = self._results.reports(record, "queries", protocol)[0].groups["all"].means
                known = measure_ranking_ablation(
                    self.model(record), self.test_data(record), protocol, own
                )
                save_measured(known, path)
            measured[record.name] = known
        return measured

    def fused(self) -> None:
        """Ask the same queries of every drawing row under its fused ranking.

        Reports and every query's metrics lie in evaluation/fused-TEST beside the pure ones.
        """
        suite = self._suite_run.suite
        for record in self._drawing:
            config = suite.row_config(record.spec, self._suite_run.overrides)
            for fold, folder in zip(self._suite_run.fold_numbers, record.folders, strict=True):
                tests = self._data.tests(config, fold)
                missing = [test for test in tests if not self._is_fused(folder, test)]
                if not missing:
                    continue
                self._announce(f"{record.name}: fused ranking")
                own = self._data.of_row(config, fold)
                pure = load_model(folder, config.training.device, ranking=RankingChoice.pure)
                facts = fit_facts(pure, own, config.training.metric).choose(RankingChoice.auto)
                if facts.ranking == "pure":
                    continue
                model = pure.with_facts(facts)
                for test in missing:
                    place = RunFolder(folder).evaluation / f"{FUSED}{test}"
                    for protocol in self._suite_run.suite.protocols_of(test):
                        evaluation = evaluate_model(
                            model, tests[test], protocol=protocol, name=record.name
                        )
                        evaluation.save(place)

    def picture(self) -> None:
        """Whether the picture counts, into the reports of the suite's own queries that lack it."""
        suite = self._suite_run.suite
        for record in self._results.records:
            config = suite.row_config(record.spec, self._suite_run.overrides)
            for fold, folder in zip(self._suite_run.fold_numbers, record.folders, strict=True):
                lacking = [(p, r) for p, r in self._reports(folder) if r.picture is None]
                if not lacking:
                    continue
                self._announce(f"{record.name}: whether the picture counts")
                data = self._data.tests(config, fold)["queries"]
                queries = PictureQueries.of_split(data, "test", config.images)
                own = self._data.of_row(config, fold)
                for path, report in lacking:
                    pure = load_model(folder, config.training.device, ranking=RankingChoice.pure)
                    choice = RankingChoice(report.ranking)
                    model, *_ = rankers_of(pure, own, config.training.metric, choice)
                    rows = rows_of_protocol(data.catalogue, "test", report.protocol)
                    measured = replace(report, picture=measure_rows(model, data, queries, rows))
                    save_report(measured, path)
                    save_report(measured, path.with_suffix(".md"))

    def _is_fused(self, folder: Path, test: str) -> bool:
        protocols = self._suite_run.suite.protocols_of(test)
        return all(has_evaluation(folder, f"{FUSED}{test}", protocol) for protocol in protocols)

    def qualities(self) -> dict[str, Quality]:
        """Prototype quality of every row that draws, and of two pictures that nobody drew."""
        drawing = self._drawing
        if not drawing or not self._suite_run.suite.judge:
            return {}
        paths = {record.name: record.folders[0] / "quality.json" for record in drawing}
        known = {name: load_measured(path) for name, path in paths.items()}
        given = load_measured(self._judge_folder / "reference.json")
        truth = load_measured(self._judge_folder / "target.json")
        if given is None or truth is None or None in known.values():
            given, truth = self._measure(drawing, known)
        measured = {name: value for name, value in known.items() if value is not None}
        return {**measured, REFERENCE_ITSELF: given, TARGET_ITSELF: truth}

    def _reports(self, folder: Path) -> Iterator[tuple[Path, EvaluationReport]]:
        """A row's reports of the suite's own queries, under every ranking that was measured."""
        rankings: tuple[Ranking, ...] = ("pure", "fused")
        for ranking in rankings:
            test = f"{FUSED}queries" if ranking == "fused" else "queries"
            for protocol in self._suite_run.suite.protocols:
                path = RunFolder(folder).evaluation / test / f"test-{protocol}.json"
                if path.is_file():
                    yield path, load_report(path, ranking)

    @property
    def _drawing(self) -> list[RowRecord]:
        return [record for record in self._results.records if record.fact("draws")]

    @property
    def _judge_folder(self) -> Path:
        return self._suite_run.folder / "judge"

    def _measure(
        self, drawing: list[RowRecord], known: dict[str, Quality | None]
    ) -> tuple[Quality, Quality]:
        """Fill `known`; returns the quality of the references and of the targets themselves."""
        data = self.test_data(drawing[0])
        config = self._suite_run.suite.common_config(self._suite_run.overrides)
        self._announce("training the judge of prototypes")
        judge = train_judge(config, self._judge_folder, data)
        triplets = data.triplets.in_split("test")
        triplets = triplets.select(np.arange(min(MOST_QUERIES, len(triplets))))
        cases = np.arange(len(triplets))
        exact = draw_counterfactuals(data, self.table, config.images, cases)
        for record in drawing:
            if known[record.name] is None:
                self._announce(f"{record.name}: prototype quality")
                drawn = draw_test_prototypes(self.model(record), data)
                assert drawn is not None
                quality = compute_quality(judge, drawn, data, exact)
                save_measured(quality, record.folders[0] / "quality.json")
                known[record.name] = quality
        baselines = []
        for name, rows in (("reference", triplets.reference), ("target", triplets.target)):
            quality = compute_quality(judge, np.asarray(data.pixels[rows]), data, exact)
            save_measured(quality, self._judge_folder / f"{name}.json")
            baselines.append(quality)
        return baselines[0], baselines[1]
