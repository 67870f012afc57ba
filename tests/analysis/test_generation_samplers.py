"""Samplers: the distributions they claim, the draws that every model shares, and codes that do not vary."""

import numpy as np
import pytest
from scipy import stats

from analysis import generation_samplers as samplers

MEAN, COVARIANCE = np.array([1.0, -2.0]), np.array([[2.0, 1.2], [1.2, 1.0]])


def codes(n=2000, seed=0, mean=MEAN, covariance=COVARIANCE):
    draw = np.random.default_rng(seed)
    parts = (draw.multivariate_normal(mean, covariance, size=size) for size in (n, 400, 50))
    return samplers.Codes(*parts)


def clusters(n=1500):
    """Three small clusters far from each other."""
    centres = np.array([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]])
    draw = np.random.default_rng(1)
    parts = (centres[draw.integers(3, size=m)] + 0.1 * draw.normal(size=(m, 2)) for m in (n, 300, 50))
    return samplers.Codes(*parts), centres


@pytest.mark.parametrize("name", samplers.SAMPLERS)
def test_a_draw_depends_on_its_number_alone(name):
    known = codes()
    many, few = (samplers.draw(name, known, 3, n)[0] for n in (60, 20))
    np.testing.assert_array_equal(many[:20], few)
    assert not np.allclose(samplers.draw(name, known, 4, 20)[0], few), "every seed has draws of its own"
    assert few.shape == (20, 2) and np.isfinite(few).all()


def test_a_larger_code_begins_with_the_numbers_of_a_smaller_one():
    small, large = (samplers.draw(samplers.STANDARD, samplers.Codes(*[np.zeros((9, k))] * 3), 0, 5)[0] for k in (2, 6))
    np.testing.assert_array_equal(large[:, :2], small)


def test_standard_normal_is_what_its_name_says():
    drawn, _ = samplers.draw(samplers.STANDARD, codes(), 0, 2000)
    assert stats.kstest(drawn.ravel(), "norm").pvalue > 0.001


def test_fitted_gaussian_has_the_moments_of_the_training_codes():
    known = codes()
    drawn, _ = samplers.draw(samplers.GAUSSIAN, known, 0, 4000)
    np.testing.assert_allclose(drawn.mean(axis=0), known.train.mean(axis=0), atol=0.08)
    np.testing.assert_allclose(np.cov(drawn, rowvar=False), np.cov(known.train, rowvar=False), atol=0.15)


def test_uniform_box_fills_the_range_of_each_unit():
    known = codes()
    drawn, _ = samplers.draw(samplers.BOX, known, 0, 2000)
    low, high = known.train.min(axis=0), known.train.max(axis=0)
    assert (drawn >= low).all() and (drawn <= high).all()
    assert stats.kstest(((drawn - low) / (high - low)).ravel(), "uniform").pvalue > 0.001


def test_mixture_takes_the_components_that_validation_codes_call_for():
    known, centres = clusters()
    drawn, setting = samplers.draw(samplers.MIXTURE, known, 0, 600)
    distances = np.linalg.norm(drawn[:, None] - centres, axis=2)
    assert setting != "1 component" and (distances.min(axis=1) < 0.6).all()
    assert np.bincount(distances.argmin(axis=1), minlength=3).min() > 120
    assert samplers.draw(samplers.MIXTURE, codes(400), 0, 5)[1] == "1 component"


def test_mixture_of_one_component_is_the_fitted_gaussian():
    known = codes(400)
    drawn, _ = samplers.draw(samplers.MIXTURE, known, 0, 4000)
    np.testing.assert_allclose(drawn.mean(axis=0), known.train.mean(axis=0), atol=0.1)
    np.testing.assert_allclose(np.cov(drawn, rowvar=False), np.cov(known.train, rowvar=False), atol=0.2)


def test_kernel_density_takes_a_narrow_kernel_for_clusters_and_a_wide_one_for_few_codes():
    known, centres = clusters()
    drawn, setting = samplers.draw(samplers.DENSITY, known, 0, 300)
    assert float(setting.removeprefix("bandwidth ")) <= 0.05
    assert (np.linalg.norm(drawn[:, None] - centres, axis=2).min(axis=1) < 1.5).all()
    assert float(samplers.draw(samplers.DENSITY, codes(20), 0, 5)[1].removeprefix("bandwidth ")) >= 0.35


def test_kernel_density_chooses_as_scipys_likelihood_does():
    known = codes(300)
    scores = [stats.gaussian_kde(known.train.T, bw_method=h).logpdf(known.val.T).mean() for h in samplers.BANDWIDTHS]
    _, setting = samplers.draw(samplers.DENSITY, known, 0, 5)
    assert setting == f"bandwidth {samplers.BANDWIDTHS[int(np.argmax(scores))]:g}"


def test_interpolation_is_halfway_between_two_different_codes():
    evaluated = np.array([[0.0], [1.0], [10.0]])
    drawn, _ = samplers.draw(samplers.INTERPOLATION, samplers.Codes(evaluated, evaluated, evaluated), 0, 300)
    assert set(np.round(drawn[:, 0], 6)) == {0.5, 5.0, 5.5}


@pytest.mark.parametrize("name", samplers.SAMPLERS)
@pytest.mark.parametrize("k", [1, 3])
def test_a_unit_that_never_varies_stays_where_it_is(name, k):
    draw = np.random.default_rng(0)
    parts = [draw.normal(size=(200, k)) for _ in range(3)]
    for part in parts:
        part[:, -1] = 0.25
    drawn, _ = samplers.draw(name, samplers.Codes(*parts), 0, 50)
    assert drawn.shape == (50, k) and np.isfinite(drawn).all()
    if name != samplers.STANDARD:
        np.testing.assert_allclose(drawn[:, -1], 0.25, atol=0.1)
