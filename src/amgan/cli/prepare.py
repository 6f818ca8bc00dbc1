"""The command that decodes a catalogue's pictures: prepare."""

from __future__ import annotations

from typing import Annotated

import typer

from amgan.cli.options import (
    PREPARE,
    Configs,
    Settings,
    Strict,
    TableOptions,
    examples,
    read_config,
    takes_table,
)
from amgan.text import counted

EXAMPLES = examples("amgan prepare tops.csv -a category,colour -c scales/small")


def register(app: typer.Typer) -> None:
    """Add this file's command to the application."""
    app.command(rich_help_panel=PREPARE, epilog=EXAMPLES)(prepare)


@takes_table
def prepare(
    source: TableOptions,
    configs: Configs = None,
    settings: Settings = None,
    strict: Strict = False,
    verify: Annotated[
        bool,
        typer.Option(
            "--verify",
            help="Compare the content of every picture with what was decoded, also of those whose "
            "size and times are the same.",
        ),
    ] = False,
) -> None:
    """Decode all pictures once and keep them, so that training starts at once.

    Training and indexing do this by themselves; pictures that have changed since are read again.
    """
    from amgan.cli.printing import strictly, tell_report
    from amgan.workflows.data import load_data

    config = read_config(configs, source, settings)
    with strictly(strict):
        data = load_data(config, strict=strict, verify=verify)
    tell_report(data.report)
    items, height, width, _ = data.pixels.shape
    typer.echo(
        f"{counted(items, 'picture')} of {height} x {width}; "
        f"{counted(data.report.skipped, 'row')} skipped"
    )
