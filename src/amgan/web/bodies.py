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
from pydantic import BaseModel, ValidationError
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect

from amgan.web.admission import Admission
from amgan.web.errors import ApiError, invalid_input
from amgan.web.schemas import ReferenceQuery
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
    _check_declared_length(request, settings.max_body_bytes)
    stream = _limited(request, settings.max_body_bytes, admission.reserve)
    async with _in_time(settings.body_timeout):
        if media_type == _JSON:
            query = _parse(kind, b"".join([part async for part in stream]))
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
        return _parse(kind, b"".join([part async for part in stream]))


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


def _check_declared_length(request: Request, most: int) -> None:
    declared = request.headers.get("Content-Length", "")
    if declared.isascii() and declared.isdigit() and int(declared[:20]) > most:
        raise _too_large(most)


def _too_large(most: int) -> ApiError:
    return ApiError(
        413,
        "too_large",
        f"the request is larger than {most:,} bytes",
        [{"max_bytes": most}],
        {"Connection": "close"},
    )


async def _limited(
    request: Request, most: int, reserve: Callable[[int], None]
) -> AsyncGenerator[bytes, None]:
    received = 0
    async for part in request.stream():
        received += len(part)
        if received > most:
            raise _too_large(most)
        reserve(len(part))
        yield part


def _parse(kind: type[M], content: bytes) -> M:
    try:
        return kind.model_validate_json(content)
    except ValidationError as error:
        raise invalid_input(error) from None


async def _read_form(request: Request, stream: AsyncGenerator[bytes, None], kind: type[Q]) -> Q:
    parser = MultiPartParser(
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
        query = _parse(kind, text.encode("utf-8", "surrogatepass"))
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
