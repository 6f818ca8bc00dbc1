"""Drawn prints: flowers, leopard spots and chest motifs as SVG in a 256 x 256 box.

Red is the share of a print's second colour and green that of its third.
"""

from __future__ import annotations

import math
import random

SECOND = "#f00"
THIRD = "#0f0"


def scattered(rng: random.Random, gap: float) -> list[tuple[float, float]]:
    """Points in the box that keep `gap` from each other across its edges."""
    points: list[tuple[float, float]] = []
    for _ in range(1500):
        x, y = rng.uniform(0, 256), rng.uniform(0, 256)
        if all(
            math.hypot((x - a + 128) % 256 - 128, (y - b + 128) % 256 - 128) > gap
            for a, b in points
        ):
            points.append((x, y))
    return points


def draw_flowers(seed: int, gap: float, size: float, petals: int) -> str:
    """Flowers with leaves, about `gap` apart."""
    rng = random.Random(seed)
    return "".join(
        _flower(x, y, size * rng.uniform(0.75, 1.15), rng.uniform(0, 72), petals)
        for x, y in scattered(rng, gap)
    )


def _flower(x: float, y: float, size: float, turn: float, petals: int) -> str:
    def ellipse(away: float, rx: float, ry: float, angle: float, paint: str) -> str:
        return (
            f'<ellipse cx="{size * away:.1f}" rx="{size * rx:.1f}" ry="{size * ry:.1f}" '
            f'fill="{paint}" transform="rotate({turn + angle:.0f})"/>'
        )

    leaves = "".join(ellipse(1.35, 0.5, 0.2, angle, THIRD) for angle in (20, 150, 265))
    crown = "".join(ellipse(0.62, 0.55, 0.36, 360 * i / petals, SECOND) for i in range(petals))
    heart = f'<circle r="{size * 0.26:.1f}" fill="{THIRD}"/>'
    return f'<g transform="translate({x:.1f} {y:.1f})">{leaves}{crown}{heart}</g>'


def draw_spots(seed: int, gap: float, size: float) -> str:
    """Leopard spots: broken rings with a filled middle."""
    rng = random.Random(seed)
    spots = []
    for x, y in scattered(rng, gap):
        radius, turn, squash = (
            size * rng.uniform(0.8, 1.15),
            rng.uniform(0, 360),
            rng.uniform(0.7, 1),
        )
        dashes = " ".join(f"{2 * math.pi * radius * s:.1f}" for s in (0.28, 0.08, 0.33, 0.31))
        spots.append(
            f'<g transform="translate({x:.1f} {y:.1f}) rotate({turn:.0f}) scale(1 {squash:.2f})">'
            f'<circle r="{radius:.1f}" fill="{THIRD}" fill-opacity=".75"/>'
            f'<circle r="{radius:.1f}" fill="none" stroke="{SECOND}" '
            f'stroke-width="{radius * 0.62:.1f}" stroke-dasharray="{dashes}"/></g>'
        )
    return "".join(spots)


# Name -> shapes: paint, width of the line (0 where filled), path.
_MOTIFS: dict[str, tuple[tuple[str, float, str], ...]] = {
    "star": ((SECOND, 0, "M128 40l26 58 62 6-47 42 14 62-55-33-55 33 14-62-47-42 62-6z"),),
    "heart": (
        (SECOND, 0, "M128 208C40 150 44 66 92 62q26 0 36 26 10-26 36-26c48 4 52 88-36 146z"),
    ),
    "sun": (
        (THIRD, 0, "M84 128a44 44 0 0 1 88 0a44 44 0 0 1-88 0z"),
        (SECOND, 16, "M128 34v34M128 188v34M34 128h34M188 128h34"),
        (SECOND, 16, "M62 62l24 24M170 170l24 24M194 62l-24 24M86 170l-24 24"),
    ),
    "mountains": (
        (SECOND, 0, "M28 196L100 74l38 62 24-34 66 94z"),
        (THIRD, 0, "M100 74l22 36-22 12-20-14zM166 72a22 22 0 0 1 44 0a22 22 0 0 1-44 0z"),
    ),
    "bolt": ((SECOND, 0, "M150 24L66 144h50l-18 88 92-128h-54z"),),
    "bars": (
        (SECOND, 0, "M40 64h176v34H40zM40 158h176v34H40z"),
        (THIRD, 0, "M40 111h176v34H40z"),
    ),
    "rings": (
        (SECOND, 22, "M42 128a54 54 0 0 1 108 0a54 54 0 0 1-108 0z"),
        (THIRD, 22, "M110 128a54 54 0 0 1 108 0a54 54 0 0 1-108 0z"),
    ),
    "palm": (
        (THIRD, 0, "M122 220q14-60 4-108l18-2q12 56-2 110z"),
        (SECOND, 0, "M132 112q-50-50-100-10 54-4 100 10-40 6-52 62 36-48 52-62 18 20 62 58z"),
        (SECOND, 0, "M132 112q50-16 98 6-46-50-98-6q-12-40-56-50 40 20 56 50z"),
    ),
    "cat": (
        (SECOND, 0, "M60 204V92L52 40l48 34h56l48-34-8 52v112z"),
        (THIRD, 0, "M87 128a13 13 0 0 1 26 0a13 13 0 0 1-26 0zM112 160h32l-16 18z"),
        (THIRD, 0, "M143 128a13 13 0 0 1 26 0a13 13 0 0 1-26 0z"),
    ),
    "anchor": (
        (SECOND, 20, "M128 76v128M92 104h72M48 152q10 58 80 58t80-58"),
        (SECOND, 14, "M106 54a22 22 0 0 1 44 0a22 22 0 0 1-44 0z"),
    ),
}
MOTIFS = tuple(_MOTIFS)


def draw_motif(name: str) -> str:
    """One of `MOTIFS`."""
    shapes = []
    for paint, width, outline in _MOTIFS[name]:
        look = (
            f'fill="none" stroke="{paint}" stroke-width="{width}"' if width else f'fill="{paint}"'
        )
        shapes.append(f'<path d="{outline}" {look}/>')
    return "".join(shapes)
