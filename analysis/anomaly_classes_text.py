"""What is said of classes held as normal in turn: means over them, beside PCA, the published, and other scores."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from analysis import command
from analysis.anomaly import PRIMARY
from analysis.anomaly_estimates import KIND, NETWORK

if TYPE_CHECKING:
    import pandas as pd

CLASSICAL = ("isolation forest", "nearest images", "mean image")  # what needs no network
ITS_OWN = ("depth", "train_size")  # a published network has the depth of its architecture, and all images


def sentences(table: pd.DataFrame) -> Iterator[str]:
    """Means over the classes held as normal in turn, beside the published ones."""
    if not len(table):
        return
    yield from (class_mean(row, table) for row in means(table))
    yield from (mean_over_pca(row) for row in with_pca(table))
    for dataset, part in table.groupby("dataset", sort=False):
        yield from _other_scores(str(dataset), part)
        yield from _without(str(dataset), part)


def _other_scores(dataset: str, table: pd.DataFrame) -> Iterator[str]:
    """Which score has the greatest mean area, a kind of cell each: described, for the primary alone was declared."""
    models = table[table["kind"] == "model"].dropna(subset=["auc"])
    if (count := models["score"].nunique()) < 2:
        return
    best = models.loc[models.groupby(list(KIND), sort=False, dropna=False)["auc"].idxmax()]
    yield (
        f"{dataset}, each class held as normal in turn: of {count} scores, of which the {PRIMARY} alone was declared "
        f"beforehand, that with the greatest mean ROC-AUC is {_listed(best)} (n = {seeds(best['n'])}; "
        "looked for on the same images, so that it describes and decides nothing)."
    )


def _without(dataset: str, table: pd.DataFrame) -> Iterator[str]:
    """Means over classes of what needs no autoencoder, and what was published of it."""
    rows = table[table["kind"] == "baseline"]
    rows = rows[rows["score"].isin(CLASSICAL) | rows["score"].str.startswith("PCA")]
    if not len(rows):
        return
    published = [row for row in _rows(table[table["kind"] == "published"]) if row["what"] in set(rows["score"])]
    yield (
        f"{dataset}, each class held as normal in turn: without an autoencoder, mean ROC-AUC on the same images: "
        f"{_listed(rows)} (n = {seeds(rows['n'])})."
        + "".join(f" Published: {row['what']} {row['auc']:.3f} ({row['method']})." for row in published)
    )


def _listed(rows: pd.DataFrame) -> str:
    """Means over classes with their intervals."""
    return "; ".join(f"{row['what']} {interval(row)}" for row in _rows(rows))


def means(table: pd.DataFrame) -> list[dict[str, Any]]:
    """The models' means over classes by the primary score."""
    return _rows(table[(table["kind"] == "model") & (table["score"] == PRIMARY)]) if len(table) else []


def with_pca(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Those of them beside which PCA at the same size was evaluated on the same images."""
    return [row for row in means(table) if "difference" in row and row["difference"] == row["difference"]]


def class_mean(row: Mapping[str, Any], table: pd.DataFrame, caveat: str = "") -> str:
    """A mean over classes, its range, what was published of it, and how well its networks reconstruct.

    Args:
        row: Of `means`.
        table: `Estimates.classes`, whose published rows stand beside it.
        caveat: What stands right behind the mean: a sentence that says how little it shows.
    """
    return (
        f"{row['dataset']}, each of {row['classes']} classes held as normal in turn, {row['what']} at latent size "
        f"{row['latent_dim']:.0f}: mean ROC-AUC {interval(row)}{_range(row)} (n = {seeds([row['n']])}, "
        f"{row['method']}).{caveat}{_published(row, table)}{_networks(row)}"
    )


def _range(row: Mapping[str, Any]) -> str:
    """The least and the greatest area of a single class."""
    areas = {name.removeprefix("class_"): v for name, v in row.items() if name.startswith("class_") and v == v}
    if not areas:
        return ""
    low, high = min(areas, key=areas.__getitem__), max(areas, key=areas.__getitem__)
    return f", of single classes from {areas[low]:.3f} (class {low}) to {areas[high]:.3f} (class {high})"


def _published(row: Mapping[str, Any], table: pd.DataFrame) -> str:
    """What was published of the same network on the same preprocessing, and what was different in its training."""
    same = [
        other
        for other in _rows(table[table["kind"] == "published"])
        if all(other[factor] == row[factor] for factor in NETWORK) and all(row[own] != row[own] for own in ITS_OWN)
    ]
    return "".join(
        f" Published for this network with this preprocessing: {other['auc']:.3f} ({other['method']}); it was trained "
        "otherwise, with weight decay and a falling learning rate, which are not used here."
        for other in same
    )


def _networks(row: Mapping[str, Any]) -> str:
    """How well the networks behind a mean over classes reconstruct, and whether their training had come to an end."""
    improving = "; most still improved when training ended" if _improving(row) else ""
    found = f"leave {row['fvu']:.3f} of the variance unexplained"
    if row["fvu"] > 1:
        found = f"reconstruct worse than the mean image, with {row['fvu']:.3f} times its error"
    return (
        f" These networks {found} (mean FVU of the images of the normal class); the best epoch is the last in "
        f"{row['best_is_last']:.0f} of {row['trials']:.0f} trials{improving}."
    )


def _improving(row: Mapping[str, Any]) -> bool:
    """Whether most of the networks behind a mean over classes still improved when their training ended."""
    return bool(2 * row["best_is_last"] > row["trials"])


def mean_over_pca(row: Mapping[str, Any]) -> str:
    """How a kind of cell stands to PCA at its size in the mean over classes; the interval chooses the word."""
    low, high = row["difference_low"], row["difference_high"]
    words = "is above" if low > 0 else "is below" if high < 0 else "is not told apart from"
    ends = f" [{low:+.4f}, {high:+.4f}] (p = {row['difference_p']:.2g}" if low == low else " (no interval"
    return (
        f"{row['dataset']}, each of {row['classes']} classes held as normal in turn: the mean area under the ROC curve "
        f"of {row['what']} at latent size {row['latent_dim']:.0f} {words} that of PCA's error at the same size on the "
        f"same images, difference {row['difference']:+.4f}{ends}; n = {seeds([row['difference_n']])}, "
        f"{row['difference_method']})."
    )


def seeds(counts: Iterable[float]) -> str:
    """How many, as in "n = 4 seeds", or "n = 1 seed"."""
    found = {int(count) for count in counts}
    return f"{command.span(found)} {'seed' if found == {1} else 'seeds'}"


def interval(row: Any) -> str:
    """An area with its interval: "0.946 [0.943, 0.948]"."""
    ends = f" [{row['auc_low']:.3f}, {row['auc_high']:.3f}]" if row["auc_low"] == row["auc_low"] else " (no interval)"
    return f"{row['auc']:.3f}{ends}"


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    return table.to_dict("records")
