"""The command `analysis.effects`: its tables, sentences, blocks and figures on studies whose effects are known."""

import dataclasses
import json
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest

from analysis import (
    effects,
    effects_citable,
    effects_codes,
    effects_figures,
    effects_modifications,
    effects_text,
    effects_words,
)
from analysis.report import evidence, modifications
from analysis.report.blocks import Paragraph, Table
from analysis.report.sections import SECTIONS
from study import records
from study import space as spaces
from study.errors import InputError
from tests.analysis.effects_records import SPACE, curves, fail, parsed, table, write_study
from tests.conftest import Search

SMALL = (
    SPACE.split("FAMILIES")[0]
    + """
FAMILIES = {
    "architecture": dict(metric="test_mse", contrasts=[(dict(architecture=name), {}) for name in ("cnn", "unet")]),
    "dataset": dict(metric="test_fvu", contrasts=[(dict(dataset="photo_patches"), {})]),
}
"""
)
BASE, CNN = "digits-keras_io-k2-bce-b32", "digits-cnn-k2-bce-b32"
DATA = {
    "digits": {"shape": [8, 8, 1], "source": "scikit-learn"},
    "photo_patches": {"shape": [32, 32, 3], "source": "two photographs"},
}


@pytest.fixture(scope="module")
def space():
    return parsed()


@pytest.fixture(scope="module")
def trials(space):
    return table(space)


@pytest.fixture(scope="module")
def usual(space, trials):
    return effects.estimate(trials, curves(trials), space)


def said(estimates):
    return effects_text.sentences(estimates, "mine")


def numbers_of(estimates, cell):
    return effects_words.numbers(estimates.contrasts.set_index("cell").loc[cell])


def block(estimates, space, label):
    found = effects_modifications.blocks(estimates, space, DATA, "mine")
    return next(one for one in found if one["label"] == label)


# --- tables -------------------------------------------------------------------------------------------------------


def test_the_familys_own_metric_is_primary_and_others_are_descriptive(usual):
    assert usual.contrasts["primary"].all() and len(usual.contrasts) == 10
    assert not usual.others["primary"].any() and (usual.others["n"] > 0).all()
    assert {"test_mae", "test_ssim", "test_excess_bce"} <= set(usual.others["metric"])
    assert set(usual.others.query("family == 'dataset'")["metric"]) == set(), "only fvu compares data sets"


def test_a_space_without_families_is_refused(trials):
    bare = parsed(SPACE.split("FAMILIES")[0])
    with pytest.raises(InputError, match=r"declares no FAMILIES.*contrasts extend a study"):
        effects.estimate(trials, curves(trials), bare)


def test_a_study_without_any_pair_is_refused(space, trials):
    alone = trials[trials["trial"].str.startswith(CNN)]
    with pytest.raises(InputError, match=f"no declared contrast has a pair yet: no pair: {BASE} has not been trained"):
        effects.estimate(alone, curves(alone), space)


@pytest.mark.slow
def test_a_table_of_100_000_trials_is_analysed_in_seconds():
    sizes = list(range(3, 1001))
    text = f"""
BASELINE = dict(dataset="digits", architecture="keras_io", latent_dim=2, loss="bce")
BLOCKS = dict(latent=dict(latent_dim={sizes}, learning_rate=[1e-4, 3e-4, 1e-3, 3e-3, 1e-2]))
TRAINING = dict(epochs=2, seeds=20)
FAMILIES = dict(latent=dict(metric="test_mse", contrasts=[(dict(latent_dim=k), {{}}) for k in {sizes[:60]}]))
"""
    of = parsed(text)
    cells = of.cells()
    some = table(of, seeds=[0]).drop(columns=["trial", "seed"])
    many = pd.concat([some.assign(seed=seed) for seed in range(20)], ignore_index=True)
    names = [f"{name}-s{seed:02d}" for seed in range(20) for name in cells]
    many = many.assign(trial=names, test_mse=many["test_mse"] * np.random.default_rng(0).uniform(0.9, 1.1, len(many)))
    history = pd.DataFrame({"trial": names, "epoch": 1, "loss": 1.0, "val_loss": 1.0, "val_mse": 0.05, "val_bce": 0.1,
                            "gradient_scale": 1e-3, "seconds": 1.0})  # fmt: skip
    assert len(many) > 99_000
    began = time.process_time()
    found = effects.estimate(many, history, of)
    seconds = time.process_time() - began
    print(f"\n{len(many):,} trials, {len(found.contrasts)} contrasts: {seconds:.1f} CPU-seconds")
    assert seconds < 20 and (found.contrasts["n"] == 20).all()


