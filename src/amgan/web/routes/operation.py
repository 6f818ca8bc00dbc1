"""Health, readiness, metrics, reload, sessions."""

from __future__ import annotations

import asyncio
import time
from importlib.metadata import version
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from amgan.errors import AmganError
from amgan.web.access import COOKIE, sent_cookie
from amgan.web.admission import check_key, require_admin, require_key
from amgan.web.bodies import read_small
from amgan.web.errors import ApiError
from amgan.web.metrics import CONTENT_TYPE
from amgan.web.openapi import errors_of, json_body_of
from amgan.web.queries import SessionQuery
from amgan.web.schemas import Health, Ready, Reloaded
from amgan.web.server_state import state_of

router = APIRouter(tags=["operation"])


@router.get("/health")
async def get_health() -> Health:
    """Whether the process answers; says nothing about the gallery."""
    return Health(version=version("amgan"))


@router.get("/ready", responses=errors_of(503))
async def get_readiness(request: Request) -> Ready:
    """Whether searches are answered; 503 while the gallery is opened, or a file of it was cut."""
    serving = state_of(request).serving
    loaded = serving.current
    loaded.gallery.mapped.require_whole()
    return Ready(
        model=loaded.model_id,
        gallery=loaded.version,
        items=len(loaded.gallery),
        verified=bool(loaded.gallery.manifest.files),
        missing_pictures=loaded.missing_pictures,
        load_failed=serving.load_error is not None,
    )


@router.get(
    "/metrics",
    response_class=Response,
    responses=errors_of(401)
    | {200: {"content": {CONTENT_TYPE: {}}, "description": "Prometheus's text format."}},
)
async def get_metrics(request: Request) -> Response:
    """Counts and latencies for Prometheus."""
    state = state_of(request)
    if state.settings.protect_metrics:
        await require_key(request)
    return Response(state.metrics.render(), media_type=CONTENT_TYPE)


@router.post("/admin/reload", responses=errors_of(401, 403, 409))
async def reload(request: Request, admin: Annotated[str, Depends(require_admin)]) -> Reloaded:
    """Open model and gallery again and switch to them at once; needs an admin key.

    On failure those in use stay in use.
    """
    started = time.perf_counter()
    try:
        loaded = await asyncio.to_thread(state_of(request).serving.load)
    except (AmganError, OSError) as error:
        raise ApiError(409, "reload_failed", f"still using what was in use: {error}") from None
    seconds = round(time.perf_counter() - started, 3)
    return Reloaded(
        model=loaded.model_id, gallery=loaded.version, items=len(loaded.gallery), seconds=seconds
    )


@router.post(
    "/v1/session",
    status_code=204,
    responses=errors_of(400, 401, 408, 413, 415, 422, 429),
    openapi_extra=json_body_of(SessionQuery),
)
async def open_session(request: Request) -> Response:
    """Exchange a key for a cookie, for browsers; the cookie cannot be read by scripts."""
    state = state_of(request)
    query = await read_small(request, SessionQuery, state.settings)
    request.state.key_name = check_key(request, query.key, state.keys)
    cookie = state.keys.open_session(query.key)
    assert cookie is not None
    response = Response(status_code=204)
    response.set_cookie(
        COOKIE,
        cookie,
        max_age=int(state.settings.session_hours * 3600),
        path=state.settings.root_path or "/",
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="strict",
    )
    return response


@router.delete("/v1/session", status_code=204)
async def close_session(request: Request) -> Response:
    """End the session: its cookie is taken no more, also where it was copied."""
    state_of(request).keys.end_session(sent_cookie(request))
    response = Response(status_code=204)
    response.delete_cookie(COOKIE, path=state_of(request).settings.root_path or "/")
    return response
