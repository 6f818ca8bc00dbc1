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


def build_server(settings: ServerSettings) -> uvicorn.Server:
    """A server that is not running yet."""
    config = uvicorn.Config(
        create_app(settings),
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
    return uvicorn.Server(config)


def serve(settings: ServerSettings) -> bool:
    """Serve until SIGTERM or SIGINT; requests being worked on are finished first.

    Returns:
        Whether the server came up.
    """
    configure_logs(settings.log_level, settings.log_format)
    _allow_files(settings.max_connections + _OTHER_FILES)
    server = build_server(settings)
    server.run()
    return server.started


def _allow_files(wanted: int) -> None:
    """Raise the number of files that may be open, one a connection, where the system lets us."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft >= wanted:
        return
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    if allowed < wanted:
        logger().warning("few open files allowed", allowed=allowed, wanted=wanted)
