"""The answers to Problem 1 of the assignment, from the tables of `analysis.effects`: the numbers choose the words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from analysis import citable
from analysis.effects_cost import of_rounds
from analysis.effects_errors import OVER_PCA
from analysis.effects_families import Contrast
from analysis.effects_text import against_pca, caveats, collapsed, named, turned
from analysis.effects_words import WORDS, contrast_id, metric_name, numbers, seeds
from study.space import FACTORS

if TYPE_CHECKING:
    import pandas as pd

    from analysis.effects import Estimates

NAMED = 4  # contrasts that an answer names with their numbers
OPPOSITE = {"lower": "higher", "higher": "lower"}
UNCOUNTED = {"lower": "less error", "higher": "more error"}
QUESTIONS = {"architecture": "architecture", "latent": "latent_dim", "loss": "loss", "dataset": "dataset"}
LEVELS = {
    "architecture": "other architectures",
    "latent": "other latent sizes",
    "loss": "other losses",
    "dataset": "data sets with several channels",
}
LEVEL = {
    "architecture": "The one other architecture",
    "latent": "The one other latent size",
    "loss": "The one other loss",
    "dataset": "The one data set with several channels",
}
SETTINGS = {"latent_dim": "latent sizes", "depth": "depths", "loss": "losses", "dataset": "data sets"}


def answers(estimates: Estimates, channels: dict[str, int]) -> list[citable.Answer]:
    """The answers, each from the contrasts about its factor alone.

    A contrast in which one of the two decoders sees the image past the code is not counted; where there are no others,
    the question is not answered. Where a family has a contrast with the baseline, all of its contrasts count, and those
    of families without one do not.

    Args:
        estimates: All the numbers.
        channels: Data set → how many channels its images have.
    """
    found = []
    counted = estimates.contrasts[~estimates.contrasts["past_code"]]
    for question, factor in QUESTIONS.items():
        rows = _about(counted, factor, estimates.baseline)
        if question == "dataset":
            rows = rows[rows["dataset"].map(channels) > 1]
        if len(rows):
            found.append(_answer(question, rows, estimates))
    return found


def _about(table: pd.DataFrame, factor: str, baseline: str) -> pd.DataFrame:
    """The contrasts about a factor alone; of the families that hold it against the baseline, where some do."""
    rows = table[(table["factors"] == factor) & (table["n"] > 0)]
    with_baseline = rows["family"].isin(rows.loc[rows["reference"] == baseline, "family"])
    return rows[with_baseline] if with_baseline.any() else rows


def _answer(question: str, rows: pd.DataFrame, estimates: Estimates) -> citable.Answer:
    """The largest that the intervals decide with their numbers, or where they decide none, the largest of all."""
    resolved = rows[rows["verdict"].isin(WORDS)]
    ordered = (resolved if len(resolved) else rows).sort_values("value", key=abs, ascending=False)
    kept = [  # a code of one unit is asked for by name; networks that all collapsed are not to be counted unseen
        index
        for index, row in zip(rows.index, _rows(rows), strict=True)
        if row["label"].endswith("→ 1") or collapsed(row, estimates.failures)
    ]
    shown = rows.loc[sorted({*ordered.index[:NAMED], *kept})]
    largest = ordered.iloc[0]
    sentences = [
        f"{_tally(question, rows, estimates)}{_lead(rows, shown, resolved)} {named(_short(shown), estimates)} times "
        f"the reference's (n = {seeds(rows['n'])}; {rows.iloc[0]['method']}).",
        *_times(shown, estimates.cost),
        *(f"{one[0].upper()}{one[1:]}." for row in _rows(shown) if (one := against_pca(row, estimates))),
        *_otherwise(rows[~rows["verdict"].isin(WORDS)].drop(index=shown.index, errors="ignore"), estimates),
        *_uncounted(rows, estimates),
    ]
    if question == "dataset":
        sentences.append("Data sets differ in more than their channels, so this is no effect of channels alone.")
    figure = f"forest-{citable.slug(largest['family'])}"
    return citable.Answer(question, " ".join(sentences), contrast_id(largest, estimates.baseline), figure)


def _short(rows: pd.DataFrame) -> pd.DataFrame:
    """The same with labels that name the new level alone: the tally names the reference's, where there is but one."""
    labels = rows["label"].str.extract(r"^(?P<old>\S+ \S+) → (?P<new>.*)")
    if labels["old"].nunique() != 1 or labels["new"].isna().any():
        return rows
    return rows.assign(label=labels["old"].str.split().str[0] + " " + labels["new"])


def _lead(rows: pd.DataFrame, shown: pd.DataFrame, resolved: pd.DataFrame) -> str:
    """Which of the contrasts are named after the tally."""
    if len(shown) == len(rows):
        return ":"
    if set(shown.index) == set(resolved.index):
        return ". Resolved:"
    return f". The largest{' resolved' if len(resolved) else ''}:"


