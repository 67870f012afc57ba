"""How long will it take? From the records of the study; before there are any, from timing one epoch of each kind."""

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from study import threads, timing
from study.job import Job
from study.space import Cell, Task, cell_name

START_SECONDS = 12.0  # importing TensorFlow in a worker, on one core; only the first minutes of a study notice it


class Durations:
    """How long the trials of a study lasted, and what that lets one expect of the others."""

    def __init__(self) -> None:
        self._lasted: dict[Any, list[float]] = {}

    def add(self, record: Mapping[str, Any] | None) -> None:
        """Takes in a record; only a completed trial says how long one lasts."""
        if record is not None and record["status"] == "completed":
            for kind in _kinds(record["cell"]):
                self._lasted.setdefault(kind, []).append(record["values"]["trial_seconds"])

    def expect(self, tasks: Iterable[Task], workers: int) -> float | None:
        """Seconds until `tasks` are done; None while no trial has been completed.

        A trial is expected to last as long as the median of its cell's, of its data set and architecture, or of all.
        """
        if not self._lasted:
            return None
        medians = {kind: statistics.median(seconds) for kind, seconds in self._lasted.items()}
        return spread([next(medians[k] for k in _kinds(t.cell) if k in medians) for t in tasks], workers)


def by_timing(job: Job, tasks: Iterable[Task], workers: int) -> float:
    """Seconds until `tasks` are done, from timing one epoch of each kind of cell on one core now."""
    tasks = list(tasks)
    return START_SECONDS + spread(trial_seconds(job, tasks, time_kinds(job, tasks)), workers)


def time_kinds(job: Job, tasks: Iterable[Task]) -> dict[tuple, dict[str, float]]:
    """What `study.timing.measure` finds for each kind of cell among the job's tasks, in a process of its own."""
    kinds = len({timing.kind(task.cell) for task in tasks})
    print(f"timing one epoch of {kinds} kinds of cell …", file=sys.stderr, flush=True)
    done = subprocess.run(
        [sys.executable, "-m", "study.timing"],
        input=job.to_json(),
        capture_output=True,
        text=True,
        env={**os.environ, **threads.ONE_THREAD},
        cwd=Path(__file__).parent.parent,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"timing one epoch failed:\n{done.stderr[-2000:]}")
    return {tuple(kind): seconds for kind, seconds in json.loads(done.stdout.splitlines()[-1])}


def trial_seconds(job: Job, tasks: Iterable[Task], timed: Mapping[tuple, Mapping[str, float]]) -> list[float]:
    """How long each task is expected to last, from `time_kinds`.

    Every cell is traced once: later seeds of it go to the worker that has traced it.
    """
    seen: set[str] = set()
    expected = []
    for task in tasks:
        seconds, name = timed[timing.kind(task.cell)], cell_name(task.cell)
        expected.append(_trained(task, job, seconds) + seconds["trace"] * (name not in seen))
        seen.add(name)
    return expected


def spread(seconds: Iterable[float], workers: int) -> float:
    """Wall time of trials on `workers` processes: an even share each, and never less than the longest trial."""
    lengths = list(seconds)
    return max([sum(lengths) / max(workers, 1), *lengths], default=0.0)


def _kinds(cell: Cell) -> list[Any]:
    return [cell_name(cell), (cell["dataset"], cell["architecture"]), "any"]


def _trained(task: Task, job: Job, seconds: Mapping[str, float]) -> float:
    sizes = _split_sizes(job.manifest["data"][task.cell["dataset"]], task.cell)
    epoch = sizes["train"] * seconds["train"] + sizes["val"] * seconds["validate"]
    return seconds["trial"] + job.space.training["epochs"] * epoch + sum(sizes.values()) * seconds["evaluate"]


def _split_sizes(data: Mapping[str, Any], cell: Cell) -> dict[str, int]:
    """Images a split, by the rule of `study.datasets.split`; for one class of the data, a tenth of them."""
    share = 10 if cell["normal_class"] is not None else 1
    pool, test = data["sizes"][0] // share, data["sizes"][1] // share
    held = min(pool // 6, 10_000)
    return {"train": min(cell["train_size"] or pool, pool - 2 * held), "val": held, "heldout": held, "test": test}
