"""What does each modification of the baseline change? Problem 1 of the assignment: training time, loss, performance.

    python -m analysis.effects [STUDY]

Every contrast that the study's search space declares in FAMILIES: a cell against its reference, seed by seed.

  performance  the ratio of errors by the family's own metric, with simultaneous intervals over seeds within the family
               (joint sign flips from 10 seeds on, below paired t by Bonferroni); the interval decides what is said.
               Other metrics beside it, descriptive. Data sets are compared on unexplained variance, and against PCA.
  failures     failed trials are data: rates with intervals, and each contrast again with failures at the mean image's
               error.
  training     equal epochs on equal data are what is compared. Beside it: learning curves, the epochs until a cell is
               down to the error that its reference ends with, and the same verdicts had training stopped early.
  time         seconds an epoch where `python -m study.cost STUDY` has measured them; those of a search are described.
  why          for each modification its code against what it replaces, the reason for it, and an explanation with the
               measurement that could have refuted it: modifications.json, for the report.

Trained networks are asked for what their codes hold, where a modification changes the code or passes it by;
--no-models leaves that out. Where one of two cells was not asked, both are compared on the examples that trials store.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from analysis import command, figures
from analysis.effects_contrasts import contrasts, pairs
from analysis.effects_errors import LEFT_OUT, MEAN_IMAGE, cell_of
from analysis.effects_families import Contrast, Family, families_of
from analysis.effects_seeds import with_seed_apart
from study import files, manifest, records
from study.errors import InputError
from study.levels import has
from study.space import Space, cell_name

if TYPE_CHECKING:
    import pandas as pd

    from study.datasets import Dataset

__all__ = ["LEFT_OUT", "MEAN_IMAGE", "Contrast", "Family", "contrasts", "estimate", "families_of", "pairs"]

SHOWN = ["family", "label", "n", "failed", "ratio", "ratio_low", "ratio_high", "p", "verdict"]
NOTE = (
    "ratio: geometric mean over n seeds of error ÷ the reference's, with its simultaneous 95 % interval; p adjusted "
    "within the family; below 1: less error; failed: trials of the cell."
)


@dataclass(frozen=True)
class Estimates:
    """All the numbers.

    Attributes:
        families: The declared families.
        baseline: The name of the study's baseline cell.
        contrasts: Of each family's own metric (`effects_contrasts.contrasts`), with the cell's `latent_dim`, the units
            of the `narrowest_width` of its hidden layers (the code is none; NaN where not known), and `past_code`:
            whether one of the two decoders sees the image past the code, and the other does not; and the seed that
            makes most of the spread (`effects_seeds`).
        others: The same of other metrics, descriptive; rows without a pair are left out.
        over_pca: Of the contrasts of which PCA's own error differs, each side's error ÷ PCA's.
        sensitivity: The same as `contrasts` with failed trials at the mean image's error.
        pairs: The differences behind `contrasts`, a row a seed.
        failures: How often each cell fails.
        curves, ends, reach, stopping: Of training (`effects_training`).
        cost: Ratios of seconds an epoch; empty where nothing was measured.
        unmeasured: The cells whose time was not measured.
        search_time: Seconds an epoch as the search noted them, while other trials ran beside; descriptive.
        mechanism: What each explanation predicts, and what was measured.
    """

    families: list[Family]
    baseline: str
    contrasts: pd.DataFrame
    others: pd.DataFrame
    over_pca: pd.DataFrame
    sensitivity: pd.DataFrame
    pairs: pd.DataFrame
    failures: pd.DataFrame
    curves: pd.DataFrame
    ends: pd.DataFrame
    reach: pd.DataFrame
    stopping: pd.DataFrame
    cost: pd.DataFrame
    unmeasured: list[str]
    search_time: pd.DataFrame
    mechanism: pd.DataFrame

    def tables(self) -> dict[str, pd.DataFrame]:
        """Every table by its name."""
        names = ("contrasts", "others", "sensitivity", "pairs", "failures", "curves", "ends", "reach", "stopping")
        return {name: getattr(self, name) for name in (*names, "over_pca", "cost", "search_time", "mechanism")}


def estimate(
    trials: pd.DataFrame,
    history: pd.DataFrame,
    space: Space,
    *,
    cost: pd.DataFrame | None = None,
    codes: pd.DataFrame | None = None,
) -> Estimates:
    """All the numbers of the declared families of a study.

    Args:
        trials: The trials table; with `test_over_pca` and `test_pca_fvu` where cells see other images
            (`effects_pca.with_pca`).
        history: The learning curves.
        space: The study's search space.
        cost: Measurements of `effects_cost.rounds`.
        codes: What codes hold, from `effects_codes`.

    Raises:
        InputError: The space declares no family; no contrast has a pair yet.
    """
    from analysis import effects_cost, effects_failures, effects_mechanism, effects_others, effects_training
    from analysis.code_diff import registries

    families = families_of(space)
    if not families:
        raise InputError(
            f"the search space '{space.name}' declares no FAMILIES: no comparison was decided on before the results. "
            'Add FAMILIES = {"NAME": dict(metric="test_mse", contrasts=[(dict(FACTOR=LEVEL), {})])} to it and run its '
            "search again: contrasts extend a study."
        )
    named = trials.assign(cell=cell_of(trials))
    cells = {name for family in families for c in family.contrasts for name in c.names}
    mine = named[named["cell"].isin(cells)]
    differences = pairs(mine, families)
    primary = with_seed_apart(contrasts(mine, families), differences)
    primary = _with_networks(primary, mine, families, space.architectures)
    if not (primary["n"] > 0).any():
        raise InputError(f"no declared contrast has a pair yet: {primary['verdict'].iloc[0]}.")
    curves = effects_training.curves(history, mine, families)
    codes = effects_mechanism.no_codes() if codes is None else codes
    known = effects_mechanism.measured(mine, history, codes)
    cost_ratios = effects_cost.ratios(cost, families)
    return Estimates(
        families,
        cell_name(space.complete({})),
        primary,
        effects_others.others(mine, families),
        effects_others.over_pca(mine, families),
        contrasts(mine, _with_mean_image(families), failures=MEAN_IMAGE),
        differences,
        effects_failures.failures(mine, families, space.training["seeds"]),
        curves,
        effects_training.ends(curves),
        effects_cost.at_speed(effects_training.reach(history, mine, families), cost_ratios),
        effects_training.stopping(history, mine, families),
        cost_ratios,
        effects_cost.unmeasured(cost, families),
        effects_cost.in_search(mine, families),
        effects_mechanism.mechanisms(known, families, registries(space), primary),
    )


def _with_networks(
    table: pd.DataFrame, trials: pd.DataFrame, families: Sequence[Family], architectures: Mapping[str, Any]
) -> pd.DataFrame:
    """The contrasts, in the order declared, with what limits or by-passes the code (`Estimates.contrasts`)."""
    declared = [contrast for family in families for contrast in family.contrasts]
    widths = trials["narrowest_width"].astype(float).groupby(trials["cell"]).min()
    skips = [[has(architectures.get(levels["architecture"]), "skips") for _, levels in c.sides] for c in declared]
    return table.assign(
        latent_dim=[contrast.levels["latent_dim"] for contrast in declared],
        narrowest_width=table["cell"].map(widths),
        past_code=[cell != reference for cell, reference in skips],
    )


def _with_mean_image(families: Sequence[Family]) -> list[Family]:
    """Those by whose metric the mean image's error is known."""
    return [family for family in families if figures.split_of(family.metric)[1] in ("mse", "fvu")]


