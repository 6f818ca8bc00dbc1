"""What is asked, as JSON."""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic.config import JsonDict

from amgan.errors import InputError
from amgan.web.json_input import decode_base64

Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
ItemId = Annotated[str, StringConstraints(min_length=1, max_length=1000)]
HitField = Literal[
    "attributes", "matches", "has_wanted", "keeps_rest", "fields", "picture", "score"
]
HIT_FIELDS: tuple[HitField, ...] = get_args(HitField)

_EXAMPLE_CHANGES: JsonDict = {"colour": "black", "sleeve": "long"}


def _decode_base64(value: Any) -> Any:
    """Bytes of a picture in base64; a `data:` address is taken too."""
    if not isinstance(value, str):
        raise InputError("give the picture's content as text in base64")
    if value[:5].lower() == "data:":
        head, comma, value = value.partition(",")
        if not comma or not head.lower().endswith(";base64"):
            raise InputError("a data address has to read data:TYPE;base64,CONTENT")
    try:
        return decode_base64(value)
    except ValueError as error:
        raise InputError(f"not base64 ({error})") from None


Picture = Annotated[
    bytes,
    BeforeValidator(_decode_base64, json_schema_input_type=str),
    Field(
        description="The picture file's content in base64; a data: address is taken too.",
        json_schema_extra={"contentEncoding": "base64", "minLength": 1},
    ),
]


class ReferenceQuery(BaseModel):
    """What a query is about."""

    model_config = ConfigDict(extra="forbid")

    item_id: ItemId | None = Field(
        default=None, description="Take this gallery item as the reference."
    )
    picture: Picture | None = None


class PictureQuery(ReferenceQuery):
    """A picture, or an item of the gallery."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"item_id": "g000001"}]})


class PrototypeQuery(ReferenceQuery):
    """A reference and what should change about it."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"item_id": "g000001", "changes": _EXAMPLE_CHANGES}]}
    )

    changes: dict[Name, Name] = Field(
        default_factory=dict,
        max_length=100,
        description="Wanted value of each attribute that should change.",
    )
    words: str | None = Field(
        default=None, description="Wishes in words; `changes` win where both name an attribute."
    )
    language: Literal["en", "de", "fr", "es"] = Field(
        default="en", description="Language of the words."
    )
    known: dict[Name, Name] = Field(
        default_factory=dict,
        max_length=100,
        description="Attribute values of the sent picture, where the model should not guess.",
    )


class SearchQuery(PrototypeQuery):
    """A reference, what should change about it, and which results are wanted."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"item_id": "g000001", "changes": _EXAMPLE_CHANGES, "k": 12},
                {
                    "item_id": "g000001",
                    "changes": {"colour": "black"},
                    "filters": {"category": ["shirt", "blouse"]},
                    "importance": {"colour": 3},
                    "fields": ["attributes", "matches"],
                    "prototype": True,
                    "k": 24,
                    "offset": 24,
                },
            ]
        }
    )

    filters: dict[
        Name, Annotated[list[Annotated[str, Field(max_length=200)]], Field(max_length=200)]
    ] = Field(
        default_factory=dict,
        max_length=50,
        description="Values to keep, by attribute or field; an empty text keeps items without "
        "a value.",
    )
    relative: dict[Name, Literal["more", "less"]] = Field(
        default_factory=dict,
        max_length=50,
        description="More or less by ordered attribute, `lightness` (more is lighter) or "
        "`vividness`; items that are so by a visible step come first.",
    )
    avoid: dict[Name, Annotated[list[Name], Field(max_length=200)]] = Field(
        default_factory=dict,
        max_length=50,
        description="Values not wanted; items that have one come last.",
    )
    never: dict[Name, Annotated[list[Name], Field(max_length=200)]] = Field(
        default_factory=dict, max_length=50, description="Values that no result may have."
    )
    keep: Annotated[list[Name], Field(max_length=50)] = Field(
        default_factory=list, description="Attributes that count more than others."
    )
    liked: Annotated[list[ItemId], Field(max_length=8)] = Field(
        default_factory=list, description="Items that results should be like, too."
    )
    disliked: Annotated[list[ItemId], Field(max_length=8)] = Field(
        default_factory=list, description="Items that results should be less like."
    )
    importance: dict[Name, Annotated[float, Field(ge=0, le=100)]] = Field(
        default_factory=dict,
        max_length=100,
        description="How much an attribute counts, 1 where not named; for galleries with a fused "
        "ranking.",
    )
    pure: bool = Field(
        default=False, description="Rank by the learned distance alone, not fused with attributes."
    )
    k: int = Field(default=12, ge=1, description="Results wanted.")
    offset: int = Field(default=0, ge=0, description="Results to skip.")
    fields: list[HitField] = Field(
        default_factory=lambda: list(HIT_FIELDS),
        max_length=len(HIT_FIELDS),
        description="What to say of each result beside its rank and id.",
    )
    prototype: bool = Field(default=False, description="Answer with the prototype picture too.")


class SessionQuery(BaseModel):
    """A key to be exchanged for a cookie."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"key": "0123456789abcdef"}]}
    )

    key: Annotated[str, StringConstraints(min_length=1, max_length=500)]
