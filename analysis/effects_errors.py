"""The logarithm of every trial's error, whatever the metric, and what a failed trial counts as."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from analysis import figures
from study.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

LEFT_OUT, MEAN_IMAGE = "left out", "mean image"  # what becomes of failed trials
DRAW = ("dataset", "train_size", "normal_class", "preprocessing", "randomness", "seed")  # these decide the mean image
OVER_PCA = "test_over_pca"  # test MSE ÷ PCA's at the same size on the same images; its log is the skill
UNLEARNT = 0.9  # a fraction of variance unexplained from which a network does hardly better than the mean image (1)
DECIBEL = -np.log(10) / 10  # of log error: PSNR is the mean over images of -10·log₁₀(MSE)


def cell_of(trials: pd.DataFrame) -> pd.Series:
    """The cell of every trial: its name without the seed."""
    if "cell" in trials:
        return trials["cell"]
    return trials["trial"].str.replace(r"-s\d+$", "", regex=True)


def log_errors(trials: pd.DataFrame, metric: str, failures: str = LEFT_OUT) -> pd.Series:
    """The log error of every trial; NaN where it failed and failures are left out.

    Raises:
        InputError: as `contrasts`.
    """
    if metric not in trials:
        raise InputError(f"there is no metric '{metric}' in the trials table. Allowed: SPLIT_METRIC, such as test_mse.")
    kind = figures.split_of(metric)[1]
    values = trials[metric].astype(float).where(trials["status"] == "completed")
    if kind == "psnr":
        return values * DECIBEL
    errors = 1 - values if kind == "ssim" else values
    if failures == MEAN_IMAGE:
        errors = errors.fillna(_of_mean_image(trials, metric))
    if (errors <= 0).any():
        worst = errors.idxmin()
        raise InputError(
            f"{trials.loc[worst, 'trial']} has {metric} = {values[worst]:g}: an error of 0 or less has no logarithm, "
            "and contrasts are ratios of errors. Ask for another metric."
        )
    return np.log(errors)


def mean_image_mse(trials: pd.DataFrame, split: str) -> pd.Series:
    """Each trial's training mean image's MSE on a split, from trials on the same images; NaN where there are none.

    MSE ÷ fvu is the mean image's, the same for all trials of a draw. Where none of a draw completed, it is the mean
    over the other seeds.
    """
    known = (trials[f"{split}_mse"] / trials[f"{split}_fvu"]).astype(float)
    draw = [trials[factor].astype(object).fillna("none") for factor in DRAW if factor in trials]
    of_seed, of_others = (known.groupby(keys).transform("mean") for keys in (draw, draw[:-1]))
    return of_seed.fillna(of_others)


def mean_error(logs: NDArray, metric: str) -> float:
    """The mean over seeds of a log error, back in the metric's own unit: geometric, of psnr in decibels."""
    mean, kind = float(logs.mean()), figures.split_of(metric)[1]
    return mean / DECIBEL if kind == "psnr" else float(1 - np.exp(mean)) if kind == "ssim" else float(np.exp(mean))


def _of_mean_image(trials: pd.DataFrame, metric: str) -> pd.Series:
    split, kind = figures.split_of(metric)
    if kind == "fvu":
        return trials["seed"] * 0 + 1.0
    if kind == "mse":
        return mean_image_mse(trials, split)
    raise InputError(
        f"failures at the mean image's error: of {metric} it is not known, for trials record MSE and fvu alone. "
        "Allowed: SPLIT_mse and SPLIT_fvu."
    )
