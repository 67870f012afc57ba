"""Anomaly detection: sets and scores against independent computations, tables and sentences of known results."""

import argparse
import dataclasses
import io
import itertools

import numpy as np
import pandas as pd
import pytest
import scipy.stats
from PIL import Image
from scipy.spatial.distance import cdist
from sklearn.covariance import EmpiricalCovariance
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import NearestNeighbors

from analysis import (
    anomaly,
    anomaly_classes_text,
    anomaly_estimates,
    anomaly_figures,
    anomaly_sets,
    anomaly_text,
    applications,
    figures,
    roc,
)
from analysis.anomaly_classes_text import sentences as of_classes
from analysis.applications import Results, baselines_of
from analysis.draws import draw_of
from study import datasets, preprocessing, records
from study.errors import InputError


def rows(**levels):
    cell = dict(dataset="digits", train_size=300, normal_class=None, preprocessing="unit", latent_dim=4, seed=0)
    return pd.DataFrame([cell | levels])


@pytest.fixture(scope="module")
def digits():
    return datasets.load("digits")


@pytest.fixture(scope="module")
def draw():
    return draw_of(rows(), datasets.load, True, split="test", wanted=80, against=("digits", "photo_patches"))


@pytest.fixture(scope="module")
def baselines(draw):
    return anomaly.open_bench(draw).baselines()


class Part:
    """A linear half of an autoencoder."""

    def __init__(self, function):
        self._function = function

    def predict_on_batch(self, values):
        return self._function(np.asarray(values))


class Linear:
    """The first four pixels are the code; they are all that is reconstructed, the rest is 0.5."""

    def get_layer(self, name):
        return Part(self.encode if name == "encoder" else self.decode)

    def encode(self, images):
        return images.reshape(len(images), -1)[:, 18:22]

    def decode(self, codes):
        images = np.full((len(codes), 64), 0.5, np.float32)
        images[:, 18:22] = codes
        return images.reshape(-1, 8, 8, 1)


@pytest.fixture(scope="module")
def scored(draw):
    return anomaly.open_bench(draw).model(Linear(), None)


def of(found, name):
    return {key.split("/")[1]: value for key, value in found.per_image.items() if key.startswith(f"{name}/")}


def test_the_sets_that_are_held_up(draw):
    found = anomaly_sets.sets(draw)
    assert list(found) == ["photo_patches", "noise", "inverted"]
    assert all(images.shape[1:] == (8, 8, 1) and images.dtype == np.float32 for images in found.values())
    assert all(images.min() >= 0 and images.max() <= 1 for images in found.values())
    np.testing.assert_allclose(found["inverted"] + draw.plain, 1, atol=1e-6)
    assert abs(found["noise"].mean() - 0.5) < 0.02
    np.testing.assert_array_equal(
        found["noise"][3], datasets.rng(int(draw.index[3]), "noise").random((8, 8, 1), np.float32)
    )


def test_images_of_another_shape_are_adapted():
    colours = np.zeros((1, 16, 16, 3), np.float32)
    colours[..., 0], colours[..., 1], colours[..., 2] = 1, 0.5, 0.25
    grey = anomaly_sets.adapt(colours, (8, 8, 1))
    np.testing.assert_allclose(grey, 0.299 + 0.587 * 0.5 + 0.114 * 0.25, atol=1e-6)
    back = anomaly_sets.adapt(grey, (32, 20, 3))
    assert back.shape == (1, 32, 20, 3) and np.allclose(back, grey[0, 0, 0, 0], atol=1e-6)
    assert np.allclose(anomaly_sets.adapt(np.full((1, 8, 8, 2), 0.3, np.float32), (8, 8, 1)), 0.3)


def test_one_class_is_normal_and_the_others_are_not(digits):
    draw = draw_of(rows(normal_class=3, train_size=None), datasets.load, True, split="test", wanted=1000)
    found = anomaly_sets.sets(draw)
    assert list(found) == ["other classes", "noise", "inverted"]
    assert len(found["other classes"]) == (digits.y_test != 3).sum()
    assert len(found["noise"]) == (digits.y_test == 3).sum()


def test_no_test_image_is_an_anomaly_beside_validation_images(digits):
    """On them a latent size is chosen."""
    options = dict(split="val", wanted=1000, against=("photo_patches",))
    found = anomaly_sets.sets(draw_of(rows(normal_class=3, train_size=None), datasets.load, True, **options))
    assert len(found["other classes"]) == (digits.y_train != 3).sum()
    pool = datasets.to_unit(datasets.load("photo_patches").x_train, datasets.load("photo_patches").value_range)
    adapted = {image.tobytes() for image in anomaly_sets.adapt(pool, (8, 8, 1))}
    assert {image.tobytes() for image in found["photo_patches"]} <= adapted
    assert "training pool" in anomaly_sets.descriptions([], True, "val")["other classes"]


def test_a_data_set_that_holds_the_models_own_images_is_left_out_by_default_and_refused_by_name(digits):
    def load(name):
        return digits if name == "again" else datasets.load(name)

    options = dict(split="test", wanted=20, against=("digits", "again", "photo_patches"))
    assert list(anomaly_sets.sets(draw_of(rows(), load, True, **options))) == ["photo_patches", "noise", "inverted"]
    with pytest.raises(InputError, match=r"--against again: .* are images of 'digits'"):
        anomaly_sets.sets(draw_of(rows(), load, True, named=True, **options))
    models = pd.DataFrame({"dataset": "digits", "set": ["photo_patches", "noise", "inverted"]})
    assert anomaly_sets.left_out(models, options["against"]) == [
        "digits: no anomalies were taken of again, where images of 'digits' are found."
    ]
    assert anomaly_sets.left_out(models, ("digits", "photo_patches")) == []


