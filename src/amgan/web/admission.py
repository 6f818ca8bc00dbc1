"""Letting requests in: key, rate, and how many at once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyHeader, HTTPBearer

from amgan.web.access import ANONYMOUS, KEY_HEADER, KeyRing, key_missing, sent_cookie, sent_key
from amgan.web.errors import ApiError
from amgan.web.limits import RateLimiter, network_of
from amgan.web.server_state import ServerState, state_of

# For the OpenAPI document; `KeyRing` reads the headers.
_SCHEMES = [
    Security(APIKeyHeader(name=KEY_HEADER, auto_error=False, scheme_name="key")),
    Security(HTTPBearer(auto_error=False, scheme_name="bearer")),
]
_RETRY = {"Retry-After": "1"}
SMALL_BODY = 64 * 1024  # bytes of a request's body that are not counted
_CLIENTS_AT_LEAST = 4  # that can send large pictures at once


class Admission:
    """A request that was let in: the memory its body takes, and its place among those at work.

    Args:
        state: of the server.
        client: address of who asks.
    """

    def __init__(self, state: ServerState, client: str) -> None:
        self._state = state
        self._client = client
        self._received = 0
        self._reserved = 0
        self._working = False

    def reserve(self, count: int) -> None:
        """Count bytes of the body, as they arrive.

        A body of `SMALL_BODY` bytes or less is free, so that large ones, sent slowly, keep no
        search for an item out; and what one address holds leaves room for others.

        Raises:
            ApiError: bodies of requests now being worked on fill the memory set apart for them.
        """
        self._received += count
        if self._received <= SMALL_BODY:
            return
        count = self._received - self._reserved
        state, most = self._state, self._state.settings.max_pending_bytes
        held = state.pending_by_client.get(self._client, 0)
        share = max(most // _CLIENTS_AT_LEAST, state.settings.max_body_bytes)
        if state.pending_bytes + count > most or held + count > share:
            raise overloaded("too many large requests at once")
        state.pending_bytes += count
        state.pending_by_client[self._client] = held + count
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
        """Give back place and memory; when the answer is made, whether or not it is read."""
        state = self._state
        if self._reserved:
            state.pending_bytes -= self._reserved
            held = state.pending_by_client[self._client] - self._reserved
            state.pending_by_client[self._client] = held
            if not held:
                del state.pending_by_client[self._client]
            self._reserved = 0
        if self._working:
            self._working = False
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
        return network_of(address_of(request))
    key = sent_key(request)
    if key is None:
        name = state.keys.find_session(sent_cookie(request))
        if name is None:
            raise key_missing()
    else:
        name = check_key(request, key, state.keys, state.admin_keys)
    request.state.key_name = name
    return name


async def require_admin(request: Request) -> str:
    """Name of the admin key.

    Raises:
        ApiError: 401, or 403 where no admin key is set.
    """
    state = state_of(request)
    if not state.admin_keys:
        raise ApiError(403, "admin_disabled", "set AMGAN_ADMIN_KEYS to use this address")
    key = sent_key(request)  # no cookie: a page that is open must not stand for an admin
    if key is None:
        raise key_missing()
    request.state.key_name = check_key(request, key, state.admin_keys)
    return str(request.state.key_name)


def check_key(request: Request, key: str, *rings: KeyRing) -> str:
    """Name of a key that was sent; addresses that send many wrong ones have to wait.

    Raises:
        ApiError: 401 for a wrong key; 429 after many from one address.
    """
    name = next((name for ring in rings if (name := ring.find(key)) is not None), None)
    wait = state_of(request).guard.seconds_to_wait(network_of(address_of(request)), name)
    if wait:
        raise ApiError(
            429,
            "rate_limited",
            f"too many wrong keys from this address; try again in {wait} s",
            headers={"Retry-After": str(wait)},
        )
    if name is None:
        raise key_missing()
    return name


def address_of(request: Request) -> str:
    """Address of the client, as far as proxies that are trusted tell it."""
    return request.client.host if request.client else ANONYMOUS


async def admit(
    request: Request, client: Annotated[str, Depends(require_key)]
) -> AsyncIterator[Admission]:
    """Count a request that makes work.

    Raises:
        ApiError: 401 or 429.
    """
    state = state_of(request)
    _count(request, state.limiter, client)
    admission = Admission(state, address_of(request))
    request.state.when_answered = admission.end
    try:
        yield admission
    finally:
        admission.end()


async def admit_reader(request: Request, client: Annotated[str, Depends(require_key)]) -> None:
    """Count a request for items or pictures.

    Raises:
        ApiError: 401 or 429.
    """
    _count(request, state_of(request).read_limiter, client)


def _count(request: Request, limiter: RateLimiter | None, client: str) -> None:
    if limiter is None:
        return
    allowance = limiter.take(client)
    request.state.extra_headers = allowance.headers()
    if not allowance.allowed:
        raise ApiError(
            429, "rate_limited", f"too many requests; try again in {allowance.retry_after} s"
        )


KEYED = [Depends(require_key), *_SCHEMES]
READING = [Depends(admit_reader), *_SCHEMES]
Admitted = Annotated[Admission, Depends(admit)]
