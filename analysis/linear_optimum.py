"""The best that a linear map can do: filling in pixels from the known ones, and removing noise.

Both are regressions with a ridge, from moments of the training images alone; the ridge is chosen on validation images.
Of all linear maps they have the least squared error, so an autoencoder that does no better than these has not used
its non-linearity. Nothing here clips.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

RIDGES = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)  # of the mean variance of a pixel
TINY = 1e-12  # keeps a pixel that never varies from making the system singular
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Moments:
    """What is known of flattened images: their mean (d,) and, with divisor n, their covariance.

    Attributes:
        mean: (d,).
        centred: (n, d) the images less their mean, kept where n < d; else None.
        covariance: (d, d) where n ≥ d; else None, since it would be larger than the images.
        scale: Mean variance of a pixel, the unit of the ridge.
    """

    mean: Floats
    centred: Floats | None
    covariance: Floats | None
    scale: float


def moments(images: NDArray) -> Moments:
    """The moments of images (n, ...)."""
    flat = _flat(images)
    mean = flat.mean(axis=0)
    centred = flat - mean
    scale = float(np.square(centred).mean())
    few = len(centred) < centred.shape[1]
    return Moments(mean, centred if few else None, None if few else centred.T @ centred / len(centred), scale)


def fill_in(found: Moments, images: NDArray, removed: NDArray, ridge: float) -> Floats:
    """The conditional mean of the removed pixels given the known ones, of a normal distribution with these moments.

    E[m | o] = μ_m + Σ_mo (Σ_oo + λI)⁻¹ (o − μ_o), λ = ridge × the mean variance of a pixel
    (Bishop 2006, Pattern Recognition and Machine Learning, eq. 2.96).

    Args:
        found: Moments of the training images.
        images: (n, H, W, C); what they hold at removed pixels is not used.
        removed: (H, W), True where a pixel is removed in all its channels.
        ridge: Relative.

    Returns:
        (n, H, W, C) float64: known pixels as they are.
    """
    flat = _flat(images)
    gone = np.repeat(removed.reshape(-1), images.shape[-1])
    known = ~gone
    if found.centred is not None:
        weights = _dual(found.centred[:, known], found.centred[:, gone], ridge * found.scale)
    else:
        assert found.covariance is not None
        within, across = found.covariance[np.ix_(known, known)], found.covariance[np.ix_(known, gone)]
        weights = _solve(within, across, ridge * found.scale)
    result = flat.copy()
    result[:, gone] = found.mean[gone] + (flat[:, known] - found.mean[known]) @ weights
    return result.reshape(images.shape)


def _solve(within: Floats, across: Floats, penalty: float) -> Floats:
    """(within + penalty·I)⁻¹ across; `within` is overwritten."""
    within[np.diag_indices_from(within)] += penalty + TINY
    return linalg.cho_solve(linalg.cho_factor(within, overwrite_a=True), across)


def _dual(inputs: Floats, outputs: Floats, penalty: float) -> Floats:
    """The same for within = XᵀX/n and across = XᵀY/n, solved in the n images: Xᵀ (XXᵀ/n + penalty·I)⁻¹ Y/n."""
    n = len(inputs)
    return inputs.T @ _solve(inputs @ inputs.T / n, outputs / n, penalty)


@dataclass(frozen=True)
class Denoiser:
    """A linear map from noisy images to clean ones: x̂ = a + y·W, (d,) and (d, d)."""

    offset: Floats
    weights: Floats

    def __call__(self, noisy: NDArray) -> Floats:
        """(n, H, W, C) → the same shape, float64."""
        return (self.offset + _flat(noisy) @ self.weights).reshape(noisy.shape)


def denoiser(clean: NDArray, noisy: NDArray, ridge: float) -> Denoiser:
    """The ridge regression of clean images on noisy ones.

    From their cross-covariance, not from the covariance of the clean images and a known noise variance: once noise is
    clipped it is neither additive nor independent of the image.

    Args:
        clean: (n, H, W, C) training images.
        noisy: The same with noise.
        ridge: Relative to the mean variance of a noisy pixel.
    """
    x, y = _flat(clean), _flat(noisy)
    mean_x, mean_y = x.mean(axis=0), y.mean(axis=0)
    y -= mean_y
    penalty = ridge * float(np.square(y).mean())
    if len(y) < y.shape[1]:
        weights = _dual(y, x - mean_x, penalty)
    else:
        weights = _solve(y.T @ y / len(y), y.T @ (x - mean_x) / len(y), penalty)
    return Denoiser(mean_x - mean_y @ weights, weights)


def _flat(images: NDArray) -> Floats:
    return np.array(images, np.float64).reshape(len(images), -1)
