"""What the tables of `analysis.robustness` say, in sentences that can be cited: the numbers choose the words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from analysis.command import span
from analysis.effects_words import numbers
from analysis.robustness_estimates import SIZES, TUNED, columns
from analysis.robustness_outcomes import OTHER, OTHER_UNRESOLVED, OUTCOMES

if TYPE_CHECKING:
    import pandas as pd

    from analysis.robustness_estimates import Estimates
    from analysis.robustness_full_size import FullSize

NAMED = 5  # conclusions that turn: a sentence each
LISTED = 12  # conclusions that one sentence names


def sentences(estimates: Estimates, untuned: str) -> list[str]:
    """Every statement, each with its n; `untuned`: why tuned hyperparameters were not tried, "" if they were."""
    table, tried = estimates.conclusions, columns(estimates.conclusions)
    said = [_overall(table, tried)]
    for family, rows in table.groupby("family", sort=False):
        said += _sizes(rows, tried) if family == SIZES else _family(str(family), rows, tried)
    if untuned:
        said.append(f"{TUNED[:1].upper()}{TUNED[1:]} were not tried: {untuned.removesuffix('.')}.")
    return said


def full_size(found: FullSize, pilot: str) -> Iterator[str]:
    """What the pilot at full size says of the contrasts it shares, and of the order of their cells."""
    table = found.contrasts
    n, full_n = (span(table[name]) for name in ("n", "full_n"))
    every = ((table["full_greatest"] < 1) & (table["value"] < 1)) | ((table["full_least"] > 1) & (table["value"] > 1))
    same, total = int(table["same"].sum()), len(table)
    yield (
        f"At full size ({found.full.words}; {pilot}, n = {full_n}) {_of(same, total, 'contrast', 'has', 'have')} the "
        f"direction found here ({found.cut.words}; n = {n}), {every.sum()} of these in every seed of the pilot."
    )
    for row in _rows(table):
        here = numbers(row, "value", "low", "high")
        full = numbers(row, "full_value", "full_low", "full_high")
        change = numbers(row, "change", "change_low", "change_high")
        moved = "" if row["change_low"] > 1 or row["change_high"] < 1 else ", not resolved"
        yield (
            f"{row['conclusion']}: {full} times the error at full size, {here} here, each interval for itself; the "
            f"ratio at full size is {change} times that here (Welch){moved}."
        )
    for dataset, cells in found.order.groupby("dataset", sort=False):
        names = [" < ".join(_short(cell) for cell in cells.sort_values(rank)["cell"]) for rank in ("rank", "full_rank")]
        order = f"the same at both sizes: {names[0]}" if names[0] == names[1] else f"{names[0]} here, {names[1]} there"
        yield (
            f"Order by mean test MSE over each cell's completed trials on {dataset}, {order} "
            f"(n = {span(cells['n'])} and {span(cells['full_n'])})."
        )


def full_size_caption(found: FullSize) -> str:
    """What stands under the picture of both sizes."""
    return (
        f"Ratio of errors of each contrast that was also tried at full size: {found.cut.words} "
        f"(n = {_seeds(found.contrasts['n'])}, circles) above, {found.full.words} "
        f"(n = {span(found.contrasts['full_n'])}, diamonds) below. Symbols: geometric means over seeds; bars: their "
        "95 % intervals, each for itself (paired t, from 10 seeds on sign flips), cut off at the frame; ticks: seeds. "
        "Left of 1: less error."
    )


def caption(estimates: Estimates, drawn: int) -> str:
    """What stands under the picture of so many of the conclusions."""
    seeds, count = _seeds(estimates.conclusions["n"]), len(estimates.conclusions)
    some = (
        f" Drawn are {drawn} of {count}: resolved ones before others, and of these those that the most variations "
        "change; all are in conclusions.csv."
    )
    return (
        f"Each conclusion as declared, and under each variation; n = {seeds}. A contrast stays the same where "
        "its ratio stays on the same side of 1, a latent size where it is the same size. Resolved: the simultaneous "
        "95 % interval of the family excludes 1; the interval of the size holds no other size (for one that changed: "
        "not the declared one). ≤: of the mean image's error. Any one seed left out: the worst of all. No symbol: it "
        "does not apply, as a grid without its last size to that size." + (some if drawn < count else "")
    )


def _overall(table: pd.DataFrame, tried: list[str]) -> str:
    beyond = _beyond(table)
    told = table[~beyond]
    apart = f" Not among them: {_thresholds(beyond.sum())} beyond the latent sizes tried." if beyond.any() else ""
    if not len(told):
        return f"No conclusion is drawn.{apart}"
    resolved = told[told["resolved"]]
    first = f"{_of(len(resolved), len(told), 'conclusion', 'is', 'are')} resolved as declared"
    if not len(resolved):
        return f"{first}.{apart}"
    same, kept = (int((resolved[name] == resolved["applicable"]).sum()) for name in ("same", "kept"))
    applied = [name for name in tried if (resolved[name].isin(OUTCOMES)).any()]
    return (
        f"{first}. Of these {same} {_verb(same, 'stays', 'stay')} the same, and {kept} {_verb(kept, 'stays', 'stay')} "
        f"resolved too, under every variation that applies: {'; '.join(applied)}.{apart}"
    )


def _of(count: int, total: int, noun: str, one: str, many: str) -> str:
    """A count of a total with its verb, such as "1 of 3 conclusions is"."""
    return f"{count} of {total} {_verb(total, noun, noun + 's')} {_verb(1 if total == 1 else count, one, many)}"


def _verb(count: int, one: str, many: str) -> str:
    return one if count == 1 else many


def _beyond(table: pd.DataFrame) -> pd.Series:
    """Whether a row is a threshold that no latent size meets: then none was chosen that could be another."""
    return (table["family"] == SIZES) & table["value"].isna()


def _family(family: str, rows: pd.DataFrame, tried: list[str]) -> Iterator[str]:
    resolved, open_ones = rows[rows["resolved"]], rows[~rows["resolved"] & rows["value"].notna()]
    of = (
        f"Family {family}: {_of(len(resolved), len(rows), 'direction', 'is', 'are')} resolved (n = {_seeds(rows['n'])})"
    )
    if not len(resolved):
        yield f"{of}, so that none could turn."
        return
    kept = int((resolved["kept"] == resolved["applicable"]).sum())
    turned = [(row, names) for row in _rows(resolved) if (names := _turned(row, tried))]
    stays = len(resolved) - len(turned)
    yield (
        f"{of}; {stays} {_verb(stays, 'stays', 'stay')} the same under every variation that applies, {kept} of these "
        "resolved every time."
    )
    for row, names in turned[:NAMED]:
        yield f"Family {family}: {row['conclusion']} {_ratio(row)} turns: {'; '.join(names)}."
    if (others := len(turned) - NAMED) > 0:
        yield f"Family {family}: {others} more {_verb(others, 'turns', 'turn')} under some variation (conclusions.csv)."
    if len(open_ones):
        more = f"; {len(open_ones) - LISTED} more in conclusions.csv" if len(open_ones) > LISTED else ""
        yield f"Family {family}: not resolved as declared: {'; '.join(open_ones['conclusion'][:LISTED])}{more}."


def _sizes(rows: pd.DataFrame, tried: list[str]) -> Iterator[str]:
    beyond = _beyond(rows)
    chosen, none = rows[~beyond], rows[beyond]
    judged = f"(judged on validation images; n = {_seeds(rows['n'])})"
    if len(chosen):
        stay = int((chosen["same"] == chosen["applicable"]).sum())
        yield (
            f"Latent sizes: {_of(stay, len(chosen), 'choice', 'stays', 'stay')} the same under every variation that "
            f"applies {judged}."
        )
    if len(none):
        stay = (none["same"] == none["applicable"]).sum()
        always = "and" if stay == len(none) else f"and {stay} of these"
        yield (
            f"Latent sizes: beyond the sizes tried {_verb(len(none), 'lies', 'lie')} {len(none)} of "
            f"{_thresholds(len(rows))}, as declared {always} under every variation that applies {judged}."
        )
    moved = [(row, names) for row in _rows(rows) if (names := _turned(row, tried))]
    for row, names in moved[:NAMED]:
        yield f"Latent sizes: {row['conclusion']}, {_size(row)} as declared, moves: {'; '.join(names)}."
    if (others := len(moved) - NAMED) > 0:
        yield f"Latent sizes: {others} more {_verb(others, 'moves', 'move')} under some variation (conclusions.csv)."


def _seeds(counts: pd.Series) -> str:
    return f"{span(counts)} {_verb(counts.max(), 'seed', 'seeds')}"


def _thresholds(count: int) -> str:
    return f"{count} threshold" if count == 1 else f"{count} thresholds"


def _turned(row: dict[str, Any], tried: list[str]) -> list[str]:
    """The variations under which a conclusion is another, with whether that is resolved."""
    words = {OTHER: "resolved", OTHER_UNRESOLVED: "not resolved"}
    return [f"{name} ({words[row[name]]})" for name in tried if row[name] in words]


def _short(cell: str) -> str:
    """A cell's name without its data set and number of training images, which the sentence names."""
    return re.sub(r"-n\d+(?=-|$)", "", cell.split("-", 1)[1])


def _ratio(row: dict[str, Any]) -> str:
    return f"({row['value']:.3g} [{row['low']:.3g}, {row['high']:.3g}] times the error)"


def _size(row: dict[str, Any]) -> str:
    return f"{row['value']:.0f}" if row["value"] == row["value"] else "beyond the grid"


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    return table.to_dict("records")
