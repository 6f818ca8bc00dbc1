"""Values and comparatives joined with the attribute that is named beside them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from amgan.words.lexicon import ScaleWord
from amgan.words.marks import Mark
from amgan.words.text import plain
from amgan.words.vocabulary import Vocabulary

MEASURED = ("lightness", "vividness")
_LONGEST_BRIDGE = 4
_BRIDGES = ("copula", "determiner", "degree", "bridge")
_STATED = ("length", "size", "height", "fit")  # scales that compare whatever order is stated


@dataclass(frozen=True)
class Orders:
    """The attributes whose values have an order.

    Attributes:
        names: attribute position -> its name.
        concepts: attribute position -> names under which lexicons know it.
    """

    names: Mapping[int, str]
    concepts: Sequence[Collection[str]]

    def scales_of(self, a: int, vocabulary: Vocabulary) -> set[str]:
        """Names of the scales that compare attribute `a`."""
        if a not in self.names:
            return set()
        known = {
            scale.name
            for scale in vocabulary.lexicon.scales.values()
            if not self._concepts(a).isdisjoint(scale.attributes)
        }
        return known - set(MEASURED) or set(_STATED)

    def bare(self, scale: str, vocabulary: Vocabulary) -> list[int]:
        """Attributes that words of a scale compare where none is named."""
        concepts = vocabulary.lexicon.scales[scale].bare
        return [a for a in self.names if not self._concepts(a).isdisjoint(concepts)]

    def _concepts(self, a: int) -> frozenset[str]:
        return frozenset(self.concepts[a])


class Joiner:
    """Joins the marks of texts in one language."""

    def __init__(self, vocabulary: Vocabulary, orders: Orders) -> None:
        self._vocabulary = vocabulary
        self._orders = orders
        self._nouns = {
            scale.name: scale.nouns
            for scale in vocabulary.lexicon.scales.values()
            if scale.name in MEASURED
        }

    def join(self, marks: Sequence[Mark]) -> list[Mark]:
        """Marks in which "round neck", "neck: round" and "longer sleeves" are one each."""
        joined: list[Mark] = []
        place = 0
        while place < len(marks):
            found = self._from(marks, place)
            if found is None:
                joined.append(marks[place])
                place += 1
            else:
                mark, place = found
                joined.append(mark)
        return joined

    def _from(self, marks: Sequence[Mark], place: int) -> tuple[Mark, int] | None:
        first = marks[place]
        if first.named or first.is_break:
            return None
        grade = 0
        between = 0
        for stop in range(place + 1, min(len(marks), place + _LONGEST_BRIDGE + 1)):
            second = marks[stop]
            graded = _grade(second)
            if graded and not second.values:
                grade = grade or graded
            elif second.is_content or (second.values and second.words[0] not in ("the", "a")):
                mark = self._pair(first, second, grade)
                if mark is not None:
                    return mark, stop + 1
                between += 1
                if not self._may_lie_between(first, second) or between > 2:
                    return None
            elif not second.does(*_BRIDGES) or second.does("into"):
                return None
        return None

    def _may_lie_between(self, first: Mark, second: Mark) -> bool:
        """Whether "flowing" may stand in "long flowing sleeves"."""
        scale = first.scale(True) or first.scale(False)
        is_length = scale is not None and scale.name not in MEASURED
        return is_length and not (second.is_thing or second.names or second.named)

    def _pair(self, first: Mark, second: Mark, grade: int) -> Mark | None:
        for value, name in ((first, second), (second, first)):
            mark = self._named(value, name, first, second, grade)
            if mark is not None:
                return mark
        return None

    def _named(self, value: Mark, name: Mark, first: Mark, second: Mark, grade: int) -> Mark | None:
        span = replace(
            value, start=first.start, stop=second.stop, functions=frozenset(), named=True
        )
        shared = tuple(v for v in value.values if v[0] in name.names)
        compared = self._compared(value, name, grade)
        if compared is not None:
            return replace(span, relative=compared, values=())
        if shared and not grade and not (name is first and name.values):
            return replace(span, values=shared, names=frozenset())
        for scale in value.scales:
            if plain(name.words) in self._nouns.get(scale.name, ()):
                relative = (scale.name, scale.sign) if scale.compares else None
                if grade:
                    relative = (scale.name, scale.sign * grade)
                if relative:
                    return replace(span, relative=relative, values=())
                if value.values:
                    return replace(span, named=False)
                return replace(span, relative=(scale.name, scale.sign))
        return None

    def _compared(self, value: Mark, name: Mark, grade: int) -> tuple[str, int] | None:
        for a in sorted(name.names):
            scales = self._orders.scales_of(a, self._vocabulary)
            for scale in value.scales:
                if scale.name in scales and (scale.compares or grade):
                    return self._orders.names[a], _direction(scale, grade)
        return None


def _direction(scale: ScaleWord, grade: int) -> int:
    return scale.sign if not grade else scale.sign * grade


def _grade(mark: Mark) -> int:
    """+1 for more, -1 for less, too and not as, else 0."""
    if mark.does("less", "too", "not_as"):
        return -1
    return 1 if mark.does("more") else 0
