"""The images that an application is tried on: the same for every model of one seed on the same data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from study import datasets, preprocessing

if TYPE_CHECKING:
    import pandas as pd

    from study.datasets import Dataset, Splits

DRAW = ("dataset", "train_size", "normal_class", "preprocessing")  # with the seed: which images, and how they look
EXAMPLES = 4  # pictures a trial: two around the median PCA error, two of the worst tenth
FITTED = 10_000  # training images that a baseline is fitted on, at most


@dataclass(frozen=True)
class Draw:
    """The images that all trials of one seed on the same data share.

    Attributes:
        cell: The levels of `DRAW`.
        seed: The replicate.
        data: The data set after the cell's preprocessing.
        splits: The seed's splits of it.
        split: Which of them is evaluated.
        wanted: How many of its images, at most.
        first: Whether this is the lowest seed: what is costly, or only shown, is done for it alone.
        raw: The data set before the cell's preprocessing.
        seen: Images in [0, 1], as `raw` has them → as the network sees them.
        sizes: The latent sizes of its trials.
        against: Names of other data sets, where the task holds them up.
        load: Gives a data set by its name.
    """

    cell: dict[str, Any]
    seed: int
    data: Dataset
    splits: Splits
    split: str
    wanted: int
    first: bool
    raw: Dataset
    seen: Callable[[np.ndarray], np.ndarray]
    sizes: tuple[int, ...] = ()
    against: tuple[str, ...] = ()
    load: Callable[[str], Dataset] = datasets.load

    @cached_property
    def index(self) -> np.ndarray:
        """Indices of the evaluated images in their own part of the data, ascending: a fixed draw of `wanted` of them.

        Not the first ones: MNIST's first 5,000 test images are easier than its last 5,000.
        """
        available = self._available
        drawn = datasets.rng(0, "evaluated images").permutation(len(available))[: self.wanted]
        return available[np.sort(drawn)]

    @cached_property
    def images(self) -> np.ndarray:
        """The evaluated images: (n, H, W, C) float32."""
        return self._unit(self._part[self.index])

    @cached_property
    def plain(self) -> np.ndarray:
        """The same before the cell's preprocessing, in [0, 1]."""
        part = self.raw.x_test if self.split == "test" else self.raw.x_train
        return datasets.to_unit(part[self.index], self.raw.value_range)

    @cached_property
    def labels(self) -> np.ndarray | None:
        """Their labels."""
        labels = self.data.y_test if self.split == "test" else self.data.y_train
        return None if labels is None else labels[self.index]

    @cached_property
    def train(self) -> np.ndarray:
        """The training images, at most `FITTED` of them: float32."""
        return self._unit(self.splits.train[:FITTED])

    @cached_property
    def validation(self) -> np.ndarray:
        """Validation images for a baseline's settings, at most 500, with the indices `validation_index`."""
        return self._unit(self.splits.val[:500])

    @cached_property
    def validation_index(self) -> np.ndarray:
        """Their indices in the pool."""
        return self.splits.val_index[:500]

    @cached_property
    def shown_index(self) -> np.ndarray:
        """Indices of the `EXAMPLES` images that are shown, chosen by rule."""
        if self.split != "test":
            return self.index[:EXAMPLES]
        chosen = datasets.example_indices(self.data, normal_class=self.cell["normal_class"])
        return chosen[[0, 1, -8, -1]]

    @cached_property
    def shown(self) -> np.ndarray:
        """These images."""
        return self._unit(self._part[self.shown_index])

    @property
    def _part(self) -> np.ndarray:
        return self.data.x_test if self.split == "test" else self.data.x_train

    @cached_property
    def _available(self) -> np.ndarray:
        if self.split != "test":
            return np.sort(getattr(self.splits, f"{self.split}_index"))
        if self.cell["normal_class"] is None:
            return np.arange(len(self.data.x_test))
        assert self.data.y_test is not None
        return np.flatnonzero(self.data.y_test == self.cell["normal_class"])

    def _unit(self, stored: np.ndarray) -> np.ndarray:
        return datasets.to_unit(stored, self.data.value_range)


def draw_of(trials: pd.DataFrame, load: Callable[[str], Dataset], first: bool, **options: Any) -> Draw:
    """The draw that trials of one seed on the same data share.

    Args:
        trials: Their rows.
        load: Gives a data set by its name.
        first: Whether theirs is the lowest seed of the study.
        options: `split`, `wanted`, `against` of `Draw`.
    """
    row = trials.iloc[0]
    cell = {factor: _level(row[factor]) for factor in DRAW}
    seed, raw = int(row["seed"]), load(cell["dataset"])
    data, splits = preprocessing.prepare(cell, seed, raw)
    stored = datasets.split(raw, seed, cell["train_size"], cell["normal_class"]).train
    low, high = raw.value_range
    transform = preprocessing.fit(cell["preprocessing"], stored, raw.value_range)
    seen = lambda images: transform(low + np.asarray(images, np.float32) * np.float32(high - low))  # noqa: E731
    sizes = tuple(sorted({int(size) for size in trials["latent_dim"]}))
    return Draw(cell, seed, data, splits, first=first, raw=raw, seen=seen, sizes=sizes, load=load, **options)


def _level(value: Any) -> Any:
    """A level out of a column: pandas turns None among numbers into NaN."""
    return None if value is None or value != value else int(value) if isinstance(value, float) else value
