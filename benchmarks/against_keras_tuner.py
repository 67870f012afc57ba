"""Trials an hour against plain Keras Tuner, on the same cells, seeds and epochs, in alternating runs.

    python -m benchmarks.against_keras_tuner [--space quick] [--seeds 10] [--rounds 2] [--data-dir DIR]

Plain: one process, `RandomSearch` over cells and seeds, `Model.fit` with its defaults, validation each epoch, nothing
after training. Ours: `study.search` with its two single-threaded workers as it is, so with the metrics of four splits
that plain does not compute. Start-up (imports, processes) is left out on both sides and printed apart.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def main() -> None:
    """Runs both sides in turn and prints trials an hour, start-up, and the ratio of each round."""
    options = _parser().parse_args()
    if options.plain:
        print(json.dumps(_plain(options)))
        return
    print("round   ours: trials/h (start-up s)   plain: trials/h (start-up s)   ratio")
    for number in range(options.rounds):
        ours, plain = _run_ours(options), _run_plain()
        cells = "   ".join(f"{side['trials_an_hour']:10.0f} ({side['start_up']:.0f})" for side in (ours, plain))
        print(f"{number + 1:5d}   {cells}   {ours['trials_an_hour'] / plain['trials_an_hour']:.2f}", flush=True)
        for name, side in (("ours", ours), ("plain", plain)):
            errors = ", ".join(f"{cell} {error:.5f}" for cell, error in side["val_loss"].items())
            print(f"        mean lowest val_loss, {name}: {errors}", flush=True)


def _run_ours(options: argparse.Namespace) -> dict:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "study.search", options.space, "--seeds", str(options.seeds)]
        command += ["--artifacts", folder, *(["--data-dir", options.data_dir] if options.data_dir else [])]
        started = time.time()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        paths = list(Path(folder).glob("*/trials/*/record.json"))
        written = {path: path.stat().st_mtime for path in paths}
        stored = {path: json.loads(path.read_text()) for path in paths}
        begun = min(written[path] - stored[path]["values"]["trial_seconds"] for path in paths)
        lowest: dict[str, list[float]] = {}
        for record in stored.values():
            cell = record["trial"].rsplit("-", 1)[0]
            lowest.setdefault(cell, []).append(min(row["val_loss"] for row in record["history"]))
        return _result(len(paths), max(written.values()) - begun, begun - started, lowest)


def _run_plain() -> dict:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.against_keras_tuner", *sys.argv[1:], "--plain"],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
    )
    return json.loads(done.stdout.splitlines()[-1])


def _plain(options: argparse.Namespace) -> dict:
    """Plain Keras Tuner in this process."""
    launched = time.perf_counter()
    import keras
    import keras_tuner

    from study import autoencoders, datasets, losses, space, space_checks

    chosen = space_checks.validate(space.load(options.space))
    cells = chosen.cells()
    data = {cell["dataset"]: datasets.load(cell["dataset"], options.data_dir) for cell in cells.values()}
    lowest: dict[str, list[float]] = {}

    class Plain(keras_tuner.RandomSearch):
        """The stock search; its `run_trial` needs a package that TensorFlow no longer brings, so fit is called here."""

        def run_trial(self, trial, *args, **kwargs):
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
                verbose=0,
            )
            lowest.setdefault(name, []).append(min(fitted.history["val_loss"]))
            return min(fitted.history["val_loss"])

    hyperparameters = keras_tuner.HyperParameters()
    hyperparameters.Choice("cell", list(cells))
    hyperparameters.Choice("seed", list(range(options.seeds)))
    count = len(cells) * options.seeds
    with tempfile.TemporaryDirectory() as folder:
        tuner = Plain(
            hypermodel=lambda hp: None,
            objective=keras_tuner.Objective("default_objective", "min"),
            max_trials=count,
            hyperparameters=hyperparameters,
            tune_new_entries=False,
            directory=folder,
            seed=1,
        )
        tuner.oracle.verbose = 0
        started = time.perf_counter()
        tuner.oracle._max_collisions = 100_000  # it draws at random, and must not give up before all are drawn
        tuner.search()
        return _result(sum(map(len, lowest.values())), time.perf_counter() - started, started - launched, lowest)


def _result(trials: int, seconds: float, start_up: float, lowest: dict[str, list[float]]) -> dict:
    means = {cell: sum(values) / len(values) for cell, values in sorted(lowest.items())}
    return {"trials_an_hour": 3600 * trials / seconds, "start_up": start_up, "val_loss": means}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--space", default="quick")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--data-dir")
    parser.add_argument("--plain", action="store_true", help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    main()
