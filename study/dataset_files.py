"""Data sets in the data folder, in any of three layouts; everything in them is checked. Needs no Keras.

    NAME.npz                                        arrays in the layout of `keras.datasets`
    NAME/train|test/<class>/*.png|jpg               image files, see `study/image_files.py`
    NAME/train-*.parquet, NAME/test-*.parquet       encoded images, see there too

The arrays of an .npz: x_train, x_test (N×H×W or N×H×W×C; uint8, uint16 or float), optional labels y_train, y_test,
optional `range` [low, high]; floats without it must lie within [0, 1].
"""

import zipfile
import zlib
from pathlib import Path

import numpy as np

from study import image_files
from study.errors import InputError

RANGES = {"uint8": (0.0, 255.0), "uint16": (0.0, 65535.0)}

# x_train, y_train, x_test, y_test, value_range, source: the attributes of `study.datasets.Dataset` after its name.
Parts = tuple[np.ndarray, np.ndarray | None, np.ndarray, np.ndarray | None, tuple[float, float], str]


def is_there(folder: Path, name: str) -> bool:
    """Whether the data folder holds a data set of this name."""
    return (folder / f"{name}.npz").exists() or image_files.is_there(folder / name)


def names(folder: Path) -> list[str]:
    """The names of all data sets in the data folder."""
    own = [path.stem for path in folder.glob("*.npz")]
    return sorted({*own, *(path.name for path in folder.glob("*/") if image_files.is_there(path))})


def read(folder: Path, name: str) -> Parts:
    """The parts of a data set in the data folder; an .npz wins over a folder of the same name.

    Raises:
        InputError: A file that is not what it should be; it is named.
    """
    if (folder / f"{name}.npz").exists():
        return _from_npz(folder / f"{name}.npz")
    stored = image_files.read(folder / name)
    if stored["x_train"].shape[1:] != stored["x_test"].shape[1:]:
        raise InputError(
            f"{folder / name}: training images are {stored['x_train'].shape[1:]}, test images "
            f"{stored['x_test'].shape[1:]}; make them alike."
        )
    source = f"image files of {name}/"
    return stored["x_train"], stored.get("y_train"), stored["x_test"], stored.get("y_test"), RANGES["uint8"], source


def _from_npz(path: Path) -> Parts:
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
    return train, labels[0], test, labels[1], value_range, f"file {path.name}"


def _read(path: Path) -> dict[str, np.ndarray]:
    try:
        with open(path, "rb") as file:
            archive = np.load(file, allow_pickle=False)
            if isinstance(archive, np.ndarray):
                raise InputError(f"{path} is a single array, not an .npz archive. Save it with numpy.savez.")
            return {key: archive[key] for key in archive.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        what = f"cannot be read ({error})"
        if "pickle" in str(error):  # numpy says so of any file that it does not know, too
            what = "is no .npz archive, or holds pickled objects, which are never loaded"
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
