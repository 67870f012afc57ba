"""Trials an hour against plain Keras Tuner, on the same cells, seeds and epochs, in alternating runs.

    python -m benchmarks.against_keras_tuner [--space quick] [--seeds 10] [--rounds 2] [--data-dir DIR]
    python -m benchmarks.against_keras_tuner --space benchmarks/mnist_baseline.py --seeds 2 --pytorch PYTHON
    python -m benchmarks.against_keras_tuner --seeds 20 --first-seed 100 --rounds 1     the errors, on fresh seeds

Plain: one process, `RandomSearch` over cells and seeds, `Model.fit` with its defaults, validation each epoch, nothing
after training. Ours: `study.search` with its two single-threaded workers. Start-up (imports, processes) is left out on
both sides and printed apart. Ours is given twice: as it is, with the metrics of four splits that plain does not
compute, and without them. Ours also has TensorFlow use oneDNN's kernels, which it does by default on some processors
only (`study/__init__.py`). PyTorch, where an interpreter that has it is named, trains the baseline in two threads.

The machine's ceiling is its fastest float32 matrix product in two threads, over the operations that training an image
takes. Final validation errors are compared by TOST within ±2 %: log ratios of final validation MSE, averaged over the
cells, one a seed; the seeds that 80 % power needs follow from the spread that the run shows.
"""

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from scipy import stats

MARGIN = math.log(1.02)


def main() -> None:
    """Runs the sides in turn and prints each round, then the comparison of errors."""
    options = _parser().parse_args()
    if options.plain:
        print(json.dumps(_plain(options)))
        return
    sides = {"ours": _run_ours, "plain": _run_plain} | ({"PyTorch": _run_pytorch} if options.pytorch else {})
    print(f"{'round':>5} {'side':>8} {'trials/h':>9} {'without metrics':>16} {'start-up s':>11} {'images/s':>9}")
    rounds = []
    for number in range(options.rounds):
        found = {name: run(options) for name, run in sides.items()}
        rounds.append(found)
        for name, side in found.items():
            rate = 3600 * len(side["val_mse"]) / side["seconds"]
            bare = 3600 * len(side["val_mse"]) / side["training_seconds"]
            print(
                f"{number + 1:5d} {name:>8} {rate:9.0f} {bare:16.0f} {side['start_up']:11.1f} "
                f"{side['images_per_second']:9.0f}",
                flush=True,
            )
    _print_ratios(rounds)
    _print_errors(rounds[0]["ours"]["val_mse"], rounds[0]["plain"]["val_mse"])
    if "mnist_baseline" in options.space:
        _print_ceiling(rounds)


def _print_ratios(rounds: list[dict]) -> None:
    for key, what in (("seconds", "as it is"), ("training_seconds", "without final metrics")):
        ratios = [found["plain"]["seconds"] / found["ours"][key] for found in rounds]
        print(f"trials an hour, ours ÷ plain, {what}: " + ", ".join(f"{ratio:.2f}" for ratio in ratios))


def _print_errors(ours: dict[str, float], plain: dict[str, float]) -> None:
    """TOST over seeds of the log ratio of final validation errors, averaged over cells."""
    from analysis.statistics import tost

    by_seed: dict[str, list[float]] = {}
    by_cell: dict[str, list[float]] = {}
    for trial, error in ours.items():
        cell, seed = trial.rsplit("-", 1)
        for group, key in ((by_seed, seed), (by_cell, cell)):
            group.setdefault(key, []).append(math.log(error / plain[trial]))
    if len(by_seed) < 3:
        print("final validation errors: too few seeds to compare")
        return
    for cell, ratios in by_cell.items():
        mean, error = (100 * value for value in (np.mean(ratios), stats.sem(ratios)))
        print(f"final validation MSE, ours ÷ plain, {cell}: {mean:+.2f} % (standard error {error:.2f})")
    differences = np.array([np.mean(values) for values in by_seed.values()])
    found = tost(differences, -MARGIN, MARGIN)
    low, high = (100 * math.expm1(end) for end in (found.low, found.high))
    print(
        f"final validation MSE, ours ÷ plain: {100 * math.expm1(found.value):+.2f} %, 90 % interval {low:+.2f} to "
        f"{high:+.2f} %, n = {len(differences)} seeds; within ±2 %: TOST p = {found.p:.2g}; seeds needed for 80 % "
        f"power at this spread: {_seeds_needed(float(np.std(differences, ddof=1)))}"
    )


