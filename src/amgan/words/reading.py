"""Wishes in words, read into what a search can be asked for.

Nothing is guessed. What fits several values is reported as ambiguous, as are two values of one
attribute, and whatever is neither understood nor a filler comes back as written.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from amgan.attributes import AttributeSchema, Change
from amgan.errors import InputError
from amgan.words.filters import FilterReader
from amgan.words.grammar import Sentence
from amgan.words.marks import mark_text
from amgan.words.naming import Joiner, Orders
from amgan.words.nouns import NounReader
from amgan.words.orders import find_orders
from amgan.words.text import BREAKS, Token, split_compounds, tokenise
from amgan.words.vocabulary import Value, Vocabulary
from amgan.words.wishes import Fate, Wish, Wishes

MAX_CHARACTERS = 1000
Fields = Mapping[str, Collection[str]]


@dataclass(frozen=True)
class Ambiguity:
    """Words that fit several values, several values for one attribute, or lie between some.

    Attributes:
        text: the words as written; several places are joined by " / ".
        choices: what they may mean.
    """

    text: str
    choices: tuple[Change, ...]


@dataclass(frozen=True)
class Reading:
    """What was read from a text.

    Attributes:
        changes: in the order of the text, one for an attribute at most.
        relative: "more" or "less" by ordered attribute, `lightness` (more is lighter) or
            `vividness`.
        avoid: values not wanted, by attribute.
        never: those of `avoid` that no result may have.
        filters: what a catalogue's fields must hold: {"brand": ["Arrow"]}, {"price": {"max": 30}}.
        keep: attributes that matter more than others.
        not_understood: words as written.
        ambiguous: what fits several values.
        corrected: misspelt words and what they were read as.
        details: what is said more finely than the schema can hold, such as "white" of "white logo".
    """

    changes: tuple[Change, ...] = ()
    relative: Mapping[str, str] = field(default_factory=dict)
    avoid: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    never: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    filters: Mapping[str, Any] = field(default_factory=dict)
    keep: tuple[str, ...] = ()
    not_understood: tuple[str, ...] = ()
    ambiguous: tuple[Ambiguity, ...] = ()
    corrected: tuple[tuple[str, str], ...] = ()
    details: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nothing was read that a search could use."""
        return not (self.changes or self.relative or self.avoid or self.filters or self.keep)

    def to_dict(self) -> dict[str, Any]:
        """Plain data, as the command line and the service give it."""
        filters = {
            name: dict(f) if isinstance(f, Mapping) else list(f) for name, f in self.filters.items()
        }
        for name, values in self.never.items():
            filters[name] = {"not": list(values)}
        return {
            "changes": {change.attribute: change.wanted for change in self.changes},
            "relative": dict(self.relative),
            "avoid": {name: list(values) for name, values in self.avoid.items()},
            "filters": filters,
            "keep": list(self.keep),
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
            "corrected": [{"written": a, "read": b} for a, b in self.corrected],
        }


class WordReader:
    """Reads wishes in one language for one schema. Safe to call from several threads.

    Args:
        schema: attributes and values.
        synonyms: further phrases by "attribute" or "attribute=value".
        language: of the texts: en, de, fr or es.
        orders: the values of ordered attributes from least to most; common ones are known.
        fields: what the catalogue's further fields hold, such as brands and prices.

    Raises:
        ValueError: synonyms or orders of what the schema does not have, or an unknown language.
    """

    def __init__(
        self,
        schema: AttributeSchema,
        synonyms: Mapping[str, Iterable[str]] | None = None,
        *,
        language: str = "en",
        orders: Mapping[str, Sequence[str]] | None = None,
        fields: Fields | None = None,
    ) -> None:
        self._schema = schema
        self.vocabulary = Vocabulary(schema, synonyms, language)
        self.language = self.vocabulary.lexicon.language
        self.orders = find_orders(schema, orders)
        self._ordered = {schema.attribute_position(name): name for name in self.orders}
        known = Orders(self._ordered, self.vocabulary.concepts)
        self._joiner = Joiner(self.vocabulary, known)
        self._nouns = NounReader(self.vocabulary, known)
        self._filters = FilterReader(self.vocabulary.lexicon, fields or {})

    def read(self, text: str, reference: Mapping[str, str | None] | None = None) -> Reading:
        """Wishes in a text such as "darker, with long sleeves, no stripes".

        Args:
            text: as a person wrote it.
            reference: the values of the garment that it speaks of, where they are known: "another
                colour" is then any but its own.

        Raises:
            ValueError: a text of more than 1,000 characters.
        """
        if len(text) > MAX_CHARACTERS:
            raise InputError(
                f"the text has {len(text):,} characters; up to {MAX_CHARACTERS:,} are read"
            )
        tokens = tokenise(text, self.language)
        if self.vocabulary.lexicon.compounds:
            tokens = split_compounds(tokens, self.vocabulary.is_known)
        filters, taken = self._filters.read(tokens)
        tokens = [Token(",", t.start, t.stop) if i in taken else t for i, t in enumerate(tokens)]
        marked = mark_text(tokens, self.vocabulary)
        wishes = Wishes([Fate.FILLER] * len(tokens))
        marks = self._joiner.join(marked.marks)
        Sentence(marks, self._nouns, self.vocabulary, self._ordered, wishes).read()
        known = self._schema.find_values(reference or {})
        return _Settled(self._schema, text, tokens, wishes, known).reading(
            filters, marked.corrected
        )


