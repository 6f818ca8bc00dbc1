"""A shop of small drawn shapes, served by an untrained AMGAN."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi import FastAPI
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from amgan.gallery.store import build_gallery
from amgan.methods.model_file import save_model
from amgan.methods.trained import TrainedModel
from amgan.web.app import create_app
from amgan.web.settings import ServerSettings
from skips import CHROMIUM

from .pages import FLAGS, PATIENCE_MS, OpenPage

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # newer releases would rather have another client
    from starlette.testclient import TestClient

OpenClient = Callable[..., TestClient]
ITEMS = 40


@pytest.fixture(scope="session")
def shape_tools(pytestconfig: pytest.Config) -> Any:
    """The module of `tests/conftest.py`, for its functions that are no fixtures."""
    return pytestconfig.pluginmanager.getplugin(str(Path(__file__).parents[1] / "conftest.py"))


@pytest.fixture(scope="session")
def shop(
    shape_tools: Any, shape_model: TrainedModel, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A run folder with model and gallery."""
    folder = tmp_path_factory.mktemp("shop")
    catalogue = shape_tools.write_shapes(folder / "pictures", ITEMS)
    save_model(folder / "model.safetensors", shape_model.method, shape_model.description)
    build_gallery(folder / "gallery", shape_model, catalogue)
    return folder


@pytest.fixture
def open_client(shop: Path) -> Iterator[OpenClient]:
    """Call with settings; a test client of a server that runs until the test ends.

    It serves the shop's run folder unless `run` says otherwise; None leaves it out.
    """
    with ExitStack() as stack:

        def open_with(**settings: Any) -> TestClient:
            given = {"run": shop, "device": "cpu", **settings}
            given = {name: value for name, value in given.items() if value is not None}
            app = create_app(ServerSettings(**given))
            opened = stack.enter_context(TestClient(app, raise_server_exceptions=False))
            wait_until_ready(opened)
            return opened

        yield open_with


@pytest.fixture(scope="session")
def session_client(shop: Path) -> Iterator[TestClient]:
    app = create_app(ServerSettings(run=shop, device="cpu"))
    with TestClient(app, raise_server_exceptions=False) as opened:
        wait_until_ready(opened)
        yield opened


def wait_until_ready(client: TestClient) -> None:
    for _ in range(600):
        if client.get("/ready").status_code == 200:
            return
        time.sleep(0.05)
    raise AssertionError(client.get("/ready").text)


@pytest.fixture
def client(session_client: TestClient) -> TestClient:
    """A client of a server with default settings, shared by tests that change nothing."""
    session_client.cookies.clear()
    return session_client


@pytest.fixture
def app(client: TestClient) -> FastAPI:
    assert isinstance(client.app, FastAPI)
    return client.app


def draw_picture(width: int = 32, height: int = 24, form: str = "PNG", seed: int = 0) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 255, (height, width, 3)).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, form)
    return file.getvalue()


@pytest.fixture
def picture() -> bytes:
    return draw_picture()


@dataclass(frozen=True)
class Served:
    """A server in a process of its own."""

    process: subprocess.Popen[str]
    address: str
    log: Path

    @property
    def port(self) -> int:
        return int(self.address.rpartition(":")[2])

    def lines(self) -> list[dict[str, Any]]:
        """Its log."""
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def wait_for(self, event: str, count: int = 1) -> None:
        """Wait until an event stands `count` times in the log."""
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and self.process.poll() is None:
            if self.log.read_text().count(f'"event": "{event}') >= count:
                return
            time.sleep(0.05)
        raise AssertionError(f"no {event!r} in {self.log.read_text()}")


StartServer = Callable[..., Served]


@pytest.fixture(scope="module")
def start_server(shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartServer]:
    """Call with settings; `amgan serve` on loopback until the module's tests are done."""
    started: list[Served] = []

    def start(**settings: Any) -> Served:
        log = tmp_path_factory.mktemp("served") / "log"
        given = {"run": shop, "device": "cpu", "port": 0} | settings
        variables = {f"AMGAN_{name.upper()}": str(value) for name, value in given.items()}
        with log.open("w") as file:
            process = subprocess.Popen(
                [sys.executable, "-m", "amgan", "serve"],
                env=os.environ | {"OMP_NUM_THREADS": "1"} | variables,
                stderr=file,
                stdout=subprocess.DEVNULL,
                text=True,
            )
        served = Served(process, "", log)
        started.append(served)
        served.wait_for("loaded")
        served.wait_for("listening")
        address = re.findall(r"http://127\.0\.0\.1:\d+", log.read_text())[0]
        return Served(process, address, log)

    yield start
    for served in started:
        served.process.terminate()
    for served in started:
        try:
            served.process.wait(30)
        except subprocess.TimeoutExpired:
            served.process.kill()
            served.process.wait()


@pytest.fixture(scope="module")
def shop_address(start_server: StartServer) -> str:
    return start_server(title="Shapes").address


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path=CHROMIUM, args=FLAGS, timeout=2 * PATIENCE_MS
        )
        yield opened
        opened.close()


@pytest.fixture
def open_page(browser: Browser, shop_address: str) -> Iterator[OpenPage]:
    """Call with a path; a page whose scripts failing, or policy being broken, fails the test."""
    contexts: list[BrowserContext] = []
    problems: list[str] = []

    def open_at(
        path: str,
        width: int = 1280,
        dark: bool = False,
        address: str = shop_address,
        height: int = 800,
    ) -> Page:
        context = browser.new_context(
            base_url=address,
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
        )
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on(
            "console",
            lambda message: (
                problems.append(message.text) if "Content Security Policy" in message.text else None
            ),
        )
        page.goto(path)
        return page

    expect.set_options(timeout=PATIENCE_MS)
    yield open_at
    for context in contexts:
        context.close()
    assert problems == []
