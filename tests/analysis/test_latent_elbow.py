"""The curves, choices and sentences of a synthetic study on digits whose errors are known, and the command on it."""

import dataclasses
import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.decomposition import PCA

from analysis import latent_elbow, latent_elbow_answer, latent_elbow_text, references
from analysis.latent_elbow_estimates import _mean
from analysis.latent_elbow_figure import plot
from analysis.latent_elbow_text import caption, sentences
from analysis.pictures import gather, not_drawn
from analysis.statistics import t_interval
from study import datasets, metrics, preprocessing, records
from study.errors import InputError

SIZES = (1, 2, 4, 8, 16)
SHARES = {1: 0.70, 2: 0.45, 4: 0.25, 8: 0.12, 16: 0.06, 32: 0.03}  # error ÷ the mean image's: 20 % at 8, 10 % at 16
CELL = dict(
    dataset="digits",
    architecture="dense",
    loss="bce",
    regularizer="none",
    depth=None,
    train_size=None,
    normal_class=None,
    preprocessing="unit",
    learning_rate=1e-3,
    batch_size=128,
    randomness="all",
)


@pytest.fixture(scope="module")
def digits():
    return datasets.load("digits", None)


@pytest.fixture(scope="module")
def table(digits):
    """Makes a trials table: every size × seed of one cell, with the errors of `SHARES` and 2 % noise between seeds."""

    def make(sizes=SIZES, seeds=5, noise=0.02, **levels):
        cell = CELL | levels
        return pd.DataFrame([_trial(digits, cell, k, seed, noise) for k in sizes for seed in range(seeds)])

    return make


def _trial(data, cell, k, seed, noise):
    splits = datasets.split(data, seed, cell["train_size"], cell["normal_class"])
    mean = metrics.mean_image(datasets.to_unit(splits.train, data.value_range))
    share = SHARES[k] * np.exp(noise * np.random.default_rng([seed, k]).normal())
    row = {**cell, "latent_dim": k, "seed": seed, "status": "completed", "narrowest_width": 64.0, "collapsed": False}
    row["epochs"] = 30
    for split in ("val", "test"):
        images = datasets.to_unit(getattr(splits, split), data.value_range)
        row[f"{split}_mse"] = share * np.square(images.astype(float) - mean).mean()
        row[f"{split}_ssim"] = 1 - share / 2
    return {**row, "trial": f"digits-{cell['architecture']}-k{k}-{cell['loss']}-s{seed:02d}"}


@pytest.fixture(scope="module")
def data(digits):
    return lambda name: digits


@pytest.fixture(scope="module")
def usual(table, data):
    return latent_elbow.estimate(table(), data)


def fail(trials, k, seeds):
    hit = (trials["latent_dim"] == k) & trials["seed"].isin(seeds)
    return trials.assign(
        status=trials["status"].mask(hit, "diverged"),
        collapsed=trials["collapsed"].astype(object).mask(hit, None),
        val_mse=trials["val_mse"].mask(hit),
        test_mse=trials["test_mse"].mask(hit),
    )


def choices(estimates, shortened=False):
    rows = estimates.elbow[estimates.elbow["shortened"] == shortened]
    return dict(zip(rows["rule"], rows["choice"], strict=True))


def test_curve_is_mean_and_t_interval_of_shares(usual, table):
    curve = usual.curve[usual.curve["split"] == "val"].set_index("latent_dim")
    assert list(curve["n"]) == [5] * 5
    np.testing.assert_allclose(curve["relative"], [SHARES[k] for k in SIZES], rtol=0.03)
    shares = [SHARES[4] * np.exp(0.02 * np.random.default_rng([seed, 4]).normal()) for seed in range(5)]
    low, high = stats.t.interval(0.95, 4, np.mean(shares), stats.sem(shares))
    assert curve.loc[4, ["low", "relative", "high"]].tolist() == pytest.approx([low, np.mean(shares), high], rel=1e-4)
    assert curve.loc[4, "error"] == pytest.approx(table().query("latent_dim == 4")["val_mse"].mean())


