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


LOSSES: dict[str, Callable] = {"bce": bce, "mse": mse}
