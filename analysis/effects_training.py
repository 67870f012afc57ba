"""How training went: learning curves, how soon a cell gets as far as its reference, and what early stopping changes.

All from the recorded history, after the fact. Trials of a study make the same number of epochs, so that at equal data
they made equally many updates; that is the comparison that counts. Stopping earlier is applied to the record here, as
a rule would have applied it during training.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import special

from analysis import figures
from analysis.effects_contrasts import contrasts, pairs
from analysis.effects_errors import cell_of
from analysis.effects_families import Contrast, Family
from analysis.effects_seeds import with_seed_apart
from analysis.statistics import LEVEL, alpha, clopper_pearson, percent, t_margin

if TYPE_CHECKING:
    import pandas as pd

PATIENCE = 3  # epochs without a new best val_mse after which the rule stops
ALL_EPOCHS, EARLY = "all epochs", f"stopped after {PATIENCE} epochs without a new best"
DRAWN = ("val_mse", "val_fvu", "loss", "val_loss", "gradient_scale")
RATIOS = ("val_mse", "val_fvu", "gradient_scale")  # averaged as logarithms; losses need not be positive


def curves(history: pd.DataFrame, trials: pd.DataFrame, families: Sequence[Family]) -> pd.DataFrame:
    """The learning curve of every cell of the families.

    Args:
        history: The study's, a row an epoch and trial.
        trials: The trials table.
        families: Of the study.

    Returns:
        A row a cell, metric and epoch: `cell`, `dataset`, `metric` (`val_mse`, `val_fvu`, the objective's `loss` and
        `val_loss`, `gradient_scale`), `epoch`, `n` seeds, `value` with its t interval `low`, `high`, `method`. Means
        of errors and of the gradient's scale are geometric. A seed that diverged counts up to the epoch before.
    """
    import pandas as pd

    rows = _with_trials(history, trials, families)
    found = []
    for metric in DRAWN:
        values = rows[metric].astype(float)
        if metric in RATIOS:
            values = np.log(values.where(values > 0))
        values = values.where(np.isfinite(values))
        groups = values.groupby([rows["cell"], rows["dataset"], rows["epoch"]], sort=False)
        summary = groups.agg(n="count", mean="mean", se="sem").reset_index()
        found.append(_interval(summary[summary["n"] > 0], metric))
    return pd.concat(found, ignore_index=True)


def ends(table: pd.DataFrame) -> pd.DataFrame:
    """The last epoch of every curve, and how much its metric still changed over the last quarter of training.

    Args:
        table: From `curves`.

    Returns:
        The curve's columns at its last epoch, with `change`: the value there ÷ the value at three quarters of the
        epochs. 1: training no longer moved it.
    """
    last = table.groupby(["cell", "metric"], sort=False)["epoch"].transform("max")
    quarter = np.ceil(0.75 * last)
    key = ["cell", "metric"]
    before = table.loc[table["epoch"] == quarter, [*key, "value"]].rename(columns={"value": "before"})
    found = table[table["epoch"] == last].merge(before, on=key, how="left")
    return found.assign(change=found["value"] / found["before"]).drop(columns="before")


def reach(history: pd.DataFrame, trials: pd.DataFrame, families: Sequence[Family]) -> pd.DataFrame:
    """After how many epochs a cell's validation error is down to what its reference ends with, seed by seed.

    The reference's end is the `val_mse` of its kept epoch, on the same validation images. A trial that never gets
    there, by failing or by the end of training, is censored and counts as longer than all that did. All are censored
    at the same epoch, the last: Kaplan and Meier's estimate is then the share that has reached it, and no more.

    Args:
        history: The study's.
        trials: The trials table.
        families: Contrasts between cells that see other images are left out: they share no target.

    Returns:
        A row a contrast: `family`, `label`, `cell`, `reference`, `dataset`, `n` seeds, `reached` of them, `share` with
        its Clopper-Pearson interval `share_low`, `share_high`; `epochs`, the median (infinite where fewer than half
        reached it) with its exact interval from order statistics `low`, `high` (NaN below 6 seeds, which allow none);
        `reference_epochs`, the median of the reference's own kept epochs; `last`, the last epoch; `method`.
    """
    import pandas as pd

    best = _cell_history(history, trials, families)
    rows = trials.assign(cell=cell_of(trials)).set_index(["cell", "seed"]).sort_index()
    found = [
        _reach_row(family.name, contrast, rows, best)
        for family in families
        for contrast in family.contrasts
        if contrast.same_images and set(contrast.names) <= set(rows.index.levels[0])
    ]
    return pd.DataFrame([row for row in found if row["n"]], columns=list(REACH))


def stopped(history: pd.DataFrame, patience: int = PATIENCE) -> pd.DataFrame:
    """What early stopping would have kept of every trial.

    Args:
        history: The study's; the columns `trial`, `epoch`, `val_mse`.
        patience: It stops at the first epoch that is this many after the best one so far.

    Returns:
        Indexed by trial: `epochs` made until it stops, `val_mse` the best up to then. A rule that never stops makes all
        epochs.
    """
    rows = history.sort_values(["trial", "epoch"])[["trial", "epoch", "val_mse"]].dropna().astype({"val_mse": float})
    rows = rows.assign(best=rows.groupby("trial")["val_mse"].cummin())
    is_new = rows["best"] < rows.groupby("trial")["best"].shift(fill_value=np.inf)
    since = rows["epoch"] - rows["epoch"].where(is_new).groupby(rows["trial"]).ffill()
    over = (since >= patience).groupby(rows["trial"]).cumsum() > 0
    made = rows[~over.groupby(rows["trial"]).shift(fill_value=False)]  # up to the epoch at which it stops
    return made.groupby("trial").agg(epochs=("epoch", "max"), val_mse=("best", "last"))


def stopping(history: pd.DataFrame, trials: pd.DataFrame, families: Sequence[Family]) -> pd.DataFrame:
    """The contrasts of validation error with all epochs, and had early stopping ended each trial: a sensitivity.

    Returns:
        The columns of `contrasts` with `rule`; `epochs` and `reference_epochs`, the mean numbers of epochs made; and
        `fell_again` and `reference_fell_again`: in how many of the n trials of either side `val_mse` fell below its
        best so far after the rule had stopped (0 with all epochs). The seed that makes most of the spread
        (`effects_seeds`).
    """
    import pandas as pd

    kept = stopped(history)
    early = trials["trial"].map(kept["val_mse"])
    least = trials["trial"].map(history["val_mse"].astype(float).groupby(history["trial"]).min())
    share = early / trials["val_mse"]
    known = trials.assign(cell=cell_of(trials))
    variants = {
        ALL_EPOCHS: known.assign(made=known["epochs"], fell_again=False),
        EARLY: known.assign(
            val_mse=early,
            val_fvu=known["val_fvu"] * share,
            made=known["trial"].map(kept["epochs"]),
            fell_again=early > least,
        ),
    }
    found = []
    for rule, table in variants.items():
        mean = table.groupby("cell")["made"].mean()
        again = table.loc[table["fell_again"], ["cell", "seed"]]
        for family in families:
            kind = "fvu" if figures.split_of(family.metric)[1] == "fvu" else "mse"
            metric = f"val_{kind}"
            rows = with_seed_apart(contrasts(table, [family], metric), pairs(table, [family], metric))
            epochs = {"epochs": rows["cell"].map(mean), "reference_epochs": rows["reference"].map(mean)}
            fell = {
                "fell_again": _among_pairs(rows, "cell", again),
                "reference_fell_again": _among_pairs(rows, "reference", again),
            }
            found.append(rows.assign(rule=rule, **epochs, **fell))
    return pd.concat(found, ignore_index=True)


REACH = (
    *("family", "label", "cell", "reference", "dataset", "n", "reached", "share", "share_low", "share_high"),
    *("epochs", "low", "high", "reference_epochs", "last", "method"),
)


def _with_trials(history: pd.DataFrame, trials: pd.DataFrame, families: Sequence[Family]) -> pd.DataFrame:
    """The history of the families' trials with cell, data set and `val_fvu`: MSE ÷ the mean image's of the trial."""
    cells = {name for family in families for c in family.contrasts for name in c.names}
    known = trials.assign(cell=cell_of(trials))
    known = known[known["cell"].isin(cells)]
    known = known.assign(per_mse=known["val_fvu"].astype(float) / known["val_mse"].astype(float))
    rows = known[["trial", "cell", "seed", "dataset", "per_mse"]].merge(history, on="trial")
    return rows.assign(val_fvu=rows["val_mse"] * rows["per_mse"])


def _among_pairs(rows: pd.DataFrame, side: str, chosen: pd.DataFrame) -> list[int]:
    """How many of the chosen trials, by `cell` and `seed`, are among the pairs of each contrast on one of its sides."""
    there = set(zip(chosen["cell"], chosen["seed"], strict=True))
    return [
        sum((cell, int(seed)) in there for seed in seeds.split())
        for cell, seeds in zip(rows[side], rows["seeds"], strict=True)
    ]


def _interval(summary: pd.DataFrame, metric: str) -> pd.DataFrame:
    margin = t_margin(summary["se"], summary["n"] - 1, LEVEL)
    ends_ = {"value": summary["mean"], "low": summary["mean"] - margin, "high": summary["mean"] + margin}
    kind = "geometric mean" if metric in RATIOS else "mean"
    if metric in RATIOS:
        ends_ = {name: np.exp(values) for name, values in ends_.items()}
    method = f"{kind} over seeds, {percent(LEVEL)} t interval" + (" of logarithms" if metric in RATIOS else "")
    return summary[["cell", "dataset", "epoch", "n"]].assign(metric=metric, **ends_, method=method)


def _cell_history(history: pd.DataFrame, trials: pd.DataFrame, families: Sequence[Family]) -> dict[Any, pd.Series]:
    """(cell, seed) → val_mse by epoch."""
    rows = _with_trials(history, trials, families)
    return {key: part.set_index("epoch")["val_mse"] for key, part in rows.groupby(["cell", "seed"], sort=False)}


def _reach_row(family: str, contrast: Contrast, rows: pd.DataFrame, best: dict[Any, pd.Series]) -> dict[str, Any]:
    epochs = epochs_to_reach(contrast.cell, contrast.reference, rows, best)
    reached, n = int(np.isfinite(epochs).sum()), len(epochs)
    share = clopper_pearson(reached, n)
    median, low, high = median_interval(epochs)
    reference = rows.loc[contrast.reference]
    return {
        **{"family": family, "label": contrast.label, "cell": contrast.cell, "reference": contrast.reference},
        **{"dataset": contrast.levels["dataset"], "n": n, "reached": reached, "share": share.value},
        **{"share_low": share.low, "share_high": share.high, "epochs": median, "low": low, "high": high},
        "reference_epochs": reference.loc[reference["status"] == "completed", "best_epoch"].astype(float).median(),
        "last": rows["epochs"].astype(float).max(),
        "method": f"{share.method}; median, exact {percent(LEVEL)} interval from order statistics",
    }


def epochs_to_reach(cell: str, reference: str, rows: pd.DataFrame, curves: Mapping[Any, pd.Series]) -> np.ndarray:
    """Epochs until a cell is down to the `val_mse` of its reference's kept epoch, in the same seed.

    Args:
        cell, reference: Names of cells.
        rows: `status` and `val_mse` of trials, indexed by cell and seed.
        curves: (cell, seed) → val_mse by epoch.

    Returns:
        (n,) of the seeds that both tried and the reference completed; infinite where it was not reached.
    """
    mine, theirs = rows.loc[cell], rows.loc[reference]
    found = []
    for seed, row in theirs[theirs["status"] == "completed"].iterrows():
        if seed in mine.index:
            curve = curves.get((cell, seed))
            there = [] if curve is None else curve.index[curve <= float(row["val_mse"])]
            found.append(float(min(there)) if len(there) else float("inf"))
    return np.array(found)


def median_interval(values: np.ndarray) -> tuple[float, float, float]:
    """The median and its exact interval at `LEVEL` from order statistics (Thompson 1936, doi:10.1214/aoms/1177732502).

    Assumes nothing of the distribution; values may be infinite (censored at the end).

    Args:
        values: (n,).

    Returns:
        Median, low, high. NaN for low and high below 6 values; the median of none is NaN.
    """
    x, n = np.sort(values), len(values)
    if n == 0:
        return float("nan"), float("nan"), float("nan")
    middle = x[(n - 1) // 2 : n // 2 + 1]
    median = float("inf") if np.isinf(middle).any() else float(middle.mean())
    outside = int(np.sum(special.bdtr(np.arange(n // 2), n, 0.5) <= alpha(LEVEL) / 2))  # values cut off at either end
    if outside == 0:
        return median, float("nan"), float("nan")
    return median, float(x[outside - 1]), float(x[n - outside])
