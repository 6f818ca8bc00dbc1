"""Text as words: tokens with their places, folded forms, and stems by language."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache, lru_cache

import snowballstemmer

BREAKS = frozenset(",;.!?|\n")
# Spellings of one English word, left the other, right ours.
SPELLINGS = {
    "color": "colour",
    "colors": "colours",
    "colored": "coloured",
    "coloring": "colouring",
    "colorful": "colourful",
    "multicolored": "multicoloured",
    "multicolor": "multicoloured",
    "gray": "grey",
    "grayish": "greyish",
    "fiber": "fibre",
    "jewelry": "jewellery",
    "center": "centre",
    "pajama": "pyjama",
}
_SNOWBALL = {"de": "german", "fr": "french", "es": "spanish"}
_ELIDED = re.compile(r"^(?:l|d|qu|n|j|s|c|m|t|jusqu|lorsqu|puisqu)['’]", re.IGNORECASE)
_SHORTEST_PART = 3
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue"})
_LETTER = r"(?:[^\W_]|[\u0300-\u036f])"  # accents may come as characters of their own
_WORD = re.compile(
    rf"w/o\b|w/(?!\w)|\d+/\d+(?=\D|$)|\d+[.,]\d+|{_LETTER}+(?:['’]{_LETTER}+)*|[,;.!?|\n&+$€£]",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Token:
    """A word, number or break: as folded, and where it lies in the text."""

    word: str
    start: int
    stop: int


def tokenise(text: str, language: str = "en") -> list[Token]:
    """Words and breaks, without case, accents and apostrophes; French elisions are apart."""
    tokens = []
    for found in _WORD.finditer(text):
        start, stop = found.span()
        if language == "de":
            tokens.append(Token(fold(found.group().translate(_UMLAUTS)), start, stop))
            continue
        elided = _ELIDED.match(found.group()) if language == "fr" else None
        if elided:
            tokens.append(Token(fold(elided.group()), start, start + elided.end()))
            start += elided.end()
        if start < stop:
            tokens.append(Token(fold(text[start:stop]), start, stop))
    return tokens


def split_compounds(tokens: Iterable[Token], is_known: Callable[[str], bool]) -> list[Token]:
    """Tokens with words such as "hellblau" apart, where both parts are known."""
    parted = []
    for token in tokens:
        word = token.word
        split = 0
        if len(word) >= 2 * _SHORTEST_PART and word.isalpha() and not is_known(word):
            places = range(_SHORTEST_PART, len(word) - _SHORTEST_PART + 1)
            split = next((i for i in places if is_known(word[:i]) and is_known(word[i:])), 0)
        if split:
            middle = min(token.start + split, token.stop - 1)
            parted.append(Token(word[:split], token.start, middle))
            parted.append(Token(word[split:], middle, token.stop))
        else:
            parted.append(token)
    return parted


def words_of(text: str, language: str = "en") -> tuple[str, ...]:
    """The words and breaks of a name."""
    return tuple(token.word for token in tokenise(text, language))


@lru_cache(maxsize=1 << 14)
def fold(word: str) -> str:
    """A word in lower case, without accents and apostrophes."""
    word = unicodedata.normalize("NFKC", word).casefold()
    if word.isascii():
        return word.replace("'", "")
    decomposed = unicodedata.normalize("NFKD", word)
    return "".join(c for c in decomposed if not unicodedata.combining(c) and c not in "'’")


def plain(words: Iterable[str]) -> tuple[str, ...]:
    """Words in the one spelling that our English words are written in."""
    return tuple(SPELLINGS.get(word, word) for word in words)


@lru_cache(maxsize=1 << 14)
def stem(word: str) -> str:
    """An English word in our spelling without plural, -ed, final e: sleeve, sleeved are equal."""
    word = SPELLINGS.get(fold(word), fold(word))
    if word.endswith("ies") and len(word) > 4:
        word = word[:-3] + "y"
    elif word.endswith(("sses", "xes", "zes", "ches", "shes")):
        word = word[:-2]
    elif word.endswith("s") and not word.endswith(("ss", "us")) and len(word) > 3:
        word = word[:-1]
    word = SPELLINGS.get(word, word)
    if word.endswith("ed") and not word.endswith("eed") and len(word) > 4:
        word = word[:-2]
        if word[-1] == word[-2:-1] and word[-1] not in "lsaeiou":
            word = word[:-1]
    return word[:-1] if word.endswith("e") and len(word) > 3 else word


@cache
def stemmer(language: str) -> Callable[[str], str]:
    """The function that gives a word's stem in a language."""
    if language not in _SNOWBALL:
        return stem
    snowball = snowballstemmer.stemmer(_SNOWBALL[language])

    @lru_cache(maxsize=1 << 14)
    def stem_word(word: str) -> str:
        return fold(snowball.stemWord(fold(word)))

    return stem_word
