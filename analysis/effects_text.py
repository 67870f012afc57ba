"""What the tables of `analysis.effects` say, in sentences that can be cited: the numbers choose the words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from analysis import citable, effects_training_text, figures
from analysis.command import span
from analysis.effects_errors import OVER_PCA
from analysis.effects_words import WORDS, contrast_id, failure, metric_name, numbers, start
from analysis.statistics import smallest_p

if TYPE_CHECKING:
    import pandas as pd

    from analysis.effects import Estimates

NAMED = 4  # contrasts that an answer names with their numbers
UNCOUNTED = {"lower": "less error", "higher": "more error"}
BY_PCA = {"lower": "does better by it", "higher": "does worse by it"}
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


def sentences(estimates: Estimates, study: str) -> list[str]:
    """Every statement, each with its n and interval method.

    Args:
        estimates: All the numbers.
        study: Its name, for the commands that fill what is missing.
    """
    return [
        *_missing(estimates, study),
        *(text for _, rows in _groups(estimates.contrasts, "family") for text in _family(rows, estimates)),
        *_skill(estimates.others),
        *_failures(estimates),
        *effects_training_text.sentences(estimates, study),
    ]


def answers(estimates: Estimates, channels: dict[str, int]) -> list[citable.Answer]:
    """The answers to Problem 1, from the contrasts with the baseline alone where there are any.

    Contrasts in which one of the two decoders sees the image past the code are not counted; where there are no others,
    the question is not answered.

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


def captions(estimates: Estimates, family: str) -> dict[str, str]:
    """What stands under the two figures of a family: "forest" and "curves"."""
    rows = estimates.contrasts[(estimates.contrasts["family"] == family) & (estimates.contrasts["n"] > 0)]
    metric, n = rows["metric"].iloc[0], span(rows["n"])
    drawn = estimates.curves[estimates.curves["cell"].isin([*rows["cell"], *rows["reference"]])]
    curve = "val_fvu" if figures.split_of(metric)[1] == "fvu" else "val_mse"
    seeds = span(drawn.loc[drawn["metric"] == curve, "n"])
    lost = estimates.failures[estimates.failures["cell"].isin([*rows["cell"], *rows["reference"]])]
    failed = int(lost.loc[lost["what"] == "failed", "count"].sum())
    tried = int(lost.loc[lost["what"] == "failed", "n"].sum())
    return {
        "forest": f"{family}: {metric_name(metric)} of each cell ÷ that of its reference, paired by seed. Small "
        f"points: seeds (n = {n}); large points and bars: geometric mean and simultaneous 95 % interval "
        f"({rows['method'].iloc[0]}). Left of 1: less error. {failed} of {tried} trials failed; failed pairs are left "
        "out here.",
        "curves": f"{family}: {metric_name(curve)} over training, geometric mean and 95 % t interval of logarithms "
        f"over seeds (n = {seeds}); each cell against its reference, over equally many epochs. Bands are cut off "
        "at three times the highest and a third of the lowest mean.",
    }


def _missing(estimates: Estimates, study: str) -> Iterator[str]:
    n = int(estimates.contrasts["n"].max())
    if n < 6:
        yield (
            f"A demonstration: with {n} seeds a sign-flip test, exact and free of normality, can give no two-sided p "
            f"below {smallest_p(n):.3g}; the intervals here assume differences that are normal over seeds."
        )
    rows = estimates.failures[estimates.failures["what"] == "failed"]
    short = rows[rows["n"] < rows["expected"]]
    if len(short):
        to_go = int((short["expected"] - short["n"]).sum())
        yield (
            f"PARTIAL: {to_go} trials of {len(short)} cells that the declared contrasts need have no record yet. "
            f"Run: python -m study.search {study}"
        )
    for row in _rows(estimates.contrasts[estimates.contrasts["n"] == 0]):
        yield f"{row['family']}, {row['label']}: {row['verdict']}."
    if mixed := int(estimates.contrasts["mixed"].sum()):
        yield f"MIXED: {mixed} pairs were trained in two environments; what differs between those is in the contrast."


