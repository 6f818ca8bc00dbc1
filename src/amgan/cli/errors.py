"""Which exit code an error gives, and in which words it is told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer

from amgan.errors import AmganError

FAILURE, BAD_INPUT, INTERRUPTED = 1, 2, 130

# The class of "No such option" and its like has no public name, only its children have.
_UsageError = typer.BadParameter.__base__


class CommandFailure(Exception):
    """The command ran and found a failure; the message is for the user."""


def exit_code(error: Exception) -> int | None:
    """Exit code of an error that a user can do something about; None for a fault of ours."""
    if isinstance(error, CommandFailure):
        return FAILURE
    if isinstance(error, (AmganError, OSError, typer.Abort, _UsageError or ())):
        return BAD_INPUT
    return None


def describe_error(error: Exception) -> str:
    """What is wrong: one line, or a heading and below it one indented line a problem."""
    if isinstance(error, OSError) and error.filename is not None:
        text = f"{error.filename}: {error.strerror}"
    elif isinstance(error, _UsageError or ()):
        text = _describe_usage_error(error)
    else:
        text = str(error)
    lines = (" ".join(line.split()) for line in text.split("\n  "))
    return "\n  ".join(line for line in lines if line) or type(error).__name__


def _describe_usage_error(error: Exception) -> str:
    context = getattr(error, "ctx", None)
    hint = f" (see {context.command_path} --help)" if context is not None else ""
    return f"{getattr(error, 'format_message')().rstrip('.')}{hint}"  # noqa: B009


@contextmanager
def resumable(advice: str) -> Iterator[None]:
    """Turn Ctrl-C in the block into exit code 130 and `advice` on stderr."""
    try:
        yield
    except KeyboardInterrupt:
        typer.echo(f"interrupted: {advice}", err=True)
        raise typer.Exit(INTERRUPTED) from None
