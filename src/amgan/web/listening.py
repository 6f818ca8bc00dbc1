"""The sockets that a server listens on, taken before anything claims to be up."""

from __future__ import annotations

import errno
import socket

from amgan.errors import InputError

_BACKLOG = 2048
_ANYWHERE = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}


class CannotListenError(InputError):
    """The address cannot be listened on."""


def listen(host: str, port: int) -> list[socket.socket]:
    """Sockets that listen on every address of `host`; port 0 takes a free one.

    Raises:
        CannotListenError: the port is in use or not allowed, or there is no such host.
    """
    try:
        found = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except (socket.gaierror, UnicodeError) as error:
        raise CannotListenError(f"cannot listen on host {host!r}: {error}") from None
    sockets: list[socket.socket] = []
    try:
        for family, address in dict.fromkeys((entry[0], entry[4]) for entry in found):
            taken = port or (sockets[0].getsockname()[1] if sockets else 0)
            sockets.append(_listen_on(family, (address[0], taken, *address[2:])))
    except OSError as error:
        for opened in sockets:
            opened.close()
        raise CannotListenError(_describe(error, host, port)) from None
    return sockets


def address_to_open(host: str, sockets: list[socket.socket]) -> str:
    """The address to type into a browser on this machine."""
    name = _ANYWHERE.get(host, host)
    return f"http://{f'[{name}]' if ':' in name else name}:{sockets[0].getsockname()[1]}"


def _listen_on(family: int, address: tuple[object, ...]) -> socket.socket:
    # Named, as asyncio sends at once (TCP_NODELAY) only on sockets that say they are TCP; on others
    # an answer in two writes waits 40 ms for the client's delayed acknowledgement of the first.
    opened = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        opened.bind(address)
        opened.listen(_BACKLOG)
    except OSError:
        opened.close()
        raise
    return opened


def _describe(error: OSError, host: str, port: int) -> str:
    advice = "give another one with --port N (0 takes a free one)"
    if error.errno == errno.EADDRINUSE:
        return f"port {port} is in use on {host}; {advice}"
    if error.errno == errno.EACCES:
        return f"port {port} of {host} is not for this user; {advice}"
    return f"cannot listen on {host}:{port}: {error.strerror or error}"
