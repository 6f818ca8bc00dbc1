"""Fabrics: relief tiles, and how each fabric takes light."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amgan.catalogue.studio.tiles import Floats, band, blur_of_level, blurred, drawn, grid, noise

Relief = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Fabric:
    """How a fabric looks.

    Attributes:
        period: garment units that its tile covers.
        relief: how strongly the tile darkens and lightens.
        folds: strength of folds.
        gloss: strength of highlights along folds.
        sheen: brightening towards the edges of panels.
        fuzz: how far the outline frays.
        wash: strength of uneven fading.
        thread: colour of topstitching where it differs from the cloth.
    """

    period: float
    relief: float
    folds: float = 1.0
    gloss: float = 0.0
    sheen: float = 0.0
    fuzz: float = 0.0
    wash: float = 0.0
    thread: str | None = None


FABRICS: dict[str, Fabric] = {
    "jersey": Fabric(48.0, 0.018),
    "ribbed": Fabric(64.0, 0.2, folds=0.6),
    "cable knit": Fabric(58.0, 0.3, folds=0.45),
    "denim": Fabric(52.0, 0.1, folds=0.8, wash=0.16, thread="#c98f4a"),
    "leather": Fabric(80.0, 0.07, folds=1.5, gloss=1.0),
    "lace": Fabric(56.0, 0.1, folds=0.6),
    "fleece": Fabric(64.0, 0.16, folds=0.35, sheen=0.14, fuzz=1.0),
    "satin": Fabric(64.0, 0.0, folds=1.9, gloss=0.62, sheen=0.05),
    "corduroy": Fabric(60.0, 0.24, folds=0.7, sheen=0.1),
    "quilted": Fabric(66.0, 0.34, folds=0.25, gloss=0.12),
}


def _jersey() -> Relief:
    return noise(1, 40.0)


def _ribbed() -> Relief:
    x, y = grid()
    rib = np.cos(2 * math.pi * 6 * x)
    relief: Relief = np.sign(rib) * np.abs(rib) ** 0.6 + 0.18 * np.cos(2 * math.pi * 30 * y)
    return relief


def _cable() -> Relief:
    x, y = grid()
    relief: Relief = np.full_like(x, -0.35)
    column = (x * 2) % 1.0
    for half in (0, 1):
        centre = 0.5 + 0.17 * np.sin(2 * math.pi * (2 * y + half / 2))
        front = np.cos(2 * math.pi * (2 * y + half / 2)) > -0.1
        distance = np.abs(column - centre) / 0.15
        strand = np.where(distance < 1, 1.3 * np.sqrt(np.clip(1 - distance**2, 0, 1)) - 0.4, -2.0)
        relief = np.where((strand > -1) & (front | (relief < 0)), strand, relief)
        rim = (distance > 1) & (distance < 1.3) & front
        relief = np.where(rim, -1.0, relief)
    ladder = np.minimum(column, 1 - column) < 0.12
    stitches = 0.5 * np.sign(np.sin(2 * math.pi * 20 * y)) * ladder
    relief += stitches
    return relief


def _denim() -> Relief:
    x, y = grid()
    twill = np.cos(2 * math.pi * (18 * x + 18 * y))
    relief: Relief = 0.75 * twill + 0.55 * noise(2, 30.0)
    return relief


def _leather() -> Relief:
    return np.clip(noise(3, 22.0, 0.5), -1.5, 1.5)


def _lace() -> Relief:
    x, y = grid()
    relief: Relief = np.cos(2 * math.pi * 8 * x) * np.cos(2 * math.pi * 8 * y)
    return relief


def _fleece() -> Relief:
    return np.clip(noise(5, 13.0, 0.6), -1.6, 1.6)


def _satin() -> Relief:
    return np.zeros_like(grid()[0])


def _corduroy() -> Relief:
    x, _ = grid()
    wale = np.abs(np.sin(math.pi * 10 * x))
    relief: Relief = 1.7 * wale**0.7 - 1.1
    return relief


def _quilted() -> Relief:
    _, y = grid()
    phase = (y * 3) % 1.0
    puff = np.sin(math.pi * phase) ** 0.6 - 0.62 + 0.5 * np.cos(math.pi * phase)
    relief: Relief = puff - 0.6 * band(phase + 0.5, 0.09)
    return relief


_RELIEFS: dict[str, Callable[[], Relief]] = {
    "jersey": _jersey,
    "ribbed": _ribbed,
    "cable knit": _cable,
    "denim": _denim,
    "leather": _leather,
    "lace": _lace,
    "fleece": _fleece,
    "satin": _satin,
    "corduroy": _corduroy,
    "quilted": _quilted,
}


@lru_cache(maxsize=16)
def _sharp_relief(fabric: str) -> Floats:
    return np.ascontiguousarray(_RELIEFS[fabric](), np.float32)[None]


@lru_cache(maxsize=64)
def load_relief(fabric: str, level: int) -> Floats:
    """Relief (1, TILE, TILE), about -1 to 1, blurred by `level`."""
    sharp = _sharp_relief(fabric)
    return sharp if level == 0 else blurred(sharp, blur_of_level(level))


@lru_cache(maxsize=1)
def _sharp_lace() -> Floats:
    cells = []
    for row in range(8):
        for column in range(8):
            x, y = 32 * column + 16 * (row % 2), 32 * row + 16
            cells.append(f'<ellipse cx="{x}" cy="{y}" rx="12" ry="13" fill="#fff"/>')
    for x, y in ((64, 64), (192, 192)):
        petals = "".join(
            f'<ellipse cx="38" rx="34" ry="18" transform="rotate({60 * i})"/>' for i in range(6)
        )
        cells.append(f'<g transform="translate({x} {y})">{petals}<circle r="12" fill="#fff"/></g>')
    return drawn("".join(cells), 1)


@lru_cache(maxsize=16)
def load_lace_holes(level: int) -> Floats:
    """Where lace is open, (1, TILE, TILE) in [0, 1], blurred by `level`."""
    sharp = _sharp_lace()
    return sharp if level == 0 else blurred(sharp, blur_of_level(level))