def test_pca_is_fitted_on_each_seeds_training_images_and_clipped(usual, digits):
    splits = datasets.split(digits, 3, None, None)
    train, val = (datasets.to_unit(x, digits.value_range).reshape(len(x), -1) for x in (splits.train, splits.val))
    model = PCA(4, svd_solver="full").fit(train.astype(float))
    expected = np.square(model.inverse_transform(model.transform(val)).clip(0, 1) - val).mean()
    row = usual.points.query("seed == 3 and latent_dim == 4 and split == 'val'").iloc[0]
    assert row["pca"] == pytest.approx(expected, rel=1e-5)
    assert row["mean_image"] == pytest.approx(np.square(train.mean(axis=0) - val).mean(), rel=1e-5)


def test_choices_with_intervals_and_open_ends(usual):
    found = choices(usual)
    assert found["≤ 20 % of mean image"] == "8 [8, 8]"
    assert found["≤ 10 % of mean image"] == "16 [16, 16]"
    assert found["≤ 5 % of mean image"] == "> 16 [> 16, > 16]"


def test_the_last_size_dropped(usual):
    """A threshold keeps its answer or says that the grid ends first; the descriptive rules follow the grid."""
    found, shorter = choices(usual), choices(usual, shortened=True)
    assert shorter["≤ 20 % of mean image"] == "8 [8, 8]"
    assert shorter["≤ 10 % of mean image"] == "> 8 [> 8, > 8]"
    assert (found["one standard error"], shorter["one standard error"]) == ("16", "8")
    text = next(text for text in sentences(usual) if "last size" in text)
    assert "moves ≤ 10 % of mean image: 16 → > 8; one standard error: 16 → 8" in text
    assert "leaves ≤ 20 % of mean image: 8; ≤ 5 % of mean image: > 8" in text, "the last size that remains"


def test_test_error_is_reported_at_the_choice_and_chooses_nothing(usual, table, data):
    row = usual.elbow.iloc[0]
    errors = table().query("latent_dim == 8")["test_mse"]
    assert (row["test_metric"], row["test_error"]) == ("test_mse", pytest.approx(errors.mean()))
    assert [row["test_low"], row["test_high"]] == pytest.approx(
        stats.t.interval(0.95, 4, errors.mean(), stats.sem(errors))
    )
    reversed_test = table().assign(test_mse=lambda t: t["test_mse"].to_numpy()[::-1])
    assert choices(latent_elbow.estimate(reversed_test, data)) == choices(usual)


def test_a_size_above_the_narrowest_layer_is_left_out_and_said(table, data):
    trials = table(sizes=(*SIZES, 32), narrowest_width=16.0).assign(narrowest_width=16.0)
    estimates = latent_elbow.estimate(trials, data)
    assert set(estimates.elbow["last"]) == {16, 8}
    assert estimates.curve.query("excluded")["latent_dim"].unique().tolist() == [32]
    expected = "left out of the rules for the network: 32, where a hidden layer of 16 units is narrower than the code."
    assert any(text.endswith(expected) for text in sentences(estimates))
    assert expected in caption(estimates, "digits")
    (answer,) = latent_elbow_answer.answers(estimates, trials)
    assert "of the sizes tried (1, 2, 4, 8, 16)" in answer.sentence
    assert answer.sentence.removesuffix(latent_elbow_answer.RULE).endswith(f" L{expected[1:]}")


NETWORK = {"architecture": "cnn", "loss": "mse"}


def test_pca_is_not_outdone_by_a_grid_that_ends_earlier(usual):
    """Past 16 says nothing against 32; past 32 does."""
    row = {"value": None, "low": None, "high": None, "pca_value": 32, "pca_low": 32, "pca_high": 32}
    ends = {"first": 1, "pca_first": 1, "pca_last": 32}
    assert latent_elbow_text._pca({**row, **ends, "last": 16}, NETWORK) == (
        "PCA needs 32 (95 % interval 32 alone): which of the two needs fewer is not resolved, as their intervals "
        "overlap."
    )
    assert "needs more" in latent_elbow_text._pca({**row, **ends, "last": 32}, NETWORK)
    beyond = {"pca_value": None, "pca_low": None, "pca_high": None, "value": 32, "low": 16, "high": 32}
    assert latent_elbow_text._pca({**beyond, **ends, "last": 32}, NETWORK) == (
        "PCA needs > 32 (95 % interval > 32): the network needs fewer."
    )


