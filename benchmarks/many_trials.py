"""How long the analyses that evaluate no model take on a table of 100,000 trials, computed from those of a study.

    python -m benchmarks.many_trials [STUDY] [--rows N] [--seeds N] [--data-dir DIR] [--artifacts DIR]

The table of STUDY (default: tour) is repeated with fresh seeds until it has --seeds of them, then with other batch
sizes until it has --rows; each number is multiplied by a random one near 1, so that nothing is equal. Printed: for each
analysis the seconds that its numbers take, without drawing and without reading files.
"""

import argparse
import time
from collections.abc import Callable

import numpy as np
import pandas as pd

from analysis import (
    command,
    effects,
    generalization_estimates,
    generalization_points,
    latent_elbow_estimates,
    residual_estimates,
    robustness_estimates,
    variance,
)
from study import manifest, records

SPREAD = 0.02  # of the random factors, in log


def main() -> None:
    """Makes the table, then times one analysis after the other."""
    options = _parser().parse_args()
    study, artifacts = options.study, options.artifacts
    described = records.manifest(study, artifacts)
    space, load = manifest.space_of(described), command.loader(described, options.data_dir)
    trials, history = _repeated(
        records.load(study, artifacts), records.history(study, artifacts), options.rows, options.seeds
    )
    print(f"{study}, repeated: {len(trials):,} trials, {trials['seed'].nunique()} seeds, {len(history):,} epochs")
    families, alone = effects.families_of(space), trials[trials["randomness"] == "all"]
    for name, analyse in {
        "effects": lambda: effects.estimate(trials, history, space),
        "variance": lambda: variance.estimate(trials, space, study, lambda *which: variance._count(load, *which)),
        "robustness": lambda: robustness_estimates.estimate(robustness_estimates.Study(alone, history, families)),
        "residual": lambda: residual_estimates.estimate(trials, history, None),
        "latent_elbow": lambda: latent_elbow_estimates.estimate(trials, load),
        "generalization": lambda: _generalization(trials.assign(study=study), load),
    }.items():
        print(f"{name:15s} {_seconds(analyse):7.1f} s", flush=True)


def _generalization(trials: pd.DataFrame, load: Callable) -> None:
    """That of reconstruction; the other tasks' tables have no more rows."""
    kept = trials[(trials["status"] == "completed") & (trials["randomness"] == "all")]
    named = kept.assign(cell=kept["trial"].str.replace(r"-s\d+$", "", regex=True))
    known = named.merge(generalization_points.pca(named, load), on="trial")
    differences = generalization_points.differences(generalization_points.reconstruction(known))
    generalization_estimates.estimate(differences, known, str(known["study"].iloc[0]))


def _repeated(trials: pd.DataFrame, history: pd.DataFrame, rows: int, seeds: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The table with more seeds, then with more batch sizes, and the learning curves of all its trials."""
    own = trials["seed"].nunique()
    shifts = range(0, seeds, own)
    sizes = range(-(-rows // (len(trials) * len(shifts))))
    rng = np.random.default_rng(0)
    tables, curves = [], []
    for size in sizes:
        for shift in shifts:
            made = trials.assign(
                seed=trials["seed"] + shift,
                batch_size=trials["batch_size"] + size,
                trial=[_name(*row, size, shift) for row in zip(trials["trial"], trials["seed"], strict=True)],
            )
            errors = [name for name in made if name.endswith(("_mse", "_mae", "_fvu", "_bce"))]
            made[errors] *= np.exp(SPREAD * rng.normal(size=(len(made), len(errors))))
            renamed = dict(zip(trials["trial"], made["trial"], strict=True))
            tables.append(made)
            curves.append(history.assign(trial=history["trial"].map(renamed)))
    return pd.concat(tables, ignore_index=True), pd.concat(curves, ignore_index=True)


def _name(trial: str, seed: int, size: int, shift: int) -> str:
    """Of the first batch size the trials keep their cells' names, which the space's contrasts know."""
    return f"{trial.rpartition('-s')[0]}{f'-b+{size}' if size else ''}-s{seed + shift:02d}"


def _seconds(analyse: Callable[[], object]) -> float:
    began = time.perf_counter()
    analyse()
    return time.perf_counter() - began


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.many_trials",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("study", nargs="?", default="tour", help="whose table is repeated (default: tour)")
    parser.add_argument("--rows", type=int, default=100_000, help="of the table (default: 100000)")
    parser.add_argument("--seeds", type=int, default=20, help="a cell (default: 20)")
    parser.add_argument("--data-dir", metavar="DIR", help="where files of data sets lie")
    parser.add_argument("--artifacts", default="artifacts", metavar="DIR", help="where studies lie")
    return parser


if __name__ == "__main__":
    main()
