"""From rows that a reader found to a checked catalogue: the part all readers share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from amgan.attributes import MISSING, AttributeSchema, Labels
from amgan.catalogue.matching import match_rows, tidy_rows
from amgan.catalogue.records import Catalogue
from amgan.catalogue.shared_pictures import shared_pictures
from amgan.catalogue.source_rows import SourceRow
from amgan.catalogue.validation import (
    Problem,
    Severity,
    ValidationError,
    ValidationReport,
    check_pictures,
    sort_problems,
)
from amgan.catalogue.values import likely_typos, schema_doubts, schema_of
from amgan.images import DEFAULT_LIMITS, PictureLimits
from amgan.progress import Progress, quiet

SPLITS = ("train", "val", "test")


@dataclass(frozen=True)
class Columns:
    """What the columns of the source are called in problems; attributes go by their own name."""

    image: str = "image"
    item_id: str = "item_id"
    split: str = "split"


@dataclass(frozen=True)
class Checks:
    """How strictly a source is read.

    Attributes:
        strict: raise when any row or label has an error, in place of leaving it out.
        check_pictures: decode every picture; False only looks whether the files are there.
        limits: what a picture may measure.
        workers: threads; None takes as many as there are cores.
        progress: shows how far it is.
        expect_published: for a published data set, take a count that differs from the published
            one for an error. False takes it for a warning.
    """

    strict: bool = False
    check_pictures: bool = True
    limits: PictureLimits = DEFAULT_LIMITS
    workers: int | None = None
    progress: Progress = quiet
    expect_published: bool = False

    def compare_count(self, source: Path, what: str, found: int, published: int) -> list[Problem]:
        """Problem where a count is not the published one."""
        if found == published:
            return []
        message = f"{found:,} {what}; the published data set has {published:,}"
        severity: Severity = "error" if self.expect_published else "warning"
        return [Problem(str(source), None, None, None, message, "count", severity)]


def assemble_catalogue(
    name: str,
    source: Path,
    rows: Sequence[SourceRow],
    attributes: AttributeSchema | Sequence[str],
    *,
    problems: Iterable[Problem] = (),
    columns: Columns | None = None,
    checks: Checks | None = None,
    pictures_may_lack: bool = False,
) -> tuple[Catalogue, ValidationReport]:
    """Check rows and pictures, leave out what is bad, and label what remains.

    Args:
        name: the catalogue's name.
        source: the file or folder that problems of no row are reported for.
        rows: what the reader found.
        attributes: a schema, or attribute names; then the values are those found, sorted, and an
            attribute that is empty everywhere is left out.
        problems: what the reader could not read; each row named in an error counts as skipped.
        columns: names for problems.
        checks: how strictly.
        pictures_may_lack: copies of this data set are known to lack pictures.

    Raises:
        ValidationError: nothing remains, strict mode and any error, or a count that was to be the
            published one.
    """
    checks = checks or Checks()
    schema = attributes if isinstance(attributes, AttributeSchema) else None
    columns = columns or Columns()
    rows = tidy_rows(rows)
    found = list(problems)
    if schema is not None:
        rows, unknown = match_rows(rows, schema)
        found += unknown
    found += _row_problems(rows, columns)
    bad = _bad_rows(found)
    good = [row for row in rows if (str(row.file), row.row) not in bad]
    found += _picture_problems(good, columns, checks, pictures_may_lack)
    bad = _bad_rows(found)
    good = [row for row in good if (str(row.file), row.row) not in bad]
    pictures = [row.image for row in good if row.image is not None]
    found += shared_pictures(pictures, source, columns.image)
    if schema is None:
        assert not isinstance(attributes, AttributeSchema)
        schema, doubts = schema_of([row.values for row in good], attributes, source)
        found += doubts
        found += _typo_problems(good, () if schema is None else schema.names)
    else:
        found += schema_doubts([row.values for row in good], schema, source)
    report = ValidationReport(tuple(sort_problems(found)), len(good), len(bad))
    stops = checks.strict or any(problem.kind == "count" for problem in report.errors)
    if (stops and report.faults) or not good or schema is None:
        raise ValidationError(_with_emptiness(report, source, bool(good)))
    root = source if source.is_dir() else source.parent
    return replace(_label(name, good, schema), root=root.absolute()), report


def _bad_rows(problems: Iterable[Problem]) -> set[tuple[str, int]]:
    return {
        (problem.file, problem.row)
        for problem in problems
        if problem.severity in ("error", "tolerated") and problem.row is not None
    }


def _row_problems(rows: Iterable[SourceRow], columns: Columns) -> list[Problem]:
    problems = []
    first_with: dict[str, SourceRow] = {}
    for row in rows:
        if row.image is None:
            message = "no picture is named"
            problems.append(row.problem(columns.image, None, message, "missing-value"))
        if row.item_id is None and row.image is None and columns.item_id == columns.image:
            pass  # one empty cell, said above
        elif row.item_id is None:
            problems.append(row.problem(columns.item_id, None, "no id is given", "missing-value"))
        else:
            first = first_with.setdefault(row.item_id, row)
            if first is not row:
                where = f"row {first.row}" + ("" if first.file == row.file else f" of {first.file}")
                message = f"the id stands in {where} already"
                problems.append(row.problem(columns.item_id, row.item_id, message, "duplicate-id"))
        if row.split is not None and row.split not in SPLITS:
            message = f"unknown split; write {', '.join(SPLITS)} or nothing"
            problems.append(row.problem(columns.split, row.split, message, "bad-split"))
    return problems


def _typo_problems(rows: Sequence[SourceRow], attributes: Sequence[str]) -> Iterator[Problem]:
    """Warnings of rows whose value is rare and nearly spelt as a common one."""
    for name in attributes:
        counts = Counter(value for row in rows if (value := row.values.get(name)) is not None)
        meant = likely_typos(counts)
        for row in rows if meant else ():
            value = row.values.get(name)
            if value in meant:
                often = "once" if counts[value] == 1 else "twice"
                message = (
                    f"occurs {often}; {meant[value]!r}, which occurs "
                    f"{counts[meant[value]]:,} times, may be meant"
                )
                yield row.problem(name, value, message, "rare-value", "warning")


def _picture_problems(
    rows: Sequence[SourceRow], columns: Columns, checks: Checks, may_lack: bool
) -> list[Problem]:
    found = check_pictures(
        [row.image for row in rows if row.image is not None],
        decode=checks.check_pictures,
        limits=checks.limits,
        workers=checks.workers,
        progress=checks.progress,
    )
    problems = []
    for row in rows:
        if row.image in found:
            kind, message = found[row.image]
            severity: Severity = "warning" if kind == "odd-picture" else "error"
            if kind == "missing-picture" and may_lack:
                severity = "tolerated"
            problems.append(row.problem(columns.image, str(row.image), message, kind, severity))
    return problems


def _with_emptiness(report: ValidationReport, source: Path, any_rows: bool) -> ValidationReport:
    """The report, with an error of its own where nothing remains."""
    if any_rows and report.errors:
        return report
    message = "no attribute has a value in any row" if any_rows else "no usable row remains"
    last = Problem(str(source), None, None, None, message, "empty")
    return ValidationReport((last, *report.problems), report.kept, report.skipped)


def _label(name: str, rows: Sequence[SourceRow], schema: AttributeSchema) -> Catalogue:
    positions = [
        {value: i for i, value in enumerate(attribute.values)} for attribute in schema.attributes
    ]
    labels: Labels = np.full((len(rows), schema.num_attributes), MISSING, np.int16)
    for column, attribute in enumerate(schema.names):
        known = positions[column]
        labels[:, column] = [
            MISSING if (value := row.values.get(attribute)) is None else known[value]
            for row in rows
        ]
    names = dict.fromkeys(key for row in rows for key in row.fields)
    return Catalogue(
        name,
        schema,
        tuple(str(row.item_id) for row in rows),
        tuple(row.image for row in rows if row.image is not None),
        labels,
        tuple(row.product for row in rows),
        tuple(row.split for row in rows),
        {key: tuple(row.fields.get(key) for row in rows) for key in names},
    )
