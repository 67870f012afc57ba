"""The answer of `analysis.generalization` to the second discussion question, chosen by the numbers.

Cells differ in what they remember, and some learnt nothing: the answer gives the ends of their range, and no mean.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.citable import Answer, slug
from analysis.effects_errors import UNLEARNT
from analysis.generalization_estimates import LINEAR, ONE_CLASS
from analysis.generalization_points import ANOMALY, AREAS, GENERATION, MEMBERSHIP, RESTORATIONS
from analysis.generalization_text import LEARNT_NOTHING, of_control, seeds
from analysis.generalization_words import (
    PAIRS,
    cells_in_words,
    difference,
    in_brackets,
    margin,
    number,
    quantity,
    setting,
)

if TYPE_CHECKING:
    import pandas as pd

    from analysis.generalization_estimates import Estimates

ALONE = " (no other task was compared)"
PROBLEM_2 = (*RESTORATIONS, ANOMALY, GENERATION)
WITHIN = ("equivalent", "better, within the margin", "worse, within the margin")


def answers(estimates: Estimates, first: pd.Series) -> list[Answer]:
    """The answer, of the data set and training-set size of the study's first cell.

    Args:
        estimates: All the numbers.
        first: A row of the trials, of that cell, with `study` and `cell`.

    Returns:
        None where no trial there has an error on training and on test images.
    """
    means = _like(estimates.overall, first)
    whole = means[means["part"] == "together"]
    if whole.empty:
        return []
    main = whole.to_dict("records")[0]
    points = _like(estimates.points[estimates.points["study"] == first["study"]], first)
    networks = points[points["architecture"] != LINEAR]
    networks = networks if len(networks) else points
    cells = estimates.cells[estimates.cells["cell"].isin(networks["cell"])].sort_values("value", kind="stable")
    together = cells[cells["part"] == "together"]
    mine = together[together["task"] == main["task"]]
    said = [
        _verdict(mine, main, alone=together["task"].nunique() == 1),
        f"The {_compared(main['task'])} {_range(mine)} ({_method(mine, main)}).",
        _unlearnt(networks, mine),
        _why(estimates, first, cells[cells["task"] == main["task"]], means),
        _over_sizes(estimates, first, main["task"]),
        *_in_other_tasks(together, main["task"]),
        _not_asked(estimates, first["study"]),
    ]
    statistic = "-".join(["cell", slug(main["task"]), "together", slug(mine["cell"].iloc[0])])
    drawn = len(estimates.curves) and (estimates.curves["dataset"] == first["dataset"]).any()
    figure = f"{'curves' if drawn else 'tasks'}-{first['dataset']}"
    return [Answer("generalization", " ".join(filter(None, said)), statistic, figure)]


def _like(table: pd.DataFrame, first: pd.Series) -> pd.DataFrame:
    """The rows with the data set and training-set size of a trial, of all classes or of one as it."""
    classes = "" if _none(first["normal_class"]) else ONE_CLASS
    size = first["train_size"]
    same_size = table["train_size"].isna() if _none(size) else table["train_size"] == size
    return table[(table["dataset"] == first["dataset"]) & same_size & (table["classes"] == classes)]


def _verdict(rows: pd.DataFrame, main: dict[str, Any], alone: bool) -> str:
    """In how many cells training images do better by more than the margin, and what is known of the others.

    Args:
        rows: The cells of one task.
        main: Its mean over them.
        alone: Whether no other task was compared.
    """
    least = margin(main["task"])
    better, worse = (int(found.sum()) for found in (rows["high"] < -rows["margin"], rows["low"] > rows["margin"]))
    within = int(rows["verdict"].isin(WITHIN).sum())
    every, where = (
        _cells(len(rows), main),
        f"in {main['task']}{ALONE if alone else ''} of {main['dataset']} with {setting(main)}",
    )
    part = f", in {better or worse} of {every}" if len(rows) > 1 else ""
    others = {"worse by more": worse if better else 0, f"within {least}": within}
    others["not resolved"] = len(rows) - better - worse - within
    if better:
        said = f"Yes{part}: {where}, training images do better than test images by more than {least}"
    elif worse:
        said = f"No, rather worse{part}: {where}, training images do worse than test images by more than {least}"
    elif within == len(rows):
        return f"No: {where}, training and test images do the same within {least}, which would not matter, in {every}."
    else:
        any_of = f"any of {every}" if len(rows) > 1 else every
        said = f"Not by more than {least} as far as can be told: {where}, no larger difference is resolved in {any_of}"
    left = ", ".join(f"{words} in {count}" for words, count in others.items() if count)
    apart = f" ({'the others: ' if better or worse else ''}{left})" if left and len(rows) > 1 else ""
    return f"{said}; less would not matter{apart}."


def _cells(count: int, main: dict[str, Any]) -> str:
    return cells_in_words(count) + (" of the linear control" if main["of"] == LINEAR else "")


def _compared(task: str) -> str:
    """What is compared between training and test images, and in which direction."""
    if task in AREAS:
        return f"{quantity(task)}, training less test images (below 0: training images do better),"
    return f"{quantity(task)}, training ÷ test images (below 1: training images do better),"


def _range(rows: pd.DataFrame) -> str:
    """The ends of a table in order: where training images do best, and where least so."""
    ends = [f"{number(row)} ({row['cell']})" for row in rows.iloc[[0, -1]].to_dict("records")]
    return f"is {ends[0]}" if len(rows) == 1 else f"goes from {ends[0]} to {ends[1]}"


def _method(rows: pd.DataFrame, main: dict[str, Any]) -> str:
    linear = main["linear_left_out"]
    out = f"; without {cells_in_words(linear)} of the linear control" if linear else ""
    return f"simultaneous 95 % intervals, {seeds(rows['n'])}, for the data set's test images as they are{out}"


def _unlearnt(points: pd.DataFrame, rows: pd.DataFrame) -> str:
    """Cells that have little to remember with."""
    best = points[points["cell"].isin(rows["cell"])].groupby("cell")["test_fvu"].min()
    nothing = int((best >= UNLEARNT).sum())
    return f"Of these {cells_in_words(len(rows))} {nothing} {LEARNT_NOTHING}." if nothing else ""


def _why(estimates: Estimates, first: pd.Series, cells: pd.DataFrame, means: pd.DataFrame) -> str:
    """What is memorised, over latent size where it is varied, beside PCA; and what the split itself does."""
    memorised = cells[cells["part"] == "memorisation"]
    if memorised.empty:
        return ""
    task = str(memorised["task"].iloc[0])
    what = f"memorisation ({quantity(task)}, {PAIRS['memorisation']})"
    curve = _curve(estimates, first, task, "latent_dim").sort_values("value")
    if len(curve) > 1:
        most, least = curve.iloc[[0, -1]].to_dict("records")
        trend = _trend(estimates, most)
        units = "latent unit" if least["level"] == 1 else "latent units"
        lead = _lead(trend, most)
        found = (
            f"{what} of {most['curve']} goes from {number(least)} with {least['level']} {units} to {number(most)} with "
            f"{most['level']}{_control([least, most])} (95 % t intervals, each for itself, {seeds(curve['n'])})"
            f"{_change(trend)}"
        )
    else:
        most = memorised.to_dict("records")[0]
        lead = "training images are remembered" if most["high"] < 0 else "nothing is shown to be remembered"
        found = (
            f"{what} is {number(most)} in {most['cell']}{_control([most])} (95 % intervals, the "
            f"network's simultaneous, {seeds([most['n']])})"
        )
    split = means[(means["part"] == "split shift") & (means["task"] == task)].to_dict("records")
    own = f"; the split itself ({PAIRS['split shift']}): {number(split[0])}, mean over cells" if split else ""
    return f"Why: {lead}; {found}{own}."


def _trend(estimates: Estimates, point: dict[str, Any]) -> dict[str, Any]:
    """The row of `Estimates.flips` of the curve that a point lies on."""
    same = ["task", "dataset", "architecture", "curve", "axis"]
    return estimates.flips[(estimates.flips[same] == [point[name] for name in same]).all(axis=1)].to_dict("records")[0]


def _lead(trend: dict[str, Any], most: dict[str, Any]) -> str:
    """Whether more is remembered by larger codes, or by smaller ones, by the line through all sizes."""
    none = 0 if trend["task"] in AREAS else 1
    larger, smaller = trend["change_high"] < none, trend["change_low"] > none
    if most["high"] < 0 and (larger or smaller):
        return f"training images are remembered, the more the {'larger' if larger else 'smaller'} the code"
    return "how much is remembered is not shown to rise or fall with the code's size"


def _change(trend: dict[str, Any]) -> str:
    """What a doubling does, with its interval; "" where no seed has all sizes."""
    if not trend["change_n"]:
        return ""
    ends = trend["change"], trend["change_low"], trend["change_high"]
    factor = f"a factor of {ends[0]:.3f}{in_brackets(*ends[1:], '.3f')}"
    change = difference(trend["task"], *ends) if trend["task"] in AREAS else factor
    return f", and changes by {change} with each doubling of the code (n = {trend['change_n']}, paired t)"


def _control(rows: list[dict[str, Any]]) -> str:
    """What the linear map does that stands beside a task's networks; "" where one of them has none."""
    known = [of_control(row) for row in rows if row["control_n"]]
    name = "the linear optimum's" if rows[0]["task"] in RESTORATIONS else "PCA's"
    return f", {name} of the same size {' and '.join(known)}" if len(known) == len(rows) else ""


