"""Figures 6 and 7: references, changes in words, and the prototypes that models draw for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib.figure import Figure
from PIL import Image

from amgan.attributes import Change
from amgan.errors import InputError
from amgan.files import replacing
from amgan.images import Pixels
from amgan.sheets.canvas import GREY, INK, Canvas, measure

_CELL, _GAP, _MARGIN = 104.0, 9.0, 20.0  # hundredths of an inch
_WORDS = (84.0, 190.0)
_HEADER, _TITLE, _BLOCK = 24.0, 30.0, 34.0
_ARROW = 22.0


@dataclass(frozen=True)
class PrototypeBlock:
    """Cases under one row of headings.

    Attributes:
        title: above the block, "" for none.
        references: (N, H, W, 3), as the models saw them.
        changes: of each case.
        columns: pictures (N, H, W, 3) by heading, in order.
        truth: headings of columns that show what is true, not what is drawn.
    """

    title: str
    references: Pixels
    changes: Sequence[Sequence[Change]]
    columns: Mapping[str, Pixels]
    truth: tuple[str, ...] = ()


def render_prototype_sheet(
    blocks: Sequence[PrototypeBlock], path: Path, *, title: str = "", dpi: int = 200
) -> None:
    """Write a sheet, one case a line.

    Args:
        blocks: one below the other.
        path: .png or .svg.
        title: above everything.
        dpi: pixels an inch.

    Raises:
        ValueError: no case.
    """
    if not any(len(block.references) for block in blocks):
        raise InputError("a prototype sheet needs at least one case")
    figure = _Sheet(blocks, title, dpi).draw()
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=dpi, format=path.suffix[1:].lower())


class _Sheet:
    def __init__(self, blocks: Sequence[PrototypeBlock], title: str, dpi: int) -> None:
        self.blocks, self.title, self.dpi = blocks, title, dpi
        shape = blocks[0].references.shape
        self.height = _CELL * shape[1] / shape[2]
        needed = (_width(c) for block in blocks for changes in block.changes for c in changes)
        self.words = min(_WORDS[1], max(_WORDS[0], *needed, 0.0))
        self.words_at = _MARGIN + _CELL + _GAP + 4
        self.pictures_at = self.words_at + self.words + _GAP + 6
        most = max(len(block.columns) for block in blocks)
        self.width = self.pictures_at + most * (_CELL + _GAP) - _GAP + _MARGIN

    def draw(self) -> Figure:
        heights = [
            (_BLOCK if block.title else 0.0)
            + _HEADER
            + len(block.references) * (self.height + _GAP)
            for block in self.blocks
        ]
        top = _MARGIN + (_TITLE if self.title else 0.0)
        self.canvas = Canvas(self.width, top + sum(heights) + _MARGIN - _GAP, self.dpi)
        if self.title:
            self.canvas.text(_MARGIN, _MARGIN + 8, self.title, 15, weight="bold")
        for block, height in zip(self.blocks, heights, strict=True):
            self._draw_block(block, top)
            top += height
        return self.canvas.figure

    def _draw_block(self, block: PrototypeBlock, top: float) -> None:
        if block.title:
            self.canvas.text(_MARGIN, top + 14, block.title, 13, weight="bold")
            top += _BLOCK
        self.canvas.text(_MARGIN, top + 6, "Reference", 11, GREY)
        self.canvas.text(self.words_at, top + 6, "Changes", 11, GREY)
        for place, heading in enumerate(block.columns):
            x = self.pictures_at + place * (_CELL + _GAP)
            colour = INK if heading in block.truth else GREY
            self.canvas.text(x, top + 6, heading, 11, colour, width=_CELL)
        top += _HEADER
        for case in range(len(block.references)):
            self._draw_case(block, case, top)
            top += self.height + _GAP

    def _draw_case(self, block: PrototypeBlock, case: int, top: float) -> None:
        box = (_MARGIN, top, _CELL, self.height)
        self.canvas.picture(box, Image.fromarray(block.references[case]), False)
        changes = block.changes[case]
        step = min(40.0, self.height / max(1, len(changes)))
        y = top + (self.height - step * len(changes)) / 2 + 10
        if not changes:
            self.canvas.text(self.words_at, top + self.height / 2, "none", 12, GREY)
        for change in changes:
            self._draw_change(change, y)
            y += step
        for place, pictures in enumerate(block.columns.values()):
            x = self.pictures_at + place * (_CELL + _GAP)
            self.canvas.picture(
                (x, top, _CELL, self.height),
                Image.fromarray(pictures[case]),
                False,
            )

    def _draw_change(self, change: Change, y: float) -> None:
        self.canvas.text(self.words_at, y, change.attribute, 10.5, GREY, width=self.words)
        x, y = self.words_at, y + 16
        if change.unwanted:
            wanted = min(measure(change.wanted, 12, "bold"), self.words * 0.5)
            room = self.words - _ARROW - wanted
            x += self.canvas.text(x, y, change.unwanted, 12, GREY, width=room) + 4
        self.canvas.arrow(x, y)
        x += _ARROW - 4
        room = self.words_at + self.words - x
        self.canvas.text(x, y, change.wanted, 12, weight="bold", width=room)


def _width(change: Change) -> float:
    """Width that a change takes in words; a little more, so that rounding cuts nothing off."""
    unwanted = measure(change.unwanted, 12) + _ARROW + 1 if change.unwanted else _ARROW
    return max(measure(change.attribute, 10.5), unwanted + measure(change.wanted, 12, "bold"))
