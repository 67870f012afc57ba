"""Contrasts of families: what is estimated, from which pairs, what is refused, and whether the rates hold."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from analysis import statistics
from analysis.effects import contrasts, families_of, pairs
from analysis.effects_errors import log_errors, mean_image_mse
from study.errors import InputError
from study.space import parse
from tests.analysis.effects_records import RATIOS, SPACE, fail, parsed, table

BASE = "digits-keras_io-k2-bce-b32"


@pytest.fixture(scope="module")
def space():
    return parsed()


@pytest.fixture(scope="module")
def trials(space):
    return table(space)


@pytest.fixture(scope="module")
def usual(space, trials):
    return contrasts(trials, families_of(space))


def of(found, cell, family=None):
    rows = found[found["cell"] == cell]
    return rows[rows["family"] == family].iloc[0] if family else rows.iloc[0]


def test_families_are_spelt_out_with_what_changes_and_where(space):
    families = {family.name: family for family in families_of(space)}
    cnn, _, linear = families["architecture"].contrasts
    assert (cnn.cell, cnn.reference) == ("digits-cnn-k2-bce-b32", BASE)
    assert (cnn.changed, cnn.label) == ({"architecture": ("keras_io", "cnn")}, "architecture keras_io → cnn")
    assert linear.label == "architecture keras_io → linear at loss mse"
    assert families["dataset"].contrasts[0].same_images is False and cnn.same_images


def test_contrasts_that_make_the_same_change_name_where_they_make_it():
    """Over latent sizes the baseline's own is named as well; where nothing else is alike, it is not."""
    text = (
        SPACE.split("FAMILIES")[0]
        + """
FAMILIES = {
    "linear": dict(
        metric="test_mse",
        contrasts=[
            (dict(architecture="cnn", latent_dim=k), dict(architecture="linear", loss="mse", latent_dim=k))
            for k in (1, 2)
        ],
    ),
    "mixed": dict(
        metric="test_mse",
        contrasts=[(dict(architecture="cnn"), {}), (dict(loss="mse", latent_dim=8), dict(latent_dim=8))],
    ),
}
"""
    )
    linear, mixed = families_of(parse("mine", text, "mine.py"))
    assert [one.label for one in linear.contrasts] == [
        f"architecture linear → cnn, loss mse → bce at latent_dim {k}" for k in (1, 2)
    ]
    assert [one.label for one in mixed.contrasts] == ["architecture keras_io → cnn", "loss bce → mse at latent_dim 8"]


def test_settings_tuned_along_with_a_change_are_not_what_it_is_about(space):
    first = families_of(space)[0].contrasts[0]
    tuned = type(first)({**first.levels, "learning_rate": 3e-3}, first.reference_levels, first.baseline)
    assert tuned.label == "architecture keras_io → cnn, learning_rate 0.001 → 0.003"
    assert tuned.factors == ("architecture",)
    alone = type(first)({**first.baseline, "learning_rate": 3e-3}, first.baseline, first.baseline)
    assert alone.factors == ("learning_rate",)


def test_a_familys_rows_are_what_the_statistics_say_of_its_differences(usual, trials):
    errors = trials.assign(cell=trials["trial"].str[:-4]).pivot(index="seed", columns="cell", values="test_mse")
    cells = [f"digits-keras_io-k{k}-bce-b32" for k in (1, 8, 32)]
    differences = np.log(errors[cells]).sub(np.log(errors[BASE]), axis=0).to_numpy()
    expected = statistics.family(differences)
    rows = usual[usual["family"] == "latent"]
    assert list(rows["cell"]) == cells
    for column in ("value", "low", "high", "p"):
        np.testing.assert_allclose(rows[column], getattr(expected, column))
    np.testing.assert_allclose(rows["ratio_high"], np.exp(expected.high))
    assert set(rows["method"]) == {expected.method} and set(rows["n"]) == {10} and set(rows["n_family"]) == {3}
    assert list(rows["verdict"]) == ["higher", "lower", "lower"]
    np.testing.assert_allclose(rows["ratio"], list(RATIOS["latent_dim"].values()), rtol=0.05)


