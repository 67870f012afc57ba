"""Applies the trained autoencoders of a study to a task: what the four applications share.

Each trial leaves one result file a task and split, `tasks/<task>/<split>/<trial>.csv`, written atomically; a rerun
computes only what is missing. Baselines that need no autoencoder are computed once for each draw of images, that is for
all trials of one seed on the same data, into a file beside them. The inputs follow from the images' indices, so that
every model and every baseline is given the same. Trials are shared out among processes of one thread each.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from analysis import task_work
from analysis.command import INTERIM
from analysis.draws import Draw
from analysis.task_files import PER_IMAGE, Pictures, to_bytes
from analysis.task_work import baselines_name
from study import records
from study.errors import InputError, ModelsGone

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    import pandas as pd

    from analysis.task_work import Work
    from study.datasets import Dataset

__all__ = [
    "Bench",
    "Found",
    "Pictures",
    "Results",
    "Rows",
    "Task",
    "add_options",
    "baselines_name",
    "baselines_of",
    "cells_of",
    "evaluate",
    "to_bytes",
    "unfinished",
]  # fmt: skip
SPLITS = ("test", "val", "train", "heldout")
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
        missing: In words: trials that could not be evaluated, and why.
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
        ModelsGone: None of the models can be loaded; or trials that have numbers would drop out of the tables.
        InputError: No completed trial matches.
    """
    for option, least in (("images", 2), ("workers", 1)):
        if (value := getattr(options, option, least)) < least:
            raise InputError(f"--{option} {value}: allowed is {least} or more.")
    work = task_work.plan(task, options, study, tuple(against))
    pending, missing = task_work.outstanding(work)
    if half := [trial for trial in missing if work.store.has_table(trial)]:
        raise ModelsGone(
            f"{task.name}: of {len(half)} trials there are numbers, but neither their values an image nor their models "
            f"(the first: {half[0]}): going on would replace tables by others of fewer seeds. Rebuild the models: "
            f"python -m study.search {study} --rebuild '*'"
        )
    task_work.share_out(work, pending, getattr(options, "workers", 1))
    missing |= task_work.compute(work, {name for name in pending if not work.store.is_done(name)}, load)
    results = _read(work, task_work.left_out(missing))
    if results.models.empty:
        raise ModelsGone(f"no model could be loaded. {results.missing[0]}")
    return results


def unfinished(study: str, artifacts: str | Path) -> Iterator[str]:
    """What a study plans and has no model of, in words: trials not yet run, trials that failed."""
    table, manifest = records.load(study, artifacts), records.manifest(study, artifacts)
    planned = len(manifest["cells"]) * manifest["space"]["training"]["seeds"]
    if len(table) < planned:
        yield (
            f"PARTIAL: {planned - len(table)} of the {planned} trials of this study have not been run. "
            f"{INTERIM} Go on with: python -m study.search {study}"
        )
    failed = table[table["status"] != "completed"]
    if len(failed):
        some = ", ".join(failed["trial"][:3]) + (" …" if len(failed) > 3 else "")
        yield f"{len(failed)} of {len(table)} trials failed in training and have no model here: {some}."


def cells_of(trials: pd.Series) -> pd.Series:
    """The cells of trials: their names without the seed."""
    return trials.str.replace(r"-s\d+$", "", regex=True)


def baselines_of(models: pd.DataFrame) -> dict[str, str]:
    """Trial → the file of the baselines that were given the same images."""
    return {str(trial): baselines_name(rows) for trial, rows in models.groupby("trial", sort=False)}


def _read(work: Work, missing: list[str]) -> Results:
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
    return Results(models, baselines, pictures, missing, lambda name: store.arrays(name, PER_IMAGE))
