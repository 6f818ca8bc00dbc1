"""Search: references and changes in, a ranked gallery out."""

from amgan.search.query import SearchQuery
from amgan.search.results import Hit, Ranking, ReferenceAttribute, SearchResult
from amgan.search.service import SearchService, open_search

__all__ = [
    "Hit",
    "Ranking",
    "ReferenceAttribute",
    "SearchQuery",
    "SearchResult",
    "SearchService",
    "open_search",
]
