"""Does the code matter? How much an output changes when its code is replaced by another image's.

A decoder that is given nothing but the code turns another code into another image: the change is all that there is
between the two outputs, and the latent use is 1. Skips past the code, as a U-Net has them, carry the image by
themselves: the output stays as it was, and the latent use falls towards 0. What that does to reconstruction, anomaly
detection and generation is measured beside it, against the same network without skips.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis import applications
from analysis.applications import Bench, Found, Results
from analysis.draws import Draw
from analysis.statistics import Estimate, paired_t, t_interval
from analysis.task_files import read_table
from study import autoencoders, metrics, records

if TYPE_CHECKING:
    import pandas as pd

LEAKS = "unet"
REFERENCES = ("cnn", "keras_io")  # its twin without skips, or the baseline; the first that the study has
RECONSTRUCTION = "reconstruction"  # its errors stand in the records, without an analysis of its own
EVERYTHING = 0.99  # a latent use from which nothing is said to pass the code by


def open_bench(draw: Draw) -> Bench:
    """Outputs of a draw's images with their own codes and with others'."""
    return Bench(lambda: _images(draw), lambda model, _: _model(draw, model))


TASK = applications.Task("latent_use", version=1, images=500, open=open_bench)


def exchanged(count: int) -> np.ndarray:
    """Whose code each image is given: the next one's, of images in the order drawn."""
    return np.roll(np.arange(count), -1)


def _model(draw: Draw, model: Any) -> Found:
    other = exchanged(len(draw.images))
    # Called, not predict(): for so few images most of the time would go into tracing.
    encoded = model.get_layer("encoder")(draw.images, training=False)
    code = np.asarray(autoencoders.code_of(encoded))
    skips = [np.asarray(skip) for skip in encoded[1:]] if isinstance(encoded, (list, tuple)) else []
    own, swapped = (_decode(model, part, skips) for part in (code, code[other]))
    change, between = (float(metrics.squared_error(own, to).mean()) for to in (swapped, own[other]))
    use = change / between if between > 0 else float("nan")
    return Found([{"change": change, "between": between, "use": use, "n_images": len(own)}], {})


def _decode(model: Any, code: np.ndarray, skips: list[np.ndarray]) -> np.ndarray:
    images = model.get_layer("decoder")([code, *skips] if skips else code, training=False)
    return np.clip(np.asarray(images), 0, 1)


def _images(draw: Draw) -> Found:
    """What lies between the images themselves, for comparison."""
    between = float(metrics.squared_error(draw.images, draw.images[exchanged(len(draw.images))]).mean())
    return Found([{"method": "the images themselves", "between": between, "n_images": len(draw.images)}], {})


def over_seeds(results: Results) -> pd.DataFrame:
    """A row a cell: latent use, its mean over seeds with a t interval.

    Returns:
        `dataset`, `cell`, `architecture`, `use` with `low` and `high`, `n`, `n_images`, `method`; NaN where a network's
            outputs do not differ from image to image at all.
    """
    import pandas as pd

    models = results.models.assign(cell=results.models["trial"].str.replace(r"-s\d+$", "", regex=True))
    rows = []
    for (dataset, cell), part in models.groupby(["dataset", "cell"], sort=False):
        found = t_interval(part["use"].dropna())
        rows.append(
            {
                **{"dataset": dataset, "cell": cell, "architecture": part["architecture"].iloc[0]},
                **{"use": found.value, "low": found.low, "high": found.high, "n": found.n},
                **{"change": part["change"].mean(), "between": part["between"].mean()},
                **{"n_images": int(part["n_images"].min()), "method": f"{found.method} over seeds"},
            }
        )
    return pd.DataFrame(rows)


def cells(trials: pd.DataFrame) -> list[str]:
    """The cells whose latent use is measured: U-Nets, their references, residual networks and their twins."""
    from analysis.residual_twins import twins

    names = trials["trial"].str.replace(r"-s\d+$", "", regex=True)
    wanted = {name for pair in references(trials).items() for name in pair}
    return list(dict.fromkeys([*names[names.isin(wanted)], *names[trials["trial"].isin(twins(trials)["trial"])]]))


