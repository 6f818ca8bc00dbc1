"""Draws neck edges and collars. A collar follows the neck opening, whatever the neckline."""

from __future__ import annotations

from collections.abc import Callable

from amgan.catalogue.studio.body import neckline_path
from amgan.catalogue.studio.cut import Cut
from amgan.catalogue.studio.paths import DARK, TRIM, Point, Sheet, mirrored, smooth, straight, wave


def draw_behind(sheet: Sheet, cut: Cut) -> None:
    """What a collar shows behind the neck; drawn before the panels."""
    w, top = cut.neck_x, cut.neck_y
    collar = cut.values["collar"]
    if collar == "hood":
        half = [
            (w + 9.0, top + 5.0),
            (w + 13.0, top - 12.0),
            (w * 0.5 + 14.0, top - 33.0),
            (0.0, top - 40.0),
        ]
        sheet.panel(smooth([*half, *mirrored(half[:-1])]) + "Z", TRIM)
        inner = [
            (w, top + 3.0),
            (w + 2.0, top - 10.0),
            (w * 0.5 + 5.0, top - 25.0),
            (0.0, top - 30.0),
        ]
        sheet.fill(smooth([*inner, *mirrored(inner[:-1])]) + "Z", DARK)
    elif collar in ("shirt", "lapel", "shawl", "bow", "peter pan"):
        rise = 4.0 if collar == "peter pan" else 8.0
        sheet.panel(f"M{-w - 2:.1f} {top + 2:.1f}Q{-w * 0.8:.1f} {top - rise:.1f} 0 {top - rise:.1f}"
                    f"Q{w * 0.8:.1f} {top - rise:.1f} {w + 2:.1f} {top + 2:.1f}Z", TRIM)  # fmt: skip
    elif collar in ("stand", "ruffle"):
        sheet.panel(f"M{-w:.1f} {top + 3:.1f}L{-w + 3:.1f} {top - 9:.1f}Q0 {top - 13:.1f} {w - 3:.1f} {top - 9:.1f}"
                    f"L{w:.1f} {top + 3:.1f}Z", TRIM)  # fmt: skip
        sheet.fill(f"M{-w + 2.5:.1f} {top - 7:.1f}Q0 {top - 12:.1f} {w - 2.5:.1f} {top - 7:.1f}L{w - 1:.1f} {top + 4:.1f}"
                   f"L{-w + 1:.1f} {top + 4:.1f}Z", DARK)  # fmt: skip