# --- sentences ----------------------------------------------------------------------------------------------------


def test_sentences_follow_the_intervals(usual):
    text = " ".join(said(usual))
    latent = usual.contrasts.query("family == 'latent'")
    assert "latent, test MSE: more error than the reference in 1 of 3 contrasts: latent_dim 2 → 1: 1.4" in text
    assert "latent, test MSE: less error than the reference in 2 of 3 contrasts: latent_dim 2 → 8" in text
    assert f"n = 10 seeds; {latent['method'].iloc[0]}" in text
    row = usual.contrasts.query("family == 'regularizer'").iloc[0]
    assert row["verdict"] == "not resolved", "the synthetic regularizer does nothing"
    assert f"regularizer, test MSE: not resolved for {row['label']}: {row['ratio']:.3g} [" in text
    assert "None of the 110 trials of the declared contrasts failed." in text
    assert "python -m study.cost mine" in text and "seconds an epoch ÷" not in text
    assert "latent_dim 2 → 1: 0 of 10 seeds, median > 6" in text


def test_a_ratio_near_1_has_the_digits_that_show_its_side():
    assert [effects_words.ratio(value) for value in (0.8522, 1.00432, 0.99961, 1.00003, 1.0, 12.34)] == [
        *("0.852", "1.004", "0.9996", "1.00003", "1", "12.3"),
    ]
    row = {"ratio": 1.2321, "ratio_low": 1.00432, "ratio_high": 1.5117}
    assert effects_words.numbers(row) == "1.23 [1.004, 1.51]"
    assert effects_words.numbers({**row, "ratio_high": np.inf}) == "1.23 (no interval)"


def test_every_name_of_a_metric_is_of_an_error(usual):
    assert effects_words.metric_name("test_ssim") == "test 1 - SSIM"
    assert effects_words.metric_name("test_psnr") == "test MSE (geometric mean over images)"
    assert "PSNR" not in " ".join(said(usual))


def test_what_is_equal_in_all_comparisons_is_the_number_of_epochs(usual):
    ends = usual.ends.query("metric == 'val_mse'")["change"]
    (text,) = [text for text in said(usual) if text.startswith("At the end of training")]
    assert f"{ends.min():.3g} to {ends.max():.3g} times what it was after three quarters of the epochs" in text
    assert "equally many epochs" in text and "unequally many updates" in text


def test_how_epochs_are_counted_is_said_once(usual):
    text = " ".join(said(usual))
    assert text.count("exact 95 % interval where 6 seeds or more allow it") == 1
    assert text.count("Epochs to the reference's end: ") == 1 + usual.reach["family"].nunique()


def test_an_answer_says_what_of_its_figure_it_does_not_count(usual):
    found = {a.question: a.sentence for a in effects_text.answers(usual, {"digits": 1, "photo_patches": 3})}
    row = usual.contrasts.query("label == 'architecture keras_io → linear at loss mse'").iloc[0]
    beside = "; not counted, since the reference is not the baseline: architecture keras_io → linear at loss mse: "
    assert beside + effects_words.numbers(row) in found["architecture"]
    assert "not counted" not in found["latent"]
    same = usual.contrasts.query("family == 'architecture'")
    assert effects_text._beside(same, usual) == "", "all of its rows are counted"
    five = pd.concat([same.iloc[[2]]] * 5, ignore_index=True).assign(verdict="higher")
    more = dataclasses.replace(usual, contrasts=pd.concat([same.iloc[:2], five], ignore_index=True))
    many = effects_text._beside(same.iloc[:2], more)
    assert many.count(", more error") == 4 and many.endswith("; and 1 more")


