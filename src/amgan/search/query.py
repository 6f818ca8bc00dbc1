"""What a person asks of a search, by names."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from amgan.attributes import Change
from amgan.errors import QueryError
from amgan.gallery.engines.protocol import Filters

Example = Path | bytes | str  # a picture, or the id of an item


@dataclass(frozen=True)
class SearchQuery:
    """One search: a reference, what should change about it, and which results are wanted.

    The command line, the server and `amgan.Searcher` each make one of these, and
    `SearchService.search` answers it; it is checked there, once, and every error names the field it
    is about. Names of attributes, values and fields are as a person writes them: case matters only
    where it decides.

    A further kind of wish is a further field with a neutral default. `search.resolve` turns it
    into rows of the gallery (a filter), or into an array of `methods.query_arrays.QueryArrays`
    (what the model is asked), or both.

    Attributes:
        picture: the reference: a picture file, or a file's content. Give this or `item_id`.
        item_id: the reference: an item of the gallery, whose labels are known; it is left out of
            the results.
        changes: wanted values; none searches for what looks the same.
        known: the reference's attribute values as far as they are known, over an item's own labels;
            the model predicts the others.
        k: results wanted.
        offset: results to skip, for paging.
        relative: "more" or "less" by the name of an ordered attribute, `lightness` (more is
            lighter) or `vividness`; items that are so by a visible step come first.
        avoid: attribute to values not wanted; items that have one come last.
        never: attribute to values that no result may have.
        keep: attributes that count more than others.
        liked: up to eight pictures, or ids of items, that results should be more like.
        disliked: up to eight that they should be less like. Items named here are left out.
        filters: attribute or further field of the catalogue to the values to keep; the empty text
            keeps items without a value. All filters have to hold.
        exclude: ids of items to leave out.
        importance: how much an attribute counts in a fused ranking, 1 where not named.
        pure: rank by the method's own distance alone, also in a gallery for a fused ranking.
    """

    picture: Path | bytes | None = None
    item_id: str | None = None
    changes: tuple[Change, ...] = ()
    known: Mapping[str, str | None] = field(default_factory=dict)
    relative: Mapping[str, str] = field(default_factory=dict)
    avoid: Filters = field(default_factory=dict)
    never: Filters = field(default_factory=dict)
    keep: Collection[str] = ()
    liked: tuple[Example, ...] = ()
    disliked: tuple[Example, ...] = ()
    k: int = 12
    offset: int = 0
    filters: Filters = field(default_factory=dict)
    exclude: Collection[str] = ()
    importance: Mapping[str, float] = field(default_factory=dict)
    pure: bool = False

    def __post_init__(self) -> None:
        if (self.picture is None) == (self.item_id is None):
            raise QueryError("a search starts from a picture or from an item; give one of them")
        if self.k < 1:
            raise QueryError(f"ask for 1 result or more, not for {self.k}", field="k")
        if self.offset < 0:
            raise QueryError(f"skip 0 results or more, not {self.offset}", field="offset")
