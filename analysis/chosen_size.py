"""The latent size that a curve of errors chooses, with an interval: rules, not a look at the bend.

Pure: arrays in, estimates out. Errors are (n_seeds, n_sizes), lower is better, NaN where a size lacks a seed; the sizes
ascend. A rule can only answer within the grid, so that each answer says what the grid's end did to it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analysis.statistics import LEVEL, Floats, alpha, percent, t_margin


@dataclass(frozen=True)
class ChosenSize:
    """A size with its interval; str() puts it in words, such as `16 [8, > 128]`.

    Attributes:
        value: None where the rule is not met by the end of the grid: > last. Equal to `first`: ≤ first.
        low: lower end, to be read like `value`.
        high: upper end; None where the interval is open: no size of the grid bounds it.
        n: seeds behind the size that has fewest.
        method: rule and interval.
        first, last: ends of the grid.
        best: the size with the least mean; None for a rule that does not look for one.
    """

    value: int | None
    low: int | None
    high: int | None
    n: int
    method: str
    first: int
    last: int
    best: int | None = None

    def __str__(self) -> str:
        """The estimate and its ends, each against the grid's."""
        reached = "" if self.value is not None else " (not reached)"
        return f"{self._words(self.value)}{reached} [{self._words(self.low)}, {self._words(self.high)}]"

    def _words(self, size: int | None) -> str:
        return f"> {self.last}" if size is None else f"≤ {size}" if size == self.first else str(size)


def chosen_size(errors: ArrayLike, sizes: ArrayLike, threshold: float, level: float = LEVEL) -> ChosenSize:
    """The smallest size from which the error stays at or below a threshold.

    `value`: the smallest k whose mean, and that of every larger size, is at most the threshold. The interval inverts
    one-sided t tests at (1 + level) / 2 (97.5 %): `low` is the smallest k with no error significantly above the
    threshold at any k' ≥ k; `high` the smallest with the error significantly below it at every k' ≥ k. So
    low ≤ value ≤ high, and a size with fewer than 2 seeds is significant in neither direction.

    Assumes nearly normal errors over seeds. `high` is too small with probability ≤ 2.5 %, whatever the curve. So is
    `low` too large, as long as only one size from the true one on has an error near the threshold. On a plateau exactly
    at the threshold each size may exclude the truth: 5 % for two sizes, 9 % for four.

    Args:
        errors: (n_seeds, n_sizes) ÷ the mean image's error, so that the threshold is a share of it; at least one seed
            at each size. Leave out a size whose network has a narrower layer.
        sizes: (n_sizes,) ascending.
        threshold: τ, in the units of the errors.
        level: of the interval.

    Raises:
        ValueError: shapes that do not fit, sizes out of order, infinite errors, or a size without any.
    """
    table, grid = _checked(errors, sizes)
    return chosen_sizes(table[:, None], grid, threshold, level)[0]


def chosen_sizes(errors: ArrayLike, sizes: ArrayLike, threshold: float, level: float = LEVEL) -> list[ChosenSize]:
    """`chosen_size` of many curves at once, which costs little more than of one.

    Args:
        errors: (n_seeds, n_curves, n_sizes), at least one seed at each size of each curve.
        sizes: (n_sizes,) ascending, the same for all.
        threshold: τ, in the units of the errors.
        level: of the intervals.

    Returns:
        One for each curve, in their order.

    Raises:
        ValueError: as `chosen_size`.
    """
    table, grid = _checked(errors, sizes, axes=3)
    method = f"smallest size from which the mean error stays ≤ {threshold:g}, {percent(level)} interval by t inversion"
    return _inverted(table - threshold, grid, method, level)


def non_inferior_size(errors: ArrayLike, sizes: ArrayLike, margin: float, level: float = LEVEL) -> ChosenSize:
    """The smallest size that is as good as every size of the grid but for a margin; the best may lie inside the grid.

    `best` has the least mean. Going down from it, `value` is the last size before one whose mean exceeds another's by
    more than the margin. The interval uses every seed and does not take `best` for the truly best size. By one-sided
    paired t tests at (1 + level) / 2 (97.5 %):

    - `high`: from it on, up to `best`, each size is shown non-inferior to every size of the grid. Whichever is truly
      best is among these, so that no test is adjusted (intersection-union; Berger 1982, doi:10.2307/1267823).
    - `low`: each smaller size is shown worse, by more than the margin, than some size of the grid. That may be any of
      them, so that the tests of a size share the error (Bonferroni).

    Assumes nearly normal differences over seeds. `low` is too large with probability ≤ 2.5 %. So is `high` too small,
    as long as `best` is no size below the one that just misses the margin. On a plateau that just misses it noise may
    begin there: up to 7 % in simulations of six such sizes below the best.

    Args:
        errors: (n_seeds, n_sizes) on the scale of the margin: log errors with log(1.02) for 2 % of the error,
            1 - AUC with 0.005.
        sizes: (n_sizes,) ascending.
        margin: the loss of no importance, above 0.
        level: of the interval.

    Returns:
        The choice, at most `best`; `high` is None where not even `best` is shown as good as every other, `n` counts
        the seeds of the pair of sizes that has fewest. Where `best` is the last size of the grid, a better one may lie
        beyond: `method` says so.

    Raises:
        ValueError: a margin of 0 or less, fewer than 2 seeds, and what `chosen_size` raises for.
    """
    table, grid = _checked(errors, sizes)
    if not margin > 0 or len(table) < 2:
        raise ValueError(f"margin {margin}, {len(table)} seeds: a margin above 0 and at least 2 seeds are needed")
    best, others = int(np.argmin(_means(table)[1])), max(len(grid) - 1, 1)
    n, mean, se = _means(table[:, :, None] - table[:, None])  # of each size over each: NaN without a seed of both
    reach = mean + t_margin(se, n - 1, level)
    holds = np.array([mean <= margin, reach < margin])[:, : best + 1]  # (2, up to the best, over each size)
    value, high = _stays(np.logical_and.reduce(holds, axis=2), grid[: best + 1])
    worse = (mean - t_margin(se, n - 1, 1 - alpha(level) / others) > margin).any(axis=1)
    method = (
        f"smallest size non-inferior to every size tried by {margin:g}, {percent(level)} interval by paired t inversion"
        f" (lower end: Bonferroni for {others})"
    )
    end = "; the best is the last of the grid and may lie beyond" if best == len(grid) - 1 else ""
    low, first, last = (int(grid[place]) for place in (np.argmin(worse), 0, -1))
    return ChosenSize(value, low, high, int(n.min()), method + end, first, last, int(grid[best]))


