"""The command that runs the server."""

from __future__ import annotations

import os
import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from amgan.cli.options import SEARCH, Engine, Gallery, examples, run_option

EXAMPLES = examples(
    "amgan serve --run run",
    "amgan serve --gallery galleries/summer --port 8080",
    "amgan serve --config server.toml --host 0.0.0.0",
)


def register(app: typer.Typer) -> None:
    """Add this file's commands to the application."""
    app.command(rich_help_panel=SEARCH, epilog=EXAMPLES)(serve)


def serve(
    run: Annotated[
        Path | None,
        run_option(
            "Run folder; its model has to be the one that encoded the gallery.  "
            "\\[default: the gallery's own copy of the model]",
        ),
    ] = None,
    gallery: Gallery = None,
    engine: Engine = None,
    host: Annotated[
        str | None,
        typer.Option(help="Address to listen on.  \\[default: 127.0.0.1]", show_default=False),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(
            help="Port to listen on; 0 takes a free one.  \\[default: 8000]", show_default=False
        ),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(
            "--config",
            "-c",
            metavar="FILE",
            help="TOML file of settings; AMGAN_... in the environment wins over it.",
            show_default=False,
        ),
    ] = None,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open the page in the default browser.")
    ] = False,
) -> None:
    """Serve searches over HTTP, with a page at /.

    A gallery folder is enough: it holds a copy of the model that encoded it.

    Model and gallery are opened again, and switched to at once, on SIGHUP. SIGTERM and Ctrl-C
    finish what was begun. On a terminal logs are for people, elsewhere JSON. Every setting is in
    docs/serving.md.
    """
    # Waiting threads would otherwise spin and take the cores from those that work.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    from amgan.web.server import serve as serve_until_stopped
    from amgan.web.settings import load_settings

    given = {"run": run, "gallery": gallery, "engine": engine, "host": host, "port": port}
    settings = load_settings(config, {name: v for name, v in given.items() if v is not None})

    def tell(address: str) -> None:
        typer.echo(f"{'Search page' if settings.page else 'Search API'}: {address}")
        if browser and settings.page:
            webbrowser.open(address)

    serve_until_stopped(settings, tell)
