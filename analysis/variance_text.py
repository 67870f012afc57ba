"""What the tables of `analysis.variance` say, in sentences that can be cited: the numbers choose the words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.variance_blocks import RESIDUAL, SEED
from analysis.variance_budget import ALL_SOURCES, REMAINDER, TEST_IMAGES
from analysis.variance_claims import HALF_WIDTH, POWER
from analysis.variance_designs import DECOMPOSED, REFUSED

if TYPE_CHECKING:
    import pandas as pd

    from analysis.variance import Estimates

NAMED = 4  # terms or claims that a sentence names with their numbers
FEW_SEEDS = 5
VAGUE = 10  # where the ends of a share's interval differ by a greater factor, not even its order of magnitude is known
THOUSAND = 1000  # from here on a percentage has no third digit to round


def sentences(estimates: Estimates) -> list[str]:
    """Every statement, each with its n and interval."""
    said = [*_blocks(estimates.blocks, estimates.components), *_refused(estimates.blocks)]
    said += [*_budget(estimates.budget)] if len(estimates.budget) else [NO_BUDGET]
    said += [*_needed(estimates.needed)] if len(estimates.needed) else [NO_CLAIMS]
    return said


NO_BUDGET = (
    "No budget of randomness: no cell lets the seed decide one source alone. A block that does: "
    "dict(randomness=['weights', 'batch_order', 'splits'])."
)
NEGATIVE = (
    "Where an estimated share is negative, less was seen than chance alone makes; the estimates are corrected for "
    "chance and may fall below 0, while their intervals are cut at 0."
)
NO_CLAIMS = "No number of seeds for a claim: the search space declares no family of which 2 seeds are there."


def _blocks(blocks: pd.DataFrame, components: pd.DataFrame) -> Iterator[str]:
    for block in _rows(blocks[blocks["verdict"] == DECOMPOSED]):
        rows = components[components["block"] == block["block"]]
        effects = rows[~rows["effect"].isin([SEED, RESIDUAL])].sort_values("share", ascending=False)
        named = "; ".join(_share(row) for row in _rows(effects)[:NAMED])
        more = f"; {len(effects) - NAMED} more in components.csv" if len(effects) > NAMED else ""
        chance = "; ".join(_share(row) for row in _rows(rows[rows["effect"].isin([SEED, RESIDUAL])]))
        yield (
            f"Block {block['block']} ({block['factors']}, {block['cells']} cells × {block['seeds']} seeds), variance "
            f"of {rows['metric'].iloc[0]}: {named}{more}; of chance, {chance}. {_words(rows['method'].iloc[0])}."
        )
        if nothing := [row["effect"] for row in _rows(effects) if row["p"] > 0.05]:
            yield f"Block {block['block']}: not told from none by F at 5 %: {', '.join(nothing)}."
        if block["seeds"] < block["planned"]:
            yield f"Block {block['block']}: {block['seeds']} of {block['planned']} seeds have all its cells so far."
    if len(components) and (components["share"] < 0).any():
        yield NEGATIVE


def _share(row: dict[str, Any]) -> str:
    name = {SEED: "what all cells of a seed share", RESIDUAL: "the rest"}.get(row["effect"], row["effect"])
    negative = " (a negative estimate)" if row["share"] < 0 else ""
    return f"{name} {percentage(row['share'])}{_interval(row['low'], row['high'])}{negative}"


def _refused(blocks: pd.DataFrame) -> Iterator[str]:
    """The blocks without a decomposition, one sentence a reason."""
    for reason, rows in blocks[blocks["verdict"] == REFUSED].groupby("reason", sort=False):
        yield f"Not decomposed: {', '.join(rows['block'])}: {reason}."


def _budget(budget: pd.DataFrame) -> Iterator[str]:
    for cell, rows in budget.groupby("cell", sort=False):
        whole = rows[rows["source"] == ALL_SOURCES].iloc[0]
        if not whole["n"] > 1:
            yield f"{cell}: no budget, for its twin in which the seed decides all has {whole['n']} completed seeds."
            continue
        sources = rows[~rows["source"].isin([ALL_SOURCES, REMAINDER, TEST_IMAGES]) & rows["share"].notna()]
        if not len(sources):
            yield f"{cell}: no budget, for no twin in which the seed decides one source has 2 completed seeds."
            continue
        yield (
            f"{cell}: over n = {whole['n']} seeds the test MSE spreads by {whole['sd_percent']:.2g} %. "
            f"{' '.join(_sources(sources))} {_largest(sources)} ({whole['method']})."
        )
        yield from (f"{cell}: {text}" for text in _beside(rows))
        if failed := int(rows["failed"].sum()):
            yield f"{cell}: {failed} of its trials failed; the spread is that of the others."


def _sources(sources: pd.DataFrame) -> Iterator[str]:
    """Every share with its interval, and by name those of which the interval says too little."""
    yield f"Variance from each source alone ÷ that variance: {'; '.join(_source(row) for row in _rows(sources))}."
    vague = sources[sources["share_high"] > VAGUE * sources["share_low"]]
    if len(vague):
        which = f"Not resolved is the share of {', '.join(vague['source'])}"
        if len(vague) == len(sources) > 1:
            which = "None of these shares is resolved"
        yield f"{which} (the ends of the interval differ by more than a factor of {VAGUE})."


def _source(row: dict[str, Any]) -> str:
    return f"{row['source']} {percentage(row['share'])}{_interval(row['share_low'], row['share_high'])}, n = {row['n']}"


def _largest(sources: pd.DataFrame) -> str:
    """Whether one source is shown to be the largest: its interval above all others'."""
    order = sources.sort_values("share", ascending=False)
    top, others = order.iloc[0], order.iloc[1:]
    if len(others) and top["share_low"] > others["share_high"].max():
        return f"The largest is {top['source']}"
    return f"Which source is the largest is not resolved with {top['n']} seeds: the intervals overlap"


