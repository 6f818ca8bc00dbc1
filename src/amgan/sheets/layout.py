"""Result sheets: reference, changes in words, prototype, and results marked for what matches.

One query a row. Under each result stand the changed attributes, each with the item's value and a
tick or a cross, how many of the other attributes the item shares with the reference, and small its
id and title.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from statistics import median

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from amgan.attributes import Change
from amgan.errors import InputError
from amgan.files import replacing
from amgan.images import ImageSettings, PictureError, Pixels, load_picture
from amgan.search import SearchResult
from amgan.sheets.canvas import GREEN, GREY, Canvas, measure
from amgan.sheets.rows import Picture, SheetItem, SheetRow, sheet_row

_CELL = 136.0  # width of a picture; lengths are in hundredths of an inch
_GAP, _LINE_GAP, _ROW_GAP, _MARGIN = 12.0, 18.0, 30.0, 22.0
_WORDS = (96.0, 200.0)  # least and greatest width of the column of changes
_ARROW = 23.0
_HEADER, _LINE_HEIGHT, _BELOW, _LEGEND = 26.0, 18.0, 9.0, 26.0
_TITLE, _CAPTION, _NOTE_HEIGHT = 30.0, 24.0, 14.0


def render_result_sheet(
    queries: SearchResult | SheetRow | Sequence[SearchResult | SheetRow],
    path: Path,
    *,
    columns: int = 6,
    title: str | None = None,
    dpi: int = 200,
) -> None:
    """Write one picture of one or more queries.

    Args:
        queries: one row each.
        path: .png, .pdf or .svg.
        columns: results side by side; more go on the next line of the row.
        title: a line above everything.
        dpi: pixels an inch; a picture is about 1.4 inches wide.

    Raises:
        ValueError: no queries, or another kind of file.
    """
    if isinstance(queries, SearchResult | SheetRow):
        queries = [queries]
    rows = [sheet_row(query) if isinstance(query, SearchResult) else query for query in queries]
    if not rows or columns < 1:
        raise InputError("a result sheet needs at least one query and one column")
    if path.suffix.lower() not in (".png", ".pdf", ".svg"):
        raise InputError(f"{path}: write a result sheet as .png, .pdf or .svg")
    figure = _Sheet(rows, columns, title, dpi).draw()
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=dpi, format=path.suffix[1:].lower())


class _Sheet:
    """Places and draws everything; y grows downwards from the top."""

    def __init__(self, rows: Sequence[SheetRow], columns: int, title: str | None, dpi: int) -> None:
        self.rows = rows
        self.title = title
        self.dpi = dpi
        self.columns = min(columns, max(1, *(len(row.items) for row in rows)))
        self.drawn = any(row.prototype is not None for row in rows)
        pictures = [_load(row.reference) for row in rows]
        shapes = [p.height / p.width for p in pictures if p is not None]
        self.height = _CELL * min(1.5, max(0.75, median(shapes) if shapes else 1.0))
        needed = (_needed_width(change) for row in rows for change in row.changes)
        self.words = min(_WORDS[1], max(_WORDS[0], *needed, 0))
        self.words_at = _MARGIN + _CELL + _GAP + 4
        self.prototype_at = self.words_at + self.words + _GAP + 4
        self.results_at = self.prototype_at + (_CELL + _GAP if self.drawn else 0.0) + 14.0
        self.width = self.results_at + self.columns * (_CELL + _GAP) - _GAP + _MARGIN

    def draw(self) -> Figure:
        """The whole sheet."""
        top = _MARGIN + (_TITLE if self.title else 0.0) + _HEADER
        tops = []
        for row in self.rows:
            top += _CAPTION if row.caption else 0.0
            tops.append(top)
            top += self._row_height(row) + _ROW_GAP
        total = top - _ROW_GAP + _MARGIN + _LEGEND
        self.canvas = Canvas(self.width, total, self.dpi)
        self._draw_header()
        for row, top in zip(self.rows, tops, strict=True):
            if row is not self.rows[0]:
                y = top - _ROW_GAP / 2 - (_CAPTION if row.caption else 0.0)
                self.canvas.line((_MARGIN, y), (self.width - _MARGIN, y))
            self._draw_row(row, top)
        self._draw_legend(total - _MARGIN)
        return self.canvas.figure

    def _row_height(self, row: SheetRow) -> float:
        lines = max(1, -(-len(row.items) // self.columns))
        return lines * (self._item_height(row) + _LINE_GAP) - _LINE_GAP

    def _item_height(self, row: SheetRow) -> float:
        notes = max((len(item.notes) for item in row.items), default=0)
        lines = _LINE_HEIGHT * (len(row.changes) + 1) + _NOTE_HEIGHT * notes
        return self.height + _BELOW + lines - 4.0

    def _draw_header(self) -> None:
        y = _MARGIN
        if self.title:
            self.canvas.text(_MARGIN, y + 8, self.title, 16, weight="bold")
            y += _TITLE
        heads = [(_MARGIN, "Reference"), (self.words_at, "Changes")]
        heads += [(self.prototype_at, "Prototype")] if self.drawn else []
        for x, text in (*heads, (self.results_at, "Results, best first")):
            self.canvas.text(x, y + 6, text, 11.5, GREY)

    def _draw_row(self, row: SheetRow, top: float) -> None:
        if row.caption:
            self.canvas.text(_MARGIN, top - 14, row.caption, 12.5, weight="bold")
        reference = _load(row.reference)
        self.canvas.picture((_MARGIN, top, _CELL, self.height), reference, False)
        self._draw_changes(row.changes, top)
        if row.prototype is not None:
            size = None if reference is None else reference.size
            prototype = _undo_fit(row.prototype, row.images, size)
            self.canvas.picture((self.prototype_at, top, _CELL, self.height), prototype, False)
        x = self.results_at - 13.0
        self.canvas.line((x, top), (x, top + self._row_height(row)))
        for place, item in enumerate(row.items):
            line, column = divmod(place, self.columns)
            self._draw_item(
                self.results_at + column * (_CELL + _GAP),
                top + line * (self._item_height(row) + _LINE_GAP),
                item,
                place + 1,
                [change.attribute for change in row.changes],
            )
        if not row.items:
            self.canvas.text(self.results_at, top + 12, "no item passes the filters", 12, GREY)

    def _draw_changes(self, changes: Sequence[Change], top: float) -> None:
        if not changes:
            self.canvas.text(self.words_at, top + 10, "none", 12, GREY)
        step = min(46.0, self.height / max(1, len(changes)))
        for place, change in enumerate(changes):
            y = top + 9 + place * step
            self.canvas.text(self.words_at, y, change.attribute, 11, GREY, width=self.words)
            self._draw_replacement(change, y + 18)

    def _draw_replacement(self, change: Change, y: float) -> None:
        """``grey -> blue``, or only the wanted value where the other is not known."""
        x = self.words_at
        if change.unwanted:
            wanted = min(measure(change.wanted, 13, "bold"), self.words * 0.5)
            room = self.words - _ARROW - wanted
            x += self.canvas.text(x, y, change.unwanted, 13, GREY, width=room) + 5
        self.canvas.arrow(x, y)
        x += _ARROW - 5
        self.canvas.text(
            x, y, change.wanted, 13, weight="bold", width=self.words_at + self.words - x
        )

    def _draw_item(
        self, x: float, y: float, item: SheetItem, rank: int, changed: Sequence[str]
    ) -> None:
        self.canvas.picture((x, y, _CELL, self.height), _load(item.picture), item.truth)
        self.canvas.badge(x, y, str(rank))
        y += self.height + _BELOW + _LINE_HEIGHT / 2 - 2
        for attribute in changed:
            self.canvas.mark(x + 7, y, item.matches.get(attribute))
            value = item.labels.get(attribute) or "not labelled"
            self.canvas.text(x + 18, y, value, 12, width=_CELL - 18)
            y += _LINE_HEIGHT
        others = [m for name, m in item.matches.items() if name not in changed and m is not None]
        if others:
            kept = f"{sum(others)} of {len(others)} others kept"
            self.canvas.text(x + 1, y, kept, 11, GREY, width=_CELL)
            y += _LINE_HEIGHT
        for note in item.notes:
            self.canvas.text(x + 1, y - 2, note, 9, GREY, width=_CELL)
            y += _NOTE_HEIGHT

    def _draw_legend(self, y: float) -> None:
        x = _MARGIN + 6
        shown = {
            item.matches.get(change.attribute)
            for row in self.rows
            for change in row.changes
            for item in row.items
        }
        words = ((True, "as wanted"), (False, "not as wanted"), (None, "not known"))
        for matches, text in words:
            if matches not in shown:
                continue
            self.canvas.mark(x, y - 5, matches)
            x += 11 + self.canvas.text(x + 11, y - 5, text, 11, GREY) + 18
        if any(item.truth for row in self.rows for item in row.items):
            self.canvas.frame((x - 6, y - 11, 16, 12), GREEN, 1.8)
            self.canvas.text(x + 16, y - 5, "ground truth", 11, GREY)


def _load(picture: Picture) -> Image.Image | None:
    if isinstance(picture, np.ndarray):
        return Image.fromarray(picture)
    try:
        return load_picture(picture, draft_side=600)
    except PictureError:
        return None


def _undo_fit(
    pixels: Pixels, images: ImageSettings | None, size: tuple[int, int] | None
) -> Image.Image:
    """The prototype in the shape of the reference, without the padding that it was drawn with."""
    picture = Image.fromarray(pixels)
    if images is None or size is None or images.fit == "crop":
        return picture
    scale = min(picture.width / size[0], picture.height / size[1])
    inner = (max(1, round(size[0] * scale)), max(1, round(size[1] * scale)))
    if images.fit == "stretch":
        return picture.resize((inner[0] * 8, inner[1] * 8), Image.Resampling.BICUBIC)
    left, top = (picture.width - inner[0]) // 2, (picture.height - inner[1]) // 2
    return picture.crop((left, top, left + inner[0], top + inner[1]))


def _needed_width(change: Change) -> float:
    # One more than the sum of the parts, so that rounding cuts nothing off.
    unwanted = measure(change.unwanted, 13) + _ARROW + 1 if change.unwanted else _ARROW - 4
    return max(measure(change.attribute, 11), unwanted + measure(change.wanted, 13, "bold"))
