"""Estimates with intervals across seeds, and families of contrasts with errors controlled within each.

Pure: arrays in, estimates out. The first axis is always the seed, the unit of replication. Across seeds intervals are
t intervals: at 3 to 10 seeds a bootstrap covers 72 to 90 % where it promises 95 %. A seed that failed is the caller's
decision, so NaN and infinity are refused here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

Floats = NDArray[np.float64]

LEVEL = 0.95
SEEDS_FOR_FLIPS = 10  # below, the sign-flip test is too coarse, and the t test's assumption buys what it lacks
EXACT_FLIPS = 2**13
DRAWS = 9_999  # with the observed one a round 10,000
TIE = 1e-12  # of a correlation: two sums of the same numbers in another order are equal


@dataclass(frozen=True)
class Estimate:
    """A statistic and its interval.

    Attributes:
        value: the point estimate, in the units of the input.
        low, high: ends of the interval; NaN where n allows none.
        n: seeds, pairs or tries behind it.
        method: estimator and interval, to be printed beside the number.
        p: two-sided unless `method` says otherwise; None where nothing was tested, NaN where n allows no test.
    """

    value: float
    low: float
    high: float
    n: int
    method: str
    p: float | None = None


@dataclass(frozen=True, eq=False)
class Contrasts:
    """A family of contrasts, in the order given.

    Attributes:
        value: (n_contrasts,) mean difference over seeds; of log errors: below 0, the cell has less error.
        low, high: (n_contrasts,) simultaneous interval: with probability `level` all of them cover. Infinite where n
            bounds nothing, NaN below 2 seeds.
        p: (n_contrasts,) two-sided, adjusted for the family; at most 1 - level exactly where the interval excludes 0.
        critical: the c of value ± c·SE.
        n: seeds.
        method: test and interval, with what they assume.
        smallest_p: the least p that sign flips of n seeds can give. Nothing but normality can promise less.
        level: of the intervals.
    """

    value: Floats
    low: Floats
    high: Floats
    p: Floats
    critical: float
    n: int
    method: str
    smallest_p: float
    level: float

    def verdicts(self) -> list[str]:
        """What may be said of each contrast: "lower", "higher" or "not resolved". The interval decides, never p."""
        ends = zip(self.low, self.high, strict=True)
        return ["lower" if high < 0 else "higher" if low > 0 else "not resolved" for low, high in ends]


def t_interval(values: ArrayLike, level: float = LEVEL) -> Estimate:
    """Mean over seeds with its t interval (Student 1908, doi:10.1093/biomet/6.1.1).

    Assumes independent seeds and a nearly normal mean. On lognormal values with σ = 0.7 it covers 88–89 % at 5 to 10
    seeds: take logs first.

    Args:
        values: (n_seeds,). All equal: an interval of no width.
        level: between 0 and 1.

    Returns:
        The estimate, without a test. Below 2 values low and high are NaN, and `method` says so.

    Raises:
        ValueError: NaN or infinity among the values; a level that is none.
    """
    x = _finite(values, 1)
    return _student(*mean_and_se(x), len(x) - 1, len(x), "mean", level)


def paired_t(differences: ArrayLike, level: float = LEVEL) -> Estimate:
    """Mean difference of pairs with its t interval and two-sided p, which no number of pairs bounds from below.

    Assumes independent seeds and nearly normal differences; says nothing of the correlation within a pair, see
    `pair_correlation`. Differences that are all equal but not 0 give p = 0: the seed changes nothing there.

    Args:
        differences: (n_seeds,), cell minus reference.
        level: between 0 and 1.

    Returns:
        The estimate with p; p ≤ 1 - level exactly where the interval excludes 0. Below 2 pairs low, high and p are NaN.

    Raises:
        ValueError: NaN or infinity among the differences; a level that is none.
    """
    x = _finite(differences, 1)
    mean, se = mean_and_se(x)
    interval = _student(mean, se, len(x) - 1, len(x), "mean of paired differences", level)
    return replace(interval, p=float(_two_sided(mean, se, len(x) - 1)))


def welch(a: ArrayLike, b: ArrayLike, level: float = LEVEL) -> Estimate:
    """Difference of two unpaired means, mean(a) - mean(b), variances not assumed equal.

    Degrees of freedom after Welch (1947, doi:10.1093/biomet/34.1-2.28) and Satterthwaite (1946, doi:10.2307/3002019).

    Args:
        a: (n_a,) independent of b.
        b: (n_b,).
        level: between 0 and 1.

    Returns:
        The estimate with its two-sided p, n = n_a + n_b. NaN for low, high and p where either side has fewer than 2.

    Raises:
        ValueError: NaN or infinity among the values; a level that is none.
    """
    samples = _finite(a, 1), _finite(b, 1)
    means, errors = np.transpose([mean_and_se(x) for x in samples])
    below = np.array([len(x) - 1 for x in samples])
    df = float(below.min())  # what the formula tends to as one variance vanishes
    if df > 0 and errors.any():
        share = np.square(errors) / np.square(errors).sum()
        df = 1 / (np.square(share) / below).sum()
    mean, se = means[0] - means[1], np.hypot(*errors)
    method = f"difference of the means of {len(samples[0])} and {len(samples[1])} values, Welch"
    interval = _student(mean, se, df, int(below.sum()) + 2, method, level)
    return replace(interval, p=float(_two_sided(mean, se, df)))


def pair_correlation(a: ArrayLike, b: ArrayLike) -> float:
    """Pearson correlation of pairs, -1 to 1: how much the pairing by seed earned.

    The variance of the mean difference is 1 - correlation times that of unpaired means, at equal variances.

    Args:
        a: (n_seeds,).
        b: (n_seeds,), in the same order.

    Returns:
        NaN where either side is constant.

    Raises:
        ValueError: different lengths; NaN or infinity.
    """
    x, y = _finite(a, 1), _finite(b, 1)
    if len(x) != len(y):
        raise ValueError(f"{len(x)} values against {len(y)}: pairs need as many on either side")
    if len(x) < 2 or not np.ptp(x) or not np.ptp(y):
        return float("nan")
    return float(np.corrcoef(x, y)[0, 1])


def tost(differences: ArrayLike, margin_low: float, margin_high: float, level: float = LEVEL) -> Estimate:
    """Equivalence of pairs by two one-sided t tests (Schuirmann 1987, doi:10.1007/BF01068419).

    With α = 1 - level the interval is that of level 1 - 2α (90 %, by default): equivalence is shown at α exactly where
    it lies within the margins. Assumes what `paired_t` does.

    Args:
        differences: (n_seeds,), cell minus reference.
        margin_low: the largest difference of no importance downwards, in the same units.
        margin_high: the same upwards.
        level: above 0.5.

    Returns:
        The estimate; p is the larger of the two one-sided p, small where equivalence is shown. NaN below 2 pairs.

    Raises:
        ValueError: margins out of order; NaN or infinity; a level of 0.5 or less, or no level.
    """
    if not margin_low < margin_high:
        raise ValueError(f"margins {margin_low} and {margin_high}: the lower must be below the upper")
    x = _finite(differences, 1)
    mean, se = mean_and_se(x)
    method = f"mean of paired differences, TOST within {margin_low:g} to {margin_high:g}"
    interval = _student(mean, se, len(x) - 1, len(x), method, 1 - 2 * alpha(level))
    distance = min(mean - margin_low, margin_high - mean)  # to the nearer margin: its p is the larger
    return replace(interval, p=float(special.stdtr(len(x) - 1, -_ratio(distance, se))))


def clopper_pearson(successes: int, n: int, level: float = LEVEL) -> Estimate:
    """A proportion with its exact binomial interval (Clopper & Pearson 1934, doi:10.1093/biomet/26.4.404).

    Covers at least `level` for every true proportion. Assumes independent tries of one probability.

    Args:
        successes: 0 to n.
        n: tries; of 0 tries nothing is known: NaN, 0 to 1.
        level: between 0 and 1.

    Raises:
        ValueError: successes outside 0 to n; a level that is none.
    """
    if not 0 <= successes <= n:
        raise ValueError(f"{successes} successes of {n}: they must lie between 0 and the number of tries")
    tail, failures = alpha(level) / 2, n - successes
    low = float(special.betaincinv(successes, failures + 1, tail)) if successes else 0.0
    high = float(special.betaincinv(successes + 1, failures, 1 - tail)) if failures else 1.0
    value = successes / n if n else float("nan")
    return Estimate(value, low, high, n, f"proportion, Clopper-Pearson {percent(level)} interval")


def smallest_p(n: int) -> float:
    """The least two-sided p that sign flips of n seeds can give: 2 of 2^n, the data as they are and all of them turned.

    0.0625 at 5 seeds, 0.031 at 6, 0.002 at 10. Flipping all contrasts of a seed together makes it the least adjusted
    p as well.
    """
    return min(1.0, 2.0 ** (1 - n))


def holm(p: ArrayLike) -> Floats:
    """Holm's step-down adjusted p-values (Holm 1979, https://www.jstor.org/stable/4615733), valid under any dependence.

    Args:
        p: (n_contrasts,) raw p-values in [0, 1].

    Returns:
        (n_contrasts,) in the same order, never below the raw ones.

    Raises:
        ValueError: a value outside [0, 1], or NaN.
    """
    raw = _finite(p, 1)
    if not np.all((raw >= 0) & (raw <= 1)):
        raise ValueError(f"p-values from {raw.min()} to {raw.max()}: they must lie in [0, 1]")
    order = np.argsort(raw, kind="stable")
    stepped = np.maximum.accumulate(raw[order] * np.arange(len(raw), 0, -1))
    adjusted = np.empty_like(raw)
    adjusted[order] = np.minimum(stepped, 1)
    return adjusted


def family(differences: ArrayLike, level: float = LEVEL, seed: int = 0) -> Contrasts:
    """The contrasts of one question: `sign_flip_max_t` from 10 seeds on, below `bonferroni_t`.

    Args:
        differences: (n_seeds, n_contrasts), cell minus reference of the same seed, on the log scale for errors.
        level: between 0 and 1.
        seed: of the Monte Carlo draw, made from 14 seeds on.

    Raises:
        ValueError: not two axes, none of them empty; NaN or infinity; a level that is none.
    """
    if len(_matrix(differences)) < SEEDS_FOR_FLIPS:
        return bonferroni_t(differences, level)
    return sign_flip_max_t(differences, level, seed)


def bonferroni_t(differences: ArrayLike, level: float = LEVEL) -> Contrasts:
    """Paired t for each contrast, p and simultaneous intervals by Bonferroni.

    After Dunn (1961, doi:10.1080/01621459.1961.10482090). Both are of a single step, so that p ≤ 1 - level exactly
    where the interval excludes 0; Holm's p, stronger, would fall below 1 - level beside intervals that hold 0: a test
    that its own interval contradicts. Assumes normal differences, and nothing of the dependence between contrasts.

    Args:
        differences: (n_seeds, n_contrasts), cell minus reference.
        level: between 0 and 1, for all contrasts together.

    Returns:
        The contrasts; intervals and p are NaN below 2 seeds.

    Raises:
        ValueError: not two axes, none of them empty; NaN or infinity; a level that is none.
    """
    table = _matrix(differences)
    n, contrasts = table.shape
    mean, se = mean_and_se(table)
    p = np.minimum(1, contrasts * _two_sided(mean, se, n - 1))  # NaN of one seed
    critical = float(t_margin(1, n - 1, 1 - alpha(level) / contrasts))
    method = f"Bonferroni on paired t, {percent(level)} simultaneous t intervals: assumes normality"
    return Contrasts(mean, mean - critical * se, mean + critical * se, p, critical, n, method, smallest_p(n), level)


def sign_flip_max_t(differences: ArrayLike, level: float = LEVEL, seed: int = 0) -> Contrasts:
    """Joint sign flips of the largest |t| of the family (Westfall & Young 1993, ISBN 978-0-471-55761-6, single-step).

    A flip turns all differences of a seed, so that the dependence between contrasts is kept. All 2^n flips are made
    while they are at most 2^13; beyond, 9,999 are drawn and the observed one is added to them (Phipson & Smyth 2010,
    doi:10.2202/1544-6115.1585).

    Two references, and the stricter counts, for p and for the c of value ± c·SE alike: so p ≤ 1 - level exactly where
    the interval excludes 0. Flips of the differences give the exact test. Where many contrasts differ from 0 they move
    as one under these flips, c falls towards that of a single contrast, and 60 intervals at n = 10 would cover
    together in 17 to 82 % of the studies. Flips of the residuals (the wild bootstrap of Liu 1988,
    doi:10.1214/aos/1176351062) know nothing of the means: with both, 94 to 97 %.

    Assumes that under the null a seed's vector of differences is as likely as its negative: true of differences of two
    equally distributed errors, and jointly so where the noise is symmetric. Strongly skewed differences break it: of 60
    lognormal ones (σ = 0.7, n = 10) at least one is rejected in half of the studies, as by any t.

    Args:
        differences: (n_seeds, n_contrasts), cell minus reference. A contrast of zeros has p = 1 and an interval [0, 0];
            a constant one has an interval of no width, and the least p unless other flips align it or another as well.
        level: between 0 and 1, for all contrasts together.
        seed: of the Monte Carlo draw.

    Returns:
        The contrasts. Intervals are infinite where n cannot resolve anything at `level`.

    Raises:
        ValueError: not two axes, none of them empty; NaN or infinity; a level that is none.
    """
    table = _matrix(differences)
    n = len(table)
    mean, se = mean_and_se(table)
    references = [_largest(table, seed), _largest(table - mean, seed)]
    observed = np.abs(_unit_columns(table).sum(axis=0))
    p = np.max([_share_reaching(observed, largest) for largest in references], axis=0)
    critical = max(_critical(largest, n, level) for largest in references)
    margin = critical * se if np.isfinite(critical) else np.full_like(mean, np.inf)  # inf · 0 would be NaN
    count = f"all {2**n:,} flips" if 2**n <= EXACT_FLIPS else f"{DRAWS:,} flips drawn"
    method = f"joint sign-flip max-T ({count} of differences and of residuals), {percent(level)} simultaneous intervals"
    least = max(smallest_p(n), 1 / len(references[0]))
    return Contrasts(mean, mean - margin, mean + margin, p, critical, n, method, least, level)


def mean_and_se(x: Floats) -> tuple[Floats, Floats]:
    """Mean and its standard error over the first axis: NaN of no rows; the error of a single row means nothing."""
    if len(x) == 0:
        return np.full(x.shape[1:], np.nan), np.full(x.shape[1:], np.nan)
    mean = x[0] + (x - x[0]).mean(axis=0)  # exact where all are equal, so that their variance is exactly 0
    return mean, np.sqrt(np.square(x - mean).sum(axis=0) / max(len(x) - 1, 1) / len(x))


def t_margin(se: ArrayLike, df: ArrayLike, level: float) -> Floats:
    """Half the width of a two-sided t interval; NaN where df is 0 or less."""
    return np.asarray(se) * special.stdtrit(df, 1 - alpha(level) / 2)


def alpha(level: float) -> float:
    """1 - level, without the rounding that makes 1 - 0.9 less than 0.1.

    Raises:
        ValueError: a level outside 0 to 1.
    """
    if not 0 < level < 1:
        raise ValueError(f"level {level}: an interval's level lies between 0 and 1, 0.95 for instance")
    return round(1 - level, 12)


def percent(level: float) -> str:
    """A level as the report writes it."""
    return f"{100 * level:g} %"


def _largest(table: Floats, seed: int) -> Floats:
    """(flips,) the largest |r| over the contrasts after each flip, ascending."""
    return np.sort(np.abs(_flips(len(table), seed) @ _unit_columns(table)).max(axis=1))


def _unit_columns(table: Floats) -> Floats:
    """Columns scaled so that their sum after a flip is r = x̄ ÷ √(mean of x²), which flips leave in [-1, 1].

    t = r·√(n-1) ÷ √(1-r²) rises with r, the same for every contrast: comparing r is comparing t, without its division
    by a variance that may be 0.
    """
    norms = np.linalg.norm(table, axis=0) * np.sqrt(len(table))
    return table / np.where(norms > 0, norms, 1)


def _share_reaching(observed: Floats, largest: Floats) -> Floats:
    return (len(largest) - np.searchsorted(largest, observed - TIE)) / len(largest)


def _critical(largest: Floats, n: int, level: float) -> float:
    """The least t that at most 1 - level of the flips' maxima (ascending r) exceed; inf where that leaves none."""
    allowed = int(np.floor(alpha(level) * len(largest)))
    r = largest[-1 - allowed] + TIE
    return float(r * np.sqrt((n - 1) / (1 - r**2))) if allowed and r < 1 else float("inf")


