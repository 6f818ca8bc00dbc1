"""A run shown in the browser of whoever trained it."""

from __future__ import annotations

import socket
import threading
import time
import webbrowser
from collections.abc import Callable
from contextlib import closing, suppress
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from amgan.web.server import serve
from amgan.web.settings import load_settings

HOST, PORT = "127.0.0.1", 8000
_LONGEST_WAIT = 120  # seconds until the page is not opened any more


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
    port = choose_port(PORT)
    address = f"http://{HOST}:{port}/"
    settings = load_settings(
        overrides={
            "run": run,
            "model": None,
            "gallery": run / "gallery",
            "device": device,
            "host": HOST,
            "port": port,
            "root_path": "",
            "page": True,
            "log_level": "warning",
            "log_format": "console",
        }
    )
    over = threading.Event()

    def tell() -> None:
        if wait_until_ready(port, over):
            announce(f"The page is at {address} until Ctrl-C")
            if browser:
                webbrowser.open(address)

    teller = threading.Thread(target=tell, name="amgan-show", daemon=True)
    teller.start()
    try:
        with suppress(KeyboardInterrupt):  # raised anew by uvicorn when it has finished
            serve(settings)
    finally:
        over.set()
        teller.join()


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


def wait_until_ready(port: int, over: threading.Event) -> bool:
    """Whether the server answers searches before `over` is set, or some time has passed."""
    deadline = time.monotonic() + _LONGEST_WAIT
    while not over.wait(0.1) and time.monotonic() < deadline:
        with suppress(OSError, HTTPException), closing(HTTPConnection(HOST, port, timeout=5)) as to:
            to.request("GET", "/ready")
            if to.getresponse().status == HTTPStatus.OK:
                return True
    return False
