"""The validation error that a trial would have had under another stopping rule, from its learning curve."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from analysis.statistics import Floats

if TYPE_CHECKING:
    import pandas as pd

PATIENCE = 3  # epochs without improvement


def last_epoch(curves: Floats) -> Floats:
    """The error at the last epoch: training goes on, and its end is what one gets."""
    return np.array([row[np.isfinite(row)][-1] for row in curves])


def early_stopping(curves: Floats, patience: int = PATIENCE) -> Floats:
    """The least error before `patience` epochs in a row bring no lower one: Keras' EarlyStopping with the best weights.

    Args:
        curves: (n_trials, n_epochs) errors, lower is better; NaN behind the last epoch.
        patience: 1 or more.

    Returns:
        (n_trials,). Where training never stops early, the least error of all.
    """
    best = np.fmin.accumulate(curves, axis=1)
    epochs = np.arange(curves.shape[1])
    improved = np.diff(best, axis=1, prepend=np.inf) < 0
    last_improved = np.maximum.accumulate(np.where(improved, epochs, 0), axis=1)
    stopped = epochs - last_improved >= patience
    ends = np.where(stopped.any(axis=1), stopped.argmax(axis=1), len(epochs) - 1)
    return best[np.arange(len(best)), ends]


RULES: dict[str, Callable[[Floats], Floats]] = {
    "last epoch": last_epoch,
    f"early stopping, patience {PATIENCE}": early_stopping,
}


def stopped(trials: pd.DataFrame, history: pd.DataFrame, rule: str) -> pd.DataFrame:
    """The trials with `val_mse` and `val_fvu` as another rule would have left them; other columns stay.

    Args:
        trials: The trials table.
        history: The learning curves, `trial`, `epoch`, `val_mse`.
        rule: A key of `RULES`.
    """
    done = trials["trial"].where(trials["status"] == "completed")
    wide = history[history["trial"].isin(done)].pivot(index="trial", columns="epoch", values="val_mse")
    found = dict(zip(wide.index, RULES[rule](wide.to_numpy(dtype=float)), strict=True)) if len(wide) else {}
    error = trials["trial"].map(found).astype(float)
    return trials.assign(val_mse=error, val_fvu=trials["val_fvu"] * (error / trials["val_mse"]))
