"""Both estimators on manifolds of known dimension, with duplicates, and on MNIST."""

import os
from pathlib import Path

import numpy as np
import pytest

from analysis import intrinsic_dimension as dimension
from study.errors import InputError

N = 4000
# Relative error allowed at each dimension. Both estimators are low where the edges of the manifold reach into every
# neighbourhood, as in a cube of 10 dimensions; Levina-Bickel's convention takes another 5 % away.
TOLERANCE = {2: 0.10, 5: 0.18, 10: 0.25}


def manifold(kind: str, d: int, ambient: int = 50) -> np.ndarray:
    draw = np.random.default_rng(d)
    points = draw.normal(size=(N, d)) if kind == "gaussian" else draw.uniform(size=(N, d))
    return points @ np.linalg.qr(draw.normal(size=(ambient, d)))[0].T


@pytest.mark.parametrize("d", sorted(TOLERANCE))
@pytest.mark.parametrize("kind", ["gaussian", "cube"])
def test_known_dimensions(kind, d):
    for name, value in dimension.estimate(manifold(kind, d)).items():
        assert value == pytest.approx(d, rel=TOLERANCE[d]), name


def test_scale_and_rotation_do_not_matter_nor_do_copies():
    points = manifold("gaussian", 5)
    turned = 255 * points @ np.linalg.qr(np.random.default_rng(0).normal(size=(50, 50)))[0] + 3
    copied = np.concatenate([points, points[:500]]).reshape(-1, 5, 10, 1)
    for other in (turned, copied):
        assert dimension.estimate(other) == pytest.approx(dimension.estimate(points))


def test_levina_bickel_by_hand():
    distances = np.array([[1.0, 2.0, 4.0], [1.0, 1.0, 4.0]])
    sums = [np.log(4) + np.log(2), 2 * np.log(4)]
    assert dimension.levina_bickel(distances) == pytest.approx((3 - 2) / np.mean(sums))


def test_levina_bickel_is_low_by_its_published_convention_only():
    """(k-1)/(k-2) times the estimate is unbiased: at k = 3 the published convention gives half of the dimension."""
    distances = dimension.neighbour_distances(manifold("gaussian", 2), 3)
    assert dimension.levina_bickel(distances) == pytest.approx(1.0, rel=0.05)


def test_two_nn_recovers_the_law_that_it_assumes():
    """Ratios drawn from a Pareto law of exponent 7."""
    ratios = 1 + np.random.default_rng(0).pareto(7, 20_000)
    assert dimension.two_nn(np.column_stack([np.ones(20_000), ratios])) == pytest.approx(7, rel=0.03)


def test_too_few_different_images():
    with pytest.raises(InputError, match="20 different images of 60"):
        dimension.estimate(np.tile(np.eye(20), (3, 1)))


def test_mnist():
    """Pope et al. 2021, table 1, gives 13 at k = 20 for all 60,000 images; the first 5,000 alone see 10.6."""
    path = Path(os.environ.get("STUDY_DATA_DIR", ""), "mnist.npz")
    if not path.is_file():
        pytest.skip("needs mnist.npz in the folder that STUDY_DATA_DIR names")
    with np.load(path) as file:
        images = file["x_train"][:5000] / 255
    estimates = dimension.estimate(images)
    assert estimates["Levina-Bickel"] == pytest.approx(10.64, abs=0.01)
    assert estimates["TwoNN"] == pytest.approx(12.40, abs=0.01)
