"""Generation: benches on networks made of NumPy, estimates on hand-made results, the classifier, and the command."""

import dataclasses
import itertools
import json
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis import (
    draws,
    figures,
    generation,
    generation_answer,
    generation_bench,
    generation_estimates,
    generation_features,
    generation_figures,
    generation_pictures,
    generation_text,
    linear,
)
from analysis.applications import Results
from analysis.generation_bench import HELD_OUT, PCA_MIXTURE, PRIMARY, TRAINING
from analysis.generation_samplers import SAMPLERS
from study import datasets
from study.errors import InputError


@pytest.fixture(scope="module")
def digits():
    return datasets.load("digits", None)


@pytest.fixture(scope="module")
def draw(digits):
    row = {"dataset": "digits", "train_size": None, "normal_class": None, "preprocessing": "unit", "seed": 0}
    return draws.draw_of(pd.DataFrame([row]), lambda name: digits, True, split="test", wanted=120, sizes=(2,))


@pytest.fixture(scope="module")
def measure(draw, tmp_path_factory):
    """Principal components instead of the classifier: no Keras."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(
            generation_features, "of_draw", lambda draw, folder: generation_features.components(draw.train, 10)
        )
        return generation_bench.Measure(draw, tmp_path_factory.mktemp("classifier"))


class Layer:
    """A layer of a network, as far as analyses use it."""

    inputs = (None,)

    def __init__(self, function):
        self._function = function

    def predict(self, values, batch_size, verbose):
        return self._function(np.asarray(values))


def network(encode, decode):
    parts = {"encoder": Layer(encode), "decoder": Layer(decode)}
    return SimpleNamespace(get_layer=parts.__getitem__)


def principal(draw, k):
    """PCA as an autoencoder."""
    basis = linear.fit(draw.train, k)
    return network(
        lambda images: basis.codes(images, k),
        lambda codes: (basis.mean + codes @ basis.components[:k]).reshape(-1, *draw.data.shape).astype(np.float32),
    )


@pytest.fixture(scope="module")
def found(measure, draw):
    return generation_bench._model(measure, principal(draw, 2))


def test_every_sampler_is_measured_and_shown(found):
    table = pd.DataFrame(found.rows).set_index("sampler")
    assert list(table.index) == list(SAMPLERS)
    assert np.isfinite(table[[PRIMARY, "precision", "recall", "density", "coverage", "nearest"]]).all(axis=None)
    assert (table["n_images"] == 120).all() and table["frechet_distance"].notna().all()
    assert {f"draws/{name}" for name in SAMPLERS} | {"between/0-1", "between/2-3", "manifold"} <= set(found.pictures)
    assert found.pictures["manifold"].shape == (225, 8, 8, 1) and "line" not in found.pictures
    assert found.per_image["codes/evaluated"].shape == (120, 2) and len(found.per_image["labels"]) == 120


def test_a_second_run_draws_the_same(measure, draw, found):
    again = generation_bench._model(measure, principal(draw, 2))
    assert again.rows == found.rows


def test_only_the_lowest_seed_leaves_pictures(measure, draw):
    from dataclasses import replace

    later = generation_bench._model(SimpleNamespace(draw=replace(draw, first=False), row=measure.row,
                                                    memory=measure.memory), principal(draw, 1))  # fmt: skip
    assert later.pictures == {} and set(later.per_image) == {f"nearest/{name}" for name in SAMPLERS}


def test_the_line_goes_over_the_codes_of_one_unit(measure, draw):
    found = generation_bench._model(measure, principal(draw, 1))
    codes = found.per_image["codes/line"]
    ends = np.quantile(linear.fit(draw.train, 1).codes(draw.train), [0.025, 0.975])
    assert codes.shape == (20, 1) and codes[[0, -1], 0] == pytest.approx(ends, rel=1e-5)


def test_the_ends_of_an_interpolation_are_the_reconstructions(found, draw):
    basis = linear.fit(draw.train, 2)
    expected = np.clip(basis.reconstruct(draw.shown, 2), 0, 1)
    for first, second in generation_bench.PAIRS:
        images = found.pictures[f"between/{first}-{second}"]
        np.testing.assert_allclose(images[[0, -1]], expected[[first, second]], atol=1e-6)
        middle = basis.mean + basis.codes(draw.shown).take([first, second], axis=0).mean(axis=0) @ basis.components
        np.testing.assert_allclose(images[4].ravel(), np.clip(middle, 0, 1), atol=1e-5)


def test_the_manifold_goes_from_left_to_right_and_from_the_bottom_up(found):
    codes = found.per_image["codes/manifold"].reshape(15, 15, 2)
    assert (np.diff(codes[0, :, 0]) > 0).all() and (codes[0, :, 1] == codes[0, 0, 1]).all()
    assert (np.diff(codes[:, 0, 1]) < 0).all(), "the first row of tiles stands at the top"


def test_a_decoder_that_copies_training_images_is_found_out(measure, draw, found):
    def copy(codes):
        order = np.abs(codes[:, 0] * 1e6).astype(int) % 200
        return draw.train[order]

    copied = pd.DataFrame(
        generation_bench._model(measure, network(principal(draw, 2).get_layer("encoder")._function, copy)).rows
    )
    assert (copied["nearest_is_training"] > 0.9).all() and (copied["nearest"] < 1e-3).all()
    assert (copied["nearer_than_heldout"] == 1).all()
    assert (pd.DataFrame(found.rows)["nearest_is_training"] < 0.8).all()


def test_baselines_real_images_are_the_floor(measure):
    found = generation_bench._baselines(measure)
    table = pd.DataFrame(found.rows).set_index("method")
    assert list(table.index) == [PCA_MIXTURE, TRAINING, HELD_OUT]
    assert abs(table.loc[TRAINING, PRIMARY]) < 0.2 * table.loc[PCA_MIXTURE, PRIMARY] + 0.5
    assert table.loc[TRAINING, "nearest_is_training"] == 1 and table.loc[TRAINING, "nearest"] < 1e-3
    assert table.loc[HELD_OUT, "nearest_is_training"] == 0, "an image lies nearest to itself"
    assert table.loc[HELD_OUT, "nearest"] == pytest.approx(table.loc[HELD_OUT, "nearest_of_heldout"], abs=0.02)
    assert "coordinates" in table.loc[PCA_MIXTURE, "setting"] and (table["features"] == "PCA").all()


def test_the_evaluated_images_are_no_floor_of_their_own(measure, draw):
    from dataclasses import replace

    shown = replace(draw, split="heldout")
    other = generation_bench.Measure.__new__(generation_bench.Measure)
    other.__dict__.update(measure.__dict__, draw=shown)
    assert HELD_OUT not in [row["method"] for row in generation_bench._baselines(other).rows]


def test_too_few_images_are_refused(draw, tmp_path):
    from dataclasses import replace

    with pytest.raises(InputError, match="needs 10 or more; here are 9 evaluated"):
        generation_bench.Measure(replace(draw, wanted=9), tmp_path)


def test_components_have_unit_variance_and_a_dead_one_gives_nothing():
    draw = np.random.default_rng(0)
    images = draw.normal(size=(500, 3, 2, 1)) * np.array([3.0, 1.0])[None, None, :, None]
    images[..., 1, :] = 0
    found = generation_features.components(images, 6)
    features = found.apply(images)
    np.testing.assert_allclose(features[:, :3].std(axis=0, ddof=1), 1)
    np.testing.assert_allclose(features[:, 3:], 0, atol=1e-9)


def test_feature_size_leaves_ten_test_images_a_feature(digits):
    from dataclasses import replace

    assert generation_features.size_for(digits) == 32
    assert generation_features.size_for(replace(digits, x_test=digits.x_test[:130])) == 13
    assert generation_features.size_for(replace(digits, x_test=digits.x_test[:9])) == 4


def test_the_classifier_is_trained_once_and_a_damaged_one_anew(digits, tmp_path, monkeypatch):
    monkeypatch.setattr(generation_features, "STEPS", 150)
    first = generation_features.classifier(digits, tmp_path)
    assert first.accuracy.n == 360 and first.accuracy.low > 0.4 and len(first.digest) == 16
    images = datasets.to_unit(digits.x_train[:200], digits.value_range)
    features = first.apply(images)
    np.testing.assert_allclose(features.mean(axis=0), 0, atol=0.5)
    monkeypatch.setattr(generation_features, "_train", lambda *_: pytest.fail("trained again"))
    again = generation_features.classifier(digits, tmp_path)
    assert again.digest == first.digest
    np.testing.assert_array_equal(again.apply(images), features)
    monkeypatch.undo()
    monkeypatch.setattr(generation_features, "STEPS", 150)
    (tmp_path / "model.keras").write_bytes(b"damaged")
    assert generation_features.classifier(digits, tmp_path).digest == first.digest


# --- estimates, on hand-made results


def _row(cell, sampler, regularizer, seed, distance, weights="w"):
    same = dict.fromkeys(generation_estimates.METRICS, 0.6)
    factors = {"dataset": "toy", "train_size": None, "normal_class": np.nan, "preprocessing": "unit", "seed": seed}
    numbers = {PRIMARY: distance, "told_apart_low": 0.55, "n_images": 100, "weights": weights}
    return {**same, **factors, "trial": f"{cell}-s{seed:02d}", "latent_dim": 2, "regularizer": regularizer,
            "sampler": sampler, **numbers}  # fmt: skip


def _results(seeds=12, weights="w", shift=0.0):
    noise = np.random.default_rng(0).normal(scale=0.01, size=(2, seeds))
    models, baselines = [], []
    for seed in range(seeds):
        for cell, regularizer, main, distance in (
            ("toy-a-k2", "none", "Gaussian mixture", 0.2 + noise[0, seed]),
            ("toy-v-k2", "variational", "standard normal", 0.6 + noise[1, seed]),
        ):
            models += [_row(cell, name, regularizer, seed, distance + (name != main), weights) for name in SAMPLERS]
        for method, distance in ((PCA_MIXTURE, 0.4 + shift), (TRAINING, 0.01), (HELD_OUT, 0.02)):
            row = _row("x", "", "", seed, distance)
            described = {"features": "classifier", "feature_size": 8, "accuracy": 0.9, "accuracy_low": 0.8,
                         "accuracy_high": 0.95, "accuracy_n": 50}  # fmt: skip
            baselines.append({**row, **described, "method": method, "file": f"baselines-toy-s{seed:02d}"})
    return Results(pd.DataFrame(models), pd.DataFrame(baselines), {}, [], lambda name: {})


@pytest.fixture(scope="module")
def estimates():
    return generation_estimates.estimate(_results())


def test_cells_are_held_against_the_pca_mixture_at_their_main_samplers(estimates):
    rows = estimates.contrast.set_index("cell")
    assert rows["sampler"].to_dict() == {"toy-a-k2": "Gaussian mixture", "toy-v-k2": "standard normal"}
    assert rows["verdict"].to_dict() == {"toy-a-k2": "lower", "toy-v-k2": "higher"}
    assert rows["difference"].tolist() == pytest.approx([-0.2, 0.2], abs=0.01)
    assert (rows["n"] == 12).all() and "sign-flip" in rows["method"].iloc[0]
    assert rows["floor"].tolist() == pytest.approx([0.01, 0.01])


def test_metrics_are_means_over_seeds_with_t_intervals(estimates):
    values = [_["kernel_distance"] for _ in _results().models.query("trial.str.startswith('toy-a') and "
              "sampler == 'Gaussian mixture'").to_dict("records")]  # fmt: skip
    row = estimates.metrics.query("cell == 'toy-a-k2' and main and metric == @PRIMARY").iloc[0]
    expected = [np.mean(values), *stats.t.interval(0.95, 11, np.mean(values), stats.sem(values))]
    assert row[["value", "low", "high"]].tolist() == pytest.approx(expected)
    shown = estimates.metrics.query("cell == 'toy-a-k2' and main and metric == 'told_apart_shown'").iloc[0]
    assert (shown["value"], shown["n"]) == (1, 12)


def test_intervals_over_seeds_say_for_which_images_they_hold(estimates):
    """All seeds share the test images; validation images each draws, as it does those that copies are looked for in."""
    for found, images in (
        (estimates, "for these test images"),
        (generation_estimates.estimate(_results(), "val"), "each with images of its own"),
    ):
        methods = found.metrics.drop_duplicates("metric").set_index("metric")["method"]
        assert methods[PRIMARY].endswith(images) and found.contrast["method"].str.endswith(images).all()
        assert methods["nearest_is_training"].endswith("each with images of its own")
    assert any("for these test images" in answer.sentence for answer in generation_answer.answers(estimates, "test"))


def without(results, *trials):
    models = results.models[~results.models["trial"].isin(trials)]
    return Results(models, results.baselines, {}, [], results.per_image)


def test_a_seed_more_of_one_cell_evicts_no_other():
    """Each cell over its own seeds, Bonferroni for both."""
    results = without(_results(5), "toy-v-k2-s04")
    found = generation_estimates.estimate(results)
    rows = found.contrast.set_index("cell")
    assert rows["n"].to_dict() == {"toy-a-k2": 5, "toy-v-k2": 4}
    assert rows["method"].str.contains("Bonferroni 95 % intervals for 2").all()
    for cell in rows.index:
        mine = results.models["trial"].str.startswith(cell) & results.models["sampler"].eq(rows.loc[cell, "sampler"])
        values = results.models.loc[mine, PRIMARY] - 0.4
        ends = stats.t.interval(1 - 0.05 / 2, len(values) - 1, values.mean(), stats.sem(values))
        assert rows.loc[cell, ["low", "high"]].tolist() == pytest.approx(ends)
        assert rows.loc[cell, PRIMARY] - rows.loc[cell, "baseline"] == pytest.approx(rows.loc[cell, "difference"])
    (answer,) = generation_answer.answers(found, "test")
    assert "simultaneous 95 % intervals, n = 4 to 5)" in answer.sentence
    assert any("n = 4 to 5; paired t over each one's own" in text for text in generation_text.sentences(found, "test"))


def test_features_of_another_classifier_and_missing_baselines_are_refused():
    with pytest.raises(InputError, match=r"another classifier.*search mine --rebuild '\*', then delete"):
        generation_estimates.check_features(_results(weights="other"), "mine")
    results = _results()
    generation_estimates.check_features(results, "mine")
    without = results.baselines[results.baselines["seed"] > 0]
    with pytest.raises(InputError, match="baselines are missing"):
        generation_estimates.estimate(Results(results.models, without, {}, [], results.per_image))


def test_sentences_and_the_answer_follow_the_numbers(estimates):
    said = generation_text.sentences(estimates, "test")
    assert any("1 of 2 cells are nearer to real images than the PCA mixture's: toy-a-k2 0.2" in text for text in said)
    assert any("1 of 2 cells are farther" in text and "toy-v-k2" in text for text in said)
    assert any("test accuracy 0.9000 [0.8000, 0.9500]" in text and "weights w" in text for text in said)
    assert all("nan" not in text for text in said)
    answer = generation_answer.answers(estimates, "test")[0]
    told, trials = generation_text.told_apart(estimates.metrics.query("main and kind == 'model'"))
    assert answer.question == "generation" and answer.sentence.startswith("On toy: yes, for 1 of 2 cells, whose images")
    assert f"; a classifier tells samples from real images in {told} of {trials} trials." in answer.sentence
    assert " At their main sampler 1 of 2 cells decode to images nearer to real ones than" in answer.sentence
    beside = (
        "0.5 by guessing, 0.6 for the PCA mixture's images, 0.6 where other real images stand for the generated ones"
    )
    told = f"sorts its images and as many real ones, taken together, with an accuracy of 0.6 ({beside})"
    assert told in answer.sentence and "tells its images" not in answer.sentence
    assert any("sorts generated and as many real images, taken together" in t and beside in t for t in said)
    known = {identity for table in generation_estimates.citable_statistics(estimates) for identity in table["id"]}
    assert answer.statistic in known and answer.figure == "distances-toy", "where the kernel distances are drawn"


@pytest.mark.parametrize(("verdicts", "copies", "most", "begins"), [
    (("lower", "higher"), ("higher", "lower"), (0.1, 0.0), "not shown, for what is nearer"),
    (("lower", "lower"), ("not resolved", "higher"), (0.129, 0.1), "not shown: the images of 2 of 2 cells are nearer"),
    (("lower", "lower"), ("not resolved", "not resolved"), (0.129, 0.019), "yes, for 1 of 2 cells, whose images are "
     "nearer to real ones and at most 0.02 more of them than of the mixture's lie nearest to a training image; the "
     "latter is open of 1 more that are nearer; a"),
    (("lower", "lower"), ("higher", "lower"), (0.01, -0.01), "yes, for 2 of 2 cells, whose"),  # more, and too few
    (("lower", "higher"), ("not resolved", "lower"), (np.nan, 0.0), "not shown: the images of 1 of 2 cells"),
    (("higher", "higher"), ("lower", "lower"), (0.0, 0.0), "no; a"),
    (("higher", "not resolved"), ("lower", "lower"), (0.0, 0.0), "not resolved; a"),
])  # fmt: skip
def test_the_answer_begins_with_yes_no_or_not_resolved(estimates, verdicts, copies, most, begins):
    """An excess of copies that is not resolved is not shown to be none: 0.05 ± 0.079 may be 0.129."""
    contrast = estimates.contrast.assign(verdict=verdicts, training_verdict=copies, training_high=most)
    (answer,) = generation_answer.answers(dataclasses.replace(estimates, contrast=contrast), "test")
    assert answer.sentence.startswith(f"On toy: {begins}")


def test_real_images_that_are_farther_off_than_generated_ones_are_no_floor(estimates):
    assert any("are the floor" in text for text in generation_text.sentences(estimates, "test"))
    said = generation_text.sentences(generation_estimates.estimate(_results(shift=-0.395)), "test")
    assert any("so that no floor is known" in text for text in said)


def test_a_caption_gives_the_range_of_the_numbers_of_images(estimates):
    assert "against the same 100 real test images, in 8 features (classifier)" in generation_text.caption(
        estimates, "toy", "test"
    )
    metrics = estimates.metrics
    few = metrics.assign(n_images=metrics["n_images"].where(metrics["cell"] != "toy-a-k2", 35))
    text = generation_text.caption(dataclasses.replace(estimates, metrics=few), "toy", "test")
    assert "against 35 to 100 real test images of each cell's own data" in text


def test_two_kinds_of_features_say_whose_they_are(estimates):
    other = {"dataset": "toy", "features": "PCA", "feature_size": 4}
    rows = pd.concat([estimates.features, pd.DataFrame([other])])
    classifier, components = generation_text._features(rows, "test")
    assert classifier.startswith("images of cells without preprocessing are compared by 8 features of a classifier")
    assert components.startswith("images of cells with preprocessing are compared by 4 principal components")


def _memory(estimates):
    main = estimates.metrics.query("main and kind == 'model'")
    return generation_text._memory(main, estimates.metrics.query("kind == 'baseline'"), estimates.contrast)


@pytest.mark.parametrize(("mixture", "verdict", "words"), [
    (0.5, "higher", "is greater in 2 of 2 cells (by toy-a-k2 "),
    (0.7, "lower", "is greater in 0 of 2 cells, less in 2, not resolved in 0 (paired by seed, n = 12"),
])  # fmt: skip
def test_copies_are_looked_for_beside_the_pca_mixture_not_beside_one_half(mixture, verdict, words):
    results = _results()
    noise = np.random.default_rng(1).normal(scale=0.001, size=len(results.models))
    models = results.models.assign(nearest_is_training=0.6 + noise)
    of_mixture = results.baselines["method"] == PCA_MIXTURE
    baselines = results.baselines.assign(nearest_is_training=np.where(of_mixture, mixture, 1.0))
    found = generation_estimates.estimate(Results(models, baselines, {}, [], results.per_image))
    assert (found.contrast["training_verdict"] == verdict).all()
    assert found.contrast["training_difference"].tolist() == pytest.approx([0.6 - mixture] * 2, abs=0.002)
    assert found.contrast["training_method"].str.endswith("each with images of its own").all()
    text = _memory(found)
    assert words in text and f"and for {mixture:g} of the PCA mixture's" in text and "not 0.5, is the reference" in text
    (answer,) = generation_answer.answers(found, "test")
    said = f"{100 * mixture:g} % of the PCA mixture's, which copies none: {'more' if mixture < 0.6 else 'fewer'} than"
    assert said in answer.sentence and "no copies)" not in answer.sentence


def test_without_a_difference_from_the_pca_mixture_no_copying_is_said(estimates):
    assert "is greater in 0 of 2 cells, less in 0, not resolved in 2 (paired" in _memory(estimates)
    (answer,) = generation_answer.answers(estimates, "test")
    assert "60 % of the PCA mixture's, which copies none: the difference is not resolved, +0 [+0, +0] (shares" in (
        answer.sentence
    )


def test_cells_that_are_not_named_are_counted(estimates):
    first = estimates.contrast.head(1).assign(training_verdict="higher")
    five = pd.concat([first.assign(cell=f"c{place}") for place in range(5)])
    text = _memory(dataclasses.replace(estimates, contrast=five))
    assert "greater in 5 of 5 cells (by c0 0 [" in text and "c2 0 [0, 0] and 2 more in contrast.csv), less in 0" in text
    text = _memory(dataclasses.replace(estimates, contrast=five[:4]))
    assert "c3 0 [0, 0]), less in 0" in text, "a single one is not left out"


def test_the_pca_mixture_stands_beside_the_shares(estimates):
    metrics = estimates.metrics
    recall = metrics["value"].where((metrics["sampler"] != PCA_MIXTURE) | (metrics["metric"] != "recall"), 0.25)
    said = generation_text.sentences(dataclasses.replace(estimates, metrics=metrics.assign(value=recall)), "test")
    assert any("precision 0.6 (0.6; 0.6), recall 0.6 (0.25; 0.6)" in text for text in said)


def test_seeds_that_all_lie_on_one_side_are_named_where_nothing_is_resolved(estimates):
    assert estimates.contrast[["seeds_farther", "seeds_nearer"]].to_numpy().tolist() == [[0, 12], [12, 0]]
    rows = estimates.contrast.assign(verdict="not resolved")
    (text,) = generation_text._contrast(rows, "test")
    assert text.endswith("; farther in every seed, though not resolved: toy-v-k2; nearer in every seed, though not "
                         "resolved: toy-a-k2.")  # fmt: skip
    (text,) = generation_text._contrast(rows.assign(seeds_farther=3, seeds_nearer=9), "test")
    assert "every seed" not in text
    (text,) = generation_text._contrast(rows.assign(n=1, seeds_farther=1, seeds_nearer=0), "test")
    assert "every seed" not in text


def test_a_variational_cell_is_shown_by_the_mixture_of_its_own_codes_too(estimates):
    models = estimates.metrics[estimates.metrics["kind"] == "model"]
    (text,) = generation_text._priors(models, "test")
    rows = models[(models["cell"] == "toy-v-k2") & (models["metric"] == PRIMARY)].set_index("sampler")
    mixture, prior = (generation_text.with_interval(rows.loc[name]) for name in ("Gaussian mixture", "standard normal"))
    assert f"instead of the prior: toy-v-k2 {mixture} instead of {prior} (t" in text
    assert not list(generation_text._priors(models[models["cell"] == "toy-a-k2"], "test"))


def test_drawn_intervals_end_where_a_number_can(estimates):
    value, low, high = (pd.Series(ends) for ends in ([0.9, 0.1, -0.1, 0.5], [0.8, -0.2, -0.3, np.nan], [1.2, 0.4, 0.1,
                        np.nan]))  # fmt: skip
    down, up = generation_figures._margins(value, low, high, 1)
    assert down.tolist() == pytest.approx([0.1, 0.1, 0, 0]) and up.tolist() == pytest.approx([0.1, 0.3, 0.2, 0])
    metrics = estimates.metrics.assign(high=3.0, low=-1.0)
    figure = generation_figures.plot(dataclasses.replace(estimates, metrics=metrics), "toy", "caption")
    distances, upper, lower = figure.axes
    ends = [np.concatenate([bars.get_segments() for bars in axes.collections]) for axes in (upper, lower)]
    assert distances.get_xlim()[0] > -0.1
    assert [part.min(axis=(0, 1)).tolist() for part in ends] == [pytest.approx([0, 0])] * 2
    most = [part.max(axis=(0, 1)).tolist() for part in ends]
    assert most == [pytest.approx([1, 1]), pytest.approx([3, 1])], "a density may pass 1"


def test_interpolation_is_not_among_the_samplers_that_are_ranked(estimates):
    models = estimates.metrics[estimates.metrics["kind"] == "model"]
    nearest = models[models["main"]].assign(sampler="interpolation", value=-1.0)
    said = list(generation_text._samplers(pd.concat([models, nearest]), "test"))
    assert said == list(generation_text._samplers(models, "test")) and "by interpolation" not in said[0]


def test_what_cannot_be_told_is_said():
    same = generation_estimates.estimate(_results(seeds=3, shift=-0.2))
    said = generation_text.sentences(same, "val")
    assert any("cells against the PCA mixture: not resolved: toy-" in text for text in said)
    lacking = _results()
    lacking.models["frechet_distance"] = np.nan
    said = generation_text.sentences(generation_estimates.estimate(lacking), "test")
    assert any("no Fréchet distance: it needs 10 images a feature" in text for text in said)


# --- the command


SPACE = """
BASELINE = dict(dataset="digits", architecture="dense", latent_dim=2, loss="bce", train_size=300)
BLOCKS = {"sizes": dict(latent_dim=[1, 4])}
TRAINING = dict(epochs=2, seeds=2)
FAMILIES = {}
"""


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    from tests.conftest import Search

    search = Search(tmp_path_factory.mktemp("generation"))
    search.write(SPACE)
    done = search("--workers", "1")
    assert done.returncode == 0, done.stderr
    return search.artifacts


def test_the_command_and_the_elbow_of_generation(study, capsys, monkeypatch):
    from analysis import application_elbow_errors, latent_elbow

    monkeypatch.setattr(generation_features, "STEPS", 100)
    monkeypatch.setattr(generation, "IMAGES", 60)
    monkeypatch.setattr(application_elbow_errors, "VALIDATION", 40)
    shared = ["tiny", "--artifacts", str(study), "--workers", "1"]
    assert generation.main([*shared, "--format", "json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    cells = [row["cell"] for row in printed["table"]]
    assert cells == [f"digits-dense-k{k}-bce-n300" for k in (2, 1, 4)]
    folder = study / "tiny" / "analysis" / "generation"
    kinds = ("distances", "samples", "interpolation", "manifold", "line")
    assert {f"{kind}-digits.png" for kind in kinds} <= {path.name for path in folder.iterdir()}
    assert all((folder / f"{kind}-digits.csv").is_file() for kind in kinds[1:])
    summary = json.loads((folder / "summary.json").read_text())
    assert summary["answers"][0]["question"] == "generation" and len(summary["sentences"]) >= 8
    results = study / "tiny" / "tasks" / "generation" / "test"
    before = {path: path.stat().st_mtime_ns for path in results.glob("*.csv")}
    assert len(before) == 6 + 2

    assert latent_elbow.main([*shared, "--application", "generation"]) == 0
    out = capsys.readouterr().out
    assert "kernel distance of the main sampler's images, on 40 validation and 60 test images" in out
    assert {path: path.stat().st_mtime_ns for path in results.glob("*.csv")} == before, "a rerun does only what is new"
    folder = study / "tiny" / "analysis" / "latent_elbow" / "generation"
    assert {"curves-digits.png", "choice.csv", "agreement.csv", "regret.csv"} <= {
        path.name for path in folder.iterdir()
    }
    answer = json.loads((folder / "summary.json").read_text())["answers"][0]
    assert answer["question"] == "latent_elbow" and "digits, dense, bce" in answer["sentence"]


def test_bad_input_ends_with_2(study, capsys):
    shared = ["tiny", "--artifacts", str(study)]
    assert generation.main([*shared, "--cells", "nothing"]) == 2
    assert generation.main([*shared, "--images", "1"]) == 2
    assert generation.main(["nowhere", "--artifacts", str(study)]) == 2
    errors = capsys.readouterr().err.splitlines()
    assert len(errors) == 3 and all(line.startswith("error: ") for line in errors)


def test_the_task_can_be_handed_to_other_processes(tmp_path):
    import pickle

    task = pickle.loads(pickle.dumps(generation.task(tmp_path)))
    assert task.open.keywords == {"folder": tmp_path} and task.open.func is generation_bench.open_bench


def test_help_imports_nothing_slow():
    code = (
        "import sys; from analysis import generation\n"
        "try: generation.main(['--help'])\n"
        "except SystemExit as end: assert end.code == 0\n"
        "slow = {'pandas', 'seaborn', 'matplotlib', 'sklearn', 'keras', 'tensorflow'} & set(sys.modules)\n"
        "assert not slow, slow"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "do samples of the latent space decode to new images?" in shown and "--images" in shown


@pytest.mark.parametrize(("low", "high"), [(0.2, 60), (-0.001, 60), (-0.17, 30), (-0.3, 60), (-40, 60), (-2, 2)])
@pytest.mark.parametrize("cell", ["digits-cnn-k2", "digits-keras_io-k2-bce-variational-n10000"])
def test_labels_of_the_distances_do_not_touch(low, high, cell):
    same = {"dataset": "digits", "n_images": 100, "n": 4, "method": "t"}
    others = ((PCA_MIXTURE, 0.26), (TRAINING, 0.0017))
    rows = [
        {"kind": "model", "cell": cell, "sampler": "standard normal", "main": True, "metric": PRIMARY,
         "value": 1.2, "low": low, "high": high},
        *({"kind": "baseline", "cell": "all", "sampler": sampler, "main": False, "metric": PRIMARY,
           "value": value, "low": value, "high": value} for sampler, value in others),
    ]  # fmt: skip
    for metric in ("precision", "recall", "density", "coverage"):
        rows += [{**row, "metric": metric, "value": 0.5, "low": 0.4, "high": 0.6} for row in rows[:3]]
    contrast = pd.DataFrame([{"dataset": "digits", "cell": cell, "baseline": 0.26, "floor": 0.0017}])
    estimates = SimpleNamespace(metrics=pd.DataFrame([{**same, **row} for row in rows]), contrast=contrast)
    figure = generation_figures.plot(estimates, "digits", "A caption.")
    figure.draw_without_rendering()
    axes = figure.subfigs[0].axes[0]
    labels = [label for label in axes.get_xticklabels() if label.get_text()]
    visible = [label.get_window_extent() for label in labels]
    assert len(visible) >= 2
    half = min(extent.width / len(label.get_text()) for label, extent in zip(labels, visible, strict=True)) / 2
    assert all(right.x0 - left.x1 >= half for left, right in itertools.pairwise(visible))


@pytest.mark.parametrize(
    ("low", "high", "least", "expected"),
    [
        (-0.0005, 0.0007, 1e-3, [-0.0003, 0, 0.0003, 0.0006]),  # the axis ends within its linear part
        (-1, 8, 5.0, [0, 2.5, 5, 7.5]),  # no power of ten from 5 to 8
        (-1, 30, 0.0017, [-1, -0.01, 0, 0.01, 0.1, 1, 10]),
        (-1e-6, 60, 1e-3, [0, 0.01, 0.1, 1, 10]),
    ],
)
def test_ticks_about_0(low, high, least, expected):
    assert generation_figures._signed_powers(low, high, least) == pytest.approx(expected)


def test_there_are_always_two_ticks_about_0():
    random = np.random.default_rng(0)
    for low, high, least in zip(*(10 ** random.uniform(-6, 4, (3, 500))), strict=True):
        ticks = generation_figures._signed_powers(-low, high, least)
        assert len(ticks) >= 2 and ticks == sorted(ticks) and -low <= ticks[0] and ticks[-1] <= high


def test_lines_cross_the_rows_of_the_cells_on_their_data_alone():
    contrast = pd.DataFrame({"cell": list("abcd"), "baseline": [0.2, 0.2, 0.5, 0.2], "floor": 0.01})
    axes = figures.new(1.0).subplots()
    generation_figures._lines(axes, contrast, TRAINING, dict(zip("abcd", (3, 2, 1, 0), strict=True)))
    drawn = {lines.get_label(): [part.tolist() for part in lines.get_segments()] for lines in axes.collections}
    assert drawn == {
        PCA_MIXTURE: [[[0.2, 1.5], [0.2, 3.5]], [[0.5, 0.5], [0.5, 1.5]], [[0.2, -0.5], [0.2, 0.5]]],
        TRAINING: [[[0.01, -0.5], [0.01, 3.5]]],
    }


# --- the pictures


def pictured(names):
    """Results and trials of cells of the lowest seed, each with the pictures that a figure shows a row of."""
    trials, pictures, kept = [], {}, {}
    for name, architecture, regularizer in names:
        trial = f"toy-{name}-s00"
        images = np.full((3, 4, 4, 1), len(trials), np.uint8)
        trials.append({"dataset": "toy", "trial": trial, "architecture": architecture, "regularizer": regularizer,
                       "latent_dim": 4})  # fmt: skip
        pictures[trial] = {f"draws/{sampler}": images for sampler in SAMPLERS}
        between = np.zeros((len(generation_bench.BETWEEN), 4, 4, 1), np.uint8)
        pictures[trial] |= {"between/0-1": between, "between/2-3": between}
        kept[trial] = {f"nearest/{sampler}": np.ones(3) for sampler in SAMPLERS}
    return Results(pd.DataFrame(), pd.DataFrame(), pictures, [], kept.get), pd.DataFrame(trials)


def test_a_figure_of_some_cells_shows_one_of_each_kind_and_says_how_many():
    sizes = [(f"cnn-k{k}", "cnn", "none") for k in range(9)]
    kinds = [("cnn-denoising", "cnn", "denoising"), ("keras_io-variational", "keras_io", "variational")]
    shown = generation_pictures._shown(*pictured([*sizes, *kinds]), "toy")
    rows, said = generation_pictures._rows_of(shown)
    assert [one.name for one in rows] == [*(f"cnn-k{k}" for k in range(6)), "cnn-denoising", "keras_io-variational"]
    real = ({f"draws/{name}": np.zeros((3, 4, 4, 1), np.uint8) for name in ("evaluated images", PCA_MIXTURE)},
            {f"nearest/{PCA_MIXTURE}": np.ones(3)})  # fmt: skip
    for drawn in (
        generation_pictures._overview(rows, real, "toy", "test", said),
        generation_pictures._between(rows, "toy", "test", said),
    ):
        assert "8 of 11 cells: one of each architecture" in " ".join(drawn.figure.get_supxlabel().split())
        assert any("keras_io-variational" in name for name in drawn.table["row"])
    assert generation_pictures._rows_of(shown[:8]) == (shown[:8], "")


def test_with_more_kinds_than_rows_every_regularizer_is_shown_and_then_other_architectures():
    architectures = [(name, name, "none") for name in ("keras_io", *(f"a{place}" for place in range(8)))]
    regularizers = [(f"keras_io-{name}", "keras_io", name) for name in ("denoising", "variational")]
    shown = generation_pictures._shown(*pictured([*architectures, *regularizers]), "toy")
    rows, said = generation_pictures._rows_of(shown)
    assert [one.name for one in rows] == ["keras_io", *(f"a{place}" for place in range(5)),
                                          "keras_io-denoising", "keras_io-variational"]  # fmt: skip
    assert said == (
        " 8 of 11 cells: one of each regularizer, then of each other architecture, as far as there is room."
    )
