"""ROC curves and their area, with an interval that holds for new seeds and new images at once.

Pure: arrays in, estimates out. The anomaly is the positive class and a higher score means more anomalous; an area below
0.5 is what it is and is never turned round.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from analysis.statistics import LEVEL, alpha, percent, t_margin

Floats = NDArray[np.float64]
LEAST_FOR_TAIL = 200  # images of each class, below which the rate at 95 % of the other is too coarse to be given


@dataclass(frozen=True)
class Area:
    """The area under a ROC curve, mean over seeds, or the difference of two.

    Attributes:
        value: 0 to 1; 0.5 tells nothing apart. Of a difference -1 to 1.
        low, high: Ends of the interval; NaN where a single seed and no image variance allow none.
        n: Seeds.
        image_sd: The standard error that the draw of images causes.
        seed_sd: The standard error that the draw of seeds causes; NaN of one seed.
        df: Satterthwaite's degrees of freedom.
        p: Two-sided, against 0.5, or of a difference against 0.
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
    null: float = 0.5,
    comparisons: int = 1,
    level: float = LEVEL,
    same_images: bool = False,
) -> Area:
    """Mean area over seeds, for new seeds and new images.

    The variance is that of DeLong's placements averaged over seeds, the part of the images, plus the variance of the
    seeds' areas ÷ their number; degrees of freedom after Satterthwaite (1946, doi:10.2307/3002019). With the same
    images for every seed the two parts are crossed, and neither alone is enough: the seeds' interval knows nothing of
    other images, the images' nothing of other seeds. Ends are cut at what an area, or a difference of two, can be.

    Where every pair of images is ordered alike, in every seed, that variance is 0 and tells nothing. Then k = min(m, n)
    independent pairs were all ordered alike, and the interval is Clopper and Pearson's for them (1934,
    doi:10.1093/biomet/26.4.404), p the sign test's.

    Args:
        over: Of each seed the placements (m,), (n,) of the same images in the same order; or, for a difference of two
            methods, the differences of their placements.
        null: What p is against.
        comparisons: Size of the family; intervals are Bonferroni's for it.
        level: Of the interval, for all comparisons together.
        same_images: Whether each anomaly is made of the normal image at its place: then the two classes are not
            independent, and the images' part is the variance of the sums of their placements.
    """
    positives, negatives = (np.stack(side) for side in zip(*over, strict=True))
    values = positives.mean(axis=1)
    seeds = len(values)
    sides = [positives + negatives] if same_images else [positives, negatives]
    parts = [(side.mean(axis=0).var(ddof=1) / side.shape[1], side.shape[1] - 1) for side in sides]
    of_images = sum(variance for variance, _ in parts)
    of_seeds = float(values.var(ddof=1) / seeds) if seeds > 1 else float("nan")
    if seeds > 1:
        parts.append((of_seeds, seeds - 1))
    total = sum(variance for variance, _ in parts)
    shares = sum(variance**2 / df for variance, df in parts if df > 0)
    df = total**2 / shares if shares > 0 else float("inf")
    value, se = float(values.mean()), float(np.sqrt(total))
    each = alpha(level) / comparisons
    if se:
        margin, t = float(t_margin(se, df, 1 - each)), abs(value - null) / se
        p = float(2 * special.stdtr(df, -t) if np.isfinite(df) else 2 * special.ndtr(-t))
        what = "images (DeLong) and seeds crossed, Satterthwaite" if seeds > 1 else "images alone (DeLong): one seed"
    else:
        pairs = min(positives.shape[1], negatives.shape[1])
        margin, p = 1 - (each / 2) ** (1 / pairs), 2 * 0.5**pairs if value != null else 1.0
        what = f"all pairs alike: Clopper-Pearson for {pairs} of them"
    family = f", Bonferroni for {comparisons}" if comparisons > 1 else ""
    low, high = max(value - margin, 2 * null - 1), min(value + margin, 1.0)  # 0 to 1, of a difference -1 to 1
    sd = float(np.sqrt(of_seeds)) if seeds > 1 else float("nan")
    return Area(
        value, low, high, seeds, float(np.sqrt(of_images)), sd, df, min(1.0, comparisons * p),
        f"{percent(level)} interval, {what}{family}",
    )  # fmt: skip


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
