"""The command that changes a gallery: update."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from amgan.cli.errors import resumable
from amgan.cli.options import (
    ENCODING_ADVICE,
    SEARCH,
    BatchSize,
    Device,
    Executor,
    Image,
    ItemId,
    Pictures,
    Product,
    Separator,
    Several,
    Split,
    Strict,
    TableOptions,
    Workers,
    encoding_options,
    examples,
    gallery_option,
    run_option,
)
from amgan.errors import InputError
from amgan.gallery.encoding.executor_choice import ExecutorChoice
from amgan.run_folder import RunFolder
from amgan.text import counted

if TYPE_CHECKING:
    from amgan.workflows.index import GalleryUpdate

EXAMPLES = examples(
    "amgan update new-arrivals.csv",
    "amgan update --remove 0108775015 --remove-file sold-out.txt",
    "amgan update --gallery galleries/summer --run retrained",
)
_NAMED = 5  # unknown ids shown


def register(app: typer.Typer) -> None:
    """Add this file's command to the application."""
    app.command(rich_help_panel=SEARCH, epilog=EXAMPLES)(update)


def update(
    table: Annotated[
        Path | None,
        typer.Argument(
            metavar="TABLE",
            help="Items to add: .csv, .parquet or .jsonl, with the columns of the catalogue that "
            "was indexed. An item whose id is in the gallery replaces the one there.",
            show_default=False,
        ),
    ] = None,
    remove: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ID",
            help="Remove this item; give the option once for each.",
            show_default=False,
        ),
    ] = None,
    remove_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Remove the items whose ids it lists, one a line.",
            show_default=False,
        ),
    ] = None,
    run: Annotated[
        Path | None,
        run_option(
            "Encode with the model of this run; where it is another one than before, every "
            "item is encoded anew.  \\[default: the gallery's own copy of its model]",
        ),
    ] = None,
    gallery: Annotated[
        Path | None, gallery_option("gallery in the run folder, or run/gallery")
    ] = None,
    image: Image = "",
    item_id: ItemId = "",
    product: Product = "",
    split: Split = "",
    separator: Separator = "",
    several: Several = None,
    strict: Strict = False,
    verify: Annotated[
        bool,
        typer.Option(
            "--verify",
            help="Compare the content of pictures whose size and time are those that were encoded.",
        ),
    ] = False,
    pictures: Pictures = None,
    executor: Executor = ExecutorChoice.threads,
    workers: Workers = None,
    batch_size: BatchSize = 256,
    device: Device = "auto",
) -> None:
    """Add, replace and remove items of a gallery, without encoding the others again.

    Rows that the gallery has already, with the same labels, fields and picture file, stay as they
    are.

    All of it happens in one step: searches see the gallery as it was or as it is to be. A running
    server goes on with the old one until it is told to reload.
    """
    from amgan.catalogue.left_out import LEFT_OUT_FILE
    from amgan.cli.printing import strictly, tell_report, tell_skipped
    from amgan.workflows.index import update_index

    removed = [*(remove or []), *([] if remove_file is None else read_ids(remove_file))]
    if table is None and not removed and run is None:
        raise InputError(
            "nothing to do: give a table of items to add, ids after --remove or --remove-file, "
            "or a run with another model after --run"
        )
    options = TableOptions(table, "", image, item_id, product, split, separator, several)
    folder = gallery or RunFolder(run or Path("run")).gallery
    with resumable(ENCODING_ADVICE), strictly(strict):
        done = update_index(
            folder,
            options.given() if table else None,
            removed,
            run=run,
            encoding=encoding_options(batch_size, executor, workers),
            device=device,
            strict=strict,
            verify=verify,
            pictures=pictures,
        )
    print_update(done)
    if done.report is not None and (done.report.faults or done.report.tolerated):
        tell_report(done.report, folder / LEFT_OUT_FILE)
    if done.summary.skipped:
        tell_skipped(done.summary.gallery)


def read_ids(file: Path) -> list[str]:
    """Ids of a text file, one a line; blank lines do not count.

    Raises:
        ValueError: not UTF-8 text.
    """
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise InputError(f"{file}: not a text file in UTF-8, with one id a line") from None
    return [line.strip() for line in lines if line.strip()]


def print_update(done: GalleryUpdate) -> None:
    """The numbers of an update."""
    summary = done.summary
    parts = [
        f"{number:,} {what}"
        for number, what in (
            (summary.added, "added"),
            (summary.replaced, "replaced"),
            (summary.removed, "removed"),
            (summary.unchanged, "unchanged"),
            (summary.skipped, "skipped: their pictures could not be read"),
        )
        if number or what == "added"
    ]
    typer.echo(", ".join(parts))
    if done.renewed:
        typer.echo("every item was encoded anew, by another model than before")
    if summary.unknown:
        named = ", ".join(summary.unknown[:_NAMED])
        more, one = len(summary.unknown) - _NAMED, len(summary.unknown) == 1
        typer.echo(
            f"{len(summary.unknown):,} to remove {'was' if one else 'were'} not there: {named}"
            + (f" and {more:,} more" if more > 0 else "")
        )
    typer.echo(f"{counted(len(summary.gallery), 'item')} in the gallery")
    if summary.changed:
        typer.echo(
            "a running server takes it up on POST /admin/reload, or on the signal SIGHUP", err=True
        )
    else:
        typer.echo("nothing changed: no new version was written", err=True)
