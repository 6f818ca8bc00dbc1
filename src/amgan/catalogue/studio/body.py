"""Draws the panels of a garment: inside back, sleeves, body, hem, and the seams between them."""

from __future__ import annotations

from amgan.catalogue.studio.cut import Cut, Sleeve
from amgan.catalogue.studio.paths import (
    BODY,
    DARK,
    SLEEVE,
    TRIM,
    Point,
    Sheet,
    mirrored,
    smooth,
    straight,
    wave,
)


def neckline_path(cut: Cut, start: str = "M") -> str:
    """The front neck edge from right to left."""
    if cut.values["neckline"] == "square":
        return start + straight(cut.neckline)[1:]
    if not cut.angular_neckline:
        return smooth(cut.neckline, start)
    middle = len(cut.neckline) // 2
    return smooth(cut.neckline[: middle + 1], start) + smooth(cut.neckline[middle:], "L")


def draw_inside(sheet: Sheet, cut: Cut, trim: bool) -> None:
    """Inside of the back, seen through the neck opening, with the back neck edge and a label."""
    w, top = cut.neck_x, cut.neck_y
    back = [(-w, top), (-w * 0.55, top + 2.5), (0.0, top + 4.0), (w * 0.55, top + 2.5), (w, top)]
    sheet.fill(smooth(back) + neckline_path(cut, "L") + "Z", DARK)
    if trim:
        sheet.line(smooth(back), TRIM, 5.0, 1.0)
    sheet.line(smooth([(x, y + 3.0) for x, y in back]), DARK, 1.2, 0.5)
    sheet.top_fill(f"M-4.5 {top + 6.5:.1f}h9v4h-9z", "#e9e6df", 0.85)


def draw_sleeves(sheet: Sheet, cut: Cut) -> None:
    """Both sleeve panels with their cuffs and hems."""
    if not cut.has_sleeves:
        return
    name = cut.values["sleeve"]
    band = {"balloon": 9.0, "bell": 0.0}.get(name, cut.style.cuff) / 112.0
    if name == "cap":
        band = 0.0
    for sleeve in cut.sleeves():
        cloth_end = sleeve.end - band
        sheet.panel(smooth(sleeve.outline(0.0, cloth_end)) + "Z", SLEEVE, 0.5)
        if band:
            _draw_cuff(sheet, cut, sleeve, cloth_end)
        else:
            for inset in (0.03, 0.045):
                t = sleeve.end - inset
                sheet.line(
                    straight([sleeve.across(t, -1.0), sleeve.across(t, 1.0)]), DARK, 0.8, 0.4
                )
        if name == "balloon" or (cut.values["category"] == "blouse" and not cut.style.raglan):
            _draw_gathers(sheet, sleeve, cloth_end if name == "balloon" else None)


def _draw_cuff(sheet: Sheet, cut: Cut, sleeve: Sleeve, start: float) -> None:
    snug = 0.86 if cut.style.hem == "rib" or cut.values["sleeve"] == "balloon" else 1.04
    corners = [
        sleeve.across(start, snug),
        sleeve.across(sleeve.end, snug),
        sleeve.across(sleeve.end, -snug),
        sleeve.across(start, -snug),
    ]
    sheet.panel(straight(corners, close=True), TRIM)
    if cut.style.hem == "rib":
        shares = [-0.66, -0.33, 0.0, 0.33, 0.66]
        ribs = [
            straight([sleeve.across(start, snug * s), sleeve.across(sleeve.end, snug * s)])
            for s in shares
        ]
        sheet.line("".join(ribs), DARK, 1.0, 0.4)
    else:
        middle = (start + sleeve.end) / 2
        sheet.disc(sleeve.across(middle, -0.55), 1.2, "#3b3733")


def _draw_gathers(sheet: Sheet, sleeve: Sleeve, cuff: float | None) -> None:
    lines = []
    for share in (-0.4, 0.0, 0.4, 0.75):
        lines.append(straight([sleeve.across(0.03, share), sleeve.across(0.13, share)]))
        if cuff is not None:
            lines.append(
                straight([sleeve.across(cuff - 0.11, share * 0.9), sleeve.across(cuff, share)])
            )
    sheet.line("".join(lines), DARK, 1.1, 0.4)


