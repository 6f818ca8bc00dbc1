"""Reading request bodies: JSON or a form with a picture file, never more than allowed.

Both carry the same query. JSON holds the picture in base64 (`picture`); a form holds it as a file
(`picture`) and the rest of the query as JSON text (`query`).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TypeVar

from fastapi import Request
from pydantic import BaseModel
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect

from amgan.web.admission import Admission
from amgan.web.errors import ApiError
from amgan.web.json_input import parse_json
from amgan.web.queries import ReferenceQuery
from amgan.web.settings import ServerSettings

Q = TypeVar("Q", bound=ReferenceQuery)
M = TypeVar("M", bound=BaseModel)
_FORM = "multipart/form-data"
_JSON = "application/json"
_MOST_FORM_FIELDS = 4
_MOST_QUERY_BYTES = 64 * 1024
_MOST_SMALL_BYTES = 4 * 1024


async def read_query(
    request: Request, kind: type[Q], settings: ServerSettings, admission: Admission
) -> Q:
    """The query in a request's body; the body is refused as soon as it is too large or too slow.

    Raises:
        ApiError: 400, 408, 413, 415, 422, or 503 where other bodies fill the memory set apart.
    """
    media_type = _media_type(request, (_JSON, _FORM))
    most, advice = settings.max_body_bytes, ""
    if media_type == _JSON and settings.max_json_bytes < most:
        most, advice = settings.max_json_bytes, "; send a large picture as a form"
    _check_declared_length(request, most, advice)
    stream = _limited(request, most, admission.reserve, advice)
    async with _in_time(settings.body_timeout):
        if media_type == _JSON:
            query = parse_json(kind, b"".join([part async for part in stream]))
        else:
            query = await _read_form(request, stream, kind)
    _check_reference(query, settings)
    admission.begin()
    return query


async def read_small(request: Request, kind: type[M], settings: ServerSettings) -> M:
    """A small JSON body.

    Raises:
        ApiError: 400, 408, 413, 415 or 422.
    """
    _media_type(request, (_JSON,))
    _check_declared_length(request, _MOST_SMALL_BYTES)
    stream = _limited(request, _MOST_SMALL_BYTES, lambda count: None)
    async with _in_time(settings.body_timeout):
        return parse_json(kind, b"".join([part async for part in stream]))


@asynccontextmanager
async def _in_time(seconds: float) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise ApiError(
            408,
            "timeout",
            f"the request took longer than {seconds:g} s to arrive",
            headers={"Connection": "close"},
        ) from None
    except ClientDisconnect:
        raise ApiError(400, "disconnected", "the request ended early") from None


def _media_type(request: Request, known: Sequence[str]) -> str:
    sent = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if sent not in known:
        shown = sent[:80] or "(none)"
        raise ApiError(415, "unsupported_media_type", f"send {' or '.join(known)}, not {shown}")
    return sent


def _check_declared_length(request: Request, most: int, advice: str = "") -> None:
    declared = request.headers.get("Content-Length", "")
    if declared.isascii() and declared.isdigit() and int(declared[:20]) > most:
        raise _too_large(most, advice)


def _too_large(most: int, advice: str) -> ApiError:
    return ApiError(
        413,
        "too_large",
        f"the request is larger than {most:,} bytes{advice}",
        [{"max_bytes": most}],
        {"Connection": "close"},
    )


async def _limited(
    request: Request, most: int, reserve: Callable[[int], None], advice: str = ""
) -> AsyncGenerator[bytes, None]:
    received = 0
    async for part in request.stream():
        received += len(part)
        if received > most:
            raise _too_large(most, advice)
        reserve(len(part))
        yield part


class _InMemory(MultiPartParser):
    """Files stay in memory, where their bytes are counted; none is written to a disk."""

    spool_max_size = 2**62


async def _read_form(request: Request, stream: AsyncGenerator[bytes, None], kind: type[Q]) -> Q:
    parser = _InMemory(
        request.headers,
        stream,
        max_files=1,
        max_fields=_MOST_FORM_FIELDS,
        max_part_size=_MOST_QUERY_BYTES,
    )
    try:
        form = await parser.parse()
    except MultiPartException as error:
        raise ApiError(400, "bad_form", f"the form cannot be read: {error.message}") from None
    try:
        unknown = sorted(set(form) - {"picture", "query"})
        if unknown:
            raise _bad_field(unknown[0][:80], "a form has the parts picture and query")
        text, file = form.get("query", "{}"), form.get("picture")
        if not isinstance(text, str):
            raise _bad_field("query", "write JSON, not a file")
        query = parse_json(kind, text.encode("utf-8", "surrogatepass"))
        if file is None:
            return query
        if not isinstance(file, UploadFile):
            raise _bad_field("picture", "send a file with a file name")
        if query.picture is not None:
            raise _bad_field("picture", "is given twice")
        return query.model_copy(update={"picture": await file.read()})
    finally:
        await form.close()


def _bad_field(field: str, problem: str) -> ApiError:
    return ApiError(422, "invalid", f"{field}: {problem}", [{"field": field, "problem": problem}])


def _check_reference(query: ReferenceQuery, settings: ServerSettings) -> None:
    if (query.item_id is None) == (query.picture is None):
        raise ApiError(422, "invalid", "give either item_id or picture, and not both")
    if query.picture is not None and len(query.picture) > settings.max_upload_bytes:
        raise ApiError(
            413,
            "too_large",
            f"the picture has {len(query.picture):,} bytes; "
            f"at most {settings.max_upload_bytes:,} are allowed",
            [{"max_bytes": settings.max_upload_bytes}],
        )
