"""Draws the tables of `analysis.latent_elbow`: the curves of one data set, and below one image at each size."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis import figures
from analysis.latent_elbow_text import error_name
from analysis.pictures import draw

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from analysis.latent_elbow_estimates import Estimates
    from analysis.pictures import Pictures

PANEL_HEIGHTS = {1: 2.6, 2: 2.6, 3: 2.1}  # inches, by the number of columns
WIDE, NARROW = 36, 24  # characters of a title's line above a panel, of up to two columns and of three
MARGINS = 1.5  # inches for legend and caption
NETWORK, LINEAR, SEED = "network (mean, 95 % interval)", "PCA (mean, 95 % interval)", "one seed"
CHOSEN, OUT = "chosen size, 95 % interval", "left out of the rules"
LEGEND = (NETWORK, LINEAR, SEED, CHOSEN, OUT)
DIMENSIONS = {"Levina-Bickel": "-.", "TwoNN": ":"}
SHIFT = 0.16  # octaves: seeds stand to the left of their mean, PCA to the right


def plot(estimates: Estimates, dataset: str, pictures: Pictures, caption: str) -> Figure:
    """The figure of one data set: a panel a curve, all on the same axes, and the pictures below."""
    tables = {name: table[table["dataset"] == dataset] for name, table in estimates.tables().items()}
    panels = list(dict.fromkeys(tables["curve"]["panel"]))
    columns = 1 if len(panels) == 1 else 2 if len(panels) <= 4 else 3
    rows = -(-len(panels) // columns)
    picture = min(0.85, 5.6 / (1 + len(pictures.sizes)))
    heights = [rows * PANEL_HEIGHTS[columns], max(len(pictures.rows) * picture, 0.01)]
    with figures.theme():
        figure = figures.new(sum(heights) + MARGINS)
        outer = figure.add_gridspec(2, 1, height_ratios=heights)
        grid = outer[0].subgridspec(rows, columns).subplots(sharex=True, sharey=True, squeeze=False)
        styles = figures.styles(tables["curve"]["architecture"])
        for axes, panel in zip(grid.flat, panels, strict=False):
            _panel(axes, {name: table[table["panel"] == panel] for name, table in tables.items()}, styles, columns < 3)
        for axes in grid.flat[len(panels) :]:
            axes.set_axis_off()
        _finish(grid, estimates.kind, tables["curve"])
        _legend(figure, grid)
        if pictures.rows:
            draw(outer[1].subgridspec(len(pictures.rows), 1 + len(pictures.sizes), wspace=0.04, hspace=0.04), pictures)
        figures.caption(figure, caption)
    return figure


def _panel(axes: Axes, tables: dict[str, pd.DataFrame], styles: dict[str, figures.Style], wide: bool) -> None:
    curve, points = (table[table["split"] == "val"] for table in (tables["curve"], tables["points"]))
    style = styles[curve["architecture"].iloc[0]]
    axes.set_title(textwrap.fill(curve["panel"].iloc[0], WIDE if wide else NARROW), loc="left")
    _thresholds(axes, tables["elbow"], style)
    _dimensions(axes, tables["dimension"], named=wide)
    pca = curve.dropna(subset="pca_relative")
    _interval_line(
        axes, pca["latent_dim"] * 2**SHIFT, pca, "pca_", color=figures.REFERENCE, linestyle=(0, (2, 1)), marker="_",
        label=LINEAR,
    )  # fmt: skip
    kept, out = curve[~curve["excluded"]], curve[curve["excluded"]]
    _interval_line(axes, kept["latent_dim"], kept, "", **style.line, zorder=3, label=NETWORK)
    seeds = points.dropna(subset="relative")
    axes.plot(
        seeds["latent_dim"] / 2**SHIFT, seeds["relative"], ".", color=style.colour, alpha=0.5, ms=5, mew=0, label=SEED
    )
    hollow = {"marker": style.marker, "mfc": "white", "color": style.colour, "linestyle": "none"}
    _interval_line(axes, out["latent_dim"], out, "", **hollow, zorder=3)
    if len(out):
        axes.plot(out["latent_dim"], out["relative"], "x", color="black", ms=7, label=OUT)


def _interval_line(axes: Axes, x: pd.Series, rows: pd.DataFrame, prefix: str, **line: Any) -> None:
    mean = rows[f"{prefix}relative"]
    margins = [(mean - rows[f"{prefix}low"]).fillna(0), (rows[f"{prefix}high"] - mean).fillna(0)]
    axes.errorbar(x, mean, margins, capsize=2, elinewidth=0.9, **line)


def _thresholds(axes: Axes, elbow: pd.DataFrame, style: figures.Style) -> None:
    """Each threshold as a line, and on it the size chosen: a bar from end to end, with an arrow where it is open."""
    chosen: dict[str, Any] = {"marker": "D", "ms": 5, "mfc": "white", "mew": 1.3, "color": style.colour, "zorder": 4}
    axes.axhline(1, color="0.6", lw=0.8)
    for _, row in elbow[elbow["threshold"].notna() & ~elbow["shortened"]].iterrows():
        tau = row["threshold"]
        axes.axhline(tau, color="0.6", lw=0.6, ls=(0, (1, 2)))
        axes.annotate(f"{100 * tau:g} %", (1, tau), xycoords=("axes fraction", "data"), xytext=(2, 0), va="center",
                      textcoords="offset points", fontsize=7, color="0.35")  # fmt: skip
        beyond = row["last"] * 2**0.5
        low, high, value = (beyond if np.isnan(row[end]) else row[end] for end in ("low", "high", "value"))
        axes.plot([low, high], [tau, tau], color=style.colour, lw=4, alpha=0.3, solid_capstyle="butt")
        if np.isnan(row["high"]):
            axes.plot(beyond, tau, ">", color=style.colour, ms=5, alpha=0.6, mew=0)
        if not np.isnan(row["value"]):
            axes.plot(value, tau, **chosen)
    axes.plot([], [], **chosen, lw=4, alpha=0.5, label=CHOSEN)


def _dimensions(axes: Axes, dimension: pd.DataFrame, named: bool) -> None:
    """Vertical lines; the smaller one is named to its left, the larger one to its right, so that names cannot meet."""
    for place, (_, row) in enumerate(dimension.sort_values("value").iterrows()):
        axes.axvline(row["value"], color="0.3", lw=0.9, ls=DIMENSIONS[row["estimator"]])
        if named:
            axes.annotate(
                f"{row['estimator']} {row['value']:.1f}", (row["value"], 0.02), xycoords=("data", "axes fraction"),
                xytext=((-3, 3)[place], 0), textcoords="offset points", ha=("right", "left")[place], va="bottom",
                rotation=90, fontsize=6.5, color="0.3", annotation_clip=True,
                bbox={"fc": "white", "ec": "none", "pad": 0.3, "alpha": 0.85},
            )  # fmt: skip


def _finish(grid: np.ndarray, kind: str, curve: pd.DataFrame) -> None:
    sizes = sorted(set(curve["latent_dim"]))
    drawn = curve.loc[curve["split"] == "val", ["relative", "low", "pca_relative"]].to_numpy(dtype=float)
    bottom = min(0.04, max(0.5 * np.nanmin(drawn[:, [0, 2]], initial=1, where=drawn[:, [0, 2]] > 0), 1e-4))
    axes = grid[0, 0]
    axes.set(xscale="log", yscale="log", ylim=(bottom, max(1.25, 1.1 * np.nanmax(drawn))))
    axes.set_xscale("log", base=2)
    axes.set_xlim(sizes[0] / 2**0.4, sizes[-1] * 2**0.75)
    every = 2 if grid.shape[1] == 3 and len(sizes) > 7 else 1  # narrow panels: every second size is named
    axes.set_xticks(
        sizes, [str(size) if place % every == 0 else "" for place, size in enumerate(reversed(sizes))][::-1]
    )
    axes.minorticks_off()
    ticks = [tick for tick in (1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001) if tick >= bottom]
    axes.set_yticks(ticks, [f"{100 * tick:g} %" for tick in ticks])
    for below in grid.flat:
        below.tick_params(labelbottom=True)
        below.set_xlabel("latent size")
    for left in grid[:, 0]:
        left.set_ylabel(f"{error_name('val', kind)} ÷\nmean image's (lower is better)", fontsize=8)


def _legend(figure: Figure, grid: np.ndarray) -> None:
    """One legend for all panels, each entry as the first panel that has it draws it."""
    entries = [axes.get_legend_handles_labels() for axes in reversed(list(grid.flat))]
    handles = {label: handle for pair in entries for handle, label in zip(*pair, strict=True)}
    shown = [name for name in LEGEND if name in handles]
    figure.legend([handles[name] for name in shown], shown, loc="outside upper center", ncols=3, frameon=False)
