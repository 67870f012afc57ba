"""A page to explore a study's models by hand: one HTML file, which needs neither a network nor Python.

    python -m analysis.explorer [STUDY] [--cells PATTERN] [--images N] [--limit MB]

Choose data set, architecture, latent size and loss, and see
  plane       the codes of test images, and the picture decoded where the pointer is: decoded by the trained model on a
              grid over the range of the codes, interpolated between; above two dimensions, in the plane of the two
              principal directions of the codes.
  image       a test image beside its reconstruction, with error map and scores.
  walk        from one image to another on the straight line between their codes; the mixture of their pixels beside it.
  elbow       the curve with the chosen size, its points linked to the models, where `analysis.latent_elbow` was run.

Of each cell the model of the lowest seed is shown. This is for looking; what may be said of a cell needs all its seeds,
and stands in the other analyses.
"""

from __future__ import annotations

import argparse
import fnmatch
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from analysis import command
from study import files, records
from study.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from analysis.explorer_gather import Gathered

IMAGES = 200  # test images a model, unless the user says otherwise
LIMIT = 10.0  # megabytes: what a browser opens at once
SHOWN = ["trial", "test_mse", "mean", "low", "high", "n", "off_grid", "kilobytes"]
NOTE = (
    "test_mse: of the model shown. mean: geometric, over the n seeds of its cell that were completed, with a 95 % t "
    "interval of the log. off_grid: mean absolute difference (pixel value, 0 to 1) of a picture interpolated in the "
    "middle between nodes of the grid and the decoded one. kilobytes: its part of the page."
)


def choose(trials: pd.DataFrame, pattern: str, study: str) -> pd.DataFrame:
    """The trials that are shown: of each cell that matches, the lowest seed that was completed.

    Raises:
        InputError: None matches.
    """
    whole = trials[trials["randomness"] == "all"]  # the others train the same cells, for the spread over seeds alone
    named = whole[whole["trial"].map(lambda name: fnmatch.fnmatchcase(name, pattern)).astype(bool)]
    done = named[named["status"] == "completed"]
    if done.empty:
        completed = whole.loc[whole["status"] == "completed", "trial"]
        raise InputError(
            f"no completed trial of '{study}' matches --cells '{pattern}' ({len(whole)} trials, "
            f"{len(completed)} completed). Allowed are patterns of trial names such as '*-k8-*'. "
            f"{command.instead(list(completed), study)}"
        )
    cells = done["trial"].str.replace(r"-s\d+$", "", regex=True)
    return done.loc[done.groupby(cells, sort=False)["seed"].idxmin()]


def answer(arguments: argparse.Namespace) -> command.Outcome:
    """Computes, writes the page and its tables; what the command prints."""
    from analysis import explorer_content, explorer_gather, explorer_page

    if arguments.images < 2 or not arguments.limit > 0:
        raise InputError(f"--images {arguments.images} --limit {arguments.limit:g}: at least 2 images; more than 0 MB.")
    study = arguments.study or records.latest(arguments.artifacts)
    folder = records.folder(study, arguments.artifacts) / "analysis"
    trials = records.load(study, arguments.artifacts)
    chosen = choose(trials, arguments.cells, study)
    gathered = explorer_gather.gather(trials, chosen, study, arguments)
    curves = explorer_content.curves(folder / "latent_elbow", gathered.models)
    notices = records.notices(study, arguments.artifacts)
    said = [*notices, *gathered.missing]
    page = explorer_page.page({**gathered.content, "study": study, "curves": curves, "notices": said})
    explorer_gather.check_size(len(page), arguments.limit)
    paths = command.write({"models": gathered.models, "images": gathered.images}, folder / "explorer")
    path = folder / "explorer" / "explorer.html"
    files.write_atomically(path, page.encode())
    said += _sentences(gathered, curves, study, len(page))
    return command.Outcome(study, gathered.models, said, [path, *paths], SHOWN, NOTE)


def _sentences(gathered: Gathered, curves: list[dict[str, Any]], study: str, size: int) -> list[str]:
    worst = gathered.models.loc[gathered.models["off_grid"].idxmax()]
    said = [
        f"The page shows {len(gathered.models)} models, {size / 1e6:.1f} MB in all. It is one file: open it in a "
        "browser, or send it to someone.",
        "Pictures at the nodes of the grid are the model's own, to the nearest of 256 grey levels. In the middle "
        f"between nodes they are interpolated and differ by {worst['off_grid']:.4f} on average (mean absolute "
        f"difference of a pixel from 0 to 1) for {worst['trial']}, where it is largest.",
    ]
    if not curves:
        said.append(f"It has no elbow curve: run python -m analysis.latent_elbow {study}, then this command once more.")
    return said


def main(argv: Sequence[str] | None = None) -> int:
    """The command."""
    parser = command.parser("explorer", __doc__)
    add = parser.add_argument
    add("--cells", default="*", metavar="PATTERN", help="only trials whose name matches, such as '*-k8-*'")
    add("--images", type=int, default=IMAGES, metavar="N", help=f"test images a model (default: {IMAGES})")
    add("--limit", type=float, default=LIMIT, metavar="MB", help=f"the page may not be larger (default: {LIMIT:g} MB)")
    return command.run(parser, answer, argv)


if __name__ == "__main__":
    raise SystemExit(main())
