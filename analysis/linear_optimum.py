"""The best that a linear map can do: filling in pixels from the known ones, and removing noise.

Both are regressions with a ridge, from moments of the training images alone; the ridge is chosen on validation images.
Of all linear maps they have the least squared error on images like these, so an autoencoder that does no better has
gained nothing by its non-linearity. Nothing here clips.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from analysis import noise_moments

RIDGES = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)  # of the mean variance of a pixel
TINY = 1e-12  # keeps a pixel that never varies from making the system singular
BLOCK = 1_000  # images in float64 at a time
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


def fill_in(found: Moments, images: NDArray, removed: NDArray, ridge: float) -> NDArray:
    """The conditional mean of the removed pixels given the known ones, of a normal distribution with these moments.

    E[m | o] = μ_m + Σ_mo (Σ_oo + λI)⁻¹ (o − μ_o), λ = ridge × the mean variance of a pixel
    (Bishop 2006, Pattern Recognition and Machine Learning, eq. 2.96).

    Args:
        found: Moments of the training images.
        images: (n, H, W, C); what they hold at removed pixels is not used.
        removed: (H, W), True where a pixel is removed in all its channels.
        ridge: Relative.

    Returns:
        (n, H, W, C) float32: known pixels as they are.
    """
    gone = np.repeat(removed.reshape(-1), images.shape[-1])
    known = ~gone
    if found.centred is not None:
        weights = _dual(found.centred[:, known], found.centred[:, gone], ridge * found.scale)
    else:
        assert found.covariance is not None
        within, across = found.covariance[np.ix_(known, known)], found.covariance[np.ix_(known, gone)]
        weights = _solve(within, across, ridge * found.scale)
    result = np.array(images, np.float32).reshape(len(images), -1)
    for i in _blocks(len(result)):
        result[i, gone] = found.mean[gone] + (result[i, known] - found.mean[known]) @ weights
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

    def __call__(self, noisy: NDArray) -> NDArray:
        """(n, H, W, C) → the same shape, float32."""
        restored = [self.offset + _flat(noisy[i]) @ self.weights for i in _blocks(len(noisy))]
        return np.concatenate(restored).astype(np.float32).reshape(noisy.shape)


@dataclass(frozen=True)
class NoisyMoments:
    """What a linear denoiser is made of: moments of clean and noisy images (d pixels, all channels).

    Attributes:
        clean, noisy: (d,) their means.
        outputs: (n, d) clean images less their mean.
        inputs: (n, d) the mean noisy image of each clean one, less the mean of all.
        noise: (d/C, C, C) covariance of the noise of a pixel's channels, averaged over the images.
        scale: Mean variance of a noisy pixel, the unit of the ridge.
    """

    clean: Floats
    noisy: Floats
    outputs: Floats
    inputs: Floats
    noise: Floats
    scale: float


def noisy_moments(images: NDArray, condition: str) -> NoisyMoments:
    """The moments of training images (n, H, W, C) and of all noise of a condition on them."""
    channels = images.shape[-1]
    x, y = _flat(images), np.empty((len(images), int(np.prod(images.shape[1:]))))
    noise = np.zeros((y.shape[1] // channels, channels, channels))
    for i in _blocks(len(images)):
        mean, covariance = noise_moments.moments(images[i], condition)
        y[i] = _flat(mean)
        noise += covariance.reshape(noise.shape) * len(mean) / len(images)
    clean, noisy = x.mean(axis=0), y.mean(axis=0)
    x -= clean
    y -= noisy
    scale = float(np.square(y).mean() + np.trace(noise.mean(axis=0)) / channels)
    return NoisyMoments(clean, noisy, x, y, noise, scale)


def denoisers(found: NoisyMoments, ridges: Sequence[float] = RIDGES) -> Iterator[Denoiser]:
    """The ridge regression of clean images on noisy ones, for each ridge.

    From the covariance of noisy images and their cross-covariance with the clean ones, not from the covariance of the
    clean images and a noise variance: once noise is clipped it is neither additive nor independent of the image.
    W = (Cov(m) + N + λI)⁻¹ Cov(m, x), m the mean noisy image given the clean one, N the mean covariance of the noise.

    Args:
        found: Of the training images.
        ridges: λ, relative to the mean variance of a noisy pixel.
    """
    n, d = found.inputs.shape
    dual = n < d
    across = None if dual else found.inputs.T @ found.outputs / n
    signal = None if dual else found.inputs.T @ found.inputs / n
    for ridge in ridges:
        own = found.noise + (ridge * found.scale + TINY) * np.eye(found.noise.shape[-1])
        if signal is None or across is None:
            weights = _woodbury(own, found.inputs, found.outputs / n)
        else:
            weights = _solve(_with_blocks(signal, own), across, 0.0)
        yield Denoiser(found.clean - found.noisy @ weights, weights)


def _with_blocks(matrix: Floats, blocks: Floats) -> Floats:
    """A copy of the matrix (d, d) with the blocks (d/C, C, C) added along its diagonal."""
    result, size = matrix.copy(), blocks.shape[-1]
    starts = size * np.arange(len(blocks))
    for i in range(size):
        for j in range(size):
            result[starts + i, starts + j] += blocks[:, i, j]
    return result


def _woodbury(blocks: Floats, inputs: Floats, outputs: Floats) -> Floats:
    """(B + AᵀA/n)⁻¹ AᵀC = B⁻¹Aᵀ (I + A B⁻¹ Aᵀ/n)⁻¹ C, B block-diagonal: solved in the n images, not the d pixels."""
    n, size = len(inputs), blocks.shape[-1]
    by_pixel = inputs.T.reshape(-1, size, n)
    weighted = np.linalg.solve(blocks, by_pixel).reshape(-1, n)
    return weighted @ _solve(inputs @ weighted / n, outputs, 1.0)


def _blocks(count: int) -> list[slice]:
    return [slice(start, start + BLOCK) for start in range(0, count, BLOCK)]


def _flat(images: NDArray) -> Floats:
    return np.array(images, np.float64).reshape(len(images), -1)
