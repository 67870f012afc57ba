"""Whether what is remembered rises or falls along an axis. Pure: arrays in, estimates out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from analysis.residual_twins import slopes
from analysis.statistics import paired_t


def trend(values: np.ndarray, levels: Sequence[int], logs: bool) -> dict[str, Any]:
    """How a difference changes with each doubling of the level: a line through all levels, and so no picked ends.

    The least-squares slope over log2 of the level of each seed, then the paired t interval over seeds: the two-stage
    summary of repeated measures (Matthews et al. 1990, doi:10.1136/bmj.300.6719.230). A bent curve is summarised by its
    line.

    Args:
        values: (n_seeds, n_levels), below 0 where training images do better; seeds with a NaN are left out.
        levels: (n_levels,), 2 or more, ascending.
        logs: Whether the values are logs of ratios.

    Returns:
        `change`, `change_low`, `change_high`: with each doubling, of logs a factor of the ratio, otherwise a
        difference; NaN where fewer than 2 seeds have all levels; `change_n`, `change_method`. Below 1, or 0: the larger
        the level, the more is remembered.
    """
    whole = values[~np.isnan(values).any(axis=1)]
    found = paired_t(slopes(whole, np.log2(levels)))
    ends = np.array([found.value, found.low, found.high])
    change = zip(("change", "change_low", "change_high"), np.exp(ends) if logs else ends, strict=True)
    method = "paired t interval over seeds of each seed's slope over log2 of the level"
    return {**{name: float(end) for name, end in change}, "change_n": found.n, "change_method": method}
