"""A search proper, `study.search SPACE --tuner hyperband|bayesian`: cells are proposed from the results so far.

Keras Tuner's own oracles propose; the study's chief and workers train. Proposals come in rounds, each from the results
of the rounds before it alone, so they do not depend on which worker was faster; after an interruption the oracle is
asked again from the start and finds its answers in the records. What is minimised is `val_mse`, averaged over seeds.

Hyperband's resource is the number of training images, not epochs: a factor like any other, so that each rung is a cell
of its own, trained from scratch (Li et al. 2018, JMLR 18, section 2, name both resources).

The best of many looks better than it is. So the best found and the best of the space's own factorial, if that has been
run, are trained once more on seeds that neither has seen, and only that comparison is printed as a result.
"""

import dataclasses
import math
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from study import manifest as manifests
from study import plan, proposals, records
from study.errors import InputError
from study.job import Job
from study.space import Cell, Space, cell_name, trial_name

BUDGET = 24  # cells to try
SEEDS, FIRST_SEED = 3, 300  # seeds that choose
CHECK_SEEDS, FIRST_CHECK_SEED = 10, 400  # seeds that judge


def run(options: Any, train: Callable[[Job], int]) -> int:
    """Explores a space and prints what was found.

    Args:
        options: Those of `study.search`, with `tuner` and `budget`.
        train: Runs a job with progress; 0, or the exit code of what ended it early.

    Returns:
        The exit code.

    Raises:
        InputError: The space declares nothing to explore.
    """
    space, study = _explorable(plan.space(options)), study_name(options)
    print(f"study {study}: at most {options.budget} cells × {SEEDS} seeds, proposed by {options.tuner}")
    scores: dict[str, float | None] = {}
    cells: dict[str, Cell] = {}
    explored = _with_seeds(space, _earlier_blocks(study, options), SEEDS, FIRST_SEED)
    with tempfile.TemporaryDirectory() as folder:
        oracle = proposals.oracle(options.tuner, space, options.budget, folder)
        for number, trials in enumerate(proposals.rounds(oracle, options.budget), start=1):
            proposed = {t.trial_id: proposals.cell(space, t.hyperparameters.values, options.data_dir) for t in trials}
            fresh = {cell_name(cell): cell for cell in proposed.values()}
            blocks = {f"round {number}, {name}": _block(space, cell) for name, cell in fresh.items()}
            explored = dataclasses.replace(explored, blocks={**explored.blocks, **blocks})
            job = plan.job_of(explored, study, options)
            plan.make_folder(job)
            print(f"round {number}: {len(fresh)} cells, {len(job.tasks())} trials to run", flush=True)
            if job.tasks() and (stopped := train(job)):
                return stopped
            cells |= fresh
            scores |= {name: _score(job, cell) for name, cell in fresh.items()}
            proposals.tell(oracle, {trial: scores[cell_name(cell)] for trial, cell in proposed.items()}, trials)
    records.write_tables(study, options.artifacts)
    best = _best(space, cells, scores)
    return _check(space, study, best, options, train) if best is not None else 1


def study_name(options: Any) -> str:
    """What the study of a search proper is called."""
    return options.name or f"{Path(options.space).stem}_{options.tuner}"


def most_trials(budget: int) -> int:
    """Trials of `budget` cells, and of the second evaluation."""
    return budget * SEEDS + 2 * CHECK_SEEDS


def _earlier_blocks(study: str, options: Any) -> dict[str, dict]:
    """The rounds that an interrupted run had proposed: it is gone through again, but nothing is taken back."""
    try:
        return manifests.space_of(records.manifest(study, options.artifacts)).blocks
    except InputError:  # there is none, or one that cannot be read and is written anew
        return {}


def _explorable(space: Space) -> Space:
    """The same space, or an error if it declares nothing to explore."""
    if not space.search:
        raise InputError(
            f"the search space '{space.name}' declares nothing to explore. Add SEARCH = dict(latent_dim=(1, 32), "
            "learning_rate=(3e-4, 1e-2), architecture=[...]): pairs are ranges, lists are choices."
        )
    return space


def _with_seeds(space: Space, blocks: dict[str, dict], seeds: int, first_seed: int) -> Space:
    """The space with other blocks and seeds, and no families: its contrasts are of other cells."""
    training = {**space.training, "seeds": seeds, "first_seed": first_seed}
    return dataclasses.replace(space, blocks=blocks, families={}, training=training)


