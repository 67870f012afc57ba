"""The stored reconstructions of a study: their errors, image by image, and what the seeds of a cell have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.effects_contrasts import cell_of
from analysis.statistics import Floats, t_interval
from analysis.task_work import left_out
from study import datasets, metrics, preprocessing
from study.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from study.datasets import Dataset

ON_SAME_IMAGES = ["dataset", "normal_class", "preprocessing"]  # cells that agree in these are shown together
KINDS = {"median": "around the median", "worst tenth": "of the worst tenth"}  # halves of the examples, by PCA error


@dataclass(frozen=True)
class Gallery:
    """The pictures of all cells that were given the same images.

    Attributes:
        name: Data set, class and preprocessing, as far as they are not the usual ones.
        originals: (32, H, W, C) in [0, 1], as the lowest seed's network sees them.
        mean_image: (H, W, C) in [0, 1], of the training images of that network.
        index: (32,) of the images among the data set's test images.
        seeds: Ascending.
        pictures: Cell → seed → (32, H, W, C) in [0, 1]; without the trials that failed.
    """

    name: str
    originals: Floats
    mean_image: Floats
    index: np.ndarray
    seeds: list[int]
    pictures: dict[str, dict[int, Floats]]


@dataclass(frozen=True)
class Estimates:
    """All the numbers, and the pictures that they are of.

    Attributes:
        images: A row a trial and image: `shown` (the gallery), `cell`, `seed`, `trial`, `collapsed`, `test_index`,
            `kind`, `mse`.
        cells: A row a cell and kind of images: `error` with `low`, `high` over `n` seeds, `common`, and how many of
            its seeds are `collapsed`: no better than the training mean image.
        over_cells: A row a gallery: what holds over its cells (`over_cells`).
        galleries: Of each group of cells on the same images.
        gone: Trials without examples → why.
    """

    images: pd.DataFrame
    cells: pd.DataFrame
    over_cells: pd.DataFrame
    galleries: list[Gallery]
    gone: Mapping[str, str]

    def tables(self) -> dict[str, pd.DataFrame]:
        """File name → table."""
        return {"images": self.images, "cells": self.cells, "over_cells": self.over_cells}


def estimate(
    trials: pd.DataFrame, load: Callable[[str], Dataset], examples: Callable[[str], Mapping[str, np.ndarray]]
) -> Estimates:
    """All galleries of a study.

    Args:
        trials: The trials table. Those with a seed that decides one source alone are left out: they look like others.
        load: Gives a data set by its name.
        examples: Gives what a trial stored: `index`, `reconstructions` as uint8.

    Raises:
        InputError: No trial has stored any.
    """
    import pandas as pd

    usual = trials[trials["randomness"] == "all"]
    completed = usual[usual["status"] == "completed"].assign(
        cell=lambda table: cell_of(table), collapsed=lambda table: table["collapsed"].eq(True)
    )
    galleries: list[Gallery] = []
    gone: dict[str, str] = {}
    images: list[pd.DataFrame] = []
    for _, rows in completed.groupby(ON_SAME_IMAGES, dropna=False, sort=False):
        stored = dict(_stored(rows, examples, gone))
        if stored:
            gallery, errors = _gallery(rows, load(rows["dataset"].iloc[0]), stored)
            galleries.append(gallery)
            images.append(errors)
    if not galleries:
        raise InputError(" ".join(left_out(gone)) or "no trial of this study has completed, so that none has examples.")
    table = pd.concat(images, ignore_index=True)
    common = {name: share for gallery in galleries for name, share in _common(gallery).items()}
    cells = pd.DataFrame(list(_cells(table, common)))
    of_mean = {gallery.name: _mean_image_ratio(gallery) for gallery in galleries}
    return Estimates(table, cells, over_cells(cells, of_mean), galleries, gone)


def over_cells(cells: pd.DataFrame, of_mean: Mapping[str, float]) -> pd.DataFrame:
    """How hard the worst tenth is for the cells of a gallery, and what more seeds would leave of their errors.

    Args:
        cells: As in `Estimates`. Those with a collapsed seed are counted and left out.
        of_mean: Gallery → the same ratio of errors of the training mean image.

    Returns:
        A row a gallery: `shown`; `collapsed`, the cells left out; of the others' ratios of error on the worst tenth ÷
        on median images `ratio`, the median over `cells` of them, `ratio_least` and `ratio_greatest`;
        `mean_image_ratio`, that of the training mean image, which tells no image from another, and how many cells lie
        `above` it; of the others' shares common to all seeds, the mean over both kinds, `common_least` of
        `common_least_cell`, `common_greatest` of `common_greatest_cell`, with `n` seeds at most. Without an interval;
        NaN where no cell has one.
    """
    import pandas as pd

    return pd.DataFrame([_over(shown, rows, of_mean[shown]) for shown, rows in cells.groupby("shown", sort=False)])


def _over(shown: Any, every: pd.DataFrame, of_mean: float) -> dict[str, Any]:
    left_out = every.loc[every["collapsed"] > 0, "cell"].unique()
    rows = every[~every["cell"].isin(left_out)]
    error = rows.pivot(index="cell", columns="kind", values="error").reindex(columns=list(KINDS))
    median, worst = KINDS
    ratios = (error[worst] / error[median]).dropna()
    known = rows.dropna(subset="common")
    common = known.groupby("cell", sort=False)["common"].mean().sort_values()
    ends = {"least": 0, "greatest": -1} if len(common) else {}
    return {
        **{"shown": shown, "collapsed": len(left_out), "cells": len(ratios), "ratio": ratios.median()},
        **{"ratio_least": ratios.min(), "ratio_greatest": ratios.max()},
        **{"mean_image_ratio": of_mean, "above": int((ratios > of_mean).sum())},
        **{"common_cells": len(common), "n": known["n"].max() if len(known) else 0},
        **{f"common_{name}": common.iloc[end] for name, end in ends.items()},
        **{f"common_{name}_cell": common.index[end] for name, end in ends.items()},
    }


def _mean_image_ratio(gallery: Gallery) -> float:
    """The error of the training mean image on the worst tenth ÷ that on median images."""
    errors = metrics.squared_error(gallery.originals, gallery.mean_image[None])
    kinds = np.array(_kinds(len(gallery.index)))
    median, worst = (float(errors[kinds == kind].mean()) for kind in KINDS)
    return worst / median


def _stored(
    rows: pd.DataFrame, examples: Callable[[str], Mapping[str, np.ndarray]], gone: dict[str, str]
) -> Iterator[tuple[str, Mapping[str, np.ndarray]]]:
    for trial in rows["trial"]:
        try:
            yield trial, examples(trial)
        except InputError as error:
            gone[trial] = str(error)


def _gallery(
    rows: pd.DataFrame, data: Dataset, stored: Mapping[str, Mapping[str, np.ndarray]]
) -> tuple[Gallery, pd.DataFrame]:
    """The pictures of cells on the same images, and their errors."""
    import pandas as pd

    rows = rows[rows["trial"].isin(list(stored))].sort_values("seed", kind="stable")
    seen = _Originals(data)
    name = _name(rows.iloc[0])
    tables: list[pd.DataFrame] = []
    pictures: dict[str, dict[int, Floats]] = {cell: {} for cell in rows["cell"].unique()}
    for row in rows.to_dict("records"):
        index, made = stored[row["trial"]]["index"], stored[row["trial"]]["reconstructions"] / np.float32(255)
        pictures[row["cell"]][int(row["seed"])] = made
        errors = metrics.squared_error(seen(row, index), made)
        same = {"shown": name, **{key: row[key] for key in ("dataset", "cell", "seed", "trial", "collapsed")}}
        tables.append(pd.DataFrame({**same, "test_index": index, "kind": _kinds(len(index)), "mse": errors}))
    first = rows.iloc[0].to_dict()
    index = stored[first["trial"]]["index"]
    seeds = sorted(int(seed) for seed in rows["seed"].unique())
    gallery = Gallery(name, seen(first, index), _mean_image(first, data), index, seeds, pictures)
    return gallery, pd.concat(tables)


def _mean_image(row: Mapping[str, Any], data: Dataset) -> Floats:
    """The mean of a trial's training images, (H, W, C) in [0, 1]: what a network that learns nothing may give."""
    levels = {**row, **{factor: _level(row[factor]) for factor in ("train_size", "normal_class")}}
    seen, splits = preprocessing.prepare(levels, int(row["seed"]), data)
    return np.clip(datasets.to_unit(metrics.mean_image(splits.train), seen.value_range), 0, 1)


