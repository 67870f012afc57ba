"""A block of text for each modification, for the report: its code, why it was made, what it did, and why it did so.

Every sentence is chosen by the numbers. What is not known is said, with the command that would tell.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis import code_diff
from analysis.effects_explanations import conclusion, explanation, measured
from analysis.effects_training import EARLY
from analysis.effects_words import WORDS, failure, metric_name, numbers, ratio
from study.space import Space

if TYPE_CHECKING:
    import pandas as pd

    from analysis.effects import Estimates
    from analysis.effects_families import Contrast, Family


def blocks(estimates: Estimates, space: Space, data: Mapping[str, Any], study: str) -> list[dict[str, Any]]:
    """One block a contrast that has been measured.

    Args:
        estimates: All the numbers.
        space: The study's, for its code.
        data: Data set → what the manifest says of it.
        study: Its name, for commands.

    Returns:
        Plain data: `family`, `label`, `cell`, `reference`, `factors`, `code` (a list of `factor`, `old`, `new`,
        `diff`), and in sentences `why`, `time`, `loss`, `performance`, `certainty`, and `mechanism` with its
        `explanation`, `measurements` and `conclusion`.
    """
    found = []
    for family in estimates.families:
        for contrast in family.contrasts:
            row = _row(estimates.contrasts, family, contrast)
            if row is not None and row["n"] > 0:
                found.append(_block(estimates, family, contrast, row, space, data, study))
    return found


def why(contrast: Contrast, space: Space, data: Mapping[str, Any]) -> list[str]:
    """Why one would make the change: from the registries where levels are functions, else what the level is.

    The registries' reasons are those of a change of the baseline; of another level, they describe the new one.
    """
    functions = code_diff.registries(space)
    found = []
    for factor in contrast.factors:
        old, new = contrast.changed[factor]
        if factor in functions:
            reason = vars(functions[factor][new]).get("why")
            of_level = "" if old == contrast.baseline[factor] else f"{new}: "
            none = f"The search space gives no reason for {new}: set `{new}.why` beside its code."
            found.append(f"{of_level}{reason}" if reason else none)
        elif factor == "dataset":
            found.append(_of_data(old, new, data))
        elif factor in PLAIN:
            found.append(PLAIN[factor](old, new))
    return found


def _of_size(old: int, new: int) -> str:
    single = " One unit puts all images on a line: it shows what has to be given up first." if new == 1 else ""
    return (
        f"The code has {new} unit{'s' * (new != 1)} instead of {old}. What a code can hold is set by its number of "
        f"units alone, as long as no other layer is narrower.{single}"
    )


PLAIN: dict[str, Callable[[Any, Any], str]] = {
    "latent_dim": _of_size,
    "depth": lambda old, new: f"{new} blocks a stage instead of {old}: the same shapes, more layers in between.",
    "train_size": lambda old, new: f"{_count(new)} training images instead of {_count(old)}, equally many epochs.",
    "normal_class": lambda old, new: f"Trained and tested on class {new} instead of {_class(old)}.",
    "learning_rate": lambda old, new: f"Adam's learning rate is {new:g} instead of {old:g}.",
    "batch_size": lambda old, new: f"Batches of {new} images instead of {old}: other updates, as many epochs.",
    "randomness": lambda old, new: f"The seed decides {new} alone instead of {old}.",
}


def _of_data(old: str, new: str, data: Mapping[str, Any]) -> str:
    sides = [f"{name} ({'×'.join(map(str, data[name]['shape']))}; {data[name]['source']})" for name in (new, old)]
    channels = [data[name]["shape"][2] for name in (new, old)]
    colour = f" Its {channels[0]} channels have to be coded as well." if channels[0] > channels[1] else ""
    return f"The images are those of {sides[0]} instead of {sides[1]}.{colour}"


def _block(
    estimates: Estimates,
    family: Family,
    contrast: Contrast,
    row: dict[str, Any],
    space: Space,
    data: Mapping[str, Any],
    study: str,
) -> dict[str, Any]:
    return {
        **{"family": family.name, "label": contrast.label, "cell": contrast.cell, "reference": contrast.reference},
        "factors": list(contrast.factors),
        "code": [vars(change) for change in code_diff.changes(contrast, space)],
        "why": why(contrast, space, data),
        "time": [*_time(estimates, family, contrast, study)],
        "loss": [*_loss(estimates, contrast)],
        "performance": [*_performance(estimates, family, contrast, row)],
        "certainty": [*_certainty(estimates, family, contrast, row)],
        "mechanism": _mechanism(estimates, family, contrast, space, row["verdict"] in WORDS),
    }


def _time(estimates: Estimates, family: Family, contrast: Contrast, study: str) -> Iterator[str]:
    """Where no contrast was timed, nothing is said of it here: `effects_training_text` says so once."""
    cost, reach = (_row(table, family, contrast) for table in (estimates.cost, estimates.reach))
    if cost is None:
        if len(estimates.cost):
            yield f"Its training time was not measured alone on a quiet machine. Run: python -m study.cost {study}"
        yield from _in_search(_row(estimates.search_time, family, contrast))
    else:
        way = "longer" if cost["low"] > 1 else "shorter" if cost["high"] < 1 else "not resolved"
        yield (
            f"An epoch takes {numbers(cost, 'ratio', 'low', 'high')} times the reference's "
            f"{cost['reference_seconds']:.3g} s ({way}; n = {cost['n']} rounds; {cost['method']}), with "
            f"{cost['memory_mb']:.0f} MB at most against {cost['reference_memory_mb']:.0f}."
        )
        if abs(cost["image_ratio"] / cost["ratio"] - 1) > 1e-6:
            yield f"The two train on unequally many images: an image takes {cost['image_ratio']:.3g} times as long."
    if reach is not None:
        ends = f" [{_epochs(reach['low'], reach)}, {_epochs(reach['high'], reach)}]"
        interval = "" if np.isnan(reach["low"]) else ends
        yield (
            f"It is down to the validation MSE that the reference ends with in {reach['reached']} of {reach['n']} "
            f"seeds, after {_epochs(reach['epochs'], reach)} epochs in the median{interval}; the reference itself "
            f"takes {reach['reference_epochs']:g}."
        )
        if cost is not None and np.isfinite(reach["epochs"]):
            yield (
                f"At the measured speed these are {reach['epochs'] * cost['seconds']:.3g} s against "
                f"{reach['reference_epochs'] * cost['reference_seconds']:.3g} s."
            )


def _in_search(row: Mapping[str, Any] | None) -> Iterator[str]:
    """The search's own seconds: what they are worth is said before them."""
    if row is not None:
        spans = [f"{row[f'{side}least']:.3g} to {row[f'{side}greatest']:.3g}" for side in ("", "reference_")]
        yield (
            "While other trials ran beside it on the machine of the search, which may explain any difference, an epoch "
            f"took {row['seconds']:.3g} s (median of n = {row['n']} seeds; {spans[0]}), the reference's "
            f"{row['reference_seconds']:.3g} s ({spans[1]}): descriptive."
        )


