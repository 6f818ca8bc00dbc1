"""Phrases in a row of words: what could be meant where, and the choice that covers most words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from amgan.words.language import ABSENCES, BREAKS, BRIDGES, CONNECTORS, FILLERS, NEGATIONS
from amgan.words.vocabulary import SYNONYM, Value, Vocabulary

_LONGEST_BRIDGE = 3
_LONGEST_NEGATION = 5
# Covered words count most, then how few phrases cover them, how sure these are, and their form.
_COVERED, _PHRASE, _DISTANCE, _NEGATED = 1000, 80, 10, 400


@dataclass(frozen=True)
class Unit:
    """A phrase from word `start` to before word `stop`.

    Attributes:
        start, stop: where it lies.
        values: what it may name; nothing where it is negated.
        score: what it is worth in the choice.
        is_bare: a value without its attribute's name.
    """

    start: int
    stop: int
    values: tuple[Value, ...]
    score: int
    is_bare: bool = False


@dataclass(frozen=True)
class _Span:
    stop: int
    values: Mapping[Value, int]
    names: Mapping[int, int]


class Phrases:
    """The phrases of one text."""

    def __init__(self, words: Sequence[str], vocabulary: Vocabulary) -> None:
        self._words = tuple(words)
        self._vocabulary = vocabulary
        self._spans = [self._spans_from(start) for start in range(len(self._words))]

    def best_units(self) -> list[Unit]:
        """The units that name values, in order, of the best choice without overlaps."""
        n = len(self._words)
        best: list[tuple[int, Unit | None]] = [(0, None)] * (n + 1)
        for start in reversed(range(n)):
            best[start] = (best[start + 1][0], None)
            for unit in self._units_from(start):
                score = unit.score + best[unit.stop][0]
                if score > best[start][0]:
                    best[start] = (score, unit)
        units = []
        place = 0
        while place < n:
            chosen = best[place][1]
            place = place + 1 if chosen is None else chosen.stop
            if chosen is not None:
                units.append(chosen)
        return [unit for unit in units if unit.values and not self._is_contradicted(unit, units)]

    def left_over(self, units: Sequence[Unit]) -> Iterator[tuple[int, int]]:
        """Runs of words, from start to before stop, that no unit covers and that say something."""
        taken = {place for unit in units for place in range(unit.start, unit.stop)}
        run: list[int] = []
        for place in range(len(self._words) + 1):
            is_end = place == len(self._words) or place in taken
            if is_end or self._words[place] in BREAKS | CONNECTORS:
                while run and self._words[run[-1]] in FILLERS:
                    run.pop()
                if run:
                    yield run[0], run[-1] + 1
                run = []
            elif run or self._words[place] not in FILLERS or self._is_negation(place):
                run.append(place)

    def _spans_from(self, start: int) -> list[_Span]:
        """Everything that words from `start` on may name."""
        spans = []
        for stop in range(start + 1, min(len(self._words), start + self._vocabulary.longest) + 1):
            words = self._words[start:stop]
            values, names = self._vocabulary.values(words), self._vocabulary.names(words)
            if values or names:
                spans.append(_Span(stop, values, names))
        return spans

    def _units_from(self, start: int) -> Iterator[Unit]:
        yield from self._bare_units(start)
        yield from self._named_units(start)
        if self._words[start] in ABSENCES:
            yield from self._absent_units(start)
        if self._is_negation(start):
            yield from self._negated_units(start)

    def _bare_units(self, start: int) -> Iterator[Unit]:
        for span in self._spans[start]:
            words = self._words[start : span.stop]
            if span.values and not set(words) <= FILLERS | NEGATIONS:
                yield _unit(start, span.stop, len(words), span.values, -1, is_bare=True)

    def _named_units(self, start: int) -> Iterator[Unit]:
        """A value and its attribute in either order: "round neck", "neck: round"."""
        for first in self._spans[start]:
            for between in self._bridged(first.stop):
                for second in self._spans[between]:
                    covered = first.stop - start + second.stop - between
                    for span, names, form in ((first, second, 4), (second, first, 3)):
                        joint = {
                            value: distance + names.names[value[0]]
                            for value, distance in span.values.items()
                            if value[0] in names.names
                        }
                        if joint:
                            yield _unit(start, second.stop, covered, joint, form)

    def _absent_units(self, start: int) -> Iterator[Unit]:
        """The absence of an attribute, "no collar", where it has a value for that."""
        for between in self._bridged(start + 1):
            for span in self._spans[between]:
                absent = {
                    (a, value): distance + SYNONYM
                    for a, distance in span.names.items()
                    if (value := self._vocabulary.nothing[a]) is not None
                }
                if absent:
                    yield _unit(start, span.stop, span.stop - start, absent, 4)

    def _negated_units(self, start: int) -> Iterator[Unit]:
        """A negation up to the end of the first phrase after it: "no collar", "not very black"."""
        for place in range(start + 1, min(len(self._words), start + 1 + _LONGEST_NEGATION)):
            if self._words[place] in BREAKS | CONNECTORS:
                return
            named = [unit.stop for unit in (*self._bare_units(place), *self._named_units(place))]
            stops = named + [span.stop for span in self._spans[place] if span.names]
            if stops:
                stop = max(stops)
                yield Unit(start, stop, (), _COVERED * (stop - start) - _NEGATED)
                return

    def _bridged(self, place: int) -> Iterator[int]:
        """`place` and the places after it that only words such as "is" or "in" lie before."""
        for end in range(place, min(len(self._words), place + _LONGEST_BRIDGE + 1)):
            yield end
            if self._words[end] not in BRIDGES:
                return

    def _is_negation(self, place: int) -> bool:
        word = self._words[place]
        is_instead_of = self._words[place : place + 2] == ("instead", "of")
        return word in NEGATIONS or word.endswith(("n't", "n’t")) or is_instead_of

    def _is_contradicted(self, unit: Unit, units: Sequence[Unit]) -> bool:
        """Whether another attribute's name stands free beside a bare value: "round sleeve".

        An adjective such as "patterned" is no name in this sense.
        """
        if not unit.is_bare:
            return False
        taken = {place for other in units for place in range(other.start, other.stop)}
        beside = [(unit.stop, span) for span in self._spans_at(unit.stop)]
        beside += self._ending_at[unit.start]
        attributes = {a for a, _ in unit.values}
        return any(
            not attributes & {a for a, distance in span.names.items() if distance <= SYNONYM}
            for start, span in beside
            if any(distance <= SYNONYM for distance in span.names.values())
            and not taken & set(range(start, span.stop))
            and not self._words[span.stop - 1].endswith("ed")
        )

    def _spans_at(self, place: int) -> list[_Span]:
        return self._spans[place] if place < len(self._spans) else []

    @cached_property
    def _ending_at(self) -> list[list[tuple[int, _Span]]]:
        ending: list[list[tuple[int, _Span]]] = [[] for _ in range(len(self._words) + 1)]
        for start, spans in enumerate(self._spans):
            for span in spans:
                ending[span.stop].append((start, span))
        return ending


def _unit(
    start: int,
    stop: int,
    covered: int,
    values: Mapping[Value, int],
    form: int,
    *,
    is_bare: bool = False,
) -> Unit:
    """A unit of the values that are surest."""
    least = min(values.values())
    surest = tuple(sorted(value for value, distance in values.items() if distance == least))
    return Unit(
        start, stop, surest, _COVERED * covered - _PHRASE - _DISTANCE * least + form, is_bare
    )
