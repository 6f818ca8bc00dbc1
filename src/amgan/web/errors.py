"""One shape for everything that goes wrong: {"error": {code, message, details, request_id}}."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.routing import Match

from amgan.errors import InputError, NoSuchItemError
from amgan.gallery.versions import GalleryError
from amgan.images import PictureError
from amgan.web.logs import logger

MOST_PROBLEMS = 20  # that one answer lists
_LONGEST_PROBLEM = 500

# Codes of errors that are known by their status alone.
_CODES = {
    400: "bad_request",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    408: "timeout",
    413: "too_large",
    421: "unknown_host",
    415: "unsupported_media_type",
    422: "invalid",
    429: "rate_limited",
    500: "internal",
    503: "unavailable",
}


class ApiError(Exception):
    """An answer that is not what was asked for.

    Args:
        status: HTTP status.
        code: stable word for programs.
        message: sentence for people.
        details: more for programs, such as one entry a wrong field.
        headers: further response headers.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        details: Sequence[Mapping[str, Any]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.details = [dict(detail) for detail in details]
        self.headers = dict(headers or {})


def error_body(
    code: str, message: str, details: Sequence[Mapping[str, Any]], request_id: str
) -> dict[str, Any]:
    """The one shape."""
    error = {"code": code, "message": message, "details": list(details), "request_id": request_id}
    return {"error": error}


def error_response(request: Request, error: ApiError) -> JSONResponse:
    """The answer that tells of `error`."""
    request.state.error_code = error.code
    request_id = getattr(request.state, "request_id", "")
    body = error_body(error.code, error.message, error.details, request_id)
    return JSONResponse(body, error.status, error.headers)


def invalid_input(error: ValidationError | RequestValidationError) -> ApiError:
    """Error for input that does not fit its description; the input itself is not repeated."""
    problems = error.errors()
    named = [
        (_path(problem["loc"]), str(problem["msg"])[:_LONGEST_PROBLEM])
        for problem in problems[:MOST_PROBLEMS]
    ]
    return invalid_fields(named, len(problems))


def invalid_fields(problems: Sequence[tuple[str, str]], total: int | None = None) -> ApiError:
    """Error for fields and what is wrong with each.

    Args:
        problems: the first of them, one at least.
        total: how many there are.
    """
    details = [{"field": field[:200], "problem": problem} for field, problem in problems]
    more = (total or len(problems)) - len(problems)
    if more > 0:
        details.append({"field": "", "problem": f"and {more:,} more problems"})
    first = details[0]
    message = f"{first['field']}: {first['problem']}" if first["field"] else first["problem"]
    return ApiError(422, "invalid", message, details)


def bad_picture(error: PictureError) -> ApiError:
    """Error for a picture that was sent."""
    return ApiError(422, "bad_picture", f"the picture {_sentence(error.reason)}")


def no_such_item(item_id: str) -> ApiError:
    """Error for an id that the gallery does not have."""
    return ApiError(
        404, "no_such_item", "the gallery has no item with this id", [{"item_id": item_id[:200]}]
    )


def install_error_handlers(app: FastAPI) -> None:
    """Give every error of `app` the one shape."""
    app.add_exception_handler(ApiError, _on_api_error)
    app.add_exception_handler(InputError, _on_input_error)
    app.add_exception_handler(GalleryError, _on_unavailable)
    app.add_exception_handler(OSError, _on_unavailable)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http_error)


def _sentence(reason: str) -> str:
    verbs = ("is ", "has ", "cannot ")
    return reason if reason.startswith(verbs) else f"cannot be used: {reason}"


def _path(location: Sequence[int | str]) -> str:
    parts = location[1:] if location and location[0] in ("body", "query", "path") else location
    return ".".join(str(part)[:80] for part in parts)


async def _on_api_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ApiError)
    return error_response(request, error)


async def _on_input_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, InputError)
    if isinstance(error, NoSuchItemError):
        return error_response(request, no_such_item(error.item_id))
    details = [{"field": error.field, "problem": str(error)}] if error.field else []
    return error_response(request, ApiError(422, "invalid", str(error), details))


async def _on_unavailable(request: Request, error: Exception) -> JSONResponse:
    """The gallery, its server or a disk failed; the log says how, the answer names no path."""
    logger().error("gallery failed", reason=str(error))
    message = "the gallery cannot be searched just now; try again shortly"
    return error_response(request, ApiError(503, "unavailable", message))


async def _on_invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    return error_response(request, invalid_input(error))


async def _on_http_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    status = error.status_code
    message = error.detail or HTTPStatus(status).phrase
    if status == 404:
        message = "there is nothing at this address"
    headers = dict(error.headers or {})
    if status == 405:
        method = getattr(request.state, "method", request.method)
        headers["Allow"] = ", ".join(_methods_of(request))
        message = f"this address does not take {method}; it takes {headers['Allow']}"
    code = _CODES.get(status, f"http_{status}")
    return error_response(request, ApiError(status, code, message, (), headers))


def _methods_of(request: Request) -> list[str]:
    """All methods that the address of a request takes; the router knows those of one route only."""
    found = set()
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        scope = {**request.scope, "method": method}
        if any(route.matches(scope)[0] is Match.FULL for route in request.app.routes):
            found.add(method)
    if "GET" in found:
        found.add("HEAD")
    return sorted(found)