def draw_neck_edge(sheet: Sheet, cut: Cut) -> None:
    """Band along the neck opening, with the keyhole or notch below it."""
    neckline, bottom = cut.values["neckline"], cut.neck_bottom
    if neckline == "keyhole":
        hole = (f"M0 {bottom + 4:.1f}C9 {bottom + 11:.1f} 9 {bottom + 25:.1f} 0 {bottom + 25:.1f}"
                f"C-9 {bottom + 25:.1f} -9 {bottom + 11:.1f} 0 {bottom + 4:.1f}Z")  # fmt: skip
        sheet.fill(hole, DARK)
        sheet.line(hole, TRIM, 2.2, 1.0)
    elif neckline == "notch":
        slit = [(-6.5, bottom - 1.5), (0.0, bottom + 23.0), (6.5, bottom - 1.5)]
        sheet.fill(straight(slit, close=True), DARK)
        sheet.line(straight(slit), TRIM, 3.0, 1.0)
    width = 7.5 if cut.style.hem == "rib" else 4.6
    sheet.line(neckline_path(cut), DARK, width + 1.6, 0.4)
    sheet.line(neckline_path(cut), TRIM, width, 1.0)
    if cut.style.hem == "rib":
        ticks = []
        for (x0, y0), (x1, y1) in zip(cut.neckline, cut.neckline[1:], strict=False):
            for t in (0.25, 0.75):
                x, y = x0 + (x1 - x0) * t, y0 + (y1 - y0) * t
                length = max(((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5, 1e-6)
                nx, ny = (y1 - y0) / length * 3.2, -(x1 - x0) / length * 3.2
                ticks.append(straight([(x - nx, y - ny), (x + nx, y + ny)]))
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


def _both(sheet: Sheet, points_path: Callable[[int], str]) -> None:
    for side in (-1, 1):
        path = points_path(side)
        sheet.line(path, DARK, 4.0, 0.18)
        sheet.panel(path, TRIM, 0.75)


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
    tube = (f"M{-w - 2:.1f} {base - 6:.1f}C{-w + 1:.1f} {top - 6:.1f} {-w + 2:.1f} {top - 14:.1f} {-w + 2:.1f} {top - 18:.1f}"
            f"Q0 {top - 23:.1f} {w - 2:.1f} {top - 18:.1f}C{w - 2:.1f} {top - 14:.1f} {w - 1:.1f} {top - 6:.1f} {w + 2:.1f} {base - 6:.1f}"
            f"Q0 {base + 11:.1f} {-w - 2:.1f} {base - 6:.1f}Z")  # fmt: skip
    sheet.line(tube, DARK, 4.0, 0.15)
    sheet.panel(tube, TRIM, 0.7)
    sheet.line(
        f"M{-w + 1:.1f} {top - 3:.1f}Q0 {top + 6:.1f} {w - 1:.1f} {top - 3:.1f}", DARK, 1.6, 0.6
    )
    ribs = [f"M{w * s:.1f} {top - 18 - 3 * (1 - s * s):.1f}L{w * s * 1.05:.1f} {base - 3 + 6 * (1 - s * s):.1f}"
            for s in (-0.7, -0.47, -0.23, 0.0, 0.23, 0.47, 0.7)]  # fmt: skip
    sheet.line("".join(ribs), DARK, 0.9, 0.28)


def _draw_lapel(sheet: Sheet, cut: Cut) -> None:
    w, top = cut.neck_x, cut.neck_y

    def lapel(side: int) -> str:
        points = [(w - 2.0, top - 5.0), (w * 0.6, top + 26.0), (1.0, 132.0), (22.0, 106.0), (w + 12.0, top + 31.0),
                  (w + 2.0, top + 28.0), (w + 11.0, top + 18.0), (w + 7.0, top + 5.0), (w, top - 5.0)]  # fmt: skip
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
    for side in (-1, 1):
        cord = [
            (side * 7.0, end[1] + 2.0),
            (side * 9.0, end[1] + 18.0),
            (side * 8.0, end[1] + 33.0),
        ]
        sheet.top_line(smooth(cord), "#2a2825", 2.6, 0.5)
        sheet.top_line(smooth(cord), "#eeeae0", 1.7)


def _draw_ruffle(sheet: Sheet, cut: Cut) -> None:
    half = cut.neckline[: len(cut.neckline) // 2 + 1]
    w, top = cut.neck_x, cut.neck_y
    crests = []
    for i, (x, y) in enumerate(half):
        grow = 9.0 if i % 2 else 13.0
        crests.append((x + grow * x / w * 0.9, y + grow * (0.35 + 0.65 * (1 - x / w))))
    whole = [*crests, *mirrored(crests[:-1])]
    frill = smooth(whole) + smooth(
        [(-w, top - 8.0), *[(-x, y - 1.0) for x, y in cut.neckline[1:-1]], (w, top - 8.0)], "L"
    )
    sheet.line(smooth(whole), DARK, 4.0, 0.2)
    sheet.panel(frill + "Z", TRIM, 0.75)
    lines = [straight([(x, y), ((x + a) / 2, (y + b) / 2)]) for (x, y), (a, b)
             in zip(cut.neckline, whole, strict=True)]  # fmt: skip
    sheet.line("".join(lines), DARK, 1.2, 0.5)
    sheet.line(smooth(wave((w + 2.0, top - 9.0), (-w - 2.0, top - 9.0), 1.6, 6)), TRIM, 3.0, 1.0)


def _draw_bow(sheet: Sheet, cut: Cut) -> None:
    y = _meeting(cut)[1] + 3.0
    sheet.line(neckline_path(cut), TRIM, 7.0, 1.0)
    for side in (-1, 1):
        tail = [(side * 1.0, y), (side * 13.0, y + 44.0), (side * 22.0, y + 40.0), (side * 4.0, y)]
        sheet.panel(straight(tail, close=True), TRIM, 0.8)
        loop = [
            (0.0, y),
            (side * 12.0, y - 10.0),
            (side * 25.0, y - 8.0),
            (side * 26.0, y + 6.0),
            (side * 12.0, y + 7.0),
            (0.0, y),
        ]
        sheet.line(smooth(loop), DARK, 4.0, 0.18)
        sheet.panel(smooth(loop) + "Z", TRIM, 0.8)
        sheet.line(straight([(side * 4.0, y - 0.5), (side * 16.0, y - 2.0)]), DARK, 1.2, 0.5)
    sheet.panel(f"M-4 {y - 5:.1f}h8v10h-8z", TRIM, 0.9)


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
