"""The sentences and captions of anomaly detection, chosen by the numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from analysis import anomaly_classes_text, citable, figures
from analysis.anomaly import LATENT, PRIMARY
from analysis.anomaly_classes_text import CLASSICAL, class_mean, interval, mean_over_pca, means, seeds, with_pca
from analysis.anomaly_estimates import BOTH_AT_1, ONE_SEED
from analysis.anomaly_sets import OTHER_CLASSES
from analysis.statistics import LEVEL, percent

if TYPE_CHECKING:
    import pandas as pd

    from analysis.anomaly_estimates import Estimates

TRIVIAL = ("brightness", "pixels not zero", "PNG size")
NAMED = 3  # cells that a sentence names; a fourth too, rather than "and 1 more"
THAN_PCA = "that of PCA's error at the same latent size"
SIMULTANEOUS = f"simultaneous {percent(LEVEL)} intervals"
EXACT = "Clopper-Pearson"  # in the method of an interval where all pairs of images are ordered alike


@dataclass(frozen=True)
class Confounded:
    """A set that a statistic of the pixels alone tells apart at least as well as half of the cells do.

    Attributes:
        dataset, name: The models' data and the set.
        method: The statistic of the pixels.
        low, high: The least and the greatest of its areas over draws, on one side of 0.5.
        half: At least half of the cells have no greater area by the primary score.
        seeds: How many, in words.
    """

    dataset: str
    name: str
    method: str
    low: float
    high: float
    half: float
    seeds: str


def sentences(estimates: Estimates) -> list[str]:
    """What may be cited."""
    return [
        *anomaly_classes_text.sentences(estimates.classes),
        *_primary(estimates),
        *map(_says_little, _confounded(estimates)),
        *_inverted(estimates),
    ]


def answers(estimates: Estimates, shown: Mapping[str, Sequence[str]]) -> Iterator[citable.Answer]:
    """What may be said in one sentence.

    For each data set what the cell with the least validation error tells from its own images; where classes were held
    as normal in turn, no such cell, for it would be that of one class, but the mean over them, and how it stands to
    PCA's. With each, which of the sets the pixels alone tell apart.
    """
    confounded = list(_confounded(estimates))
    for row in means(estimates.classes):
        statistic = f"classes-{citable.slug(row['dataset'])}-{citable.slug(row['what'])}"
        caveat = _caveat([one for one in confounded if (one.dataset, one.name) == (row["dataset"], OTHER_CLASSES)])
        yield citable.Answer("anomaly", class_mean(row, estimates.classes, caveat), statistic, row["dataset"])
    for row in with_pca(estimates.classes):
        statistic = f"classes-over-pca-{citable.slug(row['dataset'])}-{citable.slug(row['what'])}"
        yield citable.Answer("anomaly", mean_over_pca(row), statistic, row["dataset"])
    in_turn = _in_turn(estimates)
    for dataset, every in shown.items():
        if not (cells := [cell for cell in every if cell not in in_turn]):
            continue
        cell = cells[min(1, len(cells) - 1)]
        rows = estimates.auc[(estimates.auc["cell"] == cell) & (estimates.auc["score"] == PRIMARY)]
        found = "; ".join(f"{interval(row)} against {row['set']}" for row in _rows(rows))
        told = [one for one in confounded if one.dataset == dataset and one.name in set(rows["set"])]
        sentence = (
            f"{dataset}, anomaly detection: {_whether(rows, [one.name for one in told])} The area under the ROC curve "
            f"of the {PRIMARY} of {cell} is {found} (n = {seeds(rows['n'])}; {methods(rows)})."
        )
        sentence += f" By the pixels alone: {_by_pixels(told)}." if told else ""
        sentence += _over_all(estimates.contrast, dataset)
        statistic = f"auc-{citable.slug(cell)}-{citable.slug(rows['set'].iloc[0])}-{citable.slug(PRIMARY)}"
        yield citable.Answer("anomaly", sentence, statistic, str(dataset))


def _whether(rows: pd.DataFrame, confounded: Sequence[str]) -> str:
    """Of which sets the images are told from a cell's own, and which of these show little, for the pixels tell them."""
    several = rows["n"] > 1  # one seed says nothing of others
    above, below = several & (rows["auc_low"] > 0.5), several & (rows["auc_high"] < 0.5)
    sides = {"yes": above, "not resolved": several & ~(above | below), "not resolved (one seed)": ~several}
    sides |= {"no, ranked below its own images,": below}
    said = "; ".join(f"{word} for {', '.join(rows.loc[of, 'set'])}" for word, of in sides.items() if of.any())
    if not confounded:
        return f"{said}."
    which = "each of these" if set(confounded) == set(rows["set"]) else ", ".join(confounded)
    return (
        f"{said}; but a statistic of the pixels alone tells {which} apart at least as well as half of the cells do, "
        "which shows little about autoencoders."
    )


