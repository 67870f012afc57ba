"""The images that an application is tried on: the same for every model of one seed on the same data."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis import linear
from study import datasets, preprocessing

if TYPE_CHECKING:
    import pandas as pd

    from study.datasets import Dataset, Splits

DRAW = ("dataset", "train_size", "normal_class", "preprocessing")  # with the seed: which images, and how they look
EXAMPLES = 4  # pictures a trial: two around the median PCA error, two of the worst tenth
FITTED = 10_000  # training images that a baseline is fitted on, at most
SETTINGS = 500  # images that a baseline's settings are chosen on, at most
THESE_IMAGES, OWN_IMAGES = "for these test images", "each with images of its own"
THESE_ANOMALIES = "each with normal images of its own, for these anomalies"


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
        sizes: The latent sizes of all trials of the study on the same data.
        against: Names of other data sets, where the task holds them up.
        named: Whether the user named these: one that holds images of the cell's own data is then refused, not left out.
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
    named: bool = False
    load: Callable[[str], Dataset] = datasets.load

    @cached_property
    def index(self) -> np.ndarray:
        """Indices of the evaluated images in their own part of the data: a fixed draw of `wanted` of them.

        In the order drawn, so that the first n of them are a fixed draw as well. Not the data's first ones: MNIST's
        first 5,000 test images are easier than its last 5,000.
        """
        available = self._available
        return available[datasets.rng(0, "evaluated images").permutation(len(available))[: self.wanted]]

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
    def train_index(self) -> np.ndarray:
        """Their indices in the pool."""
        return self.splits.train_index[:FITTED]

    @cached_property
    def validation(self) -> np.ndarray:
        """Images for a baseline's settings, at most `SETTINGS`, with the indices `validation_index`.

        Of the validation split, or of the held-out one where the validation split is itself evaluated.
        """
        return self._unit(getattr(self.splits, self._settings)[:SETTINGS])

    @cached_property
    def validation_index(self) -> np.ndarray:
        """Their indices in the pool."""
        return getattr(self.splits, f"{self._settings}_index")[:SETTINGS]

    @cached_property
    def shown_index(self) -> np.ndarray:
        """Indices of the `EXAMPLES` images that are shown, by their PCA error: two median, two of the worst tenth.

        On the test split they are among those that `datasets.example_indices` chooses from all test images; on the
        others the same rule is applied to the evaluated images.
        """
        if self.split == "test":
            chosen = datasets.example_indices(self.data, normal_class=self.cell["normal_class"])
            return chosen[[0, 1, -8, -1]]
        size = min(8, len(self.train) - 1, int(np.prod(self.data.shape)))
        ranked = self.index[np.argsort(linear.fit(self.train, size).errors(self.images, [size])[:, 0])]
        last = len(ranked) - 1
        places = [last // 2, min(last // 2 + 1, last), round(0.95 * last), last]
        return ranked[places]

    @cached_property
    def shown(self) -> np.ndarray:
        """These images."""
        return self._unit(self._part[self.shown_index])

    @property
    def _settings(self) -> str:
        return "heldout" if self.split == "val" else "val"

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


def images_of(splits: Collection[str], anomalies: bool = False) -> str:
    """What an interval over seeds holds for, where numbers are of these splits.

    Every seed draws its own training, validation and held-out images, so that its spread holds theirs. The test images
    are one set, the same for every seed: other test images would add a spread that seeds do not show. So are the
    anomalies that images of any split are held against (`anomaly_sets`), where these are not made of them.

    Args:
        splits: Theirs.
        anomalies: Whether the images are held against anomalies.
    """
    if "test" in splits:
        return THESE_IMAGES
    return THESE_ANOMALIES if anomalies else OWN_IMAGES


def draw_of(
    trials: pd.DataFrame,
    load: Callable[[str], Dataset],
    first: bool,
    sizes: Sequence[int] | None = None,
    **options: Any,
) -> Draw:
    """The draw that trials of one seed on the same data share.

    Args:
        trials: Their rows.
        load: Gives a data set by its name.
        first: Whether theirs is the lowest seed of the study.
        sizes: Of `Draw`; None: those of the trials given.
        options: `split`, `wanted`, `against`, `named` of `Draw`.
    """
    row = trials.iloc[0]
    cell = {factor: _level(row[factor]) for factor in DRAW}
    options["sizes"] = tuple(sorted({int(size) for size in (trials["latent_dim"] if sizes is None else sizes)}))
    seed, raw = int(row["seed"]), load(cell["dataset"])
    data, splits = preprocessing.prepare(cell, seed, raw)
    if cell["preprocessing"] == "unit":
        return Draw(cell, seed, data, splits, first=first, raw=raw, seen=_as_they_are, load=load, **options)
    stored = datasets.split(raw, seed, cell["train_size"], cell["normal_class"]).train
    low, high = raw.value_range
    transform = preprocessing.fit(cell["preprocessing"], stored, raw.value_range)
    seen = lambda images: transform(low + np.asarray(images, np.float32) * np.float32(high - low))  # noqa: E731
    return Draw(cell, seed, data, splits, first=first, raw=raw, seen=seen, load=load, **options)


def _as_they_are(images: np.ndarray) -> np.ndarray:
    return images


def _level(value: Any) -> Any:
    """A level out of a column: pandas turns None among numbers into NaN."""
    return None if value is None or value != value else int(value) if isinstance(value, float) else value
