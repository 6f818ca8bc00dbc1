"""Figures 4 and 5 as charts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from amgan.charts.style import (
    COLOURS,
    GREY,
    GRID,
    INK,
    KIND_TITLES,
    LINE_COLOURS,
    LINE_MARKERS,
    REFERENCE_COLOURS,
    STYLE,
    finish_figure,
    lighten,
    make_panels,
)


@dataclass(frozen=True)
class Bar:
    """One bar.

    Attributes:
        value: its length, NaN for no bar.
        error: half the width of the 95 % interval of the mean.
        mark: stars of significance.
        published: the paper's value, where it prints one.
    """

    value: float
    error: float = 0.0
    mark: str = ""
    published: float | None = None


@dataclass(frozen=True)
class BarPanel:
    """Bars of one metric, one a row."""

    title: str
    bars: Mapping[str, Bar]


def draw_comparison(
    panels: Sequence[BarPanel], kinds: Mapping[str, str], note: str, published: str = ""
) -> Figure:
    """Figure 4: a panel a metric, a bar a row, stars against the best baseline.

    Args:
        panels: in order.
        kinds: kind of each row by name, in the order from top to bottom.
        note: below the panels.
        published: the dataset of the published values, "" where none are drawn.
    """
    names = list(kinds)
    with mpl.rc_context(STYLE):
        height = 0.95 + 0.215 * len(names)
        figure, axes = make_panels(len(panels), height)
        for panel, ax in zip(panels, axes, strict=True):
            _draw_bars(ax, panel, kinds)
        axes[0].set_yticks(range(len(names)), names)
        for label, name in zip(axes[0].get_yticklabels(), names, strict=True):
            label.set_fontweight("bold" if kinds[name] == "ours" else "normal")
        handles: list[Any] = [
            Patch(
                facecolor=COLOURS[kind],
                label=KIND_TITLES[kind],
                hatch="////" if kind == "reference" else None,
                edgecolor="white",
            )
            for kind in COLOURS
            if kind in kinds.values()
        ]
        if published:
            handles.append(
                Line2D(
                    [],
                    [],
                    ls="",
                    marker="D",
                    ms=4,
                    mfc="white",
                    mec=INK,
                    mew=0.8,
                    label=f"published, {published}",
                )
            )
        finish_figure(figure, handles, note, height)
    return figure


def _draw_bars(ax: Axes, panel: BarPanel, kinds: Mapping[str, str]) -> None:
    names = list(kinds)
    bars = [panel.bars[name] for name in names]
    values = np.array([bar.value for bar in bars])
    reach = (
        np.nanmax([values + [bar.error for bar in bars], [bar.published or 0.0 for bar in bars]])
        if len(bars)
        else 1.0
    )
    reach = max(float(reach), 1e-3)
    for y, (name, bar) in enumerate(zip(names, bars, strict=True)):
        if np.isnan(bar.value):
            ax.text(0, y, "  –", va="center", fontsize=7, color=GREY)
            continue
        ax.barh(
            y,
            bar.value,
            height=0.72,
            color=COLOURS[kinds[name]],
            hatch="////" if kinds[name] == "reference" else None,
            edgecolor="white",
            linewidth=0.0,
            zorder=2,
        )
        ax.errorbar(
            bar.value, y, xerr=bar.error, color=INK, lw=0.7, capsize=1.3, capthick=0.7, zorder=3
        )
        if bar.published is not None:
            ax.plot(bar.published, y, "D", ms=3.6, mfc="white", mec=INK, mew=0.8, zorder=4)
        ax.text(
            _label_place(bar, reach),
            y,
            f"{_short(bar.value)}{bar.mark}",
            va="center",
            fontsize=6.8,
            weight="bold" if kinds[name] == "ours" else "normal",
            zorder=5,
        )
    ax.set(xlim=(0, reach * 1.38), ylim=(len(names) - 0.4, -0.6))
    ax.set_title(panel.title, loc="left", pad=4)
    ax.xaxis.grid(True, color=GRID, lw=0.7, zorder=0)
    ax.tick_params(axis="y", length=0)
    ax.tick_params(axis="x", length=2, labelsize=7)
    ax.locator_params(axis="x", nbins=4)
    ax.set_axisbelow(True)


def _label_place(bar: Bar, reach: float) -> float:
    """Where a bar's number begins: past its end, and past a published value that is in the way."""
    start = bar.value + bar.error + 0.025 * reach
    if bar.published is not None and -0.03 < (bar.published - start) / reach < 0.36:
        start = bar.published + 0.045 * reach
    return start


