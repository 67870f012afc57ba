"""The linear optimum against closed forms, scikit-learn, and simulated noise."""

import numpy as np
import pytest
from scipy import stats
from sklearn.linear_model import Ridge

from analysis import linear_optimum, noise_moments
from study import corruptions

SHAPE = (4, 5, 2)


@pytest.fixture(scope="module")
def images():
    """Correlated images in [0, 1], more of them than pixels."""
    rng = np.random.default_rng(0)
    latent = rng.normal(size=(300, 6)) @ rng.normal(size=(6, 40)) + 0.3 * rng.normal(size=(300, 40))
    return (1 / (1 + np.exp(-latent / 3))).reshape(-1, *SHAPE).astype(np.float32)


def test_filling_in_is_the_conditional_mean_of_a_normal_distribution():
    """E[m | o] by the precision matrix, of a sample that is whitened first, so that its moments are the true ones."""
    rng = np.random.default_rng(1)
    root = rng.normal(size=(6, 6))
    mean, covariance = rng.normal(size=6), root @ root.T + np.eye(6)
    drawn = rng.normal(size=(500, 6))
    drawn -= drawn.mean(axis=0)
    white = drawn @ np.linalg.inv(np.linalg.cholesky(drawn.T @ drawn / 500)).T
    sample = (mean + white @ np.linalg.cholesky(covariance).T).reshape(-1, 2, 3, 1)
    asked, removed = sample[:50], np.array([[True, False, False], [False, True, True]])
    gone = removed.ravel()
    precision = np.linalg.inv(covariance)
    known = asked.reshape(50, 6)[:, ~gone] - mean[~gone]
    expected = mean[gone] - known @ np.linalg.solve(precision[np.ix_(gone, gone)], precision[np.ix_(gone, ~gone)]).T
    filled = linear_optimum.fill_in(linear_optimum.moments(sample), asked, removed, 0.0).reshape(50, 6)
    np.testing.assert_allclose(filled[:, gone], expected, atol=1e-5)
    np.testing.assert_array_equal(filled[:, ~gone], asked.reshape(50, 6)[:, ~gone].astype(np.float32))


@pytest.mark.parametrize("count", [300, 20], ids=["more images than pixels", "fewer"])
def test_filling_in_is_scikit_learns_ridge_of_removed_on_known_pixels(images, count):
    train, removed = images[:count], np.zeros(SHAPE[:2], bool)
    removed[1:3, 1:4] = True
    found = linear_optimum.moments(train)
    filled = linear_optimum.fill_in(found, images, removed, 0.05)
    model = Ridge(alpha=0.05 * found.scale * count).fit(
        train[:, ~removed].reshape(count, -1), train[:, removed].reshape(count, -1)
    )
    expected = model.predict(images[:, ~removed].reshape(len(images), -1))
    np.testing.assert_allclose(filled[:, removed].reshape(len(images), -1), expected, atol=2e-5)


def test_removed_pixels_are_not_looked_at(images):
    removed = np.zeros(SHAPE[:2], bool)
    removed[0] = True
    found = linear_optimum.moments(images)
    changed = np.where(removed[..., None], 7, images)
    np.testing.assert_array_equal(
        *(linear_optimum.fill_in(found, x, removed, 0.01)[:, removed] for x in (images, changed))
    )


@pytest.mark.parametrize("condition", corruptions.NOISES)
def test_moments_of_noise_are_those_of_many_draws(condition):
    """Within five standard errors of a simulation, pixel by pixel."""
    draws, rng = 4_000, np.random.default_rng(2)
    image = np.concatenate([[[[0, 1]], [[0.02, 0.5]]], rng.random((2, 1, 2))]).astype(np.float32)
    noisy = corruptions.noisy(np.repeat(image[None], draws, 0), condition, np.arange(draws)).astype(float)
    mean, covariance = noise_moments.moments(image[None], condition)
    error = noisy.std(axis=0) / np.sqrt(draws)
    assert np.all(np.abs(noisy.mean(axis=0) - mean[0]) <= 5 * error + 1e-6)
    centred = noisy - noisy.mean(axis=0)
    products = np.einsum("nhwc,nhwd->nhwcd", centred, centred)
    spread = products.std(axis=0) / np.sqrt(draws)
    assert np.all(np.abs(products.mean(axis=0) - covariance) <= 5 * spread + 1e-5)


