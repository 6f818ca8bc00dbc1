"""Which words name which values and attributes of a schema, and how surely."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from functools import cache
from itertools import product
from math import prod
from typing import TypeVar

from rapidfuzz import process
from rapidfuzz.distance import OSA

from amgan.attributes import AttributeSchema
from amgan.words.language import (
    ATTRIBUTE_SYNONYMS,
    BREAKS,
    CORRECT_WORDS,
    FILLERS,
    NEGATIONS,
    SHADES,
    SPELLINGS,
    VALUE_SYNONYMS,
    fold,
    stem,
    words_of,
)

Value = tuple[int, int]  # attribute, value within it
Words = tuple[str, ...]
Meaning = TypeVar("Meaning", bound=Hashable)
# How far a phrase is from a name of the schema: the less, the surer.
EXACT, INFLECTED, SYNONYM, TYPO = 0, 1, 2, 3
_FAR = 99
_TYPO_LENGTH = 5  # words from this length on may hold one typo,
_TWO_TYPOS_LENGTH = 9  # and from this length on two
_MAX_READINGS = 64


class Vocabulary:
    """Phrases for the values and attributes of one schema.

    Attributes:
        longest: number of words of the longest phrase.
        nothing: for each attribute the value that says it is absent, None where there is none.
    """

    def __init__(
        self, schema: AttributeSchema, synonyms: Mapping[str, Iterable[str]] | None = None
    ) -> None:
        """Collect the phrases.

        Args:
            schema: attributes and values.
            synonyms: further phrases by "attribute" or "attribute=value".

        Raises:
            ValueError: synonyms for what the schema does not have.
        """
        self._schema = schema
        self._exact_values: dict[Words, dict[Value, int]] = {}
        self._values: dict[Words, dict[Value, int]] = {}
        self._exact_names: dict[Words, dict[int, int]] = {}
        self._names: dict[Words, dict[int, int]] = {}
        self._written: set[str] = set()
        for a, name in enumerate(schema.names):
            self._add_name(a, words_of(name))
        self._add_further(synonyms or {}, of_values=False)
        self._name_words = tuple(
            tuple(key[0] for key, named in self._names.items() if a in named and len(key) == 1)
            for a in range(schema.num_attributes)
        )
        self.nothing = tuple(self._find_nothing(a) for a in range(schema.num_attributes))
        for a, attribute in enumerate(schema.attributes):
            for v, value in enumerate(attribute.values):
                self._add_value((a, v), words_of(value))
        self._add_further(synonyms or {}, of_values=True)
        keys = (*self._exact_values, *self._values, *self._exact_names, *self._names)
        self.longest = max(map(len, keys), default=0)
        self._stems = {word for key in (*self._values, *self._names) for word in key}
        self._forms = self._collect_forms()
        self._known_readings: dict[str, tuple[str, ...]] = {}

    def values(self, words: Words) -> dict[Value, int]:
        """Values that these words may name, each with its distance."""
        return self._find(words, self._exact_values, self._values)

    def names(self, words: Words) -> dict[int, int]:
        """Attributes that these words may name, each with its distance."""
        return self._find(words, self._exact_names, self._names)

    def broader(self, words: Words) -> tuple[Value, ...]:
        """Values that hold what these words name and the schema does not: "navy" is a blue."""
        colour = _shade_index().get(tuple(map(stem, words)))
        return () if colour is None else tuple(sorted(self.values((colour,))))

    def _find(
        self,
        words: Words,
        exact: Mapping[Words, Mapping[Meaning, int]],
        stemmed: Mapping[Words, Mapping[Meaning, int]],
    ) -> dict[Meaning, int]:
        found = dict(exact.get(words, {}))

        def include(key: Words, least: int, extra: int) -> None:
            for meaning, distance in stemmed.get(key, {}).items():
                candidate = max(distance, least) + extra
                found[meaning] = min(found.get(meaning, _FAR), candidate)

        own = tuple(map(stem, words))
        include(own, EXACT, 0)
        if len(words) == 2:  # "crew neck" where the schema writes "crewneck"
            include((stem("".join(words)),), SYNONYM, 0)
        readings = [self._readings(word) for word in words]
        if not found and prod(map(len, readings)) <= _MAX_READINGS:
            for key in product(*readings):
                if key != own:
                    include(key, EXACT, TYPO)
        return found

    def _readings(self, word: str) -> tuple[str, ...]:
        """Stems that a word may stand for: its own where it is known, else those a typo away."""
        if word not in self._known_readings:
            self._known_readings[word] = self._correct(word)
        return self._known_readings[word]

    def _correct(self, word: str) -> tuple[str, ...]:
        own, written = stem(word), fold(word)
        is_known = own in self._stems or written in CORRECT_WORDS | FILLERS | NEGATIONS
        if is_known or len(written) < _TYPO_LENGTH - 1:
            return (own,)
        distances: dict[str, int] = {}
        for form in {own, written}:
            matches = process.extract(
                form, list(self._forms), scorer=OSA.distance, score_cutoff=2, limit=None
            )
            for candidate, distance, _ in matches:
                target, length = self._forms[candidate]
                if distance <= (2 if min(len(form), length) >= _TWO_TYPOS_LENGTH else 1):
                    distances[target] = min(distances.get(target, _FAR), int(distance))
        least = min(distances.values(), default=_FAR)
        nearest = tuple(sorted(t for t, distance in distances.items() if distance == least))
        return nearest or (own,)

    def _collect_forms(self) -> dict[str, tuple[str, int]]:
        """Words that a typo may have been made in: written and stemmed -> stem, length."""
        words = {fold(word) for word in self._written}
        words |= {other for other, ours in SPELLINGS.items() if stem(ours) in self._stems}
        forms: dict[str, tuple[str, int]] = {}
        for word in sorted(words):
            if len(word) >= _TYPO_LENGTH and stem(word) in self._stems:
                forms.setdefault(stem(word), (stem(word), len(word)))
        for word in sorted(words):
            if len(word) >= _TYPO_LENGTH and stem(word) in self._stems:
                forms[word] = (stem(word), len(word))
        return forms

    def _add(
        self,
        phrases: dict[Words, dict[Meaning, int]],
        words: Words,
        meaning: Meaning,
        distance: int,
    ) -> None:
        """Enter a phrase under its stems, and run together into one word."""
        if not words:
            return
        self._written.update(word for word in words if word not in BREAKS)
        meanings = phrases.setdefault(tuple(map(stem, words)), {})
        meanings[meaning] = min(meanings.get(meaning, _FAR), distance)
        joined = "".join(words)
        if len(words) > 1 and len(joined) >= _TYPO_LENGTH and not BREAKS & set(words):
            self._written.add(joined)
            meanings = phrases.setdefault((stem(joined),), {})
            meanings[meaning] = min(meanings.get(meaning, _FAR), max(distance, SYNONYM))

    def _add_name(self, a: int, words: Words) -> None:
        """An attribute's name, each of its longer words, and other words for them."""
        if not words:
            return
        self._exact_names.setdefault(words, {})[a] = EXACT
        self._add(self._names, words, a, INFLECTED)
        parts = [(w,) for w in words if len(w) > 2 and w not in FILLERS | NEGATIONS | BREAKS]
        for part in parts if len(words) > 1 else []:
            self._add(self._names, part, a, SYNONYM)
        for phrase in _synonyms(words, ATTRIBUTE_SYNONYMS):
            self._add(self._names, phrase, a, SYNONYM)
        for part in parts:
            for phrase in _synonyms(part, ATTRIBUTE_SYNONYMS):
                if len(phrase) == 1:
                    self._add(self._names, phrase, a, SYNONYM)

    def _add_value(self, value: Value, words: Words) -> None:
        """A value's name, its parts between slashes, other words for it, forms of "none"."""
        if not words:
            return
        self._exact_values.setdefault(words, {})[value] = EXACT
        self._add(self._values, words, value, INFLECTED)
        name_words = self._name_words[value[0]]
        rest = tuple(word for word in words if stem(word) not in name_words)
        own = [words, rest] if rest and len("".join(rest)) > 2 else [words]
        text = self._schema.attributes[value[0]].values[value[1]]
        own += [part for part in map(words_of, text.split("/")) if len("".join(part)) > 2]
        own.append(tuple(word for word in words if word not in BREAKS))
        for phrase in own:
            self._add_synonym(value, phrase)
            for other in _synonyms(phrase, VALUE_SYNONYMS):
                self._add_synonym(value, other)
        if self.nothing[value[0]] == value[1]:
            for word in name_words:
                self._add(self._values, (f"{word}less",), value, SYNONYM)

    def _add_synonym(self, value: Value, words: Words) -> None:
        self._add(self._values, words, value, SYNONYM)
        # "longsleeved", "roundneck"
        for word in self._name_words[value[0]] if words and not BREAKS & set(words) else ():
            self._add(self._values, ("".join((*words, word)),), value, SYNONYM)

    def _add_further(self, synonyms: Mapping[str, Iterable[str]], *, of_values: bool) -> None:
        for name, phrases in synonyms.items():
            if of_values != ("=" in name):
                continue
            for phrase in phrases:
                if of_values:
                    change = self._schema.parse_changes([name])[0]
                    a = self._schema.attribute_position(change.attribute)
                    v = self._schema.value_position(change.attribute, change.wanted)
                    self._add_synonym((a, v), words_of(phrase))
                else:
                    a = self._schema.attribute_position(name)
                    self._add(self._names, words_of(phrase), a, SYNONYM)

    def _find_nothing(self, a: int) -> int | None:
        """The value of an attribute that says there is none of it, such as "collarless"."""
        for v, value in enumerate(self._schema.attributes[a].values):
            words = tuple(map(stem, words_of(value)))
            if words in {("non",), ("no",), ("nothing",)}:
                return v
            for name in self._name_words[a]:
                if words in {("no", name), ("without", name), (f"{name}less",), (f"{name}eless",)}:
                    return v
        return None


def _synonyms(words: Words, rows: tuple[tuple[str, ...], ...]) -> list[Words]:
    """The phrases of every row that holds these words."""
    return _synonym_index(rows).get(tuple(map(stem, words)), [])


@cache
def _synonym_index(rows: tuple[tuple[str, ...], ...]) -> dict[Words, list[Words]]:
    index: dict[Words, list[Words]] = {}
    for row in rows:
        phrases = [words_of(phrase) for phrase in row]
        for key in {tuple(map(stem, phrase)) for phrase in phrases}:
            index.setdefault(key, []).extend(phrases)
    return index


@cache
def _shade_index() -> dict[Words, str]:
    """The colour of each shade's stems."""
    return {
        tuple(map(stem, words_of(shade))): colour
        for colour, shades in SHADES.items()
        for shade in shades
    }
