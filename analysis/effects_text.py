"""What the tables of `analysis.effects` say, in sentences that can be cited: the numbers choose the words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from analysis import effects_failures, effects_seeds, effects_training_text, figures
from analysis.command import INTERIM, span
from analysis.effects_errors import OVER_PCA
from analysis.effects_words import WORDS, failure, metric_name, numbers, seeds, start
from analysis.statistics import smallest_p

if TYPE_CHECKING:
    import pandas as pd

    from analysis.effects import Estimates

OTHER_KINDS = ("test_mae", "test_excess_bce", "test_ssim")  # not squared errors, of whatever mean or images
DECIDED = {"lower": "but less", "higher": "but more"}  # by other metrics, where the declared one decides nothing
NO_GAIN = "no gain on PCA is resolved"
BY_PCA = {"lower": "better against PCA than the reference", "higher": "worse against PCA than the reference"}


def sentences(estimates: Estimates, study: str) -> list[str]:
    """Every statement, each with its n and interval method.

    Args:
        estimates: All the numbers.
        study: Its name, for the commands that fill what is missing.
    """
    return [
        *_missing(estimates, study),
        *(text for _, rows in _groups(estimates.contrasts, "family") for text in _family(rows, estimates)),
        *_skill(estimates),
        *_failures(estimates),
        *effects_training_text.sentences(estimates),
    ]


def captions(estimates: Estimates, family: str) -> dict[str, str]:
    """What stands under the two figures of a family: "forest" and "curves"."""
    rows = estimates.contrasts[(estimates.contrasts["family"] == family) & (estimates.contrasts["n"] > 0)]
    metric, n = rows["metric"].iloc[0], span(rows["n"])
    drawn = estimates.curves[estimates.curves["cell"].isin([*rows["cell"], *rows["reference"]])]
    curve = "val_fvu" if figures.split_of(metric)[1] == "fvu" else "val_mse"
    of_curves = span(drawn.loc[drawn["metric"] == curve, "n"])
    lost = estimates.failures[estimates.failures["cell"].isin([*rows["cell"], *rows["reference"]])]
    failed = int(lost.loc[lost["what"] == "failed", "count"].sum())
    tried = int(lost.loc[lost["what"] == "failed", "n"].sum())
    return {
        "forest": f"{family}: {metric_name(metric)} of each cell ÷ that of its reference, paired by seed. Small "
        f"points: seeds (n = {n}); large points and bars: geometric mean and simultaneous 95 % interval "
        f"({rows['method'].iloc[0]}). Left of 1: less error.{_far(rows)} {failed} of {tried} trials failed; failed "
        "pairs are left out here.",
        "curves": f"{family}: {metric_name(curve)} over training, geometric mean and 95 % t interval of logarithms "
        f"over seeds (n = {of_curves}); each cell against its reference, over equally many epochs. Bands are cut off "
        "at three times the highest and a third of the lowest mean.",
    }


def _far(rows: pd.DataFrame) -> str:
    """What a caption says of contrasts that the axis leaves out (`effects_figures.forest`)."""
    apart = rows["past_code"].any() and not rows["past_code"].all()
    return " The axis is that of codes: an arrow where the image goes past them, and lies outside." if apart else ""


def named(rows: pd.DataFrame, estimates: Estimates) -> str:
    """Contrasts with their ratios, each with what one must know to read it."""
    return "; ".join(f"{row['label']}: {numbers(row)}{caveats(row, estimates)}" for row in _rows(rows))


def caveats(row: dict[str, Any], estimates: Estimates) -> str:
    """What one must know to read a contrast's ratio, in brackets."""
    found = [
        *collapsed(row, estimates.failures),
        *_narrow(row),
        *turned(row, estimates.others),
        *effects_seeds.named(row),
    ]
    return f" ({'; '.join(found)})" if found else ""


def collapsed(row: dict[str, Any], failures: pd.DataFrame) -> list[str]:
    """How many of each side's completed trials are no better than the mean image, where any are."""
    completed = failures[failures["what"] == "collapsed"].set_index("cell")
    sides = {"cell": "its", "reference": "the reference's"}
    return [
        f"{trials['count']} of {whose} {trials['n']} networks no better than the mean image"
        for side, whose in sides.items()
        for trials in _rows(completed.loc[[row[side]]])
        if trials["count"]
    ]


