"""Residual networks and their plain twins: which trials are pairs, and how a number of theirs changes with depth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from analysis.statistics import LEVEL, Estimate, Floats, paired_t, percent
from study import records

if TYPE_CHECKING:
    import pandas as pd

SKIPS, PLAIN = "residual", "plain_deep"
GROUP = ["dataset", "of"]  # what twins are compared within
SAME = [factor for factor in records.FACTORS if factor not in ("architecture", "depth")]
NAMES = {"latent_dim": "k = {}", "train_size": "n = {}", "normal_class": "class {}", "learning_rate": "rate {}",
         "batch_size": "batch {}"}  # fmt: skip


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
    return _slope(log_ratios, np.log2(depths))


def per_block(logs: ArrayLike, depths: Sequence[int]) -> Estimate:
    """How a log changes with each further block a stage, where every layer multiplies by the same: as `interaction`.

    The slope is over depth itself, not log2 depth.

    Args:
        logs: (n_seeds, n_depths).
        depths: (n_depths,) ascending, 2 or more.

    Raises:
        ValueError: Fewer than 2 depths.
    """
    return _slope(logs, depths)


def slopes(values: ArrayLike, places: ArrayLike) -> Floats:
    """The least-squares slope of each row over the places: (n_seeds, n_places), (n_places,) → (n_seeds,)."""
    x = np.asarray(places, np.float64)
    if len(x) < 2:
        raise ValueError(f"places {x.tolist()}: a slope needs 2 or more")
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
    return found.assign(of=[_name(row, shown) for row in found[shown].to_dict("records")])


def _slope(logs: ArrayLike, places: ArrayLike) -> Estimate:
    """The mean over seeds of the slopes over the places, with its paired t interval."""
    return replace(paired_t(slopes(logs, places)), method=f"mean, {percent(LEVEL)} t interval")


def _name(row: dict[str, Any], shown: Sequence[str]) -> str:
    known = [name for name in shown if row[name] is not None and row[name] == row[name]]
    return ", ".join(NAMES.get(name, "{}").format(_level(row[name])) for name in known)


def _level(level: Any) -> str:
    return f"{level:g}" if isinstance(level, (int, float, np.number)) else str(level)