def references(trials: pd.DataFrame) -> dict[str, str]:
    """U-Net cell → the cell without skips that differs from it in nothing else."""
    named = trials.assign(cell=trials["trial"].str.replace(r"-s\d+$", "", regex=True))
    others = [factor for factor in records.FACTORS if factor not in ("architecture", "depth")]
    found = {}
    for _, part in named.groupby(others, dropna=False, sort=False):
        by = part.drop_duplicates("architecture").set_index("architecture")["cell"]
        reference = next((name for name in REFERENCES if name in by), None)
        if LEAKS in by and reference is not None:
            found[str(by[LEAKS])] = str(by[reference])
    return found


def leak(trials: pd.DataFrame, folder: Path) -> tuple[pd.DataFrame, list[str]]:
    """What skips past the code change: the U-Net against its reference, seed by seed.

    Args:
        trials: The trials table.
        folder: The study's, for what the tasks' own analyses left there.

    Returns:
        A row a U-Net cell and measure: `value` with its paired t interval (log ratio of reconstruction errors, else
            difference) and both means; and the names of the tasks without results for both.
    """
    import pandas as pd

    done = trials[(trials["status"] == "completed") & (trials["randomness"] == "all")]
    done = done.assign(cell=done["trial"].str.replace(r"-s\d+$", "", regex=True))
    rows, missing = [], []
    for cell, reference in references(done).items():
        pairs = [done[done["cell"] == name].set_index("seed")["trial"] for name in (cell, reference)]
        errors = done.set_index("trial")["test_mse"]
        measured = {RECONSTRUCTION: errors, **{task: _task(task, folder, pairs) for task in _READ}}
        same = {"dataset": done.loc[done["cell"] == cell, "dataset"].iloc[0], "cell": cell, "reference": reference}
        for what, values in measured.items():
            both = [names.map(values).dropna() for names in pairs]
            shared = both[0].index.intersection(both[1].index)
            if len(shared) == 0:
                missing.append(what)
                continue
            rows.append({**same, **_contrast(what, *(side[shared].to_numpy(np.float64) for side in both))})
    return pd.DataFrame(rows), list(dict.fromkeys(missing))


def _contrast(what: str, mine: np.ndarray, theirs: np.ndarray) -> dict[str, Any]:
    logs = what == RECONSTRUCTION
    found: Estimate = paired_t(np.log(mine / theirs) if logs else mine - theirs)
    shown = np.exp if logs else np.asarray
    return {
        **{"what": what, "measure": MEASURES[what], "unet": mine.mean(), "without": theirs.mean()},
        **{"value": float(shown(found.value)), "low": float(shown(found.low)), "high": float(shown(found.high))},
        **{"p": found.p, "n": found.n, "method": f"{'geometric ' if logs else ''}{found.method}"},
    }


def _anomaly(table: pd.DataFrame) -> float:
    """Mean AUC over the anomaly sets, by squared error."""
    return float(table.loc[table["score"] == "squared error", "auc"].mean())


def _generation(table: pd.DataFrame) -> float:
    """Kernel distance by the sampler that ordinary autoencoders are judged by."""
    from analysis.generation_bench import PRIMARY
    from analysis.generation_samplers import MIXTURE

    return float(table.loc[table["sampler"] == MIXTURE, PRIMARY].mean())


_READ = {"anomaly": _anomaly, "generation": _generation}
MEASURES = {
    RECONSTRUCTION: "test MSE, ratio (below 1: the U-Net has less error)",
    "anomaly": "mean AUC of the squared error, difference (above 0: the U-Net tells more apart)",
    "generation": "kernel distance of images from the Gaussian mixture's codes, difference (below 0: nearer to real)",
}


def _task(task: str, folder: Path, pairs: list[pd.Series]) -> Mapping[str, float]:
    return dict(_results(task, folder / "tasks" / task / "test", [name for names in pairs for name in names]))


def _results(task: str, folder: Path, trials: list[str]) -> Iterator[tuple[str, float]]:
    for trial in trials:
        with contextlib.suppress(FileNotFoundError):
            yield trial, _READ[task](read_table(folder / f"{trial}.csv"))
