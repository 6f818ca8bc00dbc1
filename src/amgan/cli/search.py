"""The command that searches a gallery: search."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from amgan.cli.options import (
    SEARCH,
    AsJson,
    Device,
    Engine,
    Gallery,
    Pictures,
    examples,
    run_option,
)
from amgan.cli.query_options import parse_filters, parse_importance, read_changes
from amgan.errors import InputError

EXAMPLES = examples(
    "amgan search photo.jpg --set collar=round --set colour=black -k 12 --sheet out.png",
    "amgan search photo.jpg --words 'in black, with long sleeves'",
    "amgan search --item 0108775015 --set sleeve=short --only category=shirt --json",
    "amgan search photo.jpg --set neck=round --importance colour=3",
    "amgan search photo.jpg --set neck=round --gallery galleries/new-season",
)


def register(app: typer.Typer) -> None:
    """Add this file's command to the application."""
    app.command(rich_help_panel=SEARCH, epilog=EXAMPLES)(search)


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
            "Run folder.  \\[default: run; with --gallery, the gallery's own copy of the model]",
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
