"""How charts look: colours, panels, legend, files."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from amgan.files import replacing

INK, GREY, GRID = "#1d2127", "#5d6570", "#e3e6ea"
COLOURS = {"ours": "#1f5f9e", "ablation": "#7fa9d1", "baseline": "#8d97a3", "reference": "#d3d8de"}
KIND_TITLES = {
    "ours": "AMGAN",
    "ablation": "AMGAN, ablated",
    "baseline": "baseline",
    "reference": "reference, not compared",
}
# Okabe and Ito's colours, told apart by most colour-blind readers.
LINE_COLOURS = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#CC79A7",
    "#E69F00",
    "#56B4E9",
    "#882255",
    "#a08a00",
    "#4d4d4d",
    "#7a5195",
)
REFERENCE_COLOURS = ("#8d97a3", "#b4bbc4", "#d0d5db")
LINE_MARKERS = "osD^v<>hp"
STYLE: Any = {  # matplotlib wants its own literal keys
    "font.family": "DejaVu Sans",
    "font.size": 8.0,
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.titlesize": 9.0,
    "axes.titleweight": "bold",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.7,
    "xtick.color": GREY,
    "ytick.color": INK,
    "text.color": INK,
    "svg.hashsalt": "amgan",
    "svg.fonttype": "path",
    "hatch.linewidth": 0.5,
}
_NOTE_WIDTH = 120  # characters of a line below the panels


def save_figure(figure: Figure, stem: Path) -> list[Path]:
    """Write STEM.png and STEM.svg; the same figure gives the same bytes."""
    paths = []
    for suffix, metadata in ((".png", {"Software": None}), (".svg", {"Date": None})):
        path = stem.with_suffix(suffix)
        with mpl.rc_context(STYLE), replacing(path) as temporary:
            figure.savefig(temporary, format=suffix[1:], dpi=200, metadata=metadata)
        paths.append(path)
    return paths


def make_panels(count: int, height: float, *, same_rows: bool = True) -> tuple[Figure, list[Axes]]:
    """A figure as wide as a page with panels side by side; `height` in inches."""
    figure = Figure((7.2, height), facecolor="white")
    FigureCanvasAgg(figure)
    axes = figure.subplots(1, count, sharey=same_rows, squeeze=False)
    return figure, list(axes[0])


def finish_figure(figure: Figure, handles: Sequence[Any], note: str, height: float) -> None:
    """Legend and note below the panels; `height` in inches."""
    figure.tight_layout(rect=(0, space_below(handles, note) / height, 1, 1), w_pad=1.3)
    add_legend(figure, handles, note, height)


def space_below(handles: Sequence[Any], note: str) -> float:
    """Inches that legend and note take at the foot of a figure."""
    return _note_space(note) + 0.04 + 0.17 * -(-len(handles) // 4)


def add_legend(figure: Figure, handles: Sequence[Any], note: str, height: float) -> None:
    """Legend and note in the space that `space_below` tells; `height` in inches."""
    figure.legend(
        handles=handles,
        loc="lower center",
        ncols=min(4, len(handles)),
        frameon=False,
        fontsize=7.5,
        borderaxespad=0.0,
        bbox_to_anchor=(0.5, _note_space(note) / height),
        handlelength=2.2,
        columnspacing=1.8,
        labelspacing=0.35,
    )
    text = "\n".join(textwrap.wrap(note, _NOTE_WIDTH))
    figure.text(0.5, 0.05 / height, text, ha="center", va="bottom", fontsize=6.6, color=GREY)


def _note_space(note: str) -> float:
    lines = textwrap.wrap(note, _NOTE_WIDTH)
    return 0.05 + (0.03 + 0.12 * len(lines) if lines else 0.0)


def lighten(colour: str, share: float) -> tuple[float, float, float]:
    """A colour mixed with white; a share of 1 leaves it as it is."""
    red, green, blue = to_rgb(colour)
    return tuple(share * part + 1 - share for part in (red, green, blue))  # type: ignore[return-value]
