"""Inpainting: can a trained autoencoder fill in what was removed from an image?

Squares in the middle and at random places, the lower half, and random pixels are removed from test images and filled
with the mean pixel of the training images. The autoencoder reconstructs the whole image, and what it says of the
removed pixels is taken: in one pass, or iterated ten times with the known pixels put back. Beside it stand methods
that need no autoencoder: the mean image, biharmonic interpolation, the most similar training image by the known
pixels, and the linear optimum, the best linear prediction from the known pixels by the training images' covariance.

Primary metric: MSE over removed pixels, as skill, the log of its ratio to the linear optimum's. One pass is tried on
2,500 images, a fixed draw (twelve masks of 10,000 would take too long); what is costlier (iteration, other fills,
nearest image, biharmonic) on the first 1,000 of them.
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
STEPS = 10
FILLED = "centre_38"  # the mask with which other fill values are compared
FILLS = ("black", "grey", "white", "mean image")
SHOWN = ("centre_25", "centre_50", "half", "pixels_50", "pixels_75")
NEIGHBOURS_AT_A_TIME = 500  # images whose distances to all training images are held in memory


def open_bench(draw: Draw) -> Bench:
    """What models and baselines are tried with; inputs are made when they are needed."""
    return Bench(lambda: _baselines(draw), lambda model, _: _model(draw, model))


TASK = applications.Task("inpainting", version=2, images=2_500, open=open_bench)


def removed(draw: Draw, index: np.ndarray, condition: str) -> np.ndarray:
    """(n, H, W) True where removed, by the images' indices."""
    bank = corruptions.masks(condition, draw.data.shape)
    return bank[corruptions.which(condition, index, len(bank))]


def _filled(draw: Draw, images: np.ndarray, index: np.ndarray, condition: str, fill: Any = None) -> np.ndarray:
    """The images with removed pixels filled: (n, H, W, C)."""
    value = np.float32(draw.train.mean()) if fill is None else fill
    return np.where(removed(draw, index, condition)[..., None], value, images)


def _model(draw: Draw, model: Any) -> Found:
    reconstruct = restoration.reconstructor(model)
    few = min(restoration.FEW, len(draw.images))
    rows: Rows = []
    for condition in corruptions.MASKS:
        images = _filled(draw, draw.images, draw.index, condition)
        rows += _rows(draw, condition, "one pass", reconstruct(images))
        if condition in ITERATED:
            gone = removed(draw, draw.index[:few], condition)[..., None]
            rows += _rows(draw, condition, "iterated", _iterate(reconstruct, images[:few], gone))
    mean = metrics.mean_image(draw.train)
    for fill, value in zip(FILLS, (np.float32(0), np.float32(0.5), np.float32(1), mean), strict=True):
        images = _filled(draw, draw.images[:few], draw.index[:few], FILLED, value)
        rows += _rows(draw, FILLED, f"filled with {fill}", reconstruct(images))
    return Found(rows, _shown(draw, lambda images, condition: reconstruct(images)) if draw.first else {})


def _iterate(reconstruct: Callable[[np.ndarray], np.ndarray], images: np.ndarray, gone: np.ndarray) -> np.ndarray:
    """Reconstructs `STEPS` times, the known pixels put back before each."""
    current = images
    for _ in range(STEPS):
        current = np.where(gone, reconstruct(current), images)
    return current


def _shown(draw: Draw, restore: Callable[[np.ndarray, str], np.ndarray]) -> Pictures:
    """The examples as restored, known pixels from the image."""
    pictures = {}
    for condition in SHOWN:
        images = _filled(draw, draw.shown, draw.shown_index, condition)
        gone = removed(draw, draw.shown_index, condition)
        pictures[condition] = _composite(draw.shown, restore(images, condition), gone)
    return pictures


def _composite(images: np.ndarray, restored: np.ndarray, gone: np.ndarray) -> np.ndarray:
    """Known pixels from the image, removed ones as restored, clipped to [0, 1]."""
    return np.where(gone[..., None], np.clip(restored, 0, 1), images).astype(np.float32)


def _rows(draw: Draw, condition: str, mode: str, restored: np.ndarray) -> Rows:
    """The errors on removed pixels, and SSIM on the whole, of the first len(restored) images."""
    images, gone = draw.images[: len(restored)], removed(draw, draw.index[: len(restored)], condition)
    share = gone.mean(axis=(1, 2), dtype=np.float64)  # the error of known pixels is 0
    return restoration.rows(condition, mode, images, _composite(images, restored, gone), share)


