"""What a search gives back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from amgan.attributes import Change
from amgan.gallery.engines.protocol import Rows, Vectors
from amgan.images import ImageSettings, Pixels


@dataclass(frozen=True)
class Ranking:
    """The best k gallery rows of each query.

    Attributes:
        scores: (Q, k); distances, ascending, or inner products, descending.
        rows: (Q, k) gallery rows, -1 past the end of a small gallery.
        mode: how the engine searched.
        seconds: time for "encode" and "search".
    """

    scores: Vectors
    rows: Rows
    mode: str
    seconds: Mapping[str, float]


@dataclass(frozen=True)
class ReferenceAttribute:
    """What is known of one attribute of the reference.

    Attributes:
        name: the attribute.
        value: its value; None where neither given nor predicted.
        confidence: the model's probability of a predicted value; None for a given one.
    """

    name: str
    value: str | None
    confidence: float | None = None


@dataclass(frozen=True)
class Hit:
    """One result.

    Attributes:
        item_id, image: which item, and its picture.
        row: its row in the gallery.
        rank: place among the results, from 1.
        score: distance or inner product.
        labels: its attribute values, None where missing.
        fields: further columns of its catalogue.
        matches: for each attribute, whether the item has the wanted value, or, where none was
            wanted, the reference's; None where either is not known.
        has_wanted: whether it has all that was asked for, True where nothing was; None where a
            label is missing that decides it.
        keeps_rest: the same for everything else that is known of the reference.
    """

    item_id: str
    image: Path
    row: int
    rank: int
    score: float
    labels: Mapping[str, str | None]
    fields: Mapping[str, str | None]
    matches: Mapping[str, bool | None]
    has_wanted: bool | None
    keeps_rest: bool | None


@dataclass(frozen=True)
class SearchResult:
    """Answer to one query.

    Attributes:
        hits: best first.
        changes: what was asked for, with the values they replace where these are known.
        already: values that were asked for and that the reference is known to have: no change.
            Results are to have them all the same.
        attributes: the reference's attributes, given or predicted.
        source: the reference picture.
        reference: the reference as the model saw it (H, W, 3).
        prototype: the picture that was searched for (H, W, 3); None where the method draws none.
        images: how the source became the reference.
        candidates: items that were ranked, after filters and exclusions.
        matching: how many of these are known to have all that was asked for; None where nothing
            was.
        mode: how the engine searched.
        seconds: time for "decode", "encode" (prototype and attributes included), "search".
    """

    hits: tuple[Hit, ...]
    changes: tuple[Change, ...]
    already: tuple[Change, ...]
    attributes: tuple[ReferenceAttribute, ...]
    source: Path | bytes
    reference: Pixels
    prototype: Pixels | None
    images: ImageSettings
    candidates: int
    matching: int | None
    mode: str
    seconds: Mapping[str, float]
