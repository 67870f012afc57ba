"""Applies the trained autoencoders of a study to a task: what the four applications share.

Each trial leaves one result file a task and split, `tasks/<task>/<split>/<trial>.csv`, written atomically; a rerun
computes only what is missing. Baselines that need no autoencoder are computed once for each draw of images, that is for
all trials of one seed on the same data, into a file beside them. The inputs follow from the images' indices, so that
every model and every baseline is given the same. Trials are shared out among processes of one thread each.
"""

from __future__ import annotations

import argparse
import fnmatch
import hashlib
import json
import os
import re
import sys
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from analysis import command, side_by_side
from analysis.draws import DRAW, Draw, draw_of
from analysis.task_files import Pictures, Store, to_bytes
from study import records
from study.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from study.datasets import Dataset

__all__ = [
    "Bench", "Found", "Pictures", "Results", "Rows", "Task", "add_options", "baselines_name", "cells_of", "evaluate",
    "to_bytes",
]  # fmt: skip
SPLITS = ("test", "val", "train", "heldout")
TRIALS_A_WORKER = 4  # with fewer left, starting another process costs more than it saves
Rows = list[dict[str, Any]]


class Found(NamedTuple):
    """What a model or a baseline did: its rows, pictures of `EXAMPLES` images, and values an image, a cache."""

    rows: Rows
    pictures: Pictures
    per_image: Mapping[str, np.ndarray] = MappingProxyType({})


@dataclass(frozen=True)
class Bench:
    """A task on one draw: every model is given the same inputs, which follow from the images' indices.

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
        open: Draw → Bench; a function of a module, since other processes import it.
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
        "--cells", default="*", metavar="PATTERN", help="only trials whose name matches, such as '*-k8-*' or 'a* b*'"
    )
    parser.add_argument("--split", choices=SPLITS, default="test", help="whose images (default: test)")
    parser.add_argument(
        "--images", type=int, default=task.images, metavar="N", help=f"images a trial (default: {task.images})"
    )
    parser.add_argument(
        "--workers",
        type=int,
        default=os.cpu_count() or 1,
        metavar="N",
        help="processes, each with one thread (default: the machine's cores)",
    )


@dataclass(frozen=True)
class Results:
    """What was computed.

    Attributes:
        models: A row a trial and condition: the trial's factors, `seed`, `trial`, and what the task says.
        baselines: A row a draw, method and condition: the factors of `DRAW`, `seed`, `method`, and what the task says.
        pictures: Trial, or baseline file's name → condition → (`EXAMPLES`, H, W, C) uint8; of the lowest seed.
        missing: In words: what the study plans but has not trained, what failed, and trials that could not be
            evaluated, with the reasons.
        per_image: Trial, or baseline file's name → its values an image.
    """

    models: pd.DataFrame
    baselines: pd.DataFrame
    pictures: dict[str, Pictures]
    missing: list[str]
    per_image: Callable[[str], Pictures]


def evaluate(
    task: Task, options: argparse.Namespace, study: str, load: Callable[[str], Dataset], against: Sequence[str] = ()
) -> Results:
    """Computes what is missing and returns all results.

    Args:
        task: The application.
        options: What `add_options` added, with `artifacts`, and `data_dir` where there are workers.
        study: Its name.
        load: Gives a data set by its name.
        against: Names of other data sets, where the task holds them up.

    Raises:
        InputError: No completed trial matches; or none of the models can be loaded.
    """
    for option, least in (("images", 2), ("workers", 1)):
        if (value := getattr(options, option, least)) < least:
            raise InputError(f"--{option} {value}: allowed is {least} or more.")
    work = _work(task, options, study, tuple(against))
    pending = [name for name in work.names if not work.store.is_done(name)]
    if pending:
        _share_out(work, pending, getattr(options, "workers", 1))
    missing = _compute(work, {name for name in pending if not work.store.is_done(name)}, load)
    results = _read(work, [*_unfinished(work), *missing])
    if results.models.empty:
        raise InputError(f"no model could be loaded. The first: {missing[0]}")
    return results


def cells_of(trials: pd.Series) -> pd.Series:
    """The cells of trials: their names without the seed."""
    return trials.str.replace(r"-s\d+$", "", regex=True)


@dataclass(frozen=True)
class _Work:
    """What is to be computed; picklable, so that other processes can do a part of it.

    Attributes:
        trials: The completed ones that were asked for.
        everything: All completed ones: they decide which seed is the lowest, and PCA's sizes.
        sizes, lowest: By `_draw_key` without the seed: the latent sizes of a draw's trials, and its lowest seed.
    """

    task: Task
    study: str
    options: argparse.Namespace
    against: tuple[str, ...]
    trials: pd.DataFrame
    everything: pd.DataFrame
    manifest: dict[str, Any]

    @property
    def groups(self) -> Iterator[tuple[str, pd.DataFrame]]:
        """Name of the baselines' file and trials, of each draw."""
        return ((baselines_name(rows), rows) for _, rows in self.trials.groupby(_KEYS, dropna=False, sort=False))

    @cached_property
    def names(self) -> list[str]:
        """Of all files: each draw's baselines, then its trials."""
        return [name for baselines, rows in self.groups for name in (baselines, *rows["trial"])]

    @cached_property
    def store(self) -> Store:
        stamp = "-".join([f"v{self.task.version}", f"n{self.options.images}", *self.against])
        stamps = {}
        for baselines, rows in self.groups:
            hashes = json.dumps(self.manifest["data"][rows["dataset"].iloc[0]]["hashes"], sort_keys=True)
            sizes = "_".join(map(str, self.sizes(rows)))
            stamps[baselines] = f"{stamp}-k{sizes}-{hashlib.sha256(hashes.encode()).hexdigest()[:12]}"
            stamps |= {trial: f"{stamp}-{self._identity(trial)}" for trial in rows["trial"]}
        place = records.folder(self.study, self.options.artifacts) / "tasks" / self.task.name / self.options.split
        return Store(place, stamps, self.task.per_image)

    def sizes(self, rows: pd.DataFrame) -> tuple[int, ...]:
        """The latent sizes of all trials of the study on the same data."""
        return tuple(sorted({int(size) for size in self._alike(rows)["latent_dim"]}))

    def is_lowest(self, rows: pd.DataFrame) -> bool:
        """Whether these trials are of the lowest seed on their data."""
        return bool(rows["seed"].iloc[0] == self._alike(rows)["seed"].min())

    def _alike(self, rows: pd.DataFrame) -> pd.DataFrame:
        """All completed trials on the same data."""
        same = [self.everything[f].map(str) == str(rows[f].iloc[0]) for f in DRAW]
        return self.everything[[all(column) for column in zip(*same, strict=True)]]

    def _identity(self, trial: str) -> str:
        """The beginning of the hash of all that determines a trial."""
        path = records.folder(self.study, self.options.artifacts) / "trials" / trial / "record.json"
        return str(json.loads(Path(path).read_text(encoding="utf-8"))["hash"])[:12]


