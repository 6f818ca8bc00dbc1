"""The command that holds confidence against labels: calibration.

It is a command of its own, not an option of `evaluate`: that one asks triplets and measures a
ranking, this one needs labelled pictures only, of any table, and measures what `tag` tells.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from amgan.cli.options import LEARN, AsJson, Device, Image, Run, TableOptions, examples
from amgan.errors import InputError
from amgan.run_folder import RunFolder

EXAMPLES = examples(
    "amgan calibration",
    "amgan calibration new-season.csv --attributes colour,sleeve --out new-season",
)


class CalibrationSplit(StrEnum):
    """Which items are held against their labels."""

    train = "train"
    val = "val"
    test = "test"
    all = "all"


def register(app: typer.Typer) -> None:
    """Add this file's command to the application."""
    app.command(rich_help_panel=LEARN, epilog=EXAMPLES)(calibration)


def calibration(
    table: Annotated[
        Path | None,
        typer.Argument(
            metavar="TABLE",
            help="Another labelled table: .csv, .parquet or .jsonl, with the columns of the one "
            "that the model was trained on.",
            show_default=False,
        ),
    ] = None,
    run: Run = Path("run"),
    split: Annotated[
        CalibrationSplit | None,
        typer.Option(
            help="Items to take.  \\[default: test; all of a TABLE]",
            show_default=False,
        ),
    ] = None,
    attributes: Annotated[
        str,
        typer.Option(
            "--attributes",
            "-a",
            metavar="NAME,NAME,...",
            help="Look at these attributes only.  \\[default: all of the model's]",
            show_default=False,
        ),
    ] = "",
    image: Image = "",
    bins: Annotated[int, typer.Option(min=2, max=100, help="Bins of confidence.")] = 10,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            metavar="FOLDER",
            help="Where figure and table go.  \\[default: calibration in the run folder]",
            show_default=False,
        ),
    ] = None,
    as_json: AsJson = False,
    device: Device = "auto",
) -> None:
    """Show whether the confidence of tags can be believed: how often each degree of it is right.

    Holds it against labels, by attribute, without and with the temperatures that were fitted on
    validation items, and writes a figure (PNG, SVG) and a table (Markdown, JSON). Missing labels do
    not count. Without TABLE it takes the test items of the catalogue that the model was trained on.
    """
    from amgan.charts.reliability import draw_reliability
    from amgan.charts.style import save_figure
    from amgan.cli.printing import tell_report
    from amgan.workflows.calibrate import measure_run_calibration

    options = TableOptions(table, attributes, image)
    given = {key: value for key, value in options.given().items() if key != "attributes"}
    if given and table is None:
        raise InputError("--image names a column of a TABLE; give one")
    names = options.given().get("attributes", ())
    found, problems = measure_run_calibration(
        run,
        given | {"reader": "table"} if table else None,
        split=split,
        attributes=names,
        bins=bins,
        device=device,
    )
    folder = out or RunFolder.of(run).calibration
    stem = found.split if table is None else f"{table.stem}-{found.split}"
    path = found.save(folder, stem)
    figures = save_figure(draw_reliability(found), folder / stem)
    typer.echo(found.to_json() if as_json else found.to_markdown(), nl=False)
    tell_report(problems)
    for written in (path, path.with_suffix(".md"), *figures):
        typer.echo(f"written: {written}", err=True)
