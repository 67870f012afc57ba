"""Along what memorisation is followed: the cells that differ in one factor alone, and their numbers by its levels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from study import records

if TYPE_CHECKING:
    import pandas as pd

AXES = {"train_size": "n_train", "latent_dim": "latent_dim", "epochs": "epochs"}  # factor → the column it is drawn over
WORDS = {"latent_dim": "k = {}", "train_size": "n = {}", "epochs": "{} epochs", "depth": "depth {}",
         "normal_class": "class {}", "learning_rate": "rate {}", "batch_size": "batch {}"}  # fmt: skip


def curves_over(memorised: pd.DataFrame, factor: str) -> Iterator[tuple[dict[str, Any], pd.DataFrame]]:
    """The curves over a factor: what their cells share, in words, and their rows."""
    others = [name for name in (*records.FACTORS, "epochs") if name != factor]
    shown = [name for name in others if name == "architecture" or memorised[name].map(str).nunique() > 1]
    groups = memorised.groupby(["task", *others], dropna=False, sort=False)
    varied = memorised[groups[AXES[factor]].transform("nunique") > 1]
    for _, part in varied.groupby(["task", *others], dropna=False, sort=False):
        first = part.iloc[0]
        yield {**first[["task", "dataset", "architecture"]], "curve": _name(first, shown)}, part


def by_level(part: pd.DataFrame, column: str) -> tuple[list[int], np.ndarray, np.ndarray]:
    """The levels, ascending, and (seeds × levels) means of `value` and `control`: NaN where a level lacks a seed."""
    seeds, rows = np.unique(part["seed"].to_numpy(), return_inverse=True)
    levels, columns = np.unique(part[column].to_numpy(), return_inverse=True)
    found = []
    for values in (part[name].to_numpy(dtype=float) for name in ("value", "control")):
        sums, counts = np.zeros((2, len(seeds), len(levels)))
        known = ~np.isnan(values)
        np.add.at(sums, (rows[known], columns[known]), values[known])
        np.add.at(counts, (rows[known], columns[known]), 1)
        found.append(np.where(counts > 0, sums, np.nan) / np.maximum(counts, 1))
    return [int(level) for level in levels], found[0], found[1]


def _name(first: pd.Series, shown: Sequence[str]) -> str:
    """What tells a curve from others: its architecture, and the levels that vary in the study."""
    known = [name for name in shown if name != "dataset" and first[name] is not None and first[name] == first[name]]
    return ", ".join(WORDS.get(name, "{}").format(_level(first[name])) for name in known)


def _level(level: Any) -> str:
    return f"{level:g}" if isinstance(level, (int, float, np.number)) else str(level)
