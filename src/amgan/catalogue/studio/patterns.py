"""Patterns as tiles: where the second and the third colour lie on the main one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amgan.catalogue.studio.motifs import MOTIFS, draw_flowers, draw_motif, draw_spots
from amgan.catalogue.studio.tiles import (
    TILE,
    Floats,
    band,
    blur_of_level,
    blurred,
    drawn,
    grid,
    noise,
)

MOTIF_PERIOD = 52.0


@dataclass(frozen=True)
class Print:
    """One drawing of a pattern: shares of the second and third colour, (2, TILE, TILE)."""

    shares: Floats
    period: float


def _pair(second: NDArray[Any], third: NDArray[Any] | None = None) -> Floats:
    shares = np.zeros((2, TILE, TILE), np.float32)
    shares[0] = second
    if third is not None:
        shares[1] = third
    return shares


def _stripes(variant: int) -> Print:
    _, y = grid()
    if variant == 0:
        return Print(_pair(band(y * 4, 0.42)), 68.0)
    if variant == 1:
        return Print(_pair(band(y * 5, 0.26)), 62.0)
    return Print(_pair(band(y * 2, 0.34), band(y * 2 + 0.5, 0.14)), 62.0)


def _pinstripes(variant: int) -> Print:
    x, _ = grid()
    count, share = ((6, 0.16), (8, 0.2), (4, 0.14))[variant]
    return Print(_pair(band(x * count, share)), 72.0)


def _checks(variant: int) -> Print:
    x, y = grid()
    if variant == 0:
        return Print(_pair(0.5 * band(x * 4, 0.5) + 0.5 * band(y * 4, 0.5)), 68.0)
    if variant == 1:
        wide = 0.5 * band(x * 2, 0.44) + 0.5 * band(y * 2, 0.44)
        thin = np.maximum(band(x * 2 + 0.5, 0.07), band(y * 2 + 0.5, 0.07))
        return Print(_pair(wide * (1 - 0.8 * thin), 0.8 * thin), 64.0)
    lines = np.maximum(band(x * 4, 0.16), band(y * 4, 0.16))
    return Print(_pair(lines), 76.0)


def _dots(variant: int) -> Print:
    x, y = grid()
    count, radius = ((4, 0.3), (6, 0.27), (3, 0.32))[variant]
    u, v = x * count, y * count
    rows = np.floor(v * 2)
    du = (u + 0.5 * (rows % 2)) % 1.0 - 0.5
    dv = (v * 2) % 1.0 - 0.5
    distance = np.hypot(du, dv / 2)
    return Print(_pair((distance < radius * 0.72).astype(np.float32)), 82.0)


def _floral(variant: int) -> Print:
    gap, size, petals = ((62.0, 22.0, 5), (84.0, 32.0, 6), (44.0, 15.0, 5))[variant]
    return Print(drawn(draw_flowers(variant + 11, gap, size, petals), 2), 92.0)


def _camouflage(variant: int) -> Print:
    a, b = noise(40 + variant, 4.0), noise(60 + variant, 4.5)
    second = (a > 0.55).astype(np.float32)
    third = ((b > 0.75) & (a < 0.55)).astype(np.float32)
    return Print(_pair(second, third), 96.0)


def _leopard(variant: int) -> Print:
    gap, size = ((34.0, 12.0), (44.0, 16.0), (28.0, 9.5))[variant]
    return Print(drawn(draw_spots(variant + 5, gap, size), 2), 78.0)


def _zigzag(variant: int) -> Print:
    x, y = grid()
    rows, columns, share = ((4, 4, 0.42), (5, 5, 0.3), (3, 3, 0.36))[variant]
    fold = np.abs((x * columns) % 1.0 - 0.5)
    phase = y * rows + fold * 0.9
    if variant == 2:
        return Print(_pair(band(phase, share), band(phase + 0.5, 0.16)), 66.0)
    return Print(_pair(band(phase, share)), 72.0)


def _motif(variant: int) -> Print:
    """A motif with a clear margin, so that its neighbours never blur into it."""
    shares = np.zeros((2, TILE, TILE), np.float32)
    shares[:, 4:-4, 4:-4] = drawn(draw_motif(MOTIFS[variant]), 2)[:, 4:-4, 4:-4]
    return Print(shares, MOTIF_PERIOD)


_PRINTS: dict[str, Callable[[int], Print]] = {
    "striped": _stripes,
    "pinstriped": _pinstripes,
    "checked": _checks,
    "dotted": _dots,
    "floral": _floral,
    "camouflage": _camouflage,
    "leopard": _leopard,
    "zigzag": _zigzag,
    "graphic": _motif,
}
# Patterns whose colours are shades of the main one.
TONAL = frozenset({"camouflage", "leopard"})


def is_tile(pattern: str) -> bool:
    """Whether a pattern is a tile; the others are plain or follow the whole garment."""
    return pattern in _PRINTS


def pick_variant(pattern: str, pick: float, motif_pick: float) -> int:
    """Which drawing of a pattern the picks in [0, 1) name."""
    return int(motif_pick * len(MOTIFS)) if pattern == "graphic" else int(pick * 3)


@lru_cache(maxsize=64)
def _sharp(pattern: str, variant: int) -> Print:
    return _PRINTS[pattern](variant)


@lru_cache(maxsize=160)
def load_print(pattern: str, variant: int, level: int) -> Print:
    """A drawing of a pattern, blurred by `level`."""
    sharp = _sharp(pattern, variant)
    if level == 0:
        return sharp
    return Print(blurred(sharp.shares, blur_of_level(level)), sharp.period)


def print_period(pattern: str, variant: int) -> float:
    """Garment units that one tile of a drawing covers."""
    return _sharp(pattern, variant).period
