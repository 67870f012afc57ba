"""Where does the spread come from: which factors, which sources of randomness, and how many seeds did claims need?

  python -m analysis.variance [STUDY]

blocks      Every full factorial block of two factors or more, whole in its seeds: the variance of log test_fvu split
            exactly among factors, their interactions, the seed and the rest; bias-corrected, with intervals. Other
            blocks are refused with the reason: a star design has no interactions to estimate, and a block with holes
            has no exact decomposition.
randomness  Cells in which the seed decides one source alone (the factor `randomness`), beside their twin in which it
            decides all: the shares of initial weights, batch order and the draw of the images in the variance of log
            test_mse over seeds; and beside these what another draw of test images would add.
seeds       For each declared claim, the seeds that an interval of ± 2 % would have needed, and those that tell the
            observed effect from none with a probability of 80 %. Both from the spread that was seen, and so estimates
            with intervals of their own.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from analysis import citable, command, effects, figures, variance_budget, variance_claims, variance_designs
from study import manifest as manifests
from study import records
from study.space import FACTORS, Space

if TYPE_CHECKING:
    import pandas as pd

SHOWN = ["part", "of", "what", "value", "low", "high", "n"]
NOTE = (
    "share: of a variance of log error, 1 the whole; low and high: its 95 % interval. seeds: how many a claim would "
    "have needed with spread and effect as observed, and the least and the most that the data allow; inf: no number "
    "would do."
)


@dataclass(frozen=True)
class Estimates:
    """All the numbers.

    Attributes:
        blocks: A row a block, as `variance_designs.estimate`.
        components: A row a block and term, as `variance_designs.estimate`.
        budget: A row a cell and source of randomness, as `variance_budget.estimate`.
        needed: A row a declared contrast, as `variance_claims.estimate`.
        main: The numbers of all of these that answer the question, a row each.
    """

    blocks: pd.DataFrame
    components: pd.DataFrame
    budget: pd.DataFrame
    needed: pd.DataFrame
    main: pd.DataFrame

    def tables(self) -> dict[str, pd.DataFrame]:
        """File name → table."""
        names = ("blocks", "components", "budget", "needed", "main")
        return {name: getattr(self, name) for name in names if len(getattr(self, name))}


def estimate(trials: pd.DataFrame, space: Space, study: str, test_images: Callable[[str, Any], int]) -> Estimates:
    """All the numbers of a study.

    Args:
        trials: The trials table.
        space: The study's search space.
        study: Its name, for the command that completes it.
        test_images: Data set and normal class → how many test images there are.
    """
    blocks, components = variance_designs.estimate(trials, space, study)
    budget = variance_budget.estimate(trials, list(FACTORS), test_images)
    needed = variance_claims.estimate(trials, effects.families_of(space))
    return Estimates(blocks, components, budget, needed, _main(components, budget, needed))


def _main(components: pd.DataFrame, budget: pd.DataFrame, needed: pd.DataFrame) -> pd.DataFrame:
    """One long table: `part`, `of` which block, cell or family, `what`, `value`, `low`, `high`, `n`, `method`."""
    import pandas as pd

    share = {"share_low": "low", "share_high": "high", "share": "value"}
    parts = [
        components.rename(columns={"block": "of", "effect": "what", "share": "value"}).assign(part="share"),
        budget.drop(columns=["low", "high"], errors="ignore")
        .rename(columns={"cell": "of", "source": "what", **share})
        .assign(part="share over seeds"),
    ]
    for column, part in (("width", "seeds for ± 2 %"), ("power", "seeds for power 80 %")):
        names = {"family": "of", "label": "what", column: "value", f"{column}_low": "low", f"{column}_high": "high"}
        parts.append(needed.rename(columns=names).assign(part=part))
    columns = [*SHOWN, "method"]
    filled = [table.reindex(columns=columns).astype(dict.fromkeys(["value", "low", "high"], float)) for table in parts]
    return pd.concat([table for table in filled if len(table)] or filled[:1], ignore_index=True)


def answer(arguments: argparse.Namespace) -> command.Outcome:
    """Estimates, draws and writes; what the command prints."""
    from analysis import variance_figure, variance_text

    study = arguments.study or records.latest(arguments.artifacts)
    folder = records.folder(study, arguments.artifacts) / "analysis" / "variance"
    manifest = records.manifest(study, arguments.artifacts)
    load = command.loader(manifest, arguments.data_dir)
    trials = records.load(study, arguments.artifacts)
    estimates = estimate(trials, manifests.space_of(manifest), study, lambda *which: _count(load, *which))
    paths = command.write(estimates.tables(), folder)
    for stem, figure in variance_figure.draw_all(estimates):
        paths += figures.save(figure, folder / stem)
    said = records.notices(study, arguments.artifacts) + variance_text.sentences(estimates)
    return command.Outcome(study, estimates.main, said, paths, SHOWN, NOTE, folder, _citable(estimates))


def _count(load: Callable[[str], Any], dataset: str, normal_class: Any) -> int:
    """How many test images a trial is judged on."""
    data = load(dataset)
    if normal_class is None or normal_class != normal_class:
        return len(data.x_test)
    return int((data.y_test == int(normal_class)).sum())


def _citable(estimates: Estimates) -> list[pd.DataFrame]:
    """Shares of blocks and of sources of randomness, spreads, and the seeds needed."""
    shares = citable.statistics(
        estimates.components,
        "components",
        key=["block", "effect"],
        what="share of {effect} in the variance of {metric} of block {block}, bias-corrected",
        value="share",
        p="p",
        prefix="share",
    )
    if not len(estimates.budget):
        return [shares, *_needed(estimates.needed)]
    budget = citable.statistics(
        estimates.budget,
        "budget",
        key=["cell", "source"],
        what="variance of log test_mse from {source} ÷ that over seeds that decide all, {cell}",
        value="share",
        low="share_low",
        high="share_high",
        prefix="randomness",
    )
    return [shares, budget, *_needed(estimates.needed)]


def _needed(table: pd.DataFrame) -> list[pd.DataFrame]:
    what = {
        "width": "seeds for which the interval of {cell} ÷ {reference} ({metric}) is ± 2 %, at the observed spread",
        "power": "seeds that tell {cell} from {reference} ({metric}) with probability 80 %, at the observed effect",
    }
    return [
        citable.statistics(
            table, "needed", key=["family", "cell", "reference"], what=words, value=column, low=f"{column}_low",
            high=f"{column}_high", prefix=f"seeds-{column}",
        )
        for column, words in what.items()
    ]  # fmt: skip


def main(argv: Sequence[str] | None = None) -> int:
    """The command."""
    return command.run(command.parser("variance", __doc__), answer, argv)


if __name__ == "__main__":
    raise SystemExit(main())
