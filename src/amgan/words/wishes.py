"""What is gathered while a text is read: wishes, and what became of every word."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum

from amgan.words.marks import Mark
from amgan.words.vocabulary import Value


class Fate(Enum):
    """What became of a word: grammar, part of a wish, a finer detail of one, or not understood."""

    FILLER = 0
    USED = 1
    DETAIL = 2
    LEFT = 3


@dataclass(frozen=True)
class Wish:
    """One wish and the mark that it was read from.

    Attributes:
        kind: "change", "avoid", "never", "relative", "keep" or "offer".
        values: for a change, what may be meant; for the others, what is avoided or offered.
        attribute: for a relative wish or one to keep.
        sign: of a relative wish.
    """

    kind: str
    mark: Mark
    values: tuple[Value, ...] = ()
    attribute: str = ""
    sign: int = 0


@dataclass
class Wishes:
    """The wishes of one text so far."""

    fates: list[Fate]
    found: list[Wish] = field(default_factory=list)

    def add(self, wish: Wish) -> None:
        """Note a wish, and its words as used."""
        self.found.append(wish)
        self.tell((wish.mark,), Fate.USED)

    def tell(self, marks: Iterable[Mark], fate: Fate) -> None:
        """Note what became of the words of some marks."""
        for mark in marks:
            for place in range(mark.start, mark.stop):
                self.fates[place] = fate

    def withdraw(self, marks: Sequence[Mark]) -> None:
        """Take back every wish read from these marks; their words are not understood."""
        taken = {mark.start for mark in marks}
        self.found = [wish for wish in self.found if wish.mark.start not in taken]
        self.tell(marks, Fate.LEFT)