def draw_body(sheet: Sheet, cut: Cut) -> None:
    """The front panel, its hem and its seams."""
    if cut.style.hem == "slit":
        hx, hy = cut.half_width(cut.hem_y), cut.hem_y
        sheet.fill(straight([(hx - 9, hy - 30), (hx, hy - 26), (hx + 1, hy + 5), (-hx - 1, hy + 5),
                             (-hx, hy - 26), (-hx + 9, hy - 30)], close=True), DARK)  # fmt: skip
    side = cut.side(_side_bottom(cut))
    outline = (
        smooth(cut.armhole)
        + smooth(side, "L")
        + _hem_path(cut)
        + smooth(mirrored(side), "L")
        + smooth(mirrored(cut.armhole), "L")
    )
    sheet.panel(outline + _neck_left_to_right(cut) + "Z", BODY, 0.5)
    _draw_raglan(sheet, cut)
    _draw_hem(sheet, cut)
    _draw_category_seams(sheet, cut)
    if not cut.has_sleeves:
        for hole in (cut.armhole, mirrored(cut.armhole)):
            sheet.line(smooth(hole), TRIM, 4.5, 1.0)
            sheet.line(
                smooth([(x - (2.5 if x > 0 else -2.5), y + 0.5) for x, y in hole]), DARK, 0.9, 0.5
            )


def _neck_left_to_right(cut: Cut) -> str:
    """The front neck edge in the direction that closes the body outline."""
    back = [(-x, y) for x, y in cut.neckline]
    if cut.values["neckline"] == "square":
        return "L" + straight(back)[1:]
    if not cut.angular_neckline:
        return smooth(back, "L")
    middle = len(back) // 2
    return smooth(back[: middle + 1], "L") + smooth(back[middle:], "L")


def _side_bottom(cut: Cut) -> float:
    """Where the side seam ends: above the hem for shirt tails and side slits."""
    return {"tail": cut.hem_y - 17.0, "slit": cut.hem_y - 28.0}.get(cut.style.hem, cut.seam_y)


def _hem_path(cut: Cut) -> str:
    """Lower edge of the body panel from right to left."""
    bottom = _side_bottom(cut)
    x, y = cut.half_width(bottom), cut.seam_y
    hem = cut.style.hem
    if hem == "tail":
        half = [(x - 10.0, bottom + 2.0), (x * 0.55, y - 1.0), (0.0, y + 5.0)]
        return smooth([(x, bottom), *half, *mirrored(half[:-1]), (-x, bottom)], "L")
    if hem == "slit":
        half = [(x - 7.0, bottom + 2.0), (x - 7.0, y - 6.0), (x - 12.0, y), (x * 0.4, y + 1.0)]
        return smooth([(x, bottom), *half, *mirrored(half), (-x, bottom)], "L")
    if hem == "ruffle":
        return smooth(wave((x + 5.0, y - 1.0), (-x - 5.0, y - 1.0), 3.0, 7), "L")
    return f"Q0 {y + 4.5:.1f} {-x:.1f} {y:.1f}"


def _draw_raglan(sheet: Sheet, cut: Cut) -> None:
    neck = (cut.neck_x + 1.0, cut.neck_y + 0.5)
    ax, ay = cut.armpit
    if not cut.style.raglan:
        if cut.has_sleeves:
            sheet.line(smooth(cut.armhole) + smooth(mirrored(cut.armhole)), DARK, 1.5, 0.65)
        return
    seam: list[Point] = [neck, (neck[0] + (ax - neck[0]) * 0.5 - 5.0, (neck[1] + ay) / 2), (ax, ay)]
    if cut.has_sleeves:
        panel = [*reversed(seam)]
        edge = straight([neck, cut.shoulder]) + smooth(cut.armhole, "L")
        sheet.fill(edge + smooth(panel, "L") + "Z", SLEEVE)
        left = [(-x, y) for x, y in [neck, *cut.armhole]]
        sheet.fill(straight(left[:2]) + smooth(left[1:], "L")
                   + smooth([(-x, y) for x, y in panel], "L") + "Z", SLEEVE)  # fmt: skip
    sheet.line(smooth(seam) + smooth(mirrored(seam)), DARK, 1.5, 0.65)


def _draw_hem(sheet: Sheet, cut: Cut) -> None:
    """Bands below the body panel, or the stitched lines above its edge."""
    x, y, hem = cut.half_width(cut.seam_y), cut.seam_y, cut.style.hem
    if hem in ("rib", "band"):
        inner = x - (4.0 if hem == "rib" else 1.0)
        bottom = cut.hem_y
        sheet.panel(f"M{x:.1f} {y:.1f}Q0 {y + 4.5:.1f} {-x:.1f} {y:.1f}L{-inner:.1f} {bottom:.1f}"
                    f"Q0 {bottom + 4.5:.1f} {inner:.1f} {bottom:.1f}Z", TRIM)  # fmt: skip
        _draw_band_lines(sheet, cut, x, inner)
    elif hem == "ruffle":
        _draw_ruffle(sheet, cut)
    elif hem in ("straight", "wide"):
        for inset in (5.0, 7.0) if hem == "straight" else (11.0, 13.5):
            h = cut.half_width(y - inset) - 0.5
            sheet.line(
                f"M{h:.1f} {y - inset:.1f}Q0 {y - inset + 4.5:.1f} {-h:.1f} {y - inset:.1f}",
                DARK,
                0.9,
                0.45,
            )


