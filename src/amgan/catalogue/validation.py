"""What is wrong with a catalogue's sources: every problem by file, row, column and value."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from amgan.catalogue.parallel import map_in_threads
from amgan.errors import InputError
from amgan.images import (
    DEFAULT_LIMITS,
    PictureError,
    PictureLimits,
    explain_missing,
    load_picture,
)
from amgan.progress import Progress, quiet
from amgan.text import counted

Severity = Literal["error", "label", "tolerated", "warning"]
Kind = Literal[
    "bad-file",  # the file as a whole cannot be read
    "bad-row",  # a row cannot be read: ragged, no JSON, wrong encoding
    "missing-column",
    "missing-value",
    "bad-value",
    "unknown-value",
    "rare-value",  # occurs once or twice, spelt nearly as a common one
    "duplicate-id",
    "bad-split",
    "missing-picture",
    "bad-picture",
    "odd-picture",
    "shared-picture",  # many rows have it
    "several-values",  # in one cell
    "attribute",  # an attribute that cannot be told apart by its values
    "count",  # not as many as there should be
    "empty",  # nothing usable remains, because of the other problems
]
_HEADINGS: dict[Kind, str] = {
    "bad-file": "file cannot be read",
    "bad-row": "row cannot be read",
    "missing-column": "column is missing",
    "missing-value": "value is missing",
    "bad-value": "value cannot be read",
    "unknown-value": "value is not in the schema",
    "rare-value": "value may be a typo",
    "duplicate-id": "item is listed twice",
    "bad-split": "split is unknown",
    "missing-picture": "picture is missing",
    "bad-picture": "picture cannot be used",
    "odd-picture": "picture has an odd shape",
    "shared-picture": "picture is shared by many rows",
    "several-values": "cells hold several values",
    "attribute": "attribute needs a look",
    "count": "count differs",
    "empty": "nothing remains",
}
ODD_ASPECT = 8.0


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem and its place.

    Attributes:
        file: the table or label file.
        row: line of a text file, counted from 1 with the header; record of a Parquet file, counted
            from 1; None where the problem is not in one row.
        column: column or attribute, where there is one.
        value: what stands there.
        message: what is wrong with it, and what would be right.
        kind: a short name to group by.
        severity: a row with an "error" is left out, and strict mode raises; with "label" the row
            stays without that label, and strict mode raises; a row with a "tolerated" problem is
            left out, but strict mode lets it pass, since the data set is known for it; a "warning"
            leaves nothing out.
    """

    file: str
    row: int | None
    column: str | None
    value: str | None
    message: str
    kind: Kind = "bad-value"
    severity: Severity = "error"

    def __str__(self) -> str:
        place = self.file if self.row is None else f"{self.file}:{self.row}"
        return f"{place}: {self.details}"

    @property
    def details(self) -> str:
        """Column, value and message, without the place."""
        parts = [] if self.column is None else [f"column {self.column!r}"]
        if self.value is not None:
            parts.append(f"value {_shorten(self.value)!r}")
        return f"{', '.join(parts)}: {self.message}" if parts else self.message


