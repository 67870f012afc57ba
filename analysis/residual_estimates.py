"""Residual against plain networks of the same depth and size: error, its trend over depth, convergence, gradients.

Pairs share everything but the additions: data, seed, depth, layers, parameters. Differences are of logs, residual less
plain, so that below 0 the residual network has the lower number. Records alone are read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis import residual_modes, residual_training
from analysis.draws import DRAW
from analysis.residual_twins import GROUP, PLAIN, SKIPS, interaction, twins
from analysis.statistics import LEVEL, alpha, bonferroni_t, family

if TYPE_CHECKING:
    import pandas as pd

METRIC, FVU = "test_mse", "test_fvu"
NEEDED = [*DRAW, "of", "architecture", "depth", "seed", "trial", "status", "collapsed"]
NEEDED += ["n_parameters", "val_mse", "train_mse", METRIC, FVU, "loss", "regularizer"]
INTERACTION, IMPUTED = "skip × log2 depth", "skip × log2 depth, failures at the mean image's error"


@dataclass(frozen=True)
class Estimates:
    """All the numbers of the twins; every table has the columns `dataset` and `of`, what the twins share.

    Attributes:
        pairs: A row a seed and depth: both errors, their log ratio, parameters, and whether either trial `failed`.
        interaction: A row a slope over log2 depth: of the ratio (the interaction), and of each architecture's error.
        depths: A row a depth: the ratio with its simultaneous interval, and of either architecture the least and the
            greatest fraction of test variance unexplained (`residual_fvu_least`, …; 1: the mean image).
        curves: A row an architecture, depth and epoch: validation error and gradient scale over seeds.
        convergence: A row an architecture and depth: epochs to a stated level, trials that never reach it counted.
        catching_up: A row a depth: epochs until the residual network is down to its plain twin's kept epoch.
        gradients: A row a depth: size of the first epoch's gradients at the first kernel, residual ÷ plain; and their
            factor per further block a stage, a row for the ratio and one for either architecture.
        modes: A row a depth: the ratio by the last training loss, by training and by test error (`residual_modes`).
        failures: A row an architecture, depth and kind of failure.
        cost: A row a depth: seconds an epoch, measured alone, and their ratio; empty where none were measured.
    """

    pairs: pd.DataFrame
    interaction: pd.DataFrame
    depths: pd.DataFrame
    curves: pd.DataFrame
    convergence: pd.DataFrame
    catching_up: pd.DataFrame
    gradients: pd.DataFrame
    modes: pd.DataFrame
    failures: pd.DataFrame
    cost: pd.DataFrame

    def tables(self) -> dict[str, pd.DataFrame]:
        """File name → table, without the empty ones."""
        return {name: table for name, table in vars(self).items() if len(table)}


def estimate(trials: pd.DataFrame, history: pd.DataFrame, cost: pd.DataFrame | None) -> Estimates:
    """All the numbers.

    Args:
        trials: The trials table, whole.
        history: The learning curves.
        cost: Measurements of `effects_cost.rounds`, or None.
    """
    import pandas as pd

    both = twins(trials)[NEEDED]
    rows = residual_training.with_twins(history, both)
    pairs = [(dict(zip(GROUP, key, strict=True)), part) for key, part in _pairs(both, _mean_image(trials))]

    def table(found: Iterable[dict[str, Any]]) -> pd.DataFrame:
        return pd.DataFrame(list(found))

    return Estimates(
        pd.concat([part for _, part in pairs], ignore_index=True) if pairs else pd.DataFrame(),
        table({**same, **row} for same, part in pairs for row in _slopes(part)),
        table({**same, **row} for same, part in pairs for row in _depths(part)),
        residual_training.curves(rows),
        table(residual_training.convergence(both, rows)),
        table(residual_training.catching_up(both, rows)),
        table(residual_training.gradients(rows)),
        table(residual_modes.modes(both, history)),
        table(residual_training.failures(both)),
        table(residual_training.cost(both, cost)),
    )


def _mean_image(trials: pd.DataFrame) -> pd.Series:
    """Draw and seed → test MSE of the training mean image: MSE ÷ fraction unexplained, of any trial on these images."""
    done = trials[trials["status"] == "completed"]
    return (done[METRIC] / done[FVU]).groupby(_images(done)).median()


def _images(trials: pd.DataFrame) -> pd.Series:
    """What decides on which images each trial was trained, in one word."""
    import pandas as pd

    levels = zip(*(trials[name] for name in (*DRAW, "seed")), strict=True)
    return pd.Series(["/".join(map(str, one)) for one in levels], index=trials.index, dtype=object)


def _pairs(both: pd.DataFrame, mean_image: pd.Series) -> Iterator[tuple[Any, pd.DataFrame]]:
    """Of each group a row a seed and depth; errors of failed trials are NaN, `imputed` at the mean image's error.

    Of trials that have not been run both are NaN.
    """
    if both.empty:
        return
    filled = both.assign(
        imputed=both[METRIC].fillna(_images(both).map(mean_image)), failed=both["status"] != "completed"
    )
    index = [*GROUP, "seed", "depth", "architecture"]
    numbers = [METRIC, FVU, "imputed", "n_parameters", "failed"]
    wide = filled.set_index(index)[numbers].astype(float).unstack("architecture")
    table = wide[METRIC].assign(
        log_ratio=np.log(wide[METRIC][SKIPS] / wide[METRIC][PLAIN]),
        log_ratio_imputed=np.log(wide["imputed"][SKIPS] / wide["imputed"][PLAIN]),
        parameters=wide["n_parameters"][SKIPS],
        parameters_plain=wide["n_parameters"][PLAIN],
        failed=wide["failed"].max(axis=1) > 0,
        **{f"{name}_fvu": wide[FVU][name] for name in (SKIPS, PLAIN)},
    ).reset_index()  # fmt: skip
    parts = dict(list(table.groupby(GROUP, sort=False)))
    yield from ((key, parts[key]) for key in both.groupby(GROUP, sort=False).groups)


def _slopes(pairs: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """The interaction, the same with failures filled in, and the trend of either architecture's error."""
    logs = pairs.assign(**{name: np.log(pairs[name]) for name in (SKIPS, PLAIN)})
    columns = {INTERACTION: "log_ratio", IMPUTED: "log_ratio_imputed", SKIPS: SKIPS, PLAIN: PLAIN}
    if not pairs["failed"].any():
        columns.pop(IMPUTED)
    for what, column in columns.items():
        depths, _, table = _by_depth(logs, column)
        if len(depths) < 2 or not len(table):
            continue
        found = interaction(table, depths)
        yield {
            **{"what": what, "slope": found.value, "slope_low": found.low, "slope_high": found.high},
            **{"factor": np.exp(found.value), "low": np.exp(found.low), "high": np.exp(found.high)},
            **{"p": found.p, "n": found.n, "depths": ", ".join(map(str, depths))},
            **{"seeds_left_out": logs["seed"].nunique() - found.n},
            "method": f"least-squares slope over log2 depth of each seed, {found.method}",
        }


