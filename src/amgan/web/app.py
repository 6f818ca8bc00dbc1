"""The application: one server's routes, errors, middleware and life."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from importlib.metadata import version

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from amgan.gallery.gallery import Gallery
from amgan.gallery.store import load_gallery_model, open_gallery
from amgan.methods.trained import TrainedModel
from amgan.web.access import KEY_HEADER, KeyRing
from amgan.web.errors import install_error_handlers
from amgan.web.hosts import EVERY_HOST, HostCheck
from amgan.web.limits import RateLimiter
from amgan.web.logs import logger
from amgan.web.metrics import Metrics
from amgan.web.middleware import REQUEST_ID_HEADER, RequestFrame
from amgan.web.openapi import install_openapi
from amgan.web.page_files import install_page
from amgan.web.pictures import PictureCache
from amgan.web.routes import gallery, operation, searching
from amgan.web.server_state import ServerState
from amgan.web.serving import Opener, Serving
from amgan.web.settings import ServerSettings

_DESCRIPTION = """Change what you like about a garment, find what matches.

A reference (a picture, or an item of the gallery) and changes of named attributes give a ranking of
the gallery. Errors have one shape, `{"error": {code, message, details, request_id}}`."""
READS_A_SEARCH = 50  # requests for items and pictures that one search's page of results may take
_EXPOSED = ["RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset", "Retry-After"]


def create_app(
    settings: ServerSettings,
    opener: Opener | None = None,
    on_failure: Callable[[Exception], None] | None = None,
    on_ready: Callable[[], None] | None = None,
) -> FastAPI:
    """Application for an ASGI server.

    Args:
        settings: how it is to be.
        opener: opens model and gallery; None opens those that the settings name.
        on_failure: told why they could not be opened at the start.
        on_ready: called when they first are.
    """
    app = FastAPI(
        title="amgan",
        summary="Flexible fashion search",
        description=_DESCRIPTION,
        version=version("amgan"),
        root_path=settings.root_path,
        lifespan=_live,
        redirect_slashes=False,  # to the host that was sent, whatever it is
        docs_url=None,  # both load their scripts from elsewhere
        redoc_url=None,
    )
    state = _build_state(settings, opener or _opener(settings))
    state.on_failure, state.on_ready = on_failure, on_ready
    app.state.server = state
    install_error_handlers(app)
    for routes in (searching, gallery, operation):
        app.include_router(routes.router)
    if settings.page:
        install_page(app)
    install_openapi(app, settings)
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_methods=["GET", "POST"],
            allow_headers=[KEY_HEADER, "Authorization", REQUEST_ID_HEADER],
            expose_headers=[REQUEST_ID_HEADER, *_EXPOSED],
        )
    if settings.allowed_hosts and EVERY_HOST not in settings.allowed_hosts:
        app.add_middleware(HostCheck, hosts=settings.allowed_hosts)
    app.add_middleware(RequestFrame, metrics=state.metrics)
    return app


def _build_state(settings: ServerSettings, opener: Opener) -> ServerState:
    metrics = Metrics()
    seconds = settings.session_hours * 3600
    limiter = read_limiter = None
    if settings.rate_limit:
        limiter = RateLimiter(settings.rate_limit, settings.rate_burst)
        read_limiter = RateLimiter(
            settings.rate_limit * READS_A_SEARCH, settings.rate_burst * READS_A_SEARCH
        )
    return ServerState(
        settings,
        Serving(settings, opener, metrics),
        metrics,
        KeyRing(settings.api_keys, seconds),
        KeyRing(settings.admin_keys, seconds),
        limiter,
        read_limiter,
        PictureCache(settings.picture_cache_bytes),
    )


def _opener(settings: ServerSettings) -> Opener:
    def open_both() -> tuple[TrainedModel, Gallery]:
        opened = open_gallery(
            settings.gallery_path, engine=settings.engine, pictures=settings.pictures
        )
        return load_gallery_model(opened, settings.device, settings.model_path), opened

    return open_both


@asynccontextmanager
async def _live(app: FastAPI) -> AsyncIterator[None]:
    """Open model and gallery while the process answers already; open them again on SIGHUP."""
    state: ServerState = app.state.server
    loop = asyncio.get_running_loop()
    tasks: set[asyncio.Task[None]] = set()

    def load() -> None:
        """Load; while a load is under way, once more after it, since files may be newer than it."""
        if tasks:
            again.set()
            return
        task = loop.create_task(_load(state))
        tasks.add(task)
        task.add_done_callback(finish)

    def finish(task: asyncio.Task[None]) -> None:
        tasks.discard(task)
        if again.is_set():
            again.clear()
            load()

    again = asyncio.Event()

    load()
    hangup = getattr(signal, "SIGHUP", None)  # Windows has none
    if hangup is not None:
        with suppress(ValueError, RuntimeError, NotImplementedError):  # not in the main thread
            loop.add_signal_handler(hangup, load)
    yield
    if hangup is not None:
        with suppress(ValueError, RuntimeError, NotImplementedError):
            loop.remove_signal_handler(hangup)
    again.clear()
    await asyncio.gather(*tasks)
    await asyncio.to_thread(state.serving.close)
    logger().info("stopped")


async def _load(state: ServerState) -> None:
    """Load; a failure is logged, and what was in use, if anything, stays in use."""
    try:
        await asyncio.to_thread(lambda: state.serving.load(wait=True))
    except Exception as error:
        if not state.serving.ready and state.on_failure is not None:
            state.on_failure(error)
    else:
        if state.on_ready is not None:
            state.on_ready()
        state.on_ready = None
