"""Masks and noise: what is taken from an image or added to it, decided by (image index, condition) alone.

So every model, every baseline and every rerun sees the same inputs. A condition is a word: `centre_38` removes a
square of 38 % of the shorter side, `gaussian_0.25` adds noise of standard deviation 0.25. NumPy only.
"""

import zlib
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

SQUARES = (12, 25, 38, 50)  # sides in per cent of the image's shorter side
MASKS = (
    *(f"centre_{percent}" for percent in SQUARES),
    *(f"square_{percent}" for percent in SQUARES),
    "half",
    *(f"pixels_{percent}" for percent in (25, 50, 75)),
)
NOISES = (
    *(f"gaussian_{sigma}" for sigma in (0.1, 0.25, 0.5, 0.75, 1.0)),
    *(f"salt_pepper_{share}" for share in (0.1, 0.25, 0.5)),
    "poisson_10",
)
PATTERNS = 8  # different masks of a random condition: few, so that what has to be solved a mask is solved seldom


def masks(condition: str, shape: Sequence[int]) -> np.ndarray:
    """The masks of a condition: (1, H, W) where it is always the same, (`PATTERNS`, H, W) where it is random.

    Args:
        condition: One of `MASKS`: `centre_P` and `square_P`, a square of P % of the shorter side in the middle or at a
            random place; `half`, the lower half; `pixels_P`, each pixel with probability P %.
        shape: (H, W, C).

    Returns:
        True where a pixel is removed, in all its channels.
    """
    height, width = shape[:2]
    kind, _, number = condition.partition("_")
    found = np.zeros((1 if kind in ("centre", "half") else PATTERNS, height, width), bool)
    if kind == "half":
        found[:, height - height // 2 :] = True
    elif kind == "pixels":
        for pattern, mask in enumerate(found):
            mask[:] = _rng(pattern, condition).random((height, width)) < int(number) / 100
            mask.flat[_rng(pattern, condition + " one").integers(height * width)] = True  # never nothing removed
    else:
        side = max(1, round(min(height, width) * int(number) / 100))
        for pattern, mask in enumerate(found):
            top, left = (height - side) // 2, (width - side) // 2
            if kind == "square":
                draw = _rng(pattern, condition)
                top, left = int(draw.integers(height - side + 1)), int(draw.integers(width - side + 1))
            mask[top : top + side, left : left + side] = True
    return found


def which(condition: str, index: np.ndarray, count: int) -> np.ndarray:
    """Which of a condition's `count` masks each image gets, by its index: (n,)."""
    return np.array([_which(int(i), condition, count) for i in index], int)


def noisy(images: np.ndarray, condition: str, index: np.ndarray) -> np.ndarray:
    """Images with noise, clipped to [0, 1].

    Args:
        images: (n, H, W, C) in [0, 1].
        condition: One of `NOISES`: `gaussian_S`, additive with standard deviation S; `salt_pepper_P`, a pixel's
            channels become 0 or 1, either with probability P/2; `poisson_N`, a count of mean N·x, divided by N, so that
            bright pixels are noisier.
        index: (n,), the images' indices.

    Returns:
        (n, H, W, C) float32.
    """
    kind, number = condition.rsplit("_", 1)
    result = np.empty(images.shape, np.float32)
    for place, i in enumerate(index):
        draw, image = _rng(int(i), condition), images[place]
        if kind == "gaussian":
            result[place] = image + float(number) * draw.standard_normal(image.shape, np.float32)
        elif kind == "salt_pepper":
            chance = draw.random(image.shape[:2])[..., None]
            share = float(number)
            result[place] = np.where(chance < share / 2, 0, np.where(chance < share, 1, image))
        else:
            result[place] = draw.poisson(np.clip(image, 0, None) * float(number)) / float(number)
    return np.clip(result, 0, 1)


def describe(condition: str) -> str:
    """A condition in words, for captions and reports."""
    kind, _, number = condition.rpartition("_")
    return {
        "centre": f"a square in the middle, {number} % of the side",
        "square": f"a square at a random place, {number} % of the side",
        "": "the lower half",
        "pixels": f"{number} % of the pixels",
        "gaussian": f"Gaussian noise, σ = {number}",
        "salt_pepper": f"salt-and-pepper noise on {number} of the pixels",
        "poisson": f"Poisson noise, peak {number}",
    }[kind]


def rule(condition: str) -> str:
    """How what is random of a condition follows from an image's index i, for tables and reports."""
    kind = condition.rpartition("_")[0]
    image = f"numpy.random.default_rng([i, {_number(condition)}])"
    if kind in ("centre", ""):
        return "the same pixels of every image"
    if kind in ("square", "pixels"):
        masks = f"{PATTERNS} masks, number m drawn by numpy.random.default_rng([m, {_number(condition)}])"
        return f"{masks}; image i gets the one that {image} chooses"
    return f"drawn for image i by {image}, the result clipped to [0, 1]"


@lru_cache(maxsize=2**18)  # asked for again by every model
def _which(index: int, condition: str, count: int) -> int:
    return int(_rng(index, condition).integers(count))


def _rng(index: int, condition: str) -> np.random.Generator:
    return np.random.default_rng([index, _number(condition)])


def _number(condition: str) -> int:
    return zlib.crc32(condition.encode())
