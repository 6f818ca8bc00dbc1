"""Items, their pictures, the schema, the limits."""

from __future__ import annotations

import hashlib
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from PIL import Image

from amgan.errors import InputError
from amgan.images import PICTURE_FORMATS, PictureError
from amgan.web.admission import READING
from amgan.web.answers import describe_item, describe_paging
from amgan.web.errors import ApiError, no_such_item
from amgan.web.openapi import errors_of
from amgan.web.pictures import WIDTHS, fitting_width
from amgan.web.routes.searching import picture_gone
from amgan.web.schemas import (
    CountsAnswer,
    FilterField,
    ItemAnswer,
    ItemsAnswer,
    LimitsAnswer,
    RateLimit,
    SchemaAnswer,
    SchemaAttribute,
)
from amgan.web.server_state import ServerState, state_of
from amgan.web.serving import Loaded

router = APIRouter(prefix="/v1", tags=["gallery"], dependencies=READING)
_KEEP_PICTURE = "private, max-age=31536000, immutable"
_MOST_IDS = 100

ItemIds = Annotated[
    list[Annotated[str, Query(min_length=1, max_length=1000)]],
    Query(alias="id", max_length=_MOST_IDS, description="These items, in this order."),
]
Filters = Annotated[
    list[Annotated[str, Query(max_length=500)]],
    Query(
        alias="filter",
        max_length=200,
        description="Keep items with this value: NAME=VALUE; several values of one name add up.",
    ),
]


@router.get("/schema", responses=errors_of(401, 429, 503))
async def get_schema(request: Request) -> SchemaAnswer:
    """Attributes and their values, fields to filter by, and how many items have each value."""
    state = state_of(request)
    loaded = state.serving.current
    facets, model = loaded.facets, loaded.service.model
    return SchemaAnswer(
        title=state.settings.title,
        attributes=[
            SchemaAttribute(name=name, values=list(found), counts=list(found.values()))
            for name, found in facets.attributes.items()
        ],
        fields=[
            FilterField(name=name, values=list(found), counts=list(found.values()))
            for name, found in facets.fields.items()
        ],
        unlisted_fields=list(facets.unlisted),
        items=len(loaded.gallery),
        prototypes=loaded.draws_prototypes,
        weights=loaded.service.model.fusion is not None,
        picture_shape=round(loaded.picture_shape, 3),
        picture_fit=model.images.fit,
        method=model.description.method,
        metric=loaded.gallery.metric,
        model=loaded.model_id,
        gallery=loaded.version,
    )


@router.get("/counts", responses=errors_of(401, 422, 429, 503))
def count_items(
    request: Request,
    filters: Filters = [],  # noqa: B006
) -> CountsAnswer:
    """How many items there would be with each value, under the filters of all other names."""
    loaded = state_of(request).serving.current
    try:
        attributes, fields = loaded.facets.count(_named_filters(filters))
    except InputError as error:
        raise _bad_filter(error) from None
    return CountsAnswer(attributes=attributes, fields=fields, gallery=loaded.version)


@router.get("/limits", responses=errors_of(401, 429))
async def get_limits(request: Request) -> LimitsAnswer:
    """What a request may measure, so that a client can check before it sends."""
    state = state_of(request)
    settings = state.settings
    Image.init()
    limit = None
    if state.limiter is not None:
        limit = RateLimit(per_minute=settings.rate_limit, burst=settings.rate_burst)
    return LimitsAnswer(
        max_upload_bytes=settings.max_upload_bytes,
        max_body_bytes=settings.max_body_bytes,
        max_json_bytes=settings.max_json_bytes,
        max_pixels=settings.max_pixels,
        min_side=settings.min_side,
        formats=[name for name in PICTURE_FORMATS if name in Image.OPEN],
        picture_widths=list(WIDTHS),
        max_results=settings.max_results,
        max_depth=settings.max_depth,
        max_words=settings.max_words,
        body_timeout_s=settings.body_timeout,
        request_timeout_s=settings.request_timeout,
        rate_limit=limit,
        key_required=bool(state.keys),
    )


