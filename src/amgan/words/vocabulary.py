"""Which words name which values and attributes of a schema, and how surely."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from functools import cache
from itertools import product
from math import prod
from typing import TypeVar

from amgan.attributes import AttributeSchema
from amgan.words.lexicon import LANGUAGES, Lexicon, Words, load_lexicon
from amgan.words.spelling import Speller
from amgan.words.text import BREAKS, SPELLINGS, plain, stemmer, words_of

Value = tuple[int, int]  # attribute, value within it
Meaning = TypeVar("Meaning", bound=Hashable)
# How far a phrase is from a name of the schema: the less, the surer.
NAMED, EXACT, INFLECTED, SYNONYM, ALIKE, NARROWER = range(6)
_FAR = 99
_LONGEST = 5
_MAX_READINGS = 16


class Vocabulary:
    """Phrases of one language for the values and attributes of one schema.

    Attributes:
        lexicon: the language's words.
        concepts: for each attribute the names under which lexicons know it.
        nothing: for each attribute the value that says it is absent, None where there is none.
        speller: finds what misspelt words may stand for.
    """

    def __init__(
        self,
        schema: AttributeSchema,
        synonyms: Mapping[str, Iterable[str]] | None = None,
        language: str = "en",
    ) -> None:
        """Collect the phrases.

        Args:
            schema: attributes and values.
            synonyms: further phrases by "attribute" or "attribute=value".
            language: of the texts.

        Raises:
            ValueError: synonyms for what the schema does not have, or an unknown language.
        """
        self._schema = schema
        self.lexicon: Lexicon = load_lexicon(language)
        self._stem = stemmer(self.lexicon.language)
        self._fillers = {p[0] for p, kinds in self.lexicon.functions.items() if len(p) == 1}
        self._exact_values: dict[Words, dict[Value, int]] = {}
        self._values: dict[Words, dict[Value, int]] = {}
        self._exact_named: set[Words] = set()
        self._exact_names: dict[Words, dict[int, int]] = {}
        self._names: dict[Words, dict[int, int]] = {}
        self._written: set[str] = set()
        self.concepts: list[frozenset[str]] = []
        for a, name in enumerate(schema.names):
            self._add_name(a, self._words(name))
        self._add_further(synonyms or {}, of_values=False)
        self._name_words = tuple(
            tuple(key[0] for key, named in self._names.items() if a in named and len(key) == 1)
            for a in range(schema.num_attributes)
        )
        self.nothing = tuple(self._find_nothing(a) for a in range(schema.num_attributes))
        for a, attribute in enumerate(schema.attributes):
            for v, value in enumerate(attribute.values):
                self._add_value((a, v), self._words(value))
        self._add_further(synonyms or {}, of_values=True)
        keys = (*self._exact_values, *self._values, *self._exact_names, *self._names)
        self.longest = max(map(len, keys), default=0)
        self.known_words = {w for w in self._written if w not in BREAKS}
        self.known_words |= {v for v, ours in SPELLINGS.items() if ours in self.known_words}
        known = self.known_words | self.lexicon.known_words
        plurals = {f"{word}s" for word in self.known_words if not word.endswith("s")}
        is_english = self.lexicon.language == "en"
        self.speller = Speller(known, plurals if is_english else (), self.lexicon.language)
        self._known_things = {*map(self._stem, self.known_words & self.lexicon.things)}
        self._offered = self._find_offered()
        phrases = (*keys, *self.lexicon.functions, *self.lexicon.scale_words, *self._offered)
        self._starts = {phrase[0] for phrase in phrases if len(phrase) > 1}
        self._joined = {key[0] for key in (*self._values, *self._names) if len(key) == 1}

    def values(self, readings: tuple[Words, ...]) -> dict[Value, int]:
        """Values that words may name, each with its distance; every word has its readings."""
        return self._find(readings, self._exact_values, self._values)

    def names(self, readings: tuple[Words, ...]) -> dict[int, int]:
        """Attributes that words may name, each with its distance."""
        return self._find(readings, self._exact_names, self._names)

    def may_start(self, readings: Sequence[Words]) -> bool:
        """Whether a phrase of several words may start with words of these readings."""
        first = readings[0]
        if any(not self._starts.isdisjoint((w, self._stem(w), *plain((w,)))) for w in first):
            return True
        return len(readings) > 1 and any(
            self._is_joined((a, b)) for a in first for b in readings[1]
        )

    def _is_joined(self, words: Words) -> bool:
        """Whether two words are one of the schema's: "crew neck" where it writes "crewneck"."""
        if len(words) != 2 or not all(word.isalpha() for word in words):
            return False
        joined = "".join(words)
        is_english = self.lexicon.language == "en"
        return (self._stem(joined) in self._joined) if is_english else joined in self._written

    def is_thing(self, word: str) -> bool:
        """Whether a word is for what the schema does not know: "shorts" is no plural of short."""
        is_listed = word in self.lexicon.things and word not in self.known_words
        return is_listed and self._stem(word) not in self._known_things

    def is_known(self, word: str) -> bool:
        """Whether a word by itself names a value or an attribute, or is on a scale or a thing."""
        readings = ((word,),)
        lexicon = self.lexicon
        return bool(
            self.values(readings)
            or self.names(readings)
            or (word,) in lexicon.scale_words
            or word in lexicon.things
        )

    def is_named(self, words: Words) -> bool:
        """Whether words are a value and the name of its attribute, both as the schema has them."""
        return words in self._exact_named

    def offered(self, words: Words) -> tuple[Value, ...]:
        """Values that words lie between: tan is between brown and beige."""
        return self._offered.get(words, ())

    def _words(self, text: str) -> Words:
        return words_of(text, self.lexicon.language)

    def _stems(self, words: Words) -> Words:
        return tuple(map(self._stem, words))

    def _find(
        self,
        readings: tuple[Words, ...],
        exact: Mapping[Words, Mapping[Meaning, int]],
        stemmed: Mapping[Words, Mapping[Meaning, int]],
    ) -> dict[Meaning, int]:
        found: dict[Meaning, int] = {}
        if prod(map(len, readings)) > _MAX_READINGS:
            return found
        for words in product(*readings):
            before = len(found)
            for meaning, distance in exact.get(words, {}).items():
                found[meaning] = min(found.get(meaning, _FAR), distance)
            keys = [(self._stems(words), EXACT)]
            if self._is_joined(words):
                keys.append(((self._stem("".join(words)),), SYNONYM))
            for key, least in keys:
                for meaning, distance in stemmed.get(key, {}).items():
                    found[meaning] = min(found.get(meaning, _FAR), max(distance, least))
            if len(found) == before and not self._has(words, keys, exact, stemmed):
                return {}  # one of the words that may be meant is something else
        return found

    @staticmethod
    def _has(
        words: Words,
        keys: Iterable[tuple[Words, int]],
        exact: Mapping[Words, object],
        stemmed: Mapping[Words, object],
    ) -> bool:
        return words in exact or any(key in stemmed for key, _ in keys)

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
        meanings = phrases.setdefault(self._stems(words), {})
        meanings[meaning] = min(meanings.get(meaning, _FAR), distance)
        joined = "".join(words)
        if len(words) > 1 and len(joined) >= _LONGEST and not BREAKS & set(words):
            self._written.add(joined)
            meanings = phrases.setdefault((self._stem(joined),), {})
            meanings[meaning] = min(meanings.get(meaning, _FAR), max(distance, SYNONYM))

    def _add_name(self, a: int, words: Words) -> None:
        """An attribute's name, each of its longer words, and other words for them."""
        parts = [(w,) for w in words if len(w) > 2 and w not in self._fillers | BREAKS]
        concepts = _attribute_concepts(words).union(*map(_attribute_concepts, parts))
        self.concepts.append(concepts)
        if not words:
            return
        self._exact_names.setdefault(words, {})[a] = EXACT
        self._add(self._names, words, a, INFLECTED)
        for part in parts if len(words) > 1 else []:
            self._add(self._names, part, a, SYNONYM)
        for concept in sorted(concepts):
            for phrase in self.lexicon.attributes.get(concept, ()):
                self._add(self._names, phrase, a, SYNONYM)

    def _add_value(self, value: Value, words: Words) -> None:
        """A value's name, its parts between slashes, other words for it, forms of "none"."""
        if not words:
            return
        self._exact_values.setdefault(words, {})[value] = EXACT
        name = self._words(self._schema.names[value[0]])
        for phrase, distance in (((*words, *name), NAMED), ((*name, *words), INFLECTED)):
            meanings = self._exact_values.setdefault(phrase, {})
            meanings[value] = min(meanings.get(value, _FAR), distance)
            self._exact_named.add(phrase)
        self._add(self._values, words, value, INFLECTED)
        own = self._own_phrases(value, words)
        for phrase in own:
            self._add_synonym(value, phrase, SYNONYM)
        concepts = self._concepts_of(value[0], own)
        for concept in sorted(concepts):
            for phrase in self.lexicon.values.get(concept, ()):
                self._add_synonym(value, phrase, SYNONYM)
            for phrase in self.lexicon.alike.get(concept, ()):
                self._add_synonym(value, phrase, ALIKE)
            for phrase in self.lexicon.narrower.get(concept, ()):
                self._add_synonym(value, phrase, NARROWER)
        if self.nothing[value[0]] == value[1]:
            for word in self._name_words[value[0]]:
                self._add(self._values, (f"{word}less",), value, SYNONYM)

    def _own_phrases(self, value: Value, words: Words) -> list[Words]:
        name_words = self._name_words[value[0]]
        rest = tuple(word for word in words if self._stem(word) not in name_words)
        own = [words, rest] if rest and len("".join(rest)) > 2 else [words]
        text = self._schema.attributes[value[0]].values[value[1]]
        parts = [self._words(part) for part in text.split("/")]
        if all(not "".join(part).isdigit() for part in parts):
            own += [part for part in parts if len("".join(part)) > 2]
        own.append(tuple(word for word in words if word not in BREAKS))
        return list(dict.fromkeys(phrase for phrase in own if phrase))

    def _add_synonym(self, value: Value, words: Words, distance: int) -> None:
        self._add(self._values, words, value, distance)
        # "longsleeved", "roundneck"
        for word in self._name_words[value[0]] if words and not BREAKS & set(words) else ():
            joined = "".join((*words, word))
            self._add(self._values, (joined,), value, max(distance, SYNONYM))

    def _add_further(self, synonyms: Mapping[str, Iterable[str]], *, of_values: bool) -> None:
        for name, phrases in synonyms.items():
            if of_values != ("=" in name):
                continue
            for phrase in phrases:
                if of_values:
                    change = self._schema.parse_changes([name])[0]
                    a = self._schema.attribute_position(change.attribute)
                    v = self._schema.value_position(change.attribute, change.wanted)
                    self._add_synonym((a, v), self._words(phrase), INFLECTED)
                else:
                    a = self._schema.attribute_position(self._schema.find_attribute(name))
                    self._add(self._names, self._words(phrase), a, SYNONYM)

    def _find_nothing(self, a: int) -> int | None:
        """The value of an attribute that says there is none of it, such as "collarless"."""
        named = {self._stem(word) for word in self._name_words[a]}
        for v, value in enumerate(self._schema.attributes[a].values):
            words = self._words(value)
            if words in {("none",), ("no",), ("nothing",), ("ohne",), ("sans",), ("sin",)}:
                return v
            if self._concepts_of(a, [words]) & {"sleeveless", "solid"}:
                return v
            stems = self._stems(words)
            for name in named:
                if stems in {("no", name), ("without", name), (f"{name}less",), (f"{name}eless",)}:
                    return v
        return None

    def _find_offered(self) -> dict[Words, tuple[Value, ...]]:
        found = {}
        for phrase, concepts in self.lexicon.offered.items():
            values = [v for concept in concepts for v in self._values_of_concept(concept)]
            if values:
                found[phrase] = tuple(sorted(set(values)))
        return found

    def _values_of_concept(self, concept: str) -> list[Value]:
        return [
            (a, v)
            for a, attribute in enumerate(self._schema.attributes)
            for v, value in enumerate(attribute.values)
            if concept in self._concepts_of(a, self._own_phrases((a, v), self._words(value)))
        ]

    def _concepts_of(self, a: int, phrases: Iterable[Words]) -> frozenset[str]:
        attributes = self.concepts[a]
        none: frozenset[str] = frozenset()
        return none.union(*(_value_concepts(phrase, attributes) for phrase in phrases))


