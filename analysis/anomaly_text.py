"""The sentences and captions of anomaly detection, chosen by the numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from analysis.anomaly import PRIMARY

if TYPE_CHECKING:
    import pandas as pd

    from analysis.anomaly_estimates import Estimates

TRIVIAL = ("brightness", "pixels not zero", "PNG size")
CLASSICAL = ("isolation forest", "nearest images", "mean image")
NAMED = 3


def sentences(estimates: Estimates) -> list[str]:
    """What may be cited."""
    return [
        *_classes(estimates.classes),
        *_primary(estimates),
        *_confounded(estimates),
        *_inverted(estimates),
    ]


def caption(estimates: Estimates, dataset: str, split: str) -> str:
    """What stands under the figure of numbers."""
    rows = estimates.auc[(estimates.auc["dataset"] == dataset) & (estimates.auc["score"] == PRIMARY)]
    return (
        f"{dataset}, anomaly detection on {split} images: area under the ROC curve of the {PRIMARY} (higher is better; "
        f"0.5, dashed, tells nothing apart). n = {rows['n'].max()} seeds, at most {rows['n_normal'].max():,} normal and "
        f"{rows['n_anomalous'].max():,} anomalous images; {rows['method'].iloc[0]}. Open diamonds: PCA's error at the "
        "same latent size. Lines: an isolation forest (dotted), brightness alone (dash-dotted)."
    )


def _classes(table: pd.DataFrame) -> Iterator[str]:
    if not len(table):
        return
    ours = table[table["n"].notna()]
    published = "; ".join(f"{r['what']} {100 * r['auc']:.1f} ({r['method']})" for r in _rows(table[table["n"].isna()]))
    main = ours[ours["score"] == PRIMARY] if "score" in ours else ours
    for row in _rows(main):
        yield (
            f"{row['dataset']}, each of {row['classes']} classes held as normal in turn, {row['what']} at latent size "
            f"{row['latent_dim']:.0f}: mean AUC {_hundred(row)} (n = {row['n']:.0f} seeds, {row['method']})."
            + (f" Published: {published}." if published else "")
        )
    wanted = ours[ours["method.1"].notna()] if "method.1" in ours else ours[~ours.index.isin(main.index)]
    wanted = wanted[wanted["what"].str.contains("isolation forest|PCA|mean image")]
    if len(wanted):
        listed = "; ".join(f"{row['what']} {_hundred(row)}" for row in _rows(wanted))
        yield f"Without an autoencoder, on the same images: {listed} (n = {wanted['n'].max():.0f} seeds)."


def _hundred(row: dict[str, Any]) -> str:
    ends = f" [{100 * row['auc_low']:.1f}, {100 * row['auc_high']:.1f}]" if row["auc_low"] == row["auc_low"] else ""
    return f"{100 * row['auc']:.1f}{ends}"


def _primary(estimates: Estimates) -> Iterator[str]:
    table = estimates.auc[estimates.auc["score"] == PRIMARY]
    for (dataset, name), rows in table.groupby(["dataset", "set"], sort=False):
        ordered = rows.sort_values("auc", ascending=False)
        best, worst = ordered.iloc[0], ordered.iloc[-1]
        text = f"{dataset} against {name}: AUC of the {PRIMARY} from {_area(worst)} to {_area(best)} over {len(rows)} cells"
        if len(rows) == 1:
            text = f"{dataset} against {name}: AUC of the {PRIMARY} {_area(best)}"
        contrast = estimates.contrast
        if len(contrast):
            mine = contrast[(contrast["dataset"] == dataset) & (contrast["set"] == name)]
            counts = mine["verdict"].value_counts()
            text += (
                f"; above PCA's error at the same latent size in {counts.get('higher', 0)} of {len(mine)}, below in "
                f"{counts.get('lower', 0)}, not resolved in {counts.get('not resolved', 0)} (simultaneous intervals)"
            )
        classical = _baseline(estimates, dataset, name, CLASSICAL)
        listed = ", ".join(f"{method} {auc:.3f}" for method, auc in classical.items())
        yield f"{text}. Without an autoencoder: {listed} (n = {rows['n'].max()} seeds; {best['method']})."


def _area(row: pd.Series) -> str:
    return f"{row['auc']:.3f} [{row['auc_low']:.3f}, {row['auc_high']:.3f}] ({row['cell']})"


def _baseline(estimates: Estimates, dataset: str, name: str, methods: tuple[str, ...]) -> dict[str, float]:
    """Mean area over draws."""
    table = estimates.baselines
    rows = table[(table["dataset"] == dataset) & (table["set"] == name) & table["baseline"].isin(methods)]
    return rows.groupby("baseline", sort=False)["auc"].mean().to_dict()


def _confounded(estimates: Estimates) -> Iterator[str]:
    """Sets that can be told apart without looking at what is in the image."""
    table = estimates.auc[estimates.auc["score"] == PRIMARY]
    for (dataset, name), rows in table.groupby(["dataset", "set"], sort=False):
        trivial = _baseline(estimates, dataset, name, TRIVIAL)
        method, auc = max(trivial.items(), key=lambda item: abs(item[1] - 0.5))
        reached, median = max(auc, 1 - auc), rows["auc"].median()
        if reached >= median:
            yield (
                f"{dataset} against {name} shows little about autoencoders: {method} alone has AUC {auc:.3f}"
                f"{' (below 0.5: as good when turned round)' if auc < 0.5 else ''}, the median cell {median:.3f}."
            )


def _inverted(estimates: Estimates) -> Iterator[str]:
    """Areas below 0.5, with what the image's brightness and its distance to the mean image would give."""
    table = estimates.auc[estimates.auc["auc_high"] < 0.5]
    for (dataset, name, score), rows in table.groupby(["dataset", "set", "score"], sort=False):
        trivial = _baseline(estimates, dataset, name, ("mean image", "brightness", "PNG size"))
        measured = ", ".join(f"{method} {auc:.3f}" for method, auc in trivial.items())
        shown = "; ".join(_area(row) for _, row in rows.sort_values("auc")[:NAMED].iterrows())
        more = f" and {len(rows) - NAMED} more in auc.csv" if len(rows) > NAMED else ""
        yield (
            f"Below 0.5, {dataset} against {name} by {score}: {shown}{more}. The anomalies get the lower score; AUC of "
            f"what the image is before any network sees it: {measured}."
        )


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    return table.to_dict("records")
