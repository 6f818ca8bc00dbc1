"""What is compared, and what is said more finely than a schema can hold."""

from __future__ import annotations

from collections.abc import Sequence

from amgan.words.marks import Mark
from amgan.words.naming import MEASURED
from amgan.words.negation import NegationReader
from amgan.words.nouns import Role
from amgan.words.walk import NEGATIONS, RESTARTS, SKIPPED
from amgan.words.wishes import Fate, Wish


class ComparisonReader(NegationReader):
    """Reads "more colourful", "less graphic", "than this one", "that says", "on the front"."""

    def _read_graded(self, place: int) -> int:
        """Read "more colourful", "less graphic", "too dark"."""
        start = place
        grade = 1 if self._marks[place].does("more") else -1
        is_more = grade > 0
        place += 1
        while place < len(self._marks) and not self._marks[place].is_content:
            if not self._marks[place].does(*SKIPPED):
                return start + 1
            place += 1
        if place >= len(self._marks):
            return start + 1
        before = self._marks[start:place]
        mark = self._marks[place]
        relative = self._graded(mark, grade)
        group, stop = self._group(place)
        if relative is not None and self._stands_alone(group):
            self._wishes.add(Wish("relative", mark, attribute=relative[0], sign=relative[1]))
            self._wishes.tell(before, Fate.USED)
            self._last = [mark]
            return place + 1
        if is_more:
            return self._read_more(before, group, place, stop)
        self._avoid(before, group, "avoid", False)
        return self._continue_negation(stop, group, "avoid", False)

    def _stands_alone(self, group: Sequence[Mark]) -> bool:
        following = [self._nouns.role(mark) for mark in group[1:]]
        return all(role in (Role.ADJECTIVE, Role.GARMENT, Role.NAMED) for role in following)

    def _read_more(self, before: Sequence[Mark], group: list[Mark], place: int, stop: int) -> int:
        """What is wanted more: a value, which is a change; of what is not known nothing is."""
        first = self._nouns.role(group[0])
        last = self._nouns.role(group[-1])
        if last is not Role.NOUN and first in (Role.THING, Role.UNKNOWN, Role.DETAIL, Role.NAME):
            self._wishes.tell((*before, group[0]), Fate.LEFT)
            return place if len(group) > 1 and first is Role.DETAIL else self._skip(group, stop)
        self._wishes.tell(before, Fate.USED)
        return self._read_group(place)

    def _skip(self, group: Sequence[Mark], stop: int) -> int:
        self._wishes.tell(group, Fate.LEFT)
        self._last = []
        return stop

    def _graded(self, mark: Mark, grade: int) -> tuple[str, int] | None:
        """What "more" or "less" before a mark compares, and the direction."""
        if mark.relative:
            return (mark.relative[0], grade * mark.relative[1]) if grade > 0 else None
        for scale in mark.scales:
            if scale.compares and grade < 0:
                return None
            attribute = self._nouns.compared(scale.name)
            if mark.named:
                named = {a for a, _ in mark.values} & set(self._ordered)
                attribute = self._ordered[min(named)] if len(named) == 1 else attribute
            if attribute is not None:
                return attribute, scale.sign * grade
        if not mark.values and len(mark.names) == 1:
            a = min(mark.names)
            if a in self._ordered:
                return self._ordered[a], grade
            if "colour" in self._vocabulary.concepts[a]:
                return MEASURED[1], grade
        return None

    def _read_than(self, place: int) -> int:
        """What something is compared with: "darker than this one"."""
        start = place
        while place < len(self._marks):
            mark = self._marks[place]
            if mark.is_break or (place > start and mark.does("but", "connector")):
                break
            place += 1
        self._wishes.tell(self._marks[start:place], Fate.DETAIL)
        return place

    def _read_said(self, place: int) -> int:
        """The words of a print: "text that says hello"."""
        start = place
        while place < len(self._marks):
            mark = self._marks[place]
            following = self._marks[place + 1] if place + 1 < len(self._marks) else None
            ends = (
                mark.does("connector")
                and following is not None
                and (
                    following.does(*RESTARTS, *NEGATIONS)
                    or following.named
                    or following.scale(True) is not None
                )
            )
            if mark.is_break or ends or (place > start and mark.does("but")):
                break
            place += 1
        is_print = bool(self._last) and self._is_pattern_noun(self._last[-1])
        self._wishes.tell(self._marks[start:place], Fate.DETAIL if is_print else Fate.LEFT)
        return place

    def _is_pattern_noun(self, mark: Mark) -> bool:
        return self._nouns.role(mark) is Role.NOUN and self._nouns.concept(mark, "pattern")

    def _read_place(self, place: int) -> int:
        """Read "on the front": a detail after a print; else it narrows the wish before it away."""
        start = place
        place += 1
        found = False
        while place < len(self._marks):
            mark = self._marks[place]
            is_it = mark.words == ("it",) and self._marks[start].words == ("on",)
            if mark.does("place") or is_it:
                found = True
            elif found or not mark.does("determiner", "degree", "of", "bridge", "place_before"):
                break
            place += 1
        if not found:
            return start + 1
        marks = self._marks[start:place]
        is_near = bool(self._last) and self._last[-1].stop <= marks[0].start
        if is_near and not any(m.is_break for m in self._since(self._last[-1], marks[0])):
            pattern = self._is_pattern_noun(self._last[-1])
            elsewhere = any(mark.names for mark in marks)
            if pattern and not elsewhere:
                self._wishes.tell(marks, Fate.DETAIL)
                return place
            if not any(mark.words == ("it",) for mark in marks):
                self._wishes.withdraw(self._last)
                self._last = []
                self._wishes.tell(marks, Fate.LEFT)
        return place

    def _since(self, mark: Mark, until: Mark) -> list[Mark]:
        return [m for m in self._marks if mark.stop <= m.start < until.start]
