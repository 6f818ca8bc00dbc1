"""Changes in words: "in black, with long sleeves, no collar" becomes named changes of a schema."""

from amgan.words.reading import Ambiguity, ChangeReader, Understood, understand_changes

__all__ = ["Ambiguity", "ChangeReader", "Understood", "understand_changes"]
