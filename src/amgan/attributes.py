"""Attributes, their values, and changes between them.

Labels are integers of shape (N, M): the value's position within its attribute, -1 where the label
is missing. The paper's vectors f and h in {0, 1}^J are made from them by `AttributeSchema.one_hot`
and `AttributeSchema.indicator`.
"""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amgan.errors import InputError

MISSING = -1
Labels = NDArray[np.int16]
Indicator = NDArray[np.float32]


def match_name(text: str, known: Collection[str]) -> str | None:
    """The name that `text` stands for: itself, else the only one that differs in case alone."""
    if text in known:
        return text
    alike = _alike(text, known)
    return alike[0] if len(alike) == 1 else None


def suggest_name(text: str, known: Collection[str]) -> str:
    """Hint for an unknown name, ``did you mean 'colour'? ``; empty where nothing is close."""
    close = _alike(text, known)
    if not close:
        forms = {name.casefold(): name for name in known}
        close = [forms[f] for f in difflib.get_close_matches(text.casefold(), forms, n=1)]
    return f"did you mean {' or '.join(map(repr, close))}? " if close else ""


def _alike(text: str, known: Collection[str]) -> list[str]:
    form = text.casefold()
    return [name for name in known if name.casefold() == form]


@dataclass(frozen=True)
class Attribute:
    """One attribute and its mutually exclusive values, in a fixed order."""

    name: str
    values: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.name:
            raise InputError("an attribute needs a name")
        if not self.values:
            raise InputError(f"attribute {self.name!r} has no values")
        if len(set(self.values)) != len(self.values):
            raise InputError(f"attribute {self.name!r} lists a value twice")


@dataclass(frozen=True)
class Change:
    """One wanted value, and the value it replaces where that is known."""

    attribute: str
    wanted: str
    unwanted: str | None = None

    def __str__(self) -> str:
        return f"{self.attribute}: {self.unwanted or '(none)'} -> {self.wanted}"