def _by_depth(logs: pd.DataFrame, column: str) -> tuple[list[int], np.ndarray, np.ndarray]:
    """The depths that have any, the seeds that have all of these, and (seeds × depths)."""
    seeds, rows = np.unique(logs["seed"].to_numpy(), return_inverse=True)
    depths, columns = np.unique(logs["depth"].to_numpy(), return_inverse=True)
    table = np.full((len(seeds), len(depths)), np.nan)
    table[rows, columns] = logs[column]
    known = ~np.isnan(table).all(axis=0)
    table = table[:, known]
    whole = ~np.isnan(table).any(axis=1)
    return [int(depth) for depth in depths[known]], seeds[whole], table[whole]


def _depths(pairs: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """The contrast at each depth: one family, over the seeds that have all of them.

    Where trials failed, each depth over the seeds that it has, with Bonferroni intervals for their number: a depth at
    which plain networks do not train must not cost the others their seeds.
    """
    depths, whole, table = _by_depth(pairs, "log_ratio")
    seeds = pairs["seed"].nunique()
    if pairs["failed"].any():
        for depth in depths:
            rows = pairs[(pairs["depth"] == depth) & pairs["log_ratio"].notna()]
            found = bonferroni_t(rows[["log_ratio"]].to_numpy(), 1 - alpha(LEVEL) / len(depths))
            number = f"Bonferroni for {len(depths)} depths, each over its own seeds"
            numbers = (found.value[0], found.low[0], found.high[0], min(1.0, len(depths) * found.p[0]))
            yield _depth(depth, rows, numbers, found.verdicts()[0], seeds, f"{found.method} ({number})")
    elif table.size:
        found = family(table)
        for column, (depth, verdict) in enumerate(zip(depths, found.verdicts(), strict=True)):
            rows = pairs[(pairs["depth"] == depth) & pairs["seed"].isin(whole)]
            numbers = (found.value[column], found.low[column], found.high[column], found.p[column])
            yield _depth(depth, rows, numbers, verdict, seeds, found.method)


def _depth(
    depth: int, rows: pd.DataFrame, numbers: Sequence[float], verdict: str, seeds: int, method: str
) -> dict[str, Any]:
    value, low, high, p = numbers
    return {
        **{"depth": depth, "ratio": np.exp(value), "low": np.exp(low), "high": np.exp(high), "p": p},
        **{"verdict": verdict, "n": len(rows), "seeds_left_out": seeds - len(rows)},
        **{name: float(np.exp(np.log(rows[name]).mean())) for name in (SKIPS, PLAIN)},
        **{f"{name}_fvu_least": rows[f"{name}_fvu"].min() for name in (SKIPS, PLAIN)},
        **{f"{name}_fvu_most": rows[f"{name}_fvu"].max() for name in (SKIPS, PLAIN)},
        **{"parameters": rows["parameters"].max(), "parameters_plain": rows["parameters_plain"].max()},
        "method": method,
    }
