"""Residual against plain networks of the same depth and size: error, its trend over depth, convergence, gradients.

Pairs share everything but the additions: data, seed, depth, layers, parameters. Differences are of logs, residual less
plain, so that below 0 the residual network has the lower number. Records alone are read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from analysis.draws import DRAW
from analysis.statistics import LEVEL, Estimate, Floats, clopper_pearson, family, paired_t, percent, t_interval
from study import records

if TYPE_CHECKING:
    import pandas as pd

SKIPS, PLAIN = "residual", "plain_deep"
METRIC = "test_mse"
SAME = [factor for factor in records.FACTORS if factor not in ("architecture", "depth")]
NAMES = {"latent_dim": "k = {}", "train_size": "n = {}", "normal_class": "class {}", "learning_rate": "rate {}",
         "batch_size": "batch {}"}  # fmt: skip
INTERACTION, IMPUTED = "skip × log2 depth", "skip × log2 depth, failures at the mean image's error"
TREND = "per doubling of depth"


@dataclass(frozen=True)
class Estimates:
    """All the numbers of the twins; every table has the columns `dataset` and `of`, what the twins share.

    Attributes:
        pairs: A row a seed and depth: both errors, their log ratio, parameters.
        interaction: A row a slope over log2 depth: of the ratio (the interaction), and of each architecture's error.
        depths: A row a depth: the ratio with its simultaneous interval.
        curves: A row an architecture, depth and epoch: validation error and gradient scale over seeds.
        convergence: A row an architecture and depth: epochs to a stated level, trials that never reach it counted.
        gradients: A row a depth, and one for the trend: gradient scale at the first kernel, residual ÷ plain.
        failures: A row an architecture, depth and kind of failure.
        cost: A row a depth: seconds an epoch, measured alone; empty without `cost.csv`.
    """

    pairs: pd.DataFrame
    interaction: pd.DataFrame
    depths: pd.DataFrame
    curves: pd.DataFrame
    convergence: pd.DataFrame
    gradients: pd.DataFrame
    failures: pd.DataFrame
    cost: pd.DataFrame

    def tables(self) -> dict[str, pd.DataFrame]:
        """File name → table, without the empty ones."""
        return {name: table for name, table in vars(self).items() if len(table)}


def interaction(log_ratios: ArrayLike, depths: Sequence[int]) -> Estimate:
    """The skip × log2 depth interaction: how the log ratio residual ÷ plain changes with each doubling of depth.

    The least-squares slope over log2 depth of each seed, then the paired t interval over seeds: the two-stage summary
    of repeated measures (Matthews et al. 1990, doi:10.1136/bmj.300.6719.230). Below 0: the deeper, the more skips help.
    Assumes nothing of the noise between the depths of a seed; a bent trend is summarised by its line.

    Args:
        log_ratios: (n_seeds, n_depths).
        depths: (n_depths,) ascending, 2 or more.

    Raises:
        ValueError: Fewer than 2 depths, or NaN.
    """
    return replace(paired_t(slopes(log_ratios, depths)), method=f"mean, {percent(LEVEL)} t interval")


def slopes(values: ArrayLike, depths: Sequence[int]) -> Floats:
    """The least-squares slope of each row over log2 depth: (n_seeds, n_depths) → (n_seeds,)."""
    x = np.log2(np.asarray(depths, np.float64))
    if len(x) < 2:
        raise ValueError(f"depths {list(depths)}: a slope needs 2 or more")
    x = x - x.mean()
    return np.asarray(values, np.float64) @ x / (x @ x)


def twins(trials: pd.DataFrame) -> pd.DataFrame:
    """The trials that have a twin of the other architecture at their depth, with `of`: what the twins share.

    Returns:
        Rows of the trials table; none where the study has no twins.
    """
    known = trials[trials["architecture"].isin([SKIPS, PLAIN]) & trials["depth"].notna()]
    known = known[known["randomness"] == "all"]
    shared = known.groupby([*SAME, "depth"], dropna=False, sort=False)["architecture"].transform("nunique")
    found = known[shared == 2].assign(depth=lambda table: table["depth"].astype(int))
    varied = [name for name in SAME if name != "dataset" and found[name].map(str).nunique() > 1]
    shown = [name for name in SAME if name in ("latent_dim", "loss", *varied)]
    return found.assign(of=[_name(row, shown) for row in found.to_dict("records")])


def _name(row: dict[str, Any], shown: Sequence[str]) -> str:
    known = [name for name in shown if row[name] is not None and row[name] == row[name]]
    return ", ".join(NAMES.get(name, "{}").format(_level(row[name])) for name in known)


def _level(level: Any) -> str:
    return f"{level:g}" if isinstance(level, (int, float, np.number)) else str(level)


def estimate(trials: pd.DataFrame, history: pd.DataFrame, cost: pd.DataFrame | None) -> Estimates:
    """All the numbers.

    Args:
        trials: The trials table, whole.
        history: The learning curves.
        cost: `cost.csv` of the study, or None.
    """
    import pandas as pd

    both = twins(trials)
    groups = [(_same(part), part, _mean_image(trials)) for _, part in both.groupby(["dataset", "of"], sort=False)]
    pairs = [(same, _pairs(part, means), part) for same, part, means in groups]

    def table(rows: Iterator[dict[str, Any]]) -> pd.DataFrame:
        return pd.DataFrame(list(rows))

    return Estimates(
        table({**same, **row} for same, rows, _ in pairs for row in rows.to_dict("records")),
        table({**same, **row} for same, rows, _ in pairs for row in _slopes(rows)),
        table({**same, **row} for same, rows, _ in pairs for row in _depths(rows)),
        table({**same, **row} for same, _, part in pairs for row in _curves(part, history)),
        table({**same, **row} for same, _, part in pairs for row in _convergence(part, history)),
        table({**same, **row} for same, _, part in pairs for row in _gradients(part, history)),
        table({**same, **row} for same, _, part in pairs for row in _failures(part)),
        table({**same, **row} for same, _, part in pairs for row in _cost(part, cost)),
    )


def _same(part: pd.DataFrame) -> dict[str, Any]:
    return {"dataset": part["dataset"].iloc[0], "of": part["of"].iloc[0]}


def _mean_image(trials: pd.DataFrame) -> pd.Series:
    """Draw and seed → test MSE of the training mean image: MSE ÷ fraction unexplained, of any trial on these images."""
    done = trials[trials["status"] == "completed"]
    keys = done[[*DRAW, "seed"]].map(str).agg("/".join, axis=1)
    return (done[METRIC] / done["test_fvu"]).groupby(keys).median()


def _pairs(part: pd.DataFrame, mean_image: pd.Series) -> pd.DataFrame:
    """A row a seed and depth; errors of failed trials are NaN, and in `imputed` at the mean image's error."""
    keys = part[[*DRAW, "seed"]].map(str).agg("/".join, axis=1)
    filled = part.assign(imputed=part[METRIC].fillna(keys.map(mean_image)))
    wide = filled.pivot_table(
        index=["seed", "depth"], columns="architecture", values=[METRIC, "imputed", "n_parameters"], dropna=False
    )
    return wide[METRIC].assign(
        log_ratio=np.log(wide[METRIC][SKIPS] / wide[METRIC][PLAIN]),
        log_ratio_imputed=np.log(wide["imputed"][SKIPS] / wide["imputed"][PLAIN]),
        parameters=wide["n_parameters"][SKIPS],
        parameters_plain=wide["n_parameters"][PLAIN],
    ).reset_index()  # fmt: skip


