"""How long will it take? From the records of the study; before there are any, from timing one epoch of each kind.

`python -m study.forecast` is the process that times: a job as JSON on standard input, seconds as JSON on standard
output. It writes nothing to disk.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from study import process
from study.job import Job
from study.space import Cell, Task, cell_name

START_SECONDS = 12.0  # importing TensorFlow in a worker, on one core; only the first minutes of a study notice it
TIMED_IMAGES = 1024


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
    """Seconds until `tasks` are done, from timing one epoch per architecture and image shape on one core now."""
    done = subprocess.run(
        [sys.executable, "-m", "study.forecast"],
        input=job.to_json(),
        capture_output=True,
        text=True,
        env={**os.environ, **process.ONE_THREAD},
        cwd=Path(__file__).parent.parent,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"timing one epoch failed:\n{done.stderr[-2000:]}")
    timed = {tuple(kind): seconds for kind, seconds in json.loads(done.stdout.splitlines()[-1])}
    seen: set[str] = set()
    expected = []
    for task in tasks:
        seconds = timed[task.cell["dataset"], task.cell["architecture"]]
        expected.append(_trial_seconds(task, job, seconds) + seconds["trace"] * (cell_name(task.cell) not in seen))
        seen.add(cell_name(task.cell))
    return START_SECONDS + spread(expected, workers)


def spread(seconds: Iterable[float], workers: int) -> float:
    """Wall time of trials on `workers` processes: an even share each, and never less than the longest trial."""
    lengths = list(seconds)
    return max([sum(lengths) / max(workers, 1), *lengths], default=0.0)


def _kinds(cell: Cell) -> list[Any]:
    return [cell_name(cell), (cell["dataset"], cell["architecture"]), "any"]


def _trial_seconds(task: Task, job: Job, seconds: Mapping[str, float]) -> float:
    sizes = _split_sizes(job.manifest["data"][task.cell["dataset"]], task.cell)
    epochs = job.space.training["epochs"]
    training = epochs * (sizes["train"] * seconds["train"] + sizes["val"] * seconds["predict"])
    return seconds["build"] + training + sum(sizes.values()) * (seconds["predict"] + seconds["evaluate"])


def _split_sizes(data: Mapping[str, Any], cell: Cell) -> dict[str, int]:
    """Images a split, by the rule of `study.datasets.split`; for one class of the data, a tenth of them."""
    share = 10 if cell["normal_class"] is not None else 1
    pool, test = data["sizes"][0] // share, data["sizes"][1] // share
    held = min(pool // 6, 10_000)
    return {"train": min(cell["train_size"] or pool, pool - 2 * held), "val": held, "heldout": held, "test": test}


def _time_kinds(job: Job) -> list:
    """[[data set, architecture], {"build", "trace", "train", "predict", "evaluate"}] for each kind in the job."""
    cells = {(t.cell["dataset"], t.cell["architecture"]): t.cell for t in job.tasks()}
    return [[list(kind), _time_kind(cell, job)] for kind, cell in cells.items()]


def _time_kind(cell: Cell, job: Job) -> dict[str, float]:
    """Seconds to build and to trace, and seconds an image to train, predict and evaluate."""
    from study import autoencoders, datasets, metrics, training

    data = datasets.load(cell["dataset"], job.data_dir)
    few = data.x_train[: min(TIMED_IMAGES, len(data.x_train))]
    clock = _Clock()
    _, steps = training.compiled_steps(cell, data, job.space.architectures)
    steps.start(autoencoders.build(cell, data.shape, 0, job.space.architectures).get_weights(), 0)
    build = clock.lap() / 2
    images, order = steps.resident(few), range(len(few))
    import numpy as np

    steps.epoch(images, np.arange(min(2 * cell["batch_size"], len(few))))
    _, reconstructions, _ = steps.predict(few)
    trace = clock.lap()
    steps.epoch(images, np.array(order))
    train = clock.lap() / len(few)
    steps.predict(few)
    predict = clock.lap() / len(few)
    unit = datasets.to_unit(few, data.value_range)
    metrics.evaluate(unit, reconstructions, metrics.mean_image(unit))
    evaluate = clock.lap() / len(few)
    return {"build": build, "trace": trace, "train": train, "predict": predict, "evaluate": evaluate}


class _Clock:
    def __init__(self) -> None:
        self._last = time.perf_counter()

    def lap(self) -> float:
        """Seconds since the last lap."""
        last, self._last = self._last, time.perf_counter()
        return self._last - last


if __name__ == "__main__":
    print(json.dumps(_time_kinds(Job.from_json(sys.stdin.readline()))))
