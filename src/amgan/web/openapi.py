"""The OpenAPI document: bodies that come as JSON or as a form, and errors of one shape."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from amgan.web.queries import PictureQuery, PrototypeQuery, SearchQuery, SessionQuery
from amgan.web.schemas import ErrorAnswer
from amgan.web.settings import ServerSettings

_REF = "#/components/schemas/{model}"
_ERROR = _REF.format(model="ErrorAnswer")
_ANYWHERE = (400, 421)  # what any request can meet
_QUERIES: tuple[type[BaseModel], ...] = (PictureQuery, PrototypeQuery, SearchQuery, SessionQuery)
_MEANINGS = {
    400: "The body cannot be read.",
    401: "No valid key.",
    403: "Not with this key.",
    404: "No such thing.",
    408: "The body took too long to arrive.",
    409: "Not now.",
    413: "Too large.",
    415: "Neither JSON nor a form.",
    421: "Not a host name that this server answers to.",
    422: "Does not fit the description, or a picture that cannot be used.",
    429: "Too many requests; see Retry-After.",
    503: "Not ready, or too busy; see Retry-After.",
}
_TAGS = [
    {"name": "search", "description": "Find items by a picture and changes."},
    {"name": "gallery", "description": "What can be found, changed and filtered by."},
    {"name": "operation", "description": "Health, metrics, reload."},
]


def errors_of(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """`responses` of a route that can fail with these statuses."""
    return {status: {"model": ErrorAnswer, "description": _MEANINGS[status]} for status in statuses}


def body_of(query: type[BaseModel]) -> dict[str, Any]:
    """`openapi_extra` of a route that reads `query` from JSON or from a form."""
    reference = {"$ref": _REF.format(model=query.__name__)}
    examples = query.model_config.get("json_schema_extra")
    assert isinstance(examples, dict)
    form = {
        "type": "object",
        "properties": {
            "picture": {
                "type": "string",
                "minLength": 1,
                "contentMediaType": "application/octet-stream",
            },
            "query": {
                "type": "string",
                "contentMediaType": "application/json",
                "description": f"{query.__name__} without picture, as JSON text.",
            },
        },
        "required": ["picture"],
        "additionalProperties": False,
    }
    named = {
        f"example {number}": {"value": value}
        for number, value in enumerate(examples["examples"], 1)  # type: ignore[arg-type]
    }
    return {
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": reference, "examples": named},
                "multipart/form-data": {
                    "schema": form,
                    "encoding": {"query": {"contentType": "application/json"}},
                },
            },
        }
    }


def json_body_of(query: type[BaseModel]) -> dict[str, Any]:
    """`openapi_extra` of a route that reads `query` from JSON alone."""
    body = body_of(query)
    del body["requestBody"]["content"]["multipart/form-data"]
    return body


def install_openapi(app: FastAPI, settings: ServerSettings) -> None:
    """Make `app` describe itself wholly, with the limits that hold here."""

    def describe() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = get_openapi(
                title=app.title,
                version=app.version,
                summary=app.summary,
                description=app.description,
                routes=app.routes,
                tags=_TAGS,
            )
            schemas = document.setdefault("components", {}).setdefault("schemas", {})
            inputs = [(query, "validation") for query in _QUERIES]
            _, described = models_json_schema(inputs, ref_template=_REF)  # type: ignore[arg-type]
            schemas |= described.get("$defs", {})
            for leftover in ("HTTPValidationError", "ValidationError"):
                schemas.pop(leftover, None)
            _drop_default_errors(document)
            _tell_limits(document, settings)
            app.openapi_schema = document
        return app.openapi_schema

    app.openapi = describe  # type: ignore[method-assign]


def _tell_limits(document: dict[str, Any], settings: ServerSettings) -> None:
    """Write into the document what is allowed here, and the errors that any request can meet."""
    refused = errors_of(*_ANYWHERE)
    for path in document["paths"].values():
        for operation in path.values():
            for status, described in refused.items():
                content = {"application/json": {"schema": {"$ref": _ERROR}}}
                told = {"description": described["description"], "content": content}
                operation["responses"].setdefault(str(status), told)
            for parameter in operation.get("parameters", ()):
                if parameter["name"] == "k":
                    parameter["schema"]["maximum"] = settings.max_results
    query = document["components"]["schemas"]["SearchQuery"]["properties"]
    query["k"]["maximum"] = settings.max_results
    query["offset"]["maximum"] = settings.max_depth
    for name in ("SearchQuery", "PrototypeQuery"):
        words = document["components"]["schemas"][name]["properties"]["words"]
        for choice in words["anyOf"]:
            if choice["type"] == "string":
                choice["maxLength"] = settings.max_words


def _drop_default_errors(document: dict[str, Any]) -> None:
    """422 as FastAPI describes it is not what this server answers."""
    ours = {"schema": {"$ref": _ERROR}}
    for path in document["paths"].values():
        for operation in path.values():
            content = operation.get("responses", {}).get("422", {}).get("content", {})
            if "HTTPValidationError" in str(content):
                operation["responses"]["422"] = {
                    "description": _MEANINGS[422],
                    "content": {"application/json": ours},
                }