def answer(arguments: argparse.Namespace) -> command.Outcome:
    """Estimates, draws and writes; what the command prints."""
    from analysis import (
        effects_answers,
        effects_citable,
        effects_cost,
        effects_figures,
        effects_modifications,
        effects_text,
    )

    study = arguments.study or records.latest(arguments.artifacts)
    described = records.manifest(study, arguments.artifacts)
    space = manifest.space_of(described)
    place = records.folder(study, arguments.artifacts)
    folder = place / "analysis" / "effects"
    load = command.loader(described, arguments.data_dir)
    trials, said = _with_pca(records.load(study, arguments.artifacts), space, load)
    codes, missing = _codes(arguments, study, trials, space, load)
    history = records.history(study, arguments.artifacts)
    estimates = estimate(trials, history, space, cost=effects_cost.rounds(place), codes=codes)
    paths = command.write(estimates.tables(), folder)
    blocks = effects_modifications.blocks(estimates, space, described["data"])
    files.write_atomically(folder / "modifications.json", _to_json(blocks))
    paths.append(folder / "modifications.json")
    for name, figure in effects_figures.plots(estimates):
        paths += figures.save(figure, folder / name)
    said += [*_in_short(missing, study), *effects_text.sentences(estimates, study)]
    said = [*records.notices(study, arguments.artifacts), *said]
    channels = {name: data["shape"][2] for name, data in described["data"].items()}
    return command.Outcome(
        study,
        estimates.contrasts,
        said,
        paths,
        SHOWN,
        NOTE,
        folder,
        effects_citable.statistics(estimates),
        effects_answers.answers(estimates, channels),
    )


