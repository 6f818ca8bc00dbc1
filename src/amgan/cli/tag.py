"""The command for catalogues without labels: tag."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from amgan.cli.errors import CommandFailure
from amgan.cli.options import SEARCH, Device, Run, examples
from amgan.text import counted

EXAMPLES = examples(
    "amgan tag new-arrivals/ --out tags.csv",
    "amgan tag photo.jpg more/ -o tags.parquet --least-confidence 0.7",
)


def register(app: typer.Typer) -> None:
    """Add this file's command to the application."""
    app.command(rich_help_panel=SEARCH, epilog=EXAMPLES)(tag)


def tag(
    pictures: Annotated[list[Path], typer.Argument(help="Pictures, or folders of pictures.")],
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="FILE", help="Table: .csv, .jsonl or .parquet.")
    ] = Path("tags.csv"),
    least_confidence: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Leave values below this confidence empty.")
    ] = 0.0,
    run: Run = Path("run"),
    device: Device = "auto",
) -> None:
    """Write the attribute values that the model sees in pictures, with its confidence."""
    from amgan.methods.model_file import load_model
    from amgan.progress import track
    from amgan.tagging import find_pictures, tag_pictures, write_tags

    model = load_model(run, device)
    tags = list(tag_pictures(model, find_pictures(pictures), track))
    written = write_tags(out, model, tags, least_confidence)
    unread = [found for found in tags if found.problem is not None]
    typer.echo(f"{counted(written - len(unread), 'picture')} tagged in {out}")
    if unread:
        count = counted(len(unread), "picture")
        raise CommandFailure(f"{count} could not be read; see column problem")
