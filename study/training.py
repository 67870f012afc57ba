"""Trains one autoencoder: one cell, one seed, one record.

`train` is pure: the same arguments give the same weights, history and metrics, to the bit on one CPU model; only the
times differ.
"""

import math
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from study import autoencoders, metrics, preprocessing
from study.architectures import ARCHITECTURES
from study.datasets import Dataset, Splits, example_indices, rng, to_unit
from study.losses import LOSSES
from study.randomness import BATCH_ORDER, SPLITS, WEIGHTS, seed_of
from study.regularizers import REGULARIZERS
from study.space import Cell

_compiled: dict[tuple, Any] = {}


@dataclass
class Record:
    """What one trial leaves behind.

    Attributes:
        status: "completed", or "diverged" where the loss or the validation error was no longer finite.
        values: The columns of the trials table that training decides, metrics among them.
        history: One dict an epoch.
        examples: `index` (32,), `codes` (32, k), `reconstructions` (32, H, W, C) as uint8; empty unless completed.
        model: The trained `keras.Model`, or None unless completed. It is overwritten by the next `train` of its cell.
        error: The traceback of a trial that failed.
    """

    status: str
    values: dict[str, Any] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)
    examples: dict[str, np.ndarray] = field(default_factory=dict)
    model: Any = None
    error: str = ""


def train(
    cell: Cell,
    seed: int,
    training: Mapping[str, Any],
    data: Dataset,
    architectures: Mapping[str, Callable] = ARCHITECTURES,
    on_epoch: Callable[[int, dict], None] = lambda epoch, row: None,
) -> Record:
    """Trains a cell with a seed for a fixed number of epochs; the epoch with the best `val_mse` is the model.

    Args:
        cell: The level of every factor.
        seed: Decides initial weights, batch order, and the draw of the splits, or the one of them that the cell names.
        training: `epochs`.
        data: The data set of the cell.
        architectures: Name → build function.
        on_epoch: Called after each epoch with its number (from 1) and its row of the history.

    Returns:
        The record; `values` has the metrics of every split for the best epoch.
    """
    started = time.perf_counter()
    seeds = {source: seed_of(source, cell, seed) for source in (WEIGHTS, BATCH_ORDER, SPLITS)}
    prepared, splits = preprocessing.prepare(cell, seeds[SPLITS], data)
    traced, steps = compiled_steps(cell, prepared, architectures)
    model = autoencoders.build(cell, data.shape, seeds[WEIGHTS], architectures)
    steps.start(model.get_weights(), int(rng(seeds[BATCH_ORDER], "regularizer").integers(2**31)))
    history, best = _epochs(steps, splits, prepared, seeds[BATCH_ORDER], training["epochs"], on_epoch)
    values: dict[str, Any] = {
        "n_parameters": int(model.count_params()),
        "narrowest_width": autoencoders.narrowest_width(model),
        "epochs": len(history),
        **_times(history, traced),
    }
    if best is None or not _finite(history[-1]):
        return Record("diverged", values, history)
    trained = time.perf_counter()
    steps.model.set_weights(best.weights)
    values |= {"best_epoch": best.epoch, **_evaluate(steps, splits, prepared)}
    examples = _examples(steps, prepared, example_indices(data, normal_class=cell["normal_class"]))
    ended = time.perf_counter()
    values |= {"trial_seconds": ended - started, "evaluation_seconds": ended - trained}
    return Record("completed", values, history, examples, steps.model)


def failure(error: BaseException) -> Record:
    """The record of a trial that could not be trained."""
    return Record("error", error="".join(traceback.format_exception(error)))


@dataclass
class _Best:
    epoch: int
    val_mse: float
    weights: list[np.ndarray]


