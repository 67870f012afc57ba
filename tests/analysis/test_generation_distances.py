"""Distances between sets of images: by hand, by loops over the definitions, in closed form, against scipy."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import linalg, stats

from analysis import generation_distances as distances


def normal(n, d, seed, mean=0.0, scale=1.0):
    return mean + scale * np.random.default_rng(seed).standard_normal((n, d))


def test_kernel_distance_by_hand():
    """k(0,2) = 1 and k(1,1) = 8 within; across (0,1) 1, (2,1) 27, each twice: 1 + 8 - 2 · 14."""
    assert distances.kernel_distance([[0.0], [2.0]], [[1.0], [1.0]]) == pytest.approx(-19)


def test_kernel_distance_by_loops_over_all_pairs():
    x, y = normal(7, 3, 0), normal(5, 3, 1, mean=0.5)

    def kernel(a, b):
        return (np.dot(a, b) / 3 + 1) ** 3

    within = [np.mean([kernel(a, b) for a, b in itertools.permutations(part, 2)]) for part in (x, y)]
    across = np.mean([kernel(a, b) for a in x for b in y])
    assert distances.kernel_distance(x, y) == pytest.approx(sum(within) - 2 * across)


@pytest.mark.parametrize("mean", [0.0, 0.7])
def test_kernel_distance_is_unbiased_of_its_closed_form(mean):
    """In one dimension (xy + 1)³ = Σ C(3,j) xʲyʲ, so that MMD² is Σ C(3,j) (E xʲ - E yʲ)² of the moments."""
    found = [
        distances.kernel_distance(normal(40, 1, [seed, 0]), normal(30, 1, [seed, 1], mean=mean)) for seed in range(3000)
    ]
    expected = 3 * mean**2 + 3 * mean**4 + (mean**3 + 3 * mean) ** 2
    assert abs(np.mean(found) - expected) < 4 * stats.sem(found)


def test_frechet_distance_in_one_dimension():
    """(μ₁ - μ₂)² + (σ₁ - σ₂)² of the samples."""
    x, y = normal(50, 1, 0), normal(60, 1, 1, mean=2, scale=3)
    expected = (x.mean() - y.mean()) ** 2 + (x.std(ddof=1) - y.std(ddof=1)) ** 2
    assert distances.frechet_distance(x, y) == pytest.approx(expected)


def test_frechet_distance_agrees_with_the_matrix_root():
    mixing = np.random.default_rng(2).normal(size=(4, 4))
    x, y = normal(200, 4, 0) @ mixing, normal(300, 4, 1, mean=0.3)
    first, second = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    root = linalg.sqrtm(first @ second).real
    expected = np.square(x.mean(0) - y.mean(0)).sum() + np.trace(first + second - 2 * root)
    assert distances.frechet_distance(x, y) == pytest.approx(expected)
    assert distances.frechet_distance(x, x) == pytest.approx(0, abs=1e-9)


def test_frechet_distance_needs_ten_images_a_feature():
    assert np.isnan(distances.frechet_distance(normal(39, 4, 0), normal(400, 4, 1)))
    assert np.isfinite(distances.frechet_distance(normal(40, 4, 0), normal(400, 4, 1)))


def by_definition(real, fake, k):
    """Naeem et al. 2020, equations 3 to 6, point by point."""

    def radius(points, i):
        return np.sort(np.linalg.norm(points - points[i], axis=1))[k]  # the 0th is the point itself

    def inside(point, points, radii):
        return [np.linalg.norm(point - other) < r for other, r in zip(points, radii, strict=True)]

    real_radii, fake_radii = ([radius(points, i) for i in range(len(points))] for points in (real, fake))
    hits = np.array([inside(point, real, real_radii) for point in fake])
    return (
        hits.any(axis=1).mean(),
        np.mean([any(inside(point, fake, fake_radii)) for point in real]),
        hits.sum() / (k * len(fake)),
        hits.any(axis=0).mean(),
    )


@pytest.mark.parametrize(("k", "mean"), [(1, 0.0), (3, 1.0), (5, 4.0)])
def test_precision_recall_density_coverage_by_definition(k, mean):
    real, fake = normal(30, 3, 0), normal(25, 3, 1, mean=mean, scale=0.8)
    assert distances.coverage(real, fake, k) == pytest.approx(by_definition(real, fake, k))


def test_coverage_by_hand():
    """Real 0, 1, 10 with radii 1, 1, 9: 0.4 lies in two balls, 30 in none; of generated, radii 29.6 each."""
    found = distances.coverage([[0.0], [1.0], [10.0]], [[0.4], [30.0]], k=1)
    assert found == pytest.approx((1 / 2, 3 / 3, 2 / 2, 2 / 3))


@settings(max_examples=30)
@given(hnp.arrays(float, (12, 2), elements=st.floats(-5, 5, width=16)))
def test_shares_are_shares(points):
    found = distances.coverage(points, points[::-1] + 0.25, k=3)
    assert all(0 <= share <= 1 for share in (found.precision, found.recall, found.coverage)) and found.density >= 0


def test_a_set_is_covered_by_its_like_and_not_by_a_far_one():
    near = distances.coverage(normal(300, 4, 0), normal(300, 4, 1))
    far = distances.coverage(normal(300, 4, 0), normal(300, 4, 1, mean=20))
    assert min(near) > 0.85 and max(far) == 0


def test_a_classifier_tells_apart_what_differs_and_nothing_else():
    same = distances.told_apart(normal(400, 3, 0), normal(400, 3, 1))
    shifted = distances.told_apart(normal(400, 3, 0), normal(400, 3, 1, mean=3))
    wider = distances.told_apart(normal(400, 3, 0), normal(400, 3, 1, scale=3))  # equal means: products are needed
    assert same.low < 0.5 < same.high and shifted.low > 0.95 and wider.low > 0.8


def test_its_interval_is_the_exact_binomial_one_of_the_held_out_halves():
    found = distances.told_apart(normal(60, 2, 0), normal(80, 2, 1, mean=0.8))
    assert found.n == 60  # every second of 60 and of 60
    exact = stats.binomtest(round(found.value * 60), 60).proportion_ci(method="exact")
    assert (found.low, found.high) == pytest.approx((exact.low, exact.high))


def test_guessing_is_right_in_half_of_the_cases_over_many_draws():
    found = [distances.told_apart(normal(40, 2, [s, 0]), normal(40, 2, [s, 1])) for s in range(200)]
    assert abs(np.mean([one.value for one in found]) - 0.5) < 4 * stats.sem([one.value for one in found])
    assert np.mean([one.low > 0.5 for one in found]) <= 0.05  # the exact interval errs to either side in 2.5 % at most


def test_nearest_by_loops():
    images, gallery = normal(5, 12, 0).reshape(5, 2, 3, 2), normal(7, 12, 1).reshape(7, 2, 3, 2)
    expected = [min(np.sqrt(np.mean((image - other) ** 2)) for other in gallery) for image in images]
    np.testing.assert_allclose(distances.nearest(images, gallery), expected, rtol=1e-5)
    assert distances.nearest(gallery[2:3], gallery) == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize("bad", [np.zeros((1, 3)), np.zeros(5)])
def test_too_few_images_are_refused(bad):
    with pytest.raises(ValueError, match="are needed"):
        distances.kernel_distance(bad, normal(5, 3, 0))
    with pytest.raises(ValueError, match="k = 5"):
        distances.coverage(normal(5, 3, 0), normal(9, 3, 1))
    with pytest.raises(ValueError, match="at least 4"):
        distances.told_apart(normal(3, 3, 0), normal(9, 3, 1))
