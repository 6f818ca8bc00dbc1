"""The command that trains on rendered garments: pretrain."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from amgan.cli.errors import resumable
from amgan.cli.options import LEARN, examples

EXAMPLES = examples("amgan pretrain runs/pretrained", "amgan pretrain runs/own --recipe own.toml")


def register(app: typer.Typer) -> None:
    """Add this file's command to the application."""
    app.command(rich_help_panel=LEARN, epilog=EXAMPLES)(pretrain)


def pretrain(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where everything is written.")],
    recipe: Annotated[
        Path | None,
        typer.Option(
            "--recipe",
            metavar="FILE",
            help="What to make.  [default: the recipe that comes with the package]",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Train a model that edits pictures, on rendered garments: hours on two cores.

    Renders families of garments in which one thing changes at a time, trains a judge and the model
    on them, and measures its prototypes against the exact answers. Given again, it goes on where it
    stopped.
    """
    from amgan.cli.printing import print_edit_quality
    from amgan.workflows.pretrain import pretrain as run
    from amgan.workflows.recipe import load_recipe

    with resumable("give the same command again to go on"):
        file, quality = run(folder, load_recipe(recipe), lambda step: typer.echo(step, err=True))
    print_edit_quality(quality)
    typer.echo(f"Model: {file} ({file.stat().st_size / 2**20:.1f} MiB)")
