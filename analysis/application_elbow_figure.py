"""Draws what `analysis.application_elbow_estimates` holds: the error of each application over the latent size."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analysis import figures
from analysis.application_elbow_errors import ANOMALY, DENOISING, GENERATION, INPAINTING, RECONSTRUCTION
from analysis.application_elbow_estimates import BEST

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from analysis.application_elbow_estimates import Estimates

AXES = {
    RECONSTRUCTION: "MSE ÷ mean image's",
    INPAINTING: "MSE ÷ mean image's",
    DENOISING: "MSE ÷ mean image's",
    ANOMALY: "1 - AUC",
    GENERATION: "kernel distance",
}
STRIP = 0.09  # of a panel's height, for each curve's choice


def plot(estimates: Estimates, dataset: str, caption: str) -> Figure:
    """A panel an application; a line a curve, and under the lines the sizes chosen."""
    curve, choice = (t[t["dataset"] == dataset] for t in (estimates.curve, estimates.choice))
    applications, curves = list(curve["application"].unique()), list(curve["curve"].unique())
    columns = min(3, len(applications))
    rows = -(-len(applications) // columns)
    with figures.theme():
        figure = figures.new(2.3 * rows + 1.1 + 0.13 * len(curves))
        grid = figure.subplots(rows, columns, squeeze=False)
        styles = figures.styles(curves, known=tuple(curves))
        for axes, application in zip(grid.flat, applications, strict=False):
            lines, chosen = (t[t["application"] == application] for t in (curve, choice))
            _panel(axes, lines[lines["split"] == "val"], chosen[chosen["rule"] == BEST], styles)
            axes.set(title=application, xlabel="latent size")
            axes.set_ylabel(AXES[application], fontsize=7.5)
        for axes in grid.flat[len(applications) :]:
            axes.set_axis_off()
        handles, labels = grid[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper left", ncols=2, frameon=False)
        figures.caption(figure, caption)
    return figure


def _panel(axes: Axes, lines: pd.DataFrame, chosen: pd.DataFrame, styles: dict[str, figures.Style]) -> None:
    curves = list(styles)
    for name, part in lines.groupby("curve", sort=False):
        margins = [(part["error"] - part["low"]).fillna(0), (part["high"] - part["error"]).fillna(0)]
        axes.errorbar(
            part["latent_dim"], part["error"], margins, capsize=2, elinewidth=0.8, label=name, **styles[str(name)].line
        )
    drawn = lines[["error", "low"]].to_numpy(dtype=float)
    if np.nanmin(drawn) > 0:
        axes.set_yscale("log")
    sizes = sorted(set(lines["latent_dim"]))
    axes.set_xscale("log", base=2)
    axes.set_xlim(sizes[0] / 2**0.5, sizes[-1] * 2**0.5)
    axes.set_xticks(sizes, [str(size) for size in sizes])
    axes.minorticks_off()
    _ticks(axes)
    for row in chosen.to_dict("records"):
        place = 0.04 + STRIP * (len(curves) - 1 - curves.index(row["curve"]))
        _choice(axes, row, place, styles[row["curve"]])
    _room_below(axes, STRIP * len(curves) + 0.05)


def _choice(axes: Axes, row: dict, place: float, style: figures.Style) -> None:
    """A bar over the interval and a diamond at the size, in a strip of the panel's lower end."""
    if row["value"] != row["value"] or row["value"] is None:
        return
    x = axes.get_xaxis_transform()
    low, high = (row["last"] if row[end] != row[end] else row[end] for end in ("low", "high"))
    axes.plot([low, high], [place] * 2, color=style.colour, lw=4, alpha=0.3, solid_capstyle="round", transform=x)
    axes.plot(row["value"], place, "D", ms=5, mfc="white", mew=1.3, color=style.colour, transform=x, clip_on=False)


def _room_below(axes: Axes, share: float) -> None:
    """Lowers the axis so that the lines leave the share of the panel below them free."""
    low, high = axes.get_ylim()
    if axes.get_yscale() == "log":
        low, high = np.log(low), np.log(high)
        axes.set_ylim(np.exp(low - (high - low) * share / (1 - share)), np.exp(high))
    else:
        axes.set_yticks([tick for tick in axes.get_yticks() if low <= tick <= high])
        axes.set_ylim(low - (high - low) * share / (1 - share), high)


def _ticks(axes: Axes) -> None:
    """Plain numbers on a logarithmic axis: decades, or where it spans few of them, multiples as well."""
    if axes.get_yscale() != "log":
        return
    low, high = axes.get_ylim()
    for steps in ((1,), (1, 3), (1, 2, 5), (1, 1.5, 2, 3, 5, 7), (1, 2, 3, 4, 5, 6, 7, 8, 9)):
        ticks = [step * 10.0**decade for decade in range(-6, 4) for step in steps if low <= step * 10.0**decade <= high]
        if len(ticks) >= 3:
            break
    axes.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()
    axes.set_ylim(low, high)
