"""JSON from strangers: how deep, how much and how many members, before it is held to a schema."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable
from typing import Any, TypeVar

import pydantic_core
from pydantic import BaseModel, ValidationError

from amgan.web.errors import MOST_PROBLEMS, invalid_fields, invalid_input

M = TypeVar("M", bound=BaseModel)
MOST_MEMBERS = 20_000  # in all objects and lists together
_SPACE = re.compile(r"[ \t\r\n]+")
_URL_SAFE = str.maketrans("-_", "+/")


def parse_json(kind: type[M], content: bytes) -> M:
    """JSON text as a model.

    Checking costs about as much as there are members, and every wrong one would be described at
    length; so they are counted first.

    Raises:
        ApiError: 422.
    """
    try:
        value = pydantic_core.from_json(content, allow_inf_nan=True)
    except ValueError as error:
        raise invalid_fields([("", f"Invalid JSON: {error}")]) from None
    if isinstance(value, dict):
        unknown = [name for name in value if name not in kind.model_fields]
        if unknown:
            problem = f"there is no such field; the fields are {', '.join(kind.model_fields)}"
            named = [(name, problem) for name in unknown[:MOST_PROBLEMS]]
            raise invalid_fields(named, len(unknown))
        if _count(value) > MOST_MEMBERS:
            raise invalid_fields([("", f"more than {MOST_MEMBERS:,} members")])
    try:
        return kind.model_validate_json(content)
    except ValidationError as error:
        raise invalid_input(error) from None


def decode_base64(text: str) -> bytes:
    """Bytes of a text in base64, as programs write it: with line breaks, or for addresses.

    Raises:
        ValueError: anything else.
    """
    plain = _SPACE.sub("", text).rstrip("=")
    if "-" in plain or "_" in plain:
        plain = plain.translate(_URL_SAFE)
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from None


def _count(value: Any) -> int:
    """Members of all objects and lists, counted until they are too many."""
    total, open_ = 0, [value]
    while open_ and total <= MOST_MEMBERS:
        inner = open_.pop()
        total += len(inner)
        members: Iterable[Any] = inner.values() if isinstance(inner, dict) else inner
        open_.extend(member for member in members if isinstance(member, dict | list))
    return total
