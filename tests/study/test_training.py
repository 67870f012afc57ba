"""Training against what is known: the linear autoencoder reaches PCA, and `train` is pure."""

import os

import numpy as np
import pytest

from study import datasets, records, training
from study.space import DEFAULTS


def cell(**levels):
    return {**DEFAULTS, "dataset": "digits", "architecture": "linear", "latent_dim": 8, "loss": "mse", **levels}


def errors_of_linear_and_pca(data, levels, epochs):
    """Training MSE, unclipped, of the linear autoencoder and of PCA fitted on the same images."""
    record = training.train(cell(**levels), 0, {"epochs": epochs}, data)
    images = datasets.to_unit(datasets.split(data, 0, levels.get("train_size")).train, data.value_range)
    flat = images.reshape(len(images), -1).astype(np.float64)
    reconstructions = record.model.predict(images, batch_size=500, verbose=0).reshape(flat.shape)
    centred = flat - flat.mean(axis=0)
    values = np.linalg.eigvalsh(centred.T @ centred / len(flat))[::-1]
    pca = values[record.examples["codes"].shape[1] :].sum() / flat.shape[1]
    return np.mean((flat - reconstructions) ** 2), pca


@pytest.mark.parametrize("k", [1, 8])
def test_linear_reaches_pca_on_digits_and_never_beats_it(k):
    levels = dict(latent_dim=k, learning_rate=1e-2, batch_size=959)  # the whole training set a step: it converges
    linear, pca = errors_of_linear_and_pca(datasets.load("digits"), levels, 1500)
    assert pca - 1e-6 <= linear <= 1.005 * pca


@pytest.mark.slow
@pytest.mark.skipif("STUDY_DATA_DIR" not in os.environ, reason="STUDY_DATA_DIR names no folder with mnist.npz")
@pytest.mark.parametrize("k", [2, 8, 32])
def test_linear_reaches_pca_on_mnist(k):
    levels = dict(dataset="mnist", latent_dim=k, learning_rate=1e-3, batch_size=128)
    linear, pca = errors_of_linear_and_pca(datasets.load("mnist"), levels, 20)
    assert pca - 1e-6 <= linear <= 1.01 * pca


def test_train_is_pure_but_for_times():
    data, levels = datasets.load("digits"), cell(architecture="keras_io", loss="bce", train_size=150)
    one = training.train(levels, 3, {"epochs": 2}, data)
    weights = one.model.get_weights()
    training.train(levels, 4, {"epochs": 1}, data)
    two = training.train(levels, 3, {"epochs": 2}, data)
    assert all(np.array_equal(a, b) for a, b in zip(weights, two.model.get_weights(), strict=True))
    assert {k: v for k, v in one.values.items() if k not in records.TIMES} == {
        k: v for k, v in two.values.items() if k not in records.TIMES
    }
    assert all(np.array_equal(one.examples[name], two.examples[name]) for name in one.examples)


def test_the_graph_s_epoch_is_the_epoch_of_fit():
    """Two implementations, one result: TensorFlow's fast path against `keras.Model.fit`."""
    from study import autoencoders, steps_keras, steps_tensorflow
    from study.architectures import ARCHITECTURES
    from study.losses import LOSSES
    from study.regularizers import REGULARIZERS

    data, levels = datasets.load("digits"), cell(architecture="cnn", loss="bce")
    order = datasets.rng(0, "batch order", 1).permutation(300)
    found = []
    for steps in (steps_tensorflow.Steps, steps_keras.Steps):
        model = autoencoders.build(levels, data.shape, 1, ARCHITECTURES)
        one = steps(model, LOSSES["bce"], REGULARIZERS["none"], 1e-3, 128, data.value_range)
        one.start(model.get_weights(), 0)
        losses = [one.epoch(one.resident(data.x_train[:300]), order) for _ in range(3)]
        found.append((losses, one.predict(data.x_test[:50])[1], one.gradient_scale()))
    assert np.allclose(found[0][0], found[1][0], rtol=1e-5)
    assert np.allclose(found[0][1], found[1][1], atol=1e-5)
    assert found[0][2] == pytest.approx(found[1][2], rel=1e-4)