@router.get("/items", responses=errors_of(401, 404, 422, 429, 503))
def list_items(
    request: Request,
    ids: ItemIds = [],  # noqa: B006
    filters: Filters = [],  # noqa: B006
    offset: Annotated[int, Query(ge=0, le=10**9)] = 0,
    k: Annotated[int, Query(ge=1, le=1000)] = 24,
) -> ItemsAnswer:
    """Items by their ids, or all items that the filters keep, page by page."""
    state = state_of(request)
    loaded = state.serving.current
    if k > state.settings.max_results:
        raise ApiError(422, "invalid", f"k: at most {state.settings.max_results} at once")
    if ids:
        rows = [_row(loaded, item_id) for item_id in ids]
        paging = describe_paging(0, len(rows), len(rows), len(rows))
    else:
        kept = _select(loaded, filters)
        total = len(loaded.gallery) if kept is None else len(kept)
        page = range(offset, min(offset + k, total))
        rows = list(page) if kept is None else [int(kept[place]) for place in page]
        paging = describe_paging(offset, k, total, total)
    root_path = state.settings.root_path
    return ItemsAnswer(items=[describe_item(loaded, row, root_path) for row in rows], paging=paging)


@router.get("/items/{item_id:path}", responses=errors_of(401, 404, 429, 503))
async def get_item(request: Request, item_id: str) -> ItemAnswer:
    """One item. For ids that do not survive in an address use `/v1/items?id=`."""
    state = state_of(request)
    loaded = state.serving.current
    return describe_item(loaded, _row(loaded, item_id), state.settings.root_path)


@router.get(
    "/pictures",
    response_class=Response,
    responses=errors_of(401, 404, 422, 429, 503)
    | {
        200: {"content": {"image/jpeg": {}}, "description": "The picture as JPEG."},
        304: {"description": "You have it."},
    },
)
async def get_picture(
    request: Request,
    item_id: Annotated[str, Query(alias="id", min_length=1, max_length=1000)],
    width: Annotated[int, Query(ge=1, le=4096, description="Rounded up to a fixed width.")] = 480,
    version: Annotated[
        str | None, Query(alias="v", max_length=100, description="The gallery's version.")
    ] = None,
) -> Response:
    """Picture of a gallery item, by its id; encoded anew, without the file's metadata."""
    state = state_of(request)
    loaded = state.serving.current
    row = _row(loaded, item_id)
    key = (loaded.version, item_id, fitting_width(width))
    etag = '"' + hashlib.sha256(repr(key).encode("utf-8", "surrogatepass")).hexdigest()[:24] + '"'
    kept = _KEEP_PICTURE if version == loaded.version else "private, no-cache"
    headers = {"ETag": etag, "Cache-Control": kept}
    if request.headers.get("If-None-Match") == etag:
        return Response(status_code=304, headers=headers)
    picture = state.pictures.get(key)
    if picture is None:
        picture = await _encode_picture(state, loaded, row, key[2])
        state.pictures.put(key, picture)
    return Response(picture, media_type="image/jpeg", headers=headers)


async def _encode_picture(state: ServerState, loaded: Loaded, row: int, width: int) -> bytes:
    item = loaded.gallery[row]
    try:
        return await state.serving.thumbnail(loaded.folder.require(item.image), width)
    except PictureError:
        raise picture_gone(item.item_id) from None


def _row(loaded: Loaded, item_id: str) -> int:
    row = loaded.gallery.items.find(item_id)
    if row is None:
        raise no_such_item(item_id)
    return row


def _named_filters(filters: list[str]) -> dict[str, list[str]]:
    wanted: dict[str, list[str]] = {}
    for text in filters:
        name, separator, value = text.partition("=")
        if not separator:
            raise ApiError(422, "invalid", "filter: write NAME=VALUE")
        wanted.setdefault(name, []).append(value)
    return wanted


def _bad_filter(error: InputError) -> ApiError:
    details = [{"field": "filter", "problem": str(error)}]
    return ApiError(422, "invalid", str(error), details)


def _select(loaded: Loaded, filters: list[str]) -> list[int] | None:
    try:
        kept = loaded.gallery.select(_named_filters(filters))
    except InputError as error:
        raise _bad_filter(error) from None
    return None if kept is None else kept.tolist()
