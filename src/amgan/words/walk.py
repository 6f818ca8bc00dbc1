"""A walk over the marks of a text, and the groups of neighbouring marks on its way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from amgan.words.marks import Mark
from amgan.words.nouns import NounReader
from amgan.words.vocabulary import Vocabulary
from amgan.words.wishes import Wishes

NEGATIONS = ("negation", "absence", "never")
RESTARTS = ("have", "copula", "but", "more", "less", "keep", "replace", "than", "unclear")
SKIPPED = ("determiner", "degree", "filler", "bridge", "of", "into")


class Walk:
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
        ordered: Mapping[int, str],
        wishes: Wishes,
    ) -> None:
        self._marks = tuple(marks)
        self._nouns = nouns
        self._vocabulary = vocabulary
        self._ordered = ordered
        self._wishes = wishes
        self._last: list[Mark] = []  # the group read last
        self._clause_colour = False

    def _group(self, start: int) -> tuple[list[Mark], int]:
        """The neighbouring marks from `start`, colours joined by "and" too, and where they end."""
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

    def _is_subject(self, place: int, group: Sequence[Mark], stop: int) -> bool:
        """Whether a group is what the sentence is about: "the shirt is black"."""
        if len(group) != 1 or not self._nouns.is_garment(group[0]):
            return False
        if stop >= len(self._marks):
            return False
        following = self._marks[stop]
        is_verb = following.does("copula") or (following.does("have") and following.does("filler"))
        return is_verb and (place == 0 or not self._marks[place - 1].does("have"))

    def _is_content(self, place: int) -> bool:
        return place < len(self._marks) and self._marks[place].is_content
