"""Can a network's training images be told from others by how well it reconstructs them?

The area under the ROC curve of the squared error, held-out images against training images: the chance that a held-out
image errs more. 0.5 tells nothing apart (Yeom et al. 2018, arXiv:1709.01604, for the attack by the loss). PCA fitted on
the same training images, at the same size, is the control: it cannot but fit them a little better.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis import applications, restoration, roc
from analysis.applications import Bench, Found, Results, baselines_name
from analysis.draws import Draw, images_of
from analysis.generalization_points import DIFFERENCES, MEMBERSHIP, PARTS, SCORE, clipped_errors, fit
from analysis.statistics import paired_t, t_interval
from study import metrics

if TYPE_CHECKING:
    import pandas as pd

CHANCE = 0.5


def open_bench(draw: Draw) -> Bench:
    """Squared errors of a draw's images, by a network and by PCA."""
    return Bench(lambda: _pca(draw), lambda model, _: _network(draw, model))


TASK = applications.Task(MEMBERSHIP, version=1, images=2000, open=open_bench, per_image=True)


def _network(draw: Draw, model: Any) -> Found:
    return _found({SCORE: metrics.squared_error(draw.images, restoration.reconstructor(model)(draw.images))})


def _pca(draw: Draw) -> Found:
    basis = fit(draw)
    return _found({f"PCA {size}": clipped_errors(basis, draw.images, size) for size in draw.sizes})


def _found(errors: Mapping[str, np.ndarray]) -> Found:
    rows = [{"method": name, "mse": float(values.mean()), "n_images": len(values)} for name, values in errors.items()]
    return Found(rows, {}, {name: values.astype(np.float32) for name, values in errors.items()})


def areas(results: Mapping[str, Results]) -> pd.DataFrame:
    """A row a trial and pair of splits: the area of its errors and of PCA's.

    Args:
        results: Split → results.

    Returns:
        `trial`, `part`, `auc`; `image_se`, `image_low`, `image_high`: DeLong's, for new images alone; `pca_auc` (NaN
        where PCA has not as many components); `n_first`, `n_second`: images on either side.
    """
    import pandas as pd

    models = results["train"].models
    return pd.DataFrame([row for _, trial in models.groupby("trial", sort=False) for row in _of_trial(trial, results)])


def _of_trial(trial: pd.DataFrame, results: Mapping[str, Results]) -> Iterator[dict[str, Any]]:
    name, draw = str(trial["trial"].iloc[0]), baselines_name(trial)
    size = int(trial["latent_dim"].iloc[0])
    for part, pair in PARTS.items():
        values = [results[split].per_image(name) for split in pair]
        if not all(SCORE in side for side in values):
            continue
        first, second = (side[SCORE] for side in values)
        area = roc.crossed([roc.placements(first, second)])
        control = [results[split].per_image(draw).get(f"PCA {size}", np.array([np.nan])) for split in pair]
        known = not any(np.isnan(side).any() for side in control)
        yield {
            **{"trial": name, "part": part, "auc": area.value, "image_se": area.image_sd},
            **{"image_low": area.low, "image_high": area.high},
            "pca_auc": roc.area(*control) if known else float("nan"),
            **{"n_first": len(first), "n_second": len(second)},
        }


def differences(found: pd.DataFrame) -> pd.DataFrame:
    """`areas` as differences below 0 where the first of a pair errs less: `trial`, `part`, `value`, `control`."""
    shown = found.assign(task=MEMBERSHIP, value=CHANCE - found["auc"], control=CHANCE - found["pca_auc"])
    return shown[DIFFERENCES]


def over_seeds(points: pd.DataFrame) -> pd.DataFrame:
    """A row a cell and pair of splits: the mean area over seeds with its t interval, PCA's, and their difference.

    Every seed draws its own training and held-out images, so that the spread over seeds holds both the networks' and
    the images' part; nothing is crossed. Test images are the same for all: with them the interval holds for these
    alone. Of a single seed the interval is DeLong's, for new images alone, and describes: no verdict follows from it.

    Args:
        points: `areas`, with `dataset` and `cell` and what else is to be kept of a cell.
    """
    import pandas as pd

    groups = points.groupby(["dataset", "cell", "part"], sort=False)
    return pd.DataFrame([{**_same(rows), **_mean(rows)} for _, rows in groups])


def _same(rows: pd.DataFrame) -> dict[str, Any]:
    kept = ("dataset", "cell", "part", "latent_dim", "n_train")
    images = {f"n_{side}": int(rows[f"n_{side}"].min()) for side in ("first", "second")}
    return {name: rows[name].iloc[0] for name in kept} | images


def _mean(rows: pd.DataFrame) -> dict[str, Any]:
    found = t_interval(rows["auc"])
    low, high, method = found.low, found.high, f"{found.method} over seeds, {images_of(PARTS[rows['part'].iloc[0]])}"
    if found.n == 1:
        low, high = rows[["image_low", "image_high"]].iloc[0]
        method = "95 % interval, images alone (DeLong): one seed"
    both = rows.dropna(subset="pca_auc")
    over = paired_t(both["auc"] - both["pca_auc"])
    return {
        **{"auc": found.value, "low": low, "high": high, "n": found.n, "method": method},
        "image_se": float(np.sqrt(np.square(rows["image_se"]).sum()) / len(rows)),
        **{"pca_auc": both["pca_auc"].mean(), "over_pca": over.value, "over_low": over.low, "over_high": over.high},
        **{"over_p": over.p, "over_n": over.n, "over_method": over.method},
        "verdict": _verdict(found.low, found.high),
    }


def _verdict(low: float, high: float) -> str:
    """What an interval over seeds says; of one seed it is NaN."""
    return "told apart" if low > CHANCE else "turned round" if high < CHANCE else "not resolved"
