"""Draws the conclusions of `analysis.robustness`: rows of conclusions, columns of variations, a symbol for each."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from analysis import figures
from analysis.robustness_estimates import DECLARED, SEEDS, columns
from analysis.robustness_outcomes import OTHER, OTHER_UNRESOLVED, SAME, SAME_UNRESOLVED
from analysis.robustness_text import caption

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from analysis.robustness_estimates import Estimates

ROW = 0.135  # inches
MOST = 100  # conclusions in the picture: more make no page
HEADER = 1.25  # inches: the columns' names, upright
FEWER_SEEDS = (
    " Without a seed an interval widens by degrees of freedom alone: from 4 seeds to 3 its critical t grows 1.35 "
    "times, in a family of 8 contrasts 1.83 times; from 10 to 9 it changes from sign flips to Bonferroni on t. Not "
    "resolved without a seed need not be that seed's doing."
)
UNSAID = re.compile(r", (regularizer none|preprocessing unit)| of mean image")  # of a curve's name, for want of room
# Shape says whether it is the same, lightness how firmly: dark where resolved. No hue carries anything.
SYMBOLS: dict[str, dict[str, Any]] = {
    SAME: {"marker": "o", "mfc": "black", "mec": "black", "ms": 5.5},
    SAME_UNRESOLVED: {"marker": "o", "mfc": "white", "mec": "0.45", "ms": 5},
    OTHER_UNRESOLVED: {"marker": "x", "mec": "0.55", "ms": 5, "mew": 1.0},
    OTHER: {"marker": "X", "mfc": "black", "mec": "black", "ms": 7},
}


def plot(estimates: Estimates) -> Figure:
    """The one picture of all conclusions; of more than `MOST` those that a reader has to know of."""
    table = _drawn(estimates.conclusions)
    shown = columns(table)
    drawn = table.assign(**{DECLARED: [SAME if resolved else SAME_UNRESOLVED for resolved in table["resolved"]]})
    lines = len(table) + 1.2 * table["family"].nunique()
    with figures.theme():
        figure = figures.new(ROW * lines + HEADER + 1.3)
        axes = figure.subplots()
        places = _rows(axes, drawn)
        for x, name in enumerate([DECLARED, *shown]):
            _column(axes, x, drawn, name, places)
        _frame(axes, [DECLARED, *shown], places)
        handles = [axes.plot([], [], ls="none", label=outcome, **style)[0] for outcome, style in SYMBOLS.items()]
        figure.legend(handles=handles, loc="outside upper center", ncols=4, frameon=False)
        figures.caption(figure, caption(estimates, len(table)) + (FEWER_SEEDS if SEEDS in shown else ""))
    return figure


def _drawn(table: pd.DataFrame) -> pd.DataFrame:
    """At most `MOST`, in their order: resolved ones before others, and of these what the most variations change."""
    ranked = table.assign(other=table["applicable"] - table["same"], lost=table["applicable"] - table["kept"])
    first = ranked.sort_values(["resolved", "other", "lost"], ascending=False, kind="stable").index[:MOST]
    return table.loc[first.sort_values()]


def _rows(axes: Axes, table: pd.DataFrame) -> list[float]:
    """The place of each conclusion from the top down; families are named above theirs."""
    places: list[float] = []
    labels: list[tuple[float, str, bool]] = []
    place = 0.0
    for family, part in table.groupby("family", sort=False):
        labels.append((place, str(family), True))
        of_family = [place - 1 - line for line in range(len(part))]
        names = [UNSAID.sub("", words) for words in part["conclusion"]]
        labels += [(at, words, False) for at, words in zip(of_family, names, strict=True)]
        places += of_family
        place -= len(part) + 1.2
    axes.set_yticks([at for at, _, _ in labels], [words for _, words, _ in labels], fontsize=6.5)
    for tick, (_, _, bold) in zip(axes.get_yticklabels(), labels, strict=True):
        tick.set_fontweight("bold" if bold else "normal")
    return places


def _column(axes: Axes, x: int, table: pd.DataFrame, name: str, places: list[float]) -> None:
    for outcome, style in SYMBOLS.items():
        here = [place for place, found in zip(places, table[name], strict=True) if found == outcome]
        axes.plot([x] * len(here), here, ls="none", **style)


def _frame(axes: Axes, names: list[str], places: list[float]) -> None:
    axes.set_xticks(range(len(names)), names, rotation=60, ha="left", fontsize=7,
                    rotation_mode="anchor")  # fmt: skip
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.hlines(places, -0.5, len(names) - 0.5, color="0.93", lw=0.6, zorder=0)
    axes.axvline(0.5, color="0.6", lw=0.8)
    axes.set(xlim=(-0.6, len(names) + 0.3), ylim=(min(places) - 0.7, 0.6))