@pytest.mark.parametrize(
    ("architecture", "loss", "limit"),
    [("cnn", "mse", "training or architecture"), ("linear", "mse", "training"), ("linear", "mae", "training or loss")],
)
def test_what_may_limit_a_network_that_needs_more_than_pca(architecture, loss, limit):
    row = {"value": 32, "low": 32, "high": 32, "pca_value": 8, "pca_low": 8, "pca_high": 8}
    ends = {"first": 1, "last": 32, "pca_first": 1, "pca_last": 32}
    said = latent_elbow_text._pca({**row, **ends}, {"architecture": architecture, "loss": loss})
    assert said.endswith(f": the network needs more, so that {limit} limits it rather than its latent size.")


PCA_AT_END = [
    ((0.28, 0.27, 0.29), ", PCA's 28 % [27, 29] (n = 4 seeds), less, so that training or architecture limits the"),
    ((0.48, 0.47, 0.49), ", PCA's 48 % [47, 49] (n = 4 seeds), more than the network's."),
    ((0.38, 0.34, 0.42), ", PCA's 38 % [34, 42] (n = 4 seeds), not told apart from the network's."),
    ((np.nan, np.nan, np.nan), "[30, 40] (mean, n = 1 seed)."),
]


@pytest.mark.parametrize(("pca", "words"), PCA_AT_END)
def test_thresholds_that_no_size_reaches_share_a_sentence_with_pcas_error_at_the_end(pca, words):
    sizes = dict.fromkeys(["value", "low", "high", "pca_value", "pca_low", "pca_high"], np.nan)
    ends = {"first": 1, "last": 16, "pca_first": 1, "pca_last": 32, "tried": "1 4 16", "n": 5}
    rows = [{**sizes, **ends, "threshold": threshold} for threshold in (0.2, 0.1, 0.05)]
    end = {**NETWORK, "latent_dim": 16, "relative": 0.35, "low": 0.30, "high": 0.40, "pca_n": 4, "n": 1}
    end |= {"method": "mean"} | dict(zip(["pca_relative", "pca_low", "pca_high"], pca, strict=True))
    said = latent_elbow_text.none_reached(rows, "mse", end)
    assert said.startswith(
        "from no size tried (1, 4, 16) on does the validation MSE stay within 20, 10 or 5 % of the mean image's: at 16 "
        "it is 35 % [30, 40] (mean, n = 1 seed)"
    )
    assert words in said
    rows[0] |= {"low": 4, "pca_value": 8, "pca_low": 4, "pca_high": 8}
    said = latent_elbow_text.none_reached(rows, "mse", end)
    assert "(95 % interval of the size at 20 %: 4 to > 16; t inversion)" in said, "past the grid, but not for sure"
    assert said.endswith(
        " At 20 % PCA needs 8 (95 % interval 4 to 8): which of the two needs fewer is not resolved, as their intervals "
        "overlap."
    )


@pytest.mark.parametrize(
    ("factor", "verdict"),
    [(1, "as far as can be told it had come to its end."), (5, "it had not come to its end, nor need it have in the")],
)
def test_how_far_training_had_come_is_told_by_the_linear_network_on_the_same_data_and_loss(
    table, data, factor, verdict
):
    """PCA is its optimum, and errs more than 6 % of the mean image's on digits at 16 units, but less than 30 %."""
    linear = table(sizes=(1, 4, 16), loss="mse", architecture="linear")
    linear["val_mse"] *= factor
    both = pd.concat([table(sizes=(1, 4, 16), loss="mse"), linear], ignore_index=True)
    estimates = latent_elbow.estimate(both, data)
    (said,) = (text for text in sentences(estimates) if "how far training" in text)
    row = estimates.curve.query("architecture == 'linear' and split == 'val' and latent_dim == 16").iloc[0]
    assert said.startswith("digits: how far training had come shows in linear ÷ PCA, its optimum: with 16 units the ")
    assert f"errs {100 * row['relative']:.3g} % [" in said and f"PCA {100 * row['pca_relative']:.3g} % [" in said
    assert verdict in said and verdict in latent_elbow_answer.answers(estimates, both)[0].sentence
    other = both.assign(loss=both["loss"].mask(both["architecture"] == "linear", "mae"))
    assert not any("how far training" in text for text in sentences(latent_elbow.estimate(other, data)))


