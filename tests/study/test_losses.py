"""The losses against independent references, and their gradients on extreme inputs."""

import numpy as np
import pytest
from skimage.metrics import structural_similarity

from study import datasets, losses, metrics
from study.levels import has
from study.losses import LOSSES

SHAPES = [(8, 8, 1), (28, 28, 1), (32, 32, 3), (5, 7, 2)]


def pair(shape, n=3, seed=1):
    return np.random.default_rng(seed).random((2, n, *shape)).astype(np.float32)


def value(name, x, y):
    return np.asarray(LOSSES[name](x, y))


def test_bce_mse_mae_are_their_formulas():
    x, y = pair((4, 4, 2))
    assert np.allclose(value("mse", x, y), ((x - y) ** 2).mean(axis=(1, 2, 3)), rtol=1e-5)
    assert np.allclose(value("mae", x, y), abs(x - y).mean(axis=(1, 2, 3)), rtol=1e-5)
    expected = -(x * np.log(y) + (1 - x) * np.log(1 - y)).mean(axis=(1, 2, 3))
    assert np.allclose(value("bce", x, y), expected, rtol=1e-4)


def test_huber_by_hand():
    """Errors 0.05 (square: 0.00125), 0.1 (0.005, where both formulas meet), 0.5 (0.1 · 0.45 = 0.045) and 0."""
    x, y = np.zeros((1, 2, 2, 1), np.float32), np.array([0.05, 0.1, 0.5, 0], np.float32).reshape(1, 2, 2, 1)
    assert value("huber", x, y) == pytest.approx([(0.00125 + 0.005 + 0.045) / 4], rel=1e-5)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_ssim_agrees_with_scikit_image_and_with_the_metric(shape):
    x, y = pair(shape)
    y = np.clip(x + 0.3 * (y - 0.5), 0, 1)
    side = min(7, *((size - 1) // 2 * 2 + 1 for size in shape[:2]))
    expected = [
        1 - structural_similarity(a, b, win_size=side, data_range=1, channel_axis=-1) for a, b in zip(x, y, strict=True)
    ]
    # scikit-image averages over windows that lie within the image only as well
    assert value("ssim", x, y) == pytest.approx(expected, abs=1e-4)
    assert value("ssim", x, y) == pytest.approx(1 - metrics.structural_similarity(x, y), abs=1e-4)
    mixed = value("mse", x, y) + losses.SSIM_WEIGHT * value("ssim", x, y)
    assert value("mse_ssim", x, y) == pytest.approx(mixed, rel=1e-5)


def test_ssim_of_real_digits():
    data = datasets.load("digits")
    x = datasets.to_unit(data.x_train[:50], data.value_range)
    y = datasets.to_unit(data.x_train[50:100], data.value_range)
    assert value("ssim", x, y) == pytest.approx(1 - metrics.structural_similarity(x, y), abs=1e-4)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_focal_frequency_against_numpy(shape):
    x, y = pair(shape)
    spectrum = np.abs(np.fft.fft2(x.astype(float) - y, axes=(1, 2), norm="ortho"))
    weight = spectrum / spectrum.max(axis=(1, 2), keepdims=True)
    assert value("focal_frequency", x, y) == pytest.approx((weight * spectrum**2).mean(axis=(1, 2, 3)), rel=1e-4)


@pytest.mark.parametrize("name", sorted(set(LOSSES) - {"bce"}))
def test_no_loss_where_nothing_differs(name):
    x, _ = pair((8, 8, 1))
    assert value(name, x, x) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("name", LOSSES)
def test_a_value_an_image_in_the_order_of_the_images(name):
    x, y = pair((8, 8, 3))
    found = value(name, x, y)
    assert found.shape == (3,)
    assert np.allclose(value(name, x[::-1], y[::-1]), found[::-1], rtol=1e-5)


@pytest.mark.parametrize("name", LOSSES)
def test_gradients_are_finite_on_extreme_inputs(name):
    import tensorflow as tf

    zeros, ones = np.zeros((2, 8, 8, 1), np.float32), np.ones((2, 8, 8, 1), np.float32)
    random = pair((8, 8, 1), n=2)[0]
    for x in (zeros, ones, random):
        for y in (zeros, ones, random, 0.5 * ones):
            output = tf.Variable(y)
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(LOSSES[name](x, output))
            assert np.isfinite(loss.numpy()) and np.isfinite(tape.gradient(loss, output).numpy()).all()


@pytest.mark.parametrize("name", [name for name in LOSSES if not has(LOSSES[name], "needs_unit_interval")])
def test_gradients_are_finite_where_a_linear_network_leaves_the_unit_interval(name):
    import tensorflow as tf

    x = pair((8, 8, 1), n=2)[0]
    for y in (-x, 1e3 * x, np.full_like(x, -1e4), np.full_like(x, 1e6)):
        output = tf.Variable(y)
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(LOSSES[name](x, output))
        assert np.isfinite(loss.numpy()) and np.isfinite(tape.gradient(loss, output).numpy()).all()
