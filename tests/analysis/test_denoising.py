"""Denoising: one noise for all, outputs clipped alike, and baselines against scikit-image and scikit-learn."""

import numpy as np
import pytest
from skimage.restoration import denoise_nl_means, denoise_tv_chambolle
from sklearn.decomposition import PCA

from analysis import denoising, linear
from analysis.draws import Draw
from study import corruptions, datasets, metrics
from study.preprocessing import prepare

CELL = dict(dataset="digits", train_size=300, normal_class=None, preprocessing="unit")


class Copy:
    """A model that says what it is shown, beyond the range, and remembers it."""

    def __init__(self):
        self.seen = []

    def predict_on_batch(self, images):
        self.seen.append(images)
        return images * 1.5 - 0.2


@pytest.fixture(scope="module")
def draw():
    raw = datasets.load("digits")
    data, splits = prepare(CELL, 0, raw)
    return Draw(CELL, 0, data, splits, "test", 50, True, raw, lambda images: images, sizes=(2,))


@pytest.fixture(scope="module")
def baselines(draw):
    return denoising.open_bench(draw).baselines()


def error_of(found, method, condition):
    return next(r["mse"] for r in found.rows if r["method"] == method and r["condition"] == condition)


def test_the_noise_asked_for():
    kinds = [condition.rsplit("_", 1)[0] for condition in corruptions.NOISES]
    assert {kind: kinds.count(kind) for kind in kinds} == {"gaussian": 5, "salt_pepper": 3, "poisson": 1}


def test_every_model_is_given_the_same_noise(draw):
    bench, models = denoising.open_bench(draw), (Copy(), Copy())
    for model in models:
        bench.model(model, None)
    assert len(models[0].seen) == len(models[1].seen) >= len(corruptions.NOISES)
    for one, other in zip(models[0].seen, models[1].seen, strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(models[0].seen[0], corruptions.noisy(draw.images, "gaussian_0.1", draw.index))


def test_images_that_are_not_kept_are_made_again(draw, monkeypatch):
    monkeypatch.setattr(denoising, "KEPT_BYTES", 0)
    once, again = Copy(), Copy()
    bench = denoising.open_bench(draw)
    bench.model(once, None), bench.model(again, None)
    np.testing.assert_array_equal(once.seen[3], again.seen[3])


def test_outputs_are_clipped_and_held_against_the_clean_image(draw):
    found = denoising.open_bench(draw).model(Copy(), None)
    for row in found.rows:
        noisy = corruptions.noisy(draw.images, row["condition"], draw.index)
        restored = np.clip(noisy * np.float32(1.5) - np.float32(0.2), 0, 1)
        squared = np.square(draw.images.astype(float) - restored).mean(axis=(1, 2, 3))
        assert row["mse"] == pytest.approx(squared.mean(), rel=1e-4)
        assert row["psnr"] == pytest.approx(np.mean(-10 * np.log10(squared)), rel=1e-4)


def test_the_noisy_image_by_hand(draw, baselines):
    noisy = corruptions.noisy(draw.images, "gaussian_0.5", draw.index)
    expected = np.square(draw.images.astype(float) - noisy).mean()
    assert error_of(baselines, "noisy image", "gaussian_0.5") == pytest.approx(expected, rel=1e-5)


def test_pca_is_scikit_learns_with_its_size_chosen_on_validation_images(draw, baselines):
    train, clean = (x.reshape(len(x), -1).astype(float) for x in (draw.train, draw.images))
    held = corruptions.noisy(draw.validation, "gaussian_0.5", draw.validation_index).reshape(len(draw.validation), -1)
    noisy = corruptions.noisy(draw.images, "gaussian_0.5", draw.index).reshape(len(clean), -1)
    errors = {}
    for k in (2, 4, 8, 16, 32):
        model = PCA(k, svd_solver="full").fit(train)
        on_held, on_test = (model.inverse_transform(model.transform(x)).clip(0, 1) for x in (held, noisy))
        chosen = np.square(on_held - draw.validation.reshape(held.shape)).mean()
        errors[chosen] = np.square(on_test - clean).mean()
    assert error_of(baselines, "PCA", "gaussian_0.5") == pytest.approx(errors[min(errors)], rel=1e-4)


def test_total_variation_and_non_local_means_are_scikit_images(draw):
    held = corruptions.noisy(draw.validation, "gaussian_0.25", draw.validation_index)
    noisy = corruptions.noisy(draw.images[:3], "gaussian_0.25", draw.index[:3])
    sigma = float(np.std(held - draw.validation))
    for weight, smooth in zip(denoising.WEIGHTS, denoising.total_variation(), strict=True):
        expected = [denoise_tv_chambolle(x[..., 0], weight=weight) for x in noisy]
        np.testing.assert_allclose(smooth(noisy)[..., 0], expected, atol=1e-6)
    for strength, smooth in zip(denoising.STRENGTHS, denoising.non_local_means(draw, held), strict=True):
        expected = [denoise_nl_means(x[..., 0], 3, 3, h=strength * sigma, sigma=sigma) for x in noisy]
        np.testing.assert_allclose(smooth(noisy)[..., 0], expected, atol=1e-5)


def test_the_linear_optimum_is_better_than_pca_and_the_noisy_image_at_every_noise(baselines):
    for condition in corruptions.NOISES:
        best = error_of(baselines, "linear optimum", condition)
        assert best <= 1.02 * error_of(baselines, "PCA", condition), condition
        assert best < error_of(baselines, "noisy image", condition), condition


def test_settings_are_chosen_on_validation_images_alone(draw):
    """Of two candidates the better on the noisy validation images, though the other is better on the test images."""
    held = corruptions.noisy(draw.validation, "gaussian_0.1", draw.validation_index)
    white, right = (lambda x: np.ones_like(x)), (lambda x: draw.validation[: len(x)])
    assert denoising._best([white, right], draw, held) is right


def test_a_projection_in_blocks_is_one_projection(draw, monkeypatch):
    basis = linear.fit(draw.train, 4)
    whole = denoising._projection(basis, 4)(draw.images)
    monkeypatch.setattr(linear, "BLOCK", 16)
    np.testing.assert_allclose(denoising._projection(basis, 4)(draw.images), whole, atol=1e-6)
    assert metrics.squared_error(draw.images, whole).shape == (50,)