def test_a_share_without_an_interval_has_none():
    end = {"relative": 0.35, "low": np.nan, "high": np.nan, "pca_relative": 0.28, "pca_low": 0.27, "pca_high": 0.29}
    assert latent_elbow_text._share(end) == "35 %" and latent_elbow_text._share(end, "pca_") == "28 % [27, 29]"


def test_no_hidden_layer_excludes_nothing(table, data):
    estimates = latent_elbow.estimate(table().assign(narrowest_width=np.nan), data)
    assert not estimates.points["excluded"].any()


def test_failed_and_collapsed_trials(table, data):
    trials = fail(table(), 8, [1, 2])
    trials.loc[(trials["latent_dim"] == 1) & (trials["seed"] == 0), "collapsed"] = True
    estimates = latent_elbow.estimate(trials, data)
    assert estimates.curve.query("latent_dim == 8 and split == 'val'")["n"].item() == 3
    assert estimates.elbow["n"].iloc[0] == 3 and estimates.elbow["seeds"].iloc[0] == "3 to 5"
    counts = estimates.counts.set_index("what")
    assert (counts["count"].to_dict(), counts["n"].to_dict()) == (
        {"failed": 2, "collapsed": 1},
        {"failed": 25, "collapsed": 23},
    )
    expected = stats.binomtest(2, 25).proportion_ci(method="exact")
    assert counts.loc["failed", ["low", "high"]].tolist() == pytest.approx([expected.low, expected.high])
    assert any("2 of 25 trials failed" in text for text in sentences(estimates))


def test_failures_at_the_chosen_size_stand_beside_it(table, data):
    """Of 10 trials with 16 units 4 fail, the others err 6 %: with the failures at 1 the mean is 0.4 + 0.6 · 0.06."""
    trials = fail(table(seeds=10), 16, range(4))
    estimates = latent_elbow.estimate(trials, data)
    rows = estimates.elbow[~estimates.elbow["shortened"]].set_index("rule")
    ten = rows.loc["≤ 10 % of mean image"]
    assert (ten["choice"], ten["failed"], ten["seeds"]) == ("16 [16, 16]", "4 of 10 with 16", "6 to 10")
    errors = np.r_[np.ones(4), np.full(6, SHARES[16])]
    half = stats.t.ppf(0.975, 9) * stats.sem(errors)
    assert errors.mean() - half < 0.1 < errors.mean(), "the smallest size is 16 or more"
    assert ten["imputed_choice"] == "> 16 [16, > 16]"
    words = "; failed: 4 of 10 with 16; with failed trials at the mean image's error > 16 [16, > 16]"
    assert ten["method"].endswith(words)
    assert any(f"n = 6 to 10 seeds{words})" in text for text in sentences(estimates))
    assert f"(16 alone{words}; PCA's" in latent_elbow_answer.answers(estimates, trials)[0].sentence
    twenty = rows.loc["≤ 20 % of mean image"]
    assert (twenty["choice"], twenty["failed"], twenty["imputed_choice"]) == ("8 [8, 8]", "", "> 16 [8, > 16]")


def test_where_nothing_failed_nothing_is_said_of_failures(usual):
    assert not usual.elbow["failed"].any() and not usual.elbow["method"].str.contains("fail").any()
    assert list(usual.elbow["imputed_choice"]) == list(usual.elbow["choice"])


def test_at_a_size_that_never_completed_the_error_does_not_stay_below(table, data):
    trials = fail(table(), 16, range(5))
    estimates = latent_elbow.estimate(trials, data)
    assert set(estimates.elbow["last"]) == {16, 8}
    assert choices(estimates)["≤ 20 % of mean image"] == "> 16 [> 16, > 16]"
    assert choices(estimates, shortened=True)["≤ 20 % of mean image"] == "8 [8, 8]"
    said = "with 16 units every trial failed: the rules take the mean image's error there."
    assert f"digits, dense, bce: {said}" in sentences(estimates)
    assert said in caption(estimates, "digits") and "Crossed" not in caption(estimates, "digits")
    assert said[1:] in latent_elbow_answer.answers(estimates, trials)[0].sentence


