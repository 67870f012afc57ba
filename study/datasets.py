"""The data sets: built in, downloaded through Keras, or the user's own files; and how each seed splits them.

What lies in the data folder under a name wins over a download of that name. Images stay in their small type (uint8,
say) until a batch needs them. Needs no Keras, except to download.
"""

import hashlib
import os
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from study import dataset_files, downloads
from study.errors import InputError


@dataclass(frozen=True)
class Dataset:
    """Images with a training part, the pool, and a test part.

    Attributes:
        name: Its name.
        x_train: The pool, (N, H, W, C), as stored.
        y_train: Its labels (N,), or None.
        x_test: Test images, (M, H, W, C).
        y_test: Their labels (M,), or None.
        value_range: The (low, high) of the stored values that stand for 0 and 1.
        source: Where it came from, for people.
    """

    name: str
    x_train: np.ndarray
    y_train: np.ndarray | None
    x_test: np.ndarray
    y_test: np.ndarray | None
    value_range: tuple[float, float]
    source: str

    @property
    def shape(self) -> tuple[int, int, int]:
        """(H, W, C)."""
        height, width, channels = self.x_train.shape[1:]
        return height, width, channels

    def hashes(self) -> dict[str, str]:
        """Array name → SHA-256 over type, shape and bytes."""
        arrays = {"x_train": self.x_train, "y_train": self.y_train, "x_test": self.x_test, "y_test": self.y_test}
        return {name: _sha256(array) for name, array in arrays.items() if array is not None}


@dataclass(frozen=True)
class Splits:
    """The images of one seed, as stored, their labels or None, and their indices in the pool.

    `train` trains, `val` selects, `heldout` is an equal draw for the memorisation question alone, `test` chooses
    nothing.
    """

    train: np.ndarray
    val: np.ndarray
    heldout: np.ndarray
    test: np.ndarray
    train_labels: np.ndarray | None
    val_labels: np.ndarray | None
    heldout_labels: np.ndarray | None
    test_labels: np.ndarray | None
    train_index: np.ndarray
    val_index: np.ndarray
    heldout_index: np.ndarray


def load(name: str, data_dir: str | Path | None = None) -> Dataset:
    """Loads a data set by name, checked.

    Args:
        name: A built-in one (`digits`, `photo_patches`), one that Keras downloads (`mnist`, `fashion_mnist`,
            `cifar10`), or one's own in the data folder, in a layout of `study/dataset_files.py`.
        data_dir: The data folder; by default the environment variable STUDY_DATA_DIR.

    Raises:
        InputError: No such data set, a file that is not what it should be, or no network.
    """
    folder = _folder(data_dir)
    if folder is not None and dataset_files.is_there(folder, name):
        return Dataset(name, *dataset_files.read(folder, name))
    if name in _BUILT_IN:
        return _BUILT_IN[name]()
    if name in downloads.NAMES:
        return Dataset(name, *downloads.fetch(name, folder))
    own = dataset_files.names(folder) if folder is not None else []
    known = ", ".join([*_BUILT_IN, *downloads.NAMES, *own])
    where = str(folder) if folder is not None else "a folder given with --data-dir"
    raise InputError(
        f"no data set '{name}'. Known: {known}. One's own is looked for in {where}, as {name}.npz, as "
        f"{name}/train/<class>/*.png, or as {name}/train-*.parquet."
    )


