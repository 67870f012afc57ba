"""What the question of training samples needs: the error of each trial on training, held-out and test images, by task.

A task's error is brought to a scale on which differences are compared: the log of the squared error where there is one,
its mean over conditions for inpainting and denoising, and 1 less the area under the ROC curve for anomaly detection.
Generation has no error on a split; it is asked whether generated images lie nearer to training images. Beside each
network stands what a linear map, fitted on the same training images, does on the same three splits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis import linear
from analysis.applications import baselines_of
from analysis.draws import DRAW, Draw, draw_of
from study import datasets, metrics
from study.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from analysis.applications import Results
    from study.datasets import Dataset

SPLITS = ("train", "heldout", "test")
# Part → (what is asked about, what it is compared with): their difference is below 0 where the first does better.
PARTS = {"memorisation": ("train", "heldout"), "split shift": ("heldout", "test"), "together": ("train", "test")}
RECONSTRUCTION, MEMBERSHIP = "reconstruction", "membership"
RESTORATIONS, ANOMALY, GENERATION = ("inpainting", "denoising"), "anomaly", "generation"
AREAS = (ANOMALY, MEMBERSHIP, GENERATION)  # compared by differences of areas or shares; the others by ratios of errors
SCORE, OPTIMUM = "squared error", "linear optimum"
EXACT = 1e-12  # a squared error below is rounding: nothing is left to compare
COLUMNS = ["task", "trial", *SPLITS, *(f"control_{split}" for split in SPLITS)]
DIFFERENCES = ["task", "trial", "part", "value", "control"]


def reconstruction(trials: pd.DataFrame) -> pd.DataFrame:
    """A row a trial: log MSE of all its images on each split, from the trials table, beside PCA's.

    Args:
        trials: Completed trials, with `pca`'s columns.

    Returns:
        The columns `COLUMNS`.
    """
    return trials.assign(**{split: log(trials[f"{split}_mse"]) for split in SPLITS}, task=RECONSTRUCTION)[COLUMNS]


def pca(trials: pd.DataFrame, load: Callable[[str], Dataset]) -> pd.DataFrame:
    """What PCA of the same latent size errs, fitted on the same training images and clipped to [0, 1].

    Returns:
        A row a trial: `n_train`, its number of training images, and `control_SPLIT`, log MSE; NaN where there are not
            as many components, or nothing is left to err.
    """
    import pandas as pd

    found: list[dict[str, Any]] = []
    for _, rows in trials.groupby([*DRAW, "seed"], dropna=False, sort=False):
        sizes = tuple(sorted({int(size) for size in rows["latent_dim"]}))
        draw = draw_of(rows, load, first=False, split="test", wanted=1, sizes=sizes)
        errors = _of_draw(draw)
        n_train = len(draw.splits.train)
        for row in rows.to_dict("records"):
            same = {f"control_{split}": error for split, error in errors[row["latent_dim"]].items()}
            found.append({"trial": row["trial"], "n_train": n_train, **same})
    return pd.DataFrame(found)


def fit(draw: Draw) -> linear.PCA:
    """PCA of all training images of a draw, with as many components as its largest code."""
    train = datasets.to_unit(draw.splits.train, draw.data.value_range)
    return linear.fit(train, max(draw.sizes))


def clipped_errors(basis: linear.PCA, images: np.ndarray, size: int) -> np.ndarray:
    """Squared error of each image, its reconstruction clipped to [0, 1] as a network's is: (n,); NaN past the basis."""
    if size > len(basis.components):
        return np.full(len(images), np.nan)
    parts = [metrics.squared_error(block, basis.reconstruct(block, size)) for block in linear.blocks(images)]
    return np.concatenate(parts)


def _of_draw(draw: Draw) -> dict[int, dict[str, float]]:
    """Latent size → split → log MSE."""
    basis = fit(draw)
    errors: dict[int, dict[str, float]] = {size: {} for size in draw.sizes}
    for split in SPLITS:
        images = datasets.to_unit(getattr(draw.splits, split), draw.data.value_range)
        for size in draw.sizes:
            errors[size][split] = float(log(clipped_errors(basis, images, size).mean()))
    return errors


