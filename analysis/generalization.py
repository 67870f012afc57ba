"""Would training samples have done better than test samples? What is memorised, and what the split itself changes.

    python -m analysis.generalization [STUDY] [--tasks reconstruction inpainting] [--beside OTHER]

Training images differ from test images in two ways, and each is measured by itself:

  memorisation  training against held-out images: equal draws from one pool, of which the network saw one. What differs
                is what it learnt by heart.
  split shift   held-out against test images: the network saw neither. What differs is the data set's own split (the
                test images of MNIST, say, are easier than its training images).
  together      training against test images: what the question asks. Their product.

Each as paired ratios by seed with intervals, and as a test of equivalence (TOST, within 2 % of the error or 0.005 of an
area), in the tasks of --tasks. Reconstruction takes all images of a split from the records. The others need trained
models: inpainting, denoising, anomaly detection, generation (does a generated image lie nearer to training images than
to as many held-out ones?), and `membership`: can training images be told from held-out ones by their error? Beside
every network stands a linear map that was fitted on the same training images (PCA, the linear optimum): it too fits
them a little better, without memory for any single one; trained networks of the architecture `linear` are such a
control too, and in no mean over cells. All of it over latent size, training-set size and, with `--beside`, epochs, and
the level where the answer turns.

Results of those other tasks are their own analyses'; what is missing is computed: on the study's first cell, its
longest curve over latent size, and all cells that differ in training-set size alone, unless --cells says otherwise.
"""

from __future__ import annotations

import argparse
import importlib
import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from analysis import citable, command
from analysis.generalization_points import (
    ANOMALY,
    AREAS,
    GENERATION,
    MEMBERSHIP,
    PARTS,
    RECONSTRUCTION,
    RESTORATIONS,
    SPLITS,
    differences,
    generation,
    of_task,
    pca,
    reconstruction,
)
from study import records
from study.errors import InputError, ModelsGone

if TYPE_CHECKING:
    import pandas as pd

    from analysis.applications import Results, Task
    from analysis.generalization_estimates import Estimates
    from study.datasets import Dataset

    Load = Callable[[str], Dataset]

TASKS = (RECONSTRUCTION, MEMBERSHIP, *RESTORATIONS, ANOMALY, GENERATION)
SHOWN = ["task", "dataset", "n_train", "part", "ratio", "ratio_low", "ratio_high", "value", "p", "equivalence_p", "n",
         "cells", "verdict"]  # fmt: skip
NOTE = (
    "memorisation: training ÷ held-out error; split shift: held-out ÷ test; together: training ÷ test. value: the log "
    "of that, or for areas the difference of 1 - AUC; below 0, the first does better. Mean over cells, without "
    "those of the linear control, paired t over n seeds; against test images, for these images. equivalence_p: TOST, "
    "small where the two are the same within 2 % of the error or 0.005 of an area."
)


def trials_of(study: str, artifacts: str) -> pd.DataFrame:
    """The completed trials of a study whose seeds draw their own images, with `study` and `cell`.

    Raises:
        InputError: There is none.
    """
    table = records.load(study, artifacts)
    kept = table[(table["status"] == "completed") & (table["randomness"] == "all")]
    if kept.empty:
        raise InputError(f"no completed trial in '{study}' yet. Run: python -m study.search {study}")
    return kept.assign(study=study, cell=kept["trial"].str.replace(r"-s\d+$", "", regex=True))


def task_cells(trials: pd.DataFrame) -> list[str]:
    """The cells that the tasks are tried on: the first, the longest curve over latent size, all over training sizes."""
    curves = {factor: _curves(trials, factor) for factor in ("latent_dim", "train_size")}
    longest = max(curves["latent_dim"], key=len, default=[])
    chosen = {trials["cell"].iloc[0], *longest, *(cell for curve in curves["train_size"] for cell in curve)}
    return [cell for cell in trials["cell"].unique() if cell in chosen]


def _curves(trials: pd.DataFrame, factor: str) -> list[list[str]]:
    """The cells of each curve: they differ in one factor alone."""
    others = [name for name in records.FACTORS if name != factor]
    groups = [list(part["cell"].unique()) for _, part in trials.groupby(others, dropna=False, sort=False)]
    return [cells for cells in groups if len(cells) > 1]


