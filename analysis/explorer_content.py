"""What the explorer's page is filled with: plain data, and pictures packed small enough to travel with it.

Pictures are packed without loss: each byte less the byte `lag` places before it, modulo 256, then zlib, then base64.
The lag is whichever packs best: a channel, a row, a picture (neighbours on a grid hardly differ), or 0, nothing.
"""

from __future__ import annotations

import base64
import math
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from analysis.statistics import t_interval
from study import files, records
from study.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from analysis.explorer_models import Plane, View

MAIN = ("dataset", "architecture", "latent_dim", "loss", "regularizer")  # chosen one by one; the others together


def packed(pictures: NDArray[np.uint8]) -> dict[str, Any]:
    """Pictures (..., H, W, C) as {"lag", "data"}."""
    height, width, channels = pictures.shape[-3:]
    flat = np.ascontiguousarray(pictures).reshape(-1)
    lags = sorted({0, channels, width * channels, height * width * channels})
    found = {lag: zlib.compress(_less(flat, lag).tobytes(), 9) for lag in lags}
    best = min(found, key=lambda lag: len(found[lag]))
    return {"lag": best, "data": base64.b64encode(found[best]).decode("ascii")}


def unpacked(content: Mapping[str, Any], shape: Sequence[int]) -> NDArray[np.uint8]:
    """The pictures again; what the page does, in Python."""
    flat = np.frombuffer(zlib.decompress(base64.b64decode(content["data"])), np.uint8)
    if lag := content["lag"]:
        padded = np.pad(flat, (0, -len(flat) % lag)).reshape(-1, lag)
        flat = np.cumsum(padded, axis=0, dtype=np.uint8).reshape(-1)[: len(flat)]
    return flat.reshape(shape)


def of_images(pictures: NDArray[np.uint8], index: NDArray, labels: NDArray | None, ends: NDArray) -> dict[str, Any]:
    """The test images that models of one data set and seed share.

    Args:
        pictures: (n, H, W, C), as the networks see them.
        index: (n,) their numbers in the test part.
        labels: (n,) or None.
        ends: Positions of those that walks join.
    """
    return {
        "shape": list(pictures.shape[1:]),
        "index": [int(i) for i in index],
        "labels": None if labels is None else [str(label) for label in labels],
        "ends": [int(i) for i in ends],
        "pixels": packed(pictures),
    }


def of_model(row: pd.Series, shown: View, images: str, variant: str, error: Mapping[str, Any]) -> dict[str, Any]:
    """One model.

    Args:
        row: Its row of the trials table.
        shown: What was computed of it.
        images: The key of its test images.
        variant: Its levels of the factors outside `MAIN`, in words.
        error: The cell's test error over seeds, as `over_seeds` gives it.
    """
    return {
        "trial": row["trial"],
        "levels": {**{factor: _word(row[factor]) for factor in MAIN}, "variant": variant},
        "images": images,
        "seed": int(row["seed"]),
        "parameters": int(row["n_parameters"]),
        "best_epoch": int(row["best_epoch"]),
        "epochs": int(row["epochs"]),
        "test_mse": _short(row["test_mse"]),
        "over_seeds": {key: _short(value) for key, value in error.items()},
        "plane": _of_plane(shown.plane),
        "places": [[_short(x) for x in place] for place in shown.places],
        "scores": {name: [_short(score) for score in values] for name, values in shown.scores.items()},
        "off_grid": [_short(difference) for difference in shown.off_grid],
        "skips": shown.skips,
        **{name: packed(getattr(shown, name)) for name in ("nodes", "reconstructions", "ends", "walks")},
    }


def over_seeds(trials: pd.DataFrame, row: pd.Series) -> dict[str, Any]:
    """The test MSE of a trial's cell over its completed seeds: geometric mean and t interval, on the log scale."""
    cell = row["trial"].rpartition("-s")[0]
    names = trials["trial"].str.rpartition("-s")[0]
    errors = trials.loc[(names == cell) & (trials["status"] == "completed"), "test_mse"]
    found = t_interval(np.log(errors.astype(float)))
    ends = {name: float(np.exp(getattr(found, name))) for name in ("value", "low", "high")}
    return {**ends, "n": found.n, "method": f"geometric {found.method} of the log"}


