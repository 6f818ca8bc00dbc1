"""The commands on triplets: make, show, check."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from amgan.cli.errors import CommandFailure
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
from amgan.errors import AmganError
from amgan.text import counted

MAKE_EXAMPLES = examples(
    "amgan triplets make triplets.jsonl tops.csv -a category,colour,sleeve",
    "amgan triplets make triplets.jsonl -c tops.toml -s triplets.max_changes=3",
)

SHOW_EXAMPLES = examples("amgan triplets show run/triplets.jsonl -n 5 --split test")
CHECK_EXAMPLES = examples("amgan triplets check triplets.jsonl tops.csv -a category,colour,sleeve")

triplets = typer.Typer(
    name="triplets",
    help="Make, show and check triplets: reference, changes, target.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)

TripletFile = Annotated[Path, typer.Argument(metavar="FILE", help="Triplet file (.jsonl).")]


def register(app: typer.Typer) -> None:
    """Add this file's commands to the application."""
    app.add_typer(triplets, rich_help_panel=PREPARE)
    triplets.command("make", epilog=MAKE_EXAMPLES)(make_triplets)
    triplets.command("show", epilog=SHOW_EXAMPLES)(show_triplets)
    triplets.command("check", epilog=CHECK_EXAMPLES)(check_triplets)


@takes_table
def make_triplets(
    file: TripletFile,
    source: TableOptions,
    configs: Configs = None,
    settings: Settings = None,
    strict: Strict = False,
) -> None:
    """Draw a target for every item and write the triplets.

    The draw is decided by the settings triplets.seed, triplets.min_changes, triplets.max_changes,
    triplets.balance_changes and triplets.per_item.
    """
    from amgan.cli.printing import strictly, tell_report
    from amgan.queries import save_triplets
    from amgan.workflows.data import choose_triplets, load_catalogue

    config = read_config(configs, source, settings)
    with strictly(strict):
        catalogue, report = load_catalogue(config.catalogue, strict=strict, check_pictures=False)
    tell_report(report)
    drawn = choose_triplets(config.triplets, catalogue)
    save_triplets(drawn, catalogue, file)
    typer.echo(
        f"{counted(len(drawn), 'triplet')} in {file}; "
        f"{counted(drawn.skipped, 'item')} without an eligible target"
    )


def show_triplets(
    file: TripletFile,
    number: Annotated[int, typer.Option("-n", min=1, help="Triplets to show.")] = 10,
    split: Annotated[str, typer.Option(help="Show only those of this split.")] = "",
) -> None:
    """Print the first triplets of a file."""
    from amgan.cli.printing import print_triplets

    print_triplets(file, number, split)


@takes_table
def check_triplets(
    file: TripletFile,
    source: TableOptions,
    configs: Configs = None,
    settings: Settings = None,
) -> None:
    """Check a triplet file against a catalogue, row by row.

    Exit code 1 when a row does not hold.
    """
    from amgan.cli.printing import tell_report
    from amgan.queries import load_triplets
    from amgan.workflows.data import load_catalogue

    config = read_config(configs, source, settings)
    catalogue, report = load_catalogue(config.catalogue, check_pictures=False)
    tell_report(report)
    try:
        triplets = load_triplets(file, catalogue)
    except AmganError as error:
        raise CommandFailure(str(error)) from None
    typer.echo(f"{len(triplets):,} triplets agree with the catalogue")
