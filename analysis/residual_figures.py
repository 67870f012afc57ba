"""Draws the tables of `analysis.residual`: the twins over depth and epochs, and the use of the code."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis import figures, residual_text
from analysis.residual_estimates import INTERACTION
from analysis.residual_latent_use import LEAKS
from analysis.residual_twins import PLAIN, SKIPS

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from analysis.residual_estimates import Estimates

TWINS = (SKIPS, PLAIN)
NULL = {"reconstruction": 1.0}  # of the other measures: 0
WORDS = {"reconstruction": "test MSE,\nU-Net ÷ without", "anomaly": "AUC,\nU-Net − without",
         "generation": "kernel distance,\nU-Net − without"}  # fmt: skip


def draw_all(estimates: Estimates, use: pd.DataFrame, leak: pd.DataFrame) -> Iterator[tuple[str, Figure]]:
    """Every figure with the stem of its file; latent use only with a network that can have one below 1."""
    groups = estimates.pairs.groupby(["dataset", "of"], sort=False) if len(estimates.pairs) else ()
    for (dataset, of), pairs in groups:
        tables = {
            name: table[(table["dataset"] == dataset) & (table["of"] == of)]
            for name, table in estimates.tables().items()
        }
        text = residual_text.caption_depth(estimates, str(dataset), str(of))
        yield residual_text.stem(str(dataset), str(of)), plot_depth(pairs, tables, text)
    if len(use) and (use["architecture"] == LEAKS).any():
        yield "latent-use", plot_use(use, leak, residual_text.caption_use(use, leak))


def plot_depth(pairs: pd.DataFrame, tables: dict[str, pd.DataFrame], caption: str) -> Figure:
    """Ratios over depth on the left, curves over epochs on the right."""
    with figures.theme():
        figure = figures.new(5.4)
        grid = figure.subplots(2, 2)
        _ratios(grid[0, 0], pairs, tables)
        _gradient_ratios(grid[1, 0], tables)
        for axes, what, label in (
            (grid[0, 1], "val_mse", "validation MSE (lower is better)"),
            (grid[1, 1], "gradient_scale", "gradient scale, first kernel"),
        ):
            _curves(axes, tables["curves"], what)
            axes.set(xlabel="epoch", ylabel=label, yscale="log")
            _ticks(axes)
        figure.legend(*grid[0, 1].get_legend_handles_labels(), loc="outside upper center", ncols=4, frameon=False)
        figures.caption(figure, caption)
    return figure


def _ratios(axes: Axes, pairs: pd.DataFrame, tables: dict[str, pd.DataFrame]) -> None:
    """Test MSE, residual ÷ plain: seeds, the family's intervals, and the line of the mean slope."""
    seeds = pairs.dropna(subset="log_ratio")
    axes.plot(seeds["depth"] * 2**-0.1, np.exp(seeds["log_ratio"]), ".", color="0.45", ms=5, mew=0, label="one seed")
    if "depths" in tables:
        rows = tables["depths"]
        _points(axes, rows, "D", figures.COLOURS[0])
        slopes = tables.get("interaction")
        slope = None if slopes is None else slopes[slopes["what"] == INTERACTION]
        if slope is not None and len(slope):
            x = np.log2(rows["depth"].to_numpy(float))
            line = np.log(rows["ratio"]).mean() + slope["slope"].iloc[0] * (x - x.mean())
            axes.plot(rows["depth"], np.exp(line), color="0.45", ls=(0, (4, 2)), lw=1)
    _over_depth(axes, pairs["depth"], "test MSE, residual ÷ plain\n(below 1: skips help)")


def _gradient_ratios(axes: Axes, tables: dict[str, pd.DataFrame]) -> None:
    if "gradients" in tables:
        rows = tables["gradients"].dropna(subset="depth")
        _points(axes, rows, "s", figures.COLOURS[4])
        _over_depth(axes, rows["depth"], "gradient scale, residual ÷ plain,\nfirst epoch")


def _points(axes: Axes, rows: pd.DataFrame, marker: str, colour: str) -> None:
    sides = np.array([rows["ratio"] - rows["low"], rows["high"] - rows["ratio"]], float)
    sides = np.where(np.isfinite(sides), sides, 0)
    axes.errorbar(rows["depth"], rows["ratio"], sides, fmt=marker, color=colour, capsize=2, ms=4.5)


