"""Inpainting and denoising: which latent size has the least error with which mask or noise."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.statistics import t_interval

if TYPE_CHECKING:
    import pandas as pd

SIZES = 3  # fewest of a curve of which the best is named
SIZE = r"-k(\d+)(?=-|$)"  # in a cell's name


def best_sizes(once: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Of each curve (cells whose names differ in the latent size alone) and condition, the size with the least error.

    It is chosen on the seeds that the others are held against it on: the ends describe, and test nothing.

    Args:
        once: A row a trial and condition: `dataset`, `cell`, `seed`, `condition`, `n_images` and `mse`.

    Yields:
        `size`, with the least mean log error over the seeds that have all sizes; `low` and `high`, the least and the
        greatest size whose paired t interval against it does not lie above 0; `mse`, its geometric mean error, with
        `mse_low` and `mse_high`, its t interval; `tried`, all sizes in words.
    """
    sizes = once["cell"].str.extract(SIZE, expand=False).astype(float)
    rows = once.assign(curve=once["cell"].str.replace(SIZE, "", regex=True), size=sizes, log=np.log(once["mse"]))
    for (dataset, curve, condition), part in rows.groupby(["dataset", "curve", "condition"], sort=False):
        logs = part.pivot_table(index="seed", columns="size", values="log").dropna()
        if logs.shape[1] < SIZES or logs.empty:
            continue
        best = logs.mean().idxmin()
        log = t_interval(logs[best])
        alike = [int(size) for size in logs if size == best or not t_interval(logs[size] - logs[best]).low > 0]
        yield {
            **{"dataset": dataset, "curve": curve, "condition": condition},
            **{"size": int(best), "low": min(alike), "high": max(alike)},
            **{"mse": np.exp(log.value), "mse_low": np.exp(log.low), "mse_high": np.exp(log.high)},
            **{"tried": " ".join(f"{size:.0f}" for size in logs), "n": len(logs)},
            "n_images": int(part["n_images"].max()),
            "method": "least mean log error; ends: least and greatest size not told from it by paired 95 % t intervals",
        }
