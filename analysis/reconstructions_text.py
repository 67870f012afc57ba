"""What the tables of `analysis.reconstructions` say, in sentences that can be cited: the numbers choose the words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from analysis.reconstructions_estimates import KINDS
from analysis.task_work import left_out

if TYPE_CHECKING:
    import pandas as pd

    from analysis.reconstructions_estimates import Estimates


def sentences(estimates: Estimates) -> list[str]:
    """Every statement, each with its n and interval, or said to have none."""
    said = []
    over_cells = {row["shown"]: row for row in estimates.over_cells.to_dict("records")}
    for shown, rows in estimates.cells.groupby("shown", sort=False):
        for kind, words in KINDS.items():
            said += [f"{shown}: {text}" for text in _errors(rows[rows["kind"] == kind], words)]
        said += [f"{shown}: {text}" for text in (*_ratio(over_cells[shown]), *_common(over_cells[shown]))]
    return said + left_out(estimates.gone)


def _errors(rows: pd.DataFrame, words: str) -> Iterator[str]:
    """The least and the greatest error, with intervals that are not corrected for the choice."""
    ordered = rows.sort_values("error")
    low, high = ordered.iloc[0], ordered.iloc[-1]
    found = f"the one cell, {low['cell']}, has MSE {_error(low)}"
    if len(ordered) > 1:
        found = (
            f"of {len(rows)} cells {low['cell']} has the least error, MSE {_error(low)}, and {high['cell']} the "
            f"greatest, MSE {_error(high)}"
        )
    yield f"on {low['images']} images {words} of PCA error, {found} ({low['method']}, each cell's own; descriptive)."


def _error(row: Any) -> str:
    known = row["low"] == row["low"]
    ends = f"[{row['low']:.3g}, {row['high']:.3g}] (" if known else "(no interval, "
    return f"{row['error']:.3g} {ends}n = {row['n']})"


def _ratio(row: dict[str, Any]) -> Iterator[str]:
    """How much harder the worst tenth is, over cells, beside how much harder these images are without any network."""
    if row["cells"]:
        over = "one cell"
        if row["cells"] > 1:
            over = f"median over {row['cells']} cells"
        if row["collapsed"]:
            over += f", {row['collapsed']} left out that {_have(row['collapsed'])}"
        if row["cells"] > 1:
            over += f"; from {row['ratio_least']:.3g} to {row['ratio_greatest']:.3g}"
        yield (
            f"on images of the worst tenth of PCA error the networks have {row['ratio']:.3g} times their error on "
            f"median ones ({over}; no interval). With the training mean image in their place it is "
            f"{row['mean_image_ratio']:.3g} times; {row['above']} of {row['cells']} cells lie above that."
        )
    elif row["collapsed"]:
        every = f"all {row['collapsed']} cells" if row["collapsed"] > 1 else "the one cell"
        yield f"{every} {_have(row['collapsed'])}: nothing is said of hard images."


def _have(cells: int) -> str:
    return f"{'have' if cells > 1 else 'has'} a seed whose network is no better than the mean image"


def _common(row: dict[str, Any]) -> Iterator[str]:
    """How much of the error more seeds would leave as it is."""
    if not row["common_cells"]:
        if row["cells"]:
            yield "one seed: what its reconstructions owe to chance cannot be said."
        return
    ends = [f"{100 * row[f'common_{end}']:.3g} % ({row[f'common_{end}_cell']})" for end in ("least", "greatest")]
    out = "cells with a collapsed seed left out; " if row["collapsed"] else ""
    share = ends[0] if row["common_cells"] == 1 else f"between {ends[0]} and {ends[1]}"
    yield (
        f"{share} of the squared error is common to all seeds of a cell ({out}n = {row['n']} seeds; unbiased, "
        "no interval); the rest differs from seed to seed, and the mean of many networks would be rid of it."
    )