def test_a_network_whose_decoder_sees_the_image_past_the_code_is_counted_apart(usual):
    assert usual.contrasts.set_index("cell")["past_code"].to_dict().pop("digits-unet-k2-bce-b32")
    assert usual.contrasts["past_code"].sum() == 1
    found = {a.question: a for a in effects_text.answers(usual, {"digits": 1, "photo_patches": 3})}["architecture"]
    row = usual.contrasts.query("label == 'architecture keras_io → unet'").iloc[0]
    assert (
        "; not counted, since a decoder sees the image past the code: architecture keras_io → unet: "
        f"{effects_words.numbers(row)}, less error; not counted, since the reference"
    ) in found.sentence
    assert found.sentence.startswith("The one other architecture tried") and found.statistic == f"architecture-{CNN}"
    alone = dataclasses.replace(usual, contrasts=usual.contrasts.query("label == 'architecture keras_io → unet'"))
    assert effects_text.answers(alone, {}) == [], "a leak answers nothing"


def test_the_other_depths_stand_beside_an_answer_about_one(usual):
    label = "architecture keras_io → cnn at depth "
    rows = usual.contrasts.query("cell == @CNN").assign(label=f"{label}1", verdict="not resolved")
    deep = rows.assign(label=f"{label}8", reference="digits-cnn-k2-mse-b32", verdict="lower")
    both = dataclasses.replace(usual, contrasts=pd.concat([rows, deep], ignore_index=True))
    same = usual.failures.replace({"cell": {CNN: "digits-cnn-k2-mse-b32"}})
    both = dataclasses.replace(both, failures=pd.concat([usual.failures, same], ignore_index=True).drop_duplicates())
    (answer,) = effects_text.answers(both, {})
    assert f"not resolved with 10 seeds: {label}1: 0." in answer.sentence
    assert f"since the reference is not the baseline: {label}8: 0." in answer.sentence and ", less error" in (
        answer.sentence
    )


def test_networks_no_better_than_the_mean_image_are_named_as_such(usual):
    mae = "digits-keras_io-k2-mae-b32"
    hit = (usual.failures["cell"] == mae) & (usual.failures["what"] == "collapsed")

    def of(count, cell=mae):
        failures = usual.failures.assign(count=usual.failures["count"].mask(hit, count).astype(int))
        found = dataclasses.replace(usual, failures=failures.replace({"cell": {mae: cell, cell: mae}}))
        answers = {a.question: a.sentence for a in effects_text.answers(found, {})}
        return answers["loss"], " ".join(effects_text.sentences(found, "mine"))

    collapsed, rest = "(10 of its 10 networks no better than the mean image)", "better than the mean image)"
    answer, text = of(10)
    assert f"loss bce → mae: {numbers_of(usual, mae)} {collapsed}" in answer and answer.count(rest) == 1
    assert f"loss bce → mae: {numbers_of(usual, mae)} {collapsed}" in text
    assert "(9 of its 10 networks no better than the mean image)" in of(9)[0] and rest not in of(0)[0]
    assert of(10, BASE)[0].count("(10 of the reference's 10 networks no better than the mean image)") == 2


def test_a_latent_size_above_the_narrowest_layer_is_named_as_such(usual):
    answer = {a.question: a.sentence for a in effects_text.answers(usual, {})}["latent"]
    of_32 = numbers_of(usual, "digits-keras_io-k32-bce-b32")
    assert f"latent_dim 2 → 32: {of_32} (its layer of 16 units is narrower than the code)" in answer
    assert answer.count("narrower") == 1
    assert set(usual.contrasts["narrowest_width"]) == {16}


def test_a_measure_by_which_a_contrast_turns_round_is_said_with_it(usual):
    others = usual.others.copy()
    turned = (others["cell"] == CNN) & others["metric"].isin(["test_ssim", "test_mae"])
    open_ = (others["cell"] == CNN) & (others["metric"] == "test_psnr")
    others["verdict"] = others["verdict"].mask(turned, "higher").mask(open_, "not resolved")
    answer = effects_text.answers(dataclasses.replace(usual, others=others), {})[0].sentence
    mae, ssim = (effects_words.numbers(row) for row in others[turned].to_dict("records"))
    assert f"(the other way round by test MAE {mae}, test 1 - SSIM {ssim})" in answer
    assert "other way round" not in effects_text.answers(usual, {})[0].sentence


