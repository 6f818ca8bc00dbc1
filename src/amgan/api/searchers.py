"""Searching a gallery."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from amgan.attributes import AttributeSchema, Change
from amgan.errors import QueryError
from amgan.files import StrPath
from amgan.gallery.engines.protocol import Filters
from amgan.search import SearchQuery, SearchResult, SearchService, open_search
from amgan.search.resolve import named_changes
from amgan.search.words import wish_in_words, word_fields
from amgan.words import WordReader


class Searcher:
    """A gallery with the model that encoded it, ready to search. Threads may share one.

    Example:
        >>> import amgan
        >>> searcher = amgan.Searcher.open("run/gallery")
        >>> result = searcher.search("photo.jpg", {"colour": "black"}, k=3)
        >>> [hit.rank for hit in result.hits]
        [1, 2, 3]
        >>> result.hits[0].labels["colour"] is not None
        True
    """

    def __init__(self, service: SearchService) -> None:
        self._service = service
        self._fields = word_fields(service.gallery)
        self._readers: dict[str, WordReader] = {}

    @classmethod
    def open(
        cls,
        gallery: StrPath,
        *,
        device: str = "auto",
        engine: str | None = None,
        compiled: bool = True,
    ) -> Searcher:
        """Open a gallery folder; it holds a copy of its model.

        Args:
            gallery: written by `Run.index` or `amgan index`.
            device: auto, cpu, cuda or cuda:N.
            engine: search with another engine than the gallery was indexed for: ``faiss://exact``,
                or the same one with another ``ef_search``.
            compiled: compile the networks, which takes a second or two and makes queries faster.

        Raises:
            GalleryError: no gallery, or a damaged one.

        Example:
            >>> import amgan
            >>> amgan.Searcher.open("run/gallery", compiled=False).schema.names
            ('category', 'colour')
        """
        return cls(open_search(None, Path(gallery), device, engine, compiled))

    @property
    def schema(self) -> AttributeSchema:
        """Attributes and values that can be changed."""
        return self._service.schema

    def __len__(self) -> int:
        return len(self._service.gallery)

    def search(
        self,
        picture: StrPath | bytes,
        changes: Mapping[str, str] | None = None,
        *,
        words: str = "",
        language: str = "en",
        k: int = 12,
        filters: Filters | None = None,
    ) -> SearchResult:
        """Rank the gallery by a picture with changed attributes.

        Args:
            picture: a file, or a file's content.
            changes: wanted value of each attribute that should change.
            words: wishes in words; `changes` win where both are about one attribute.
            language: of the words: en, de, fr or es.
            k: results wanted.
            filters: attribute or further field to the values to keep.

        Raises:
            QueryError: an unknown attribute, value or field, or words that are not clear: read
                them with `read_words` to decide what they mean.
            PictureError: the picture cannot be used.

        Example:
            >>> import amgan
            >>> searcher = amgan.Searcher.open("run/gallery", compiled=False)
            >>> result = searcher.search("photo.jpg", words="in black", k=5)
            >>> [(change.attribute, change.wanted) for change in result.changes]
            [('colour', 'black')]
        """
        content = picture if isinstance(picture, bytes) else Path(picture)
        asked = tuple(Change(name, value) for name, value in (changes or {}).items())
        query = SearchQuery(content, changes=asked, k=k, filters=filters or {})
        return self.ask(self._join(query, words, language))

    def ask(self, query: SearchQuery) -> SearchResult:
        """Answer a query with everything that can be asked, such as from an item of the gallery.

        Raises:
            QueryError: it asks for what gallery or model do not have.
            NoSuchItemError: it starts from an item that the gallery does not have.
            PictureError: the picture, or the item's, cannot be used.

        Example:
            >>> import amgan
            >>> searcher = amgan.Searcher.open("run/gallery", compiled=False)
            >>> query = amgan.SearchQuery(
            ...     item_id="s0000003", changes=(amgan.Change("colour", "black"),), k=4, offset=4
            ... )
            >>> [hit.rank for hit in searcher.ask(query).hits]
            [5, 6, 7, 8]
        """
        return self._service.search(query)

    def _join(self, query: SearchQuery, words: str, language: str) -> SearchQuery:
        """A query with the wishes of words that say clearly what they mean."""
        if not words.strip():
            return query
        if language not in self._readers:
            self._readers[language] = WordReader(
                self.schema, language=language, fields=self._fields
            )
        read = self._readers[language].read(words)
        unclear = [*read.not_understood, *(ambiguity.text for ambiguity in read.ambiguous)]
        if unclear:
            raise QueryError(
                f"words {words!r}: {', '.join(map(repr, unclear))} is not clear; see what "
                "amgan.read_words makes of them, and give `changes`",
                field="words",
            )
        named = replace(query, changes=named_changes(self.schema, query.changes))
        return wish_in_words(named, read, self._service.gallery)