def concepts_of(kind: str, text: str, name: str = "") -> frozenset[str]:
    """The concepts of a name in a schema, as any language's lexicon knows them.

    Args:
        kind: "attributes" or "values".
        text: an attribute's name, or a value.
        name: of a value's attribute.
    """
    words = words_of(text)
    if kind == "attributes":
        return _attribute_concepts(words).union(*(_attribute_concepts((w,)) for w in words))
    without = tuple(word for word in words if word not in words_of(name))
    attributes = concepts_of("attributes", name)
    return _value_concepts(words, attributes) | _value_concepts(without or words, attributes)


def _attribute_concepts(words: Words) -> frozenset[str]:
    """The concepts of attributes that these words name in any language."""
    return _named_concepts("attributes", words)


def _value_concepts(words: Words, attributes: frozenset[str]) -> frozenset[str]:
    """The concepts of values that these words name in any language, of such attributes.

    A Spanish "jersey" is a sweater, an English one a fabric: the attribute decides.
    """
    domains = load_lexicon("en").domains
    known = attributes & set(domains.values())
    found = _named_concepts("values", words)
    return frozenset(c for c in found if not known or domains.get(c, "") in (*known, ""))


def _named_concepts(kind: str, words: Words) -> frozenset[str]:
    found: set[str] = set()
    for language in LANGUAGES:
        found |= _concept_index(language, kind).get(words, frozenset())
    found |= _concept_index("en", kind).get(tuple(map(stemmer("en"), words)), frozenset())
    return frozenset(found)


@cache
def _concept_index(language: str, kind: str) -> dict[Words, frozenset[str]]:
    lexicon = load_lexicon(language)
    listed = lexicon.attributes if kind == "attributes" else lexicon.values
    index: dict[Words, set[str]] = {}
    for concept, phrases in listed.items():
        for phrase in (*phrases, words_of(concept)):
            index.setdefault(phrase, set()).add(concept)
            if language == "en":
                index.setdefault(tuple(map(stemmer("en"), phrase)), set()).add(concept)
            if language == "de":  # as a schema's names are read in another language
                plain_umlauts = (w.replace("ae", "a").replace("oe", "o") for w in phrase)
                index.setdefault(tuple(w.replace("ue", "u") for w in plain_umlauts), set()).add(
                    concept
                )
    return {key: frozenset(concepts) for key, concepts in index.items()}
