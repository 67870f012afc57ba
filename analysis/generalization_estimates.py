"""Ratios of training, held-out and test error over seeds, equivalence, and where along an axis training images win.

A difference below 0 says that the first of the pair does better: training before held-out images (memorisation),
held-out before test images (split shift), training before test images (both together, their sum). On the log scale
differences are ratios; areas under the ROC curve are compared by differences of 1 - AUC.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.chosen_size import chosen_size
from analysis.generalization_points import AREAS, GENERATION
from analysis.statistics import LEVEL, alpha, family, holm, paired_t, t_interval, tost
from study import records

if TYPE_CHECKING:
    import pandas as pd

# A difference of no importance: 2 % of an error, 0.005 of an area, 0.02 of a share.
RATIO_MARGIN, AREA_MARGIN, SHARE_MARGIN = 1.02, 0.005, 0.02
AXES = {"train_size": "n_train", "latent_dim": "latent_dim", "epochs": "epochs"}  # factor → the column it is drawn over
WORDS = {"latent_dim": "k = {}", "train_size": "n = {}", "epochs": "{} epochs", "depth": "depth {}",
         "normal_class": "class {}", "learning_rate": "rate {}", "batch_size": "batch {}"}  # fmt: skip
FALLS = ("n_train",)  # the more of it, the less is memorised; of the others the more
GROUP = ["task", "part", "dataset", "train_size", "classes"]
ONE_CLASS = "one class"


@dataclass(frozen=True)
class Estimates:
    """All the numbers.

    Attributes:
        points: A row a trial, task and part: `value`, the difference, and that of the linear `control`.
        overall: A row a task, part, data set and training-set size: the mean over cells, with its t interval.
        cells: A row a cell, task and part, with simultaneous intervals over the cells of a data set.
        curves: A row a level of latent size, training-set size or epochs: what is memorised there.
        flips: A row a curve: from which level on training images do at most 2 % better.
    """

    points: pd.DataFrame
    overall: pd.DataFrame
    cells: pd.DataFrame
    curves: pd.DataFrame
    flips: pd.DataFrame

    def tables(self) -> dict[str, pd.DataFrame]:
        """File name → table, without the empty ones."""
        return {name: table for name, table in vars(self).items() if len(table)}


def margin(task: str) -> float:
    """The difference of no importance, on the scale of the task's differences."""
    if task == GENERATION:
        return SHARE_MARGIN
    return AREA_MARGIN if task in AREAS else float(np.log(RATIO_MARGIN))


def estimate(differences: pd.DataFrame, trials: pd.DataFrame, study: str) -> Estimates:
    """All the numbers.

    Args:
        differences: A row a trial, task and part: `value` and `control`, below 0 where the first does better.
        trials: With `study`, `trial`, `cell`, `n_train`, `epochs`, the factors and `seed`.
        study: Whose cells are reported; trials of others stand in the curves alone.
    """
    kept = ["study", "trial", "cell", *records.FACTORS, "n_train", "epochs", "seed"]
    points = differences.merge(trials[kept], on="trial").reset_index(drop=True)
    points["classes"] = np.where(points["normal_class"].notna(), ONE_CLASS, "")
    own = points[points["study"] == study]
    levels, flips = curves(points)
    return Estimates(points, overall(own), cells(own), levels, flips)


def overall(found: pd.DataFrame) -> pd.DataFrame:
    """The mean over the cells of a data set and training-set size, seed by seed, then over seeds.

    Cells that hold one class as normal are apart from the others. Cells that lack a seed others have are left out: a
    mean over other cells would be another number.
    """
    import pandas as pd

    rows = []
    for levels, part in found.groupby(GROUP, dropna=False, sort=False):
        same = dict(zip(GROUP, levels, strict=True))
        whole = _complete(part, "value")
        control = _complete(part[part["cell"].isin(whole.columns)], "control")
        means = whole.mean(axis=1)
        rows.append(
            {
                **same,
                **{"n_train": int(part["n_train"].min()), "n_train_most": int(part["n_train"].max())},
                **_estimate(means.dropna().to_numpy(), same["task"]),
                **_control(control.mean(axis=1).dropna().to_numpy()),
                **{"cells": whole.shape[1], "control_cells": control.shape[1]},
                "left_out": part["cell"].nunique() - whole.shape[1],
            }
        )
    table = pd.DataFrame(rows)
    order = {task: place for place, task in enumerate(found["task"].unique())}
    ordered = table.assign(order=table["task"].map(order)).sort_values(["dataset", "order", "n_train"], kind="stable")
    return _with_ratios(ordered.drop(columns="order").reset_index(drop=True))