class _Originals:
    """The images as a trial's network sees them; those of one draw are made once."""

    def __init__(self, data: Dataset) -> None:
        self._data = data
        self._made: dict[tuple, Floats] = {}

    def __call__(self, row: Mapping[str, Any], index: np.ndarray) -> Floats:
        fitted = (row["seed"], row["train_size"]) if row["preprocessing"] != "unit" else ()
        key = (row["preprocessing"], str(fitted), tuple(index))
        if key not in self._made:
            self._made[key] = self._images(row, index)
        return self._made[key]

    def _images(self, row: Mapping[str, Any], index: np.ndarray) -> Floats:
        """A preprocessing other than "unit" learns from the trial's training images."""
        data = self._data
        if row["preprocessing"] == "unit":
            return datasets.to_unit(data.x_test[index], data.value_range)
        train_size, normal_class = (_level(row[factor]) for factor in ("train_size", "normal_class"))
        train = datasets.split(data, int(row["seed"]), train_size, normal_class).train
        return preprocessing.fit(row["preprocessing"], train, data.value_range)(data.x_test[index])


def _level(value: Any) -> int | None:
    """A level out of a column: pandas turns None among numbers into NaN."""
    return None if value is None or value != value else int(value)


def _name(row: Any) -> str:
    parts = [row["dataset"]]
    if _level(row["normal_class"]) is not None:
        parts.append(f"class{_level(row['normal_class'])}")
    return "-".join([*parts, *([row["preprocessing"]] if row["preprocessing"] != "unit" else [])])