def _epochs(value: float, row: Mapping[str, Any]) -> str:
    return f"more than {row['last']:.0f}" if np.isinf(value) else f"{value:g}"


def _loss(estimates: Estimates, contrast: Contrast) -> Iterator[str]:
    """The objective where both have the same; the common validation error in any case."""
    same = not {"loss", "regularizer", "dataset", "normal_class", "preprocessing"} & set(contrast.changed)
    if same:
        for metric, words in (("loss", "training"), ("val_loss", "validation")):
            pair = [_end(estimates.ends, cell, metric) for cell in (contrast.cell, contrast.reference)]
            if None not in pair:
                yield f"The {words} loss ends at {_valued(pair[0])}, the reference's at {_valued(pair[1])}."
    else:
        yield "The objectives of the two are on different scales, so their values are not compared."
    metric = "val_mse" if contrast.same_images else "val_fvu"
    pair = [_end(estimates.ends, cell, metric) for cell in (contrast.cell, contrast.reference)]
    if pair[0] is not None and pair[1] is not None:
        change = pair[0]["change"]
        times = f"; the first is {ratio(change)} times what it was after three quarters of the epochs"
        still = "" if np.isnan(change) else times
        name = metric_name(metric)
        yield f"The {name} ends at {_valued(pair[0])}, the reference's at {_valued(pair[1])}{still}."


def _end(ends: pd.DataFrame, cell: str, metric: str) -> dict[str, Any] | None:
    rows = ends[(ends["cell"] == cell) & (ends["metric"] == metric)]
    return None if rows.empty else {str(name): value for name, value in rows.iloc[0].items()}


