"""Can residual blocks be included in an autoencoder, and what do they change? And skips that pass the code by?

    python -m analysis.residual [STUDY]

Two kinds of skips are kept apart. Within encoder and decoder, `residual` stands against `plain_deep`, which has the
same layers, parameters and depth; nothing but the additions is missing:

  interaction   does the effect of the skips grow with depth? The log ratio of the test errors, residual ÷ plain, as a
                slope over log2 depth in each seed, then a t interval over seeds: a factor below 1 says that a doubling
                of depth is better borne with skips. The declared estimand; at each depth the ratio itself, as a family.
                Where trials failed, the same with failures at the mean image's error stands beside it.
  convergence   epochs until the validation error the shallowest plain network ends with, and until that which the
                plain twin of the same seed has at its best; trials that never reach it are counted, not dropped.
  gradients     their size at the first kernel over the first epoch, with skips and without: the mechanism that skips
                are said to have, and a measurement that could refute it.
  modes         the ratio by the training loss, where each batch is normalised by itself, beside that by errors, where
                running means and variances are used: how much of the lead is there in training already.
  failures      trials that diverged, or learnt next to nothing: the mean image explains none of the variance, they
                hardly more. Clopper-Pearson intervals.
  cost          seconds an epoch, where `study.cost` has measured them alone on the machine.

Past the code, the U-Net is the control: its latent use says how much the output changes when the code is replaced by
another image's, ÷ the change between the two images' outputs (1: all goes through the code). What the leak does to
reconstruction, anomaly detection and generation is read from the results of those analyses.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from analysis import citable, command, figures, residual_modes
from study import records
from study.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from analysis.residual_estimates import Estimates

SHOWN = ["dataset", "of", "depth", "ratio", "low", "high", "p", "n", "residual", "plain_deep", "verdict"]
USE_SHOWN = ["dataset", "cell", "use", "low", "high", "n", "n_images"]
NOTE = "ratio: test MSE, residual ÷ plain, geometric mean over n seeds; below 1, the skips help. "
USE_NOTE = "use: change of the output when its code is another image's ÷ the change between the outputs, n seeds. "


def answer(arguments: argparse.Namespace) -> command.Outcome:
    """Measures what is missing, estimates, draws and writes.

    Raises:
        InputError: Neither twins nor a U-Net with its reference in the study.
    """
    from analysis import effects_cost, residual_estimates, residual_figures, residual_text

    study = arguments.study or records.latest(arguments.artifacts)
    folder = records.folder(study, arguments.artifacts)
    trials = records.load(study, arguments.artifacts)
    estimates = residual_estimates.estimate(
        trials, records.history(study, arguments.artifacts), effects_cost.rounds(folder)
    )
    use, leak, missing = _past_the_code(arguments, study, trials)
    if not (len(estimates.pairs) or len(use) or len(leak)):
        if missing:
            raise InputError(f"'{study}' has no twins, and of its U-Net: {' '.join(missing)}")
        raise InputError(
            f"'{study}' has neither residual networks beside plain ones of the same depth (architecture=['plain_deep', "
            "'residual'], depth=[1, 4]) nor a U-Net beside a network without its skips (architecture=['cnn', 'unet']). "
            "Run: python -m study.search residual_depth && python -m analysis.residual residual_depth"
        )
    place = folder / "analysis" / "residual"
    tables = {**estimates.tables(), **{n: t for n, t in (("latent_use", use), ("leak", leak)) if len(t)}}
    paths = command.write(tables, place)
    for stem, figure in residual_figures.draw_all(estimates, use, leak):
        paths += figures.save(figure, place / stem)
    said = [*records.notices(study, arguments.artifacts), *missing]
    said += residual_text.sentences(estimates, use, leak, study)
    table, shown, note = (estimates.depths, SHOWN, NOTE) if len(estimates.depths) else (use, USE_SHOWN, USE_NOTE)
    method = table["method"].iloc[0] if len(table) else ""
    return command.Outcome(
        study, table, said, paths, shown if len(table) else [], note + method, place,
        _citable(estimates, use, leak), residual_text.answers(estimates, use),
    )  # fmt: skip


def _past_the_code(
    arguments: argparse.Namespace, study: str, trials: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame, list[str]]:
    """Latent use, what the U-Net's leak changes, and in words what is missing for either."""
    import pandas as pd

    from analysis import applications, residual_latent_use

    cells = residual_latent_use.cells(trials)
    if not cells:
        return pd.DataFrame(), pd.DataFrame(), []
    leak, without = residual_latent_use.leak(trials, records.folder(study, arguments.artifacts))
    missing = [
        f"The U-Net in {task} was left out. Run: python -m "
        + (f"study.search {study}" if task == residual_latent_use.RECONSTRUCTION else f"analysis.{task} {study}")
        for task in without
    ]
    load = command.loader(records.manifest(study, arguments.artifacts), arguments.data_dir)
    options = argparse.Namespace(**vars(arguments), split="test", cells=" ".join(f"{cell}-s[0-9]*" for cell in cells))
    try:
        results = applications.evaluate(residual_latent_use.TASK, options, study, load)
    except InputError as error:
        return pd.DataFrame(), leak, [f"Latent use was left out: {error}", *missing]
    return residual_latent_use.over_seeds(results), leak, [*results.missing, *missing]


