"""Where codes are drawn from to be decoded to new images: distributions fitted on the codes of training images.

An ordinary autoencoder says nothing of how its codes are distributed, so that each rule here is a guess, from the least
informed to the most. What a rule has to choose, such as a number of components, validation codes decide by their
likelihood. Pure: arrays in, codes out. Each draw follows from (seed, sampler, number of the draw) alone: every model of
a seed is given the same random numbers by the same rule, whatever else is drawn, and a larger code begins with the
numbers of a smaller one.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from study import datasets

Floats = NDArray[np.float64]

STANDARD, BOX, GAUSSIAN = "standard normal", "uniform box", "fitted Gaussian"
MIXTURE, DENSITY, INTERPOLATION = "Gaussian mixture", "kernel density", "interpolation"
COMPONENTS = (1, 5, 20)  # of the mixture
BANDWIDTHS = (0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 1.0)  # of the kernel, times the codes' covariance root
ENOUGH = 20  # codes a component, at least
TINY = 1e-9  # of the largest variance: what varies less does not vary


@dataclass(frozen=True)
class Codes:
    """What a sampler may know: codes (·, k) of training images, of validation images, and of the evaluated images.

    The evaluated ones are for interpolation alone.
    """

    train: Floats
    val: Floats
    evaluated: Floats


@dataclass(frozen=True)
class Chance:
    """The random numbers of n draws: two of [0, 1) each to pick with, (n, 2), and one a unit of the code, (n, k)."""

    picks: Floats
    values: Floats


Sampler = Callable[[Codes, Chance], tuple[Floats, str]]


def draw(name: str, codes: Codes, seed: int, n: int, rule: str = "") -> tuple[Floats, str]:
    """Draws codes.

    Args:
        name: A key of `SAMPLERS`.
        codes: What is known.
        seed: The replicate.
        n: How many.
        rule: Names the random numbers where `name` alone does not; by default `name`.

    Returns:
        (n, k) codes; and in words what the validation codes chose, or "".
    """
    k = codes.train.shape[1]
    found, setting = SAMPLERS[name](codes, _chance(seed, rule or name, n, k))
    return found, setting


@lru_cache(maxsize=32)
def _chance(seed: int, rule: str, n: int, k: int) -> Chance:
    generators = [datasets.rng(seed, f"draws, {rule}", number) for number in range(n)]
    picks = np.stack([generator.random(2) for generator in generators])
    values = [generator.random(k) if rule == BOX else generator.standard_normal(k) for generator in generators]
    return Chance(picks, np.stack(values))


def standard_normal(codes: Codes, chance: Chance) -> tuple[Floats, str]:
    """N(0, I), whatever the codes are: the prior of a variational autoencoder, and of no other."""
    return chance.values, ""


def uniform_box(codes: Codes, chance: Chance) -> tuple[Floats, str]:
    """Uniform between the least and the greatest training code of each unit."""
    low, high = codes.train.min(axis=0), codes.train.max(axis=0)
    return low + (high - low) * chance.values, ""


def fitted_gaussian(codes: Codes, chance: Chance) -> tuple[Floats, str]:
    """The normal distribution with the training codes' mean and covariance."""
    return codes.train.mean(axis=0) + chance.values @ _root(codes.train), ""


def gaussian_mixture(codes: Codes, chance: Chance) -> tuple[Floats, str]:
    """A mixture of normal distributions with full covariances, fitted by EM (scikit-learn) on standardised codes.

    Of `COMPONENTS`, the number under which the validation codes are the most likely.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.mixture import GaussianMixture

    mean, scale = codes.train.mean(axis=0), codes.train.std(axis=0)
    scale = np.where(scale > 0, scale, 1)
    train, val = ((part - mean) / scale for part in (codes.train, codes.val))
    distinct = len(np.unique(train, axis=0))
    best, likelihood = None, -np.inf
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # converged or not: the validation codes judge
        for count in (c for c in COMPONENTS if c == 1 or c * ENOUGH <= distinct):
            mixture = GaussianMixture(count, reg_covar=1e-4, tol=1e-2, max_iter=50, random_state=0).fit(train)
            if (score := mixture.score(val)) > likelihood:
                best, likelihood = mixture, score
    assert best is not None  # one component always is tried
    which = np.searchsorted(np.cumsum(best.weights_)[:-1], chance.picks[:, 0], side="right")
    roots = np.linalg.cholesky(best.covariances_)
    standard = best.means_[which] + np.einsum("nij,nj->ni", roots[which], chance.values)
    return mean + scale * standard, f"{best.n_components} component{'s' * (best.n_components > 1)}"


def kernel_density(codes: Codes, chance: Chance) -> tuple[Floats, str]:
    """A training code, moved by a normal kernel: the codes' covariance times the square of a bandwidth.

    Of `BANDWIDTHS`, the one under which the validation codes are the most likely (Silverman 1986, section 3.4.4, on
    held-out codes instead of leaving one out).
    """
    root = _root(codes.train)
    inverse = np.linalg.pinv(root, hermitian=True)
    squared = _squared(codes.val @ inverse, codes.train @ inverse)
    rank = np.linalg.matrix_rank(root, hermitian=True)
    likelihoods = [(logsumexp(-squared / (2 * h * h), axis=1) - rank * np.log(h)).mean() for h in BANDWIDTHS]
    bandwidth = BANDWIDTHS[int(np.argmax(likelihoods))]
    picked = codes.train[(chance.picks[:, 0] * len(codes.train)).astype(int)]
    return picked + bandwidth * chance.values @ root, f"bandwidth {bandwidth:g}"


def interpolation(codes: Codes, chance: Chance) -> tuple[Floats, str]:
    """The middle between the codes of two different evaluated images.

    Fitted on nothing: it asks whether the decoder makes images between images. It begins from images that its own
    results are compared with, and so stands beside the others, not among them.
    """
    m = len(codes.evaluated)
    first = (chance.picks[:, 0] * m).astype(int)
    second = (first + 1 + (chance.picks[:, 1] * (m - 1)).astype(int)) % m
    return (codes.evaluated[first] + codes.evaluated[second]) / 2, ""


def _root(codes: Floats) -> Floats:
    """The symmetric square root of the codes' covariance: (k, k). A unit that never varies gets 0."""
    values, vectors = np.linalg.eigh(np.atleast_2d(np.cov(codes, rowvar=False)))
    kept = np.where(values > TINY * values.max(), np.maximum(values, 0), 0)
    return (vectors * np.sqrt(kept)) @ vectors.T


def _squared(x: Floats, y: Floats) -> Floats:
    """Squared distances of all pairs: (n, d), (m, d) → (n, m)."""
    return np.maximum(np.square(x).sum(axis=1)[:, None] + np.square(y).sum(axis=1) - 2 * x @ y.T, 0)


SAMPLERS: dict[str, Sampler] = {
    STANDARD: standard_normal,
    BOX: uniform_box,
    GAUSSIAN: fitted_gaussian,
    MIXTURE: gaussian_mixture,
    DENSITY: kernel_density,
    INTERPOLATION: interpolation,
}
