"""The words of `analysis.generalization` that its sentences, captions and figures share: numbers, sizes, margins."""

from __future__ import annotations

from typing import Any

import numpy as np

from analysis.generalization_points import ANOMALY, AREAS, GENERATION, MEMBERSHIP

MOST = {ANOMALY: 1.0, MEMBERSHIP: 0.5, GENERATION: 0.5}  # a difference of areas or shares, either way
PAIRS = {"memorisation": "training ÷ held-out", "split shift": "held-out ÷ test", "together": "training ÷ test"}
LEVELS = {"train_size": "training images", "latent_dim": "latent units", "epochs": "epochs"}


def images(row: dict[str, Any]) -> str:
    """How many training images, such as "95 to 97 training images of one class"."""
    low, high = row["n_train"], row["n_train_most"]
    count = f"{low:,}" if low == high else f"{low:,} to {high:,}"
    return f"{count} training images" + (f" of {row['classes']}" if row["classes"] else "")


def setting(row: dict[str, Any]) -> str:
    """What a mean holds for, such as "100 training images, 1 to 64 latent units and 20 epochs"."""
    sizes = (
        _to(row[name], row[f"{name}_most"], one) for name, one in (("latent_dim", "latent unit"), ("epochs", "epoch"))
    )
    return f"{images(row)}, {' and '.join(sizes)}"


def quantity(task: str) -> str:
    """What is compared in a task."""
    if task == GENERATION:
        return "0.5 less the share of generated images whose nearest real image is a training image, not a held-out one"
    return "difference of 1 - AUC" if task in AREAS else "ratio of errors"


def number(row: dict[str, Any]) -> str:
    """A ratio, or a difference of 1 - AUC, with its interval."""
    if row["task"] in AREAS:
        return difference(row["task"], row["value"], row["low"], row["high"])
    return f"{row['ratio']:.3f}{in_brackets(row['ratio_low'], row['ratio_high'], '.3f')}"


def difference(task: str, value: float, low: float, high: float) -> str:
    """A difference of areas or shares; its interval cut where nothing beyond is possible, two digits of a tiny one."""
    most = MOST[task]
    first, last = max(low, -most), min(high, most)
    largest = np.nanmax(np.abs([value, first, last]))
    places = 3 if largest == 0 or largest >= 0.001 else 1 - int(np.floor(np.log10(largest)))
    form = f"{'+' if largest else 'z'}.{places}f"  # z: no sign before nothing
    cut = " (cut to what is possible)" if low < -most or high > most else ""
    return f"{value:{form}}{in_brackets(first, last, form)}{cut}"


def in_brackets(low: float, high: float, form: str) -> str:
    """The ends of an interval; that there is none, where they are NaN."""
    return f" [{low:{form}}, {high:{form}}]" if low == low else " (no interval: one seed)"


def margin(task: str) -> str:
    """The margin in words."""
    return "0.02 of a share" if task == GENERATION else "0.005 of an area" if task in AREAS else "2 %"


def equal_epochs(ratio: float) -> str:
    """What else differs along training-set size."""
    return f"epochs are equal: the most images mean {ratio:.3g} times as many updates of the weights as the fewest"


def cells_in_words(cells: int) -> str:
    """So many cells."""
    return "1 cell" if cells == 1 else f"{cells} cells"


def seeds_in_words(count: int) -> str:
    """So many seeds."""
    return "1 seed" if count == 1 else f"{count} seeds"


def _to(low: int, high: int, one: str) -> str:
    count = f"{low:,}" if low == high else f"{low:,} to {high:,}"
    return f"{count} {one}{'s' if high > 1 else ''}"
