"""The sentences and captions of inpainting and denoising, chosen by the numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from analysis import citable, command, figures
from analysis.restoration_estimates import ONCE, REFERENCE, all_images
from study import corruptions

if TYPE_CHECKING:
    import pandas as pd

    from analysis.restoration import Kind
    from analysis.restoration_estimates import Estimates

NAMED = 4  # cells that a sentence names with their numbers
WORDS = {"lower": f"less error than the {REFERENCE}", "higher": f"more error than the {REFERENCE}"}
TRAINED_WITH_NOISE = "-denoising"


def sentences(estimates: Estimates, kind: Kind, split: str) -> list[str]:
    """What may be cited."""
    return [
        *_skill(estimates.skill, kind, split),
        *_told(estimates.conditions, kind),
        *_iterated(estimates.iterated),
        *_fills(estimates.fills),
        *_crossings(estimates.crossings),
    ]


def answers(
    estimates: Estimates, kind: Kind, split: str, shown: Mapping[str, Sequence[str]]
) -> Iterator[citable.Answer]:
    """One for each data set: how many cells beat the linear optimum, and what the best by validation error does."""
    for dataset, rows in estimates.skill.groupby("dataset", sort=False):
        counts = rows["verdict"].value_counts()
        beat, lost = (int(counts.get(verdict, 0)) for verdict in ("lower", "higher"))
        untold = f", not told apart from it in {rest}" if (rest := len(rows) - beat - lost) else ""
        cell = shown[str(dataset)][min(1, len(shown[str(dataset)]) - 1)]
        row = rows[rows["cell"] == cell].iloc[0]
        sentence = (
            f"{dataset}, {kind.name}: the error on {figures.SPLITS[split]} images is below the {REFERENCE}'s in {beat} "
            f"of {len(rows)} cells, above it in {lost}{untold}; {cell} has {_ratio(row)} times the {REFERENCE}'s error "
            f"({kind.error}, geometric mean over {row['conditions']} conditions, n = {row['n']} seeds; "
            f"{row['method']})."
        )
        yield citable.Answer(kind.name, sentence, f"skill-{citable.slug(cell)}", str(dataset))


def caption(estimates: Estimates, kind: Kind, dataset: str, split: str) -> str:
    """What stands under the figure of numbers."""
    rows = estimates.skill[estimates.skill["dataset"] == dataset]
    return (
        f"{dataset}, {kind.name}: {kind.error} ÷ the {REFERENCE}'s on the same {_span(rows['n_images'])} "
        f"{figures.SPLITS[split]} images. Left: geometric mean over {rows['conditions'].max()} conditions, "
        f"n = {command.span(set(rows['n']))} seeds, {rows['method'].iloc[0]}. Right: mean and 95 % t interval over "
        "seeds of log error in one pass; costly baselines on at most 1,000 of the images."
    )


def _span(images: pd.Series) -> str:
    least, most = int(images.min()), int(images.max())
    return f"{least:,}" if least == most else f"{least:,} to {most:,}"


def _skill(table: pd.DataFrame, kind: Kind, split: str) -> Iterator[str]:
    for dataset, rows in table.groupby("dataset", sort=False):
        same = (
            f"({kind.error}, geometric mean over {rows['conditions'].max()} conditions, {rows['n_images'].max():,} "
            f"{figures.SPLITS[split]} images)"
        )
        how = f"(n = {command.span(set(rows['n']))} seeds; {rows['method'].iloc[0]})"
        for verdict, words in WORDS.items():
            some = rows[rows["verdict"] == verdict].sort_values("ratio")
            if len(some):
                counted = f"{words} in {len(some)} of {len(rows)} cells"
                yield f"{dataset}, {kind.name}: {counted} {same}: {_named(some)} {how}."
        for verdict, rest in rows[~rows["verdict"].isin(WORDS)].groupby("verdict", sort=False):
            yield f"{dataset}, {kind.name}: {len(rest)} of {len(rows)} cells {verdict} {same}: {_named(rest)} {how}."


def _told(table: pd.DataFrame, kind: Kind) -> Iterator[str]:
    """Models trained with noise against the linear optimum, at single conditions."""
    rows = all_images(table[(table["kind"] == "model") & (table["mode"] == ONCE)])
    rows = rows[rows["cell"].str.contains(TRAINED_WITH_NOISE) & rows["condition"].isin(kind.told)]
    for cell, part in rows.groupby("cell", sort=False):
        found = "; ".join(
            f"{corruptions.describe(row['condition'])}: {_ratio(row)} times, {_direction(row)}" for row in _rows(part)
        )
        yield (
            f"{cell}, trained with noise, error ÷ the {REFERENCE}'s on the same images: {found} "
            f"(n = {command.span(set(part['n']))} seeds, paired 95 % t intervals, each for itself)."
        )


def _direction(row: Mapping[str, Any]) -> str:
    if row["ratio_high"] < 1:
        return "the network wins"
    if row["ratio_low"] > 1:
        return f"the {REFERENCE} wins"
    return "not resolved" if row["ratio_low"] == row["ratio_low"] else f"not resolvable with n = {row['n']} seed"


def _named(rows: pd.DataFrame) -> str:
    shown = [f"{row['cell']} {_ratio(row)} times" for row in _rows(rows)[:NAMED]]
    more = f" and {len(rows) - NAMED} more in skill.csv" if len(rows) > NAMED else ""
    return "; ".join(shown) + more


def _ratio(row: Any) -> str:
    known = row["ratio_low"] == row["ratio_low"]
    ends = f"[{row['ratio_low']:.3g}, {row['ratio_high']:.3g}]" if known else "(no interval)"
    return f"{row['ratio']:.3g} {ends}"


def _iterated(table: pd.DataFrame) -> Iterator[str]:
    if not len(table):
        return
    for dataset, rows in table.groupby("dataset", sort=False):
        counts = rows["verdict"].value_counts()
        lower, higher = (int(counts.get(verdict, 0)) for verdict in ("lower", "higher"))
        best, worst = (rows.sort_values("ratio").iloc[place] for place in (0, -1))
        yield (
            f"{dataset}: reconstructing ten times with the known pixels put back lowers the error of {lower} of "
            f"{len(rows)} cells and raises that of {higher}; the direction is not resolved for the others. From "
            f"{_ratio(best)} times the error of one pass ({best['cell']}) to {_ratio(worst)} ({worst['cell']}; "
            f"{rows['n_images'].max():,} images, n = {command.span(set(rows['n']))} seeds; {best['method']})."
        )


def _fills(table: pd.DataFrame) -> Iterator[str]:
    if not len(table):
        return
    for dataset, rows in table.groupby("dataset", sort=False):
        first = rows.iloc[0]
        found = "; ".join(f"{row['mode'].removeprefix('filled with ')} {_ratio(row)} times" for row in _rows(rows))
        out = f", {first['left_out']} that lack seeds left out" if first["left_out"] else ""
        yield (
            f"{dataset}: what removed pixels are filled with, against the mean pixel (mean over "
            f"{first['cells']} cell{'s' if first['cells'] > 1 else ''}{out}, one mask): "
            f"error with {found} ({first['n_images']:,} images, n = {first['n']} seeds; {first['method']})."
        )


def _crossings(table: pd.DataFrame) -> Iterator[str]:
    """Of each baseline, in how many cells the network has less error at every level, from one on, or from none on."""
    if not len(table):
        return
    for (dataset, baseline), rows in table.groupby(["dataset", "baseline"], sort=False):
        always, never = rows[rows["from"] == rows["first"]], rows[rows["from"] == float("inf")]
        between = rows.drop(always.index).drop(never.index)
        resolved = _open(always["high"] > always["first"])
        parts = [f"{len(always)} at every level tried{f' ({resolved})' if resolved else ''}"] if len(always) else []
        if len(between):
            more = f" and {len(between) - NAMED} more" if len(between) > NAMED else ""
            named = "; ".join(_crossing(row) for row in _rows(between)[:NAMED])
            parts.append(f"{len(between)} from a level on: {named}{more}")
        if len(never):
            highest = f"not at the highest tried, σ = {rows['last'].iloc[0]:g}"
            found = filter(None, [highest, _open(never["low"] < float("inf")), _below(never)])
            parts.append(f"{len(never)} from no level on ({'; '.join(found)})")
        yield (
            f"{dataset}, Gaussian noise, less error than {baseline}: of {len(rows)} cells {'; '.join(parts)} "
            f"({rows['n_images'].max():,} images, n = {command.span(set(rows['n']))} seeds; {rows['method'].iloc[0]}; "
            "see crossings.csv)."
        )


def _open(leaves_open: pd.Series) -> str:
    """In how many cells of a group the interval holds other levels too."""
    return f"not resolved in {leaves_open.sum()} of them" if leaves_open.any() else ""


def _below(never: pd.DataFrame) -> str:
    """Which cells have less error at levels below the highest alone."""
    some = _rows(never[never["less_error_at"] != ""])
    if not some:
        return ""
    more = f" and {len(some) - 1} more at some levels" if len(some) > 1 else ""
    return f"{some[0]['cell']} only at σ = {some[0]['less_error_at'].replace(' ', ', ')}{more}"


def _crossing(row: dict[str, Any]) -> str:
    low, high = (_level(row, end) for end in ("low", "high"))
    ends = f"[{low}, {high}]" if row["low"] == row["low"] else "(no interval)"
    return f"{row['cell']} from σ = {row['from']:.2g} {ends}"


def _level(row: dict[str, Any], end: str) -> str:
    """A level, open where the levels tried end first."""
    if row[end] == float("inf"):
        return f"> {row['last']:g}"
    return f"≤ {row['first']:g}" if row[end] == row["first"] else f"{row[end]:.2g}"


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    return table.to_dict("records")
