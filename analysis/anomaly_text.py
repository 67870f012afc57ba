"""The sentences and captions of anomaly detection, chosen by the numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from analysis import citable, command, figures
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


def answers(estimates: Estimates, shown: Mapping[str, Sequence[str]]) -> Iterator[citable.Answer]:
    """What may be said in one sentence.

    For each data set what the cell with the least validation error tells from its own images; where classes were held
    as normal in turn, the mean over them, and how it stands to PCA's.
    """
    for row in _of_classes(estimates.classes):
        statistic = f"classes-{citable.slug(row['dataset'])}-{citable.slug(row['what'])}"
        yield citable.Answer("anomaly", _class_mean(row, estimates.classes), statistic, row["dataset"])
    for row in _with_pca(estimates.classes):
        statistic = f"classes-over-pca-{citable.slug(row['dataset'])}-{citable.slug(row['what'])}"
        yield citable.Answer("anomaly", _mean_over_pca(row), statistic, row["dataset"])
    for dataset, cells in shown.items():
        cell = cells[min(1, len(cells) - 1)]
        rows = estimates.auc[(estimates.auc["cell"] == cell) & (estimates.auc["score"] == PRIMARY)]
        found = "; ".join(f"{_interval(row)} against {row['set']}" for row in _rows(rows))
        sentence = (
            f"{dataset}, anomaly detection: the area under the ROC curve of the {PRIMARY} of {cell} is {found} "
            f"(n = {command.span(set(rows['n']))} seeds; {rows['method'].iloc[0]})."
        )
        if beside := _beside_pca(estimates.contrast, dataset):
            sentence += f" Over all cells, the area is {beside}."
        statistic = f"auc-{citable.slug(cell)}-{citable.slug(rows['set'].iloc[0])}-{citable.slug(PRIMARY)}"
        yield citable.Answer("anomaly", sentence, statistic, str(dataset))


def caption(estimates: Estimates, dataset: str, split: str, drawn: Sequence[str]) -> str:
    """What stands under the figure of numbers."""
    rows = estimates.auc[(estimates.auc["dataset"] == dataset) & (estimates.auc["score"] == PRIMARY)]
    left_out = rows["set"].nunique() - len(drawn)
    rows = rows[rows["set"].isin(drawn)]
    more = f" {left_out} more sets: auc.csv." if left_out else ""
    return (
        f"{dataset}, anomaly detection on {figures.SPLITS[split]} images: area under the ROC curve of the {PRIMARY} "
        f"(higher is better; 0.5 tells nothing apart). n = {command.span(set(rows['n']))} seeds, "
        f"{_images(rows)} a cell and set; {rows['method'].iloc[0]}. Each panel has an axis of its own, from just below "
        "the least area or end of an interval to 1; a line that lies outside it is left out. PCA: its error at the "
        f"same latent size. Lines: means over the draws in baselines.csv.{more}"
    )


def _images(rows: pd.DataFrame) -> str:
    """How many images of either kind some rows of `auc` stand for, from the least to the most."""
    return f"{_count(rows['n_normal'])} normal and {_count(rows['n_anomalous'])} anomalous images"


def _count(counts: pd.Series) -> str:
    low, high = f"{counts.min():,}", f"{counts.max():,}"
    return low if low == high else f"{low} to {high}"


def _classes(table: pd.DataFrame) -> Iterator[str]:
    """Means over the classes held as normal in turn, beside the published ones."""
    if not len(table):
        return
    yield from (_class_mean(row, table) for row in _of_classes(table))
    yield from (_mean_over_pca(row) for row in _with_pca(table))
    rows = table[
        (table["kind"] == "baseline") & table["score"].str.contains("isolation forest|PCA|mean image", na=False)
    ]
    if len(rows):
        listed = "; ".join(f"{row['what']} {_interval(row)}" for row in _rows(rows))
        seeds = command.span({int(n) for n in rows["n"]})
        yield f"Without an autoencoder, mean ROC-AUC on the same images: {listed} (n = {seeds} seeds)."


def _of_classes(table: pd.DataFrame) -> list[dict[str, Any]]:
    """The models' means over classes by the primary score."""
    return _rows(table[(table["kind"] == "model") & (table["score"] == PRIMARY)]) if len(table) else []


