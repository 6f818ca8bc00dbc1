"""Wishes beyond changes: more or less of something, values to avoid or to keep, examples.

A wish that an item does not meet puts it behind all items that do, whatever else they are like;
among items that meet the same wishes the model's own ranking stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from amgan.attributes import MISSING, AttributeSchema, Labels
from amgan.errors import QueryError
from amgan.gallery.engines.protocol import NO_ROW, Neighbours, Rows, Vectors
from amgan.gallery.gallery import Gallery
from amgan.search.query import SearchQuery
from amgan.words.orders import Order

MEASURED = ("lightness", "vividness")
VISIBLE_STEP = 5.0  # in CIELAB; about twice the smallest difference that is seen side by side
KEPT = 3.0  # what an attribute to keep counts in a fused ranking
MOST_EXAMPLES = 8
_LIKED, _DISLIKED = 0.5, 0.25  # how far the query moves to, and from, what its examples have alike
_NEARLY, _UNMET = 1, 2

Codes = NDArray[np.int8]


@dataclass(frozen=True, eq=False)
class Wishes:
    """Wishes in the terms of one gallery.

    Attributes:
        relative: ordered attribute, `lightness` or `vividness`, to +1 for more or -1 for less.
        levels: for each ordered attribute of `relative` its values' places in the order; -1 for a
            value without one.
        avoid: attribute position to the codes of values not wanted.
        keep: attribute positions that an item should have as the reference has them.
    """

    relative: Mapping[str, int] = field(default_factory=dict)
    levels: Mapping[str, NDArray[np.int64]] = field(default_factory=dict)
    avoid: Mapping[int, Sequence[int]] = field(default_factory=dict)
    keep: Sequence[int] = ()

    def __bool__(self) -> bool:
        return bool(self.relative or self.avoid or self.keep)

    def about(self, schema: AttributeSchema) -> set[str]:
        """Attributes that are to be otherwise than the reference's, or may be."""
        return {*self.relative, *(schema.names[position] for position in self.avoid)}


def resolve_wishes(
    query: SearchQuery, gallery: Gallery, orders: Mapping[str, Order], *, weighs: bool
) -> Wishes:
    """Find the names of a query's wishes in a gallery.

    Args:
        query: as a person asks.
        gallery: to be ranked.
        orders: of the attributes that have one.
        weighs: whether attributes can be weighed; what is to be kept is then weighed instead.

    Raises:
        QueryError: an unknown attribute or value, an attribute without an order, colours that were
            never measured.
    """
    schema = gallery.schema
    relative = {_find_ordered(name, orders): _sign(d) for name, d in query.relative.items()}
    if set(relative) & set(MEASURED) and np.isnan(gallery.items.colours).all():
        raise QueryError(
            "the colours of this gallery were never measured; encode it again with `amgan index`",
            field="relative",
        )
    levels = {n: _levels(schema, n, orders[n]) for n in relative if n not in MEASURED}
    avoid = {
        schema.attribute_position(name): codes
        for name, codes in find_codes(schema, query.avoid, "avoid").items()
    }
    keep = [schema.attribute_position(name) for name in find_kept(schema, query)]
    return Wishes(relative, levels, avoid, () if weighs and not query.pure else keep)


def find_kept(schema: AttributeSchema, query: SearchQuery) -> list[str]:
    """Attributes to keep as the schema writes them.

    Raises:
        QueryError: an unknown attribute.
    """
    try:
        return [schema.find_attribute(name) for name in query.keep]
    except ValueError as error:
        raise QueryError(str(error), field="keep") from None


def find_codes(
    schema: AttributeSchema, values: Mapping[str, object], field_name: str
) -> dict[str, list[int]]:
    """Codes of values of attributes, by the attribute's name as the schema writes it.

    Raises:
        QueryError: an unknown attribute or value.
    """
    codes: dict[str, list[int]] = {}
    for name, listed in values.items():
        where = f"{field_name}.{name}"
        if isinstance(listed, str) or not isinstance(listed, Sequence | set | frozenset):
            raise QueryError(f"{field_name} {name!r}: give a list of values", field=where)
        try:
            found = [schema.find_value(name, value) for value in listed]
        except ValueError as error:
            raise QueryError(str(error), field=where) from None
        for attribute, value in found:
            codes.setdefault(attribute, []).append(schema.value_position(attribute, value))
    return codes


