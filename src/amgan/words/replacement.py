"""What is replaced, kept, or to be another: "blue instead of red", "keep the colour"."""

from __future__ import annotations

from collections.abc import Sequence

from amgan.words.marks import Mark
from amgan.words.negation import NegationReader
from amgan.words.nouns import Role
from amgan.words.walk import NEGATIONS, SKIPPED
from amgan.words.wishes import Fate, Wish


class ReplacementReader(NegationReader):
    """Reads what takes another's place, and what stays."""

    def _read_instead(self, place: int) -> int:
        """What is replaced: "blue instead of red"."""
        start = place
        place += 1
        while place < len(self._marks) and self._marks[place].does(*SKIPPED, "have", "copula"):
            place += 1
        if place >= len(self._marks) or not self._marks[place].is_content:
            self._wishes.tell(self._marks[start:place], Fate.LEFT)
            return place
        group, stop = self._group(place)
        known = all(mark.values or mark.names or mark.scales for mark in group)
        self._wishes.tell(self._marks[start:stop], Fate.USED if known else Fate.LEFT)
        return stop

    def _read_replaced(self, place: int) -> int:
        """Read "swap stripes for dots", "change the colour to blue"."""
        into = self._find_into(place)
        if into is None:
            return self._read_unreplaced(place)
        old = [mark for mark in self._marks[place + 1 : into] if mark.is_content]
        for mark in old:
            is_known = bool(mark.values or mark.names or mark.scales)
            is_known = is_known or self._nouns.role(mark) is Role.GARMENT
            self._wishes.tell((mark,), Fate.USED if is_known else Fate.LEFT)
        attributes = {a for mark in old for a in mark.names}
        attributes |= {a for mark in old for a, _ in mark.values}
        return self._read_new(into + 1, attributes)

    def _find_into(self, place: int) -> int | None:
        for at in range(place + 1, len(self._marks)):
            mark = self._marks[at]
            if mark.does("into"):
                return at
            if mark.is_break or mark.does("but", *NEGATIONS):
                return None
        return None

    def _read_new(self, place: int, attributes: set[int]) -> int:
        """The value that replaces another, which may leave out the attribute: "to long"."""
        while place < len(self._marks) and self._marks[place].does(*SKIPPED, "have"):
            place += 1
        if place >= len(self._marks) or not self._marks[place].is_content:
            return place
        group, stop = self._group(place)
        first = group[0]
        of_old = tuple(v for v in first.values if v[0] in attributes)
        if len(group) == 1 and of_old and not first.named:
            self._wishes.add(Wish("change", first, of_old))
            self._last = group
            return stop
        return self._read_group(place)

    def _read_unreplaced(self, place: int) -> int:
        """A verb of replacing without what comes instead: nothing but "turn it blue" is sure."""
        start = place
        place += 1
        while place < len(self._marks) and not self._marks[place].is_content:
            if not self._marks[place].does(*SKIPPED):
                self._wishes.tell(self._marks[start:place], Fate.LEFT)
                return place
            place += 1
        if place >= len(self._marks):
            self._wishes.tell(self._marks[start:place], Fate.LEFT)
            return place
        group, stop = self._group(place)
        is_new = place > start + 1 and self._marks[place - 1].does("filler")
        if is_new and not self._marks[place - 1].does("determiner"):
            return place
        self._wishes.tell((*self._marks[start:place], *group), Fate.LEFT)
        return stop

    def _read_from(self, place: int) -> int:
        """Read "from black to white": what was before is only told."""
        into = self._find_into(place)
        old = self._marks[place + 1 : into] if into is not None else ()
        if into is None or not all(m.values or m.names or m.functions for m in old) or not old:
            return place + 1
        self._wishes.tell(self._marks[place : into + 1], Fate.USED)
        return self._read_new(into + 1, {a for mark in old for a, _ in mark.values})

    def _read_kept(self, place: int) -> int:
        """Read "keep the colour and the sleeves", "the same colour", "same shirt"."""
        start = place
        is_it = False
        place += 1
        while place < len(self._marks) and not self._marks[place].is_content:
            mark = self._marks[place]
            if not mark.does(*SKIPPED, "keep"):
                break
            is_it = "it" in mark.words
            place += 1
        if place >= len(self._marks) or not self._marks[place].is_content:
            return self._keep_backwards(start, place)
        group, stop = self._group(place)
        if is_it:
            return place
        if len(group) == 1 and self._nouns.role(group[0]) is Role.GARMENT:
            self._keep_all(self._marks[start:stop])
            return stop
        self._keep(self._marks[start:place], group)
        while stop + 1 < len(self._marks) and self._marks[stop].does("connector"):
            after = stop + 1
            while after < len(self._marks) and self._marks[after].does("determiner"):
                after += 1
            if after >= len(self._marks) or not self._marks[after].is_content:
                break
            further, end = self._group(after)
            if not (len(further) == 1 and further[0].names):
                break
            self._keep(self._marks[stop:after], further)
            stop = end
        return stop

    def _keep(self, before: Sequence[Mark], group: Sequence[Mark]) -> None:
        names = set(group[0].names) or {a for a, _ in group[0].values}
        if len(group) > 1 or len(names) != 1:
            self._wishes.tell((*before, *group), Fate.LEFT)
            return
        self._wishes.tell(before, Fate.USED)
        self._wishes.add(Wish("keep", group[0], attribute=str(min(names))))

    def _keep_backwards(self, start: int, stop: int) -> int:
        """Read "the sleeves unchanged"; "the same" alone keeps all."""
        last = self._last[0] if len(self._last) == 1 else None
        is_name = last is not None and self._nouns.role(last) is Role.NAME
        if is_name and last is not None and last.stop <= self._marks[start].start:
            self._wishes.withdraw([last])
            self._keep((), [last])
            self._wishes.tell(self._marks[start:stop], Fate.USED)
        else:
            self._keep_all(self._marks[start:stop])
        return stop

    def _keep_all(self, marks: Sequence[Mark]) -> None:
        self._wishes.add(Wish("keep", marks[0], attribute="*"))
        self._wishes.tell(marks, Fate.USED)

    def _read_different(self, place: int) -> int:
        """Read "another colour": any but the reference's own."""
        after = place + 1
        while after < len(self._marks) and self._marks[after].does(*SKIPPED):
            after += 1
        group = self._group(after)[0] if self._is_content(after) else []
        if len(group) == 1 and len(group[0].names) == 1:
            self._wishes.add(Wish("other", group[0], attribute=str(min(group[0].names))))
            self._wishes.tell(self._marks[place:after], Fate.USED)
            self._last = group
            return after + 1
        is_part = bool(group) and self._nouns.role(group[-1]) is Role.NOUN
        # Whatever other garment is found, its print is another one.
        self._wishes.tell(self._marks[place : place + 1], Fate.DETAIL if is_part else Fate.LEFT)
        return after if is_part else place + 1
