"""The sentences and the answer of `analysis.generalization`, chosen by the numbers."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Any

from analysis.citable import Answer, slug
from analysis.command import span
from analysis.draws import THESE_IMAGES, images_of
from analysis.effects_errors import UNLEARNT
from analysis.generalization_estimates import LINEAR, ONE_CLASS
from analysis.generalization_membership import CHANCE
from analysis.generalization_points import AREAS, MEMBERSHIP, PARTS
from analysis.generalization_words import (
    LEVELS,
    PAIRS,
    cells_in_words,
    difference,
    equal_epochs,
    in_brackets,
    margin,
    number,
    quantity,
    seeds_in_words,
    setting,
)

if TYPE_CHECKING:
    import pandas as pd

    from analysis.generalization_estimates import Estimates

FEW_SEEDS = 5
NAMED = 3
LISTED = 12  # curves over one axis that have a sentence each
SAYS = {
    "better": "yes",
    "better, within the margin": "yes, but by less than would matter",
    "equivalent": "no, the two are the same within the margin",
    "worse": "no, worse",
    "worse, within the margin": "no, worse, but by less than would matter",
    "not resolved": "not resolved",
}


def sentences(estimates: Estimates, membership: pd.DataFrame | None, study: str) -> list[str]:
    """What may be cited."""
    return [
        *_demonstration(estimates.overall),
        *_overall(estimates.overall),
        *_cells(estimates.cells),
        *_flips(estimates.flips),
        *(_membership(membership) if membership is not None else ()),
        *_epochs(estimates, study),
    ]


def answers(estimates: Estimates, first: pd.Series) -> list[Answer]:
    """The answer to the second discussion question, of the data set and training-set size of the study's first cell."""
    table = estimates.overall
    classes = "" if first["normal_class"] is None or first["normal_class"] != first["normal_class"] else ONE_CLASS
    same_size = table["train_size"].isna() if not _size(first) else table["train_size"] == first["train_size"]
    mine = table[(table["dataset"] == first["dataset"]) & same_size & (table["classes"] == classes)]
    whole = mine[mine["part"] == "together"]
    if whole.empty:
        return []
    main = whole["task"].iloc[0]
    parts = {row["part"]: row for row in _rows(mine[mine["task"] == main])}
    together = parts["together"]
    named = {"memorisation": "memorisation", "split shift": "the split itself"}
    of_it = " and ".join(f"{words} {number(parts[part])}" for part, words in named.items() if part in parts)
    others = whole[~whole["task"].isin([main, MEMBERSHIP])]
    sentence = (
        f"{SAYS[together['verdict']].capitalize()}: in {main} of {first['dataset']} with {setting(together)}, "
        f"{_compared(main)} is {number(together)}{f', of which {of_it}' if of_it else ''} (mean over "
        f"{_cells_of(together)}{_left_out(together)}{_unlearnt(together)}{_spread(together)}, 95 % t intervals over "
        f"n = {together['n']} seeds, for the data set's test images as they are).{_over_sizes(estimates, first, main)}"
        f"{_in_other_tasks(others)}"
    )
    key = [main, "together", first["dataset"], _size(first), classes]
    statistic = "-".join(slug(part) for part in key if part)
    return [Answer("generalization", sentence, statistic, f"tasks-{first['dataset']}")]


def _compared(task: str) -> str:
    """What is compared between training and test images, and in which direction."""
    if task in AREAS:
        return f"the {quantity(task)}, training less test images (below 0: training images do better),"
    return f"the {quantity(task)}, training ÷ test images (below 1: training images do better),"


def _in_other_tasks(whole: pd.DataFrame) -> str:
    """Training against test images in further tasks: those that are compared alike stand together."""
    said = ""
    for words, rows in whole.groupby(whole["task"].map(_compared), sort=False):
        listed = "; ".join(f"{row['task']} {number(row)}" for row in _rows(rows))
        said += f" In other tasks {words} is: {listed}."
    return said


def _over_sizes(estimates: Estimates, first: pd.Series, task: str) -> str:
    """What is memorised of the fewest and of the most training images: on the curve of the study's first cell.

    Where that cell's training-set size is not varied, on the first curve over it, of a network if there is one.
    """
    curves = estimates.curves
    if not len(curves):
        return ""
    over = curves[(curves["axis"] == "train_size") & (curves["dataset"] == first["dataset"]) & (curves["task"] == task)]
    if over.empty:
        return ""
    rank = 2 * (over["cell"] != first["cell"]) + (over["architecture"] == LINEAR)
    mine = over[over["curve"] == over.loc[rank.idxmin(), "curve"]].sort_values("level")
    fewest, most = _rows(mine.iloc[[0, -1]])
    return (
        f" Over training-set size, memorisation of {fewest['curve']}: {number(fewest)} with {fewest['level']:,} "
        f"training images, {number(most)} with {most['level']:,} (95 % t intervals, "
        f"n = {span(mine['n'].iloc[[0, -1]])} seeds; {equal_epochs(most['updates'] / fewest['updates'])})."
    )


