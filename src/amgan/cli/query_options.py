"""What a search asks for, from the texts of a command line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from amgan.errors import InputError

if TYPE_CHECKING:
    from amgan.attributes import AttributeSchema, Change
    from amgan.words import Ambiguity, Reading


def read_changes(
    schema: AttributeSchema, texts: Sequence[str], words: str = ""
) -> tuple[tuple[Change, ...], Reading | None]:
    """Changes from texts such as ``collar=round``, and from words; the texts win.

    What the words do not say clearly is told on stderr.

    Raises:
        ValueError: a text that cannot be read, or words without any clear change and no texts.
    """
    changes = schema.parse_changes(texts)
    if not words.strip():
        return changes, None
    from amgan.words import read_words

    understood = read_words(words, schema)
    doubts = describe_doubts(understood)
    if not understood.changes and not changes:
        said = "; ".join(doubts) or "it names no value"
        raise InputError(
            f"--words {words!r}: {said}; nothing to change is clear; "
            f"the attributes are {', '.join(schema.names)}"
        )
    for doubt in doubts:
        typer.echo(f"words: {doubt}", err=True)
    wanted = {change.attribute: change for change in (*understood.changes, *changes)}
    return tuple(wanted.values()), understood


def describe_doubts(understood: Reading) -> list[str]:
    """What is ambiguous in words, and what is not understood; neither changes anything."""
    doubts = [_describe_ambiguity(ambiguity) for ambiguity in understood.ambiguous]
    return doubts + [f"not understood: {text!r}" for text in understood.not_understood]


def _describe_ambiguity(ambiguity: Ambiguity) -> str:
    choices = " or ".join(f"{c.attribute}={c.wanted}" for c in ambiguity.choices)
    return f"ambiguous: {ambiguity.text!r} may be {choices}"


def parse_importance(texts: Sequence[str]) -> dict[str, float]:
    """Importance by attribute, from texts such as ``colour=3``."""
    importance = {}
    for text in texts:
        attribute, _, number = (part.strip() for part in text.partition("="))
        try:
            importance[attribute] = float(number)
        except ValueError:
            raise InputError(
                f"cannot read --importance {text!r}; write attribute=number, such as colour=3"
            ) from None
    return importance


def parse_filters(texts: Sequence[str]) -> dict[str, set[str]]:
    """Values to keep by attribute, from texts such as ``category=shirt``."""
    filters: dict[str, set[str]] = {}
    for text in texts:
        attribute, separator, value = (part.strip() for part in text.partition("="))
        if not separator:
            raise InputError(f"cannot read --only {text!r}; write attribute=value")
        filters.setdefault(attribute, set()).add(value)
    return filters
