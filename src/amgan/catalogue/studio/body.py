"""Draws the panels of a garment: inside back, sleeves, body, hem, and the seams between them."""

from __future__ import annotations

from collections.abc import Sequence

from amgan.catalogue.studio.cut import Cut, Sleeve
from amgan.catalogue.studio.paths import (
    BODY,
    DARK,
    SLEEVE,
    TRIM,
    Point,
    Sheet,
    mirrored,
    path,
    smooth,
    straight,
    wave,
)

_BUTTON = "#3b3733"


def neckline_path(cut: Cut, start: str = "M", leftwards: bool = True) -> str:
    """The front neck edge, from the right in the picture to the left or back."""
    points = cut.neckline if leftwards else cut.neckline[::-1]
    if cut.values["neckline"] == "square":
        return start + straight(points)[1:]
    if not cut.angular_neckline:
        return smooth(points, start)
    middle = len(points) // 2
    return smooth(points[: middle + 1], start) + smooth(points[middle:], "L")


def draw_inside(sheet: Sheet, cut: Cut, trim: bool) -> None:
    """Inside of the back, seen through the neck opening, with the back neck edge and a label."""
    w, top = cut.neck_x, cut.neck_y
    back = [(-w, top), (-w * 0.55, top + 2.5), (0.0, top + 4.0), (w * 0.55, top + 2.5), (w, top)]
    sheet.fill(smooth(back) + neckline_path(cut, "L") + "Z", DARK)
    if trim:
        sheet.line(smooth(back), TRIM, 5.0, 1.0)
    if cut.values["collar"] != "roll neck":
        sheet.top_fill(path("M", -4.5, top + 6.5, "h9v4h-9z"), "#e9e6df", 0.85)


def draw_sleeves(sheet: Sheet, cut: Cut) -> None:
    """Both sleeve panels with their cuffs and hems."""
    if not cut.has_sleeves:
        return
    name, sleeves = cut.values["sleeve"], cut.sleeves()
    band = {"balloon": 9.0, "bell": 0.0, "cap": 0.0}.get(name, cut.style.cuff) / 122.0
    start = sleeves[0].end - band
    sheet.fill("".join(smooth(sleeve.outline(0.0, start)) + "Z" for sleeve in sleeves), SLEEVE)
    if band:
        _draw_cuffs(sheet, cut, sleeves, start)
    elif cut.values["detail"] == "contrast trim":
        sheet.line("".join(_rings(sleeves, (0.025,))), TRIM, 6.0, 1.0)
    else:
        sheet.stitch("".join(_rings(sleeves, (0.03, 0.05))))
    if name == "balloon" or cut.values["category"] == "blouse":
        _draw_gathers(sheet, sleeves, start if name == "balloon" else None)


def _rings(sleeves: Sequence[Sleeve], insets: Sequence[float]) -> list[str]:
    """Lines round the sleeves, at these fractions of the arm above their ends."""
    return [
        straight([sleeve.across(sleeve.end - inset, s) for s in (-1.0, 1.0)])
        for sleeve in sleeves
        for inset in insets
    ]


def _draw_cuffs(sheet: Sheet, cut: Cut, sleeves: Sequence[Sleeve], start: float) -> None:
    ribbed = cut.style.hem == "rib"
    snug = 0.86 if ribbed or cut.values["sleeve"] == "balloon" else 1.04
    cuffs, ribs = [], []
    for sleeve in sleeves:
        corners = [(start, snug), (sleeve.end, snug), (sleeve.end, -snug), (start, -snug)]
        cuffs.append(straight([sleeve.across(*corner) for corner in corners], close=True))
        ribs += [
            straight([sleeve.across(start, snug * s), sleeve.across(sleeve.end, snug * s)])
            for s in (-0.66, -0.33, 0.0, 0.33, 0.66)
        ]
    sheet.panel("".join(cuffs), TRIM)
    if ribbed:
        sheet.line("".join(ribs), DARK, 1.0, 0.4)
    else:
        middle = (start + sleeves[0].end) / 2
        sheet.discs([sleeve.across(middle, -0.55) for sleeve in sleeves], 1.3, _BUTTON)


def _draw_gathers(sheet: Sheet, sleeves: Sequence[Sleeve], cuff: float | None) -> None:
    lines = []
    for sleeve in sleeves:
        for share in (-0.2, 0.1, 0.4, 0.7):
            lines.append(straight([sleeve.across(0.04, share), sleeve.across(0.17, share)]))
            if cuff is not None:
                ends = [sleeve.across(cuff - 0.11, share * 0.9), sleeve.across(cuff, share)]
                lines.append(straight(ends))
    sheet.line("".join(lines), DARK, 1.1, 0.4)


def draw_body(sheet: Sheet, cut: Cut) -> None:
    """The front panel, its hem and its seams."""
    side = cut.side(_side_bottom(cut))
    if cut.style.hem == "slit":
        _draw_back_flap(sheet, cut, side)
    outline = (
        smooth(cut.armhole)
        + smooth(side, "L")
        + _hem_path(cut)
        + smooth(mirrored(side), "L")
        + smooth(mirrored(cut.armhole), "L")
        + neckline_path(cut, "L", leftwards=False)
    )
    sheet.fill(outline + "Z", BODY)
    _draw_armholes(sheet, cut)
    _draw_hem(sheet, cut)
    _draw_category_seams(sheet, cut)


