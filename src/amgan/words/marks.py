"""Marks: the phrases of a text, each with all that it may say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import product

from amgan.words.lexicon import ScaleWord, Words
from amgan.words.text import BREAKS, Token, plain
from amgan.words.vocabulary import NARROWER, Value, Vocabulary


@dataclass(frozen=True)
class Mark:
    """One phrase, from token `start` to before token `stop`.

    Attributes:
        words: as corrected.
        values: those that it names most surely.
        names: attributes that it names.
        functions: what it does in a sentence, such as "negation".
        scales: words of scales that it is.
        offered: values that it lies between.
        is_thing: a word for what a schema seldom knows.
        is_narrow: names something finer than its values: navy where the schema has blue.
        named: whether a value stands with its attribute's name.
        relative: an attribute, `lightness` or `vividness`, and the direction wanted.
    """

    start: int
    stop: int
    words: Words
    values: tuple[Value, ...] = ()
    names: frozenset[int] = frozenset()
    functions: frozenset[str] = frozenset()
    scales: tuple[ScaleWord, ...] = ()
    offered: tuple[Value, ...] = ()
    is_thing: bool = False
    is_narrow: bool = False
    named: bool = False
    relative: tuple[str, int] | None = None

    def does(self, *functions: str) -> bool:
        """Whether it does any of these."""
        return not self.functions.isdisjoint(functions)

    @property
    def is_break(self) -> bool:
        """Whether a clause ends here."""
        return len(self.words) == 1 and self.words[0] in BREAKS

    @property
    def is_content(self) -> bool:
        """Whether it is a value, an attribute, a thing or unknown, and no word of grammar."""
        return self.named or not (self.is_break or self.functions - {"place"})

    @property
    def is_unknown(self) -> bool:
        """Whether nothing is known of it."""
        known = self.values or self.names or self.scales or self.offered or self.relative
        return self.is_content and not known and not self.is_thing

    def scale(self, compares: bool) -> ScaleWord | None:
        """Its first scale word that compares, or that does not."""
        return next((word for word in self.scales if word.compares == compares), None)


@dataclass
class Marked:
    """The marks of a text in order, and the words that were corrected, by token."""

    marks: list[Mark]
    corrected: dict[int, str] = field(default_factory=dict)


def mark_text(tokens: Sequence[Token], vocabulary: Vocabulary) -> Marked:
    """Every phrase of a text, the longest from left to right."""
    return _Marker(tokens, vocabulary).run()


class _Marker:
    def __init__(self, tokens: Sequence[Token], vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._lexicon = vocabulary.lexicon
        self._written = [token.word for token in tokens]
        self._readings = [
            (w,) if w in BREAKS else vocabulary.speller.readings(w) for w in self._written
        ]
        longest = max((len(phrase) for phrase in self._lexicon.functions), default=1)
        self._longest = max(longest, vocabulary.longest)

    def run(self) -> Marked:
        marks, corrected = [], {}
        place = 0
        while place < len(self._written):
            mark = self._longest_from(place)
            for i in range(mark.start, mark.stop):
                if mark.words[i - place] != self._written[i]:
                    corrected[i] = mark.words[i - place]
            marks.append(mark)
            place = mark.stop
        return Marked(marks, corrected)

    def _longest_from(self, start: int) -> Mark:
        readings = self._readings[start : start + 2]
        longest = self._longest if self._vocabulary.may_start(readings) else 1
        for stop in range(min(len(self._written), start + longest), start, -1):
            mark = self._mark(start, stop)
            if mark is not None:
                return mark
        return Mark(start, start + 1, (self._written[start],))

    def _mark(self, start: int, stop: int) -> Mark | None:
        """What the words from `start` to `stop` say together, None where it is nothing."""
        readings = tuple(self._readings[start:stop])
        words = self._settled(readings)
        is_thing = len(words) == 1 and self._vocabulary.is_thing(words[0])
        values = {} if is_thing else self._vocabulary.values(readings)
        names = {} if is_thing else self._vocabulary.names(readings)
        if not words:
            if not values:
                return None
            return Mark(start, stop, tuple(self._written[start:stop]), _surest(values))
        ours = plain(words)
        scales = self._lexicon.scale_words.get(ours, ())
        functions = self._lexicon.functions.get(ours, frozenset())
        offered = self._vocabulary.offered(ours)
        if not (values or names or functions or scales or offered or is_thing):
            return None
        return Mark(
            start,
            stop,
            words,
            _surest(values),
            frozenset(names),
            functions,
            scales,
            () if values else offered,
            is_thing,
            bool(values) and min(values.values()) == NARROWER,
            self._vocabulary.is_named(words),
        )

    @staticmethod
    def _settled(readings: tuple[Words, ...]) -> Words:
        """The words where each has one reading, else nothing."""
        return next(product(*readings)) if all(len(r) == 1 for r in readings) else ()


def _surest(values: dict[Value, int]) -> tuple[Value, ...]:
    least = min(values.values(), default=0)
    return tuple(sorted(value for value, distance in values.items() if distance == least))
