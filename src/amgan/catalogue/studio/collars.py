"""Draws neck edges and collars. A collar follows the neck opening, whatever the neckline."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import accumulate, pairwise

from amgan.catalogue.studio.body import neckline_path
from amgan.catalogue.studio.cut import Cut
from amgan.catalogue.studio.paths import (
    DARK,
    TRIM,
    Point,
    Sheet,
    along,
    interpolate,
    mirrored,
    path,
    smooth,
    straight,
)


def draw_behind(sheet: Sheet, cut: Cut) -> None:
    """What a collar shows behind the neck; drawn before the panels."""
    w, top = cut.neck_x, cut.neck_y
    collar = cut.values["collar"]
    if collar == "hood":
        sheet.panel(_arch(w + 9.0, top + 5.0, w + 13.0, 40.0), TRIM)
        sheet.fill(_arch(w, top + 3.0, w + 2.0, 31.0), DARK)
    elif collar in ("shirt", "lapel", "shawl", "bow", "peter pan"):
        rise = top - (4.0 if collar == "peter pan" else 8.0)
        fall = path("M", -w - 2, top + 2, "Q", -w * 0.8, rise, 0.0, rise)
        sheet.panel(fall + path("Q", w * 0.8, rise, w + 2, top + 2, "Z"), TRIM)
    elif collar in ("stand", "ruffle"):
        back = path("M", -w, top + 3, "L", -w + 3, top - 9, "Q", 0.0, top - 13, w - 3, top - 9)
        sheet.panel(back + path("L", w, top + 3, "Z"), TRIM)
        inner = path("M", -w + 2.5, top - 7, "Q", 0.0, top - 12, w - 2.5, top - 7)
        sheet.fill(inner + path("L", w - 1, top + 4, "H", -w + 1, "Z"), DARK)


def _arch(foot: float, base: float, wide: float, height: float) -> str:
    """Outline of a hood above the neck."""
    half = [(foot, base), (wide, base - 0.38 * height)]
    half += [(wide * 0.76, base - 0.86 * height), (0.0, base - 1.1 * height)]
    return smooth([*half, *mirrored(half[:-1])]) + "Z"


def draw_neck_edge(sheet: Sheet, cut: Cut) -> None:
    """Band along the neck opening, with the keyhole or notch below it."""
    neckline, bottom = cut.values["neckline"], cut.neck_bottom
    if neckline == "keyhole":
        top, low = bottom + 4.0, bottom + 25.0
        hole = path("M", 0.0, top, "C", 9.0, top + 7, 9.0, low, 0.0, low)
        hole += path("C", -9.0, low, -9.0, top + 7, 0.0, top, "Z")
        sheet.fill(hole, DARK)
        sheet.line(hole, TRIM, 2.2, 1.0)
    elif neckline == "notch":
        slit = [(-8.5, bottom - 1.5), (0.0, bottom + 27.0), (8.5, bottom - 1.5)]
        sheet.fill(straight(slit, close=True), DARK)
        sheet.line(straight(slit), TRIM, 3.0, 1.0)
    width = 7.5 if cut.style.hem == "rib" else 4.6
    sheet.line(neckline_path(cut), DARK, width + 1.6, 0.4)
    sheet.line(neckline_path(cut), TRIM, width, 1.0)
    if cut.style.hem == "rib":
        ticks = []
        for (x0, y0), (x1, y1) in pairwise(_resampled(cut, 16)):
            length = math.dist((x0, y0), (x1, y1)) or 1.0
            nx, ny = (y1 - y0) / length * 3.2, (x0 - x1) / length * 3.2
            ticks.append(straight([(x0 - nx, y0 - ny), (x0 + nx, y0 + ny)]))
        sheet.line("".join(ticks), DARK, 0.9, 0.35)


def draw_collar(sheet: Sheet, cut: Cut) -> None:
    """The front of the collar; drawn last of all cloth."""
    draw = _FRONTS.get(cut.values["collar"])
    if draw is not None:
        draw(sheet, cut)


def _meeting(cut: Cut) -> Point:
    """Where the two halves of a collar meet: on the neck edge, not too far down."""
    return (1.5, min(cut.neck_bottom, cut.neck_y + 24.0))


def _edge(cut: Cut) -> list[Point]:
    """Right half of the neck edge from the shoulder down to where collars meet."""
    end = _meeting(cut)
    half = cut.neckline[: len(cut.neckline) // 2 + 1]
    return [p for p in half if p[1] < end[1] - 1.0 and p[0] > 3.0] + [end]


def _both(sheet: Sheet, outline_of: Callable[[int], str]) -> None:
    """Draw the left and the right half of a collar."""
    halves = outline_of(-1) + outline_of(1)
    sheet.panel(halves, TRIM, 0.75)


def _flip(points: list[Point], side: int) -> list[Point]:
    return [(side * x, y) for x, y in points]


def _draw_shirt(sheet: Sheet, cut: Cut) -> None:
    w, top = cut.neck_x, cut.neck_y
    end = _meeting(cut)
    tip = (w * 0.55 + 6.0, end[1] + 15.0)

    def leaf(side: int) -> str:
        inner = [(w - 1.0, top - 4.0), *_edge(cut)[1:]]
        outer = [tip, (w + 7.0, top + 7.0), (w + 1.0, top - 5.0)]
        return smooth(_flip(inner, side)) + straight(_flip(outer, side)).replace("M", "L") + "Z"

    _both(sheet, leaf)


def _draw_peter_pan(sheet: Sheet, cut: Cut) -> None:
    w, top = cut.neck_x, cut.neck_y
    end = _meeting(cut)

    def leaf(side: int) -> str:
        inner = [(w, top - 1.0), *_edge(cut)[1:]]
        outer = [end, (5.0, end[1] + 12.0), (w * 0.5 + 4.0, end[1] + 15.0), (w + 9.0, top + 17.0),
                 (w + 9.0, top + 5.0), (w, top - 1.0)]  # fmt: skip
        return smooth(_flip(inner, side)) + smooth(_flip(outer, side), "L") + "Z"

    _both(sheet, leaf)


def _draw_stand(sheet: Sheet, cut: Cut) -> None:
    w, top = cut.neck_x, cut.neck_y
    edge = _edge(cut)

    def band(side: int) -> str:
        upper = [(x * 0.86 + 1.0, y - 9.0) for x, y in reversed(edge)]
        return (
            smooth(_flip([(w + 1.0, top + 1.0), *edge[1:]], side))
            + smooth(_flip(upper, side), "L")
            + "Z"
        )

    _both(sheet, band)


def _draw_roll(sheet: Sheet, cut: Cut) -> None:
    w, top = min(cut.neck_x, 25.0), cut.neck_y
    base = top + 12.0
    half = [(w - 2.0, top - 18.0), (w - 1.5, top - 8.0), (w + 2.0, base - 6.0)]
    tube = smooth(half) + path("Q", 0.0, base + 11, -w - 2, base - 6)
    tube += smooth(mirrored(half), "L") + path("Q", 0.0, top - 23, w - 2, top - 18, "Z")
    sheet.panel(tube, TRIM, 0.7)
    ribs = []
    for s in (-0.7, -0.47, -0.23, 0.0, 0.23, 0.47, 0.7):
        sag = 1 - s * s
        ends = [(w * s, top - 18.0 - 3.0 * sag), (w * s * 1.05, base - 3.0 + 6.0 * sag)]
        ribs.append(straight(ends))
    sheet.line("".join(ribs), DARK, 0.9, 0.28)
    sheet.line(path("M", -w + 1, top - 3, "Q", 0.0, top + 6, w - 1, top - 3), DARK, 1.6, 0.6)


def _draw_lapel(sheet: Sheet, cut: Cut) -> None:
    w, top = cut.neck_x, cut.neck_y

    def lapel(side: int) -> str:
        points = [(w - 2.0, top - 5.0), (w * 0.6, top + 26.0), (1.0, 132.0), (22.0, 106.0)]
        points += [(w + 12.0, top + 31.0), (w + 2.0, top + 28.0), (w + 11.0, top + 18.0)]
        points += [(w + 7.0, top + 5.0), (w, top - 5.0)]
        return straight(_flip(points, side), close=True)

    _both(sheet, lapel)
    notch = [(w * 0.72, top + 17.0), (w + 2.0, top + 28.0)]
    sheet.line(straight(notch) + straight(_flip(notch, -1)), DARK, 1.3, 0.75)


def _draw_shawl(sheet: Sheet, cut: Cut) -> None:
    w, top = cut.neck_x, cut.neck_y

    def roll(side: int) -> str:
        inner = [(w - 2.0, top - 5.0), (w * 0.62, top + 26.0), (1.0, 138.0)]
        outer = [
            (1.0, 138.0),
            (20.0, 122.0),
            (w + 8.0, top + 36.0),
            (w + 11.0, top + 12.0),
            (w, top - 5.0),
        ]
        return smooth(_flip(inner, side)) + smooth(_flip(outer, side), "L") + "Z"

    _both(sheet, roll)


def _draw_hood(sheet: Sheet, cut: Cut) -> None:
    w, top = cut.neck_x, cut.neck_y
    end = _meeting(cut)

    def side_of_hood(side: int) -> str:
        inner = [(w + 1.0, top - 8.0), *_edge(cut)]
        outer = [
            (end[0], end[1] + 7.0),
            (w * 0.7 + 6.0, end[1] - 1.0),
            (w + 11.0, top + 6.0),
            (w + 13.0, top - 10.0),
        ]
        return smooth(_flip(inner, side)) + smooth(_flip(outer, side), "L") + "Z"

    _both(sheet, side_of_hood)
    cord = [(7.0, end[1] + 2.0), (9.0, end[1] + 18.0), (8.0, end[1] + 33.0)]
    cords = smooth(cord) + smooth(_flip(cord, -1))
    sheet.top_line(cords, "#2a2825", 2.6, 0.5)
    sheet.top_line(cords, "#eeeae0", 1.7)


def _draw_ruffle(sheet: Sheet, cut: Cut) -> None:
    """Two tiers of frill round the neck."""
    w, top = cut.neck_x, cut.neck_y
    for size, shade in ((21.0, 0.75), (11.0, 0.6)):
        crests = []
        for i, (x, y) in enumerate(_resampled(cut, 12)):
            out = size * (1.0 if i % 2 else 0.72)
            side = x / w
            crests.append((x + out * side * 0.85, y + out * (1.0 - 0.75 * side * side)))
        inner = [
            (-w - 2.0, top - 4.0),
            *((-x, y - 2.0) for x, y in cut.neckline[1:-1]),
            (w + 2.0, top - 4.0),
        ]
        frill = smooth(crests) + smooth(inner, "L") + "Z"
        sheet.panel(frill, TRIM, shade)
        pleats = [
            straight([a, along(a, b, 0.8)])
            for a, b in zip(_resampled(cut, 12), crests, strict=True)
        ]
        sheet.line("".join(pleats), DARK, 1.1, 0.42)


def _resampled(cut: Cut, count: int) -> list[Point]:
    """`count` + 1 points at equal steps along the neck edge."""
    points = cut.neckline
    steps = [math.dist(a, b) for a, b in pairwise(points)]
    ends = list(accumulate(steps, initial=0.0))
    xs = list(zip(ends, (x for x, _ in points), strict=True))
    ys = list(zip(ends, (y for _, y in points), strict=True))
    marks = [ends[-1] * i / count for i in range(count + 1)]
    return [(interpolate(xs, mark), interpolate(ys, mark)) for mark in marks]


def _draw_bow(sheet: Sheet, cut: Cut) -> None:
    y = _meeting(cut)[1] + 3.0
    sheet.line(neckline_path(cut), TRIM, 7.0, 1.0)
    tail = [(1.0, y), (13.0, y + 44.0), (22.0, y + 40.0), (4.0, y)]
    loop = [(0.0, y), (12.0, y - 10.0), (25.0, y - 8.0), (26.0, y + 6.0), (12.0, y + 7.0), (0.0, y)]
    crease = [(4.0, y - 0.5), (16.0, y - 2.0)]
    sheet.panel("".join(straight(_flip(tail, side), close=True) for side in (-1, 1)), TRIM, 0.8)
    loops = smooth(loop) + "Z" + smooth(_flip(loop, -1)) + "Z"
    sheet.panel(loops, TRIM, 0.8)
    sheet.line(straight(crease) + straight(_flip(crease, -1)), DARK, 1.2, 0.5)
    sheet.panel(path("M", -4.0, y - 5, "h8v10h-8z"), TRIM, 0.9)


_FRONTS: dict[str, Callable[[Sheet, Cut], None]] = {
    "shirt": _draw_shirt,
    "peter pan": _draw_peter_pan,
    "stand": _draw_stand,
    "roll neck": _draw_roll,
    "lapel": _draw_lapel,
    "shawl": _draw_shawl,
    "hood": _draw_hood,
    "ruffle": _draw_ruffle,
    "bow": _draw_bow,
}
