"""Reading changes in words: phrases are found in the text, then those that cover most are kept.

Nothing is guessed. A phrase that fits several values is reported as ambiguous, two values of one
attribute as well, and every word that is neither understood nor a filler comes back as written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from amgan.attributes import AttributeSchema, Change
from amgan.errors import InputError
from amgan.words.language import tokenise
from amgan.words.phrases import Phrases, Unit
from amgan.words.vocabulary import Value, Vocabulary

MAX_CHARACTERS = 1000


@dataclass(frozen=True)
class Ambiguity:
    """Words that fit several values, several values for one attribute, or a shade of a value.

    Attributes:
        text: the words as written; several places are joined by " / ".
        choices: what they may mean.
    """

    text: str
    choices: tuple[Change, ...]


@dataclass(frozen=True)
class Understood:
    """What was read from a text.

    Attributes:
        changes: in the order of the text, one for an attribute at most.
        not_understood: words as written.
        ambiguous: what fits several values, or only a broader one.
    """

    changes: tuple[Change, ...]
    not_understood: tuple[str, ...]
    ambiguous: tuple[Ambiguity, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain data, as the command line and the service give it."""
        return {
            "changes": {change.attribute: change.wanted for change in self.changes},
            "not_understood": list(self.not_understood),
            "ambiguous": [
                {
                    "text": ambiguity.text,
                    "choices": [
                        {"attribute": choice.attribute, "value": choice.wanted}
                        for choice in ambiguity.choices
                    ],
                }
                for ambiguity in self.ambiguous
            ],
        }


def understand_changes(
    text: str, schema: AttributeSchema, synonyms: Mapping[str, Iterable[str]] | None = None
) -> Understood:
    """Read changes in words; for many texts build one `ChangeReader`."""
    return ChangeReader(schema, synonyms).read(text)


class ChangeReader:
    """Reads changes in words for one schema."""

    def __init__(
        self, schema: AttributeSchema, synonyms: Mapping[str, Iterable[str]] | None = None
    ) -> None:
        """Prepare the vocabulary.

        Args:
            schema: attributes and values.
            synonyms: further phrases by "attribute" or "attribute=value".

        Raises:
            ValueError: synonyms for what the schema does not have.
        """
        self._schema = schema
        self._vocabulary = Vocabulary(schema, synonyms)

    def read(self, text: str) -> Understood:
        """Changes in a text such as "in black, with long sleeves, no collar".

        Raises:
            ValueError: a text of more than 1,000 characters.
        """
        if len(text) > MAX_CHARACTERS:
            raise InputError(
                f"the text has {len(text):,} characters; up to {MAX_CHARACTERS:,} are read"
            )
        tokens = tokenise(text)

        def written(start: int, stop: int) -> str:
            return text[tokens[start][1] : tokens[stop - 1][2]]

        phrases = Phrases([word for word, _, _ in tokens], self._vocabulary)
        units = phrases.best_units()
        changes, ambiguous = self._settle(units, written)
        left_over = []
        for start, stop in phrases.left_over(units):
            shade = start + (tokens[start][0] == "or")  # "black or burgundy"
            words = tuple(word for word, _, _ in tokens[shade:stop])
            choices = self._changes(self._vocabulary.broader(words))
            if not choices:
                left_over.append(written(start, stop))
            elif not set(choices) & set(changes):  # "navy blue": the blue is there already
                ambiguous = (*ambiguous, Ambiguity(written(shade, stop), choices))
        return Understood(changes, tuple(left_over), ambiguous)

    def _settle(
        self, units: Sequence[Unit], written: Callable[[int, int], str]
    ) -> tuple[tuple[Change, ...], tuple[Ambiguity, ...]]:
        """Changes, and what is ambiguous by itself or against another phrase."""
        by_attribute: dict[int, list[Unit]] = {}
        ambiguous: list[tuple[int, Ambiguity]] = []
        for unit in units:
            if len(unit.values) == 1:
                by_attribute.setdefault(unit.values[0][0], []).append(unit)
            else:
                text = written(unit.start, unit.stop)
                ambiguous.append((unit.start, Ambiguity(text, self._changes(unit.values))))
        settled: list[tuple[int, Change]] = []
        for same in by_attribute.values():
            choices = self._changes(dict.fromkeys(unit.values[0] for unit in same))
            if len(choices) == 1:
                settled.append((same[0].start, choices[0]))
            else:
                text = " / ".join(written(unit.start, unit.stop) for unit in same)
                ambiguous.append((same[0].start, Ambiguity(text, choices)))
        settled.sort(key=lambda pair: pair[0])
        ambiguous.sort(key=lambda pair: pair[0])
        return tuple(c for _, c in settled), tuple(a for _, a in ambiguous)

    def _changes(self, values: Iterable[Value]) -> tuple[Change, ...]:
        attributes = self._schema.attributes
        return tuple(Change(attributes[a].name, attributes[a].values[v]) for a, v in values)
