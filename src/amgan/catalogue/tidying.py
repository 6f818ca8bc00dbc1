"""Values as they look: what is invisible taken out, and forms in which look-alikes are equal."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

# Letters of other alphabets that look like Latin ones.
_TWINS = str.maketrans(
    "АВЕКМНОРСТУХаеорсухіјѕΑΒΕΖΗΙΚΜΝΟΡΤΥΧοαν",
    "ABEKMHOPCTYXaeopcyxijsABEZHIKMNOPTYXoav",
)
_JOINERS = "\u200c\u200d"  # they shape the letters of some scripts, and emoji
_KEPT_FORMATS = re.compile(f"(?<=[^\\x00-\\u02ff])[{_JOINERS}](?=[^\\x00-\\u02ff])")
_NUMBER = re.compile(r"[+-]?(?:\d+(?:[.,]\d*)?|[.,]\d+)")
_BETWEEN_VALUES = re.compile(r"\s*[|/;,+&]\s*")


@lru_cache(maxsize=65_536)
def tidy(text: str) -> str:
    """Text without what cannot be seen.

    Letters and their accents are composed (NFC), zero-width characters, marks of direction and
    control characters go, and every kind of space becomes a plain one.
    """
    if text.isascii() and text.isprintable():
        return text
    composed = unicodedata.normalize("NFC", text)
    kept = {match.start() for match in _KEPT_FORMATS.finditer(composed)}
    letters = []
    for place, letter in enumerate(composed):
        category = unicodedata.category(letter)
        if category.startswith("Z") or letter in "\t\n\r\v\f":
            letters.append(" ")
        elif category not in ("Cc", "Cf") or place in kept:
            letters.append(letter)
    return "".join(letters)


def plain_form(text: str) -> str:
    """A form in which texts are equal that differ in case, in spaces, or in what is invisible."""
    return " ".join(tidy(text).casefold().split())


@lru_cache(maxsize=65_536)
def look_form(text: str) -> str:
    """A form in which texts are equal that a person may take for the same value.

    Beside `plain_form`: numbers (38 and 38.0), several values in another order (red|blue and
    blue|red), accents, widths, hyphens, and letters of other alphabets that look like Latin ones.
    """
    form = " ".join(_plain_letters(text).split())
    if _NUMBER.fullmatch(form):
        number = float(form.replace(",", "."))
        return str(int(number)) if number.is_integer() else repr(number)
    parts = [part for part in split_values(form) if part]
    if len(parts) < 2 or any(map(str.isdigit, parts)):
        return form
    return "|".join(sorted(parts))


def split_values(text: str) -> list[str]:
    """The values of a text that seems to hold several, else the text alone."""
    return _BETWEEN_VALUES.split(text)


def _plain_letters(text: str) -> str:
    folded = unicodedata.normalize("NFKD", tidy(text).translate(_TWINS)).casefold()
    kept = "".join(letter for letter in folded if not unicodedata.combining(letter))
    return re.sub(r"[-_\u2010-\u2015\s]+", " ", kept)
