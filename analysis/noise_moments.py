"""The moments of `study.corruptions`' noise given the clean image: what endless draws of it would give on average.

With them a linear denoiser is fitted to all noise there is instead of to one draw of it. Clipping to [0, 1] is part of
the noise here, so that its mean depends on the image.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]


def moments(images: NDArray, condition: str) -> tuple[Floats, Floats]:
    """Mean and covariance of noisy images given the clean ones.

    Args:
        images: (n, H, W, C) in [0, 1].
        condition: One of `study.corruptions.NOISES`.

    Returns:
        (n, H, W, C), the mean of each noisy image; and (H, W, C, C), the covariance of a pixel's channels about that
        mean, averaged over the images. Noise of different pixels is independent.
    """
    kind, number = condition.rsplit("_", 1)
    x = np.asarray(images, np.float64)
    if kind == "salt_pepper":
        return _salt_and_pepper(x, float(number))
    mean, variance = _clipped_normal(x, float(number)) if kind == "gaussian" else _clipped_poisson(x, int(number))
    return mean, variance.mean(axis=0)[..., None] * np.eye(x.shape[-1])


def _clipped_normal(x: Floats, sigma: float) -> tuple[Floats, Floats]:
    """Of min(max(x + σε, 0), 1), ε standard normal: a normal distribution censored at both ends.

    With a = -x/σ, b = (1-x)/σ: E = x(Φ(b) - Φ(a)) + σ(φ(a) - φ(b)) + 1 - Φ(b), and likewise of its square.
    """
    a, b = -x / sigma, (1 - x) / sigma
    inside, above = special.ndtr(b) - special.ndtr(a), special.ndtr(-b)
    at_a, at_b = _density(a), _density(b)
    mean = x * inside + sigma * (at_a - at_b) + above
    square = (x**2 + sigma**2) * inside + sigma * (x * at_a - (x + 1) * at_b) + above
    return mean, square - mean**2


def _density(z: Floats) -> Floats:
    return np.exp(-np.square(z) / 2) / np.sqrt(2 * np.pi)


def _clipped_poisson(x: Floats, peak: int) -> tuple[Floats, Floats]:
    """Of min(K/peak, 1), K Poisson with mean peak·x: a sum over the counts below the peak."""
    chance = np.exp(-peak * np.clip(x, 0, None))
    mean, square, left = np.zeros_like(x), np.zeros_like(x), np.ones_like(x)
    for count in range(peak):
        mean += chance * count / peak
        square += chance * (count / peak) ** 2
        left -= chance
        chance = chance * peak * np.clip(x, 0, None) / (count + 1)
    left = np.maximum(left, 0)
    return mean + left, square + left - np.square(mean + left)


def _salt_and_pepper(x: Floats, share: float) -> tuple[Floats, Floats]:
    """All channels of a pixel become 0, or 1, with probability share/2 each, and else stay as they are."""
    mean = (1 - share) * x + share / 2
    products = np.einsum("nhwc,nhwd->hwcd", x, x) / len(x)
    means = np.einsum("nhwc,nhwd->hwcd", mean, mean) / len(x)
    return mean, (1 - share) * products + share / 2 - means
