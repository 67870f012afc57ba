"""What a set of codes holds of the images: their classes, their neighbours. Pure: arrays in, numbers out."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from analysis.statistics import Floats

NEIGHBOURS = 10
RANKED = 1_000  # images among which neighbours are ranked: that costs n²
Labels = NDArray[np.int64]


def nearest_class(fitted: Floats, labels: Labels, codes: Floats) -> Labels:
    """The class that most of the `NEIGHBOURS` nearest fitted codes have (Fix & Hodges 1951, doi:10.2307/1403797).

    Args:
        fitted: (n, k) codes of training images.
        labels: (n,) their classes.
        codes: (m, k) to be classified; distances are Euclidean, as the codes are.

    Returns:
        (m,) classes.
    """
    from sklearn.neighbors import KNeighborsClassifier

    rule = KNeighborsClassifier(min(NEIGHBOURS, len(fitted)), algorithm="brute")
    return rule.fit(fitted, labels).predict(codes)


def threshold_error(fitted: Floats, fitted_labels: Labels, codes: Floats, labels: Labels) -> float:
    """How much two classes overlap on a line: the error of the best threshold, mean over all pairs of classes.

    For each pair the threshold, and the side of each class, are the ones with the least balanced error on the fitted
    codes; the error is that on the others, each class weighing the same: 0 apart, 0.5 no better than chance.

    Args:
        fitted: (n,) codes of training images.
        fitted_labels: (n,).
        codes: (m,) codes of test images.
        labels: (m,).

    Returns:
        NaN with fewer than two classes on either side.
    """
    classes = np.intersect1d(fitted_labels, labels)
    errors = []
    for a, b in combinations(classes, 2):
        threshold, a_below = _best_threshold(fitted[fitted_labels == a], fitted[fitted_labels == b])
        below = [np.mean(codes[labels == one] <= threshold) for one in (a, b)]
        errors.append((1 - below[0] + below[1]) / 2 if a_below else (below[0] + 1 - below[1]) / 2)
    return float(np.mean(errors)) if errors else float("nan")


def _best_threshold(a: Floats, b: Floats) -> tuple[float, bool]:
    """The threshold with the least balanced error, and whether the first class lies below it."""
    places = np.unique(np.concatenate([a, b]))
    below_a, below_b = (np.searchsorted(np.sort(one), places, side="right") / len(one) for one in (a, b))
    gap = below_a - below_b
    best = int(np.argmax(np.abs(gap)))
    middle = places[best] if best + 1 == len(places) else (places[best] + places[best + 1]) / 2
    return float(middle), bool(gap[best] > 0)


def segments(codes: Floats, classes: Labels) -> int:
    """Into how many pieces a line falls: the runs of equal classes along the codes.

    Args:
        codes: (m,).
        classes: (m,) as a rule divides the line among them.

    Returns:
        As many as there are classes where each holds one piece of the line; 1 to m.
    """
    ordered = classes[np.argsort(codes, kind="stable")]
    return int(1 + np.sum(ordered[1:] != ordered[:-1]))


def trustworthiness(images: Floats, codes: Floats) -> tuple[float, float]:
    """Whether neighbours among the codes are neighbours among the images, and the other way round.

    Trustworthiness M₁ and continuity M₂ of Venna & Kaski (2001, doi:10.1007/3-540-44668-0_68): 1 less the ranks, beyond
    the K-th, of those that are among the K nearest in one space alone, scaled; K = `NEIGHBOURS`. 1: all are kept.

    Args:
        images: (n, …); of the first `RANKED`.
        codes: (n, k).

    Returns:
        Trustworthiness and continuity, 0 to 1, higher is better; NaN with too few images for K.
    """
    from sklearn.manifold import trustworthiness as of

    flat, points = images[:RANKED].reshape(min(len(images), RANKED), -1), codes[:RANKED]
    if len(flat) <= 2 * NEIGHBOURS:
        return float("nan"), float("nan")
    return tuple(float(of(*pair, n_neighbors=NEIGHBOURS)) for pair in ((flat, points), (points, flat)))  # type: ignore


def principal(codes: Floats) -> tuple[Floats, Floats]:
    """The codes on their first two principal components: (n, 2), and the share of their variance on each: (2,)."""
    centred = codes - codes.mean(axis=0)
    left, lengths, _ = np.linalg.svd(centred, full_matrices=False)
    total = np.square(lengths).sum()
    return left[:, :2] * lengths[:2], np.square(lengths[:2]) / total if total > 0 else np.zeros(2)