@dataclass(frozen=True)
class GroupedPanel:
    """One metric, a value a row and group; groups in order."""

    title: str
    values: Mapping[str, Sequence[float]]


def draw_one_two(
    panels: Sequence[GroupedPanel], kinds: Mapping[str, str], groups: Sequence[str], note: str
) -> Figure:
    """Figure 5: bars of one- and of two-attribute queries beside each other."""
    names = list(kinds)
    shades = (1.0, 0.5)
    with mpl.rc_context(STYLE):
        height = 0.95 + 0.30 * len(names)
        figure, axes = make_panels(len(panels), height)
        for panel, ax in zip(panels, axes, strict=True):
            wide = 0.8 / len(groups)
            reach = max([1e-3, *(v for row in panel.values.values() for v in row if v == v)])
            for y, name in enumerate(names):
                for place, value in enumerate(panel.values[name]):
                    if np.isnan(value):
                        continue
                    at = y - 0.4 + wide * (place + 0.5)
                    ax.barh(
                        at,
                        value,
                        height=wide * 0.92,
                        color=lighten(COLOURS[kinds[name]], shades[place]),
                        zorder=2,
                    )
                    ax.text(value + 0.02 * reach, at, _short(value), va="center", fontsize=6.2)
            ax.set(xlim=(0, reach * 1.2), ylim=(len(names) - 0.4, -0.6))
            ax.set_title(panel.title, loc="left", pad=4)
            ax.xaxis.grid(True, color=GRID, lw=0.7, zorder=0)
            ax.tick_params(axis="y", length=0)
            ax.tick_params(axis="x", length=2, labelsize=7)
        axes[0].set_yticks(range(len(names)), names)
        for label, name in zip(axes[0].get_yticklabels(), names, strict=True):
            label.set_fontweight("bold" if kinds[name] == "ours" else "normal")
        handles = [
            Patch(facecolor=lighten(COLOURS["ours"], shades[place]), label=group)
            for place, group in enumerate(groups)
        ]
        finish_figure(figure, handles, note, height)
    return figure


@dataclass(frozen=True)
class LinePanel:
    """One metric over the number of changes; a line a row."""

    title: str
    lines: Mapping[str, Sequence[float]]


def _line_look(kinds: Mapping[str, str], name: str) -> dict[str, Any]:
    """Colour, marker and weight of a row's line; references are grey and dotted."""
    kind = kinds[name]
    alike = [other for other in kinds if (kinds[other] == "reference") == (kind == "reference")]
    place = alike.index(name)
    colours = REFERENCE_COLOURS if kind == "reference" else LINE_COLOURS
    return {
        "color": colours[place % len(colours)],
        "marker": LINE_MARKERS[(place + place // len(colours)) % len(LINE_MARKERS)],
        "lw": 2.0 if kind == "ours" else 1.2,
        "ls": {"reference": ":", "ablation": "--"}.get(kind, "-"),
        "ms": 5.2 if kind == "ours" else 4.2,
        "mec": "white",
        "mew": 0.6,
        "zorder": 4 if kind == "ours" else 3,
    }


def draw_by_number(
    panels: Sequence[LinePanel], numbers: Sequence[int], kinds: Mapping[str, str], note: str
) -> Figure:
    """Figure 5, continued: metrics over the number of attributes changed in one query."""
    with mpl.rc_context(STYLE):
        height = 2.45 + 0.17 * -(-len(kinds) // 4)
        figure, axes = make_panels(len(panels), height, same_rows=False)
        for panel, ax in zip(panels, axes, strict=True):
            for name, values in panel.lines.items():
                ax.plot(numbers, values, **_line_look(kinds, name))
            ax.set_title(panel.title, loc="left", pad=4)
            ax.set_xlabel("attributes changed in one query")
            ax.set_xticks(list(numbers))
            ax.set_ylim(bottom=0)
            ax.yaxis.grid(True, color=GRID, lw=0.7)
            ax.tick_params(length=2, labelsize=7)
        handles = [Line2D([], [], label=name, **_line_look(kinds, name)) for name in kinds]
        finish_figure(figure, handles, note, height)
    return figure


def _short(value: float) -> str:
    return f"{value:.3f}".replace("0.", ".", 1) if 0 <= value < 1 else f"{value:.3f}"