def _draw_band_lines(sheet: Sheet, cut: Cut, top_x: float, bottom_x: float) -> None:
    y, bottom = cut.seam_y, cut.hem_y
    if cut.style.hem == "rib":
        count = 17
        shares = [-1 + 2 * (i + 0.5) / count for i in range(count)]
    else:
        shares = [-0.62, -0.55, 0.55, 0.62]
    lines = []
    for s in shares:
        sag = 2.25 * (1 - s * s)
        lines.append(straight([(top_x * s, y + sag), (bottom_x * s, bottom + sag)]))
    sheet.line("".join(lines), DARK, 1.0, 0.42)


def _draw_ruffle(sheet: Sheet, cut: Cut) -> None:
    """Gathered flounce: its seam and the folds that fall from it."""
    y = cut.seam_y - 22.0
    x, low = cut.half_width(y), cut.half_width(cut.seam_y) + 4.0
    sheet.line(f"M{x:.1f} {y:.1f}Q0 {y + 4.5:.1f} {-x:.1f} {y:.1f}", DARK, 1.4, 0.65)
    lines = []
    for i in range(1, 14):
        s = -1 + i / 7
        end = cut.seam_y - (3.0 if i % 2 else 9.0)
        lines.append(straight([(x * s, y + 2.0), (low * s, end)]))
    sheet.line("".join(lines), DARK, 1.2, 0.28)


def _draw_category_seams(sheet: Sheet, cut: Cut) -> None:
    category = cut.values["category"]
    ax, ay = cut.armpit
    y = cut.seam_y
    if category == "shirt":
        sheet.line(
            _pair(
                [
                    (cut.shoulder[0] - 2.0, cut.shoulder[1] + 11.0),
                    (cut.neck_x * 0.9, cut.neck_y + 12.0),
                ]
            )
        )
    elif category == "jacket":
        seam = [(cut.shoulder[0] * 0.6 + 4.0, cut.shoulder_line(cut.shoulder[0] * 0.6 + 4.0)),
                (30.0, ay - 2.0), (24.0, 150.0), (26.0, max(y, 152.0))]  # fmt: skip
        sheet.line(_pair(seam[:3] if y < 152 else seam), DARK, 1.4, 0.6)
    elif category == "coat":
        flap = [(cut.shoulder[0] - 6.0, ay - 18.0), (26.0, ay - 4.0), (6.0, ay + 1.0)]
        sheet.line(smooth(flap), DARK, 1.5, 0.65)
        sheet.line(_pair([(ax - 8.0, 146.0), (ax * 0.72, y)]), DARK, 1.2, 0.5)
        _draw_epaulettes(sheet, cut)
    elif category == "sweatshirt":
        n = min(cut.neck_bottom, 90.0)
        sheet.line(straight([(-6.0, n + 3.0), (0.0, n + 12.0), (6.0, n + 3.0)]), DARK, 1.2, 0.6)
    elif category == "blouse":
        shares = (0.5, 0.62, 0.74, 0.86)
        gathers = [
            _pair([(cut.shoulder[0] * s, cut.shoulder_line(cut.shoulder[0] * s) + 3.0),
                   (cut.shoulder[0] * s * 0.97, ay - 22.0 + 10.0 * s)])
            for s in shares
        ]  # fmt: skip
        sheet.line("".join(gathers), DARK, 1.0, 0.32)
    elif category == "tunic":
        sheet.line(_pair([(ax - 3.0, ay + 6.0), (22.0, ay + 12.0)]), DARK, 1.2, 0.55)


def _draw_epaulettes(sheet: Sheet, cut: Cut) -> None:
    outer, inner = cut.shoulder, cut.shoulder[0] - 17.0
    inner_y = cut.shoulder_line(inner)
    for side in (-1, 1):
        strap = [(side * outer[0], outer[1] - 1.0), (side * inner, inner_y - 0.5),
                 (side * (inner - 2.0), inner_y + 3.0), (side * inner, inner_y + 6.0),
                 (side * outer[0], outer[1] + 7.0)]  # fmt: skip
        sheet.panel(straight(strap, close=True), TRIM, 0.7)
        sheet.disc((side * (inner + 2.5), inner_y + 3.3), 1.3, "#3b3733")


def _pair(points: list[Point]) -> str:
    """A seam and its mirror image."""
    return smooth(points) + smooth(mirrored(points))
