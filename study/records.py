"""The contract between training and analysis: what a study's folder holds, and how it is read and written.

A trial's `record.json` is the truth: written once, atomically, never changed. `trials.csv` and `history.csv` are
derived from the records at any time; models are a cache. Needs no Keras, except to load a model.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from study import files, provenance, quiet
from study import manifest as manifests
from study.errors import InputError
from study.space import FACTORS, Space, cell_name, trial_hash, trial_name

ARTIFACTS = Path("artifacts")
STATUSES = ("completed", "diverged", "error")
METRICS = ("mse", "mae", "bce", "excess_bce", "fvu", "psnr", "ssim")
TIMES = ("first_epoch_seconds", "epoch_seconds", "trial_seconds", "evaluation_seconds", "traced")  # never comparable
COLUMNS = (
    *("trial", *FACTORS, "seed", "status", "n_parameters", "narrowest_width", "epochs", "best_epoch"),
    *("first_epoch_seconds", "epoch_seconds"),
    *(f"{split}_{metric}" for split in ("train", "val", "heldout", "test") for metric in METRICS),
    *("test_mse_image_sd", "active_units", "collapsed", "error"),
    *("traced", "trial_seconds", "evaluation_seconds", "environment"),
)
HISTORY_COLUMNS = ("trial", "epoch", "loss", "val_loss", "val_mse", "val_bce", "gradient_scale", "seconds")


def folder(study: str, artifacts: str | Path = ARTIFACTS) -> Path:
    """The folder of a study.

    Raises:
        InputError: There is no such study; the message lists those there are.
    """
    path = Path(artifacts) / study
    if not (path / "manifest.json").is_file():
        known = ", ".join(studies(artifacts)) or "none yet"
        raise InputError(
            f"no study '{study}' under {artifacts}/. There: {known}. Run one: python -m study.search quick"
        )
    return path


def studies(artifacts: str | Path = ARTIFACTS) -> list[str]:
    """The names of all studies, the one that changed last at the end."""
    manifests = Path(artifacts).glob("*/manifest.json")
    return [path.parent.name for path in sorted(manifests, key=lambda path: _changed(path.parent))]


def latest(artifacts: str | Path = ARTIFACTS) -> str:
    """The study that changed last.

    Raises:
        InputError: There is none.
    """
    if names := studies(artifacts):
        return names[-1]
    raise InputError(f"no study under {artifacts}/ yet. Run one: python -m study.search quick")


def manifest(study: str, artifacts: str | Path = ARTIFACTS) -> dict[str, Any]:
    """The frozen description of a study: "study", "space", "cells" {name: cell}, "data" {dataset: shape, hashes}.

    Raises:
        InputError: No such study, or its manifest is damaged.
    """
    path = folder(study, artifacts) / "manifest.json"
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return {**found, **{key: found[key] for key in ("study", "space", "cells", "data")}}
    except (ValueError, KeyError) as error:
        raise InputError(
            f"{path} is damaged ({error}). Its trials are safe: run the study's search command again to rewrite it."
        ) from error


def load(study: str, artifacts: str | Path = ARTIFACTS) -> Any:
    """The trials table: a pandas DataFrame, one row a trial, the columns `COLUMNS`, in the order of cells and seeds.

    Cells or factors that have no level are None. Metrics of trials that did not complete are NaN.

    Raises:
        InputError: No such study, no records in it, or records that do not belong to it.
    """
    import pandas as pd

    rows = [_row(record) for record in _stored(study, artifacts)]
    if not rows:
        raise InputError(f"the study '{study}' has no finished trial yet. Run: python -m study.search {study}")
    return pd.DataFrame(rows, columns=list(COLUMNS))


def history(study: str, artifacts: str | Path = ARTIFACTS) -> Any:
    """The learning curves: a pandas DataFrame, one row an epoch and trial, the columns `HISTORY_COLUMNS`."""
    import pandas as pd

    rows = [{"trial": r["trial"], **epoch} for r in _stored(study, artifacts) for epoch in r["history"]]
    return pd.DataFrame(rows, columns=list(HISTORY_COLUMNS))


def notices(study: str, artifacts: str | Path = ARTIFACTS) -> list[str]:
    """What every analysis has to say about a study's records: mixed environments, several machines. Mostly nothing."""
    by_seed: dict[int, dict[str, dict]] = {}
    for record in _stored(study, artifacts):
        by_seed.setdefault(record["seed"], {})[environment_key(record["environment"])] = record["environment"]
    found = []
    if mixed := {seed: list(e.values()) for seed, e in by_seed.items() if len(e) > 1}:
        what = sorted({line for envs in mixed.values() for line in provenance.differences(envs[0], envs[1])})
        found.append(f"MIXED: trials of seed(s) {_listed(mixed)} come from different environments: {'; '.join(what)}.")
    if len({key for environments in by_seed.values() for key in environments}) > 1 and not mixed:
        found.append("Seeds of this study come from several machines or library versions; times are not compared.")
    return found