def test_a_trial_without_a_network_does_not_bring_back_a_size_that_a_narrow_layer_keeps_out(table, data):
    trials = fail(table(sizes=(*SIZES, 32)).assign(narrowest_width=16.0), 32, [2])
    trials.loc[trials["status"] != "completed", "narrowest_width"] = np.nan
    estimates = latent_elbow.estimate(trials, data)
    assert set(estimates.elbow["last"]) == {16, 8} and not estimates.elbow["failed"].any()


def test_curves_are_the_groups_of_equal_other_levels(table, data):
    trials = pd.concat([table(seeds=2), table(seeds=2, train_size=300), table(sizes=(2, 8), seeds=2, loss="mse")])
    estimates = latent_elbow.estimate(trials, data)
    assert list(estimates.curve["curve"].unique()) == ["digits, dense, bce", "digits, dense, bce, train_size 300"]
    assert set(estimates.dimension["images"]) == {
        min(len(datasets.split(data("digits"), 0, n, None).train), references.IMAGES) for n in (None, 300)
    }
    assert any("digits, dense, mse (2)" in text for text in sentences(estimates))


def test_no_curve(table, data):
    with pytest.raises(InputError, match=r"no curve in .*latent_dim=\[1, 2, 4, 8, 16\].*digits, dense, bce \(2\)"):
        latent_elbow.estimate(table(sizes=(2, 8)), data)


@pytest.mark.parametrize(
    ("metric", "reason"),
    [
        ("test_mse", "Test data chooses nothing"),
        ("train_mse", "validation images alone"),
        ("heldout_fvu", "validation images alone"),
        ("val_bce", "Take val_excess_bce"),
        ("val_psnr", "share of a logarithm"),
        ("val_nonsense", "no such metric"),
        ("mse", "no such metric"),
    ],
)
def test_metrics_that_may_not_choose(metric, reason):
    with pytest.raises(InputError, match=f"--metric {metric}: .*{reason}.* Allowed: val_mse, "):
        latent_elbow.kind_of(metric)


def test_ssim_counts_what_is_missing_to_1(table, data):
    estimates = latent_elbow.estimate(table(seeds=1), data, "val_ssim")
    rows = estimates.points.query("split == 'val' and latent_dim == 2")
    assert rows["error"].item() == pytest.approx(SHARES[2] / 2, rel=0.1)
    assert set(estimates.elbow["test_metric"]) == {"1 - test_ssim"}
    assert any("validation 1 - SSIM stays within" in text for text in sentences(estimates))
    assert 0 < rows["pca"].item() < rows["mean_image"].item() <= 1


def test_too_few_seeds_are_said(table, data):
    """Two noisy seeds: an interval over much of the grid."""
    said = sentences(latent_elbow.estimate(table(seeds=2, noise=0.5), data))
    assert said[0].startswith("A demonstration: 2 seeds resolve little")
    assert any("not resolved with 2 seeds" in text for text in said[1:])
    single = latent_elbow.estimate(table(seeds=1), data)
    one = sentences(single)
    assert one[0].startswith("A demonstration: 1 seed resolves little") and "not resolved with 1 seed; t" in one[1]
    assert not any("1 seeds" in text for text in one)
    assert not any("nan" in text for text in [*one, *single.elbow["test"], latent_elbow_text.caption(single, "digits")])


def test_every_sentence_on_a_choice_states_n_interval_and_pca(usual):
    """Two thresholds are reached; the third is not."""
    said = [text for text in sentences(usual) if " of the mean image's" in text and "training had" not in text]
    assert len(said) == 3
    for text in said:
        assert "95 %" in text and "interval" in text and "n = 5 seeds" in text and "PCA" in text
    assert "8 is the smallest of 1, 2, 4, 8, 16 from which the validation MSE stays within 20 %" in said[0]
    assert "the network needs" in said[0] and "from no size tried (1, 2, 4, 8, 16)" in said[2]


