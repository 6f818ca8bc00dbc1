"""A run shown in the browser of whoever trained it."""

from __future__ import annotations

import socket
import webbrowser
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from amgan.web.server import serve
from amgan.web.settings import load_settings

HOST, PORT = "127.0.0.1", 8000


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
            "gallery": run / "gallery",
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
