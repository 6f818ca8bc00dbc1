"""Draws fastenings, pockets and details."""

from __future__ import annotations

from collections.abc import Callable

from amgan.catalogue.studio.cut import Cut
from amgan.catalogue.studio.palette import Colours
from amgan.catalogue.studio.paths import DARK, TRIM, Point, Sheet, smooth, straight

_METAL = "#b9bcc2"
_CREAM = "#efe8d8"


def draw_fastening(sheet: Sheet, cut: Cut, colours: Colours) -> None:
    """How the front closes, below the neck opening."""
    draw = _FASTENINGS.get(cut.values["fastening"])
    if draw is not None:
        draw(sheet, cut, colours)


def _placket(sheet: Sheet, left: float, right: float, top: float, bottom: float) -> None:
    sheet.fill(f"M{left} {top:.1f}H{right}V{bottom:.1f}H{left}Z", DARK, 0.06)
    sheet.line(f"M{left} {top:.1f}V{bottom:.1f}M{right} {top:.1f}V{bottom:.1f}", DARK, 1.2, 0.6)


def _buttons(sheet: Sheet, x: float, top: float, bottom: float, gap: float, colour: str) -> None:
    count = max(2, round((bottom - top) / gap))
    for i in range(count):
        sheet.disc((x, top + (bottom - top) * i / (count - 1)), 2.5, colour)


def _draw_buttons(sheet: Sheet, cut: Cut, colours: Colours) -> None:
    top, bottom = cut.front_top, cut.hem_y + 2.0
    _placket(sheet, -6.0, 6.0, top, bottom)
    _buttons(sheet, 0.0, top + 9.0, bottom - 10.0, 17.0, colours.hardware)


def _draw_double(sheet: Sheet, cut: Cut, colours: Colours) -> None:
    top, bottom = cut.front_top, cut.hem_y + 1.0
    edge = [(3.0, top), (21.0, top + 16.0), (22.0, bottom)]
    sheet.line(smooth(edge), DARK, 1.8, 0.75)
    sheet.line(smooth([(x + 1.5, y) for x, y in edge]), DARK, 3.0, 0.18)
    start = max(top + 16.0, 108.0)
    for x in (-15.0, 15.0):
        _buttons(sheet, x, start, max(start + 24.0, bottom - 22.0), 24.0, colours.hardware)


def _zip(sheet: Sheet, top: float, bottom: float, colours: Colours, pull: float) -> None:
    line = f"M0 {top:.1f}V{bottom:.1f}"
    sheet.line(f"M-4.5 {top:.1f}V{bottom:.1f}M4.5 {top:.1f}V{bottom:.1f}", DARK, 1.0, 0.5)
    sheet.top_line(line, colours.zip_tape, 5.0)
    sheet.top_line(line, _METAL, 2.4, 1.0, "1.6 1.2")
    sheet.top_fill(f"M-2.6 {pull:.1f}h5.2l-.8 9h-3.6z", "#d5d8dd")
    sheet.top_line(f"M-2.6 {pull:.1f}h5.2l-.8 9h-3.6z", "#3c3d40", 0.7)


def _draw_zip(sheet: Sheet, cut: Cut, colours: Colours) -> None:
    _zip(sheet, cut.front_top - 1.0, cut.hem_y + 2.0, colours, cut.front_top + 3.0)


def _draw_half_zip(sheet: Sheet, cut: Cut, colours: Colours) -> None:
    top = cut.front_top
    bottom = min(top + 42.0, cut.hem_y - 14.0)
    sheet.line(f"M-7 {top:.1f}V{bottom + 4:.1f}H7V{top:.1f}", DARK, 1.2, 0.55)
    _zip(sheet, top - 1.0, bottom, colours, top + 6.0)


def _draw_half_placket(sheet: Sheet, cut: Cut, colours: Colours) -> None:
    top = cut.front_top
    bottom = min(top + 42.0, cut.hem_y - 14.0)
    _placket(sheet, -5.5, 5.5, top, bottom)
    sheet.line(f"M-5.5 {bottom:.1f}H5.5M-5.5 {bottom - 6:.1f}H5.5", DARK, 1.2, 0.6)
    _buttons(sheet, 0.0, top + 5.0, bottom - 10.0, 13.0, colours.hardware)


def _draw_toggles(sheet: Sheet, cut: Cut, colours: Colours) -> None:
    top, bottom = cut.front_top, cut.hem_y
    sheet.line(f"M3 {top:.1f}V{bottom + 2:.1f}", DARK, 1.6, 0.65)
    for i in range(4):
        y = top + 10.0 + (bottom - 24.0 - top) * i / 3
        sheet.top_line(f"M-15 {y - 2:.1f}H12M-15 {y + 2:.1f}H12", "#3a2c1e", 1.2)
        sheet.top_fill(f"M-20 {y - 4:.1f}h8l2 4l-2 4h-8z", "#4a3826")
        sheet.top_line(f"M-4 {y - 0.5:.1f}L6 {y + 0.5:.1f}", "#2a1c10", 5.4)
        sheet.top_line(f"M-4 {y - 0.5:.1f}L6 {y + 0.5:.1f}", "#a9793f", 3.8)
        sheet.top_fill(f"M18 {y - 4:.1f}h-6l-2 4l2 4h6z", "#4a3826")