def _with_pca(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Those of them beside which PCA at the same size was evaluated on the same images."""
    return [row for row in _of_classes(table) if "difference" in row and row["difference"] == row["difference"]]


def _class_mean(row: Mapping[str, Any], table: pd.DataFrame) -> str:
    published = table[table["kind"] == "published"]
    quoted = "; ".join(f"{row['what']} {row['auc']:.3f} ({row['method']})" for row in _rows(published))
    return (
        f"{row['dataset']}, each of {row['classes']} classes held as normal in turn, {row['what']} at latent size "
        f"{row['latent_dim']:.0f}: mean ROC-AUC {_interval(row)} (n = {row['n']:.0f} seeds, {row['method']})."
        + (f" Published: {quoted}." if quoted else "")
        + _networks(row)
    )


def _networks(row: Mapping[str, Any]) -> str:
    """How well the networks behind a mean over classes reconstruct, and whether their training had come to an end."""
    last, trials = int(row["best_is_last"]), int(row["trials"])
    improving = "; most still improved when training ended" if 2 * last > trials else ""
    found = f"leave {row['fvu']:.3f} of the variance unexplained"
    if row["fvu"] > 1:
        found = f"reconstruct worse than the mean image, with {row['fvu']:.3f} times its error"
    return (
        f" These networks {found} (mean FVU of the images of the normal class); the best epoch is the last in {last} "
        f"of {trials} trials{improving}."
    )


def _mean_over_pca(row: Mapping[str, Any]) -> str:
    """How a kind of cell stands to PCA at its size in the mean over classes; the interval chooses the word."""
    low, high = row["difference_low"], row["difference_high"]
    words = "is above" if low > 0 else "is below" if high < 0 else "is not told apart from"
    ends = f"[{low:+.4f}, {high:+.4f}], p = {row['difference_p']:.2g}" if low == low else "no interval"
    return (
        f"{row['dataset']}, each of {row['classes']} classes held as normal in turn: the mean area under the ROC curve "
        f"of {row['what']} at latent size {row['latent_dim']:.0f} {words} that of PCA's error at the same size on the "
        f"same images, difference {row['difference']:+.4f} ({ends}; n = {row['difference_n']:.0f} seeds, "
        f"{row['difference_method']})."
    )


def _primary(estimates: Estimates) -> Iterator[str]:
    """Of each set the range over cells, how they stand to PCA, and what needs no autoencoder."""
    table = estimates.auc[estimates.auc["score"] == PRIMARY]
    for (dataset, name), rows in table.groupby(["dataset", "set"], sort=False):
        ordered = rows.sort_values("auc", ascending=False)
        best, worst = ordered.iloc[0], ordered.iloc[-1]
        spread = f"from {_area(worst)} to {_area(best)} over {len(rows)} cells" if len(rows) > 1 else _area(best)
        contrast = estimates.contrast
        mine = contrast[contrast["set"] == name] if len(contrast) else contrast
        beside = f"; it is {counted}" if (counted := _beside_pca(mine, dataset)) else ""
        classical = _baseline(estimates, rows, CLASSICAL)
        listed = ", ".join(f"{method} {_spread(*ends)}" for method, ends in classical.items())
        yield (
            f"{dataset} against {name}: AUC of the {PRIMARY} {spread}{beside}. Without an "
            f"autoencoder: {listed} (n = {command.span(set(rows['n']))} seeds, {_images(rows)}; {best['method']})."
        )


def _beside_pca(contrast: pd.DataFrame, dataset: Any) -> str:
    """In how many cells the area is above, below, not told apart from PCA's; "" where that was not estimated."""
    if not len(contrast):
        return ""
    mine = contrast[contrast["dataset"] == dataset]
    counts = mine["verdict"].value_counts()
    of = "cells" if mine["set"].nunique() == 1 else "pairs of cell and set"
    return (
        f"above that of PCA's error at the same latent size in {counts.get('higher', 0)} of {len(mine)} {of}, below "
        f"in {counts.get('lower', 0)}, not resolved in {counts.get('not resolved', 0)} (simultaneous 95 % intervals)"
    )


def _area(row: pd.Series) -> str:
    return f"{_interval(row)} ({row['cell']})"


def _interval(row: Any) -> str:
    ends = f" [{row['auc_low']:.3f}, {row['auc_high']:.3f}]" if row["auc_low"] == row["auc_low"] else " (no interval)"
    return f"{row['auc']:.3f}{ends}"


def _baseline(estimates: Estimates, rows: pd.DataFrame, methods: tuple[str, ...]) -> dict[str, tuple[float, float]]:
    """Method → the least and the greatest area over the draws of some rows of `auc`, against the same sets.

    Draws differ by the class held as normal, the training size, the preprocessing.
    """
    table = estimates.baselines
    same = table["cell"].isin(rows["draw"]) & table["set"].isin(rows["set"]) & table["baseline"].isin(methods)
    areas = table[same].groupby("baseline", sort=False)["auc"]
    return {str(method): (found.min(), found.max()) for method, found in areas}


def _spread(low: float, high: float) -> str:
    return f"{low:.3f}" if f"{low:.3f}" == f"{high:.3f}" else f"{low:.3f} to {high:.3f}"


def _from_chance(low: float, high: float) -> float:
    """How far all areas of a range lie from 0.5 on one side; 0 where they lie on both."""
    return max(low - 0.5, 0.5 - high, 0.0)


def _confounded(estimates: Estimates) -> Iterator[str]:
    """Sets that can be told apart without looking at what is in the image."""
    table = estimates.auc[estimates.auc["score"] == PRIMARY]
    for (dataset, name), rows in table.groupby(["dataset", "set"], sort=False):
        trivial = _baseline(estimates, rows, TRIVIAL)
        method, (low, high) = max(trivial.items(), key=lambda item: _from_chance(*item[1]))
        half = rows["auc"].quantile(interpolation="lower")  # at least half of the cells have no more
        if 0.5 + _from_chance(low, high) >= half:
            why = "" if low > 0.5 else ", as far from 0.5 on the other side: the anomalies have less of it"
            seeds = command.span(set(rows["n"]))
            yield (
                f"{dataset} against {name} shows little about autoencoders: {method} alone has AUC {_spread(low, high)}"
                f"{why}; at least half of the cells have no more than {half:.3f} (means over n = {seeds} seeds; "
                "baselines.csv)."
            )


def _inverted(estimates: Estimates) -> Iterator[str]:
    """Areas below 0.5, with what the image's brightness and its distance to the mean image would give."""
    table = estimates.auc[estimates.auc["auc_high"] < 0.5]
    for (dataset, name, score), rows in table.groupby(["dataset", "set", "score"], sort=False):
        trivial = _baseline(estimates, rows, ("mean image", "brightness", "PNG size"))
        measured = ", ".join(f"{method} {_spread(*ends)}" for method, ends in trivial.items())
        shown = "; ".join(_area(row) for _, row in rows.sort_values("auc")[:NAMED].iterrows())
        more = f" and {len(rows) - NAMED} more in auc.csv" if len(rows) > NAMED else ""
        yield (
            f"Below 0.5, {dataset} against {name} by {score}: {shown}{more}. The anomalies get the lower score: "
            f"{_reason(trivial)} (AUC of what an image is before any network sees it: {measured})."
        )


def _reason(trivial: Mapping[str, tuple[float, float]]) -> str:
    """What makes anomalies easy to reconstruct, by the measures that always rank them below the normal images too."""
    words = {
        "mean image": "they lie nearer to the mean image",
        "brightness": "they are darker",
        "PNG size": "they are simpler, as their size as a PNG says",
    }
    found = [words[method] for method, (_, high) in trivial.items() if high < 0.5]
    return " and ".join(found) or "brightness, distance to the mean image and PNG size do not say why in every case"


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    return table.to_dict("records")
