"""HTTP connections that cannot be held open by saying nothing.

uvicorn waits for a request's head for as long as a client likes. Here a connection is closed when
the head has not come within a time; past a number of connections the one that has waited longest
for its head makes room, so that slow clients do not keep others out.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from amgan.web.errors import error_body


class TimedProtocol(H11Protocol):
    """uvicorn's HTTP/1.1 protocol with limits on silence and on the number of connections.

    The limits are class attributes, set on a subclass by `timed_protocol`.
    """

    header_timeout: float
    max_connections: int
    waiting: dict[TimedProtocol, None]  # connections without a request, oldest first

    _header_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start to wait for the first head."""
        super().connection_made(transport)
        if len(self.connections) > self.max_connections:
            oldest = next(iter(self.waiting), self)
            oldest.drop()
            if oldest is self:
                return
        self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read; between requests the first byte starts to wait for the rest of the head."""
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self.conn.their_state is h11.IDLE:
            if self._header_timer is None and self.conn.trailing_data[0]:
                self._wait_for_head()
        else:
            self._stop_waiting()

    def on_response_complete(self) -> None:
        """Between requests uvicorn's keep-alive time runs."""
        super().on_response_complete()
        if not self.transport.is_closing() and self.conn.their_state is h11.IDLE:
            self.waiting[self] = None

    def drop(self) -> None:
        """Close without an answer."""
        self._stop_waiting()
        self.transport.abort()

    def send_400_response(self, msg: str) -> None:
        """Answer what is not HTTP in the shape of every error."""
        self._stop_waiting()
        content = json.dumps(error_body("bad_request", msg, (), uuid.uuid4().hex)).encode()
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(content)).encode()),
            (b"connection", b"close"),
        ]
        events: list[Any] = [
            h11.Response(status_code=400, headers=headers, reason=b"Bad Request"),
            h11.Data(data=content),
            h11.EndOfMessage(),
        ]
        for event in events:
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    def _wait_for_head(self) -> None:
        self._header_timer = self.loop.call_later(self.header_timeout, self.drop)
        self.waiting[self] = None

    def _stop_waiting(self) -> None:
        self.waiting.pop(self, None)
        if self._header_timer is not None:
            self._header_timer.cancel()
            self._header_timer = None


def timed_protocol(header_timeout: float, max_connections: int) -> type[TimedProtocol]:
    """The protocol with its limits."""
    limits = {"header_timeout": header_timeout, "max_connections": max_connections, "waiting": {}}
    return type("LimitedProtocol", (TimedProtocol,), limits)