@dataclass(frozen=True)
class AttributeSchema:
    """The attributes a catalogue is described by: M attributes with J values in all."""

    attributes: tuple[Attribute, ...]

    def __post_init__(self) -> None:
        if not self.attributes:
            raise InputError("a schema needs at least one attribute")
        if len(set(self.names)) != len(self.attributes):
            raise InputError(f"attribute names must differ: {', '.join(self.names)}")

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Attribute names in order."""
        return tuple(attribute.name for attribute in self.attributes)

    @property
    def num_attributes(self) -> int:
        """M, the number of attributes."""
        return len(self.attributes)

    @property
    def num_values(self) -> int:
        """J, the number of values of all attributes together."""
        return sum(self.sizes)

    @cached_property
    def sizes(self) -> tuple[int, ...]:
        """Number of values of each attribute."""
        return tuple(len(attribute.values) for attribute in self.attributes)

    @cached_property
    def offsets(self) -> tuple[int, ...]:
        """First column of each attribute in a vector of length J."""
        return tuple(sum(self.sizes[:position]) for position in range(len(self.sizes)))

    @cached_property
    def slices(self) -> tuple[slice, ...]:
        """Columns of each attribute in a vector of length J."""
        return tuple(
            slice(offset, offset + size)
            for offset, size in zip(self.offsets, self.sizes, strict=True)
        )

    @cached_property
    def _positions(self) -> dict[str, dict[str, int]]:
        return {
            attribute.name: {value: i for i, value in enumerate(attribute.values)}
            for attribute in self.attributes
        }

    @cached_property
    def digest(self) -> str:
        """SHA-256 of names and values in order; equal exactly when the schemas are equal."""
        return hashlib.sha256(json.dumps(self.to_dict(), sort_keys=True).encode()).hexdigest()

    def attribute_position(self, attribute: str) -> int:
        """Position of an attribute by its name.

        Raises:
            ValueError: the schema has no such attribute.
        """
        try:
            return self.names.index(attribute)
        except ValueError:
            raise InputError(
                f"unknown attribute {attribute!r}; {suggest_name(attribute, self.names)}"
                f"the attributes are {', '.join(self.names)}"
            ) from None

    def value_position(self, attribute: str, value: str) -> int:
        """Position of a value within its attribute.

        Raises:
            ValueError: the schema has no such attribute or value.
        """
        self.attribute_position(attribute)
        positions = self._positions[attribute]
        if value not in positions:
            raise InputError(
                f"unknown value {value!r} for attribute {attribute!r}; "
                f"{suggest_name(value, positions)}its values are {', '.join(positions)}"
            )
        return positions[value]

    def find_attribute(self, attribute: str) -> str:
        """Name of an attribute as the schema writes it; case matters only where it decides.

        Raises:
            ValueError: the schema has no such attribute, or several.
        """
        found = match_name(attribute, self.names)
        return self.names[self.attribute_position(attribute)] if found is None else found

    def find_value(self, attribute: str, value: str) -> tuple[str, str]:
        """Attribute and value as the schema writes them; case matters only where it decides.

        Raises:
            ValueError: the schema has no such attribute or value, or several.
        """
        attribute = self.find_attribute(attribute)
        found = match_name(value, self._positions[attribute])
        if found is None:
            self.value_position(attribute, value)
        return attribute, found or value

    def find_values(self, values: Mapping[str, str | None]) -> dict[str, str | None]:
        """Named values of one item as the schema writes them, as `find_value` does.

        Raises:
            ValueError: an unknown attribute or value, or an attribute named twice.
        """
        found: dict[str, str | None] = {}
        for attribute, value in values.items():
            name = self.find_attribute(attribute)
            if name in found:
                raise InputError(f"attribute {name!r} is named more than once")
            found[name] = None if value is None else self.find_value(name, value)[1]
        return found

    def encode(self, values: Mapping[str, str | None]) -> tuple[int, ...]:
        """Labels (M,) of one item from its named values; an absent or None value is missing."""
        for name in values:
            self.attribute_position(name)
        encoded = []
        for name in self.names:
            value = values.get(name)
            encoded.append(MISSING if value is None else self.value_position(name, value))
        return tuple(encoded)

    def decode(self, labels: Iterable[int]) -> dict[str, str | None]:
        """Named values of one item's labels (M,)."""
        return {
            attribute.name: None if label == MISSING else attribute.values[int(label)]
            for attribute, label in zip(self.attributes, labels, strict=True)
        }

    def one_hot(self, labels: Labels) -> NDArray[np.float32]:
        """f of the paper, (N, J) in {0, 1}; a missing label is an all-zero block."""
        labels = np.atleast_2d(labels)
        encoded = np.zeros((len(labels), self.num_values), np.float32)
        rows, columns = np.nonzero(labels != MISSING)
        encoded[rows, np.asarray(self.offsets)[columns] + labels[rows, columns]] = 1
        return encoded

    def indicator(self, reference: Labels, target: Labels) -> Indicator:
        """h of the paper, (N, J): 1 for each value present in the target, absent in the reference.

        Args:
            reference: labels (N, M).
            target: labels (N, M).
        """
        changed = (np.atleast_2d(reference) != target) & (np.atleast_2d(target) != MISSING)
        return self.one_hot(np.where(changed, target, MISSING).astype(np.int16))

    def apply(self, labels: Labels, indicator: Indicator) -> Labels:
        """Labels (N, M) after the changes in `indicator` (N, J) were made."""
        changed = np.array(np.atleast_2d(labels), dtype=np.int16)
        indicator = np.atleast_2d(indicator)
        for position, columns in enumerate(self.slices):
            block = indicator[:, columns]
            asked = block.any(axis=1)
            changed[asked, position] = block[asked].argmax(axis=1)
        return changed

    def changes(self, reference: Sequence[int], indicator: Indicator) -> tuple[Change, ...]:
        """Named changes of one query from the reference's labels (M,) and indicator (J,)."""
        wanted = self.apply(np.full((1, self.num_attributes), MISSING, np.int16), indicator)[0]
        before, after = self.decode(reference), self.decode(wanted)
        return tuple(
            Change(name, value, before[name]) for name, value in after.items() if value is not None
        )

    def changes_indicator(self, changes: Iterable[Change]) -> Indicator:
        """Indicator (J,) that asks for `changes`.

        Raises:
            ValueError: an unknown attribute or value, or an attribute changed twice.
        """
        wanted: dict[str, str | None] = {}
        for change in changes:
            if change.attribute in wanted:
                raise InputError(f"attribute {change.attribute!r} is changed more than once")
            wanted[change.attribute] = change.wanted
        indicator: Indicator = self.one_hot(np.array([self.encode(wanted)], np.int16))[0]
        return indicator

    def parse_changes(self, assignments: Iterable[str]) -> tuple[Change, ...]:
        """Changes from texts such as ``collar=round``.

        Spaces around ``=`` do not matter, nor does case where it does not decide.

        Raises:
            ValueError: a text without ``=``, or one that names what the schema does not have.
        """
        changes = []
        for text in assignments:
            attribute, separator, value = (part.strip() for part in text.partition("="))
            if not separator:
                raise InputError(f"cannot read change {text!r}; write attribute=value")
            changes.append(Change(*self.find_value(attribute, value)))
        self.changes_indicator(changes)
        return tuple(changes)

    def to_dict(self) -> dict[str, list[str]]:
        """Attribute names and values as plain data; the inverse of `from_dict`."""
        return {attribute.name: list(attribute.values) for attribute in self.attributes}

    @classmethod
    def from_dict(cls, values: Mapping[str, Sequence[Any]]) -> AttributeSchema:
        """Schema from attribute names and their values, both in order."""
        return cls(tuple(Attribute(name, tuple(map(str, v))) for name, v in values.items()))
