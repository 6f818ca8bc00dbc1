"""Groups of words without any grammar between them, such as "navy t-shirt with a white logo" has.

In "white logo" the colour is the logo's, in "white logo shirt" it is the shirt's: which noun a word
belongs to decides whether it is a wish about the garment, a finer detail of one, or neither.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

from amgan.words.marks import Mark
from amgan.words.naming import MEASURED, Orders
from amgan.words.text import plain
from amgan.words.vocabulary import Vocabulary
from amgan.words.wishes import Fate, Wish, Wishes


class Role(Enum):
    """What a mark is in a group of words."""

    ADJECTIVE = "of the garment or of a part: black, striped, lighter"
    NOUN = "a value that is a part: stripes, logo, hood"
    NAMED = "a value with its attribute: long sleeves"
    GARMENT = "the garment itself: shirt"
    THING = "a part or garment that the schema does not know: buttons, skirt"
    NAME = "an attribute alone: sleeves"
    UNKNOWN = "a word that is not known"
    DETAIL = "a word that is not known, and an adjective by its ending"


class NounReader:
    """Reads groups of words into wishes.

    Args:
        vocabulary: of the schema.
        orders: attributes whose values have an order.
    """

    def __init__(self, vocabulary: Vocabulary, orders: Orders) -> None:
        self._vocabulary = vocabulary
        self._lexicon = vocabulary.lexicon
        self._orders = orders

    def concept(self, mark: Mark, *concepts: str) -> bool:
        """Whether all values of a mark are of attributes of these concepts."""
        known = self._vocabulary.concepts
        return bool(mark.values) and all(not known[a].isdisjoint(concepts) for a, _ in mark.values)

    def is_colour(self, mark: Mark) -> bool:
        """Whether a mark is a colour, or lies between some."""
        return (self.concept(mark, "colour") or bool(mark.offered)) and not mark.named

    def role(self, mark: Mark) -> Role:
        """What a mark is in its group."""
        if mark.named or (mark.relative and mark.relative[0] not in MEASURED):
            return Role.NAMED
        if mark.is_thing:
            return Role.THING
        if mark.is_unknown:
            is_adjective = mark.words[-1].endswith(self._lexicon.adjectives)
            return Role.DETAIL if is_adjective and len(mark.words[-1]) > 4 else Role.UNKNOWN
        if mark.values and self.concept(mark, "category"):
            return Role.GARMENT
        if mark.values or mark.scales or mark.offered or mark.relative:
            is_noun = mark.words[-1] in self._lexicon.nouns
            return Role.NOUN if is_noun else Role.ADJECTIVE
        is_adjective = mark.words[-1].endswith(self._lexicon.adjectives)
        is_noun = mark.words[-1] in self._lexicon.nouns or not is_adjective
        return Role.NAME if is_noun or self._lexicon.follows else Role.DETAIL  # "patterned"

    def is_garment(self, mark: Mark) -> bool:
        """Whether a mark is a garment, of the schema or not."""
        return self.role(mark) is Role.GARMENT or plain(mark.words) in self._lexicon.garments

    def read(self, group: Sequence[Mark], wishes: Wishes, *, are_details: bool = False) -> None:
        """Add the wishes of a group.

        Args:
            group: neighbouring marks.
            wishes: are added to.
            are_details: the group's colours are a detail: "black with red".
        """
        roles = [self.role(mark) for mark in group]
        for place, mark in enumerate(group):
            owner = self._owner(group, roles, place)
            if are_details and self.is_colour(mark) and owner is None:
                wishes.tell((mark,), Fate.DETAIL)
            elif roles[place] in (Role.ADJECTIVE, Role.UNKNOWN, Role.DETAIL, Role.THING):
                self._read_adjective(mark, roles[place], owner, wishes)
            else:
                is_first = Role.ADJECTIVE not in roles
                self._read_noun(mark, roles[place], owner, wishes, is_first=is_first)

    def _owner(self, group: Sequence[Mark], roles: Sequence[Role], place: int) -> Role | None:
        """The role of the noun that a word belongs to; None where it is the garment."""
        after = roles[place + 1 :]
        if roles[place] in (Role.NAMED, Role.GARMENT) or Role.GARMENT in after:
            return self._owner_before(group, roles, place) if Role.GARMENT not in after else None
        for following, role in zip(group[place + 1 :], after, strict=True):
            if role in (Role.ADJECTIVE, Role.DETAIL):
                covers = self.concept(following, "pattern") and self._several_colours(group, place)
                if covers and self.is_colour(group[place]):
                    return Role.NOUN
                continue
            if role is Role.NAMED and roles[place] is Role.ADJECTIVE:
                return None
            if role in (Role.UNKNOWN, Role.THING) and roles[-1] is Role.NOUN:
                continue  # "white sailing club logo"
            return role
        return self._owner_before(group, roles, place)

    def _owner_before(
        self, group: Sequence[Mark], roles: Sequence[Role], place: int
    ) -> Role | None:
        """The noun before a word: French and Spanish adjectives follow theirs."""
        if roles[place] is not Role.ADJECTIVE:
            return None
        for role in reversed(roles[:place]):
            if role in (Role.THING, Role.NAME) or (
                self._lexicon.follows and role in (Role.NOUN, Role.UNKNOWN, Role.NAMED)
            ):
                return role
            if role is not Role.ADJECTIVE:
                return None
        return None

    def _several_colours(self, group: Sequence[Mark], place: int) -> bool:
        colours = {mark.values or mark.offered for mark in group if self.is_colour(mark)}
        return len(colours) > 1

    def _read_adjective(self, mark: Mark, role: Role, owner: Role | None, wishes: Wishes) -> None:
        if owner is Role.NOUN or (owner is Role.NAMED and role is not Role.ADJECTIVE):
            is_wish = mark.scale(True) is not None or mark.relative is not None
            wishes.tell((mark,), Fate.LEFT if is_wish else Fate.DETAIL)
        elif owner is Role.NAMED and self._lexicon.follows:
            wishes.tell((mark,), Fate.DETAIL)
        elif owner is not None or role is not Role.ADJECTIVE:
            wishes.tell((mark,), Fate.LEFT)
        else:
            self._apply(mark, wishes)

    def _read_noun(
        self, mark: Mark, role: Role, owner: Role | None, wishes: Wishes, *, is_first: bool
    ) -> None:
        if role is Role.NAME or (role is Role.NOUN and owner is Role.THING):
            present = self._presence(mark) if owner is None and is_first else None
            if present is None:
                wishes.tell((mark,), Fate.LEFT)
            else:
                wishes.add(present)
        else:
            self._apply(mark, wishes)

    def _presence(self, mark: Mark) -> Wish | None:
        """What "with sleeves" avoids: what has none, where the schema has a value for none."""
        nothing = self._vocabulary.nothing
        absent = tuple((a, v) for a in mark.names if (v := nothing[a]) is not None)
        known = len(absent) == 1 and "pattern" not in self._vocabulary.concepts[absent[0][0]]
        return Wish("avoid", mark, absent) if known else None

    def _apply(self, mark: Mark, wishes: Wishes) -> None:
        """The wish of a mark that belongs to the garment."""
        wish = self.wish(mark)
        if wish is None:
            wishes.tell((mark,), Fate.LEFT)
        else:
            wishes.add(wish)

    def wish(self, mark: Mark) -> Wish | None:
        """What a mark asks for where it belongs to the garment; None where that is not sure."""
        if mark.relative:
            return Wish("relative", mark, attribute=mark.relative[0], sign=mark.relative[1])
        if mark.offered:
            return Wish("offer", mark, mark.offered)
        scale = mark.scale(True)
        if scale is not None and not mark.named:
            attribute = self.compared(scale.name)
            return (
                None
                if attribute is None
                else Wish("relative", mark, attribute=attribute, sign=scale.sign)
            )
        if mark.values:
            return None if self._needs_name(mark) else Wish("change", mark, mark.values)
        scale = mark.scale(False)
        if scale is not None and scale.name == "vividness":
            return Wish("relative", mark, attribute=scale.name, sign=scale.sign)
        return None

    def compared(self, scale: str) -> str | None:
        """What a scale's words compare where no attribute is named."""
        if scale in MEASURED:
            return scale
        bare = self._orders.bare(scale, self._vocabulary)
        return self._orders.names[bare[0]] if len(bare) == 1 else None

    def _needs_name(self, mark: Mark) -> bool:
        """Whether a value is only sure beside its attribute: "long" alone is not of sleeves."""
        scale = mark.scale(False)
        if mark.named or scale is None or scale.name in MEASURED:
            return False
        return not self._orders.bare(scale.name, self._vocabulary)
