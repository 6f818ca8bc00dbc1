"""Letting requests in: key, rate, and how many at once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyHeader, HTTPBearer

from amgan.web.access import ANONYMOUS, KEY_HEADER, key_missing
from amgan.web.errors import ApiError
from amgan.web.server_state import ServerState, state_of

# For the OpenAPI document; `KeyRing` reads the headers.
_SCHEMES = [
    Security(APIKeyHeader(name=KEY_HEADER, auto_error=False, scheme_name="key")),
    Security(HTTPBearer(auto_error=False, scheme_name="bearer")),
]
_RETRY = {"Retry-After": "1"}


class Admission:
    """A request that was let in: the memory its body takes, and its place among those at work."""

    def __init__(self, state: ServerState) -> None:
        self._state = state
        self._reserved = 0
        self._working = False

    def reserve(self, count: int) -> None:
        """Count bytes of the body.

        Raises:
            ApiError: bodies of requests now being worked on fill the memory set apart for them.
        """
        if self._state.pending_bytes + count > self._state.settings.max_pending_bytes:
            raise overloaded("too many large requests at once")
        self._state.pending_bytes += count
        self._reserved += count

    def begin(self) -> None:
        """Take a place, now that the body has arrived; who sends slowly keeps nobody out.

        Raises:
            ApiError: none is free.
        """
        state = self._state
        if state.working >= state.settings.max_concurrent:
            raise overloaded("too many requests at once")
        state.working += 1
        self._working = True
        state.metrics.in_progress.set(state.working)

    def end(self) -> None:
        """Give back place and memory."""
        state = self._state
        state.pending_bytes -= self._reserved
        if self._working:
            state.working -= 1
            state.metrics.in_progress.set(state.working)


def overloaded(message: str) -> ApiError:
    """Error for a server that has enough to do."""
    return ApiError(503, "overloaded", f"{message}; try again shortly", headers=_RETRY)


async def require_key(request: Request) -> str:
    """Name of the client; where keys are set, only with one of them.

    Raises:
        ApiError: 401.
    """
    state = state_of(request)
    if not state.keys:
        return request.client.host if request.client else ANONYMOUS
    name = state.keys.identify(request) or state.admin_keys.identify(request)
    if name is None:
        raise key_missing()
    return name


async def require_admin(request: Request) -> str:
    """Name of the admin key.

    Raises:
        ApiError: 401, or 403 where no admin key is set.
    """
    state = state_of(request)
    if not state.admin_keys:
        raise ApiError(403, "admin_disabled", "set AMGAN_ADMIN_KEYS to use this address")
    name = state.admin_keys.identify(request)
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
    state = state_of(request)
    if state.limiter is not None:
        allowance = state.limiter.take(client)
        request.state.extra_headers = allowance.headers()
        if not allowance.allowed:
            raise ApiError(
                429, "rate_limited", f"too many requests; try again in {allowance.retry_after} s"
            )
    admission = Admission(state)
    try:
        yield admission
    finally:
        admission.end()


KEYED = [Depends(require_key), *_SCHEMES]
Admitted = Annotated[Admission, Depends(admit)]
