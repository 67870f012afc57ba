"""A failed trial is data: how often each cell fails to train, how, and what of the study is not there yet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from analysis.effects_codes import BLACK, ONE_IMAGE
from analysis.effects_errors import cell_of
from analysis.effects_families import Family
from analysis.statistics import clopper_pearson

if TYPE_CHECKING:
    import pandas as pd

SAME = 1e-4  # a difference of errors, as a share, below which seeds ended at one and the same network
COLUMNS = ("cell", "dataset", "what", "count", "n", "share", "low", "high", "expected", "method")


def failures(trials: pd.DataFrame, families: Sequence[Family], seeds: int) -> pd.DataFrame:
    """How many trials of each cell of the families failed, and how many of the others are no better than the mean.

    Args:
        trials: The trials table.
        families: Of the study.
        seeds: How many the search space asks for.

    Returns:
        Two rows a cell, `what` is "failed" (diverged, or ended by an error) or "collapsed" (completed, but with
        val_fvu ≥ 1): `count` of `n` trials, `share` with its Clopper-Pearson interval `low`, `high`; `expected`: trials
        that the study is to have.
    """
    import pandas as pd

    cells = {c: levels for family in families for k in family.contrasts for c, levels in k.sides}
    by_cell = {str(cell): rows for cell, rows in trials.groupby(cell_of(trials), sort=False)}
    rows = []
    for cell, levels in cells.items():
        mine = by_cell.get(cell, trials.iloc[:0])
        done = mine[mine["status"] == "completed"]
        for what, happened in (("failed", mine["status"] != "completed"), ("collapsed", done["collapsed"].eq(True))):
            found = clopper_pearson(int(happened.sum()), len(happened))
            numbers = {"share": found.value, "low": found.low, "high": found.high}
            same = {"cell": cell, "dataset": levels["dataset"], "what": what, "expected": seeds}
            rows.append({**same, "count": int(happened.sum()), "n": found.n, **numbers, "method": found.method})
    return pd.DataFrame(rows, columns=list(COLUMNS))


def one_output(side: pd.DataFrame) -> str:
    """The one image that all networks of a cell give, whatever they are shown: `ONE_IMAGE`, `BLACK`, or empty.

    Seeds draw other weights and other images: networks that use their code do not have equal errors.

    Args:
        side: The cell's completed trials that collapsed, with the `output` of those whose examples are stored.
    """
    errors = side[["test_mse", "test_mae"]].astype(float)
    stored = set(side["output"].dropna())
    if len(side) < 2 or (errors.max() > (1 + SAME) * errors.min()).any() or "" in stored:
        return ""
    return BLACK if stored == {BLACK} else ONE_IMAGE


def missing(table: pd.DataFrame) -> int:
    """How many trials of the families' cells have no record yet."""
    rows = table[table["what"] == "failed"]
    return int((rows["expected"] - rows["n"]).clip(lower=0).sum())
