"""From garment units to pixels: pose and coordinate grids."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from amgan.catalogue.studio.nuisance import Nuisance
from amgan.catalogue.studio.tiles import Floats

UNITS = 256.0
_CENTRE_Y = 131.0


@dataclass(frozen=True)
class View:
    """Affine map from garment units to the pixels of a window into the picture.

    x' = a x + c y + e and y' = b x + d y + f, from the window's upper left corner. The window
    holds the garment, so that no time goes into empty backdrop.
    """

    frame: tuple[int, int]
    top: int
    left: int
    height: int
    width: int
    a: float
    b: float
    c: float
    d: float
    e: float
    f: float

    @property
    def footprint(self) -> float:
        """Garment units that one pixel covers."""
        return 1.0 / math.sqrt(self.a * self.d - self.b * self.c)

    @property
    def rows(self) -> slice:
        """Rows of the picture that the window covers."""
        return slice(self.top, self.top + self.height)

    @property
    def columns(self) -> slice:
        """Columns of the picture that the window covers."""
        return slice(self.left, self.left + self.width)

    def svg_matrix(self, shift: float = 0.0) -> str:
        """SVG transform, moved right by `shift` pixels."""
        numbers = (self.a, self.b, self.c, self.d, self.e + shift, self.f)
        return "matrix(" + " ".join(f"{n:.5f}" for n in numbers) + ")"

    def in_frame(self, x: float, y: float) -> tuple[float, float]:
        """Position of a garment point in the whole picture, in pixels."""
        return (
            self.a * x + self.c * y + self.e + self.left,
            self.b * x + self.d * y + self.f + self.top,
        )

    def garment_grid(self) -> tuple[Floats, Floats]:
        """Garment coordinates x, y of pixel centres in the window, each (H, W)."""
        px, py = pixel_grid(self.height, self.width)
        determinant = self.a * self.d - self.b * self.c
        qx, qy = px - np.float32(self.e), py - np.float32(self.f)
        gx = np.float32(self.d / determinant) * qx - np.float32(self.c / determinant) * qy
        gy = np.float32(self.a / determinant) * qy - np.float32(self.b / determinant) * qx
        return gx, gy


def look_at(
    nuisance: Nuisance, extent: tuple[float, float, float, float], height: int, width: int
) -> View:
    """The view that a picture's nuisance asks for.

    Args:
        nuisance: holds the pose.
        extent: left, top, right and bottom of what is drawn, in garment units.
        height: of the picture.
        width: of the picture.
    """
    unit = min(height, width) / UNITS
    tilt = math.radians(nuisance.tilt)
    scale = unit * nuisance.scale
    a, b = scale * math.cos(tilt), scale * math.sin(tilt)
    c, d = -b + a * nuisance.shear, a + b * nuisance.shear
    e = width / 2 + nuisance.shift[0] * unit - c * _CENTRE_Y
    f = height / 2 + nuisance.shift[1] * unit - d * _CENTRE_Y
    x0, y0, x1, y1 = extent
    corners = [(x, y) for x in (x0, x1) for y in (y0, y1)]
    xs, ys = [a * x + c * y + e for x, y in corners], [b * x + d * y + f for x, y in corners]
    left, top = max(0, math.floor(min(xs))), max(0, math.floor(min(ys)))
    right, bottom = min(width, math.ceil(max(xs))), min(height, math.ceil(max(ys)))
    window = (top, left, bottom - top, right - left)
    return View((height, width), *window, a, b, c, d, e - left, f - top)


@lru_cache(maxsize=256)
def pixel_grid(height: int, width: int) -> tuple[Floats, Floats]:
    """Pixel centres x, y, each (H, W)."""
    x, y = np.meshgrid(
        np.arange(width, dtype=np.float32) + 0.5, np.arange(height, dtype=np.float32) + 0.5
    )
    return x, y


def coarse_size(frame: tuple[int, int], limit: int) -> tuple[int, int]:
    """Height and width of a copy of the picture with `limit` pixels on its shorter side at most."""
    height, width = frame
    shorter = min(frame)
    if shorter <= limit:
        return height, width
    return round(height * limit / shorter), round(width * limit / shorter)
