"""Does a conclusion survive what could have been done differently? Every one of them, in one picture.

    python -m analysis.robustness [STUDY]

Conclusions are the direction of each declared contrast and the latent size that each curve chooses. Each is drawn anew
  - from another metric: test MAE, excess BCE, SSIM; validation instead of test images
  - from another stopping rule: the last epoch, early stopping with patience 3 (as declared: the best epoch of all)
  - with tuned hyperparameters, where the study STUDY_tuned was run
  - from a grid of latent sizes without its last one
  - without each seed in turn: the worst outcome counts
and is the same or another, resolved or not by its simultaneous 95 % interval. Nothing here is a new test of a claim: a
direction that turns says what the claim hangs on, and one that merely loses its resolution what fewer data cost.

Where the study STUDY_full was run, a pilot of some of its cells on all training images, their ratios of errors and
their order stand beside those of the study: does what was cut to be repeated rank as the whole would?
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis import citable, command, effects, figures
from analysis.robustness_estimates import DECLARED, SEEDS, SIZES, Estimates, Study, estimate
from analysis.robustness_full_size import SUFFIX, FullSize, Size, compare
from analysis.robustness_outcomes import NONE
from study import manifest as manifests
from study import records
from study.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

TUNED = "_tuned"
SHOWN = ["family", "conclusion", "value", "low", "high", "n", "resolved", "applicable", "same", "kept"]
NOTE = (
    "value: as declared, error ÷ the reference's, or a latent size, with its 95 % interval. applicable: variations "
    "that could be tried; same: of these, those with the same direction or size; kept: and resolved."
)


def read(study: str, artifacts: str) -> tuple[Study, str]:
    """A study's trials, learning curves and families, with those of its tuned twin; and why not, in words, if so."""
    alone = _read(study, artifacts)
    if not (Path(artifacts) / (study + TUNED) / "manifest.json").is_file():
        return alone, f"there is no study {study}{TUNED}"
    try:
        return Study(**vars(alone) | {"tuned": _aligned(alone, study, artifacts)}), ""
    except InputError as error:
        return alone, str(error)


def _read(study: str, artifacts: str) -> Study:
    trials = records.load(study, artifacts)
    families = effects.families_of(manifests.space_of(records.manifest(study, artifacts)))
    return Study(trials[trials["randomness"] == "all"], records.history(study, artifacts), families)


def _aligned(alone: Study, study: str, artifacts: str) -> Study:
    """The tuned study with its families and contrasts in the order of the other's.

    Raises:
        InputError: There is none, or it does not declare the same contrasts.
    """
    tuned = _read(study + TUNED, artifacts)
    wanted, there = (_declared(name, artifacts) for name in (study, study + TUNED))
    if any(wanted[family] != there.get(family) for family in wanted):
        raise InputError(f"the study {study}{TUNED} declares other contrasts than {study}")
    by_name = {family.name: family for family in tuned.families}
    return Study(tuned.trials, tuned.history, [by_name[family.name] for family in alone.families])


def _declared(study: str, artifacts: str) -> dict[str, str]:
    """Family → its contrasts as the search space writes them: cells have other names once they are tuned."""
    families = records.manifest(study, artifacts)["space"]["families"]
    return {name: json.dumps(family["contrasts"], sort_keys=True) for name, family in families.items()}


def answer(arguments: argparse.Namespace) -> command.Outcome:
    """Estimates, draws and writes; what the command prints."""
    from analysis import robustness_figure, robustness_full_size_figure, robustness_text

    study = arguments.study or records.latest(arguments.artifacts)
    folder = records.folder(study, arguments.artifacts) / "analysis" / "robustness"
    read_study, untuned = read(study, arguments.artifacts)
    estimates = estimate(read_study)
    paths = command.write(estimates.tables(), folder)
    paths += figures.save(robustness_figure.plot(estimates), folder / "conclusions")
    said = records.notices(study, arguments.artifacts)
    said += robustness_text.sentences(estimates, untuned)
    cited = _citable(estimates)
    if (found := at_full_size(study, arguments.artifacts, read_study.families)) is not None:
        paths += command.write(found.tables(), folder)
        paths += figures.save(robustness_full_size_figure.plot(found), folder / "full_size")
        said += robustness_text.full_size(found, study + SUFFIX)
        cited += _citable_at_full_size(found)
    return command.Outcome(study, estimates.conclusions, said, paths, SHOWN, NOTE, folder, cited)


def at_full_size(study: str, artifacts: str, families: Sequence[effects.Family]) -> FullSize | None:
    """The study beside its pilot; None where there is no pilot, or one without a pair of cells."""
    if not any((Path(artifacts) / (study + SUFFIX)).glob("trials/*/record.json")):
        return None
    return compare(_size(study, artifacts), _size(study + SUFFIX, artifacts), families)


def _size(study: str, artifacts: str) -> Size:
    space = manifests.space_of(records.manifest(study, artifacts))
    trials = records.load(study, artifacts)
    return Size(trials[trials["randomness"] == "all"], space.baseline["train_size"], space.training["epochs"])


def _citable_at_full_size(found: FullSize) -> list[pd.DataFrame]:
    """Each ratio in the pilot, and by how much it differs from the study's."""
    table = found.contrasts.assign(both=found.contrasts["n"] + found.contrasts["full_n"])
    key, of = ["family", "cell", "reference"], "{metric} of {cell} ÷ that of {reference}"
    return [
        citable.statistics(
            table, "full_size", key=key, what=f"{of}: at full size", value="full_value", low="full_low",
            high="full_high", n="full_n", method="full_method", prefix="full",
        ),
        citable.statistics(
            table, "full_size", key=key, what=f"{of}: this ratio at full size ÷ that here", value="change",
            low="change_low", high="change_high", n="both", method="change_method", p="change_p", prefix="change",
        ),
    ]  # fmt: skip


def _citable(estimates: Estimates) -> list[pd.DataFrame]:
    """Each conclusion under each variation but the many without one seed, and of how many variations it survives."""
    table = estimates.variations
    tried = table[table["outcome"].ne(NONE) & ~table["variation"].isin([DECLARED, SEEDS])]
    parts: list[tuple[str, Any, str]] = [
        ("ratio", tried["family"] != SIZES, "{metric} of {cell} ÷ that of {reference}: {variation}"),
        ("size", tried["family"] == SIZES, "latent size of {cell} by the rule {reference}: {variation}"),
    ]
    varied = [
        citable.statistics(
            tried[rows], "variations", key=["family", "cell", "reference", "variation"], what=what,
            value="value", p="p", prefix=prefix,
        )
        for prefix, rows, what in parts
    ]  # fmt: skip
    kept = citable.statistics(
        estimates.conclusions,
        "conclusions",
        key=["family", "cell", "reference"],
        what="variations of n under which this stays the same: {conclusion}",
        value="same",
        low=None,
        high=None,
        n="applicable",
        prefix="same",
    )
    return [*varied, kept]


def main(argv: Sequence[str] | None = None) -> int:
    """The command."""
    return command.run(command.parser("robustness", __doc__), answer, argv)


if __name__ == "__main__":
    raise SystemExit(main())