def test_results_say_which_data_sets_were_left_out(monkeypatch):
    asked = []

    def evaluate(task, options, study, load, against):
        asked.append(against)
        models = pd.DataFrame({"dataset": ["mnist"], "set": ["digits"]})
        return Results(models, models, {}, ["one is gone"], dict)

    monkeypatch.setattr(applications, "evaluate", evaluate)
    monkeypatch.setattr(records, "manifest", lambda study, artifacts: {"data": {"mnist": {}}})
    found = anomaly.evaluate(argparse.Namespace(artifacts="here"), "s", datasets.load)
    assert asked == [["mnist", "digits", "photo_patches"]]
    assert found.missing[0] == "one is gone" and "taken of photo_patches" in found.missing[1]


def test_sets_by_default_and_by_name():
    known = datasets.load
    assert anomaly_sets.names(["mnist", "digits"], None, known) == ["mnist", "digits", "photo_patches"]
    assert anomaly_sets.names(["digits"], ["photo_patches"], known) == ["photo_patches"]
    with pytest.raises(InputError, match="every model of this study was trained on 'digits'"):
        anomaly_sets.names(["digits"], ["digits"], known)


def test_errors_are_taken_image_by_image(draw, scored):
    found, images = of(scored, "normal"), draw.images.reshape(80, -1).astype(float)
    left = np.delete(images, np.arange(18, 22), axis=1) - 0.5
    np.testing.assert_allclose(found["squared error"], np.square(left).sum(axis=1) / 64, rtol=1e-5)
    np.testing.assert_allclose(found["absolute error"], np.abs(left).sum(axis=1) / 64, rtol=1e-5)
    said = np.full((80, 64), 0.5)
    said[:, 18:22] = np.clip(images[:, 18:22], 1e-7, 1 - 1e-7)
    nats = -(images * np.log(said) + (1 - images) * np.log1p(-said)).mean(axis=1)
    np.testing.assert_allclose(found["BCE"], nats, rtol=1e-4)


def test_latent_scores_are_scikit_learns(draw, scored):
    train, asked = (Linear().encode(x).astype(float) for x in (draw.train, draw.images))
    found = of(scored, "normal")
    mahalanobis = EmpiricalCovariance().fit(train).mahalanobis(asked)  # squared, divisor n instead of n - 1
    np.testing.assert_allclose(np.square(found["Mahalanobis"]), mahalanobis * 299 / 300, rtol=1e-3)
    expected = np.sort(cdist(asked, train), axis=1)[:, 4]
    np.testing.assert_allclose(found["latent kNN"], expected, rtol=1e-4, atol=1e-6)


def test_a_code_unit_that_never_varies_has_no_length():
    codes = np.random.default_rng(0).normal(size=(200, 3))
    codes[:, 1] = 2
    distance = anomaly._distances(codes)["Mahalanobis"]
    asked = np.array([[1.0, 2, 0], [1.0, 9, 0]])
    expected = EmpiricalCovariance().fit(codes[:, [0, 2]]).mahalanobis(asked[:, [0, 2]])
    np.testing.assert_allclose(np.square(distance(asked)), expected * 199 / 200, rtol=1e-6)


def test_areas_are_scikit_learns(scored):
    for row in scored.rows:
        normal, other = of(scored, "normal")[row["score"]], of(scored, row["set"])[row["score"]]
        truth = np.repeat([0, 1], [len(normal), len(other)])
        assert row["auc"] == pytest.approx(roc_auc_score(truth, np.concatenate([normal, other])), abs=1e-4)
        assert np.isnan(row["fpr95"]), "fewer than 200 images"


def test_pca_and_mean_image_errors(draw, baselines):
    train, images = (x.reshape(len(x), -1).astype(float) for x in (draw.train, draw.images))
    model = PCA(4, svd_solver="full").fit(train)
    found = of(baselines, "normal")
    left = images - model.inverse_transform(model.transform(images))
    np.testing.assert_allclose(found["PCA 4"], np.square(left).mean(axis=1), rtol=1e-4)
    np.testing.assert_allclose(found["mean image"], np.square(images - train.mean(axis=0)).mean(axis=1), rtol=1e-4)
    neighbours = NearestNeighbors(n_neighbors=5).fit(train).kneighbors(images)[0][:, -1]
    np.testing.assert_allclose(found["nearest images"], neighbours, rtol=1e-4)


def test_trivial_measures_by_hand(draw, baselines):
    found = of(baselines, "normal")
    np.testing.assert_allclose(found["brightness"], draw.plain.mean(axis=(1, 2, 3)), rtol=1e-5)
    np.testing.assert_allclose(found["pixels not zero"], (draw.plain > 0).mean(axis=(1, 2, 3)), rtol=1e-6)
    buffer = io.BytesIO()
    Image.fromarray(np.round(255 * draw.plain[0, ..., 0]).astype(np.uint8)).save(buffer, format="PNG")
    assert found["PNG size"][0] == len(buffer.getvalue())
    assert anomaly._png_bytes(np.zeros((4, 4, 2), np.float32)) > 0


