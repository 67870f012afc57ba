"""Why a modification does what it does: an explanation, and beside it a measurement that could have refuted it.

Every explanation predicts the direction in which some measurement moves, before the numbers are looked at: it follows
from what the contrast changes alone. The measurement then agrees, contradicts, or decides nothing. One alone looks at
the effect itself: that images are harder, whatever the network, predicts that PCA moves as the networks' error does,
and predicts nothing where that is not resolved.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

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
    "neighbour_accuracy": Measurement("share of test images whose nearest codes are of their class", False),
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
    *("cell_value", "reference_value", "images", "found", "predicted", "agreement", "method"),
)


def measured(trials: pd.DataFrame, history: pd.DataFrame, codes: pd.DataFrame) -> pd.DataFrame:
    """Everything that is known of each trial, in the columns of `MEASUREMENTS` that its tables give.

    Args:
        trials: The trials table, with PCA's errors where cells see other images.
        history: The learning curves.
        codes: From `analysis.effects_codes`: `trial`, `effective_rank`, `neighbour_accuracy`, `latent_use`, and of how
            many `images`.

    Returns:
        Indexed by (cell, seed), completed trials alone; `fit` and `gap` of MSE, `fit_fvu` and `gap_fvu` of fvu.
    """
    done = trials[trials["status"] == "completed"]
    last = history.sort_values("epoch").groupby("trial")["gradient_scale"].last()
    codes = codes.set_index("trial")
    table = done.assign(cell=cell_of(done)).assign(
        **{"gradient_scale": done["trial"].map(last), "train_ssim": 1 - done["train_ssim"].astype(float)},
        **{f"gap{end}": done[f"test_{kind}"] / done[f"train_{kind}"] for end, kind in (("", "mse"), ("_fvu", "fvu"))},
        **{"fit": done["train_mse"], "fit_fvu": done["train_fvu"]},
        **{name: done["trial"].map(codes[name]) for name in (*OF_CODES, "images")},
        **{new: done[old] for new, old in (("pca", PCA_FVU), ("skill", OVER_PCA)) if old in done},
    )
    return table.set_index(["cell", "seed"]).sort_index()


def no_codes() -> pd.DataFrame:
    """The table of `analysis.effects_codes` where nothing is known."""
    import pandas as pd

    return pd.DataFrame(columns=["trial", *OF_CODES, "images"])


def mechanisms(
    table: pd.DataFrame, families: Sequence[Family], registries: Mapping[str, Mapping[str, Callable]]
) -> pd.DataFrame:
    """How every measurement moves in every contrast, and whether as predicted.

    Args:
        table: From `measured`.
        families: Of the study.
        registries: Factor → level → function, for what levels say of themselves.

    Returns:
        A row a contrast and measurement known of both sides at one seed or more: `value` with its single paired t
        interval `low`, `high` over `n` seeds, as a "ratio" or a "difference" (`scale`); `cell_value` and
        `reference_value`, the means; `images` of each trial, where it is codes that were measured; `found`: lower,
        higher or undecided, by the interval; `predicted`, empty where nothing is; `agreement`: agrees, contradicts,
        undecided or empty; `method`. Descriptive: not adjusted.
    """
    import pandas as pd

    known = set(table.index.get_level_values("cell"))
    rows: list[dict[str, Any]] = []
    for family in families:
        for contrast in family.contrasts:
            if set(contrast.names) <= known:
                sides = table.loc[contrast.cell], table.loc[contrast.reference]
                rows += _measurements(family.name, contrast, sides, registries)
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
    """Skips around the code relieve it; otherwise what counts is how many parameters there are to fit with."""
    skips = {name: has(functions.get(name), "skips") for name in (old, new)}
    if skips[new] != skips[old]:
        return {"latent_use": LOWER if skips[new] else HIGHER}
    if parameters is None or parameters[0] == parameters[1]:
        return {}
    return {"fit": LOWER if parameters[1] > parameters[0] else HIGHER}


def _measurements(
    family: str,
    contrast: Contrast,
    sides: tuple[pd.DataFrame, pd.DataFrame],
    registries: Mapping[str, Mapping[str, Callable]],
) -> list[dict[str, Any]]:
    counts = [side["n_parameters"].astype(float).dropna() for side in sides]
    parameters = (counts[1].iloc[0], counts[0].iloc[0]) if all(map(len, counts)) else None
    expected = predictions(contrast, registries, parameters)
    seeds = sides[0].index.intersection(sides[1].index)
    pairs = [side.loc[seeds] for side in sides]
    if "dataset" in contrast.changed:  # if the images are what differs, PCA's error differs the same way
        effect = _moved(pairs, "test_fvu", Measurement("error", True))
        expected |= {"pca": effect["found"]} if effect and effect["found"] != UNDECIDED else {}
    same = {
        **{"family": family, "label": contrast.label, "cell": contrast.cell, "reference": contrast.reference},
        "dataset": contrast.levels["dataset"],
    }
    found = []
    for name, measurement in MEASUREMENTS.items():
        column = f"{name}_fvu" if name in ("fit", "gap") and not contrast.same_images else name
        row = _moved(pairs, column, measurement)
        if row and name in OF_CODES:
            row["images"] = min(side["images"].min() for side in pairs)
        if row:
            way = expected.get(name, "")
            found.append(
                {**same, "measurement": name, **row, "predicted": way, "agreement": _agreement(way, row["found"])}
            )
    return found


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
    return {
        **{"what": measurement.words, "scale": "ratio" if measurement.ratio else "difference", "n": found.n},
        **{"value": back(found.value), "low": back(found.low), "high": back(found.high)},
        **{"cell_value": usable[:, 0].mean(), "reference_value": usable[:, 1].mean()},
        "found": LOWER if found.high < 0 else HIGHER if found.low > 0 else UNDECIDED,
        "method": f"{found.method}{' of logarithms' if measurement.ratio else ''}, single, not adjusted",
    }


def _agreement(predicted: str, found: str) -> str:
    if not predicted:
        return ""
    return UNDECIDED if found == UNDECIDED else AGREES if found == predicted else CONTRADICTS
