"""Data sets of image files: a folder a class, or Parquet files in the layout of the Hugging Face hub. Needs no Keras.

    NAME/train/<class>/*.png|jpg|jpeg    NAME/test/<class>/*.png|jpg|jpeg
    NAME/train-*.parquet                 NAME/test-*.parquet

Images are decoded to uint8. They must be of one size; they are grey if all of them are, else red, green, blue.
"""

import io
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from study.errors import InputError

PARTS = ("train", "test")
SUFFIXES = (".png", ".jpg", ".jpeg")
LABELS = ("label", "labels", "fine_label")
Encoded = tuple[str, bytes]  # what it is called in errors, and the file's bytes


def is_there(folder: Path) -> bool:
    """Whether a folder holds a data set in either layout, or a part of one."""
    return any((folder / part).is_dir() or any(folder.glob(f"{part}-*.parquet")) for part in PARTS)


def read(folder: Path) -> dict[str, np.ndarray]:
    """The arrays of a data set.

    Args:
        folder: In one of the two layouts.

    Returns:
        `x_train`, `x_test` (N, H, W, C) uint8, C = 1 or 3, and `y_train`, `y_test` (N,) unless a Parquet file has no
        labels. A class of folders is numbered by its name's place among all names.

    Raises:
        InputError: A part is missing; a member is corrupt, of another size or of more than 8 bits. It is named.
    """
    reader = _parquet if any(folder.glob("*.parquet")) else _folders
    arrays: dict[str, np.ndarray] = {}
    for part in PARTS:
        encoded, labels = reader(folder, part)
        arrays[f"x_{part}"] = _decoded(encoded, folder / part)
        if labels is not None:
            arrays[f"y_{part}"] = np.asarray(labels)
    channels = max(arrays[f"x_{part}"].shape[-1] for part in PARTS)
    for name in (f"x_{part}" for part in PARTS):  # where one part is grey and the other is not
        if arrays[name].shape[-1] < channels:
            arrays[name] = np.repeat(arrays[name], channels, axis=-1)
    return arrays


def _folders(folder: Path, part: str) -> tuple[Iterator[Encoded], list[int] | None]:
    classes = sorted({path.name for p in PARTS for path in (folder / p).glob("*") if path.is_dir()})
    files = [
        (path, number)
        for number, name in enumerate(classes)
        for path in sorted((folder / part / name).glob("*"))
        if path.suffix.lower() in SUFFIXES
    ]
    if not files:
        raise InputError(
            f"{folder / part} holds no images. Allowed: {folder}/train/<class>/*.png or *.jpg, and {folder}/test/… "
            "the same way."
        )
    return ((str(path), path.read_bytes()) for path, _ in files), [number for _, number in files]


def _parquet(folder: Path, part: str) -> tuple[Iterator[Encoded], list[int] | None]:
    import pyarrow as pa
    import pyarrow.parquet

    paths = sorted(folder.glob(f"{part}-*.parquet"))
    if not paths:
        raise InputError(f"{folder} has no {part}-*.parquet. Allowed: at least one for each of train and test.")
    tables = []
    for path in paths:
        try:
            tables.append((path, pa.parquet.read_table(path)))
        except (OSError, pa.ArrowException) as error:
            raise InputError(f"{path} cannot be read as Parquet ({error}). Copy it again, whole.") from error
    names = [_columns(path, table.schema) for path, table in tables]
    labels = None
    if all(label is not None for _, label in names):
        labels = [v for (_, t), (_, label) in zip(tables, names, strict=True) for v in t[label].to_pylist()]
    return _members(tables, [image for image, _ in names]), labels


def _columns(path: Path, schema: Any) -> tuple[str, str | None]:
    """The names of the image and the label column."""
    import pyarrow as pa

    for field in schema:
        if pa.types.is_struct(field.type) and field.type.get_field_index("bytes") >= 0:
            return field.name, next((name for name in LABELS if name in schema.names), None)
    raise InputError(
        f"{path} has no image column; its columns: {', '.join(schema.names)}. Allowed: a column of structs with "
        "`bytes`, the encoded image, as on the Hugging Face hub."
    )


def _members(tables: list, columns: list[str]) -> Iterator[Encoded]:
    for (path, table), column in zip(tables, columns, strict=True):
        for row, member in enumerate(table[column].to_pylist()):
            yield f"{path}, row {row}", (member or {}).get("bytes") or b""


def _decoded(encoded: Iterable[Encoded], where: Path) -> np.ndarray:
    """All images of a part: (N, H, W, C)."""
    images: list[np.ndarray] = []
    for name, content in encoded:
        image = _image(name, content)
        if images and image.shape[:2] != images[0].shape[:2]:
            height, width = images[0].shape[:2]
            raise InputError(
                f"{name} is {image.shape[0]}×{image.shape[1]} pixels, those before it {height}×{width}. "
                "Allowed is one size: resize the images first."
            )
        images.append(image)
    if len(images) < 2:
        raise InputError(f"{where} holds {len(images)} images; allowed are 2 or more.")
    colour = any(image.ndim == 3 for image in images)
    return np.stack([_in_colour(image) if colour else image[..., None] for image in images])


def _image(name: str, content: bytes) -> np.ndarray:
    """An image as (H, W) if it is grey, else (H, W, 3), uint8."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(content)) as opened:
            mode = opened.mode
            if mode.startswith(("I", "F")):
                raise InputError(
                    f"{name} has pixels of mode '{mode}', more than 8 bits; convert it to 8 bits, or save the arrays "
                    "as .npz with uint16 or floats."
                )
            return np.asarray(opened.convert("L" if mode in ("1", "L", "LA") else "RGB"))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise InputError(f"{name} is corrupt: it cannot be decoded ({error}). Replace or remove it.") from error


def _in_colour(image: np.ndarray) -> np.ndarray:
    return image if image.ndim == 3 else np.repeat(image[..., None], 3, axis=-1)
