"""How long training takes, in sentences: measured alone, or else as the search noted it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.effects_cost import BUSY, of_rounds, way
from analysis.effects_words import between, numbers, row_of, seeds

if TYPE_CHECKING:
    import pandas as pd

    from analysis.effects import Estimates
    from analysis.effects_families import Contrast, Family

WAYS = ("longer", "shorter", "not resolved")
FAR = 2.0  # times that the ranges of two cells over seeds lie apart: each has met the load of the search


def of_families(cost: pd.DataFrame) -> Iterator[str]:
    """One sentence a family: for which contrasts an epoch takes longer, for which it takes less time."""
    for family, rows in cost.groupby("family", sort=False):
        found: dict[str, list[str]] = {}
        for row in rows.to_dict("records"):
            found.setdefault(way(row), []).append(f"{row['label']}: {numbers(row, 'ratio', 'low', 'high')}")
        said = "; ".join(f"{words} for {', '.join(found[words])}" for words in WAYS if words in found)
        yield f"{family}, seconds an epoch ÷ the reference's: {said} ({of_rounds(rows['n'])})."
    busy = int((cost["cpu_share"] < BUSY).sum())
    if busy:
        yield f"In {busy} of these something else was running during a measurement: those times are too long."


def of_contrast(estimates: Estimates, family: Family, contrast: Contrast) -> Iterator[str]:
    """How long an epoch of a contrast takes, and how soon it is as far as its reference.

    Where no contrast was timed, the seconds of the search; `effects_text` says once what would time them.
    """
    cost, reach = (row_of(table, family, contrast) for table in (estimates.cost, estimates.reach))
    if cost is None:
        if len(estimates.cost):
            yield "Its training time was not measured alone on the machine."
        yield from _in_search(estimates.search_time, family, contrast)
    else:
        yield (
            f"An epoch takes {numbers(cost, 'ratio', 'low', 'high')} times the reference's seconds ({way(cost)}): "
            f"{cost['seconds']:.3g} s against {cost['reference_seconds']:.3g} s (medians; {of_rounds([cost['n']])})."
        )
        yield (
            f"It takes {cost['memory_mb']:.0f} MB of memory against {cost['reference_memory_mb']:.0f} MB (the most, "
            "libraries included; medians over rounds)."
        )
        if abs(cost["image_ratio"] / cost["ratio"] - 1) > 1e-6:
            yield f"The two train on unequally many images: an image takes {cost['image_ratio']:.3g} times as long."
    if reach is not None:
        yield _reached(reach)
        if np.isfinite(reach["seconds"]):
            yield (
                f"At the measured speed it is as far after {reach['seconds']:.3g} s of training, the reference after "
                f"{reach['reference_seconds']:.3g} s."
            )


def _in_search(table: pd.DataFrame, family: Family, contrast: Contrast) -> Iterator[str]:
    """The search's own seconds; what they are worth is said with the first of a family."""
    row = row_of(table, family, contrast)
    if row is None:
        return
    ends = [(row[f"{side}least"], row[f"{side}greatest"]) for side in ("", "reference_")]
    spans = [between(f"{low:.3g}", f"{high:.3g}") for low, high in ends]
    far = row["n"] > 1 and max(ends[0][0] / ends[1][1], ends[1][0] / ends[0][1]) >= FAR
    beyond = f", ranges a factor of {FAR:g} or more apart: more than load explains" if far else ""
    yield (
        f"In the search an epoch took {row['seconds']:.3g} s (median of n = {seeds([row['n']])}; {spans[0]}), the "
        f"reference's {row['reference_seconds']:.3g} s ({spans[1]}){beyond}."
    )
    first = table[table["family"] == family.name].iloc[0]
    if (first["cell"], first["reference"]) == contrast.names:
        yield (
            "Here and in the other modifications of the family: in the search other trials ran beside on the same "
            "machine. That load may explain a difference, unless it is said to be more."
        )


def _reached(row: Mapping[str, Any]) -> str:
    """In how many seeds, and after how many epochs, a cell is as far as its reference at the end."""
    within, after, interval = f" within {row['last']:.0f} epochs", _epochs(row["epochs"], row), ""
    if row["reached"]:
        within = f", after {after} epoch{'s' * (after != '1')} in the median"
        interval = "" if np.isnan(row["low"]) else f" [{_epochs(row['low'], row)}, {_epochs(row['high'], row)}]"
    return (
        f"It is down to the validation MSE that the reference ends with in {row['reached']} of {seeds([row['n']])}"
        f"{within}{interval}; the reference itself takes {row['reference_epochs']:g}."
    )


def _epochs(value: float, row: Mapping[str, Any]) -> str:
    return f"more than {row['last']:.0f}" if np.isinf(value) else f"{value:g}"
