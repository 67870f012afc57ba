import numpy as np
import pytest

from study import autoencoders
from study.architectures import ARCHITECTURES
from study.losses import LOSSES
from study.space import DEFAULTS

SHAPES = [(8, 8, 1), (28, 28, 1), (32, 32, 3), (5, 7, 2)]
WIDTHS = {"keras_io": 16, "dense": 256, "linear": None}


def build(architecture, shape, latent_dim=2, seed=0):
    cell = {**DEFAULTS, "architecture": architecture, "latent_dim": latent_dim}
    return autoencoders.build(cell, shape, seed, ARCHITECTURES)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_architecture_takes_every_shape(architecture, shape):
    model = build(architecture, shape, 3)
    images = np.random.default_rng(0).random((2, *shape)).astype(np.float32)
    codes = model.get_layer("encoder")(images)
    assert codes.shape == (2, 3) and model.get_layer("decoder")(codes).shape == (2, *shape)
    if architecture in WIDTHS:
        assert autoencoders.narrowest_width(model) == WIDTHS[architecture]


@pytest.mark.parametrize("k", [1, 2, 16])
def test_the_baseline_has_its_parameters(k):
    assert build("keras_io", (28, 28, 1), k).count_params() == 127_825 + 3_153 * k
    assert build("keras_io", (28, 28, 1)).count_params() == 134_131


def test_nothing_in_cnn_and_dense_is_narrower_than_a_large_code():
    for architecture in ("cnn", "dense"):
        assert autoencoders.narrowest_width(build(architecture, (28, 28, 1), 300)) >= 300


def test_fresh_weights_follow_the_seed_alone():
    one = build("cnn", (8, 8, 1), seed=4).get_weights()
    build("dense", (8, 8, 1), seed=9)
    again, other = build("cnn", (8, 8, 1), seed=4).get_weights(), build("cnn", (8, 8, 1), seed=5).get_weights()
    assert all(np.array_equal(a, b) for a, b in zip(one, again, strict=True))
    assert not np.array_equal(one[0], other[0])


def test_losses_are_their_formulas():
    x, y = np.random.default_rng(1).random((2, 3, 4, 4, 2)).astype(np.float32)
    assert np.allclose(LOSSES["mse"](x, y), ((x - y) ** 2).mean(axis=(1, 2, 3)), rtol=1e-5)
    expected = -(x * np.log(y) + (1 - x) * np.log(1 - y)).mean(axis=(1, 2, 3))
    assert np.allclose(LOSSES["bce"](x, y), expected, rtol=1e-4)
