"""Light on a garment: rounded panels, folds, contact shadows, and the shadow on the backdrop."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from amgan.catalogue.studio.cut import Cut
from amgan.catalogue.studio.paths import Point
from amgan.catalogue.studio.tiles import Floats
from amgan.catalogue.studio.view import UNITS, View, coarse_size

# Pixels of the shorter side on which panels are rounded and folds are laid.
_PANEL_GRID, _FOLD_GRID = 64, 112


@dataclass(frozen=True)
class Light:
    """Light on one picture: (H, W) of the window, but for the shadow.

    Attributes:
        body: relative brightness of the body, about 1.
        sleeve: the same for sleeves.
        folds: slope of folds towards the light, about -1 to 1.
        lift: height of folds, 0 to about 1.
        shadow: how much the garment darkens the backdrop, 0 to 1; of the whole picture.
        halo: the outline, softened; None where it was not asked for.
    """

    body: Floats
    sleeve: Floats
    folds: Floats
    lift: Floats
    shadow: Floats
    halo: Floats | None


def cast_light(
    cut: Cut, view: View, coverage: Floats, sleeves: Floats, trim: Floats, *, halo: bool
) -> Light:
    """Light for a garment whose coverage, sleeves and trim are these, (H, W) in [0, 1] each."""
    towards = _direction(cut)
    size = coarse_size(view.frame, _PANEL_GRID)
    unit = min(size) / UNITS
    strength = np.float32(cut.nuisance.light_strength)
    one = np.float32(1.0)
    whole = _shrunk(coverage, size, view)
    body, arms_soft = whole, np.zeros(size, np.float32)
    if cut.has_sleeves:
        arms = np.minimum(_shrunk(sleeves, size, view), whole)
        body, arms_soft = whole - arms, _blurred(arms, 6.5 * unit)
    body_soft, body_broad = _blurred(body, 10.0 * unit), _blurred(body, 24.0 * unit)
    body_light = one + strength * (
        np.float32(0.34) * _slope(body_soft, 10.0 * unit, towards)
        + np.float32(0.26) * _slope(body_broad, 24.0 * unit, towards)
        + np.float32(0.3) * (body_soft - np.float32(0.92))
    )
    on_body = on_sleeves = _grown(body_light, view)
    if cut.has_sleeves:
        sleeve_light = one + strength * (
            np.float32(0.5) * _slope(arms_soft, 6.5 * unit, towards)
            - np.float32(0.34) * body_soft
            + np.float32(0.22) * (arms_soft - np.float32(0.85))
        )
        on_sleeves = _grown(sleeve_light, view)
    folds, lift = _folds(cut, view, towards, trim)
    shadow = np.minimum(body_soft + arms_soft, one)
    step = min(view.frame) / UNITS
    shift = round(-5.0 * towards[0] * step), round(5.0 * step)
    soft = _grown(_blurred(whole, 2.2 * unit), view) if halo else None
    return Light(
        on_body, on_sleeves, folds, lift, _moved(_resized(shadow, view.frame), *shift), soft
    )


def _direction(cut: Cut) -> Point:
    angle = math.radians(cut.nuisance.light_angle)
    return (math.cos(angle), math.sin(angle))


def _shrunk(plane: Floats, size: tuple[int, int], view: View) -> NDArray[np.uint8]:
    """Coarse copy of the picture with `plane` in its window."""
    whole = np.zeros(view.frame, np.uint8)
    whole[view.rows, view.columns] = plane * np.float32(255)
    if size == view.frame:
        return whole
    picture = Image.fromarray(whole)
    return np.asarray(picture.resize((size[1], size[0]), Image.Resampling.BOX))


def _blurred(plane: NDArray[np.uint8], sigma: float) -> Floats:
    soft = np.asarray(Image.fromarray(plane).filter(ImageFilter.GaussianBlur(sigma)), np.float32)
    return soft * np.float32(1 / 255)


def _resized(plane: Floats, size: tuple[int, int]) -> Floats:
    if plane.shape == size:
        return plane
    picture = Image.fromarray(plane)
    return np.asarray(picture.resize((size[1], size[0]), Image.Resampling.BILINEAR))


def _grown(plane: Floats, view: View) -> Floats:
    """The window's part of a coarse plane, at the size of the picture."""
    if plane.shape == view.frame:
        return plane[view.rows, view.columns]
    y, x = plane.shape[0] / view.frame[0], plane.shape[1] / view.frame[1]
    part = (view.columns.start * x, view.rows.start * y, view.columns.stop * x, view.rows.stop * y)
    picture = Image.fromarray(plane)
    size = (view.width, view.height)
    return np.asarray(picture.resize(size, Image.Resampling.BILINEAR, box=part))


def _moved(plane: Floats, dx: int, dy: int) -> Floats:
    """Plane moved right and down, with zeros where nothing came from."""
    moved = np.zeros_like(plane)
    height, width = plane.shape
    moved[max(dy, 0) : height + min(dy, 0), max(dx, 0) : width + min(dx, 0)] = plane[
        max(-dy, 0) : height + min(-dy, 0), max(-dx, 0) : width + min(-dx, 0)
    ]
    return moved


def _slope(plane: Floats, sigma: float, towards: Point) -> Floats:
    """How far a rounded surface faces the light; `sigma` makes it independent of scale."""
    lit = np.zeros_like(plane)
    lit[:, 1:-1] = (plane[:, :-2] - plane[:, 2:]) * np.float32(towards[0] * sigma / 2)
    lit[1:-1] += (plane[:-2] - plane[2:]) * np.float32(towards[1] * sigma / 2)
    return lit


def _folds(cut: Cut, view: View, towards: Point, trim: Floats) -> tuple[Floats, Floats]:
    """Slope and height of folds; trim lies on the cloth and so has raised edges too."""
    rows, columns = coarse_size(view.frame, _FOLD_GRID)
    picture = Image.new("L", (columns, rows))
    draw = ImageDraw.Draw(picture)
    zoom = columns / view.frame[1]
    unit = min(rows, columns) / UNITS
    for line, width, height in fold_lines(cut):
        points = [view.in_frame(*p) for p in line]
        draw.line(
            [(x * zoom, y * zoom) for x, y in points],
            fill=round(255 * height),
            width=max(1, round(width * unit)),
        )
    raised = _shrunk(trim * np.float32(0.5), (rows, columns), view)
    sigma = max(2.6 * unit, 0.75)
    lift = _blurred(np.maximum(np.asarray(picture), raised), sigma)
    return _grown(_slope(lift, sigma, towards), view), _grown(lift, view)


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
