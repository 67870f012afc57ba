"""PCA's error at the same size on the same images: how much of a difference lies in the images, or in being linear."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis import linear
from analysis.draws import DRAW
from analysis.effects_errors import OVER_PCA, cell_of
from analysis.effects_families import Family
from study import datasets, metrics, preprocessing

if TYPE_CHECKING:
    import pandas as pd

    from study.datasets import Dataset

PCA_FVU = "test_pca_fvu"
LINEAR = "linear"  # the architecture whose optimum PCA is


def across_images(families: Sequence[Family]) -> list[str]:
    """The cells of the contrasts between cells that see other images, or between a linear network and another."""
    every = [c for family in families for c in family.contrasts]
    pairs = [c for c in every if not c.same_images or LINEAR in c.changed.get("architecture", ())]
    return list(dict.fromkeys(name for c in pairs for name in c.names))


def with_pca(trials: pd.DataFrame, cells: Sequence[str], load: Callable[[str], Dataset]) -> pd.DataFrame:
    """The trials with PCA's errors beside some cells'.

    PCA is fitted on the training images of each seed, at the trial's latent size; its reconstructions are clipped to
    [0, 1], as a network's are for its metrics.

    Args:
        trials: The trials table.
        cells: Those that need it; the others get NaN.
        load: Gives a data set by its name.

    Returns:
        The trials with `test_pca_fvu`, PCA's fraction of variance unexplained on the test images, and `test_over_pca`,
        the network's MSE ÷ PCA's, of which the logarithm is the skill.

    Raises:
        InputError: A data set cannot be loaded.
    """
    import pandas as pd

    wanted = trials[cell_of(trials).isin(cells)]
    rows = [row for part in _draws(wanted) for row in _errors(part, load)]
    found = pd.DataFrame(rows, columns=["trial", PCA_FVU, "pca_mse"]).set_index("trial")
    beside = {name: trials["trial"].map(found[name]) for name in found}
    over = trials["test_mse"].astype(float) / beside["pca_mse"]
    return trials.assign(**{PCA_FVU: beside[PCA_FVU], OVER_PCA: over})


def _draws(trials: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """The trials that were trained on the same images."""
    keys = [*DRAW, "randomness", "seed"]
    return (part for _, part in trials.groupby(keys, dropna=False, sort=False))


def _errors(part: pd.DataFrame, load: Callable[[str], Dataset]) -> Iterator[dict[str, Any]]:
    first = part.iloc[0]
    cell = {name: _level(first[name]) for name in DRAW}
    seed = int(first["seed"]) if first["randomness"] in ("all", "splits") else 0  # as `study.randomness` holds them
    data, splits = preprocessing.prepare(cell, seed, load(cell["dataset"]))
    train, test = (datasets.to_unit(images, data.value_range) for images in (splits.train, splits.test))
    mean, basis = metrics.mean_image(train), linear.fit(train, int(part["latent_dim"].max()))
    of_mean = metrics.squared_error(test, np.broadcast_to(mean, test.shape)).mean()
    errors: dict[int, float] = {}
    for k in sorted({int(size) for size in part["latent_dim"]} & set(range(1, len(basis.components) + 1))):
        errors[k] = float(metrics.squared_error(test, basis.reconstruct(test, k)).mean())
    for trial, k in zip(part["trial"], part["latent_dim"], strict=True):
        if k in errors:
            yield {"trial": trial, PCA_FVU: errors[k] / of_mean, "pca_mse": errors[k]}


def _level(value: Any) -> Any:
    """A level out of a column: pandas turns None among numbers into NaN."""
    return None if value is None or value != value else int(value) if isinstance(value, float) else value