def _over_depth(axes: Axes, depths: pd.Series, label: str) -> None:
    levels = sorted({int(depth) for depth in depths})
    axes.axhline(1, color="black", lw=0.8, ls=(0, (1, 1)), zorder=0)
    axes.set_xscale("log", base=2)
    axes.set_xticks(levels, [str(level) for level in levels])
    axes.set_xlim(levels[0] * 0.8, levels[-1] * 1.25)
    axes.set_yscale("log")
    _ticks(axes)
    axes.set(xlabel="depth (blocks a stage)", ylabel=label)


def _ticks(axes: Axes) -> None:
    """Named ticks of a log axis: of each decade more the fewer decades there are."""
    low, high = axes.get_ylim()
    digits: tuple[float, ...] = (1, 2, 5) if high / low > 5 else (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 7, 8, 9)
    digits = (1,) if high / low > 500 else digits
    decades = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    ticks = [digit * 10.0**decade for decade in decades for digit in digits if low <= digit * 10.0**decade <= high]
    axes.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()


def _curves(axes: Axes, curves: pd.DataFrame, what: str) -> None:
    """The shallowest and the deepest of either architecture."""
    ends = sorted({curves["depth"].min(), curves["depth"].max()})
    styles = figures.styles(TWINS)
    for architecture in TWINS:
        for depth, dash in zip(ends, ("-", (0, (4, 2))), strict=False):
            rows = curves[(curves["architecture"] == architecture) & (curves["depth"] == depth)].sort_values("epoch")
            style = styles[architecture]
            axes.plot(rows["epoch"], rows[what], color=style.colour, ls=dash, marker=style.marker, ms=3,
                      markevery=max(1, len(rows) // 6), label=f"{architecture}, depth {depth}")  # fmt: skip
            low, high = (rows[f"{what}_{end}"].fillna(rows[what]) for end in ("low", "high"))
            axes.fill_between(rows["epoch"], low, high, color=style.colour, alpha=0.13, lw=0)


def plot_use(use: pd.DataFrame, leak: pd.DataFrame, caption: str) -> Figure:
    """Latent use by cell; beside it what the leak changes, one axis a measure."""
    first = leak[leak["cell"] == leak["cell"].iloc[0]] if len(leak) else leak
    with figures.theme():
        figure = figures.new(max(1.5 + 0.2 * len(use), 1.3 + 0.75 * len(first)))
        grid = figure.add_gridspec(max(len(first), 1), 2, width_ratios=[1.3, 1])
        axes = figure.add_subplot(grid[:, 0] if len(first) else grid[:, :])
        places = np.arange(len(use))[::-1]
        _horizontal(axes, use["use"], use["low"], use["high"], places)
        axes.set_yticks(places, use["cell"], fontsize=6.5)
        axes.set(xlabel="latent use (1: all through the code)", xlim=(-0.03, max(1.08, 1.05 * use["use"].max())))
        axes.set_ylim(-0.6, len(use) - 0.4)
        axes.axvline(1, color="black", lw=0.8, ls=(0, (1, 1)), zorder=0)
        for place, row in enumerate(first.to_dict("records")):
            _measure(figure.add_subplot(grid[place, 1]), row)
        figures.caption(figure, caption)
    return figure


def _measure(axes: Axes, row: dict[str, Any]) -> None:
    value, low, high = (np.array([row[name]]) for name in ("value", "low", "high"))
    _horizontal(axes, value, low, high, np.array([0]))
    null = NULL.get(row["what"], 0.0)
    axes.axvline(null, color="black", lw=0.8, ls=(0, (1, 1)), zorder=0)
    ends = [null, *(row[name] for name in ("value", "low", "high") if row[name] == row[name])]
    pad = 0.1 * (max(ends) - min(ends)) or 0.1
    axes.set(yticks=[0], ylim=(-0.6, 0.6), xlim=(min(ends) - pad, max(ends) + pad))
    axes.set_yticklabels([WORDS[row["what"]]], fontsize=6.5)


def _horizontal(axes: Axes, value: Any, low: Any, high: Any, places: np.ndarray) -> None:
    sides = np.abs(np.array([np.asarray(low) - value, np.asarray(high) - value], float))
    sides = np.where(np.isfinite(sides), sides, 0)
    axes.errorbar(value, places, xerr=sides, fmt="o", color=figures.COLOURS[0], ms=4, capsize=2)
