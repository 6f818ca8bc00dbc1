"""SVG path text from points in garment units, and the sheet on which paths are drawn."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise

Point = tuple[float, float]

# Paints of the fabric layer: each channel is the share of one kind of cloth, black is the inside.
BODY = "#f00"
SLEEVE = "#0f0"
TRIM = "#00f"
DARK = "#000"


def mirrored(points: Iterable[Point]) -> list[Point]:
    """Points on the other side of the centre line, in reverse order."""
    return [(-x, y) for x, y in reversed(list(points))]


def along(start: Point, end: Point, t: float) -> Point:
    """Point at fraction `t` of the way."""
    return (start[0] + (end[0] - start[0]) * t, start[1] + (end[1] - start[1]) * t)


def interpolate(knots: Sequence[Point], x: float) -> float:
    """Piecewise linear y at `x`, constant outside; knots ascend in x."""
    if x <= knots[0][0]:
        return knots[0][1]
    for (x0, y0), (x1, y1) in pairwise(knots):
        if x <= x1:
            return y0 + (y1 - y0) * (x - x0) / (x1 - x0)
    return knots[-1][1]


def bezier(points: Sequence[Point], t: float) -> Point:
    """Point at `t` on a Bezier curve with these control points."""
    row = list(points)
    while len(row) > 1:
        row = [along(a, b, t) for a, b in pairwise(row)]
    return row[0]


def path(*parts: str | float) -> str:
    """SVG path text from commands and numbers in garment units."""
    return " ".join(part if isinstance(part, str) else f"{part:.1f}" for part in parts)


def straight(points: Iterable[Point], close: bool = False) -> str:
    """Straight lines through points."""
    text = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    return text + "Z" if close else text


def smooth(points: Sequence[Point], start: str = "M") -> str:
    """Catmull-Rom curve through points; `start` is the command that reaches the first one."""
    parts = [f"{start}{points[0][0]:.1f} {points[0][1]:.1f}"]
    last = len(points) - 1
    for i in range(last):
        before, a, b, after = (
            points[max(i - 1, 0)],
            points[i],
            points[i + 1],
            points[min(i + 2, last)],
        )
        parts.append(
            f"C{a[0] + (b[0] - before[0]) / 6:.1f} {a[1] + (b[1] - before[1]) / 6:.1f} "
            f"{b[0] - (after[0] - a[0]) / 6:.1f} {b[1] - (after[1] - a[1]) / 6:.1f} "
            f"{b[0]:.1f} {b[1]:.1f}"
        )
    return "".join(parts)


def wave(start: Point, end: Point, height: float, count: int) -> list[Point]:
    """Points of a rounded wave with `count` periods between two points."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    length = math.hypot(dx, dy) or 1.0
    points = []
    for i in range(4 * count + 1):
        t, swing = i / (4 * count), height * math.sin(math.pi / 2 * i)
        points.append(
            (start[0] + dx * t - dy / length * swing, start[1] + dy * t + dx / length * swing)
        )
    return points


class Sheet:
    """Two layers of SVG elements: fabric (paints are cloth shares) and top (true colours).

    The top layer lies over the whole fabric layer. `bold` widens lines for small pictures;
    `thread` is the colour of topstitching, None for the cloth's own.
    """

    def __init__(self, bold: float, thread: str | None = None) -> None:
        self.bold = bold
        self.thread = thread
        self.fabric: list[str] = []
        self.top: list[str] = []

    def fill(self, path: str, paint: str, opacity: float = 1.0) -> None:
        """Fill an area of the fabric layer."""
        self.fabric.append(_fill(path, paint, opacity))

    def line(self, path: str, paint: str = DARK, width: float = 1.3, opacity: float = 0.6) -> None:
        """Stroke a line of the fabric layer; by default a seam."""
        self.fabric.append(_line(path, paint, width * self.bold, opacity, ""))

    def panel(self, path: str, paint: str, edge: float = 0.55) -> None:
        """Fill an area of the fabric layer and outline it."""
        self.fabric.append(
            f'<path d="{path}" fill="{paint}" stroke="#000" stroke-width="{1.2 * self.bold:.2f}" '
            f'stroke-opacity="{edge}" stroke-linejoin="round"/>'
        )

    def stitch(self, path: str, width: float = 0.9, opacity: float = 0.45) -> None:
        """A line of topstitching: in contrast thread, or a fine seam."""
        if self.thread is None:
            self.line(path, DARK, width, opacity)
        else:
            self.top_line(path, self.thread, 1.1, 0.95, "3.2 1.6")

    def top_fill(self, path: str, colour: str, opacity: float = 1.0) -> None:
        """Fill an area of the top layer."""
        self.top.append(_fill(path, colour, opacity))

    def top_line(
        self, path: str, colour: str, width: float = 1.0, opacity: float = 1.0, dash: str = ""
    ) -> None:
        """Stroke a line of the top layer."""
        self.top.append(_line(path, colour, width * self.bold, opacity, dash))

    def discs(self, centres: Iterable[Point], radius: float, colour: str) -> None:
        """Round things of the top layer, such as buttons, with a dark rim."""
        r = radius * self.bold
        rings = "".join(
            path(
                "M", x - r, y, "a", r, r, "0 1 0", 2 * r, 0.0, "a", r, r, "0 1 0", -2 * r, 0.0, "z"
            )
            for x, y in centres
        )
        self.top.append(
            f'<path d="{rings}" fill="{colour}" stroke="#000" stroke-opacity=".45" '
            f'stroke-width="{0.7 * self.bold:.2f}"/>'
        )


def _fill(path: str, paint: str, opacity: float) -> str:
    alpha = f' fill-opacity="{opacity:.2f}"' if opacity < 1 else ""
    return f'<path d="{path}" fill="{paint}"{alpha}/>'


def _line(path: str, paint: str, width: float, opacity: float, dash: str) -> str:
    alpha = f' stroke-opacity="{opacity:.2f}"' if opacity < 1 else ""
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    return (
        f'<path d="{path}" fill="none" stroke="{paint}" stroke-width="{width:.2f}" '
        f'stroke-linejoin="round"{alpha}{dashes}/>'
    )
