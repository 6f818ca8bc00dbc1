"""Text, pictures, frames and marks at places given in hundredths of an inch."""

from __future__ import annotations

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import Circle, FancyBboxPatch
from matplotlib.textpath import TextToPath
from PIL import Image

INK, GREY, LINE = "#1d2127", "#6f7782", "#d5d9df"
GREEN, RED, UNKNOWN, EMPTY = "#1d9a57", "#d6453d", "#a7aeb8", "#f1f3f5"


class Canvas:
    """A white figure; y grows downwards from the top.

    Args:
        width, height: in hundredths of an inch.
        dpi: pixels an inch, to which pictures are resized.
    """

    def __init__(self, width: float, height: float, dpi: int) -> None:
        self.width, self.height = width, height
        self._scale = dpi / 100
        self.figure = Figure((width / 100, height / 100), dpi=100, facecolor="white")
        FigureCanvasAgg(self.figure)
        self.axes = self.figure.add_axes((0, 0, 1, 1))
        self.axes.set_axis_off()
        self._fix_limits()

    def _fix_limits(self) -> None:
        self.axes.set(xlim=(0, self.width), ylim=(self.height, 0))

    def text(
        self,
        x: float,
        y: float,
        text: str,
        size: float,
        colour: str = INK,
        weight: str = "normal",
        width: float | None = None,
    ) -> float:
        """Write `text` with its middle at `y`, cut to `width`; returns the width it takes."""
        if width is not None:
            text = shorten(text, size, weight, width)
        self.axes.text(
            x,
            y,
            text,
            fontsize=size * 0.72,
            color=colour,
            weight=weight,
            va="center_baseline",
            parse_math=False,
            zorder=3,
        )
        return measure(text, size, weight)

    def badge(self, x: float, y: float, rank: str) -> None:
        """A rank in the upper left corner of a picture at (x, y)."""
        wide = measure(rank, 10.5, "bold")
        self.axes.add_patch(
            FancyBboxPatch(
                (x + 8, y + 8.5),
                wide,
                5,
                boxstyle="round,pad=4,rounding_size=4",
                facecolor="white",
                edgecolor="none",
                alpha=0.82,
                zorder=2,
            )
        )
        self.text(x + 8, y + 11, rank, 10.5, weight="bold")

    def mark(self, x: float, y: float, matches: bool | None) -> None:
        """Tick, cross, or a dash where it is not known, around (x, y)."""
        colour = UNKNOWN if matches is None else GREEN if matches else RED
        self.axes.add_patch(Circle((x, y), 6.2, facecolor=colour, edgecolor="none"))
        strokes: list[list[tuple[float, float]]] = [[(-2.6, 0), (2.6, 0)]]
        if matches:
            strokes = [[(-2.9, 0.2), (-0.8, 2.3), (2.9, -2.1)]]
        elif matches is False:
            strokes = [[(-2.2, -2.2), (2.2, 2.2)], [(-2.2, 2.2), (2.2, -2.2)]]
        for stroke in strokes:
            xs, ys = zip(*stroke, strict=True)
            self.axes.plot(
                [x + dx for dx in xs],
                [y + dy for dy in ys],
                color="white",
                lw=1.25,
                solid_capstyle="round",
                solid_joinstyle="round",
            )

    def frame(
        self,
        box: tuple[float, float, float, float],
        edge: str,
        lw: float,
        face: str = "none",
    ) -> FancyBboxPatch:
        """Rounded rectangle (x, y, width, height)."""
        x, y, width, height = box
        patch = FancyBboxPatch(
            (x + 3, y + 3),
            width - 6,
            height - 6,
            boxstyle="round,pad=3,rounding_size=5",
            facecolor=face,
            edgecolor=edge,
            linewidth=lw,
            zorder=2,
        )
        self.axes.add_patch(patch)
        return patch

    def picture(
        self, box: tuple[float, float, float, float], picture: Image.Image | None, truth: bool
    ) -> None:
        """Fit `picture` into a rounded box (x, y, width, height); None leaves a blank."""
        x, y, width, height = box
        if picture is None:
            self.frame(box, LINE, 0.7, EMPTY)
            text = "picture is gone"
            self.text(x + (width - measure(text, 11)) / 2, y + height / 2, text, 11, GREY)
            return
        fit = min(width / picture.width, height / picture.height)
        wide, high = picture.width * fit, picture.height * fit
        size = (max(1, round(wide * self._scale)), max(1, round(high * self._scale)))
        pixels = np.asarray(picture.resize(size, Image.Resampling.LANCZOS))
        left, top = x + (width - wide) / 2, y + (height - high) / 2
        extent = (left, left + wide, top + high, top)
        shown = self.axes.imshow(pixels, extent=extent, aspect="auto", zorder=1)
        self._fix_limits()
        shown.set_clip_path(self.frame(box, GREEN if truth else LINE, 3.0 if truth else 0.7))

    def line(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Hairline."""
        self.axes.plot([start[0], end[0]], [start[1], end[1]], color=LINE, lw=0.7)

    def arrow(self, x: float, y: float) -> None:
        """Short arrow to the right."""
        look = {"arrowstyle": "->", "color": GREY, "lw": 1.0, "shrinkA": 0, "shrinkB": 0}
        self.axes.annotate("", (x + 13, y), (x, y), arrowprops=look)


def measure(text: str, size: float, weight: str = "normal") -> float:
    """Width that a text takes."""
    font = FontProperties(family="DejaVu Sans", size=size, weight=weight)
    width, _, _ = TextToPath().get_text_width_height_descent(text, font, False)
    return float(width)


def shorten(text: str, size: float, weight: str, width: float) -> str:
    """The text, or as much of its beginning as fits into `width`."""
    if measure(text, size, weight) <= width:
        return text
    kept = text
    while kept and measure(kept + "…", size, weight) > width:
        kept = kept[:-1]
    return kept.rstrip() + "…"
