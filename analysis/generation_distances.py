"""How far generated images are from real ones, in the space of some features. Pure: arrays in, numbers out.

Features are (n, d), each column of about unit variance. None of these numbers is an opinion on a single image: all
compare one set of images with another.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analysis.statistics import Estimate, clopper_pearson

Floats = NDArray[np.float64]

NEIGHBOURS = 5  # as in Naeem et al.; Kynkäänniemi et al. take 3
LEAST_A_FEATURE = 10  # images a feature, below which the Fréchet distance is mostly the noise of its covariances
BLOCK = 1000


class Coverage(NamedTuple):
    """Shares of one set near the other, all higher is better; see `coverage`."""

    precision: float
    recall: float
    density: float
    coverage: float


def kernel_distance(x: ArrayLike, y: ArrayLike) -> float:
    """The squared maximum mean discrepancy under the kernel (x·y/d + 1)³, estimated without bias.

    The kernel inception distance (Bińkowski et al. 2018, arXiv:1801.01401) on features of one's own, over all pairs at
    once instead of blocks. 0 in the mean where both sets come from one distribution, so that it may fall below 0; lower
    is better. In units of the kernel: it compares models on one data set, never data sets.

    Args:
        x: (n, d) features.
        y: (m, d) features.

    Raises:
        ValueError: Fewer than 2 of either.
    """
    a, b = _features(x), _features(y)
    within = (_off_diagonal_mean(_kernel(a, a)), _off_diagonal_mean(_kernel(b, b)))
    return float(sum(within) - 2 * _kernel(a, b).mean())


def frechet_distance(x: ArrayLike, y: ArrayLike) -> float:
    """The squared Fréchet distance between normal distributions with the sets' means and covariances; lower is better.

    ‖μ₁ − μ₂‖² + tr(Σ₁ + Σ₂ − 2(Σ₁Σ₂)^½) (Heusel et al. 2017, arXiv:1706.08500). Biased upwards, the more so the fewer
    images a feature: compare at equal n only, beside the distance between two sets of real images.

    Args:
        x: (n, d) features.
        y: (m, d) features.

    Returns:
        NaN where either set has fewer than `LEAST_A_FEATURE` images a feature.
    """
    a, b = _features(x), _features(y)
    if min(len(a), len(b)) < LEAST_A_FEATURE * a.shape[1]:
        return float("nan")
    first, second = (np.atleast_2d(np.cov(part, rowvar=False)) for part in (a, b))
    values, vectors = np.linalg.eigh(first)
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    cross = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ second @ root), 0)).sum()  # tr (Σ₁Σ₂)^½
    means = np.square(a.mean(axis=0) - b.mean(axis=0)).sum()
    return float(means + np.trace(first) + np.trace(second) - 2 * cross)


def coverage(real: ArrayLike, generated: ArrayLike, k: int = NEIGHBOURS) -> Coverage:
    """Precision, recall, density and coverage from balls that reach to each point's k-th neighbour in its own set.

    Precision: generated points in the ball of a real one; recall: the reverse (Kynkäänniemi et al. 2019,
    arXiv:1904.06991). Density: in how many real balls a generated point lies, ÷ k, which an outlier among the real ones
    cannot inflate, and which may exceed 1; coverage: real points whose ball holds a generated one (Naeem et al. 2020,
    arXiv:2002.09797).

    Args:
        real: (n, d) features, more than k.
        generated: (m, d) features, more than k.
        k: Neighbours.

    Raises:
        ValueError: k or fewer of either.
    """
    from sklearn.neighbors import NearestNeighbors

    a, b = _features(real), _features(generated)
    if min(len(a), len(b)) <= k:
        raise ValueError(f"{len(a)} real and {len(b)} generated images: more than k = {k} of each are needed")
    # kneighbors() without points leaves each point out of its own neighbours.
    radii = [NearestNeighbors(n_neighbors=k, algorithm="brute").fit(p).kneighbors()[0][:, -1] for p in (a, b)]
    distances = _distances(a, b)
    inside = distances < radii[0][:, None]
    return Coverage(
        float(inside.any(axis=0).mean()),
        float((distances < radii[1]).any(axis=1).mean()),
        float(inside.sum(axis=0).mean() / k),
        float((distances.min(axis=1) < radii[0]).mean()),
    )


def told_apart(real: ArrayLike, generated: ArrayLike) -> Estimate:
    """The two-sample classifier test (Lopez-Paz & Oquab 2017, arXiv:1610.06545): can a classifier tell them apart?

    A logistic regression on the features and all their products (L2, scikit-learn's C = 0.1, standardised) is fitted on
    every second image of either set and asked about the others. 0.5 is the accuracy of guessing: lower is better.

    Args:
        real: (n, d) features.
        generated: (m, d) features; the first min(n, m) of each are taken, so that guessing gives one half.

    Returns:
        Its accuracy on images that it was not fitted on, with the exact binomial interval.

    Raises:
        ValueError: Fewer than 4 of either.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import PolynomialFeatures, StandardScaler

    n = min(len(np.asarray(real)), len(np.asarray(generated)))
    if n < 4:
        raise ValueError(f"{n} images of each kind: at least 4 are needed")
    x = np.concatenate([_features(real)[:n], _features(generated)[:n]])
    y, fitted = np.repeat([0, 1], n), np.tile(np.arange(n) % 2 == 0, 2)
    products = PolynomialFeatures(2, include_bias=False)
    model = make_pipeline(StandardScaler(), products, StandardScaler(), LogisticRegression(C=0.1, max_iter=500))
    right = model.fit(x[fitted], y[fitted]).predict(x[~fitted]) == y[~fitted]
    return clopper_pearson(int(right.sum()), len(right))


def nearest(images: ArrayLike, gallery: ArrayLike) -> Floats:
    """Each image's distance to the nearest of a gallery: root of the mean squared difference of pixels, (n,)."""
    x, y = (np.asarray(part, np.float32).reshape(len(np.asarray(part)), -1) for part in (images, gallery))
    norms = np.square(y).sum(axis=1, dtype=np.float64)
    found = [
        (np.square(block).sum(axis=1, dtype=np.float64)[:, None] + norms - 2 * (block @ y.T)).min(axis=1)
        for block in (x[start : start + BLOCK] for start in range(0, len(x), BLOCK))
    ]
    return np.sqrt(np.maximum(np.concatenate(found), 0) / x.shape[1])


def _kernel(x: Floats, y: Floats) -> Floats:
    linear = x @ y.T / x.shape[1] + 1
    return linear * linear * linear  # far faster than a power


def _off_diagonal_mean(kernel: Floats) -> float:
    n = len(kernel)
    return float((kernel.sum() - np.trace(kernel)) / (n * (n - 1)))


def _distances(x: Floats, y: Floats) -> Floats:
    from sklearn.metrics import pairwise_distances

    return pairwise_distances(x, y)


def _features(values: ArrayLike) -> Floats:
    array = np.asarray(values, np.float64)
    if array.ndim != 2 or len(array) < 2:
        raise ValueError(f"features of shape {array.shape}: (n, d) with n of 2 or more are needed")
    return array
