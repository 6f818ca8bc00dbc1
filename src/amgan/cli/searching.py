"""Commands that build and use a gallery: index, search."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from amgan.cli.errors import resumable
from amgan.cli.options import (
    ENCODING_ADVICE,
    AsJson,
    Attributes,
    BatchSize,
    Device,
    Executor,
    Gallery,
    Image,
    ItemId,
    Pictures,
    Product,
    Run,
    Separator,
    Several,
    Split,
    Strict,
    Table,
    TableOptions,
    Workers,
    encoding_options,
    examples,
    run_option,
)
from amgan.cli.query_options import parse_filters, parse_importance, read_changes
from amgan.errors import InputError
from amgan.gallery.encoding.executor_choice import ExecutorChoice
from amgan.methods.ranking import RankingChoice
from amgan.run_folder import RunFolder
from amgan.text import counted

PANEL = "Search"
INDEX_EXAMPLES = examples(
    "amgan index",
    "amgan index new-season.csv --gallery galleries/new-season",
    "amgan index --engine 'faiss://hnsw?m=32&ef_search=256'",
    "amgan index --executor processes --workers 8",
)
SEARCH_EXAMPLES = examples(
    "amgan search photo.jpg --set collar=round --set colour=black -k 12 --sheet out.png",
    "amgan search photo.jpg --words 'in black, with long sleeves'",
    "amgan search --item 0108775015 --set sleeve=short --only category=shirt --json",
    "amgan search photo.jpg --set neck=round --importance colour=3",
    "amgan search photo.jpg --set neck=round --gallery galleries/new-season",
)

Engine = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        help="Search with another engine than the gallery was indexed for: faiss://exact, or the "
        "same one with another ef_search.",
        show_default=False,
    ),
]


def register(app: typer.Typer) -> None:
    """Add this file's commands to the application."""
    app.command(rich_help_panel=PANEL, epilog=INDEX_EXAMPLES)(index)
    app.command(rich_help_panel=PANEL, epilog=SEARCH_EXAMPLES)(search)


def index(
    table: Table = None,
    run: Run = Path("run"),
    gallery: Gallery = None,
    attributes: Attributes = "",
    image: Image = "",
    item_id: ItemId = "",
    product: Product = "",
    split: Split = "",
    separator: Separator = "",
    several: Several = None,
    strict: Strict = False,
    engine: Annotated[
        str,
        typer.Option(
            metavar="URL",
            help="What searches it: auto, faiss://exact, faiss://sq8, faiss://hnsw, "
            "faiss://hnsw_sq8 or milvus://HOST:PORT/COLLECTION; auto compares all items of a "
            "small gallery and takes a graph for a large one.",
        ),
    ] = "auto",
    executor: Executor = ExecutorChoice.threads,
    workers: Workers = None,
    batch_size: BatchSize = 256,
    ranking: Annotated[
        RankingChoice,
        typer.Option(
            help="What ranks: the learned distance (pure), or it and the attributes "
            "(fused); auto is fused where the model was fitted for it."
        ),
    ] = RankingChoice.auto,
    trust_labels: Annotated[
        bool,
        typer.Option(
            help="A fused ranking takes the catalogue's labels for certain, and what the model "
            "sees only where one is missing; --no-trust-labels takes what the model sees."
        ),
    ] = True,
    device: Device = "auto",
) -> None:
    """Encode a catalogue with a trained model, so that it can be searched.

    Without TABLE it is the catalogue that the model was trained on. A gallery that stands already
    is replaced in one step: searches see the old one or the new one. Interrupted, it goes on
    behind the last block when it is given again, also with another --executor.
    """
    from amgan.catalogue.left_out import LEFT_OUT_FILE
    from amgan.cli.printing import print_picture, strictly, tell_report, tell_skipped
    from amgan.workflows.index import index_run
    from amgan.workflows.picture import measure_gallery

    options = TableOptions(table, attributes, image, item_id, product, split, separator, several)
    folder = gallery or RunFolder(run).gallery
    with resumable(ENCODING_ADVICE), strictly(strict):
        built = index_run(
            run,
            folder,
            options.given(),
            engine=engine,
            encoding=encoding_options(batch_size, executor, workers),
            device=device,
            ranking=ranking,
            trust_labels=trust_labels,
            strict=strict,
            tell=lambda report: tell_report(report, folder / LEFT_OUT_FILE),
        )
    typer.echo(f"{counted(len(built), 'item')} in {folder}")
    tell_skipped(built)
    print_picture(measure_gallery(folder, device))


def search(
    picture: Annotated[
        Path | None, typer.Argument(help="Picture of a garment.", show_default=False)
    ] = None,
    item: Annotated[
        str, typer.Option(metavar="ID", help="Start from an item of the gallery instead.")
    ] = "",
    changes: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="ATTRIBUTE=VALUE",
            help="A wanted value; give the option once for each change.",
            show_default=False,
        ),
    ] = None,
    words: Annotated[
        str,
        typer.Option(
            metavar="TEXT",
            help="Changes in words, such as 'in black, with long sleeves'; --set wins over them.",
            show_default=False,
        ),
    ] = "",
    k: Annotated[int, typer.Option("-k", min=1, help="Number of results.")] = 12,
    only: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ATTRIBUTE=VALUE",
            help="Rank only items with this value; several values of one attribute add up.",
            show_default=False,
        ),
    ] = None,
    importance: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ATTRIBUTE=NUMBER",
            help="How much an attribute counts, 1 where not said; for a fused ranking.",
            show_default=False,
        ),
    ] = None,
    pure: Annotated[
        bool, typer.Option("--pure", help="Rank by the learned distance alone.")
    ] = False,
    sheet: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write a picture of the results.", show_default=False),
    ] = None,
    run: Annotated[
        Path | None,
        run_option(
            "Run folder.  [default: run; with --gallery, the gallery's own copy of the model]",
            envvar="AMGAN_RUN",
        ),
    ] = None,
    gallery: Gallery = None,
    engine: Engine = None,
    as_json: AsJson = False,
    pictures: Pictures = None,
    device: Device = "auto",
) -> None:
    """Rank a gallery by a picture with changed attributes.

    A gallery folder is enough: it holds a copy of the model that encoded it.
    """
    from amgan.cli.printing import print_search
    from amgan.search import SearchQuery, open_search

    if run is None and gallery is None:
        run = Path("run")
    service = open_search(run, gallery, device, engine, compiled=False, pictures=pictures)
    wanted, understood = read_changes(service.schema, changes or [], words)
    if (picture is None) == (not item):
        raise InputError("give a picture, or an item of the gallery after --item")
    query = SearchQuery(
        picture,
        item or None,
        wanted,
        k=k,
        filters=parse_filters(only or []),
        importance=parse_importance(importance or []),
        pure=pure,
    )
    result = service.search(query)
    if sheet is not None:
        from amgan.sheets import render_result_sheet

        render_result_sheet(result, sheet)
    print_search(result, understood, as_json=as_json)
