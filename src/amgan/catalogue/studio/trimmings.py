"""Draws pockets and details."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from amgan.catalogue.studio.cut import Cut
from amgan.catalogue.studio.fastenings import PULLER, draw_teeth
from amgan.catalogue.studio.palette import Colours, luminance
from amgan.catalogue.studio.paths import DARK, TRIM, Sheet, mirrored, path, smooth, straight

_CREAM = "#efe8d8"
_BRASS = "#d9b968"
_INK = "#3a3836"


def draw_pocket(sheet: Sheet, cut: Cut, colours: Colours) -> None:
    """Pockets on the front panel, if there are any."""
    draw = _POCKETS.get(cut.values["pocket"])
    if draw is not None:
        draw(sheet, cut, colours)


def _hip(cut: Cut) -> float:
    """Height of the tops of hip pockets."""
    return max(116.0, cut.seam_y - 44.0)


def _patches(sheet: Sheet, xs: Sequence[float], top: float, half: float, height: float) -> None:
    """Patches of cloth with a pointed lower edge, centred at `xs`."""
    lower = path("h", 2 * half, "v", height - 5, "l", -half, 5.0, "l", -half, -5.0, "z")
    bags = "".join(path("M", x - half, top) + lower for x in xs)
    sheet.line(bags, DARK, 3.4, 0.2)
    sheet.fill(bags, DARK, 0.1)
    sheet.line(bags, DARK, 1.4, 0.75)
    seams = [path("M", x - half + 1, top + 4, "h", 2 * half - 2) for x in xs]
    sheet.stitch("".join(seams), 1.0, 0.55)


def _draw_chest(sheet: Sheet, cut: Cut, colours: Colours) -> None:
    _patches(sheet, (28.0,), 106.0, 9.5, 22.0)


def _draw_flap(sheet: Sheet, cut: Cut, colours: Colours) -> None:
    _patches(sheet, (-28.0, 28.0), 106.0, 10.0, 22.0)
    sheet.panel("M-39 104h22v7l-11 4l-11 -4zM17 104h22v7l-11 4l-11 -4z", TRIM, 0.8)
    sheet.discs([(-28.0, 111.0), (28.0, 111.0)], 1.5, colours.hardware)


def _draw_hip_patches(sheet: Sheet, cut: Cut, colours: Colours) -> None:
    _patches(sheet, (-29.0, 29.0), _hip(cut), 13.0, 30.0)


def _draw_kangaroo(sheet: Sheet, cut: Cut, colours: Colours) -> None:
    wide = min(34.0, cut.half_width(cut.seam_y) - 7.0)
    top = _hip(cut) + 2.0
    half = [(wide - 11.0, top), (wide - 4.0, top + 9.0), (wide, top + 20.0), (wide, top + 34.0)]
    bag = smooth(half) + smooth(mirrored(half), "L") + "Z"
    sheet.line(bag, DARK, 3.6, 0.2)
    sheet.fill(bag, DARK, 0.1)
    sheet.line(bag, DARK, 1.5, 0.75)


def _draw_welt(sheet: Sheet, cut: Cut, colours: Colours) -> None:
    low = _hip(cut)
    slit = [(22.0, low + 3.0), (35.0, low + 31.0)]
    mouth = [(19.0, low + 4.2), (32.0, low + 32.2)]
    welts = straight(slit) + straight(mirrored(slit))
    sheet.line(welts, DARK, 8.8, 0.6)
    sheet.line(welts, TRIM, 6.0, 1.0)
    sheet.line(straight(mouth) + straight(mirrored(mouth)), DARK, 2.4, 0.9)


def _draw_zipped(sheet: Sheet, cut: Cut, colours: Colours) -> None:
    lines = "M17 108L37 104M-17 108L-37 104"
    sheet.line(lines, DARK, 7.4, 0.5)
    draw_teeth(sheet, lines, colours.zip_tape, 4.6)
    sheet.top_fill("M34.5 105h3v8h-3zM-37.5 105h3v8h-3z", PULLER)


_POCKETS: dict[str, Callable[[Sheet, Cut, Colours], None]] = {
    "chest": _draw_chest,
    "flap": _draw_flap,
    "patch": _draw_hip_patches,
    "kangaroo": _draw_kangaroo,
    "welt": _draw_welt,
    "zip": _draw_zipped,
}


def draw_detail(sheet: Sheet, cut: Cut, colours: Colours) -> None:
    """Details that are drawn as shapes; yoke, side panels and trim are colours of the cloth."""
    detail = cut.values["detail"]
    if detail == "belt":
        _draw_belt(sheet, cut, colours)
    elif detail == "badge":
        shield = "M-35 104h16v10q0 6 -8 9q-8 -3 -8 -9z"
        sheet.top_fill(shield, colours.accent_text)
        lines = _INK if luminance(colours.accent) > 0.6 else _CREAM
        sheet.top_line(shield + "M-31 109h8M-31 113h8M-29 117h4", lines, 1.3)
    elif detail == "fringe":
        _draw_fringe(sheet, cut)


def _draw_belt(sheet: Sheet, cut: Cut, colours: Colours) -> None:
    y = min(152.0, cut.hem_y - 20.0)
    x = cut.half_width(y)
    belt = path("M", -x, y - 6, "Q", 0.0, y - 3, x, y - 6, "V", y + 6)
    belt += path("Q", 0.0, y + 9, -x, y + 6, "Z")
    sheet.top_fill(belt, colours.accent_text)
    sheet.top_line(belt, "#000", 0.9, 0.45)
    buckle = path("M", -8.0, y - 6.5, "h16v16h-16z")
    sheet.top_line(buckle, "#55482a", 3.4)
    sheet.top_line(buckle + path("M", 0.0, y + 1.5, "h9"), _BRASS, 2.2)


def _draw_fringe(sheet: Sheet, cut: Cut) -> None:
    x = cut.half_width(cut.seam_y) - 3.0
    strands = []
    for i in range(25):
        s = -1 + i / 12
        lift = 17.0 * abs(s) ** 3 if cut.style.hem == "tail" else 0.0
        y = cut.hem_y - lift - 3.0 * s * s
        strands.append(path("M", x * s, y, f"q{2 if i % 2 else -2} 7 {(-1) ** i} 15"))
    sheet.line("".join(strands), DARK, 3.4, 0.8)
    sheet.line("".join(strands), TRIM, 2.0, 1.0)
