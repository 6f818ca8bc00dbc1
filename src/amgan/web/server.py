"""The process: uvicorn on a socket, signals, an orderly end."""

from __future__ import annotations

import resource

import uvicorn

from amgan.web.app import create_app
from amgan.web.logs import configure_logs, logger
from amgan.web.protocol import timed_protocol
from amgan.web.settings import ServerSettings

_LARGEST_HEAD = 32 * 1024
_OTHER_FILES = 128


class ServerFailedError(ValueError):
    """The server could not begin."""


class _Server(uvicorn.Server):
    """Stops when model or gallery cannot be opened at the start."""

    failure: Exception | None = None

    def fail(self, error: Exception) -> None:
        """Stop because of `error`."""
        self.failure = error
        self.should_exit = True


def build_server(settings: ServerSettings) -> _Server:
    """A server that is not running yet."""

    def on_failure(error: Exception) -> None:
        server.fail(error)

    config = uvicorn.Config(
        create_app(settings, on_failure=on_failure),
        host=settings.host,
        port=settings.port,
        http=timed_protocol(settings.header_timeout, settings.max_connections),
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=True,
        forwarded_allow_ips=list(settings.trusted_proxies),
        timeout_keep_alive=settings.keep_alive_timeout,
        timeout_graceful_shutdown=settings.shutdown_timeout,
        h11_max_incomplete_event_size=_LARGEST_HEAD,
    )
    server = _Server(config)
    return server


def serve(settings: ServerSettings) -> None:
    """Serve until SIGTERM or SIGINT; requests being worked on are finished first.

    Raises:
        ServerFailedError: model or gallery cannot be opened, or the port is taken.
    """
    configure_logs(settings.log_level, settings.log_format)
    _allow_files(settings.max_connections + _OTHER_FILES)
    server = build_server(settings)
    try:
        server.run()
    except SystemExit:  # uvicorn's way to say that it could not listen
        raise ServerFailedError(f"cannot listen on {settings.host}:{settings.port}") from None
    if server.failure is not None:
        raise ServerFailedError(str(server.failure)) from server.failure


def _allow_files(wanted: int) -> None:
    """Raise the number of files that may be open, one a connection, where the system lets us."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft >= wanted:
        return
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    if allowed < wanted:
        logger().warning("few open files allowed", allowed=allowed, wanted=wanted)