def against_pca(contrast: dict[str, Any], estimates: Estimates) -> str:
    """Both sides of a contrast against PCA, where PCA's own error differs between them; else nothing."""
    rows = estimates.others[_same(estimates.others, contrast) & (estimates.others["metric"] == OVER_PCA)]
    if rows.empty:
        return ""
    row, sides = _rows(rows)[0], estimates.over_pca.set_index("cell")
    mine, theirs = ({str(k): v for k, v in sides.loc[contrast[name]].items()} for name in ("cell", "reference"))
    said = BY_PCA.get(row["verdict"], row["verdict"])
    alone = row["n_family"] == 1 and "sign-flip" not in row["method"]
    ratio = "" if alone else f", of their ratio {row['method']}"
    return (
        f"against PCA at the same size on the same images, the error is {_times_pcas(mine)}, the reference's "
        f"{_times_pcas(theirs)}; the first ÷ the second is {numbers(row)}: {said} (n = {seeds([row['n']])}; single "
        f"95 % t intervals of logarithms{ratio})"
    )


def _times_pcas(side: dict[str, Any]) -> str:
    which = (
        "less than PCA" if side["high"] < 1 else "more than PCA" if side["low"] > 1 else "no gain on PCA is resolved"
    )
    return f"{numbers(side, 'value', 'low', 'high')} times PCA's ({which})"


def _missing(estimates: Estimates, study: str) -> Iterator[str]:
    n = int(estimates.contrasts["n"].max())
    if n < 6:
        yield (
            f"A demonstration: with {seeds([n])} a sign-flip test, exact and free of normality, can give no two-sided "
            f"p below {smallest_p(n):.3g}; the intervals here assume differences that are normal over seeds."
        )
    if left := [*_left(estimates, study)]:
        interim = f" {INTERIM}" if effects_failures.missing(estimates.failures) else ""
        yield f"Still missing: {'; '.join(left)}.{interim}"
    for row in _rows(estimates.contrasts[estimates.contrasts["n"] == 0]):
        yield f"{row['family']}, {row['label']}: {row['verdict']}."
    if mixed := int(estimates.contrasts["mixed"].sum()):
        yield f"MIXED: {mixed} pairs were trained in two environments; what differs between those is in the contrast."


def _left(estimates: Estimates, study: str) -> Iterator[str]:
    """What the declared contrasts need and have not, each with the command that makes it."""
    rows = estimates.failures[estimates.failures["what"] == "failed"]
    if to_go := effects_failures.missing(estimates.failures):
        yield f"{to_go} of {rows['expected'].sum()} trials (python -m study.search {study})"
    if estimates.unmeasured:
        count = f"{len(estimates.unmeasured)} of {len(rows)} cells"
        yield f"the training time of {count}, each alone on the machine (python -m study.cost {study})"


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
                f"{where}: {words}{_how_many(len(some), len(rows))}: {named(some, estimates)} times (ratio of "
                f"geometric means, n = {seeds(some['n'])}; {first['method']})."
            )
    for verdict, some in rows[~rows["verdict"].isin(WORDS)].groupby("verdict", sort=False):
        yield (f"{where}: {verdict} for {named(some, estimates)} times (n = {seeds(some['n'])}; {first['method']}).")


def _how_many(some: int, of: int) -> str:
    """Of contrasts; of a single one there is nothing to count."""
    return f" in {some} of {of} contrasts" if of > 1 else ""


def _narrow(row: dict[str, Any]) -> Iterator[str]:
    """A latent size that another layer of the network caps."""
    if "latent_dim" in row["factors"].split() and row["narrowest_width"] < row["latent_dim"]:
        yield f"its layer of {row['narrowest_width']:.0f} units is narrower than the code"


def turned(row: dict[str, Any], others: pd.DataFrame) -> Iterator[str]:
    """Other metrics whose intervals decide for the other side, or at all where the declared one's do not.

    PCA's errors are held against a contrast apart (`_skill`).
    """
    sides = {"lower": {"higher": ""}, "higher": {"lower": ""}}.get(row["verdict"], DECIDED)
    for verdict, said in sides.items():
        rows = others[_same(others, row) & (others["verdict"] == verdict) & (others["metric"] != OVER_PCA)]
        rows = rows[rows["metric"].isin(OTHER_KINDS)] if said else rows
        if len(rows):
            metrics = ", ".join(f"{metric_name(one['metric'])} {numbers(one)}" for one in _rows(rows))
            yield f"{said or 'the other way round'} by {metrics}"


def _same(table: pd.DataFrame, row: dict[str, Any]) -> pd.Series:
    """Which rows of a table are about a contrast."""
    return (table[["family", "cell", "reference"]] == [row["family"], row["cell"], row["reference"]]).all(axis=1)


def _skill(estimates: Estimates) -> Iterator[str]:
    """Where PCA's own error differs: what is left of a difference once that is taken out."""
    for row in _rows(estimates.contrasts):
        if said := against_pca(row, estimates):
            yield f"{row['family']}, {row['label']}: {said}."


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


def _groups(table: pd.DataFrame, column: str) -> Iterator[tuple[str, pd.DataFrame]]:
    return ((str(name), rows) for name, rows in table.groupby(column, sort=False))


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    return table.to_dict("records")
