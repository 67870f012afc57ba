"""What the tables of `analysis.robustness` say, in sentences that can be cited: the numbers choose the words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from analysis.robustness_estimates import SIZES, TUNED, columns
from analysis.robustness_outcomes import OTHER, OTHER_UNRESOLVED

if TYPE_CHECKING:
    import pandas as pd

    from analysis.robustness_estimates import Estimates

NAMED = 5  # conclusions that turn: a sentence each
LISTED = 12  # conclusions that one sentence names


def sentences(estimates: Estimates, study: str, tuned: bool) -> list[str]:
    """Every statement, each with its n."""
    table, tried = estimates.conclusions, columns(estimates.conclusions)
    said = [_overall(table, tried)]
    for family, rows in table.groupby("family", sort=False):
        said += _sizes(rows, tried) if family == SIZES else _family(str(family), rows, tried)
    if not tuned:
        said.append(
            f"{TUNED[:1].upper()}{TUNED[1:]} were not tried, for there is no study {study}_tuned with the same "
            f"contrasts. Run: python -m study.search {study} --tuned"
        )
    return said


def caption(estimates: Estimates, drawn: int) -> str:
    """What stands under the picture of so many of the conclusions."""
    n, count = estimates.conclusions["n"], len(estimates.conclusions)
    seeds = f"{n.min()}" if n.min() == n.max() else f"{n.min()} to {n.max()}"
    some = (
        f" Drawn are {drawn} of {count}: resolved ones before others, and of these those that the most variations "
        "change; all are in conclusions.csv."
    )
    return (
        f"Each conclusion as declared, and under each variation; n = {seeds} seeds. A contrast stays the same where "
        "its ratio stays on the same side of 1, a latent size where it is the same size. Resolved: the simultaneous "
        "95 % interval of the family excludes 1; the interval of the size holds no other size (for one that changed: "
        "not the declared one). ≤: of the mean image's error. Any one seed left out: the worst of all. No symbol: it "
        "does not apply, as a grid without its last size to that size." + (some if drawn < count else "")
    )


def _overall(table: pd.DataFrame, tried: list[str]) -> str:
    resolved = table[table["resolved"]]
    same, kept = ((resolved[name] == resolved["applicable"]).sum() for name in ("same", "kept"))
    return (
        f"Of {len(table)} conclusions {len(resolved)} are resolved as declared. Of these {same} stay the same under "
        f"all of {len(tried)} variations ({', '.join(tried)}; those that apply), and {kept} stay resolved under all."
    )


def _family(family: str, rows: pd.DataFrame, tried: list[str]) -> Iterator[str]:
    resolved, open_ones = rows[rows["resolved"]], rows[~rows["resolved"] & rows["value"].notna()]
    if not len(resolved):
        yield (
            f"Family {family}: 0 of {len(rows)} directions are resolved (n = {rows['n'].max()} seeds), so that "
            "nothing could fail to survive."
        )
        return
    kept = int((resolved["kept"] == resolved["applicable"]).sum())
    turned = [(row, names) for row in _rows(resolved) if (names := _turned(row, tried))]
    yield (
        f"Family {family}: {len(resolved)} of {len(rows)} directions are resolved (n = {rows['n'].max()} seeds); "
        f"{len(resolved) - len(turned)} of them hold under every variation, {kept} of these resolved every time."
    )
    for row, names in turned[:NAMED]:
        yield f"Family {family}: {row['conclusion']} {_ratio(row)} turns: {', '.join(names)}."
    if len(turned) > NAMED:
        yield f"Family {family}: {len(turned) - NAMED} more turn under some variation; see conclusions.csv."
    if len(open_ones):
        more = f" and {len(open_ones) - LISTED} more (conclusions.csv)" if len(open_ones) > LISTED else ""
        yield f"Family {family}: not resolved as declared: {', '.join(open_ones['conclusion'][:LISTED])}{more}."


def _sizes(rows: pd.DataFrame, tried: list[str]) -> Iterator[str]:
    moved = [(row, names) for row in _rows(rows) if (names := _turned(row, tried))]
    yield (
        f"Latent sizes: {len(rows) - len(moved)} of {len(rows)} choices stay the same under every variation that "
        f"applies (validation images; n = {rows['n'].max()} seeds)."
    )
    for row, names in moved[:NAMED]:
        yield f"Latent sizes: {row['conclusion']}, {_size(row)} as declared, moves: {', '.join(names)}."
    if len(moved) > NAMED:
        yield f"Latent sizes: {len(moved) - NAMED} more move under some variation; see conclusions.csv."


def _turned(row: dict[str, Any], tried: list[str]) -> list[str]:
    """The variations under which a conclusion is another, with whether that is resolved."""
    words = {OTHER: "resolved", OTHER_UNRESOLVED: "not resolved"}
    return [f"{name} ({words[row[name]]})" for name in tried if row[name] in words]


def _ratio(row: dict[str, Any]) -> str:
    return f"({row['value']:.3g} [{row['low']:.3g}, {row['high']:.3g}] times the error)"


def _size(row: dict[str, Any]) -> str:
    return f"{row['value']:.0f}" if row["value"] == row["value"] else "beyond the grid"


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    return table.to_dict("records")
