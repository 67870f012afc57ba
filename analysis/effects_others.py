"""What stands beside the contrasts of a family's own metric: those of other metrics, and errors against PCA's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from analysis.effects_contrasts import contrasts
from analysis.effects_errors import DRAW, OVER_PCA, cell_of, log_errors
from analysis.effects_families import Contrast, Family
from analysis.statistics import LEVEL, percent, t_interval

if TYPE_CHECKING:
    import pandas as pd

OTHERS = ("test_mse", "test_fvu", "test_mae", "test_excess_bce", "test_ssim", "test_psnr", "val_mse", OVER_PCA)
METHOD = f"geometric mean over seeds, {percent(LEVEL)} t interval of logarithms, single"
COLUMNS = ("cell", "dataset", "n", "value", "low", "high", "method")


def others(trials: pd.DataFrame, families: Sequence[Family]) -> pd.DataFrame:
    """Contrasts of the metrics that are not a family's own, descriptive.

    Against PCA only those are compared of which PCA's own error differs: of the others the ratio is that of the errors.
    """
    import pandas as pd

    unlike = _unlike_for_pca(families)
    found = [
        contrasts(trials, unlike if metric == OVER_PCA else families, metric) for metric in OTHERS if metric in trials
    ]
    table = pd.concat(found, ignore_index=True)
    return table[~table["primary"] & (table["n"] > 0)].reset_index(drop=True)


def over_pca(trials: pd.DataFrame, families: Sequence[Family]) -> pd.DataFrame:
    """Each side of the contrasts of which PCA's own error differs, against PCA at its size on its images.

    Returns:
        A row a cell: `cell`, `dataset`, `n` seeds, `value` of test MSE ÷ PCA's, geometric mean with its single t
        interval of logarithms `low`, `high`; `method`. Below 1: less error than PCA.
    """
    import pandas as pd

    rows = []
    if OVER_PCA in trials:
        cells = dict.fromkeys(
            name for family in _unlike_for_pca(families) for c in family.contrasts for name in c.names
        )
        known = trials.assign(log=log_errors(trials, OVER_PCA), cell=cell_of(trials)).dropna(subset="log")
        for cell, of in known[known["cell"].isin(cells)].groupby("cell", sort=False):
            found = t_interval(of["log"].astype(float))
            ends = {"value": np.exp(found.value), "low": np.exp(found.low), "high": np.exp(found.high)}
            rows.append({"cell": cell, "dataset": of["dataset"].iloc[0], "n": found.n, **ends, "method": METHOD})
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _unlike_for_pca(families: Sequence[Family]) -> list[Family]:
    some = (replace(one, contrasts=tuple(c for c in one.contrasts if _unlike(c))) for one in families)
    return [one for one in some if one.contrasts]


def _unlike(contrast: Contrast) -> bool:
    """Whether PCA's own error differs between the two sides: it is fitted to other images, or has another size."""
    return bool({*DRAW, "latent_dim"} & set(contrast.changed))
