"""How the twins train: learning curves, epochs to a level, gradients, failures and the time of an epoch.

Every function takes all twins at once; its rows have what the twins share, `dataset` and `of`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis import effects_cost, effects_training
from analysis.effects_errors import UNLEARNT, cell_of
from analysis.residual_twins import GROUP, PLAIN, SKIPS, per_block
from analysis.statistics import LEVEL, Estimate, clopper_pearson, paired_t, percent, t_interval, t_margin

if TYPE_CHECKING:
    import pandas as pd

TREND = "per further block a stage"
TRENDS = {SKIPS: f"{SKIPS}, {TREND}", PLAIN: f"{PLAIN}, {TREND}"}  # of the gradients of one architecture by itself
CELL = [*GROUP, "architecture", "depth"]


def with_twins(history: pd.DataFrame, both: pd.DataFrame) -> pd.DataFrame:
    """The learning curves of the twins, each row with its `dataset`, `of`, `architecture`, `depth` and `seed`."""
    return history.merge(both[["trial", "dataset", "of", "architecture", "depth", "seed"]], on="trial")


def curves(rows: pd.DataFrame) -> pd.DataFrame:
    """Geometric means over seeds at each epoch, with t intervals on the log scale; `n` seeds with a validation error.

    Args:
        rows: From `with_twins`.
    """
    keys = [*CELL, "epoch"]
    found: dict[str, pd.Series] = {}
    for name in ("gradient_scale", "val_mse"):
        values = rows[name].astype(float)
        logs = np.log(values.where(np.isfinite(values) & (values > 0)))
        over = logs.groupby([rows[key] for key in keys], sort=False).agg(n="count", mean="mean", se="sem")
        margin = t_margin(over["se"], over["n"] - 1, LEVEL)
        found |= {name: np.exp(over["mean"]), f"{name}_low": np.exp(over["mean"] - margin)}
        found |= {f"{name}_high": np.exp(over["mean"] + margin), "n": over["n"]}
    method = f"geometric mean, {percent(LEVEL)} t interval (none of fewer than 2 seeds)"
    return over[[]].assign(**found, method=method).reset_index()


def convergence(both: pd.DataFrame, rows: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Epochs until val_mse is first at or below the level: what the shallowest plain networks that trained end with.

    Groups of which no plain network trained have no level to reach, and no row.

    Args:
        both: The twins.
        rows: Their learning curves, from `with_twins`.
    """
    shallow = _shallowest(both)
    last = rows.loc[rows.groupby("trial")["epoch"].idxmax()].set_index("trial")["val_mse"].astype(float)
    ends = np.log(shallow["trial"].map(last.where(np.isfinite(last) & (last > 0))))
    levels = np.exp(ends.groupby([shallow[name] for name in GROUP]).mean())
    depths = shallow.groupby(GROUP)["depth"].first()
    of_group = zip(*(rows[name] for name in GROUP), strict=True)
    level_of = rows["val_mse"] <= np.array([levels.get(key, np.nan) for key in of_group], dtype=float)
    first = both["trial"].map(rows[level_of].groupby("trial")["epoch"].min()).astype(float).fillna(np.inf)
    for (dataset, of, architecture, depth), epochs in first.groupby([both[name] for name in CELL], sort=False):
        if (level := levels.get((dataset, of), np.nan)) == level:
            same = {"dataset": dataset, "of": of, "architecture": architecture, "depth": int(depth)}
            yield {**same, "level": level, "level_depth": int(depths[dataset, of]), **_reached(epochs.to_numpy())}


def _shallowest(both: pd.DataFrame) -> pd.DataFrame:
    """The plain networks that trained at the least depth at which any of their group did."""
    trained = both[(both["architecture"] == PLAIN) & (both["status"] == "completed")]
    return trained[trained["depth"] == trained.groupby(GROUP)["depth"].transform("min")]


def _reached(epochs: np.ndarray) -> dict[str, Any]:
    """How many trials reach a level, and when: (n,) epochs, infinite where one does not."""
    count = int(np.isfinite(epochs).sum())
    share = clopper_pearson(count, len(epochs))
    whole = t_interval(np.log(epochs)) if count == len(epochs) else t_interval([])
    return {
        **{"reached": count, "share": share.value, "low": share.low, "high": share.high, "n": share.n},
        **{"method": share.method, "median": float(np.median(epochs)), "mean": np.exp(whole.value)},
        **{"mean_low": np.exp(whole.low), "mean_high": np.exp(whole.high)},
    }


