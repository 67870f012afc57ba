"""Applies the trained autoencoders of a study to a task: what the four applications share.

Each trial leaves one result file a task and split, `tasks/<task>/<split>/<trial>.csv`, written atomically; a rerun
computes only what is missing. Baselines that need no autoencoder are computed once for each draw of images, that is for
all trials of one seed on the same data, into a file beside them. The inputs follow from the images' indices, so that
every model and every baseline is given the same.
"""

from __future__ import annotations

import fnmatch
import io
import re
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from study import datasets, files, preprocessing, records
from study.errors import InputError

if TYPE_CHECKING:
    import argparse

    import pandas as pd

    from study.datasets import Dataset, Splits

DRAW = ("dataset", "train_size", "normal_class", "preprocessing")  # with the seed: which images, and how they look
SPLITS = ("test", "val", "train", "heldout")
EXAMPLES = 4  # pictures a trial: two around the median PCA error, two of the worst tenth
FITTED = 10_000  # training images that a baseline is fitted on, at most
Rows = list[dict[str, Any]]
Pictures = dict[str, np.ndarray]
Reconstruct = Callable[[np.ndarray], np.ndarray]


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
    """

    cell: dict[str, Any]
    seed: int
    data: Dataset
    splits: Splits
    split: str
    wanted: int
    first: bool

    @property
    def name(self) -> str:
        """A file name for the draw's baselines."""
        parts = [f"{factor}-{level}" for factor, level in self.cell.items() if level not in (None, "unit")]
        return re.sub(r"[^A-Za-z0-9_.-]", "_", "-".join(["baselines", *parts, f"s{self.seed:02d}"]))

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


@dataclass(frozen=True)
class Bench:
    """A task on one draw: its inputs are made once, then every model is given them.

    Attributes:
        baselines: () → rows and pictures of the methods that need no autoencoder.
        model: (model, trial's row) → rows and pictures of an autoencoder.
    """

    baselines: Callable[[], tuple[Rows, Pictures]]
    model: Callable[[Any, Any], tuple[Rows, Pictures]]


@dataclass(frozen=True)
class Task:
    """One application.

    Attributes:
        name: Its module's name, and its folder's.
        version: Raised when its numbers change: results of another version are computed anew.
        images: How many images are evaluated, unless the user says otherwise.
        open: Draw → Bench.
    """

    name: str
    version: int
    images: int
    open: Callable[[Draw], Bench]


def add_options(parser: argparse.ArgumentParser, task: Task) -> None:
    """The options that all four applications take."""
    parser.add_argument(
        "--cells", default="*", metavar="PATTERN", help="only trials whose name matches, such as *-k8-*"
    )
    parser.add_argument("--split", choices=SPLITS, default="test", help="whose images (default: test)")
    parser.add_argument(
        "--images", type=int, default=task.images, metavar="N", help=f"images a trial (default: {task.images})"
    )


def evaluate(task: Task, options: argparse.Namespace, study: str, load: Callable[[str], Dataset]) -> Results:
    """Computes what is missing and returns all results.

    Raises:
        InputError: No completed trial matches; or none of the models can be loaded.
    """
    trials = records.load(study, options.artifacts)
    if options.images < 2:
        raise InputError(f"--images {options.images}: allowed is 2 or more.")
    chosen = trials[[fnmatch.fnmatch(name, options.cells) for name in trials["trial"]]]
    completed = chosen[chosen["status"] == "completed"]
    if completed.empty:
        raise InputError(
            f"no completed trial of '{study}' matches --cells '{options.cells}' ({len(trials)} trials, "
            f"{int((trials['status'] == 'completed').sum())} completed). Run: python -m study.search {study} --status"
        )
    folder = records.folder(study, options.artifacts) / "tasks" / task.name / options.split
    folder.mkdir(parents=True, exist_ok=True)
    stamp = f"v{task.version}-n{options.images}"
    missing = _compute(task, options, study, completed, load, folder, stamp)
    return _read(completed, folder, stamp, missing)


@dataclass(frozen=True)
class Results:
    """What was computed.

    Attributes:
        models: A row a trial and condition: the trial's factors, `seed`, `trial`, and what the task says.
        baselines: A row a draw, method and condition: the factors of `DRAW`, `seed`, `method`, and what the task says.
        pictures: Trial, or baseline file's name → condition → (`EXAMPLES`, H, W, C) uint8; of the lowest seed.
        missing: In words: trials that could not be evaluated, and why.
    """

    models: pd.DataFrame
    baselines: pd.DataFrame
    pictures: dict[str, Pictures]
    missing: list[str]


