"""The cut of a garment: where its shoulders, neckline, sides, hem and sleeves run.

Garment units: x = 0 is the centre line, y grows downwards from 0 to 256. Shapes are given for the
wearer's left (right in the picture) and mirrored.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from amgan.catalogue.studio.nuisance import Nuisance
from amgan.catalogue.studio.paths import Point, bezier, interpolate, mirrored

Hem = Literal["straight", "tail", "ruffle", "rib", "band", "wide", "slit"]


@dataclass(frozen=True, slots=True)
class Style:
    """What a category decides.

    Attributes:
        hem: kind of lower edge.
        band: depth of the band below the body panel.
        cuff: depth of the bands below the sleeves.
        shoulder: how much wider the shoulders are than a t-shirt's.
        fall: how far the shoulder seam drops from the neck to its end.
        ease: how much wider the body is.
        sleeve: width of sleeves relative to a t-shirt's.
        raglan: whether the sleeves reach the neck.
    """

    hem: Hem
    band: float = 0.0
    cuff: float = 0.0
    shoulder: float = 0.0
    fall: float = 16.0
    ease: float = 0.0
    sleeve: float = 1.0
    raglan: bool = False


STYLES: dict[str, Style] = {
    "t-shirt": Style("straight"),
    "shirt": Style("tail", cuff=9.0, ease=1.0),
    "blouse": Style("ruffle", cuff=5.0, shoulder=-4.0, sleeve=1.12),
    "jumper": Style("rib", band=16.0, cuff=14.0, shoulder=5.0, fall=19.0, ease=1.0, sleeve=1.04),
    "sweatshirt": Style(
        "rib", band=10.0, cuff=9.0, shoulder=2.0, fall=18.0, ease=2.0, sleeve=1.06, raglan=True
    ),
    "jacket": Style("band", band=13.0, cuff=9.0, shoulder=6.0, fall=12.0, ease=3.0, sleeve=1.08),
    "coat": Style("wide", cuff=11.0, shoulder=8.0, fall=11.0, ease=7.0, sleeve=1.24),
    "tunic": Style("slit", ease=1.0, fall=17.0),
}

# Fit -> half widths at chest, waist and far down.
_FITS: dict[str, tuple[float, float, float]] = {
    "slim": (43.0, 38.0, 45.0),
    "regular": (49.0, 47.0, 52.0),
    "loose": (59.0, 60.0, 62.0),
    "waisted": (46.0, 33.0, 58.0),
    "a-line": (45.0, 55.0, 86.0),
}
_HEMS: dict[str, float] = {"cropped": 148.0, "hip": 180.0, "thigh": 206.0, "knee": 226.0}
# Neckline -> half width and depth.
_NECKLINES: dict[str, tuple[float, float]] = {
    "round": (23.0, 17.0),
    "v-neck": (24.0, 47.0),
    "scoop": (32.0, 37.0),
    "boat": (41.0, 9.0),
    "square": (28.0, 31.0),
    "keyhole": (23.0, 15.0),
    "notch": (23.0, 15.0),
    "sweetheart": (31.0, 40.0),
}
# Sleeve -> fraction of the arm that is covered.
_SLEEVE_ENDS: dict[str, float] = {
    "cap": 0.17,
    "short": 0.36,
    "elbow": 0.55,
    "three-quarter": 0.76,
    "long": 1.0,
    "bell": 0.95,
    "balloon": 1.0,
}
_SLEEVE_WIDTHS: dict[str, tuple[Point, ...]] = {
    "bell": ((0.0, 20.0), (0.36, 16.0), (0.55, 14.0), (0.75, 16.0), (1.0, 24.0)),
    "balloon": ((0.0, 20.0), (0.2, 19.5), (0.5, 21.0), (0.75, 24.0), (0.9, 20.0), (1.0, 10.0)),
}
_PLAIN_SLEEVE: tuple[Point, ...] = (
    (0.0, 20.0),
    (0.15, 19.0),
    (0.36, 17.0),
    (0.55, 15.0),
    (0.76, 12.8),
    (1.0, 10.5),
)
# How far the outer edge of a sleeve stands off a straight line from the shoulder.
_SLEEVE_CAP: tuple[Point, ...] = ((0.0, 0.0), (0.08, 3.2), (0.18, 4.5), (0.5, 3.5), (1.0, 0.0))
_ARM = 122.0
_WAIST_Y = 150.0
_LOWEST_Y = 226.0


@dataclass(frozen=True)
class Sleeve:
    """One sleeve as a panel along an axis; `side` is 1 right in the picture, -1 left."""

    shoulder: Point
    angle: float
    bend: float
    widths: tuple[Point, ...]
    factor: float
    end: float
    side: int

    def across(self, t: float, share: float) -> Point:
        """Point at fraction `t` of the arm; `share` goes from -1 (inside) to 1 (outside)."""
        angle = math.radians(self.angle + self.bend * (0.5 - t))
        sine, cosine = math.sin(angle), math.cos(angle)
        half = interpolate(self.widths, t) * self.factor
        stand = interpolate(_SLEEVE_CAP, t) - interpolate(_PLAIN_SLEEVE, t) * self.factor
        off = stand + share * half
        x = self.shoulder[0] + sine * _ARM * t + cosine * off
        return (x * self.side, self.shoulder[1] + cosine * _ARM * t - sine * off)

    def outline(self, start: float, end: float) -> list[Point]:
        """Panel between two fractions of the arm: down the outside, up the inside."""
        steps = max(2, round((end - start) * 7) + 1)
        ts = [start + (end - start) * i / steps for i in range(steps + 1)]
        if start == 0.0:
            ts.insert(1, 0.07)
        return [self.across(t, 1.0) for t in ts] + [self.across(t, -1.0) for t in reversed(ts)]


class Cut:
    """Lines of one garment, from its named values and its nuisance."""

    def __init__(self, values: Mapping[str, str], nuisance: Nuisance) -> None:
        self.values = values
        self.nuisance = nuisance
        self.style = STYLES[values["category"]]
        chest, waist, hem = _FITS[values["fit"]]
        ease = self.style.ease
        self._chest = chest + ease + nuisance.chest
        self._waist = waist + ease + nuisance.chest + nuisance.waist
        self._hem = hem + ease + nuisance.chest + nuisance.hem
        loose = max(0.0, chest - 49.0)
        self.shoulder_x = 48.0 + self.style.shoulder + nuisance.shoulder + 0.4 * loose
        self.armpit: Point = (self._chest, 110.0 + 0.6 * loose)
        self.hem_y = _HEMS[values["length"]]
        width, depth = _NECKLINES[values["neckline"]]
        self.neck_x = width + nuisance.neck
        self.neck_y = self.shoulder_line(self.neck_x)
        self.neck_bottom = self.neck_y + depth + 0.5 * nuisance.neck

    def shoulder_line(self, x: float) -> float:
        """Height of the shoulder seam at `x`."""
        return 56.0 + (x - 20.0) * self.style.fall / (self.shoulder_x - 20.0)

    @cached_property
    def shoulder(self) -> Point:
        """Outer end of the shoulder seam."""
        sleeve = self.values["sleeve"]
        if sleeve == "strap":
            x = self.neck_x + 8.0
            return (x, self.shoulder_line(x))
        x = self.shoulder_x - (5.0 if sleeve == "sleeveless" else 0.0)
        return (x, self.shoulder_line(x))

    @cached_property
    def armhole(self) -> list[Point]:
        """From the shoulder to the armpit."""
        (sx, sy), (ax, ay) = self.shoulder, self.armpit
        inner = min(sx - 3.0, ax - 8.0)
        curve = [(sx, sy), (inner, sy + 14.0), (inner + 1.0, ay - 6.0), (ax, ay)]
        return [bezier(curve, i / 4) for i in range(5)]

    def half_width(self, y: float) -> float:
        """Half width of the body at height `y`, below the armpit."""

        def ease_between(a: float, b: float, t: float) -> float:
            t = min(max(t, 0.0), 1.0)
            return a + (b - a) * t * t * (3 - 2 * t)

        if y < _WAIST_Y:
            t = (y - self.armpit[1]) / (_WAIST_Y - self.armpit[1])
            return ease_between(self._chest, self._waist, t)
        t = (y - _WAIST_Y) / (_LOWEST_Y - _WAIST_Y)
        flare = t if self.values["fit"] == "a-line" else t * (2 - t)
        return self._waist + (self._hem - self._waist) * flare

    @cached_property
    def seam_y(self) -> float:
        """Where the body panel ends and a hem band, if there is one, begins."""
        return self.hem_y - self.style.band

    def side(self, bottom: float) -> list[Point]:
        """Side seam from the armpit down to `bottom`."""
        top = self.armpit[1]
        steps = max(3, round((bottom - top) / 18))
        heights = [top + (bottom - top) * i / steps for i in range(steps + 1)]
        return [(self.half_width(y), y) for y in heights]

    @cached_property
    def neckline(self) -> list[Point]:
        """Front edge of the neck opening, from the right in the picture to the left."""
        half = self._half_neckline()
        return half + mirrored(half[:-1])

    def _half_neckline(self) -> list[Point]:
        w, top, bottom = self.neck_x, self.neck_y, self.neck_bottom
        depth = bottom - top
        shape = self.values["neckline"]
        if shape == "v-neck":
            return [(w, top), (w * 0.55, top + depth * 0.52), (0.0, bottom)]
        if shape == "square":
            return [(w, top), (w - 1.5, bottom - 1.0), (0.0, bottom)]
        if shape == "sweetheart":
            shares = ((1.0, 0.0), (0.9, 0.5), (0.84, 0.66), (0.5, 0.56), (0.2, 0.7), (0.0, 1.0))
            return [(w * x, top + depth * y) for x, y in shares]
        angles = [math.pi / 2 * i / 5 for i in range(6)]
        return [(w * math.cos(a), top + depth * math.sin(a)) for a in angles]

    @property
    def angular_neckline(self) -> bool:
        """Whether the neckline has corners, so that it must not be smoothed."""
        return self.values["neckline"] in ("v-neck", "square", "sweetheart")

    @property
    def front_top(self) -> float:
        """Height below which the front is closed: the neckline, or its keyhole or notch."""
        extra = {"keyhole": 27.0, "notch": 29.0}
        return self.neck_bottom + extra.get(self.values["neckline"], 0.0)

    @property
    def front_bottom(self) -> float:
        """Height of the lower edge at the centre line."""
        below = {"tail": 5.5, "slit": 0.8, "ruffle": 0.0}
        return self.hem_y + below.get(self.style.hem, 2.2)

    @property
    def has_sleeves(self) -> bool:
        """Whether there are sleeve panels at all."""
        return self.values["sleeve"] in _SLEEVE_ENDS

    def extent(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of everything that is drawn, with a margin."""
        rise = {"none": 6.0, "hood": 48.0, "roll neck": 25.0}.get(self.values["collar"], 15.0)
        right = max(
            self.shoulder_x, self._chest, *(self.half_width(y) for y in (150.0, self.hem_y))
        )
        ends = [
            (-right, 0.0),
            (right, self.hem_y + (20.0 if self.values["detail"] == "fringe" else 11.0)),
        ]
        if self.has_sleeves:
            for sleeve in self.sleeves():
                ts = [sleeve.end * i / 5 for i in range(1, 6)]
                ends += [sleeve.across(t, share) for t in ts for share in (-1.1, 1.1)]
        xs, ys = [x for x, _ in ends], [y for _, y in ends]
        margin = 7.0
        top = min(self.neck_y - rise, 54.0) - margin
        return (min(xs) - margin, top, max(xs) + margin, max(ys) + margin)

    def sleeves(self) -> tuple[Sleeve, Sleeve]:
        """Sleeves left and right in the picture; with full length where there are none.

        Folds and patterns follow them, so their axes do not depend on the sleeve attribute.
        """
        name = self.values["sleeve"]
        widths = _SLEEVE_WIDTHS.get(name, _PLAIN_SLEEVE)
        factor = self.style.sleeve * (1.0 + max(0.0, self._chest - 52.0) * 0.018)
        shoulder = (self.shoulder_x, self.shoulder_line(self.shoulder_x))
        left, right = (
            Sleeve(
                shoulder,
                self.nuisance.sleeve_angles[i],
                self.nuisance.sleeve_bends[i],
                widths,
                factor,
                _SLEEVE_ENDS.get(name, 1.0),
                side,
            )
            for i, side in enumerate((-1, 1))
        )
        return left, right
