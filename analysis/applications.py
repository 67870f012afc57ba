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
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from analysis.draws import DRAW, Draw, draw_of
from study import files, records
from study.errors import InputError

if TYPE_CHECKING:
    import argparse

    import pandas as pd

    from study.datasets import Dataset

SPLITS = ("test", "val", "train", "heldout")
Rows = list[dict[str, Any]]
Pictures = dict[str, np.ndarray]


class Found(NamedTuple):
    """What a model or a baseline did: its rows, pictures of `EXAMPLES` images, and values an image, a cache."""

    rows: Rows
    pictures: Pictures
    per_image: Mapping[str, np.ndarray] = MappingProxyType({})


@dataclass(frozen=True)
class Bench:
    """A task on one draw: its inputs are made once, then every model is given them.

    Attributes:
        baselines: () → what the methods did that need no autoencoder.
        model: (model, trial's row) → what an autoencoder did.
    """

    baselines: Callable[[], Found]
    model: Callable[[Any, Any], Found]


@dataclass(frozen=True)
class Task:
    """One application.

    Attributes:
        name: Its module's name, and its folder's.
        version: Raised when its numbers change: results of another version are computed anew.
        images: How many images are evaluated, unless the user says otherwise.
        open: Draw → Bench.
        per_image: Whether values an image are kept: where they are gone, they are computed anew.
    """

    name: str
    version: int
    images: int
    open: Callable[[Draw], Bench]
    per_image: bool = False


def add_options(parser: argparse.ArgumentParser, task: Task) -> None:
    """The options that all four applications take."""
    parser.add_argument(
        "--cells", default="*", metavar="PATTERN", help="only trials whose name matches, such as *-k8-*"
    )
    parser.add_argument("--split", choices=SPLITS, default="test", help="whose images (default: test)")
    parser.add_argument(
        "--images", type=int, default=task.images, metavar="N", help=f"images a trial (default: {task.images})"
    )


def evaluate(
    task: Task, options: argparse.Namespace, study: str, load: Callable[[str], Dataset], against: Sequence[str] = ()
) -> Results:
    """Computes what is missing and returns all results.

    Args:
        task: The application.
        options: What `add_options` added, with `artifacts`.
        study: Its name.
        load: Gives a data set by its name.
        against: Names of other data sets, where the task holds them up.

    Raises:
        InputError: No completed trial matches; or none of the models can be loaded.
    """
    trials = records.load(study, options.artifacts)
    trials = trials[trials["randomness"] == "all"]  # the others share their splits: replicates of another kind
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
    store = _Store(task, folder, "-".join([f"v{task.version}", f"n{options.images}", *against]))
    missing = _compute(task, options, study, completed, load, store, tuple(against))
    return _read(completed, store, missing)


@dataclass(frozen=True)
class Results:
    """What was computed.

    Attributes:
        models: A row a trial and condition: the trial's factors, `seed`, `trial`, and what the task says.
        baselines: A row a draw, method and condition: the factors of `DRAW`, `seed`, `method`, and what the task says.
        pictures: Trial, or baseline file's name → condition → (`EXAMPLES`, H, W, C) uint8; of the lowest seed.
        missing: In words: trials that could not be evaluated, and why.
        per_image: Trial, or baseline file's name → its values an image.
    """

    models: pd.DataFrame
    baselines: pd.DataFrame
    pictures: dict[str, Pictures]
    missing: list[str]
    per_image: Callable[[str], Pictures]


def _compute(
    task: Task,
    options: argparse.Namespace,
    study: str,
    trials: pd.DataFrame,
    load: Callable[[str], Dataset],
    store: _Store,
    against: tuple[str, ...],
) -> list[str]:
    lowest = trials["seed"].min()
    progress = _Progress(task.name, len(trials))
    missing: list[str] = []
    for _, rows in trials.groupby([*DRAW, "seed"], dropna=False, sort=False):
        wanted = [row for row in rows.itertuples() if not store.is_done(str(row.trial))]
        progress.skip(len(rows) - len(wanted))
        name = baselines_name(rows)
        needs_baselines = not store.is_done(name)
        if not wanted and not needs_baselines:
            continue
        first = bool(rows["seed"].iloc[0] == lowest)
        draw = draw_of(rows, load, first, split=options.split, wanted=options.images, against=against)
        bench = task.open(draw)
        if needs_baselines:
            progress.say(name)
            store.write(name, {**draw.cell, "seed": draw.seed}, bench.baselines(), first)
        for row in wanted:
            progress.say(str(row.trial))
            try:
                model = records.load_model(study, row.trial, options.artifacts)
            except InputError as error:
                missing.append(f"{row.trial} was left out: {error}")
                continue
            store.write(str(row.trial), {"trial": row.trial}, bench.model(model, row), first)
            _forget(model)
            progress.done()
    if len(missing) == len(trials):
        raise InputError(f"no model could be loaded. The first: {missing[0]}")
    return missing