def test_isolation_forest_is_scikit_learns_on_normalised_contrast(draw, baselines):
    train, images = (preprocessing.contrast(x).reshape(len(x), -1) for x in (draw.train, draw.images))
    model = PCA(0.95, svd_solver="full").fit(train)
    forest = IsolationForest(random_state=0).fit(model.transform(train))
    expected = -forest.score_samples(model.transform(images))
    np.testing.assert_allclose(of(baselines, "normal")["isolation forest"], expected, rtol=1e-5)


def test_pca_on_the_references_number_of_images_where_one_class_is_normal():
    draw = draw_of(rows(normal_class=3, train_size=None), datasets.load, True, split="test", wanted=1000)
    methods = {row["method"] for row in anomaly.open_bench(draw).baselines().rows}
    assert {"PCA 4", "PCA 4, 2,000 images", "isolation forest"} <= methods


REST = dict(depth=None, learning_rate=1e-3, batch_size=128, randomness="all")  # factors that nothing here varies


def results(shift, seeds=3, seed_spread=0.1, sets=("other",), dataset="digits"):
    """A cell whose anomalies score `shift` higher than normal images, and PCA, which scores them 1 higher."""
    rng = np.random.default_rng(0)
    kept, models, others = {}, [], []
    normal, odd = rng.normal(size=200), rng.normal(size=200)
    for seed in range(seeds):
        trial, file = f"{dataset}-dense-k4-mse-s{seed:02d}", f"baselines-dataset-{dataset}-s{seed:02d}"
        effect = seed_spread * rng.normal()
        kept[trial] = {"normal/squared error": normal} | {f"{s}/squared error": odd + shift + effect for s in sets}
        methods = {
            "PCA 4": 1.0,
            "isolation forest": 0.8,
            "mean image": shift,
            "brightness": 3 * shift,
            "PNG size": -shift,
        }
        kept[file] = {f"normal/{m}": normal for m in methods}
        kept[file] |= {f"{s}/{m}": odd + higher for m, higher in methods.items() for s in sets}
        same = dict(dataset=dataset, train_size=None, normal_class=None, preprocessing="unit", seed=seed, **REST)
        numbers = dict(average_precision=0.5, fpr95=0.5, n_normal=200, n_anomalous=200)
        for name in sets:
            auc = roc.area(normal, odd + shift + effect)
            levels = dict(trial=trial, architecture="dense", latent_dim=4, loss="mse", regularizer="none")
            models.append({**same, **levels, "set": name, "score": "squared error", "auc": auc, **numbers})
            others += [{**same, "file": file, "set": name, "method": m, "auc": 0.5, **numbers} for m in methods]
    return Results(pd.DataFrame(models), pd.DataFrame(others), {}, [], lambda name: kept[name])


def estimate(found, split="test"):
    trials = found.models[["trial"]].drop_duplicates().assign(best_epoch=2, epochs=3, test_fvu=0.4, val_fvu=0.4)
    return anomaly_estimates.estimate(found, split, trials)


def test_the_interval_is_crossed_and_the_contrast_paired():
    found = results(0.3)
    estimates = estimate(found)
    row = estimates.auc.iloc[0]
    trials = found.models["trial"]
    over = [roc.placements(*(found.per_image(t)[f"{s}/squared error"] for s in ("normal", "other"))) for t in trials]
    expected = roc.crossed(over)
    assert (row["auc"], row["auc_low"], row["auc_high"]) == (expected.value, expected.low, expected.high)
    assert row["image_se"] == expected.image_sd > 0 and row["seed_se"] == expected.seed_sd > 0
    contrast = estimates.contrast.iloc[0]
    pca = roc.area(*(found.per_image("baselines-dataset-digits-s00")[f"{s}/PCA 4"] for s in ("normal", "other")))
    assert contrast["difference"] == pytest.approx(row["auc"] - pca) and contrast["verdict"] == "lower"


def test_on_other_splits_seeds_share_the_anomalies_but_those_made_of_normal_images():
    found = results(0.3, sets=("other classes", "noise", "inverted"))
    estimates = estimate(found, "val")
    assert not len(estimates.contrast)
    over = [
        roc.placements(*(found.per_image(trial)[f"{s}/squared error"] for s in ("normal", "noise")))
        for trial in found.models["trial"].unique()
    ]
    rows = estimates.auc.set_index("set")
    for name, own in (("other classes", "normal"), ("noise", "all"), ("inverted", "all")):
        expected = roc.crossed(over, own=own, same_images=name == "inverted")  # the scores of all sets are the same
        ends = rows.loc[name, ["auc_low", "auc_high", "image_se"]].tolist()
        assert ends == [expected.low, expected.high, expected.image_sd]
    assert rows.loc["other classes", "image_se"] > 0 and "anomalies (DeLong)" in rows.loc["other classes", "method"]
    assert rows.loc["noise", "image_se"] == 0 and "seeds with their images" in rows.loc["noise", "method"]


