"""Commands on catalogues and their queries: validate, prepare, triplets make, show, check."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from amgan.cli.errors import CommandFailure
from amgan.cli.options import (
    AsJson,
    Attributes,
    Configs,
    Image,
    ItemId,
    Product,
    Separator,
    Settings,
    Several,
    Split,
    Strict,
    Table,
    TableOptions,
    examples,
    read_config,
)
from amgan.errors import AmganError
from amgan.text import counted

PANEL = "Your catalogue"
VALIDATE_EXAMPLES = examples(
    "amgan validate tops.csv --attributes category,colour,sleeve --id sku",
    "amgan validate tops.csv -a category,colour --json > problems.json",
)
MAKE_EXAMPLES = examples(
    "amgan triplets make triplets.jsonl tops.csv -a category,colour,sleeve",
    "amgan triplets make triplets.jsonl -c tops.toml -s triplets.max_changes=3",
)

triplets = typer.Typer(
    name="triplets",
    help="Make, show and check triplets: reference, changes, target.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)

TripletFile = Annotated[Path, typer.Argument(metavar="FILE", help="Triplet file (.jsonl).")]


def register(app: typer.Typer) -> None:
    """Add this file's commands to the application."""
    app.command(rich_help_panel=PANEL, epilog=VALIDATE_EXAMPLES)(validate)
    app.command(rich_help_panel=PANEL)(prepare)
    app.add_typer(triplets, rich_help_panel=PANEL)
    triplets.command("make", epilog=MAKE_EXAMPLES)(make_triplets)
    triplets.command("show")(show_triplets)
    triplets.command("check")(check_triplets)


def validate(
    table: Table = None,
    attributes: Attributes = "",
    image: Image = "",
    item_id: ItemId = "",
    product: Product = "",
    split: Split = "",
    separator: Separator = "",
    several: Several = None,
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

    options = TableOptions(table, attributes, image, item_id, product, split, separator, several)
    config = read_config(configs, options, settings)
    catalogue, report = load_catalogue(config.catalogue)
    print_validation(catalogue, report, as_json=as_json)
    if report.faults:
        raise typer.Exit(1)


def prepare(
    table: Table = None,
    attributes: Attributes = "",
    image: Image = "",
    item_id: ItemId = "",
    product: Product = "",
    split: Split = "",
    separator: Separator = "",
    several: Several = None,
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

    options = TableOptions(table, attributes, image, item_id, product, split, separator, several)
    config = read_config(configs, options, settings)
    with strictly(strict):
        data = load_data(config, strict=strict, verify=verify)
    tell_report(data.report)
    items, height, width, _ = data.pixels.shape
    typer.echo(
        f"{counted(items, 'picture')} of {height} x {width}; "
        f"{counted(data.report.skipped, 'row')} skipped"
    )


def make_triplets(
    file: TripletFile,
    table: Table = None,
    attributes: Attributes = "",
    image: Image = "",
    item_id: ItemId = "",
    product: Product = "",
    split: Split = "",
    separator: Separator = "",
    several: Several = None,
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

    options = TableOptions(table, attributes, image, item_id, product, split, separator, several)
    config = read_config(configs, options, settings)
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


def check_triplets(
    file: TripletFile,
    table: Table = None,
    attributes: Attributes = "",
    image: Image = "",
    item_id: ItemId = "",
    product: Product = "",
    split: Split = "",
    separator: Separator = "",
    several: Several = None,
    configs: Configs = None,
    settings: Settings = None,
) -> None:
    """Check a triplet file against a catalogue, row by row.

    Exit code 1 when a row does not hold.
    """
    from amgan.cli.printing import tell_report
    from amgan.queries import load_triplets
    from amgan.workflows.data import load_catalogue

    options = TableOptions(table, attributes, image, item_id, product, split, separator, several)
    config = read_config(configs, options, settings)
    catalogue, report = load_catalogue(config.catalogue, check_pictures=False)
    tell_report(report)
    try:
        triplets = load_triplets(file, catalogue)
    except AmganError as error:
        raise CommandFailure(str(error)) from None
    typer.echo(f"{len(triplets):,} triplets agree with the catalogue")
