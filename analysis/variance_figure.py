"""Draws the tables of `analysis.variance`: shares of the variance in each block, of each source, and seeds needed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis import figures
from analysis.variance_blocks import RESIDUAL, SEED
from analysis.variance_budget import ALL_SOURCES
from analysis.variance_text import percentage

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from analysis.variance import Estimates

ROW, CLAIM = 0.19, 0.165  # inches a line
SHOWN = (-100, 300)  # per cent: what lies beyond of a ratio of two variances is an arrow
NEEDED = {"width": ("o", "interval of ± 2 %"), "power": ("s", "power of 80 % at the observed effect")}
FAMILY = (
    "Paired t at 95 % for all claims of a family together (Bonferroni); intervals from χ² of the spread and from the "
    "noncentral t of the effect; assume normal differences."
)
CHANCE = {SEED: "what a seed's cells share", RESIDUAL: "rest"}


def draw_all(estimates: Estimates) -> Iterator[tuple[str, Figure]]:
    """Stem and figure of each part that there is."""
    if len(estimates.components):
        yield "blocks", plot_blocks(estimates.components)
    drawable = estimates.budget[estimates.budget["share"].notna()] if len(estimates.budget) else estimates.budget
    if len(drawable):
        yield "randomness", plot_budget(drawable)
    if len(estimates.needed):
        yield "seeds", plot_needed(estimates.needed)


def plot_blocks(components: pd.DataFrame) -> Figure:
    """A panel a block: each term's share with its interval; what chance makes is hollow."""
    blocks = [part for _, part in components.groupby("block", sort=False)]
    titles = [f"{part['block'].iloc[0]}: {part['cells'].iloc[0]} cells × {part['n'].iloc[0]} seeds" for part in blocks]
    rows = [
        [
            (CHANCE.get(row["effect"], row["effect"]), row["share"], row["low"], row["high"], row["effect"] in CHANCE)
            for row in _rows(part)
        ]
        for part in blocks
    ]
    caption = (
        f"Shares of the variance of {components['metric'].iloc[0]} among the cells and seeds of each full factorial "
        "block: points bias-corrected, so that chance alone gives 0 (or a little below); bars 95 % intervals, cut at "
        "0. Filled: factors and their interactions (×). Hollow: what differs between seeds. "
        f"{_first(components['method'])}."
    )
    return _panels(titles, rows, "share of the variance, %", caption)


def plot_budget(budget: pd.DataFrame) -> Figure:
    """A panel a cell: each source's variance as a share of that of all."""
    cells = [part for _, part in budget.groupby("cell", sort=False)]
    rows = [
        [
            (f"{row['source']} (n = {row['n']})", row["share"], row["share_low"], row["share_high"], False)
            for row in _rows(part)
            if row["source"] != ALL_SOURCES
        ]
        for part in cells
    ]
    titles = [f"{part['cell'].iloc[0]}: spread over seeds {part['sd_percent'].iloc[0]:.2g} %" for part in cells]
    caption = (
        "Variance of log test MSE over seeds that decide one source alone, the others held at those of seed 0, ÷ that "
        "over seeds that decide all, with 95 % intervals (χ² of a variance, F of a share; assume normal log errors). "
        "Dashed: the whole. The whole less its three sources: 0 where they add up, below 0 by their interactions, of "
        "which each source has its own. Test images: what another draw of them would add beside the whole. Arrows: the "
        "interval leaves the axis; an estimate that does so has no point."
    )
    return _panels(titles, rows, "share of the variance over seeds, %", caption, whole=True)


def plot_needed(needed: pd.DataFrame) -> Figure:
    """A line a claim: the seeds for each of the two purposes, with intervals, beside those that there are."""
    with figures.theme():
        figure = figures.new(1.5 + CLAIM * (len(needed) + needed["family"].nunique()))
        axes = figure.subplots()
        places, labels = _places(needed)
        beyond = _limit(needed)
        for shift, (column, (marker, words)) in zip((0.16, -0.16), NEEDED.items(), strict=True):
            _bars(axes, np.array(places) + shift, needed, column, beyond, marker=marker, label=words,
                  color=figures.COLOURS[column == "power"])  # fmt: skip
        axes.plot(needed["n"], places, "|", color="black", ms=9, mew=1.2, label="seeds there are")
        _claims(axes, places, labels)
        axes.set(xscale="log", xlim=(1.7, beyond * 1.5), xlabel="seeds needed (log scale)")
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        figure.legend(loc="outside upper center", ncols=3, frameon=False)
        figures.caption(
            figure,
            "Seeds that each declared claim would have needed, from the spread of its paired log differences (±: "
            "half-width of the simultaneous interval) and from the observed effect; bars 95 % intervals, with an arrow "
            f"where they or the number itself leave the axis. {FAMILY}",
        )
    return figure