def _slopes(pairs: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """The interaction, the same with failures filled in, and the trend of either architecture's error."""
    logs = pairs.assign(**{name: np.log(pairs[name]) for name in (SKIPS, PLAIN)})
    columns = {INTERACTION: "log_ratio", IMPUTED: "log_ratio_imputed", SKIPS: SKIPS, PLAIN: PLAIN}
    if not pairs[[SKIPS, PLAIN]].isna().any(axis=None):
        columns.pop(IMPUTED)
    for what, column in columns.items():
        table = _by_depth(logs, column)
        if table.shape[1] < 2 or table.empty:
            continue
        found = interaction(table.to_numpy(), list(table.columns))
        yield {
            **{"what": what, "slope": found.value, "slope_low": found.low, "slope_high": found.high},
            **{"factor": np.exp(found.value), "low": np.exp(found.low), "high": np.exp(found.high)},
            **{"p": found.p, "n": found.n, "depths": ", ".join(map(str, table.columns))},
            **{"seeds_left_out": logs["seed"].nunique() - found.n},
            "method": f"least-squares slope over log2 depth of each seed, {found.method}",
        }


def _by_depth(logs: pd.DataFrame, column: str) -> pd.DataFrame:
    """Seeds × depths; seeds that lack a depth are left out."""
    table = logs.pivot(index="seed", columns="depth", values=column).dropna(axis=1, how="all")
    return table.dropna()


def _depths(pairs: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """The contrast at each depth: one family, over the seeds that have all of them."""
    table = _by_depth(pairs, "log_ratio")
    if table.empty:
        return
    found = family(table.to_numpy())
    ends = zip(table.columns, found.value, found.low, found.high, found.p, found.verdicts(), strict=True)
    for depth, value, low, high, p, verdict in ends:
        rows = pairs[pairs["depth"] == depth]
        yield {
            **{"depth": int(depth), "ratio": np.exp(value), "low": np.exp(low), "high": np.exp(high), "p": p},
            **{"verdict": verdict, "n": found.n, "seeds_left_out": pairs["seed"].nunique() - found.n},
            **{name: float(np.exp(np.log(rows[name]).mean())) for name in (SKIPS, PLAIN)},
            **{"parameters": rows["parameters"].max(), "parameters_plain": rows["parameters_plain"].max()},
            "method": found.method,
        }


def _curves(part: pd.DataFrame, history: pd.DataFrame) -> Iterator[dict[str, Any]]:
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


def _convergence(part: pd.DataFrame, history: pd.DataFrame) -> Iterator[dict[str, Any]]:
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


def _gradients(part: pd.DataFrame, history: pd.DataFrame) -> Iterator[dict[str, Any]]:
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


def _failures(part: pd.DataFrame) -> Iterator[dict[str, Any]]:
    for (architecture, depth), cell in part.groupby(["architecture", "depth"], sort=False):
        done = cell[cell["status"] == "completed"]
        kinds = {"failed": cell["status"] != "completed", "collapsed": done["collapsed"].eq(True)}
        for what, happened in kinds.items():
            found = clopper_pearson(int(happened.sum()), len(happened))
            yield {
                **{"architecture": architecture, "depth": int(depth), "what": what, "count": int(happened.sum())},
                **{"share": found.value, "low": found.low, "high": found.high, "n": found.n, "method": found.method},
            }


def _cost(part: pd.DataFrame, cost: pd.DataFrame | None) -> Iterator[dict[str, Any]]:
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