def read_words(
    text: str,
    schema: AttributeSchema,
    reference: Mapping[str, str | None] | None = None,
    language: str = "en",
    *,
    fields: Fields | None = None,
) -> Reading:
    """Wishes in a text; see `WordReader`.

    Args:
        text: as a person wrote it.
        schema: attributes and values of the catalogue.
        reference: the values of the garment that the text speaks of, where they are known.
        language: en, de, fr or es.
        fields: what the catalogue's further fields hold, such as brands and prices.

    Raises:
        ValueError: a text of more than 1,000 characters, or an unknown language.

    Example:
        >>> import amgan
        >>> schema = amgan.AttributeSchema(
        ...     (
        ...         amgan.Attribute("colour", ("black", "white")),
        ...         amgan.Attribute("sleeve", ("long", "short")),
        ...     )
        ... )
        >>> reading = amgan.read_words("in black, with long sleeves, sparkly", schema)
        >>> [(change.attribute, change.wanted) for change in reading.changes]
        [('colour', 'black'), ('sleeve', 'long')]
        >>> reading.not_understood
        ('sparkly',)
    """
    if fields:
        return WordReader(schema, language=language, fields=fields).read(text, reference)
    return _reader(schema, language).read(text, reference)


@lru_cache(maxsize=16)
def _reader(schema: AttributeSchema, language: str) -> WordReader:
    return WordReader(schema, language=language)