def results_of(name: str, arguments: argparse.Namespace, study: str, load: Load, cells: str) -> dict[str, Results]:
    """Split → a task's results, what is missing computed; on test images those of the task's own analysis.

    Raises:
        InputError: As `applications.evaluate`.
    """
    from analysis import anomaly, applications

    task = _task(name, records.folder(study, arguments.artifacts) / "tasks" / name)
    evaluate = anomaly.evaluate if name == ANOMALY else partial(applications.evaluate, task)
    found = {}
    for split in SPLITS if name != GENERATION else ("test",):  # its images are the network's own
        images = task.images if split == "test" else arguments.images or task.images
        options = argparse.Namespace(**{**vars(arguments), "split": split, "images": images, "cells": cells})
        found[split] = evaluate(options, study, load)
    return found


def measure(
    arguments: argparse.Namespace, study: str, trials: pd.DataFrame, load: Load
) -> tuple[pd.DataFrame, pd.DataFrame | None, list[str]]:
    """Every task that can be measured.

    Returns:
        Differences (`task`, `trial`, `part`, `value`, `control`); areas of membership, or None; and what is missing, a
            reason that several tasks share said once.

    Raises:
        InputError: Nothing can be compared.
    """
    import pandas as pd

    from analysis import generalization_membership

    own = trials[trials["study"] == study]
    cells = arguments.cells or " ".join(f"{cell}-s[0-9]*" for cell in task_cells(own))
    found: list[pd.DataFrame] = []
    areas = None
    refused: dict[str, list[str]] = {}  # why → the tasks
    told: dict[str, list[str]] = {}
    for name in arguments.tasks:
        try:
            results = {} if name == RECONSTRUCTION else results_of(name, arguments, study, load, cells)
            if name == MEMBERSHIP:
                areas = generalization_membership.areas(results)
                table = generalization_membership.differences(areas)
            else:
                table = _differences(name, results, trials)
        except ModelsGone:
            rebuild = f"Rebuild them: python -m study.search {study} --rebuild '{cells}', then"
            refused.setdefault(f"trained models are needed that are gone. {rebuild}", []).append(name)
            continue
        except InputError as error:
            refused.setdefault(f"{error} Then", []).append(name)
            continue
        found.append(table)
        texts = [*(text for split in results.values() for text in split.missing), *_gaps(table, own)]
        for text in dict.fromkeys(texts):
            told.setdefault(text, []).append(name)
    missing = [
        f"{_listed(tasks)} {'was' if len(tasks) == 1 else 'were'} left out: {why}: {_again(arguments, study)}"
        for why, tasks in refused.items()
    ]
    missing += [f"{_listed(tasks)}: {text}" for text, tasks in told.items()]
    if not any(table["trial"].isin(own["trial"]).any() for table in found):
        raise InputError("; ".join(missing))
    return pd.concat(found, ignore_index=True), areas, missing


def _differences(name: str, results: Mapping[str, Results], trials: pd.DataFrame) -> pd.DataFrame:
    """Of a task: a row a trial and part, those that have a value."""
    if name == GENERATION:
        return generation(results["test"]).dropna(subset="value")
    return differences(reconstruction(trials) if name == RECONSTRUCTION else of_task(name, results))


def _gaps(table: pd.DataFrame, own: pd.DataFrame) -> list[str]:
    """In words, which parts no trial of the study has a number of."""
    there = set(table.loc[table["trial"].isin(own["trial"]), "part"])
    wanted = ["memorisation"] if (table["task"] == GENERATION).any() else list(PARTS)
    lacking = [part for part in wanted if part not in there]
    return [f"nothing can be said of {_listed(lacking)}: no trial has an error on both sides"] if lacking else []


def _again(arguments: argparse.Namespace, study: str) -> str:
    """The command once more: with fewer tasks its tables would lack the others."""
    tasks = [] if list(arguments.tasks) == list(TASKS) else ["--tasks", *arguments.tasks]
    cells = ["--cells", f"'{arguments.cells}'"] if arguments.cells else []
    images = ["--images", str(arguments.images)] if arguments.images else []
    beside = ["--beside", *arguments.beside] if arguments.beside else []
    return " ".join(["python -m analysis.generalization", study, *tasks, *cells, *images, *beside])