def test_beside_it_stand_welch_correlation_and_errors(usual, trials):
    row = of(usual, "digits-cnn-k2-bce-b32")
    a, b = (np.log(trials.loc[trials["trial"].str.startswith(f"{cell}-s"), "test_mse"]) for cell in (row["cell"], BASE))
    found = stats.ttest_ind(a, b, equal_var=False)
    assert row["welch_p"] == pytest.approx(found.pvalue)
    interval = found.confidence_interval(0.95)
    assert [row["welch_low"], row["welch_high"]] == pytest.approx(np.exp([interval.low, interval.high]))
    assert row["correlation"] == pytest.approx(np.corrcoef(a, b)[0, 1])
    assert row["error"] == pytest.approx(stats.gmean(np.exp(a)))


def test_one_contrast_can_stand_against_another_reference(usual):
    row = of(usual, "digits-linear-k2-mse-b32")
    assert row["reference"] == "digits-keras_io-k2-mse-b32"
    assert row["ratio"] == pytest.approx(1.0, rel=0.03)


def test_other_metrics_are_not_primary_and_ssim_counts_what_is_missing_to_1(space, trials):
    families = families_of(space)
    ssim, psnr, mse = (contrasts(trials, families, metric) for metric in ("test_ssim", "test_psnr", "test_mse"))
    assert not ssim["primary"].any()
    same = mse["family"] != "dataset"
    assert mse.loc[same, "primary"].all()
    for other in (ssim, psnr):  # here both are functions of MSE alone
        np.testing.assert_allclose(other.loc[same, "ratio"], mse.loc[same, "ratio"])
    assert ssim.loc[0, "error"] == pytest.approx(1 - 5 * mse.loc[0, "error"], rel=1e-3)
    assert psnr.loc[0, "error"] == pytest.approx(-10 * np.log10(mse.loc[0, "error"]))


def test_errors_of_other_images_are_compared_as_fvu_alone(usual, space, trials):
    cell = "photo_patches-keras_io-k2-bce-b32"
    assert of(usual, cell)["n"] == 10 and of(usual, cell)["metric"] == "test_fvu"
    refused = of(contrasts(trials, families_of(space), "test_mse"), cell)
    assert refused["n"] == 0 and np.isnan(refused["ratio"])
    assert refused["verdict"] == "refused: test_mse of other images; across data sets errors are compared as fvu alone"


def test_failures_leave_each_contrast_its_own_seeds(space, trials):
    cell = "digits-cnn-k2-bce-b32"
    found = contrasts(fail(trials, cell, [2, 5]), families_of(space))
    rows = found[found["family"] == "architecture"]
    assert list(rows["n"]) == [8, 10, 10]
    assert rows["method"].str.contains("each contrast at its own seeds: assumes normality").all()
    assert rows["seeds"].iloc[0] == "0 1 3 4 6 7 8 9"
    row = rows.iloc[0]
    differences = pairs(fail(trials, cell, [2, 5]), families_of(space)).query("cell == @cell")["difference"]
    expected = stats.t.interval(1 - 0.05 / 3, 7, differences.mean(), stats.sem(differences))
    assert [row["low"], row["high"]] == pytest.approx(expected)
    raw = stats.ttest_1samp(differences, 0).pvalue
    assert raw <= row["p"] <= 3 * raw


def test_failures_at_the_mean_images_error(space, trials):
    cell = "digits-cnn-k2-bce-b32"
    failed = fail(trials, cell, [2, 5])
    assert mean_image_mse(failed, "test").to_numpy() == pytest.approx(0.08)
    row = of(contrasts(failed, families_of(space), failures="mean image"), cell)
    kept = np.log(failed.query("trial.str.startswith(@cell)")["test_mse"].fillna(0.08)).to_numpy()
    base = np.log(trials.query("trial.str.startswith(@BASE)")["test_mse"]).to_numpy()
    assert row["n"] == 10 and row["value"] == pytest.approx(np.mean(kept - base))
    assert row["failures"] == "mean image"
    with pytest.raises(InputError, match="of test_ssim it is not known"):
        log_errors(failed, "test_psnr", "mean image"), log_errors(failed.assign(test_ssim=0.5), "test_ssim", "x")
        contrasts(failed, families_of(space), "test_ssim", failures="mean image")