def _with_pca(trials: pd.DataFrame, space: Space, load: Callable[[str], Dataset]) -> tuple[pd.DataFrame, list[str]]:
    """The trials with PCA's errors where cells see other images; or in words why there are none."""
    from analysis import effects_pca

    cells = effects_pca.across_images(families_of(space))
    if not cells:
        return trials, []
    try:
        return effects_pca.with_pca(trials, cells, load), []
    except InputError as error:
        return trials, [f"Errors were not compared with PCA's: {error}"]


def _codes(
    arguments: argparse.Namespace, study: str, trials: pd.DataFrame, space: Space, load: Callable[[str], Dataset]
) -> tuple[pd.DataFrame, list[str]]:
    """What the codes hold: of every cell's stored examples, and by the models where contrasts are about the code."""
    import pandas as pd

    from analysis import effects_codes

    families = families_of(space)
    cells = list(dict.fromkeys(name for family in families for c in family.contrasts for name in c.names))
    asked = [] if arguments.no_models else _about_codes(families, space.architectures)
    trained = set(cell_of(trials[trials["status"] == "completed"]))
    found, missing = effects_codes.measure(study, [c for c in asked if c in trained], arguments.artifacts, load)
    examples, gone = effects_codes.of_examples(study, trials, cells, arguments.artifacts, load)
    tables = [table for table in (found, examples) if len(table)]
    return pd.concat(tables, ignore_index=True) if tables else found, [*missing, *gone]


def _in_short(missing: Sequence[str], study: str) -> Iterator[str]:
    """What could not be asked of codes, with one command for all that it makes again."""
    gone = [text for text in missing if "--rebuild" in text]
    yield from (text for text in missing if text not in gone)
    if gone:
        yield (
            "Models or stored examples of some trials are not here, so that less is known of their codes: "
            f"python -m study.search {study} --rebuild '*' makes them again."
        )


def _about_codes(families: Sequence[Family], architectures: Mapping[str, Any]) -> list[str]:
    """The cells of the contrasts about the latent size, or about a network that passes the code by."""
    chosen = [
        c
        for family in families
        for c in family.contrasts
        if "latent_dim" in c.factors
        or any(has(architectures.get(side["architecture"]), "skips") for _, side in c.sides)
    ]
    return list(dict.fromkeys(name for c in chosen for name in c.names))


def _to_json(blocks: list[dict[str, Any]]) -> bytes:
    return (json.dumps(blocks, indent=1, ensure_ascii=False) + "\n").encode()


def main(argv: Sequence[str] | None = None) -> int:
    """The command."""
    parser = command.parser("effects", __doc__)
    parser.add_argument(
        "--no-models", action="store_true", help="leave out what needs trained networks: class overlap, use of the code"
    )
    return command.run(parser, answer, argv)


if __name__ == "__main__":
    raise SystemExit(main())