def _in_turn(estimates: Estimates) -> set[str]:
    """The cells of a single class, of data sets whose classes were held as normal in turn."""
    if not len(estimates.classes):
        return set()
    datasets = estimates.classes.loc[estimates.classes["classes"] > 1, "dataset"]
    rows = estimates.auc[estimates.auc["dataset"].isin(datasets)]
    return set(rows.loc[rows["set"] == OTHER_CLASSES, "cell"])


def caption(estimates: Estimates, dataset: str, split: str, drawn: Sequence[str]) -> str:
    """What stands under the figure of numbers."""
    rows = estimates.auc[(estimates.auc["dataset"] == dataset) & (estimates.auc["score"] == PRIMARY)]
    left_out = rows["set"].nunique() - len(drawn)
    rows = rows[rows["set"].isin(drawn)]
    more = f" {left_out} more sets: auc.csv." if left_out else ""
    return (
        f"{dataset}, anomaly detection on {figures.SPLITS[split]} images: area under the ROC curve of the {PRIMARY} "
        f"(higher is better; 0.5 tells nothing apart). n = {seeds(rows['n'])}, "
        f"{_images(rows)} a cell and set; {methods(rows)}. Each panel has an axis of its own, from just below "
        "the least area or end of an interval to 1; a line that lies outside it is left out. PCA: its error at the "
        "same latent size. Dashed lines: means over seeds in baselines.csv, each across the rows of the cells on the "
        f"same images.{more}"
    )


def methods(rows: pd.DataFrame) -> str:
    """How the intervals of some areas were made, with the condition where not all were made alike."""
    found = [method for method in dict.fromkeys(rows["method"]) if EXACT not in method]
    if rows["method"].str.contains(EXACT).any():
        found.append(f"where all pairs of images are ordered alike, {EXACT}'s {percent(LEVEL)} interval")
    return "; ".join(found)


def _images(rows: pd.DataFrame) -> str:
    """How many images of either kind some rows of `auc` stand for, from the least to the most."""
    return f"{_count(rows['n_normal'])} normal and {_count(rows['n_anomalous'])} anomalous images"


def _count(counts: pd.Series) -> str:
    low, high = f"{counts.min():,}", f"{counts.max():,}"
    return low if low == high else f"{low} to {high}"


def _primary(estimates: Estimates) -> Iterator[str]:
    """Of each set the range over cells, how they stand to PCA, and what needs no autoencoder."""
    table = estimates.auc[estimates.auc["score"] == PRIMARY]
    for (dataset, name), rows in table.groupby(["dataset", "set"], sort=False):
        ordered = rows.sort_values("auc", ascending=False)
        best, worst = ordered.iloc[0], ordered.iloc[-1]
        spread = f"from {_area(worst)} to {_area(best)} over {len(rows)} cells" if len(rows) > 1 else _area(best)
        if len(rows) > 1 and f"{worst['auc']:.3f}" == f"{best['auc']:.3f}":
            least = f"{rows['auc_low'].min():.3f}"
            spread = f"{best['auc']:.3f} in each of {len(rows)} cells (no interval begins below {least})"
        contrast = estimates.contrast
        mine = contrast[contrast["set"] == name] if len(contrast) else contrast
        mine = mine[mine["dataset"] == dataset] if len(mine) else mine
        beside = f"; it is above {THAN_PCA} {_counted(mine)}{_intervals(mine)}" if len(mine) else ""
        classical = _baseline(estimates, rows, CLASSICAL)
        listed = ", ".join(f"{method} {_spread(*ends)}" for method, ends in classical.items())
        yield (
            f"{dataset} against {name}: AUC of the {PRIMARY} {spread}{beside}. Without an "
            f"autoencoder: {listed} (n = {seeds(rows['n'])}, {_images(rows)}; {methods(rows)})."
        )


def _over_all(contrast: pd.DataFrame, dataset: str) -> str:
    """How the areas of all cells stand to PCA's, each set by itself: sets of unlike kind are in no one count."""
    mine = contrast[contrast["dataset"] == dataset] if len(contrast) else contrast
    if not len(mine):
        return ""
    of_each = "; ".join(f"against {name} {_counted(part)}" for name, part in mine.groupby("set", sort=False))
    return f" Over all cells, the area is above {THAN_PCA}, {of_each}{_intervals(mine)}."