def test_the_mean_images_error_of_a_seed_without_any_other_trial_is_the_other_seeds(trials):
    alone = trials.assign(seed=trials["seed"].where(trials.index != 3, 99))
    assert mean_image_mse(fail(alone, BASE, [3]), "test").iloc[3] == pytest.approx(0.08)


def test_what_is_missing_is_said(space, trials):
    cell = "digits-unet-k2-bce-b32"
    some = contrasts(trials[~trials["trial"].str.startswith(cell)], families_of(space))
    row = of(some, cell)
    assert (row["n"], row["verdict"]) == (0, f"no pair: {cell} has not been trained yet")
    assert list(some.query("family == 'architecture'")["n_family"]) == [2, 2, 2]
    all_failed = contrasts(fail(trials, cell, range(10)), families_of(space))
    assert of(all_failed, cell)["verdict"] == f"no pair: all 10 trials of {cell} failed"
    apart = trials[(trials["seed"] < 5) == trials["trial"].str.startswith(cell)]
    assert of(contrasts(apart, families_of(space)), cell)["verdict"].endswith("no seed that both completed")


def test_a_single_seed_gives_a_number_without_an_interval(space, trials):
    row = contrasts(trials[trials["seed"] == 0], families_of(space)).iloc[0]
    assert row["n"] == 1 and np.isfinite(row["ratio"]) and np.isnan(row["low"])
    assert row["verdict"] == "not resolved"
    mixed = contrasts(fail(trials, "digits-cnn-k2-bce-b32", range(1, 10)), families_of(space)).iloc[0]
    assert mixed["n"] == 1 and np.isnan(mixed["p"])


def test_three_seeds_decide_nothing_without_normality(space, trials):
    found = contrasts(trials[trials["seed"] < 3], families_of(space))
    assert set(found["smallest_p"]) == {0.25}
    assert "Bonferroni on paired t" in found["method"].iloc[0]


def test_pairs_of_two_environments_are_counted(space, trials):
    other = trials.assign(environment=trials["environment"].where(trials.index != 0, "two"))
    assert list(contrasts(other, families_of(space)).query("family == 'latent'")["mixed"]) == [1, 1, 1]


def test_no_logarithm_of_nothing(space, trials):
    perfect = trials.assign(test_mse=trials["test_mse"].where(trials.index != 4, 0.0))
    with pytest.raises(InputError, match=r"digits-keras_io-k2-bce-b32-s04 has test_mse = 0: .*no logarithm"):
        contrasts(perfect, families_of(space))
    with pytest.raises(InputError, match="no metric 'test_beauty'"):
        contrasts(trials, families_of(space), "test_beauty")


@settings(max_examples=20, deadline=None)
@given(st.permutations(range(30)), st.floats(0.1, 10))
def test_neither_the_order_of_rows_nor_the_unit_of_error_matters(order, unit):
    space = parsed(SPACE.split("FAMILIES")[0] + 'FAMILIES = {"loss": dict(metric="test_mse", contrasts=['
                   '(dict(loss="mse"), {}), (dict(loss="mae"), {})])}')  # fmt: skip
    trials = table(space)
    some = trials[trials["loss"].isin(["bce", "mse", "mae"]) & (trials["latent_dim"] == 2)]
    some = some[(some["architecture"] == "keras_io") & (some["regularizer"] == "none") & (some["dataset"] == "digits")]
    usual = contrasts(some, families_of(space))
    other = contrasts(some.iloc[list(order)].assign(test_mse=lambda t: t["test_mse"] * unit), families_of(space))
    columns = ["value", "low", "high", "p", "correlation"]
    pd.testing.assert_frame_equal(usual[columns], other[columns], rtol=1e-6, atol=1e-9)


def test_a_contrast_turned_around_is_its_negative(space, trials):
    family = families_of(space)[0]
    turned = [type(c)(c.reference_levels, c.levels, c.baseline) for c in family.contrasts]
    there = contrasts(trials, [family])
    back = contrasts(trials, [type(family)(family.name, family.metric, tuple(turned))])
    np.testing.assert_allclose(there["low"], -back["high"])
    np.testing.assert_allclose(there["p"], back["p"])