def test_one_seed_has_intervals_and_no_verdict():
    """Whatever its images say: of other seeds nothing is known."""
    estimates = estimate(results(1.5, seeds=1, sets=("photo_patches", "noise")))
    assert estimates.contrast["verdict"].tolist() == ["not resolved: one seed"] * 2
    assert (estimates.contrast["low"] > 0).all() and estimates.contrast["p"].isna().all()
    (answer,) = anomaly_text.answers(estimates, {"digits": ["digits-dense-k4-mse"]})
    assert "detection: not resolved (one seed) for photo_patches, noise; but" in answer.sentence
    assert "yes" not in answer.sentence
    assert answer.sentence.endswith("against noise in no cell that is resolved, 1 of one seed each.")
    assert "simultaneous" not in " ".join([answer.sentence, *anomaly_text.sentences(estimates)])
    several = estimate(results(1.5)).contrast
    both = pd.concat([several, estimates.contrast.assign(set="other")])
    words = "in 1 of 1 cells, below in 0, not resolved in 0; 2 more of one seed each"
    assert anomaly_text._counted(both) == words
    assert anomaly_text._intervals(both) == " (simultaneous 95 % intervals of the cells of several seeds)"
    below = estimate(results(-1.5, seeds=1))
    assert below.auc["auc_high"].item() < 0.5 and not list(anomaly_text._inverted(below))


def test_an_area_below_one_half_is_reported_and_explained_never_turned_round():
    estimates = estimate(results(-1.0))
    row = estimates.auc.iloc[0]
    assert row["auc"] < 0.3 and row["auc_high"] < 0.5
    said = anomaly_text.sentences(estimates)
    text = next(t for t in said if t.startswith("Below 0.5, digits against other by squared error: 0.2"))
    assert "lower score: they lie nearer to the mean image and they are darker (AUC" in text and "PNG size 0.7" in text
    assert any("brightness alone has AUC 0.0" in t and "the anomalies have less of it" in t for t in said)


def test_baselines_of_several_draws_are_a_range_of_their_rows():
    found = estimate(results(-1.0))
    brighter = found.baselines.assign(
        auc=found.baselines["auc"].where(found.baselines["baseline"] != "brightness", 0.6)
    )
    estimates = dataclasses.replace(found, baselines=pd.concat([found.baselines, brighter]))
    assert anomaly_text._baseline(estimates, found.auc, ("brightness",))["brightness"][1] == 0.6
    text = next(t for t in anomaly_text.sentences(estimates) if t.startswith("Below 0.5"))
    assert " to 0.600" in text and "they are darker" not in text and "they lie nearer to the mean image" in text


def test_baselines_of_other_images_than_the_cells_were_given_are_not_said_of_them():
    found = estimate(results(-1.0))
    other = found.baselines.assign(cell="baselines-dataset-digits-normal_class-3", auc=0.99)
    estimates = dataclasses.replace(found, baselines=pd.concat([found.baselines, other]))
    assert set(found.auc["draw"]) == set(found.baselines["cell"])
    assert anomaly_text.sentences(estimates) == anomaly_text.sentences(found)


def test_an_image_does_not_explain_a_score_of_the_code():
    found = estimate(results(-1.0))
    estimates = dataclasses.replace(found, auc=found.auc.assign(score="Mahalanobis"))
    (text,) = anomaly_text._inverted(estimates)
    assert text.endswith("The anomalies get the lower score, which is not explained.") and "mean image" not in text
    none = dataclasses.replace(found, baselines=found.baselines.assign(auc=0.6))
    (text,) = anomaly_text._inverted(none)
    assert "lower score, which none of these measures explains (AUC of" in text and "every case" not in text


def test_the_answer_cites_a_statistic():
    estimates = estimate(results(1.5, sets=("photo_patches", "noise")))
    estimates = dataclasses.replace(
        estimates, baselines=estimates.baselines[estimates.baselines["baseline"] == "PCA 4"]
    )
    (answer,) = anomaly_text.answers(estimates, {"digits": ["digits-dense-k4-mse"]})
    ids = pd.concat(anomaly._citable(estimates))["id"]
    assert answer.statistic == "auc-digits-dense-k4-mse-photo_patches-squared-error" and answer.statistic in set(ids)
    assert ids.is_unique and answer.sentence.count("] against ") == 2 and "n = 3 seeds" in answer.sentence
    own, over_all = answer.sentence.split(" Over all cells, ")  # of the cell, and of all: two subjects, two sentences
    assert own.startswith("digits, anomaly detection: yes for photo_patches, noise. The area under the ROC curve")
    assert own.endswith(").") and "the squared error of digits-dense-k4-mse is 0.8" in own and "PCA" not in own
    above = "the area is above that of PCA's error at the same latent size, against photo_patches in "
    assert over_all.startswith(above) and over_all.count("of 1 cells, below in ") == 2, "sets are counted singly"
    assert "; against noise in " in over_all
    alone = dataclasses.replace(estimates, contrast=pd.DataFrame())
    (answer,) = anomaly_text.answers(alone, {"digits": ["digits-dense-k4-mse"]})
    assert answer.sentence == own


def test_the_answer_says_first_which_sets_the_pixels_alone_tell_apart():
    parts = [areas(brightness=brightness) for brightness in (1.0, 0.0, 0.5)]
    names = ("other", "noise", "inverted")
    tables = {
        name: pd.concat([getattr(part, name).assign(set=held) for part, held in zip(parts, names, strict=True)])
        for name in ("auc", "baselines", "contrast")
    }
    estimates = anomaly_estimates.Estimates(**tables, classes=pd.DataFrame())
    (answer,) = anomaly_text.answers(estimates, {"digits": ["digits-dense-k4-mse"]})
    alone = "By the pixels alone: other (brightness alone has AUC 1.000), noise (brightness alone has AUC 0.000: the"
    assert f"{alone} anomalies have less of it). Over all cells" in answer.sentence
    begins = answer.sentence.partition(" The area under")[0]
    assert "; but a statistic of the pixels alone tells other, noise apart at least as well as half of" in begins
    told = dataclasses.replace(estimates, auc=estimates.auc[:2], contrast=estimates.contrast[:2])
    (answer,) = anomaly_text.answers(told, {"digits": ["digits-dense-k4-mse"]})
    assert "pixels alone tells each of these apart" in answer.sentence.partition(" The area under")[0]