def _draw_laces(sheet: Sheet, cut: Cut, colours: Colours) -> None:
    top = cut.front_top
    bottom = min(top + 52.0, cut.hem_y - 12.0)
    gap = f"M-5 {top - 1:.1f}L-2 {bottom:.1f}H2L5 {top - 1:.1f}Z"
    sheet.fill(gap, DARK)
    sheet.line(
        f"M-6.5 {top:.1f}L-3 {bottom + 1:.1f}M6.5 {top:.1f}L3 {bottom + 1:.1f}", TRIM, 2.6, 1.0
    )
    rungs = 4
    ys = [top + 4.0 + (bottom - 6.0 - top) * i / rungs for i in range(rungs + 1)]
    path = "".join(
        f"M-7 {a:.1f}L7 {b:.1f}M7 {a:.1f}L-7 {b:.1f}" for a, b in zip(ys, ys[1:], strict=False)
    )
    path += f"M7 {ys[-1]:.1f}L12 {ys[-1] + 15:.1f}M-7 {ys[-1]:.1f}L-11 {ys[-1] + 13:.1f}"
    sheet.top_line(path, "#1f1d1b", 2.6, 0.55)
    sheet.top_line(path, colours.cord, 1.7)


def _draw_wrap(sheet: Sheet, cut: Cut, colours: Colours) -> None:
    y = min(148.0, cut.hem_y - 12.0)
    x = cut.half_width(y)
    edge: list[Point] = [
        (-cut.neck_x + 1.0, cut.neck_y + 2.0),
        (-6.0, 100.0),
        (x * 0.55, y - 8.0),
        (x - 1.0, y),
    ]
    sheet.line(smooth(edge), DARK, 6.0, 0.16)
    sheet.line(smooth(edge), TRIM, 4.0, 1.0)
    sheet.line(smooth([(px - 1.5, py + 2.2) for px, py in edge]), DARK, 1.2, 0.6)
    below = [(x - 1.0, y), (x * 0.7, (y + cut.hem_y) / 2), (x * 0.5, cut.hem_y)]
    sheet.line(smooth(below), DARK, 1.6, 0.6)
    knot = (x * 0.78, y)
    for dx, dy in ((-13.0, -8.0), (9.0, -12.0), (-8.0, 26.0), (4.0, 30.0)):
        sheet.panel(smooth([knot, (knot[0] + dx, knot[1] + dy * 0.7), (knot[0] + dx * 0.9 + 4.0, knot[1] + dy), knot]) + "Z",
                    TRIM, 0.85)  # fmt: skip


def _draw_open(sheet: Sheet, cut: Cut, colours: Colours) -> None:
    top, bottom = cut.front_top - 3.0, cut.hem_y + 7.0
    gap = [(2.0, top), (6.0, (top + bottom) / 2), (13.0, bottom)]
    sheet.fill(smooth(gap) + smooth([(-x, y) for x, y in reversed(gap)], "L") + "Z", DARK)
    for side in (-1, 1):
        edge = [(side * (x + 2.0), y) for x, y in gap[:2]] + [(side * 15.0, bottom - 4.5)]
        sheet.line(smooth(edge), TRIM, 4.2, 1.0)
        sheet.line(smooth([(x + side * 2.8, y) for x, y in edge]), DARK, 1.0, 0.5)


_FASTENINGS: dict[str, Callable[[Sheet, Cut, Colours], None]] = {
    "buttons": _draw_buttons,
    "double-breasted": _draw_double,
    "zip": _draw_zip,
    "half zip": _draw_half_zip,
    "half placket": _draw_half_placket,
    "toggles": _draw_toggles,
    "laces": _draw_laces,
    "wrap": _draw_wrap,
    "open": _draw_open,
}