def _best(space: Space, cells: dict[str, Cell], scores: dict[str, float | None]) -> Cell | None:
    """The cell with the lowest score among those trained on the full training set; prints it."""
    full = {name: score for name, score in scores.items() if score is not None and _is_full(cells[name], space)}
    if not full:
        print("no cell was trained on the full training set without failing: nothing was found")
        return None
    best = min(full, key=lambda name: full[name])
    print(f"best found: {best}, val_mse {full[best]:.5f} over {SEEDS} seeds; the best of {len(scores)}, so flattering")
    return cells[best]


def _is_full(cell: Cell, space: Space) -> bool:
    return cell["train_size"] == space.baseline["train_size"]


def _block(space: Space, cell: Cell) -> dict[str, list]:
    """A block of one cell: what it changes of the baseline."""
    changed = {factor: [level] for factor, level in cell.items() if level != space.baseline[factor]}
    return changed or {"latent_dim": [cell["latent_dim"]]}


def _score(job: Job, cell: Cell) -> float | None:
    """Mean `val_mse` over the seeds; None if one of them failed."""
    found = [job.record(trial_name(cell, seed)) for seed in range(FIRST_SEED, FIRST_SEED + SEEDS)]
    if any(record is None or record["status"] != "completed" for record in found):
        return None
    return sum(record["values"]["val_mse"] for record in found if record) / len(found)


def _check(space: Space, study: str, best: Cell, options: Any, train: Callable[[Job], int]) -> int:
    """Trains the best found and the factorial's best on fresh seeds, and prints how they compare on test images."""
    other, origin = _factorial_best(space, options)
    print(f"beside it: {cell_name(other)}, {origin}")
    if cell_name(other) == cell_name(best):
        print("they are the same cell; there is nothing to compare")
        return 0
    blocks = {"found": _block(space, best), "factorial": _block(space, other)}
    judged = _with_seeds(space, blocks, CHECK_SEEDS, FIRST_CHECK_SEED)
    job = plan.job_of(judged, f"{study}_check", options)
    plan.make_folder(job)
    print(f"second evaluation: {len(job.tasks())} trials on {CHECK_SEEDS} fresh seeds", flush=True)
    if job.tasks() and (stopped := train(job)):
        return stopped
    paths = records.write_tables(job.study, job.artifacts)
    print(_comparison(job, best, other))
    print("wrote " + ", ".join(str(path) for path in paths))
    return 0


def _factorial_best(space: Space, options: Any) -> tuple[Cell, str]:
    """The cell of the space's own study with the lowest mean `val_mse` on the baseline's data; else the baseline."""
    try:
        table = records.load(space.name, options.artifacts)
        cells = manifests.space_of(records.manifest(space.name, options.artifacts)).cells()
    except InputError:
        return space.baseline, f"the baseline, since the study '{space.name}' has not been run"
    table = table[(table["status"] == "completed") & (table["dataset"] == space.baseline["dataset"])]
    means = table.groupby(table["trial"].str.rsplit("-", n=1).str[0])["val_mse"].mean()
    same = [name for name in means.index if _is_full(cells[name], space)]
    return cells[means[same].idxmin()], f"the best of the study '{space.name}'"


def _comparison(job: Job, best: Cell, other: Cell) -> str:
    """The ratio of test errors over fresh seeds: paired t interval of the mean log ratio."""
    import numpy as np
    from scipy import stats

    logs = []
    for seed in range(FIRST_CHECK_SEED, FIRST_CHECK_SEED + CHECK_SEEDS):
        pair = [job.record(trial_name(cell, seed)) for cell in (best, other)]
        if all(record is not None and record["status"] == "completed" for record in pair):
            logs.append(np.log(pair[0]["values"]["test_mse"] / pair[1]["values"]["test_mse"]))  # type: ignore[index]
    n, mean = len(logs), float(np.mean(logs)) if logs else math.nan
    half = float(stats.t.ppf(0.975, n - 1) * stats.sem(logs)) if n > 1 else math.nan
    low, high = math.exp(mean - half), math.exp(mean + half)
    return (
        f"test_mse, best found ÷ factorial's best: {math.exp(mean):.3f} (95 % interval {low:.3f} to {high:.3f}, "
        f"paired t on logs, n = {n} fresh seeds)"
    )
