"""Draws fastenings: how the front closes, from the neck opening down."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

from amgan.catalogue.studio.cut import Cut
from amgan.catalogue.studio.palette import Colours
from amgan.catalogue.studio.paths import DARK, TRIM, Point, Sheet, mirrored, path, smooth

METAL = "#b9bcc2"
PULLER = "#d5d8dd"


def draw_fastening(sheet: Sheet, cut: Cut, colours: Colours) -> None:
    """The fastening of a garment, if it has one."""
    draw = _FASTENINGS.get(cut.values["fastening"])
    if draw is not None:
        draw(sheet, cut, colours)


def draw_teeth(sheet: Sheet, line: str, tape: str, width: float) -> None:
    """A closed zip along a line."""
    sheet.top_line(line, tape, width)
    sheet.top_line(line, METAL, width * 0.48, 1.0, "1.6 1.2")


def _placket(sheet: Sheet, half: float, top: float, bottom: float) -> None:
    strip = path("M", -half, top, "H", half, "V", bottom, "H", -half, "Z")
    sheet.fill(strip, DARK, 0.06)
    edges = path("M", -half, top, "V", bottom, "M", half, top, "V", bottom)
    sheet.line(edges, DARK, 1.2, 0.6)


def _spaced(x: float, top: float, bottom: float, gap: float) -> list[Point]:
    """Places for buttons down a line, about `gap` apart."""
    count = max(2, round((bottom - top) / gap))
    return [(x, top + (bottom - top) * i / (count - 1)) for i in range(count)]


def _draw_buttons(sheet: Sheet, cut: Cut, colours: Colours) -> None:
    top, bottom = cut.front_top, cut.front_bottom
    _placket(sheet, 6.0, top, bottom)
    sheet.discs(_spaced(0.0, top + 9.0, bottom - 10.0, 17.0), 2.5, colours.hardware)


def _draw_double_breasted(sheet: Sheet, cut: Cut, colours: Colours) -> None:
    top, bottom = cut.front_top, cut.front_bottom - 1.0
    edge = [(3.0, top), (21.0, top + 16.0), (22.0, bottom)]
    sheet.line(smooth([(x + 1.5, y) for x, y in edge]), DARK, 3.0, 0.18)
    sheet.line(smooth(edge), DARK, 1.8, 0.75)
    start = max(top + 16.0, 108.0)
    end = max(start + 20.0, bottom - 22.0)
    places = [place for x in (-15.0, 15.0) for place in _spaced(x, start, end, 19.0)]
    sheet.discs(places, 2.5, colours.hardware)


def _zip(sheet: Sheet, top: float, bottom: float, colours: Colours, pull: float) -> None:
    edges = path("M", -4.5, top, "V", bottom, "M", 4.5, top, "V", bottom)
    sheet.line(edges, DARK, 1.0, 0.5)
    draw_teeth(sheet, path("M", 0.0, top, "V", bottom), colours.zip_tape, 5.0)
    puller = path("M", -2.6, pull, "h5.2l-.8 9h-3.6z")
    sheet.top_fill(puller, PULLER)
    sheet.top_line(puller, "#3c3d40", 0.7)


def _draw_zip(sheet: Sheet, cut: Cut, colours: Colours) -> None:
    _zip(sheet, cut.front_top - 1.0, cut.front_bottom, colours, cut.front_top + 3.0)


def _half_way(cut: Cut, depth: float) -> float:
    """Lower end of a fastening that stops above the hem."""
    return min(cut.front_top + depth, cut.hem_y - 13.0)


def _draw_half_zip(sheet: Sheet, cut: Cut, colours: Colours) -> None:
    top, bottom = cut.front_top, _half_way(cut, 42.0)
    sheet.line(path("M", -7.0, top, "V", bottom + 4, "H", 7.0, "V", top), DARK, 1.2, 0.55)
    _zip(sheet, top - 1.0, bottom, colours, top + 6.0)


def _draw_half_placket(sheet: Sheet, cut: Cut, colours: Colours) -> None:
    top, bottom = cut.front_top, _half_way(cut, 42.0)
    _placket(sheet, 5.5, top, bottom)
    sheet.line(path("M", -5.5, bottom, "h11M", -5.5, bottom - 6, "h11"), DARK, 1.2, 0.6)
    sheet.discs(_spaced(0.0, top + 5.0, bottom - 10.0, 13.0), 2.5, colours.hardware)


def _draw_toggles(sheet: Sheet, cut: Cut, colours: Colours) -> None:
    top, bottom = cut.front_top, cut.front_bottom
    sheet.line(path("M", 3.0, top, "V", bottom), DARK, 1.6, 0.65)
    heights = [top + 10.0 + (bottom - 26.0 - top) * i / 3 for i in range(4)]
    cords = [path("M", -15.0, y - 2, "H", 12.0, "M", -15.0, y + 2, "H", 12.0) for y in heights]
    tabs = [path("M", -20.0, y - 4, "h8l2 4l-2 4h-8zM", 18.0, y - 4, "h-6l-2 4l2 4h6z")
            for y in heights]  # fmt: skip
    horns = "".join(path("M", -4.0, y - 0.5, "L", 6.0, y + 0.5) for y in heights)
    sheet.top_line("".join(cords), "#3a2c1e", 1.2)
    sheet.top_fill("".join(tabs), "#4a3826")
    sheet.top_line(horns, "#2a1c10", 5.4)
    sheet.top_line(horns, "#a9793f", 3.8)


def _draw_laces(sheet: Sheet, cut: Cut, colours: Colours) -> None:
    top, bottom = cut.front_top, _half_way(cut, 52.0)
    sheet.fill(path("M", -5.0, top - 1, "L", -2.0, bottom, "H", 2.0, "L", 5.0, top - 1, "Z"), DARK)
    edges = path("M", -6.5, top, "L", -3.0, bottom + 1, "M", 6.5, top, "L", 3.0, bottom + 1)
    sheet.line(edges, TRIM, 2.6, 1.0)
    ys = [top + 4.0 + (bottom - 6.0 - top) * i / 4 for i in range(5)]
    cord = "".join(
        path("M", -7.0, a, "L", 7.0, b, "M", 7.0, a, "L", -7.0, b) for a, b in pairwise(ys)
    )
    cord += path("M", 7.0, ys[-1], "l5 15M", -7.0, ys[-1], "l-4 13")
    sheet.top_line(cord, "#1f1d1b", 2.6, 0.55)
    sheet.top_line(cord, colours.cord, 1.7)


def _draw_wrap(sheet: Sheet, cut: Cut, colours: Colours) -> None:
    y = min(148.0, cut.hem_y - 12.0)
    x = cut.half_width(y)
    edge: list[Point] = [(-cut.neck_x + 1.0, cut.neck_y + 2.0), (-6.0, 100.0)]
    edge += [(x * 0.55, y - 8.0), (x - 1.0, y)]
    sheet.line(smooth(edge), DARK, 6.0, 0.16)
    sheet.line(smooth(edge), TRIM, 4.0, 1.0)
    below = [(x - 1.0, y), (x * 0.7, (y + cut.hem_y) / 2), (x * 0.5, cut.hem_y)]
    seams = smooth([(px - 1.5, py + 2.2) for px, py in edge]) + smooth(below)
    sheet.line(seams, DARK, 1.4, 0.6)
    kx = x * 0.78
    loops = []
    for dx, dy in ((-13.0, -8.0), (9.0, -12.0), (-8.0, 26.0), (4.0, 30.0)):
        loop = [(kx, y), (kx + dx, y + dy * 0.7), (kx + dx * 0.9 + 4.0, y + dy), (kx, y)]
        loops.append(smooth(loop) + "Z")
    sheet.panel("".join(loops), TRIM, 0.85)


def _draw_open(sheet: Sheet, cut: Cut, colours: Colours) -> None:
    top, bottom = cut.front_top - 3.0, cut.front_bottom
    gap = [(2.0, top), (6.0, (top + bottom) / 2), (13.0, bottom)]
    sheet.fill(smooth(gap) + smooth(mirrored(gap), "L") + "Z", DARK)
    edge = [(4.0, top), (8.0, (top + bottom) / 2), (15.0, bottom)]
    sheet.line(smooth(edge) + smooth(mirrored(edge)), TRIM, 4.2, 1.0)
    seam = [(x + 2.8, y) for x, y in edge]
    sheet.line(smooth(seam) + smooth(mirrored(seam)), DARK, 1.0, 0.5)


_FASTENINGS: dict[str, Callable[[Sheet, Cut, Colours], None]] = {
    "buttons": _draw_buttons,
    "double-breasted": _draw_double_breasted,
    "zip": _draw_zip,
    "half zip": _draw_half_zip,
    "half placket": _draw_half_placket,
    "toggles": _draw_toggles,
    "laces": _draw_laces,
    "wrap": _draw_wrap,
    "open": _draw_open,
}
