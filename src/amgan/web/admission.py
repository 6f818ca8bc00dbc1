"""Letting requests in: key, rate, and how many at once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyHeader, HTTPBearer

from amgan.web.access import ANONYMOUS, KEY_HEADER, key_missing
from amgan.web.errors import ApiError
from amgan.web.parts import ServerParts, parts_of

# For the OpenAPI document; `KeyRing` reads the headers.
_SCHEMES = [
    Security(APIKeyHeader(name=KEY_HEADER, auto_error=False, scheme_name="key")),
    Security(HTTPBearer(auto_error=False, scheme_name="bearer")),
]
_RETRY = {"Retry-After": "1"}


class Admission:
    """A request that was let in: the memory its body takes, and its place among those at work."""

    def __init__(self, parts: ServerParts) -> None:
        self._parts = parts
        self._reserved = 0
        self._working = False

    def reserve(self, count: int) -> None:
        """Count bytes of the body.

        Raises:
            ApiError: bodies of requests now being worked on fill the memory set apart for them.
        """
        if self._parts.pending_bytes + count > self._parts.settings.max_pending_bytes:
            raise overloaded("too many large requests at once")
        self._parts.pending_bytes += count
        self._reserved += count

    def begin(self) -> None:
        """Take a place, now that the body has arrived; who sends slowly keeps nobody out.

        Raises:
            ApiError: none is free.
        """
        parts = self._parts
        if parts.working >= parts.settings.max_concurrent:
            raise overloaded("too many requests at once")
        parts.working += 1
        self._working = True
        parts.metrics.in_progress.set(parts.working)

    def end(self) -> None:
        """Give back place and memory."""
        parts = self._parts
        parts.pending_bytes -= self._reserved
        if self._working:
            parts.working -= 1
            parts.metrics.in_progress.set(parts.working)


def overloaded(message: str) -> ApiError:
    """Error for a server that has enough to do."""
    return ApiError(503, "overloaded", f"{message}; try again shortly", headers=_RETRY)


async def require_key(request: Request) -> str:
    """Name of the client; where keys are set, only with one of them.

    Raises:
        ApiError: 401.
    """
    parts = parts_of(request)
    if not parts.keys:
        return request.client.host if request.client else ANONYMOUS
    name = parts.keys.identify(request) or parts.admin_keys.identify(request)
    if name is None:
        raise key_missing()
    return name


async def require_admin(request: Request) -> str:
    """Name of the admin key.

    Raises:
        ApiError: 401, or 403 where no admin key is set.
    """
    parts = parts_of(request)
    if not parts.admin_keys:
        raise ApiError(403, "admin_disabled", "set AMGAN_ADMIN_KEYS to use this address")
    name = parts.admin_keys.identify(request)
    if name is None:
        raise key_missing()
    return name


async def admit(
    request: Request, client: Annotated[str, Depends(require_key)]
) -> AsyncIterator[Admission]:
    """Count a request that makes work.

    Raises:
        ApiError: 401 or 429.
    """
    parts = parts_of(request)
    if parts.limiter is not None:
        allowance = parts.limiter.take(client)
        request.state.extra_headers = allowance.headers()
        if not allowance.allowed:
            raise ApiError(
                429, "rate_limited", f"too many requests; try again in {allowance.retry_after} s"
            )
    admission = Admission(parts)
    try:
        yield admission
    finally:
        admission.end()


KEYED = [Depends(require_key), *_SCHEMES]
Admitted = Annotated[Admission, Depends(admit)]
