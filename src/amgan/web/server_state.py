"""What the routes of one server share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fastapi import Request

from amgan.web.access import KeyRing
from amgan.web.limits import RateLimiter
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
        limiter: None where everybody may ask as often as they like.
        pictures: encoded gallery pictures.
        working: requests being worked on.
        pending_bytes: bytes of request bodies in memory.
        on_ready: called when model and gallery are first in use.
        on_failure: told why model and gallery could not be opened at the start.
    """

    settings: ServerSettings
    serving: Serving
    metrics: Metrics
    keys: KeyRing
    admin_keys: KeyRing
    limiter: RateLimiter | None
    pictures: PictureCache
    working: int = 0
    pending_bytes: int = 0
    on_ready: Callable[[], None] | None = None
    on_failure: Callable[[Exception], None] | None = None


def state_of(request: Request) -> ServerState:
    """The state of the server that `request` came to."""
    state = request.app.state.server
    assert isinstance(state, ServerState)
    return state