def test_an_answer_across_data_sets_holds_the_error_against_pcas(usual):
    row = usual.contrasts.query("family == 'dataset'").assign(metric="test_over_pca", verdict="higher")
    found = dataclasses.replace(usual, others=pd.concat([usual.others, row], ignore_index=True))
    answers = {a.question: a.sentence for a in effects_text.answers(found, {"photo_patches": 3})}
    against = "; against PCA at the same size on the same images (error ÷ PCA's): dataset digits → photo_patches: "
    assert (
        f"{against}{numbers_of(usual, row['cell'].iloc[0])} times the reference's, does worse by it"
        in (answers["dataset"])
    )
    without = {a.question: a.sentence for a in effects_text.answers(usual, {"photo_patches": 3})}
    assert "PCA" not in without["dataset"] and "differ in more than their channels" in without["dataset"]
    assert "channels" not in without["latent"]


def test_an_answer_names_what_is_resolved_before_what_only_looks_large(usual):
    table = usual.contrasts.query("family == 'latent'").copy()
    table["verdict"] = ["not resolved", "lower", "lower"]
    answer = effects_text._answer("latent", table[~table["label"].str.endswith("→ 1")], usual)
    assert "not resolved" not in answer.sentence and "the largest" not in answer.sentence
    table.loc[table.index[0], "value"] = 9.0  # large, and not resolved
    others = table.assign(label=table["label"].str.replace("→ 1", "→ 64"))
    answer = effects_text._answer("latent", others, usual)
    assert "the largest resolved, latent_dim" in answer.sentence and "→ 64" not in answer.sentence


def test_few_seeds_a_partial_study_and_failures_are_said(space, trials):
    some = fail(trials[trials["seed"] < 4], CNN, [1])
    some = some[~some["trial"].str.startswith("digits-unet")]
    text = " ".join(said(effects.estimate(some, curves(some), space)))
    assert "A demonstration: with 4 seeds a sign-flip test, exact and free of normality, can give no" in text
    assert "two-sided p below 0.125;" in text and text.count("sign-flip") == 1
    assert "PARTIAL: 70 trials of 11 cells" in text and "Run: python -m study.search mine" in text
    assert "architecture keras_io → unet: no pair: digits-unet-k2-bce-b32 has not been trained yet." in text
    assert f"{CNN}: 1 of 4 trials failed, 25 % [0.631, 80.6]" in text
    assert "with failed trials at the mean image's error the ratio is" in text


def test_early_stopping_that_changes_a_verdict_is_said(space, trials):
    history = curves(trials)
    stuck = history["trial"].str.startswith("digits-keras_io-k8-bce-b32") & (history["epoch"] < 6)
    found = effects.estimate(trials, history.assign(val_mse=history["val_mse"].mask(stuck, 0.5)), space)
    (text,) = [text for text in said(found) if "another in 1: latent_dim 2 → 8" in text]
    assert "(trials stopped before a lower error came: 10 of the cell's 10)." in text
    assert not any("another in" in text for text in said(effects.estimate(trials, history, space)))


def test_measured_times_are_said_with_rounds(space, trials):
    measured = pd.DataFrame(
        [
            {"cell": cell, "round": number, "seconds": seconds, "first_epoch_seconds": 9.0, "images": 100,
             "peak_memory_mb": 300.0, "cpu_share": share, "environment": "one"}
            for number in range(3)
            for cell, seconds, share in ((BASE, 1.0 + number / 10, 0.99), (CNN, 2.0 + number / 4, 0.5))
        ]
    )  # fmt: skip
    found = effects.estimate(trials, curves(trials), space, cost=measured)
    text = " ".join(said(found))
    assert "architecture, seconds an epoch ÷ the reference's: architecture keras_io → cnn 2.04" in text
    assert "n = 3 rounds" in text and "those times are too long" in text and "Training time of 9 cells" in text
    assert "An epoch takes 2.04 [" in " ".join(block(found, space, "architecture keras_io → cnn")["time"])
    other = " ".join(block(found, space, "architecture keras_io → unet")["time"])
    assert "Its training time was not measured alone on a quiet machine. Run: python -m study.cost mine" in other


