"""Fields of a catalogue in words: "under 30", "by Arrow", "size M"."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from amgan.words.lexicon import LANGUAGES, Lexicon, Words, load_lexicon
from amgan.words.text import Token, words_of

_MOST_VALUES = 50_000
_LONGEST_VALUE = 4


class FilterReader:
    """Reads what a text says of a catalogue's fields.

    Args:
        lexicon: of the language.
        fields: name -> what the field holds.
    """

    def __init__(self, lexicon: Lexicon, fields: Mapping[str, Collection[str]]) -> None:
        self._lexicon = lexicon
        self._cues: dict[Words, list[str]] = {}  # words that a field's value stands beside
        self._values: dict[str, dict[Words, list[str]]] = {}
        self._prices: list[str] = []
        for name, values in fields.items():
            self._add_field(name, values)
        self._longest_cue = max(map(len, self._cues), default=0)
        self._negations = {
            phrase[0]
            for phrase, kinds in lexicon.functions.items()
            if len(phrase) == 1 and kinds & {"negation", "never", "absence", "less"}
        }

    def _add_field(self, name: str, values: Collection[str]) -> None:
        concepts = {
            concept
            for language in LANGUAGES
            for concept in ("price", "brand", "size")
            if words_of(name) in load_lexicon(language).attributes.get(concept, ())
        }
        if "price" in concepts and all(_number(value) is not None for value in values if value):
            self._prices.append(name)
        cues = {words_of(name), *self._lexicon.filters["brand" if "brand" in concepts else "none"]}
        for concept in concepts:
            cues.update(self._lexicon.attributes.get(concept, ()))
        for cue in sorted(cue for cue in cues if cue):
            self._cues.setdefault(cue, []).append(name)
        index: dict[Words, list[str]] = {}
        for value in list(values)[:_MOST_VALUES]:
            words = words_of(value)
            if words:
                index.setdefault(words, []).append(value)
        self._values[name] = index

    def read(self, tokens: Sequence[Token]) -> tuple[dict[str, Any], set[int]]:
        """Filters, and the places of the tokens that say them."""
        words = [token.word for token in tokens]
        filters: dict[str, Any] = {}
        taken: set[int] = set()
        place = 0
        while place < len(words):
            stop = self._read_price(words, place, filters) or self._read_value(
                words, place, filters
            )
            if stop:
                taken.update(range(place, stop))
            place = stop or place + 1
        return filters, taken

    def _read_price(self, words: Sequence[str], place: int, filters: dict[str, Any]) -> int:
        """Where a price such as "under 30 euros" ends; 0 where none is at `place`."""
        if len(self._prices) != 1 or self._is_negated(words, place):
            return 0
        bounds = filters.get(self._prices[0], {})
        for side in ("max", "min"):
            for cue in self._lexicon.filters[side]:
                stop = place + len(cue)
                if tuple(words[place:stop]) != cue:
                    continue
                numbers, stop = self._numbers(words, stop)
                if numbers:
                    filters[self._prices[0]] = {**bounds, side: numbers[0]}
                    return stop
        for cue in self._lexicon.filters["between"]:
            stop = place + len(cue)
            if tuple(words[place:stop]) == cue:
                numbers, stop = self._numbers(words, stop, most=2)
                if len(numbers) == 2:
                    filters[self._prices[0]] = {"min": min(numbers), "max": max(numbers)}
                    return stop
        return 0

    def _numbers(self, words: Sequence[str], place: int, most: int = 1) -> tuple[list[float], int]:
        """Up to `most` numbers from `place` on, past currencies and "and", and where they end."""
        currencies = {word for phrase in self._lexicon.filters["currency"] for word in phrase}
        joints = {p[0] for p, kinds in self._lexicon.functions.items() if "connector" in kinds}
        numbers: list[float] = []
        while place < len(words):
            number = _number(words[place])
            if number is not None and len(numbers) < most:
                numbers.append(number)
            elif not (
                words[place] in currencies or (words[place] in joints and 0 < len(numbers) < most)
            ):
                break
            place += 1
        return numbers, place

    def _read_value(self, words: Sequence[str], place: int, filters: dict[str, Any]) -> int:
        """Where a field's value with its cue ends; 0 where none is at `place`."""
        if self._is_negated(words, place):
            return 0
        for length in range(self._longest_cue, 0, -1):
            cue = tuple(words[place : place + length])
            for name in self._cues.get(cue, ()):
                stop = self._take(words, place + length, name, filters)
                if stop:
                    return stop
        return 0

    def _take(self, words: Sequence[str], place: int, name: str, filters: dict[str, Any]) -> int:
        for stop in range(min(len(words), place + _LONGEST_VALUE), place, -1):
            values = self._values[name].get(tuple(words[place:stop]))
            if values:
                known = filters.setdefault(name, [])
                if not isinstance(known, list):
                    return 0
                known.extend(value for value in values if value not in known)
                return stop
        return 0

    def _is_negated(self, words: Sequence[str], place: int) -> bool:
        return any(word in self._negations for word in words[max(0, place - 2) : place])


def _number(text: str) -> float | None:
    try:
        return float(text.replace(",", "."))
    except ValueError:
        return None