def _counted(contrast: pd.DataFrame) -> str:
    """In how many cells the area is above PCA's, below, not told apart, or as great as it can be for both."""
    counts = contrast["verdict"].value_counts()
    alone = counts.get(ONE_SEED, 0)
    if alone == len(contrast):
        return f"in no cell that is resolved, {alone} of one seed each"
    both = f", {BOTH_AT_1} in {counts[BOTH_AT_1]}" if BOTH_AT_1 in counts else ""
    apart = f"; {alone} more of one seed each" if alone else ""
    return (
        f"in {counts.get('higher', 0)} of {len(contrast) - alone} cells, below in {counts.get('lower', 0)}, not "
        f"resolved in {counts.get('not resolved', 0)}{both}{apart}"
    )


def _intervals(contrast: pd.DataFrame) -> str:
    """By what cells are counted: one seed has no interval that holds for others."""
    several = contrast["verdict"] != ONE_SEED
    of = "" if several.all() else " of the cells of several seeds"
    return f" ({SIMULTANEOUS}{of})" if several.any() else ""


def _area(row: pd.Series) -> str:
    return f"{interval(row)} ({row['cell']})"


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


def _confounded(estimates: Estimates) -> Iterator[Confounded]:
    """The sets that can be told apart without looking at what is in the image."""
    table = estimates.auc[estimates.auc["score"] == PRIMARY]
    for (dataset, name), rows in table.groupby(["dataset", "set"], sort=False):
        if not len(estimates.baselines) or not (trivial := _baseline(estimates, rows, TRIVIAL)):
            continue
        method, (low, high) = max(trivial.items(), key=lambda item: _from_chance(*item[1]))
        half = rows["auc"].quantile(interpolation="lower")  # at least half of the cells have no more
        if _from_chance(low, high) > 0 and 0.5 + _from_chance(low, high) >= half:
            yield Confounded(str(dataset), str(name), method, low, high, half, seeds(rows["n"]))


def _says_little(found: Confounded) -> str:
    why = "" if found.low > 0.5 else ", as far from 0.5 on the other side: the anomalies have less of it"
    return (
        f"{found.dataset} against {found.name} shows little about autoencoders: {found.method} alone has AUC "
        f"{_spread(found.low, found.high)}{why}; at least half of the cells have no more than {found.half:.3f} (means "
        f"over n = {found.seeds}; baselines.csv)."
    )


def _caveat(confounded: Sequence[Confounded]) -> str:
    """Which of the sets that an answer names the pixels alone tell apart; "" where none is."""
    if not confounded:
        return ""
    return (
        f" Little about autoencoders is shown by {_by_pixels(confounded)}: a statistic of the pixels tells such images "
        "apart at least as well as half of the cells do."
    )


def _by_pixels(confounded: Sequence[Confounded]) -> str:
    less = ": the anomalies have less of it"
    return ", ".join(
        f"{one.name} ({one.method} alone has AUC {_spread(one.low, one.high)}{'' if one.low > 0.5 else less})"
        for one in confounded
    )


def _inverted(estimates: Estimates) -> Iterator[str]:
    """Areas below 0.5; of errors of the reconstruction, with what the image itself would give.

    The image itself does not explain a score of the code, by which another cell may tell the same images apart.
    """
    table = estimates.auc[(estimates.auc["auc_high"] < 0.5) & (estimates.auc["n"] > 1)]
    for (dataset, name, score), rows in table.groupby(["dataset", "set", "score"], sort=False):
        named = len(rows) if len(rows) <= NAMED + 1 else NAMED
        shown = "; ".join(_area(row) for _, row in rows.sort_values("auc")[:named].iterrows())
        more = f" and {len(rows) - named} more in auc.csv" if len(rows) > named else ""
        why = ", which is not explained" if score in LATENT else _reason(estimates, rows)
        yield f"Below 0.5, {dataset} against {name} by {score}: {shown}{more}. The anomalies get the lower score{why}."


def _reason(estimates: Estimates, rows: pd.DataFrame) -> str:
    """What makes anomalies easy to reconstruct, by the measures that always rank them below the normal images too."""
    words = {
        "mean image": "they lie nearer to the mean image",
        "brightness": "they are darker",
        "PNG size": "they are simpler, as their size as a PNG says",
    }
    trivial = _baseline(estimates, rows, tuple(words))
    found = " and ".join(words[method] for method, (_, high) in trivial.items() if high < 0.5)
    why = f": {found}" if found else ", which none of these measures explains"
    measured = ", ".join(f"{method} {_spread(*ends)}" for method, ends in trivial.items())
    return f"{why} (AUC of what an image is before any network sees it: {measured})"


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    return table.to_dict("records")
