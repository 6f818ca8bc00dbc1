"""The command that looks for damage in a gallery: check."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from amgan.cli.options import SEARCH, AsJson, Pictures, examples
from amgan.run_folder import RunFolder
from amgan.text import counted

EXAMPLES = examples(
    "amgan check",
    "amgan check galleries/summer --verify-pictures",
)


def register(app: typer.Typer) -> None:
    """Add this file's command to the application."""
    app.command(rich_help_panel=SEARCH, epilog=EXAMPLES)(check)


def check(
    gallery: Annotated[
        Path | None,
        typer.Argument(
            metavar="GALLERY",
            help="Gallery folder.  \\[default: run/gallery]",
            show_default=False,
        ),
    ] = None,
    pictures: Pictures = None,
    verify_pictures: Annotated[
        bool,
        typer.Option(
            "--verify-pictures",
            help="Also compare the content of every picture with what was encoded.",
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Read every file of a gallery and tell what is wrong with it.

    Compares each file with the SHA-256 that was kept when it was written, and counts, labels and
    rows with one another; loads the model; looks for the pictures. Exit code 1 where the gallery is
    damaged. Pictures that are missing are counted, and do not keep it from being searched.
    """
    from amgan.cli.printing import print_json
    from amgan.gallery.examine import examine_gallery
    from amgan.progress import track

    folder = gallery or RunFolder(Path("run")).gallery
    found = examine_gallery(
        folder, pictures=pictures, verify_pictures=verify_pictures, progress=track
    )
    if as_json:
        example = None if found.example is None else str(found.example)
        print_json(asdict(found) | {"example": example})
    else:
        for sentence in found.damage:
            typer.echo(f"damaged: {sentence}")
        if not found.damage:
            typer.echo(f"{folder}: version {found.version}, {counted(found.items, 'item')}, sound")
        if not found.checked:
            typer.echo("written before SHA-256 was kept: only structure and sizes were checked")
        if found.missing:
            typer.echo(
                f"{found.missing:,} of {counted(found.items, 'picture')} not found, such as "
                f"{found.example}; --pictures names the folder they lie in"
            )
        if found.changed:
            typer.echo(f"{counted(found.changed, 'picture')} changed since: amgan update them")
    if found.damage:
        raise typer.Exit(1)
