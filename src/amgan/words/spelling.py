"""Slips of the pen: the nearest known word for one that no dictionary has."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable
from functools import cache
from importlib import resources

from rapidfuzz import process
from rapidfuzz.distance import OSA

from amgan.words.text import stemmer, words_of

_SHORTEST = 4  # a word from this length on may be a slip
_ONE_SLIP = 5  # for a word of this length, which may hold one,
_TWO_SLIPS = 9  # and from this length on two


class Speller:
    """Finds what a misspelt word may stand for. A word that a dictionary has is never changed.

    Args:
        known: words that may be meant, folded.
        inflected: further forms of them, meant only where no word itself is as near.
        language: whose dictionary says which words are spelt correctly.
    """

    def __init__(self, known: Iterable[str], inflected: Iterable[str], language: str) -> None:
        self._stem = stemmer(language)
        self._listed = frozenset(known)
        self._known = self._listed.union(inflected)
        self._stems = frozenset(map(self._stem, self._known))
        self._language = language
        forms = sorted(w for w in self._known if len(w) >= _ONE_SLIP and w.isalpha())
        self._long = [word for word in forms if len(word) >= _TWO_SLIPS]
        self._shortened: dict[str, list[str]] = {}  # words with one letter left out, and whole
        for word in forms:
            for key in _shortened(word):
                self._shortened.setdefault(key, []).append(word)
        self._readings: dict[str, tuple[str, ...]] = {}

    def readings(self, word: str) -> tuple[str, ...]:
        """Known words that `word` may stand for, all equally near; `word` itself where it is one.

        Where it is neither known nor near to anything, `word` as well.
        """
        found = self._readings.get(word)
        if found is None:
            if len(self._readings) > 1 << 14:
                self._readings.clear()
            found = self._readings[word] = self._find(word)
        return found

    def _find(self, word: str) -> tuple[str, ...]:
        if word in self._known or len(word) < _SHORTEST or not word.isalpha():
            return (word,)
        if self._stem(word) in self._stems or word in dictionary(self._language):
            return (word,)
        near = {w for key in _shortened(word) for w in self._shortened.get(key, ())}
        distances = {w: d for w in near if (d := int(OSA.distance(word, w))) <= 1}
        if not distances and len(word) >= _TWO_SLIPS:
            matches = process.extract(
                word, self._long, scorer=OSA.distance, score_cutoff=2, limit=None
            )
            distances = {match: int(distance) for match, distance, _ in matches}
        least = min(distances.values(), default=0)
        nearest = sorted(w for w, distance in distances.items() if distance == least)
        return tuple(w for w in nearest if w in self._listed) or tuple(nearest) or (word,)


def _shortened(word: str) -> set[str]:
    """A word, and the word without each of its letters: those of a slip's two forms meet."""
    return {word, *(word[:place] + word[place + 1 :] for place in range(len(word)))}


@cache
def dictionary(language: str) -> frozenset[str]:
    """The correctly spelt words of a language, without accents, as pyspellchecker lists them."""
    file = resources.files("spellchecker") / "resources" / f"{language}.json.gz"
    words = json.loads(gzip.decompress(file.read_bytes()))
    if language == "en":
        return frozenset(words)
    return frozenset(token for word in words for token in words_of(word, language))