def test_the_seconds_of_a_search_are_described_and_not_compared(space, trials):
    rows = trials.assign(epoch_seconds=1.0)
    rows.loc[rows["architecture"] == "cnn", "epoch_seconds"] = np.arange(1.0, 11.0)
    found = effects.estimate(rows, curves(rows), space)
    row = found.search_time[found.search_time["cell"] == CNN].iloc[0]
    assert (row["n"], row["seconds"], row["least"], row["greatest"], row["reference_seconds"]) == (10, 5.5, 1, 10, 1)
    told = " ".join(block(found, space, "architecture keras_io → cnn")["time"])
    assert "quiet machine" not in told, "nothing was measured: that is said once, not with each modification"
    assert "While other trials ran beside it" in told and "5.5 s (median of n = 10 seeds; 1 to 10)" in told
    elsewhere = rows.assign(environment=np.where(rows["architecture"] == "cnn", "a", "b"))
    told = effects.estimate(elsewhere, curves(elsewhere), space).search_time
    assert CNN not in set(told["cell"]), "seconds of two machines are not set side by side"


def test_answers_are_about_the_baseline_and_cite_a_statistic(usual):
    found = {a.question: a for a in effects_text.answers(usual, {"digits": 1, "photo_patches": 3})}
    assert set(found) == {"architecture", "latent", "loss", "dataset"}
    known = set(pd.concat(effects_citable.statistics(usual))["id"])
    assert all(a.statistic in known for a in found.values())
    assert "2 of 3 other latent sizes tried came with less test MSE than the reference, 1 with more:" in (
        found["latent"].sentence
    )
    assert "latent_dim 2 → 1: 1.4" in found["latent"].sentence and found["latent"].figure == "forest-latent"
    assert found["dataset"].sentence.startswith("The one data set with several channels tried ")
    assert "1 of 1" not in " ".join(said(usual)), "of a single contrast there is nothing to count"
    grey = effects_text.answers(usual, {"digits": 1, "photo_patches": 1})
    assert "dataset" not in {a.question for a in grey}, "a data set of one channel answers nothing"


def test_ids_are_unique_and_name_the_reference_unless_it_is_the_baseline(usual):
    ids = pd.concat(effects_citable.statistics(usual))["id"]
    assert ids.is_unique
    assert f"architecture-{CNN}" in set(ids) and f"test_mae-architecture-{CNN}" in set(ids)
    assert "architecture-digits-linear-k2-mse-b32-vs-digits-keras_io-k2-mse-b32" in set(ids)
    assert {f"failed-{CNN}", f"end-val_mse-{BASE}", f"fit-architecture-{CNN}", f"epochs-architecture-{CNN}"} <= set(ids)


# --- blocks -------------------------------------------------------------------------------------------------------


def test_a_block_for_every_contrast_that_was_measured(usual, space):
    found = effects_modifications.blocks(usual, space, DATA, "mine")
    assert [one["label"] for one in found] == list(usual.contrasts["label"])
    for one in found:
        assert one["code"] and one["why"] and one["loss"] and one["performance"] and one["certainty"]
        assert one["time"] or "dataset" in one["factors"], "networks of other images have no common target"
        assert one["mechanism"]["explanation"] and one["mechanism"]["conclusion"]
    json.dumps(found, allow_nan=False)
    doubt = "There is no resolved effect that this could explain."
    by_label = {one["label"]: one["mechanism"]["conclusion"] for one in found}
    assert by_label["regularizer none → variational"].endswith(doubt)
    assert not by_label["latent_dim 2 → 1"].endswith(doubt)


def test_a_block_says_why_with_the_registrys_words_and_shows_the_code(usual, space):
    cnn = block(usual, space, "architecture keras_io → cnn")
    assert cnn["why"][0].startswith("The baseline with one change: its dense layer of 16 units is gone")
    assert "layers.Dense(16" in cnn["code"][0]["diff"]
    data = block(usual, space, "dataset digits → photo_patches")
    assert "photo_patches (32×32×3; two photographs)" in data["why"][0]
    assert "Its 3 channels have to be coded as well." in data["why"][0]
    assert "One unit puts all images on a line" in block(usual, space, "latent_dim 2 → 1")["why"][0]


