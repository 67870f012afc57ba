"""Draws the tables of `analysis.effects`: of each family the paired differences with their seeds, and the curves."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis import citable, figures
from analysis.effects_text import captions
from analysis.effects_words import WORDS, metric_name, numbers

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from analysis.effects import Estimates

COLUMNS = 3
TICKS = (  # from dense to sparse: the first that leaves few enough to read
    (0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.1, 1.25, 1.5, 2, 3, 4, 5, 10, 20, 50),
    (0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 5, 10, 20, 50),
    (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200),
    (0.001, 0.01, 0.1, 1, 10, 100, 1000),
)
FEWEST, MOST = 3, 8  # ticks
CUT = 3.0  # times below the lowest and above the highest mean, where bands are cut off
SEEDS_BELOW = 0.24  # of a row's height: seeds stand under their mean
MARGIN, LEAST_SPAN = 0.06, 1.2  # room at the ends of an axis, as a share of its logarithmic length; its least length
BESIDE_LEGEND = 50  # characters of a title's line that leave the legend its place
CELL, REFERENCE = "with the change", "its reference"


def plots(estimates: Estimates) -> Iterator[tuple[str, Figure]]:
    """The figures of every family that has a pair: ("forest-FAMILY", figure) and ("curves-FAMILY", figure)."""
    for family in estimates.families:
        rows = estimates.contrasts[(estimates.contrasts["family"] == family.name) & (estimates.contrasts["n"] > 0)]
        if rows.empty:
            continue
        text = captions(estimates, family.name)
        pairs = estimates.pairs[estimates.pairs["family"] == family.name]
        yield f"forest-{citable.slug(family.name)}", forest(rows, pairs, text["forest"])
        metric = "val_fvu" if figures.split_of(family.metric)[1] == "fvu" else "val_mse"
        mine = estimates.curves["cell"].isin([*rows["cell"], *rows["reference"]])
        drawn = estimates.curves[mine & (estimates.curves["metric"] == metric)]
        yield f"curves-{citable.slug(family.name)}", curves(rows, drawn, text["curves"])


def forest(rows: pd.DataFrame, pairs: pd.DataFrame, caption: str) -> Figure:
    """A row a contrast: the seeds' ratios, their mean with its simultaneous interval, and the numbers beside it."""
    with figures.theme():
        figure = figures.new(1.5 + 0.33 * len(rows))
        axes = figure.subplots()
        start, names = short(list(rows["label"]))
        places = np.arange(len(rows))[::-1]
        limits = _limits(rows, pairs)
        for place, row in zip(places, rows.to_dict("records"), strict=True):
            mine = pairs[(pairs["cell"] == row["cell"]) & (pairs["reference"] == row["reference"])]
            if limits and not limits[0] <= row["ratio"] <= limits[1]:
                _arrow(axes, float(place), row, left=row["ratio"] < limits[0])
            else:
                _row(axes, float(place), row, mine["ratio"].to_numpy())
        axes.axvline(1, color="black", lw=0.8, ls=(0, (4, 2)), zorder=0)
        axes.set_xscale("log")
        if limits:
            axes.set_xlim(*limits)
        ticks(axes)
        axes.set_yticks(places, names)
        axes.set_ylim(-0.7, len(rows) - 0.4)
        if start:
            axes.set_title(f"{start} …", loc="left")
        axes.set_xlabel(f"{metric_name(rows['metric'].iloc[0])} ÷ the reference's (lower is better)")
        _forest_legend(axes)
        figures.caption(figure, caption)
    return figure