def _panels(titles: Sequence[str], rows: list[list[tuple]], xlabel: str, caption: str, whole: bool = False) -> Figure:
    """Points with intervals, one panel below the other."""
    with figures.theme():
        heights = [len(part) + 1.4 for part in rows]
        figure = figures.new(0.9 + ROW * sum(heights))
        grid = figure.subplots(len(rows), 1, squeeze=False, sharex=True, height_ratios=heights)[:, 0]
        for axes, title, part in zip(grid, titles, rows, strict=True):
            _shares(axes, part, SHOWN if whole else (-np.inf, np.inf))
            axes.axvline(0, color="0.6", lw=0.8)
            if whole:
                axes.axvline(100, color="0.4", lw=0.9, ls=(0, (4, 2)))
            axes.set_title(title, loc="left")
        grid[-1].set(xlabel=xlabel, xlim=(SHOWN[0] - 8, SHOWN[1] + 8) if whole else (None, 102))
        figures.caption(figure, caption)
    return figure


def _shares(axes: Axes, part: list[tuple], shown: tuple[float, float]) -> None:
    places = np.arange(len(part))[::-1]
    for place, (_, value, low, high, hollow) in zip(places, part, strict=True):
        colour = figures.COLOURS[0]
        numbers = 100 * np.array([value, low, high] if low == low else [value])
        if low == low:
            axes.plot(np.clip(numbers[1:], *shown), [place, place], color=colour, lw=1.2, solid_capstyle="butt")
        if shown[0] <= numbers[0] <= shown[1]:
            axes.plot(numbers[0], place, "o", color=colour, mfc="white" if hollow else colour, zorder=3)
        for end, arrow, beyond in zip(shown, "<>", (numbers < shown[0], numbers > shown[1]), strict=True):
            if beyond.any():
                axes.plot(end, place, arrow, color=colour, ms=4)
        axes.annotate(percentage(value), (1, place), xycoords=("axes fraction", "data"), va="center",
                      xytext=(4, 0), textcoords="offset points", fontsize=7)  # fmt: skip
    axes.set_yticks(places, [row[0] for row in part])
    axes.set_ylim(-0.6, len(part) - 0.4)


def _bars(axes: Axes, places: np.ndarray, needed: pd.DataFrame, column: str, beyond: float, **style: Any) -> None:
    ends = {name: needed[f"{column}{name}"].clip(upper=beyond) for name in ("", "_low", "_high")}
    axes.hlines(places, ends["_low"], ends["_high"], color=style["color"], lw=1.0)
    inside = needed[column] <= beyond
    axes.plot(ends[""][inside], places[inside], ls="none", ms=4, **style)
    open_ended = needed[f"{column}_high"] > beyond
    axes.plot(ends["_high"][open_ended], places[open_ended], ">", color=style["color"], ms=4)


def _limit(needed: pd.DataFrame) -> float:
    """The right end of the axis: the greatest number within reason, and a little more."""
    numbers = needed[["width", "width_high", "power", "n"]].to_numpy(dtype=float)
    return float(min(max(numbers[np.isfinite(numbers)].max(), 20.0), 1e5))


def _places(needed: pd.DataFrame) -> tuple[list[float], list[tuple[float, str]]]:
    """A place for each claim from the top down, and for each family's name above its claims."""
    places: list[float] = []
    names: list[tuple[float, str]] = []
    place = 0.0
    for family, part in needed.groupby("family", sort=False):
        names.append((place, str(family)))
        places += [place - 1 - line for line in range(len(part))]
        place -= len(part) + 1.2
    return places, [*names, *zip(places, needed["label"], strict=True)]


def _claims(axes: Axes, places: list[float], labels: list[tuple[float, str]]) -> None:
    axes.set_yticks([place for place, _ in labels], [words for _, words in labels], fontsize=6.5)
    for tick, (place, _) in zip(axes.get_yticklabels(), labels, strict=True):
        tick.set_fontweight("normal" if place in places else "bold")
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(min(places) - 0.7, 0.7)
    axes.grid(axis="x", color="0.9", lw=0.6)


def _first(methods: pd.Series) -> str:
    method = str(methods.iloc[0])
    return method[:1].upper() + method[1:]


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    return table.to_dict("records")
