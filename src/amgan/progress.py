"""Progress on stderr: a bar on a terminal, silence elsewhere, plain lines where asked for.

`track` wraps an iterable; `progress_bar` is for a loop that wants to say more than how far it is,
such as losses and images per second. Both draw on stderr, so stdout stays free for results.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator, Sized
from contextlib import contextmanager
from typing import Any, Literal, Protocol, TypeVar

T = TypeVar("T")

Mode = Literal["auto", "bar", "lines", "silent"]
LINE_INTERVAL_S = 10.0

_mode: Mode = "auto"


class Progress(Protocol):
    """What a function that takes long accepts as `progress`; `track` is one."""

    def __call__(
        self, iterable: Iterable[T], description: str, total: int | None = None
    ) -> Iterable[T]:
        """Iterate over `iterable`, showing how far it is."""


def quiet(iterable: Iterable[T], description: str, total: int | None = None) -> Iterable[T]:
    """A `Progress` that shows nothing."""
    return iterable


class Bar(Protocol):
    """A running progress bar."""

    def advance(self, steps: int = 1) -> None:
        """Count `steps` more as done."""

    def describe(self, detail: str) -> None:
        """Replace the text behind the bar, such as ``loss 1.32, 120 images/s``."""


def set_progress_mode(mode: Mode) -> None:
    """Choose how progress is shown from now on in this process.

    Args:
        mode: "bar" draws a bar, "lines" prints a plain line every ten seconds, with the time left,
            "silent" shows nothing, "auto" (the default) is "bar" where stderr is a terminal, else
            "silent".
    """
    global _mode
    _mode = mode


def current_mode() -> Mode:
    """How progress is shown now: "bar", "lines" or "silent"."""
    if _mode != "auto":
        return _mode
    return "bar" if sys.stderr.isatty() else "silent"


class _SilentBar:
    def advance(self, steps: int = 1) -> None:
        pass

    def describe(self, detail: str) -> None:
        pass


class _LineBar:
    """Prints a line at most every `LINE_INTERVAL_S` seconds, and one when done."""

    def __init__(self, description: str, total: int | None, done: int) -> None:
        self._description, self._total, self._done, self._detail = description, total, done, ""
        self._first, self._began = done, time.monotonic()
        self._last = self._began
        self._printed_at = -1
        self._print()

    def advance(self, steps: int = 1) -> None:
        self._done += steps
        if time.monotonic() - self._last >= LINE_INTERVAL_S:
            self._print()

    def describe(self, detail: str) -> None:
        self._detail = detail

    def finish(self) -> None:
        if self._printed_at != self._done:
            self._print()

    def _print(self) -> None:
        self._last, self._printed_at = time.monotonic(), self._done
        of_total = "" if self._total is None else f"/{self._total}"
        parts = [f"{self._description}: {self._done}{of_total}", self._left(), self._detail]
        print("  ".join(part for part in parts if part), file=sys.stderr, flush=True)  # noqa: T201

    def _left(self) -> str:
        """The time that the rest takes at the speed so far."""
        done, rest = self._done - self._first, (self._total or 0) - self._done
        if done <= 0 or rest <= 0:
            return ""
        seconds = (self._last - self._began) * rest / done
        return f"{describe_duration(seconds)} left"


def describe_duration(seconds: float) -> str:
    """A duration in the unit that suits it, such as ``45 s``, ``12 min``, ``3 h 20 min``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


class _RichBar:
    def __init__(self, display: Any, task: Any) -> None:
        self._display, self._task = display, task

    def advance(self, steps: int = 1) -> None:
        self._display.advance(self._task, steps)

    def describe(self, detail: str) -> None:
        self._display.update(self._task, detail=detail)


@contextmanager
def progress_bar(description: str, total: int | None = None, *, done: int = 0) -> Iterator[Bar]:
    """Show a progress bar while the block runs.

    Args:
        description: what is being done.
        total: number of steps; None where it is not known.
        done: steps already done, for work that was resumed.
    """
    mode = current_mode()
    if mode == "silent":
        yield _SilentBar()
    elif mode == "lines":
        lines = _LineBar(description, total, done)
        try:
            yield lines
        finally:
            lines.finish()
    else:
        with _rich_display() as display:
            yield _RichBar(
                display, display.add_task(description, total=total, completed=done, detail="")
            )


def track(iterable: Iterable[T], description: str, total: int | None = None) -> Iterator[T]:
    """Yield what `iterable` yields, showing how far it is; the length is taken where it has one."""
    if total is None and isinstance(iterable, Sized):
        total = len(iterable)
    with progress_bar(description, total) as bar:
        for element in iterable:
            yield element
            bar.advance()


def _rich_display() -> Any:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        SpinnerColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    return Progress(
        SpinnerColumn(),
        TextColumn("[progress.description]{task.description}"),
        BarColumn(bar_width=28),
        MofNCompleteColumn(),
        TimeRemainingColumn(compact=True, elapsed_when_finished=True),
        TextColumn("[dim]{task.fields[detail]}"),
        console=Console(stderr=True),
    )
