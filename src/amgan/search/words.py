"""A search from wishes in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from amgan.attributes import Change
from amgan.gallery.gallery import Gallery
from amgan.search.query import SearchQuery
from amgan.words import Reading

_MOST_VALUES = 10_000  # a field with more different values is not read from words


def wish_in_words(query: SearchQuery, reading: Reading, gallery: Gallery) -> SearchQuery:
    """A query with what was read from words; where both say something of one name, it wins.

    Args:
        query: as it was asked otherwise.
        reading: of the words.
        gallery: whose fields the words' filters are about.
    """
    wanted = {change.attribute: change for change in reading.changes}
    wanted |= {change.attribute: change for change in query.changes}
    filters = {name: _values(gallery, name, f) for name, f in reading.filters.items()}
    avoid = {
        name: values
        for name, values in reading.avoid.items()
        if name not in {change.attribute for change in query.changes}
    }
    return replace(
        query,
        changes=tuple(Change(c.attribute, c.wanted) for c in wanted.values()),
        relative={**reading.relative, **query.relative},
        avoid={**avoid, **query.avoid},
        never={**reading.never, **query.never},
        keep=tuple(dict.fromkeys((*query.keep, *reading.keep))),
        filters={**filters, **query.filters},
    )


def word_fields(gallery: Gallery) -> dict[str, tuple[str, ...]]:
    """The different values of each field that words can name."""
    fields = {}
    for name in gallery.items.field_names:
        values = gallery.items.distinct(name, _MOST_VALUES)
        if values:
            fields[name] = values
    return fields


def _values(gallery: Gallery, name: str, wanted: Any) -> tuple[str, ...]:
    """The values of a field that a filter keeps; a range becomes the values within it."""
    if not isinstance(wanted, Mapping):
        return tuple(wanted)
    least, most = wanted.get("min", float("-inf")), wanted.get("max", float("inf"))
    values = gallery.items.distinct(name, _MOST_VALUES)
    return tuple(value for value in values if least <= float(value.replace(",", ".")) <= most)
