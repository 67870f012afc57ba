"""What the tables of `analysis.variance` say, in sentences that can be cited: the numbers choose the words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.command import INTERIM, span
from analysis.variance_blocks import RESIDUAL, SEED
from analysis.variance_budget import ALL_SOURCES, REMAINDER, TEST_IMAGES
from analysis.variance_claims import HALF_WIDTH, POWER
from analysis.variance_designs import DECOMPOSED, REFUSED

if TYPE_CHECKING:
    import pandas as pd

    from analysis.variance import Estimates

NAMED = 4  # terms or claims that a sentence names with their numbers
VAGUE = 10  # where the ends of an interval differ by a greater factor, not even the order of magnitude is known
THOUSAND = 1000  # from here on a percentage has no third digit to round


def sentences(estimates: Estimates) -> list[str]:
    """Every statement, each with its n and interval."""
    said = [*_blocks(estimates.blocks, estimates.components), *_refused(estimates.blocks)]
    said += [*_budget(estimates.budget)] if len(estimates.budget) else [NO_BUDGET]
    said += [*_needed(estimates.needed)] if len(estimates.needed) else [NO_CLAIMS]
    return said


NO_BUDGET = "No budget of randomness: the study has no block of randomness=['weights', 'batch_order', 'splits']."
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
            so_far = f"{block['seeds']} of {block['planned']} seeds have all its cells so far"
            yield f"Block {block['block']}: {so_far}. {INTERIM}"


def _share(row: dict[str, Any]) -> str:
    """A term's share with its interval; the upper end alone where the lower one says nothing.

    Without an interval a share of 0 or less is no more than chance makes: by how much it may be more is not known.
    """
    name = {SEED: "what all cells of a seed share", RESIDUAL: "the rest"}.get(row["effect"], row["effect"])
    if _vague(row["low"], row["high"]):
        return f"{name} at most {percentage(row['high'])}"
    if row["low"] != row["low"] and row["share"] <= 0:
        return f"{name} no more than chance makes (no interval)"
    return f"{name} {percentage(row['share'])}{_interval(row['low'], row['high'])}"


def _vague(low: float, high: float) -> bool:
    """Whether an interval leaves the order of magnitude open; one that is not there (NaN) is none."""
    return bool(high > VAGUE * low) or high == np.inf


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
            f"{cell}: over n = {whole['n']} seeds the standard deviation of the test MSE is {whole['sd_percent']:.2g} "
            "% of the error."
        )
        yield from (f"{cell}: {text}" for text in _shares(rows, sources))
        if failed := int(rows["failed"].sum()):
            yield f"{cell}: {failed} of its trials failed; the spread is that of the others."


def _shares(rows: pd.DataFrame, sources: pd.DataFrame) -> Iterator[str]:
    """Of the variance over seeds, the shares that the data resolve, and by name those that they do not."""
    shown = [row for row in _rows(rows) if row["source"] != ALL_SOURCES and row["share"] == row["share"]]
    known = [row for row in shown if not _open(row)]
    for row in known:
        yield f"{_source(row)} ({row['method']}, n = {row['n']})."
    if unknown := [row for row in shown if _open(row)]:
        yield (
            "what these contribute to the variance of the log error is not resolved with n = "
            f"{span([row['n'] for row in unknown])} seeds: {', '.join(_named(row) for row in unknown)} (the ends of "
            f"their 95 % intervals differ by more than a factor of {VAGUE} or leave what is possible; budget.csv)."
        )
    yield _largest(sources)


def _open(row: dict[str, Any]) -> bool:
    """Whether a share is not resolved. What the sources leave lies between -2, all of it interaction, and the whole."""
    low, high = row["share_low"], row["share_high"]
    if row["source"] == REMAINDER:
        return low < -2 or high > 1
    return _vague(low, high)


def _named(row: dict[str, Any]) -> str:
    words = {TEST_IMAGES: "another draw of test images", REMAINDER: "the whole less its sources"}
    return words.get(row["source"], str(row["source"]))


def _source(row: dict[str, Any]) -> str:
    share = f"{percentage(row['share'])}{_interval(row['share_low'], row['share_high'])}"
    whole = "of the variance of the log error over seeds"
    if row["source"] == REMAINDER:
        return f"the whole less its sources is {share} {whole}, {_adding_up(row)}"
    if row["source"] == TEST_IMAGES:
        return f"another draw of test images would add {share} {whole}"
    return f"{row['source']} alone makes {share} {whole}"


def _largest(sources: pd.DataFrame) -> str:
    """Whether one source is shown to be the largest: its interval above all others'."""
    order = sources.sort_values("share", ascending=False)
    top, others = order.iloc[0], order.iloc[1:]
    if len(others) and top["share_low"] > others["share_high"].max():
        return f"the largest source is {top['source']} (n = {top['n']}, its interval above the others')."
    return f"which source is the largest is not resolved (n = {top['n']})."


def _adding_up(row: dict[str, Any]) -> str:
    if row["share_high"] < 0:
        return "below 0, as where sources interact: each alone brings its own with the others"
    if row["share_low"] > 0:
        return "above 0, which interactions do not explain"
    return "not told from 0, so that they may simply add up"


def _needed(needed: pd.DataFrame) -> Iterator[str]:
    for family, rows in needed.groupby("family", sort=False):
        n = rows["n"].max()
        reached = int((rows["width"] <= rows["n"]).sum())
        found = f"was in reach of n = {n} seeds for {reached} of {len(rows)} claims, simultaneously"
        if len(rows) == 1:
            found = f"was {'' if reached else 'not '}in reach of n = {n} seeds for its one claim"
        width, power = (_listed(rows, column) for column in ("width", "power"))
        seeds = "how many seeds it takes is not resolved"
        if width:
            seeds = f"needed, at the spread that was seen: {width} (95 % intervals by χ² of the spread)"
        yield f"Family {family}: an interval of ± {100 * HALF_WIDTH:g} % {found}; {seeds}."
        tell = f"to tell the observed effects from none with a probability of {100 * POWER:g} %"
        if power:
            yield f"Family {family}: {tell}: {power} (95 % intervals by the noncentral t of n = {n} seeds)."
        else:
            yield f"Family {family}: {tell}, how many seeds it takes is not resolved with n = {n}."
    yield WARNING


WARNING = (
    "These numbers of seeds are estimates, no plan: an effect that was seen to be large is rather smaller than it "
    "looks, and then needs more. A number is not resolved where the ends of its interval differ by more than a factor "
    f"of {VAGUE}."
)


def _listed(rows: pd.DataFrame, column: str) -> str:
    """The claims whose number of seeds the data resolve, the greatest first; the others are counted. "": none is."""
    vague = np.array([_vague(low, high) for low, high in rows[[f"{column}_low", f"{column}_high"]].to_numpy()])
    known = _rows(rows[~vague].sort_values(column, ascending=False, kind="stable"))
    found = [
        f"{row['label']}: {row[column]:,.0f} seeds [{row[f'{column}_low']:,.0f}, {row[f'{column}_high']:,.0f}]"
        for row in known[:NAMED]
    ]
    found += [f"{len(known) - NAMED} more, with no more seeds, in needed.csv"] if len(known) > NAMED else []
    found += [f"not resolved for {vague.sum()} of {len(rows)}"] if known and vague.any() else []
    return "; ".join(found)


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
