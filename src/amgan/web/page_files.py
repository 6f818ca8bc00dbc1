"""The page's files: fixed names, read once, nothing from anywhere else."""

from __future__ import annotations

import hashlib
from importlib.resources import files

from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException

_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
}


def install_page(app: FastAPI) -> None:
    """Serve the page at `/` and its files under `/page/`."""
    contents = {
        file.name: (file.read_bytes(), _TYPES["." + file.name.rpartition(".")[2]])
        for file in files("amgan.web").joinpath("page").iterdir()
        if "." + file.name.rpartition(".")[2] in _TYPES
    }
    etags = {
        name: f'"{hashlib.sha256(content).hexdigest()[:24]}"'
        for name, (content, _) in contents.items()
    }

    def answer(request: Request, name: str) -> Response:
        if name not in contents:
            raise HTTPException(404)
        headers = {"ETag": etags[name], "Cache-Control": "no-cache"}
        if request.headers.get("If-None-Match") == etags[name]:
            return Response(status_code=304, headers=headers)
        content, media_type = contents[name]
        return Response(content, media_type=media_type, headers=headers)

    @app.get("/", include_in_schema=False)
    async def get_page(request: Request) -> Response:
        return answer(request, "index.html")

    @app.get("/page/{name}", include_in_schema=False)
    async def get_page_file(request: Request, name: str) -> Response:
        return answer(request, name)
