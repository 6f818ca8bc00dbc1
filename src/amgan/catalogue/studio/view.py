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
    """Affine map from garment units to pixels: x' = a x + c y + e, y' = b x + d y + f."""

    height: int
    width: int
    a: float
    b: float
    c: float
    d: float
    e: float
    f: float

    @property
    def pixels_per_unit(self) -> float:
        """Scale of the picture without the garment's own."""
        return min(self.height, self.width) / UNITS

    @property
    def footprint(self) -> float:
        """Garment units that one pixel covers."""
        return 1.0 / math.sqrt(self.a * self.d - self.b * self.c)

    def svg_matrix(self, shift: float = 0.0) -> str:
        """SVG transform, moved right by `shift` pixels."""
        numbers = (self.a, self.b, self.c, self.d, self.e + shift, self.f)
        return "matrix(" + " ".join(f"{n:.5f}" for n in numbers) + ")"

    def to_pixels(self, x: float, y: float) -> tuple[float, float]:
        """Pixel position of a garment point."""
        return (self.a * x + self.c * y + self.e, self.b * x + self.d * y + self.f)

    def garment_grid(self) -> tuple[Floats, Floats]:
        """Garment coordinates x, y of pixel centres, each (H, W)."""
        px, py = pixel_grid(self.height, self.width)
        determinant = self.a * self.d - self.b * self.c
        qx, qy = px - np.float32(self.e), py - np.float32(self.f)
        gx = np.float32(self.d / determinant) * qx - np.float32(self.c / determinant) * qy
        gy = np.float32(self.a / determinant) * qy - np.float32(self.b / determinant) * qx
        return gx, gy


def look_at(nuisance: Nuisance, height: int, width: int) -> View:
    """The view that a picture's nuisance asks for."""
    unit = min(height, width) / UNITS
    tilt = math.radians(nuisance.tilt)
    scale = unit * nuisance.scale
    a, b = scale * math.cos(tilt), scale * math.sin(tilt)
    c, d = -b + a * nuisance.shear, a + b * nuisance.shear
    e = width / 2 + nuisance.shift[0] * unit - c * _CENTRE_Y
    f = height / 2 + nuisance.shift[1] * unit - d * _CENTRE_Y
    return View(height, width, a, b, c, d, e, f)


@lru_cache(maxsize=16)
def pixel_grid(height: int, width: int) -> tuple[Floats, Floats]:
    """Pixel centres x, y, each (H, W)."""
    x, y = np.meshgrid(
        np.arange(width, dtype=np.float32) + 0.5, np.arange(height, dtype=np.float32) + 0.5
    )
    return x, y


def coarse_size(height: int, width: int, limit: int) -> tuple[int, int]:
    """Height and width of a copy whose shorter side has `limit` pixels at most."""
    shorter = min(height, width)
    if shorter <= limit:
        return height, width
    return round(height * limit / shorter), round(width * limit / shorter)
