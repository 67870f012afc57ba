"""What the explorer shows of one model: the codes of test images, what is decoded around and between them."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis import linear
from analysis.applications import to_bytes
from study import autoencoders, metrics

SIDE = 21  # pictures decoded beforehand along each axis of the plane
LINE = 101  # and along the only axis of a latent space of one dimension
STEPS = 9  # pictures of a walk between two images, both ends counted
SCORES = ("mse", "mae", "psnr", "ssim")
Bytes = NDArray[np.uint8]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Plane:
    """The part of a latent space of k dimensions that a pointer can reach: a line, or a plane.

    Attributes:
        centre: (k,) code at place 0.
        directions: (a, k) orthonormal; a is 1 or 2.
        low, high: (a,) ends, so that the codes that it was made for lie inside.
        share: (a,) of the variance of these codes; NaN where they do not vary.
    """

    centre: Floats
    directions: Floats
    low: Floats
    high: Floats
    share: Floats

    @property
    def counts(self) -> tuple[int, ...]:
        """How many pictures are decoded beforehand along each axis."""
        return (LINE,) if len(self.low) == 1 else (SIDE, SIDE)

    def places(self, codes: NDArray) -> Floats:
        """Where codes (n, k) lie when they are projected: (n, a)."""
        return (np.asarray(codes, np.float64) - self.centre) @ self.directions.T

    def codes(self, places: Floats) -> Floats:
        """The codes of places: (n, a) -> (n, k)."""
        return self.centre + places @ self.directions

    def nodes(self) -> Floats:
        """The places that are decoded beforehand, (n, a): the first axis runs fastest."""
        return _mesh(self._axes())

    def centres(self) -> Floats:
        """The middles between neighbouring nodes, (m, a), in the same order."""
        return _mesh([(axis[1:] + axis[:-1]) / 2 for axis in self._axes()])

    def _axes(self) -> list[Floats]:
        ends = zip(self.low, self.high, self.counts, strict=True)
        return [np.linspace(low, high, count) for low, high, count in ends]


@dataclass(frozen=True)
class View:
    """The numbers behind everything that is shown of one model. Pictures are uint8, (..., H, W, C).

    Attributes:
        plane: What is decoded beforehand.
        places: (n, a) of the codes of the test images.
        nodes: Decoded at the nodes of the plane.
        reconstructions: Of the n test images.
        scores: Metric -> (n,).
        ends: Decoded from the codes of the images that walks join.
        walks: (pairs, `STEPS` - 2, H, W, C), decoded on the straight line between two codes; pairs in the order of
            itertools.combinations.
        off_grid: Mean and largest absolute difference, in [0, 1], of pixels interpolated from the nodes and pixels
            decoded, at the middles between nodes, where it is largest.
        skips: Whether the decoder takes skips; they are then at their means over the training images but in
            `reconstructions`.
    """

    plane: Plane
    places: Floats
    nodes: Bytes
    reconstructions: Bytes
    scores: dict[str, Floats]
    ends: Bytes
    walks: Bytes
    off_grid: tuple[float, float]
    skips: bool


def view(model: Any, images: NDArray, ends: NDArray, train: NDArray) -> View:
    """Everything that is shown of a model.

    Args:
        model: The autoencoder.
        images: (n, H, W, C) float32, as the network sees them, n at least 2.
        ends: Positions among the images of those that walks join.
        train: Training images, for the means of skips.
    """
    encoder, decoder = model.get_layer("encoder"), model.get_layer("decoder")
    for network in (model, encoder, decoder):
        network.run_eagerly = True  # each is asked once: to trace it would take longer than to run it
    codes = np.asarray(autoencoders.code_of(encoder.predict(images, batch_size=500, verbose=0)))
    restored = model.predict(images, batch_size=500, verbose=0)
    plane = plane_of(codes)
    parts = [plane.codes(plane.nodes()), plane.codes(plane.centres()), codes[ends], between(codes[ends])]
    # Decoded at once: a decoder with skips takes their means over the training images, which are costly.
    decoded = autoencoders.decode(model, np.concatenate(parts).astype(np.float32), train)
    nodes, centres, at_ends, walks = np.split(decoded, np.cumsum([len(part) for part in parts])[:-1])
    return View(
        plane,
        plane.places(codes),
        to_bytes(nodes),
        to_bytes(restored),
        scores(images, restored),
        to_bytes(at_ends),
        to_bytes(walks).reshape(-1, STEPS - 2, *images.shape[1:]),
        off_grid(to_bytes(nodes), centres, plane.counts),
        len(decoder.inputs) > 1,
    )


def plane_of(codes: NDArray) -> Plane:
    """The latent space itself up to two dimensions, above these the two principal directions of some codes (n, k).

    The other directions stay at the mean of the codes. Ends are the least and the greatest place of these codes.
    """
    k = codes.shape[1]
    if k <= 2:
        centre, directions = np.zeros(k), np.eye(k)
    else:
        basis = linear.fit(codes, 2)
        centre, directions = basis.mean, basis.components
    places = (np.asarray(codes, np.float64) - centre) @ directions.T
    low, high = places.min(axis=0), places.max(axis=0)
    flat = high - low < 1e-6 * np.maximum(1, np.abs(low))  # a collapsed encoder: one code for all images
    total = np.var(codes, axis=0, dtype=np.float64).sum()
    share = places.var(axis=0) / total if total > 0 else np.full(len(low), np.nan)
    return Plane(centre, directions, low - flat, high + flat, share)


def between(codes: NDArray) -> Floats:
    """The codes of walks without their ends: on the straight line between each two of the codes (m, k)."""
    steps = np.linspace(0, 1, STEPS)[1:-1, None]
    pairs = itertools.combinations(np.asarray(codes, np.float64), 2)
    return np.concatenate([(1 - steps) * first + steps * second for first, second in pairs])


def off_grid(nodes: Bytes, centres: NDArray, counts: tuple[int, ...]) -> tuple[float, float]:
    """How far interpolation is from decoding: mean and largest absolute difference of a pixel, in [0, 1].

    Args:
        nodes: Pictures at the nodes, the first axis fastest.
        centres: Pictures decoded in the middles, in [0, 1] or near it.
        counts: Nodes along each axis.
    """
    mean = nodes.reshape(*counts[::-1], -1).astype(np.float64) / 255
    for axis in range(len(counts)):  # in the middle, linear interpolation is the mean of the neighbours
        mean = (np.take(mean, range(1, counts[axis]), axis) + np.take(mean, range(counts[axis] - 1), axis)) / 2
    difference = np.abs(mean.reshape(len(centres), -1) - np.clip(centres, 0, 1).reshape(len(centres), -1))
    return float(difference.mean()), float(difference.max())


def scores(images: NDArray, restored: NDArray) -> dict[str, Floats]:
    """The metrics of each image: metric -> (n,)."""
    squared = metrics.squared_error(images, restored)
    return {
        "mse": squared,
        "mae": metrics.absolute_error(images, restored),
        "psnr": metrics.peak_signal_to_noise(squared),
        "ssim": metrics.structural_similarity(images, restored),
    }


def _mesh(axes: list[Floats]) -> Floats:
    grids = np.meshgrid(*axes, indexing="xy")
    return np.stack([grid.ravel() for grid in grids], axis=1)
