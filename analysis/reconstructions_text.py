"""What the tables of `analysis.reconstructions` say, in sentences that can be cited: the numbers choose the words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.reconstructions_estimates import KINDS

if TYPE_CHECKING:
    import pandas as pd

    from analysis.reconstructions_estimates import Estimates


def sentences(estimates: Estimates) -> list[str]:
    """Every statement, each with its n and interval, or said to have none."""
    said = []
    for shown, rows in estimates.cells.groupby("shown", sort=False):
        for kind, words in KINDS.items():
            said += [f"{shown}: {text}" for text in _errors(rows[rows["kind"] == kind], words)]
        said += [f"{shown}: {text}" for text in (*_ratio(rows), *_common(rows))]
    return said + estimates.missing


def _errors(rows: pd.DataFrame, words: str) -> Iterator[str]:
    """The least and the greatest error, with intervals that are not corrected for the choice."""
    ordered = rows.sort_values("error")
    low, high = ordered.iloc[0], ordered.iloc[-1]
    others = f"; the greatest {_cell(high)}" if len(ordered) > 1 else ""
    whose = f"the least error of {len(rows)} cells has" if len(rows) > 1 else "the error of"
    yield (
        f"on {low['images']} images {words} of PCA error, {whose} {_cell(low)}"
        f"{others} ({low['method']}, each cell's own; descriptive)."
    )


def _cell(row: Any) -> str:
    interval = f" [{row['low']:.3g}, {row['high']:.3g}]" if row["low"] == row["low"] else ", no interval"
    return f"{row['cell']}, MSE {row['error']:.3g}{interval}, n = {row['n']}"


def _ratio(rows: pd.DataFrame) -> Iterator[str]:
    """How much harder the worst tenth is, over cells."""
    by_kind = rows.pivot(index="cell", columns="kind", values="error")
    median, worst = KINDS
    ratios = np.sort((by_kind[worst] / by_kind[median]).dropna())
    if len(ratios):
        middle = np.median(ratios)
        found = "are hard for the networks" if middle > 1 else "are not hard for the networks"
        yield (
            f"images that are hard for PCA {found}: {middle:.3g} times the error of median ones "
            f"({_over(ratios)}; no interval)."
        )


def _common(rows: pd.DataFrame) -> Iterator[str]:
    """How much of the error more seeds would leave as it is."""
    known = rows.dropna(subset="common")
    if not len(known):
        yield "one seed: what its reconstructions owe to chance cannot be said."
        return
    by_cell = known.groupby("cell", sort=False)["common"].mean().sort_values()
    ends = [f"{100 * by_cell.iloc[end]:.3g} % ({by_cell.index[end]})" for end in (0, -1)]
    share = ends[0] if len(by_cell) == 1 else f"between {ends[0]} and {ends[1]}"
    yield (
        f"{share} of the squared error is common to all seeds of a cell (n = {known['n'].max()} seeds; unbiased, no "
        "interval); the rest differs from seed to seed, and the mean of many networks would be rid of it."
    )


def _over(ratios: np.ndarray) -> str:
    if len(ratios) == 1:
        return "one cell"
    return f"median over {len(ratios)} cells; from {ratios[0]:.3g} to {ratios[-1]:.3g}"
