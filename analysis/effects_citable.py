"""What may be cited of `analysis.effects`: ids from the kind of number, the family and the cell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analysis import citable
from analysis.effects_words import contrast_id

if TYPE_CHECKING:
    import pandas as pd

    from analysis.effects import Estimates

RATIO: dict[str, Any] = {"value": "ratio", "low": "ratio_low", "high": "ratio_high", "p": "p"}


def statistics(estimates: Estimates) -> list[pd.DataFrame]:
    """Every number that a report might cite.

    The ids: FAMILY-CELL for a contrast by its family's own metric (with -vs-REFERENCE where that is not the baseline),
    METRIC-FAMILY-CELL for other metrics, failed-as-mean-FAMILY-CELL with failures at the mean image's error,
    seconds-FAMILY-CELL and epochs-FAMILY-CELL for training time, stopped-FAMILY-CELL had training stopped early,
    MEASUREMENT-FAMILY-CELL for what may explain it, over-pca-CELL for errors against PCA's, failed-CELL for failure
    rates, end-METRIC-CELL for learning curves.
    """
    of_contrasts = "{metric} of {cell} ÷ that of {reference}, paired by seed"
    named = {name: _named(table, estimates.baseline) for name, table in estimates.tables().items()}
    early = named["stopping"]
    failed = named["failures"][named["failures"]["what"] == "failed"]
    kept = named["reach"].assign(method="median; exact 95 % interval from order statistics; infinite: not reached")
    return [
        citable.statistics(named["contrasts"], "contrasts", key=["name"], what=of_contrasts, **RATIO),
        citable.statistics(
            named["others"], "others", key=["metric", "name"], what=f"{of_contrasts} (descriptive)", **RATIO
        ),
        citable.statistics(
            named["over_pca"], "over_pca", key=["cell"], prefix="over-pca", value="value",
            what="test MSE of {cell} ÷ PCA's at the same size on the same images",
        ),
        citable.statistics(
            named["sensitivity"], "sensitivity", key=["name"], prefix="failed-as-mean", **RATIO,
            what=f"{of_contrasts}, failed trials at the mean image's error",
        ),
        citable.statistics(
            early[early["rule"] != "all epochs"], "stopping", key=["name"], prefix="stopped", **RATIO,
            what=f"{of_contrasts}, {{rule}}",
        ),
        citable.statistics(
            named["cost"], "cost", key=["name"], prefix="seconds", value="ratio", p="p",
            what="seconds an epoch of {cell} ÷ those of {reference}, each alone",
        ),
        citable.statistics(
            kept, "reach", key=["name"], prefix="epochs", value="epochs",
            what="epochs until {cell} is down to the validation MSE that {reference} ends with (in {reached} of {n} "
            "seeds)",
        ),
        citable.statistics(
            named["mechanism"], "mechanism", key=["measurement", "name"], value="value",
            what="{what} of {cell} against {reference} ({scale})",
        ),
        citable.statistics(
            failed, "failures", key=["cell"], prefix="failed", value="share", what="share of failed trials of {cell}"
        ),
        citable.statistics(
            named["ends"], "ends", key=["metric", "cell"], prefix="end", value="value",
            what="{metric} of {cell} in epoch {epoch}",
        ),
    ]  # fmt: skip


def _named(table: pd.DataFrame, baseline: str) -> pd.DataFrame:
    if not {"family", "cell", "reference"} <= set(table.columns):
        return table
    return table.assign(name=[contrast_id(row, baseline) for row in table.to_dict("records")])
