"""What an application has to compute of a study: draw by draw, model by model, in one process or several."""

from __future__ import annotations

import argparse
import fnmatch
import hashlib
import json
import re
import sys
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis import command, side_by_side
from analysis.draws import DRAW, Draw, draw_of
from analysis.task_files import Store
from study import records
from study.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from analysis.applications import Found, Task
    from study.datasets import Dataset

TRIALS_A_WORKER = 4  # with fewer left, starting another process costs more than it saves
_KEYS = [*DRAW, "seed"]


@dataclass(frozen=True)
class Work:
    """What is to be computed; picklable, so that other processes can do a part of it.

    Attributes:
        trials: The completed ones that were asked for.
        everything: All completed ones: they decide which seed is the lowest, and PCA's sizes.
        sizes, is_lowest: Of the trials of a draw: the latent sizes, and whether theirs is the lowest seed.
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
        """Where the results lie, with the stamps that they must carry."""
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


def plan(task: Task, options: argparse.Namespace, study: str, against: tuple[str, ...]) -> Work:
    """What the options ask for.

    Raises:
        InputError: No completed trial matches.
    """
    trials = records.load(study, options.artifacts)
    trials = trials[trials["randomness"] == "all"]  # the others share their splits: replicates of another kind
    completed = trials[trials["status"] == "completed"]
    patterns = options.cells.split()
    chosen = completed[[any(fnmatch.fnmatch(name, one) for one in patterns) for name in completed["trial"]]]
    if chosen.empty:
        raise InputError(
            f"no completed trial of '{study}' matches --cells '{options.cells}' ({len(trials)} trials, "
            f"{len(completed)} completed). {command.instead(list(completed['trial']), study)}"
        )
    return Work(task, study, options, against, chosen, completed, records.manifest(study, options.artifacts))


def outstanding(work: Work) -> tuple[list[str], dict[str, str]]:
    """The names still to be computed; and the trials that cannot be, for their model is gone: trial → why.

    A draw's baselines are wanted only beside a result: computing them takes minutes.
    """
    todo: list[str] = []
    missing: dict[str, str] = {}
    for baselines, rows in work.groups:
        left = [trial for trial in rows["trial"] if not work.store.is_done(trial)]
        there = []
        for trial in left:
            try:
                records.model_file(work.study, trial, work.options.artifacts)
                there.append(trial)
            except InputError as error:
                missing[trial] = str(error)
        if (there or len(left) < len(rows)) and not work.store.is_done(baselines):
            todo.append(baselines)
        todo += there
    return todo, missing


def share_out(work: Work, pending: list[str], workers: int) -> None:
    """Has processes compute what is pending, as far as they can; what they leave is done by this one."""
    count = min(workers, len(pending) // TRIALS_A_WORKER)
    if count < 2:
        return
    progress = _Progress(work.task.name, len(pending))
    shares = [(work, pending[number::count]) for number in range(count)]
    ended = side_by_side.run(do_share, shares, lambda: progress.show(sum(map(work.store.is_done, pending))))
    if ended:
        print(f"{work.task.name}: a worker ended with {ended[0]}; going on in this process", file=sys.stderr)


def do_share(work: Work, names: list[str]) -> None:
    """What a worker does: the names given. What is wrong with the input is said by its parent, which finds it too."""
    load = command.loader(work.manifest, getattr(work.options, "data_dir", None), others=True)
    try:
        compute(work, set(names), load, quiet=True)
    except InputError:
        raise SystemExit(0) from None


def compute(work: Work, names: Collection[str], load: Callable[[str], Dataset], quiet: bool = False) -> dict[str, str]:
    """Computes the results of these names; of the trials that it could not: trial → why."""
    progress = _Progress(work.task.name, len(names), quiet)
    missing: dict[str, str] = {}
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
                missing[row.trial] = str(error)
                continue
            _write(work, row.trial, {"trial": row.trial}, bench.model(model, row), draw.first)
            _forget()
            progress.add()
    return missing


def left_out(why: Mapping[str, str]) -> list[str]:
    """In words, which trials were left out, and why: a model or examples are gone; of more than three, the first."""
    if len(why) <= 3:
        return [f"{trial} was left out: {reason}" for trial, reason in why.items()]
    trial, reason = next(iter(why.items()))
    return [f"{len(why)} trials were left out. The first, {trial}: {reason} (all that are gone: --rebuild '*')"]


def _draw(work: Work, rows: pd.DataFrame, load: Callable[[str], Dataset]) -> Draw:
    return draw_of(
        rows,
        load,
        work.is_lowest(rows),
        split=work.options.split,
        wanted=work.options.images,
        sizes=work.sizes(rows),
        against=work.against,
        named=getattr(work.options, "against", None) is not None,
    )


def _write(work: Work, name: str, same: dict[str, Any], found: Found, shown: bool) -> None:
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
