"""Why a modification does what it does: an explanation, and beside it a measurement that could have refuted it.

Every explanation predicts the direction in which some measurement moves, before the numbers are looked at: it follows
from what the contrast changes alone. The measurement then agrees, contradicts, or decides nothing. One alone looks at
the effect itself: that images are harder, whatever the network, predicts that PCA moves as the networks' error does,
and predicts nothing where that is not resolved.

Most reasons predict a direction of the error as well. One that predicts the opposite of the effect explains nothing.
Of networks that did not train, nothing is predicted, nor anything measured but that; where they all give one image,
they are still judged by what they were trained on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.effects_codes import EXAMPLES, NEIGHBOURS, TEST_IMAGES
from analysis.effects_errors import OVER_PCA, cell_of
from analysis.effects_failures import one_output
from analysis.effects_families import Contrast, Family
from analysis.effects_pca import PCA_FVU
from analysis.effects_predictions import HIGHER, LOWER, MATCHED, UNDECIDED, bound_to_hold, expected_effect, predictions
from analysis.statistics import paired_t

if TYPE_CHECKING:
    import pandas as pd

AGREES, CONTRADICTS = "agrees", "contradicts"
TO_PCA = "ratio to PCA's"
LEAST = 3  # pairs of an interval, and of a verdict: two seeds span next to anything


@dataclass(frozen=True)
class Measurement:
    """Something that is known of every trial.

    Attributes:
        words: What it is, as a sentence names it.
        ratio: Whether differences are ratios: of logarithms, back-transformed.
    """

    words: str
    ratio: bool


MEASUREMENTS = {
    "fit": Measurement("error on the training images", True),
    "gap": Measurement("test error ÷ training error", True),
    "train_mse": Measurement("MSE on the training images", True),
    "train_mae": Measurement("MAE on the training images", True),
    "train_excess_bce": Measurement("excess BCE on the training images", True),
    "train_ssim": Measurement("1 - SSIM on the training images", True),
    "active_units": Measurement("units of the code that vary over validation images", False),
    "effective_rank": Measurement("effective rank of the codes", True),
    "neighbour_accuracy": Measurement(
        f"share of images whose class is the commonest among their {NEIGHBOURS} nearest codes of the same images", False
    ),
    "latent_use": Measurement("error with another image's code ÷ error with its own", True),
    "gradient_scale": Measurement("root of Adam's second moment at the first kernel, at the end", True),
    "best_epoch": Measurement("epoch of the least validation error", False),
    "n_parameters": Measurement("number of parameters", True),
    "narrowest_width": Measurement("units in the narrowest hidden layer", True),
    "pca": Measurement("unexplained variance of PCA at the same size", True),
    "skill": Measurement("error ÷ PCA's at the same size on the same images", True),
}
MOST = 0.5  # of a side's networks: where more collapsed, no reason for the effect is tested
COLLAPSED = Measurement("share of networks that are no better than the mean image", False)
AGAINST_PCA = {
    "over_pca": Measurement("test MSE of the cell", True),
    "reference_over_pca": Measurement("test MSE of the reference", True),
}
ACROSS_IMAGES = ("pca", "skill")  # where both see the same images, PCA's error is the same
OF_CODES = ("effective_rank", "neighbour_accuracy", "latent_use")
COLUMNS = (
    *("family", "label", "cell", "reference", "dataset", "measurement", "what", "scale", "n", "value", "low", "high"),
    *("cell_value", "reference_value", "source", "images", "reference_images", "found", "predicted", "agreement"),
    *("effect", "expected_effect", "restates", "compared", "as_predicted", "method", "output", "reference_output"),
)


def measured(trials: pd.DataFrame, history: pd.DataFrame, codes: pd.DataFrame) -> pd.DataFrame:
    """Everything that is known of each trial, in the columns of `MEASUREMENTS` that its tables give.

    Args:
        trials: The trials table, with PCA's errors where `effects_pca.across_images` asks for them.
        history: The learning curves.
        codes: From `analysis.effects_codes`: `trial`, `source`, `effective_rank`, `neighbour_accuracy`, `latent_use`,
            and of how many `images`; of examples whether all have one `output`; a row a trial and source.

    Returns:
        Indexed by (cell, seed), completed trials alone; `fit` and `gap` of MSE, `fit_fvu` and `gap_fvu` of fvu; what
        codes hold in a column a source, named by `_from`.
    """
    done = trials[trials["status"] == "completed"]
    last = history.sort_values("epoch").groupby("trial")["gradient_scale"].last()
    sources = {source: codes[codes["source"] == source].set_index("trial") for source in (TEST_IMAGES, EXAMPLES)}
    table = done.assign(cell=cell_of(done), output=done["trial"].map(sources[EXAMPLES]["output"])).assign(
        **{"gradient_scale": done["trial"].map(last), "train_ssim": 1 - done["train_ssim"].astype(float)},
        **{f"gap{end}": done[f"test_{kind}"] / done[f"train_{kind}"] for end, kind in (("", "mse"), ("_fvu", "fvu"))},
        **{"fit": done["train_mse"], "fit_fvu": done["train_fvu"]},
        **{
            _from(source, name): done["trial"].map(rows[name])
            for source, rows in sources.items()
            for name in (*OF_CODES, "images")
        },
        **{new: done[old] for new, old in (("pca", PCA_FVU), ("skill", OVER_PCA)) if old in done},
    )
    return table.set_index(["cell", "seed"]).sort_index()


def no_codes() -> pd.DataFrame:
    """The table of `analysis.effects_codes` where nothing is known."""
    import pandas as pd

    return pd.DataFrame(columns=["trial", "source", *OF_CODES, "images", "output"])


def _from(source: str, name: str) -> str:
    """The column of a measurement of codes by where it comes from."""
    return f"{name} of {source}"


def mechanisms(
    table: pd.DataFrame,
    families: Sequence[Family],
    registries: Mapping[str, Mapping[str, Callable]],
    effects: pd.DataFrame,
) -> pd.DataFrame:
    """How every measurement moves in every contrast, and whether as predicted.

    Args:
        table: From `measured`.
        families: Of the study.
        registries: Factor → level → function, for what levels say of themselves.
        effects: The contrasts of each family's own metric: what is to be explained.

    Returns:
        A row a contrast and measurement known of both sides at one seed or more: `value` with its single paired t
        interval `low`, `high` over `n` seeds (none of `collapsed`, nor of fewer than `LEAST`; of stored examples there
        is no row then, unless it is predicted), as a "ratio" or a "difference" (`scale`); `cell_value` and
        `reference_value`, the means, geometric where `value` is a ratio, so that it is theirs; where it is codes that
        were measured, their `source`, one for both sides, and how many `images` and `reference_images` a trial has;
        `found`: lower, higher or undecided, by the interval; `predicted`, empty where nothing is; `agreement`: agrees,
        contradicts, undecided or empty; `effect`: whether the error is lower, higher or undecided, by its verdict;
        `expected_effect`: the same as the reason predicts it, empty where it does not; `restates`: what agreement
        follows from, so that it is no test, else empty (`effects_predictions.bound_to_hold`). Where the number of
        parameters predicts, how many contrasts of the family with a resolved effect are `compared` by it, and in how
        many the error moves `as_predicted`; `method`. Descriptive: not adjusted.

        A `scale` of `TO_PCA`: each side's test MSE ÷ PCA's at the same size on the same images, where one is linear;
        `reference_value` is PCA's then. Where most networks of a side collapsed, a row `collapsed` with the one
        `output` of the side's collapsed networks, if any (`effects_failures.one_output`), and beside it at most what
        the cell's loss minimises.
    """
    import pandas as pd

    known = set(table.index.get_level_values("cell"))
    rows: list[dict[str, Any]] = []
    verdicts = effects.set_index(["family", "cell", "reference"])["verdict"]
    for family in families:
        by_count: list[dict[str, Any]] = []
        for contrast in family.contrasts:
            if set(contrast.names) <= known:
                sides = table.loc[contrast.cell], table.loc[contrast.reference]
                verdict = verdicts[family.name, contrast.cell, contrast.reference]
                effect = verdict if verdict in (LOWER, HIGHER) else UNDECIDED
                found = _measurements(family, contrast, sides, registries, effect)
                if contrast.factors == ("architecture",):
                    resolved = [row for row in found if row["predicted"] and row["effect"] != UNDECIDED]
                    by_count += [row for row in resolved if row["measurement"] == "fit"]
                rows += found
        as_predicted = sum(row["effect"] == row["expected_effect"] for row in by_count)
        for row in by_count:
            row |= {"compared": len(by_count), "as_predicted": as_predicted}
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _measurements(
    family: Family,
    contrast: Contrast,
    sides: tuple[pd.DataFrame, pd.DataFrame],
    registries: Mapping[str, Mapping[str, Callable]],
    effect: str,
) -> list[dict[str, Any]]:
    counts = [side["n_parameters"].astype(float).dropna() for side in sides]
    parameters = (counts[1].iloc[0], counts[0].iloc[0]) if all(map(len, counts)) else None
    narrowest = min((float(width) for side in sides for width in side["narrowest_width"].dropna()), default=np.inf)
    expected = predictions(contrast, registries, parameters, narrowest)
    left_out = _not_compared(contrast, parameters)
    expected = {name: way for name, way in expected.items() if name not in left_out}
    seeds = sides[0].index.intersection(sides[1].index)
    pairs = [side.loc[seeds] for side in sides]
    if "dataset" in contrast.changed:  # if the images are what differs, PCA's error differs the same way
        expected |= {"pca": effect} if effect != UNDECIDED else {}
    source = _source(pairs)
    same = {
        **{"family": family.name, "label": contrast.label, "cell": contrast.cell, "reference": contrast.reference},
        **{"dataset": contrast.levels["dataset"], "effect": effect, "predicted": "", "agreement": ""},
        **{"expected_effect": expected_effect(expected, family.metric), "restates": ""},
    }
    found: dict[str, dict[str, Any]] = {}
    lost = _moved(pairs, "collapsed", COLLAPSED)
    if lost and max(lost["cell_value"], lost["reference_value"]) > MOST:
        outputs = [one_output(side[side["collapsed"].eq(True)]) for side in pairs]
        lost |= {"low": np.nan, "high": np.nan, "found": UNDECIDED}  # where every seed agrees, t would have no width
        lost["method"] = f"difference of shares, {lost['n']} pairs, no interval; that of either share: failures.csv"
        found["collapsed"] = {**lost, "output": outputs[0], "reference_output": outputs[1]}
        own = f"train_{MATCHED.get(contrast.levels['loss'])}"
        expected = {own: expected[own]} if outputs[0] and own in expected else {}
        left_out = tuple(name for name in MEASUREMENTS if name not in expected)
    for (name, measurement), side in zip(AGAINST_PCA.items(), pairs, strict=True):
        row = _against_pca(side, measurement) if name in expected else None
        if row:
            found[name] = row
    for name, measurement in MEASUREMENTS.items():
        column = _from(source, name) if name in OF_CODES else name
        column += "_fvu" if name in ("fit", "gap") and not contrast.same_images else ""
        row = None if name in left_out else _moved(pairs, column, measurement)
        if row and name in OF_CODES:
            images = [side[_from(source, "images")].min() for side in pairs]
            row |= {"source": source, "images": images[0], "reference_images": images[1]}
            if row["n"] < LEAST and source == EXAMPLES and name not in expected:
                continue
        if row:
            found[name] = row
    restating = bound_to_hold(found, contrast, family.metric, effect)
    for name in expected.keys() & found.keys():
        way, agreement = expected[name], _agreement(expected[name], found[name]["found"])
        restates = restating.get(name, "") if agreement == AGREES else ""
        found[name] |= {"predicted": way, "agreement": agreement, "restates": restates}
    return [{**same, "measurement": name, **row} for name, row in found.items()]


def _not_compared(contrast: Contrast, parameters: tuple[float, float] | None) -> tuple[str, ...]:
    """The measurements that would say nothing of a contrast.

    The size of gradients goes with the objective and the images, and with the first kernel: of other architectures it
    has another size, unless they have equally many parameters.
    """
    objective = not contrast.same_images or bool({"loss", "regularizer"} & set(contrast.changed))
    kernel = "architecture" in contrast.changed and (parameters is None or parameters[0] != parameters[1])
    gradients = ("gradient_scale",) if objective or kernel else ()
    return (*gradients, *(ACROSS_IMAGES if contrast.same_images else ()))


def _source(sides: Sequence[pd.DataFrame]) -> str:
    """Where what the codes of both sides hold is taken from: the models on test images, if they give an interval.

    Else the stored examples of both: a cell that has models is never held against one that has examples alone.
    """
    models, examples = (
        int(np.all([side[_from(source, "effective_rank")].notna() for side in sides], axis=0).sum())
        for source in (TEST_IMAGES, EXAMPLES)
    )
    return TEST_IMAGES if models >= min(LEAST, examples) else EXAMPLES


def _moved(sides: Sequence[pd.DataFrame], column: str, measurement: Measurement) -> dict[str, Any] | None:
    """How far one measurement differs between the two sides, row by row; None where it is known of none."""
    if column not in sides[0]:
        return None
    both = np.stack([side[column].to_numpy(dtype=float) for side in sides], axis=1)
    usable = both[(np.isfinite(both) & ((both > 0) | (not measurement.ratio))).all(axis=1)]
    if not len(usable):
        return None
    scaled = np.log(usable) if measurement.ratio else usable
    found = paired_t(scaled[:, 0] - scaled[:, 1])
    if found.n < LEAST:
        found = replace(found, low=np.nan, high=np.nan, method=f"mean of {found.n} paired differences, no interval")
    back = np.exp if measurement.ratio else float
    means = back(scaled.mean(axis=0)[0]), back(scaled.mean(axis=0)[1])
    return {
        **{"what": measurement.words, "scale": "ratio" if measurement.ratio else "difference", "n": found.n},
        **{"value": back(found.value), "low": back(found.low), "high": back(found.high)},
        **{"cell_value": means[0], "reference_value": means[1]},
        "found": LOWER if found.high < 0 else HIGHER if found.low > 0 else UNDECIDED,
        "method": f"{found.method}{' of logarithms' if measurement.ratio else ''}, single, not adjusted",
    }


def _against_pca(side: pd.DataFrame, measurement: Measurement) -> dict[str, Any] | None:
    """One side's test MSE against PCA's at the same size on the same images; None where PCA's is not known."""
    if "skill" not in side:
        return None
    row = _moved([side, side.assign(test_mse=side["test_mse"] / side["skill"])], "test_mse", measurement)
    return row and {**row, "scale": TO_PCA}


def _agreement(predicted: str, found: str) -> str:
    if not predicted:
        return ""
    return UNDECIDED if found == UNDECIDED else AGREES if found == predicted else CONTRADICTS