def of_task(task: str, results: Mapping[str, Results]) -> pd.DataFrame:
    """A row a trial: its errors in a task, from the results on each split.

    Args:
        task: Its name.
        results: Split → results of `applications.evaluate`.

    Returns:
        The columns `COLUMNS`.

    Raises:
        InputError: No trial has results on every split.
    """
    errors = _anomaly if task == ANOMALY else _restoration
    tables = [errors(results[split]).rename(columns=_of_split(split)) for split in SPLITS]
    both = tables[0].merge(tables[1], on="trial").merge(tables[2], on="trial")
    if both.empty:
        raise InputError(f"{task}: no trial has results on {', '.join(SPLITS)} images alike.")
    return both.assign(task=task)[COLUMNS]


def differences(errors: pd.DataFrame) -> pd.DataFrame:
    """Errors on each split as differences, a row a trial and part.

    Args:
        errors: The columns `COLUMNS`.

    Returns:
        The columns `DIFFERENCES`: `value` of the network and `control` of the linear map are below 0 where the first
        of a part's pair does better.
    """
    import pandas as pd

    parts = [
        errors.assign(
            part=part,
            value=errors[first] - errors[second],
            control=errors[f"control_{first}"] - errors[f"control_{second}"],
        )
        for part, (first, second) in PARTS.items()
    ]
    return pd.concat(parts)[DIFFERENCES].dropna(subset="value")


def generation(results: Results) -> pd.DataFrame:
    """Whether a cell's generated images lie nearer to training images than to as many held-out ones, sampler by rule.

    Returns:
        The columns `DIFFERENCES`, memorisation alone: 0.5 less the share of images whose nearest is a training image,
            and the same of the mixture on PCA coordinates, which also saw the training images.
    """
    from analysis.generation_bench import PCA_MIXTURE, main_sampler

    models = results.models[results.models["sampler"] == results.models["regularizer"].map(main_sampler)]
    mixture = results.baselines[results.baselines["method"] == PCA_MIXTURE].set_index("file")["nearest_is_training"]
    found = models.assign(
        task=GENERATION,
        part="memorisation",
        value=0.5 - models["nearest_is_training"],
        control=0.5 - models["trial"].map(baselines_of(models)).map(mixture),
    )
    return found[DIFFERENCES]


def _of_split(split: str) -> dict[str, str]:
    return {"error": split, "control": f"control_{split}"}


def _restoration(results: Results) -> pd.DataFrame:
    """Mean log MSE over the conditions in one pass, and the linear optimum's."""
    models, baselines = (table[table["mode"] == "one pass"] for table in (results.models, results.baselines))
    optimum = _on_most_images(baselines[baselines["method"] == OPTIMUM], "file")
    models = _on_most_images(models, "trial")
    control = optimum.assign(control=log(optimum["mse"])).groupby("file")["control"].mean()
    errors = models.assign(error=log(models["mse"])).groupby("trial", sort=False)["error"].mean().reset_index()
    return errors.assign(control=errors["trial"].map(baselines_of(models)).map(control))


def _on_most_images(table: pd.DataFrame, by: str) -> pd.DataFrame:
    """Without the rows on fewer images, which are there for comparing with costly methods."""
    return table[table["n_images"] == table.groupby([by, "condition"])["n_images"].transform("max")]


def _anomaly(results: Results) -> pd.DataFrame:
    """1 - mean AUC over the anomaly sets, by squared error, and that of PCA's error at the same latent size."""
    models = results.models[results.models["score"] == SCORE]
    errors = models.groupby(["trial", "latent_dim"], sort=False)["auc"].mean().rsub(1).reset_index(name="error")
    control = results.baselines.groupby(["file", "method"])["auc"].mean().rsub(1).rename("control").reset_index()
    errors = errors.assign(
        file=errors["trial"].map(baselines_of(models)), method="PCA " + errors["latent_dim"].astype(str)
    )
    return errors.merge(control, on=["file", "method"], how="left")[["trial", "error", "control"]]


def log(values: Any) -> Any:
    """The natural logarithm, NaN where rounding is all that is left."""
    array = np.asarray(values, np.float64)
    return np.log(np.where(array > EXACT, array, np.nan))
