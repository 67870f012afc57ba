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
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from study import manifest as manifests
from study import plan, records
from study.errors import InputError
from study.job import Job
from study.levels import has
from study.space import Cell, Space, cell_name, trial_name

TUNERS = ("hyperband", "bayesian")
BUDGET = 24  # cells to try
ROUND = 4  # proposals of Bayesian optimisation that are trained side by side
SEEDS, FIRST_SEED = 3, 300  # seeds that choose
CHECK_SEEDS, FIRST_CHECK_SEED = 10, 400  # seeds that judge
UNITS, FACTOR = 9, 3  # Hyperband: the full training set is 9 units; of 3 cells one goes on


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
    space = _explorable(plan.space(options))
    study = options.name or f"{space.name}_{options.tuner}"
    seeds = {"seeds": SEEDS, "first_seed": FIRST_SEED}
    explored = dataclasses.replace(space, blocks={}, families={}, training={**space.training, **seeds})
    oracle = _oracle(options.tuner, space, options.budget)
    explored = dataclasses.replace(explored, blocks=_earlier_blocks(study, options))
    print(f"study {study}: at most {options.budget} cells × {SEEDS} seeds, proposed by {options.tuner}")
    scores: dict[str, float | None] = {}
    cells: dict[str, Cell] = {}
    with tempfile.TemporaryDirectory() as folder:
        oracle._set_project_dir(folder, "oracle")
        for number, trials in enumerate(_rounds(oracle, options.budget), start=1):
            proposed = {trial.trial_id: _cell(space, trial.hyperparameters.values, options) for trial in trials}
            fresh = {cell_name(cell): cell for cell in proposed.values()}
            cells |= fresh
            blocks = {f"round {number}, {name}": _block(space, cell) for name, cell in fresh.items()}
            explored = dataclasses.replace(explored, blocks={**explored.blocks, **blocks})
            job = plan.job_of(explored, study, options)
            plan.make_folder(job)
            print(f"round {number}: {len(fresh)} cells, {len(job.tasks())} trials to run", flush=True)
            if job.tasks() and (stopped := train(job)):
                return stopped
            scores |= {name: _score(job, cell) for name, cell in fresh.items()}
            _tell(oracle, {trial: scores[cell_name(cell)] for trial, cell in proposed.items()}, trials)
    records.write_tables(study, options.artifacts)
    full = {name: score for name, score in scores.items() if score is not None and _is_full(cells[name], space)}
    if not full:
        print("no cell was trained on the full training set without failing: nothing was found")
        return 1
    best = min(full, key=lambda name: full[name])
    print(f"best found: {best}, val_mse {full[best]:.5f} over {SEEDS} seeds; the best of {len(scores)}, so flattering")
    return _check(space, study, cells[best], options, train)


def _earlier_blocks(study: str, options: Any) -> dict[str, dict]:
    """The rounds that an interrupted run had proposed: it is gone through again, but nothing is taken back."""
    if not (options.artifacts / study / "manifest.json").is_file():
        return {}
    return manifests.space_of(records.manifest(study, options.artifacts)).blocks


def _explorable(space: Space) -> Space:
    """The same space, or an error if it declares nothing to explore."""
    if not space.search:
        raise InputError(
            f"the search space '{space.name}' declares nothing to explore. Add SEARCH = dict(latent_dim=(1, 32), "
            "learning_rate=(3e-4, 1e-2), architecture=[...]): pairs are ranges, lists are choices."
        )
    return space