def split(dataset: Dataset, seed: int, train_size: int | None = None, normal_class: int | None = None) -> Splits:
    """Draws the splits of a seed.

    A permutation of the pool of N images by (seed, "split") gives first `val`, then `heldout`, min(N/6, 10,000)
    images each, then `train`: the first `train_size` of the rest, or all. So neither `val` nor `heldout` depends on
    `train_size`, and a smaller training set is part of a larger one.

    Args:
        dataset: The data set.
        seed: The replicate.
        train_size: Training images, or None for all that are left.
        normal_class: Only images with this label are used, in the pool and in the test part; None: all.

    Raises:
        InputError: More training images wanted than there are, or a class that is not there.
    """
    pool, test = _of_class(dataset, normal_class)
    order = pool[rng(seed, "split").permutation(len(pool))]
    held = min(len(pool) // 6, 10_000)
    left = len(pool) - 2 * held
    if train_size is not None and train_size > left:
        raise InputError(
            f"train_size={train_size}: of the {len(pool)} training images of '{dataset.name}', {left} are left after "
            f"validation and held-out images; allowed are at most {left}, or None for all."
        )
    if held == 0:
        raise InputError(f"'{dataset.name}' has {len(pool)} training images to draw from; at least 6 are needed.")
    index = {"val": order[:held], "heldout": order[held : 2 * held], "train": order[2 * held :][:train_size]}
    images: dict[str, Any] = {name: dataset.x_train[i] for name, i in index.items()}
    labels: dict[str, Any] = {
        f"{name}_labels": None if dataset.y_train is None else dataset.y_train[i] for name, i in index.items()
    }
    return Splits(
        **images,
        **labels,
        **{f"{name}_index": i for name, i in index.items()},
        test=dataset.x_test[test],
        test_labels=None if dataset.y_test is None else dataset.y_test[test],
    )


def rng(seed: int, purpose: str, epoch: int = 0) -> np.random.Generator:
    """The random generator of one purpose: the same on every machine, independent of those of other purposes."""
    return np.random.default_rng([seed, zlib.crc32(purpose.encode()), epoch])


def to_unit(images: np.ndarray, value_range: tuple[float, float]) -> np.ndarray:
    """Stored images as float32 in [0, 1]."""
    low, high = value_range
    return (images.astype(np.float32) - np.float32(low)) * np.float32(1 / (high - low))


def example_indices(dataset: Dataset, n: int = 32, normal_class: int | None = None) -> np.ndarray:
    """The test images that are shown, chosen by rule: (n,) indices.

    Test images are ranked by their error under a principal component analysis (8 components) of at most 5,000 images
    of the pool, drawn by seed 0. First come n/2 around the median rank, then n/2 evenly over the worst tenth.
    """
    from sklearn.decomposition import PCA

    pool, test = _of_class(dataset, normal_class)
    drawn = pool[rng(0, "examples").permutation(len(pool))[:5000]]
    train = to_unit(dataset.x_train[drawn], dataset.value_range).reshape(len(drawn), -1)
    images = to_unit(dataset.x_test[test], dataset.value_range).reshape(len(test), -1)
    components = min(8, *train.shape)
    pca = PCA(components, svd_solver="randomized", random_state=0).fit(train)
    errors = np.square(images - pca.inverse_transform(pca.transform(images))).mean(axis=1)
    ranked = test[np.argsort(errors, kind="stable")]
    half = n // 2
    middle = np.clip(len(ranked) // 2 - half // 2 + np.arange(half), 0, len(ranked) - 1)
    worst = np.round(np.linspace(0.9 * (len(ranked) - 1), len(ranked) - 1, n - half)).astype(int)
    return ranked[np.concatenate([middle, worst])]


def _of_class(dataset: Dataset, normal_class: int | None) -> tuple[np.ndarray, np.ndarray]:
    """Indices of the pool's and the test part's images of a class, or of all."""
    if normal_class is None:
        return np.arange(len(dataset.x_train)), np.arange(len(dataset.x_test))
    if dataset.y_train is None or dataset.y_test is None:
        raise InputError(f"normal_class={normal_class}: '{dataset.name}' has no labels; leave normal_class at None.")
    if normal_class not in dataset.y_train or normal_class not in dataset.y_test:
        classes = ", ".join(str(c) for c in np.unique(dataset.y_train))
        raise InputError(f"normal_class={normal_class}: '{dataset.name}' has the classes {classes}.")
    return np.flatnonzero(dataset.y_train == normal_class), np.flatnonzero(dataset.y_test == normal_class)


def _folder(data_dir: str | Path | None) -> Path | None:
    named = data_dir or os.environ.get("STUDY_DATA_DIR")
    if not named:
        return None
    if not Path(named).is_dir():
        raise InputError(f"--data-dir {named}: there is no such folder. Give the folder that holds your data sets.")
    return Path(named)


def _digits() -> Dataset:
    from sklearn.datasets import load_digits

    digits = load_digits()
    images, labels = digits.images.astype(np.uint8)[..., None], digits.target.astype(np.int64)
    source = "scikit-learn's load_digits; the last 360 images are the test part"
    return Dataset("digits", images[:-360], labels[:-360], images[-360:], labels[-360:], (0.0, 16.0), source)


def _photo_patches() -> Dataset:
    from sklearn.datasets import load_sample_images

    photographs = load_sample_images().images
    tiles = [_tiles(photo[:, : photo.shape[1] * 3 // 4]) for photo in photographs]
    test = [_tiles(photo[:, photo.shape[1] * 3 // 4 :]) for photo in photographs]
    source = "disjoint 32×32 tiles of scikit-learn's two sample photographs; the right quarter of each is the test part"
    return Dataset("photo_patches", np.concatenate(tiles), None, np.concatenate(test), None, (0.0, 255.0), source)


def _tiles(photo: np.ndarray, side: int = 32) -> np.ndarray:
    """All disjoint tiles of a photograph, from its top left: (n, side, side, C)."""
    rows, columns = photo.shape[0] // side, photo.shape[1] // side
    cut = photo[: rows * side, : columns * side].reshape(rows, side, columns, side, -1)
    return cut.swapaxes(1, 2).reshape(rows * columns, side, side, -1)


_BUILT_IN: dict[str, Callable[[], Dataset]] = {"digits": _digits, "photo_patches": _photo_patches}


def _sha256(array: np.ndarray) -> str:
    digest = hashlib.sha256(f"{array.dtype.str}{array.shape}".encode())
    digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
