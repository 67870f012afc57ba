"""The common metrics: how far reconstructions are from their images, whatever loss the model was trained on.

Images and reconstructions are float32 (N, H, W, C), pixels in [0, 1]. Reconstructions are clipped to [0, 1] first: a
linear network's pixels leave it. Sums are taken in float64, so that the numbers do not depend on the batch.
"""

from collections.abc import Callable

import numpy as np

EPSILON = 1e-7  # how far reconstructions are kept from 0 and 1 before a logarithm is taken
BEST_PSNR = 100.0  # dB, where an image is reproduced exactly and the ratio has no finite value
CHUNK = 1000  # images at a time: what is computed in between stays small

# name → (unit, direction, description); tables and axis labels use these.
METRICS = {
    "mse": ("squared pixel value", "lower is better", "mean squared error over pixels"),
    "mae": ("pixel value", "lower is better", "mean absolute error over pixels"),
    "bce": ("nats a pixel", "lower is better", "binary cross-entropy"),
    "excess_bce": ("nats a pixel", "lower is better", "binary cross-entropy above the entropy of the images"),
    "fvu": ("fraction", "lower is better", "fraction of variance unexplained: MSE ÷ MSE of the training mean image"),
    "psnr": ("dB", "higher is better", "peak signal-to-noise ratio, mean over images"),
    "ssim": ("index", "higher is better", "structural similarity, mean over images"),
}


def evaluate(images: np.ndarray, reconstructions: np.ndarray, mean_image: np.ndarray) -> dict[str, float]:
    """Every metric of `METRICS` on one split.

    Args:
        images: (N, H, W, C) in [0, 1].
        reconstructions: (N, H, W, C); clipped to [0, 1].
        mean_image: (H, W, C), the mean of the training images, the reference of `fvu`.

    Returns:
        Metric name → mean over the images.
    """
    errors = squared_error(images, reconstructions)
    reference = squared_error(images, np.broadcast_to(mean_image, images.shape))
    bce = float(np.mean(binary_cross_entropy(images, reconstructions)))
    return {
        "mse": float(np.mean(errors)),
        "mae": float(np.mean(absolute_error(images, reconstructions))),
        "bce": bce,
        "excess_bce": bce - entropy_floor(images),
        "fvu": float(np.mean(errors) / np.mean(reference)),
        "psnr": float(np.mean(peak_signal_to_noise(errors))),
        "ssim": float(np.mean(structural_similarity(images, reconstructions))),
    }


def squared_error(images: np.ndarray, reconstructions: np.ndarray) -> np.ndarray:
    """Mean squared error of each image's pixels: (N,), in [0, 1], lower is better."""
    return _by_image(lambda x, y: np.square(x - y), images, reconstructions)


def absolute_error(images: np.ndarray, reconstructions: np.ndarray) -> np.ndarray:
    """Mean absolute error of each image's pixels: (N,), in [0, 1], lower is better."""
    return _by_image(lambda x, y: np.abs(x - y), images, reconstructions)