def test_the_answer_begins_with_the_sets_that_are_told_apart_and_those_that_are_not():
    names = ("other", "noise", "inverted")
    rows = pd.DataFrame({"set": names, "auc_low": [0.6, 0.4, 0.1], "auc_high": [0.9, 0.6, 0.4], "n": 3})
    said = "yes for other; not resolved for noise; no, ranked below its own images, for inverted."
    assert anomaly_text._whether(rows, []) == said


def test_areas_that_read_alike_are_no_range():
    found = areas()
    several = [found.auc.assign(cell=f"c{place}", auc=1.0, auc_low=0.99 + place / 1000) for place in range(2)]
    estimates = dataclasses.replace(found, auc=pd.concat(several), contrast=pd.DataFrame())
    text = next(anomaly_text._primary(estimates))
    assert "AUC of the squared error 1.000 in each of 2 cells (no interval begins below 0.990)" in text


def test_one_seed_is_no_seeds():
    assert anomaly_classes_text.seeds([1, 1]) == "1 seed" and anomaly_classes_text.seeds([3, 4]) == "3 to 4 seeds"


def test_a_statistic_that_lies_on_both_sides_of_chance_tells_no_set_apart():
    found = areas(low=0.4, high=0.5)
    both = pd.concat([found.baselines, found.baselines.replace({"auc": {0.5: 0.6}})])
    assert not list(anomaly_text._confounded(dataclasses.replace(found, baselines=both)))


def test_pairs_in_which_network_and_pca_both_reach_1_are_not_unresolved():
    found = results(1000.0)
    for name in ("normal", "other"):
        for seed in range(3):
            kept = found.per_image(f"baselines-dataset-digits-s{seed:02d}")
            kept[f"{name}/PCA 4"] = found.per_image(f"digits-dense-k4-mse-s{seed:02d}")[f"{name}/squared error"]
    estimates = estimate(found)
    assert estimates.auc["auc"].item() == 1 and estimates.contrast["verdict"].item() == "both at 1"
    text = next(anomaly_text._primary(estimates))
    assert "in 0 of 1 cells, below in 0, not resolved in 0, both at 1 in 1 (simultaneous" in text


def test_every_method_of_an_interval_is_named_with_its_condition():
    usual = "95 % interval, images (DeLong) and seeds crossed, Satterthwaite"
    alike = [f"95 % interval, all pairs alike: Clopper-Pearson for {pairs} of them" for pairs in (360, 10_000)]
    exact = "where all pairs of images are ordered alike, Clopper-Pearson's 95 % interval"
    for methods, words in (([alike[0], usual, *alike], f"{usual}; {exact}"), ([usual] * 2, usual), (alike, exact)):
        assert anomaly_text.methods(pd.DataFrame({"method": methods})) == words
    found = areas()
    mixed = pd.concat([found.auc.assign(method=alike[0]), found.auc.assign(set="other", method=usual)])
    estimates = dataclasses.replace(found, auc=mixed)
    (answer,) = anomaly_text.answers(estimates, {"digits": ["digits-dense-k4-mse"]})
    assert f"(n = 3 seeds; {usual}; {exact})." in answer.sentence
    assert f"{usual}; {exact}. Each panel" in anomaly_text.caption(estimates, "digits", "test", ["noise", "other"])


def test_areas_not_errors_are_above_or_below_those_of_pca():
    estimates = estimate(results(1.5))
    estimates = dataclasses.replace(estimates, contrast=estimates.contrast.assign(verdict="higher"))
    text = next(anomaly_text._primary(estimates))
    assert "; it is above that of PCA's error at the same latent size in 1 of 1 cells, below in 0, not" in text
    without = dataclasses.replace(estimates, contrast=pd.DataFrame())
    assert "PCA" not in next(anomaly_text._primary(without))


def test_cells_that_meet_different_sets_are_drawn_where_they_have_an_area():
    found = estimate(results(1.5, sets=("photo_patches", "noise")))
    one_class = found.auc.replace({"set": {"photo_patches": "other classes"}}).assign(cell="digits-dense-k4-mse-class1")
    estimates = dataclasses.replace(found, auc=pd.concat([found.auc, one_class]))
    panels = anomaly_figures._areas(estimates, "digits", "test").axes
    points = {axes.get_title(): len(axes.containers[0][0].get_xdata()) for axes in panels}
    assert points == {"photo_patches": 1, "noise": 2, "other classes": 1}


def areas(low=0.9, high=0.95, difference=0.01, forest=0.93, brightness=0.5):
    """The tables of one cell against one set: AUC midway of its interval, beside PCA and two lines."""
    same = {"dataset": "digits", "set": "noise"}
    cell = {"cell": "digits-dense-k4-mse", "score": "squared error", "n": 3, "method": "t", "n_normal": 200,
            "draw": "one"}  # fmt: skip
    auc = {**same, **cell, "auc": (low + high) / 2, "auc_low": low, "auc_high": high, "n_anomalous": 300}
    lines = {"isolation forest": forest, "brightness": brightness}
    return anomaly_estimates.Estimates(
        pd.DataFrame([auc]),
        pd.DataFrame([{**same, "cell": "one", "baseline": name, "auc": area} for name, area in lines.items()]),
        pd.DataFrame([{**same, "cell": cell["cell"], "difference": difference, "verdict": "higher"}]),
        pd.DataFrame(),
    )


