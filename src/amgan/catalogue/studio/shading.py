"""Light on a garment: rounded panels, folds, contact shadows, and the shadow on the backdrop."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from amgan.catalogue.studio.cut import Cut
from amgan.catalogue.studio.paths import Point
from amgan.catalogue.studio.tiles import Floats
from amgan.catalogue.studio.view import UNITS, View, coarse_side, gaussian, resampling, slope

_FOLD_GRID = 128


@dataclass(frozen=True)
class Light:
    """Light on one picture, all (H, W).

    Attributes:
        body: relative brightness of the body, about 1.
        sleeve: the same for sleeves.
        folds: slope of folds towards the light, about -1 to 1.
        lift: height of folds, 0 to about 1.
        shadow: how much the garment darkens the backdrop, 0 to 1.
        halo: the outline, softened.
    """

    body: Floats
    sleeve: Floats
    folds: Floats
    lift: Floats
    shadow: Floats
    halo: Floats


def cast_light(cut: Cut, view: View, coverage: Floats, sleeves: Floats) -> Light:
    """Light for a garment with this coverage and sleeve coverage, both (H, W) in [0, 1]."""
    nuisance = cut.nuisance
    angle = math.radians(nuisance.light_angle)
    lx, ly = math.cos(angle), math.sin(angle)
    shorter = min(view.height, view.width)
    rows, columns = coarse_side(view.height, shorter), coarse_side(view.width, shorter)
    down_y, down_x = resampling(view.height, rows), resampling(view.width, columns)
    unit = min(rows, columns) / UNITS

    def coarse(plane: Floats) -> Floats:
        small: Floats = down_y @ plane @ down_x.T
        return small

    def blur(plane: Floats, sigma: float, dx: float = 0.0, dy: float = 0.0) -> Floats:
        result: Floats = (
            gaussian(rows, sigma * unit, dy * unit)
            @ plane
            @ gaussian(columns, sigma * unit, dx * unit).T
        )
        return result

    def towards(plane: Floats, sigma: float) -> Floats:
        """Slope of a rounded panel towards the light."""
        s = sigma * unit
        across = gaussian(rows, s) @ plane @ slope(columns, s).T
        down = slope(rows, s) @ plane @ gaussian(columns, s).T
        result: Floats = -(lx * across + ly * down)
        return result

    small, small_sleeves = coarse(coverage), coarse(sleeves)
    body = small - small_sleeves
    near_body = blur(body, 9.0)
    strength = nuisance.light_strength
    planes = np.stack(
        [
            1.0 + strength * (0.42 * towards(body, 11.0) + 0.3 * (near_body - 0.92)),
            1.0
            + strength * (0.5 * towards(small_sleeves, 7.0) - 0.42 * blur(body, 6.0)
                          + 0.22 * (blur(small_sleeves, 6.0) - 0.85)),
            blur(small, 7.0, -5.0 * lx, 5.0),
            blur(small, 2.2),
        ]
    )  # fmt: skip
    up_y, up_x = resampling(rows, view.height), resampling(columns, view.width)
    body_light, sleeve_light, shadow, halo = up_y @ planes @ up_x.T
    folds, lift = _folds(cut, view, lx, ly)
    return Light(body_light, sleeve_light, folds, lift, shadow, halo)


def _folds(cut: Cut, view: View, lx: float, ly: float) -> tuple[Floats, Floats]:
    shorter = min(view.height, view.width)
    rows = coarse_side(view.height, shorter, _FOLD_GRID)
    columns = coarse_side(view.width, shorter, _FOLD_GRID)
    picture = Image.new("L", (columns, rows))
    draw = ImageDraw.Draw(picture)
    zoom = columns / view.width
    unit = min(rows, columns) / UNITS
    for line, width, height in fold_lines(cut):
        points = [view.to_pixels(*p) for p in line]
        draw.line(
            [(x * zoom, y * zoom) for x, y in points],
            fill=round(255 * height),
            width=max(1, round(width * unit)),
        )
    ridges = np.asarray(picture, np.float32) / 255
    sigma = max(2.6 * unit, 0.75)
    across = ridges @ slope(columns, sigma).T
    plain = ridges @ gaussian(columns, sigma).T
    g, s = gaussian(rows, sigma), slope(rows, sigma)
    lift: Floats = g @ plain
    lit: Floats = -(lx * (g @ across) + ly * (s @ plain))
    if (rows, columns) != (view.height, view.width):
        up_y, up_x = resampling(rows, view.height), resampling(columns, view.width)
        lit, lift = up_y @ np.stack([lit, lift]) @ up_x.T
    return lit, lift


def fold_lines(cut: Cut) -> list[tuple[list[Point], float, float]]:
    """Ridges of the cloth: points, width in garment units and height in [0, 1].

    They hang from armpits, fall towards the hem, pull at the waist and break at the elbows; hems
    and sleeve ends only hide them.
    """
    folds = cut.nuisance.folds
    ax, ay = cut.armpit
    lines: list[tuple[list[Point], float, float]] = []
    for i in range(4):
        a, b, c, d, e = folds[i]
        side = -1 if i % 2 else 1
        start = (side * (ax - 4.0 - 8.0 * a), ay - 4.0 + 14.0 * b)
        end = (side * (ax - 26.0 - 24.0 * c), ay + 22.0 + 34.0 * d)
        lines.append(_curve(start, end, 6.0 * (e - 0.5), 4.0 + 3.0 * a, 0.35 + 0.5 * b))
    for i in range(4, 10):
        a, b, c, d, e = folds[i]
        x = (-1.0 + 2.0 * (i - 4 + 0.15 + 0.7 * a) / 6) * (cut.half_width(190.0) - 3.0)
        start = (x, 236.0)
        end = (x * 0.86, 136.0 + 34.0 * b)
        lines.append(_curve(start, end, 12.0 * (c - 0.5), 4.0 + 5.0 * d, 0.2 + 0.55 * e))
    for i in range(10, 12):
        a, b, c, d, e = folds[i]
        side = -1 if i % 2 else 1
        x = cut.half_width(146.0)
        start = (side * x, 138.0 + 24.0 * a)
        end = (side * (x - 24.0 - 20.0 * b), 132.0 + 30.0 * c)
        lines.append(_curve(start, end, 8.0 * (d - 0.5), 4.0, 0.25 + 0.45 * e))
    for i, sleeve in zip(range(12, 16), cut.sleeves() * 2, strict=True):
        a, b, c, d, e = folds[i]
        t = 0.08 + 0.3 * a if i < 14 else 0.45 + 0.35 * a
        start, end = sleeve.across(t, -0.9), sleeve.across(t + 0.12 * (b - 0.2), 0.5 + 0.4 * c)
        lines.append(_curve(start, end, 5.0 * (d - 0.5), 4.0, 0.35 + 0.55 * e))
    return lines


def _curve(
    start: Point, end: Point, bow: float, width: float, height: float
) -> tuple[list[Point], float, float]:
    dx, dy = end[0] - start[0], end[1] - start[1]
    length = math.hypot(dx, dy) or 1.0
    points = []
    for i in range(6):
        t = i / 5
        swing = bow * math.sin(math.pi * t)
        points.append(
            (start[0] + dx * t - dy / length * swing, start[1] + dy * t + dx / length * swing)
        )
    return points, width, height