def _draw_back_flap(sheet: Sheet, cut: Cut, side: list[Point]) -> None:
    """The back panel, seen beside and below the slits of a tunic."""
    x, y = side[-1]
    low, wide = cut.hem_y + 9.0, cut.half_width(cut.hem_y)
    half = [(x - 9.0, y - 4.0), (x, y), (wide, low)]
    flap = straight([*half, *mirrored(half)], close=True)
    sheet.fill(flap, BODY)
    sheet.fill(flap, DARK, 0.6)


def _side_bottom(cut: Cut) -> float:
    """Where the side seam ends: above the hem for shirt tails and side slits."""
    return {"tail": cut.hem_y - 19.0, "slit": cut.hem_y - 30.0}.get(cut.style.hem, cut.seam_y)


def _hem_path(cut: Cut) -> str:
    """Lower edge of the body panel from right to left."""
    bottom = _side_bottom(cut)
    x, y = cut.half_width(bottom), cut.seam_y
    hem = cut.style.hem
    if hem == "tail":
        half = [(x - 10.0, bottom + 3.0), (x * 0.55, y), (0.0, y + 6.0)]
        return smooth([(x, bottom), *half, *mirrored(half[:-1]), (-x, bottom)], "L")
    if hem == "slit":
        half = [(x - 4.0, bottom + 8.0), (x - 6.0, y - 8.0), (x - 12.0, y), (x * 0.4, y + 1.0)]
        return smooth([(x, bottom), *half, *mirrored(half), (-x, bottom)], "L")
    if hem == "ruffle":
        return smooth(wave((x + 4.0, y - 1.0), (-x - 4.0, y - 1.0), 1.9, 5), "L")
    return f"L{x - 1.5:.1f} {y + 1:.1f}Q0 {y + 4.5:.1f} {-x + 1.5:.1f} {y + 1:.1f}L{-x:.1f} {y:.1f}"


def _draw_armholes(sheet: Sheet, cut: Cut) -> None:
    """Seams of set-in or raglan sleeves, or the binding of bare armholes."""
    if not cut.has_sleeves:
        holes = smooth(cut.armhole) + smooth(mirrored(cut.armhole))
        sheet.line(holes, DARK, 6.2, 0.4)
        sheet.line(holes, TRIM, 4.6, 1.0)
    if not cut.style.raglan:
        if cut.has_sleeves:
            seams = smooth(cut.armhole) + smooth(mirrored(cut.armhole))
            sheet.line(seams, DARK, 1.4, 0.6)
            if sheet.thread is not None:
                inner = [(x - 2.5, y) for x, y in cut.armhole]
                sheet.stitch(smooth(inner) + smooth(mirrored(inner)))
        return
    neck, armpit = (cut.neck_x + 1.0, cut.neck_y + 0.5), cut.armpit
    middle = ((neck[0] + armpit[0]) / 2 - 5.0, (neck[1] + armpit[1]) / 2)
    seam = [neck, middle, armpit]
    if cut.has_sleeves:
        right = [neck, *cut.armhole], seam[::-1]
        left = [[(-x, y) for x, y in side] for side in right]
        panels = [smooth(top) + smooth(bottom, "L") + "Z" for top, bottom in (right, left)]
        sheet.fill("".join(panels), SLEEVE)
    sheet.line(smooth(seam) + smooth(mirrored(seam)), DARK, 1.5, 0.65)


def _draw_hem(sheet: Sheet, cut: Cut) -> None:
    """Bands below the body panel, or the stitched lines above its edge."""
    x, y, hem = cut.half_width(cut.seam_y), cut.seam_y, cut.style.hem
    if hem in ("rib", "band"):
        inner, bottom = x - (4.0 if hem == "rib" else 1.0), cut.hem_y
        band = (
            f"M{x:.1f} {y:.1f}Q0 {y + 4.5:.1f} {-x:.1f} {y:.1f}L{-inner:.1f} {bottom:.1f}"
            f"Q0 {bottom + 4.5:.1f} {inner:.1f} {bottom:.1f}Z"
        )
        sheet.panel(band, TRIM, 0.65)
        _draw_band_lines(sheet, cut, x, inner)
        return
    if hem == "ruffle":
        _draw_ruffle(sheet, cut)
    if cut.values["detail"] == "contrast trim":
        _draw_trimmed_hem(sheet, cut)
    elif hem in ("straight", "wide"):
        insets = (5.0, 7.5) if hem == "straight" else (11.0, 14.0)
        sheet.stitch("".join(_level(cut, y - inset) for inset in insets))
    elif hem == "tail":
        bottom = _side_bottom(cut)
        half = [(x - 1.0, bottom - 3.5), (x * 0.55, y - 4.5), (0.0, y + 1.5)]
        sheet.stitch(smooth([*half, *mirrored(half[:-1])]))