@pytest.mark.parametrize(
    ("numbers", "first", "ticks", "lines"),
    [
        ({}, 0.89, ["0.9", "0.95", "1"], {"isolation forest"}),
        ({"difference": 0.2}, 0.7, ["0.8", "1"], {"isolation forest"}),  # PCA has the least
        ({"low": 0.9995, "high": 1}, 0.97, ["0.98", "0.99", "1"], set()),
        ({"low": 0.4}, 0.35, ["0.5", "1"], {"isolation forest", "brightness", "0.5, guessing"}),
    ],
)
def test_the_axis_of_areas_begins_just_below_the_least_of_them(numbers, first, ticks, lines):
    estimates = areas(**numbers)
    figure = anomaly_figures._areas(estimates, "digits", "test")
    figure.draw_without_rendering()
    (axes,) = figure.axes
    low, high = axes.get_xlim()
    drawn = [estimates.auc["auc_low"].item(), estimates.auc["auc"].item() - estimates.contrast["difference"].item()]
    assert first < low < min(drawn) and 1 < high < 1.05
    assert [label.get_text() for label in axes.get_xticklabels()] == ticks
    named = [text.get_text() for text in figure.legends[0].get_texts()]
    assert set(named) == {"network, with its interval", "PCA of the same size", *lines} and len(named) == len(
        set(named)
    )


def test_a_line_crosses_the_rows_of_the_cells_on_its_images_alone():
    rows = pd.DataFrame({"cell": list("abcd"), "draw": ["one", "one", "two", "three"]})
    baselines = pd.DataFrame({"cell": ["one", "two", "three"], "baseline": "isolation forest", "auc": [0.7, 0.8, 0.2]})
    axes = figures.new(1.0).subplots()
    axes.set_xlim(0.6, 1)
    anomaly_figures._lines(axes, rows, baselines, dict(zip("abcd", (3, 2, 1, 0), strict=True)))
    (lines,) = axes.collections
    assert [part.tolist() for part in lines.get_segments()] == [[[0.7, 1.5], [0.7, 3.5]], [[0.8, 0.5], [0.8, 1.5]]]


def test_the_axes_labels_of_the_panels_do_not_touch():
    parts = [areas(low=0.9995 - 0.01 * place, high=1) for place in range(5)]
    tables = {
        name: pd.concat([getattr(part, name).assign(set=f"set {place}") for place, part in enumerate(parts)])
        for name in ("auc", "baselines", "contrast")
    }
    figure = anomaly_figures._areas(anomaly_estimates.Estimates(**tables, classes=pd.DataFrame()), "digits", "test")
    figure.draw_without_rendering()
    labels = [label.get_window_extent() for axes in figure.axes for label in axes.get_xticklabels()]
    assert len(labels) >= 10 and all(left.x1 < right.x0 for left, right in itertools.pairwise(labels))


def test_counts_of_images_are_spans_over_the_cells():
    """No digit has both the most normal and the most anomalous images."""
    found = areas()
    more = found.auc.assign(cell="digits-dense-k4-mse-class1", n_normal=1135, n_anomalous=9108, draw="two")
    estimates = dataclasses.replace(found, auc=pd.concat([found.auc.assign(draw="one"), more], ignore_index=True))
    span = "200 to 1,135 normal and 300 to 9,108 anomalous images"
    assert span in anomaly_text.caption(estimates, "digits", "test", ["noise"])
    assert f"(n = 3 seeds, {span};" in next(anomaly_text._primary(estimates))
    assert "200 normal and 300 anomalous images" in anomaly_text.caption(found, "digits", "test", ["noise"])


def test_curves_hold_the_sets_that_each_cell_met():
    images = np.arange(4.0)
    scores = {f"{kind}/squared error": images for kind in ("normal", "noise")}
    curves = anomaly_figures._curves({"whole": scores, "one": {**scores, "other classes/squared error": images}})
    assert curves.groupby("cell")["set"].unique().map(list).to_dict() == {
        "whole": ["noise"],
        "one": ["noise", "other classes"],
    }


def one_class_results(classes=10, dataset="mnist", pca=0.95):
    """AUC 0.9 + 0.001·class + 0.01·seed and half of that by another score; PCA on the same images, always the same."""
    models, others = [], []
    for label in range(classes):
        for seed in range(3):
            same = dict(
                dataset=dataset, train_size=None, normal_class=float(label), preprocessing="l1_contrast", seed=seed,
                **REST,
            )  # fmt: skip
            name = f"{dataset}-ruff2018-k32-mse-class{label}"
            levels = dict(
                architecture="ruff2018", latent_dim=32, loss="mse", regularizer="none", trial=f"{name}-s{seed:02d}"
            )
            auc = 0.9 + 0.001 * label + 0.01 * seed
            models.append({**same, **levels, "set": "other classes", "score": "squared error", "auc": auc})
            models.append({**same, **levels, "set": "other classes", "score": "BCE", "auc": auc / 2})
            for seen, area in (("unit", 0.5), ("l1_contrast", pca)):
                given = {**same, "preprocessing": seen}
                file = baselines_of(pd.DataFrame([{**given, "trial": "any"}]))["any"]
                others.append({**given, "file": file, "set": "other classes", "method": "PCA 32", "auc": area})
    return pd.DataFrame(models), pd.DataFrame(others)


