"""The sentences of `analysis.generalization`, chosen by the numbers; its answer is `analysis.generalization_answer`."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Any

from analysis.command import span
from analysis.draws import THESE_IMAGES, images_of
from analysis.effects_errors import UNLEARNT
from analysis.generalization_estimates import LINEAR
from analysis.generalization_points import AREAS, PARTS
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
LEARNT_NOTHING = (
    f"learnt next to nothing (every network leaves {100 * UNLEARNT:.0f} % or more of the test variance unexplained)"
)


def sentences(estimates: Estimates, membership: pd.DataFrame | None, study: str, training: str = "") -> list[str]:
    """What may be cited.

    Args:
        estimates: All the numbers.
        membership: Areas over seeds; None where they were not asked for.
        study: Its name.
        training: The command that trains its cells anew (`training_command.again`); "": none is known.
    """
    return [
        *_demonstration(estimates.overall),
        *_overall(estimates.overall),
        *_cells(estimates.cells),
        *_flips(estimates.flips),
        *(_membership(membership) if membership is not None else ()),
        *_epochs(estimates, study, training),
    ]


def _demonstration(overall: pd.DataFrame) -> Iterator[str]:
    n = int(overall["n"].max())
    if n < FEW_SEEDS:
        yield (
            f"A demonstration: {seeds_in_words(n)} resolve{'s' if n == 1 else ''} little, and the t intervals rest on "
            "differences that are normal over seeds."
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
            f"{_left_out(first)}{_unlearnt(first)}, {first['method']}, {seeds([first['n']])}{_for_these(parts)}; "
            f"{_control(task, parts)}."
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


def _unlearnt(row: dict[str, Any]) -> str:
    """Cells in a mean that have little to memorise with: their networks do hardly better than the mean image."""
    return f", {row['unlearnt']} of which {LEARNT_NOTHING}" if row["unlearnt"] else ""


def of_control(row: dict[str, Any]) -> str:
    """What the linear map beside a network does, with its interval."""
    if row["task"] in AREAS:
        return difference(row["task"], row["control"], row["control_low"], row["control_high"])
    ends = in_brackets(row["control_ratio_low"], row["control_ratio_high"], ".3f")
    return f"{row['control_ratio']:.3f}{ends}"


def _control(task: str, parts: dict[str, dict[str, Any]]) -> str:
    row, name = parts.get("memorisation"), "the linear map"
    if row is None or row["control_n"] == 0:
        return f"{name} has no such number"
    some = (
        f", over {cells_in_words(row['control_cells'])} with such a number"
        if row["control_cells"] < row["cells"]
        else ""
    )
    fitted = "" if task in AREAS else " fitted on the same images"
    return f"memorisation of {name}{fitted}: {of_control(row)}{some}"


def _cells(table: pd.DataFrame) -> Iterator[str]:
    groups = table[table["part"] == "memorisation"].groupby(["task", "dataset"], sort=False)
    for (task, dataset), rows in groups:
        if len(rows) < 2:
            continue
        better = rows[rows["high"] < 0].sort_values("value")
        same = rows[rows["verdict"].isin(["equivalent", "better, within the margin", "worse, within the margin"])]
        named = "; ".join(f"{row['cell']} {number(row)}" for row in _rows(better)[:NAMED])
        more = f" and {len(better) - NAMED} more in cells.csv" if len(better) > NAMED else ""
        lacking = rows["left_out_seeds"].max()
        out = f" ({seeds_in_words(lacking)} that not every cell has left out)" if lacking else ""
        yield (
            f"{dataset}, {task}: memorisation is resolved in {len(better)} of {len(rows)} cells"
            f"{f' ({named}{more})' if named else ''}, and shown to be within {margin(task)} in {len(same)} "
            f"(simultaneous 95 % intervals, {seeds(rows['n'])}{out}; {rows['method'].iloc[0]}; TOST, Holm)."
        )


def _flips(table: pd.DataFrame) -> Iterator[str]:
    for row in _rows(table.groupby(["dataset", "axis"], sort=False).head(LISTED)) if len(table) else ():
        updates = f"; {equal_epochs(row['updates_ratio'])}" if row["axis"] == "train_size" else ""
        yield (
            f"{row['dataset']}, {row['task']}, {row['curve']}, with {row['tried']} {LEVELS[row['axis']]}"
            f"{f' (without {out}: a layer is narrower)' if (out := row['left_out']) else ''}: training "
            f"images do at most {margin(row['task'])} better than held-out ones{_where(row)} ({row['words']}: 95 % "
            f"interval by inversion of t tests, {seeds([row['n']])}{updates})."
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
        told = rows[rows["verdict"] == "told apart"]
        above = rows[rows["over_low"] > 0]
        top = _rows(rows.sort_values("auc", ascending=False))[0]
        yield (
            f"{dataset}: by its reconstruction error a training image can be told from a held-out one in {len(told)} "
            f"of {len(rows)} cells, and better than by PCA's in {len(above)}; at most with AUC {top['auc']:.3f}"
            f"{in_brackets(top['low'], top['high'], '.3f')} ({top['cell']}; PCA {top['pca_auc']:.3f}; "
            f"{seeds([top['n']])}, at least {rows[['n_first', 'n_second']].min().min():,} images of either kind; "
            f"{top['method']}; descriptive, not adjusted for the number of cells)."
        )


def _epochs(estimates: Estimates, study: str, training: str) -> Iterator[str]:
    """Which study would say what this one cannot: records hold held-out error at the end of training alone."""
    if training and (not len(estimates.flips) or "epochs" not in set(estimates.flips["axis"])):
        more = 4 * int(estimates.points["epochs"].max())
        yield (
            f"Not compared over epochs: {training} --set epochs={more} --name {study}_{more}, then "
            f"python -m analysis.generalization {study} --beside {study}_{more}"
        )


def seeds(counts: Collection[int]) -> str:
    """How many seeds stand behind numbers, such as "n = 4 to 5 seeds"."""
    return f"n = {span(counts)} seed{'' if max(counts) == 1 else 's'}"


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    return table.to_dict("records")
