"""The number of coordinates that the images themselves need, from the distances to their nearest neighbours.

Two estimators that share nothing with any autoencoder. Both assume that the density is even within a neighbourhood;
with finite data both come out low from about 10 dimensions on (a cube of 10 dimensions seen through 5,000 points: 7.9
and 8.8), and rise with the number of images. So they are read as a scale, not as a count.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from study.errors import InputError

Floats = NDArray[np.float64]
NEIGHBOURS = 20
KEPT = (
    0.9  # share of the points that TwoNN's line is fitted to: Facco et al. leave out the tenth with the largest ratio
)
METHODS = {
    "Levina-Bickel": f"maximum likelihood over {NEIGHBOURS} neighbours: sum of k-1 log ratios divided by k-2, "
    "harmonic mean over images",
    "TwoNN": f"ratio of second to first neighbour's distance, line through the origin over the lower {KEPT:.0%}",
}


def estimate(images: ArrayLike) -> dict[str, float]:
    """Both estimates for one sample of images, by the names in `METHODS`; exact duplicates count once.

    Args:
        images: (n, ...), any range; Euclidean distance over all pixels. 5,000 images of 28×28 take about a second.

    Raises:
        InputError: fewer than `NEIGHBOURS` + 1 different images.
    """
    distances = neighbour_distances(images, NEIGHBOURS)
    return {"Levina-Bickel": levina_bickel(distances), "TwoNN": two_nn(distances)}


def neighbour_distances(points: ArrayLike, k: int) -> Floats:
    """Distances of each different point to its k nearest others, ascending.

    Args:
        points: (n, ...). Copies of a point are dropped first: a distance of zero has no logarithm, and a copy says
            nothing of the dimension.
        k: neighbours.

    Returns:
        (m, k), m the number of different points.

    Raises:
        InputError: m ≤ k.
    """
    from sklearn.neighbors import NearestNeighbors

    array = np.asarray(points)
    different = np.unique(array.reshape(len(array), -1), axis=0).astype(np.float64)
    if len(different) <= k:
        raise InputError(
            f"intrinsic dimension: {len(different)} different images of {len(array)} given, at least {k + 1} are needed"
        )
    return NearestNeighbors(n_neighbors=k, algorithm="brute").fit(different).kneighbors()[0]


def levina_bickel(distances: Floats) -> float:
    """Maximum-likelihood dimension of Levina & Bickel (2004), in the convention of Pope et al. (2021).

    With T_j the distance to the j-th neighbour, a point's estimate is (k-2) ÷ Σ_{j<k} log(T_k/T_j); points are combined
    by their harmonic mean, as MacKay & Ghahramani (2005, https://www.inference.org.uk/mackay/dimension/) derive from
    the joint likelihood. This reproduces the MNIST row of Pope et al. (arXiv:2104.08894, table 1: 7, 11, 12, 13 at
    k = 3, 5, 10, 20). The harmonic mean would be unbiased with k-1 in place of k-2, so the published convention is low
    by (k-2)/(k-1): 5 % at k = 20, half at k = 3.

    Args:
        distances: (n, k) ascending and positive, k ≥ 3.
    """
    k = distances.shape[1]
    return float((k - 2) / _log_ratios(distances).mean())


def two_nn(distances: Floats) -> float:
    """Dimension from the two nearest neighbours alone (Facco et al. 2017, doi:10.1038/s41598-017-11873-y).

    The ratio μ = T_2/T_1 follows 1 - F(μ) = μ^(-d): d is the slope, through the origin, of -log(1 - F) on log μ.

    Args:
        distances: (n, k) ascending and positive, k ≥ 2.
    """
    ratios = np.sort(np.log(distances[:, 1] / distances[:, 0]))
    n, kept = len(ratios), int(KEPT * len(ratios))
    x, y = ratios[:kept], -np.log1p(-np.arange(1, kept + 1) / n)
    return float(x @ y / (x @ x))


def _log_ratios(distances: Floats) -> Floats:
    """Σ_{j<k} log(T_k/T_j) of each point: (n, k) -> (n,)."""
    return np.log(distances[:, -1:] / distances[:, :-1]).sum(axis=1)
