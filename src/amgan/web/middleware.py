"""Around every request: its id, security headers, the log line, metrics, and the last resort."""

from __future__ import annotations

import json
import re
import time
import uuid
from typing import Any

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from amgan.web.errors import error_body
from amgan.web.logs import logger
from amgan.web.metrics import Metrics

REQUEST_ID_HEADER = "X-Request-ID"
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "connect-src 'self'",
        "manifest-src 'self'",
        "form-action 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
SECURITY_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), geolocation=(), microphone=(), payment=(), usb=()",
}
_QUIET = ("/health", "/ready", "/metrics", "/page/{name}")
_METHODS = {"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"}
_SOUND_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class RequestFrame:
    """Outermost layer of the application."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer = _Answer(scope, send)
        # What answers GET answers HEAD, with the same head and nothing after it.
        inner = {**scope, "method": "GET"} if scope["method"] == "HEAD" else scope
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=answer.request_id)
        started = time.perf_counter()
        try:
            await self._app(inner, receive, answer.send)
        except Exception:
            answer.state["error_code"] = "internal"
            logger().exception("request failed", route=_route(inner))
            if answer.status is not None:
                raise
            await answer.send_internal_error()
        finally:
            self._record(scope["method"], inner, answer, time.perf_counter() - started)

    def _record(self, asked: str, scope: Scope, answer: _Answer, seconds: float) -> None:
        route, status = _route(scope), answer.status or 499  # 499: the client left first
        method = asked if asked in _METHODS else "other"
        self._metrics.requests.labels(route, method, str(status)).inc()
        self._metrics.request_seconds.labels(route).observe(seconds)
        code = answer.state.get("error_code")
        if code is not None:
            self._metrics.refused.labels(code).inc()
        quiet = route in _QUIET and status < 400
        log = logger().debug if quiet else logger().info
        client, name = scope.get("client"), answer.state.get("key_name")
        log(
            "request",
            client=client[0] if client else None,
            method=method,
            route=route,
            status=status,
            ms=round(1000 * seconds, 2),
            **({"key": name} if name else {}),
            **({"code": code} if code else {}),
        )


class _Answer:
    """The answer to one request on its way out."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self._send = send
        sent_id = Headers(scope=scope).get(REQUEST_ID_HEADER, "")
        self.request_id = sent_id if _SOUND_ID.fullmatch(sent_id) else uuid.uuid4().hex
        self.state: dict[str, Any] = scope.setdefault("state", {})
        self.state["request_id"] = self.request_id
        self.state["method"] = scope["method"]
        self.status: int | None = None

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.body" and self.state["method"] == "HEAD":
            message = {**message, "body": b""}
        if message["type"] == "http.response.start":
            # The work is done; how long the client takes to read it keeps nobody else out.
            when_answered = self.state.pop("when_answered", None)
            if when_answered is not None:
                when_answered()
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            headers[REQUEST_ID_HEADER] = self.request_id
            for name, value in SECURITY_HEADERS.items():
                headers.setdefault(name, value)
            for name, value in self.state.get("extra_headers", {}).items():
                headers[name] = value
        await self._send(message)

    async def send_internal_error(self) -> None:
        body = error_body("internal", "something went wrong here", (), self.request_id)
        content = json.dumps(body).encode()
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(content)).encode()),
        ]
        await self.send({"type": "http.response.start", "status": 500, "headers": headers})
        await self.send({"type": "http.response.body", "body": content})


def _route(scope: Scope) -> str:
    """The pattern that matched; few in number, so fit for a metric's label."""
    route = scope.get("route")
    path = getattr(route, "path", None)
    return path if isinstance(path, str) and path else "unmatched"
