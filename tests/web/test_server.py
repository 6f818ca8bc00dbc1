"""The page shown at the end of a quickstart."""

from __future__ import annotations

import os
import signal
import socket
import urllib.request
import webbrowser
from pathlib import Path

import pytest

from amgan.web import server


@pytest.mark.parametrize("browser", [True, False])
def test_a_run_is_shown_until_it_is_interrupted(
    shop: Path, browser: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    pages: list[bytes] = []

    def look(said: str) -> None:
        address = said.split()[4]
        assert address.startswith("http://127.0.0.1:")
        proxyless = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with proxyless.open(address, timeout=30) as answer:
            pages.append(answer.read())
        os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setenv("AMGAN_RUN", "elsewhere")
    monkeypatch.setattr(webbrowser, "open", opened.append)
    monkeypatch.setattr(server, "PORT", 0)
    server.show_run(shop, look, device="cpu", browser=browser)
    assert b"<html" in pages[0]
    assert len(opened) == browser


def test_a_port_that_is_taken_gives_way_to_a_free_one() -> None:
    with socket.socket() as taken:
        taken.bind((server.HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert server.choose_port(port) not in (0, port)
    assert server.choose_port(port) == port
