"""How the texts and figures of `analysis.effects` name a metric and a contrast, and print an estimate."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis import citable, figures
from analysis.command import span
from analysis.effects_errors import OVER_PCA

if TYPE_CHECKING:
    import pandas as pd

    from analysis.effects_families import Contrast, Family

WORDS = {"lower": "less error than the reference", "higher": "more error than the reference"}
DIGITS = range(3, 7)  # significant ones of a ratio: more than the first near 1


def metric_name(metric: str) -> str:
    """The error that contrasts of a metric compare, in words: "test MSE"; lower is better in all.

    Of SSIM, what is missing to 1; of PSNR, the geometric mean over images of MSE (`effects_errors`).
    """
    if metric == OVER_PCA:
        return "test MSE ÷ PCA's at the same size on the same images"
    name = figures.name(metric).replace("SSIM", "1 - SSIM")
    return name.replace("PSNR", "MSE (geometric mean over images)")


def numbers(row: dict[str, Any], value: str = "ratio", low: str = "ratio_low", high: str = "ratio_high") -> str:
    """An estimate with its interval: "0.87 [0.83, 0.92]"."""
    if not np.isfinite([row[low], row[high]]).all():
        return f"{ratio(row[value])} (no interval)"
    return f"{ratio(row[value])} [{ratio(row[low])}, {ratio(row[high])}]"


def ratio(value: float) -> str:
    """A ratio in three digits, or in as many as show on which side of 1 it lies, up to six.

    >>> ratio(0.8522), ratio(1.00432)
    ('0.852', '1.004')
    """
    texts = [f"{value:.{digits}g}" for digits in DIGITS]
    return next((text for text in texts if float(text) != 1), "1")


def between(low: str, high: str) -> str:
    """A range of printed numbers: "0.9 to 1.1", or "1" where both ends are."""
    return low if low == high else f"{low} to {high}"


def seeds(counts: Collection[int]) -> str:
    """How many seeds, in words: "1 seed", "8 to 10 seeds"."""
    return f"{span(counts)} seed{'' if max(counts) == 1 else 's'}"


def failure(row: dict[str, Any]) -> str:
    """A rate of failures in words: "1 of 4 trials failed, 25 % [0.631, 80.6] (METHOD)".

    Args:
        row: Of `effects_failures.failures`.
    """
    alike = f"completed trials {'is' if row['count'] == 1 else 'are'} no better than the mean image"
    what = "trials failed" if row["what"] == "failed" else alike
    share, low, high = (100 * row[name] for name in ("share", "low", "high"))
    return f"{row['count']} of {row['n']} {what}, {share:.3g} % [{low:.3g}, {high:.3g}] ({row['method']})"


def start(family: str, metric: str) -> str:
    """What the sentences on the contrasts of a family begin with.

    Args:
        family: Its name.
        metric: Its own.
    """
    return f"{family}, {metric_name(metric)}"


def row_of(table: pd.DataFrame, family: Family, contrast: Contrast) -> dict[str, Any] | None:
    """The row of a table with a row a contrast; None where it has none of this one."""
    key = [family.name, contrast.cell, contrast.reference]
    rows = table[(table[["family", "cell", "reference"]] == key).all(axis=1)]
    return None if rows.empty else {str(name): value for name, value in rows.iloc[0].items()}


def contrast_id(row: Any, baseline: str) -> str:
    """A contrast's id: family and cell, and the reference where it is not the study's baseline."""
    against = "" if row["reference"] == baseline else f"-vs-{row['reference']}"
    return citable.slug(f"{row['family']}-{row['cell']}{against}")
