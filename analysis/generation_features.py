"""What images are compared by: the features of a small classifier of the same data, or principal components.

The classifier is trained once a study and data set on labelled images of the training pool and kept in the study's
folder, so that every model is measured by one yardstick. Its test accuracy and a hash of its weights go with every
number. Where there are no labels, or where a preprocessing changes the pixels, principal components of the training
images stand in its place.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from analysis import linear
from analysis.generation_distances import LEAST_A_FEATURE
from analysis.statistics import Estimate, clopper_pearson
from study import datasets, files, quiet

if TYPE_CHECKING:
    from analysis.draws import Draw
    from study.datasets import Dataset

Floats = NDArray[np.float64]
MOST, LEAST = 32, 4  # features
IMAGES, BATCH, STEPS = 20_000, 64, 1_800  # that the classifier is trained on, at most; its batches, at least
VERSION = 1  # raised when the same data would give another classifier


@dataclass(frozen=True)
class Features:
    """A function from images to features, and what it is.

    Attributes:
        kind: "classifier" or "PCA".
        size: How many.
        apply: (n, H, W, C) float32 in [0, 1] → (n, size), each of mean 0 and variance 1 over training images.
        accuracy: Of the classifier on the test images; n = 0 where there is none.
        digest: Of its weights, 16 hexadecimal digits; "" where there is none.
    """

    kind: str
    size: int
    apply: Callable[[np.ndarray], Floats]
    accuracy: Estimate
    digest: str


def of_draw(draw: Draw, folder: Path) -> Features:
    """The features that a draw's images are compared by; the classifier is kept in a folder of `folder`."""
    if draw.raw.y_train is None or draw.raw.y_test is None or draw.cell["preprocessing"] != "unit":
        return components(draw.train, size_for(draw.raw))
    return classifier(draw.raw, folder / f"classifier-{draw.raw.name}")


def size_for(data: Dataset) -> int:
    """How many features: as many as the test part has images for, `LEAST_A_FEATURE` a feature, from 4 to 32."""
    return int(np.clip(len(data.x_test) // LEAST_A_FEATURE, LEAST, MOST))


def components(train: np.ndarray, size: int) -> Features:
    """The leading principal components of training images, each divided by its deviation; one without any gives 0."""
    basis = linear.fit(train, size)
    deviations = np.sqrt(basis.variances)
    scale = np.where(deviations > 1e-6 * deviations[0], deviations, np.inf)
    nothing = clopper_pearson(0, 0)
    return Features("PCA", len(scale), lambda images: basis.codes(images) / scale, nothing, "")


def classifier(data: Dataset, folder: Path) -> Features:
    """The features of the data set's classifier: trained, or taken from the folder where it is whole."""
    hashes = data.hashes()
    model, noted = _stored(folder, hashes) or _train(data, hashes, folder)
    network = _up_to_features(model)
    mean, scale = (np.asarray(noted[name]) for name in ("mean", "deviation"))

    def apply(images: np.ndarray) -> Floats:
        return (np.asarray(network(np.asarray(images, np.float32)), np.float64) - mean) / scale

    accuracy = clopper_pearson(noted["right"], noted["n_test"])
    return Features("classifier", len(mean), _in_blocks(apply), accuracy, noted["weights"])


def _in_blocks(apply: Callable[[np.ndarray], Floats], block: int = 500) -> Callable[[np.ndarray], Floats]:
    return lambda images: np.concatenate([apply(images[i : i + block]) for i in range(0, len(images), block)])


def _stored(folder: Path, hashes: dict[str, str]) -> tuple[Any, dict[str, Any]] | None:
    """The classifier that was kept, unless it is damaged, of another version, or of other data."""
    keras = quiet.keras()
    try:
        noted = json.loads((folder / "classifier.json").read_text(encoding="utf-8"))
        model = keras.models.load_model(folder / "model.keras", compile=False, safe_mode=True)
    except Exception:  # gone or damaged in any way: it is trained anew, to the same weights
        return None
    same = noted.get("version") == VERSION and noted.get("data") == hashes and noted.get("weights") == _digest(model)
    return (model, noted) if same else None


def _train(data: Dataset, hashes: dict[str, str], folder: Path) -> tuple[Any, dict[str, Any]]:
    """Trains and keeps it, the note last: once that is there, all is."""
    classes, labels = np.unique(np.asarray(data.y_train), return_inverse=True)
    chosen = datasets.rng(0, "classifier").permutation(len(data.x_train))[:IMAGES]
    images = datasets.to_unit(data.x_train[chosen], data.value_range)
    model = _build(data.shape, len(classes), size_for(data))
    epochs = -(-STEPS * BATCH // len(images))
    model.fit(images, labels[chosen], batch_size=BATCH, epochs=epochs, verbose=0)
    features = np.asarray(_up_to_features(model).predict(images[:5000], batch_size=500, verbose=0), np.float64)
    deviation = features.std(axis=0)
    test = datasets.to_unit(data.x_test, data.value_range)
    right = classes[model.predict(test, batch_size=500, verbose=0).argmax(axis=1)] == data.y_test
    noted = {
        **{"version": VERSION, "data": hashes, "weights": _digest(model)},
        **{"right": int(right.sum()), "n_test": len(right), "trained_on": len(chosen), "epochs": epochs},
        **{"mean": features.mean(axis=0).tolist(), "deviation": np.where(deviation > 0, deviation, 1).tolist()},
    }
    folder.mkdir(parents=True, exist_ok=True)
    files.write_model(folder, model)
    files.write_atomically(folder / "classifier.json", files.to_json(noted))
    return model, noted


def _build(shape: tuple[int, int, int], classes: int, size: int) -> Any:
    """Two strided convolutions, a linear layer of features, and the classes; its weights follow from the shapes."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input(shape),
            layers.Conv2D(16, 3, strides=2, padding="same", activation="relu"),
            layers.Conv2D(32, 3, strides=2, padding="same", activation="relu"),
            layers.Flatten(),
            layers.Dense(size, name="features"),
            layers.Activation("relu"),
            layers.Dense(classes, activation="softmax"),
        ]
    )
    model.compile(optimizer=keras.optimizers.Adam(2e-3), loss="sparse_categorical_crossentropy")
    return model


def _up_to_features(model: Any) -> Any:
    import keras

    return keras.Model(model.inputs[0], model.get_layer("features").output)


def _digest(model: Any) -> str:
    digest = hashlib.sha256()
    for weights in model.get_weights():
        digest.update(np.ascontiguousarray(weights).tobytes())
    return digest.hexdigest()[:16]