def test_censored_normal_against_scipy():
    mean, covariance = noise_moments.moments(np.full((1, 1, 1, 1), 0.3), "gaussian_0.5")
    truncated = stats.truncnorm(-0.3 / 0.5, 0.7 / 0.5, 0.3, 0.5)
    below, above = stats.norm.cdf(-0.3 / 0.5), stats.norm.sf(0.7 / 0.5)
    inside = 1 - below - above
    expected = inside * truncated.mean() + above
    assert mean.item() == pytest.approx(expected)
    square = inside * (truncated.var() + truncated.mean() ** 2) + above
    assert covariance.item() == pytest.approx(square - expected**2)


def test_without_clipping_the_denoiser_is_wieners_filter(images, monkeypatch):
    """Additive independent noise: W = C (C + σ²I)⁻¹, C the covariance of the clean images."""
    sigma = 0.3
    unclipped = lambda x, condition: (x.astype(float), np.broadcast_to(sigma**2 * np.eye(2), (*SHAPE[:2], 2, 2)))  # noqa: E731
    monkeypatch.setattr(noise_moments, "moments", unclipped)
    (denoise,) = linear_optimum.denoisers(linear_optimum.noisy_moments(images, "gaussian_0.3"), [0.0])
    flat = images.reshape(len(images), -1).astype(float)
    mean, covariance = flat.mean(axis=0), np.cov(flat.T, bias=True)
    noisy = images + sigma * np.random.default_rng(3).normal(size=images.shape)
    expected = (
        mean + (noisy.reshape(flat.shape) - mean) @ np.linalg.inv(covariance + sigma**2 * np.eye(40)) @ covariance
    )
    np.testing.assert_allclose(denoise(noisy).reshape(flat.shape), expected, atol=1e-5)


@pytest.mark.parametrize("condition", ["gaussian_0.5", "salt_pepper_0.25", "poisson_10"])
def test_the_denoiser_is_what_least_squares_finds_on_very_many_noisy_images(images, condition):
    """scikit-learn's regression of clean on noisy images, 200 draws of noise on each image."""
    clean = np.tile(images[:100], (200, 1, 1, 1))
    noisy = corruptions.noisy(clean, condition, np.arange(len(clean)))
    model = Ridge(alpha=1e-3).fit(noisy.reshape(len(clean), -1), clean.reshape(len(clean), -1))
    (denoise,) = linear_optimum.denoisers(linear_optimum.noisy_moments(images[:100], condition), [1e-6])
    asked = noisy[:500]
    expected = model.predict(asked.reshape(500, -1)).reshape(asked.shape)
    assert np.sqrt(np.square(denoise(asked) - expected).mean()) < 0.05 * np.std(expected - expected.mean(axis=0))


@pytest.mark.parametrize("condition", ["gaussian_0.25", "salt_pepper_0.25"])
def test_few_images_give_the_same_denoiser_by_the_other_way(images, condition, monkeypatch):
    found = linear_optimum.noisy_moments(images[:30], condition)
    few = list(linear_optimum.denoisers(found))
    doubled = linear_optimum.NoisyMoments(
        found.clean,
        found.noisy,
        np.tile(found.outputs, (2, 1)),
        np.tile(found.inputs, (2, 1)),
        found.noise,
        found.scale,
    )
    for one, other in zip(few, linear_optimum.denoisers(doubled), strict=True):
        np.testing.assert_allclose(one.weights, other.weights, atol=1e-8)


def test_it_beats_every_other_linear_map_on_its_own_images(images):
    """On the images it was fitted on, any change of its weights raises the error over endless noise."""
    condition = "gaussian_0.25"
    found = linear_optimum.noisy_moments(images, condition)
    (best,) = linear_optimum.denoisers(found, [0.0])

    def error(weights):
        bias = found.outputs - found.inputs @ weights
        noise = sum(
            np.einsum("cd,ck,dk->", block, rows, rows)
            for block, rows in zip(found.noise, weights.reshape(-1, 2, 40), strict=True)
        )
        return np.square(bias).sum(axis=1).mean() + noise

    rng = np.random.default_rng(4)
    changes = [0.01 * rng.normal(size=best.weights.shape) for _ in range(5)]
    assert all(error(best.weights + change) > error(best.weights) for change in changes)