@lru_cache(maxsize=4)
def _flips(n: int, seed: int) -> Floats:
    """(flips, n) of ±1, the observed signs first. Of a flip and its negative, which agree in |t|, only one is there."""
    if 2**n <= EXACT_FLIPS:
        return np.where(np.arange(2 ** (n - 1))[:, None] >> np.arange(n) & 1, -1.0, 1.0)
    drawn = np.random.default_rng(seed).choice([-1.0, 1.0], size=(DRAWS + 1, n))
    drawn[0] = 1
    return drawn


def _student(mean: Floats, se: Floats, df: float, n: int, method: str, level: float) -> Estimate:
    margin = t_margin(se, df, level)
    needs = "" if df > 0 else f": none, {n} values are too few"
    words = f"{method}, {percent(level)} t interval{needs}"
    return Estimate(float(mean), float(mean - margin), float(mean + margin), n, words)


def _two_sided(mean: ArrayLike, se: ArrayLike, df: float) -> Floats:
    """p of the t test that a mean is 0; NaN where df is 0 or less."""
    return 2 * special.stdtr(df, -np.abs(_ratio(mean, se)))


def _ratio(mean: ArrayLike, se: ArrayLike) -> Floats:
    """Mean ÷ standard error: infinite where nothing varies, and 0 where there is no difference either."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.nan_to_num(np.divide(mean, se), nan=0.0, posinf=np.inf, neginf=-np.inf)


def _matrix(differences: ArrayLike) -> Floats:
    table = _finite(differences, 2)
    if table.size == 0:
        raise ValueError(f"differences of shape {table.shape}: at least one seed and one contrast are needed")
    return table


def _finite(values: ArrayLike, axes: int) -> Floats:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != axes:
        raise ValueError(f"an array of shape {array.shape}: {axes} axes are needed, the seeds first")
    if not np.isfinite(array).all():
        raise ValueError(
            f"{np.sum(~np.isfinite(array))} of {array.size} values are NaN or infinite: leave out or replace them"
        )
    return array
