"""What lies where in the latent space? Codes of test images by class, and what few dimensions can and cannot hold.

    python -m analysis.latent_space [STUDY] [--cells '*-k1-*']

  pictures   the codes of the lowest seed: their density by class at latent size 1, the codes themselves at 2, and their
             two principal components above; PCA of the same size below them.
  classes    the share of test images that the 10 nearest training codes put into another class; at size 1 also the
             error of the best threshold between two classes, and into how many pieces the line falls. What the pixels
             themselves give, and the most frequent class alone, stand beside it.
  images     trustworthiness and continuity of neighbourhoods, and the share of the images' variance that is
             reconstructed.
Each network is compared with PCA of the same size on the same images, seed by seed. Unless others are named, these are
the cells that differ from the study's first in data set and latent size alone. Where the models are gone, the codes of
32 stored images are drawn, and nothing is measured; what was measured with them is not replaced.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from fnmatch import fnmatch
from typing import TYPE_CHECKING, Any

from analysis import applications, citable, command, fewer_seeds, figures
from analysis.effects_contrasts import cell_of
from analysis.latent_space_bench import TASK
from study import records
from study.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

SHOWN = ["cell", "measure", "value", "low", "high", "pca", "difference", "difference_low", "difference_high", "n"]
NOTE = (
    "value: mean over seeds and its 95 % t interval; pca: the same of PCA at the same size; difference: network less "
    "PCA, paired by seed, with its 95 % t interval, each alone (descriptive)."
)


def chosen(trials: pd.DataFrame, manifest: dict[str, Any], pattern: str | None) -> list[str]:
    """The cells to be looked at: those that match, or that differ from the first in data set and size alone.

    Raises:
        InputError: No completed trial is among them.
    """
    completed = trials[(trials["status"] == "completed") & (trials["randomness"] == "all")]
    there = list(dict.fromkeys(cell_of(completed)))
    cells = manifest["cells"]
    if pattern is not None:
        found = [cell for cell in there if fnmatch(cell, pattern)]
    else:
        first = _rest(next(iter(cells.values())))
        found = [cell for cell in there if _rest(cells[cell]) == first]
    if not found:
        raise InputError(
            f"no completed cell {'matches --cells ' + pattern if pattern else 'like the first of the study'}. "
            f"There are: {', '.join(there) or 'none'}."
        )
    return sorted(found, key=lambda cell: (list(cells).index(_of_data(cells, cell)), cells[cell]["latent_dim"]))


def _rest(cell: dict[str, Any]) -> dict[str, Any]:
    return {factor: level for factor, level in cell.items() if factor not in ("dataset", "latent_dim")}


def _of_data(cells: dict[str, Any], cell: str) -> str:
    """The first cell on the same data set: so that a data set's cells stand together."""
    return next(name for name, levels in cells.items() if levels["dataset"] == cells[cell]["dataset"])


def answer(arguments: argparse.Namespace) -> command.Outcome:
    """Encodes what is missing, estimates, draws and writes; what the command prints."""
    from analysis import latent_space_estimates as estimates
    from analysis import latent_space_figure, latent_space_text

    study = arguments.study or records.latest(arguments.artifacts)
    manifest = records.manifest(study, arguments.artifacts)
    trials = records.load(study, arguments.artifacts)
    cells = chosen(trials, manifest, arguments.cells)
    folder = records.folder(study, arguments.artifacts) / "analysis" / "latent_space"
    load = command.loader(manifest, arguments.data_dir)
    said = records.notices(study, arguments.artifacts)
    if not _models(study, arguments.artifacts, trials, cells):
        fewer_seeds.refuse(folder / "cells.csv", None, manifest["cells"], study)
        stored = estimates.stored(trials, cells, load, lambda t: records.examples(study, t, arguments.artifacts))
        return _drawn(study, estimates.summarise(stored), stored, folder, [*said, latent_space_text.GONE.format(study)])
    results, missing = _evaluate(arguments, study, cells, load)
    found = estimates.estimate(results)
    fewer_seeds.refuse(folder / "cells.csv", found.cells, cells if missing else (), study)
    said += missing
    paths = command.write(found.tables(), folder)
    for stem, figure in latent_space_figure.draw_all(found):
        paths += figures.save(figure, folder / stem)
    said += latent_space_text.sentences(found)
    return command.Outcome(study, found.cells, said, paths, SHOWN, NOTE, folder, _citable(found.cells))


def _models(study: str, artifacts: str, trials: pd.DataFrame, cells: Sequence[str]) -> bool:
    """Whether any of these cells has a model left."""
    place = records.folder(study, artifacts) / "trials"
    return any((place / name / "model.keras").is_file() for name in trials.loc[cell_of(trials).isin(cells), "trial"])


def _evaluate(
    arguments: argparse.Namespace, study: str, cells: Sequence[str], load: Any
) -> tuple[list[applications.Results], list[str]]:
    """The results of each cell whose models are there, and in words what is missing."""
    results, missing = [], []
    for cell in cells:
        options = argparse.Namespace(**{**vars(arguments), "cells": f"{cell}-s[0-9]*", "split": "test"})
        try:
            results.append(applications.evaluate(TASK, options, study, load))
            missing += results[-1].missing
        except InputError as error:
            missing.append(f"{cell}: {error}")
    if not results:
        raise InputError(missing[0])
    return results, _first_of(list(dict.fromkeys(missing)))


def _first_of(missing: list[str]) -> list[str]:
    """What is missing, a sentence a cell; of more than three, the first and how many more."""
    return missing if len(missing) <= 3 else [f"{missing[0]}; in {len(missing) - 1} other cells likewise"]


def _drawn(study: str, table: pd.DataFrame, codes: pd.DataFrame, folder: Path, said: list[str]) -> command.Outcome:
    """The outcome without models: pictures of the stored codes alone."""
    from analysis import latent_space_figure

    paths = command.write({"codes": codes}, folder)
    for stem, figure in latent_space_figure.draw_codes(codes):
        paths += figures.save(figure, folder / stem)
    return command.Outcome(study, table, said, paths, [], "codes of stored images; nothing is measured", folder)


def _citable(table: pd.DataFrame) -> list[pd.DataFrame]:
    """Each measure of each cell, of PCA beside it, and their difference."""
    columns = {
        "network": ("{words}, {cell}", "value", "low", "high", None),
        "pca": ("{words}, PCA of the size of {cell}", "pca", "pca_low", "pca_high", None),
        "difference": (
            "{words}, {cell} less PCA of its size", "difference", "difference_low", "difference_high", "p",
        ),
    }  # fmt: skip
    return [
        citable.statistics(
            table, "cells", key=["cell", "measure"], what=what, value=value, low=low, high=high, p=p, prefix=prefix
        )
        for prefix, (what, value, low, high, p) in columns.items()
    ]


def main(argv: Sequence[str] | None = None) -> int:
    """The command."""
    parser = command.parser("latent_space", __doc__)
    parser.add_argument("--cells", metavar="PATTERN", help="only cells whose name matches, such as '*-k1-*'")
    parser.add_argument(
        "--images", type=int, default=TASK.images, metavar="N", help=f"test images a trial (default: {TASK.images})"
    )
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, metavar="N", help="processes")
    return command.run(parser, answer, argv)


if __name__ == "__main__":
    raise SystemExit(main())
