"""Searching a gallery."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from amgan.attributes import AttributeSchema, Change
from amgan.errors import QueryError
from amgan.files import StrPath
from amgan.gallery.engines.protocol import Filters
from amgan.search import SearchQuery, SearchResult, SearchService, open_search
from amgan.search.resolve import named_changes
from amgan.words import Reading, WordReader


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
        self._reader = WordReader(service.schema)

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
        k: int = 12,
        filters: Filters | None = None,
    ) -> SearchResult:
        """Rank the gallery by a picture with changed attributes.

        Args:
            picture: a file, or a file's content.
            changes: wanted value of each attribute that should change.
            words: changes in words; `changes` win where both are about one attribute.
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
        query = SearchQuery(content, changes=self._join(asked, words), k=k, filters=filters or {})
        return self.ask(query)

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

    def _join(self, changes: tuple[Change, ...], words: str) -> tuple[Change, ...]:
        """Changes, and those of words that say clearly what they mean."""
        if not words.strip():
            return changes
        read = self._reader.read(words)
        problem = _problem(read)
        if problem:
            raise QueryError(
                f"words {words!r}: {problem}; see what amgan.read_words makes of them, and give "
                "`changes`",
                field="words",
            )
        wanted = {change.attribute: change for change in read.changes}
        named = named_changes(self.schema, changes)
        return tuple((wanted | {change.attribute: change for change in named}).values())


def _problem(read: Reading) -> str:
    """Why words cannot be searched for as they are; empty where they can."""
    unclear = [*read.not_understood, *(ambiguity.text for ambiguity in read.ambiguous)]
    if unclear:
        return f"{', '.join(map(repr, unclear))} is not clear"
    wishes = {
        "relative wishes": read.relative,
        "values to avoid": read.avoid,
        "filters": read.filters,
        "attributes to keep": read.keep,
    }
    asked = [name for name, wish in wishes.items() if wish]
    return f"{' and '.join(asked)} cannot be searched for by words here" if asked else ""