def catching_up(both: pd.DataFrame, rows: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Epochs until the residual network is down to the val_mse of its plain twin's kept epoch, in the same seed.

    Pairs of which the plain twin failed have no level and do not count; residual networks that never reach it do.

    Args:
        both: The twins.
        rows: Their learning curves, from `with_twins`.
    """
    table = both.assign(cell=cell_of(both)).set_index(["cell", "seed"]).sort_index()
    named = rows.assign(cell=cell_of(rows))
    known = {key: part.set_index("epoch")["val_mse"] for key, part in named.groupby(["cell", "seed"], sort=False)}
    cells = both.assign(cell=cell_of(both)).drop_duplicates("cell")
    for (dataset, of, depth), some in cells.groupby([*GROUP, "depth"], sort=False):
        twin = some.set_index("architecture")["cell"]
        epochs = effects_training.epochs_to_reach(twin[SKIPS], twin[PLAIN], table, known)
        if len(epochs):
            yield {"dataset": dataset, "of": of, "depth": int(depth), **_reached(epochs)}


def gradients(rows: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Root mean square of the gradients at the first kernel over the steps of the first epoch: log ratio, over seeds.

    `gradient_scale` is the root of Adam's second moment, which begins at 0 and forgets a thousandth a step: after the
    first epoch it is that root mean square up to a factor that both twins share; later it mostly remembers the largest
    steps, and those are often the first.

    Trends are slopes over depth itself, by `per_block`: in theory every layer multiplies gradients by the same.

    Args:
        rows: The learning curves of the twins, from `with_twins`.

    Yields:
        `ratio` with its interval: at each `depth` residual ÷ plain; of the trends (`depth` None) the factor by which
        that ratio, or the gradients of one architecture, change with each further block a stage.
    """
    first = rows[(rows["epoch"] == 1) & (rows["gradient_scale"] > 0)]
    index = [*GROUP, "seed", "depth", "architecture"]
    scales = first.set_index(index)["gradient_scale"].astype(float).unstack("architecture")
    logs = np.log(scales.reindex(columns=[SKIPS, PLAIN]).dropna())
    for key, part in logs.groupby(GROUP, sort=False):
        by = part.droplevel(GROUP)
        table = (by[SKIPS] - by[PLAIN]).unstack("depth")
        same = dict(zip(GROUP, key, strict=True))
        for depth in table:
            at = {"depth": int(depth), "what": f"depth {depth}"}
            yield {**same, **at, **_ratio(paired_t(table[depth].dropna()))}
        if table.shape[1] < 2:
            continue
        for what, one in ((TREND, table), *((TRENDS[name], by[name].unstack("depth")) for name in (SKIPS, PLAIN))):
            if len(whole := one.dropna()):
                trend = per_block(whole.to_numpy(), list(whole.columns))
                yield {**same, "depth": None, "what": what, **_ratio(trend)}


def _ratio(found: Estimate) -> dict[str, Any]:
    ends = {"ratio": np.exp(found.value), "low": np.exp(found.low), "high": np.exp(found.high)}
    return {**ends, "p": found.p, "n": found.n, "method": f"geometric {found.method}"}


def failures(both: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Trials that failed; of completed ones those no better than the mean image, and those hardly better.

    Yields:
        A row an architecture, depth and `what`: "failed"; "collapsed" (validation FVU 1 or more); "unlearnt" (test FVU
        `UNLEARNT` or more).
    """
    done = both["status"] == "completed"
    what = both[CELL].assign(
        failed=~done, tried=True, done=done, collapsed=done & both["collapsed"].eq(True),
        unlearnt=done & (both["test_fvu"] >= UNLEARNT),
    )  # fmt: skip
    for levels, failed, tried, completed, collapsed, unlearnt in what.groupby(CELL, sort=False).sum().itertuples():
        kinds = (("failed", failed, tried), ("collapsed", collapsed, completed), ("unlearnt", unlearnt, completed))
        for name, count, n in kinds:
            found = clopper_pearson(int(count), int(n))
            yield {
                **dict(zip(CELL, levels, strict=True)),
                **{"what": name, "count": int(count), "share": found.value, "low": found.low, "high": found.high},
                **{"n": found.n, "method": found.method},
            }


def cost(both: pd.DataFrame, measured: pd.DataFrame | None) -> Iterator[dict[str, Any]]:
    """Seconds an epoch, residual ÷ plain, in rounds that measured both alone on one machine.

    Args:
        both: The twins.
        measured: From `effects_cost.rounds`.
    """
    if measured is None:
        return
    by_cell = effects_cost.by_rounds(measured)
    cells = both[CELL].assign(cell=cell_of(both)).drop_duplicates()
    for (dataset, of, depth), rows in cells.groupby([*GROUP, "depth"]):
        twin = rows.set_index("architecture")["cell"]
        if set(twin) <= set(by_cell):
            found = effects_cost.ratio(twin[SKIPS], twin[PLAIN], by_cell)
            if found["n"]:
                seconds = {SKIPS: found["seconds"], PLAIN: found["reference_seconds"]}
                kept = ("ratio", "low", "high", "p", "n", "cpu_share", "method")
                yield {
                    "dataset": dataset,
                    "of": of,
                    "depth": int(depth),
                    **seconds,
                    **{name: found[name] for name in kept},
                }
