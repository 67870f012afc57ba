"""Why a modification does what it does: an explanation, and beside it a measurement that could have refuted it.

Every explanation predicts the direction in which some measurement moves, before the numbers are looked at: it follows
from what the contrast changes alone. The measurement then agrees, contradicts, or decides nothing. One alone looks at
the effect itself: that images are harder, whatever the network, predicts that PCA moves as the networks' error does,
and predicts nothing where that is not resolved.

Most reasons predict a direction of the error as well. One that predicts the opposite of the effect explains nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis import figures
from analysis.effects_codes import EXAMPLES, NEIGHBOURS, TEST_IMAGES
from analysis.effects_errors import OVER_PCA, cell_of
from analysis.effects_families import Contrast, Family
from analysis.effects_pca import PCA_FVU
from analysis.statistics import paired_t
from study.levels import has

if TYPE_CHECKING:
    import pandas as pd

LOWER, HIGHER, UNDECIDED = "lower", "higher", "undecided"
AGREES, CONTRADICTS = "agrees", "contradicts"
MATCHED = {"bce": "excess_bce", "mse": "mse", "mae": "mae", "ssim": "ssim"}  # loss → the metric that it minimises


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
OF_CODES = ("effective_rank", "neighbour_accuracy", "latent_use")
COLUMNS = (
    *("family", "label", "cell", "reference", "dataset", "measurement", "what", "scale", "n", "value", "low", "high"),
    *("cell_value", "reference_value", "source", "images", "reference_images", "found", "predicted", "agreement"),
    *("effect", "expected_effect", "method"),
)


def measured(trials: pd.DataFrame, history: pd.DataFrame, codes: pd.DataFrame) -> pd.DataFrame:
    """Everything that is known of each trial, in the columns of `MEASUREMENTS` that its tables give.

    Args:
        trials: The trials table, with PCA's errors where cells see other images.
        history: The learning curves.
        codes: From `analysis.effects_codes`: `trial`, `source`, `effective_rank`, `neighbour_accuracy`, `latent_use`,
            and of how many `images`; a row a trial and source.

    Returns:
        Indexed by (cell, seed), completed trials alone; `fit` and `gap` of MSE, `fit_fvu` and `gap_fvu` of fvu; what
        codes hold in a column a source, named by `_from`.
    """
    done = trials[trials["status"] == "completed"]
    last = history.sort_values("epoch").groupby("trial")["gradient_scale"].last()
    sources = {source: codes[codes["source"] == source].set_index("trial") for source in (TEST_IMAGES, EXAMPLES)}
    table = done.assign(cell=cell_of(done)).assign(
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

    return pd.DataFrame(columns=["trial", "source", *OF_CODES, "images"])


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
        interval `low`, `high` over `n` seeds, as a "ratio" or a "difference" (`scale`); `cell_value` and
        `reference_value`, the means, geometric where `value` is a ratio, so that it is theirs; where it is codes that
        were measured, their `source`, one for both sides, and how many `images` and `reference_images` a trial has;
        `found`: lower, higher or undecided, by the interval; `predicted`, empty where nothing is; `agreement`: agrees,
        contradicts, undecided or empty; `effect`: whether the error is lower, higher or undecided, by its verdict;
        `expected_effect`: the same as the reason predicts it, empty where it does not; `method`. Descriptive: not
        adjusted.
    """
    import pandas as pd

    known = set(table.index.get_level_values("cell"))
    rows: list[dict[str, Any]] = []
    verdicts = effects.set_index(["family", "cell", "reference"])["verdict"]
    for family in families:
        for contrast in family.contrasts:
            if set(contrast.names) <= known:
                sides = table.loc[contrast.cell], table.loc[contrast.reference]
                verdict = verdicts[family.name, contrast.cell, contrast.reference]
                effect = verdict if verdict in (LOWER, HIGHER) else UNDECIDED
                rows += _measurements(family, contrast, sides, registries, effect)
    return pd.DataFrame(rows, columns=list(COLUMNS))


def predictions(
    contrast: Contrast, registries: Mapping[str, Mapping[str, Callable]], parameters: tuple[float, float] | None = None
) -> dict[str, str]:
    """What the explanation of a contrast predicts, from what it changes alone: measurement → lower or higher.

    Args:
        contrast: The cell and its reference.
        registries: Factor → level → function.
        parameters: How many the reference and the cell have.
    """
    expected: dict[str, str] = {}
    for factor in contrast.factors:
        old, new = contrast.changed[factor]
        if factor == "latent_dim":
            expected |= _of_size(old, new)
        elif factor == "architecture":
            expected |= _of_architecture(registries["architecture"], old, new, parameters)
        elif factor == "loss":
            expected |= {
                f"train_{MATCHED[loss]}": way for loss, way in ((old, HIGHER), (new, LOWER)) if loss in MATCHED
            }
        elif factor == "regularizer":
            expected |= _of_regularizer(old, new)
        elif factor == "train_size":
            expected |= {"gap": LOWER if (new or np.inf) > (old or np.inf) else HIGHER}
        elif factor == "depth":
            expected |= {"gradient_scale": LOWER if (new or 0) > (old or 0) else HIGHER}
    return expected


REGULARIZED = {
    "sparse": {"active_units": LOWER, "fit": HIGHER},
    "variational": {"active_units": LOWER, "fit": HIGHER},
    "denoising": {"gap": LOWER, "fit": HIGHER},
    "contractive": {"effective_rank": LOWER, "fit": HIGHER},
}


