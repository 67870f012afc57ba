"""Draws the numbers of generation: every cell and sampler beside the PCA mixture and the floor."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from analysis import command, figures, generation_pictures, generation_text
from analysis.generation_bench import PCA_MIXTURE, PRIMARY
from analysis.generation_estimates import floor_of
from analysis.generation_samplers import SAMPLERS

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from analysis.applications import Results
    from analysis.generation_estimates import Estimates

MARKERS = dict(zip(SAMPLERS, ("o", "s", "^", "D", "v", "P"), strict=True))
SHARES = (("precision", "recall"), ("density", "coverage"))
MOST = {"density": np.inf}  # the others are shares, at most 1
HEIGHT = 0.19  # inches a cell
LINEAR = 0.2  # decades that the linear part of a symmetric logarithmic axis is drawn as long as, on either side of 0
CHARACTER = 0.03  # what a sign of a tick's label takes up, as a share of the axis of distances beside long names
GAP = 0.75  # signs between two labels


def draw_all(results: Results, estimates: Estimates, trials: pd.DataFrame, folder: Path, split: str) -> list[Path]:
    """Every figure of every data set, each with the table that it draws; the paths written."""
    paths: list[Path] = []
    for dataset in estimates.contrast["dataset"].unique():
        caption = generation_text.caption(estimates, dataset, split)
        paths += figures.save(plot(estimates, dataset, caption), folder / f"distances-{dataset}")
        for name, table, figure in generation_pictures.of_dataset(results, trials, dataset, split):
            paths += command.write({name: table}, folder)
            paths += figures.save(figure, folder / name)
    return paths


def plot(estimates: Estimates, dataset: str, caption: str) -> Figure:
    """Left, kernel distances by cell and sampler; right, recall over precision and coverage over density."""
    rows = estimates.metrics[estimates.metrics["dataset"] == dataset]
    models, others = rows[rows["kind"] == "model"], rows[rows["kind"] == "baseline"]
    cells = list(models["cell"].unique())
    with figures.theme():
        figure = figures.new(min(9.5, max(4.4, 1.9 + HEIGHT * len(cells))))
        left, right = cast("np.ndarray", figure.subfigures(1, 2, width_ratios=[1.5, 1]))
        axes = left.subplots()
        mine = estimates.contrast[estimates.contrast["dataset"] == dataset]
        _distances(axes, models[models["metric"] == PRIMARY], mine, floor_of(others["sampler"]), cells, dataset)
        left.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False, fontsize=6.5)
        for below, pair in zip(right.subplots(len(SHARES), 1), SHARES, strict=True):
            _shares(below, models[models["main"]], others, pair)
        handles, labels = right.axes[0].get_legend_handles_labels()
        right.legend(handles, labels, loc="outside lower center", ncols=2, frameon=False, fontsize=6.5)
        figures.caption(figure, caption)
    return figure


def _distances(
    axes: Axes, models: pd.DataFrame, contrast: pd.DataFrame, floor: str, cells: list[str], dataset: str
) -> None:
    places = {cell: len(cells) - 1 - place for place, cell in enumerate(cells)}
    for number, (sampler, part) in enumerate(models.groupby("sampler", sort=False)):
        style: dict[str, Any] = {
            "marker": MARKERS[str(sampler)],
            "linestyle": "none",
            "mfc": "none",
            "ms": 5,
            "clip_on": False,
        }
        axes.plot(part["value"], part["cell"].map(places), color=figures.COLOURS[number], label=sampler, **style)
    main = models[models["main"]]
    margins = _margins(main["value"], main["low"], main["high"], np.inf)
    heights = main["cell"].map(places)
    axes.errorbar(main["value"], heights, xerr=margins, fmt="none", ecolor="black", elinewidth=0.9, capsize=1.5)
    for marker in sorted({MARKERS[sampler] for sampler in main["sampler"]}):
        mine = main[main["sampler"].map(MARKERS) == marker]
        axes.plot(mine["value"], mine["cell"].map(places), marker, color="black", ms=3)
    _lines(axes, contrast, floor, places)
    axes.set_yticks(list(places.values()), [cell.removeprefix(f"{dataset}-") for cell in places], fontsize=6.5)
    axes.set(ylim=(-0.7, len(cells) - 0.3), xlabel="kernel distance (lower is better)")
    drawn = [*contrast["baseline"], *contrast["floor"], *models["value"], *main["low"].dropna().clip(lower=0)]
    least = min((value for value in drawn if value > 0), default=1.0)
    if min(drawn) > 0:
        axes.set_xscale("log")
    else:  # an unbiased estimate of nothing may fall below 0
        linear_below = max(least, 1e-3)
        axes.set_xscale("symlog", linthresh=linear_below, linscale=LINEAR)
        if min(drawn) == 0:  # an interval is cut there: nothing lies below
            axes.set_xlim(left=-linear_below)
        ticks = _signed_powers(*axes.get_xlim(), linear_below)
        axes.set_xticks(ticks, [_tick_label(tick) for tick in ticks])
    axes.minorticks_off()


def _signed_powers(low: float, high: float, least: float) -> list[float]:
    """Ticks of a symmetric logarithmic axis that is linear within ± `least`: 0 and powers of ten whose labels fit.

    Where none fits, such as on an axis that ends before `least`, round numbers; always two ticks or more.

    Args:
        low, high: Limits of the axis, low ≤ 0 < high.
        least: Above 0.
    """
    from matplotlib.ticker import MaxNLocator

    exponents = range(math.ceil(math.log10(least)), math.floor(math.log10(max(-low, high))) + 1)
    powers = [10.0**exponent for exponent in exponents]
    ticks = _apart([*(-power for power in powers), *powers], low, high, least)
    return ticks if len(ticks) > 1 else _apart(list(MaxNLocator(4).tick_values(low, high)), low, high, least)


def _apart(wanted: Sequence[float], low: float, high: float, least: float) -> list[float]:
    """0 and on either side as many of some ticks as leave `GAP` between their labels, at equal steps."""
    from matplotlib.scale import SymmetricalLogTransform

    transform = SymmetricalLogTransform(10, least, LINEAR).transform
    length = float(np.ptp(transform(np.array([low, high]))))

    def fit(one: float, other: float) -> bool:
        gap = float(np.ptp(transform(np.array([one, other])))) / length
        return gap >= CHARACTER * ((len(_tick_label(one)) + len(_tick_label(other))) / 2 + GAP)

    kept = [0.0]
    for sign in (-1, 1):
        side = sorted((tick for tick in wanted if low <= tick <= high and tick * sign > 0 and fit(0, tick)), key=abs)
        steps = (side[::step] for step in range(1, len(side) + 1))
        kept += next((some for some in steps if all(fit(*pair) for pair in itertools.pairwise(some))), [])
    return sorted(kept)


def _tick_label(tick: float) -> str:
    return f"{tick:g}".replace("-", "−")


def _lines(axes: Axes, contrast: pd.DataFrame, floor: str, places: Mapping[str, int]) -> None:
    """The PCA mixture and the floor of each cell's data, across the rows of the cells on these data; named once."""
    heights = contrast["cell"].map(places)
    for column, method, dash in (("baseline", PCA_MIXTURE, (0, (5, 1.5))), ("floor", floor, (0, (1, 1)))):
        values = contrast[column]
        runs = ((values != values.shift()) | (heights != heights.shift() - 1)).cumsum()  # of neighbours that share it
        parts = heights.groupby(runs)
        axes.vlines(values.groupby(runs).first(), parts.min() - 0.5, parts.max() + 0.5, color=figures.REFERENCE, lw=1,
                    ls=[dash], label=method, zorder=0)  # fmt: skip


