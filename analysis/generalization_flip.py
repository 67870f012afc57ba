"""From which level on a gap between training and other images is none that matters. Pure: arrays in, estimates out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from analysis.chosen_size import chosen_size


def flip(gap: np.ndarray, levels: Sequence[int], threshold: float, falls: bool) -> dict[str, Any]:
    """Where a gap passes a threshold for good.

    Args:
        gap: (n_seeds, n_levels), how much better training images do; NaN where a level lacks a seed.
        levels: Ascending.
        threshold: The margin.
        falls: Whether the gap is expected to fall over the levels: then the smallest level from which it stays at or
            below the threshold is asked for, otherwise the largest up to which it does.

    Returns:
        `value`, `low`, `high`: a level, or NaN where the rule fails at the end it starts from (the last level where the
            gap falls, otherwise the first); `first`, `last`, `tried`; `within`: the levels whose mean gap is at most
            the threshold; `crossings`: how often the mean gap passes it along the levels, more than once where the
            curve is not monotone; `n`, `method`; `words`.
    """
    table = gap if falls else gap[:, ::-1]
    found = chosen_size(table, np.arange(1, len(levels) + 1), threshold)
    ordered = list(levels) if falls else list(levels)[::-1]
    places = (found.value, found.low, found.high)
    value, low, high = (float("nan") if place is None else ordered[place - 1] for place in places)
    if not falls:
        low, high = high, low  # of the largest level: fewer seeds' certainty reaches less far
    small = np.nanmean(gap, axis=0) <= threshold
    end = {"first": levels[0], "last": levels[-1]}
    numbers = {"value": value, "low": low, "high": high, **end, "n": found.n, "tried": ", ".join(map(str, levels))}
    numbers["within"] = ", ".join(str(level) for level, holds in zip(levels, small, strict=True) if holds)
    numbers["crossings"] = int(np.count_nonzero(small[1:] != small[:-1]))
    rule = "smallest level from which" if falls else "largest level up to which"
    method = f"{rule} the mean gap stays ≤ {threshold:.3g}, 95 % interval by t inversion"
    return {**numbers, "falls": falls, "words": _words(numbers, falls), "method": method}


def _words(numbers: dict[str, Any], falls: bool) -> str:
    """A level with its interval, such as `2,000 [500, > 40,000]`."""
    beyond = f"> {numbers['last']:,}" if falls else f"< {numbers['first']:,}"
    reached = numbers["first"] if falls else numbers["last"]
    sign = "≤" if falls else "≥"

    def word(level: float) -> str:
        return beyond if level != level else f"{sign} {level:,}" if level == reached else f"{level:,}"

    return f"{word(numbers['value'])} [{word(numbers['low'])}, {word(numbers['high'])}]"
