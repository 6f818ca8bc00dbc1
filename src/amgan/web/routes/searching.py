"""Search, prototypes, attributes of a picture."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from fastapi import APIRouter, Request, Response

from amgan import search as search_room
from amgan.attributes import Change
from amgan.images import PictureError, Pixels
from amgan.search import SearchResult
from amgan.search.resolve import named_changes
from amgan.search.words import wish_in_words
from amgan.web.admission import KEYED, Admitted
from amgan.web.answers import (
    describe_attributes,
    describe_changes,
    describe_hit,
    describe_paging,
    describe_words,
    in_milliseconds,
    picture_address,
)
from amgan.web.bodies import read_query
from amgan.web.errors import ApiError, bad_picture
from amgan.web.openapi import body_of, errors_of
from amgan.web.pictures import encode_png
from amgan.web.queries import PictureQuery, PrototypeQuery, SearchQuery
from amgan.web.schemas import (
    AttributesAnswer,
    InlinePicture,
    Reference,
    SearchAnswer,
    UnderstoodWords,
)
from amgan.web.server_state import ServerState, state_of
from amgan.web.serving import Loaded

T = TypeVar("T")
router = APIRouter(prefix="/v1", dependencies=KEYED)
_ERRORS = errors_of(400, 401, 404, 408, 413, 415, 422, 429, 503)


@router.post(
    "/search",
    tags=["search"],
    response_model=SearchAnswer,
    response_model_exclude_unset=True,
    responses=_ERRORS,
    openapi_extra=body_of(SearchQuery),
)
async def search(request: Request, admission: Admitted) -> SearchAnswer:
    """Rank the gallery by a reference and what should change about it.

    Send JSON with `item_id` or `picture` (base64), or a form with the file as `picture` and the
    rest of the query as JSON in `query`.
    """
    started = time.perf_counter()
    state = state_of(request)
    query = await read_query(request, SearchQuery, state.settings, admission)
    _check_page(query, state)
    _check_words(query, state)
    loaded = state.serving.current
    result, words = await _search(state, loaded, query)
    answer = _answer(request, state, loaded, query, result, words)
    answer.took_ms = round(1000 * (time.perf_counter() - started), 3)
    return answer


@router.post(
    "/prototype",
    tags=["search"],
    response_class=Response,
    responses=_ERRORS
    | {200: {"content": {"image/png": {}}, "description": "The prototype as PNG."}},
    openapi_extra=body_of(PrototypeQuery),
)
async def draw_prototype(request: Request, admission: Admitted) -> Response:
    """Draw what a search would look for: the reference with the changes made."""
    state = state_of(request)
    query = await read_query(request, PrototypeQuery, state.settings, admission)
    _check_words(query, state)
    loaded = state.serving.current
    result, _ = await _search(state, loaded, query)
    if result.prototype is None:
        method = loaded.service.model.description.method
        raise ApiError(404, "no_prototype", f"the method {method} draws no prototypes")
    png = encode_png(result.prototype)
    return Response(png, media_type="image/png", headers={"Cache-Control": "no-store"})


@router.post(
    "/attributes",
    tags=["search"],
    response_model=AttributesAnswer,
    responses=_ERRORS,
    openapi_extra=body_of(PictureQuery),
)
async def describe_picture(request: Request, admission: Admitted) -> AttributesAnswer:
    """Attributes of a picture with the model's confidence; of an item, also those given."""
    started = time.perf_counter()
    state = state_of(request)
    query = await read_query(request, PictureQuery, state.settings, admission)
    loaded = state.serving.current
    whole = PrototypeQuery(item_id=query.item_id)
    if query.picture is not None:
        picture = query.picture
        described = await _with_picture(
            state, loaded, lambda pixels: loaded.service.describe(picture, pixels), bad_picture
        )
    else:
        described = (await _search(state, loaded, whole))[0].attributes
    return AttributesAnswer(
        request_id=request.state.request_id,
        item_id=query.item_id,
        attributes=describe_attributes(described),
        model=loaded.model_id,
        took_ms=round(1000 * (time.perf_counter() - started), 3),
    )


def _check_page(query: SearchQuery, state: ServerState) -> None:
    settings = state.settings
    problems = []
    if query.k > settings.max_results:
        problems.append(("k", f"at most {settings.max_results} at once"))
    if query.offset + query.k > settings.max_depth:
        problems.append(("offset", f"with k at most {settings.max_depth}, where paging ends"))
    if problems:
        details = [{"field": field, "problem": problem} for field, problem in problems]
        raise ApiError(422, "invalid", "{}: {}".format(*problems[0]), details)