def test_a_reason_is_that_of_a_change_of_the_baseline_or_describes_the_new_level(space):
    """The registry's words on cnn are about the baseline, which linear is not."""
    linear = {**space.baseline, "architecture": "linear"}
    cnn = {**space.baseline, "architecture": "cnn"}
    (of_baseline,) = effects_modifications.why(effects.Contrast(cnn, space.baseline, space.baseline), space, DATA)
    (of_linear,) = effects_modifications.why(effects.Contrast(cnn, linear, space.baseline), space, DATA)
    assert of_baseline.startswith("The baseline with one change: ") and of_linear == f"cnn: {of_baseline}"


def test_a_collapsed_trial_is_said_with_its_rate_and_method(space, trials):
    some = trials[trials["seed"] < 4].copy()
    some.loc[some["trial"] == f"{CNN}-s01", "collapsed"] = True
    told = block(effects.estimate(some, curves(some), space), space, "architecture keras_io → cnn")["performance"]
    assert told[-1] == (
        "1 of 4 completed trials is no better than the mean image, 25 % [0.631, 80.6] (proportion, Clopper-Pearson "
        "95 % interval)."
    )


def test_the_only_contrast_of_a_family_is_adjusted_for_nothing(usual, space):
    one = " ".join(block(usual, space, "regularizer none → variational")["certainty"])
    assert ", the only contrast of its family; the least" in one and "adjusted p" not in one
    assert "among 3 contrasts" in " ".join(block(usual, space, "latent_dim 2 → 1")["certainty"])


def test_the_least_p_of_sign_flips_is_said_only_of_sign_flips(usual, space, trials):
    least = "; the least that sign flips of 10 seeds can give is 0.00195. joint sign-flip"
    assert least in block(usual, space, "latent_dim 2 → 1")["certainty"][0]
    few = trials[trials["seed"] < 4]
    text = block(effects.estimate(few, curves(few), space), space, "latent_dim 2 → 1")["certainty"][0]
    assert "among 3 contrasts. Bonferroni on paired t" in text and "flips" not in text


def test_losses_are_compared_only_where_both_have_the_same(usual, space):
    assert any("The training loss ends at" in text for text in block(usual, space, "latent_dim 2 → 1")["loss"])
    mse = " ".join(block(usual, space, "loss bce → mse")["loss"])
    assert "on different scales" in mse and "training loss" not in mse and "The validation MSE ends at" in mse


def test_an_explanation_is_refuted_where_its_measurement_says_so(space, trials):
    label = "latent_dim 2 → 1"
    before = block(effects.estimate(trials, curves(trials), space), space, label)["mechanism"]
    assert before["conclusion"].startswith("Predictions that hold: 2 of 2.")
    small = trials["latent_dim"] == 1
    other = trials.assign(active_units=trials["active_units"].mask(small, 5))
    after = block(effects.estimate(other, curves(other), space), space, label)["mechanism"]
    assert after["explanation"] == before["explanation"]
    assert after["conclusion"].startswith("Predictions that fail: 1 of 2.")
    assert any("higher; predicted lower: against the prediction" in text for text in after["measurements"])


def test_ones_own_architecture_without_a_reason_is_said(space):
    own = spaces.parse("own", 'BASELINE = dict()\nTRAINING = dict()\ndef build(a, b, c): pass\n'
                       'ARCHITECTURES = {"mine": build}', "own.py")  # fmt: skip
    contrast = effects.Contrast({**space.baseline, "architecture": "mine"}, space.baseline, space.baseline)
    assert effects_modifications.why(contrast, own, {}) == [
        "The search space gives no reason for mine: set `mine.why` beside its code."
    ]


# --- figures ------------------------------------------------------------------------------------------------------