def draw_pocket(sheet: Sheet, cut: Cut, colours: Colours) -> None:
    """Pockets on the front panel."""
    pocket = cut.values["pocket"]
    low = max(116.0, cut.seam_y - 44.0)
    if pocket == "chest":
        _patch(sheet, 28.0, 106.0, 9.5, 22.0)
    elif pocket == "flap":
        for x in (-28.0, 28.0):
            _patch(sheet, x, 106.0, 10.0, 22.0)
            sheet.panel(f"M{x - 11} 104h22v7l-11 4l-11 -4z", TRIM, 0.8)
            sheet.disc((x, 111.0), 1.5, colours.hardware)
    elif pocket == "patch":
        for x in (-29.0, 29.0):
            _patch(sheet, x, low, 13.0, 30.0)
            sheet.line(f"M{x - 13} {low + 6:.1f}h26", DARK, 1.1, 0.6)
    elif pocket == "kangaroo":
        wide = min(34.0, cut.half_width(cut.seam_y) - 7.0)
        top, bottom = low + 2.0, low + 36.0
        bag = (f"M{-wide + 11:.1f} {top:.1f}H{wide - 11:.1f}Q{wide - 4:.1f} {top + 8:.1f} {wide:.1f} {top + 20:.1f}V{bottom:.1f}"
               f"H{-wide:.1f}V{top + 20:.1f}Q{-wide + 4:.1f} {top + 8:.1f} {-wide + 11:.1f} {top:.1f}Z")  # fmt: skip
        sheet.line(bag, DARK, 3.6, 0.2)
        sheet.fill(bag, DARK, 0.1)
        sheet.line(bag, DARK, 1.5, 0.75)
    elif pocket == "welt":
        for side in (-1, 1):
            slit = [(side * 23.0, low + 4.0), (side * 34.0, low + 30.0)]
            sheet.line(straight(slit), DARK, 6.6, 0.55)
            sheet.line(straight(slit), TRIM, 4.6, 1.0)
            sheet.line(straight([(x - side * 1.8, y + 0.8) for x, y in slit]), DARK, 1.6, 0.85)
    elif pocket == "zip":
        for side in (-1, 1):
            line = f"M{side * 17} 108L{side * 37} 104"
            sheet.line(line, DARK, 7.4, 0.5)
            sheet.top_line(line, colours.zip_tape, 4.4)
            sheet.top_line(line, _METAL, 2.2, 1.0, "1.6 1.2")
            sheet.top_fill(f"M{side * 36 - 1.5} 105h3v8h-3z", "#d5d8dd")


def _patch(sheet: Sheet, x: float, top: float, half: float, height: float) -> None:
    bag = f"M{x - half} {top:.1f}h{2 * half}v{height - 5:.1f}l{-half} 5l{-half} -5z"
    sheet.line(bag, DARK, 3.4, 0.2)
    sheet.fill(bag, DARK, 0.1)
    sheet.line(bag, DARK, 1.4, 0.75)
    sheet.line(f"M{x - half} {top + 4:.1f}h{2 * half}", DARK, 1.0, 0.55)


def draw_detail(sheet: Sheet, cut: Cut, colours: Colours) -> None:
    """Details that are drawn as lines; yoke, side panels and trim are colours of the cloth."""
    detail = cut.values["detail"]
    if detail == "belt":
        y = min(152.0, cut.hem_y - 20.0)
        x = cut.half_width(y)
        top = f"M{-x:.1f} {y - 6:.1f}Q0 {y - 3:.1f} {x:.1f} {y - 6:.1f}V{y + 6:.1f}Q0 {y + 9:.1f} {-x:.1f} {y + 6:.1f}Z"
        sheet.top_fill(top, colours.accent_text)
        sheet.top_line(top, "#000", 0.9, 0.45)
        sheet.top_line(f"M-8 {y - 6.5:.1f}h16v16h-16z", "#55482a", 3.4)
        sheet.top_line(f"M-8 {y - 6.5:.1f}h16v16h-16z", "#d9b968", 2.2)
        sheet.top_line(f"M0 {y + 1.5:.1f}h9", "#d9b968", 1.8)
    elif detail == "badge":
        x, y = -27.0, 113.0
        shield = f"M{x - 8} {y - 9}h16v10q0 6 -8 9q-8 -3 -8 -9z"
        sheet.top_fill(shield, colours.accent_text)
        sheet.top_line(shield, _CREAM, 1.2)
        sheet.top_line(f"M{x - 4} {y - 4}h8M{x - 4} {y}h8M{x - 2} {y + 4}h4", _CREAM, 1.3)
    elif detail == "fringe":
        _draw_fringe(sheet, cut)


def _draw_fringe(sheet: Sheet, cut: Cut) -> None:
    y = cut.hem_y
    x = cut.half_width(cut.seam_y) - 3.0
    strands = []
    for i in range(25):
        s = -1 + i / 12
        lift = {"tail": 15.0 * abs(s) ** 3, "slit": 0.0}.get(cut.style.hem, 0.0)
        start = y - lift + 3.0 * (1 - s * s) - 3.0
        strands.append(f"M{x * s:.1f} {start:.1f}q{2 if i % 2 else -2} 7 {(-1) ** i} 15")
    sheet.line("".join(strands), DARK, 3.4, 0.8)
    sheet.line("".join(strands), TRIM, 2.0, 1.0)
