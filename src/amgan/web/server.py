"""The process: uvicorn on a socket, signals, an orderly end."""

from __future__ import annotations

import ipaddress
import socket
import threading
import webbrowser
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import uvicorn
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from amgan.errors import AmganError, InputError
from amgan.gallery.store import load_gallery_model, open_gallery
from amgan.run_folder import RunFolder
from amgan.web.app import create_app
from amgan.web.forwarded import FirstProtocol
from amgan.web.heads import LARGEST_HEAD
from amgan.web.hosts import default_hosts
from amgan.web.listening import CannotListenError, address_to_open, listen
from amgan.web.logs import configure_logs, logger
from amgan.web.protocol import ConnectionLimits, timed_protocol
from amgan.web.settings import ServerSettings, load_settings

HOST, PORT = "127.0.0.1", 8000  # where a run is shown to whoever trained it
_OTHER_FILES = 128


class ServerFailedError(InputError):
    """The server could not begin."""


class _Server(uvicorn.Server):
    """Stops when model or gallery cannot be opened at the start."""

    failure: Exception | None = None
    address = ""  # told once connections are taken

    def fail(self, error: Exception) -> None:
        """Stop because of `error`."""
        self.failure = error
        self.should_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen; uvicorn tells the address only where it opens the sockets itself."""
        await super().startup(sockets)
        if self.started:
            logger().info("listening; the gallery is being opened", address=self.address)


def build_server(settings: ServerSettings, on_ready: Callable[[], None] | None = None) -> _Server:
    """A server that is not running yet; `on_ready` is called when it first answers searches."""

    def on_failure(error: Exception) -> None:
        server.fail(error)

    if not settings.allowed_hosts:
        hosts = default_hosts(settings.host, bool(settings.api_keys))
        settings = settings.model_copy(update={"allowed_hosts": hosts})
    app = create_app(settings, on_failure=on_failure, on_ready=on_ready)
    behind: Any = ProxyHeadersMiddleware(cast(Any, app), list(settings.trusted_proxies))
    config = uvicorn.Config(
        FirstProtocol(behind),
        host=settings.host,
        port=settings.port,
        http=timed_protocol(
            ConnectionLimits(
                settings.header_timeout,
                settings.write_timeout,
                settings.max_connections,
                settings.max_connections_per_client,
                settings.trusted_proxies,
            )
        ),
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=settings.keep_alive_timeout,
        timeout_graceful_shutdown=settings.shutdown_timeout,
        h11_max_incomplete_event_size=LARGEST_HEAD + 1024,
    )
    server = _Server(config)
    return server


def serve(settings: ServerSettings, announce: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT; requests being worked on are finished first.

    Args:
        settings: how.
        announce: told the address, in a thread of its own, once searches are answered.

    Raises:
        ServerFailedError: model or gallery cannot be opened, or the port is taken.
    """
    configure_logs(settings.log_level, settings.log_format)
    _allow_files(settings.max_connections + _OTHER_FILES)
    try:
        sockets = listen(settings.host, settings.port)
    except CannotListenError as error:
        raise ServerFailedError(str(error)) from None
    try:
        check_content(settings)
        address = address_to_open(settings.host, sockets)

        def tell() -> None:
            threading.Thread(target=announce, args=(address,), daemon=True).start()

        if not settings.api_keys and not _is_local(settings.host):
            logger().warning("no keys are set: whoever reaches this address may search")
        server = build_server(settings, tell)
        server.address = address
        server.run(sockets)
    except SystemExit:  # uvicorn's way to say that it could not begin
        raise ServerFailedError("the server could not begin; its log says why") from None
    finally:
        for opened in sockets:
            opened.close()
    if server.failure is not None:
        raise ServerFailedError(str(server.failure)) from server.failure


def show_run(
    run: Path, announce: Callable[[str], None], *, device: str = "auto", browser: bool = True
) -> None:
    """Serve a run folder's gallery on this machine until Ctrl-C.

    Args:
        run: run folder with a gallery.
        announce: told the address, once it answers searches.
        device: auto, cpu, cuda or cuda:N.
        browser: also open the page in the default browser.

    Raises:
        ServerFailedError: model or gallery cannot be opened.
    """
    settings = load_settings(
        overrides={
            "run": run,
            "model": None,
            "gallery": RunFolder(run).gallery,
            "device": device,
            "host": HOST,
            "port": choose_port(PORT),
            "root_path": "",
            "page": True,
            "log_level": "warning",
            "log_format": "console",
        }
    )

    def tell(address: str) -> None:
        announce(f"The page is at {address} until Ctrl-C")
        if browser:
            webbrowser.open(address)

    with suppress(KeyboardInterrupt):  # raised anew by uvicorn when it has finished
        serve(settings, tell)


def choose_port(wanted: int) -> int:
    """The wanted port, or a free one where it is taken."""
    with socket.socket() as asked:
        asked.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            asked.bind((HOST, wanted))
        except OSError:
            asked.bind((HOST, 0))
        port: int = asked.getsockname()[1]
        return port


def check_content(settings: ServerSettings) -> None:
    """Look at gallery and model before anything is served; costs no search engine.

    Raises:
        ServerFailedError: one is not there, is damaged, or does not fit the other.
    """
    try:
        gallery = open_gallery(
            settings.gallery_path, engine="faiss://exact", pictures=settings.pictures, verify=False
        )
        load_gallery_model(gallery, "cpu", settings.model_path)
    except (AmganError, OSError) as error:
        raise ServerFailedError(str(error)) from error


def _is_local(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _allow_files(wanted: int) -> None:
    """Raise the number of files that may be open, one a connection, where the system lets us."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft >= wanted:
        return
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    if allowed < wanted:
        logger().warning("few open files allowed", allowed=allowed, wanted=wanted)