def test_the_answer_is_all_thresholds_on_the_first_curve(usual, table):
    answer = latent_elbow_answer.answers(usual, table())[0]
    assert answer.question == "latent_elbow" and answer.figure == "curve-digits"
    assert "digits, dense, bce (all training images, 30 epochs): of the sizes tried (1, 2, 4, 8, 16)" in answer.sentence
    assert "within a share of the mean image's are 8 for 20 % (8 alone; PCA's " in answer.sentence
    assert "16 for 10 % (16 alone; PCA's " in answer.sentence and "From no size tried" in answer.sentence
    known = {identity for table in latent_elbow._citable(usual) for identity in table["id"]}
    assert answer.statistic in known and "10-of-mean-image" in answer.statistic
    few = table().assign(train_size=1000.0, epochs=1)
    points = usual.points.assign(train_size=1000.0)
    (answer,) = latent_elbow_answer.answers(dataclasses.replace(usual, points=points), few)
    assert "digits, dense, bce (1,000 training images, 1 epoch): " in answer.sentence


def test_a_procedure_of_three_sentences_opens_the_first_answer_alone(usual, table):
    elbow = pd.concat([usual.elbow, usual.elbow.assign(dataset="other", curve="other, dense, bce")])
    points, curve = (
        pd.concat([part, part.assign(dataset="other", curve="other, dense, bce")])
        for part in (usual.points, usual.curve)
    )
    both = dataclasses.replace(usual, elbow=elbow, points=points, curve=curve)
    first, second = latent_elbow_answer.answers(both, table())
    assert first.sentence.startswith("digits, dense") and first.sentence.endswith(latent_elbow_answer.RULE)
    assert second.sentence.startswith("other, dense") and latent_elbow_answer.RULE not in second.sentence


def test_an_answer_without_a_size_cites_none(table, data):
    answer = latent_elbow_answer.answers(latent_elbow.estimate(table(sizes=(1, 2, 4)), data), table())[0]
    assert answer.statistic == "" and "from no size tried (1, 2, 4)" in answer.sentence


def test_references_see_images_as_the_networks_do(table, data, digits):
    """A preprocessing changes the mean image's error, and so every share."""
    estimates = latent_elbow.estimate(table(seeds=2, preprocessing="l1_contrast"), data)
    seen, splits = preprocessing.prepare(
        {"train_size": None, "normal_class": None, "preprocessing": "l1_contrast"}, 1, digits
    )
    train, val = (np.asarray(part, float) for part in (splits.train, splits.val))
    row = estimates.points.query("seed == 1 and latent_dim == 4 and split == 'val'").iloc[0]
    clipped = np.clip(train.mean(axis=0), 0, 1)
    assert row["mean_image"] == pytest.approx(np.square(clipped - val).mean(), rel=1e-4)
    assert seen.value_range == (0.0, 1.0)


def test_the_figure_draws_what_the_tables_hold(usual, data, monkeypatch):
    monkeypatch.setattr(records, "examples", stored)
    points = usual.points[usual.points["split"] == "val"]
    pictures = gather(points, data("digits"), usual.bases, "any")
    assert list(pictures.rows) == ["dense, bce", "PCA"]
    assert set(pictures.table["test_index"]) == {7}
    figure = plot(usual, "digits", pictures, caption(usual, "digits"))
    lines = {line.get_label(): line for line in figure.axes[0].get_lines()}
    seeds = lines["one seed"]
    np.testing.assert_allclose(seeds.get_ydata(), points["relative"])
    assert len(figure.axes) == 1 + 2 * (1 + len(SIZES))
    assert "n = 5" in figure.get_supxlabel() and "t interval" in figure.get_supxlabel()
    shifted = " ".join(figure.get_supxlabel().split())
    assert "seeds, to the left of their size" in shifted and "to the right of its size" in shifted


def test_without_stored_examples_the_curve_is_drawn_all_the_same(usual, data, monkeypatch):
    def gone(study, trial, artifacts):
        raise InputError(f"{trial} has no examples")

    monkeypatch.setattr(records, "examples", gone)
    pictures = gather(usual.points[usual.points["split"] == "val"], data("digits"), usual.bases, "any")
    assert (pictures.rows, len(pictures.missing)) == ({}, len(SIZES))
    assert len(plot(usual, "digits", pictures, "caption").axes) == 1
    assert "Pictures:" not in latent_elbow_text.caption(usual, "digits", pictures=False)
    (said,) = not_drawn(pictures.missing, "any", "digits")
    assert f"reconstructions of {len(SIZES)} networks" in said and "--rebuild 'digits-*-s00'" in said
    assert not list(not_drawn([], "any", "digits"))