def _seeds_needed(sd: float, power: float = 0.8) -> int:
    """Pairs with which TOST at 5 % shows two equal sides equivalent (normal approximation, then Student's t)."""
    for n in range(3, 10_000):
        reach = MARGIN * math.sqrt(n) / sd - stats.t.ppf(0.95, n - 1)
        if 2 * stats.norm.cdf(reach) - 1 >= power:
            return n
    return 10_000


def _print_ceiling(rounds: list[dict]) -> None:
    """Images a second as a share of what the fastest matrix product would allow."""
    peak = max(_matrix_product() for _ in range(3))
    limit = peak / TRAINING_OPERATIONS
    print(f"float32 matrix product, 2 threads: {peak / 1e9:.0f} GFLOP/s, or {limit:.0f} images/s at most")
    for name in rounds[0]:
        shares = ", ".join(f"{found[name]['images_per_second'] / limit:.2f}" for found in rounds)
        print(f"share of that, {name}: {shares}")


# Multiply-adds of the baseline on 28×28×1, k = 2, times two; training takes the forward pass three times over.
TRAINING_OPERATIONS = 3 * 2 * (
    14 * 14 * 9 * 1 * 32
    + 7 * 7 * 9 * 32 * 64
    + 3136 * 16
    + 16 * 2
    + 2 * 3136
    + 7 * 7 * 9 * 64 * 64
    + 14 * 14 * 9 * 64 * 32
    + 28 * 28 * 9 * 32 * 1
)  # fmt: skip


def _matrix_product(side: int = 4096) -> float:
    """Operations a second of one float32 matrix product in two threads, the best of five."""
    code = (
        "import os, time; os.environ['TF_ENABLE_ONEDNN_OPTS'] = '1'\n"
        "import tensorflow as tf; tf.config.threading.set_intra_op_parallelism_threads(2)\n"
        f"a = tf.random.normal(({side}, {side})); best = 9e9\n"
        "for _ in range(5):\n"
        "    t = time.perf_counter(); (a @ a).numpy(); best = min(best, time.perf_counter() - t)\n"
        "print(best)"
    )
    return 2 * side**3 / float(_python(sys.executable, "-c", code))


def _run_ours(options: argparse.Namespace) -> dict:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "study.search", options.space, "--seeds", str(options.seeds)]
        command += ["--set", f"first_seed={options.first_seed}", "--name", "ours"] if options.first_seed else []
        command += ["--artifacts", folder, *(["--data-dir", options.data_dir] if options.data_dir else [])]
        started = time.time()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        paths = list(Path(folder).glob("*/trials/*/record.json"))
        written = {path: path.stat().st_mtime for path in paths}
        stored = {path: json.loads(path.read_text()) for path in paths}
        begun = min(written[path] - stored[path]["values"]["trial_seconds"] for path in paths)
        evaluated = sum(record["values"]["evaluation_seconds"] for record in stored.values())
        seconds = max(written.values()) - begun
        epochs = [row["seconds"] for record in stored.values() for row in record["history"][1:]]
        workers = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        return {
            "seconds": seconds,
            "training_seconds": seconds - evaluated / workers,
            "start_up": begun - started,
            "images_per_second": workers * _training_images(options) / float(np.median(epochs)),
            "val_mse": {record["trial"]: record["history"][-1]["val_mse"] for record in stored.values()},
        }


def _run_plain(options: argparse.Namespace) -> dict:
    return json.loads(_python(sys.executable, "-m", "benchmarks.against_keras_tuner", *sys.argv[1:], "--plain"))


def _run_pytorch(options: argparse.Namespace) -> dict:
    script = ["-m", "benchmarks.pytorch_baseline", "--seeds", str(options.seeds), "--data-dir", options.data_dir]
    return json.loads(_python(options.pytorch, *script))


