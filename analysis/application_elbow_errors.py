"""The error of each application at each latent size: what a study's trained models do at each task, seed by seed.

Sizes are chosen on validation images and the error there is reported on test images. Both come from the tasks' own
results, which are computed where they are missing: on `VALIDATION` images of the validation split, and on as many test
images as the task's own command takes.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from analysis.draws import DRAW

if TYPE_CHECKING:
    import pandas as pd

    from analysis.applications import Results
    from study.datasets import Dataset

RECONSTRUCTION, INPAINTING, DENOISING = "reconstruction", "inpainting", "denoising"
ANOMALY, GENERATION = "anomaly", "generation"
APPLICATIONS = (RECONSTRUCTION, INPAINTING, DENOISING, ANOMALY, GENERATION)
VALIDATION = 1_000  # validation images that a size is chosen on, at most
DEFINITIONS = {
    RECONSTRUCTION: "MSE ÷ the mean image's",
    INPAINTING: "MSE over removed pixels ÷ the mean image's, mean over all masks",
    DENOISING: "MSE against the clean image ÷ the mean image's, mean over all kinds of noise",
    ANOMALY: "1 - ROC-AUC of the squared error, mean over all sets of anomalies",
    GENERATION: "kernel distance of the main sampler's images",
}
KEYS = [*DRAW, "seed"]


def errors(
    application: str,
    rows: pd.DataFrame,
    options: argparse.Namespace,
    study: str,
    load: Callable[[str], Dataset],
) -> tuple[pd.DataFrame, list[str]]:
    """The errors of trials at an application.

    Args:
        application: One of `APPLICATIONS`.
        rows: The trials, completed ones; with the metrics of the trials table.
        options: `artifacts`, `data_dir`, `workers`.
        study: Its name.
        load: Gives a data set by its name, others than the study's too.

    Returns:
        `trial`, `split` ("val", "test"), `error` (lower is better), `n_images`; and in words what is missing.
    """
    import pandas as pd

    if application == RECONSTRUCTION:
        return reconstruction(rows), []
    found, missing = [], []
    for split in ("val", "test"):
        results = _results(application, rows, options, study, load, split)
        found.append(OF_RESULTS[application](results).assign(split=split))
        missing += results.missing
    return pd.concat(found, ignore_index=True), list(dict.fromkeys(missing))


def reconstruction(rows: pd.DataFrame) -> pd.DataFrame:
    """`val_fvu` and `test_fvu`: of all images of either split."""
    import pandas as pd

    parts = [rows[["trial"]].assign(error=rows[f"{split}_fvu"], split=split) for split in ("val", "test")]
    return pd.concat(parts, ignore_index=True).assign(n_images=np.nan)


def inpainting(results: Results) -> pd.DataFrame:
    """Of one pass, over all masks, beside the mean image on the same images."""
    models = _of_all_images(results.models[results.models["mode"] == "one pass"])
    means = results.baselines[results.baselines["method"] == "mean image"]
    means = _plain(means)[[*KEYS, "condition", "n_images", "mse"]].drop_duplicates()
    both = _plain(models).merge(means, on=[*KEYS, "condition", "n_images"], suffixes=("", "_mean"))
    return _mean(both.assign(error=both["mse"] / both["mse_mean"]))


def denoising(results: Results) -> pd.DataFrame:
    """Over all kinds of noise, beside the mean image's error on the whole split, which is MSE ÷ FVU of any trial."""
    models = _of_all_images(results.models)
    return _mean(models.assign(error=models["mse"] / models["mean_image"]))


def anomaly(results: Results) -> pd.DataFrame:
    """Over all sets of anomalies."""
    from analysis.anomaly import PRIMARY

    models = results.models[results.models["score"] == PRIMARY]
    return _mean(models.assign(error=1 - models["auc"], n_images=models["n_normal"]))


def generation(results: Results) -> pd.DataFrame:
    """At the cell's main sampler."""
    from analysis.generation_bench import PRIMARY, main_sampler

    models = results.models[results.models["sampler"] == results.models["regularizer"].map(main_sampler)]
    return _mean(models.assign(error=models[PRIMARY]))


OF_RESULTS: dict[str, Callable[[Results], pd.DataFrame]] = {
    INPAINTING: inpainting,
    DENOISING: denoising,
    ANOMALY: anomaly,
    GENERATION: generation,
}


def _results(
    application: str,
    rows: pd.DataFrame,
    options: argparse.Namespace,
    study: str,
    load: Callable[[str], Dataset],
    split: str,
) -> Results:
    """The task's results of these trials, computed where they are missing."""
    from dataclasses import replace
    from pathlib import Path

    from analysis import anomaly, applications, denoising, inpainting
    from analysis import generation as generating

    tasks = {INPAINTING: inpainting.TASK, DENOISING: denoising.TASK, ANOMALY: anomaly.TASK}
    task = tasks.get(application) or generating.task(Path())
    images = task.images if split == "test" else min(VALIDATION, task.images)
    asked = argparse.Namespace(**{**vars(options), "cells": " ".join(rows["trial"]), "split": split, "images": images})
    if application == GENERATION:
        return generating.evaluate(asked, study, load)
    if application == ANOMALY:
        return anomaly.evaluate(asked, study, load)
    results = applications.evaluate(task, asked, study, load)
    of_mean = rows[f"{split}_mse"] / rows[f"{split}_fvu"]
    known = dict(zip(rows["trial"], of_mean, strict=True))
    return replace(results, models=results.models.assign(mean_image=results.models["trial"].map(known)))


def _of_all_images(models: pd.DataFrame) -> pd.DataFrame:
    """Without the rows of fewer images, which are for comparing with costly methods."""
    return models[models["n_images"] == models.groupby(["trial", "condition"])["n_images"].transform("max")]


def _mean(rows: pd.DataFrame) -> pd.DataFrame:
    """Mean over the conditions of each trial."""
    return rows.groupby("trial", sort=False, as_index=False).agg(error=("error", "mean"), n_images=("n_images", "min"))


def _plain(table: pd.DataFrame) -> pd.DataFrame:
    """None and NaN of the factors as one word, so that tables can be merged on them."""
    return table.assign(**{factor: table[factor].map(_word) for factor in DRAW})


def _word(level: object) -> str:
    if level is None or level != level:
        return "–"
    return str(int(level)) if isinstance(level, float) else str(level)