def class_means(models, others, last=0):
    """The table of class means; in so many trials the best epoch is the last."""
    trials = models[["trial"]].drop_duplicates(ignore_index=True).assign(epochs=20, test_fvu=0.25, best_epoch=7)
    trials.loc[: last - 1, "best_epoch"] = 20
    return pd.DataFrame(anomaly_estimates._classes(models, others, trials, "test"))


def test_the_mean_over_ten_classes_stands_beside_the_published_ones():
    table = class_means(*one_class_results())
    row = table[table["kind"] == "model"].iloc[0]
    assert row["what"] == "ruff2018-l1_contrast, squared error"
    assert row["auc"] == pytest.approx(0.9045 + 0.01) and (row["n"], row["classes"]) == (3, 10)
    half = 4.302653 * 0.01 / np.sqrt(3)
    assert (row["auc_low"], row["auc_high"]) == pytest.approx((0.9145 - half, 0.9145 + half))
    assert row["class_7"] == pytest.approx(0.917)
    assert table[table["kind"] == "published"]["auc"].tolist() == [0.897, 0.923]
    assert table[table["kind"] == "baseline"]["what"].tolist() == ["unit, PCA 32", "l1_contrast, PCA 32"]
    text = next(of_classes(table))
    spread = "of single classes from 0.910 (class 0) to 0.919 (class 9) (n = 3 seeds"
    assert f"mean ROC-AUC 0.915 [0.890, 0.939], {spread}" in text


def test_a_published_number_stands_beside_its_own_network_with_its_condition():
    models, others = one_class_results()
    table = class_means(models, others, last=30)
    text = next(of_classes(table))
    published = "Published for this network with this preprocessing: 0.897 (Ruff et al. 2018 (PMLR 80), Table 1)"
    otherwise = "it was trained otherwise, with weight decay and a falling learning rate, which are not used here."
    assert f"{published}; {otherwise}" in text
    done = next(of_classes(class_means(models, others)))
    assert f"{published}; {otherwise}" in done, "whatever our own curves show"
    levels = ({"architecture": "cnn"}, {"preprocessing": "unit"}, {"latent_dim": 16}, {"train_size": 500}, {"depth": 2})
    for level in levels:
        other = next(of_classes(class_means(models.assign(**level), others.assign(train_size=None))))
        assert "ublished" not in other
    forest = others[others["preprocessing"] == "unit"].assign(method="isolation forest")
    said = list(of_classes(class_means(models, pd.concat([others, forest]))))
    assert said[-1].endswith("Published: isolation forest 0.923 (Ruff et al. 2018 (PMLR 80), Table 1).")


@pytest.mark.parametrize(("factor", "words"), [("depth", "depth 2"), ("learning_rate", "learning_rate 0.01")])
def test_levels_of_every_factor_have_a_mean_of_their_own(factor, words):
    models, others = one_class_results()
    level = float(words.split()[1])
    more = models.assign(**{factor: level}, trial=models["trial"] + "-more", auc=models["auc"] - 0.2)
    rows = class_means(pd.concat([models, more]), others).query("kind == 'model' and score == 'squared error'")
    assert rows["auc"].tolist() == pytest.approx([0.9145, 0.7145]) and rows["trials"].tolist() == [30, 30]
    assert rows["what"].nunique() == 2 and words in rows["what"].iloc[1]


@pytest.mark.parametrize(("split", "images"), [("test", "for these test images"), ("val", "for these anomalies")])
def test_a_mean_over_classes_says_which_images_it_holds_for(split, images):
    models, others = one_class_results()
    trials = models[["trial"]].drop_duplicates().assign(epochs=20, best_epoch=7, test_fvu=0.25, val_fvu=0.25)
    for row in anomaly_estimates._classes(models, others, trials, split):
        assert row["kind"] == "published" or images in row["method"]


def test_of_the_other_scores_the_greatest_mean_is_named_as_found_not_declared():
    models, others = one_class_results()
    more = models[models["score"] == "BCE"].assign(score="latent kNN", auc=lambda rows: rows["auc"] * 1.9)
    nearest = others.assign(method="nearest images")
    said = list(of_classes(class_means(pd.concat([models, more]), pd.concat([others, nearest]))))
    text = next(text for text in said if "of 3 scores" in text)
    assert "the squared error alone was declared beforehand, that with the greatest mean ROC-AUC is ruff2018-" in text
    assert "ruff2018-l1_contrast, squared error 0.915 [" in text and "decides nothing" in text
    assert any("unit, nearest images 0.500 [" in text and "l1_contrast, nearest images 0.95" in text for text in said)


def test_where_classes_are_held_as_normal_in_turn_no_answer_is_of_a_single_one():
    table = class_means(*one_class_results())
    one = areas().auc.assign(dataset="mnist", cell="mnist-ruff2018-k32-mse-class1", set="other classes")
    pixels = areas(brightness=1.0).baselines.assign(dataset="mnist", set="other classes")
    estimates = anomaly_estimates.Estimates(one, pixels, pd.DataFrame(), table)
    found = list(anomaly_text.answers(estimates, {"mnist": ["mnist-ruff2018-k32-mse-class1"]}))
    assert len(found) == 2 and not any("class1" in answer.sentence for answer in found)
    caveat, published = (found[0].sentence.index(words) for words in ("shown by other classes (bright", "Published"))
    assert caveat < published, "right behind the mean, so that who reads no further has read it"
    whole = dataclasses.replace(estimates, auc=pd.concat([one, areas().auc.assign(dataset="mnist", cell="whole")]))
    *_, last = anomaly_text.answers(whole, {"mnist": ["mnist-ruff2018-k32-mse-class1", "whole"]})
    assert "squared error of whole is" in last.sentence