class _Settled:
    """Wishes as names of the schema: what contradicts itself is ambiguous."""

    def __init__(
        self,
        schema: AttributeSchema,
        text: str,
        tokens: Sequence[Token],
        wishes: Wishes,
        reference: Mapping[str, str | None],
    ) -> None:
        self._reference = reference
        self._schema = schema
        self._text = text
        self._tokens = tokens
        self._wishes = wishes

    def reading(self, filters: Mapping[str, Any], corrected: Mapping[int, str]) -> Reading:
        self._leave_unknown()
        changes, ambiguous = self._changes()
        settled = {change.attribute for change in changes}
        relative = self._relative()
        avoid = self._avoided(("avoid", "never"), changes)
        return Reading(
            changes,
            relative,
            avoid,
            self._avoided(("never",), changes),
            dict(filters),
            self._kept(settled | set(relative) | set(avoid)),
            tuple(self._runs(Fate.LEFT)),
            ambiguous,
            tuple(
                (self._written(place, place + 1), word)
                for place, word in sorted(corrected.items())
                if self._wishes.fates[place] is not Fate.LEFT
            ),
            tuple(self._runs(Fate.DETAIL)),
        )

    def _leave_unknown(self) -> None:
        """Leave "another colour" where the reference's own is not known."""
        for wish in self._wishes.found:
            if wish.kind == "other":
                name = self._schema.names[int(wish.attribute)]
                if self._reference.get(name) is None:
                    self._wishes.tell((wish.mark,), Fate.LEFT)

    def _changes(self) -> tuple[tuple[Change, ...], tuple[Ambiguity, ...]]:
        by_attribute: dict[int, list[Wish]] = {}
        ambiguous: list[tuple[int, Ambiguity]] = []
        for wish in self._wishes.found:
            if wish.kind == "change" and len(wish.values) == 1:
                by_attribute.setdefault(wish.values[0][0], []).append(wish)
        self._join_offers(by_attribute)
        for wish in self._wishes.found:
            offered = wish.kind == "offer" or (wish.kind == "change" and len(wish.values) > 1)
            if offered and not self._is_settled(wish, by_attribute):
                choices = self._named(wish.values)
                ambiguous.append((wish.mark.start, Ambiguity(self._words(wish), choices)))
        settled: list[tuple[int, Change]] = []
        for found in by_attribute.values():
            same = sorted(found, key=lambda wish: wish.mark.start)
            choices = self._named(dict.fromkeys(wish.values[0] for wish in same))
            if len(choices) == 1:
                settled.append((same[0].mark.start, choices[0]))
            else:
                text = " / ".join(dict.fromkeys(map(self._words, same)))
                ambiguous.append((same[0].mark.start, Ambiguity(text, choices)))
        settled.sort(key=lambda pair: pair[0])
        ambiguous.sort(key=lambda pair: pair[0])
        return tuple(c for _, c in settled), tuple(a for _, a in ambiguous)

    def _join_offers(self, by_attribute: Mapping[int, list[Wish]]) -> None:
        """Count "gold" against "black" in "gold and black": neither is the colour."""
        for wish in self._wishes.found:
            if wish.kind == "offer" and not self._is_settled(wish, by_attribute):
                for value in wish.values[:1]:
                    others = by_attribute.get(value[0], [])
                    if others:
                        others.append(Wish("change", wish.mark, (value,)))

    @staticmethod
    def _is_settled(wish: Wish, by_attribute: Mapping[int, Sequence[Wish]]) -> bool:
        """Whether another phrase says which of several values is meant: "camel brown"."""
        said = {w.values[0] for a, _ in wish.values for w in by_attribute.get(a, ())}
        return bool(said & set(wish.values))

    def _relative(self) -> dict[str, str]:
        signs: dict[str, list[Wish]] = {}
        for wish in self._wishes.found:
            if wish.kind == "relative":
                signs.setdefault(wish.attribute, []).append(wish)
        relative = {}
        for name, same in signs.items():
            if len({wish.sign for wish in same}) == 1:
                relative[name] = "more" if same[0].sign > 0 else "less"
            else:
                self._wishes.tell((wish.mark for wish in same), Fate.LEFT)
        return relative

    def _avoided(
        self, kinds: tuple[str, ...], changes: Sequence[Change]
    ) -> dict[str, tuple[str, ...]]:
        avoided: dict[str, list[str]] = {}
        for wish in self._wishes.found if "avoid" in kinds else ():
            if wish.kind == "other":
                name = self._schema.names[int(wish.attribute)]
                own = self._reference.get(name)
                if own is not None:
                    avoided.setdefault(name, []).append(own)
        for wish in self._wishes.found:
            if wish.kind in kinds:
                for change in self._named(wish.values):
                    values = avoided.setdefault(change.attribute, [])
                    if change.wanted not in values:
                        values.append(change.wanted)
        return {name: tuple(values) for name, values in avoided.items()}

    def _kept(self, asked: Collection[str]) -> tuple[str, ...]:
        kept = [wish.attribute for wish in self._wishes.found if wish.kind == "keep"]
        names = self._schema.names
        wanted = names if "*" in kept else tuple(names[int(a)] for a in dict.fromkeys(kept))
        return tuple(name for name in wanted if name not in asked)

    def _named(self, values: Iterable[Value]) -> tuple[Change, ...]:
        attributes = self._schema.attributes
        return tuple(Change(attributes[a].name, attributes[a].values[v]) for a, v in values)

    def _words(self, wish: Wish) -> str:
        return self._written(wish.mark.start, wish.mark.stop)

    def _written(self, start: int, stop: int) -> str:
        return self._text[self._tokens[start].start : self._tokens[stop - 1].stop]

    def _runs(self, fate: Fate) -> list[str]:
        """Runs of words of one fate as written, over fillers between them."""
        runs: list[tuple[int, int]] = []
        for place, token in enumerate(self._tokens):
            if self._wishes.fates[place] is not fate or token.word in BREAKS:
                continue
            if runs and all(
                self._wishes.fates[p] in (fate, Fate.FILLER)
                and self._tokens[p].word not in BREAKS | {"and", "&"}
                for p in range(runs[-1][1], place)
            ):
                runs[-1] = (runs[-1][0], place + 1)
            else:
                runs.append((place, place + 1))
        return [self._written(start, stop) for start, stop in runs]
