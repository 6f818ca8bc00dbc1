"""Flexible fashion search with attribute manipulation (AMGAN, SIGIR 2020).

The names in `__all__` are the public interface: they are what stays from version to version.
Everything else may change. Importing the package loads none of them; each is loaded when it is
first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from amgan.api.catalogues import read_catalogue
    from amgan.api.runs import Run, train
    from amgan.api.searchers import Searcher
    from amgan.attributes import Attribute, AttributeSchema, Change
    from amgan.catalogue.records import Catalogue
    from amgan.catalogue.validation import ValidationError, ValidationReport
    from amgan.errors import (
        AmganError,
        FileFormatError,
        InputError,
        NoSuchItemError,
        QueryError,
        SettingsError,
    )
    from amgan.evaluation.report import EvaluationReport
    from amgan.gallery.versions import GalleryError
    from amgan.images import PictureError
    from amgan.search.query import SearchQuery
    from amgan.search.results import Hit, SearchResult
    from amgan.training.loss_log import TrainingDivergedError
    from amgan.words.reading import Reading, read_words

    __version__: str

# Where each public name is; `tests/test_api.py` holds it against the imports above.
_HOMES = {
    "read_catalogue": "amgan.api.catalogues",
    "train": "amgan.api.runs",
    "Run": "amgan.api.runs",
    "Searcher": "amgan.api.searchers",
    "read_words": "amgan.words.reading",
    "Reading": "amgan.words.reading",
    "Attribute": "amgan.attributes",
    "AttributeSchema": "amgan.attributes",
    "Catalogue": "amgan.catalogue.records",
    "Change": "amgan.attributes",
    "EvaluationReport": "amgan.evaluation.report",
    "Hit": "amgan.search.results",
    "SearchQuery": "amgan.search.query",
    "SearchResult": "amgan.search.results",
    "ValidationReport": "amgan.catalogue.validation",
    "AmganError": "amgan.errors",
    "FileFormatError": "amgan.errors",
    "GalleryError": "amgan.gallery.versions",
    "InputError": "amgan.errors",
    "NoSuchItemError": "amgan.errors",
    "PictureError": "amgan.images",
    "QueryError": "amgan.errors",
    "SettingsError": "amgan.errors",
    "TrainingDivergedError": "amgan.training.loss_log",
    "ValidationError": "amgan.catalogue.validation",
}

__all__ = [
    "AmganError",
    "Attribute",
    "AttributeSchema",
    "Catalogue",
    "Change",
    "EvaluationReport",
    "FileFormatError",
    "GalleryError",
    "Hit",
    "InputError",
    "NoSuchItemError",
    "PictureError",
    "QueryError",
    "Reading",
    "Run",
    "SearchQuery",
    "SearchResult",
    "Searcher",
    "SettingsError",
    "TrainingDivergedError",
    "ValidationError",
    "ValidationReport",
    "__version__",
    "read_catalogue",
    "read_words",
    "train",
]


def __getattr__(name: str) -> object:
    """Load a public name when it is first used (PEP 562)."""
    if name == "__version__":
        from importlib.metadata import version

        value: object = version("amgan")
    elif name in _HOMES:
        value = getattr(importlib.import_module(_HOMES[name]), name)
    else:
        raise AttributeError(f"module 'amgan' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Public names, and what is loaded."""
    return sorted({*globals(), *__all__})
