"""The preprocessings, against values computed by hand and against what they promise."""

import numpy as np
import pytest

from study import metrics, preprocessing

RANGE = (0.0, 255.0)


def test_unit_scales_and_learns_nothing():
    images = np.array([0, 51, 255], np.uint8).reshape(3, 1, 1, 1)
    found = preprocessing.fit("unit", images[:1], RANGE)(images)
    assert found.ravel().tolist() == pytest.approx([0, 0.2, 1]) and found.dtype == np.float32


def test_l1_contrast_by_hand():
    # mean 1/4, mean absolute deviation 3/8: (1 - 1/4) / (3/8) = 2 and (0 - 1/4) / (3/8) = -2/3
    one = np.array([[0, 0], [0, 255]], np.uint8).reshape(1, 2, 2, 1)
    # mean 1/2, deviation 1/2: 1 and -1, the least of the training images
    two = np.array([[0, 255], [0, 255]], np.uint8).reshape(1, 2, 2, 1)
    transform = preprocessing.fit("l1_contrast", np.concatenate([one, two]), RANGE)
    assert transform(one).ravel() == pytest.approx([1 / 9, 1 / 9, 1 / 9, 1])
    assert transform(two).ravel() == pytest.approx([0, 2 / 3, 0, 2 / 3])
    fitted_on_one = preprocessing.fit("l1_contrast", one, RANGE)
    assert fitted_on_one(two).min() == pytest.approx(-1 / 8)  # not clipped


def test_l1_contrast_takes_brightness_and_contrast_away():
    images = np.random.default_rng(0).integers(0, 120, (20, 6, 6, 1)).astype(np.uint8)
    transform = preprocessing.fit("l1_contrast", images, RANGE)
    assert transform(images).min() == 0 and transform(images).max() == pytest.approx(1)
    assert np.allclose(transform(images), transform(2 * images), atol=1e-4)
    assert np.allclose(transform(images), transform(images + 10), atol=1e-4)


def test_a_constant_image_stays_finite_and_so_does_every_metric():
    images = np.random.default_rng(0).integers(0, 256, (20, 7, 7, 1)).astype(np.uint8)
    images[3] = 40
    transform = preprocessing.fit("l1_contrast", images[:3], RANGE)
    changed = transform(images)
    assert np.isfinite(changed).all() and np.ptp(changed[3]) == 0
    found = metrics.evaluate(changed, np.full_like(changed, 0.5), metrics.mean_image(changed))
    assert all(np.isfinite(value) for value in found.values()), found
