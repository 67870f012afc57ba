"""Inpainting and denoising: which latent size has the least error with which mask or noise."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.draws import images_of
from analysis.statistics import t_interval

if TYPE_CHECKING:
    import pandas as pd

SIZES = 3  # fewest of a curve of which the best is named
SIZE = r"-k(\d+)(?=-|$)"  # in a cell's name
KEYS = ["dataset", "curve", "condition"]
LEAST = "least mean log error; ends: least and greatest size not told from it by paired 95 % t intervals"


def best_sizes(once: pd.DataFrame, split: str, validated: pd.DataFrame | None = None) -> Iterator[dict[str, Any]]:
    """Of each curve (cells whose names differ in the latent size alone) and condition, the size with the least error.

    Where the task was done on validation images too, these choose and the error is estimated on the images of the
    split, which chose nothing. Otherwise the size is looked for on the split's own images: the least of several errors
    is less than it would be on others, and has no interval. Either way it is chosen on the seeds that the others are
    held against it on: the ends describe, and test nothing.

    Args:
        once: A row a trial and condition: `dataset`, `cell`, `seed`, `condition`, `n_images` and `mse`.
        split: Whose images these are.
        validated: The same on validation images; None: there are none.

    Yields:
        `size`, with the least mean log error over the seeds that have all sizes; `low` and `high`, the least and the
        greatest size whose paired t interval against it does not lie above 0; `chosen_on`, the split that chose; `mse`,
        its geometric mean error on the split, with `mse_low` and `mse_high`, its t interval, NaN where the same images
        chose; `tried`, all sizes in words.
    """
    chosen_on, choosing = (split, once) if validated is None else ("val", validated)
    tables = {key: _logs(part) for key, part in _named(once).groupby(KEYS, sort=False)}
    for key, part in _named(choosing).groupby(KEYS, sort=False):
        logs = _logs(part)
        if logs.shape[1] < SIZES or logs.empty:
            continue
        best = logs.mean().idxmin()
        log = t_interval(tables[key][best])
        low, high = (log.low, log.high) if chosen_on != split else (np.nan, np.nan)
        alike = [int(size) for size in logs if size == best or not t_interval(logs[size] - logs[best]).low > 0]
        yield {
            **dict(zip(KEYS, key, strict=True)),
            **{"size": int(best), "low": min(alike), "high": max(alike), "chosen_on": chosen_on},
            **{"mse": np.exp(log.value), "mse_low": np.exp(low), "mse_high": np.exp(high)},
            **{"tried": " ".join(f"{size:.0f}" for size in logs), "n": log.n},
            **{"n_images": int(part["n_images"].max()), "method": _method(chosen_on, split)},
        }


def _named(rows: pd.DataFrame) -> pd.DataFrame:
    sizes = rows["cell"].str.extract(SIZE, expand=False).astype(float)
    return rows.assign(curve=rows["cell"].str.replace(SIZE, "", regex=True), size=sizes, log=np.log(rows["mse"]))


def _logs(part: pd.DataFrame) -> pd.DataFrame:
    """Seeds × sizes, the seeds that have all."""
    return part.pivot_table(index="seed", columns="size", values="log").dropna()


def _method(chosen_on: str, split: str) -> str:
    if chosen_on == split:
        return f"looked for on the {split} images: a description, no estimate; {LEAST}"
    return f"chosen on validation images: {LEAST}; error: 95 % t interval over seeds, {images_of([split])}"
