"""How the twins train: learning curves, epochs to a level, gradients, failures and the time of an epoch.

Every function takes the trials of one group of twins, and yields the rows of a table.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.residual_twins import PLAIN, SKIPS, interaction
from analysis.statistics import Estimate, clopper_pearson, paired_t, t_interval

if TYPE_CHECKING:
    import pandas as pd

TREND = "per doubling of depth"


def curves(part: pd.DataFrame, history: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Geometric means over seeds, with t intervals on the log scale."""
    rows = history.merge(part[["trial", "architecture", "depth"]], on="trial")
    for (architecture, depth, epoch), seeds in rows.groupby(["architecture", "depth", "epoch"], sort=False):
        row: dict[str, Any] = {"architecture": architecture, "depth": int(depth), "epoch": int(epoch)}
        for name in ("val_mse", "gradient_scale"):
            found = t_interval(np.log(_positive(seeds[name])))
            row |= {name: np.exp(found.value), f"{name}_low": np.exp(found.low), f"{name}_high": np.exp(found.high)}
            row |= {"n": found.n, "method": f"geometric {found.method}"}
        yield row


def _positive(values: pd.Series) -> np.ndarray:
    array = values.to_numpy(np.float64)
    return array[np.isfinite(array) & (array > 0)]


def convergence(part: pd.DataFrame, history: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Epochs until val_mse is first at or below the level: what the shallowest plain network ends with."""
    rows = history.merge(part[["trial", "architecture", "depth", "seed"]], on="trial")
    shallow = part[(part["architecture"] == PLAIN) & (part["depth"] == part["depth"].min())]
    ends = rows[rows["trial"].isin(shallow["trial"])].sort_values("epoch").groupby("trial").tail(1)["val_mse"]
    level = float(np.exp(np.log(_positive(ends)).mean()))
    for (architecture, depth), cell in part.groupby(["architecture", "depth"], sort=False):
        mine = rows[rows["trial"].isin(cell["trial"]) & (rows["val_mse"] <= level)]
        first = mine.groupby("trial")["epoch"].min().reindex(cell["trial"]).to_numpy(np.float64)
        epochs = np.where(np.isnan(first), np.inf, first)
        share = clopper_pearson(int(np.isfinite(epochs).sum()), len(epochs))
        whole = t_interval(np.log(epochs)) if np.isfinite(epochs).all() else t_interval([])
        yield {
            **{
                "architecture": architecture,
                "depth": int(depth),
                "level": level,
                "reached": int(np.isfinite(epochs).sum()),
            },
            **{"share": share.value, "low": share.low, "high": share.high, "n": share.n, "method": share.method},
            **{"median": float(np.median(epochs)), "mean": np.exp(whole.value)},
            **{"mean_low": np.exp(whole.low), "mean_high": np.exp(whole.high)},
        }


def gradients(part: pd.DataFrame, history: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Log ratio of the gradient scale, mean over the epochs that both have, then over seeds."""
    rows = history.merge(part[["trial", "architecture", "depth", "seed"]], on="trial")
    rows = rows[rows["gradient_scale"] > 0]
    wide = rows.pivot_table(index=["seed", "depth", "epoch"], columns="architecture", values="gradient_scale").dropna()
    if wide.empty:
        return
    logs = (
        np.log(wide[SKIPS] / wide[PLAIN]).groupby(["seed", "depth"]).mean().unstack("depth").dropna(axis=1, how="all")
    )
    for depth in logs:
        yield {"depth": int(depth), "what": f"depth {depth}", **_ratio(paired_t(logs[depth].dropna()))}
    whole = logs.dropna()
    if logs.shape[1] > 1 and len(whole):
        yield {"depth": None, "what": TREND, **_ratio(interaction(whole.to_numpy(), list(whole.columns)))}


def _ratio(found: Estimate) -> dict[str, Any]:
    ends = {"ratio": np.exp(found.value), "low": np.exp(found.low), "high": np.exp(found.high)}
    return {**ends, "p": found.p, "n": found.n, "method": f"geometric {found.method}"}


def failures(part: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Trials that failed, and completed ones that are no better than the mean image."""
    for (architecture, depth), cell in part.groupby(["architecture", "depth"], sort=False):
        done = cell[cell["status"] == "completed"]
        kinds = {"failed": cell["status"] != "completed", "collapsed": done["collapsed"].eq(True)}
        for what, happened in kinds.items():
            found = clopper_pearson(int(happened.sum()), len(happened))
            yield {
                **{"architecture": architecture, "depth": int(depth), "what": what, "count": int(happened.sum())},
                **{"share": found.value, "low": found.low, "high": found.high, "n": found.n, "method": found.method},
            }


def cost(part: pd.DataFrame, cost: pd.DataFrame | None) -> Iterator[dict[str, Any]]:
    """Seconds an epoch of either twin, as `study.cost` measured them."""
    if cost is None:
        return
    cells = part.assign(cell=part["trial"].str.replace(r"-s\d+$", "", regex=True))[["cell", "architecture", "depth"]]
    known = cells.drop_duplicates().merge(cost.drop(columns=["architecture", "depth"]), on="cell")
    for depth, rows in known.groupby("depth", sort=True):
        both = rows.set_index("architecture")
        if {SKIPS, PLAIN} <= set(both.index):
            seconds = {name: float(both.loc[name, "epoch_seconds"]) for name in (SKIPS, PLAIN)}
            yield {
                **{"depth": int(depth), **seconds, "ratio": seconds[SKIPS] / seconds[PLAIN]},
                **{f"{name}_low": float(both.loc[name, "epoch_seconds_low"]) for name in seconds},
                **{f"{name}_high": float(both.loc[name, "epoch_seconds_high"]) for name in seconds},
                **{
                    "n": int(both["rounds"].min()),
                    "method": "median epoch in a process of its own; low, high: extremes",
                },
            }
