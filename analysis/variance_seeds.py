"""How many seeds a claim would have needed: for an interval of a given width, and to be told from no effect.

Pure: numbers in, numbers out. Both answers rest on the spread that the study happened to see; that is an estimate, and
so the number of seeds is one: each comes with what the interval of the spread makes of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from analysis.statistics import LEVEL, alpha, mean_and_se, t_margin

NEVER = float("inf")
MOST = 2**20  # seeds; what needs more counts as never


@dataclass(frozen=True)
class Needed:
    """A number of seeds, and the least and the most that the data allow; infinite where no number would do.

    Attributes:
        value: With spread and effect as observed.
        low, high: At the ends of the interval of spread, or of effect ÷ spread.
    """

    value: float
    low: float
    high: float


def for_width(sd: float, n: int, half_width: float, level: float = LEVEL, of_sd: float = LEVEL) -> Needed:
    """The fewest seeds at which a t interval is at most ± half_width at the standard deviation seen.

    The interval of the number is that of the standard deviation, by χ² with n - 1 degrees of freedom; it assumes normal
    differences.

    Args:
        sd: Standard deviation over seeds of the paired differences.
        n: Seeds that it comes from, 2 or more.
        half_width: In the same unit.
        level: Of the t interval; with a family's level ÷ contrasts, of all of them together.
        of_sd: Of the interval of the number.
    """
    tail = alpha(of_sd) / 2
    ends = [sd * np.sqrt((n - 1) / special.chdtri(n - 1, p)) for p in (tail, 1 - tail)]
    found = (_width(spread, half_width, level) for spread in (sd, *ends))
    return Needed(*found)


def for_power(mean: float, sd: float, n: int, power: float, level: float = LEVEL, of_effect: float = LEVEL) -> Needed:
    """The fewest seeds at which a two-sided paired t test tells the observed effect from none with a given probability.

    The power is that of the noncentral t distribution. The interval of the number comes from that of the standardised
    effect, by inverting the noncentral t (Steiger & Fouladi 1997; Cumming & Finch 2001,
    doi:10.1177/0013164401614002): open upwards where the data are compatible with no effect. An effect that was picked
    because it was large looks larger than it is, and its number of seeds smaller (Gelman & Carlin 2014,
    doi:10.1177/1745691614551642).

    Args:
        mean: Observed mean difference.
        sd: Observed standard deviation of the differences.
        n: Seeds that both come from, 2 or more.
        power: Between 1 - level and 1, 0.8 for instance.
        level: Of the test; with a family's level ÷ contrasts, for each of them.
        of_effect: Of the interval of the number.
    """
    if not sd > 0:
        return Needed(*[2.0 if mean else NEVER] * 3)
    low, high = _effect_interval(abs(mean) / sd, n, of_effect)
    value, most, least = (_detecting(effect, power, level) for effect in (abs(mean) / sd, low, high))
    return Needed(value, least, most)


def _width(sd: float, half_width: float, level: float) -> float:
    return _fewest(lambda seeds: bool(t_margin(sd / np.sqrt(seeds), seeds - 1, level) <= half_width))


def _detecting(effect: float, power: float, level: float) -> float:
    return _fewest(lambda seeds: _power(effect, seeds, level) >= power)


def _power(effect: float, seeds: int, level: float) -> float:
    """Of the two-sided t test of `seeds` pairs, at an effect in standard deviations."""
    critical, shift = special.stdtrit(seeds - 1, 1 - alpha(level) / 2), effect * np.sqrt(seeds)
    upper = 1 - special.nctdtr(seeds - 1, shift, critical)
    lower = special.nctdtr(seeds - 1, shift, -critical)  # NaN where it is too small to be computed
    return float(upper + np.nan_to_num(lower))


def _effect_interval(effect: float, n: int, level: float) -> tuple[float, float]:
    """The interval of an effect in standard deviations, at least 0: what noncentral t makes as likely as the tails."""
    from scipy.optimize import brentq

    t, tail = effect * np.sqrt(n), alpha(level) / 2

    def end(p: float) -> float:
        def excess(shift: float) -> float:
            return float(special.nctdtr(n - 1, shift, t)) - p

        if excess(0.0) <= 0:
            return 0.0
        top = t + 10.0
        while excess(top) > 0:
            top *= 2
        return float(brentq(excess, 0.0, top)) / np.sqrt(n)

    return end(1 - tail), end(tail)


def _fewest(enough: Callable[[int], bool]) -> float:
    """The least number of seeds from 2 on that is enough, for a property that more seeds never lose."""
    if not enough(MOST):
        return NEVER
    low, high = 1, 2
    while not enough(high):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return float(high)


def spread(differences: ArrayLike) -> tuple[float, float]:
    """Mean and standard deviation of paired differences."""
    x = np.asarray(differences, np.float64)
    mean, se = mean_and_se(x)
    return float(mean), float(se * np.sqrt(len(x)))
