"""What is left of an image? The same test images through every cell and every seed, side by side.

    python -m analysis.reconstructions [STUDY]

The images are chosen by rule before any network is trained: by their error under a principal component analysis, the
ones around the median, and an even draw of the worst tenth. No model is needed: each trial has stored what it made of
them, with 8 bits a pixel. The pictures show no numbers; tables hold the error of every image in every trial
(images.csv), the geometric mean of a cell's error over seeds with its t interval on the log scale, and what share of it
all seeds of the cell have in common, which more seeds would not average out (cells.csv). Where examples are gone,
tables of more seeds are not replaced.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from analysis import citable, command, fewer_seeds, figures
from analysis.effects_contrasts import cell_of
from analysis.reconstructions_estimates import Estimates, estimate
from study import records

if TYPE_CHECKING:
    import pandas as pd

SHOWN = ["shown", "cell", "kind", "error", "low", "high", "common", "n", "images"]
NOTE = (
    "error: MSE on the stored test images of a kind (squared pixel value, lower is better), geometric mean over seeds "
    "of the mean over images, and its 95 % t interval. common: share of that error that all seeds of the cell repeat."
)


def answer(arguments: argparse.Namespace) -> command.Outcome:
    """Estimates, draws and writes; what the command prints."""
    from analysis import reconstructions_figure, reconstructions_text

    study = arguments.study or records.latest(arguments.artifacts)
    folder = records.folder(study, arguments.artifacts) / "analysis" / "reconstructions"
    load = command.loader(records.manifest(study, arguments.artifacts), arguments.data_dir)
    trials = records.load(study, arguments.artifacts)
    estimates = estimate(trials, load, lambda trial: records.examples(study, trial, arguments.artifacts))
    lacking = set(cell_of(trials[trials["trial"].isin(list(estimates.gone))]))
    fewer_seeds.refuse(folder / "cells.csv", estimates.cells, lacking, study)
    paths = command.write(estimates.tables(), folder)
    for stem, figure in reconstructions_figure.draw_all(estimates):
        paths += figures.save(figure, folder / stem)
    said = [*records.notices(study, arguments.artifacts), *reconstructions_text.sentences(estimates)]
    return command.Outcome(study, estimates.cells, said, paths, SHOWN, NOTE, folder, _citable(estimates))


def _citable(estimates: Estimates) -> list[pd.DataFrame]:
    """The error of every cell on either kind of images, and the share that its seeds have in common."""
    error = citable.statistics(
        estimates.cells,
        "cells",
        key=["cell", "kind"],
        what="MSE of {cell} on its {kind} example images",
        value="error",
    )
    common = citable.statistics(
        estimates.cells,
        "cells",
        key=["cell", "kind"],
        what="share of the error of {cell} on its {kind} example images that all seeds have in common",
        value="common",
        low=None,
        high=None,
        prefix="common",
    )
    return [error, common]


def main(argv: Sequence[str] | None = None) -> int:
    """The command."""
    return command.run(command.parser("reconstructions", __doc__), answer, argv)


if __name__ == "__main__":
    raise SystemExit(main())
