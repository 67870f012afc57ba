"""Inpainting: can a trained autoencoder fill in what was removed from an image?

Squares in the middle and at random places, the lower half, and random pixels are removed from test images and filled
with the mean pixel of the training images. The autoencoder reconstructs the whole image, and what it says of the
removed pixels is taken: in one pass, or iterated ten times with the known pixels put back. Beside it stand methods
that need no autoencoder: the mean image, biharmonic interpolation, the most similar training image by the known
pixels, and the linear optimum, the conditional mean under the training images' covariance.

Primary metric: MSE over removed pixels, as skill, the log of its ratio to the linear optimum's.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from analysis import applications, command, linear_optimum, restoration
from analysis.applications import Bench, Found, Pictures, Rows
from analysis.draws import Draw
from study import corruptions, metrics

ITERATED = ("centre_50", "half", "pixels_50")
STEPS, ITERATED_IMAGES = 10, 1000
FILLED = "centre_38"  # the mask with which other fill values are compared
FILLS = ("black", "grey", "white", "mean image")
BIHARMONIC_IMAGES = 60  # a second each hundred or so: the lowest seed's draw only
SHOWN = ("centre_25", "centre_50", "half", "pixels_50", "pixels_75")


def open_bench(draw: Draw) -> Bench:
    """Makes the inputs of a draw."""
    filled = {condition: _filled(draw, draw.images, draw.index, condition) for condition in corruptions.MASKS}
    shown = {condition: _filled(draw, draw.shown, draw.shown_index, condition) for condition in SHOWN}
    return Bench(lambda: _baselines(draw, shown), lambda model, _: _model(draw, model, filled, shown))


TASK = applications.Task("inpainting", version=1, images=2000, open=open_bench)


def _removed(draw: Draw, index: np.ndarray, condition: str) -> np.ndarray:
    """(n, H, W) True where removed."""
    bank = corruptions.masks(condition, draw.data.shape)
    return bank[corruptions.which(condition, index, len(bank))]


def _filled(draw: Draw, images: np.ndarray, index: np.ndarray, condition: str, fill: Any = None) -> np.ndarray:
    """The images with removed pixels filled: (n, H, W, C)."""
    value = np.float32(draw.train.mean()) if fill is None else fill
    return np.where(_removed(draw, index, condition)[..., None], value, images)


def _model(draw: Draw, model: Any, filled: Pictures, shown: Pictures) -> Found:
    reconstruct = restoration.reconstructor(model)
    rows = []
    for condition, images in filled.items():
        rows.append(_row(draw, condition, "one pass", reconstruct(images)))
    for condition in ITERATED:
        start = filled[condition][:ITERATED_IMAGES]
        gone = _removed(draw, draw.index[:ITERATED_IMAGES], condition)[..., None]
        rows.append(_row(draw, condition, "iterated", _iterate(reconstruct, start, gone)))
    mean = metrics.mean_image(draw.train)
    for fill, value in zip(FILLS, (np.float32(0), np.float32(0.5), np.float32(1), mean), strict=True):
        images = _filled(draw, draw.images, draw.index, FILLED, value)
        rows.append(_row(draw, FILLED, f"filled with {fill}", reconstruct(images)))
    pictures = {
        name: _composite(draw.shown, reconstruct(images), _removed(draw, draw.shown_index, name))
        for name, images in shown.items()
    }
    return Found(rows, pictures)


def _iterate(reconstruct: Callable[[np.ndarray], np.ndarray], images: np.ndarray, gone: np.ndarray) -> np.ndarray:
    """Reconstructs `STEPS` times, the known pixels put back before each."""
    current = images
    for _ in range(STEPS):
        current = np.where(gone, reconstruct(current), images)
    return current


def _composite(images: np.ndarray, restored: np.ndarray, gone: np.ndarray) -> np.ndarray:
    """Known pixels from the image, removed ones as restored, clipped to [0, 1]."""
    return np.where(gone[..., None], np.clip(restored, 0, 1), images).astype(np.float32)


def _row(draw: Draw, condition: str, mode: str, restored: np.ndarray) -> dict[str, Any]:
    """The errors of the first len(restored) images: on removed pixels, and SSIM on the whole."""
    n = len(restored)
    images, gone = draw.images[:n], _removed(draw, draw.index[:n], condition)
    whole = _composite(images, restored, gone)
    share = gone.mean(axis=(1, 2), dtype=np.float64)  # the error of known pixels is 0
    squared = metrics.squared_error(images, whole) / share
    return {
        "condition": condition,
        "mode": mode,
        "n_images": n,
        "mse": float(squared.mean()),
        "mae": float((metrics.absolute_error(images, whole) / share).mean()),
        "psnr": float(metrics.peak_signal_to_noise(squared).mean()),
        "ssim": float(metrics.structural_similarity(images, whole).mean()),
    }


def _baselines(draw: Draw, shown: Pictures) -> Found:
    found = linear_optimum.moments(draw.train)
    ridge = _ridge(draw, found)
    methods: dict[str, Callable[[np.ndarray, np.ndarray, str], np.ndarray]] = {
        "mean image": lambda images, index, condition: np.broadcast_to(metrics.mean_image(draw.train), images.shape),
        "linear optimum": lambda images, index, condition: _linear(draw, found, ridge, images, index, condition),
        "nearest image": lambda images, index, condition: _nearest(draw, images, index, condition),
    }
    rows: Rows = []
    pictures: Pictures = {f"input/{condition}": images for condition, images in shown.items()}
    pictures["original"] = draw.shown
    for condition in corruptions.MASKS:
        for method, restore in methods.items():
            restored = restore(draw.images, draw.index, condition)
            rows.append({"method": method, **_row(draw, condition, "one pass", restored)})
        if draw.first:
            n = min(BIHARMONIC_IMAGES, len(draw.images))
            restored = biharmonic(draw.images[:n], _removed(draw, draw.index[:n], condition))
            rows.append({"method": "biharmonic", **_row(draw, condition, "one pass", restored)})
        for mode, n in (("iterated", ITERATED_IMAGES),) if condition in ITERATED else ():
            restored = methods["linear optimum"](draw.images[:n], draw.index[:n], condition)
            rows.append({"method": "linear optimum", **_row(draw, condition, mode, restored)})
    for condition in SHOWN:
        gone = _removed(draw, draw.shown_index, condition)
        restored = methods["linear optimum"](draw.shown, draw.shown_index, condition)
        pictures[f"linear optimum/{condition}"] = _composite(draw.shown, restored, gone)
    return Found(rows, pictures)


def _ridge(draw: Draw, found: linear_optimum.Moments) -> float:
    """The ridge with the least squared error on validation images that have lost half of their pixels."""
    mask = corruptions.masks("pixels_50", draw.data.shape)[0]
    errors = [
        np.square(np.clip(linear_optimum.fill_in(found, draw.validation, mask, ridge), 0, 1) - draw.validation).sum()
        for ridge in linear_optimum.RIDGES
    ]
    return linear_optimum.RIDGES[int(np.argmin(errors))]


def _linear(
    draw: Draw, found: linear_optimum.Moments, ridge: float, images: np.ndarray, index: np.ndarray, condition: str
) -> np.ndarray:
    """The linear optimum, mask by mask."""
    bank = corruptions.masks(condition, draw.data.shape)
    chosen = corruptions.which(condition, index, len(bank))
    restored = np.empty_like(images)
    for number in np.unique(chosen):
        mine = chosen == number
        restored[mine] = linear_optimum.fill_in(found, images[mine], bank[number], ridge)
    return restored


def _nearest(draw: Draw, images: np.ndarray, index: np.ndarray, condition: str) -> np.ndarray:
    """The training image with the least squared distance over the known pixels."""
    bank = corruptions.masks(condition, draw.data.shape)
    chosen = corruptions.which(condition, index, len(bank))
    restored = np.empty_like(images)
    for number in np.unique(chosen):
        mine = chosen == number
        restored[mine] = draw.train[nearest(images[mine], draw.train, bank[number])]
    return restored


def nearest(images: np.ndarray, train: np.ndarray, removed: np.ndarray) -> np.ndarray:
    """Of each image, the index of the training image that is closest over the known pixels: (n,)."""
    known = (~removed)[..., None]
    a = (images * known).reshape(len(images), -1)
    b = (train * known).reshape(len(train), -1)
    return np.argmin(np.square(b).sum(axis=1) - 2 * a @ b.T, axis=1)


def biharmonic(images: np.ndarray, removed: np.ndarray) -> np.ndarray:
    """Biharmonic interpolation (scikit-image): (n, H, W, C)."""
    from skimage.restoration import inpaint_biharmonic

    pairs = zip(images, removed, strict=True)
    return np.stack(
        [inpaint_biharmonic(np.where(m[..., None], 0, x), m, channel_axis=-1) for x, m in pairs]
    )  # fmt: skip


def answer(arguments: argparse.Namespace) -> command.Outcome:
    """Evaluates, estimates, draws and writes."""
    return restoration.answer(TASK, restoration.INPAINTING, arguments)


def main(argv: Sequence[str] | None = None) -> int:
    """The command."""
    parser = command.parser("inpainting", __doc__)
    applications.add_options(parser, TASK)
    return command.run(parser, answer, argv)


if __name__ == "__main__":
    raise SystemExit(main())