def test_a_single_normal_class_beside_classes_held_in_turn_on_other_data_has_an_answer():
    parts = (one_class_results(), one_class_results(1, "digits"))
    table = class_means(*(pd.concat(tables, ignore_index=True) for tables in zip(*parts, strict=True)))
    cells = {"mnist": "mnist-ruff2018-k32-mse-class1", "digits": "digits-ruff2018-k32-mse-class0"}
    of_each = [areas().auc.assign(dataset=data, cell=cell, set="other classes") for data, cell in cells.items()]
    for classes in (table, table[table["dataset"] == "mnist"]):
        estimates = anomaly_estimates.Estimates(pd.concat(of_each), pd.DataFrame(), pd.DataFrame(), classes)
        found = [a.sentence for a in anomaly_text.answers(estimates, {data: [cell] for data, cell in cells.items()})]
        assert any(f"squared error of {cells['digits']} is" in sentence for sentence in found)
        assert not any(cells["mnist"] in sentence for sentence in found)


@pytest.mark.parametrize(("pca", "words"), [(0.95, "is below"), (0.88, "is above"), (0.92, "is not told apart from")])
def test_the_mean_over_classes_is_held_against_pca_of_the_same_size_on_the_same_images(pca, words):
    models, others = one_class_results(pca=pca)
    table = class_means(models, others)
    row = table[table["kind"] == "model"].iloc[0]
    expected = scipy.stats.ttest_1samp([0.9045 + 0.01 * seed - pca for seed in range(3)], 0)
    low, high = expected.confidence_interval(0.95)
    found = row[["difference", "difference_low", "difference_high", "difference_p"]].tolist()
    assert found == pytest.approx([0.9145 - pca, low, high, expected.pvalue]) and row["difference_n"] == 3
    assert table["difference"].notna().sum() == 1, "declared for the primary score alone"
    text = next(text for text in of_classes(table) if "on the same images, difference" in text)
    assert f"area under the ROC curve of ruff2018-l1_contrast, squared error at latent size 32 {words} that of" in text
    assert f"difference {0.9145 - pca:+.4f} [{low:+.4f}, " in text
    estimates = anomaly_estimates.Estimates(estimate(results(1.0)).auc, pd.DataFrame(), pd.DataFrame(), table)
    answer = list(anomaly_text.answers(estimates, {}))[1]
    stated = anomaly._citable(dataclasses.replace(estimates, baselines=estimate(results(1.0)).baselines))
    cited = pd.concat([part for part in stated if len(part)]).set_index("id").loc[answer.statistic]
    assert answer.sentence == text and cited["value"] == pytest.approx(0.9145 - pca)
    assert (cited["table"], cited["row"], cited["p"]) == ("classes.csv", 0, pytest.approx(expected.pvalue))


def test_a_mean_over_classes_without_pca_of_the_same_images_has_no_contrast():
    models, others = one_class_results()
    for left in (others[others["preprocessing"] == "unit"], others.assign(method="PCA 8")):
        table = class_means(models, left)
        assert "difference" not in table and not any("difference" in text for text in of_classes(table))


def test_a_seed_that_lacks_a_pair_is_in_no_contrast():
    models, others = one_class_results()
    same = others["preprocessing"] == "l1_contrast"
    table = class_means(models, others.drop(index=others[same & (others["seed"] == 0)].index[0]))
    row = table[table["kind"] == "model"].iloc[0]
    assert (row["n"], row["difference_n"]) == (3, 2) and row["difference"] == pytest.approx(0.9045 + 0.015 - 0.95)


@pytest.mark.parametrize(("last", "improving"), [(16, True), (15, False)])
def test_a_mean_over_classes_says_how_well_its_networks_reconstruct_and_whether_they_were_done(last, improving):
    text = next(of_classes(class_means(*one_class_results(), last=last)))
    assert "leave 0.250 of the variance unexplained (mean FVU" in text
    assert f"the best epoch is the last in {last} of 30 trials" in text
    assert ("still improved when training ended" in text) == improving


def test_networks_that_leave_more_than_the_whole_variance_are_worse_than_the_mean_image():
    table = class_means(*one_class_results())
    text = next(of_classes(table.assign(fvu=5.0994)))
    assert "These networks reconstruct worse than the mean image, with 5.099 times its error (mean FVU of the" in text
    assert "unexplained" not in text


@pytest.mark.parametrize(("classes", "dataset"), [(9, "mnist"), (10, "digits")])
def test_published_numbers_stand_beside_the_same_protocol_alone(classes, dataset):
    table = class_means(*one_class_results(classes, dataset))
    assert "published" not in set(table["kind"])


def test_a_seed_without_all_classes_does_not_count():
    models, others = one_class_results()
    table = class_means(models.drop(index=[0, 1]), others)
    row = table[table["kind"] == "model"].iloc[0]
    assert row["n"] == 2 and row["auc"] == pytest.approx(0.9045 + 0.015)
