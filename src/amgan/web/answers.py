"""From search results to what the API says."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from amgan import search
from amgan.attributes import Change
from amgan.web.queries import HitField
from amgan.web.schemas import (
    ChangeMade,
    Hit,
    ItemAnswer,
    Paging,
    ReferenceAttribute,
    UnderstoodWords,
)
from amgan.web.serving import Loaded
from amgan.words import Reading


def picture_address(root_path: str, loaded: Loaded, item_id: str) -> str:
    """Where the picture of an item is; changes with the gallery's version, so that it can be kept.

    A width can be added with `&width=`.
    """
    return f"{root_path}/v1/pictures?{urlencode({'id': item_id, 'v': loaded.version})}"


def describe_attributes(
    attributes: Sequence[search.ReferenceAttribute],
) -> list[ReferenceAttribute]:
    """What is known of a reference, and where it is known from."""
    described = []
    for attribute in attributes:
        if attribute.value is None:
            source = "unknown"
        else:
            source = "given" if attribute.confidence is None else "predicted"
        confidence = attribute.confidence
        described.append(
            ReferenceAttribute.model_validate(
                {
                    "attribute": attribute.name,
                    "value": attribute.value,
                    "confidence": None if confidence is None else min(1, round(confidence, 4)),
                    "source": source,
                }
            )
        )
    return described


def describe_changes(changes: Iterable[Change]) -> list[ChangeMade]:
    """What was asked for."""
    return [
        ChangeMade(attribute=change.attribute, wanted=change.wanted, unwanted=change.unwanted)
        for change in changes
    ]


def describe_words(reading: Reading) -> UnderstoodWords:
    """What became of changes in words."""
    return UnderstoodWords.model_validate(reading.to_dict())


def describe_hit(
    hit: search.Hit, fields: Collection[HitField], loaded: Loaded, root_path: str
) -> Hit:
    """One result with the wanted fields."""
    values: dict[str, Any] = {
        "attributes": dict(hit.labels),
        "matches": dict(hit.matches),
        "has_wanted": hit.has_wanted,
        "keeps_rest": hit.keeps_rest,
        "fields": dict(hit.fields),
        "score": hit.score,
    }
    if "picture" in fields:
        values["picture"] = picture_address(root_path, loaded, hit.item_id)
    wanted = {name: values[name] for name in fields}
    return Hit(rank=hit.rank, item_id=hit.item_id, **wanted)


def describe_item(loaded: Loaded, row: int, root_path: str) -> ItemAnswer:
    """One item of the gallery."""
    item = loaded.gallery[row]
    return ItemAnswer(
        item_id=item.item_id,
        picture=picture_address(root_path, loaded, item.item_id),
        attributes=loaded.service.schema.decode(item.labels),
        fields=loaded.gallery.items.fields(row),
    )


def describe_paging(offset: int, k: int, total: int, most: int) -> Paging:
    """Where results lie; `most` is how deep paging goes."""
    following = offset + k
    more = following < min(total, most)
    return Paging(offset=offset, k=k, total=total, next_offset=following if more else None)


def in_milliseconds(seconds: Mapping[str, float]) -> dict[str, float]:
    """Parts of a search in milliseconds."""
    return {part: round(1000 * value, 3) for part, value in seconds.items()}
