"""What is not wanted: "no stripes", "anything but black", "the hood has to go".

Whatever a negation reaches is never wanted; where it is not understood, it is not avoided either.
"""

from __future__ import annotations

from collections.abc import Sequence

from amgan.words.marks import Mark
from amgan.words.nouns import Role
from amgan.words.walk import NEGATIONS, SKIPPED, Walk
from amgan.words.wishes import Fate, Wish


class NegationReader(Walk):
    """Reads groups of marks, wanted or not."""

    def _read_group(self, place: int) -> int:
        group, stop = self._group(place)
        if self._is_subject(place, group, stop):
            return stop
        if self._is_all_but(place, group, stop):
            self._wishes.tell(group, Fate.USED)
            return self._read_negated(stop)
        colours = [mark for mark in group if self._nouns.is_colour(mark)]
        before = self._marks[place - 1] if place else None
        is_with = before is not None and before.does("have") and self._clause_colour
        self._nouns.read(group, self._wishes, are_details=is_with and len(colours) == len(group))
        self._clause_colour = self._clause_colour or bool(colours)
        self._last = group
        return stop

    def _is_all_but(self, place: int, group: Sequence[Mark], stop: int) -> bool:
        """Whether a group begins "any colour but black"."""
        is_any = place > 0 and self._marks[place - 1].does("any")
        is_name = len(group) == 1 and self._nouns.role(group[0]) is Role.NAME
        return is_any and is_name and stop < len(self._marks) and self._marks[stop].does("but")

    def _read_negated(self, place: int) -> int:
        start = place
        kind = "never" if self._marks[place].does("never") else "avoid"
        is_absence = self._marks[place].does("absence")
        place += 1
        while place < len(self._marks):  # "I never want no ...", "no , black"
            mark = self._marks[place]
            if mark.is_content:
                break
            if mark.does("never"):
                kind = "never"
            if mark.does("keep", "not_as", "too"):
                self._wishes.tell(self._marks[start:place], Fate.LEFT)
                return self._read_withheld(place)
            if mark.does("replace"):
                self._wishes.tell(self._marks[start : place + 1], Fate.LEFT)
                return self._read_withheld(place)
            if mark.does(*NEGATIONS, "instead") and not self._is_doubled(start, place):
                return self._read_withheld(start)
            is_passed = mark.does(*SKIPPED, "have", "copula", "negation", "place_before")
            if not is_passed and not (mark.words == (",",) and place == start + 1):
                break
            is_absence = is_absence or mark.does("absence")
            place += 1
        if place >= len(self._marks) or not self._marks[place].is_content:
            return self._read_backwards(start, place, kind)
        marks = self._marks[start:place]
        if any(mark.words == (",",) for mark in marks):
            return self._read_withheld(start)
        group, stop = self._group(place)
        self._avoid(marks, group, kind, is_absence)
        return self._continue_negation(stop, group, kind, is_absence)

    def _is_doubled(self, start: int, place: int) -> bool:
        """Whether two negations say one thing: "don't want no", "never any without" does not."""
        return place == start + 1 or (
            all(
                mark.does("filler", "have", "copula", "negation")
                for mark in self._marks[start:place]
            )
            and self._marks[place].does("absence", "never")
            and not self._marks[start].does("absence")
        )

    def _avoid(
        self, before: Sequence[Mark], group: Sequence[Mark], kind: str, is_absence: bool
    ) -> None:
        """What a negated group says: one value to avoid, an attribute to be absent, or nothing."""
        values = [mark for mark in group if mark.values and not mark.relative]
        mark = values[0] if len(values) == 1 else None
        role = self._nouns.role(group[0])
        if len(group) == 1 and role is Role.NAME and is_absence:
            absent = tuple(
                (a, v) for a in group[0].names if (v := self._vocabulary.nothing[a]) is not None
            )
            if len(absent) == 1:
                self._wishes.add(Wish("change", group[0], absent))
                self._wishes.tell(before, Fate.USED)
                self._last = list(group)
                return
        is_list = len(group) > 1 and all(self._nouns.is_colour(m) and m.values for m in group)
        if is_list or (mark is not None and len(group) == 1):
            known = [self._avoid_one(one, kind) for one in group]
            self._wishes.tell(before, Fate.USED if any(known) else Fate.LEFT)
        else:
            self._wishes.tell((*before, *group), Fate.LEFT)
        self._last = list(group)

    def _avoid_one(self, mark: Mark, kind: str) -> bool:
        """Avoid what a mark names; False where it names something finer, or is not sure."""
        if not mark.values or mark.is_narrow or self._nouns.wish(mark) is None:
            self._wishes.tell((mark,), Fate.LEFT)
            return False
        self._wishes.add(Wish(kind, mark, mark.values))
        return True

    def _continue_negation(
        self, place: int, group: Sequence[Mark], kind: str, is_absence: bool
    ) -> int:
        """Whatever "or", "and" or a comma joins to what is negated."""
        while place + 1 < len(self._marks):
            joint = self._marks[place]
            is_comma = joint.words == (",",)
            if not (joint.does("or", "connector") or is_comma):
                return place
            start = place
            place += 1
            is_or = joint.does("or")
            while place < len(self._marks) and not self._marks[place].is_content:
                mark = self._marks[place]
                is_or = is_or or mark.does("or")
                passes = mark.does("determiner", "or", "connector", *NEGATIONS)
                if is_or and passes and not mark.does("but"):
                    place += 1
                else:
                    return start
            if place >= len(self._marks):
                return start
            following, stop = self._group(place)
            if not is_or and is_comma:
                is_or = self._ends_in_or(stop)
            if is_or:
                self._avoid(self._marks[start:place], following, kind, is_absence)
            elif self._is_fresh(following, group):
                return start
            elif self._same_attribute(following, group) and not is_comma:
                self._avoid(self._marks[start:place], following, kind, is_absence)
            else:
                self._wishes.tell((*self._marks[start:place], *following), Fate.LEFT)
                self._last = []
            place = stop
        return place

    def _ends_in_or(self, place: int) -> bool:
        """Whether a list without verbs goes on from `place` and ends in "or"."""
        while place < len(self._marks):
            mark = self._marks[place]
            if mark.does("or"):
                return True
            if not (mark.is_content or mark.words == (",",) or mark.does("determiner")):
                return False
            place += 1
        return False

    def _is_fresh(self, following: Sequence[Mark], negated: Sequence[Mark]) -> bool:
        """Whether a group after "no collar and" is a wish of its own: "long sleeves", "black"."""
        if self._same_attribute(following, negated):
            return False
        first = following[0]
        if self._nouns.role(following[-1]) in (Role.NAMED, Role.GARMENT):
            return True
        is_adjective = self._nouns.role(first) is Role.ADJECTIVE
        return is_adjective and all(self._nouns.role(m) is Role.ADJECTIVE for m in following)

    @staticmethod
    def _same_attribute(group: Sequence[Mark], other: Sequence[Mark]) -> bool:
        attributes = {a for mark in other for a, _ in mark.values}
        return bool(attributes & {a for mark in group for a, _ in mark.values})

    def _read_withheld(self, place: int) -> int:
        """Nothing up to the end of the clause is applied: what a negation does there is unclear."""
        start = place
        while place < len(self._marks) and not (
            self._marks[place].is_break or self._marks[place].does("but")
        ):
            place += 1
        self._wishes.tell(self._marks[start:place], Fate.LEFT)
        self._last = []
        return max(place, start + 1)

    _read_unclear = _read_withheld

    def _read_backwards(self, start: int, stop: int, kind: str) -> int:
        """A negation with nothing after it reaches back: "stripes I do not like"."""
        negated = self._last
        marks = self._marks[start:stop]
        if not negated or not any(mark.start >= negated[-1].stop for mark in marks):
            self._wishes.tell(marks, Fate.LEFT)
            return stop
        between = [m for m in self._marks if negated[-1].stop <= m.start < marks[0].start]
        self._wishes.withdraw(negated)
        if all(m.does(*SKIPPED, "copula", "have") and not m.is_break for m in between):
            self._avoid(marks, negated, kind, False)
        else:
            self._wishes.tell(marks, Fate.LEFT)
        self._last = []
        return stop

    def _read_postposed(self, place: int) -> int:
        return self._read_backwards(place, place + 1, "avoid")
