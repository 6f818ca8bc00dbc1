"""Whether a model's confidence can be believed: found on labelled items, by attribute."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amgan.attributes import MISSING, AttributeSchema, Labels
from amgan.errors import InputError
from amgan.evaluation.calibration import (
    Numbers,
    Reliability,
    compute_reliability,
    negative_log_likelihood,
    softmax,
)
from amgan.evaluation.provenance import commit_id, machine_description
from amgan.evaluation.tables import format_number, format_table
from amgan.files import write_text

POOLED = "all attributes"


@dataclass(frozen=True)
class Confidence:
    """One classifier's confidence, at one temperature.

    Attributes:
        reliability: confidence of the likeliest value against accuracy, in bins.
        nll: negative log likelihood of the right value, mean over labels, in nats.
    """

    reliability: Reliability
    nll: float

    @property
    def ece(self) -> float:
        """Expected calibration error, in [0, 1]."""
        return self.reliability.error


@dataclass(frozen=True)
class AttributeCalibration:
    """What is found for one attribute.

    Attributes:
        name: the attribute's, or `POOLED` for the predictions of all of them taken together.
        n: labels that count; missing ones do not.
        accuracy: share of them that is the likeliest value; a temperature does not change it.
        temperature: that logits are divided by; None for `POOLED`.
        before: without the temperature.
        after: with it, as `amgan tag` and searches tell it.
    """

    name: str
    n: int
    accuracy: float
    temperature: float | None
    before: Confidence
    after: Confidence


@dataclass(frozen=True)
class CalibrationReport:
    """Confidence of one model on one set of labelled items.

    Attributes:
        method: the model's.
        catalogue: name of the table that the items are from.
        split: that was taken, or "all".
        items: number of items.
        calibrated: whether the model has temperatures; without any, before and after are equal.
        seed: of the training.
        commit: of the source, None where not known.
        machine: what it ran on.
        attributes: in the schema's order.
        pooled: all their predictions together.
    """

    method: str
    catalogue: str
    split: str
    items: int
    calibrated: bool
    seed: int
    commit: str | None
    machine: str
    attributes: tuple[AttributeCalibration, ...]
    pooled: AttributeCalibration

    @property
    def bins(self) -> int:
        """Number of bins, of equal width."""
        return len(self.pooled.before.reliability.counts)

    def to_json(self) -> str:
        """JSON text; what an empty bin does not have is null."""
        values = {name: getattr(self, name) for name in _FACTS}
        values["bins"] = self.bins
        values["attributes"] = [_plain(found) for found in (*self.attributes, self.pooled)]
        return json.dumps(values, indent=2, ensure_ascii=False, allow_nan=False) + "\n"

    def to_markdown(self) -> str:
        """Facts, a row an attribute, and what the columns are."""
        changed = "+" if self.commit and self.commit.endswith("+") else ""
        commit = f"`{self.commit[:12]}{changed}`" if self.commit else "not known"
        facts = [
            f"- Catalogue {self.catalogue}, {self.split_words}: {self.items:,} items; "
            "missing labels do not count.",
            f"- Seed {self.seed}, commit {commit}.",
            f"- Machine: {self.machine}.",
        ]
        facts.append(f"- Measured, all attributes together: {self.measured_words}.")
        if not self.calibrated:
            facts.append("- **The model has no temperatures: it was trained without validation.**")
        rows = [_row(found) for found in (*self.attributes, self.pooled)]
        headings = ["Attribute", "Labels", "Accuracy", "Temperature"]
        headings += ["ECE before", "ECE after", "by chance", "NLL before", "NLL after"]
        notes = [
            "- Before and after: without and with the temperature, fitted on validation items, "
            "that logits are divided by. It changes no prediction.",
            f"- ECE: expected calibration error, the mean of |accuracy - confidence| over "
            f"{self.bins} bins of equal width, weighted by their predictions.",
            "- By chance: what the error of perfect confidence would stay below in 95 % of cases, "
            "with as many predictions; an ECE below it cannot be told from none.",
            "- NLL: mean negative log likelihood of the right value, in nats.",
        ]
        title = f"## Confidence of {self.method} on {self.catalogue}"
        parts = [title, "\n".join(facts), format_table(headings, rows), "\n".join(notes)]
        return "\n\n".join(parts) + "\n"

    @property
    def split_words(self) -> str:
        """The split as words of a sentence."""
        return "all of it" if self.split == "all" else f"split {self.split}"

    @property
    def measured_words(self) -> str:
        """How often predictions of each bin of confidence were right, as words of a sentence."""
        found = self.pooled.after.reliability
        edges = [f"{edge:.2g}".replace("0.", ".") for edge in found.edges]
        bins = zip(edges[:-1], edges[1:], found.accuracy, found.counts, strict=True)
        return "; ".join(
            f"confidence {low} to {high}: right {accuracy:.0%} of {count:,}".replace("%", " %")
            for low, high, accuracy, count in bins
            if count
        )

    def save(self, folder: Path, stem: str) -> Path:
        """Write STEM.json and STEM.md, each whole or not at all; returns the JSON file."""
        write_text(folder / f"{stem}.md", self.to_markdown())
        write_text(folder / f"{stem}.json", self.to_json())
        return folder / f"{stem}.json"


_FACTS = ("method", "catalogue", "split", "items", "calibrated", "seed", "commit", "machine")


def build_calibration_report(
    logits: NDArray[np.floating],
    labels: Labels,
    schema: AttributeSchema,
    temperatures: Mapping[str, float],
    *,
    method: str,
    catalogue: str,
    split: str,
    seed: int,
    bins: int = 10,
) -> CalibrationReport:
    """Hold confidences against labels; commit and machine are those of this process.

    Args:
        logits: of attribute values, (N, J) with J that of `schema`.
        labels: right values, (N, M); `MISSING` where not known, which do not count.
        schema: M attributes.
        temperatures: by attribute; 1 where not named.
        method: name of the model's.
        catalogue: name of the items' catalogue.
        split: "train", "val", "test" or "all".
        seed: of the training.
        bins: number of bins of confidence.

    Raises:
        ValueError: an attribute without a label.
    """
    known = labels != MISSING
    for name, any_label in zip(schema.names, known.any(axis=0), strict=True):
        if not any_label:
            where = "" if split == "all" else f" of split {split!r}"
            raise InputError(
                f"catalogue {catalogue!r}: no item{where} has a label of attribute {name!r}; "
                "name the other attributes to leave it out"
            )
    judged = [
        _Judged.of(
            logits[known[:, place], columns].astype(np.float64),
            labels[known[:, place], place],
            temperatures.get(name, 1.0),
        )
        for place, (name, columns) in enumerate(zip(schema.names, schema.slices, strict=True))
    ]
    attributes = tuple(
        one.summary(name, temperatures.get(name, 1.0), bins)
        for name, one in zip(schema.names, judged, strict=True)
    )
    return CalibrationReport(
        method,
        catalogue,
        split,
        len(labels),
        bool(temperatures),
        seed,
        commit_id(),
        machine_description(),
        attributes,
        _Judged.joined(judged).summary(POOLED, None, bins),
    )


@dataclass(frozen=True)
class _Judged:
    """Predictions whose label is known: (N,) each, confidences and likelihoods at 1 and at T."""

    right: NDArray[np.bool_]
    confidence: tuple[Numbers, Numbers]
    nll: tuple[float, float]

    @classmethod
    def of(cls, logits: Numbers, labels: Labels, temperature: float) -> _Judged:
        before, after = (softmax(logits / t).max(axis=1) for t in (1.0, temperature))
        nll = [negative_log_likelihood(logits, labels, t) for t in (1.0, temperature)]
        return cls(logits.argmax(axis=1) == labels, (before, after), (nll[0], nll[1]))

    @classmethod
    def joined(cls, parts: Sequence[_Judged]) -> _Judged:
        def confidences(which: int) -> Numbers:
            return np.concatenate([part.confidence[which] for part in parts])

        def mean(which: int) -> float:
            counts = [len(part.right) for part in parts]
            return float(np.average([part.nll[which] for part in parts], weights=counts))

        right = np.concatenate([part.right for part in parts])
        return cls(right, (confidences(0), confidences(1)), (mean(0), mean(1)))

    def summary(self, name: str, temperature: float | None, bins: int) -> AttributeCalibration:
        before, after = (
            Confidence(compute_reliability(confidence, self.right, bins), nll)
            for confidence, nll in zip(self.confidence, self.nll, strict=True)
        )
        accuracy = float(self.right.mean())
        return AttributeCalibration(name, len(self.right), accuracy, temperature, before, after)


def _row(found: AttributeCalibration) -> list[str]:
    temperature = "–" if found.temperature is None else f"{found.temperature:.3f}"
    chance = found.after.reliability.error_by_chance()
    numbers = (found.before.ece, found.after.ece, chance, found.before.nll, found.after.nll)
    cells = [found.name, f"{found.n:,}", format_number(found.accuracy), temperature]
    return cells + [format_number(number) for number in numbers]


def _plain(found: AttributeCalibration) -> dict[str, Any]:
    values: dict[str, Any] = {
        "name": found.name,
        "n": found.n,
        "accuracy": found.accuracy,
        "temperature": found.temperature,
    }
    for when, confidence in (("before", found.before), ("after", found.after)):
        arrays = {key: value.tolist() for key, value in asdict(confidence.reliability).items()}
        bins = {key: [None if math.isnan(v) else v for v in row] for key, row in arrays.items()}
        values[when] = {
            "ece": confidence.ece,
            "ece_by_chance": confidence.reliability.error_by_chance(),
            "nll": confidence.nll,
            "bins": bins,
        }
    return values