def curves(rows: pd.DataFrame, drawn: pd.DataFrame, caption: str) -> Figure:
    """A panel a contrast: the cell's curve and its reference's, each with its interval over seeds."""
    with figures.theme():
        columns = min(COLUMNS, len(rows))
        lines = -(-len(rows) // columns)
        figure = figures.new(1.0 + 1.75 * lines)
        grid = figure.subplots(lines, columns, sharex=True, sharey=True, squeeze=False)
        start, names = short(list(rows["label"]))
        for axes, name, row in zip(grid.flat, names, rows.to_dict("records"), strict=False):
            _curve(axes, drawn[drawn["cell"] == row["reference"]], REFERENCE, figures.REFERENCE, (0, (4, 2)))
            _curve(axes, drawn[drawn["cell"] == row["cell"]], CELL, figures.COLOURS[0], "-")
            axes.set_title(name, loc="left", fontsize=7.5)
        for axes in grid.flat[len(rows) :]:
            axes.set_axis_off()
        _finish(grid, len(rows), drawn)
        handles, labels = grid[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper right", ncols=2, frameon=False)
        if start:
            title = textwrap.fill(f"{start} …", BESIDE_LEGEND)
            figure.suptitle(title, x=0.01, ha="left", fontsize=9)
        figures.caption(figure, caption)
    return figure


def short(labels: Sequence[str]) -> tuple[str, list[str]]:
    """What all labels begin with, in whole words, and what is left of each; nothing is taken off a single one.

    >>> short(["loss bce → mse", "loss bce → mae"])
    ('loss bce →', ['mse', 'mae'])
    """
    words = [label.split(" ") for label in labels]
    same = 0
    while len(labels) > 1 and all(len(w) > same + 1 and w[same] == words[0][same] for w in words):
        same += 1
    return " ".join(words[0][:same]), [" ".join(w[same:]) for w in words]


def _limits(rows: pd.DataFrame, pairs: pd.DataFrame) -> tuple[float, float] | None:
    """The axis of the contrasts whose images go through the code, where others are far from these; else None."""
    shown = rows[~rows["past_code"].astype(bool)]
    if shown.empty or len(shown) == len(rows):
        return None
    seeds = pairs.loc[pairs["cell"].isin(shown["cell"]), "ratio"]
    values = np.concatenate([shown[["ratio", "ratio_low", "ratio_high"]].to_numpy(float).ravel(), seeds, [1.0]])
    logs = np.log(values[np.isfinite(values) & (values > 0)])
    room = MARGIN * max(np.ptp(logs), np.log(LEAST_SPAN))
    return float(np.exp(logs.min() - room)), float(np.exp(logs.max() + room))


def _arrow(axes: Axes, place: float, row: dict[str, Any], left: bool) -> None:
    """A contrast beyond the axis: an arrow at its end, and the numbers."""
    colour, end = figures.COLOURS[0], axes.get_yaxis_transform()
    axes.plot(0.015 if left else 0.985, place, "<" if left else ">", color=colour, ms=6, transform=end, clip_on=False)
    _numbers(axes, place, row)


def _row(axes: Axes, place: float, row: dict[str, Any], seeds: np.ndarray) -> None:
    ends = np.array([row["ratio_low"], row["ratio_high"]])
    bounded = np.isfinite(ends).all()
    colour = figures.COLOURS[0]
    axes.plot(seeds, np.full(len(seeds), place - SEEDS_BELOW), ".", color="0.45", ms=4, alpha=0.7, mew=0)
    if bounded:
        axes.plot(ends, [place, place], color=colour, lw=1.3, solid_capstyle="butt")
        axes.plot(ends, [place, place], "|", color=colour, ms=6)
    face = colour if row["verdict"] in WORDS else "white"
    axes.plot(row["ratio"], place, "o", color=colour, mfc=face, ms=5, mew=1.2, zorder=3)
    _numbers(axes, place, row)


def _numbers(axes: Axes, place: float, row: dict[str, Any]) -> None:
    axes.annotate(
        numbers(row), (1.01, place), xycoords=("axes fraction", "data"), va="center", fontsize=7, annotation_clip=False
    )


def _forest_legend(axes: Axes) -> None:
    """Drawn apart, so that it names what the rows may not all show."""
    colour = figures.COLOURS[0]
    same: dict[str, Any] = {"color": colour, "ms": 5, "mew": 1.2}
    entries = [
        axes.plot([], [], "o-", mfc=colour, **same, label="interval excludes 1")[0],
        axes.plot([], [], "o-", mfc="white", **same, label="not resolved")[0],
        axes.plot([], [], ".", color="0.45", ms=4, mew=0, label="one seed")[0],
    ]
    figure = axes.get_figure()
    assert figure is not None
    figure.legend(handles=entries, loc="outside upper right", ncols=3, frameon=False)


def ticks(axes: Axes) -> None:
    """Round ratios within the axis, thinned out to as many as can be read."""
    low, high = axes.get_xlim()
    choices = ([tick for tick in ticks if low <= tick <= high] for ticks in TICKS)
    ticks = next((some for some in choices if FEWEST <= len(some) <= MOST), [])
    if ticks:
        axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        axes.minorticks_off()
        return
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.minorticks_off()


def _curve(axes: Axes, rows: pd.DataFrame, label: str, colour: str, dash: Any) -> None:
    axes.plot(rows["epoch"], rows["value"], color=colour, ls=dash, lw=1.3, label=label)
    axes.fill_between(rows["epoch"], rows["low"], rows["high"], color=colour, alpha=0.2, lw=0)


def _finish(grid: np.ndarray, panels: int, drawn: pd.DataFrame) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    first = grid[0, 0]
    first.set_yscale("log")
    ends = drawn[["value", "low", "high"]].to_numpy(dtype=float)
    low = max(np.nanmin(ends), drawn["value"].min() / CUT) / 1.1
    high = min(np.nanmax(ends), drawn["value"].max() * CUT) * 1.1
    first.set_ylim(low, high)
    ticks = [t * 10.0**p for p in range(-6, 3) for t in (1, 2, 5) if low <= t * 10.0**p <= high]
    first.set_yticks(ticks)
    first.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    first.minorticks_off()
    first.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    columns = grid.shape[1]
    for place, axes in enumerate(grid.flat[:panels]):
        if place + columns >= panels:  # nothing is drawn below it
            axes.tick_params(labelbottom=True)
            axes.set_xlabel("epoch")
        if place % columns == 0:
            name = textwrap.fill(metric_name(drawn["metric"].iloc[0]), 24)
            axes.set_ylabel(f"{name}\n(lower is better)", fontsize=8)