def _complete(part: pd.DataFrame, column: str) -> pd.DataFrame:
    """Seeds × the cells that have them all."""
    return part.pivot_table(index="seed", columns="cell", values=column, sort=False).dropna(axis=1)


def _estimate(values: np.ndarray, task: str) -> dict[str, Any]:
    """Difference with its interval and p, equivalence, and what may be said."""
    found, within = paired_t(values), tost(values, -margin(task), margin(task))
    return {
        **{"value": found.value, "low": found.low, "high": found.high, "p": found.p, "n": found.n},
        **{"equivalence_p": within.p, "margin": margin(task), "method": found.method},
        "verdict": verdict(found.low, found.high, bool(within.p is not None and within.p <= alpha(LEVEL))),
    }


def verdict(low: float, high: float, equivalent: bool) -> str:
    """What an interval of a difference and a test of equivalence say together."""
    direction = "better" if high < 0 else "worse" if low > 0 else ""
    if direction:
        return f"{direction}, within the margin" if equivalent else direction
    return "equivalent" if equivalent else "not resolved"


def _control(values: np.ndarray) -> dict[str, Any]:
    found = t_interval(values)
    return {"control": found.value, "control_low": found.low, "control_high": found.high, "control_n": found.n}


def _with_ratios(table: pd.DataFrame) -> pd.DataFrame:
    """With what a log says as a ratio: columns `ratio`, `ratio_low`, `ratio_high`, `control_ratio`; of areas NaN."""
    logs = ~table["task"].isin(AREAS)
    names = {"value": "ratio", "low": "ratio_low", "high": "ratio_high", "control": "control_ratio"}
    return table.assign(**{ratio: np.exp(table[name].where(logs)) for name, ratio in names.items()})


def cells(found: pd.DataFrame) -> pd.DataFrame:
    """Every cell; all cells of a data set are one family in each task and part."""
    import pandas as pd

    groups = found.groupby(["task", "part", "dataset"], sort=False)
    rows = [row for (task, _, _), part in groups for row in _family(part, str(task))]
    return _with_ratios(pd.DataFrame(rows))


def _family(part: pd.DataFrame, task: str) -> Iterator[dict[str, Any]]:
    table = part.pivot_table(index="seed", columns="cell", values="value", sort=False)
    whole, names = table.dropna(axis=1), list(table.columns)
    share = whole.shape[1] / len(names)  # of the family's error: each cell that lacks seeds takes 1 ÷ len(names) of it
    joint = family(whole.to_numpy(), 1 - alpha(LEVEL) * share) if whole.size else None
    tests = [tost(table[cell].dropna(), -margin(task), margin(task)).p for cell in names]
    equivalence = holm(np.nan_to_num(np.array(tests, float), nan=1.0))
    of_cell = dict(list(part.groupby("cell", sort=False)))
    places = {cell: place for place, cell in enumerate(whole.columns)}
    for cell, equivalence_p in zip(names, equivalence, strict=True):
        if joint is not None and (i := places.get(cell)) is not None:
            numbers = {"value": joint.value[i], "low": joint.low[i], "high": joint.high[i]}
            numbers |= {"p": np.minimum(1, joint.p[i] / share)}  # NaN of one seed
            numbers |= {"n": joint.n, "method": joint.method}
        else:
            numbers = _alone(table[cell].dropna().to_numpy(), len(names))
        rows = of_cell[cell]
        kept = ("task", "part", "dataset", "cell", "latent_dim", "n_train")
        yield {
            **{name: rows[name].iloc[0] for name in kept},
            **numbers,
            **{"equivalence_p": equivalence_p, "margin": margin(task)},
            "verdict": verdict(numbers["low"], numbers["high"], equivalence_p <= alpha(LEVEL)),
            **_control(rows["control"].dropna().to_numpy()),
        }


def _alone(values: np.ndarray, comparisons: int) -> dict[str, Any]:
    """A cell that lacks seeds, by Bonferroni for the size of the family."""
    found = paired_t(values, 1 - alpha(LEVEL) / comparisons)
    raw = float("nan") if found.p is None else found.p
    p = min(1.0, comparisons * raw) if raw == raw else raw
    method = f"{found.method} (Bonferroni for {comparisons}; this cell lacks seeds)"
    return {"value": found.value, "low": found.low, "high": found.high, "p": p, "n": found.n, "method": method}