def _of_regularizer(old: str, new: str) -> dict[str, str]:
    """What the new one does, and the reverse of what the old one did; nothing where these are opposed."""
    undone = {name: LOWER if way == HIGHER else HIGHER for name, way in REGULARIZED.get(old, {}).items()}
    both = undone | REGULARIZED.get(new, {})
    return {name: way for name, way in both.items() if undone.get(name, way) == way}


def _of_size(old: int, new: int) -> dict[str, str]:
    """More units hold more directions: they are used, training images fit better, classes come apart."""
    more, less = (HIGHER, LOWER) if new > old else (LOWER, HIGHER)
    return {"active_units": more, "effective_rank": more, "fit": less, "neighbour_accuracy": more}


def _of_architecture(
    functions: Mapping[str, Callable], old: str, new: str, parameters: tuple[float, float] | None
) -> dict[str, str]:
    """Skips around the code relieve it; otherwise what counts is how many parameters there are to fit with.

    Where these are equally many and the new architecture's own reason names gradients, they reach the first kernel. Of
    other pairs the first kernels differ in size, so that their gradients are not compared.
    """
    skips = {name: has(functions.get(name), "skips") for name in (old, new)}
    if skips[new] != skips[old]:
        return {"latent_use": LOWER if skips[new] else HIGHER}
    if parameters is None:
        return {}
    if parameters[0] == parameters[1]:
        return {"gradient_scale": HIGHER} if for_gradients(functions, old, new) else {}
    return {"fit": LOWER if parameters[1] > parameters[0] else HIGHER}


def for_gradients(functions: Mapping[str, Callable], old: str, new: str) -> bool:
    """Whether an architecture's own reason (`why`) names gradients, and that of the one it replaces does not."""
    named = {name: "gradient" in getattr(functions.get(name), "why", "") for name in (old, new)}
    return named[new] and not named[old]


def expected_effect(expected: Mapping[str, str], metric: str) -> str:
    """How the error moves if the reason is the right one; empty where its predictions leave that open.

    Test error is training error times their ratio; it falls where the code is passed by, and where gradients reach the
    first layers.

    Args:
        expected: From `predictions`.
        metric: Of the error.
    """
    same = ("fit", "gap", f"train_{figures.split_of(metric)[1]}", "latent_use", "pca")
    ways = {expected[name] for name in same if name in expected}
    if "gradient_scale" in expected:
        ways.add(LOWER if expected["gradient_scale"] == HIGHER else HIGHER)
    return ways.pop() if len(ways) == 1 else ""


def _measurements(
    family: Family,
    contrast: Contrast,
    sides: tuple[pd.DataFrame, pd.DataFrame],
    registries: Mapping[str, Mapping[str, Callable]],
    effect: str,
) -> list[dict[str, Any]]:
    counts = [side["n_parameters"].astype(float).dropna() for side in sides]
    parameters = (counts[1].iloc[0], counts[0].iloc[0]) if all(map(len, counts)) else None
    expected = predictions(contrast, registries, parameters)
    seeds = sides[0].index.intersection(sides[1].index)
    pairs = [side.loc[seeds] for side in sides]
    if "dataset" in contrast.changed:  # if the images are what differs, PCA's error differs the same way
        expected |= {"pca": effect} if effect != UNDECIDED else {}
    source = _source(pairs)
    same = {
        **{"family": family.name, "label": contrast.label, "cell": contrast.cell, "reference": contrast.reference},
        **{"dataset": contrast.levels["dataset"], "effect": effect},
        "expected_effect": expected_effect(expected, family.metric),
    }
    found = []
    for name, measurement in MEASUREMENTS.items():
        column = _from(source, name) if name in OF_CODES else name
        column += "_fvu" if name in ("fit", "gap") and not contrast.same_images else ""
        row = _moved(pairs, column, measurement)
        if row and name in OF_CODES:
            images = [side[_from(source, "images")].min() for side in pairs]
            row |= {"source": source, "images": images[0], "reference_images": images[1]}
        if row:
            way = expected.get(name, "")
            found.append(
                {**same, "measurement": name, **row, "predicted": way, "agreement": _agreement(way, row["found"])}
            )
    return found


def _source(sides: Sequence[pd.DataFrame]) -> str:
    """Where what the codes of both sides hold is taken from: the models on test images, if they give an interval.

    Else the stored examples of both: a cell that has models is never held against one that has examples alone.
    """
    models, examples = (
        int(np.all([side[_from(source, "effective_rank")].notna() for side in sides], axis=0).sum())
        for source in (TEST_IMAGES, EXAMPLES)
    )
    return TEST_IMAGES if models >= min(2, examples) else EXAMPLES


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
    back = np.exp if measurement.ratio else float
    means = back(scaled.mean(axis=0)[0]), back(scaled.mean(axis=0)[1])
    return {
        **{"what": measurement.words, "scale": "ratio" if measurement.ratio else "difference", "n": found.n},
        **{"value": back(found.value), "low": back(found.low), "high": back(found.high)},
        **{"cell_value": means[0], "reference_value": means[1]},
        "found": LOWER if found.high < 0 else HIGHER if found.low > 0 else UNDECIDED,
        "method": f"{found.method}{' of logarithms' if measurement.ratio else ''}, single, not adjusted",
    }


def _agreement(predicted: str, found: str) -> str:
    if not predicted:
        return ""
    return UNDECIDED if found == UNDECIDED else AGREES if found == predicted else CONTRADICTS