def _kinds(count: int) -> list[str]:
    """Of the examples, the first half lies around the median, the other in the worst tenth."""
    median, worst = KINDS
    return [median] * (count // 2) + [worst] * (count - count // 2)


def _common(gallery: Gallery) -> dict[tuple[str, str], float]:
    """Cell and kind → the share of the squared error that all seeds repeat: 1 - variance over seeds ÷ mean error.

    The error of a reconstruction splits into that of the mean over seeds, which another seed repeats, and the variance
    over seeds (Geman et al. 1992, doi:10.1162/neco.1992.4.1.1); the variance is unbiased. NaN of one seed. Exact where
    the originals are the same for all seeds.
    """
    found = {}
    kinds = np.array(_kinds(len(gallery.index)))
    for cell, by_seed in gallery.pictures.items():
        made = np.stack(list(by_seed.values())).astype(np.float64)
        if len(made) < 2:
            continue
        variance = made.var(axis=0, ddof=1).mean(axis=(1, 2, 3))
        error = np.square(made - gallery.originals).mean(axis=(0, 2, 3, 4))
        for kind in KINDS:
            part = kinds == kind
            found[cell, kind] = float(1 - variance[part].mean() / error[part].mean())
    return found


def _cells(images: pd.DataFrame, common: Mapping[tuple[str, str], float]) -> Iterator[dict[str, Any]]:
    for (shown, cell, kind), rows in images.groupby(["shown", "cell", "kind"], sort=False):
        by_seed = rows.groupby("seed")["mse"].mean()
        log = t_interval(np.log(by_seed))
        yield {
            **{"shown": shown, "dataset": rows["dataset"].iloc[0], "cell": cell, "kind": kind},
            **{"error": np.exp(log.value), "low": np.exp(log.low), "high": np.exp(log.high)},
            **{"common": common.get((cell, kind), np.nan), "n": log.n, "images": rows["test_index"].nunique()},
            "collapsed": rows.loc[rows["collapsed"], "seed"].nunique(),
            "method": f"geometric mean over seeds, {log.method.partition(', ')[2]} of log error",
        }
