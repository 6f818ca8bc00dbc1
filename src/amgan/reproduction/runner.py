"""Trains and evaluates the rows of a suite, one after the other; a row that is done is not redone.

Folder of a suite's results: rows/SLUG/ (rows/SLUG/fold-K/ with cross-validation), each a run folder
with row.json (state and facts) and evaluation/TEST/ (reports and every query's metrics). TEST is
`queries`, the suite's own test triplets, or `more`, those with more changes.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from amgan.config import ExperimentConfig
from amgan.errors import InputError
from amgan.evaluation.provenance import commit_id, machine_description
from amgan.files import read_json, write_text
from amgan.methods.model_file import load_model
from amgan.methods.query_arrays import QueryArrays
from amgan.methods.trained import TrainedModel
from amgan.reproduction.suite import RowSpec, Suite
from amgan.reproduction.suite_run import SuiteData, SuiteRun
from amgan.run_folder import RunFolder
from amgan.training.loss_log import TrainingDivergedError
from amgan.training.run_log import read_log
from amgan.workflows.data import ExperimentData
from amgan.workflows.evaluate import evaluate_model
from amgan.workflows.train import train_experiment

# Settings that change how a row is computed, not what comes out.
_INCIDENTAL = ("device", "log_every", "checkpoint_seconds")
Announce = Callable[[str], None]


def run_suite(
    suite_run: SuiteRun, announce: Announce = lambda text: None, rows: Sequence[str] = ()
) -> None:
    """Do every row that is not done.

    A row whose training diverges is recorded as such, and the next one begins.

    Args:
        suite_run: where, and which suite.
        announce: told each step as it begins.
        rows: only these; all without any.

    Raises:
        ValueError: a folder that holds a row of other settings, or data that cannot be used.
        KeyboardInterrupt: stopped by a signal, after the state was saved.
    """
    data = SuiteData(suite_run)
    chosen = suite_run.suite.select(rows).rows if rows else suite_run.suite.rows
    total = len(chosen) * len(suite_run.fold_numbers)
    number = 0
    for fold in suite_run.fold_numbers:
        for row in chosen:
            number += 1
            name = row.name if fold is None else f"{row.name}, fold {fold + 1}"
            _run_row(
                suite_run,
                data,
                row,
                fold,
                lambda what, n=number, of=name: announce(  # type: ignore[misc]
                    f"[{n}/{total}] {of}: {what}"
                ),
            )


def _run_row(
    suite_run: SuiteRun, data: SuiteData, row: RowSpec, fold: int | None, announce: Announce
) -> None:
    config = suite_run.suite.row_config(row, suite_run.overrides)
    folder = suite_run.row_folder(row, fold)
    own = data.of_row(config, fold)
    tests = data.tests(config, fold)
    state = RowState(folder, _fingerprint(suite_run.suite, config, own, tests))
    if state.done:
        announce("done before")
        return
    state.begin()
    announce("training" if config.method else "")
    try:
        with state.clock("train_seconds"):
            model_file = train_experiment(config, folder, own)
    except TrainingDivergedError as error:
        state.finish({"failure": str(error)})
        announce(f"diverged: {error}")
        return
    announce("measuring")
    model = load_model(model_file, config.training.device)
    with state.clock("measure_seconds"):
        _measure(suite_run, row, folder, model, tests)
    state.finish(_facts(config, model, folder, own))


def _measure(
    suite_run: SuiteRun,
    row: RowSpec,
    folder: Path,
    model: TrainedModel,
    tests: Mapping[str, ExperimentData],
) -> None:
    for test, data in tests.items():
        for protocol in suite_run.suite.protocols_of(test):
            evaluation = evaluate_model(model, data, protocol=protocol, name=row.name)
            evaluation.save(RunFolder(folder).evaluation / test)


class RowState:
    """What row.json says: which settings the folder belongs to, whether it is done, and facts."""

    def __init__(self, folder: Path, fingerprint: str) -> None:
        self._path = folder / "row.json"
        self._values = read_row_state(folder) or {"fingerprint": fingerprint, "done": False}
        if self._values["fingerprint"] != fingerprint:
            raise InputError(
                f"{folder}: holds this row with other settings or data; "
                "give another results folder, or delete this one"
            )

    @property
    def done(self) -> bool:
        """Whether nothing is left to do; a diverged row is tried again."""
        return bool(self._values["done"]) and not self._values.get("failure")

    def begin(self) -> None:
        """Write that the row has begun."""
        self._values.pop("failure", None)
        self._values["done"] = False
        self._write()

    def clock(self, name: str) -> _Clock:
        """Adds the time of the block to a fact, also where it is interrupted."""
        return _Clock(self, name)

    def add(self, name: str, seconds: float) -> None:
        """Add to a number of seconds."""
        self._values[name] = round(self._values.get(name, 0.0) + seconds, 2)
        self._write()

    def finish(self, facts: Mapping[str, Any]) -> None:
        """Write that the row is done."""
        self._values.update(facts, done=True)
        self._write()

    def _write(self) -> None:
        write_text(self._path, json.dumps(self._values, indent=2) + "\n")


class _Clock:
    def __init__(self, state: RowState, name: str) -> None:
        self._state, self._name = state, name

    def __enter__(self) -> None:
        self._start = time.perf_counter()

    def __exit__(self, *error: object) -> None:
        self._state.add(self._name, time.perf_counter() - self._start)


def read_row_state(folder: Path) -> dict[str, Any] | None:
    """Content of row.json, None where the row has not begun."""
    path = folder / "row.json"
    if not path.is_file():
        return None
    values: dict[str, Any] = read_json(path)
    return values


def _facts(
    config: ExperimentConfig, model: TrainedModel, folder: Path, data: ExperimentData
) -> dict[str, Any]:
    metric = config.training.metric
    validations = read_log(RunFolder(folder), "validation")
    best = max(validations, key=lambda record: record.get(metric, 0.0), default=None)
    return {
        "method": config.method,
        "dimensions": model.embedding_dim,
        "parameters": sum(p.numel() for p in model.method.parameters()),
        "draws": model.draw_prototypes(
            QueryArrays(data.pixels[:1], data.triplets.indicator(data.catalogue)[:1])
        )
        is not None,
        "epochs": config.training.epochs if validations else 0,
        "best_epoch": best["epoch"] if best else None,
        "seed": config.training.seed,
        "commit": commit_id(),
        "machine": machine_description(),
        "training_triplets": len(data.triplets.in_split("train")),
    }


def _fingerprint(
    suite: Suite,
    config: ExperimentConfig,
    own: ExperimentData,
    tests: Mapping[str, ExperimentData],
) -> str:
    values = config.to_dict()
    for name in _INCIDENTAL:
        del values["training"][name]
    del values["catalogue"], values["triplets"]
    values["data"] = own.digest
    values["tests"] = {name: data.triplets.digest for name, data in tests.items()}
    values["protocols"] = list(suite.protocols)
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
