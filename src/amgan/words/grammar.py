"""From marks to wishes: what is wanted, not wanted, replaced, compared or to be kept.

A sentence is walked from left to right. Words of grammar say what the group after them is: wanted
unless it is negated, replaced, kept or compared.
"""

from __future__ import annotations

from collections.abc import Callable

from amgan.words.comparison import ComparisonReader
from amgan.words.replacement import ReplacementReader
from amgan.words.walk import NEGATIONS


class Sentence(ReplacementReader, ComparisonReader):
    """Reads all marks of one text."""

    def read(self) -> None:
        """Read every mark."""
        handlers: tuple[tuple[tuple[str, ...], Callable[[int], int]], ...] = (
            (("unclear",), self._read_unclear),
            (("keep",), self._read_kept),
            (("different",), self._read_different),
            (("instead",), self._read_instead),
            (("postposed",), self._read_postposed),
            (NEGATIONS, self._read_negated),
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
