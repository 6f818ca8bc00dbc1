"""From marks to wishes: what is wanted, not wanted, replaced, compared or to be kept.

A sentence is walked from left to right. Words of grammar say what the group after them is: wanted
unless it is negated, replaced, kept or compared. Whatever a negation reaches is never wanted, and
where it is not understood it is not avoided either.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from amgan.words.marks import Mark
from amgan.words.naming import MEASURED
from amgan.words.nouns import NounReader, Role
from amgan.words.vocabulary import Value, Vocabulary
from amgan.words.wishes import Fate, Wish, Wishes

_NEGATIONS = ("negation", "absence", "never")
_RESTARTS = ("have", "copula", "but", "more", "less", "keep", "replace", "than", "unclear")
_SKIPPED = ("determiner", "degree", "filler", "bridge", "of", "into")


class Sentence:
    """Reads the marks of one text.

    Args:
        marks: joined.
        nouns: reads groups of marks.
        vocabulary: of the schema.
        ordered: attribute position -> name, of those whose values have an order.
        wishes: are added to.
    """

    def __init__(
        self,
        marks: Sequence[Mark],
        nouns: NounReader,
        vocabulary: Vocabulary,
        ordered: dict[int, str],
        wishes: Wishes,
    ) -> None:
        self._marks = tuple(marks)
        self._nouns = nouns
        self._vocabulary = vocabulary
        self._ordered = ordered
        self._wishes = wishes
        self._last: list[Mark] = []  # the group read last
        self._clause_colour = False

    def read(self) -> None:
        """Read every mark."""
        handlers: tuple[tuple[tuple[str, ...], Callable[[int], int]], ...] = (
            (("unclear",), self._read_unclear),
            (("keep",), self._read_kept),
            (("different",), self._read_different),
            (("instead",), self._read_instead),
            (("postposed",), self._read_postposed),
            (_NEGATIONS, self._read_negated),
            (("replace",), self._read_replaced),
            (("from",), self._read_from),
            (("not_as", "too", "less", "more"), self._read_graded),
            (("than",), self._read_than),
            (("says",), self._read_said),
            (("place_before",), self._read_place),
        )
        place = 0
        while place < len(self._marks):
            mark = self._marks[place]
            if mark.is_content:
                place = self._read_group(place)
                continue
            handler = next((read for kinds, read in handlers if mark.does(*kinds)), None)
            before = place
            place = place + 1 if handler is None else handler(place)
            assert place > before
            if mark.is_break:
                self._clause_colour = False

    # --- groups -------------------------------------------------------------------------------

    def _group(self, start: int) -> tuple[list[Mark], int]:
        """The neighbouring marks from `start`, with colours that "and" joins, and where they end."""
        group = [self._marks[start]]
        place = start + 1
        while place < len(self._marks):
            mark = self._marks[place]
            if mark.is_content:
                group.append(mark)
                place += 1
            elif self._nouns.is_colour(group[-1]) and (after := self._joined_colour(place)):
                group.append(self._marks[after])
                place = after + 1
            else:
                break
        return group, place

    def _joined_colour(self, place: int) -> int:
        """Where the colour stands that is joined at `place`: "red, white and blue"; 0 for none."""
        mark = self._marks[place]
        after = place + 1
        if after >= len(self._marks) or not self._nouns.is_colour(self._marks[after]):
            return 0
        if mark.does("connector", "or"):
            return after
        is_listed = mark.words == (",",) and after + 1 < len(self._marks)
        return after if is_listed and self._joined_colour(after + 1) else 0

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

    def _is_subject(self, place: int, group: Sequence[Mark], stop: int) -> bool:
        """Whether a group is what the sentence is about: "the shirt is black"."""
        if len(group) != 1 or not self._nouns.is_garment(group[0]):
            return False
        if stop >= len(self._marks):
            return False
        following = self._marks[stop]
        is_verb = following.does("copula") or (
            following.does("have") and following.does("filler")
        )
        return is_verb and (place == 0 or not self._marks[place - 1].does("have"))

    def _is_all_but(self, place: int, group: Sequence[Mark], stop: int) -> bool:
        """Whether a group begins "any colour but black"."""
        is_any = place > 0 and self._marks[place - 1].does("any")
        is_name = len(group) == 1 and self._nouns.role(group[0]) is Role.NAME
        return is_any and is_name and stop < len(self._marks) and self._marks[stop].does("but")

    # --- not wanted ---------------------------------------------------------------------------

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
            if mark.does(*_NEGATIONS, "instead") and not self._is_doubled(start, place):
                return self._read_withheld(start)
            is_passed = mark.does(*_SKIPPED, "have", "copula", "negation", "place_before")
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
        return place == start + 1 or all(
            mark.does("filler", "have", "copula", "negation") for mark in self._marks[start:place]
        ) and self._marks[place].does("absence", "never") and not self._marks[start].does("absence")

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
                if mark.does("determiner") and is_or:
                    place += 1
                elif mark.does("or", "connector", *_NEGATIONS) and is_or and not mark.does("but"):
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
        if all(m.does(*_SKIPPED, "copula", "have") and not m.is_break for m in between):
            self._avoid(marks, negated, kind, False)
        else:
            self._wishes.tell(marks, Fate.LEFT)
        self._last = []
        return stop

    def _read_postposed(self, place: int) -> int:
        return self._read_backwards(place, place + 1, "avoid")

    # --- replaced and kept --------------------------------------------------------------------

    def _read_instead(self, place: int) -> int:
        """What is replaced: "blue instead of red"."""
        start = place
        place += 1
        while place < len(self._marks) and self._marks[place].does(*_SKIPPED, "have", "copula"):
            place += 1
        if place >= len(self._marks) or not self._marks[place].is_content:
            self._wishes.tell(self._marks[start:place], Fate.LEFT)
            return place
        group, stop = self._group(place)
        known = all(mark.values or mark.names or mark.scales for mark in group)
        self._wishes.tell(self._marks[start:stop], Fate.USED if known else Fate.LEFT)
        return stop

    def _read_replaced(self, place: int) -> int:
        """ "Swap stripes for dots", "change the colour to blue"."""
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
            if mark.is_break or mark.does("but", *_NEGATIONS):
                return None
        return None

    def _read_new(self, place: int, attributes: set[int]) -> int:
        """The value that replaces another, which may leave out the attribute: "to long"."""
        while place < len(self._marks) and self._marks[place].does(*_SKIPPED, "have"):
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
            if not self._marks[place].does(*_SKIPPED):
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
        """ "From black to white": what was before is only told."""
        into = self._find_into(place)
        old = self._marks[place + 1 : into] if into is not None else ()
        if into is None or not all(m.values or m.names or m.functions for m in old) or not old:
            return place + 1
        self._wishes.tell(self._marks[place : into + 1], Fate.USED)
        return self._read_new(into + 1, {a for mark in old for a, _ in mark.values})

    def _read_kept(self, place: int) -> int:
        """ "Keep the colour and the sleeves", "the same colour", "same shirt"."""
        start = place
        is_it = False
        place += 1
        while place < len(self._marks) and not self._marks[place].is_content:
            mark = self._marks[place]
            if not mark.does(*_SKIPPED, "keep"):
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
        names = {a for a in group[0].names} or {a for a, _ in group[0].values}
        if len(group) > 1 or len(names) != 1:
            self._wishes.tell((*before, *group), Fate.LEFT)
            return
        self._wishes.tell(before, Fate.USED)
        self._wishes.add(Wish("keep", group[0], attribute=str(min(names))))

    def _keep_backwards(self, start: int, stop: int) -> int:
        """ "The sleeves unchanged"; "the same" alone keeps all."""
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
        """ "Another colour": any but the reference's own."""
        after = place + 1
        while after < len(self._marks) and self._marks[after].does(*_SKIPPED):
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

    def _is_content(self, place: int) -> bool:
        return place < len(self._marks) and self._marks[place].is_content

    # --- compared -----------------------------------------------------------------------------

    def _read_graded(self, place: int) -> int:
        """ "More colourful", "less graphic", "too dark"."""
        start = place
        grade = 1 if self._marks[place].does("more") else -1
        is_more = grade > 0
        place += 1
        while place < len(self._marks) and not self._marks[place].is_content:
            if not self._marks[place].does(*_SKIPPED):
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

    # --- finer details ------------------------------------------------------------------------

    def _read_said(self, place: int) -> int:
        """The words of a print: "text that says hello"."""
        start = place
        while place < len(self._marks):
            mark = self._marks[place]
            following = self._marks[place + 1] if place + 1 < len(self._marks) else None
            ends = mark.does("connector") and following is not None and (
                following.does(*_RESTARTS, *_NEGATIONS) or following.named
                or following.scale(True) is not None
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
        """ "On the front" after a print is a detail; after anything else it narrows a wish away."""
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


def mark_values(marks: Sequence[Mark]) -> list[Value]:
    """Every value of some marks."""
    return [value for mark in marks for value in mark.values]
