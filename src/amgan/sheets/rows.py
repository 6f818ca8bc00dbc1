"""What stands on a result sheet."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from amgan.attributes import Change
from amgan.images import ImageSettings, Pixels
from amgan.search import Hit, SearchResult

Picture = Path | bytes | Pixels
_TITLES = ("title", "name")  # fields that say what an item is called


@dataclass(frozen=True)
class SheetItem:
    """One result on a sheet.

    Attributes:
        picture: a file, its content, or pixels (H, W, 3).
        labels: the item's values by attribute, None where missing.
        matches: by attribute, whether the value is right; None where that is not known.
        truth: whether this is the ground truth, to be framed green.
        notes: lines of small text below, such as what the item is called.
    """

    picture: Picture
    labels: Mapping[str, str | None]
    matches: Mapping[str, bool | None]
    truth: bool = False
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class SheetRow:
    """One query and its results.

    Attributes:
        reference: the picture that was searched with.
        changes: what was asked for.
        prototype: the drawn picture; None where there is none.
        items: results, best first.
        images: how the reference became what the prototype was drawn from; the prototype is
            brought back to the reference's shape. None leaves it as it is.
        caption: a line of text above the row.
    """

    reference: Picture
    changes: Sequence[Change]
    prototype: Pixels | None
    items: Sequence[SheetItem]
    images: ImageSettings | None = None
    caption: str | None = None


def sheet_row(
    result: SearchResult, truth: Collection[str] = (), caption: str | None = None
) -> SheetRow:
    """A sheet's row from a search; `truth` are ids of items to frame green."""
    items = [
        SheetItem(hit.image, hit.labels, hit.matches, hit.item_id in truth, _notes(hit))
        for hit in result.hits
    ]
    return SheetRow(result.source, result.changes, result.prototype, items, result.images, caption)


def _notes(hit: Hit) -> tuple[str, ...]:
    """The item's id, and its title or name where its catalogue has one."""
    fields = {name.casefold(): value for name, value in hit.fields.items()}
    titles = [title for name in _TITLES if (title := fields.get(name))]
    return (hit.item_id, *titles[:1])
