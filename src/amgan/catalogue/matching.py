"""Values of a table held against a schema: the labels they are, and those that there are not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from amgan.attributes import Attribute, AttributeSchema
from amgan.catalogue.source_rows import SourceRow
from amgan.catalogue.tidying import look_form, plain_form, tidy
from amgan.catalogue.validation import Problem
from amgan.catalogue.values import suggest_value


def tidy_rows(rows: Iterable[SourceRow]) -> list[SourceRow]:
    """Rows whose attribute values hold nothing that cannot be seen."""
    tidied = []
    for row in rows:
        values = {
            name: None if value is None else tidy(value).strip() or None
            for name, value in row.values.items()
        }
        tidied.append(row if values == row.values else replace(row, values=values))
    return tidied


def match_rows(
    rows: Sequence[SourceRow], schema: AttributeSchema
) -> tuple[list[SourceRow], list[Problem]]:
    """Rows with values as `schema` writes them; one that it lacks becomes a missing label.

    A value is matched as a search matches it: case and spaces matter only where they decide.

    Returns:
        The rows, and a problem for each value that the schema lacks.
    """
    known = {attribute.name: _Known(attribute) for attribute in schema.attributes}
    matched, problems = [], []
    for row in rows:
        values: dict[str, str | None] = dict(row.values)
        for name, values_known in known.items():
            value = values.get(name)
            if value is None:
                continue
            values[name] = values_known.find(value)
            if values[name] is None:
                hint = suggest_value(value, values_known.values)
                message = f"unknown value; {hint}; the label is left missing"
                problems.append(row.problem(name, value, message, "unknown-value", "label"))
        matched.append(row if values == row.values else replace(row, values=values))
    return matched, problems


class _Known:
    """The values of one attribute, and the forms in which each can be written."""

    def __init__(self, attribute: Attribute) -> None:
        self.values = attribute.values
        self._forms = _unique_forms((plain_form(value), value) for value in attribute.values)
        self._numbers = _unique_forms(
            (look_form(value), value) for value in attribute.values if _is_number(value)
        )
        self._found: dict[str, str | None] = {value: value for value in attribute.values}

    def find(self, value: str) -> str | None:
        if value not in self._found:
            found = self._forms.get(plain_form(value))
            if found is None and _is_number(value):
                found = self._numbers.get(look_form(value))
            self._found[value] = found
        return self._found[value]


def _unique_forms(forms: Iterable[tuple[str, str]]) -> Mapping[str, str]:
    """Value by form, without the forms that several values share."""
    found: dict[str, str | None] = {}
    for form, value in forms:
        found[form] = None if form in found else value
    return {form: value for form, value in found.items() if value is not None}


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