def _curve(estimates: Estimates, first: pd.Series, task: str, axis: str) -> pd.DataFrame:
    """The first cell's curve over an axis; where it is on none, the first of a network if there is one."""
    curves = estimates.curves
    if not len(curves):
        return curves.reindex(columns=["value"])
    same = (curves["dataset"] == first["dataset"]) & (curves["task"] == task)
    over = curves[(curves["axis"] == axis) & same & ~curves["excluded"].astype(bool)]
    if over.empty:
        return over
    rank = 2 * (over["cell"] != first["cell"]) + (over["architecture"] == LINEAR)
    return over[over["curve"] == over.loc[rank.idxmin(), "curve"]].sort_values("level")


def _over_sizes(estimates: Estimates, first: pd.Series, task: str) -> str:
    """What is memorised of each number of training images, and why that is no effect of images alone."""
    curve = _curve(estimates, first, task, "train_size")
    if curve.empty:
        return ""
    rows = curve.to_dict("records")
    units = [" training images", *[""] * (len(rows) - 1)]
    listed = ", ".join(
        f"{number(row)} with {row['level']:,}{unit}{_nothing(estimates, row, first['study'])}"
        for row, unit in zip(rows, units, strict=True)
    )
    return (
        f"Over training-set size, memorisation of {rows[0]['curve']} is {listed} (95 % t intervals, each for itself, "
        f"{seeds(curve['n'])}). Epochs are equal, so that updates of the weights rise with the images, from "
        f"{rows[0]['updates']:,} to {rows[-1]['updates']:,}: nothing follows for either alone."
    )