def _beside(rows: pd.DataFrame) -> Iterator[str]:
    for row in _rows(rows[rows["source"] == REMAINDER]):
        negative = " (a negative estimate: one by one they vary by more than together)" if row["share"] < 0 else ""
        yield (
            f"the sources leave {percentage(row['share'])}{_interval(row['share_low'], row['share_high'])} of it "
            f"(n = {row['n']}){negative}, {_adding_up(row)} ({row['method']})."
        )
    for row in _rows(rows[rows["source"] == TEST_IMAGES]):
        yield (
            f"another draw of test images would add {percentage(row['share'])}"
            f"{_interval(row['share_low'], row['share_high'])} of that variance ({row['method']})."
        )


def _adding_up(row: dict[str, Any]) -> str:
    if row["share_low"] <= 0 <= row["share_high"]:
        return "not told from 0, so that they may simply add up"
    return "told from 0, so that they do not simply add up"


def _needed(needed: pd.DataFrame) -> Iterator[str]:
    for family, rows in needed.groupby("family", sort=False):
        ordered = _rows(rows.sort_values("width", ascending=False))
        n = rows["n"].max()
        reached = int((rows["width"] <= rows["n"]).sum())
        found = f"was in reach of n = {n} seeds for {reached} of {len(rows)} claims, simultaneously"
        if len(rows) == 1:
            found = f"was {'' if reached else 'not '}in reach of n = {n} seeds for its one claim"
        yield (
            f"Family {family}: an interval of ± {100 * HALF_WIDTH:g} % {found}; needed, at the spread that was seen: "
            f"{_listed(ordered, 'width')} (95 % intervals by χ² of the spread)."
        )
        yield (
            f"Family {family}: to tell the observed effects from none with a probability of {100 * POWER:g} %: "
            f"{_listed(_rows(rows.sort_values('power', ascending=False)), 'power')} (95 % intervals by the "
            f"noncentral t of n = {n} seeds)."
        )
    yield WARNING
    if needed["n"].max() < FEW_SEEDS:
        n = needed["n"].max()
        yield f"With {n} seeds the spread itself is hardly known: these numbers say the order of magnitude."


WARNING = (
    "These numbers of seeds are estimates, no plan: an effect that was seen to be large is rather smaller than it "
    "looks, and then needs more."
)


def _listed(rows: list[dict[str, Any]], column: str) -> str:
    named = "; ".join(
        f"{row['label']}: {_count(row[column])} seeds [{_count(row[f'{column}_low'])}, {_count(row[f'{column}_high'])}]"
        for row in rows[:NAMED]
    )
    return f"{named}; {len(rows) - NAMED} more, with fewer, in needed.csv" if len(rows) > NAMED else named


def _count(seeds: float) -> str:
    return "∞" if seeds == float("inf") else f"{seeds:,.0f}"


def percentage(share: float) -> str:
    """A share in per cent, "28.5 %": three digits or all before the point, no power of ten; "–" for NaN."""
    return f"{_per_cent(share)} %" if share == share else "–"


def _interval(low: float, high: float) -> str:
    return f" [{_per_cent(low)}, {_per_cent(high)}]" if low == low and high == high else ""


def _per_cent(share: float) -> str:
    number = 100 * share
    if abs(number) >= THOUSAND or not np.isfinite(number):
        return f"{number:.0f}"
    return np.format_float_positional(float(f"{number:.3g}"), trim="-")


def _words(method: str) -> str:
    """A method as the beginning of a sentence."""
    return method[:1].upper() + method[1:]


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    return table.to_dict("records")
