"""What is held up to an autoencoder as an anomaly, and how it is made to fit: other data sets, other classes, noise.

An image of another data set is brought to the shape the network wants before anything else: colour becomes grey by
ITU-R BT.601's luma, grey is repeated over the channels, and the size is changed by bilinear interpolation with a
Gaussian against aliasing (scikit-image).

Beside validation images, on which sizes are chosen, the anomalies are of the training pools: test images choose
nothing. Beside all other splits they are test images, the same for each, so that only the normal images differ.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from analysis.task_files import to_bytes
from study import datasets
from study.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from analysis.draws import Draw
    from study.datasets import Dataset

EMBEDDED = ("digits", "photo_patches")  # always there: no file, no network
OTHER_CLASSES, NOISE, INVERTED = "other classes", "noise", "inverted"
MADE = (NOISE, INVERTED)
OTHERS = 10_000  # images of other classes, at most: all that MNIST and CIFAR-10 have
LUMA = (0.299, 0.587, 0.114)
CHUNK = 5_000  # images at a time
IMAGES = {"train": "images of the training pool", "test": "test images"}


def sets(draw: Draw) -> dict[str, np.ndarray]:
    """Name → anomalous images before the cell's preprocessing, (m, H, W, C) float32 in [0, 1]; other classes first."""
    found = {}
    if draw.cell["normal_class"] is not None:
        found[OTHER_CLASSES] = _other_classes(draw)
    found |= {name: adapt(images, draw.raw.shape) for name, images in _other_data(draw)}
    made = [datasets.rng(int(i), NOISE).random(draw.raw.shape, np.float32) for i in draw.index]
    return found | {NOISE: np.stack(made), INVERTED: 1 - draw.plain}


def adapt(images: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray:
    """Images (n, h, w, c) in [0, 1] in another shape (H, W, C): float32 (n, H, W, C) in [0, 1]."""
    from skimage.transform import resize

    height, width, channels = shape
    if images.shape[-1] != channels:
        weights = LUMA if images.shape[-1] == len(LUMA) else np.full(images.shape[-1], 1 / images.shape[-1])
        grey = np.tensordot(images, np.asarray(weights, np.float32), axes=1)[..., None]
        images = np.repeat(grey, channels, axis=-1)
    if images.shape[1:3] != (height, width):
        images = resize(images, (len(images), height, width, channels), order=1, anti_aliasing=True)
    return np.clip(images, 0, 1).astype(np.float32)


def names(study: list[str], wanted: list[str] | None, known: Callable[[str], Dataset]) -> list[str]:
    """The data sets that are held up: those asked for, or the study's own and the embedded ones.

    Raises:
        InputError: One that is asked for is the only data set that the study was trained on, or does not exist.
    """
    if wanted is None:
        return list(dict.fromkeys([*study, *EMBEDDED]))
    for name in wanted:
        if study == [name]:
            raise InputError(
                f"--against {name}: every model of this study was trained on '{name}', so that none of its images is "
                "an anomaly. Give another data set."
            )
        known(name)  # fails now, not after an hour
    return list(dict.fromkeys(wanted))


def left_out(models: pd.DataFrame, against: Sequence[str]) -> list[str]:
    """In words, which data sets were not held up to models, for they hold images of the models' own data set.

    Args:
        models: Of the results: `dataset` and `set`, the anomalies.
        against: Names of the data sets that were to be held up.
    """
    said = []
    for own, rows in models.groupby("dataset", sort=False):
        if gone := [name for name in against if name not in (own, *rows["set"])]:
            said.append(f"{own}: no anomalies were taken of {', '.join(gone)}, where images of '{own}' are found.")
    return said


def _other_data(draw: Draw) -> Iterator[tuple[str, np.ndarray]]:
    """Images of the other data sets, a fixed draw of as many as there are normal ones."""
    others = [name for name in draw.against if name != draw.cell["dataset"]]
    for name in others:
        data, images = draw.load(name), f"x_{_part(draw.split)}"
        stored = getattr(data, images)
        theirs = _fingerprints(draw.load, name, images)
        own = (_fingerprints(draw.load, draw.cell["dataset"], part) for part in ("x_train", "x_test"))
        same = theirs & frozenset().union(*own)
        if same and not draw.named:
            continue  # `left_out` says so
        if same:
            raise InputError(
                f"--against {name}: {len(same):,} of its {len(stored):,} {IMAGES[_part(draw.split)]} are images of "
                f"'{draw.cell['dataset']}', the models' own data set, so they are no anomalies. Name other data sets."
            )
        order = datasets.rng(0, "anomalous images").permutation(len(stored))[: draw.wanted]
        yield name, datasets.to_unit(stored[order], data.value_range)


def _part(split: str) -> str:
    """Of which part of its data an anomaly is, by the split that it is held up beside."""
    return "train" if split == "val" else "test"


@lru_cache(maxsize=16)  # the draws of a study ask again and again
def _fingerprints(load: Callable[[str], Dataset], name: str, part: str) -> frozenset[int]:
    """A hash of each image's shape and pixels in 8 bits, whatever type it is stored in; blank ones tell nothing."""
    data, found = load(name), set()
    for start in range(0, len(stored := getattr(data, part)), CHUNK):
        pixels = to_bytes(datasets.to_unit(stored[start : start + CHUNK], data.value_range))
        found |= {hash((image.shape, image.tobytes())) for image in pixels if np.ptp(image)}
    return frozenset(found)


def _other_classes(draw: Draw) -> np.ndarray:
    """Images of every class but the normal one."""
    stored, labels = (getattr(draw.raw, f"{kind}_{_part(draw.split)}") for kind in "xy")
    assert labels is not None  # a normal class needs labels, and was refused without
    others = np.flatnonzero(labels != draw.cell["normal_class"])
    drawn = datasets.rng(0, OTHER_CLASSES).permutation(len(others))[:OTHERS]
    return datasets.to_unit(stored[others[drawn]], draw.raw.value_range)


def descriptions(names: Iterable[str], normal_class: bool, split: str) -> dict[str, str]:
    """How each set is made beside the images of a split, in words."""
    images = IMAGES[_part(split)]
    found = {OTHER_CLASSES: f"{images} of all classes but the normal one"} if normal_class else {}
    resized = f"{images} of another data set: colour to grey (BT.601) or grey to every channel, then resized (bilinear)"
    made = {
        NOISE: "pixels drawn uniformly from 0 to 1 by numpy.random.default_rng of the image's index",
        INVERTED: "the normal images themselves, every pixel x replaced by 1 - x",
    }
    return found | dict.fromkeys(names, resized) | made