def test_the_figures_draw_what_the_tables_hold(usual):
    drawn = dict(effects_figures.plots(usual))
    assert set(drawn) == {f"{kind}-{f.name}" for kind in ("forest", "curves") for f in usual.families}
    axes = drawn["forest-latent"].axes[0]
    rows, pairs = (t[t["family"] == "latent"] for t in (usual.contrasts, usual.pairs))
    points = [line for line in axes.get_lines() if line.get_marker() == "o" and len(line.get_xdata())]
    np.testing.assert_allclose([line.get_xdata()[0] for line in points], rows["ratio"])
    seeds = np.concatenate([line.get_xdata() for line in axes.get_lines() if line.get_marker() == "."])
    np.testing.assert_allclose(np.sort(seeds), np.sort(pairs["ratio"]))
    assert "n = 10" in drawn["forest-latent"].get_supxlabel()
    assert len([axes for axes in drawn["curves-latent"].axes if axes.axison]) == 3


def test_the_numbers_beside_a_row_show_on_which_side_of_1_it_lies(usual):
    rows = usual.contrasts.query("family == 'loss'").assign(ratio=1.2321, ratio_low=1.00432, ratio_high=1.5117)
    axes = effects_figures.forest(rows, usual.pairs, "").axes[0]
    assert [text.get_text() for text in axes.texts] == ["1.23 [1.004, 1.51]"] * 2


def test_what_labels_begin_with_is_named_once():
    assert effects_figures.short(["loss bce → mse", "loss bce → mae"]) == ("loss bce →", ["mse", "mae"])
    assert effects_figures.short(["loss bce → mse"]) == ("", ["loss bce → mse"])
    assert effects_figures.short(["depth 1", "depth 1 at loss mse"]) == ("depth", ["1", "1 at loss mse"])


# --- the command --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def written(tmp_path_factory, space, trials):
    """The folder `artifacts` with a partial study: four seeds of ten, one trial failed."""
    some = fail(trials[trials["seed"] < 4], CNN, [1])
    return write_study(tmp_path_factory.mktemp("effects"), parsed(SMALL), some, curves(some)).parent


def test_the_command_writes_what_it_prints(written, capsys):
    arguments = ["--artifacts", str(written), "--no-models"]
    assert effects.main(arguments) == 0
    out = capsys.readouterr().out
    assert "study synthetic" in out and "PARTIAL" in out and "against PCA at the same size" in out.replace("\n  ", " ")
    paths = [line.removeprefix("wrote ") for line in out.splitlines() if line.startswith("wrote ")]
    folder = written / "synthetic" / "analysis" / "effects"
    assert sorted(paths) == sorted(str(path) for path in folder.iterdir())
    names = {path.name for path in folder.iterdir()}
    assert {"contrasts.csv", "modifications.json", "statistics.csv", "summary.json", "forest-architecture.png"} <= names
    summary = json.loads((folder / "summary.json").read_text())
    assert {a["question"] for a in summary["answers"]} == {"architecture", "dataset"}
    before = {path: path.read_bytes() for path in folder.iterdir()}
    assert effects.main([*arguments, "--format", "json"]) == 0
    assert {path: path.read_bytes() for path in folder.iterdir()} == before, "a second run writes other bytes"
    printed = json.loads(capsys.readouterr().out)
    assert len(printed["table"]) == 3 and all(row["method"] for row in printed["table"] if row["n"])


def test_the_report_leaves_out_columns_that_are_empty_and_says_why_once(written, space, trials):
    """The table of a section, from the files that the command left."""
    assert effects.main(["--artifacts", str(written), "--no-models"]) == 0
    study = evidence.read("synthetic", written)
    section = next(one for one in SECTIONS if one.id == "dataset")
    blocks = modifications.blocks(section, [study])
    assert next(one for one in blocks if isinstance(one, Table)).header == ("modification", "error ÷ reference's", "p")
    assert str(blocks).count("python -m study.cost synthetic") == 1
    section = next(one for one in SECTIONS if one.id == "architecture")
    shown = next(one for one in modifications.blocks(section, [study]) if isinstance(one, Table))
    assert shown.header[-1] == "epochs to reference's end"
    row = study.statistics[f"effects.architecture-{CNN}"]
    assert shown.rows[0][1][0].text == effects_words.numbers(vars(row), "value", "low", "high")


