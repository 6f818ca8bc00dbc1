"""Files that hold one attribute of many pictures, in any of three forms.

``path value`` lines, one integer a line, or one-hot rows; a path may stand before a one-hot row
too. -1 is a missing label, and so is a row of zeros.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from amgan.catalogue.lines import Line, file_error, read_lines
from amgan.catalogue.validation import Problem

_LINE = re.compile(
    r"(?P<path>.*?\.(?:jpe?g|png)\b)?[\s,;:]*(?P<numbers>-?\d+(?:[\s,;]+-?\d+)*)", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line: the picture it is about and the label.

    Attributes:
        line: the line.
        index: how many lines that are not blank stand before it.
        path: the picture it names, None where lines name none.
        number: the label as it is written, None where missing or one-hot.
        position: the label of a one-hot row counted from 0, None where missing or a number.
    """

    line: Line
    index: int
    path: str | None
    number: int | None = None
    position: int | None = None


@dataclass(frozen=True)
class PictureList:
    """The pictures that labels belong to: their paths in order, and the file that names them."""

    file: Path
    paths: list[str]


@dataclass(frozen=True)
class LabelFile:
    """An attribute's file.

    Attributes:
        file: the file.
        attribute: the attribute's name.
        size: number of values.
        entries: the lines that could be read.
        has_paths: whether lines name their picture.
        num_lines: lines that are not blank, readable or not.
    """

    file: Path
    attribute: str
    size: int
    entries: tuple[Entry, ...]
    has_paths: bool
    num_lines: int

    def align(self, pictures: PictureList, problems: list[Problem]) -> Iterator[tuple[int, Entry]]:
        """(row, entry) for each entry that belongs to one of `pictures`.

        Raises:
            ValidationError: lines name no picture, and there are more or fewer than pictures.
        """
        if not self.has_paths:
            listed = len(pictures.paths)
            if self.num_lines != listed:
                message = f"has {self.num_lines:,} lines; {pictures.file.name} has {listed:,}"
                raise file_error(self.file, message)
            yield from ((entry.index, entry) for entry in self.entries)
            return
        rows = {path: row for row, path in enumerate(pictures.paths)}
        for entry in self.entries:
            row = rows.get(entry.path or "")
            if row is None:
                message = f"{pictures.file.name} does not name this picture"
                problems.append(entry.line.problem(message, column="image", value=entry.path))
            else:
                yield row, entry

    def positions(
        self, pictures: PictureList, base: int | None, problems: list[Problem]
    ) -> list[int | None]:
        """Label of each picture counted from 0, None where missing.

        Args:
            pictures: what the labels belong to.
            base: what the first value is written as; None infers it: 0 where a 0 is found, else 1.
            problems: gets the lines that make no sense.

        Raises:
            ValidationError: as `align`.
        """
        if base is None:
            base = 0 if any(entry.number == 0 for entry in self.entries) else 1
        found: list[int | None] = [None] * len(pictures.paths)
        labelled: dict[int, Entry] = {}
        for row, entry in self.align(pictures, problems):
            position = entry.position if entry.number is None else entry.number - base
            if position is not None and not 0 <= position < self.size:
                message = f"values are {base} to {base + self.size - 1}, or -1 where missing"
                problems.append(self._problem(entry, message))
                continue
            first = labelled.setdefault(row, entry)
            if first is not entry and position != found[row]:
                message = f"line {first.line.number} labels this picture otherwise"
                problems.append(self._problem(entry, message))
                continue
            found[row] = position
        lacking = [path for row, path in enumerate(pictures.paths) if row not in labelled]
        if lacking:
            message = f"{len(lacking):,} pictures have no line here, {lacking[0]} the first of them"
            problems.append(Problem(str(self.file), None, None, None, message, "count", "warning"))
        return found

    def _problem(self, entry: Entry, message: str) -> Problem:
        return entry.line.problem(message, column=self.attribute, kind="bad-value")


def read_label_file(
    path: Path, attribute: str, size: int, tidy: Callable[[str], str], problems: list[Problem]
) -> LabelFile:
    """Read one attribute's file; lines that cannot be read go to `problems`.

    Args:
        path: the file.
        attribute: the attribute's name.
        size: number of values.
        tidy: brings a path to the form in which pictures are known.
        problems: gets the lines that cannot be read.

    Raises:
        ValidationError: no such file, an empty one, or another encoding.
    """
    lines = read_lines(path)
    first = _LINE.fullmatch(lines[0].text)
    has_paths = first is not None and first["path"] is not None
    entries = []
    for index, line in enumerate(lines):
        match = _LINE.fullmatch(line.text)
        if match is None or (match["path"] is not None) != has_paths:
            wanted = "a path and a value" if has_paths else f"one value or {size} zeros and ones"
            problems.append(line.problem(f"write {wanted}", column=attribute))
            continue
        numbers = [int(word) for word in re.split(r"[\s,;]+", match["numbers"])]
        named = tidy(match["path"]) if has_paths else None
        if len(numbers) == 1:
            number = None if numbers[0] == -1 else numbers[0]
            entries.append(Entry(line, index, named, number))
        elif len(numbers) != size:
            message = f"has {len(numbers)} numbers; write one value or {size} zeros and ones"
            problems.append(line.problem(message, column=attribute))
        elif set(numbers) == {-1} or not any(numbers):
            entries.append(Entry(line, index, named))
        elif sorted(numbers) == [0] * (size - 1) + [1]:
            entries.append(Entry(line, index, named, None, numbers.index(1)))
        else:
            problems.append(line.problem("write a single 1 among zeros", column=attribute))
    return LabelFile(path, attribute, size, tuple(entries), has_paths, len(lines))