def stored(study, trial, artifacts):
    if "-k4-" in trial:
        raise InputError(f"{trial} has no examples")
    return {"index": np.arange(7, 39), "codes": np.zeros((32, 2)), "reconstructions": np.full((32, 8, 8, 1), 9, "u1")}


@pytest.fixture
def study(tmp_path, monkeypatch, table, digits):
    manifest = {"data": {"digits": {"hashes": digits.hashes()}}}
    for name, value in {
        "load": lambda study, artifacts: table(),
        "manifest": lambda study, artifacts: manifest,
        "notices": lambda study, artifacts: ["Seeds of this study come from several machines."],
        "examples": stored,
        "folder": lambda study, artifacts: tmp_path / study,
        "latest": lambda artifacts: "newest",
    }.items():
        monkeypatch.setattr(records, name, value)
    return manifest


def test_the_command_writes_what_it_prints(study, tmp_path, capsys):
    assert latent_elbow.main(["--artifacts", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert out.startswith("study newest\n") and "several machines" in out
    assert "k4-bce-s00 are not drawn" in " ".join(out.split())
    written = [line.removeprefix("wrote ") for line in out.splitlines() if line.startswith("wrote ")]
    folder = tmp_path / "newest" / "analysis" / "latent_elbow"
    assert sorted(written) == sorted(str(path) for path in folder.iterdir())
    assert {path.name for path in folder.iterdir()} >= {"curve.csv", "points.csv", "elbow.csv", "curve-digits.svg"}
    before = {path: path.read_bytes() for path in folder.iterdir()}
    assert latent_elbow.main(["--artifacts", str(tmp_path), "--format", "json"]) == 0
    assert {path: path.read_bytes() for path in folder.iterdir()} == before, "a second run writes other bytes"
    printed = json.loads(capsys.readouterr().out)
    assert (printed["study"], len(printed["table"]), printed["paths"]) == ("newest", 10, written)
    assert all(row["n"] and row["method"] for row in printed["table"])


def test_csv_on_standard_output_is_the_elbow_table_alone(study, tmp_path, capsys):
    assert latent_elbow.main(["named", "--artifacts", str(tmp_path), "--format", "csv"]) == 0
    out = capsys.readouterr().out
    assert out == (tmp_path / "named" / "analysis" / "latent_elbow" / "elbow.csv").read_text()


def test_other_images_than_the_study_saw_are_refused(study, capsys):
    study["data"]["digits"]["hashes"] = {"x_train": "other"}
    assert latent_elbow.main([]) == 2
    assert "holds other images than the study was trained on" in capsys.readouterr().err


def test_bad_input_ends_with_2(tmp_path, capsys):
    assert latent_elbow.main(["--artifacts", str(tmp_path)]) == 2
    assert latent_elbow.main(["nowhere", "--artifacts", str(tmp_path)]) == 2
    assert latent_elbow.main(["--metric", "test_mse"]) == 2
    errors = capsys.readouterr().err.splitlines()
    assert len(errors) == 3 and all(line.startswith("error: ") for line in errors)


def test_help_imports_nothing_slow():
    code = (
        "import sys; from analysis import latent_elbow\n"
        "try: latent_elbow.main(['--help'])\n"
        "except SystemExit as end: assert end.code == 0\n"
        "slow = {'pandas', 'seaborn', 'matplotlib', 'sklearn', 'keras', 'tensorflow'} & set(sys.modules)\n"
        "assert not slow, slow"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "Which latent size is enough?" in shown and "--metric" in shown


def test_no_interval_of_an_error_goes_below_0():
    found = _mean(pd.Series([0.01, 0.02, 0.9]))
    plain = t_interval([0.01, 0.02, 0.9])
    assert plain.low < 0 == found.low and (found.value, found.high) == (plain.value, plain.high)
    assert found.method == "mean, 95 % t interval, cut off at 0"
    assert _mean(pd.Series([0.5, 0.51, 0.52])) == t_interval([0.5, 0.51, 0.52])
