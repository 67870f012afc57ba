"""A family of contrasts some of which lack seeds. Pure: an array in, estimates out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from analysis.statistics import LEVEL, Contrasts, Floats, alpha, bonferroni_t, family


def contrasts(table: Floats) -> Iterator[tuple[Contrasts, int]]:
    """Of each column its contrasts and its place in them.

    Where every cell has every seed, one joint family; where failures, or a study that goes on, left holes, paired t for
    each cell over the seeds that it has, Bonferroni for them all, so that no cell is dropped and none takes seeds from
    another.

    Args:
        table: (n_seeds, n_cells), cell minus reference of the same seed; NaN where a cell lacks a seed, one at least in
            each column known.
    """
    if not np.isnan(table).any():
        whole = family(table)
        yield from ((whole, place) for place in range(table.shape[1]))
        return
    count = table.shape[1]
    for column in table.T:
        own = bonferroni_t(column[~np.isnan(column)][:, None], 1 - alpha(LEVEL) / count)
        method = f"paired t over each one's own seeds, Bonferroni 95 % intervals for {count}: assumes normality"
        yield replace(own, p=np.minimum(1, own.p * count), level=LEVEL, method=method), 0