def _family(rows: pd.DataFrame, estimates: Estimates) -> Iterator[str]:
    """One sentence a verdict: which contrasts, with their ratios."""
    rows = rows[rows["n"] > 0]
    if rows.empty:
        return
    first = rows.iloc[0]
    where = start(first["family"], first["metric"])
    for verdict, words in WORDS.items():
        some = rows[rows["verdict"] == verdict]
        if len(some):
            yield (
                f"{where}: {words}{_how_many(len(some), len(rows))}: {_named(some, estimates)} times (ratio of "
                f"geometric means, simultaneous 95 % intervals, n = {span(some['n'])} seeds; {first['method']})."
            )
    for verdict, some in rows[~rows["verdict"].isin(WORDS)].groupby("verdict", sort=False):
        yield (
            f"{where}: {verdict} for {_named(some, estimates)} times (simultaneous 95 % intervals, "
            f"n = {span(some['n'])} seeds; {first['method']})."
        )


def _how_many(some: int, of: int) -> str:
    """Of contrasts; of a single one there is nothing to count."""
    return f" in {some} of {of} contrasts" if of > 1 else ""


def _named(rows: pd.DataFrame, estimates: Estimates) -> str:
    return "; ".join(f"{row['label']}: {numbers(row)}{_caveats(row, estimates)}" for row in _rows(rows))


def _caveats(row: dict[str, Any], estimates: Estimates) -> str:
    """What one must know to read a contrast's ratio, in brackets."""
    found = [*_collapsed(row, estimates.failures), *_narrow(row), *_turned(row, estimates.others)]
    return f" ({'; '.join(found)})" if found else ""


def _collapsed(row: dict[str, Any], failures: pd.DataFrame) -> list[str]:
    """How many of each side's completed trials are no better than the mean image, where any are."""
    completed = failures[failures["what"] == "collapsed"].set_index("cell")
    sides = {"cell": "its", "reference": "the reference's"}
    return [
        f"{trials['count']} of {whose} {trials['n']} networks no better than the mean image"
        for side, whose in sides.items()
        for trials in _rows(completed.loc[[row[side]]])
        if trials["count"]
    ]


def _narrow(row: dict[str, Any]) -> Iterator[str]:
    """A latent size that another layer of the network caps."""
    if "latent_dim" in row["factors"].split() and row["narrowest_width"] < row["latent_dim"]:
        yield f"its layer of {row['narrowest_width']:.0f} units is narrower than the code"


def _turned(row: dict[str, Any], others: pd.DataFrame) -> Iterator[str]:
    """Other metrics whose intervals decide for the other side; PCA's errors are held against it apart (`_skill`)."""
    opposite = {"lower": "higher", "higher": "lower"}.get(row["verdict"])
    turned = others[_same(others, row) & (others["verdict"] == opposite) & (others["metric"] != OVER_PCA)]
    if len(turned):
        named = ", ".join(f"{metric_name(one['metric'])} {numbers(one)}" for one in _rows(turned))
        yield f"the other way round by {named}"


def _same(table: pd.DataFrame, row: dict[str, Any]) -> pd.Series:
    """Which rows of a table are about a contrast."""
    return (table[["family", "cell", "reference"]] == [row["family"], row["cell"], row["reference"]]).all(axis=1)


def _skill(others: pd.DataFrame) -> Iterator[str]:
    """Across data sets: what is left of a difference once PCA's own is taken out."""
    for row in _rows(others[others["metric"] == OVER_PCA]):
        said = BY_PCA.get(row["verdict"], row["verdict"])
        yield (
            f"{row['family']}, {row['label']}: against PCA at the same size on the same images, the error is "
            f"{row['error']:.3g} times PCA's, the reference's {row['reference_error']:.3g} times; ratio {numbers(row)}"
            f": {said} (95 % interval, n = {row['n']} seeds; {row['method']})."
        )


def _failures(estimates: Estimates) -> Iterator[str]:
    rows = estimates.failures
    some = rows[rows["count"] > 0]
    for row in _rows(some):
        yield f"{row['cell']}: {failure(row)}."
    failed = rows[rows["what"] == "failed"]
    if not failed["count"].any():
        yield f"None of the {int(failed['n'].sum())} trials of the declared contrasts failed."
    with_all = estimates.sensitivity
    both = estimates.contrasts.merge(with_all, on=["family", "cell", "reference"], suffixes=("", "_all"))
    for row in _rows(both[(both["n"] != both["n_all"]) | (both["verdict"] != both["verdict_all"])]):
        yield (
            f"{row['family']}, {row['label']}: with failed trials at the mean image's error the ratio is "
            f"{numbers(row, 'ratio_all', 'ratio_low_all', 'ratio_high_all')} (n = {row['n_all']}): "
            f"{row['verdict_all']}; without them {row['verdict']}."
        )


