"""A block of text for each modification, for the report: its code, why it was made, what it did, and why it did so.

Every sentence is chosen by the numbers. What is not known is said, with the command that would tell.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis import code_diff, effects_seeds, effects_time_text
from analysis.effects_explanations import conclusion, explanation, measured
from analysis.effects_training import ALL_EPOCHS, EARLY
from analysis.effects_training_text import fell_again
from analysis.effects_words import WORDS, failure, metric_name, numbers, ratio, row_of, seeds
from study.space import Space

if TYPE_CHECKING:
    import pandas as pd

    from analysis.effects import Estimates
    from analysis.effects_families import Contrast, Family


PAIRS = 6  # below, a correlation says next to nothing


def blocks(estimates: Estimates, space: Space, data: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One block a contrast that has been measured.

    Args:
        estimates: All the numbers.
        space: The study's, for its code.
        data: Data set → what the manifest says of it.

    Returns:
        Plain data: `family`, `label`, `cell`, `reference`, `factors`, `code` (a list of `factor`, `old`, `new`,
        `diff`), and in sentences `why`, `time`, `loss`, `performance`, `certainty`, and `mechanism` with its
        `explanation`, `measurements` and `conclusion`.
    """
    found = []
    for family in estimates.families:
        for contrast in family.contrasts:
            row = row_of(estimates.contrasts, family, contrast)
            if row is not None and row["n"] > 0:
                found.append(_block(estimates, family, contrast, row, space, data))
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
    of = f"images of {channels[0]} channels instead of {channels[1]}" if channels[0] != channels[1] else "other images"
    return (
        f"The images are those of {sides[0]} instead of {sides[1]}. It shows what the same network, with a code of the "
        f"same size, makes of {of}."
    )


def _block(
    estimates: Estimates,
    family: Family,
    contrast: Contrast,
    row: dict[str, Any],
    space: Space,
    data: Mapping[str, Any],
) -> dict[str, Any]:
    return {
        **{"family": family.name, "label": contrast.label, "cell": contrast.cell, "reference": contrast.reference},
        "factors": list(contrast.factors),
        "code": [vars(change) for change in code_diff.changes(contrast, space)],
        "why": why(contrast, space, data),
        "time": [*effects_time_text.of_contrast(estimates, family, contrast)],
        "loss": [*_loss(estimates, contrast)],
        "performance": [*_performance(estimates, family, contrast, row)],
        "certainty": [*_certainty(estimates, family, contrast, row)],
        "mechanism": _mechanism(estimates, family, contrast, space, row["verdict"] in WORDS),
    }


def _loss(estimates: Estimates, contrast: Contrast) -> Iterator[str]:
    """The objective where both have the same; the common validation error in any case."""
    same = not {"loss", "regularizer", "dataset", "normal_class", "preprocessing"} & set(contrast.changed)
    if same:
        for metric, words in (("loss", "training"), ("val_loss", "validation")):
            pair = [_end(estimates.ends, cell, metric) for cell in (contrast.cell, contrast.reference)]
            if None not in pair:
                yield f"The {words} loss ends at {_valued(pair[0])}, the reference's at {_valued(pair[1])}."
    else:
        yield _not_compared(contrast)
    metric = "val_mse" if contrast.same_images else "val_fvu"
    pair = [_end(estimates.ends, cell, metric) for cell in (contrast.cell, contrast.reference)]
    if pair[0] is not None and pair[1] is not None:
        name, still = metric_name(metric), _still(pair[0]["change"])
        yield f"The {name} ends at {_valued(pair[0])}, the reference's at {_valued(pair[1])}{still}."


def _not_compared(contrast: Contrast) -> str:
    """Why the values of the two objectives say nothing of each other."""
    if {"loss", "regularizer"} & set(contrast.changed):
        return "The two minimise different objectives, so that their values are not compared."
    loss = contrast.levels["loss"]
    if loss == "bce":
        low = "it cannot fall below the entropy of the pixel values, which differs between the images of the two"
        return f"Both minimise BCE, but {low}: its values are not compared."
    return f"Both minimise {loss}, but of other images, where the same value means another thing: it is not compared."


def _still(change: float) -> str:
    """How much an error moved in the last quarter of training; nothing where that is not known."""
    if np.isnan(change):
        return ""
    times = ratio(change)
    if times == "1":
        return "; the first did not move over the last quarter of the epochs"
    return f"; the first is {times} times what it was after three quarters of the epochs"


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
    yield from map(_sentence, effects_seeds.named(row))
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
    yield f"n = {seeds([row['n']])}, {p}{among}{least}. {row['method']}."
    if not np.isnan(row["welch_low"]):
        if row["n"] >= PAIRS and not np.isnan(row["correlation"]):
            yield f"The pairs correlate by {row['correlation']:.2f}."
        paired = f"the paired one simultaneous{among}, and wider for that" if several else "as is the paired one"
        welch = numbers(row, "welch", "welch_low", "welch_high")
        yield f"Unpaired (Welch), the ratio is {welch}: this interval is single, {paired}."
    if row["mixed"]:
        yield f"{row['mixed']} of the pairs were trained in two environments."
    yield from _early(estimates.stopping, family, contrast)
    with_failures = row_of(estimates.sensitivity, family, contrast)
    if with_failures is not None and with_failures["n"] > row["n"]:
        yield f"With failures at the mean image's error {numbers(with_failures)}: {with_failures['verdict']}."


def _early(stopping: pd.DataFrame, family: Family, contrast: Contrast) -> Iterator[str]:
    """The effect under early stopping, where that would have ended any trial, and what may have moved it."""
    full, early = (row_of(stopping[stopping["rule"] == rule], family, contrast) for rule in (ALL_EPOCHS, EARLY))
    if full is None or early is None or not early["n"]:
        return
    if any(early[name] != full[name] for name in ("epochs", "reference_epochs")):
        found = (
            f"with early stopping, the {metric_name(early['metric'])} is {numbers(early)} times the reference's: "
            f"{early['verdict']}"
        )
        yield _sentence("; ".join([found, *fell_again(early), *effects_seeds.named(early)]))


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


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


def _count(value: int | None) -> str:
    return "all" if value is None else f"{value:,}"


def _class(value: int | None) -> str:
    return "all classes" if value is None else f"class {value}"