def _nothing(estimates: Estimates, row: dict[str, Any], study: str) -> str:
    """How many networks of a point of a curve have little to remember with."""
    points = estimates.points[estimates.points["study"] == study]
    of_cell = (points["cell"] == row["cell"]) & (points["task"] == row["task"]) & (points["part"] == "memorisation")
    left = points.loc[of_cell, "test_fvu"].astype(float)
    nothing = int(np.count_nonzero(left >= UNLEARNT))
    return f" ({nothing} of {len(left)} networks learnt next to nothing)" if nothing else ""


def _in_other_tasks(together: pd.DataFrame, main: str) -> list[str]:
    """Training against test images in further tasks, the ends of each."""
    others = together[~together["task"].isin([main, MEMBERSHIP])]
    return [
        f"In {task} the {_compared(str(task))} {_range(rows)}." for task, rows in others.groupby("task", sort=False)
    ]


def _not_asked(estimates: Estimates, study: str) -> str:
    """Which of the tasks that the question is about have no numbers here, and what gives them."""
    lacking = [task for task in PROBLEM_2 if task not in set(estimates.overall["task"])]
    if not lacking:
        return ""
    return (
        f"Not compared here: {', '.join(lacking)}; with the trained models: python -m analysis.generalization {study}."
    )


def _none(level: Any) -> bool:
    return level is None or level != level