def _oracle(tuner: str, space: Space, budget: int) -> Any:
    """Keras Tuner's oracle over the space's `SEARCH`; a depth is a choice of the architectures that take one."""
    before = os.environ.get("KERAS_BACKEND")
    os.environ["KERAS_BACKEND"] = "numpy"  # proposals need no TensorFlow in this process
    import keras_tuner
    from keras_tuner.src.tuners.bayesian import BayesianOptimizationOracle
    from keras_tuner.src.tuners.hyperband import HyperbandOracle

    os.environ.pop("KERAS_BACKEND")
    os.environ.update({"KERAS_BACKEND": before} if before else {})
    hyperparameters = keras_tuner.HyperParameters()
    for factor, levels in space.search.items():
        if factor == "depth":
            deep = [name for name in space.search["architecture"] if has(space.architectures[name], "takes_depth")]
            with hyperparameters.conditional_scope("architecture", deep):
                hyperparameters.Choice("depth", levels)
        elif isinstance(levels, list):
            hyperparameters.Choice(factor, levels)
        else:
            kind = hyperparameters.Int if isinstance(levels[0], int) else hyperparameters.Float
            kind(factor, *levels, sampling="log")
    common = dict(
        objective=keras_tuner.Objective("val_mse", "min"),
        hyperparameters=hyperparameters,
        allow_new_entries=False,
        seed=1,
        max_consecutive_failed_trials=10**6,
    )
    if tuner == "hyperband":
        oracle = HyperbandOracle(max_epochs=UNITS, factor=FACTOR, **common)
        bracket = oracle._get_num_brackets() - 1
        least = sum(oracle._get_size(bracket, n) for n in range(oracle._get_num_rounds(bracket)))
        if budget < least:
            raise InputError(
                f"--budget {budget}: Hyperband's first bracket tries {least} cells until one is trained on the full "
                f"training set; allowed is {least} or more."
            )
    else:
        oracle = BayesianOptimizationOracle(max_trials=budget, num_initial_points=2 * ROUND, **common)
    oracle.verbose = 0
    return oracle


def _rounds(oracle: Any, budget: int) -> Iterator[list[Any]]:
    """Proposals that can be trained side by side, until the oracle or the budget is used up."""
    left = budget
    while left > 0:
        trials: list[Any] = []
        limit = ROUND if not hasattr(oracle, "max_epochs") else left
        while len(trials) < min(limit, left):
            trial = oracle.create_trial(f"proposal-{len(trials)}")
            if trial.status != "RUNNING":
                oracle.ongoing_trials.pop(f"proposal-{len(trials)}", None)
                break
            trials.append(trial)
        if not trials:
            return
        left -= len(trials)
        yield trials


def _tell(oracle: Any, scores: Mapping[str, float | None], trials: list[Any]) -> None:
    for trial in trials:
        score = scores[trial.trial_id]
        if score is not None:
            oracle.update_trial(trial.trial_id, {"val_mse": score})
        trial.status = "COMPLETED" if score is not None else "FAILED"
        oracle.end_trial(trial)


def _cell(space: Space, values: Mapping[str, Any], options: Any) -> Cell:
    """The cell of a proposal; real numbers are rounded to two digits, which is what a name can carry."""
    levels: dict[str, Any] = {f: _short(v) for f, v in values.items() if f in space.search}
    if "depth" in levels and not has(space.architectures[levels["architecture"]], "takes_depth"):
        del levels["depth"]
    cell = {**space.baseline, **levels}
    if units := values.get("tuner/epochs"):
        cell["train_size"] = math.ceil(_full_size(space, options) * units / UNITS) if units < UNITS else None
        cell["train_size"] = cell["train_size"] or space.baseline["train_size"]
    return cell


def _short(value: Any) -> Any:
    return float(f"{value:.1e}") if isinstance(value, float) else value


def _full_size(space: Space, options: Any) -> int:
    """Training images of the baseline."""
    from study import datasets

    if space.baseline["train_size"]:
        return space.baseline["train_size"]
    data = datasets.load(space.baseline["dataset"], options.data_dir)
    return len(datasets.split(data, 0, None, space.baseline["normal_class"]).train)


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
    seeds = {"seeds": CHECK_SEEDS, "first_seed": FIRST_CHECK_SEED}
    judged = dataclasses.replace(space, blocks=blocks, families={}, training={**space.training, **seeds})
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