def _forget(model: Any) -> None:
    import keras

    del model
    keras.backend.clear_session()


class _Store:
    """The files of one task and split: NAME.csv with its stamp, NAME.npz with pictures, NAME.images.npz, a cache."""

    def __init__(self, task: Task, folder: Path, stamp: str) -> None:
        self._task, self._folder, self._stamp = task, folder, f"# {stamp}"

    def is_done(self, name: str) -> bool:
        """Whether results of this version are there, with the values an image where the task keeps them."""
        if self._task.per_image and not self._path(name, ".images.npz").is_file():
            return False
        try:
            with open(self._path(name, ".csv"), encoding="utf-8") as file:
                return file.readline().strip() == self._stamp
        except OSError:
            return False

    def write(self, name: str, same: dict[str, Any], found: Found, shown: bool) -> None:
        """The table last: once it is there, all is."""
        import pandas as pd

        if shown and found.pictures:
            self._save(name, ".npz", {key: to_bytes(images) for key, images in found.pictures.items()})
        if self._task.per_image:
            self._save(name, ".images.npz", found.per_image)
        table = pd.DataFrame([{**same, **row} for row in found.rows]).to_csv(index=False, lineterminator="\n")
        files.write_atomically(self._path(name, ".csv"), f"{self._stamp}\n{table}".encode())

    def table(self, name: str) -> pd.DataFrame:
        """The rows."""
        import pandas as pd

        return pd.read_csv(self._path(name, ".csv"), comment="#")

    def arrays(self, name: str, kind: str = ".npz") -> Pictures:
        """The pictures, or with ".images.npz" the values an image; empty where there are none."""
        path = self._path(name, kind)
        if not path.is_file():
            return {}
        with np.load(path, allow_pickle=False) as stored:
            return {key: stored[key] for key in stored.files}

    def baselines(self) -> list[str]:
        """Names of the baselines' files that are done."""
        names = [path.stem for path in sorted(self._folder.glob("baselines-*.csv"))]
        return [name for name in names if self.is_done(name)]

    def _path(self, name: str, kind: str) -> Path:
        return self._folder / f"{name}{kind}"

    def _save(self, name: str, kind: str, arrays: Mapping[str, np.ndarray]) -> None:
        buffer = io.BytesIO()
        np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]
        files.write_atomically(self._path(name, kind), buffer.getvalue())


def baselines_name(trials: pd.DataFrame) -> str:
    """A file name for the baselines of trials of one seed on the same data, their latent sizes in it."""
    row = trials.iloc[0]
    levels = {factor: row[factor] for factor in DRAW}
    known = {f: v for f, v in levels.items() if v is not None and v == v and v != "unit"}
    parts = [f"{factor}-{int(level) if isinstance(level, float) else level}" for factor, level in known.items()]
    return re.sub(r"[^A-Za-z0-9_.-]", "_", "-".join(["baselines", *parts, f"s{int(row['seed']):02d}"]))


def to_bytes(images: np.ndarray) -> np.ndarray:
    """Images in [0, 1] as uint8; what leaves the range is clipped."""
    return np.round(255 * np.clip(images, 0, 1)).astype(np.uint8)


def _read(trials: pd.DataFrame, store: _Store, missing: list[str]) -> Results:
    import pandas as pd

    names = [name for name in trials["trial"] if store.is_done(name)]
    models = pd.concat([store.table(name) for name in names])
    models = trials[["trial", *records.FACTORS, "seed", "n_parameters"]].merge(models, on="trial")
    kept = store.baselines()
    baselines = pd.concat([store.table(name).assign(file=name) for name in kept])
    pictures = {name: arrays for name in [*names, *kept] if (arrays := store.arrays(name))}
    return Results(models, baselines, pictures, missing, lambda name: store.arrays(name, ".images.npz"))


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
