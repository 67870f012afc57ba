"""Where one seed makes most of the spread of a contrast: it is named, and stays in.

Of 4 seeds with normal differences one lies that far from the others in 15 of 100 cases, of 10 in none of 100: that it
is named says where a wide interval comes from, not that the seed went wrong.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.effects_words import between

if TYPE_CHECKING:
    import pandas as pd

FEWEST = 4  # seeds; of fewer, one always lies apart
APART = 3.0  # times the range of the others' log ratios, from their median
NOTABLE = 0.1  # a share; a seed that differs by less widens no interval that matters
KEY = ["family", "cell", "reference"]
COLUMNS = ("seed_apart", "ratio_apart", "others_low", "others_high")


def with_seed_apart(contrasts: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    """The contrasts with the seed that makes most of their spread, where one does.

    Args:
        contrasts: From `effects_contrasts.contrasts`.
        pairs: The differences behind them, from `effects_contrasts.pairs`.

    Returns:
        The same with `seed_apart`; `ratio_apart`, its own; `others_low` and `others_high`, the least and the greatest
        ratio of the other seeds. NaN where no seed's log ratio is farther from the median of the others than `APART`
        times their range, and by `NOTABLE` at least.
    """
    found = {key: _apart(rows["seed"].to_numpy(), rows["difference"].to_numpy()) for key, rows in pairs.groupby(KEY)}
    none = dict.fromkeys(COLUMNS, float("nan"))
    rows = [found.get(key, none) for key in zip(*(contrasts[name] for name in KEY), strict=True)]
    return contrasts.assign(**{name: [row[name] for row in rows] for name in COLUMNS})


def named(row: Mapping[str, Any]) -> Iterator[str]:
    """The seed of a contrast that makes most of its spread, in words; nothing where none does."""
    if not np.isnan(row["seed_apart"]):
        others = between(f"{row['others_low']:.3g}", f"{row['others_high']:.3g}")
        mine = f"{row['ratio_apart']:.3g} in seed {row['seed_apart']:.0f}"
        yield f"most of the spread is one seed's: {mine}, {others} in the others"


def _apart(seeds: np.ndarray, logs: np.ndarray) -> dict[str, float]:
    for place in (logs.argmin(), logs.argmax()) if len(logs) >= FEWEST else ():
        others = np.delete(logs, place)
        distance = abs(logs[place] - np.median(others))
        if distance > APART * np.ptp(others) and distance > np.log1p(NOTABLE):
            values = (seeds[place], np.exp(logs[place]), np.exp(others.min()), np.exp(others.max()))
            return dict(zip(COLUMNS, map(float, values), strict=True))
    return dict.fromkeys(COLUMNS, float("nan"))
