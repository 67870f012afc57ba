"""How much of what skips change is there in training, and how much only in evaluation.

The twins are normalised over batches: in training each batch by its own means and variances, in evaluation all images
by running ones, which follow the weights with a delay. The loss of training is of the former, stored errors of the
latter.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.command import with_ends
from analysis.effects_words import seeds
from analysis.residual_twins import GROUP, PLAIN, SKIPS
from analysis.statistics import paired_t

if TYPE_CHECKING:
    import pandas as pd

ERRORS = {"training": "loss", "training_images": "train_mse", "test": "test_mse"}
REST = "evaluation"  # the ratio on training images ÷ that in training
MEANING = {
    "training": "training loss of the last epoch",
    "training_images": "error on the training images",
    REST: "error on the training images ÷ training loss",
}


def modes(both: pd.DataFrame, history: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Residual ÷ plain by the training loss of the last epoch, by the error on the training images, and by test error.

    The loss is the mean over the steps of the epoch. The errors are those of the kept epoch, which may be an earlier
    one: validation error chooses it. Only a loss that is squared error alone has their scale; others have no row.

    Args:
        both: The twins.
        history: The learning curves.

    Yields:
        A row a depth over the `n` seeds in which both trained: `training`, `training_images`, `test` and `evaluation`
        (the second ÷ the first), each with its t interval `…_low`, `…_high`; and of either architecture the geometric
        mean of all but the last, `training_residual`, ….
    """
    if both.empty:
        return
    last = history.sort_values("epoch").groupby("trial")["loss"].last()
    alike = both[(both["loss"] == "mse") & (both["regularizer"] == "none") & (both["status"] == "completed")]
    known = alike.assign(loss=alike["trial"].map(last)).set_index([*GROUP, "depth", "seed", "architecture"])
    wide = known[list(ERRORS.values())].astype(float).unstack("architecture")
    logs = np.log(wide.reindex(columns=list(itertools.product(ERRORS.values(), (SKIPS, PLAIN)))).dropna())
    for (dataset, of, depth), rows in logs.groupby([*GROUP, "depth"], sort=False):
        ratios = {name: rows[error, SKIPS] - rows[error, PLAIN] for name, error in ERRORS.items()}
        ratios[REST] = ratios["training_images"] - ratios["training"]
        found = {name: paired_t(values) for name, values in ratios.items()}
        yield {
            **{"dataset": dataset, "of": of, "depth": int(depth), "n": len(rows)},
            **{f"{name}{end}": np.exp(value) for name, one in found.items()
               for end, value in (("", one.value), ("_low", one.low), ("_high", one.high))},
            **{f"{name}_{side}": np.exp(rows[error, side].mean()) for name, error in ERRORS.items()
               for side in (SKIPS, PLAIN)},
            "method": f"geometric {found[REST].method}, single",
        }  # fmt: skip


def sentences(table: pd.DataFrame) -> Iterator[str]:
    """The ratio in training beside that in evaluation, and what of it is not there in training."""
    for (dataset, of), rows in table.groupby(["dataset", "of"], sort=False) if len(table) else ():
        found = rows.to_dict("records")
        method = f"{rows['method'].iloc[0]}, n = {seeds(rows['n'])}; descriptive"
        beside = "; ".join(f"depth {row['depth']}: {_ratio(row, 'training')} and {row['test']:.3g}" for row in found)
        yield (
            f"{dataset}, {of}: residual ÷ plain by the training loss of the last epoch (every batch normalised by "
            f"itself), and by test error (running means and variances; its intervals are above): {beside} ({method}). "
            f"{_where(rows, 'training', 'With skips, training loss is')}."
        )
        rises = "; ".join(f"depth {row['depth']}: {_ratio(row, REST)} ({_rise(row)})" for row in found)
        below = rows[rows[f"{REST}_high"] < 1]
        lead = (
            f" That part of their lead (depth {_depths(below)}) comes from the running means and variances, or from "
            "the earlier epochs kept by them: neither from training nor from held-out images."
        )
        yield (
            f"{dataset}, {of}: error of the kept networks on their own training images ÷ their last training loss, "
            f"residual ÷ plain: {rises} ({method}). {_where(rows, REST, 'With skips, this rise is')}."
            f"{lead if len(below) else ''}"
        )


def _ratio(row: dict[str, Any], name: str) -> str:
    return with_ends(row[name], row[f"{name}_low"], row[f"{name}_high"])


def _rise(row: dict[str, Any]) -> str:
    """From training loss to the error on the same images: "plain 0.02 → 0.03, residual 0.01 → 0.01"."""
    ends = {
        kind: (row[f"training_{side}"], row[f"training_images_{side}"])
        for kind, side in (("plain", PLAIN), ("residual", SKIPS))
    }
    return ", ".join(f"{kind} {loss:.3g} → {error:.3g}" for kind, (loss, error) in ends.items())


def _where(rows: pd.DataFrame, name: str, what: str) -> str:
    """At which depths the interval decides, and which way."""
    below, above = rows[f"{name}_high"] < 1, rows[f"{name}_low"] > 1
    known = {"smaller": rows[below], "larger": rows[above], "not resolved": rows[~below & ~above]}
    ways = "; ".join(f"{way} at depth {_depths(some)}" for way, some in known.items() if len(some))
    return f"{what} {ways}"


def _depths(rows: pd.DataFrame) -> str:
    return ", ".join(map(str, rows["depth"]))
