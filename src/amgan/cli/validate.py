"""The command that checks a catalogue: validate."""

from __future__ import annotations

import typer

from amgan.cli.options import (
    PREPARE,
    AsJson,
    Configs,
    Settings,
    TableOptions,
    examples,
    read_config,
    takes_table,
)

EXAMPLES = examples(
    "amgan validate tops.csv --attributes category,colour,sleeve --id sku",
    "amgan validate tops.csv -a category,colour --json > problems.json",
)


def register(app: typer.Typer) -> None:
    """Add this file's command to the application."""
    app.command(rich_help_panel=PREPARE, epilog=EXAMPLES)(validate)


@takes_table
def validate(
    source: TableOptions,
    configs: Configs = None,
    settings: Settings = None,
    as_json: AsJson = False,
) -> None:
    """Check a catalogue: every row, every picture, all problems in one go.

    Exit code 1 when a row or a label cannot be used. The other commands leave it out and say so,
    with counts, or end with 1 as well where --strict is given.
    """
    from amgan.cli.printing import print_validation
    from amgan.workflows.data import load_catalogue

    config = read_config(configs, source, settings)
    catalogue, report = load_catalogue(config.catalogue)
    print_validation(catalogue, report, as_json=as_json)
    if report.faults:
        raise typer.Exit(1)
