"""HTTP connections that cannot be held open at the cost of others.

uvicorn waits for a request's head, for a body that nobody asked for, and for a client that does not
read its answer, for as long as the client likes. Here each of these has a time, one client has so
many connections, and past a number of connections the one that has waited longest makes room.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Collection
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from amgan.web.errors import error_body
from amgan.web.heads import HeadProblem, check_head

_LINGER = 2.0  # seconds in which a client may still read why its body was not
_SLOWEST_READER = 16 * 1024  # bytes of an answer to be taken within the write timeout


@dataclass(frozen=True)
class ConnectionLimits:
    """What one connection, one client and all of them may take.

    Attributes:
        header_timeout: seconds for a request's head to arrive.
        write_timeout: seconds in which a client has to take 16 KiB of its answer, or all of it.
        max_connections: open connections.
        max_connections_per_client: of one address.
        trusted_proxies: addresses that stand for many clients; only `max_connections` holds.
    """

    header_timeout: float
    write_timeout: float
    max_connections: int
    max_connections_per_client: int
    trusted_proxies: Collection[str] = ()


Connections = dict["TimedProtocol", None]  # an ordered set, oldest first


@dataclass
class _Open:
    """Open connections of one server, by what they do.

    Attributes:
        waiting: no request is being worked on.
        receiving: a body is arriving.
        clients: all connections by address.
    """

    waiting: Connections = field(default_factory=dict)
    receiving: Connections = field(default_factory=dict)
    clients: dict[str, Connections] = field(default_factory=dict)

    def forget(self, connection: TimedProtocol, client: str) -> None:
        self.waiting.pop(connection, None)
        self.receiving.pop(connection, None)
        others = self.clients.get(client)
        if others is not None:
            others.pop(connection, None)
            if not others:
                del self.clients[client]


class TimedProtocol(H11Protocol):
    """uvicorn's HTTP/1.1 protocol with limits on silence and on the number of connections.

    Limits and open connections are class attributes, set on a subclass by `timed_protocol`.
    """

    limits: ConnectionLimits
    open: _Open

    _timer: asyncio.TimerHandle | None = None  # closes a connection that waits
    _write_timer: asyncio.TimerHandle | None = None
    _unwritten = 0
    _lingers = False

    @property
    def _address(self) -> str:
        return self.client[0] if self.client else ""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start to wait for the first head, where there is room for another connection."""
        super().connection_made(transport)
        mine = self.open.clients.setdefault(self._address, {})
        mine[self] = None
        if (
            self._address not in self.limits.trusted_proxies
            and len(mine) > self.limits.max_connections_per_client
        ):
            self._make_room(mine)
        elif len(self.connections) > self.limits.max_connections:
            self._make_room(None)
        if not transport.is_closing():
            self._wait(self.limits.header_timeout)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._stop_waiting()
        self._stop_write_timer()
        self.open.forget(self, self._address)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read; between requests the first byte starts to wait for the rest of the head."""
        if self._lingers:
            return
        super().data_received(data)
        if not self.transport.is_closing():
            self._note_state()

    def handle_events(self) -> None:
        """Read what has arrived; a head is looked at before it is taken for a request."""
        if self.conn.their_state is h11.IDLE:
            problem = check_head(self.conn.trailing_data[0])
            if problem is not None:
                self._refuse(problem)
                return
        super().handle_events()

    def on_response_complete(self) -> None:
        """Between requests uvicorn's keep-alive time runs; an unread body ends the connection."""
        self._watch_writing()
        super().on_response_complete()
        if self.transport.is_closing():
            return
        if self.conn.their_state is h11.SEND_BODY:
            self._linger()
        elif self.conn.their_state is h11.IDLE:
            self.open.waiting[self] = None

    def pause_writing(self) -> None:
        """The client does not take its answer as fast as it is made."""
        super().pause_writing()
        self._watch_writing()

    def drop(self) -> None:
        """Close without an answer."""
        self._stop_waiting()
        self.transport.abort()

    def send_400_response(self, msg: str) -> None:
        """Answer what is not HTTP in the shape of every error."""
        self._refuse(HeadProblem(400, "bad_request", msg))

    def _refuse(self, problem: HeadProblem) -> None:
        self._stop_waiting()
        if self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            self.drop()  # in the middle of an answer there is no room for another
            return
        body = error_body(problem.code, problem.message, (), uuid.uuid4().hex)
        content = json.dumps(body).encode()
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(content)).encode()),
            (b"connection", b"close"),
        ]
        reason = HTTPStatus(problem.status).phrase.encode()
        events: list[Any] = [
            h11.Response(status_code=problem.status, headers=headers, reason=reason),
            h11.Data(data=content),
            h11.EndOfMessage(),
        ]
        for event in events:
            self.transport.write(self.conn.send(event) or b"")
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True  # its request has had its answer
            self.cycle.message_event.set()
        self._watch_writing()
        self._linger()

    def _make_room(self, among: Connections | None) -> None:
        """Close the connection that has waited longest: of one client, or of all."""
        for kind in (self.open.waiting, self.open.receiving):
            oldest = next((one for one in kind if among is None or one in among), None)
            if oldest is not None:
                oldest.drop()
                return
        self.drop()

    def _note_state(self) -> None:
        state = self.conn.their_state
        if state is h11.IDLE:
            if self._timer is None and self.conn.trailing_data[0]:
                self._wait(self.limits.header_timeout)
            return
        if self._lingers:
            return
        self._stop_waiting()
        if state is h11.SEND_BODY:
            self.open.receiving.setdefault(self)
        else:
            self.open.receiving.pop(self, None)

    def _wait(self, seconds: float) -> None:
        self._timer = self.loop.call_later(seconds, self.drop)
        self.open.waiting[self] = None

    def _stop_waiting(self) -> None:
        self.open.waiting.pop(self, None)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _linger(self) -> None:
        """Take no more, but leave the client a moment to read the answer before the end.

        Closing at once while bytes arrive resets the connection, and the answer is lost.
        """
        self._lingers = True
        self._unset_keepalive_if_required()
        self._stop_waiting()
        self.open.receiving.pop(self, None)
        self._wait(_LINGER)
        if self.transport.can_write_eof():
            self.transport.write_eof()

    def _watch_writing(self) -> None:
        """Close when the client does not take its answer."""
        unwritten = self.transport.get_write_buffer_size()
        if unwritten and self._write_timer is None:
            self._unwritten = unwritten
            self._write_timer = self.loop.call_later(self.limits.write_timeout, self._check_writing)

    def _check_writing(self) -> None:
        self._write_timer = None
        unwritten = self.transport.get_write_buffer_size()
        if unwritten and self._unwritten - unwritten < _SLOWEST_READER:
            self.transport.abort()
        else:
            self._watch_writing()

    def _stop_write_timer(self) -> None:
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None


def timed_protocol(limits: ConnectionLimits) -> type[TimedProtocol]:
    """The protocol with its limits."""
    return type("LimitedProtocol", (TimedProtocol,), {"limits": limits, "open": _Open()})
