"""What a search asks for, from the texts of a command line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from amgan.errors import InputError

if TYPE_CHECKING:
    from amgan.search import SearchQuery, SearchService
    from amgan.words import Ambiguity, Reading


def read_wishes(
    service: SearchService, query: SearchQuery, words: str, language: str
) -> tuple[SearchQuery, Reading | None]:
    """A query with the wishes of some words; what it says itself wins.

    What the words do not say clearly is told on stderr.

    Raises:
        ValueError: words without any clear wish, in a query without changes.
    """
    if not words.strip():
        return query, None
    from amgan.search.words import wish_in_words, word_fields
    from amgan.words import WordReader

    gallery, schema = service.gallery, service.schema
    reader = WordReader(schema, language=language, fields=word_fields(gallery))
    own = None
    if query.item_id is not None:
        own = schema.decode(gallery[gallery.row(query.item_id)].labels)
    reading = reader.read(words, own)
    doubts = describe_doubts(reading)
    if reading.is_empty and not query.changes:
        said = "; ".join(doubts) or "it names no value"
        raise InputError(
            f"--words {words!r}: {said}; nothing to change is clear; "
            f"the attributes are {', '.join(schema.names)}"
        )
    for written, read in reading.corrected:
        typer.echo(f"words: {written!r} was read as {read!r}", err=True)
    for doubt in doubts:
        typer.echo(f"words: {doubt}", err=True)
    return wish_in_words(query, reading, gallery), reading


def describe_doubts(reading: Reading) -> list[str]:
    """What is ambiguous in words, and what is not understood; neither changes anything."""
    doubts = [_describe_ambiguity(ambiguity) for ambiguity in reading.ambiguous]
    return doubts + [f"not understood: {text!r}" for text in reading.not_understood]


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


def parse_values(texts: Sequence[str], option: str) -> dict[str, set[str]]:
    """Values by attribute, from texts such as ``category=shirt`` given after `option`."""
    filters: dict[str, set[str]] = {}
    for text in texts:
        attribute, separator, value = (part.strip() for part in text.partition("="))
        if not separator:
            raise InputError(f"cannot read {option} {text!r}; write attribute=value")
        filters.setdefault(attribute, set()).add(value)
    return filters


def parse_examples(texts: Sequence[str]) -> tuple[Path | str, ...]:
    """Pictures where a file of that name is, else ids of items."""
    return tuple(Path(text) if Path(text).is_file() else text for text in texts)
