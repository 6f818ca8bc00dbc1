"""The command that runs a whole comparison: reproduce."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from amgan.cli.errors import resumable
from amgan.cli.options import LEARN, Settings, examples

REPRODUCE_EXAMPLES = examples(
    "amgan reproduce smoke",
    "amgan reproduce hm-tops-cpu -s catalogue.path=data/hm-tops/catalogue.csv",
    "amgan reproduce smoke --row AMGAN-P --row FCD --folds 5",
)


def register(app: typer.Typer) -> None:
    """Add this file's command to the application."""
    app.command(rich_help_panel=LEARN, epilog=REPRODUCE_EXAMPLES)(reproduce)


def reproduce(
    suite: Annotated[
        str,
        typer.Argument(
            metavar="SUITE", help="Name of a suite, as `amgan presets` lists them, or a TOML file."
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FOLDER", help="\\[default: results/SUITE]"),
    ] = None,
    rows: Annotated[
        list[str] | None,
        typer.Option("--row", metavar="NAME", help="Run only this row; can be repeated."),
    ] = None,
    folds: Annotated[
        int | None,
        typer.Option("--folds", help="Cross-validate, such as 5; 0 takes the catalogue's split."),
    ] = None,
    over_folds: Annotated[
        bool, typer.Option("--over-folds", help="Test significance over folds, not queries.")
    ] = False,
    report_only: Annotated[
        bool, typer.Option("--report-only", help="Train nothing; write what there is.")
    ] = False,
    settings: Settings = None,
) -> None:
    """Train and measure every row of a comparison, and write its tables and figures.

    Rows that are done are not redone: after an interruption, give the same command again.
    """
    from amgan.presets import find_suite
    from amgan.reproduction.reproduce import reproduce as run
    from amgan.reproduction.suite import load_suite
    from amgan.reproduction.suite_run import prepare_suite_run

    changes = {"folds": folds} if folds is not None else {}
    asked = {"significance": "folds"} if over_folds else {}
    chosen = load_suite(find_suite(suite), **changes, **asked)
    if rows:
        chosen.select(rows)  # tells a row that is not there before anything is rendered
    folder = out or Path("results") / chosen.name
    with resumable("finished rows are kept; give the same command again to go on"):
        suite_run = prepare_suite_run(chosen, folder, settings or [])
        report = run(
            suite_run,
            lambda text: typer.echo(text, err=True),
            rows=rows or [],
            train=not report_only,
        )
    typer.echo(f"report: {report}")
