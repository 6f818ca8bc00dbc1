"""The command that lists the settings in the package: presets."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from amgan.cli.options import LEARN, AsJson, examples

EXAMPLES = examples(
    "amgan presets",
    "amgan presets short/amgan-t",
    "amgan train tops.csv -a category,colour -c scales/small -c short/amgan-t",
)


def register(app: typer.Typer) -> None:
    """Add this file's command to the application."""
    app.command(rich_help_panel=LEARN, epilog=EXAMPLES)(presets)


def presets(
    name: Annotated[
        str, typer.Argument(help="Print this one's settings.", show_default=False)
    ] = "",
    as_json: AsJson = False,
) -> None:
    """List the settings that come with amgan, or print one of them.

    `amgan train -c NAME` takes them, several one over the other; `amgan reproduce NAME` takes
    suites.
    """
    from amgan.cli.printing import print_json
    from amgan.presets import find_preset, list_presets, list_suites

    if name:
        typer.echo(find_preset(Path(name)).read_text(encoding="utf-8"), nl=False)
        return
    groups = {"presets": list_presets(), "suites": list_suites()}
    if as_json:
        print_json(
            {group: {one.name: one.summary for one in listed} for group, listed in groups.items()}
        )
        return
    width = max(len(one.name) for listed in groups.values() for one in listed)
    for title, listed in (("train -c", groups["presets"]), ("reproduce", groups["suites"])):
        typer.echo(f"amgan {title} ...")
        for one in listed:
            typer.echo(f"  {one.name:{width}}  {one.summary}")
