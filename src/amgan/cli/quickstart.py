"""The command to start with: quickstart."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from amgan.cli.errors import resumable
from amgan.cli.options import START, Device, examples

EXAMPLES = examples(
    "amgan quickstart --serve", "amgan quickstart --items 600 --epochs 2 --folder trial"
)


def register(app: typer.Typer) -> None:
    """Add this file's commands to the application."""
    app.command(rich_help_panel=START, epilog=EXAMPLES)(quickstart)


def quickstart(
    folder: Annotated[
        Path, typer.Option("--folder", "-o", metavar="FOLDER", help="Where everything is written.")
    ] = Path("amgan-quickstart"),
    items: Annotated[int, typer.Option(min=200, help="Garments to render.")] = 3000,
    epochs: Annotated[int, typer.Option(min=1, help="Passes over the training triplets.")] = 7,
    method: Annotated[str, typer.Option("--method", "-m", help="amgan-p or amgan-t.")] = "amgan-t",
    seed: Annotated[int, typer.Option(help="Of garments, triplets and training.")] = 0,
    device: Device = "auto",
    serve: Annotated[
        bool,
        typer.Option("--serve", help="At the end open the search page, and serve it until Ctrl-C."),
    ] = False,
    browser: Annotated[
        bool,
        typer.Option(
            "--browser/--no-browser",
            help="With --serve: open the page in a browser, or only say where it is.",
        ),
    ] = True,
) -> None:
    """See the whole path at work, without any data: minutes on two cores.

    Renders a catalogue of garments, trains a small AMGAN on it, encodes the catalogue, measures the
    search against two simple rankers, and writes a picture of results. Given again, it goes on
    where it stopped.
    """
    from amgan.cli.printing import print_quickstart
    from amgan.quickstart import QuickstartSettings, run_quickstart

    settings = QuickstartSettings(folder, items, epochs, method, seed, device)
    with resumable("give the same command again to go on"):
        outcome = run_quickstart(settings, lambda step: typer.echo(step, err=True))
    print_quickstart(outcome)
    if serve:
        from amgan.web.server import show_run

        show_run(outcome.run, typer.echo, device=device, browser=browser)