def _about(table: pd.DataFrame, factor: str, baseline: str) -> pd.DataFrame:
    """The contrasts about a factor alone; those with the baseline where there are some."""
    rows = table[(table["factors"] == factor) & (table["n"] > 0)]
    with_baseline = rows[rows["reference"] == baseline]
    return with_baseline if len(with_baseline) else rows


def _answer(question: str, rows: pd.DataFrame, estimates: Estimates) -> citable.Answer:
    """The largest that the intervals decide with their numbers, or where they decide none, the largest of all."""
    resolved = rows[rows["verdict"].isin(WORDS)]
    ordered = (resolved if len(resolved) else rows).sort_values("value", key=abs, ascending=False)
    kept = [  # a code of one unit is asked for by name; networks that all collapsed are not to be counted unseen
        index
        for index, row in zip(rows.index, _rows(rows), strict=True)
        if row["label"].endswith("→ 1") or _collapsed(row, estimates.failures)
    ]
    shown = rows.loc[sorted({*ordered.index[:NAMED], *kept})]
    first, largest = rows.iloc[0], ordered.iloc[0]
    rest = "" if len(rows) == len(shown) else " the largest resolved," if len(resolved) else " the largest,"
    beside = f"{_against_pca(shown, estimates.others)}{_beside(rows, estimates)}"
    if question == "dataset":
        beside += "; data sets differ in more than their channels, so this is no effect of channels alone"
    text = (
        f"{_tally(question, rows)}:{rest} {_named(shown, estimates)} times the reference's{beside} (simultaneous 95 % "
        f"intervals, n = {span(rows['n'])} seeds; {first['method']})."
    )
    figure = f"forest-{citable.slug(largest['family'])}"
    return citable.Answer(question, text, contrast_id(largest, estimates.baseline), figure)


def _against_pca(rows: pd.DataFrame, others: pd.DataFrame) -> str:
    """The same contrasts once PCA's own difference is taken out, where that was estimated (`_skill`)."""
    skill = others[others["metric"] == OVER_PCA]
    named = "; ".join(
        f"{one['label']}: {numbers(one)} times the reference's, {BY_PCA.get(one['verdict'], one['verdict'])}"
        for row in _rows(rows)
        for one in _rows(skill[_same(skill, row)])
    )
    return f"; against PCA at the same size on the same images (error ÷ PCA's): {named}" if named else ""


def _beside(rows: pd.DataFrame, estimates: Estimates) -> str:
    """The contrasts of the same families that an answer does not count, and why."""
    table = estimates.contrasts
    same = table["family"].isin(rows["family"]) & table["factors"].isin(rows["factors"]) & (table["n"] > 0)
    left = table[same & ~table.index.isin(rows.index)]
    elsewhere = ~left["past_code"] & (left["reference"] != estimates.baseline)
    reasons = {
        "a decoder sees the image past the code": left[left["past_code"]],
        "the reference is not the baseline": left[elsewhere],
    }
    return "".join(_uncounted(some, why, estimates) for why, some in reasons.items() if len(some))


def _uncounted(rows: pd.DataFrame, why: str, estimates: Estimates) -> str:
    """The largest first."""
    ordered = rows.sort_values("value", key=abs, ascending=False)
    named = "; ".join(
        f"{row['label']}: {numbers(row)}{_caveats(row, estimates)}, {UNCOUNTED.get(row['verdict'], row['verdict'])}"
        for row in _rows(ordered.head(NAMED))
    )
    more = f"; and {len(rows) - NAMED} more" if len(rows) > NAMED else ""
    return f"; not counted, since {why}: {named}{more}"


def _tally(question: str, rows: pd.DataFrame) -> str:
    """How many of the contrasts the intervals decide, and for whom."""
    lower, higher = (int((rows["verdict"] == verdict).sum()) for verdict in ("lower", "higher"))
    metric, unresolved = metric_name(rows["metric"].iloc[0]), f"not resolved with {span(rows['n'])} seeds"
    if len(rows) == 1:
        came = f"came with {'less' if lower else 'more'} {metric} than the reference"
        alike = f"and the reference: which has less {metric} is {unresolved}"
        return f"{LEVEL[question]} tried {came if lower or higher else alike}"
    said = f"{lower} of {len(rows)} {LEVELS[question]} tried came with less {metric} than the reference"
    left = len(rows) - lower - higher
    return f"{said}, {higher} with more{f', {left} {unresolved}' if left else ''}"


def _groups(table: pd.DataFrame, column: str) -> Iterator[tuple[str, pd.DataFrame]]:
    return ((str(name), rows) for name, rows in table.groupby(column, sort=False))


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    return table.to_dict("records")
