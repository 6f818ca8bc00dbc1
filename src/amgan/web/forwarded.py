"""What proxies say of the client's connection, as a chain of them writes it."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

_HEADER = b"x-forwarded-proto"


class FirstProtocol:
    """Reduces `X-Forwarded-Proto: https,http` to its first protocol, the client's own.

    Each proxy of a chain may add its own. uvicorn reads one protocol and ignores anything else;
    a cookie would then go out without `Secure`. Whether the sender is believed is decided behind.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] == "http":
            told = [value for name, value in scope["headers"] if name == _HEADER]
            if told:
                first = b",".join(told).partition(b",")[0].strip().lower()
                others = [header for header in scope["headers"] if header[0] != _HEADER]
                scope["headers"] = [*others, (_HEADER, first)]
        await self._app(scope, receive, send)
