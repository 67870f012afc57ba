"""What stands under the figures of `analysis.generalization`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.command import span
from analysis.draws import THESE_IMAGES
from analysis.generalization_points import ANOMALY, AREAS, GENERATION, MEMBERSHIP, RECONSTRUCTION
from analysis.generalization_words import MOST, equal_epochs, margin

if TYPE_CHECKING:
    import pandas as pd

CUT = " Intervals of areas and shares are cut to what is possible."


def tasks(table: pd.DataFrame, dataset: str) -> str:
    """Under the figure of tasks."""
    cut = table["task"].map(MOST).astype(float) < table[["low", "high"]].abs().max(axis=1)
    less = " (or below 0 of an area or share)" if table["task"].isin(AREAS).any() else ""
    return (
        f"{dataset}: training, held-out and test images compared in pairs; below 1{less} the first does better. Mean "
        f"over at most {table['cells'].max()} cells and {_seeds(table)}, 95 % t interval over seeds "
        "(none: a single seed). Grey: the linear map fitted on the same training images. Band: "
        f"{_margins(table)}.{CUT if cut.any() else ''} The test images{_anomalies(table)} are one fixed set: intervals "
        "hold for new draws of training and held-out images."
    )


def _anomalies(table: pd.DataFrame) -> str:
    """What else is the same for every seed."""
    return ", and the anomalies," if (table["task"] == ANOMALY).any() else ""


def _margins(table: pd.DataFrame) -> str:
    """What a figure's bands show, of the tasks in it alone."""
    return f"what would not matter ({', '.join(dict.fromkeys(margin(task) for task in table['task'].unique()))})"


def cells(table: pd.DataFrame, dataset: str, left_out: int) -> str:
    """Under the figure of cells."""
    more = f" {left_out} more cells are in cells.csv." if left_out else ""
    return (
        f"{dataset}, reconstruction by cell: ratio of mean squared errors, {_seeds(table)}; "
        f"{table['method'].iloc[0]}; split shift: {THESE_IMAGES}. Grey: PCA of the same size, fitted on the same "
        f"training images, mean and 95 % t interval. Band: within 2 %.{more}"
    )


def curves(table: pd.DataFrame, dataset: str) -> str:
    """Under the figure of curves.

    Args:
        table: What is drawn of `Estimates.curves`.
        dataset: Its name.
    """
    tasks = list(table["task"].unique())
    sides = ["below 1"] if not set(tasks) <= set(AREAS) else []
    sides += ["above 0.5 of an area"] if MEMBERSHIP in tasks else []
    sides += ["below 0"] if set(tasks) & {ANOMALY, GENERATION} else []
    hollow = " Hollow: a layer is narrower than the code; left out of the turning level."
    control = "PCA of the same size" if set(tasks) <= {RECONSTRUCTION, MEMBERSHIP, ANOMALY} else "a linear map"
    sizes = table[table["axis"] == "train_size"]
    spread = sizes.groupby("curve")["updates"].agg(lambda updates: updates.max() / updates.min())
    return (
        f"{dataset}: training against held-out images; mean and 95 % t interval over {_seeds(table)}"
        f"{', in anomaly detection for these anomalies' if ANOMALY in tasks else ''}. "
        f"{' and '.join(sides).capitalize()}, training images do better. Thin, without markers: {control} on the same "
        f"images. Band: {_margins(table)}."
        + (hollow if table["excluded"].any() else "")
        + (f" Over training images {equal_epochs(spread.max())}." if len(sizes) else "")
    )


def _seeds(table: pd.DataFrame) -> str:
    return f"n = {span(table['n'].astype(int))} seeds"
