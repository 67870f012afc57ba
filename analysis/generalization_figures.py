"""Draws the tables of `analysis.generalization`: tasks side by side, cells, and curves over what one may choose."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis import figures, generalization_captions, generalization_words
from analysis.generalization_axes import AXES
from analysis.generalization_estimates import margin
from analysis.generalization_membership import CHANCE
from analysis.generalization_points import AREAS, MEMBERSHIP, PARTS, RECONSTRUCTION
from analysis.restoration_figures import short

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from analysis.generalization_estimates import Estimates

MOST_CELLS = 56  # rows of the figure of cells that a page holds
MOST_CURVES = 6
AREA_COLUMNS, RATIO_COLUMNS = ("value", "low", "high"), ("ratio", "ratio_low", "ratio_high")
SHIFTS = {"memorisation": 0.24, "split shift": 0.0, "together": -0.24}  # rows' heights apart
SIDE, CHARACTER = 0.8, 0.067  # inches: left of the axes, and a digit of a tick label
NO_DIFFERENCE: dict[str, Any] = {"color": "black", "lw": 0.8, "ls": (0, (4, 2)), "zorder": 0}
BAND: dict[str, Any] = {"color": "0.88", "zorder": -1, "lw": 0}
# The first are drawn first, others where they have room.
RATIO_TICKS = (1, 0.1, 10, 0.01, 0.5, 2, 0.2, 5, 0.05, 0.02, 0.7, 1.4, 0.8, 1.2, 0.9, 1.1, 0.6, 0.3, 3, 0.95, 1.05)
MOST_TICKS, LINE = 7, 0.13  # LINE: inches, the height of a tick label


def draw_all(estimates: Estimates, folder: Path) -> list[Path]:
    """Every figure of every data set; the paths."""
    paths: list[Path] = []
    for dataset, table in estimates.overall.groupby("dataset", sort=False):
        text = generalization_captions.tasks(table, str(dataset))
        paths += figures.save(plot_tasks(table, text), folder / f"tasks-{dataset}")
        cells = estimates.cells
        cells = cells[(cells["dataset"] == dataset) & (cells["task"] == RECONSTRUCTION)]
        if cells["cell"].nunique() > 1:
            names = list(cells["cell"].unique())
            text = generalization_captions.cells(cells, str(dataset), max(0, len(names) - MOST_CELLS))
            picture = plot_cells(cells, names[:MOST_CELLS], str(dataset), text)
            paths += figures.save(picture, folder / f"cells-{dataset}")
        curves = estimates.curves
        curves = curves[curves["dataset"] == dataset] if len(curves) else curves
        if len(curves):
            paths += figures.save(plot_curves(curves, str(dataset)), folder / f"curves-{dataset}")
    return paths


def plot_tasks(table: pd.DataFrame, caption: str) -> Figure:
    """A row a task and training-set size, three marks in it; ratios on the left, areas on the right."""
    kinds = [table[table["task"].isin(AREAS) == flag] for flag in (False, True)]
    shown = [rows for rows in kinds if len(rows)]
    with figures.theme():
        figure = figures.new(1.9 + 0.3 * max(len(_row_names(rows)) for rows in shown))
        panels = figure.subplots(1, len(shown), squeeze=False, width_ratios=[3, 2][: len(shown)])[0]
        for axes, rows in zip(panels, shown, strict=True):
            _tasks(axes, rows)
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=2, frameon=False)
        figures.caption(figure, caption)
        _tick_ratios(figure, [axes for axes in panels if axes.get_xscale() == "log"], horizontal=True)
    return figure


def _places(rows: pd.DataFrame) -> pd.Series:
    """The row of the figure that each number stands in, counted from above: a task, training-set size and classes."""
    return rows.groupby(["task", "train_size", "classes"], dropna=False, sort=False).ngroup()


def _row_names(rows: pd.DataFrame) -> list[str]:
    firsts = rows[~_places(rows).duplicated()].to_dict("records")
    return [f"{row['task']}, {generalization_words.images(row)}" for row in firsts]


def _tasks(axes: Axes, rows: pd.DataFrame) -> None:
    areas = rows["task"].iloc[0] in AREAS
    names, styles = _row_names(rows), figures.styles(PARTS, known=tuple(PARTS))
    heights = len(names) - 1 - _places(rows)
    for part, shift in SHIFTS.items():
        here = rows["part"] == part
        mine, places = rows[here], heights[here] + shift
        style = styles[part]
        values, low, high = (mine[name] for name in (AREA_COLUMNS if areas else RATIO_COLUMNS))
        if areas:
            most = mine["task"].map(generalization_words.MOST).astype(float)
            low, high = low.clip(lower=-most), high.clip(upper=most)
        axes.errorbar(values, places, xerr=_margins(values, low, high), fmt=style.marker, color=style.colour, ms=4,
                      capsize=1.5, lw=1, label=f"{part} ({generalization_words.PAIRS[part]})")  # fmt: skip
        control = mine["control" if areas else "control_ratio"]
        axes.plot(control, places, "|", color=figures.REFERENCE, ms=9, mew=1.6, zorder=3,
                  label="linear map" if part == "together" else None)  # fmt: skip
    axes.set_yticks(range(len(names)), list(reversed(names)), fontsize=6.5)
    axes.set_ylim(-0.5, len(names) - 0.5)
    axes.axvline(0 if areas else 1, **NO_DIFFERENCE)
    for height, task in dict(zip(heights, rows["task"], strict=True)).items():
        low, high = _band(task, 0 if areas else 1)
        axes.fill_betweenx([height - 0.5, height + 0.5], low, high, **BAND)
    if not areas:
        _ratios(axes, horizontal=True)
        axes.set_xlabel("ratio (below 1: the first does better)")
    else:
        axes.set_xlabel("difference of areas or shares\n(below 0: the first does better)", loc="right")


def _margins(values: Any, low: Any, high: Any) -> np.ndarray:
    """Lengths of the bars to either side; none where an interval is unbounded."""
    sides = np.abs(np.array([np.asarray(low) - values, np.asarray(high) - values], float))
    return np.where(np.isfinite(sides), sides, 0)


def _band(task: str, middle: float) -> tuple[float, float]:
    """What would not matter in a task, about the value of no difference."""
    worth = margin(task)
    return (middle - worth, middle + worth) if task in AREAS else (middle * np.exp(-worth), middle * np.exp(worth))


def _ratios(axes: Axes, horizontal: bool) -> None:
    """A log axis for ratios, about 1; its ticks follow once the figure is whole (`_tick_ratios`)."""
    set_scale, get_limits, set_limits = (
        (axes.set_xscale, axes.get_xlim, axes.set_xlim)
        if horizontal
        else (axes.set_yscale, axes.get_ylim, axes.set_ylim)
    )
    set_scale("log")
    low, high = get_limits()
    set_limits(min(low, 0.94), max(high, 1.06))
    axes.minorticks_off()


def _tick_ratios(figure: Figure, ratios: Iterable[Axes], horizontal: bool) -> None:
    """Ticks of axes of ratios, as many as their lengths hold labels: known once the figure is laid out."""
    figure.draw_without_rendering()
    for axes in ratios:
        axis, get_limits = (axes.xaxis, axes.get_xlim) if horizontal else (axes.yaxis, axes.get_ylim)
        extent = axes.get_window_extent()
        inches = (extent.width if horizontal else extent.height) / figure.dpi
        ticks = _ticks(*get_limits(), inches, horizontal)
        axis.set_ticks(ticks, [f"{tick:g}" for tick in ticks])
        axes.minorticks_off()


def _ticks(low: float, high: float, inches: float, horizontal: bool) -> list[float]:
    """At most `MOST_TICKS` of `RATIO_TICKS`, 1 among them, whose labels are half a digit apart or more."""

    def fits(one: float, other: float) -> bool:
        lengths = [CHARACTER * len(f"{tick:g}") if horizontal else LINE for tick in (one, other)]
        return abs(np.log(one / other)) / np.log(high / low) * inches >= (sum(lengths) + CHARACTER) / 2

    kept: list[float] = []
    for tick in RATIO_TICKS:
        if low <= tick <= high and len(kept) < MOST_TICKS and all(fits(tick, other) for other in kept):
            kept.append(tick)
    return sorted(kept)


def plot_cells(table: pd.DataFrame, names: Sequence[str], dataset: str, caption: str) -> Figure:
    """A row a cell: memorisation on the left, split shift on the right."""
    with figures.theme():
        figure = figures.new(1.4 + 0.145 * len(names))
        panels = figure.subplots(1, 2, sharey=True)
        for axes, part in zip(panels, ("memorisation", "split shift"), strict=True):
            rows = table[table["part"] == part].set_index("cell").reindex(names)
            style = figures.styles(PARTS, known=tuple(PARTS))[part]
            places = np.arange(len(names))[::-1]
            axes.errorbar(rows["control_ratio"], places - 0.22, xerr=_margins(rows["control_ratio"],
                          np.exp(rows["control_low"]), np.exp(rows["control_high"])), fmt="|", color=figures.REFERENCE,
                          lw=0.8, ms=5, label="PCA")  # fmt: skip
            margins = _margins(rows["ratio"], rows["ratio_low"], rows["ratio_high"])
            axes.errorbar(rows["ratio"], places + 0.1, xerr=margins, fmt=style.marker, color=style.colour, ms=3.2,
                          lw=0.9, capsize=1.2, label="network")  # fmt: skip
            axes.set(title=part, xlabel=f"{generalization_words.PAIRS[part]} (MSE)")
            axes.set_yticks(places, [short(cell, dataset) for cell in names], fontsize=6)
            axes.set_ylim(-0.8, len(names) - 0.2)
            axes.axvline(1, **NO_DIFFERENCE)
            axes.axvspan(*_band(RECONSTRUCTION, 1), **BAND)
            _ratios(axes, horizontal=True)
        figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper center", ncols=2, frameon=False)
        figures.caption(figure, caption)
        _tick_ratios(figure, panels, horizontal=True)
    return figure


def plot_curves(curves: pd.DataFrame, dataset: str) -> Figure:
    """A column an axis, a row a measure."""
    tasks = [task for task in (RECONSTRUCTION, MEMBERSHIP) if task in set(curves["task"])] or [curves["task"].iloc[0]]
    curves = curves[curves["task"].isin(tasks)]
    axes_there = [axis for axis in AXES if axis in set(curves["axis"])]
    with figures.theme():
        figure = figures.new(1.2 + 2.2 * len(tasks))
        grid = figure.subplots(len(tasks), len(axes_there), squeeze=False, sharey="row")
        for row, task in enumerate(tasks):
            for column, axis in enumerate(axes_there):
                mine = curves[(curves["task"] == task) & (curves["axis"] == axis)]
                _curves(grid[row, column], mine, task, axis)
            grid[row, 0].set_ylabel(_measure(task))
        for axes in grid[0]:
            axes.legend(fontsize=6, frameon=False, loc="best")
        figures.caption(figure, generalization_captions.curves(curves, dataset))
        _tick_ratios(figure, [axes for axes in grid.flat if axes.get_yscale() == "log"], horizontal=False)
    return figure


def _measure(task: str) -> str:
    if task == RECONSTRUCTION:
        return "MSE, training ÷ held-out"
    return "AUC, held-out against training" if task == MEMBERSHIP else f"{task}, training against held-out"


def _curves(axes: Axes, table: pd.DataFrame, task: str, axis: str) -> None:
    names = list(table["curve"].unique())[:MOST_CURVES]
    for name, style in figures.styles(names, known=tuple(names)).items():
        rows = table[table["curve"] == name].sort_values("level")
        values, low, high, control = _drawn(rows, task)
        axes.errorbar(rows["level"], values, _margins(values, low, high), capsize=1.5, label=name, **style.line)
        axes.plot(rows["level"], control, color=style.colour, lw=0.8, ls=":")
        out = rows["excluded"]
        axes.plot(rows["level"][out], values[out], style.marker, color=style.colour, mfc="white", zorder=3)
    axes.set_xscale("log")
    levels = sorted(set(table["level"]))
    axes.set_xticks(levels, [f"{level:,}" for level in levels], rotation=30 if _crowded(axes, levels) else 0)
    axes.set_xlabel(generalization_words.LEVELS[axis])
    same = CHANCE if task == MEMBERSHIP else 0 if task in AREAS else 1
    axes.axhline(same, **NO_DIFFERENCE)
    axes.axhspan(*_band(task, same), **BAND)
    if task not in AREAS:
        _ratios(axes, horizontal=False)
    axes.minorticks_off()


def _crowded(axes: Axes, levels: Sequence[int]) -> bool:
    """Whether labels of these levels, side by side on a log axis, would touch."""
    columns = axes.get_subplotspec().get_gridspec().ncols  # type: ignore[union-attr]
    width = (figures.PAGE_WIDTH - SIDE) / columns / CHARACTER  # of the axis, in characters
    low, high = np.log(axes.get_xlim())
    apart = np.diff(np.log(levels)) / (high - low) * width
    lengths = np.array([len(f"{level:,}") for level in levels])
    return bool((apart < (lengths[1:] + lengths[:-1]) / 2 + 1).any())


def _drawn(rows: pd.DataFrame, task: str) -> tuple[Any, Any, Any, Any]:
    """Value, ends and control as they are drawn: a ratio, or an area."""
    if task == MEMBERSHIP:
        chance = CHANCE
        return tuple(chance - rows[name] for name in ("value", "high", "low", "control"))  # type: ignore[return-value]
    if task in AREAS:
        return tuple(rows[name] for name in (*AREA_COLUMNS, "control"))  # type: ignore[return-value]
    return tuple(rows[name] for name in (*RATIO_COLUMNS, "control_ratio"))  # type: ignore[return-value]