def _baselines(draw: Draw) -> Found:
    found = linear_optimum.moments(draw.train)
    mean = metrics.mean_image(draw.train)
    few = min(restoration.FEW, len(draw.images))
    rows: Rows = []
    optimum: Pictures = {}
    for condition in corruptions.MASKS:
        ridge = _ridge(draw, found, condition)
        filled = _by_mask(draw, draw.images, draw.index, condition, _optimum(found, ridge))
        methods = {"mean image": np.broadcast_to(mean, filled.shape), restoration.REFERENCE: filled}
        methods["nearest image"] = _by_mask(draw, draw.images[:few], draw.index[:few], condition, _nearest(draw))
        smooth: Restore = lambda images, index, mask: biharmonic(images, mask)  # noqa: E731
        methods["biharmonic"] = _by_mask(draw, draw.images[:few], draw.index[:few], condition, smooth)
        for method, restored in methods.items():
            rows += [{"method": method, **row} for row in _rows(draw, condition, "one pass", restored)]
        if draw.first and condition in SHOWN:
            optimum[condition] = _by_mask(draw, draw.shown, draw.shown_index, condition, _optimum(found, ridge))
    return Found(rows, _pictures(draw, optimum) if draw.first else {})


def _pictures(draw: Draw, optimum: Pictures) -> Pictures:
    inputs = {f"input/{c}": _filled(draw, draw.shown, draw.shown_index, c) for c in SHOWN}
    linear = _shown(draw, lambda images, condition: optimum[condition])
    return {**inputs, **{f"{restoration.REFERENCE}/{c}": v for c, v in linear.items()}, "original": draw.shown}


Restore = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]  # images, their indices, their one mask


def _by_mask(draw: Draw, images: np.ndarray, index: np.ndarray, condition: str, restore: Restore) -> np.ndarray:
    """What a method makes of the images, all those with the same mask at once."""
    bank = corruptions.masks(condition, draw.data.shape)
    chosen = corruptions.which(condition, index, len(bank))
    restored = np.empty_like(images)
    for number in np.unique(chosen):
        mine = chosen == number
        restored[mine] = restore(images[mine], index[mine], bank[number])
    return restored


def _optimum(found: linear_optimum.Moments, ridge: float) -> Restore:
    return lambda images, index, mask: linear_optimum.fill_in(found, images, mask, ridge)


def _ridge(draw: Draw, found: linear_optimum.Moments, condition: str) -> float:
    """The ridge with the least squared error on validation images that have lost the condition's first mask."""
    mask = corruptions.masks(condition, draw.data.shape)[0]
    errors = [
        np.square(np.clip(linear_optimum.fill_in(found, draw.validation, mask, ridge), 0, 1) - draw.validation).sum()
        for ridge in linear_optimum.RIDGES
    ]
    return linear_optimum.RIDGES[int(np.argmin(errors))]


def _nearest(draw: Draw) -> Restore:
    """The training image that is closest over the known pixels; never the image itself."""

    def restore(images: np.ndarray, index: np.ndarray, mask: np.ndarray) -> np.ndarray:
        itself = np.equal.outer(index, draw.train_index) if draw.split == "train" else None
        return draw.train[nearest(images, draw.train, mask, itself)]

    return restore


def nearest(
    images: np.ndarray, train: np.ndarray, removed: np.ndarray, excluded: np.ndarray | None = None
) -> np.ndarray:
    """Of each image, the training image with the least squared distance over the known pixels.

    Args:
        images: (n, H, W, C).
        train: (m, H, W, C).
        removed: (H, W), True where a pixel is removed.
        excluded: (n, m), True where a training image may not be taken; None: all may.

    Returns:
        (n,) indices into `train`.
    """
    known = ~removed.reshape(-1)
    a, b = (x.reshape(len(x), len(known), -1)[:, known].reshape(len(x), -1) for x in (images, train))
    squares, found = np.square(b).sum(axis=1), []
    for start in range(0, len(a), NEIGHBOURS_AT_A_TIME):
        here = slice(start, start + NEIGHBOURS_AT_A_TIME)
        distances = squares - 2 * a[here] @ b.T  # less |a|², the same for all
        if excluded is not None:
            distances[excluded[here]] = np.inf
        found.append(np.argmin(distances, axis=1))
    return np.concatenate(found)


def biharmonic(images: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Biharmonic interpolation of images (n, H, W, C) that have lost the same pixels: scikit-image's.

    All images are handed over as the channels of one, since the system to be solved depends on the mask alone. Damelin
    and Hoang 2018, doi:10.1155/2018/3950312.
    """
    from skimage.restoration import inpaint_biharmonic

    count, height, width, channels = images.shape
    known = np.where(mask[..., None], 0, images).astype(np.float64)
    together = np.moveaxis(known, 0, -1).reshape(height, width, channels * count)
    filled = inpaint_biharmonic(together, mask, channel_axis=-1)
    return np.moveaxis(filled.reshape(height, width, channels, count), -1, 0)


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
