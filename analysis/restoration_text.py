"""The sentences and captions of inpainting and denoising, chosen by the numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from analysis import figures

if TYPE_CHECKING:
    import pandas as pd

    from analysis.restoration import Estimates, Kind

NAMED = 4  # cells that a sentence names with their numbers
WORDS = {"lower": "less error than the linear optimum", "higher": "more error than the linear optimum"}


def sentences(estimates: Estimates, kind: Kind, split: str) -> list[str]:
    """What may be cited."""
    return [*_skill(estimates.skill, kind, split), *_iterated(estimates.iterated), *_crossings(estimates.crossings)]


def caption(estimates: Estimates, kind: Kind, dataset: str, split: str) -> str:
    """What stands under the figure of numbers."""
    rows = estimates.skill[estimates.skill["dataset"] == dataset]
    images = estimates.conditions.loc[estimates.conditions["dataset"] == dataset, "n_images"].max()
    return (
        f"{dataset}, {kind.verb}: {kind.error} ÷ the linear optimum's on the same {images:,} "
        f"{figures.SPLITS[split]} images. Left: geometric mean over {rows['conditions'].max()} conditions, "
        f"n = {rows['n'].max()} seeds, {rows['method'].iloc[0]}. Right: mean and 95 % t interval over seeds of log "
        "error; costly baselines on fewer images and one seed."
    )


def _skill(table: pd.DataFrame, kind: Kind, split: str) -> Iterator[str]:
    for dataset, rows in table.groupby("dataset", sort=False):
        first = rows.iloc[0]
        for verdict, words in WORDS.items():
            some = rows[rows["verdict"] == verdict]
            if len(some):
                yield (
                    f"{dataset}, {kind.verb}: {words} on {figures.SPLITS[split]} images in {len(some)} of "
                    f"{len(rows)} cells ({kind.error}, geometric mean over {first['conditions']} conditions): "
                    f"{_named(some)} (simultaneous 95 % intervals, n = {first['n']} seeds; {first['method']})."
                )
        if len(rest := rows[~rows["verdict"].isin(WORDS)]):
            verdict = rest["verdict"].iloc[0]
            yield f"{dataset}, {kind.verb}: {len(rest)} of {len(rows)} cells: {verdict}: {_named(rest)}."


def _named(rows: pd.DataFrame) -> str:
    shown = [
        f"{row['cell']} {row['ratio']:.3g} times [{row['ratio_low']:.3g}, {row['ratio_high']:.3g}]"
        for row in _rows(rows)[:NAMED]
    ]
    more = f" and {len(rows) - NAMED} more in skill.csv" if len(rows) > NAMED else ""
    return "; ".join(shown) + more


def _iterated(table: pd.DataFrame) -> Iterator[str]:
    if not len(table):
        return
    for dataset, rows in table.groupby("dataset", sort=False):
        counts = rows["verdict"].value_counts()
        lower, higher = (int(counts.get(verdict, 0)) for verdict in ("lower", "higher"))
        yield (
            f"{dataset}: reconstructing ten times with the known pixels put back lowers the error of {lower} of "
            f"{len(rows)} cells and raises that of {higher}; for the others the direction is not resolved. The first: "
            f"{_named(rows[:1])} the error of one pass (relative to the linear optimum; n = {rows['n'].iloc[0]} seeds; "
            f"{rows['method'].iloc[0]})."
        )


def _crossings(table: pd.DataFrame) -> Iterator[str]:
    if not len(table):
        return
    for (dataset, baseline), rows in table.groupby(["dataset", "baseline"], sort=False):
        never = rows[rows["never"] == rows["n"]]
        always = rows[rows["from_the_first"] == rows["n"]]
        between = rows.drop(never.index).drop(always.index)
        parts = [f"{len(always)} at every level", f"{len(never)} at none"]
        if len(between):
            parts.append("from a level between on: " + "; ".join(_crossing(row) for row in _rows(between)[:NAMED]))
        yield (
            f"{dataset}, Gaussian noise: of {len(rows)} cells, against {baseline} less error has "
            f"{', '.join(parts)} (n = {rows['n'].max()} seeds; see crossings.csv)."
        )


def _crossing(row: dict[str, Any]) -> str:
    interval = f"[{row['low']:.2g}, {row['high']:.2g}]" if row["low"] == row["low"] else "no interval"
    return f"{row['cell']} from σ = {row['from']:.2g} {interval}"


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    return table.to_dict("records")