@dataclass(frozen=True)
class ValidationReport:
    """All problems of one catalogue.

    Attributes:
        problems: in the order of files and rows, those of no row last.
        kept: rows that became items.
        skipped: rows left out, label lines that could not be read among them.
    """

    problems: tuple[Problem, ...]
    kept: int
    skipped: int

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems that cost a row, or the whole file, and that nobody expects."""
        return tuple(problem for problem in self.problems if problem.severity == "error")

    @property
    def labels(self) -> tuple[Problem, ...]:
        """The problems that cost a label, but not its row."""
        return tuple(problem for problem in self.problems if problem.severity == "label")

    @property
    def faults(self) -> tuple[Problem, ...]:
        """What strict mode raises for: errors and lost labels."""
        return tuple(p for p in self.problems if p.severity in ("error", "label"))

    @property
    def tolerated(self) -> tuple[Problem, ...]:
        """The problems that cost a row and that the data set is known for."""
        return tuple(problem for problem in self.problems if problem.severity == "tolerated")

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """The problems that cost nothing."""
        return tuple(problem for problem in self.problems if problem.severity == "warning")

    def summary(self, examples: int = 3) -> str:
        """Readable text: the counts, then the problems by kind with the first few of each."""
        lines = [f"kept {self.kept:,} of {counted(self.kept + self.skipped, 'row')}"]
        lines[0] += f", skipped {self.skipped:,}" if self.skipped else ""
        for title, problems in (
            ("errors", self.errors),
            ("labels left missing", self.labels),
            ("tolerated", self.tolerated),
            ("warnings", self.warnings),
        ):
            if problems:
                lines.append(f"{title}:")
            for (kind, column), group in _grouped(problems).items():
                where = "" if column is None else f" (column {column})"
                lines.append(f"  {len(group):,} x {_HEADINGS[kind]}{where}")
                lines += [f"      {problem}" for problem in group[:examples]]
                if len(group) > examples:
                    lines.append(f"      ... and {len(group) - examples:,} more")
        return "\n".join(lines)

    def to_json(self) -> str:
        """Counts and every problem as JSON."""
        content = {
            "kept": self.kept,
            "skipped": self.skipped,
            "problems": [asdict(problem) for problem in self.problems],
        }
        return json.dumps(content, indent=2, ensure_ascii=False)


class ValidationError(InputError):
    """A source that cannot be used, or not as it stands in strict mode.

    Attributes:
        report: all problems found.
    """

    def __init__(self, report: ValidationReport, shown: int = 5) -> None:
        first = next(iter(report.errors), None)
        super().__init__(
            report,
            shown,
            field=first.column if first else None,
            file=first.file if first else None,
            row=first.row if first else None,
        )
        self.report = report
        self.shown = shown

    def __str__(self) -> str:
        outcome = [str(problem) for problem in self.report.faults if problem.kind == "empty"]
        errors = [problem for problem in self.report.faults if problem.kind != "empty"]
        if len(outcome) + len(errors) == 1:
            return outcome[0] if outcome else str(errors[0])
        count = counted(len(errors), "problem")
        lines = [": ".join((*outcome, count)), *map(str, errors[: self.shown])]
        if len(errors) > self.shown:
            lines.append(f"... and {len(errors) - self.shown:,} more")
        return "\n  ".join(lines)

    @classmethod
    def of(cls, *problems: Problem) -> ValidationError:
        """Error for problems with which reading cannot go on."""
        return cls(ValidationReport(problems, 0, 0))


def check_pictures(
    pictures: Sequence[Path],
    *,
    decode: bool = True,
    limits: PictureLimits = DEFAULT_LIMITS,
    workers: int | None = None,
    progress: Progress = quiet,
) -> dict[Path, tuple[Kind, str]]:
    """Look at pictures in parallel: what is wrong, for those where something is.

    Args:
        pictures: paths; a path given twice is looked at once.
        decode: decode every picture. False only looks whether the files are there.
        limits: what a picture may measure.
        workers: threads; None takes as many as there are cores.
        progress: shows how far it is.
    """
    distinct = list(dict.fromkeys(pictures))

    def look(path: Path) -> tuple[Kind, str] | None:
        return _decode_problem(path, limits) if decode else _file_problem(path)

    found = progress(map_in_threads(look, distinct, workers), "checking pictures", len(distinct))
    return {path: problem for path, problem in zip(distinct, found, strict=True) if problem}


def _file_problem(path: Path) -> tuple[Kind, str] | None:
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return "missing-picture", explain_missing(path)
    except OSError as error:
        return "missing-picture", explain_missing(path, f"cannot be read ({error.strerror})")
    except ValueError:
        return "missing-picture", "is not a path"
    if stat.S_ISDIR(mode):
        return "bad-picture", "is a folder, not a picture"
    return None if stat.S_ISREG(mode) else ("bad-picture", "is not an ordinary file")


def _decode_problem(path: Path, limits: PictureLimits) -> tuple[Kind, str] | None:
    problem = _file_problem(path)
    if problem is not None:
        return problem
    try:
        width, height = load_picture(path, limits, draft_side=limits.min_side).size
    except PictureError as error:
        return "bad-picture", error.reason
    aspect = max(width, height) / min(width, height)
    if aspect > ODD_ASPECT:
        return "odd-picture", f"one side is {aspect:.0f} times as long as the other"
    return None


def _grouped(problems: Iterable[Problem]) -> dict[tuple[Kind, str | None], list[Problem]]:
    groups: dict[tuple[Kind, str | None], list[Problem]] = {}
    for problem in problems:
        groups.setdefault((problem.kind, problem.column), []).append(problem)
    return dict(sorted(groups.items(), key=lambda entry: -len(entry[1])))


def _shorten(text: str, length: int = 80) -> str:
    return text if len(text) <= length else text[: length - 3] + "..."


def sort_problems(problems: Iterable[Problem]) -> Iterator[Problem]:
    """Problems by file and row, those of no row last; otherwise as they were found."""
    yield from sorted(problems, key=lambda p: (p.row is None, p.file, p.row or 0))