def _citable(estimates: Estimates, use: pd.DataFrame, leak: pd.DataFrame) -> list[pd.DataFrame]:
    """The interaction and its parts, the ratio at each depth, gradients, failures, latent use and the leak."""
    found = []
    for name, table, key, value, what in (
        ("interaction", estimates.interaction, ["dataset", "of", "what"], "factor",
         "{what}, {dataset}, {of}: factor of a doubling of depth on test MSE, or of the interaction on its ratio"),
        ("depths", estimates.depths, ["dataset", "of", "depth"], "ratio",
         "test MSE, residual ÷ plain, {dataset}, {of}, depth {depth}"),
        ("gradients", estimates.gradients, ["dataset", "of", "what"], "ratio",
         "gradient scale at the first kernel in the first epoch, {dataset}, {of}, {what}: residual ÷ plain, or factor"),
        ("catching_up", estimates.catching_up, ["dataset", "of", "depth"], "share",
         "share of residual networks that get down to their plain twin's best epoch, {dataset}, {of}, depth {depth}"),
        ("failures", estimates.failures, ["dataset", "of", "architecture", "depth", "what"], "share",
         "share of {architecture} trials that {what}, {dataset}, {of}, depth {depth}"),
        ("latent_use", use, ["cell"], "use", "latent use of {cell}"),
        ("leak", leak, ["cell", "what"], "value", "{cell} against {reference}: {measure}"),
    ):  # fmt: skip
        if len(table):
            p = "p" if "p" in table else None
            found.append(citable.statistics(table, name, key=key, what=what, value=value, p=p, prefix=name))
    for mode, of in residual_modes.MEANING.items() if len(estimates.modes) else ():
        what = f"{of}: residual ÷ plain, {{dataset}}, {{of}}, depth {{depth}}"
        found.append(citable.statistics(
            estimates.modes, "modes", key=["dataset", "of", "depth"], prefix=f"modes-{mode}", what=what,
            value=mode, low=f"{mode}_low", high=f"{mode}_high",
        ))  # fmt: skip
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """The command."""
    parser = command.parser("residual", __doc__)
    parser.add_argument(
        "--images", type=int, default=500, metavar="N", help="test images for the latent use (default: 500)"
    )
    parser.add_argument(
        "--workers", type=int, default=os.cpu_count() or 1, metavar="N", help="processes for the latent use, each with "
        "one thread (default: the machine's cores)"
    )  # fmt: skip
    return command.run(parser, answer, argv)


if __name__ == "__main__":
    raise SystemExit(main())
