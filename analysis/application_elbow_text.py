"""What `analysis.application_elbow_estimates` holds, in sentences chosen by the numbers; the answer to Discussion 1."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from analysis.application_elbow_errors import DEFINITIONS
from analysis.application_elbow_estimates import AUC_MARGIN, BEST, MARGIN
from analysis.citable import Answer, slug
from analysis.command import span

if TYPE_CHECKING:
    import pandas as pd

    from analysis.application_elbow_estimates import Estimates

FEW_SEEDS = 5


def sentences(estimates: Estimates) -> list[str]:
    """Every statement, each with its n and interval."""
    said = [*_definitions(estimates.curve)]
    if (n := int(estimates.curve["n"].max())) < FEW_SEEDS:
        said.append(f"A demonstration: {n} seeds resolve little.")
    for curve, choice in estimates.choice.groupby("curve", sort=False):
        for application, rows in choice.groupby("application", sort=False):
            texts = [_best(rows[rows["rule"] == BEST].iloc[0]), *_thresholds(rows[rows["rule"] != BEST])]
            said += [f"{curve}, {application}: {text}" for text in texts]
        if len(estimates.agreement):
            said += [f"{curve}: {text}" for text in _agreement(estimates.agreement, str(curve))]
            said += [f"{curve}: {text}" for text in _regret(estimates.regret, str(curve))]
    return said


def failures(trials: pd.DataFrame) -> Iterator[str]:
    """The trials of each curve that did not complete, and what a choice beside them is worth.

    Args:
        trials: A row a trial: `curve`, `latent_dim`, `status`.
    """
    lost = trials["status"] != "completed"
    for curve, of_curve in lost.groupby(trials["curve"], sort=False):
        of_size = of_curve.groupby(trials["latent_dim"])
        words = [f"{part.sum()} of {len(part)} with {size}" for size, part in of_size if part.any()]
        if words:
            yield (
                f"{curve}: trials failed and are left out: {', '.join(words)}. Sizes are chosen by the networks that "
                "trained."
            )


def answers(estimates: Estimates) -> list[Answer]:
    """An answer a data set, on its first curve; none where only reconstruction was asked for."""
    if estimates.agreement.empty:
        return []
    first = estimates.choice.drop_duplicates("dataset")
    return [_answer(estimates, row["dataset"], row["curve"]) for row in first.to_dict("records")]


def caption(estimates: Estimates, dataset: str) -> str:
    """What stands under the figure of a data set."""
    curve = estimates.curve[(estimates.curve["dataset"] == dataset) & (estimates.curve["split"] == "val")]
    words = "; ".join(f"{name}: {DEFINITIONS[name]}" for name in curve["application"].unique())
    return (
        f"{dataset}, validation images: mean error (lower is better) and 95 % t interval over n = "
        f"{span(curve['n'])} seeds. {words}. At the foot: the smallest size from which on, up to that of the least "
        f"mean, no mean exceeds the least by more than {100 * MARGIN:g} % of the error ({AUC_MARGIN:g} of an AUC), and "
        "its 95 % interval by paired t inversion: sizes below it are shown to be worse than some other by more, sizes "
        "from its upper end on than none by as much; it reaches the end of the grid where that is shown of no size."
    )


def _definitions(curve: pd.DataFrame) -> Iterator[str]:
    for application, rows in curve.groupby("application", sort=False):
        counts = {split: part["n_images"].dropna() for split, part in rows.groupby("split")}
        images = "all images of either split"
        if len(counts["val"]):
            images = f"{_images(counts['val'])} validation and {_images(counts['test'])} test images"
        yield f"Error of {application}: {DEFINITIONS[str(application)]}, on {images}."


def _images(counts: pd.Series) -> str:
    low, high = int(counts.min()), int(counts.max())
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def _best(row: pd.Series) -> str:
    if _none(row["value"]):
        return f"no size is chosen ({row['method']}; n = {row['n']})."
    best, value = int(row["best"]), int(row["value"])
    ends = " The best is the last size tried; a better one may lie beyond." if best == row["last"] else ""
    return (
        f"of the sizes tried ({row['tried']}), {best} has the least mean validation error, and {value} is the smallest "
        f"from which on, up to {best}, no mean exceeds that by more than {row['margin']} (95 % interval "
        f"{_interval(row)}{_unresolved(row)}: {_shown(row)}; paired t inversion, n = {row['n']} seeds); test error "
        f"there {row['test']} (t, n = {row['test_n']}).{ends}"
    )


def _shown(row: pd.Series) -> str:
    """What the tests behind the interval show, and of which sizes."""
    tried = [int(size) for size in row["tried"].split()]
    good = [] if _none(row["high"]) else [size for size in tried if row["high"] <= size <= row["best"]]
    bad = [size for size in tried if size < row["low"]]
    sizes = (", ".join(map(str, some)) or "none" for some in (good, bad))
    return "shown to be worse than no other by as much: {}; worse than some other by more: {}".format(*sizes)


def _thresholds(rows: pd.DataFrame) -> Iterator[str]:
    if len(rows):
        parts = [f"{row['rule']}: {row['choice']}" for row in rows.to_dict("records")]
        yield f"sizes from which the error stays at or below a share, {'; '.join(parts)} (t inversion, n = " + (
            f"{span(rows['n'])} seeds)."
        )


def _agreement(table: pd.DataFrame, curve: str) -> Iterator[str]:
    for row in table[table["curve"] == curve].to_dict("records"):
        verdict = "whether they agree at all is not resolved"
        if row["low"] > 0:
            tau, high = round(row["tau"], 2), round(row["high"], 2)
            verdict = f"they agree{'' if tau == 1 else ' in part' if high < 1 else ', wholly or in part'}"
        elif row["high"] < 0:
            verdict = "they go against each other"
        yield (
            f"rankings of the {row['sizes']} sizes by reconstruction and by {row['application']}: Kendall's τ "
            f"{row['tau']:.2f} [{row['low']:.2f}, {row['high']:.2f}] on validation images (t interval over n = "
            f"{row['n']} seeds; {row['test']} p = {row['p']:.2g}): {verdict}."
        )


def _regret(table: pd.DataFrame, curve: str) -> Iterator[str]:
    rows = table[(table["curve"] == curve) & (table["rule"] == BEST)]
    for row in rows.to_dict("records"):
        yield f"taking the size that reconstruction chooses {_cost(row)}."


def _cost(row: dict[str, Any]) -> str:
    """What the choice by reconstruction costs an application, in words."""
    if _none(row["of_reconstruction"]) or _none(row["own"]):
        return f"costs {row['application']} nothing that can be told: no size was chosen"
    sizes = f"({int(row['of_reconstruction'])} instead of {int(row['own'])})"
    if row["of_reconstruction"] == row["own"]:
        return f"costs {row['application']} nothing: both choose {int(row['own'])}"
    if _none(row["ratio"]):
        return (
            f"changes the test error of {row['application']} by {row['difference']:.3g} [{row['difference_low']:.3g}, "
            f"{row['difference_high']:.3g}] {sizes} (paired t, n = {row['n']} seeds; an error is not above 0: no ratio)"
        )
    resolved = "" if row["low"] > 1 or row["high"] < 1 else ", not told from 1"
    return (
        f"multiplies the test error of {row['application']} by {row['ratio']:.3g} [{row['low']:.3g}, "
        f"{row['high']:.3g}] {sizes} (paired t on log error, n = {row['n']} seeds){resolved}"
    )


def _answer(estimates: Estimates, dataset: str, curve: str) -> Answer:
    """The sizes that the applications choose, and the dearest of what reconstruction's choice costs them."""
    choice = estimates.choice[(estimates.choice["curve"] == curve) & (estimates.choice["rule"] == BEST)]
    regret = estimates.regret[(estimates.regret["curve"] == curve) & (estimates.regret["rule"] == BEST)]
    sizes = "; ".join(f"{row['application']} {row['choice']}" for row in choice.to_dict("records"))
    known = regret.dropna(subset="ratio")
    costs, identity = "what another choice costs cannot be told", ""
    if len(known):
        dearest = known.loc[known["ratio"].idxmax()].to_dict()
        costs = f"taking reconstruction's size costs none of the {len(known)} others any test error on average"
        if dearest["ratio"] > 1:
            costs = f"taking reconstruction's size {_cost(dearest)}, the costliest of the {len(known)} others"
        identity = "-".join(["regret", *(slug(str(dearest[name])) for name in ("curve", "application", "rule"))])
    sentence = (
        f"By the application's own error on validation images, over a grid of sizes: for {curve} the smallest size "
        f"about as good as every size tried is, with its 95 % interval, {sizes} (n = {span(estimates.curve['n'])} "
        f"seeds); {costs}."
    )
    return Answer("latent_elbow", sentence, identity, f"curves-{dataset}")


def _interval(row: pd.Series) -> str:
    low, high = (f"> {row['last']}" if _none(row[end]) else str(int(row[end])) for end in ("low", "high"))
    return f"{low} alone" if low == high else f"{low} to {high}"


def _unresolved(row: pd.Series) -> str:
    """Said where no size is shown to be as good, or none of those up to the best is excluded."""
    everything = _none(row["high"]) or row["low"] == row["first"] != row["high"] == row["best"]
    return f", not resolved with {row['n']} seeds" if everything else ""


def _none(value: Any) -> bool:
    return value is None or value != value
