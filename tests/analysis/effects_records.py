"""Trials tables and learning curves with known effects, for the tests of `analysis.effects*`."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from study import datasets, files, manifest, records, space, space_checks

SPACE = """
BASELINE = dict(dataset="digits", architecture="keras_io", latent_dim=2, loss="bce", batch_size=32)
BLOCKS = {
    "architecture": dict(architecture=["cnn", "unet"]),
    "linear": dict(architecture=["linear"], loss=["mse"]),
    "latent": dict(latent_dim=[1, 8, 32]),
    "loss": dict(loss=["mse", "mae"]),
    "regularizer": dict(regularizer=["variational"]),
    "dataset": dict(dataset=["photo_patches"]),
}
TRAINING = dict(epochs=6, seeds=10)
FAMILIES = {
    "architecture": dict(
        metric="test_mse",
        contrasts=[
            (dict(architecture="cnn"), {}),
            (dict(architecture="unet"), {}),
            (dict(architecture="linear", loss="mse"), dict(loss="mse")),
        ],
    ),
    "latent": dict(metric="test_mse", contrasts=[(dict(latent_dim=k), {}) for k in (1, 8, 32)]),
    "loss": dict(metric="test_mse", contrasts=[(dict(loss=name), {}) for name in ("mse", "mae")]),
    "regularizer": dict(metric="test_mse", contrasts=[(dict(regularizer="variational"), {})]),
    "dataset": dict(metric="test_fvu", contrasts=[(dict(dataset="photo_patches"), {})]),
}
"""
ERROR = 0.04  # of the baseline; the mean image's is 0.08
RATIOS = {"architecture": {"cnn": 0.9, "unet": 0.2}, "latent_dim": {1: 1.5, 8: 0.5, 32: 0.5}, "loss": {"mse": 0.95}}
SIDES = {"digits": (8, 8, 1), "photo_patches": (32, 32, 3)}


def parsed(text: str = SPACE) -> space.Space:
    return space_checks.validate(space.parse("synthetic", text, "synthetic.py"))


def expected_ratio(cell: Mapping) -> float:
    """The true error of a cell ÷ the baseline's."""
    return float(np.prod([levels.get(cell[factor], 1.0) for factor, levels in RATIOS.items()]))


def table(of: space.Space, seeds: Sequence[int] = range(10), noise: float = 0.02, ratio=expected_ratio) -> pd.DataFrame:
    """A trial a cell and seed, with true ratios and independent noise of log error."""
    return pd.DataFrame([_trial(name, cell, seed, noise, ratio) for name, cell in of.cells().items() for seed in seeds])


def _trial(name: str, cell: Mapping, seed: int, noise: float, ratio) -> dict:
    rng = np.random.default_rng([seed, *name.encode()])
    test = ERROR * ratio(cell) * np.exp(noise * rng.normal())
    row = dict.fromkeys(records.COLUMNS) | dict(cell)
    for split, times in (("train", 0.9), ("val", 1.0), ("heldout", 1.0), ("test", 1.0)):
        mse = times * test
        values = {"mse": mse, "mae": mse**0.5 / 2, "excess_bce": 2 * mse, "bce": 2 * mse + 0.1, "fvu": mse / 0.08}
        values |= {"psnr": -10 * np.log10(mse), "ssim": 1 - 5 * mse}
        row |= {f"{split}_{metric}": value for metric, value in values.items()}
    return row | {
        **{"trial": f"{name}-s{seed:02d}", "seed": seed, "status": "completed", "environment": "one"},
        **{"n_parameters": 1000 * cell["latent_dim"], "narrowest_width": 16.0, "epochs": 6, "best_epoch": 6},
        **{"active_units": min(cell["latent_dim"], 16), "collapsed": row["val_fvu"] >= 1, "test_mse_image_sd": 0.01},
    }


def curves(trials: pd.DataFrame, epochs: int = 6) -> pd.DataFrame:
    """Learning curves that fall by half each epoch towards each trial's final val_mse, ten times it at the start."""
    rows = []
    for row in trials.to_dict("records"):
        if row["status"] != "completed":
            continue
        for epoch in range(1, epochs + 1):
            mse = row["val_mse"] * (1 + 9 * 0.5 ** (epoch - 1) - 9 * 0.5 ** (epochs - 1))
            rows.append(
                {
                    **{"trial": row["trial"], "epoch": epoch, "loss": 3 * mse, "val_loss": 3 * mse, "val_mse": mse},
                    **{"val_bce": 2 * mse, "gradient_scale": 1e-3 / epoch, "seconds": 1.0},
                }
            )
    return pd.DataFrame(rows, columns=list(records.HISTORY_COLUMNS))


def fail(trials: pd.DataFrame, cell: str, seeds: Sequence[int]) -> pd.DataFrame:
    """The same with some trials of a cell diverged: no metrics."""
    hit = trials["trial"].isin([f"{cell}-s{seed:02d}" for seed in seeds])
    metrics = [c for c in trials if c.split("_")[0] in ("train", "val", "heldout", "test")]
    gone = {name: trials[name].mask(hit) for name in [*metrics, "active_units", "best_epoch"]}
    return trials.assign(status=trials["status"].mask(hit, "diverged"), **gone)


def write_study(
    artifacts: Path, of: space.Space, trials: pd.DataFrame, history: pd.DataFrame, name="synthetic"
) -> Path:
    """The folder of a study with these trials, as a search would have left it, without models."""
    loaded = {dataset: datasets.load(dataset) for dataset in {cell["dataset"] for cell in of.cells().values()}}
    data = {n: {"shape": list(d.shape), "source": d.source, "hashes": d.hashes()} for n, d in loaded.items()}
    folder = artifacts / name
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_bytes(files.to_json(manifest.describe(of, name, data)))
    hashes = records.expected_hashes(of, data, of.training["seeds"])
    cells = of.cells()
    for row in json.loads(trials.to_json(orient="records")):
        trial, seed = row["trial"], row["seed"]
        cell = cells[trial.rsplit("-s", 1)[0]]
        known = [*cell, "trial", "seed", "status", "environment", "error"]
        epochs = history[history["trial"] == trial].drop(columns="trial")
        content = {
            **{"trial": trial, "hash": hashes[trial], "cell": cell, "seed": seed, "status": row["status"], "error": ""},
            "values": {key: value for key, value in row.items() if key not in known},
            **{"history": json.loads(epochs.to_json(orient="records")), "environment": {"record_version": 1}},
        }
        files.write_record(folder, content, _examples(cell, seed, loaded[cell["dataset"]]), None)
    return folder


def _examples(cell: Mapping, seed: int, data: datasets.Dataset) -> dict[str, np.ndarray]:
    """Codes of as many directions as there are units, up to 16."""
    codes = np.random.default_rng(seed).normal(size=(32, cell["latent_dim"]))
    codes[:, 16:] = 0
    index = np.arange(32)
    return {"index": index, "codes": codes, "reconstructions": np.zeros((32, *data.shape), np.uint8)}