def _compute(
    task: Task,
    options: argparse.Namespace,
    study: str,
    trials: pd.DataFrame,
    load: Callable[[str], Dataset],
    folder: Path,
    stamp: str,
) -> list[str]:
    lowest = trials["seed"].min()
    draws = list(trials.groupby([*DRAW, "seed"], dropna=False, sort=False))
    progress = _Progress(task.name, len(trials))
    missing: list[str] = []
    for _, rows in draws:
        draw = _draw(rows.iloc[0], load, options, lowest)
        wanted = [row for row in rows.itertuples() if not _is_done(folder / f"{row.trial}.csv", stamp)]
        progress.skip(len(rows) - len(wanted))
        needs_baselines = not _is_done(folder / f"{draw.name}.csv", stamp)
        if not wanted and not needs_baselines:
            continue
        bench = task.open(draw)
        if needs_baselines:
            progress.say(f"baselines of {draw.name.removeprefix('baselines-')}")
            _write(folder / f"{draw.name}.csv", stamp, {**draw.cell, "seed": draw.seed}, *bench.baselines())
        for row in wanted:
            progress.say(row.trial)
            try:
                model = records.load_model(study, row.trial, options.artifacts)
            except InputError as error:
                missing.append(f"{row.trial} was left out: {error}")
                continue
            found, pictures = bench.model(model, row)
            _write(folder / f"{row.trial}.csv", stamp, {"trial": row.trial}, found, pictures if draw.first else {})
            _forget(model)
            progress.done()
    if len(missing) == len(trials):
        raise InputError(f"no model could be loaded. The first: {missing[0]}")
    return missing


def _draw(row: pd.Series, load: Callable[[str], Dataset], options: argparse.Namespace, lowest: int) -> Draw:
    def level(value: Any) -> Any:  # pandas turns None among numbers into NaN
        return None if value is None or value != value else int(value) if isinstance(value, float) else value

    cell = {factor: level(row[factor]) for factor in DRAW}
    data, splits = preprocessing.prepare(cell, int(row["seed"]), load(cell["dataset"]))
    return Draw(cell, int(row["seed"]), data, splits, options.split, options.images, bool(row["seed"] == lowest))


def _forget(model: Any) -> None:
    import keras

    del model
    keras.backend.clear_session()


def _is_done(path: Path, stamp: str) -> bool:
    try:
        with open(path, encoding="utf-8") as file:
            return file.readline().strip() == f"# {stamp}"
    except OSError:
        return False


def _write(path: Path, stamp: str, same: dict[str, Any], rows: Rows, pictures: Pictures) -> None:
    import pandas as pd

    if pictures:
        buffer = io.BytesIO()
        np.savez_compressed(buffer, **{name: to_bytes(images) for name, images in pictures.items()})  # type: ignore[arg-type]
        files.write_atomically(path.with_suffix(".npz"), buffer.getvalue())
    table = pd.DataFrame([{**same, **row} for row in rows])
    files.write_atomically(path, f"# {stamp}\n{table.to_csv(index=False, lineterminator=chr(10))}".encode())


def to_bytes(images: np.ndarray) -> np.ndarray:
    """Images in [0, 1] as uint8; what leaves the range is clipped."""
    return np.round(255 * np.clip(images, 0, 1)).astype(np.uint8)


def _read(trials: pd.DataFrame, folder: Path, stamp: str, missing: list[str]) -> Results:
    import pandas as pd

    names = [name for name in trials["trial"] if _is_done(folder / f"{name}.csv", stamp)]
    models = pd.concat([pd.read_csv(folder / f"{name}.csv", comment="#") for name in names])
    known = ["trial", *records.FACTORS, "seed", "n_parameters"]
    models = trials[known].merge(models, on="trial")
    paths = [path for path in sorted(folder.glob("baselines-*.csv")) if _is_done(path, stamp)]
    baselines = pd.concat([pd.read_csv(path, comment="#").assign(file=path.stem) for path in paths])
    pictures = {path.stem: dict(_arrays(path)) for name in [*names, *baselines["file"].unique()]
                if (path := folder / f"{name}.npz").is_file()}  # fmt: skip
    return Results(models, baselines, pictures, missing)


def _arrays(path: Path) -> Iterator[tuple[str, np.ndarray]]:
    with np.load(path, allow_pickle=False) as stored:
        for name in stored.files:
            yield name, stored[name]


class _Progress:
    """A line on standard error for each trial, with the time left."""

    def __init__(self, task: str, total: int) -> None:
        self._task, self._total, self._skipped, self._done = task, total, 0, 0
        self._began = time.monotonic()

    def skip(self, count: int) -> None:
        self._skipped += count

    def done(self) -> None:
        self._done += 1

    def say(self, what: str) -> None:
        left = ""
        if self._done:
            seconds = (time.monotonic() - self._began) / self._done * (self._total - self._skipped - self._done)
            left = f", about {seconds / 60:.1f} min left"
        place = self._skipped + self._done + 1
        print(f"{self._task}: {min(place, self._total)}/{self._total} {what}{left}", file=sys.stderr, flush=True)
