"""What `analysis.effects` says of training: its time, its epochs, early stopping, whether errors were still falling."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.command import span
from analysis.effects_cost import BUSY
from analysis.effects_training import ALL_EPOCHS, EARLY
from analysis.effects_words import numbers, ratio

if TYPE_CHECKING:
    import pandas as pd

    from analysis.effects import Estimates


def sentences(estimates: Estimates, study: str) -> list[str]:
    """Every statement on training, each with its n and interval method.

    Args:
        estimates: All the numbers.
        study: Its name, for the command that measures time.
    """
    return [
        *_cost(estimates, study),
        *_reach(estimates.reach),
        *_stopping(estimates.stopping),
        *_still_falling(estimates.ends),
    ]


def _cost(estimates: Estimates, study: str) -> Iterator[str]:
    if estimates.unmeasured:
        count = len(estimates.unmeasured)
        yield (
            f"Training time of {count} cells has not been measured alone on a quiet machine, and the seconds of a "
            "search, whose trials share one, are not compared (search_time.csv describes them). Run: "
            f"python -m study.cost {study}"
        )
    for family, rows in estimates.cost.groupby("family", sort=False):
        named = "; ".join(f"{row['label']} {numbers(row, 'ratio', 'low', 'high')}" for row in rows.to_dict("records"))
        yield (
            f"{family}, seconds an epoch ÷ the reference's: {named} (n = {span(rows['n'])} rounds, each cell alone; "
            f"95 % t intervals of log ratios, single)."
        )
    busy = estimates.cost[estimates.cost["cpu_share"] < BUSY]
    if len(busy):
        yield f"In {len(busy)} of these something else was running during a measurement: those times are too long."


def _reach(table: pd.DataFrame) -> Iterator[str]:
    """How the epochs are counted, once; then those of each family."""
    if len(table):
        yield (
            "Epochs to the reference's end: until the validation MSE is down to what the reference ends with in the "
            f"same seed, of {table['last'].max():.0f} epochs; median over seeds, exact 95 % interval where 6 seeds or "
            "more allow it; those that never get there count as longer than all that did."
        )
    for family, rows in table.groupby("family", sort=False):
        yield f"Epochs to the reference's end: {family}: {'; '.join(_reached(row) for row in rows.to_dict('records'))}."


def _reached(row: dict[str, Any]) -> str:
    interval = "" if np.isnan(row["low"]) else f" [{_epochs(row['low'], row)}, {_epochs(row['high'], row)}]"
    return f"{row['label']}: {row['reached']} of {row['n']} seeds, median {_epochs(row['epochs'], row)}{interval}"


def _epochs(value: float, row: dict[str, Any]) -> str:
    return f"> {row['last']:.0f}" if np.isinf(value) else f"{value:g}"


def _stopping(table: pd.DataFrame) -> Iterator[str]:
    """Whether early stopping would have told another story."""
    parts = {rule: rows for rule, rows in table.groupby("rule", sort=False)}
    if not {ALL_EPOCHS, EARLY} <= set(parts):
        return
    key = ["family", "cell", "reference"]
    both = parts[ALL_EPOCHS].merge(parts[EARLY], on=key, suffixes=("", "_early"))
    both = both[both["n"] > 0]
    moved = both[both["verdict"] != both["verdict_early"]]
    made = both["epochs_early"]
    yield (
        f"Had each trial been {EARLY} (after {made.min():.3g} to {made.max():.3g} of {both['epochs'].max():.0f} epochs "
        f"in the mean of a cell), the verdict on validation error would be the same in {len(both) - len(moved)} of "
        f"{len(both)} contrasts{_moved(moved)}."
    )


def _moved(rows: pd.DataFrame) -> str:
    if rows.empty:
        return ""
    named = "; ".join(
        f"{row['label']} {numbers(row)} → {numbers(row, 'ratio_early', 'ratio_low_early', 'ratio_high_early')}"
        f"{_fell_again(row)}"
        for row in rows.to_dict("records")
    )
    return f", and another in {len(rows)}: {named}"


def _fell_again(row: dict[str, Any]) -> str:
    """Trials that the rule would have ended on the way to a lower error, where there are any."""
    sides = {"fell_again_early": "the cell's", "reference_fell_again_early": "the reference's"}
    counts = [f"{row[side]} of {whose} {row['n_early']}" for side, whose in sides.items() if row[side]]
    return f" (trials stopped before a lower error came: {', '.join(counts)})" if counts else ""


def _still_falling(ends: pd.DataFrame) -> Iterator[str]:
    rows = ends[(ends["metric"] == "val_mse") & ends["change"].notna()]
    if len(rows):
        least = rows.loc[rows["change"].idxmin()]
        yield (
            f"At the end of training the validation MSE is {ratio(rows['change'].min())} to "
            f"{ratio(rows['change'].max())} times what it was after three quarters of the epochs, the least that of "
            f"{least['cell']}: networks are compared after equally many epochs, not once they have converged. Where "
            "training sets or batches differ in size, these are unequally many updates."
        )
