"""Attribute values of a source: the schema they make, and attributes that need a look."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from amgan.attributes import Attribute, AttributeSchema, suggest_name
from amgan.catalogue.tidying import look_form, plain_form, split_values
from amgan.catalogue.validation import Problem, ValidationError

Values = Mapping[str, str | None]
_MAX_VALUES = np.iinfo(np.int16).max
_LARGE, _COMMON, _RARE = 100, 10, 2  # labels, and how often values occur
_OWN_VALUES = 0.9  # values per labelled row, from which on they tell items rather than kinds
_CLOSE = 0.8  # share of letters in common, as difflib counts


def schema_of(
    rows: Iterable[Values], names: Sequence[str], source: Path
) -> tuple[AttributeSchema | None, list[Problem]]:
    """Schema of the values found, sorted, and doubts; None where no attribute has any value.

    Args:
        rows: attribute values of each row by name, None where missing.
        names: the attributes.
        source: what the doubts are reported for.

    Raises:
        ValidationError: an attribute has more values than a label can count.
    """
    values: dict[str, Counter[str]] = {name: Counter() for name in names}
    for row in rows:
        for name in names:
            value = row.get(name)
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
        doubts += _several(source, name, counts)
        doubts += _unshared(source, name, counts)
    schema = AttributeSchema(tuple(attributes)) if attributes else None
    return schema, doubts + ([] if schema is None else _single_values(values, schema, source))


def schema_doubts(rows: Sequence[Values], schema: AttributeSchema, source: Path) -> list[Problem]:
    """Doubts about the attributes of a given schema: those empty everywhere or of one value."""
    values = {
        name: Counter(value for row in rows if (value := row.get(name)) is not None)
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
    """A doubt for each group of values that a person may take for one and the same."""
    by_form: dict[str, list[str]] = {}
    for value in sorted(counts):
        by_form.setdefault(look_form(value), []).append(value)
    doubts = []
    for alike in by_form.values():
        if len(alike) > 1:
            plain = len({plain_form(value) for value in alike}) == 1
            what = "differ in case or spaces only" if plain else "look alike"
            doubts.append(_doubt(source, name, f"has values that {what}: {', '.join(alike)}"))
    return doubts


def _several(source: Path, name: str, counts: Mapping[str, int]) -> list[Problem]:
    """A doubt where values seem to be several, each of which occurs alone too."""
    single = {plain_form(value) for value in counts}
    for value in sorted(counts):
        parts = [plain_form(part) for part in split_values(value)]
        if len(parts) > 1 and sum(part in single for part in parts) > 1:
            between = value[len(split_values(value)[0]) :].strip()[:1]
            message = (
                f"has cells that seem to hold several values, such as {value!r}; "
                f"separator {between!r} takes them apart"
            )
            return [_doubt(source, name, message)]
    return []


def _unshared(source: Path, name: str, counts: Mapping[str, int]) -> list[Problem]:
    """A doubt where nearly every item has a value of its own."""
    labelled = sum(counts.values())
    if labelled < _COMMON or len(counts) < _OWN_VALUES * labelled:
        return []
    message = (
        f"has {len(counts):,} values in {labelled:,} labelled rows, nearly one for each item; "
        "a title or an id is no attribute"
    )
    return [_doubt(source, name, message)]


def likely_typos(counts: Mapping[str, int]) -> dict[str, str]:
    """Values of a large table that occur once or twice, each with a common one spelt nearly so.

    Values with digits are left out: sizes and codes lie close to one another.
    """
    if sum(counts.values()) < _LARGE:
        return {}
    common = {value.casefold(): value for value, count in counts.items() if count >= _COMMON}
    typos = {}
    for value, count in counts.items():
        form = value.casefold()
        if count > _RARE or form in common or any(map(str.isdigit, value)):
            continue
        close = difflib.get_close_matches(form, common, n=1, cutoff=_CLOSE)
        if close:
            typos[value] = common[close[0]]
    return typos


def _doubt(source: Path, name: str, message: str) -> Problem:
    return Problem(str(source), None, name, None, message, "attribute", "warning")


def suggest_value(value: str, known: Sequence[str], shown: int = 20) -> str:
    """Hint for an unknown value: the known one it may be meant for, and the known ones."""
    listed = ", ".join(known[:shown]) + (", ..." if len(known) > shown else "")
    return f"{suggest_name(value, known)}known are {listed}"
