"""The losses: functions (images, reconstructions), both (N, H, W, C), pixels in [0, 1] → (N,), lower is better.

Written with `keras.ops` only. Keras is imported inside, so that search spaces are validated without it.
"""

from collections.abc import Callable
from typing import Any

from study.levels import level


@level(
    why="Binary cross-entropy, the loss of the Keras example: it reads each pixel as the probability of ink. Near 0 "
    "and 1 it punishes confident errors far more than squared error does. For grey pixels its minimum is not zero "
    "but the entropy of the image, so values of it are compared only as the excess over that floor.",
    needs_unit_interval=True,
)
def bce(images: Any, reconstructions: Any) -> Any:
    """Mean binary cross-entropy of the pixels, in nats; reconstructions are clipped by 1e-7 from 0 and 1."""
    from keras import ops

    return ops.mean(ops.binary_crossentropy(images, reconstructions), axis=(1, 2, 3))


@level(
    why="Mean squared error: the Gaussian likelihood with equal variance in every pixel, and the measure by which all "
    "cells are compared. A model trained on it optimises what it is judged by; with a linear network its optimum is "
    "PCA. It prefers the mean of all plausible images, hence blur."
)
def mse(images: Any, reconstructions: Any) -> Any:
    """Mean squared error of the pixels."""
    from keras import ops

    return ops.mean(ops.square(images - reconstructions), axis=(1, 2, 3))


@level(
    why="Mean absolute error: the likelihood of a Laplace distribution. Its best guess for a pixel is the median of "
    "what is plausible, not the mean, and an outlier counts by its distance, not by the square: edges come out "
    "sharper, and on images that are mostly black a pixel that is usually black is "
    "predicted black, so that thin strokes can vanish."
)
def mae(images: Any, reconstructions: Any) -> Any:
    """Mean absolute error of the pixels."""
    from keras import ops

    return ops.mean(ops.abs(images - reconstructions), axis=(1, 2, 3))


HUBER_DELTA = 0.1  # a tenth of the pixel range: errors below it count by their square


@level(
    why="Huber's loss (1964, doi:10.1214/aoms/1177703732) is squared error for small errors and absolute error for "
    f"large ones, here from {HUBER_DELTA} of the pixel range on: smooth near the optimum, like squared error, and not "
    "ruled by the few pixels that are far off, like absolute error. It should lie between the two in sharpness."
)
def huber(images: Any, reconstructions: Any) -> Any:
    """Mean over pixels of e²/2 where |e| ≤ δ, else δ·(|e| - δ/2)."""
    from keras import ops

    error = ops.abs(images - reconstructions)
    small = ops.minimum(error, HUBER_DELTA)
    return ops.mean(small * (error - 0.5 * small), axis=(1, 2, 3))


@level(
    why="Structural similarity compares means, contrasts and the correlation of pixels in small windows (Wang et al. "
    "2004, doi:10.1109/TIP.2003.819861), which is closer to what people call alike than pixel by pixel differences. "
    "Trained on it, a network keeps local structure and may be off in brightness; its squared error should be worse "
    "than that of a network trained on squared error."
)
def ssim(images: Any, reconstructions: Any) -> Any:
    """1 - mean SSIM, between 0 and 2: uniform 7×7 windows, or the largest odd one that fits; data range 1.

    The convention of `study.metrics.structural_similarity`: sample covariances, K₁ = 0.01, K₂ = 0.03, windows that lie
    within the image only.
    """
    from keras import ops

    side = min(7, *((size - 1) // 2 * 2 + 1 for size in images.shape[1:3]))

    def windows(values: Any) -> Any:  # first along one axis, then the other: 14 additions a pixel, not 49
        rows = ops.average_pool(values, (side, 1), strides=1, padding="valid")
        return ops.average_pool(rows, (1, side), strides=1, padding="valid")

    mean_x, mean_y = windows(images), windows(reconstructions)
    sample = side**2 / (side**2 - 1)
    variance_x = sample * (windows(images * images) - mean_x * mean_x)
    variance_y = sample * (windows(reconstructions * reconstructions) - mean_y * mean_y)
    covariance = sample * (windows(images * reconstructions) - mean_x * mean_y)
    c1, c2 = 0.01**2, 0.03**2
    likeness = (2 * mean_x * mean_y + c1) * (2 * covariance + c2)
    likeness = likeness / ((mean_x**2 + mean_y**2 + c1) * (ops.maximum(variance_x + variance_y, 0.0) + c2))
    return 1 - ops.mean(likeness, axis=(1, 2, 3))


SSIM_WEIGHT = 0.1  # of 1 - SSIM beside squared error: near 0.04 against 0.05 for an untuned code of 2 on MNIST


@level(
    why="Squared error says how bright each pixel should be, structural similarity how the pixels of a window belong "
    "together; their sum asks for both, as Zhao et al. (2017, arXiv:1511.08861) found better than either for "
    f"restoration. SSIM counts {SSIM_WEIGHT} here, which makes both parts about as large at the errors of a small "
    "code. It should lose little squared error against `mse` and gain most of the similarity that `ssim` gains."
)
def mse_ssim(images: Any, reconstructions: Any) -> Any:
    """Squared error + SSIM_WEIGHT · (1 - SSIM)."""
    return mse(images, reconstructions) + SSIM_WEIGHT * ssim(images, reconstructions)


@level(
    why="Squared error is the same in pixels and in frequencies, and since most of an image's energy is in low "
    "frequencies, a network learns those and leaves out detail. Focal frequency loss (Jiang et al. 2021, "
    "arXiv:2012.12821) weights each frequency by how badly it is met at the moment, so that hard ones are not given "
    "up. It should sharpen reconstructions where the code has room for detail, and do little at a code of 2."
)
def focal_frequency(images: Any, reconstructions: Any) -> Any:
    """Mean over frequencies and channels of w·|F(x) - F(y)|², w = |F(x) - F(y)| ÷ its maximum; orthonormal F.

    The paper's defaults: α = 1, the whole image as one patch. No gradient flows through the weights.
    """
    from keras import ops

    difference = ops.transpose(images - reconstructions, (0, 3, 1, 2))
    real, imaginary = ops.fft2((difference, ops.zeros_like(difference)))
    height, width = images.shape[1:3]
    power = (ops.square(real) + ops.square(imaginary)) / (height * width)
    amplitude = ops.stop_gradient(ops.sqrt(power))
    largest = ops.max(amplitude, axis=(2, 3), keepdims=True)
    weight = amplitude / ops.maximum(largest, 1e-12)
    return ops.mean(weight * power, axis=(1, 2, 3))


LOSSES: dict[str, Callable] = {
    "bce": bce,
    "mse": mse,
    "mae": mae,
    "huber": huber,
    "ssim": ssim,
    "mse_ssim": mse_ssim,
    "focal_frequency": focal_frequency,
}