def _python(interpreter: str, *arguments: str) -> str:
    quiet = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    quiet.pop("TF_ENABLE_ONEDNN_OPTS", None)  # importing `study` has set it here; plain keeps TensorFlow's default
    done = subprocess.run([interpreter, *arguments], check=True, stdout=subprocess.PIPE, text=True, env=quiet)
    return done.stdout.splitlines()[-1]


def _training_images(options: argparse.Namespace) -> float:
    """Images of an epoch, the mean over the cells."""
    from study import datasets, space

    chosen = space.load(options.space)
    cells = chosen.cells().values()
    data = {cell["dataset"]: datasets.load(cell["dataset"], options.data_dir) for cell in cells}
    sizes = [len(datasets.split(data[cell["dataset"]], 0, cell["train_size"]).train) for cell in cells]
    return float(np.mean(sizes))


def _plain(options: argparse.Namespace) -> dict:
    """Plain Keras Tuner in this process."""
    launched = time.perf_counter()
    import keras
    import keras_tuner

    from study import autoencoders, datasets, losses, metrics, space, space_checks

    chosen = space_checks.validate(space.load(options.space))
    cells = chosen.cells()
    data = {cell["dataset"]: datasets.load(cell["dataset"], options.data_dir) for cell in cells.values()}
    final: dict[str, float] = {}
    epochs: list[float] = []
    apart = 0.0

    class EpochTimes(keras.callbacks.Callback):
        """The seconds of training of every epoch but the first, without its validation."""

        def on_epoch_begin(self, epoch, logs=None):
            self.started = time.perf_counter()

        def on_test_begin(self, logs=None):
            epochs.append(time.perf_counter() - self.started)

    class Plain(keras_tuner.RandomSearch):
        """The stock search; its `run_trial` needs a package that TensorFlow no longer brings, so fit is called here."""

        def run_trial(self, trial, *args, **kwargs):
            nonlocal apart
            name, seed = trial.hyperparameters.get("cell"), trial.hyperparameters.get("seed")
            cell = cells[name]
            found = data[cell["dataset"]]
            splits = datasets.split(found, seed, cell["train_size"], cell["normal_class"])
            train, val = (datasets.to_unit(images, found.value_range) for images in (splits.train, splits.val))
            model = autoencoders.build(cell, found.shape, seed, chosen.architectures)
            model.compile(keras.optimizers.Adam(cell["learning_rate"]), losses.LOSSES[cell["loss"]])
            fitted = model.fit(
                train,
                train,
                validation_data=(val, val),
                epochs=chosen.training["epochs"],
                batch_size=cell["batch_size"],
                callbacks=[EpochTimes()],
                verbose=0,
            )
            ended = time.perf_counter()
            errors = metrics.squared_error(val, model.predict(val, batch_size=500, verbose=0))
            final[space.trial_name(cell, seed)] = float(errors.mean())
            apart += time.perf_counter() - ended
            return min(fitted.history["val_loss"])

    hyperparameters = keras_tuner.HyperParameters()
    hyperparameters.Choice("cell", list(cells))
    hyperparameters.Choice("seed", list(range(options.first_seed, options.first_seed + options.seeds)))
    with tempfile.TemporaryDirectory() as folder:
        tuner = Plain(
            hypermodel=lambda hp: None,
            objective=keras_tuner.Objective("default_objective", "min"),
            max_trials=len(cells) * options.seeds,
            hyperparameters=hyperparameters,
            tune_new_entries=False,
            directory=folder,
            seed=1,
        )
        tuner.oracle.verbose = 0
        tuner.oracle._max_collisions = 100_000  # it draws at random, and must not give up before all are drawn
        started = time.perf_counter()
        tuner.search()
        seconds = time.perf_counter() - started - apart
        return {
            "seconds": seconds,
            "training_seconds": seconds,
            "start_up": started - launched,
            "images_per_second": _training_images(options) / float(np.median(epochs)),
            "val_mse": final,
        }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--space", default="quick")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--first-seed", type=int, default=0, help="seeds that no earlier comparison has used")
    parser.add_argument("--data-dir")
    parser.add_argument("--pytorch", metavar="PYTHON", help="an interpreter that has PyTorch: a third side, on MNIST")
    parser.add_argument("--plain", action="store_true", help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    main()
