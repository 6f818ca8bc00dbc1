"""What a training run came to, and why a run folder cannot be gone on with, in plain words."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from amgan.config import ExperimentConfig
from amgan.run_folder import RunFolder
from amgan.training.run_log import read_log

# Settings that may change from one start of a run to the next.
FREE_SETTINGS = ("device", "metric", "validate_every", "checkpoint_seconds", "log_every")
_TOP_WORDS = {
    "top": "an item with all the wanted attribute values",
    "item": "the wanted item",
}


def describe_training(config: ExperimentConfig, folder: Path) -> str:
    """The best epoch of a run folder, and what its model is worth on validation queries."""
    records = read_log(RunFolder(folder), "validation")
    measured = [record for record in records if config.training.metric in record]
    if not measured:
        return "nothing was measured: there are no validation queries, or nothing is trained"
    best = max(measured, key=lambda record: float(record[config.training.metric]))
    told = _describe_metric(config.training.metric, best[config.training.metric], folder)
    return f"best epoch {best['epoch']} of {config.training.epochs}: {told}"


def describe_other_run(folder: Path, then: Mapping[str, Any] | None, now: Mapping[str, Any]) -> str:
    """Why training in `folder` cannot go on: the settings that differ, with both values.

    Args:
        folder: the run folder.
        then: the resolved configuration it was begun with; None where it is not known.
        now: the one given.
    """
    advice = "give the same ones again, or choose another folder with --run"
    differing = [] if then is None else list(_differences(then, now))
    if not differing:
        return (
            f"{folder}: was written with other items, pictures or triplets than those given; "
            f"{advice}"
        )
    if len(differing) == 1:
        return f"{folder}: was written with another setting, {differing[0]}; {advice}"
    head = f"{folder}: was written with {len(differing)} other settings; {advice}"
    return "\n  ".join([head, *differing])


def _describe_metric(metric: str, value: float, folder: Path) -> str:
    name, _, depth = metric.partition("@")
    queries = _count_queries(folder)
    of = "validation queries" if queries is None else f"{queries:,} validation queries"
    if name in _TOP_WORDS:
        return f"{_TOP_WORDS[name]} is among the first {depth} for {value:.0%} of {of}"
    return f"{metric} is {value:.3f} over {of}"


def _count_queries(folder: Path) -> int | None:
    """Number of validation triplets of the run's own file."""
    try:
        with RunFolder(folder).triplets.open(encoding="utf-8") as lines:
            return sum(1 for line in lines if json.loads(line).get("split") == "val")
    except (OSError, ValueError):
        return None


def _differences(then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    before, after = dict(_flatten(then)), dict(_flatten(now))
    for name in dict.fromkeys((*before, *after)):
        if name in {f"training.{free}" for free in FREE_SETTINGS}:
            continue
        old, new = before.get(name), after.get(name)
        if old != new:
            yield f"{name}: {json.dumps(old)} then, {json.dumps(new)} now"


def _flatten(values: Mapping[str, Any], place: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flatten(value, f"{place}{name}.")
        else:
            yield f"{place}{name}", value