def binary_cross_entropy(images: np.ndarray, reconstructions: np.ndarray) -> np.ndarray:
    """Mean binary cross-entropy of each image's pixels: (N,), nats, lower is better.

    Reconstructions are clipped to [ε, 1 − ε], ε = `EPSILON`.
    """

    def nats(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        y = np.clip(y, EPSILON, 1 - EPSILON)
        return -(x * np.log(y) + (1 - x) * np.log1p(-y))

    return _by_image(nats, images, reconstructions)


def peak_signal_to_noise(squared_errors: np.ndarray) -> np.ndarray:
    """−10·log₁₀(MSE) of each image, the peak being 1: dB, higher is better, at most `BEST_PSNR`."""
    return -10 * np.log10(np.maximum(squared_errors, 10 ** (-BEST_PSNR / 10)))


def structural_similarity(images: np.ndarray, reconstructions: np.ndarray) -> np.ndarray:
    """Structural similarity of each image: (N,), at most 1, higher is better.

    Uniform 7×7 window (the largest odd one that fits where an image is smaller), sample covariance, K₁ = 0.01,
    K₂ = 0.03, mean over the windows that lie inside the image, then over channels; scikit-image's defaults. With a
    1×1 window, for images 1 or 2 pixels wide, variances are taken as 0. Wang et al. 2004, doi:10.1109/TIP.2003.819861.
    """
    window = min(7, *(side - 1 + side % 2 for side in images.shape[1:3]))
    return np.concatenate([_ssim(images[i], reconstructions[i], window) for i in _chunks(len(images))])


def entropy_floor(images: np.ndarray) -> float:
    """The entropy of the pixels read as probabilities of ink: the lowest binary cross-entropy there is, in nats."""
    total = 0.0
    for i in _chunks(len(images)):
        x = images[i].astype(np.float64)
        with np.errstate(divide="ignore", invalid="ignore"):
            entropy = -(np.where(x > 0, x * np.log(x), 0) + np.where(x < 1, (1 - x) * np.log1p(-x), 0))
        total += float(entropy.sum())
    return total / images.size


def mean_image(images: np.ndarray) -> np.ndarray:
    """The mean of the images: (H, W, C) float32, summed in float64."""
    return np.asarray(np.mean(images, axis=0, dtype=np.float64), np.float32)


def active_units(codes: np.ndarray, threshold: float = 0.01) -> int:
    """How many codes vary over the images: their variance exceeds `threshold` of the largest variance.

    Args:
        codes: (N, k).
        threshold: Fraction of the largest variance.

    Raises:
        ValueError: A code is not finite.
    """
    if not np.isfinite(codes).all():
        raise ValueError("a code is not finite, so no unit's variance is")
    variances = np.var(codes, axis=0, dtype=np.float64)
    return int(np.sum(variances > threshold * variances.max())) if variances.max() > 0 else 0


def _chunks(count: int) -> list[slice]:
    return [slice(start, start + CHUNK) for start in range(0, count, CHUNK)]


def _by_image(error: Callable, images: np.ndarray, reconstructions: np.ndarray) -> np.ndarray:
    """The mean over each image's pixels of an error that is computed pixel by pixel."""
    parts = [
        np.mean(error(images[i], np.clip(reconstructions[i], 0, 1)), axis=(1, 2, 3), dtype=np.float64)
        for i in _chunks(len(images))
    ]
    return np.concatenate(parts)


def _ssim(images: np.ndarray, reconstructions: np.ndarray, window: int) -> np.ndarray:
    x, y = images.astype(np.float64), np.clip(reconstructions, 0, 1).astype(np.float64)
    mean_x, mean_y = _window_mean(x, window), _window_mean(y, window)
    sample = window**2 / (window**2 - 1) if window > 1 else 0.0
    variance_x = sample * (_window_mean(x * x, window) - mean_x**2)
    variance_y = sample * (_window_mean(y * y, window) - mean_y**2)
    covariance = sample * (_window_mean(x * y, window) - mean_x * mean_y)
    c1, c2 = 0.01**2, 0.03**2
    similarity = (2 * mean_x * mean_y + c1) * (2 * covariance + c2)
    similarity /= (mean_x**2 + mean_y**2 + c1) * (variance_x + variance_y + c2)
    return similarity.mean(axis=(1, 2, 3))


def _window_mean(values: np.ndarray, window: int) -> np.ndarray:
    """Means over all windows that lie inside the image, by cumulative sums: (N, H−w+1, W−w+1, C)."""
    for axis in (1, 2):
        sums = np.cumsum(values, axis=axis)
        sums = np.concatenate([np.zeros_like(sums.take([0], axis)), sums], axis=axis)
        ends = [slice(None)] * 4
        starts = [slice(None)] * 4
        ends[axis], starts[axis] = slice(window, None), slice(None, -window)
        values = sums[tuple(ends)] - sums[tuple(starts)]
    return values / window**2
