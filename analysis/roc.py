"""ROC curves and their area, with an interval that holds for new seeds and new images at once.

Pure: arrays in, estimates out. The anomaly is the positive class and a higher score means more anomalous; an area below
0.5 is what it is and is never turned round.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from analysis.statistics import LEVEL, alpha, percent, t_margin

Floats = NDArray[np.float64]
LEAST_FOR_TAIL = 200  # images of each class, below which the rate at 95 % of the other is too coarse to be given
Own = Literal["none", "normal", "all"]  # which images each seed has of its own
Parts = list[tuple[float, int]]  # of a variance: each part with its degrees of freedom


@dataclass(frozen=True)
class Area:
    """The area under a ROC curve, mean over seeds, or the difference of two.

    Attributes:
        value: 0 to 1; 0.5 tells nothing apart. Of a difference -1 to 1.
        low, high: Ends of the interval; of one seed for new images alone, which describes and decides nothing.
        n: Seeds.
        image_sd: The standard error that the draw of the images causes that all seeds share.
        seed_sd: The standard error that the draw of seeds causes, with the images that each has of its own; NaN of one.
        df: Satterthwaite's degrees of freedom.
        p: Two-sided, against 0.5, or of a difference against 0; NaN of one seed, which says nothing of others.
        method: Estimator and interval.
    """

    value: float
    low: float
    high: float
    n: int
    image_sd: float
    seed_sd: float
    df: float
    p: float
    method: str


def placements(normal: ArrayLike, anomalous: ArrayLike) -> tuple[Floats, Floats]:
    """The placement values of DeLong et al. (1988, doi:10.2307/2531595).

    Args:
        normal: (n,) scores.
        anomalous: (m,) scores.

    Returns:
        (m,) of each anomalous image the share of normal ones with a lower score, and (n,) of each normal image the
        share of anomalous ones with a higher; ties count half. The mean of either is the area.
    """
    x, y = np.asarray(normal, np.float64), np.asarray(anomalous, np.float64)
    return _share_below(y, np.sort(x)), 1 - _share_below(x, np.sort(y))


def _share_below(values: Floats, ordered: Floats) -> Floats:
    left, right = (np.searchsorted(ordered, values, side) for side in ("left", "right"))
    return (left + right) / 2 / len(ordered)


def area(normal: ArrayLike, anomalous: ArrayLike) -> float:
    """The area under the ROC curve: the chance that an anomaly scores above a normal image, ties counting half."""
    return float(placements(normal, anomalous)[0].mean())


def crossed(
    over: Sequence[tuple[Floats, Floats]],
    difference: bool = False,
    comparisons: int = 1,
    level: float = LEVEL,
    same_images: bool = False,
    own: Own = "none",
) -> Area:
    """Mean area over seeds, for new seeds and new images.

    The variance is that of DeLong's placements averaged over seeds, the part of the images, plus the variance of the
    seeds' areas ÷ their number; degrees of freedom after Satterthwaite (1946, doi:10.2307/3002019). With the same
    images for every seed the two parts are crossed, and neither alone is enough: the seeds' interval knows nothing of
    other images, the images' nothing of other seeds. Images that each seed has of its own are in the seeds' part.

    An area's interval is symmetric on the logit scale (Pepe 2003, ISBN 978-0-19-850984-4, chapter 5; beside others:
    Qin & Hotilovac 2008, doi:10.1177/0962280207087173). Near 1 the variance itself rests on the few images that are
    out of order, and one more may be unlike them all. So the interval is the union of that of the images as they are
    and that with one more pair, tied, beside k = min(m, n) others: half a pair out of order more, as Haldane (1956,
    doi:10.1111/j.1469-1809.1955.tb01285.x) adds half a count to a logit. The ends move smoothly with the area, towards
    about those of k pairs that are all in order. A difference of two areas has the plain interval, symmetric and cut
    at -1 and 1: of two areas near 1 it tells apart too few rather than too many.

    Where every pair of images is ordered alike, in every seed, that variance is 0 and tells nothing. Then k
    independent pairs were all ordered alike, and the interval is Clopper and Pearson's for them (1934,
    doi:10.1093/biomet/26.4.404), p the sign test's.

    Args:
        over: Of each seed the placements (m,), (n,) of the same images in the same order, but for those of its own;
            or, for a difference of two methods, the differences of their placements.
        difference: Whether these are differences.
        comparisons: Size of the family; intervals are Bonferroni's for it.
        level: Of the interval, for all comparisons together.
        same_images: Whether each anomaly is made of the normal image at its place: then the two classes are not
            independent, and the images' part is the variance of the sums of their placements.
        own: Which images each seed has of its own: "none", the "normal" ones, or "all".
    """
    seeds = len(over)
    values = np.array([positive.mean() for positive, _ in over])
    value = float(values.mean())
    parts = _of_images(over, same_images, own if seeds > 1 else "none")
    of_images = sum(variance for variance, _ in parts)
    of_seeds = float(values.var(ddof=1) / seeds) if seeds > 1 else float("nan")
    if seeds > 1:
        parts.append((of_seeds, seeds - 1))
    variance, df = _satterthwaite(parts)
    pairs = min(len(side) for placed in over for side in placed)
    each = alpha(level) / comparisons
    if not variance:
        low, high, p = _alike(value, 0.0 if difference else 0.5, pairs, each)
        scale, what = "", f"all pairs alike: Clopper-Pearson for {pairs} of them"
    elif difference:
        low, high, p = _plain(value, parts, each)
        scale, what = "", _sources(seeds, own)
    else:
        low, high, p = _near_the_ends(value, parts, pairs, each)
        scale, what = " on the logit scale, with and without one more pair, tied", _sources(seeds, own)
    family = f", Bonferroni for {comparisons}" if comparisons > 1 else ""
    return Area(
        value, max(low, -1.0 if difference else 0.0), min(high, 1.0), seeds, float(np.sqrt(of_images)),
        float(np.sqrt(of_seeds)), df, min(1.0, comparisons * p) if seeds > 1 else float("nan"),
        f"{percent(level)} interval{scale}, {what}{family}",
    )  # fmt: skip


def _of_images(over: Sequence[tuple[Floats, Floats]], same_images: bool, own: Own) -> Parts:
    """The variance that the images cause which all seeds share."""
    if own == "all":
        return []
    shared = [placed[:1] for placed in over] if own == "normal" else over
    sides = [np.mean(side, axis=0) for side in zip(*shared, strict=True)]
    sides = [np.sum(sides, axis=0)] if same_images else sides
    return [(float(side.var(ddof=1) / len(side)), len(side) - 1) for side in sides]


def _sources(seeds: int, own: Own) -> str:
    if seeds == 1:
        return "images alone (DeLong): one seed"
    shared = {"none": "images (DeLong) and seeds", "normal": "anomalies (DeLong) and seeds with their normal images"}
    return f"{shared[own]} crossed, Satterthwaite" if own in shared else "seeds with their images"


def _satterthwaite(parts: Parts) -> tuple[float, float]:
    """The sum of the parts of a variance, and its degrees of freedom."""
    total = sum(variance for variance, _ in parts)
    shares = sum(variance**2 / df for variance, df in parts if df > 0)
    return total, total**2 / shares if shares > 0 else float("inf")


def _alike(value: float, null: float, pairs: int, each: float) -> tuple[float, float, float]:
    margin = 1 - (each / 2) ** (1 / pairs)
    return value - margin, value + margin, 2 * 0.5**pairs if value != null else 1.0


def _plain(value: float, parts: Parts, each: float) -> tuple[float, float, float]:
    """Low, high and p of a number that is tested against 0."""
    variance, df = _satterthwaite(parts)
    margin = float(t_margin(np.sqrt(variance), df, 1 - each))
    return value - margin, value + margin, float(2 * special.stdtr(df, -abs(value) / np.sqrt(variance)))


def _near_the_ends(value: float, parts: Parts, pairs: int, each: float) -> tuple[float, float, float]:
    """Low, high and p of an area: of the union, with the greater p, so that interval and test agree."""
    tied = (0.5 - value) / (pairs + 1)  # what one more pair, tied, adds to the area; and the root of its variance
    low, high, p = np.transpose(
        [_on_logits(value, parts, each), _on_logits(value + tied, [*parts, (tied**2, pairs)], each)]
    )
    return float(low.min()), float(high.max()), float(p.max())


def _on_logits(value: float, parts: Parts, each: float) -> tuple[float, float, float]:
    slope = 1 / (value * (1 - value))  # of the logit: the delta method
    low, high, p = _plain(float(special.logit(value)), [(slope**2 * part, df) for part, df in parts], each)
    return float(special.expit(low)), float(special.expit(high)), p


def average_precision(normal: ArrayLike, anomalous: ArrayLike) -> float:
    """Average precision at a prevalence of 50 %, whatever the share of anomalies: each class has the same weight."""
    from sklearn.metrics import average_precision_score

    truth, scores, weights = _pooled(normal, anomalous)
    return float(average_precision_score(truth, scores, sample_weight=weights))


def false_positives(normal: ArrayLike, anomalous: ArrayLike, share: float = 0.95) -> float:
    """The share of normal images flagged where `share` of the anomalous ones are; lower is better.

    NaN where either class has fewer than `LEAST_FOR_TAIL` images.
    """
    x, y = np.asarray(normal, np.float64), np.asarray(anomalous, np.float64)
    if min(len(x), len(y)) < LEAST_FOR_TAIL:
        return float("nan")
    threshold = np.sort(y)[len(y) - int(np.ceil(share * len(y)))]
    return float(np.mean(x >= threshold))


def curve(normal: ArrayLike, anomalous: ArrayLike) -> tuple[Floats, Floats]:
    """False and true positive rates, ascending."""
    from sklearn.metrics import roc_curve

    truth, scores, _ = _pooled(normal, anomalous)
    false, true, _ = roc_curve(truth, scores)
    return false, true


def _pooled(normal: ArrayLike, anomalous: ArrayLike) -> tuple[NDArray, Floats, Floats]:
    x, y = np.asarray(normal, np.float64), np.asarray(anomalous, np.float64)
    truth = np.repeat([0, 1], [len(x), len(y)])
    return truth, np.concatenate([x, y]), np.where(truth, 1 / len(y), 1 / len(x))
