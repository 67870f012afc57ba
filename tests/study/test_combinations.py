"""Every architecture × loss × regularizer × image shape: trained for a few steps, saved, loaded, the same bits."""

import itertools

import numpy as np
import pytest

from study.architectures import ARCHITECTURES
from study.datasets import Dataset
from study.errors import InputError
from study.levels import has
from study.losses import LOSSES
from study.regularizers import REGULARIZERS
from study.space import parse
from study.space_checks import validate
from study.training import compiled_steps

SHAPES = ((8, 8, 1), (28, 28, 1), (32, 32, 3))
IMAGES, BATCH = 6, 4  # two steps an epoch, the second one smaller
TRIPLES = list(itertools.product(ARCHITECTURES, LOSSES, REGULARIZERS))


def _space(architecture, loss, regularizer):
    baseline = dict(dataset="digits", architecture=architecture, latent_dim=3, loss=loss, regularizer=regularizer)
    return parse(
        "one",
        f"BASELINE = {baseline}\nBLOCKS = {{'latent': dict(latent_dim=[4])}}\nTRAINING = dict(epochs=1, seeds=1)",
        "one.py",
    )


def _is_allowed(architecture, loss, regularizer):
    network = ARCHITECTURES[architecture]
    meaningless = has(network, "unbounded") and has(LOSSES[loss], "needs_unit_interval")
    return not meaningless and not (has(network, "skips") and has(REGULARIZERS[regularizer], "doubles_code"))


def _data(shape):
    images = np.random.default_rng(0).integers(0, 256, (IMAGES, *shape), dtype=np.uint8)
    return Dataset("noise", images, None, images, None, (0.0, 255.0), "made here")


def _steps(architecture, loss, regularizer, shape):
    cell = _space(architecture, loss, regularizer).baseline | {"batch_size": BATCH}
    return compiled_steps(cell, _data(shape), ARCHITECTURES)[1]


def _check(steps, shape, tmp_path):
    """Two steps change the weights, to finite ones; what is saved reconstructs to the same bits."""
    import keras

    data = _data(shape)
    before = steps.model.get_weights()
    steps.start(before, 1)
    objective = steps.epoch(steps.resident(data.x_train), np.arange(IMAGES))
    assert np.isfinite(objective)
    after = steps.model.get_weights()
    assert all(np.isfinite(weights).all() for weights in after)
    assert any((old != new).any() for old, new in zip(before, after, strict=True))
    codes, reconstructions, losses = steps.predict(data.x_train)
    assert codes.shape == (IMAGES, 3) and reconstructions.shape == (IMAGES, *shape) and np.isfinite(losses).all()
    path = tmp_path / "model.keras"
    steps.model.save(path)
    loaded = keras.saving.load_model(path, safe_mode=True)
    unit = data.x_train / np.float32(255)
    np.testing.assert_array_equal(np.asarray(loaded(unit)), np.asarray(steps.model(unit)))


@pytest.mark.parametrize("place", range(len(ARCHITECTURES)))
def test_each_architecture_with_one_loss_and_regularizer(place, tmp_path):
    """The diagonal of the table below, so that each architecture, loss and regularizer occurs in every run."""
    architecture = list(ARCHITECTURES)[place]
    allowed = [triple for triple in TRIPLES if triple[0] == architecture and _is_allowed(*triple)]
    shape = SHAPES[place % len(SHAPES)]
    _check(_steps(*allowed[7 * place % len(allowed)], shape), shape, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_combination(architecture, shape, tmp_path):
    """Eagerly: a graph for each would be traced for an hour, and runs the same operations.

    A network is built once for all losses and regularizers that train the same one, and begins with the same weights.
    """
    import tensorflow as tf

    networks = {}
    tf.config.run_functions_eagerly(True)
    try:
        for _, loss, regularizer in (t for t in TRIPLES if t[0] == architecture and _is_allowed(*t)):
            key = has(REGULARIZERS[regularizer], "doubles_code")
            if key not in networks:
                steps = _steps(architecture, loss, regularizer, shape)
                networks[key] = steps, steps.model.get_weights()
            steps, weights = networks[key]
            steps.model.set_weights(weights)
            steps.loss, steps.regularizer = LOSSES[loss], REGULARIZERS[regularizer]
            _check(steps, shape, tmp_path)
    finally:
        tf.config.run_functions_eagerly(False)


@pytest.mark.parametrize("triple", [t for t in TRIPLES if not _is_allowed(*t)], ids="-".join)
def test_what_makes_no_sense_is_refused_with_the_reason(triple):
    reason = "outputs that leave it" if has(ARCHITECTURES[triple[0]], "unbounded") else "skips that pass it by"
    with pytest.raises(InputError, match=reason):
        validate(_space(*triple))


@pytest.mark.parametrize("triple", [t for t in TRIPLES if _is_allowed(*t)], ids="-".join)
def test_what_makes_sense_is_accepted(triple):
    validate(_space(*triple))
