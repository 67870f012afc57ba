"""The preprocessings: how stored images become what the network sees, fitted on the training images of a trial.

A preprocessing is a function (train, value_range) → transform; `train` (N, H, W, C) and its `value_range` (low, high)
as stored; the transform maps stored images (N, H, W, C) to float32. NumPy only.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from study.datasets import Dataset, Splits, split, to_unit
from study.levels import level

Transform = Callable[[np.ndarray], np.ndarray]
CHUNK = 5_000  # images at a time, so that the copies in between stay small


@level(
    why="Pixels from 0 to 1 as they are stored, black 0 and white 1: nothing is taken away, and the brightness and the "
    "contrast of an image are part of what has to be reconstructed."
)
def unit(train: np.ndarray, value_range: tuple[float, float]) -> Transform:
    """Scales the stored range to [0, 1]; learns nothing from the training images."""
    return lambda images: to_unit(images, value_range)


@level(
    why="Every image is brought to the same mean and the same mean absolute deviation, and the result is scaled to "
    "[0, 1] by the least and the greatest value of the training images: the global contrast normalisation with the L1 "
    "norm of the Deep SVDD experiments (Ruff et al. 2018, PMLR 80, section 4). An anomaly can then no longer be "
    "recognised by its brightness or its contrast alone. Other images may leave [0, 1]; they are not clipped.",
    leaves_unit_interval=True,
)
def l1_contrast(train: np.ndarray, value_range: tuple[float, float]) -> Transform:
    """x ← (x - mean(x)) / mean(|x - mean(x)|) of each image, then (x - low) / (high - low) of the training images."""
    normalized = [contrast(to_unit(train[i : i + CHUNK], value_range)) for i in range(0, len(train), CHUNK)]
    low, high = min(part.min() for part in normalized), max(part.max() for part in normalized)
    span = high - low if high > low else np.float32(1)

    def transform(images: np.ndarray) -> np.ndarray:
        starts = range(0, len(images), CHUNK)
        return np.concatenate([(contrast(to_unit(images[i : i + CHUNK], value_range)) - low) / span for i in starts])

    return transform


def fit(name: str, train: np.ndarray, value_range: tuple[float, float]) -> Transform:
    """The transform of a preprocessing, fitted on the training images of a trial.

    Args:
        name: A key of `PREPROCESSINGS`.
        train: Training images as stored, (N, H, W, C).
        value_range: The (low, high) of the stored values that stand for 0 and 1.

    Returns:
        Stored images (N, H, W, C) → float32 (N, H, W, C).
    """
    return PREPROCESSINGS[name](train, value_range)


def prepare(cell: Mapping[str, Any], seed: int, data: Dataset) -> tuple[Dataset, Splits]:
    """The data set and its splits for a trial, after the cell's preprocessing, which the training images decide."""
    splits = split(data, seed, cell["train_size"], cell["normal_class"])
    if cell["preprocessing"] == "unit":  # stays in its small type; a batch at a time is scaled
        return data, splits
    transform = fit(cell["preprocessing"], splits.train, data.value_range)
    changed = replace(data, x_train=transform(data.x_train), x_test=transform(data.x_test), value_range=(0.0, 1.0))
    return changed, split(changed, seed, cell["train_size"], cell["normal_class"])


def contrast(images: np.ndarray) -> np.ndarray:
    """Each image (N, H, W, C) less its mean, over its mean absolute deviation; a constant image becomes 0."""
    centred = images - images.mean(axis=(1, 2, 3), keepdims=True)
    scale = np.abs(centred).mean(axis=(1, 2, 3), keepdims=True)
    return np.where(scale > 1e-6, centred / np.maximum(scale, 1e-6), 0).astype(np.float32)


PREPROCESSINGS: dict[str, Callable[..., Transform]] = {"unit": unit, "l1_contrast": l1_contrast}