def test_a_section_without_a_question_is_answered_by_its_familys_sentences(tmp_path, trials):
    text = SPACE.split("FAMILIES")[0] + (
        'FAMILIES = {"regularizer": dict(metric="test_mse", contrasts=[(dict(regularizer="variational"), {})])}'
    )
    few = trials[trials["seed"] < 2]
    write_study(tmp_path, parsed(text), few, curves(few))
    assert effects.main(["--artifacts", str(tmp_path), "--no-models"]) == 0
    section = next(one for one in SECTIONS if one.id == "regularizer")
    first = modifications.blocks(section, [evidence.read("synthetic", tmp_path)])[0]
    assert isinstance(first, Paragraph)
    assert "".join(span.text for span in first.text).startswith("regularizer, test MSE: not resolved for ")


def test_a_cell_with_models_is_held_against_others_on_the_same_images(written, monkeypatch):
    """The baseline and the U-Net have models: against the cnn, the baseline's stored examples count."""

    def measure(study, cells, artifacts, load):
        trials = [f"{cell}-s{seed:02d}" for cell in cells for seed in range(4)]
        shown = {"source": effects_codes.TEST_IMAGES, "effective_rank": 1.5, "images": 360}
        return pd.DataFrame([{"trial": trial, **shown} for trial in trials], columns=list(effects_codes.COLUMNS)), []

    monkeypatch.setattr(effects_codes, "measure", measure)
    assert effects.main(["--artifacts", str(written)]) == 0
    found = pd.read_csv(written / "synthetic" / "analysis" / "effects" / "mechanism.csv")
    ranks = found[found["measurement"] == "effective_rank"].set_index("cell")[["source", "images", "reference_images"]]
    assert ranks.loc["digits-unet-k2-bce-b32"].tolist() == [effects_codes.TEST_IMAGES, 360, 360]
    assert ranks.loc[CNN].tolist() == [effects_codes.EXAMPLES, 32, 32]


def test_bad_input_ends_with_2(tmp_path, capsys, trials):
    assert effects.main(["nowhere", "--artifacts", str(tmp_path)]) == 2
    bare = parsed(SPACE.split("FAMILIES")[0])
    few = trials[trials["seed"] < 1]
    write_study(tmp_path, bare, few, curves(few), "bare")
    assert effects.main(["bare", "--artifacts", str(tmp_path), "--no-models"]) == 2
    errors = capsys.readouterr().err
    assert "no study 'nowhere'" in errors and "declares no FAMILIES" in errors


def test_a_trained_study_is_asked_for_what_its_codes_hold(finished: Search, capsys, monkeypatch):
    """Two cells of two seeds, trained: the models give ranks, class overlap and the use of the code."""
    load = records.load  # after two epochs they are no better than the mean image, and would not be asked
    monkeypatch.setattr(records, "load", lambda *where: load(*where).assign(collapsed=False))
    assert effects.main(["tiny", "--artifacts", str(finished.artifacts), "--format", "csv"]) == 0
    folder = finished.study / "analysis" / "effects"
    rows = pd.read_csv(folder / "mechanism.csv").set_index("measurement")
    assert {"effective_rank", "neighbour_accuracy", "latent_use"} <= set(rows.index)
    assert rows.loc["latent_use", "cell_value"] > 1 and 0.1 < rows.loc["neighbour_accuracy", "cell_value"] <= 1
    (one,) = json.loads((folder / "modifications.json").read_text())
    assert (
        one["label"] == "latent_dim 2 → 4"
        and "share of images whose class" in " ".join(one["mechanism"]["measurements"]).lower()
    )
    assert capsys.readouterr().out.startswith("family,label,")


def test_help_imports_nothing_slow():
    code = (
        "import sys; from analysis import effects\n"
        "try: effects.main(['--help'])\n"
        "except SystemExit as end: assert end.code == 0\n"
        "slow = {'pandas', 'seaborn', 'matplotlib', 'sklearn', 'keras', 'tensorflow'} & set(sys.modules)\n"
        "assert not slow, slow"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "What does each modification of the baseline change?" in shown and "--no-models" in shown
