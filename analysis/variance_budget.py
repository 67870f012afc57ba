"""Where the spread over seeds comes from: initial weights, batch order, the draw of the splits, and the test images.

A cell with the factor `randomness` at one source has a seed that decides this source alone; beside its twin, in which
the seed decides all of them, the variances over seeds say what each source contributes.
The others are held at those of seed 0. Where sources interact, a source so varied brings its interactions with these
along: if the whole is W + B + S + WB + WS + BS + WBS, the twin of W has W + WB + WS + WBS (expected over draws of seed
0, of random effects; Searle et al. 1992, ISBN 978-0-471-62162-1, chapter 3). Interactions of two are then counted
twice, that of three three times: the whole less its sources is -(WB + WS + BS) - 2 WBS, 0 without any, never above.

Pure: arrays and tables in, estimates out. Variances are of the natural log of the test error, so that their root is a
relative spread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from analysis.statistics import LEVEL, alpha, percent

if TYPE_CHECKING:
    import pandas as pd

ALL = "all"
SOURCES = {"weights": "initial weights", "batch_order": "batch order", "splits": "draw of training and validation"}
ALL_SOURCES, REMAINDER, TEST_IMAGES = "all sources", "whole less its sources", "test images"
METRIC, IMAGE_SD = "test_mse", "test_mse_image_sd"


@dataclass(frozen=True)
class Variance:
    """A variance over seeds with its interval.

    Attributes:
        value: Unbiased; NaN below 2 values.
        low, high: Of the interval.
        n: Seeds.
    """

    value: float
    low: float
    high: float
    n: int


def variance(values: ArrayLike, level: float = LEVEL) -> Variance:
    """A variance over seeds, and its interval from (n - 1) s² ÷ σ² ~ χ² with n - 1 degrees of freedom.

    Assumes independent and normal values; unlike a mean's, this interval does not improve with n where they are not
    (Box 1953, doi:10.1093/biomet/40.3-4.318).

    Args:
        values: (n_seeds,).
        level: Of the interval.
    """
    x = np.asarray(values, np.float64)
    n, tail = len(x), alpha(level) / 2
    if n < 2:
        return Variance(np.nan, np.nan, np.nan, n)
    found = float(np.var(x, ddof=1))
    low, high = (found * (n - 1) / special.chdtri(n - 1, p) for p in (tail, 1 - tail))
    return Variance(found, float(low), float(high), n)


def ratio(part: Variance, whole: Variance, level: float = LEVEL) -> tuple[float, float, float]:
    """One variance ÷ another with the interval of the F distribution: value, low, high.

    Assumes normal values, independent between the two. Here a seed brings the same draw of the source to both; such
    pairs only draw the ratio closer to its centre (Pitman 1939, doi:10.1093/biomet/31.1-2.9), so that the interval
    covers more than it promises.

    Returns:
        NaN where either has fewer than 2 seeds, or the whole does not vary.
    """
    if min(part.n, whole.n) < 2 or not whole.value > 0:
        return np.nan, np.nan, np.nan
    value, upper = part.value / whole.value, 1 - alpha(level) / 2
    low = value / special.fdtri(part.n - 1, whole.n - 1, upper)
    return value, float(low), float(value * special.fdtri(whole.n - 1, part.n - 1, upper))


def difference(whole: Variance, parts: list[Variance]) -> Variance:
    """A variance less others, its interval by their limits (MOVER; Zou & Donner 2008, doi:10.1002/sim.3095).

    Assumes independent estimates; those of parts of the whole agree in sign, which makes the interval too wide.

    Args:
        whole: Of which is subtracted.
        parts: What is subtracted. May exceed the whole: then the value is below 0.
    """
    value = whole.value - sum(part.value for part in parts)
    down = (whole.value - whole.low) ** 2 + sum((part.high - part.value) ** 2 for part in parts)
    up = (whole.high - whole.value) ** 2 + sum((part.value - part.low) ** 2 for part in parts)
    return Variance(value, value - np.sqrt(down), value + np.sqrt(up), min(v.n for v in (whole, *parts)))


def estimate(trials: pd.DataFrame, factors: list[str], test_images: Callable[[str, Any], int]) -> pd.DataFrame:
    """The budget of every cell that has twins in which the seed decides one source alone.

    Args:
        trials: The trials table; `randomness` among its columns.
        factors: The columns of a cell.
        test_images: Data set and normal class → how many test images there are.

    Returns:
        A row a cell and source: `variance`, `low`, `high`, `sd_percent` (the spread of the error over seeds),
        `share`, `share_low`, `share_high` (of the variance where the seed decides all), `n` seeds, `failed` trials.
    """
    import pandas as pd

    rest = [factor for factor in factors if factor != "randomness"]
    with_twins = trials[trials["randomness"] != ALL][rest].astype(object)
    wanted = {_key(row) for row in with_twins.where(with_twins.notna(), None).itertuples(index=False)}
    rows: list[dict[str, Any]] = []
    for levels, part in trials.groupby(rest, dropna=False, sort=False) if wanted else ():
        if _key(levels) in wanted:
            rows += _budget(part, test_images)
    return pd.DataFrame(rows)


def _key(levels: Any) -> tuple:
    """Levels to compare: None and NaN are the same."""
    return tuple(None if level is None or level != level else level for level in levels)


def _budget(part: pd.DataFrame, test_images: Callable[[str, Any], int]) -> Iterator[dict[str, Any]]:
    """The rows of one cell: the whole, its sources, the whole less these, and the test images beside it."""
    first = part.iloc[0]
    rows = {level: part[part["randomness"] == level] for level in (ALL, *SOURCES)}
    found = {level: variance(np.log(_done(table)[METRIC].astype(float))) for level, table in rows.items()}
    whole = found.pop(ALL)
    name = str((rows[ALL] if len(rows[ALL]) else part)["trial"].iloc[0]).rsplit("-s", 1)[0]
    same = {"dataset": first["dataset"], "cell": name}
    numbers = f"{percent(LEVEL)} intervals: χ² of a variance, F of a share; assume normal log errors"
    yield {**same, **_row(ALL_SOURCES, whole, (*ratio(whole, whole)[:1], np.nan, np.nan), numbers, rows[ALL])}
    for level, words in SOURCES.items():
        if len(rows[level]):
            yield {**same, **_row(words, found[level], ratio(found[level], whole), numbers, rows[level])}
    known = [found[level] for level in SOURCES if found[level].n > 1]
    if len(known) == len(SOURCES) and whole.value > 0:  # NaN of one seed
        left = difference(whole, known)
        share = tuple(end / whole.value for end in (left.value, left.low, left.high))
        words = (
            f"all less its sources, below 0 by their interactions; {percent(LEVEL)} interval by MOVER; its share "
            "divides by the estimated whole"
        )
        yield {**same, **_row(REMAINDER, left, share, words, rows[ALL])}
    done = _done(rows[ALL]).dropna(subset=[IMAGE_SD])
    if len(done) and whole.n > 1:
        yield {**same, **_images(done, whole, test_images(first["dataset"], first["normal_class"]))}


def _done(table: pd.DataFrame) -> pd.DataFrame:
    return table[table["status"] == "completed"]


def _row(source: str, found: Variance, share: tuple[float, ...], method: str, table: pd.DataFrame) -> dict[str, Any]:
    return {
        **{"source": source, "variance": found.value, "low": found.low, "high": found.high},
        "sd_percent": 100 * float(np.expm1(np.sqrt(found.value))) if found.value >= 0 else np.nan,
        **dict(zip(("share", "share_low", "share_high"), share, strict=True)),
        **{"n": found.n, "failed": len(table) - len(_done(table)), "method": method},
    }


def _images(done: pd.DataFrame, whole: Variance, count: int) -> dict[str, Any]:
    """What another draw of as many test images would add: the relative variance of a mean over `count` images.

    It is no part of the whole: every seed is tested on the same images.
    """
    relative = np.square(done[IMAGE_SD].astype(float) / done[METRIC].astype(float)) / count
    found = Variance(float(relative.mean()), np.nan, np.nan, len(done))
    share = tuple(found.value / v if v > 0 else np.nan for v in (whole.value, whole.high, whole.low))
    words = (
        f"relative variance of a mean over {count:,} test images, mean over seeds, taken as known; beside the whole, "
        f"not a part of it: {percent(LEVEL)} interval of its size ÷ the whole by χ² of the whole"
    )
    return _row(TEST_IMAGES, found, share, words, done)
