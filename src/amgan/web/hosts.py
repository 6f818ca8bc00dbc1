"""Which host names a server answers to.

A page elsewhere can have its own name point to this machine (DNS rebinding), and its scripts then
read a server that asks for no key as if it were theirs. They cannot choose the Host header, so
names that are not the server's are refused. Addresses and localhost belong to no page.
"""

from __future__ import annotations

import ipaddress
import json
import socket
from collections.abc import Sequence
from contextlib import suppress

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from amgan.web.errors import error_body

EVERY_HOST = "*"


class HostCheck:
    """Refuses requests for other hosts.

    Args:
        app: asked where the host is right.
        hosts: names; `.example.com` stands for all names that end so.
    """

    def __init__(self, app: ASGIApp, hosts: Sequence[str]) -> None:
        self._app = app
        self._hosts = [host.lower() for host in hosts]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        host = Headers(scope=scope).get("host", "") if scope["type"] == "http" else ""
        if not host or self._is_known(host):
            await self._app(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        state["error_code"] = "unknown_host"
        message = (
            "this server does not answer to this host name; "
            "name it in AMGAN_ALLOWED_HOSTS where it should"
        )
        body = error_body("unknown_host", message, (), state.get("request_id", ""))
        content = json.dumps(body).encode()
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(content)).encode()),
        ]
        await send({"type": "http.response.start", "status": 421, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    def _is_known(self, host: str) -> bool:
        name = name_of_host(host)
        if name == "localhost" or _is_address(name):
            return True
        return any(
            known == name or (known.startswith(".") and name.endswith(known))
            for known in self._hosts
        )


def default_hosts(host: str, keys: bool) -> tuple[str, ...]:
    """Hosts of a server whose settings name none.

    Where keys are asked for a foreign page has none, so that every name may lead here.

    Args:
        host: that is listened on.
        keys: whether keys are asked for.
    """
    return (EVERY_HOST,) if keys else (host, socket.gethostname())


def name_of_host(host: str) -> str:
    """A Host header without its port, in lower case."""
    name = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
    return name.lower().removesuffix(".")


def _is_address(name: str) -> bool:
    with suppress(ValueError):
        ipaddress.ip_address(name)
        return True
    return False