_KEYS = [*DRAW, "seed"]


def _work(task: Task, options: argparse.Namespace, study: str, against: tuple[str, ...]) -> _Work:
    trials = records.load(study, options.artifacts)
    trials = trials[trials["randomness"] == "all"]  # the others share their splits: replicates of another kind
    completed = trials[trials["status"] == "completed"]
    patterns = options.cells.split()
    chosen = completed[[any(fnmatch.fnmatch(name, one) for one in patterns) for name in completed["trial"]]]
    if chosen.empty:
        raise InputError(
            f"no completed trial of '{study}' matches --cells '{options.cells}' ({len(trials)} trials, "
            f"{len(completed)} completed). Run: python -m study.search {study} --status"
        )
    return _Work(task, study, options, against, chosen, completed, records.manifest(study, options.artifacts))


def _share_out(work: _Work, pending: list[str], workers: int) -> None:
    """Has processes compute what is pending, as far as they can; what they leave is done by this one."""
    count = min(workers, len(pending) // TRIALS_A_WORKER)
    if count < 2:
        return
    progress = _Progress(work.task.name, len(pending))
    shares = [(work, pending[number::count]) for number in range(count)]
    ended = side_by_side.run(_do_share, shares, lambda: progress.show(sum(map(work.store.is_done, pending))))
    if ended:
        print(f"{work.task.name}: a worker ended with {ended[0]}; going on in this process", file=sys.stderr)


def _do_share(work: _Work, names: list[str]) -> None:
    """What a worker does: the names given. What is wrong with the input is said by its parent, which finds it too."""
    load = command.loader(work.manifest, work.options.data_dir, others=True)
    try:
        _compute(work, set(names), load, quiet=True)
    except InputError:
        raise SystemExit(0) from None


def _compute(work: _Work, names: Collection[str], load: Callable[[str], Dataset], quiet: bool = False) -> list[str]:
    """Computes the results of these names; in words, what could not be."""
    progress = _Progress(work.task.name, len(names), quiet)
    missing: list[str] = []
    for baselines, rows in work.groups:
        wanted = [row for row in rows.itertuples() if row.trial in names]
        if not wanted and baselines not in names:
            continue
        draw = _draw(work, rows, load)
        bench = work.task.open(draw)
        if baselines in names:
            found = bench.baselines()
            _write(work, baselines, {**draw.cell, "seed": draw.seed}, found, draw.first)
            progress.add()
        for row in wanted:
            try:
                model = records.load_model(work.study, row.trial, work.options.artifacts)
            except InputError as error:
                missing.append(f"{row.trial} was left out: {error}")
                continue
            _write(work, row.trial, {"trial": row.trial}, bench.model(model, row), draw.first)
            _forget()
            progress.add()
    return missing


def _draw(work: _Work, rows: pd.DataFrame, load: Callable[[str], Dataset]) -> Draw:
    return draw_of(
        rows,
        load,
        work.is_lowest(rows),
        split=work.options.split,
        wanted=work.options.images,
        sizes=work.sizes(rows),
        against=work.against,
    )


def _write(work: _Work, name: str, same: dict[str, Any], found: Found, shown: bool) -> None:
    rows = [{**same, **row} for row in found.rows]
    work.store.write(name, rows, found.pictures if shown else {}, found.per_image)


def _forget() -> None:
    import keras

    keras.backend.clear_session()


def baselines_name(trials: pd.DataFrame) -> str:
    """A file name for the baselines of trials of one seed on the same data."""
    row = trials.iloc[0]
    levels = {factor: row[factor] for factor in DRAW}
    known = {f: v for f, v in levels.items() if v is not None and v == v and v != "unit"}
    parts = [f"{factor}-{int(level) if isinstance(level, float) else level}" for factor, level in known.items()]
    return re.sub(r"[^A-Za-z0-9_.-]", "_", "-".join(["baselines", *parts, f"s{int(row['seed']):02d}"]))


def _unfinished(work: _Work) -> Iterator[str]:
    """What the study plans and these results do not hold, in words."""
    table = records.load(work.study, work.options.artifacts)
    training = work.manifest["space"]["training"]
    planned = len(work.manifest["cells"]) * training["seeds"]
    if len(table) < planned:
        yield (
            f"PARTIAL: {planned - len(table)} of the {planned} trials of this study have not been run. "
            f"Go on with: python -m study.search {work.study}"
        )
    failed = table[table["status"] != "completed"]
    if len(failed):
        some = ", ".join(failed["trial"][:3]) + (" …" if len(failed) > 3 else "")
        yield f"{len(failed)} of {len(table)} trials failed in training and have no model here: {some}"


def _read(work: _Work, missing: list[str]) -> Results:
    import pandas as pd

    store, trials = work.store, work.trials
    names = [name for name in trials["trial"] if store.is_done(name)]
    kept = [name for name, _ in work.groups if store.is_done(name)]
    if not names:
        return Results(trials.iloc[:0], trials.iloc[:0], {}, missing, lambda name: {})
    models = pd.concat([store.table(name) for name in names])
    models = trials[["trial", *records.FACTORS, "seed", "n_parameters"]].merge(models, on="trial")
    baselines = pd.concat([store.table(name).assign(file=name) for name in kept])
    pictures = {name: arrays for name in [*names, *kept] if (arrays := store.arrays(name))}
    return Results(models, baselines, pictures, missing, lambda name: store.arrays(name, ".images.npz"))


class _Progress:
    """A line on standard error whenever more is done, with the time left."""

    def __init__(self, task: str, total: int, quiet: bool = False) -> None:
        self._task, self._total, self._shown, self._quiet = task, total, 0, quiet
        self._began = time.monotonic()

    def add(self) -> None:
        """Says that one more is done."""
        self.show(self._shown + 1)

    def show(self, done: int) -> None:
        """Says how many are done, if that has changed."""
        if done == self._shown:
            return
        self._shown = done
        if self._quiet:
            return
        seconds = (time.monotonic() - self._began) / done * (self._total - done)
        left = f", about {seconds / 60:.1f} min left" if done < self._total else ""
        print(f"{self._task}: {done}/{self._total}{left}", file=sys.stderr, flush=True)