def _size(row: pd.Series) -> str:
    """The training-set size of a cell, "" for all images."""
    size = row["train_size"]
    return "" if size is None or size != size else f"{size:g}"


def _demonstration(overall: pd.DataFrame) -> Iterator[str]:
    n = int(overall["n"].max())
    if n < FEW_SEEDS:
        yield (
            f"A demonstration: {n} seeds resolve little, and the t intervals rest on differences that are normal over "
            "seeds."
        )


def _overall(table: pd.DataFrame) -> Iterator[str]:
    for (task, dataset, _, _), rows in table.groupby(
        ["task", "dataset", "train_size", "classes"], sort=False, dropna=False
    ):
        parts = {row["part"]: row for row in _rows(rows)}
        first = next(iter(parts.values()))
        found = "; ".join(f"{part} {number(row)}: {_means(row)}" for part, row in parts.items())
        yield (
            f"{dataset}, {task}: with {setting(first)}, {quantity(task)}, {found}. Mean over {_cells_of(first)}"
            f"{_left_out(first)}{_unlearnt(first)}, {first['method']}, n = {first['n']} seeds"
            f"{_for_these(parts)}; {_control(task, parts)}."
        )


def _for_these(parts: Collection[str]) -> str:
    """Which of the parts hold for the test images at hand alone."""
    fixed = [part for part in parts if images_of(PARTS[part]) == THESE_IMAGES]
    return f" ({' and '.join(fixed)}: {THESE_IMAGES})" if fixed else ""


def _means(row: dict[str, Any]) -> str:
    """The verdict on a pair, in words."""
    first, second = PAIRS[row["part"]].split(" ÷ ")
    worth = margin(row["task"])
    return {
        "better": f"{first} images do better than {second} ones",
        "better, within the margin": f"{first} images do better than {second} ones, by less than {worth}",
        "worse": f"{first} images do worse than {second} ones",
        "worse, within the margin": f"{first} images do worse than {second} ones, by less than {worth}",
        "equivalent": f"{first} and {second} images do the same within {worth} (TOST p = {row['equivalence_p']:.2g})",
        "not resolved": f"{first} and {second} images are neither told apart nor shown to be the same within {worth}",
    }[row["verdict"]]


def _cells_of(row: dict[str, Any]) -> str:
    return cells_in_words(row["cells"]) + (" of the linear control" if row["of"] == LINEAR else "")


def _left_out(row: dict[str, Any]) -> str:
    """Which cells and seeds a mean is without, and why."""
    cells, seeds, linear = row["left_out"], row["left_out_seeds"], row["linear_left_out"]
    found = [
        f"{cells_in_words(cells)} that lack{'s' if cells == 1 else ''} seeds" if cells else "",
        f"{seeds_in_words(seeds)} that not every cell has" if seeds else "",
        f"{cells_in_words(linear)} of the linear control" if linear else "",
    ]
    return f" (left out: {', '.join(filter(None, found))})" if any(found) else ""


def _spread(row: dict[str, Any]) -> str:
    """Between which cells a mean lies."""
    if row["cells"] == 1:
        return ""
    least, most = (
        f"{row[end]:+.3f}" if row["task"] in AREAS else f"{row[f'ratio_{end}']:.3f}" for end in ("least", "most")
    )
    return f", from {least} ({row['least_cell']}) to {most} ({row['most_cell']})"


def _unlearnt(row: dict[str, Any]) -> str:
    """Cells in a mean that have little to memorise with: their networks do hardly better than the mean image."""
    if not row["unlearnt"]:
        return ""
    return (
        f", {row['unlearnt']} of which learnt next to nothing (every network leaves {100 * UNLEARNT:.0f} % or more of "
        "the test variance unexplained)"
    )


def _control(task: str, parts: dict[str, dict[str, Any]]) -> str:
    row, name = parts.get("memorisation"), "the linear map"
    if row is None or row["control_n"] == 0:
        return f"{name} has no such number"
    some = (
        f", over {cells_in_words(row['control_cells'])} with such a number"
        if row["control_cells"] < row["cells"]
        else ""
    )
    if task in AREAS:
        found = difference(task, row["control"], row["control_low"], row["control_high"])
        return f"memorisation of {name}: {found}{some}"
    ends = in_brackets(row["control_ratio_low"], row["control_ratio_high"], ".3f")
    return f"memorisation of {name} fitted on the same images: {row['control_ratio']:.3f}{ends}{some}"


