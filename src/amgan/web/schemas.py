"""What is answered, as JSON."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

Confidence = Annotated[float, Field(ge=0, le=1)]


class ReferenceAttribute(BaseModel):
    """What is known of one attribute of the reference."""

    attribute: str
    value: str | None
    confidence: Confidence | None = Field(
        default=None, description="The model's probability of a predicted value."
    )
    source: Literal["given", "predicted", "unknown"]


class Reference(BaseModel):
    """What was searched from."""

    item_id: str | None
    picture: str | None = Field(description="Address of an item's picture.")
    attributes: list[ReferenceAttribute]
    familiar: bool | None = Field(
        description="Whether a picture shows anything like what the gallery holds; where it does "
        "not, its attributes are guesses whatever their confidence. Null for an item, and where "
        "the model cannot tell."
    )


class ChangeMade(BaseModel):
    """One change that was asked for."""

    attribute: str
    wanted: str
    unwanted: str | None = Field(description="The value it replaces, where known.")


class WordChoice(BaseModel):
    """A value that words may mean."""

    attribute: str
    value: str


class AmbiguousWords(BaseModel):
    """Words that fit several values."""

    text: str
    choices: list[WordChoice]


class CorrectedWord(BaseModel):
    """A misspelt word and what it was read as."""

    written: str
    read: str


class UnderstoodWords(BaseModel):
    """What became of `words`."""

    changes: dict[str, str]
    relative: dict[str, Literal["more", "less"]] = Field(
        description="By ordered attribute, `lightness` (more is lighter) or `vividness`."
    )
    avoid: dict[str, list[str]] = Field(description="Values not wanted.")
    filters: dict[str, list[str] | dict[str, float | list[str]]] = Field(
        description='Fields: `["Arrow"]` or `{"max": 30}`; `{"not": [...]}` where it was "never".'
    )
    keep: list[str] = Field(description="Attributes to keep.")
    not_understood: list[str]
    ambiguous: list[AmbiguousWords]
    corrected: list[CorrectedWord]


class Hit(BaseModel):
    """One result. Fields that were not asked for are absent."""

    rank: int
    item_id: str
    score: float | None = Field(
        default=None,
        description="What the engine ranks by: a distance (less is better) or an inner product. It "
        "compares results of one query and says nothing by itself.",
    )
    picture: str | None = Field(default=None, description="Address of the picture; add &width=N.")
    attributes: dict[str, str | None] | None = None
    fields: dict[str, str | None] | None = None
    matches: dict[str, bool | None] | None = Field(
        default=None,
        description="For each attribute whether the item has the wanted value, or, where none was "
        "wanted, the reference's; null where not known.",
    )
    has_wanted: bool | None = Field(
        default=None,
        description="Whether it has all that was asked for, true where nothing was; null where a "
        "missing label decides it.",
    )
    keeps_rest: bool | None = Field(
        default=None,
        description="The same for everything else that is known of the reference.",
    )


class Paging(BaseModel):
    """Where these results lie among all."""

    offset: int
    k: int
    total: int = Field(description="Items ranked, after filters.")
    next_offset: int | None = Field(description="Null at the end or where paging ends.")


class InlinePicture(BaseModel):
    """A picture within the answer."""

    media_type: Literal["image/png"] = "image/png"
    base64: str


class SearchAnswer(BaseModel):
    """Ranked results."""

    request_id: str
    reference: Reference
    changes: list[ChangeMade]
    already: list[ChangeMade] = Field(
        description="Values that were asked for and that the reference is known to have: no "
        "change, but results are to have them."
    )
    matching: int | None = Field(
        description="Ranked items that are known to have all that was asked for; null where "
        "nothing was."
    )
    words: UnderstoodWords | None = None
    prototype: InlinePicture | None = Field(
        default=None, description="On request, where the method draws one."
    )
    hits: list[Hit]
    paging: Paging
    mode: str = Field(description='How vectors were compared, such as "exact".')
    model: str
    gallery: str
    took_ms: float = Field(description="Time on the server, waiting included.")
    steps_ms: dict[str, float] = Field(description="Time of each part of the search.")


class AttributesAnswer(BaseModel):
    """Attributes of a picture."""

    request_id: str
    item_id: str | None
    attributes: list[ReferenceAttribute]
    model: str
    took_ms: float


class SchemaAttribute(BaseModel):
    """An attribute and its values, each with its number of items."""

    name: str
    values: list[str]
    counts: list[int]


class FilterField(BaseModel):
    """A further field that results can be filtered by, and its values."""

    name: str
    values: list[str]
    counts: list[int]


class CountsAnswer(BaseModel):
    """Items with each value, of attributes and of fields."""

    attributes: dict[str, dict[str, int]]
    fields: dict[str, dict[str, int]]
    gallery: str


class SchemaAnswer(BaseModel):
    """What can be changed and filtered by."""

    title: str
    attributes: list[SchemaAttribute]
    fields: list[FilterField]
    unlisted_fields: list[str] = Field(
        description="Fields of too many different values to list; they can be filtered by too."
    )
    items: int
    prototypes: bool = Field(description="Whether the model draws prototypes.")
    weights: bool = Field(description="Whether searches can weigh attributes (`importance`).")
    picture_shape: float = Field(description="Typical width / height of the gallery's pictures.")
    picture_fit: Literal["pad", "stretch", "crop"] = Field(
        description="How the model's square of a picture was made."
    )
    method: str
    metric: Literal["euclidean", "inner_product"]
    model: str
    gallery: str


class ItemAnswer(BaseModel):
    """An item of the gallery."""

    item_id: str
    picture: str
    attributes: dict[str, str | None]
    fields: dict[str, str | None]


class ItemsAnswer(BaseModel):
    """Some items of the gallery."""

    items: list[ItemAnswer]
    paging: Paging


class RateLimit(BaseModel):
    """How often one client may ask."""

    per_minute: int
    burst: int


class LimitsAnswer(BaseModel):
    """What a request may measure."""

    max_upload_bytes: int
    max_body_bytes: int
    max_json_bytes: int
    max_pixels: int
    min_side: int
    formats: list[str]
    picture_widths: list[int]
    max_results: int
    max_depth: int
    max_words: int
    body_timeout_s: float
    request_timeout_s: float
    rate_limit: RateLimit | None = Field(description="Null where there is none.")
    key_required: bool


class Health(BaseModel):
    """The process answers."""

    status: Literal["alive"] = "alive"
    version: str


class Ready(BaseModel):
    """Searches are answered."""

    status: Literal["ready"] = "ready"
    model: str
    gallery: str
    items: int
    verified: bool = Field(
        description="Whether every file was compared with the SHA-256 it was written with; not in "
        "galleries of older versions."
    )
    missing_pictures: int = Field(description="Items whose picture is not there.")
    load_failed: bool = Field(
        description="Whether a newer gallery could not be opened, so that this one stays in use; "
        "the log says why."
    )


class Reloaded(BaseModel):
    """What is in use after a reload."""

    model: str
    gallery: str
    items: int
    seconds: float


class ErrorContent(BaseModel):
    """What went wrong."""

    code: str
    message: str
    details: list[dict[str, Any]]
    request_id: str


class ErrorAnswer(BaseModel):
    """The shape of every error."""

    error: ErrorContent
