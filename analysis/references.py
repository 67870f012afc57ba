"""What needs no network, on the splits of each seed: the mean image, PCA, and the images' intrinsic dimension."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from analysis import intrinsic_dimension, linear
from analysis.statistics import t_interval
from study import datasets, metrics
from study.preprocessing import prepare

if TYPE_CHECKING:
    import pandas as pd

    from study.datasets import Dataset, Splits

IMAGES = 5000  # for the intrinsic dimension: neighbours cost n²


@dataclass(frozen=True)
class References:
    """The references of all seeds that drew from the same images.

    Attributes:
        errors: a row a seed, split ("val", "test") and size: `mean_image` and `pca`, errors of one kind (lower is
            better); NaN for `pca` where fewer components exist.
        dimension: a row an estimator: mean over seeds with its t interval, `n` seeds of `images` images, `method`.
        basis: PCA fitted on the training images of the lowest seed.
    """

    errors: pd.DataFrame
    dimension: pd.DataFrame
    basis: linear.PCA


def over_seeds(
    data: Dataset,
    seeds: Sequence[int],
    sizes: Sequence[int],
    kind: str = "mse",
    train_size: int | None = None,
    normal_class: int | None = None,
    preprocessing: str = "unit",
) -> References:
    """The references of some seeds; PCA is fitted once for each, on its training images.

    Args:
        data: the data set.
        seeds: ascending.
        sizes: numbers of components.
        kind: "mse", "mae", "excess_bce" or "ssim", of which 1 - ssim is taken. Reconstructions are clipped to [0, 1],
            as those of a network are for its metrics.
        train_size: as the trials'.
        normal_class: as the trials'.
        preprocessing: as the trials'; images are compared as the networks see them.
    """
    import pandas as pd

    cell = {"train_size": train_size, "normal_class": normal_class, "preprocessing": preprocessing}

    tables, dimensions = [], []
    bases: list[linear.PCA] = []
    for seed in seeds:
        seen, splits = prepare(cell, seed, data)
        table, basis = _errors(seen, splits, sizes, kind)
        tables.append(table.assign(seed=seed))
        dimensions.append(_dimension(splits.train, seed))
        bases = bases or [basis]  # all of them would fill the memory
    return References(pd.concat(tables), _mean_dimension(dimensions), bases[0])


def _errors(data: Dataset, splits: Splits, sizes: Sequence[int], kind: str) -> tuple[pd.DataFrame, linear.PCA]:
    import pandas as pd

    train = datasets.to_unit(splits.train, data.value_range)
    mean, basis = metrics.mean_image(train), linear.fit(train, max(sizes))
    rows = []
    for split in ("val", "test"):
        images = datasets.to_unit(getattr(splits, split), data.value_range)
        error = _scorer(kind, images)
        of_mean = error(np.broadcast_to(mean, images.shape))
        for k in sizes:
            of_pca = error(basis.reconstruct(images, k)) if k <= len(basis.components) else float("nan")
            rows.append({"split": split, "latent_dim": k, "mean_image": of_mean, "pca": of_pca})
    return pd.DataFrame(rows), basis


def _scorer(kind: str, images: NDArray) -> Callable[[NDArray], float]:
    """A function from reconstructions of the images to their mean error; the metrics clip."""
    per_image: Callable[[NDArray, NDArray], NDArray] = {
        "mse": metrics.squared_error,
        "mae": metrics.absolute_error,
        "excess_bce": metrics.binary_cross_entropy,
        "ssim": lambda x, y: 1 - metrics.structural_similarity(x, y),
    }[kind]
    floor = metrics.entropy_floor(images) if kind == "excess_bce" else 0.0
    return lambda reconstructions: float(np.mean(per_image(images, reconstructions))) - floor


def _dimension(train: NDArray, seed: int) -> dict[str, float]:
    chosen = datasets.rng(seed, "intrinsic dimension").permutation(len(train))[:IMAGES]
    return {"images": len(chosen), **intrinsic_dimension.estimate(train[chosen])}


def _mean_dimension(dimensions: Sequence[dict[str, float]]) -> pd.DataFrame:
    import pandas as pd

    rows = []
    for estimator, method in intrinsic_dimension.METHODS.items():
        found = t_interval([one[estimator] for one in dimensions])
        numbers = {"value": found.value, "low": found.low, "high": found.high, "n": found.n}
        of = {"images": dimensions[0]["images"], "method": f"{method}; {found.method} over seeds"}
        rows.append({"estimator": estimator, **numbers, **of})
    return pd.DataFrame(rows)
