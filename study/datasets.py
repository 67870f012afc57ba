"""The data sets: built in, downloaded through Keras, or the user's own files; and how each seed splits them.

A file `NAME.npz` in the data folder wins over a download of that name. Images stay in their small type (uint8, say)
until a batch needs them. Needs no Keras, except to download.
"""

import hashlib
import os
import socket
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from study.errors import InputError

DOWNLOADS = ("mnist", "fashion_mnist", "cifar10")
RANGES = {"uint8": (0.0, 255.0), "uint16": (0.0, 65535.0)}
NETWORK_SECONDS = 10


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
            `cifar10`), or a file `NAME.npz` in the data folder: arrays x_train, x_test (N×H×W or N×H×W×C; uint8,
            uint16 or float), optional labels y_train, y_test, optional `range` [low, high]; floats without it must
            lie within [0, 1].
        data_dir: The data folder; by default the environment variable STUDY_DATA_DIR.

    Raises:
        InputError: No such data set, a file that is not what it should be, or no network.
    """
    folder = _folder(data_dir)
    if folder is not None and (folder / f"{name}.npz").exists():
        return _from_file(name, folder / f"{name}.npz")
    if name in _BUILT_IN:
        return _BUILT_IN[name]()
    if name in DOWNLOADS:
        return _download(name, folder)
    files = sorted(path.stem for path in folder.glob("*.npz")) if folder is not None else []
    known = ", ".join([*_BUILT_IN, *DOWNLOADS, *files])
    where = f"{folder}/{name}.npz" if folder is not None else f"a folder given with --data-dir, as {name}.npz"
    raise InputError(f"no data set '{name}'. Known: {known}. One's own is looked for in {where}.")


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
        raise InputError(
            f"--data-dir {named}: there is no such folder. Give the folder that holds your NAME.npz files."
        )
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


def _from_file(name: str, path: Path) -> Dataset:
    """A data set from a file in the layout of Keras' own."""
    stored = _read(path)
    missing = [key for key in ("x_train", "x_test") if key not in stored]
    if missing:
        there = ", ".join(sorted(stored)) or "nothing"
        raise InputError(f"{path} has no {' and no '.join(missing)} (there: {there}). Save both with numpy.savez.")
    train, test = (_images(stored[key], path, key) for key in ("x_train", "x_test"))
    if train.shape[1:] != test.shape[1:]:
        raise InputError(f"{path}: x_train holds images {train.shape[1:]}, x_test {test.shape[1:]}; make them alike.")
    labels = [_labels(stored.get(f"y_{part}"), x, path, f"y_{part}") for part, x in (("train", train), ("test", test))]
    value_range = _value_range(stored.get("range"), train, test, path)
    return Dataset(name, train, labels[0], test, labels[1], value_range, f"file {path.name}")


def _read(path: Path) -> dict[str, np.ndarray]:
    try:
        with open(path, "rb") as file:
            archive = np.load(file, allow_pickle=False)
            if isinstance(archive, np.ndarray):
                raise InputError(f"{path} is a single array, not an .npz archive. Save it with numpy.savez.")
            return {key: archive[key] for key in archive.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        what = (
            "holds pickled objects, which are never loaded" if "pickle" in str(error) else f"cannot be read ({error})"
        )
        raise InputError(
            f"{path} {what}. Save plain arrays x_train, x_test with numpy.savez, and copy it whole."
        ) from error


def _images(array: np.ndarray, path: Path, key: str) -> np.ndarray:
    if array.ndim not in (3, 4) or 0 in array.shape or len(array) < 2:
        raise InputError(
            f"{path}: {key} has the shape {array.shape}; allowed is N×H×W or N×H×W×C with at least 2 images."
        )
    if array.dtype.kind not in "uf" or array.dtype.name not in (*RANGES, "float16", "float32", "float64"):
        raise InputError(f"{path}: {key} is of type {array.dtype}; allowed are uint8, uint16 and floats. Convert it.")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise InputError(f"{path}: {key} has values that are not finite; allowed are numbers only. Clean it.")
    return array if array.ndim == 4 else array[..., None]


def _labels(array: np.ndarray | None, images: np.ndarray, path: Path, key: str) -> np.ndarray | None:
    if array is None:
        return None
    if array.size != len(images):
        raise InputError(f"{path}: {key} has {array.size} labels for {len(images)} images; give one for each, or none.")
    return array.reshape(-1)


def _value_range(stated: np.ndarray | None, train: np.ndarray, test: np.ndarray, path: Path) -> tuple[float, float]:
    if stated is not None and (stated.size != 2 or not np.isfinite(stated).all() or stated.flat[0] >= stated.flat[1]):
        raise InputError(f"{path}: range is {stated!r}; allowed are two numbers, [low, high].")
    low, high = (float(v) for v in stated.flat) if stated is not None else RANGES.get(train.dtype.name, (0.0, 1.0))
    found = float(min(train.min(), test.min())), float(max(train.max(), test.max()))
    if train.dtype != test.dtype:
        raise InputError(f"{path}: x_train is {train.dtype}, x_test {test.dtype}; store both in the same type.")
    if found[0] < low or found[1] > high:
        raise InputError(
            f"{path}: values from {found[0]:g} to {found[1]:g}; allowed are {low:g} to {high:g}. "
            "Add an array `range` = [low, high] to the file that says which values stand for black and white."
        )
    return low, high


def _download(name: str, folder: Path | None) -> Dataset:
    """MNIST, Fashion-MNIST or CIFAR-10 through Keras, which checks its files' own hashes."""
    here = f" or put {name}.npz into {folder}" if folder is not None else ""
    if not _is_cached(name) and not _network():
        raise InputError(
            f"the data set '{name}' has to be downloaded once, and there is no network. Connect, or give the folder "
            f"that holds {name}.npz (arrays x_train, y_train, x_test, y_test) with --data-dir{here}."
        )
    import keras

    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(NETWORK_SECONDS)
    try:
        (x_train, y_train), (x_test, y_test) = getattr(keras.datasets, name).load_data()
    except Exception as error:  # Keras raises a bare Exception for a download that failed
        raise InputError(
            f"the data set '{name}' could not be downloaded ({error}). Try again later, or give the folder that holds "
            f"{name}.npz with --data-dir{here}."
        ) from error
    finally:
        socket.setdefaulttimeout(before)
    train, test = (x[..., None] if x.ndim == 3 else x for x in (x_train, x_test))
    return Dataset(name, train, y_train.reshape(-1), test, y_test.reshape(-1), RANGES["uint8"], "Keras download")


def _is_cached(name: str) -> bool:
    files = {"mnist": "mnist.npz", "fashion_mnist": "fashion-mnist/t10k-images-idx3-ubyte.gz"}
    home = Path(os.environ.get("KERAS_HOME", Path.home() / ".keras")) / "datasets"
    return any(home.glob(files.get(name, "cifar-10-batches-py*")))


def _network() -> bool:
    """Whether the host that Keras downloads from can be reached at all."""
    try:
        socket.create_connection(("storage.googleapis.com", 443), timeout=NETWORK_SECONDS / 2).close()
    except OSError:
        return False
    return True


def _sha256(array: np.ndarray) -> str:
    digest = hashlib.sha256(f"{array.dtype.str}{array.shape}".encode())
    digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
