"""Principal component analysis: the linear optimum that an autoencoder of the same latent size is compared with.

Of all linear maps to k numbers and back, PCA has the least squared error on the images that it was fitted on
(Eckart & Young 1936, doi:10.1007/BF02288367). scikit-learn's PCA gives the same numbers, by a singular value
decomposition of all images in memory; here only the smaller of covariance and Gram matrix is formed, block by block,
and only the leading k eigenvectors are computed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
BLOCK = 4096  # images in float64 at a time: 100 MB at 32×32×3


@dataclass(frozen=True)
class PCA:
    """A fitted basis. Nothing here clips: a reconstruction may leave the range of the images.

    Attributes:
        mean: (d,) mean of the images of the fit.
        components: (k, d) orthonormal rows, the largest variance first; each row's largest entry is positive.
        variances: (k,) variance of the fit's images along each row, with divisor n - 1.
    """

    mean: Floats
    components: Floats
    variances: Floats

    def codes(self, images: ArrayLike, k: int | None = None) -> Floats:
        """The first k coordinates of each image (None: all): (n, ...) -> (n, k)."""
        return (_flat(images) - self.mean) @ self._rows(k).T

    def reconstruct(self, images: ArrayLike, k: int) -> Floats:
        """Each image's projection on the first k components, unclipped: (n, ...) -> the same shape, float64."""
        return (self.mean + self.codes(images, k) @ self._rows(k)).reshape(np.shape(images))

    def errors(self, images: ArrayLike, sizes: Sequence[int]) -> Floats:
        """Mean squared error of each image at each size, over its pixels, unclipped (lower is better).

        Returns:
            (n, len(sizes)). One projection serves all sizes: what k components leave is what they do not explain.
        """
        self._rows(max(sizes))
        return np.concatenate([self._errors(block, sizes) for block in blocks(np.asarray(images))])

    def _errors(self, images: ArrayLike, sizes: Sequence[int]) -> Floats:
        centred = _flat(images) - self.mean
        explained = np.cumsum(np.square(centred @ self._rows(max(sizes)).T), axis=1)
        left = np.square(centred).sum(axis=1, keepdims=True) - explained[:, np.asarray(sizes) - 1]
        return np.maximum(left, 0) / centred.shape[1]  # rounding may leave -1e-17 where nothing is left

    def _rows(self, k: int | None) -> Floats:
        if k is not None and not 1 <= k <= len(self.components):
            raise ValueError(f"k = {k}: this PCA holds 1 to {len(self.components)} components; fit it with more")
        return self.components[:k]


def fit(images: ArrayLike, k: int) -> PCA:
    """Fits the leading components.

    Args:
        images: (n, ...) in any range; flattened to (n, d), float64 inside.
        k: components to keep; at most n - 1 and d of them exist, and fewer are returned then.

    Returns:
        The basis, the same to the last bit on one machine.

    Raises:
        ValueError: fewer than 2 images.
    """
    array = np.asarray(images)
    if len(array) < 2:
        raise ValueError(f"PCA of {len(array)} images: at least 2 are needed")
    d = int(np.prod(array.shape[1:]))
    mean = sum((_flat(block).sum(axis=0) for block in blocks(array)), np.zeros(d)) / len(array)
    k = min(k, d, len(array) - 1)
    variances, components = (_by_covariance if d <= len(array) else _by_gram)(array, mean, k)
    peaks = np.take_along_axis(components, np.abs(components).argmax(axis=1, keepdims=True), axis=1)
    return PCA(mean, components * np.where(peaks < 0, -1.0, 1.0), np.maximum(variances, 0))


def blocks(images: NDArray) -> Iterator[NDArray]:
    """The images, `BLOCK` at a time."""
    return (images[start : start + BLOCK] for start in range(0, len(images), BLOCK))


def _by_covariance(images: NDArray, mean: Floats, k: int) -> tuple[Floats, Floats]:
    covariance = np.zeros((len(mean), len(mean)))
    for block in blocks(images):
        centred = _flat(block) - mean
        covariance += centred.T @ centred
    variances, vectors = _leading(covariance / (len(images) - 1), k)
    return variances, vectors.T


def _by_gram(images: NDArray, mean: Floats, k: int) -> tuple[Floats, Floats]:
    centred = _flat(images) - mean
    variances, vectors = _leading(centred @ centred.T / (len(images) - 1), k)
    # QR rather than a division by the root of the variance: directions of no variance get orthonormal rows as well.
    rows = np.linalg.qr(centred.T @ vectors)[0].T
    return variances, rows


def _leading(matrix: Floats, k: int) -> tuple[Floats, Floats]:
    """The k largest eigenvalues of a symmetric matrix, the largest first, and their vectors in columns."""
    from scipy.linalg import eigh

    n = len(matrix)
    values, vectors = eigh(matrix, subset_by_index=(n - k, n - 1), overwrite_a=True, check_finite=False)
    return values[::-1], vectors[:, ::-1]


def _flat(images: ArrayLike) -> Floats:
    array = np.asarray(images)
    return array.reshape(len(array), -1).astype(np.float64)
