"""Lines of the plain text files that published data sets come with, each with its place."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from amgan.catalogue.validation import Kind, Problem, Severity, ValidationError

_LFS_POINTER = "version https://git-lfs.github.com/spec/"


@dataclass(frozen=True, slots=True)
class Line:
    """One line that is not blank, without the spaces around it."""

    file: Path
    number: int
    text: str

    def problem(
        self,
        message: str,
        *,
        column: str | None = None,
        value: str | None = None,
        kind: Kind = "bad-row",
        severity: Severity = "error",
    ) -> Problem:
        """Problem at this line; the value is the line itself where none is given, "" for none."""
        shown = self.text if value is None else value or None
        return Problem(str(self.file), self.number, column, shown, message, kind, severity)

    def error(self, message: str, **details: Any) -> ValidationError:
        """The problem as an exception."""
        return ValidationError.of(self.problem(message, **details))

    def integers(self, start: int = 0) -> list[int]:
        """The numbers from word `start` on.

        Raises:
            ValidationError: a word that is no integer.
        """
        try:
            return [int(word) for word in self.text.split()[start:]]
        except ValueError:
            raise self.error("is not made of integers") from None


def read_lines(path: Path) -> list[Line]:
    """Lines of a UTF-8 text file that are not blank; numbers count all lines from 1.

    Raises:
        ValidationError: no such file, an empty one, another encoding, or a Git LFS pointer in
            place of the file.
    """
    return list(iterate_lines(path))


def iterate_lines(path: Path) -> Iterator[Line]:
    """As `read_lines`, one line after the other, for files of millions of lines."""
    empty = True
    for number, text in _text_lines(path):
        if stripped := text.strip():
            if empty and stripped.startswith(_LFS_POINTER):
                message = "is a Git LFS pointer, not the file; fetch it with `git lfs pull`"
                raise file_error(path, message)
            empty = False
            yield Line(path, number, stripped)
    if empty:
        raise file_error(path, "the file is empty")


def read_json(path: Path) -> Any:
    """Content of a JSON file.

    Raises:
        ValidationError: no such file, or no JSON; names the line.
    """
    text = "".join(line for _, line in _text_lines(path))
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise file_error(path, f"is no JSON: {error.msg}", error.lineno) from None
    except RecursionError:
        raise file_error(path, "is nested too deeply") from None


def file_error(path: Path, message: str, row: int | None = None) -> ValidationError:
    """Error about a file as a whole, or about a line without which it makes no sense."""
    return ValidationError.of(Problem(str(path), row, None, None, message, "bad-file"))


def _text_lines(path: Path) -> Iterator[tuple[int, str]]:
    try:
        with path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                yield number, _decode(path, number, line)
    except FileNotFoundError:
        raise file_error(path, "no such file") from None
    except OSError as error:
        raise file_error(path, f"cannot be read ({error.strerror})") from error


def _decode(path: Path, number: int, line: bytes) -> str:
    try:
        text = line.decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError as error:
        message = f"is not UTF-8 (byte {line[error.start]:#04x})"
        raise file_error(path, message, number) from None
    if "\0" in text:
        raise file_error(path, "holds zero bytes; it is no text, or UTF-16", number)
    return text
