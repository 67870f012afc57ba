"""`python -m analysis.latent_elbow --application NAME`: evaluates, estimates, draws and writes."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from analysis import citable, command, figures
from analysis.application_elbow_errors import APPLICATIONS, RECONSTRUCTION, errors
from analysis.application_elbow_estimates import AUC_MARGIN, BEST, MARGIN, Estimates, estimate
from analysis.latent_elbow_estimates import curves
from study import records

if TYPE_CHECKING:
    import pandas as pd

SHOWN = ["curve", "application", "rule", "choice", "best", "n", "test"]
NOTE = (
    "choice: a latent size chosen on validation images, and its 95 % interval by t inversion; best: the size with the "
    f"least mean; {BEST}: but for {100 * MARGIN:g} % of the error, {AUC_MARGIN:g} of an AUC, tested against every "
    "size; test: mean test error at the choice, 95 % t interval over seeds."
)


def answer(arguments: argparse.Namespace) -> command.Outcome:
    """Evaluates what is missing, estimates, draws and writes; what the command prints."""
    import pandas as pd

    from analysis import application_elbow_figure, application_elbow_text

    study = arguments.study or records.latest(arguments.artifacts)
    load = command.loader(records.manifest(study, arguments.artifacts), arguments.data_dir, others=True)
    wanted = APPLICATIONS if "all" in arguments.application else (RECONSTRUCTION, *arguments.application)
    wanted = tuple(name for name in APPLICATIONS if name in wanted)
    rows, _ = curves(records.load(study, arguments.artifacts))
    rows = rows[~rows["excluded"] & (rows["randomness"] == "all")]
    said = list(application_elbow_text.failures(rows))
    rows = rows[rows["status"] == "completed"]
    parts = []
    for application in wanted:
        found, missing = errors(application, rows, arguments, study, load)
        said += missing
        of = rows[["trial", "dataset", "curve", "latent_dim", "seed"]]
        parts.append(of.merge(found, on="trial").assign(application=application))
    estimates = estimate(pd.concat(parts, ignore_index=True))
    place = wanted[-1] if len(wanted) <= 2 else "applications"
    folder = records.folder(study, arguments.artifacts) / "analysis" / "latent_elbow" / place
    sizes = estimates.choice.astype(dict.fromkeys(["value", "low", "high", "best"], "Int64"))
    paths = command.write({**estimates.tables(), "choice": sizes}, folder)
    for dataset in estimates.curve["dataset"].unique():
        caption = application_elbow_text.caption(estimates, dataset)
        paths += figures.save(application_elbow_figure.plot(estimates, dataset, caption), folder / f"curves-{dataset}")
    said = [*records.notices(study, arguments.artifacts), *dict.fromkeys(said)]
    said += application_elbow_text.sentences(estimates)
    answers = application_elbow_text.answers(estimates)
    return command.Outcome(study, sizes, said, paths, SHOWN, NOTE, folder, statistics(estimates), answers)


def statistics(estimates: Estimates) -> list[pd.DataFrame]:
    """The chosen sizes, the test error at each, agreement and regret."""
    found = [
        citable.statistics(
            estimates.choice, "choice", key=["curve", "application", "rule"], prefix="choice", value="value",
            what="latent size chosen for {application} on {curve}: {rule}",
        ),
        citable.statistics(
            estimates.choice, "choice", key=["curve", "application", "rule"], prefix="error-at", value="test_error",
            what="test error of {application} on {curve} at the size chosen: {rule}", low="test_low", high="test_high",
            n="test_n", method="test_method",
        ),
        citable.statistics(
            estimates.curve, "curve", key=["curve", "application", "split", "latent_dim"], prefix="curve",
            value="error", what="{split} error of {application} on {curve} at latent size {latent_dim}",
        ),
    ]  # fmt: skip
    if len(estimates.agreement):
        found += [
            citable.statistics(
                estimates.agreement, "agreement", key=["curve", "application"], prefix="agreement", value="tau", p="p",
                what="Kendall's τ of the sizes of {curve} ranked by reconstruction and by {application}",
            ),
            citable.statistics(
                estimates.regret, "regret", key=["curve", "application", "rule"], prefix="regret", value="ratio",
                what="test error of {application} on {curve} at reconstruction's size ÷ at its own: {rule}",
            ),
        ]  # fmt: skip
    return found
