"""Which host names a server answers to, and whose scripts may ask it.

A page elsewhere can have its own name point to this machine (DNS rebinding), and its scripts then
read a server that asks for no key as if it were theirs. They cannot choose the Host header, so
names that are not the server's are refused. Addresses, and names without a dot such as localhost,
belong to no page elsewhere.
"""

from __future__ import annotations

import ipaddress
import json
import re
import socket
from collections.abc import Sequence
from contextlib import suppress
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from amgan.errors import InputError
from amgan.web.errors import error_body

EVERY_HOST = "*"
_HOST = re.compile(r"\.?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")
_ORIGIN_HOST = re.compile(r"[A-Za-z0-9._:-]+")


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
        if "." not in name or _is_address(name):
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


def check_host(host: str) -> str:
    """A host name as a setting, in lower case.

    Raises:
        InputError: it would never match.
    """
    if host != EVERY_HOST and not _HOST.fullmatch(host):
        raise InputError(
            f"{host!r} is not a host name; write shop.example without scheme, port and path, "
            ".example.com for all names that end so, or * for every name"
        )
    return host.lower()


def check_origin(origin: str) -> str:
    """An origin as browsers send it, or an error that says how to write it.

    Raises:
        InputError: it would never match.
    """
    if origin == EVERY_HOST:
        return origin
    parts = urlsplit(origin)
    try:
        port = parts.port
    except ValueError:
        port = -1
    scheme, name = parts.scheme.lower(), parts.hostname or ""
    standard = {"http": 80, "https": 443}.get(scheme)
    plain = f"{scheme}://{parts.netloc.lower()}"
    if scheme not in ("http", "https") or not _ORIGIN_HOST.fullmatch(name) or port == -1:
        raise InputError(
            f"{origin!r} is not an origin; write scheme and host, such as https://shop.example"
        )
    if port == standard:
        raise InputError(
            f"{origin!r}: browsers leave out port {port}; write {plain.rpartition(':')[0]}"
        )
    if origin.lower() != plain or "@" in parts.netloc:
        host = parts.netloc.lower().rpartition("@")[2]
        raise InputError(
            f"{origin!r} never matches; an origin has no path and no slash at its end: write "
            f"{scheme}://{host}"
        )
    return plain


def _is_address(name: str) -> bool:
    with suppress(ValueError):
        ipaddress.ip_address(name)
        return True
    return False
