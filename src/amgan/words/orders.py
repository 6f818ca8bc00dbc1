"""Attributes whose values have an order, from least to most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from amgan.attributes import AttributeSchema
from amgan.errors import InputError
from amgan.words.vocabulary import concepts_of

# Groups of values from least to most, by the concept of the attribute.
_KNOWN: dict[str, tuple[tuple[str, ...], ...]] = {
    "sleeve": (("sleeveless",), ("short",), ("3/4",), ("long",)),
    "length": (("cropped",), ("short",), ("normal length",), ("long",)),
    "fit": (("slim",), ("regular",), ("loose",), ("oversize",)),
    "neck": (("low",), ("round", "v-neck", "wide", "scoop", "square", "boat"), ("high",)),
}
Order = tuple[tuple[str, ...], ...]


def find_orders(
    schema: AttributeSchema, stated: Mapping[str, Sequence[str]] | None = None
) -> dict[str, Order]:
    """The order of each ordered attribute: groups of equal values, from least to most.

    Args:
        schema: attributes and values.
        stated: orders that the owner of a catalogue states; they replace the known ones.

    Raises:
        ValueError: an order of an unknown attribute or value, or of fewer than two values.
    """
    orders = {}
    for attribute in schema.attributes:
        order = _known(attribute.name, attribute.values)
        if len(order) > 1:
            orders[attribute.name] = order
    for name, values in (stated or {}).items():
        written = schema.find_attribute(name)
        order = tuple((schema.find_value(written, value)[1],) for value in values)
        if len(set(order)) < 2 or len(set(order)) != len(order):
            raise InputError(
                f"the order of {name!r} needs two or more different values, from least to most",
                field=name,
            )
        orders[written] = order
    return orders


def _known(name: str, values: Sequence[str]) -> Order:
    for concept in sorted(concepts_of("attributes", name)):
        if concept in _KNOWN:
            groups = (
                tuple(v for v in values if not concepts_of("values", v, name).isdisjoint(group))
                for group in _KNOWN[concept]
            )
            return tuple(group for group in groups if group)
    return ()