def _tally(question: str, rows: pd.DataFrame, estimates: Estimates) -> str:
    """How many of the contrasts the intervals decide, and for whom; of a level at several settings, at which."""
    factor = QUESTIONS[question]
    declared = {(one.name, *c.names): c for one in estimates.families for c in one.contrasts}
    of = [declared[row["family"], row["cell"], row["reference"]] for row in _rows(rows)]
    old, new = ({str(contrast.changed[factor][side]) for contrast in of} for side in (0, 1))
    lower, higher = (int((rows["verdict"] == verdict).sum()) for verdict in ("lower", "higher"))
    metric, unresolved = metric_name(rows["metric"].iloc[0]), f"not resolved with {seeds(rows['n'])}"
    reference = f"the reference ({factor} {old.pop()})" if len(old) == 1 else "its reference"
    if len(rows) == 1:
        came = f"came with {'less' if lower else 'more'} {metric} than {reference}"
        alike = f"and {reference}: which has less {metric} is {unresolved}"
        return f"{LEVEL[question]} tried {came if lower or higher else alike}{_but_of_pca(rows, estimates)}"
    left = len(rows) - lower - higher
    more = f", {higher} with more{f', {left} {unresolved}' if left else ''}"
    if len(new) == len(rows):
        return f"{lower} of {len(rows)} {LEVELS[question]} tried came with less {metric} than {reference}{more}"
    tried = LEVEL[question] if len(new) == 1 else f"The {len(new)} {LEVELS[question]}"
    return (
        f"{tried} tried, at {_settings(of, factor)}: {lower} of {len(rows)} with less {metric} than {reference}{more}"
    )


def _but_of_pca(rows: pd.DataFrame, estimates: Estimates) -> str:
    """That the only contrast goes the other way when errors are measured by PCA's, where it does."""
    keys = ["family", "cell", "reference"]
    same = estimates.others.merge(rows[keys], on=keys)
    ((verdict, opposite),) = [(row["verdict"], OPPOSITE.get(row["verdict"])) for row in _rows(rows)]
    turned = same[(same["metric"] == OVER_PCA) & (same["verdict"] == opposite)] if verdict in OPPOSITE else same[:0]
    if turned.empty:
        return ""
    more = "more" if opposite == "higher" else "less"
    return f", but {more} where each error is divided by PCA's of its size ({numbers(_rows(turned)[0])})"


def _settings(contrasts: list[Contrast], factor: str) -> str:
    """By what contrasts of the same levels differ: "5 latent sizes"."""
    levels = {other: {repr(one.reference_levels[other]) for one in contrasts} for other in FACTORS if other != factor}
    varied = {other: found for other, found in levels.items() if len(found) > 1}
    if len(varied) != 1:
        return "several settings"
    ((other, found),) = varied.items()
    return f"{len(found)} {SETTINGS.get(other, f'levels of {other}')}"


def _times(rows: pd.DataFrame, cost: pd.DataFrame) -> Iterator[str]:
    """Seconds an epoch of the contrasts named, where all were measured."""
    keys = ["family", "cell", "reference"]
    known = rows[keys].merge(cost, on=keys) if len(cost) else cost
    if len(known) and len(known) == len(rows):
        of = ", in this order," if len(known) > 1 else ""
        ratios = "; ".join(numbers(row, "ratio", "low", "high") for row in _rows(known))
        yield f"An epoch takes{of} {ratios} times the reference's seconds ({of_rounds(known['n'])})."


def _otherwise(rows: pd.DataFrame, estimates: Estimates) -> Iterator[str]:
    """Of contrasts that the declared metric does not resolve, those that another one does."""
    told = [
        f"{row['label']}: {numbers(row)} ({'; '.join(words)})"
        for row in _rows(_short(rows))
        if (words := list(turned(row, estimates.others)))
    ]
    if told:
        yield f"Not resolved, but by another measure: {'; '.join(told)}."


def _uncounted(rows: pd.DataFrame, estimates: Estimates) -> Iterator[str]:
    """The contrasts of the same families in which a decoder sees the image past the code, the largest first."""
    table = estimates.contrasts
    same = table["family"].isin(rows["family"]) & table["factors"].isin(rows["factors"]) & (table["n"] > 0)
    left = table[same & table["past_code"]].sort_values("value", key=abs, ascending=False)
    if len(left):
        told = "; ".join(
            f"{row['label']}: {numbers(row)}{caveats(row, estimates)}, {UNCOUNTED.get(row['verdict'], row['verdict'])}"
            for row in _rows(_short(left.head(NAMED)))
        )
        more = f"; and {len(left) - NAMED} more" if len(left) > NAMED else ""
        yield f"Not counted, since a decoder sees the image past the code: {told}{more}."


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    return table.to_dict("records")
