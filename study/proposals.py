"""What a search proper tries next: Keras Tuner's oracles over a space's `SEARCH`, and their proposals as cells.

Private names of Keras Tuner are used here, as in `study/oracle.py`; tests run them.
"""

import math
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from study.errors import InputError
from study.levels import has
from study.space import Cell, Space

TUNERS = ("hyperband", "bayesian")
ROUND = 4  # proposals of Bayesian optimisation that are trained side by side
UNITS, FACTOR = 9, 3  # Hyperband: the full training set is 9 units; of 3 cells one goes on


def oracle(tuner: str, space: Space, budget: int, folder: str | Path) -> Any:
    """Keras Tuner's oracle over the space's `SEARCH`, at its start: what it knows is told by `tell`.

    Args:
        tuner: One of `TUNERS`.
        space: A space that declares `SEARCH`.
        budget: Cells to try.
        folder: Where Keras Tuner writes its own files, which nobody reads.

    Raises:
        InputError: A budget in which Hyperband trains no cell on the full training set.
    """
    keras_tuner = _keras_tuner()
    from keras_tuner.src.tuners.bayesian import BayesianOptimizationOracle
    from keras_tuner.src.tuners.hyperband import HyperbandOracle

    common = dict(
        objective=keras_tuner.Objective("val_mse", "min"),
        hyperparameters=_hyperparameters(space),
        allow_new_entries=False,
        seed=1,
        max_consecutive_failed_trials=10**6,
    )
    if tuner == "hyperband":
        made = HyperbandOracle(max_epochs=UNITS, factor=FACTOR, **common)
        _check_budget(made, budget)
    else:
        made = BayesianOptimizationOracle(max_trials=budget, num_initial_points=2 * ROUND, **common)
    made.verbose = 0
    made._set_project_dir(str(folder), "oracle")
    return made


def rounds(asked: Any, budget: int) -> Iterator[list[Any]]:
    """Proposals, Keras Tuner's trials, that can be trained side by side, until oracle or budget is used up."""
    left = budget
    while left > 0:
        trials: list[Any] = []
        limit = left if hasattr(asked, "max_epochs") else ROUND
        while len(trials) < min(limit, left):
            trial = asked.create_trial(f"proposal-{len(trials)}")
            if trial.status != "RUNNING":
                asked.ongoing_trials.pop(f"proposal-{len(trials)}", None)
                break
            trials.append(trial)
        if not trials:
            return
        left -= len(trials)
        yield trials


def tell(asked: Any, scores: Mapping[str, float | None], trials: list[Any]) -> None:
    """Tells the oracle what came of its proposals: their ids → `val_mse`, lower is better; None: failed."""
    for trial in trials:
        score = scores[trial.trial_id]
        if score is not None:
            asked.update_trial(trial.trial_id, {"val_mse": score})
        trial.status = "COMPLETED" if score is not None else "FAILED"
        asked.end_trial(trial)


def cell(space: Space, values: Mapping[str, Any], data_dir: str | None) -> Cell:
    """The cell of a proposal; real numbers are rounded to two digits, which is what a name can carry."""
    levels: dict[str, Any] = {f: _short(v) for f, v in values.items() if f in space.search}
    if "depth" in levels and not has(space.architectures[levels["architecture"]], "takes_depth"):
        del levels["depth"]
    units = values.get("tuner/epochs", UNITS)
    if units < UNITS:
        levels["train_size"] = math.ceil(_full_size(space, data_dir) * units / UNITS)
    return {**space.baseline, **levels}


def _keras_tuner() -> Any:
    """Keras Tuner, imported over the backend that needs no TensorFlow: this process trains nothing."""
    before = os.environ.get("KERAS_BACKEND")
    os.environ["KERAS_BACKEND"] = "numpy"
    import keras_tuner

    os.environ.pop("KERAS_BACKEND")
    os.environ.update({"KERAS_BACKEND": before} if before else {})
    return keras_tuner


def _hyperparameters(space: Space) -> Any:
    """`SEARCH` as Keras Tuner declares it; a depth is a choice of the architectures that take one."""
    hyperparameters = _keras_tuner().HyperParameters()
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
    return hyperparameters


def _check_budget(hyperband: Any, budget: int) -> None:
    bracket = hyperband._get_num_brackets() - 1
    least = sum(hyperband._get_size(bracket, number) for number in range(hyperband._get_num_rounds(bracket)))
    if budget < least:
        raise InputError(
            f"--budget {budget}: Hyperband's first bracket tries {least} cells until one is trained on the full "
            f"training set; allowed is {least} or more."
        )


def _short(value: Any) -> Any:
    return float(f"{value:.1e}") if isinstance(value, float) else value


def _full_size(space: Space, data_dir: str | None) -> int:
    """Training images of the baseline."""
    from study import datasets

    if space.baseline["train_size"]:
        return space.baseline["train_size"]
    data = datasets.load(space.baseline["dataset"], data_dir)
    return len(datasets.split(data, 0, None, space.baseline["normal_class"]).train)
