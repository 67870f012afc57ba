"""What `analysis.effects` says of training: its time, its epochs, early stopping, whether errors were still falling."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis import effects_seeds, effects_time_text
from analysis.effects_training import ALL_EPOCHS, EARLY
from analysis.effects_words import between, numbers, ratio, seeds

if TYPE_CHECKING:
    import pandas as pd

    from analysis.effects import Estimates


def sentences(estimates: Estimates) -> list[str]:
    """Every statement on training, each with its n and interval method."""
    return [
        *effects_time_text.of_families(estimates.cost),
        *_reach(estimates.reach),
        *_stopping(estimates.stopping),
        *_still_falling(estimates.ends),
    ]


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
    return f"{row['label']}: {row['reached']} of {seeds([row['n']])}, median {_epochs(row['epochs'], row)}{interval}"


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
    made, last = both[["epochs_early", "reference_epochs_early"]].to_numpy(), both["epochs"].max()
    if made.min() == last:
        yield f"Had each trial been {EARLY}, all would have made their {last:.0f} epochs, as they did."
        return
    moved = both[both["verdict"] != both["verdict_early"]]
    yield (
        f"Had each trial been {EARLY} (in the mean of a cell after {made.min():.3g} of {last:.0f} epochs at the "
        f"earliest), the verdict on validation error would be the same in {len(both) - len(moved)} of {len(both)} "
        f"contrasts{_moved(moved)}."
    )


def _moved(rows: pd.DataFrame) -> str:
    if rows.empty:
        return ""
    named = "; ".join(
        f"{row['label']} {numbers(row)} → {numbers(row, 'ratio_early', 'ratio_low_early', 'ratio_high_early')}"
        f"{_noted(row)}"
        for row in rows.to_dict("records")
    )
    return f", and another in {len(rows)}: {named}"


def _noted(row: Mapping[str, Any]) -> str:
    """What may have moved a verdict: trials stopped too early, one seed."""
    early = {name.removesuffix("_early"): value for name, value in row.items() if name.endswith("_early")}
    found = [*fell_again(early), *effects_seeds.named(early)]
    return f" ({'; '.join(found)})" if found else ""


def fell_again(row: Mapping[str, Any]) -> Iterator[str]:
    """How many trials the rule would have ended on the way to a lower error, where there are any.

    Args:
        row: Of `effects_training.stopping`.
    """
    sides = {"fell_again": "the cell's", "reference_fell_again": "the reference's"}
    if counts := [f"{row[side]} of {whose} {row['n']}" for side, whose in sides.items() if row[side]]:
        yield f"trials stopped before a lower error came: {', '.join(counts)}"


def _still_falling(ends: pd.DataFrame) -> Iterator[str]:
    rows = ends[(ends["metric"] == "val_mse") & ends["change"].notna()]
    if len(rows):
        least = rows.loc[rows["change"].idxmin()]
        span = between(ratio(rows["change"].min()), ratio(rows["change"].max()))
        yield (
            f"At the end of training the validation MSE is {span} times what it was after three quarters of the "
            f"epochs, the least that of {least['cell']}: networks are compared after equally many epochs, not once "
            "they have converged. Where training sets or batches differ in size, these are unequally many updates."
        )