def _level(cut: Cut, y: float) -> str:
    """A line across the body at height `y`, sagging as a hem does."""
    x = cut.half_width(y) - 0.5
    return f"M{x:.1f} {y:.1f}Q0 {y + 4.5:.1f} {-x:.1f} {y:.1f}"


def _draw_trimmed_hem(sheet: Sheet, cut: Cut) -> None:
    """A contrast band along the lower edge, whatever its shape."""
    bottom, y = _side_bottom(cut), cut.seam_y
    edge = _hem_path(cut)
    x = cut.half_width(bottom)
    if cut.style.hem in ("straight", "wide"):
        sheet.line(_level(cut, y - 2.0), TRIM, 5.5, 1.0)
    elif cut.style.hem == "ruffle":
        sheet.line(_level(cut, y - 22.0), TRIM, 5.5, 1.0)
    else:
        sheet.line(f"M{x:.1f} {bottom:.1f}" + edge, TRIM, 5.0, 1.0)


def _draw_band_lines(sheet: Sheet, cut: Cut, top_x: float, bottom_x: float) -> None:
    y, bottom = cut.seam_y, cut.hem_y
    if cut.style.hem == "rib":
        count = 17
        shares = [-1 + 2 * (i + 0.5) / count for i in range(count)]
    else:
        shares = [-0.66, -0.56, 0.56, 0.66]
    lines = []
    for s in shares:
        sag = 2.25 * (1 - s * s)
        lines.append(straight([(top_x * s, y + sag), (bottom_x * s, bottom + sag)]))
    sheet.line("".join(lines), DARK, 1.1, 0.45)


def _draw_ruffle(sheet: Sheet, cut: Cut) -> None:
    """Gathered flounce: its seam and the folds that fall from it."""
    y = cut.seam_y - 22.0
    x, low = cut.half_width(y), cut.half_width(cut.seam_y) + 3.0
    lines = []
    for i in range(1, 14):
        s = -1 + i / 7
        end = cut.seam_y - (4.0 if i % 2 else 10.0)
        lines.append(straight([(x * s, y + 2.0), (low * s, end)]))
    sheet.line("".join(lines), DARK, 1.3, 0.3)
    sheet.line(_level(cut, y), DARK, 1.5, 0.65)


def _draw_category_seams(sheet: Sheet, cut: Cut) -> None:
    category, (ax, ay), sx = cut.values["category"], cut.armpit, cut.shoulder[0]
    if category == "shirt":
        yoke = [(sx - 2.0, cut.shoulder[1] + 12.0), (cut.neck_x * 0.9, cut.neck_y + 13.0)]
        sheet.line(_pair(yoke), DARK, 1.4, 0.65)
    elif category == "jacket":
        top = sx * 0.6 + 4.0
        seam = [(top, cut.shoulder_line(top)), (31.0, ay), (24.0, 150.0), (25.0, cut.seam_y)]
        sheet.line(_pair(seam if cut.seam_y > 156.0 else seam[:3]), DARK, 1.5, 0.7)
    elif category == "coat":
        flap = [(sx - 7.0, ay - 18.0), (28.0, ay - 2.0), (6.0, ay + 4.0)]
        sheet.line(
            smooth(flap) + _pair([(ax - 8.0, 146.0), (ax * 0.74, cut.seam_y)]), DARK, 1.5, 0.6
        )
        _draw_epaulettes(sheet, cut)
    elif category == "sweatshirt":
        top = min(cut.neck_bottom, 92.0) + 3.0
        sheet.line(straight([(-7.0, top), (0.0, top + 11.0), (7.0, top)]), DARK, 1.3, 0.6)
    elif category == "blouse":
        gathers = [
            _pair(
                [(sx * s, cut.shoulder_line(sx * s) + 3.0), (sx * s * 0.97, ay - 22.0 + 10.0 * s)]
            )
            for s in (0.55, 0.7, 0.85)
        ]
        sheet.line("".join(gathers), DARK, 1.1, 0.38)
    elif category == "tunic":
        sheet.line(_pair([(ax - 3.0, ay + 7.0), (20.0, ay + 14.0)]), DARK, 1.3, 0.6)


def _draw_epaulettes(sheet: Sheet, cut: Cut) -> None:
    outer, inner = cut.shoulder, cut.shoulder[0] - 18.0
    y = cut.shoulder_line(inner)
    strap = [(outer[0], outer[1] - 1.0), (inner, y - 0.5), (inner - 2.5, y + 3.5), (inner, y + 7.5),
             (outer[0], outer[1] + 8.0)]  # fmt: skip
    left = [(-px, py) for px, py in strap]
    sheet.panel(straight(strap, close=True) + straight(left, close=True), TRIM, 0.7)
    sheet.discs([(inner + 2.5, y + 3.5), (-inner - 2.5, y + 3.5)], 1.4, _BUTTON)


def _pair(points: list[Point]) -> str:
    """A seam and its mirror image."""
    return smooth(points) + smooth(mirrored(points))
