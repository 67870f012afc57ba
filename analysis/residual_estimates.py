"""Residual against plain networks of the same depth and size: error, its trend over depth, convergence, gradients.

Pairs share everything but the additions: data, seed, depth, layers, parameters. Differences are of logs, residual less
plain, so that below 0 the residual network has the lower number. Records alone are read.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis import residual_training
from analysis.draws import DRAW
from analysis.residual_twins import PLAIN, SKIPS, interaction, twins
from analysis.statistics import family

if TYPE_CHECKING:
    import pandas as pd

METRIC = "test_mse"
INTERACTION, IMPUTED = "skip × log2 depth", "skip × log2 depth, failures at the mean image's error"


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
        table({**same, **row} for same, _, part in pairs for row in residual_training.curves(part, history)),
        table({**same, **row} for same, _, part in pairs for row in residual_training.convergence(part, history)),
        table({**same, **row} for same, _, part in pairs for row in residual_training.gradients(part, history)),
        table({**same, **row} for same, _, part in pairs for row in residual_training.failures(part)),
        table({**same, **row} for same, _, part in pairs for row in residual_training.cost(part, cost)),
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