def _check_words(query: PrototypeQuery, state: ServerState) -> None:
    most = state.settings.max_words
    if query.words is not None and len(query.words) > most:
        problem = f"at most {most} characters are read"
        details = [{"field": "words", "problem": problem}]
        raise ApiError(422, "invalid", f"words: {problem}", details)


def _read_wishes(
    query: PrototypeQuery, loaded: Loaded
) -> tuple[search_room.SearchQuery, UnderstoodWords | None]:
    """The query by names, with the wishes of its words; the names win over the words."""
    schema = loaded.service.schema
    named = (Change(attribute, value) for attribute, value in query.changes.items())
    asked = _asked(query, named_changes(schema, named))
    if query.words is None:
        return asked, None
    own: dict[str, str | None] = dict(query.known)
    if query.item_id is not None:
        item = loaded.gallery[loaded.gallery.row(query.item_id)]
        own = {**schema.decode(item.labels), **own}
    read = loaded.reader(query.language).read(query.words, own)
    return wish_in_words(asked, read, loaded.gallery), describe_words(read)


def _asked(query: PrototypeQuery, changes: tuple[Change, ...]) -> search_room.SearchQuery:
    asked = search_room.SearchQuery(query.picture, query.item_id, changes, known=query.known)
    if not isinstance(query, SearchQuery):
        return replace(asked, k=1)
    return replace(
        asked,
        relative=query.relative,
        avoid=query.avoid,
        never=query.never,
        keep=query.keep,
        liked=tuple(query.liked),
        disliked=tuple(query.disliked),
        k=query.k,
        offset=query.offset,
        filters=query.filters,
        importance=query.importance,
        pure=query.pure,
    )


async def _search(
    state: ServerState, loaded: Loaded, query: PrototypeQuery
) -> tuple[SearchResult, UnderstoodWords | None]:
    def ask(pixels: Pixels | None) -> tuple[SearchResult, UnderstoodWords | None]:
        asked, understood = _read_wishes(query, loaded)
        return loaded.service.search(asked, pixels), understood

    def refuse(error: PictureError) -> ApiError:
        return bad_picture(error) if query.item_id is None else picture_gone(query.item_id)

    found, understood = await _with_picture(state, loaded, ask, refuse)
    state.metrics.observe_parts(found.seconds)
    return found, understood


async def _with_picture(
    state: ServerState,
    loaded: Loaded,
    call: Callable[[Pixels | None], T],
    refuse: Callable[[PictureError], ApiError],
) -> T:
    try:
        return await state.serving.with_picture(loaded.service.model.images, call)
    except PictureError as error:
        raise refuse(error) from None


def picture_gone(item_id: str) -> ApiError:
    """Error for an item whose picture file cannot be used any more."""
    return ApiError(
        404,
        "picture_gone",
        "the picture of this item cannot be read on the server",
        [{"item_id": item_id[:200]}],
    )


def _answer(
    request: Request,
    state: ServerState,
    loaded: Loaded,
    query: SearchQuery,
    result: SearchResult,
    words: UnderstoodWords | None,
) -> SearchAnswer:
    root_path, item_id = state.settings.root_path, query.item_id
    fields = set(query.fields)
    more: dict[str, Any] = {} if words is None else {"words": words}
    if query.prototype and result.prototype is not None:
        encoded = base64.b64encode(encode_png(result.prototype)).decode()
        more["prototype"] = InlinePicture(media_type="image/png", base64=encoded)
    return SearchAnswer(
        request_id=request.state.request_id,
        reference=Reference(
            item_id=item_id,
            picture=None if item_id is None else picture_address(root_path, loaded, item_id),
            attributes=describe_attributes(result.attributes),
            familiar=result.familiar,
        ),
        changes=describe_changes(result.changes),
        already=describe_changes(result.already),
        matching=result.matching,
        hits=[describe_hit(hit, fields, loaded, root_path) for hit in result.hits],
        paging=describe_paging(query.offset, query.k, result.candidates, state.settings.max_depth),
        mode=result.mode,
        model=loaded.model_id,
        gallery=loaded.version,
        took_ms=0,
        steps_ms=in_milliseconds(result.seconds),
        **more,
    )
