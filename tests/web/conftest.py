"""A shop of small drawn shapes, served by an untrained AMGAN."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi import FastAPI
from PIL import Image

from amgan.gallery.store import build_gallery
from amgan.methods.trained import TrainedModel, save_model
from amgan.web.app import create_app
from amgan.web.settings import ServerSettings

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
    """Call with settings; a test client of a server that runs until the test ends."""
    with ExitStack() as stack:

        def open_with(**settings: Any) -> TestClient:
            app = create_app(ServerSettings(**{"run": shop, "device": "cpu", **settings}))
            return stack.enter_context(TestClient(app, raise_server_exceptions=False))

        yield open_with


@pytest.fixture(scope="session")
def session_client(shop: Path) -> Iterator[TestClient]:
    app = create_app(ServerSettings(run=shop, device="cpu"))
    with TestClient(app, raise_server_exceptions=False) as opened:
        yield opened


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
