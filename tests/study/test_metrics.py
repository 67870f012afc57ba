import os

import numpy as np
import pytest
from skimage.metrics import structural_similarity

from study import datasets, metrics, records

real_data = pytest.mark.skipif("STUDY_DATA_DIR" not in os.environ, reason="STUDY_DATA_DIR names no data folder")
RANDOM = np.random.default_rng(3)


def images(*shape: int) -> np.ndarray:
    return RANDOM.random(shape).astype(np.float32)


@pytest.mark.parametrize(("shape", "window"), [((8, 8, 1), 7), ((5, 6, 1), 5), ((28, 28, 1), 7), ((32, 32, 3), 7)])
def test_ssim_is_scikit_image_s(shape, window):
    x, y = images(4, *shape), images(4, *shape)
    expected = [
        structural_similarity(a, b, win_size=window, data_range=1, channel_axis=-1) for a, b in zip(x, y, strict=True)
    ]
    assert np.allclose(metrics.structural_similarity(x, y), expected, atol=1e-6)


def test_by_hand():
    x = np.array([0.0, 1.0, 0.5, 0.5], np.float32).reshape(1, 2, 2, 1)
    y = np.array([0.5, 0.5, 0.5, 2.0], np.float32).reshape(1, 2, 2, 1)  # 2 is clipped to 1
    found = metrics.evaluate(x, y, np.full((2, 2, 1), 0.5, np.float32))
    assert found["mse"] == pytest.approx((0.25 + 0.25 + 0 + 0.25) / 4)
    assert found["mae"] == pytest.approx(1.5 / 4)
    assert found["fvu"] == pytest.approx(0.1875 / 0.125)
    assert found["psnr"] == pytest.approx(-10 * np.log10(0.1875))
    assert metrics.entropy_floor(x) == pytest.approx(np.log(2) / 2)
    nats = [np.log(2)] * 3 + [-0.5 * np.log(1 - 1e-7) - 0.5 * np.log(1e-7)]
    assert found["bce"] == pytest.approx(np.mean(nats), rel=1e-2)


def test_invariants(monkeypatch):
    x, y = images(10, 9, 9, 2), images(10, 9, 9, 2)
    mean = metrics.mean_image(x)
    whole = metrics.evaluate(x, y, mean)
    order = RANDOM.permutation(10)
    assert metrics.evaluate(x[order], y[order], mean) == pytest.approx(whole)
    monkeypatch.setattr(metrics, "CHUNK", 3)
    assert metrics.evaluate(x, y, mean) == pytest.approx(whole)
    assert metrics.evaluate(x, np.broadcast_to(mean, x.shape), mean)["fvu"] == pytest.approx(1)
    perfect = metrics.evaluate(x, x, mean)
    assert perfect["mse"] == 0 and perfect["psnr"] == 100 and perfect["ssim"] == pytest.approx(1)
    assert perfect["excess_bce"] == pytest.approx(0, abs=1e-6)
    assert tuple(whole) == tuple(metrics.METRICS) == records.METRICS


def test_active_units():
    codes = np.zeros((50, 4))
    assert metrics.active_units(codes) == 0
    codes[:, 0], codes[:, 1] = np.arange(50), 0.05 * np.arange(50)
    codes[:, 2] = np.arange(50) / 2
    assert metrics.active_units(codes) == 2
    codes[0, 3] = np.inf
    with pytest.raises(ValueError, match="not finite"):
        metrics.active_units(codes)


@real_data
def test_numbers_of_mnist():
    mnist = datasets.load("mnist")
    test = datasets.to_unit(mnist.x_test, mnist.value_range)
    mean = metrics.mean_image(datasets.to_unit(mnist.x_train, mnist.value_range))
    found = metrics.evaluate(test, np.broadcast_to(mean, test.shape), mean)
    assert metrics.entropy_floor(test) == pytest.approx(0.0581, abs=5e-5)
    assert found["bce"] == pytest.approx(0.2625, abs=5e-5) and found["mse"] == pytest.approx(0.06747, abs=5e-6)