def one_standard_error(errors: ArrayLike, sizes: ArrayLike) -> int | None:
    """The smallest size whose mean is within one standard error of the best (Breiman et al. 1984, section 3.4.3).

    Descriptive: more seeds make the error smaller and the choice larger, and where errors keep falling it answers the
    end of the grid.

    Args:
        errors: (n_seeds, n_sizes).
        sizes: (n_sizes,) ascending.

    Returns:
        None where the best size has fewer than 2 seeds.

    Raises:
        ValueError: as `chosen_size`.
    """
    table, grid = _checked(errors, sizes)
    n, mean, se = _means(table)
    best = int(np.argmin(mean))
    return int(grid[np.argmax(mean <= mean[best] + se[best])]) if n[best] > 1 else None


def kneedle(errors: ArrayLike, sizes: ArrayLike) -> int | None:
    """The knee of the mean error over log₂ size (Satopää et al. 2011, doi:10.1109/ICDCSW.2011.20).

    Descriptive: curve and axis are scaled to the grid, so that its end decides much of the answer.

    Args:
        errors: (n_seeds, n_sizes), expected to fall and to flatten.
        sizes: (n_sizes,) ascending.

    Returns:
        None where the algorithm finds no knee, as with fewer than 3 sizes or a flat curve.

    Raises:
        ValueError: as `chosen_size`.
    """
    from kneed import KneeLocator

    table, grid = _checked(errors, sizes)
    mean = _means(table)[1]
    if len(grid) < 3 or not np.ptp(mean):
        return None
    knee = KneeLocator(np.log2(grid), mean, curve="convex", direction="decreasing").knee
    return None if knee is None else round(2 ** float(knee))


def _inverted(excess: Floats, grid: NDArray[np.int64], method: str, level: float) -> list[ChosenSize]:
    """The rule on errors minus threshold, (n_seeds, n_curves, n_sizes); one for each curve."""
    n, mean, se = _means(excess)
    margin = t_margin(se, n - 1, level)  # NaN below 2 seeds: not significant
    values, lows, highs = (_stays(holds, grid) for holds in (mean <= 0, ~(mean - margin > 0), mean + margin < 0))
    first, last, each = int(grid[0]), int(grid[-1]), zip(values, lows, highs, n.min(axis=1).tolist(), strict=True)
    return [ChosenSize(value, low, high, count, method, first, last) for value, low, high, count in each]


def _stays(holds: NDArray[np.bool_], grid: NDArray[np.int64]) -> list[int | None]:
    """The smallest size from which something holds up to the end of the grid, of each row."""
    lasting = np.logical_and.accumulate(holds[:, ::-1], axis=1).sum(axis=1)  # sizes at the end at which it holds
    return [int(grid[-count]) if count else None for count in lasting]


def _means(table: Floats) -> tuple[NDArray[np.int64], Floats, Floats]:
    """Count, mean and standard error of each column's numbers, as many as it has; NaN of none."""
    known = ~np.isnan(table)
    n = known.sum(axis=0)
    first = np.take_along_axis(table, known.argmax(axis=0)[None], axis=0)[0]
    apart = np.where(known, table - first, 0)  # as `mean_and_se`: exact where all are equal
    mean = first + apart.sum(axis=0) / np.maximum(n, 1)
    squares = np.where(known, np.square(table - mean), 0).sum(axis=0)
    return n, mean, np.sqrt(squares / np.maximum(n - 1, 1) / np.maximum(n, 1))


def _checked(errors: ArrayLike, sizes: ArrayLike, axes: int = 2) -> tuple[Floats, NDArray[np.int64]]:
    table, grid = np.asarray(errors, dtype=np.float64), np.asarray(sizes, dtype=np.int64)
    if table.ndim != axes or grid.ndim != 1 or not table.size or table.shape[-1] != len(grid):
        needed = "(n_seeds, n_curves, n_sizes)" if axes == 3 else "(n_seeds, n_sizes)"
        raise ValueError(f"errors of shape {table.shape}, sizes of shape {grid.shape}: {needed} and (n_sizes,)")
    if np.any(np.diff(grid) <= 0) or grid[0] < 1:
        raise ValueError(f"sizes {grid.tolist()}: they must ascend from 1 or more, each given once")
    empty = np.isnan(table).all(axis=0).reshape(-1, len(grid)).any(axis=0)
    if empty.any() or np.isinf(table).any():
        raise ValueError(f"no error at sizes {grid[empty].tolist()}, or an infinite one: leave these out")
    return table, grid
