"""What the routes of one server share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from fastapi import Request

from amgan.web.access import KeyRing
from amgan.web.limits import FailureGuard, RateLimiter
from amgan.web.metrics import Metrics
from amgan.web.pictures import PictureCache
from amgan.web.serving import Serving
from amgan.web.settings import ServerSettings


@dataclass
class ServerState:
    """One server's state.

    Attributes:
        settings: how it was told to be.
        serving: model and gallery.
        metrics: what Prometheus is told.
        keys, admin_keys: who may ask, and who may reload.
        limiter: of searches; None where everybody may ask as often as they like.
        read_limiter: of items and pictures.
        guard: makes senders of wrong keys wait.
        pictures: encoded gallery pictures.
        working: requests being worked on.
        pending_bytes: bytes of large request bodies in memory.
        pending_by_client: the same by the address that sent them.
        on_ready: called when model and gallery are first in use.
        on_failure: told why model and gallery could not be opened at the start.
    """

    settings: ServerSettings
    serving: Serving
    metrics: Metrics
    keys: KeyRing
    admin_keys: KeyRing
    limiter: RateLimiter | None
    read_limiter: RateLimiter | None
    pictures: PictureCache
    guard: FailureGuard = field(default_factory=FailureGuard)
    working: int = 0
    pending_bytes: int = 0
    pending_by_client: dict[str, int] = field(default_factory=dict)
    on_ready: Callable[[], None] | None = None
    on_failure: Callable[[Exception], None] | None = None


def state_of(request: Request) -> ServerState:
    """The state of the server that `request` came to."""
    state = request.app.state.server
    assert isinstance(state, ServerState)
    return state
