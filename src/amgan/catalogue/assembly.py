"""From rows that a reader found to a checked catalogue: the part all readers share."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from amgan.attributes import MISSING, Attribute, AttributeSchema, Labels
from amgan.catalogue.records import Catalogue
from amgan.catalogue.validation import (
    Kind,
    Problem,
    Severity,
    ValidationError,
    ValidationReport,
    check_pictures,
    sort_problems,
)
from amgan.images import DEFAULT_LIMITS, PictureLimits
from amgan.progress import Progress

SPLITS = ("train", "val", "test")
_MAX_VALUES = np.iinfo(np.int16).max


@dataclass(frozen=True, slots=True)
class SourceRow:
    """One item as a reader found it, and where.

    Attributes:
        file: the table or label file.
        row: line or record, counted from 1.
        item_id: id, None where the source has none.
        image: picture path; None where the source has none.
        values: attribute values by attribute name, None where missing.
        product: product key.
        split: split name.
        fields: further columns.
    """

    file: Path
    row: int
    item_id: str | None
    image: Path | None
    values: Mapping[str, str | None]
    product: str | None = None
    split: str | None = None
    fields: Mapping[str, str | None] = field(default_factory=dict)

    def problem(
        self,
        column: str | None,
        value: str | None,
        message: str,
        kind: Kind,
        severity: Severity = "error",
    ) -> Problem:
        """Problem at this row."""
        return Problem(str(self.file), self.row, column, value, message, kind, severity)


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
        strict: raise when any row has an error, in place of leaving the row out.
        check_pictures: decode every picture; False only looks whether the files are there.
        limits: what a picture may measure.
        workers: threads; None takes as many as there are cores.
        progress: shows how far it is.
    """

    strict: bool = False
    check_pictures: bool = True
    limits: PictureLimits = DEFAULT_LIMITS
    workers: int | None = None
    progress: Progress | None = None


def assemble_catalogue(
    name: str,
    source: Path,
    rows: Sequence[SourceRow],
    attributes: AttributeSchema | Sequence[str],
    *,
    problems: Iterable[Problem] = (),
    columns: Columns | None = None,
    checks: Checks | None = None,
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

    Raises:
        ValidationError: nothing remains, or strict mode and any error.
    """
    checks = checks or Checks()
    schema = attributes if isinstance(attributes, AttributeSchema) else None
    found = list(problems)
    found += _row_problems(rows, schema, columns or Columns())
    bad = _bad_rows(found)
    good = [row for row in rows if (str(row.file), row.row) not in bad]
    found += _picture_problems(good, columns or Columns(), checks)
    bad = _bad_rows(found)
    good = [row for row in good if (str(row.file), row.row) not in bad]
    if schema is None:
        assert not isinstance(attributes, AttributeSchema)
        schema, doubts = _schema_of(good, attributes, source)
        found += doubts
    else:
        found += _schema_doubts(good, schema, source)
    report = ValidationReport(tuple(sort_problems(found)), len(good), len(bad))
    if (checks.strict and report.errors) or not good or schema is None:
        raise ValidationError(_with_emptiness(report, source, bool(good)))
    return _label(name, good, schema), report


def _bad_rows(problems: Iterable[Problem]) -> set[tuple[str, int]]:
    return {
        (problem.file, problem.row)
        for problem in problems
        if problem.severity == "error" and problem.row is not None
    }


def _row_problems(
    rows: Iterable[SourceRow], schema: AttributeSchema | None, columns: Columns
) -> list[Problem]:
    problems = []
    first_with: dict[str, SourceRow] = {}
    for row in rows:
        if row.image is None:
            message = "no picture is named"
            problems.append(row.problem(columns.image, None, message, "missing-value"))
        if row.item_id is None:
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
        for attribute in schema.attributes if schema is not None else ():
            value = row.values.get(attribute.name)
            if value is not None and value not in attribute.values:
                message = f"unknown value; {_suggestion(value, attribute.values)}"
                problems.append(row.problem(attribute.name, value, message, "unknown-value"))
    return problems


def _suggestion(value: str, known: Sequence[str], shown: int = 20) -> str:
    close = difflib.get_close_matches(value, known, n=1)
    hint = f"did you mean {close[0]!r}? " if close else ""
    listed = ", ".join(known[:shown]) + (", ..." if len(known) > shown else "")
    return f"{hint}known are {listed}"


def _picture_problems(rows: Sequence[SourceRow], columns: Columns, checks: Checks) -> list[Problem]:
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
            problems.append(row.problem(columns.image, str(row.image), message, kind, severity))
    return problems


def _schema_of(
    rows: Iterable[SourceRow], names: Sequence[str], source: Path
) -> tuple[AttributeSchema | None, list[Problem]]:
    """Schema of the values found; None where no attribute has any."""
    values: dict[str, Counter[str]] = {name: Counter() for name in names}
    for row in rows:
        for name in names:
            value = row.values.get(name)
            if value is not None:
                values[name][value] += 1
    doubts = []
    attributes = []
    for name, counts in values.items():
        if len(counts) > _MAX_VALUES:
            message = f"has {len(counts):,} values; at most {_MAX_VALUES:,} are allowed"
            raise ValidationError.of(
                Problem(str(source), None, name, None, message, "attribute", "error")
            )
        if counts:
            attributes.append(Attribute(name, tuple(sorted(counts))))
        else:
            doubts.append(_doubt(source, name, "has no value in any row and is left out"))
        doubts += _alike(source, name, counts)
    schema = AttributeSchema(tuple(attributes)) if attributes else None
    return schema, doubts + ([] if schema is None else _single_values(values, schema, source))


def _schema_doubts(
    rows: Sequence[SourceRow], schema: AttributeSchema, source: Path
) -> list[Problem]:
    values = {
        name: Counter(value for row in rows if (value := row.values.get(name)) is not None)
        for name in schema.names
    }
    empty = [
        _doubt(source, name, "has no value in any row")
        for name, counts in values.items()
        if not counts and rows
    ]
    return empty + _single_values(values, schema, source)


def _single_values(
    values: Mapping[str, Counter[str]], schema: AttributeSchema, source: Path
) -> list[Problem]:
    return [
        _doubt(source, name, f"has the value {next(iter(values[name]))!r} in every labelled row")
        for name in schema.names
        if len(values[name]) == 1
    ]


def _alike(source: Path, name: str, counts: Mapping[str, int]) -> list[Problem]:
    by_form: dict[str, list[str]] = {}
    for value in sorted(counts):
        by_form.setdefault(" ".join(value.casefold().split()), []).append(value)
    return [
        _doubt(source, name, f"has values that differ in case or spaces only: {', '.join(alike)}")
        for alike in by_form.values()
        if len(alike) > 1
    ]


def _doubt(source: Path, name: str, message: str) -> Problem:
    return Problem(str(source), None, name, None, message, "attribute", "warning")


def _with_emptiness(report: ValidationReport, source: Path, any_rows: bool) -> ValidationReport:
    """The report, with an error of its own where nothing remains."""
    if any_rows and report.errors:
        return report
    message = "no attribute has a value in any row" if any_rows else "no usable row remains"
    last = Problem(str(source), None, None, None, message, "bad-file")
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