def _cells(table: pd.DataFrame) -> Iterator[str]:
    groups = table[table["part"] == "memorisation"].groupby(["task", "dataset"], sort=False)
    for (task, dataset), rows in groups:
        if len(rows) < 2:
            continue
        better = rows[rows["high"] < 0].sort_values("value")
        same = rows[rows["verdict"].isin(["equivalent", "better, within the margin", "worse, within the margin"])]
        named = "; ".join(f"{row['cell']} {number(row)}" for row in _rows(better)[:NAMED])
        more = f" and {len(better) - NAMED} more in cells.csv" if len(better) > NAMED else ""
        seeds = rows["left_out_seeds"].max()
        out = f" ({seeds_in_words(seeds)} that not every cell has left out)" if seeds else ""
        yield (
            f"{dataset}, {task}: memorisation is resolved in {len(better)} of {len(rows)} cells"
            f"{f' ({named}{more})' if named else ''}, and {len(same)} are shown to be within the margin "
            f"(simultaneous 95 % intervals, n = {span(rows['n'])} seeds{out}; {rows['method'].iloc[0]}; TOST, Holm)."
        )


def _flips(table: pd.DataFrame) -> Iterator[str]:
    for row in _rows(table.groupby(["dataset", "axis"], sort=False).head(LISTED)) if len(table) else ():
        updates = f"; {equal_epochs(row['updates_ratio'])}" if row["axis"] == "train_size" else ""
        yield (
            f"{row['dataset']}, {row['task']}, {row['curve']}, with {row['tried']} {LEVELS[row['axis']]}"
            f"{f' (without {out}: a layer is narrower)' if (out := row['left_out']) else ''}: training "
            f"images do at most {margin(row['task'])} better than held-out ones{_where(row)} ({row['words']}: 95 % "
            f"interval by inversion of t tests, n = {row['n']} seeds{updates})."
        )
    if len(table):
        for (dataset, axis), count in table.groupby(["dataset", "axis"], sort=False).size().items():
            if count > LISTED:
                yield f"{dataset}: {count - LISTED} more curves over {LEVELS[axis]} are in flips.csv."


def _where(row: dict[str, Any]) -> str:
    """From which level on, or up to which, the gap stays small; or at which alone it is, where it is not at the end."""
    if row["value"] == row["value"]:
        found = f" from {row['value']:,.0f} on" if row["falls"] else f" up to {row['value']:,.0f}"
    elif not row["within"]:
        return " at none of them"
    else:
        end = "up to the largest of them" if row["falls"] else "from the smallest of them on"
        found = f", but not {end}: only with {row['within']}"
    if row["crossings"] < 2:
        return found
    return f"{found}; the curve is not monotone, its mean passes the margin {row['crossings']} times"


def _membership(table: pd.DataFrame) -> Iterator[str]:
    for dataset, rows in table[table["part"] == "memorisation"].groupby("dataset", sort=False):
        told = rows[rows["low"] > CHANCE]
        above = rows[rows["over_low"] > 0]
        top = _rows(rows.sort_values("auc", ascending=False))[0]
        yield (
            f"{dataset}: by its reconstruction error a training image can be told from a held-out one in {len(told)} "
            f"of {len(rows)} cells, and better than by PCA's in {len(above)}; at most with AUC {top['auc']:.3f}"
            f"{in_brackets(top['low'], top['high'], '.3f')} ({top['cell']}; PCA {top['pca_auc']:.3f}; n = {top['n']} "
            f"seeds, at least {rows[['n_first', 'n_second']].min().min():,} images of either kind; {top['method']}; "
            "descriptive, not adjusted for the number of cells)."
        )


def _epochs(estimates: Estimates, study: str) -> Iterator[str]:
    """Which studies would say what this one cannot."""
    if not len(estimates.flips) or "epochs" not in set(estimates.flips["axis"]):
        epochs = int(estimates.points["epochs"].max())
        fewer, more = max(1, epochs // 4), 4 * epochs
        yield (
            f"Records hold held-out error at the end of training alone, of the epoch with the least validation error. "
            f"Memorisation over epochs needs studies of the same cells with other numbers of them: repeat the search "
            f"of {study} with --set epochs={fewer} --name {study}_{fewer} and --set epochs={more} --name "
            f"{study}_{more}, then: python -m analysis.generalization {study} --beside {study}_{fewer} {study}_{more}"
        )


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    return table.to_dict("records")
