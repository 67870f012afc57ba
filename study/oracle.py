"""Which trial next: the chief's queue, as a Keras Tuner oracle.

Everything lives in memory, since the records are the truth: at start the queue is every trial without a valid record.
Keras Tuner's own files are not written, so there is nothing to corrupt. What the stock oracle lacks and this one has:
a trial whose worker went silent is handed out again, and no exception can leave the chief's lock held.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import keras_tuner

from study.space import FACTORS, Task, cell_name

LEASE_SECONDS = 90  # a worker renews its lease every few seconds; one silent for this long is taken for dead
DEATHS_ALLOWED = 3


class StudyOracle(keras_tuner.Oracle):
    """Hands out the trials of a study, each to one worker at a time.

    A trial's Keras Tuner id is its readable name, and that alone says which trial it is. Its hyperparameters, its
    factor levels and its seed, are there for Keras Tuner's own tools: a factor that is None is left out, since Keras
    Tuner cannot send None, and arrives at the worker as the first level of that factor.

    Args:
        tasks: The trials to run, in order.
        is_recorded: Whether a trial has a valid record by now.
        give_up: Called with a trial's name when its worker died `DEATHS_ALLOWED` times while running it.
        clock: Seconds, monotonic.
    """

    def __init__(
        self,
        tasks: Iterable[Task],
        is_recorded: Callable[[str], bool],
        give_up: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._by_name = {task.name: task for task in tasks}
        self._queue: dict[int, dict[str, Task]] = {}  # seed → cell name → trial
        for task in self._by_name.values():
            self._put(task)
        super().__init__(
            objective=keras_tuner.Objective("val_mse", "min"),
            hyperparameters=_hyperparameters(list(self._by_name.values())),
            allow_new_entries=False,
            seed=1,
        )
        self._is_recorded, self._give_up, self._clock = is_recorded, give_up, clock
        self._last_heard: dict[str, float] = {}
        self._deaths: Counter[str] = Counter()
        self._traced: dict[str, set[str]] = {}  # cell name → the workers that have traced it
        self.verbose = 0

    @keras_tuner.synchronized
    def create_trial(self, tuner_id: str) -> Any:
        """The next trial for a worker; one that was started again gets the trial it had, unless that kills workers."""
        self._return_silent()
        self._last_heard[tuner_id] = self._clock()
        if (lost := self.ongoing_trials.pop(tuner_id, None)) is not None:
            self._worker_died(lost.trial_id)
        self.tuner_ids.add(tuner_id)
        task = self._take(tuner_id)
        if task is None:
            status = "IDLE" if self.ongoing_trials else "STOPPED"
            if status == "STOPPED":
                self.tuner_ids.discard(tuner_id)
            return self._trial(status, {}, status)
        trial = self._trial(task.name, levels_and_seed(task), "RUNNING")
        self.trials[task.name] = self.ongoing_trials[tuner_id] = trial
        return trial

    def get_trial(self, trial_id: str) -> Any:
        """The trial, and a sign of life from its worker: the heartbeat calls this."""
        for tuner_id, trial in list(self.ongoing_trials.items()):
            if trial.trial_id == trial_id:
                self._last_heard[tuner_id] = self._clock()
        return self.trials[trial_id]

    @keras_tuner.synchronized
    def update_trial(self, trial_id: str, metrics: dict[str, float], step: int = 0) -> Any:
        """Notes a trial's metrics; one that this chief never handed out is not its concern."""
        if trial_id not in self.trials:
            return self._trial(trial_id, {}, "RUNNING")
        return super().update_trial(trial_id, metrics, step)

    @keras_tuner.synchronized
    def end_trial(self, trial: Any) -> None:
        """The trial has its record; its worker is free."""
        for tuner_id, ongoing in list(self.ongoing_trials.items()):
            if ongoing.trial_id == trial.trial_id:
                self.ongoing_trials.pop(tuner_id)
                ongoing.status, ongoing.message = trial.status, trial.message

    @keras_tuner.synchronized
    def forget_silent_workers(self) -> None:
        """Queues again what silent workers held. Called now and then, so that an idle chief can leave."""
        self._return_silent()

    def save(self) -> None:
        """Writes nothing: the records are the state."""

    def reload(self) -> None:
        """Reads nothing."""

    def _save_trial(self, trial: Any) -> None:
        """Writes nothing."""

    def _return_silent(self) -> None:
        for tuner_id in [t for t in self.tuner_ids if self._clock() - self._last_heard[t] > LEASE_SECONDS]:
            self.tuner_ids.discard(tuner_id)
            if (lost := self.ongoing_trials.pop(tuner_id, None)) is not None:
                self._worker_died(lost.trial_id)

    def _worker_died(self, name: str) -> None:
        """Queues the trial again, unless it has its record after all or has killed too often."""
        if self._is_recorded(name):
            return
        self._deaths[name] += 1
        if self._deaths[name] >= DEATHS_ALLOWED:
            self._give_up(name)
        else:
            self._put(self._by_name[name])

    def _put(self, task: Task) -> None:
        self._queue.setdefault(task.seed, {})[cell_name(task.cell)] = task

    def _take(self, tuner_id: str) -> Task | None:
        """The next trial that has no record yet, out of the queue."""
        while self._queue:
            seed, cell = self._choose(tuner_id)
            task = self._queue[seed].pop(cell)
            if not self._queue[seed]:
                del self._queue[seed]
            if not self._is_recorded(task.name):
                self._traced.setdefault(cell, set()).add(tuner_id)
                return task
        return None

    def _choose(self, tuner_id: str) -> tuple[int, str]:
        """Lowest seeds first; within a seed a cell that this worker has traced, then one that nobody has.

        Rather than trace what another worker has traced, a worker goes one seed ahead with its own cells.
        """
        seed = min(self._queue)
        for candidate, wanted in ((seed, self._is_own), (seed, self._is_new), (seed + 1, self._is_own)):
            for cell in self._queue.get(candidate, ()):
                if wanted(cell, tuner_id):
                    return candidate, cell
        return seed, next(iter(self._queue[seed]))

    def _is_own(self, cell: str, tuner_id: str) -> bool:
        return tuner_id in self._traced.get(cell, ())

    def _is_new(self, cell: str, tuner_id: str) -> bool:
        return cell not in self._traced

    def _trial(self, trial_id: str, values: dict, status: str) -> Any:
        hyperparameters = self.hyperparameters.copy()
        hyperparameters.values = values
        return keras_tuner.engine.trial.Trial(hyperparameters, trial_id=trial_id, status=status)


def levels_and_seed(task: Task) -> dict[str, Any]:
    """A trial's Keras Tuner values: its levels that are not None, and its seed."""
    return {**{factor: level for factor, level in task.cell.items() if level is not None}, "seed": task.seed}


def _hyperparameters(tasks: list[Task]) -> Any:
    hyperparameters = keras_tuner.HyperParameters()
    for name in (*FACTORS, "seed"):
        levels = sorted({values[name] for task in tasks if name in (values := levels_and_seed(task))})
        if levels:
            hyperparameters.Choice(name, levels)
    return hyperparameters
