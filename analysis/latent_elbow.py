"""Which latent size is enough? The reconstruction error over latent_dim, and what rules with intervals choose on it.

    python -m analysis.latent_elbow [STUDY] [--metric val_mse]
    python -m analysis.latent_elbow [STUDY] --application all

A curve is all cells that differ in latent_dim alone, at three sizes or more. Its error is a share of what the training
mean image errs on the same split: 1 where the code tells nothing, 0 where nothing is lost.

  choice      the smallest size from which the validation error stays at or below 20, 10 and 5 % of the mean image's:
              the share is a requirement of the application. Its interval inverts t tests over seeds, and is open where
              the grid of sizes ends first. Beside it the one-standard-error rule and Kneedle. Each again without the
              last size: a threshold then keeps its answer or says that the grid ends first, while the other two
              are free to follow the grid's end.
  test error  reported at the choice; it chooses nothing.
  references  PCA fitted on the same training images, by the same rules: what needs no network. The images' intrinsic
              dimension from nearest neighbours: what needs no reconstruction.
  left out    sizes whose network has a hidden layer narrower than the code: such a layer caps every larger size.
  failed      trials are left out too, and counted beside the choice; where it would be another with the mean image's
              error in their place, that is said. At a size without a completed trial the error stays below nothing.

With --application NAME (may be given again, or "all") the same is asked of inpainting, denoising, anomaly detection and
generation, each by its own error: which sizes they choose, whether they rank the sizes as reconstruction does, and what
it costs to let reconstruction choose. Trained models are needed, and minutes where the tasks have not been run.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from analysis import application_elbow, citable, command, figures
from analysis.application_elbow_errors import APPLICATIONS
from analysis.latent_elbow_choice import CHOICES
from analysis.latent_elbow_estimates import KINDS, METRIC, Estimates, estimate, kind_of
from study import records

if TYPE_CHECKING:
    import pandas as pd

SHOWN = ["curve", "rule", "last", "choice", "pca_choice", "n", "test"]
NOTE = (
    "last: the largest size of the grid. choice, pca_choice: a latent size and its 95 % interval by inversion of t "
    "tests over n seeds or more. test: mean test error at the choice and its 95 % t interval over seeds."
)


def answer(arguments: argparse.Namespace) -> command.Outcome:
    """Estimates, draws and writes; what the command prints."""
    from analysis.latent_elbow_answer import answers
    from analysis.latent_elbow_figure import plot
    from analysis.latent_elbow_text import caption, sentences
    from analysis.pictures import gather, not_drawn

    kind_of(arguments.metric)  # before minutes are spent
    if arguments.application:
        return application_elbow.answer(arguments)
    study = arguments.study or records.latest(arguments.artifacts)
    folder = records.folder(study, arguments.artifacts) / "analysis" / "latent_elbow"
    if arguments.metric != METRIC:
        folder /= arguments.metric
    data = command.loader(records.manifest(study, arguments.artifacts), arguments.data_dir)
    trials = records.load(study, arguments.artifacts)
    estimates = estimate(trials, data, arguments.metric)
    elbow = estimates.elbow.astype(dict.fromkeys(CHOICES, "Int64"))  # sizes are written as whole numbers
    said, paths = sentences(estimates), command.write({**estimates.tables(), "elbow": elbow}, folder)
    for name, part in estimates.points[estimates.points["split"] == "val"].groupby("dataset", sort=False):
        pictures = gather(part, data(name), estimates.bases, study, arguments.artifacts)
        said += not_drawn(pictures.missing, study, name)
        paths += command.write({f"pictures-{name}": pictures.table}, folder)
        drawn = plot(estimates, name, pictures, caption(estimates, name, bool(pictures.rows)))
        paths += figures.save(drawn, folder / f"curve-{name}")
    said = records.notices(study, arguments.artifacts) + said
    numbers, answered = _citable(estimates), answers(estimates, trials)
    return command.Outcome(study, elbow, said, paths, SHOWN, NOTE, folder, numbers, answered)


def _citable(estimates: Estimates) -> list[pd.DataFrame]:
    """The chosen sizes, the test error at each, the error at every size, and the intrinsic dimension."""
    whole = estimates.elbow[~estimates.elbow["shortened"]]
    chosen = citable.statistics(
        whole, "elbow", key=["curve", "rule"], what="latent size chosen for {curve}: {rule}", value="value"
    )
    at = citable.statistics(
        whole,
        "elbow",
        key=["curve", "rule"],
        what="{test_metric} of {curve} at the size chosen: {rule}",
        value="test_error",
        low="test_low",
        high="test_high",
        n="test_n",
        method="test_method",
        prefix="error-at",
    )
    curve = citable.statistics(
        estimates.curve,
        "curve",
        key=["curve", "split", "latent_dim"],
        what="{metric} of {curve} at latent size {latent_dim} ÷ the mean image's",
        value="relative",
        prefix="curve",
    )
    return [chosen, at, curve]


def main(argv: Sequence[str] | None = None) -> int:
    """The command."""
    parser = command.parser("latent_elbow", __doc__)
    parser.add_argument(
        "--metric", default=METRIC, help=f"chooses the size: {', '.join(f'val_{kind}' for kind in KINDS)}"
    )
    parser.add_argument(
        "--application",
        action="append",
        choices=[*APPLICATIONS, "all"],
        default=[],
        help="chooses a size for it, by its own error; reconstruction stands beside it",
    )
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, metavar="N", help="processes for the tasks")
    return command.run(parser, answer, argv)


if __name__ == "__main__":
    raise SystemExit(main())
