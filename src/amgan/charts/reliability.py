"""Confidence against accuracy, a panel an attribute."""

from __future__ import annotations

from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator

from amgan.charts.style import (
    GREY,
    GRID,
    INK,
    LINE_COLOURS,
    STYLE,
    add_legend,
    lighten,
    space_below,
)
from amgan.evaluation.calibration import Reliability
from amgan.evaluation.calibration_report import AttributeCalibration, CalibrationReport
from amgan.evaluation.tables import format_number

_COLUMNS = 3
_FEW = 10  # predictions; a bin with fewer is not joined to its neighbours
_WIDTH, _ROW_HEIGHT, _TOP = 7.2, 2.65, 0.3  # inches
_BEFORE: Any = {"color": LINE_COLOURS[1], "marker": "o", "mfc": "white", "ls": "--", "zorder": 3}
_AFTER: Any = {"color": LINE_COLOURS[0], "marker": "o", "mec": "white", "ls": "-", "zorder": 4}


def draw_reliability(report: CalibrationReport) -> Figure:
    """A panel an attribute and one of all: accuracy over confidence, below it the bins' counts.

    Vertical lines are 95 % intervals of the accuracy. A model without temperatures has one line.
    """
    shown = (*report.attributes, report.pooled)
    rows = -(-len(shown) // _COLUMNS)
    handles, note = _handles(report), _note(report)
    foot = space_below(handles, note)
    height = _TOP + rows * _ROW_HEIGHT + foot
    with mpl.rc_context(STYLE):
        figure = Figure((_WIDTH, height), facecolor="white")
        FigureCanvasAgg(figure)
        grid = figure.add_gridspec(
            rows,
            _COLUMNS,
            left=0.097,
            right=0.985,
            top=1 - _TOP / height,
            bottom=(foot + 0.42) / height,
            hspace=0.3,
            wspace=0.24,
        )
        for place, found in enumerate(shown):
            cell = grid[divmod(place, _COLUMNS)].subgridspec(2, 1, height_ratios=(3, 1), hspace=0.1)
            main, counts = figure.add_subplot(cell[0]), figure.add_subplot(cell[1])
            _draw_curves(main, found, report.calibrated)
            _draw_counts(counts, found, report.calibrated)
            if place % _COLUMNS == 0:
                for ax, label in ((main, "accuracy"), (counts, "predictions")):
                    ax.set_ylabel(label)
                    ax.yaxis.set_label_coords(-0.215, 0.5)
            if place + _COLUMNS >= len(shown):
                counts.set_xlabel("confidence")
        add_legend(figure, handles, note, height)
    return figure


def _draw_curves(ax: Axes, found: AttributeCalibration, calibrated: bool) -> None:
    ax.plot([0, 1], [0, 1], color=GREY, lw=0.8, ls=":", zorder=1)
    looks = ((found.before, _BEFORE), (found.after, _AFTER))
    for confidence, look in looks if calibrated else looks[1:]:
        _draw_curve(ax, confidence.reliability, look)
    ax.set(
        xlim=(0, 1), ylim=(-0.03, 1.03), xticks=np.linspace(0, 1, 6), yticks=np.linspace(0, 1, 6)
    )
    ax.set_xticklabels([])
    ax.tick_params(length=2, labelsize=7)
    ax.yaxis.set_major_formatter(FuncFormatter(_short))
    ax.grid(True, color=GRID, lw=0.6)
    ax.set_axisbelow(True)
    ax.set_title(found.name, loc="left", pad=4)
    ax.set_title(f"{found.n:,} labels", loc="right", pad=4, fontsize=7, fontweight="normal")
    lines = [(f"{format_number(found.after.ece)} after", _AFTER["color"])]
    if calibrated:
        lines.insert(0, (f"{format_number(found.before.ece)} before", _BEFORE["color"]))
    for row, (text, colour) in enumerate([("ECE", INK), *lines]):
        place = 0.05 + 0.1 * (len(lines) - row)
        bold = "bold" if row else "normal"
        ax.text(0.965, place, text, color=colour, fontsize=7, ha="right", weight=bold)


def _draw_curve(ax: Axes, reliability: Reliability, look: dict[str, Any]) -> None:
    filled, full = reliability.counts > 0, reliability.counts >= _FEW
    x, y = reliability.confidence, reliability.accuracy
    low, high = reliability.interval()
    # Rounding may put a bin that is all right a hair above the interval's end.
    reach = np.maximum([y - low, high - y], 0)[:, filled]
    ecolor = lighten(look["color"], 0.6)
    ax.errorbar(x[filled], y[filled], yerr=reach, fmt="none", ecolor=ecolor, elinewidth=0.8)
    whole = {"mec": look["color"], "mew": 0.9} | look
    ax.plot(x[full], y[full], ms=4.4, lw=1.3, **whole)
    ax.plot(x[filled & ~full], y[filled & ~full], ms=3, **(whole | {"ls": ""}))


def _draw_counts(ax: Axes, found: AttributeCalibration, calibrated: bool) -> None:
    before, after = found.before.reliability, found.after.reliability
    ax.stairs(after.counts, after.edges, fill=True, color=lighten(_AFTER["color"], 0.5))
    if calibrated:
        ax.stairs(before.counts, before.edges, color=_BEFORE["color"], lw=1.0)
    ax.set(xlim=(0, 1), xticks=np.linspace(0, 1, 6))
    ax.yaxis.set_major_locator(MaxNLocator(3, integer=True))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    ax.xaxis.set_major_formatter(FuncFormatter(_short))
    ax.tick_params(length=2, labelsize=7)
    ax.yaxis.grid(True, color=GRID, lw=0.6)
    ax.set_axisbelow(True)


def _handles(report: CalibrationReport) -> list[Line2D]:
    size: Any = {"ms": 4.4, "lw": 1.3}
    name = "after it" if report.calibrated else "as it is: the model has no temperatures"
    handles = [Line2D([], [], label=name, **size, **_AFTER)]
    if report.calibrated:
        look = {"mec": _BEFORE["color"], **_BEFORE}
        handles.insert(0, Line2D([], [], label="before temperature scaling", **size, **look))
    right = "right as often as it is sure"
    return [*handles, Line2D([], [], color=GREY, lw=0.8, ls=":", label=right)]


def _note(report: CalibrationReport) -> str:
    return (
        f"{report.method} on {report.catalogue}, {report.split_words}, {report.items:,} items. "
        f"Points: {report.bins} bins of equal width, with 95 % intervals; below them the number of "
        f"predictions in each; small points stand for fewer than {_FEW}. ECE: mean distance of the "
        "points from the dotted line, weighted by predictions."
    )


def _short(value: float, _: object = None) -> str:
    return f"{value:.1f}".replace("0.", ".", 1) if 0 < value < 1 else f"{value:.0f}"
