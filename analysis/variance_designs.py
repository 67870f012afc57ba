"""Which blocks of a search space are balanced full factorials, and what their decomposition says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis import variance_blocks
from analysis.effects_contrasts import cell_of
from study.space import Space, cell_name, combinations

if TYPE_CHECKING:
    import pandas as pd

METRIC = "test_fvu"  # the one error that is compared across data sets, which a block may span
DECOMPOSED, REFUSED = "decomposed", "refused"
BLOCK = ("block", "factors", "cells", "seeds", "planned", "verdict", "reason")
COMPONENT = (
    *("block", "effect", "df", "ss", "ss_error", "df_error", "p", "variance", "sd_percent"),
    *("share", "low", "high", "n", "cells", "metric", "method"),
)


def estimate(trials: pd.DataFrame, space: Space, study: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The decomposition of every block that allows one.

    Args:
        trials: The trials table.
        space: The study's search space.
        study: Its name, for the command that completes it.

    Returns:
        A row a block: `factors`, `cells`, `seeds` that have all of them, of `planned`, `verdict`, `reason`. A row a
        decomposed block and term: the attributes of `variance_blocks.Component`, and `sd_percent`, the spread of the
        error that the term makes.
    """
    import pandas as pd

    blocks, components = [], []
    logs = _log_errors(trials)
    for name, levels in space.blocks.items():
        block, table = _block(space, levels, logs, study)
        blocks.append({"block": name, **block})
        components += [{"block": name, **row} for row in _components(table, levels)]
    return pd.DataFrame(blocks, columns=list(BLOCK)), pd.DataFrame(components, columns=list(COMPONENT))


def _log_errors(trials: pd.DataFrame) -> pd.DataFrame:
    """Seeds × cells: the log error; infinite where the trial failed, NaN where there is none yet."""
    done = trials["status"] == "completed"
    errors = np.log(trials[METRIC].astype(float).where(done)).where(done, np.inf)
    return trials.assign(cell=cell_of(trials), log=errors).pivot(index="seed", columns="cell", values="log")


def _varying(levels: Mapping[str, Sequence]) -> list[str]:
    return [factor for factor, values in levels.items() if len(values) > 1]


def _block(
    space: Space, levels: Mapping[str, list], logs: pd.DataFrame, study: str
) -> tuple[dict[str, Any], pd.DataFrame]:
    """What is said of a block, and its log errors: seeds × cells, whole; empty where it is refused."""
    varying = _varying(levels)
    cells = [cell_name(space.complete(cell)) for cell in combinations(levels)]
    table = logs.reindex(columns=cells)
    whole = table.dropna()
    planned = max(space.training["seeds"], len(table))
    go_on = f"python -m study.search {study}{' --seeds 2' if planned < 2 else ''}"
    reason = _refusal(varying, table, whole, go_on)
    block = {
        **{"factors": " × ".join(varying), "cells": len(cells), "seeds": len(whole)},
        **{"planned": planned, "verdict": REFUSED if reason else DECOMPOSED},
        "reason": reason,
    }
    return block, whole.iloc[:0] if reason else whole


def _refusal(varying: Sequence[str], table: pd.DataFrame, whole: pd.DataFrame, go_on: str) -> str:
    """Why a block has no exact decomposition; "" where it has; `go_on` is the command that trains more."""
    if "randomness" in varying:
        return "the seed decides something else in each of its cells: see the budget of randomness"
    if len(varying) < 2:
        return (
            "a star design: one factor varies, the others stay at the baseline, so that there are no interactions to "
            "estimate. A block with two factors of two levels or more has them"
        )
    if failed := int(np.isinf(table).to_numpy().sum()):
        return (
            f"not balanced: {failed} of {table.size} trials failed, and to leave out their seeds would be to choose "
            "seeds by their result"
        )
    if len(whole) < 2:
        there = int(table.notna().to_numpy().sum())
        return (
            f"not complete: {len(whole)} seeds have all {table.shape[1]} cells ({there} trials are there), and 2 are "
            f"needed. Go on with: {go_on}"
        )
    return ""


def _components(table: pd.DataFrame, levels: Mapping[str, list]) -> Iterator[dict[str, Any]]:
    """A row a term; none of a refused block."""
    if not len(table):
        return
    factors = _varying(levels)
    shape = (len(table), *(len(levels[factor]) for factor in factors))
    for found in variance_blocks.decompose(table.to_numpy(dtype=float).reshape(shape), factors):
        yield {
            **vars(found),
            "sd_percent": 100 * np.expm1(np.sqrt(found.variance)) if found.variance >= 0 else np.nan,
            **{"n": len(table), "cells": table.shape[1], "metric": f"log {METRIC}"},
            "method": variance_blocks.method(len(table)),
        }
