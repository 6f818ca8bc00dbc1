"""Wishes in words."""

from __future__ import annotations

from amgan.attributes import AttributeSchema
from amgan.words import Understood, understand_changes


def read_words(text: str, schema: AttributeSchema) -> Understood:
    """Read what should change from words, in the names of a schema.

    Nothing is guessed: what is not understood, or fits several values, comes back as such.

    Args:
        text: at most 1,000 characters.
        schema: attributes and values to find.

    Raises:
        InputError: a text that is too long.

    Example:
        >>> import amgan
        >>> schema = amgan.AttributeSchema(
        ...     (
        ...         amgan.Attribute("colour", ("black", "white")),
        ...         amgan.Attribute("sleeve", ("long", "short")),
        ...     )
        ... )
        >>> reading = amgan.read_words("in black, with long sleeves, shiny", schema)
        >>> [(change.attribute, change.wanted) for change in reading.changes]
        [('colour', 'black'), ('sleeve', 'long')]
        >>> reading.not_understood
        ('shiny',)
    """
    return understand_changes(text, schema)