def _valued(end: Mapping[str, Any] | None) -> str:
    assert end is not None
    return f"{end['value']:.3g} [{end['low']:.3g}, {end['high']:.3g}] (n = {end['n']}, 95 % t interval)"


def _performance(estimates: Estimates, family: Family, contrast: Contrast, row: dict[str, Any]) -> Iterator[str]:
    yield (
        f"The {metric_name(row['metric'])} is {numbers(row)} times the reference's ({row['error']:.3g} against "
        f"{row['reference_error']:.3g}, geometric means): {WORDS.get(row['verdict'], row['verdict'])}."
    )
    others = estimates.others
    mine = others[
        (others["family"] == family.name)
        & (others["cell"] == contrast.cell)
        & (others["reference"] == contrast.reference)
    ]
    if len(mine):
        named = "; ".join(f"{metric_name(one['metric'])} {numbers(one)}" for one in mine.to_dict("records"))
        yield f"By other measures, ratios of errors (descriptive): {named}."
    failed = estimates.failures[(estimates.failures["cell"] == contrast.cell) & (estimates.failures["count"] > 0)]
    for one in failed.to_dict("records"):
        yield f"{failure(one)}."


def _certainty(estimates: Estimates, family: Family, contrast: Contrast, row: dict[str, Any]) -> Iterator[str]:
    several = row["n_family"] > 1
    p = "no p" if np.isnan(row["p"]) else f"{'adjusted p' if several else 'p'} = {row['p']:.3g}"
    among = f" among {row['n_family']} contrasts" if several else ", the only contrast of its family"
    flips = "sign-flip" in row["method"]
    least = f"; the least that sign flips of {row['n']} seeds can give is {row['smallest_p']:.3g}" if flips else ""
    yield f"n = {row['n']} seeds, {p}{among}{least}. {row['method']}."
    if not np.isnan(row["correlation"]):
        yield (
            f"The pairs correlate by {row['correlation']:.2f}; unpaired (Welch) the ratio is "
            f"{numbers(row, 'welch', 'welch_low', 'welch_high')}, single and not adjusted."
        )
    if row["mixed"]:
        yield f"{row['mixed']} of the pairs were trained in two environments."
    early = estimates.stopping[estimates.stopping["rule"] == EARLY]
    stopped, with_failures = (_row(table, family, contrast) for table in (early, estimates.sensitivity))
    if stopped is not None and stopped["n"]:
        yield f"With early stopping, {metric_name(stopped['metric'])} {numbers(stopped)}: {stopped['verdict']}."
    if with_failures is not None and with_failures["n"] > row["n"]:
        yield f"With failures at the mean image's error {numbers(with_failures)}: {with_failures['verdict']}."


def _mechanism(
    estimates: Estimates, family: Family, contrast: Contrast, space: Space, resolved: bool
) -> dict[str, Any]:
    table = estimates.mechanism
    mine = table[
        (table["family"] == family.name) & (table["cell"] == contrast.cell) & (table["reference"] == contrast.reference)
    ]
    rows = {row["measurement"]: row for row in mine.to_dict("records")}
    predicted = [row for row in rows.values() if row["predicted"]]
    beside = [name for name in BESIDE if name in rows and not rows[name]["predicted"]]
    if any(row["measurement"] == "train_mse" for row in predicted) and "fit" in beside:
        beside.remove("fit")  # the same number
    return {
        "explanation": explanation(contrast, space, rows),
        "measurements": [measured(row) for row in predicted],
        "beside": [measured(rows[name]) for name in beside],
        "conclusion": conclusion(predicted, resolved),
    }


BESIDE = ("fit", "gap", "active_units", "effective_rank", "latent_use", "gradient_scale", "best_epoch", "skill")


def _row(table: pd.DataFrame, family: Family, contrast: Contrast) -> dict[str, Any] | None:
    rows = table[
        (table["family"] == family.name) & (table["cell"] == contrast.cell) & (table["reference"] == contrast.reference)
    ]
    return None if rows.empty else {str(name): value for name, value in rows.iloc[0].items()}


def _count(value: int | None) -> str:
    return "all" if value is None else f"{value:,}"


def _class(value: int | None) -> str:
    return "all classes" if value is None else f"class {value}"
