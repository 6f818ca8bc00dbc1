"""What the cloth painter works with: the rendered layers, coordinates and light of one picture."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from amgan.catalogue.studio.cut import Cut
from amgan.catalogue.studio.palette import Colours
from amgan.catalogue.studio.shading import Light
from amgan.catalogue.studio.tiles import Floats
from amgan.catalogue.studio.view import View


@dataclass(frozen=True)
class Canvas:
    """Shares of each pixel, (H, W) in [0, 1], and the top layer (3, H, W) with its share."""

    body: Floats
    sleeve: Floats
    trim: Floats
    coverage: Floats
    top: Floats
    top_share: Floats

    @classmethod
    def of_layers(cls, fabric: Floats, top: Floats) -> Canvas:
        """From the two rendered layers, (4, H, W) each."""
        coverage = fabric[3]
        body, sleeve, trim = fabric[:3] * coverage
        return cls(body, sleeve, trim, coverage, top[:3], top[3])


@dataclass(frozen=True)
class Scene:
    """One picture before it is painted.

    Attributes:
        cut: lines of the garment; holds its values and nuisance.
        colours: its colours.
        view: from garment units to pixels.
        canvas: rendered layers.
        light: light on it.
        x, y: garment coordinates of pixels, (H, W).
        u, v: coordinates on the cloth: round the body, along the sleeves, pushed by folds.
    """

    cut: Cut
    colours: Colours
    view: View
    canvas: Canvas
    light: Light
    x: Floats
    y: Floats
    u: Floats
    v: Floats


def set_scene(cut: Cut, colours: Colours, view: View, canvas: Canvas, light: Light) -> Scene:
    """Scene with its coordinates."""
    x, y = view.garment_grid()
    push = np.float32(2.5) * light.lift
    u = x * (np.float32(1.0) + np.float32(4e-5) * x * x)
    v = y
    if cut.has_sleeves:
        on_sleeve = canvas.sleeve > canvas.body + np.float32(0.5) * canvas.trim
        across, along = _sleeve_coordinates(cut, x, y)
        u, v = np.where(on_sleeve, across, u), np.where(on_sleeve, along, v)
    return Scene(cut, colours, view, canvas, light, x, y, u + push, v + push)


def _sleeve_coordinates(cut: Cut, x: Floats, y: Floats) -> tuple[Floats, Floats]:
    left, right = cut.sleeves()
    angles = [math.radians(sleeve.angle) for sleeve in (left, right)]
    on_left = x < 0
    sine, cosine = (
        np.where(on_left, np.float32(function(angles[0])), np.float32(function(angles[1])))
        for function in (math.sin, math.cos)
    )
    ox, oy = (np.float32(c) for c in right.shoulder)
    dx, dy = np.abs(x) - ox, y - oy
    return cosine * dx - sine * dy, sine * dx + cosine * dy + oy
