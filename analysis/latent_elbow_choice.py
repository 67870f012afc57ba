"""The size that each rule chooses on one curve of errors over the latent size, and what failed trials do to it.

A rule looks at the completed trials of a size. How many of the others failed stands beside the choice, as does what it
would be if these counted with the mean image's error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis import chosen_size, command
from analysis.statistics import Floats

if TYPE_CHECKING:
    import pandas as pd

THRESHOLDS = (0.20, 0.10, 0.05)
DESCRIPTIVE: dict[Any, Callable] = {
    "one standard error": chosen_size.one_standard_error,
    "Kneedle": chosen_size.kneedle,
}
RULES: tuple[float | str, ...] = (*THRESHOLDS, *DESCRIPTIVE)
ENDS = ("value", "low", "high")
CHOICES = [prefix + end for prefix in ("", "imputed_", "pca_") for end in ENDS]  # sizes; NaN: beyond the grid, or none
MEAN_IMAGE = 1.0  # its error as a share of itself


def rule_name(rule: float | str) -> str:
    """A rule in words."""
    return f"≤ {100 * rule:g} % of mean image" if isinstance(rule, float) else rule


def counted(points: pd.DataFrame, column: str) -> pd.Series:
    """The shares of the mean image's error that rules look at: where every trial of a size failed, the mean image's.

    Left out, such a size would leave the grid, and the error "stay" below a threshold across it.

    Args:
        points: A row a trial, with `curve`, `latent_dim`, `status`.
        column: The shares; NaN of failed trials.
    """
    lost = failed(points).groupby([points["curve"], points["latent_dim"]]).transform("all")
    return points[column].astype(float).mask(lost, MEAN_IMAGE)


def failed(points: pd.DataFrame) -> pd.Series:
    """Which trials diverged or ended by an error."""
    return points["status"] != "completed"


def by_rule(kept: pd.DataFrame, shortened: bool) -> Iterator[dict[str, Any]]:
    """What each rule chooses on one curve.

    Args:
        kept: A row a trial of the sizes that rules look at: `curve`, `latent_dim`, `seed`, `status`, `relative`.
        shortened: Whether the last size of the grid is left out.

    Returns:
        Of each rule what `choose` returns, `failed`: in words how many trials failed at `value` and `high` ("": none),
        and with all failed trials at the mean image's error `imputed_value`, `imputed_low`, `imputed_high`,
        `imputed_choice`.
    """
    imputed = kept["relative"].mask(failed(kept), MEAN_IMAGE)
    tables = [by_seed(kept.assign(relative=errors), "relative") for errors in (counted(kept, "relative"), imputed)]
    of_size = failed(kept).groupby(kept["latent_dim"])
    count, tried = of_size.sum(), of_size.size()
    for rule in RULES:
        chosen, again = (choose(rule, *table, shortened) for table in tables)
        sizes = dict.fromkeys(size for size in (chosen["value"], chosen["high"]) if size is not None)
        lost = [f"{count[size]} of {tried[size]} with {size}" for size in sizes if count[size]]
        row = {**chosen, "failed": ", ".join(lost)}
        row |= {f"imputed_{name}": again[name] for name in (*ENDS, "choice")}
        yield {**row, "method": chosen["method"] + of_failures(row)}


def by_seed(points: pd.DataFrame, column: str) -> tuple[list[int], Floats]:
    """The sizes of which some seed has a number, and (seeds × sizes)."""
    table = points.pivot(index="seed", columns="latent_dim", values=column).dropna(axis=1, how="all")
    return table.columns.tolist(), table.to_numpy(dtype=float)


def choose(rule: float | str, sizes: Sequence[int], errors: Floats, shortened: bool = False) -> dict[str, Any]:
    """The size that a rule chooses.

    Args:
        rule: A threshold, or a key of `DESCRIPTIVE`.
        sizes: (n_sizes,) ascending.
        errors: (n_seeds, n_sizes) shares of the mean image's.
        shortened: Whether the last size is left out.

    Returns:
        `value`, `low`, `high` (None: beyond the grid, or none), `choice` in words, `first`, `last`, `tried`, `n` seeds
        of the size that has fewest, `seeds` in words, `method`.
    """
    sizes, table = sizes[: len(sizes) - shortened], errors[:, : len(sizes) - shortened]
    seeds = (~np.isnan(table)).sum(axis=0)
    same = {
        **{"first": sizes[0], "last": sizes[-1], "tried": " ".join(map(str, sizes))},
        **{"n": int(seeds.min()), "seeds": command.span(seeds)},
    }
    if isinstance(rule, float):
        found = chosen_size.chosen_size(table, sizes, rule)
        ends = {"value": found.value, "low": found.low, "high": found.high}
        return {**ends, "choice": str(found).replace(" (not reached)", ""), **same, "method": found.method}
    value = DESCRIPTIVE[rule](table, sizes)
    words = {"choice": "none" if value is None else str(value), **same}
    method = f"{rule} on means over seeds; no interval"
    return {"value": value, "low": None, "high": None, **words, "method": method}


def of_failures(row: Mapping[str, Any]) -> str:
    """What failed at the sizes that a rule chose, and where it matters what it chooses if failures count."""
    said = [f"failed: {row['failed']}"] if row["failed"] else []
    if row["imputed_choice"] != row["choice"]:
        said.append(f"with failed trials at the mean image's error {row['imputed_choice']}")
    return "".join(f"; {text}" for text in said)


def lost(points: pd.DataFrame) -> Iterator[str]:
    """The sizes of a curve at which every trial failed, in words."""
    of_size = failed(points[~points["excluded"]]).groupby(points["latent_dim"])
    for size in of_size.all().loc[lambda every: every].index:
        yield f"with {size} units every trial failed: the rules take the mean image's error there."
