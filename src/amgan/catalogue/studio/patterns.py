"""Patterns as tiles: where the second and the third colour lie on the main one."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

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

SECOND = "#f00"
THIRD = "#0f0"


@dataclass(frozen=True)
class Print:
    """One drawing of a pattern: shares of the second and third colour, (2, TILE, TILE)."""

    shares: Floats
    period: float


def _pair(second: Floats, third: Floats | None = None) -> Floats:
    return np.stack([second, np.zeros_like(second) if third is None else third])


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


def _flower(x: float, y: float, size: float, turn: float, petals: int) -> str:
    parts = []
    for i in range(petals):
        angle = turn + 360 * i / petals
        parts.append(
            f'<ellipse cx="{size * 0.62:.1f}" rx="{size * 0.55:.1f}" ry="{size * 0.36:.1f}" '
            f'fill="{SECOND}" transform="translate({x:.1f} {y:.1f}) rotate({angle:.0f})"/>'
        )
    leaf = "".join(
        f'<ellipse cx="{size * 1.35:.1f}" rx="{size * 0.5:.1f}" ry="{size * 0.2:.1f}" fill="{THIRD}" '
        f'transform="translate({x:.1f} {y:.1f}) rotate({turn + a:.0f})"/>'
        for a in (20, 150, 265)
    )
    centre = f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{size * 0.26:.1f}" fill="{THIRD}"/>'
    return leaf + "".join(parts) + centre


def _scattered(rng: random.Random, gap: float) -> list[tuple[float, float]]:
    """Points in the tile that keep `gap` from each other across its edges."""
    points: list[tuple[float, float]] = []
    for _ in range(4000):
        x, y = rng.uniform(0, 256), rng.uniform(0, 256)
        if all(
            math.hypot((x - a + 128) % 256 - 128, (y - b + 128) % 256 - 128) > gap
            for a, b in points
        ):
            points.append((x, y))
    return points


def _floral(variant: int) -> Print:
    rng = random.Random(variant + 11)
    gap, size, petals = ((62.0, 22.0, 5), (84.0, 32.0, 6), (44.0, 15.0, 5))[variant]
    flowers = "".join(
        _flower(x, y, size * rng.uniform(0.75, 1.15), rng.uniform(0, 72), petals)
        for x, y in _scattered(rng, gap)
    )
    return Print(drawn(flowers, 2), 92.0)


def _camouflage(variant: int) -> Print:
    a, b = noise(40 + variant, 4.0), noise(60 + variant, 4.5)
    second = (a > 0.55).astype(np.float32)
    third = ((b > 0.75) & (a < 0.55)).astype(np.float32)
    return Print(_pair(second, third), 96.0)


def _leopard(variant: int) -> Print:
    rng = random.Random(variant + 5)
    gap, size = ((34.0, 12.0), (44.0, 16.0), (28.0, 9.5))[variant]
    rings = []
    for x, y in _scattered(rng, gap):
        r, turn = size * rng.uniform(0.8, 1.15), rng.uniform(0, 360)
        length = 2 * math.pi * r
        rings.append(
            f'<g transform="translate({x:.1f} {y:.1f}) rotate({turn:.0f}) scale(1 {rng.uniform(0.7, 1):.2f})">'
            f'<circle r="{r:.1f}" fill="{THIRD}" fill-opacity=".75"/>'
            f'<circle r="{r:.1f}" fill="none" stroke="{SECOND}" stroke-width="{r * 0.62:.1f}" '
            f'stroke-dasharray="{length * 0.28:.1f} {length * 0.08:.1f} {length * 0.33:.1f} {length * 0.31:.1f}"/></g>'
        )
    return Print(drawn("".join(rings), 2), 78.0)


def _zigzag(variant: int) -> Print:
    x, y = grid()
    rows, columns, share = ((4, 4, 0.42), (5, 5, 0.3), (3, 3, 0.36))[variant]
    fold = np.abs((x * columns) % 1.0 - 0.5)
    phase = y * rows + fold * 0.9
    if variant == 2:
        return Print(_pair(band(phase, share), band(phase + 0.5, 0.16)), 66.0)
    return Print(_pair(band(phase, share)), 72.0)


_MOTIFS = (
    # star, heart, sun, mountains, bolt, bars, rings, palm, cat, anchor
    f'<path d="M128 40l26 58 62 6-47 42 14 62-55-33-55 33 14-62-47-42 62-6z" fill="{SECOND}"/>',
    f'<path d="M128 208C40 150 44 66 92 62q26 0 36 26 10-26 36-26c48 4 52 88-36 146z" fill="{SECOND}"/>',
    f'<circle cx="128" cy="128" r="44" fill="{THIRD}"/><path d="M128 34v34M128 188v34M34 128h34M188 128h34'
    f'M62 62l24 24M170 170l24 24M194 62l-24 24M86 170l-24 24" stroke="{SECOND}" stroke-width="16"/>',
    f'<path d="M28 196L100 74l38 62 24-34 66 94z" fill="{SECOND}"/><circle cx="188" cy="72" r="22" fill="{THIRD}"/>'
    f'<path d="M100 74l22 36-22 12-20-14z" fill="{THIRD}"/>',
    f'<path d="M150 24L66 144h50l-18 88 92-128h-54z" fill="{SECOND}"/>',
    f'<path d="M40 64h176v34H40zM40 158h176v34H40z" fill="{SECOND}"/><path d="M40 111h176v34H40z" fill="{THIRD}"/>',
    f'<circle cx="96" cy="128" r="54" fill="none" stroke="{SECOND}" stroke-width="22"/>'
    f'<circle cx="164" cy="128" r="54" fill="none" stroke="{THIRD}" stroke-width="22"/>',
    f'<path d="M122 220q14-60 4-108l18-2q12 56-2 110z" fill="{THIRD}"/>'
    f'<path d="M132 112q-50-50-100-10 54-4 100 10-40 6-52 62 36-48 52-62 18 20 62 58-12-56-62-58 50-16 98 6-46-50-98-6z" fill="{SECOND}"/>',
    f'<path d="M60 204V92L52 40l48 34h56l48-34-8 52v112z" fill="{SECOND}"/>'
    f'<circle cx="100" cy="128" r="13" fill="{THIRD}"/><circle cx="156" cy="128" r="13" fill="{THIRD}"/>'
    f'<path d="M112 160h32l-16 18z" fill="{THIRD}"/>',
    f'<path d="M128 76v128M92 104h72M48 152q10 58 80 58t80-58" fill="none" stroke="{SECOND}" stroke-width="20"/>'
    f'<circle cx="128" cy="54" r="22" fill="none" stroke="{SECOND}" stroke-width="14"/>',
)
NUM_MOTIFS = len(_MOTIFS)
MOTIF_PERIOD = 52.0


def _motif(variant: int) -> Print:
    margin = np.zeros((2, TILE, TILE), np.float32)
    margin[:, 4:-4, 4:-4] = drawn(_MOTIFS[variant], 2)[:, 4:-4, 4:-4]
    return Print(margin, MOTIF_PERIOD)


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
    return int(motif_pick * NUM_MOTIFS) if pattern == "graphic" else int(pick * 3)


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