def examples(study: str, trial: str, artifacts: str | Path = ARTIFACTS) -> dict[str, np.ndarray]:
    """`index` (32,) of test images, `codes` (32, k) and `reconstructions` (32, H, W, C) as uint8.

    Raises:
        InputError: They are gone or damaged; the message gives the command that rebuilds them.
    """
    path = _of_trial(study, trial, "examples.npz", artifacts)
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            return {name: stored[name] for name in ("index", "codes", "reconstructions")}
    except Exception as error:  # a damaged archive raises what its parts raise: BadZipFile, zlib.error, EOFError
        raise InputError(
            f"{path} cannot be read ({error}). Rebuild it: python -m study.search {study} --rebuild {trial}"
        ) from error


def model_file(study: str, trial: str, artifacts: str | Path = ARTIFACTS) -> Path:
    """Where the trained model of a trial lies.

    Raises:
        InputError: It is gone; the message gives the command that rebuilds it.
    """
    return _of_trial(study, trial, "model.keras", artifacts)


def _of_trial(study: str, trial: str, name: str, artifacts: str | Path) -> Path:
    path = folder(study, artifacts) / "trials" / trial / name
    if not path.is_file():
        raise InputError(f"{path} is gone. Rebuild it: python -m study.search {study} --rebuild {trial}")
    return path


def load_model(study: str, trial: str, artifacts: str | Path = ARTIFACTS) -> Any:
    """The trained `keras.Model` of a trial, images → reconstructions, with layers "encoder" and "decoder".

    Loaded in Keras' safe mode: nothing is unpickled, no code in the file is run.

    Raises:
        InputError: The model is gone or unreadable; the message gives the command that rebuilds it.
    """
    path = model_file(study, trial, artifacts)
    keras = quiet.keras()
    try:
        return keras.models.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # Keras raises what its parts raise: ValueError, OSError, KeyError, BadZipFile
        raise InputError(
            f"{path} cannot be loaded ({type(error).__name__}: {error}). "
            f"Remove it and rebuild it: python -m study.search {study} --rebuild {trial}"
        ) from error


def read_record(study_folder: Path, trial: str, expected_hash: str) -> dict[str, Any] | None:
    """A trial's record if it is there, whole, and of exactly this trial; otherwise None."""
    try:
        found = json.loads((study_folder / "trials" / trial / "record.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(found, dict) or found.get("hash") != expected_hash or found.get("status") not in STATUSES:
        return None
    return found if found["trial"] == trial == trial_name(found["cell"], found["seed"]) else None


def expected_hashes(space: Space, data: Mapping[str, Any], seeds: int) -> dict[str, str]:
    """Trial name → the hash that its record must carry."""
    return {
        task.name: trial_hash(space, task.cell, task.seed, data[task.cell["dataset"]]["hashes"])
        for task in space.trials(seeds)
    }


def _stored(study: str, artifacts: str | Path) -> Iterable[dict[str, Any]]:
    """The valid records of the manifest's trials, in the order of its cells and seeds."""
    described = manifest(study, artifacts)
    space, path = manifests.space_of(described), folder(study, artifacts)
    hashes = expected_hashes(space, described["data"], space.training["seeds"])
    position = {name: number for number, name in enumerate(space.cells())}
    order = sorted(space.trials(), key=lambda task: (position[cell_name(task.cell)], task.seed))
    found = (read_record(path, task.name, hashes[task.name]) for task in order)
    return [record for record in found if record is not None]


def _row(record: Mapping[str, Any]) -> dict[str, Any]:
    values = {**record["cell"], **record["values"], **{k: record[k] for k in ("trial", "seed", "status")}}
    return {**values, "error": record["error"] or None, "environment": environment_key(record["environment"])}


def environment_key(environment: Mapping[str, Any]) -> str:
    """A short name for an environment: equal where trials may be compared in pairs."""
    return hashlib.sha256(json.dumps(environment, sort_keys=True).encode()).hexdigest()[:8]


def _listed(items: Iterable) -> str:
    return ", ".join(str(item) for item in sorted(items))


def _changed(path: Path) -> float:
    trials = path / "trials"
    return (trials if trials.is_dir() else path).stat().st_mtime


def write_tables(study: str, artifacts: str | Path = ARTIFACTS) -> list[Path]:
    """Derives `trials.csv` and `history.csv` from the records, in the place of a packed one; the paths written."""
    path = folder(study, artifacts)
    tables = {"trials.csv": load(study, artifacts), "history.csv": history(study, artifacts)}
    for name, table in tables.items():
        files.write_table(path / name, table.to_csv(index=False, lineterminator="\n"))
    return [path / name for name in tables]
