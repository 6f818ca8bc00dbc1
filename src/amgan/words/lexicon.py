"""The words of one language, read from its file in `languages`."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import resources
from typing import Any

from amgan.errors import InputError
from amgan.words.text import plain, words_of

Words = tuple[str, ...]
LANGUAGES = ("en", "de", "fr", "es")
# What a phrase may do in a sentence; one may do several things.
FUNCTIONS = (
    *("never", "unclear", "keep", "different", "instead", "absence", "negation", "postposed"),
    *("not_as", "too", "less", "more", "replace", "into", "from", "than", "says"),
    *("or", "but", "connector", "have", "any", "determiner", "copula", "bridge", "degree"),
    *("place_before", "place", "of", "filler"),
)


@dataclass(frozen=True)
class ScaleWord:
    """A word on a scale: its direction, and whether it compares ("longer") or not ("long")."""

    name: str
    sign: int
    compares: bool


@dataclass(frozen=True)
class Scale:
    """Words along one scale: more and less of it, and being high or low on it.

    Attributes:
        attributes: concepts of attributes that the words compare when they stand beside them.
        bare: those that they compare without being named.
        nouns: words for what is measured, such as "tone" for lightness.
        directions: word -> +1 or -1 for comparatives.
        degrees: word -> +1 or -1 for plain adjectives.
    """

    name: str
    attributes: tuple[str, ...]
    bare: tuple[str, ...]
    nouns: frozenset[Words]
    directions: Mapping[Words, int]
    degrees: Mapping[Words, int]


@dataclass(frozen=True)
class Lexicon:
    """The words of one language.

    Attributes:
        functions: phrase -> names of what it does in a sentence.
        scales: by name.
        things: words for what a schema seldom knows, such as buttons.
        nouns: words for parts of a garment, such as stripes: "white stripes" is not white.
        garments: words for garments, which a sentence may be about.
        adjectives: endings of adjectives.
        follows: whether adjectives follow their noun.
        attributes, values: phrases for each concept, which is named in English.
        alike: further phrases for a value, which a schema does not use to name it.
        narrower: phrases read as a broader value where the schema does not have them.
        offered: phrases between several values.
        compounds: whether words are written together, as in German.
        filters: cues of prices and brands.
        domains: the concept of the attribute that each concept of a value belongs to; in English.
    """

    language: str
    functions: Mapping[Words, frozenset[str]]
    scales: Mapping[str, Scale]
    things: frozenset[str]
    nouns: frozenset[str]
    garments: frozenset[Words]
    adjectives: tuple[str, ...]
    follows: bool
    attributes: Mapping[str, tuple[Words, ...]]
    values: Mapping[str, tuple[Words, ...]]
    alike: Mapping[str, tuple[Words, ...]]
    narrower: Mapping[str, tuple[Words, ...]]
    offered: Mapping[Words, tuple[str, ...]]
    compounds: bool
    filters: Mapping[str, tuple[Words, ...]]
    domains: Mapping[str, str]

    @cached_property
    def scale_words(self) -> dict[Words, tuple[ScaleWord, ...]]:
        """What each phrase is on the scales."""
        found: dict[Words, tuple[ScaleWord, ...]] = {}
        for scale in self.scales.values():
            for signs, compares in ((scale.directions, True), (scale.degrees, False)):
                for phrase, sign in signs.items():
                    word = ScaleWord(scale.name, sign, compares)
                    found[phrase] = (*found.get(phrase, ()), word)
        return found

    @property
    def known_words(self) -> set[str]:
        """Every single word of function phrases, scales and things."""
        known = {word for phrase in self.functions for word in phrase}
        for scale in self.scales.values():
            known |= {w for phrase in (*scale.directions, *scale.degrees) for w in phrase}
        return known | self.things


def load_lexicon(language: str) -> Lexicon:
    """The words of a language.

    Raises:
        ValueError: no such language.
    """
    short = language.casefold().replace("_", "-").partition("-")[0]
    if short not in LANGUAGES:
        raise InputError(
            f"no words for language {language!r}; choose one of {', '.join(LANGUAGES)}",
            field="language",
        )
    return _load(short)


@cache
def _load(language: str) -> Lexicon:
    file = resources.files("amgan.words") / "languages" / f"{language}.toml"
    data = tomllib.loads(file.read_text("utf-8"))
    functions: dict[Words, set[str]] = {}
    for name in FUNCTIONS:
        for phrase in _phrases(data["function"].get(name, ""), language):
            functions.setdefault(phrase, set()).add(name)
    return Lexicon(
        language,
        {phrase: frozenset(names) for phrase, names in functions.items()},
        {name: _scale(name, given, language) for name, given in data["scale"].items()},
        frozenset(w for p in _phrases(data["things"]["words"], language) for w in p),
        frozenset(w for p in _phrases(data["nouns"]["words"], language) for w in p),
        frozenset(_phrases(data["garments"]["words"], language)),
        tuple(data["grammar"]["adjectives"].split()),
        bool(data["grammar"]["adjectives_follow"]),
        _listed(data["attributes"], language),
        _listed(data["values"], language),
        _listed(data["alike"], language),
        _listed(data["narrower"], language),
        {words_of(k, language): tuple(v) for k, v in data.get("offered", {}).items()},
        bool(data["grammar"]["compounds"]),
        {name: tuple(_phrases(text, language)) for name, text in data["filters"].items()},
        {c: domain for domain, text in data.get("domains", {}).items() for c in text},
    )


def _phrases(text: str, language: str) -> list[Words]:
    return [plain(words_of(entry, language)) for entry in text.split()]


def _listed(given: Mapping[str, Iterable[str]], language: str) -> dict[str, tuple[Words, ...]]:
    return {
        concept: tuple(dict.fromkeys(words_of(phrase, language) for phrase in phrases))
        for concept, phrases in given.items()
    }


def _scale(name: str, given: Mapping[str, Any], language: str) -> Scale:
    def signed(plus: str, minus: str) -> dict[Words, int]:
        found = dict.fromkeys(_phrases(given.get(plus, ""), language), 1)
        return found | dict.fromkeys(_phrases(given.get(minus, ""), language), -1)

    return Scale(
        name,
        tuple(given.get("attributes", ())),
        tuple(given.get("bare", ())),
        frozenset(_phrases(given.get("nouns", ""), language)),
        signed("more", "less"),
        signed("high", "low"),
    )
