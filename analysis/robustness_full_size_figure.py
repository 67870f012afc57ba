"""Draws the comparison of `analysis.robustness_full_size`: a row a contrast, the study above, its pilot below."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from analysis import effects_figures, figures
from analysis.effects_words import numbers
from analysis.robustness_text import full_size_caption

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from analysis.robustness_full_size import FullSize

ROW = 0.52  # inches
APART = 0.2  # of a row's height: the two sizes from its middle
STYLES: dict[str, dict[str, Any]] = {
    "cut": {"color": "0.45", "marker": "o", "mfc": "white"},
    "full": {"color": figures.COLOURS[0], "marker": "D", "mfc": figures.COLOURS[0]},
}


def plot(found: FullSize) -> Figure:
    """Every contrast's ratio of errors at both sizes: means with intervals, and the seeds."""
    rows = found.contrasts
    with figures.theme():
        figure = figures.new(1.6 + ROW * len(rows))
        axes = figure.subplots()
        places = np.arange(len(rows))[::-1]
        for place, row in zip(places, rows.to_dict("records"), strict=True):
            mine = (found.points["family"] == row["family"]) & (found.points["conclusion"] == row["conclusion"])
            for size, prefix, at in (("cut", "", place + APART), ("full", "full_", place - APART)):
                seeds = found.points.loc[mine & (found.points["size"] == size), "ratio"].to_numpy()
                _mean(axes, row, size, prefix, at, seeds)
        axes.axvline(1, color="black", lw=0.8, ls=(0, (4, 2)), zorder=0)
        axes.set_xscale("log")
        axes.set_xlim(*_limits(found))
        effects_figures.ticks(axes)
        axes.set_yticks(places, list(rows["conclusion"]))
        axes.set_ylim(-0.6, len(rows) - 0.4)
        axes.set_xlabel("error ÷ the reference's (lower is better)")
        handles = [
            axes.plot([], [], ms=5, lw=1.3, label=size.words, **STYLES[name])[0]
            for name, size in (("cut", found.cut), ("full", found.full))
        ]
        figure.legend(handles=handles, loc="outside upper right", ncols=2, frameon=False)
        figures.caption(figure, full_size_caption(found))
    return figure


def _mean(axes: Axes, row: dict[str, Any], size: str, prefix: str, place: float, seeds: np.ndarray) -> None:
    ends, style = np.array([row[f"{prefix}low"], row[f"{prefix}high"]]), STYLES[size]
    axes.plot(seeds, np.full(len(seeds), place), "|", color=style["color"], ms=7, mew=0.9)
    if np.isfinite(ends).all():
        axes.plot(ends, [place, place], color=style["color"], lw=1.3, solid_capstyle="butt")
    axes.plot(row[f"{prefix}value"], place, ms=5, zorder=3, **style)
    text = numbers(row, f"{prefix}value", f"{prefix}low", f"{prefix}high")
    axes.annotate(
        text, (1.01, place), xycoords=("axes fraction", "data"), va="center", fontsize=7, annotation_clip=False
    )


def _limits(found: FullSize) -> tuple[float, float]:
    """Of the axis: all means and seeds, and intervals as far as a quarter and four times these."""
    drawn = np.log(np.append(found.points["ratio"].to_numpy(dtype=float), 1.0))
    ends = np.log(found.contrasts[["low", "high", "full_low", "full_high"]].to_numpy(dtype=float))
    low = max(np.nanmin(np.append(ends, drawn.min())), drawn.min() - np.log(4))
    high = min(np.nanmax(np.append(ends, drawn.max())), drawn.max() + np.log(4))
    return float(np.exp(low) / 1.1), float(np.exp(high) * 1.1)