def compiled_steps(cell: Cell, data: Dataset, architectures: Mapping[str, Callable]) -> tuple[bool, Any]:
    """Whether a new one had to be traced, and the compiled steps that serve every seed of the cell."""
    import keras

    backend: Any
    if keras.backend.backend() == "tensorflow":
        from study import steps_tensorflow as backend
    else:
        from study import steps_keras as backend
    backend.one_thread()
    factors = ("architecture", "latent_dim", "depth", "loss", "regularizer", "learning_rate", "batch_size")
    build = architectures[cell["architecture"]]
    key = (build, *(cell[f] for f in factors), data.shape, data.x_train.dtype.str, data.value_range)
    if traced := key not in _compiled:
        model = autoencoders.build(cell, data.shape, 0, architectures)
        loss, regularizer = LOSSES[cell["loss"]], REGULARIZERS[cell["regularizer"]]
        _compiled[key] = backend.Steps(
            model, loss, regularizer, cell["learning_rate"], cell["batch_size"], data.value_range
        )
    return traced, _compiled[key]


def n_compiled() -> int:
    """How many cells this process has traced: each costs memory that only the end of the process gives back."""
    return len(_compiled)


def _epochs(
    steps: Any, splits: Splits, data: Dataset, seed: int, epochs: int, on_epoch: Callable[[int, dict], None]
) -> tuple[list[dict], _Best | None]:
    """Trains until the last epoch, or until a number is no longer finite."""
    images, val = steps.resident(splits.train), to_unit(splits.val, data.value_range)
    history: list[dict] = []
    best = None
    for epoch in range(1, epochs + 1):
        started = time.perf_counter()
        loss = steps.epoch(images, rng(seed, "batch order", epoch).permutation(len(splits.train)))
        seconds = time.perf_counter() - started
        row = {"epoch": epoch, "loss": loss, **_validate(steps, splits.val, val)}
        history.append({**row, "gradient_scale": steps.gradient_scale(), "seconds": seconds})
        on_epoch(epoch, history[-1])
        if not _finite(row):
            break
        if best is None or row["val_mse"] < best.val_mse:
            best = _Best(epoch, row["val_mse"], steps.model.get_weights())
    return history, best


def _finite(row: Mapping[str, Any]) -> bool:
    return math.isfinite(row["loss"]) and math.isfinite(row["val_mse"])


def _validate(steps: Any, stored: np.ndarray, images: np.ndarray) -> dict[str, float]:
    _, reconstructions, losses = steps.predict(stored)
    return {
        "val_loss": float(np.mean(losses, dtype=np.float64)),
        "val_mse": float(np.mean(metrics.squared_error(images, reconstructions))),
        "val_bce": float(np.mean(metrics.binary_cross_entropy(images, reconstructions))),
    }


def _evaluate(steps: Any, splits: Splits, data: Dataset) -> dict[str, Any]:
    """Every common metric on every split, whatever the loss."""
    mean_image = metrics.mean_image(to_unit(splits.train, data.value_range))
    values: dict[str, Any] = {}
    for name in ("train", "val", "heldout", "test"):
        stored = getattr(splits, name)
        codes, reconstructions, _ = steps.predict(stored)
        images = to_unit(stored, data.value_range)
        found = metrics.evaluate(images, reconstructions, mean_image)
        values |= {f"{name}_{metric}": value for metric, value in found.items()}
        if name == "test":
            values["test_mse_image_sd"] = float(np.std(metrics.squared_error(images, reconstructions), ddof=1))
        if name == "val":
            values["active_units"] = int(metrics.active_units(codes))
    values["collapsed"] = values["val_fvu"] >= 1
    return values


def _examples(steps: Any, data: Dataset, index: np.ndarray) -> dict[str, np.ndarray]:
    codes, reconstructions, _ = steps.predict(data.x_test[index])
    pictures = np.round(255 * np.clip(reconstructions, 0, 1)).astype(np.uint8)
    return {"index": index, "codes": codes, "reconstructions": pictures}


def _times(history: list[dict], traced: bool) -> dict[str, Any]:
    """The first epoch apart, since it pays for tracing; then the median of the others."""
    seconds = [row["seconds"] for row in history]
    later = float(np.median(seconds[1:])) if len(seconds) > 1 else None
    return {"first_epoch_seconds": seconds[0], "epoch_seconds": later, "traced": traced}