def _listed(names: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def _task(name: str, folder: Path) -> Task:
    """The task of an application's module, imported only where it is asked for."""
    module = importlib.import_module(f"analysis.{'generalization_membership' if name == MEMBERSHIP else name}")
    return module.task(folder) if name == GENERATION else module.TASK


def answer(arguments: argparse.Namespace) -> command.Outcome:
    """Measures what is missing, estimates, draws and writes."""
    from analysis import generalization_answer, generalization_estimates, generalization_figures, training_command
    from analysis import generalization_text as text

    study = arguments.study or records.latest(arguments.artifacts)
    manifest = records.manifest(study, arguments.artifacts)
    load = command.loader(manifest, arguments.data_dir, others=True)
    trials = _with_control(_all_trials(study, arguments), load)
    measured, areas, missing = measure(arguments, study, trials, load)
    estimates = generalization_estimates.estimate(measured, trials, study)
    membership = _membership(areas, trials)
    folder = records.folder(study, arguments.artifacts) / "analysis" / "generalization"
    paths = command.write({**estimates.tables(), **membership}, folder)
    paths += generalization_figures.draw_all(estimates, folder)
    first = trials[trials["study"] == study].iloc[0]
    said = [*records.notices(study, arguments.artifacts), *missing]
    said += text.sentences(estimates, membership.get("membership"), study, training_command.again(manifest))
    return command.Outcome(
        study, estimates.overall, said, paths, SHOWN, NOTE, folder,
        _citable(estimates, membership), generalization_answer.answers(estimates, first),
    )  # fmt: skip


def _all_trials(study: str, arguments: argparse.Namespace) -> pd.DataFrame:
    """The study's trials, and those of the others, renamed so that no two share a name."""
    import pandas as pd

    others = [trials_of(name, arguments.artifacts) for name in arguments.beside]
    renamed = [table.assign(trial=table["trial"] + f"@{table['study'].iloc[0]}") for table in others]
    return pd.concat([trials_of(study, arguments.artifacts), *renamed], ignore_index=True)


def _with_control(trials: pd.DataFrame, load: Load) -> pd.DataFrame:
    return trials.merge(pca(trials, load), on="trial")


def _membership(areas: pd.DataFrame | None, trials: pd.DataFrame) -> Mapping[str, pd.DataFrame]:
    from analysis.generalization_membership import over_seeds

    kept = trials[["trial", "dataset", "cell", "latent_dim", "n_train"]]
    return {} if areas is None else {"membership": over_seeds(areas.merge(kept, on="trial"))}


def _citable(estimates: Estimates, membership: Mapping[str, pd.DataFrame]) -> list[pd.DataFrame]:
    """Ratios and differences of all cells together and of each, the turning levels, and the areas of membership."""
    key = ["task", "part", "dataset", "train_size", "classes"]
    found = []
    for name, table, ids, prefix in (
        ("overall", estimates.overall, key, ""),
        ("cells", estimates.cells, key[:2], "cell"),
    ):
        ids = [*ids, "cell"] if prefix else ids
        logs, areas = (table[table["task"].isin(AREAS) == flag] for flag in (False, True))
        of = "{cell}" if prefix else "{dataset}, {n_train} training images, {cells} cells"
        found.append(
            citable.statistics(
                logs, name, key=ids, what=f"{{part}}, {{task}}: ratio of errors; {of}", value="ratio", low="ratio_low",
                high="ratio_high", p="p", prefix=prefix,
            )
        )  # fmt: skip
        found.append(
            citable.statistics(
                areas, name, key=ids, what=f"{{part}}, {{task}}: difference of 1 - AUC; {of}", value="value", p="p",
                prefix=prefix,
            )
        )  # fmt: skip
    if len(estimates.flips):
        what = "{task}, {curve}: level of {axis} where training images stop doing better: {words}"
        key = ["dataset", "task", "axis", "curve"]
        found.append(citable.statistics(estimates.flips, "flips", key=key, what=what, value="value", prefix="turn"))
    for name, table in membership.items():
        what = "{part}, {cell}: AUC of telling the two kinds of images apart by their error"
        found.append(citable.statistics(table, name, key=["part", "cell"], what=what, value="auc", prefix="membership"))
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """The command."""
    parser = command.parser("generalization", __doc__)
    parser.add_argument(
        "--tasks", nargs="+", choices=TASKS, default=list(TASKS), metavar="TASK",
        help=f"of {', '.join(TASKS)} (default: all); {RECONSTRUCTION} alone needs no model and takes seconds",
    )  # fmt: skip
    parser.add_argument(
        "--cells", metavar="PATTERN", help="the tasks only for trials whose name matches, such as '*-k8-*'; several "
        "patterns in one word, with spaces"
    )  # fmt: skip
    parser.add_argument(
        "--images", type=int, metavar="N", help="training and held-out images a trial in the tasks (default: as many "
        "as the task's own analysis takes)"
    )  # fmt: skip
    parser.add_argument(
        "--workers", type=int, default=os.cpu_count() or 1, metavar="N", help="processes for the tasks, each with one "
        "thread (default: the machine's cores)"
    )  # fmt: skip
    parser.add_argument(
        "--beside", nargs="+", default=[], metavar="STUDY", help="studies of the same cells with other numbers of "
        "epochs, for the curve over epochs"
    )  # fmt: skip
    return command.run(parser, answer, argv)


if __name__ == "__main__":
    raise SystemExit(main())
