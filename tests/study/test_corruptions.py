"""Masks and noise: by hand where small, by their moments where random, and the same for an image wherever it stands."""

import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from study import corruptions

SHAPE = (8, 8, 1)


def removed(condition, shape=SHAPE):
    return corruptions.masks(condition, shape)


@pytest.mark.parametrize(
    ("condition", "side", "start"), [("centre_12", 1, 3), ("centre_25", 2, 3), ("centre_50", 4, 2)]
)
def test_a_square_in_the_middle(condition, side, start):
    expected = np.zeros((1, 8, 8), bool)
    expected[0, start : start + side, start : start + side] = True
    np.testing.assert_array_equal(removed(condition), expected)


@pytest.mark.parametrize(("height", "kept"), [(8, 4), (7, 4), (1, 1)])
def test_the_lower_half(height, kept):
    mask = removed("half", (height, 5, 3))[0]
    assert not mask[:kept].any() and mask[kept:].all()


@pytest.mark.parametrize("percent", corruptions.SQUARES)
def test_random_squares_are_whole_squares_at_different_places(percent):
    masks = removed(f"square_{percent}", (28, 20, 1))
    side = round(20 * percent / 100)
    assert masks.shape == (corruptions.PATTERNS, 28, 20)
    for mask in masks:
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        assert (len(rows), len(columns), mask.sum()) == (side, side, side * side)
        assert np.ptp(rows) == np.ptp(columns) == side - 1
    assert len({mask.tobytes() for mask in masks}) > corruptions.PATTERNS // 2


@pytest.mark.parametrize("percent", [25, 50, 75])
def test_random_pixels_are_removed_at_their_rate(percent):
    """Within four standard errors of a binomial share."""
    masks = removed(f"pixels_{percent}", (28, 28, 3))
    share = percent / 100
    assert abs(masks.mean() - share) < 4 * np.sqrt(share * (1 - share) / masks.size)


@given(st.sampled_from(corruptions.MASKS), st.integers(2, 12), st.integers(2, 12))
def test_something_is_always_removed_and_something_kept_of_a_square(condition, height, width):
    masks = removed(condition, (height, width, 1))
    assert masks.any(axis=(1, 2)).all()
    if not condition.startswith("pixels"):
        assert not masks.all(axis=(1, 2)).any()


def test_which_mask_an_image_gets_depends_on_its_index_alone():
    index = np.array([5, 900, 3])
    together = corruptions.which("square_25", index, 8)
    assert [corruptions.which("square_25", index[i : i + 1], 8)[0] for i in range(3)] == list(together)
    many = corruptions.which("square_25", np.arange(4_000), 8)
    assert np.all(np.abs(np.bincount(many, minlength=8) - 500) < 5 * np.sqrt(4_000 * 7 / 64))
    assert not np.array_equal(many, corruptions.which("square_50", np.arange(4_000), 8))


@pytest.mark.parametrize("condition", corruptions.NOISES)
def test_noise_depends_on_index_and_condition_alone(condition):
    images = np.random.default_rng(0).random((3, *SHAPE)).astype(np.float32)
    index = np.array([7, 1, 4])
    noisy = corruptions.noisy(images, condition, index)
    backwards = corruptions.noisy(images[::-1], condition, index[::-1])
    np.testing.assert_array_equal(noisy, backwards[::-1])
    assert not np.array_equal(noisy, corruptions.noisy(images, condition, index + 1))
    assert noisy.dtype == np.float32 and noisy.min() >= 0 and noisy.max() <= 1


def draws(value, condition, count=3_000, channels=1):
    return corruptions.noisy(np.full((count, 2, 2, channels), value, np.float32), condition, np.arange(count))


def test_gaussian_noise_has_its_deviation_where_nothing_is_clipped():
    noise = draws(0.5, "gaussian_0.1") - 0.5
    assert noise.std() == pytest.approx(0.1, rel=0.03) and abs(noise.mean()) < 4 * 0.1 / np.sqrt(noise.size)


def test_salt_and_pepper_hits_a_pixel_in_all_its_channels():
    noisy = draws(0.5, "salt_pepper_0.25", channels=3)
    assert set(np.unique(noisy)) == {0, 0.5, 1}
    assert np.all(noisy == noisy[..., :1])
    for value, share in ((0, 0.125), (1, 0.125)):
        assert np.mean(noisy[..., 0] == value) == pytest.approx(share, abs=4 * np.sqrt(share / 12_000))


def test_poisson_noise_grows_with_brightness():
    noisy = draws(0.4, "poisson_10")
    assert noisy.mean() == pytest.approx(0.4, abs=0.01) and noisy.var() == pytest.approx(0.04, rel=0.1)
    assert np.all(draws(0.0, "poisson_10", 10) == 0)
    np.testing.assert_allclose(noisy * 10, np.round(noisy * 10), atol=1e-5)


def test_every_condition_is_described_and_its_rule_is_what_is_done():
    said = [corruptions.describe(c) for c in (*corruptions.MASKS, *corruptions.NOISES)]
    assert len(set(said)) == len(said)
    number = zlib.crc32(b"pixels_50")
    rule = corruptions.rule("pixels_50")
    assert f"default_rng([m, {number}])" in rule and f"default_rng([i, {number}])" in rule
    assert corruptions.which("pixels_50", np.array([12]), 8)[0] == np.random.default_rng([12, number]).integers(8)
    first = np.random.default_rng([0, number]).random((8, 8)) < 0.5
    assert (removed("pixels_50")[0] != first).sum() <= 1  # one pixel is removed in any case
    assert corruptions.rule("centre_25") == corruptions.rule("half") == "the same pixels of every image"
    assert str(zlib.crc32(b"gaussian_0.5")) in corruptions.rule("gaussian_0.5")