def _shares(axes: Axes, main: pd.DataFrame, others: pd.DataFrame, pair: tuple[str, str]) -> None:
    for method, marker, name in ((PCA_MIXTURE, "X", PCA_MIXTURE), (floor_of(others["sampler"]), "*", "real images")):
        _points(axes, others[others["sampler"] == method], pair, marker, figures.REFERENCE, name)
    _points(axes, main[main["sampler"] == "Gaussian mixture"], pair, "D", figures.COLOURS[3], "by Gaussian mixture")
    _points(axes, main[main["sampler"] == "standard normal"], pair, "o", figures.COLOURS[0], "by prior (variational)")
    axes.set(xlabel=pair[0], ylabel=pair[1], ylim=(-0.05, 1.05))
    axes.set_title("higher is better", loc="right", fontsize=7)
    axes.set_xlim(left=-0.05)


def _margins(value: pd.Series, low: pd.Series, high: pd.Series, most: float) -> list[pd.Series]:
    """How far the bars of intervals reach down and up, cut at 0 and at `most`; 0 where there is no interval."""
    return [margin.clip(lower=0).fillna(0) for margin in (value - low.clip(lower=0), high.clip(upper=most) - value)]


def _points(axes: Axes, rows: pd.DataFrame, pair: tuple[str, str], marker: str, colour: str, name: str) -> None:
    wide = rows.pivot_table(index=["cell", "sampler"], columns="metric", values=["value", "low", "high"], sort=False)
    if wide.empty:
        return
    x, y = ({end: wide[end][metric] for end in ("value", "low", "high") if end in wide} for metric in pair)
    bars = [
        _margins(of["value"], of["low"], of["high"], MOST.get(metric, 1)) if "low" in of else None
        for of, metric in zip((x, y), pair, strict=True)
    ]
    axes.errorbar(x["value"], y["value"], xerr=bars[0], yerr=bars[1], fmt=marker, color=colour, ms=5, elinewidth=0.6,
                  label=name)  # fmt: skip
