"""Inpainting: what is removed, filled and compared, and its baselines against scikit-image and brute force."""

import numpy as np
import pytest
from skimage.restoration import inpaint_biharmonic

from analysis import inpainting, restoration
from analysis.draws import Draw
from study import corruptions, datasets, metrics
from study.preprocessing import prepare

CELL = dict(dataset="digits", train_size=150, normal_class=None, preprocessing="unit")


class Half:
    """A model that says half of what it is shown, and remembers it."""

    def __init__(self):
        self.seen = []

    def predict_on_batch(self, images):
        self.seen.append(images)
        return images / 2


def draw_of(split="test", wanted=40, first=True):
    raw = datasets.load("digits")
    data, splits = prepare(CELL, 0, raw)
    return Draw(CELL, 0, data, splits, split, wanted, first, raw, lambda images: images, sizes=(2,))


@pytest.fixture(scope="module")
def draw():
    return draw_of()


@pytest.fixture(scope="module")
def baselines(draw):
    return inpainting.open_bench(draw).baselines()


def test_the_masks_asked_for():
    kinds = [condition.split("_")[0] for condition in corruptions.MASKS]
    assert {kind: kinds.count(kind) for kind in kinds} == {"centre": 4, "square": 4, "half": 1, "pixels": 3}


def test_known_pixels_are_shown_as_they_are_and_removed_ones_as_the_mean_pixel(draw):
    model = Half()
    inpainting.open_bench(draw).model(model, None)
    for condition, seen in zip(("centre_12", "centre_25"), model.seen, strict=False):
        gone = inpainting.removed(draw, draw.index, condition)
        np.testing.assert_array_equal(seen[~gone], draw.images[~gone])
        np.testing.assert_allclose(seen[gone], draw.train.mean())


def test_errors_are_those_of_removed_pixels_alone(draw):
    """The model says half of the fill there, whatever it says of the rest."""
    found = inpainting.open_bench(draw).model(Half(), None)
    row = next(r for r in found.rows if r["condition"] == "half" and r["mode"] == "one pass")
    gone = draw.images[:, 4:]
    expected = np.square(gone.astype(float) - draw.train.mean() / 2).mean()
    assert row["mse"] == pytest.approx(expected, rel=1e-5) and row["n_images"] == 40
    assert row["mae"] == pytest.approx(np.abs(gone - draw.train.mean() / 2).mean(), rel=1e-5)
    whole = draw.images.copy()
    whole[:, 4:] = draw.train.mean() / 2
    assert row["ssim"] == pytest.approx(metrics.structural_similarity(draw.images, whole).mean(), abs=1e-6)


def test_iteration_puts_known_pixels_back_ten_times(draw):
    found = inpainting.open_bench(draw).model(Half(), None)
    row = next(r for r in found.rows if r["condition"] == "half" and r["mode"] == "iterated")
    expected = np.square(draw.images[:, 4:].astype(float) - draw.train.mean() / 2**10).mean()
    assert row["mse"] == pytest.approx(expected, rel=1e-5)


def test_other_fills_are_compared_for_one_mask(draw):
    found = inpainting.open_bench(draw).model(Half(), None)
    rows = {r["mode"]: r for r in found.rows if r["mode"].startswith("filled")}
    assert {r["condition"] for r in rows.values()} == {"centre_38"} and len(rows) == 4
    gone = draw.images[inpainting.removed(draw, draw.index, "centre_38")].astype(float)
    for name, value in (("black", 0), ("grey", 0.5), ("white", 1)):
        assert rows[f"filled with {name}"]["mse"] == pytest.approx(np.square(gone - value / 2).mean(), rel=1e-5)


def test_every_method_has_every_mask(baselines):
    seen = {(row["method"], row["condition"]) for row in baselines.rows}
    methods = {"mean image", "linear optimum", "nearest image", "biharmonic"}
    assert seen == {(method, condition) for method in methods for condition in corruptions.MASKS}


def test_the_mean_image_by_hand(draw, baselines):
    row = next(r for r in baselines.rows if r["method"] == "mean image" and r["condition"] == "half")
    expected = np.square(draw.images[:, 4:].astype(float) - draw.train.mean(axis=0)[4:]).mean()
    assert row["mse"] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("condition", ["centre_50", "half", "pixels_75"])
@pytest.mark.parametrize("channels", [1, 3])
def test_biharmonic_is_scikit_images_image_by_image(condition, channels):
    images = np.random.default_rng(0).random((4, 12, 11, channels)).astype(np.float32)
    mask = corruptions.masks(condition, (12, 11, channels))[0]
    expected = [
        inpaint_biharmonic(np.where(mask[..., None], 0, x).astype(float), mask, channel_axis=-1) for x in images
    ]
    np.testing.assert_allclose(inpainting.biharmonic(images, mask), expected, atol=1e-8)


def test_nearest_is_found_by_brute_force(draw):
    mask = corruptions.masks("centre_50", draw.data.shape)[0]
    found = inpainting.nearest(draw.images, draw.train, mask)
    for image, taken in zip(draw.images, found, strict=True):
        distances = [np.square((image - other)[~mask].astype(float)).sum() for other in draw.train]
        assert distances[taken] == pytest.approx(min(distances), abs=1e-5)


def test_nearest_is_never_the_image_itself():
    draw = draw_of("train", 30)
    rows = inpainting.open_bench(draw).baselines().rows
    errors = [r["mse"] for r in rows if r["method"] == "nearest image"]
    assert min(errors) > 1e-3
    mask = corruptions.masks("centre_12", draw.data.shape)[0]
    place = [int(np.flatnonzero(draw.train_index == i)[0]) for i in draw.index]
    assert list(inpainting.nearest(draw.images, draw.train, mask)) == place


def test_few_images_at_a_time_find_the_same(draw, monkeypatch):
    mask = corruptions.masks("half", draw.data.shape)[0]
    whole = inpainting.nearest(draw.images, draw.train, mask)
    monkeypatch.setattr(inpainting, "NEIGHBOURS_AT_A_TIME", 7)
    np.testing.assert_array_equal(inpainting.nearest(draw.images, draw.train, mask), whole)


def test_the_linear_optimum_does_better_than_the_mean_image(baselines):
    error = {(r["method"], r["condition"]): r["mse"] for r in baselines.rows}
    for condition in corruptions.MASKS:
        assert error["linear optimum", condition] < error["mean image", condition]


def test_costly_methods_are_tried_on_the_first_images(draw, monkeypatch):
    monkeypatch.setattr(restoration, "FEW", 10)
    rows = inpainting.open_bench(draw).baselines().rows
    counts = {m: sorted({r["n_images"] for r in rows if r["method"] == m}) for m in ("linear optimum", "nearest image")}
    assert counts == {"linear optimum": [10, 40], "nearest image": [10]}


def test_pictures_are_kept_of_the_lowest_seed_alone(baselines):
    assert {key.split("/")[0] for key in baselines.pictures} == {"input", "linear optimum", "original"}
    other = draw_of(wanted=10, first=False)
    assert not inpainting.open_bench(other).model(Half(), None).pictures