def variant_of(row: pd.Series, baseline: Mapping[str, Any]) -> str:
    """A trial's levels of the factors outside `MAIN` where they are not the baseline's: "depth 4, train_size 300"."""
    others = [factor for factor in records.FACTORS if factor not in MAIN]
    words = {factor: _word(row[factor]) for factor in others}
    return ", ".join(f"{f} {word}" for f, word in words.items() if word != _word(baseline[f])) or "as the baseline"


def curves(folder: Path, models: pd.DataFrame) -> list[dict[str, Any]]:
    """The curves of `analysis.latent_elbow` with the sizes chosen on them; none where it was not run.

    Args:
        folder: Where that analysis wrote `curve.csv` and `elbow.csv`.
        models: The trials on the page, in its order.
    """
    import pandas as pd

    paths = [folder / name for name in ("curve.csv", "elbow.csv")]
    if not set(paths) <= set(files.tables(folder)):
        return []
    try:
        with files.open_table(paths[0]) as first, files.open_table(paths[1]) as second:
            curve, elbow = pd.read_csv(first), pd.read_csv(second)
    except (OSError, ValueError) as error:
        raise InputError(f"{folder}: a curve cannot be read ({error}). Run the analysis again.") from error
    curve, elbow = curve[curve["split"] == "val"], elbow[~elbow["shortened"].astype(bool)]
    at = {_key(row): str(row["trial"]) for _, row in models.iterrows()}
    rules = {name: rows for name, rows in elbow.groupby("curve", sort=False)}
    return [_curve(rows, rules[name], at) for name, rows in curve.groupby("curve", sort=False) if name in rules]


def _curve(rows: pd.DataFrame, rules: pd.DataFrame, at: Mapping[tuple[str, ...], str]) -> dict[str, Any]:
    numbers = ("relative", "low", "high", "pca_relative")
    points = [
        {
            **{name: _short(row[name]) for name in numbers},
            **{"k": int(row["latent_dim"]), "n": int(row["n"]), "excluded": bool(row["excluded"])},
            "trial": at.get(_key(row)),
        }
        for _, row in rows.iterrows()
    ]
    chosen = [
        {
            **{name: _short(row[name]) for name in ("value", "low", "high", "threshold")},
            **{name: _word(row[name]) for name in ("rule", "choice", "method", "n")},
        }
        for _, row in rules.iterrows()
    ]
    return {"name": str(rows["curve"].iloc[0]), "metric": rows["metric"].iloc[0], "points": points, "rules": chosen}


def _key(row: pd.Series) -> tuple[str, ...]:
    """A cell by its levels, as words: a file and a table agree in these."""
    return tuple(_word(row[factor]) for factor in records.FACTORS)


def _of_plane(plane: Plane) -> dict[str, Any]:
    return {
        "counts": list(plane.counts),
        "low": [_short(x) for x in plane.low],
        "high": [_short(x) for x in plane.high],
        "share": [_short(x) for x in plane.share],
        "dimensions": len(plane.centre),
    }


def _less(flat: NDArray[np.uint8], lag: int) -> NDArray[np.uint8]:
    if not lag:
        return flat
    out = flat.copy()
    out[lag:] -= flat[:-lag]
    return out


def _word(level: Any) -> str:
    """A level in words: "none" where there is none, "4" for pandas' 4.0."""
    if level is None or level != level:
        return "none"
    return f"{level:g}" if isinstance(level, (float, np.floating)) else str(level)


def _short(value: Any) -> Any:
    """A number to 5 significant digits; None where it is not finite, since JSON has no NaN; else as it is."""
    if isinstance(value, (str, bool, int)):
        return value
    number = float(value) if value is not None else math.nan
    return float(f"{number:.5g}") if math.isfinite(number) else None
