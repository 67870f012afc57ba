"""The answer of `analysis.latent_elbow` to the first discussion question: what a procedure gives here, and which."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analysis.citable import Answer, slug
from analysis.command import span
from analysis.latent_elbow_choice import lost, of_failures
from analysis.latent_elbow_text import (
    BEYOND,
    error_name,
    grid_end,
    how_far_trained,
    interval,
    left_out,
    none_reached,
    percent,
    seeds,
    size_of,
    tried,
)

if TYPE_CHECKING:
    import pandas as pd

    from analysis.latent_elbow_estimates import Estimates

RULE = (
    " For another application: state which share of the mean image's error it may lose, or for a task how much of the "
    "task's own error; train a grid of latent sizes with repeated seeds; take the smallest size from which the error "
    "on validation images stays within that share. The upper end of its interval is the safe choice, unless training "
    "fails there."
)
MAIN = 0.10  # the threshold whose choice the answer cites


def answers(estimates: Estimates, trials: pd.DataFrame) -> list[Answer]:
    """All thresholds on the first curve of each data set; the first answer ends with the procedure.

    Args:
        estimates: All the numbers.
        trials: The trials table, for the epochs.
    """
    rows = estimates.elbow[~estimates.elbow["shortened"] & estimates.elbow["threshold"].notna()]
    first_of_each = rows.drop_duplicates("dataset")["curve"]
    return [
        _of_curve(estimates, rows[rows["curve"] == curve], trials, "" if place else RULE)
        for place, curve in enumerate(first_of_each)
    ]


def _of_curve(estimates: Estimates, elbow: pd.DataFrame, trials: pd.DataFrame, rule: str) -> Answer:
    rows: list[dict[str, Any]] = elbow.to_dict("records")
    curve, dataset = (rows[0][name] for name in ("curve", "dataset"))
    means, points = (table[table["curve"] == curve] for table in (estimates.curve, estimates.points))
    reached = [row for row in rows if size_of(row["value"]) != BEYOND]
    beyond = [row for row in rows if size_of(row["value"]) == BEYOND]
    end = grid_end(means)
    texts = [_reached(reached, estimates.kind)] if reached else []
    texts += [none_reached(beyond, estimates.kind, end)] if beyond else []
    texts += [*left_out(points), *lost(points), *filter(None, [how_far_trained(end, estimates.curve)])]
    said = " ".join([texts[0], *(f"{text[:1].upper()}{text[1:]}" for text in texts[1:])])
    cited = next((f"{slug(curve)}-{slug(row['rule'])}" for row in reached if row["threshold"] == MAIN), "")
    return Answer("latent_elbow", f"{curve} ({_trained(points, trials)}): {said}{rule}", cited, f"curve-{dataset}")


def _reached(rows: list[dict[str, Any]], kind: str) -> str:
    """The thresholds that some size meets, with the size's interval and PCA's."""
    enough = ", ".join(
        f"{size_of(row['value'])} for {percent([row])} ({interval(row)}{of_failures(row)}; "
        f"PCA's {interval(row, 'pca_')})"
        for row in rows
    )
    counts = ", ".join(dict.fromkeys(str(row["seeds"]) for row in rows))
    return (
        f"of the sizes tried ({tried(rows[0])}) the smallest that keep the {error_name('val', kind)} within a share of "
        f"the mean image's are {enough} (in brackets: 95 % intervals by t inversion, n = {seeds(counts)})."
    )


def _trained(points: pd.DataFrame, trials: pd.DataFrame) -> str:
    """On how many images a curve's networks were trained, and for how many epochs."""
    size = points["train_size"].iloc[0]
    images = "all" if size is None or size != size else f"{size:,.0f}"
    epochs = trials.loc[trials["trial"].isin(points["trial"]), "epochs"].dropna().astype(int)
    return f"{images} training images, {span(epochs)} epoch{'' if epochs.max() == 1 else 's'}"
