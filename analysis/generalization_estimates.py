"""Ratios of training, held-out and test error over seeds, equivalence, and where along an axis training images win.

A difference below 0 says that the first of the pair does better: training before held-out images (memorisation),
held-out before test images (split shift), training before test images (both together, their sum). On the log scale
differences are ratios; areas under the ROC curve are compared by differences of 1 - AUC.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.draws import images_of
from analysis.effects_errors import UNLEARNT
from analysis.generalization_axes import AXES, by_level, curves_over
from analysis.generalization_flip import flip
from analysis.generalization_points import ANOMALY, AREAS, GENERATION, PARTS
from analysis.generalization_rectangle import rectangle
from analysis.generalization_trend import trend
from analysis.statistics import LEVEL, alpha, family, holm, paired_t, t_interval, tost
from study import records

if TYPE_CHECKING:
    import pandas as pd

# A difference of no importance: 2 % of an error, 0.005 of an area, 0.02 of a share.
RATIO_MARGIN, AREA_MARGIN, SHARE_MARGIN = 1.02, 0.005, 0.02
FALLS = ("n_train",)  # the more of it, the less is memorised; of the others the more
GROUP = ["task", "part", "dataset", "train_size", "classes"]
RANGES = ("n_train", "latent_dim", "epochs")  # of the cells in a mean: the least, and `_most`
ONE_CLASS = "one class"
LINEAR = "linear"  # the architecture that can hardly memorise: a control, no network to average with the others


@dataclass(frozen=True)
class Estimates:
    """All the numbers.

    Attributes:
        points: A row a trial, task and part: `value`, the difference, and that of the linear `control`.
        overall: A row a task, part, data set and training-set size: the mean over `cells`, with its t interval; `of`
            networks, or of "linear" cells where there are no others; cells and seeds `left_out` and `left_out_seeds` so
            that every cell has every seed, and cells of the linear control that are in no mean (`linear_left_out`).
            Of the cells in the mean: the `least` and the `most` of their own means and which they are; how many learnt
            next to nothing (`unlearnt`: the test FVU of every network is `UNLEARNT` or more); latent sizes, epochs.
            Where test images are on one side, intervals hold for these images: they are the same for every seed; in
            anomaly detection for these anomalies, likewise.
        cells: A row a cell, task and part, with simultaneous intervals over the cells of a data set;
            `left_out_seeds`, which not all cells of the family have.
        curves: A row a level of latent size, training-set size or epochs, and its `cell`: what is memorised there;
            `excluded` where a layer is narrower than the code; `updates` of the weights in all epochs.
        flips: A row a curve: from which level on training images do at most 2 % better; `left_out` of latent sizes;
            `updates_ratio`, at the last level to the first; `change` with each doubling of the level, by `trend`.
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
        differences: A row a trial, task and part: `value` and `control`, below 0 where the first does better; rows
            without a value count for nothing.
        trials: With `study`, `trial`, `cell`, `n_train`, `narrowest_width`, `epochs`, `test_fvu`, the factors, `seed`.
        study: Whose cells are reported; trials of others stand in the curves alone.
    """
    kept = ["study", "trial", "cell", *records.FACTORS, "narrowest_width", "n_train", "epochs", "seed", "test_fvu"]
    points = differences.dropna(subset="value").merge(trials[kept], on="trial").reset_index(drop=True)
    points["excluded"] = points["narrowest_width"].astype(float) < points["latent_dim"]
    points["classes"] = np.where(points["normal_class"].notna(), ONE_CLASS, "")
    own = points[points["study"] == study]
    levels, flips = curves(points)
    return Estimates(points, overall(own), cells(own), levels, flips)


def overall(found: pd.DataFrame) -> pd.DataFrame:
    """The mean over the cells of a data set and training-set size, seed by seed, then over seeds.

    Cells that hold one class as normal are apart from the others. Cells of the linear control are in no mean, unless
    there are no others. Every cell has every seed, by `rectangle`: a mean over other cells would be another number.
    """
    import pandas as pd

    rows = []
    for levels, part in found.groupby(GROUP, dropna=False, sort=False):
        same = dict(zip(GROUP, levels, strict=True))
        networks = part[part["architecture"] != LINEAR]
        meant = networks if len(networks) else part
        whole = _complete(meant, "value")
        kept = meant[meant["cell"].isin(whole.columns) & meant["seed"].isin(whole.index)]
        control = _complete(kept, "control")
        rows.append(
            {
                **same,
                **{end: int(number) for name in RANGES for end, number in _ends(name, kept[name]).items()},
                **_with_images(_estimate(whole.mean(axis=1).to_numpy(), same["task"]), same),
                **_control(control.mean(axis=1).dropna().to_numpy()),  # nothing where no cell has a control
                **{"of": "networks" if len(networks) else LINEAR, "cells": whole.shape[1]},
                **{"control_cells": control.shape[1], "left_out": meant["cell"].nunique() - whole.shape[1]},
                "left_out_seeds": meant["seed"].nunique() - len(whole),
                "linear_left_out": part["cell"].nunique() - meant["cell"].nunique(),
                **_spread(whole.mean()),
                "unlearnt": int((kept.groupby("cell")["test_fvu"].min() >= UNLEARNT).sum()),
            }
        )
    table = pd.DataFrame(rows)
    order = {task: place for place, task in enumerate(found["task"].unique())}
    ordered = table.assign(order=table["task"].map(order)).sort_values(["dataset", "order", "n_train"], kind="stable")
    return _with_ratios(ordered.drop(columns="order").reset_index(drop=True))


def _ends(name: str, numbers: pd.Series) -> dict[str, float]:
    return {name: numbers.min(), f"{name}_most": numbers.max()}


def _spread(by_cell: pd.Series) -> dict[str, Any]:
    """Which cells are the ends of a mean over cells."""
    least, most = by_cell.idxmin(), by_cell.idxmax()
    return {"least": by_cell[least], "least_cell": least, "most": by_cell[most], "most_cell": most}


def _complete(part: pd.DataFrame, column: str) -> pd.DataFrame:
    """Seeds × cells, without gaps; empty where nothing is known."""
    return _largest(part.pivot_table(index="seed", columns="cell", values=column, sort=False))


def _largest(table: pd.DataFrame) -> pd.DataFrame:
    """The complete part of seeds × cells that `rectangle` keeps."""
    ordered = table.sort_index()
    seeds, cells = rectangle(ordered.notna().to_numpy())
    return ordered.loc[seeds, cells]


def _estimate(values: np.ndarray, task: str) -> dict[str, Any]:
    """Difference with its interval and p, equivalence, and what may be said."""
    found, within = paired_t(values), tost(values, -margin(task), margin(task))
    return {
        **{"value": found.value, "low": found.low, "high": found.high, "p": found.p, "n": found.n},
        **{"equivalence_p": within.p, "margin": margin(task), "method": found.method},
        "verdict": verdict(found.low, found.high, bool(within.p is not None and within.p <= alpha(LEVEL))),
    }


def _with_images(numbers: dict[str, Any], same: dict[str, Any]) -> dict[str, Any]:
    """The same, its method with the images that the interval holds for, by task and part."""
    images = images_of(PARTS[same["part"]], anomalies=same["task"] == ANOMALY)
    return {**numbers, "method": f"{numbers['method']}, over seeds {images}"}


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
    """With what a log says as a ratio: `ratio`, `control_ratio`, their intervals where there are any; of areas NaN."""
    logs = ~table["task"].isin(AREAS)
    names = {"value": "ratio", "low": "ratio_low", "high": "ratio_high", "least": "ratio_least", "most": "ratio_most"}
    names |= {name: name.replace("control", "control_ratio") for name in ("control", "control_low", "control_high")}
    return table.assign(**{ratio: np.exp(table[name].where(logs)) for name, ratio in names.items() if name in table})


def cells(found: pd.DataFrame) -> pd.DataFrame:
    """Every cell; all cells of a data set are one family in each task and part."""
    import pandas as pd

    groups = found.groupby(["task", "part", "dataset"], sort=False)
    rows = [row for (task, _, _), part in groups for row in _family(part, str(task))]
    return _with_ratios(pd.DataFrame(rows))


def _family(part: pd.DataFrame, task: str) -> Iterator[dict[str, Any]]:
    """The joint family of the cells that `rectangle` keeps, on the seeds that it keeps; the others each alone."""
    table, control = (
        part.pivot_table(index="seed", columns="cell", values=name, sort=False, dropna=False)
        for name in ("value", "control")
    )
    whole, names = _largest(table), list(table.columns)
    share = whole.shape[1] / len(names)  # of the family's error: each cell that lacks seeds takes 1 ÷ len(names) of it
    joint = family(whole.to_numpy(), 1 - alpha(LEVEL) * share)
    places = {cell: place for place, cell in enumerate(whole.columns)}
    used = {cell: whole[cell] if cell in places else table[cell].dropna() for cell in names}
    tests = [tost(values.to_numpy(), -margin(task), margin(task)).p for values in used.values()]
    equivalence = holm(np.nan_to_num(np.array(tests, float), nan=1.0))
    kept = part.drop_duplicates("cell")[["task", "part", "dataset", "cell", "latent_dim", "n_train"]].to_dict("records")
    for same, equivalence_p in zip(kept, equivalence, strict=True):
        values = used[same["cell"]]
        if (i := places.get(same["cell"])) is not None:
            numbers = {"value": joint.value[i], "low": joint.low[i], "high": joint.high[i]}
            numbers |= {"p": np.minimum(1, joint.p[i] / share)}  # NaN of one seed
            numbers |= {"n": joint.n, "method": joint.method, "left_out_seeds": len(table) - joint.n}
        else:
            numbers = {**_alone(values.to_numpy(), len(names)), "left_out_seeds": 0}
        yield {
            **same,
            **_with_images(numbers, same),
            **{"equivalence_p": equivalence_p, "margin": margin(task)},
            "verdict": verdict(numbers["low"], numbers["high"], equivalence_p <= alpha(LEVEL)),
            **_control(_known(control.loc[values.index, same["cell"]].to_numpy())),
        }


def _known(values: np.ndarray) -> np.ndarray:
    return values[~np.isnan(values)]


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
    a latent size is (`analysis.chosen_size`): on the gap, minus the difference, with the margin for threshold; and
    where a layer is narrower than the code, it is not the code's size that is varied, and the level is left out.
    Epochs are equal along training-set size, so that updates of the weights, ⌈images ÷ batch⌉ an epoch, are not.

    Returns:
        Two tables: a row a level, a row a curve.
    """
    import pandas as pd

    memorised = found[found["part"] == "memorisation"]
    levels: list[dict[str, Any]] = []
    flips: list[dict[str, Any]] = []
    for factor, column in AXES.items():
        for same, part in curves_over(memorised, factor):
            capped = set(part.loc[part["excluded"], column]) if factor == "latent_dim" else set()
            places, values, control = by_level(part, column)
            firsts = part.drop_duplicates(column).set_index(column, drop=False)
            updates = firsts["epochs"] * np.ceil(firsts["n_train"] / firsts["batch_size"].astype(float))
            rows = zip(places, values.T, control.T, strict=True)
            levels += [
                {
                    **{**same, "axis": factor, "level": level},
                    **_estimate(_known(network), same["task"]),
                    **{**_control(_known(linear)), "excluded": level in capped},
                    **{"cell": firsts.loc[level, "cell"], "updates": int(updates[level])},
                }
                for level, network, linear in rows
            ]
            usable = [place for place, level in enumerate(places) if level not in capped]
            if len(usable) > 1:
                kept = [places[place] for place in usable]
                turn = flip(-values[:, usable], kept, margin(same["task"]), column in FALLS)
                turn |= trend(values[:, usable], kept, same["task"] not in AREAS)
                ratio = updates[kept[-1]] / updates[kept[0]]
                left_out = ", ".join(map(str, sorted(capped)))
                flips.append({**same, "axis": factor, **turn, "left_out": left_out, "updates_ratio": ratio})
    return _with_ratios(pd.DataFrame(levels)) if levels else pd.DataFrame(), pd.DataFrame(flips)
