"""How long one epoch of each kind of cell takes here and now: what `--dry-run` is computed from.

`python -m study.timing` is a process of its own, so that the search itself needs no Keras: a job as JSON on standard
input, seconds as JSON on standard output. It leaves nothing on disk. Seconds are those of the processor, which other
programs do not lengthen; with a GPU they are those of the clock.
"""

import functools
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from study import provenance
from study.job import Job
from study.space import DEFAULTS, Cell

IMAGES = 1024  # are trained on and evaluated, each kind
# Cells that agree in these last equally long, an image: the latent size and the learning rate change next to nothing.
KIND = ("dataset", "architecture", "depth", "loss", "regularizer", "batch_size", "preprocessing")


def kind(cell: Cell) -> tuple:
    """The levels that decide how long an image takes."""
    return tuple(cell[factor] for factor in KIND)


def main() -> None:
    """Prints [[kind, seconds], …] for each kind of cell in the job that comes on standard input."""
    job = Job.from_json(sys.stdin.readline())
    cells = {kind(task.cell): task.cell for task in job.tasks()}
    print(json.dumps([[list(name), measure(cell, job)] for name, cell in cells.items()]))


def measure(cell: Cell, job: Job) -> dict[str, float]:
    """What a cell costs in this process.

    Returns:
        Seconds: "trial", once a trial (splits, fresh weights, examples, saving); "trace", once a cell and process;
        "train", an image and epoch; "validate", an image and epoch; "evaluate", an image of any split at the end.
    """
    import numpy as np

    from study import autoencoders, datasets, metrics, training

    data, preparing = _prepared(cell["dataset"], cell["preprocessing"], cell["normal_class"], job.data_dir)
    autoencoders.build(cell, data.shape, 0, job.space.architectures)  # what is imported and set up once is no trial's
    few = data.x_train[:IMAGES]
    unit, order = datasets.to_unit(few, data.value_range), np.arange(len(few))
    lap = _stopwatch()
    _, steps = training.compiled_steps(cell, data, job.space.architectures)
    images = steps.resident(few)
    compiling = lap()
    steps.start(autoencoders.build(cell, data.shape, 0, job.space.architectures).get_weights(), 0)
    building = lap()
    steps.epoch(images, order)
    steps.predict(few)
    tracing = lap()
    steps.epoch(images, order)
    train = lap()
    _, reconstructions, _ = steps.predict(few)
    predict = lap()
    metrics.squared_error(unit, reconstructions)
    metrics.binary_cross_entropy(unit, reconstructions)
    validate = predict + lap()
    metrics.evaluate(unit, reconstructions, metrics.mean_image(unit))
    evaluate = predict + lap()
    with tempfile.TemporaryDirectory() as folder:
        steps.model.save(Path(folder) / "model.keras")
    return {
        "trial": preparing + building + lap(),
        "trace": compiling + max(0.0, tracing - train - predict),
        "train": train / len(few),
        "validate": validate / len(few),
        "evaluate": evaluate / len(few),
    }


@functools.cache
def _prepared(dataset: str, preprocessing: str, normal_class: int | None, data_dir: str | None) -> tuple[Any, float]:
    """The data set after its preprocessing, and the seconds that this and the choice of examples take each trial."""
    from study import datasets
    from study.preprocessing import prepare

    data = datasets.load(dataset, data_dir)
    levels = {**DEFAULTS, "preprocessing": preprocessing, "normal_class": normal_class}
    lap = _stopwatch()
    prepared, _ = prepare(levels, 0, data)
    datasets.example_indices(data, normal_class=normal_class)
    return prepared, lap()


def _stopwatch() -> Any:
    """A function that gives the seconds since it was called last, or made."""
    clock = time.perf_counter if provenance.gpu_model() else time.process_time
    last = clock()

    def lap() -> float:
        nonlocal last
        before, last = last, clock()
        return last - before

    return lap


if __name__ == "__main__":
    main()
