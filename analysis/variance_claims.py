"""How many seeds each declared claim would have needed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis import effects, variance_seeds
from analysis.statistics import LEVEL, alpha, percent

if TYPE_CHECKING:
    import pandas as pd

HALF_WIDTH = 0.02  # of a ratio: the interval of a claim reaches 2 % to either side
POWER = 0.8
NEEDED = (
    *("family", "label", "cell", "reference", "metric", "n", "n_family", "ratio", "sd_percent", "mean", "sd"),
    *("width", "width_low", "width_high", "power", "power_low", "power_high", "method"),
)


def estimate(trials: pd.DataFrame, families: Sequence[effects.Family]) -> pd.DataFrame:
    """The seeds that each declared contrast would have needed; those with fewer than 2 pairs are left out.

    All contrasts of a family are judged together: each at the Bonferroni share of the level, a number that can be named
    before the data are seen.

    Args:
        trials: The trials table.
        families: Of the study.

    Returns:
        A row a contrast: mean and standard deviation `sd` of the paired log differences, `ratio` and `sd_percent`
        from them, and the seeds for ± 2 %, `width`, `width_low`, `width_high`, and for a power of 80 % at the observed
        effect, `power`, `power_low`, `power_high`; infinite where no number would do.
    """
    import pandas as pd

    if not families:
        return pd.DataFrame(columns=list(NEEDED))
    pairs = effects.pairs(trials, families)
    rows: list[dict[str, Any]] = []
    for family, part in pairs.groupby("family", sort=False):
        claims = [one for _, one in part.groupby(["cell", "reference"], sort=False) if len(one) > 1]
        rows += [{"family": family, **_claim(one, len(claims))} for one in claims]
    return pd.DataFrame(rows, columns=list(NEEDED))


def _claim(pairs: pd.DataFrame, together: int) -> dict[str, Any]:
    mean, sd = variance_seeds.spread(pairs["difference"])
    within, n = 1 - alpha(LEVEL) / together, len(pairs)
    width = variance_seeds.for_width(sd, n, np.log1p(HALF_WIDTH), within)
    power = variance_seeds.for_power(mean, sd, n, POWER, within)
    first = pairs.iloc[0]
    return {
        **{name: first[name] for name in ("label", "cell", "reference", "metric")},
        **{"n": n, "n_family": together, "ratio": np.exp(mean), "sd_percent": 100 * np.expm1(sd)},
        **{"mean": mean, "sd": sd, "width": width.value, "width_low": width.low, "width_high": width.high},
        **{"power": power.value, "power_low": power.low, "power_high": power.high},
        "method": (
            f"paired t at {percent(LEVEL)} for a family of {together} (Bonferroni); {percent(LEVEL)} intervals from χ² "
            "of the spread and from the noncentral t of the effect; assume normal differences"
        ),
    }
