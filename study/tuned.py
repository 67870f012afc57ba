"""The learning rate and batch size of each architecture and loss, as a finished study of them chose: `--tuned`."""

from pathlib import Path
from typing import Any

from study import manifest as manifests
from study import records
from study.errors import InputError
from study.space import Space, trial_name

TUNED = ("learning_rate", "batch_size")


def choices(study: str, artifacts: str | Path = records.ARTIFACTS) -> dict[str, dict[str, Any]]:
    """Pair "architecture/loss" → the levels of `TUNED` with the lowest mean `val_mse` over the study's seeds.

    A setting with a trial that diverged or failed is no choice. Ties go to the setting that stands first.

    Raises:
        InputError: No such study, one that is not finished, or one whose seeds are those of ordinary studies.
    """
    run = f"Run it first: python -m study.search {study}"
    if not (Path(artifacts) / study / "manifest.json").is_file():
        raise InputError(f"--tuned {study}: there is no such study. {run}")
    space = manifests.space_of(records.manifest(study, artifacts))
    if not space.training.get("first_seed"):
        raise InputError(
            f"--tuned {study}: its seeds begin at 0, as those that it would tune. Run it on others first: "
            f"python -m study.search SPACE --set first_seed=100 --name {study}_settings, then --tuned {study}_settings"
        )
    table = records.load(study, artifacts).set_index("trial")
    missing = [task.name for task in space.trials() if task.name not in table.index]
    if missing:
        raise InputError(f"--tuned {study}: {len(missing)} of its trials are missing, such as {missing[0]}. {run}")
    best: dict[str, tuple[float, dict]] = {}
    for cell in space.cells().values():
        seeds = range(space.training["first_seed"], space.training["first_seed"] + space.training["seeds"])
        rows = table.loc[[trial_name(cell, seed) for seed in seeds]]
        if not (rows["status"] == "completed").all():
            continue
        pair, error = f"{cell['architecture']}/{cell['loss']}", float(rows["val_mse"].mean())
        if pair not in best or error < best[pair][0]:
            best[pair] = error, {factor: cell[factor] for factor in TUNED}
    return {pair: levels for pair, (_, levels) in best.items()}


def untuned(space: Space) -> list[str]:
    """The "architecture/loss" pairs of a space for which there is no choice: they stay at the baseline."""
    return [pair for pair in pairs(space) if pair not in space.tuned]


def pairs(space: Space) -> list[str]:
    """The "architecture/loss" pairs of a space."""
    return list(dict.fromkeys(f"{cell['architecture']}/{cell['loss']}" for cell in space.cells().values()))
