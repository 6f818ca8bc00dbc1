"""Changes in words, where this program reads them."""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any

from amgan.attributes import AttributeSchema
from amgan.web.errors import ApiError
from amgan.web.schemas import UnderstoodWords

WORDS_AVAILABLE = importlib.util.find_spec("amgan.words") is not None


def understand(text: str, schema: AttributeSchema) -> UnderstoodWords:
    """Read changes in words.

    Raises:
        ApiError: 422 where this program does not read words.
    """
    if not WORDS_AVAILABLE:
        raise ApiError(422, "no_words", "words: this server does not read words; use changes")
    module: Any = importlib.import_module("amgan.words")
    raise NotImplementedError(module)
