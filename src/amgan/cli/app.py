"""The application: its commands, what all of them share, and how failures are told.

Exit codes: 0 done; 1 ran and found a failure (a failed validation, diverged training); 2 wrong
usage or input; 130 interrupted. A failure is one line on stderr, `error: ...`; several problems
follow it, one an indented line.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated

import typer

from amgan.cli import (
    calibration,
    check,
    evaluate,
    index,
    prepare,
    presets,
    pretrain,
    quickstart,
    reproduce,
    search,
    serve,
    tag,
    train,
    triplets,
    update,
    validate,
)
from amgan.cli.errors import describe_error, exit_code
from amgan.progress import set_progress_mode

TRACEBACK = "--traceback"  # read by `main`: an error can come before the options are parsed

app = typer.Typer(
    name="amgan",
    help="Flexible fashion search: change what you like about a garment, find what matches.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
# In the order in which `amgan --help` shows them.
for command in (
    quickstart,
    validate,
    prepare,
    triplets,
    train,
    pretrain,
    evaluate,
    calibration,
    reproduce,
    presets,
    index,
    search,
    update,
    check,
    serve,
    tag,
):
    command.register(app)


class ProgressMode(StrEnum):
    """How progress is shown on stderr."""

    auto = "auto"
    bar = "bar"
    lines = "lines"
    silent = "silent"


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"amgan {version('amgan')}")
        raise typer.Exit


@app.callback()
def configure(
    progress: Annotated[
        ProgressMode,
        typer.Option(
            metavar="MODE", help="auto, bar, lines or silent; auto draws a bar on a terminal."
        ),
    ] = ProgressMode.auto,
    traceback: Annotated[
        bool, typer.Option(TRACEBACK, help="Show where in the program an error comes from.")
    ] = False,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Flexible fashion search: change what you like about a garment, find what matches."""
    set_progress_mode(progress.value)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit the process."""
    try:
        outcome = app(arguments, prog_name="amgan", standalone_mode=False)
        code = outcome if isinstance(outcome, int) else 0
    except SystemExit as stopped:
        # typer's answer when the reader of a pipe has gone, as in `amgan search ... | head`:
        # nothing is left to say, and nothing went wrong.
        if not isinstance(stopped.__context__, BrokenPipeError):
            raise
        code = 0
    except Exception as error:
        known = exit_code(error)
        if known is None or TRACEBACK in (arguments or sys.argv):
            raise
        code = known
        typer.echo(f"error: {describe_error(error)}", err=True)
    sys.exit(code)
