"""What a task leaves of each trial and draw: NAME.csv with its stamp, NAME.npz with pictures, NAME.images.npz, a cache.

A stamp says which version of the task made a table, on how many images, and of which record or data. A table with
another stamp is computed anew: a trial that was trained again does not keep the numbers of its former model.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from study import files
from study.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

Pictures = dict[str, np.ndarray]
PER_IMAGE = ".images.npz"
WORDS = {"dataset": str, "preprocessing": str}  # a data set may be called 007


@dataclass(frozen=True)
class Store:
    """The files of one task and split.

    Attributes:
        folder: Where they lie.
        stamps: Name → the stamp that its table must carry.
        per_image: Whether values an image belong to a whole result.
    """

    folder: Path
    stamps: Mapping[str, str]
    per_image: bool

    def is_done(self, name: str) -> bool:
        """Whether results with the right stamp are there, with the values an image where the task keeps them."""
        return (not self.per_image or self._path(name, PER_IMAGE).is_file()) and self.has_table(name)

    def has_table(self, name: str) -> bool:
        """Whether the table is there with the right stamp."""
        try:
            with files.open_table(self._path(name, ".csv")) as file:
                return file.readline().strip() == f"# {self.stamps[name]}"
        except (OSError, UnicodeDecodeError):
            return False

    def write(
        self, name: str, rows: list[dict[str, Any]], pictures: Pictures, per_image: Mapping[str, np.ndarray]
    ) -> None:
        """Writes the table last: once it is there, all is."""
        import pandas as pd

        self.folder.mkdir(parents=True, exist_ok=True)
        for old in (self._path(name, ".csv"), files.packed(self._path(name, ".csv"))):
            old.unlink(missing_ok=True)  # it would vouch for new pictures
        self._path(name, ".npz").unlink(missing_ok=True)
        if pictures:
            self._save(name, ".npz", {key: to_bytes(images) for key, images in pictures.items()})
        if self.per_image:
            self._save(name, PER_IMAGE, per_image)
        table = pd.DataFrame(rows).to_csv(index=False, lineterminator="\n")
        files.write_atomically(self._path(name, ".csv"), f"# {self.stamps[name]}\n{table}".encode())

    def table(self, name: str) -> pd.DataFrame:
        """The rows."""
        return read_table(self._path(name, ".csv"))

    def arrays(self, name: str, kind: str = ".npz") -> Pictures:
        """The pictures, or with `PER_IMAGE` the values an image; empty where there are none.

        Raises:
            InputError: The file is damaged.
        """
        path = self._path(name, kind)
        if not path.is_file():
            return {}
        try:
            with np.load(path, allow_pickle=False) as stored:
                return {key: stored[key] for key in stored.files}
        except Exception as error:  # a damaged archive raises what its parts raise
            then = "what it held is computed anew" if kind == PER_IMAGE else "the numbers stay, without its pictures"
            raise InputError(f"{path} is damaged ({error}). Remove it and run this again: {then}.") from error

    def _path(self, name: str, kind: str) -> Path:
        return self.folder / f"{name}{kind}"

    def _save(self, name: str, kind: str, arrays: Mapping[str, np.ndarray]) -> None:
        buffer = io.BytesIO()
        np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]
        files.write_atomically(self._path(name, kind), buffer.getvalue())


def read_table(path: Path) -> pd.DataFrame:
    """The rows of NAME.csv or, where it is there only packed, of NAME.csv.gz; without the stamp.

    Raises:
        OSError: Neither is there.
    """
    import pandas as pd

    with files.open_table(path) as file:
        return pd.read_csv(file, skiprows=1, dtype=WORDS)


def to_bytes(images: np.ndarray) -> np.ndarray:
    """Images in [0, 1] as uint8; what leaves the range is clipped."""
    return np.round(255 * np.clip(images, 0, 1)).astype(np.uint8)
