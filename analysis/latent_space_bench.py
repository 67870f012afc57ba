"""Codes of test images: the task that applies each network's encoder, and PCA of the same size beside it."""

from __future__ import annotations

from typing import Any

import numpy as np

from analysis import linear
from analysis.applications import Bench, Found, Task
from analysis.draws import Draw
from analysis.latent_space_measures import (
    Labels,
    nearest_class,
    segments,
    threshold_error,
    trustworthiness,
)
from analysis.statistics import Floats
from study import autoencoders, metrics

FITTED = 2_000  # training codes that a class rule has
BATCH = 500
PCA, PIXELS, MAJORITY = "PCA", "nearest images", "most frequent class"
MEASURES = {
    "class_error": ("share of images put into another class by the 10 nearest training codes", "lower is better"),
    "threshold_error": ("error of the best threshold, mean over pairs of classes", "lower is better"),
    "segments": ("pieces into which the line falls by class", "as many as classes: one piece each"),
    "trustworthiness": ("trustworthiness of neighbourhoods", "higher is better"),
    "continuity": ("continuity of neighbourhoods", "higher is better"),
    "variance_kept": ("share of the variance of the images that is reconstructed", "higher is better"),
}


def open_bench(draw: Draw) -> Bench:
    """Fits the references of one draw."""
    return Bench(lambda: _baselines(draw), lambda model, row: _model(draw, model, int(row.latent_dim)))


TASK = Task("latent_space", version=1, images=2_000, open=open_bench, per_image=True)


def _model(draw: Draw, model: Any, size: int) -> Found:
    codes, reconstructions = _through(model, draw.images, size)
    fitted, _ = _through(model, draw.train[:FITTED], size)
    row = {**_measures(draw, fitted, codes), "variance_kept": _kept(draw, reconstructions)}
    return Found([row], {}, _cache(draw, codes))


def _through(model: Any, images: np.ndarray, size: int) -> tuple[Floats, np.ndarray]:
    """Codes and reconstructions, a batch at a time: to trace a prediction step would take longer than it saves."""
    encoder, decoder = model.get_layer("encoder"), model.get_layer("decoder")
    codes, made = [], []
    for start in range(0, len(images), BATCH):
        outputs = encoder(images[start : start + BATCH])
        codes.append(np.asarray(autoencoders.code_of(outputs), np.float64).reshape(-1, size))
        made.append(np.asarray(decoder(outputs)))
    return np.concatenate(codes), np.concatenate(made)


def _baselines(draw: Draw) -> Found:
    """PCA at each size, and two rules that need no codes."""
    train, flat = draw.train, draw.images.reshape(len(draw.images), -1)
    basis = linear.fit(train, min(max(draw.sizes), len(train) - 1, flat.shape[1]))
    fitted, scores = basis.codes(train[:FITTED]), basis.codes(draw.images)
    rows = []
    for size in (size for size in draw.sizes if size <= len(basis.components)):
        kept = _kept(draw, basis.reconstruct(draw.images, size))
        measured = _measures(draw, fitted[:, :size], scores[:, :size])
        rows.append({"method": PCA, "size": size, **measured, "variance_kept": kept})
    for method, guess in _rules(draw, flat).items():
        rows.append({"method": method, "size": 0, "class_error": float(np.mean(guess != draw.labels))})
    return Found(rows, {}, _cache(draw, scores[:, :2]))


def _rules(draw: Draw, flat: np.ndarray) -> dict[str, Labels]:
    """Classes from the pixels themselves, and the most frequent one for every image."""
    labels = _train_labels(draw)
    if labels is None:
        return {}
    classes, counts = np.unique(labels, return_counts=True)
    nearest = nearest_class(draw.train[:FITTED].reshape(len(labels), -1), labels, flat)
    return {PIXELS: nearest, MAJORITY: np.full(len(flat), classes[counts.argmax()])}


def _measures(draw: Draw, fitted: Floats, codes: Floats) -> dict[str, Any]:
    """What holds for any code; of classes only where the images have two or more."""
    trust, continuity = trustworthiness(draw.images, codes)
    found: dict[str, Any] = {"trustworthiness": trust, "continuity": continuity, "n_images": len(codes)}
    labels = _train_labels(draw)
    if labels is None:
        return found
    assert draw.labels is not None
    guessed = nearest_class(fitted, labels, codes)
    found |= {"class_error": float(np.mean(guessed != draw.labels)), "classes": len(np.unique(draw.labels))}
    if codes.shape[1] == 1:
        found["threshold_error"] = threshold_error(fitted[:, 0], labels, codes[:, 0], draw.labels)
        found["segments"] = segments(codes[:, 0], guessed)
    return found


def _train_labels(draw: Draw) -> Labels | None:
    """Of the fitted images; None without labels, or with one class alone."""
    labels = draw.splits.train_labels
    if labels is None or draw.labels is None or len(np.unique(draw.labels)) < 2:
        return None
    return labels[:FITTED]


def _kept(draw: Draw, reconstructions: np.ndarray) -> float:
    """1 - fvu on the evaluated images; below 0 where the training mean image is the better reconstruction."""
    mean = metrics.mean_image(draw.train)
    error, of_mean = (
        float(np.mean(metrics.squared_error(draw.images, made)))
        for made in (reconstructions, np.broadcast_to(mean, draw.images.shape))
    )
    return 1 - error / of_mean


def _cache(draw: Draw, codes: Floats) -> dict[str, np.ndarray]:
    labels = np.full(len(codes), -1) if draw.labels is None else draw.labels
    return {"codes": codes.astype(np.float32), "labels": labels.astype(np.int64)}
