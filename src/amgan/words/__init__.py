"""Wishes in words: "darker, with long sleeves, no stripes" becomes wishes about a schema."""

from amgan.words.reading import Ambiguity, Reading, WordReader, read_words

__all__ = ["Ambiguity", "Reading", "WordReader", "read_words"]
