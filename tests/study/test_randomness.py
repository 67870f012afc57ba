"""What the seed decides where a cell lets one source of randomness vary alone."""

import pytest

from study import datasets, training
from study.randomness import LEVELS, seed_of
from study.space import DEFAULTS, cell_name

SHARED = dict(dataset="digits", architecture="dense", latent_dim=2, loss="mse", train_size=100)


def cell(randomness):
    return {**DEFAULTS, **SHARED, "randomness": randomness}


@pytest.fixture(scope="module")
def values():
    """Randomness and seed → the values of a trial."""
    digits = datasets.load("digits", None)
    return {
        (level, seed): training.train(cell(level), seed, {"epochs": 1}, digits).values
        for level in LEVELS
        for seed in (0, 3)
    }


def mean_image_error(values):
    """Decided by the splits alone: the error of the training mean image on validation images."""
    return values["val_mse"] / values["val_fvu"]


def test_at_seed_0_every_level_is_the_same_trial(values):
    assert len({values[level, 0]["test_mse"] for level in LEVELS}) == 1


def test_each_source_alone_changes_the_result(values):
    assert len({values[level, 3]["test_mse"] for level in LEVELS}) == len(LEVELS)
    assert all(values[level, 3]["test_mse"] != values["all", 0]["test_mse"] for level in LEVELS)


@pytest.mark.parametrize(("level", "same"), [("weights", True), ("batch_order", True), ("splits", False)])
def test_splits_stay_those_of_seed_0_unless_they_vary(values, level, same):
    equal = mean_image_error(values[level, 3]) == pytest.approx(mean_image_error(values[level, 0]), rel=1e-12)
    assert equal == same
    assert mean_image_error(values["all", 3]) == pytest.approx(mean_image_error(values["splits", 3]), rel=1e-12)


def test_names_and_seeds():
    assert cell_name(cell("weights")) == "digits-dense-k2-mse-n100-only_weights"
    assert cell_name(cell("all")) == "digits-dense-k2-mse-n100"
    assert [seed_of("weights", cell(level), 3) for level in LEVELS] == [3, 3, 0, 0]


def test_spread_over_test_images_is_that_of_their_errors(values):
    assert 0 < values["all", 0]["test_mse_image_sd"] < 1
