"""From names to what a gallery and a model take: the one place that checks a query."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from amgan.attributes import AttributeSchema, Change, Indicator, Labels, match_name, suggest_name
from amgan.errors import InputError, QueryError
from amgan.gallery.engines.protocol import Filters, Rows
from amgan.gallery.gallery import Gallery
from amgan.search.query import SearchQuery

MOST_IMPORTANT = 100.0
T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class ResolvedQuery:
    """A query in the terms of one gallery.

    Attributes:
        picture: of the reference.
        changes: with names as the schema writes them.
        already: values that were asked for and that the reference is known to have.
        indicator: wanted values (1, J).
        labels: the reference's known labels (1, M), -1 where not known.
        importance: what each attribute's weight is multiplied with, (1, M); None leaves them.
        rows: gallery rows to rank, ascending; None for all.
        filters: what `rows` were selected by.
        excluded: gallery rows to leave out, (E,).
    """

    picture: Path | bytes
    changes: tuple[Change, ...]
    already: tuple[Change, ...]
    indicator: Indicator
    labels: Labels
    importance: NDArray[np.float32] | None
    rows: Rows | None
    filters: Filters
    excluded: Rows


def resolve_query(query: SearchQuery, gallery: Gallery, *, weighs: bool) -> ResolvedQuery:
    """Find the names of a query in a gallery.

    Args:
        query: as a person asks.
        gallery: to be ranked.
        weighs: whether its ranking weighs attributes, so that a person can say how much they count.

    Raises:
        QueryError: an unknown attribute, value or field; an importance that cannot be used.
        NoSuchItemError: an item that the gallery does not have.
    """
    schema = gallery.schema
    asked = named_changes(schema, query.changes)
    known = _named_values(schema, "known", query.known.items())
    filters = _find_filters(gallery, query.filters)
    picture, excluded = query.picture, list(query.exclude)
    if query.item_id is not None:
        item = gallery[gallery.row(query.item_id)]
        picture = item.image
        known = {**schema.decode(item.labels), **known}
        excluded.append(query.item_id)
    assert picture is not None  # or the query could not have been made
    already = tuple(change for change in asked if known.get(change.attribute) == change.wanted)
    changes = tuple(change for change in asked if change not in already)
    return ResolvedQuery(
        picture,
        changes,
        tuple(replace(change, unwanted=change.wanted) for change in already),
        schema.changes_indicator(changes)[None],
        np.array([schema.encode(known)], np.int16),
        _hold(schema, _importance(schema, query, weighs), already, weighs and not query.pure),
        gallery.select(filters),
        filters,
        _rows_of(gallery, excluded),
    )


def named_changes(schema: AttributeSchema, changes: Iterable[Change]) -> tuple[Change, ...]:
    """Changes by names as the schema writes them.

    Raises:
        QueryError: an unknown attribute or value, or an attribute named more than once.
    """
    wanted = ((change.attribute, change.wanted) for change in changes)
    named = _named_values(schema, "changes", wanted)
    return tuple(Change(attribute, value or "") for attribute, value in named.items())


def _named_values(
    schema: AttributeSchema, field: str, values: Iterable[tuple[str, str | None]]
) -> dict[str, str | None]:
    """Values of attributes by names; an error is about `field.attribute`."""
    found: dict[str, str | None] = {}
    for attribute, value in values:
        where = f"{field}.{attribute}"
        name = _about(where, schema.find_attribute, attribute)
        if name in found:
            raise QueryError(f"attribute {name!r} is named more than once", field=where)
        found[name] = value and _about(where, schema.find_value, name, value)[1]
    return found


def _about(field: str, call: Callable[..., T], *arguments: str) -> T:
    """`call`, whose errors are about a field of the query."""
    try:
        return call(*arguments)
    except InputError as error:
        raise QueryError(str(error), field=field) from None


def _find_filters(gallery: Gallery, filters: Filters) -> dict[str, tuple[str, ...]]:
    """Filters by names as gallery and schema write them; several of one name add up."""
    schema = gallery.schema
    found: dict[str, tuple[str, ...]] = {}
    known = (*schema.names, *gallery.items.field_names)
    for name, values in filters.items():
        where = f"filters.{name}"
        written = match_name(name, known)
        if written is None:
            hint = suggest_name(name, known)
            raise QueryError(
                f"cannot filter by {name!r}; {hint}filters are {', '.join(known)}", field=where
            )
        if isinstance(values, str):
            raise QueryError(
                f"filter {name!r}: give a list of values, not the text {values!r}", field=where
            )
        if written in schema.names:
            values = [v and _about(where, schema.find_value, written, v)[1] for v in values]
        found[written] = (*found.get(written, ()), *values)
    return found


def _importance(
    schema: AttributeSchema, query: SearchQuery, weighs: bool
) -> NDArray[np.float32] | None:
    importance: Mapping[str, float] = query.importance
    if importance and (query.pure or not weighs):
        raise QueryError(
            "attributes have no weights where the distance alone ranks; "
            + ("leave out `pure`" if query.pure else "index the catalogue with --ranking fused"),
            field="importance",
        )
    if not importance and not query.pure:
        return None
    counts = np.full((1, schema.num_attributes), 0.0 if query.pure else 1.0, np.float32)
    for name, value in importance.items():
        if not 0 <= value <= MOST_IMPORTANT:
            raise QueryError(
                f"importance of {name!r} is {value}; write 0 to {MOST_IMPORTANT:g}, "
                "1 where nothing is said",
                field="importance",
            )
        written = _about("importance", schema.find_attribute, name)
        counts[0, schema.attribute_position(written)] = value
    return counts


def _hold(
    schema: AttributeSchema,
    importance: NDArray[np.float32] | None,
    already: Iterable[Change],
    weighed: bool,
) -> NDArray[np.float32] | None:
    """Importance in which a wanted value that the reference has counts as much as all others."""
    places = [schema.attribute_position(change.attribute) for change in already]
    if not weighed or not places:
        return importance
    held = np.ones((1, schema.num_attributes), np.float32) if importance is None else importance
    held[:, places] *= schema.num_attributes
    return held


def _rows_of(gallery: Gallery, item_ids: Iterable[str]) -> Rows:
    """Rows of the items that the gallery has."""
    rows = (gallery.items.find(item_id) for item_id in dict.fromkeys(item_ids))
    return np.array([row for row in rows if row is not None], np.int64)
