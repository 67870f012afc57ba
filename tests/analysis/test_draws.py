"""Which images an application sees: the same for every model, fixed draws, by the rule of the split."""

import numpy as np
import pandas as pd
import pytest
from sklearn.decomposition import PCA

from analysis import draws
from study import datasets
from study.preprocessing import contrast


@pytest.fixture(scope="module")
def digits():
    return datasets.load("digits")


def draw_of(digits, split="test", wanted=50, seed=0, sizes=None, **levels):
    cell = dict(dataset="digits", train_size=200.0, normal_class=np.nan, preprocessing="unit", latent_dim=4) | levels
    rows = pd.DataFrame([{**cell, "seed": seed}, {**cell, "latent_dim": 2, "seed": seed}])
    return draws.draw_of(rows, lambda name: digits, True, sizes, split=split, wanted=wanted)


def test_levels_come_out_of_the_table_as_they_went_in(digits):
    draw = draw_of(digits)
    assert draw.cell == dict(dataset="digits", train_size=200, normal_class=None, preprocessing="unit")
    assert isinstance(draw.cell["train_size"], int) and draw.sizes == (2, 4)
    assert draw_of(digits, sizes=[8, 2]).sizes == (2, 8)


def test_test_images_are_the_same_for_every_seed_and_a_few_are_among_many(digits):
    many, few = draw_of(digits, wanted=100), draw_of(digits, wanted=30, seed=1)
    np.testing.assert_array_equal(many.index[:30], few.index)
    np.testing.assert_array_equal(many.images, digits.x_test[many.index].astype(np.float32) / 16)
    assert len(set(many.index)) == 100 and list(many.index) != sorted(many.index)
    assert len(draw_of(digits, wanted=10_000).index) == 360
    np.testing.assert_array_equal(many.labels, digits.y_test[many.index])


@pytest.mark.parametrize("split", ["val", "train", "heldout"])
def test_other_splits_are_the_seeds_own(digits, split):
    draw = draw_of(digits, split, seed=3)
    expected = datasets.split(digits, 3, 200)
    assert set(draw.index) <= set(getattr(expected, f"{split}_index"))
    np.testing.assert_array_equal(draw.images, digits.x_train[draw.index].astype(np.float32) / 16)


def test_settings_are_never_chosen_on_the_evaluated_images(digits):
    assert not set(draw_of(digits, "val").validation_index) & set(draw_of(digits, "val", 10_000).index)
    expected = datasets.split(digits, 0, 200)
    assert set(draw_of(digits, "test").validation_index) <= set(expected.val_index)
    assert set(draw_of(digits, "val").validation_index) <= set(expected.heldout_index)


def test_a_normal_class_leaves_only_its_images(digits):
    draw = draw_of(digits, wanted=1000, normal_class=3.0, train_size=np.nan)
    assert set(draw.labels) == {3} and len(draw.index) == (digits.y_test == 3).sum()
    trained = digits.y_train[datasets.split(digits, 0, None, 3).train_index]
    assert set(trained) == {3} and len(draw.train) == len(trained)


def test_what_the_network_sees_is_the_preprocessed_image(digits):
    plain = draw_of(digits)
    assert plain.seen(plain.plain) is plain.plain
    draw = draw_of(digits, preprocessing="l1_contrast")
    np.testing.assert_allclose(draw.seen(draw.plain), draw.images, atol=1e-5)
    np.testing.assert_allclose(draw.plain, plain.images, atol=1e-6)
    ratio = np.corrcoef(draw.images.ravel(), contrast(plain.images).ravel())[0, 1]
    assert ratio == pytest.approx(1), "the same contrast up to one scale for all images"


def test_shown_images_are_two_of_median_and_two_of_large_pca_error(digits):
    for split in ("test", "val"):
        draw = draw_of(digits, split, wanted=360)
        model = PCA(8).fit(draw.train.reshape(len(draw.train), -1))
        flat = draw.images.reshape(len(draw.images), -1)
        errors = np.square(flat - model.inverse_transform(model.transform(flat))).mean(axis=1)
        shown = draw.shown.reshape(4, -1)
        share = [
            np.mean(errors <= np.square(x - model.inverse_transform(model.transform(x[None]))[0]).mean() + 1e-9)
            for x in shown
        ]
        assert 0.3 < share[0] < 0.7 and 0.3 < share[1] < 0.7 and min(share[2:]) > 0.8, split
        assert set(draw.shown_index) <= set(draw.index)