def allowed_rows(gallery: Gallery, rows: Rows | None, never: Mapping[str, object]) -> Rows | None:
    """The rows without any value that no result may have.

    Raises:
        QueryError: an unknown attribute or value.
    """
    codes = find_codes(gallery.schema, never, "never")
    if not codes:
        return rows
    kept = np.ones(len(gallery), bool)
    for name, unwanted in codes.items():
        kept &= ~np.isin(gallery.labels[:, gallery.schema.attribute_position(name)], unwanted)
    allowed = np.flatnonzero(kept)
    return allowed if rows is None else np.intersect1d(rows, allowed)


def count_unmet(
    wishes: Wishes, gallery: Gallery, reference: Labels, colour: Sequence[float]
) -> Codes:
    """How far each item is from what is wished: 0 where it meets all wishes, (N,).

    Args:
        wishes: of one query.
        gallery: N items.
        reference: labels of the reference, given or predicted (M,).
        colour: its lightness and vividness.
    """
    schema, labels = gallery.schema, np.asarray(gallery.labels)
    unmet = np.zeros(len(gallery), np.int8)
    for name, sign in wishes.relative.items():
        if name in MEASURED:
            place = MEASURED.index(name)
            gained = sign * (gallery.items.colours[:, place] - colour[place])
            unmet += np.select([gained >= VISIBLE_STEP, gained > 0], [0, _NEARLY], _UNMET)
        else:
            a = schema.attribute_position(name)
            unmet += _unmet_levels(wishes.levels[name], labels[:, a], int(reference[a]), sign)
    for a, codes in wishes.avoid.items():
        unmet += np.where(np.isin(labels[:, a], codes), _UNMET, 0).astype(np.int8)
    for a in wishes.keep:
        known = (labels[:, a] != MISSING) & (reference[a] != MISSING)
        unmet += np.where(known & (labels[:, a] != reference[a]), _UNMET, 0).astype(np.int8)
    return unmet


def rank_by_wishes(
    rank: Callable[[Rows, int], Neighbours], unmet: Codes, rows: Rows | None, k: int
) -> Neighbours:
    """The best k rows: those that meet all wishes first, each group ranked by itself.

    Args:
        rank: the best k of some rows, for one query.
        unmet: see `count_unmet`.
        rows: rank only these; None for all.
        k: results.
    """
    among = np.arange(len(unmet)) if rows is None else rows
    found: list[Neighbours] = []
    missing = k
    for level in np.unique(unmet[among]):
        part = rank(among[unmet[among] == level], missing)
        there = part.rows[0] != NO_ROW
        found.append(Neighbours(part.scores[:, there], part.rows[:, there], part.mode))
        missing -= int(there.sum())
        if missing <= 0:
            break
    if not found:
        return rank(among, k)
    scores = np.concatenate([part.scores for part in found], axis=1)
    ranked = np.concatenate([part.rows for part in found], axis=1)
    return Neighbours(scores[:, :k], ranked[:, :k], found[0].mode)


def lean(query: Vectors, liked: Vectors, disliked: Vectors) -> Vectors:
    """A query vector (1, D) moved towards what is liked (A, D) and away from what is not (B, D).

    The relevance feedback of Rocchio (1971), on the vectors that the model searches with.
    """
    moved = query
    if len(liked):
        moved = moved + _LIKED * (liked.mean(0, keepdims=True) - query)
    if len(disliked):
        moved = moved + _DISLIKED * (query - disliked.mean(0, keepdims=True))
    return np.asarray(moved, np.float32)


def _find_ordered(name: str, orders: Mapping[str, Order]) -> str:
    for known in (*MEASURED, *orders):
        if known.casefold() == name.casefold():
            return known
    known = ", ".join((*MEASURED, *orders))
    raise QueryError(
        f"{name!r} has no order, so there is no more or less of it; these have: {known}",
        field=f"relative.{name}",
    )


def _sign(direction: str) -> int:
    if direction not in ("more", "less"):
        raise QueryError(f"write 'more' or 'less', not {direction!r}", field="relative")
    return 1 if direction == "more" else -1


def _levels(schema: AttributeSchema, name: str, order: Order) -> NDArray[np.int64]:
    place = {value: level for level, group in enumerate(order) for value in group}
    values = schema.attributes[schema.attribute_position(name)].values
    return np.array([place.get(value, -1) for value in values], np.int64)


def _unmet_levels(
    levels: NDArray[np.int64], column: NDArray[np.int16], reference: int, sign: int
) -> Codes:
    """For items' labels (N,): 0 where further along the order, 1 where not known, else 2."""
    own = levels[reference] if reference != MISSING else -1
    item = np.where(column == MISSING, -1, levels[column])
    if own < 0:
        return np.full(len(column), _NEARLY, np.int8)
    unmet = np.where(sign * (item - own) > 0, 0, _UNMET)
    return np.where(item < 0, _NEARLY, unmet).astype(np.int8)