def curves(found: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What is memorised over each axis, and the level from which training images do at most the margin better.

    A curve is all cells that differ in one factor alone, at two levels or more. The level and its interval are found as
    a latent size is (`analysis.chosen_size`): on the gap, minus the difference, with the margin for threshold.

    Returns:
        Two tables: a row a level, a row a curve.
    """
    import pandas as pd

    memorised = found[found["part"] == "memorisation"]
    levels: list[dict[str, Any]] = []
    flips: list[dict[str, Any]] = []
    for factor, column in AXES.items():
        for same, part in _curves(memorised, factor):
            levels += [{**same, "axis": factor, "level": level, **rest} for level, rest in _levels(part, column)]
            flips.append({**same, "axis": factor, **_flip(part, column, str(same["task"]))})
    return _with_ratios(pd.DataFrame(levels)) if levels else pd.DataFrame(), pd.DataFrame(flips)


def _curves(memorised: pd.DataFrame, factor: str) -> Iterator[tuple[dict[str, Any], pd.DataFrame]]:
    others = [name for name in (*records.FACTORS, "epochs") if name != factor]
    groups = [part for _, part in memorised.groupby(["task", *others], dropna=False, sort=False)]
    shown = [name for name in others if name == "architecture" or memorised[name].map(str).nunique() > 1]
    for part in groups:
        if part[AXES[factor]].nunique() > 1:
            first = part.iloc[0]
            yield {"task": first["task"], "dataset": first["dataset"], "curve": _name(first, shown)}, part


def _name(first: pd.Series, shown: Sequence[str]) -> str:
    """What tells a curve from others: its architecture, and the levels that vary in the study."""
    known = [name for name in shown if name != "dataset" and first[name] is not None and first[name] == first[name]]
    return ", ".join(WORDS.get(name, "{}").format(_level(first[name])) for name in known)


def _level(level: Any) -> str:
    return f"{level:g}" if isinstance(level, (int, float, np.number)) else str(level)


def _levels(part: pd.DataFrame, column: str) -> Iterator[tuple[int, dict[str, Any]]]:
    for level, rows in part.groupby(column, sort=True):
        found = _estimate(rows["value"].to_numpy(), str(rows["task"].iloc[0]))
        yield int(level), {**found, **_control(rows["control"].dropna().to_numpy())}


def _flip(part: pd.DataFrame, column: str, task: str) -> dict[str, Any]:
    """The rule of `flip` on one curve."""
    gap = -part.pivot_table(index="seed", columns=column, values="value")
    return flip(gap.to_numpy(), [int(level) for level in gap.columns], margin(task), column in FALLS)


def flip(gap: np.ndarray, levels: Sequence[int], threshold: float, falls: bool) -> dict[str, Any]:
    """Where a gap passes a threshold for good.

    Args:
        gap: (n_seeds, n_levels), how much better training images do; NaN where a level lacks a seed.
        levels: Ascending.
        threshold: The margin.
        falls: Whether the gap is expected to fall over the levels: then the smallest level from which it stays at or
            below the threshold is asked for, otherwise the largest up to which it does.

    Returns:
        `value`, `low`, `high`: a level, or NaN for none of them; `first`, `last`, `tried`; `n`, `method`; `words`.
    """
    table = gap if falls else gap[:, ::-1]
    found = chosen_size(table, np.arange(1, len(levels) + 1), threshold)
    ordered = list(levels) if falls else list(levels)[::-1]
    places = (found.value, found.low, found.high)
    value, low, high = (float("nan") if place is None else ordered[place - 1] for place in places)
    if not falls:
        low, high = high, low  # of the largest level: fewer seeds' certainty reaches less far
    end = {"first": levels[0], "last": levels[-1]}
    numbers = {"value": value, "low": low, "high": high, **end, "n": found.n, "tried": ", ".join(map(str, levels))}
    rule = "smallest level from which" if falls else "largest level up to which"
    method = f"{rule} the mean gap stays ≤ {threshold:.3g}, 95 % interval by t inversion"
    return {**numbers, "falls": falls, "words": _words(numbers, falls), "method": method}


def _words(numbers: dict[str, Any], falls: bool) -> str:
    """A level with its interval, such as `2,000 [500, > 40,000]`."""
    beyond = f"> {numbers['last']:,}" if falls else f"< {numbers['first']:,}"
    reached = numbers["first"] if falls else numbers["last"]
    sign = "≤" if falls else "≥"

    def word(level: float) -> str:
        return beyond if level != level else f"{sign} {level:,}" if level == reached else f"{level:,}"

    return f"{word(numbers['value'])} [{word(numbers['low'])}, {word(numbers['high'])}]"
