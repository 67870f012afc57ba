"""The command `analysis.effects`: its tables, sentences, blocks and figures on studies whose effects are known."""

import dataclasses
import json
import subprocess
import sys
import time
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis import (
    effects,
    effects_answers,
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
PHOTOS = "photo_patches-keras_io-k2-bce-b32"
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
    found = effects_modifications.blocks(estimates, space, DATA)
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
    assert f"(ratio of geometric means, n = 10 seeds; {latent['method'].iloc[0]})." in text
    row = usual.contrasts.query("family == 'regularizer'").iloc[0]
    assert row["verdict"] == "not resolved", "the synthetic regularizer does nothing"
    assert f"regularizer, test MSE: not resolved for {row['label']}: {row['ratio']:.3g} [" in text
    assert "None of the 110 trials of the declared contrasts failed." in text
    assert text.count("python -m study.cost mine") == 1 and "seconds an epoch ÷" not in text
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
    assert f" is {ends.min():.3g} times what it was after three quarters of the epochs" in text, "all the same"
    assert "equally many epochs" in text and "unequally many updates" in text


def test_how_epochs_are_counted_is_said_once(usual):
    text = " ".join(said(usual))
    assert text.count("exact 95 % interval where 6 seeds or more allow it") == 1
    assert text.count("Epochs to the reference's end: ") == 1 + usual.reach["family"].nunique()


def test_an_answer_counts_all_of_a_family_and_names_the_reference(usual):
    """The linear network is held against the baseline's with another loss, and counts as the others do."""
    found = {a.question: a.sentence for a in effects_answers.answers(usual, {"digits": 1, "photo_patches": 3})}
    row = usual.contrasts.query("label == 'architecture keras_io → linear at loss mse'").iloc[0]
    assert found["architecture"].startswith(
        "1 of 2 other architectures tried came with less test MSE than the reference (architecture keras_io), 0 with "
        "more, 1 not resolved with 10 seeds. Resolved: architecture cnn: "
    )
    lost = usual.contrasts["verdict"].where(usual.contrasts["cell"] != row["cell"], "higher")
    worse = effects_answers.answers(dataclasses.replace(usual, contrasts=usual.contrasts.assign(verdict=lost)), {})
    assert f"architecture linear at loss mse: {effects_words.numbers(row)} times" in worse[0].sentence
    assert "not counted" not in found["latent"].lower()


def test_a_network_whose_decoder_sees_the_image_past_the_code_is_counted_apart(usual):
    assert usual.contrasts.set_index("cell")["past_code"].to_dict().pop("digits-unet-k2-bce-b32")
    assert usual.contrasts["past_code"].sum() == 1
    found = {a.question: a for a in effects_answers.answers(usual, {"digits": 1, "photo_patches": 3})}["architecture"]
    row = usual.contrasts.query("label == 'architecture keras_io → unet'").iloc[0]
    apart = f"architecture unet: {effects_words.numbers(row)}, less error."
    assert found.sentence.endswith(f" Not counted, since a decoder sees the image past the code: {apart}")
    alone = dataclasses.replace(usual, contrasts=usual.contrasts.query("label == 'architecture keras_io → unet'"))
    assert effects_answers.answers(alone, {}) == [], "a leak answers nothing"
    counted = usual.contrasts.query("family == 'architecture' and cell == @CNN")
    five = pd.concat([row.to_frame().T] * 5, ignore_index=True).assign(verdict="higher")
    more = dataclasses.replace(usual, contrasts=pd.concat([counted, five], ignore_index=True))
    (many,) = effects_answers._uncounted(counted, more)
    assert many.count(", more error") == 4 and many.endswith("; and 1 more.")


def test_one_level_at_several_settings_is_one_level():
    """Whether or not one of the settings is the baseline's."""
    for base in (2, 3):
        text = (
            f'BASELINE = dict(dataset="digits", architecture="linear", latent_dim={base}, loss="mse", batch_size=32)\n'
            'BLOCKS = dict(all=dict(architecture=["linear", "cnn"], latent_dim=[2, 8]))\n'
            "TRAINING = dict(epochs=6, seeds=10)\n"
            'FAMILIES = dict(linear=dict(metric="test_mse", contrasts=[\n'
            '    (dict(architecture="cnn", latent_dim=k), dict(latent_dim=k)) for k in (2, 8)]))\n'
        )
        of = parsed(text)
        trials = table(of, ratio=lambda cell: 0.5 if cell["architecture"] == "cnn" else 1.0)
        (answer,) = effects_answers.answers(effects.estimate(trials, curves(trials), of), {})
        assert answer.sentence.startswith(
            "The one other architecture tried, at 2 latent sizes: 2 of 2 with less test MSE than the reference "
            "(architecture linear), 0 with more: architecture cnn at latent_dim 2: 0."
        )


def test_an_answer_says_how_long_an_epoch_takes_where_that_was_measured(usual):
    rows = usual.contrasts.query("family == 'loss'")[["family", "cell", "reference"]]
    cost = rows.assign(ratio=[1.5, 0.8], low=[1.25, 0.7], high=[1.75, 0.9], n=3)
    found = effects_answers.answers(dataclasses.replace(usual, cost=cost), {})
    (loss,) = [a.sentence for a in found if a.question == "loss"]
    times = (
        "An epoch takes, in this order, 1.5 [1.25, 1.75]; 0.8 [0.7, 0.9] times the reference's seconds (n = 3 rounds"
    )
    assert times in loss
    assert not any("An epoch" in a.sentence for a in found if a.question != "loss")


def test_networks_no_better_than_the_mean_image_are_named_as_such(usual):
    mae = "digits-keras_io-k2-mae-b32"
    hit = (usual.failures["cell"] == mae) & (usual.failures["what"] == "collapsed")

    def of(count, cell=mae):
        failures = usual.failures.assign(count=usual.failures["count"].mask(hit, count).astype(int))
        found = dataclasses.replace(usual, failures=failures.replace({"cell": {mae: cell, cell: mae}}))
        answers = {a.question: a.sentence for a in effects_answers.answers(found, {})}
        return answers["loss"], " ".join(effects_text.sentences(found, "mine"))

    collapsed, rest = "(10 of its 10 networks no better than the mean image)", "better than the mean image)"
    answer, text = of(10)
    assert f"loss mae: {numbers_of(usual, mae)} {collapsed}" in answer and answer.count(rest) == 1
    assert f"loss bce → mae: {numbers_of(usual, mae)} {collapsed}" in text
    assert "(9 of its 10 networks no better than the mean image)" in of(9)[0] and rest not in of(0)[0]
    assert of(10, BASE)[0].count("(10 of the reference's 10 networks no better than the mean image)") == 2


def test_a_latent_size_above_the_narrowest_layer_is_named_as_such(usual):
    answer = {a.question: a.sentence for a in effects_answers.answers(usual, {})}["latent"]
    of_32 = numbers_of(usual, "digits-keras_io-k32-bce-b32")
    assert f"latent_dim 32: {of_32} (its layer of 16 units is narrower than the code)" in answer
    assert answer.count("narrower") == 1
    assert set(usual.contrasts["narrowest_width"]) == {16}


def test_a_measure_by_which_a_contrast_turns_round_is_said_with_it(usual):
    others = usual.others.copy()
    turned = (others["cell"] == CNN) & others["metric"].isin(["test_ssim", "test_mae"])
    open_ = (others["cell"] == CNN) & (others["metric"] == "test_psnr")
    others["verdict"] = others["verdict"].mask(turned, "higher").mask(open_, "not resolved")
    answer = effects_answers.answers(dataclasses.replace(usual, others=others), {})[0].sentence
    mae, ssim = (effects_words.numbers(row) for row in others[turned].to_dict("records"))
    assert f"(the other way round by test MAE {mae}, test 1 - SSIM {ssim})" in answer
    assert "other way round" not in effects_answers.answers(usual, {})[0].sentence


def test_an_answer_across_data_sets_holds_both_errors_against_pcas(space, trials):
    """The network on the one is no better than PCA, that on the other is."""
    of_photos = trials["dataset"] == "photo_patches"
    over = trials["test_mse"] / trials["test_mse"].where(of_photos, 0.05)
    noise = np.random.default_rng(0).normal(0, 0.01, len(trials))
    sides = trials["trial"].str.contains(f"{PHOTOS}|{BASE}|{CNN}")
    known = trials.assign(test_over_pca=(over * np.exp(noise)).where(sides), test_pca_fvu=0.5)
    found = effects.estimate(known, curves(known), space)
    assert set(found.others.query("metric == 'test_over_pca'")["family"]) == {"dataset"}, "elsewhere PCA cancels"
    mine, theirs = (found.over_pca.set_index("cell").loc[name] for name in (PHOTOS, BASE))
    logs = np.log(known.query("trial.str.startswith(@BASE + '-')")["test_over_pca"])
    low, high = np.exp(stats.t.interval(0.95, 9, logs.mean(), stats.sem(logs)))
    assert theirs[["value", "low", "high"]].tolist() == pytest.approx([np.exp(logs.mean()), low, high])
    answers = {a.question: a.sentence for a in effects_answers.answers(found, {"photo_patches": 3})}
    one, other = (effects_words.numbers(side, "value", "low", "high") for side in (mine, theirs))
    said_of_it = (
        f"gainst PCA at the same size on the same images, the error is {one} times PCA's (no gain on PCA is "
        f"resolved), the reference's {other} times PCA's (less than PCA); the first ÷ the second is "
    )
    assert f" A{said_of_it}" in answers["dataset"] and "worse against PCA than the reference" in answers["dataset"]
    assert any(text.startswith(f"dataset, dataset digits → photo_patches: a{said_of_it}") for text in said(found))
    assert "differ in more than their channels" in answers["dataset"] and "channels" not in answers["latent"]
    assert f"over-pca-{BASE}" in set(pd.concat(effects_citable.statistics(found))["id"])


def test_nothing_is_said_of_pca_where_it_was_not_fitted(usual):
    assert not any("PCA" in a.sentence for a in effects_answers.answers(usual, {"photo_patches": 3}))


def test_an_answer_names_what_is_resolved_before_what_only_looks_large(usual):
    table = usual.contrasts.query("family == 'latent'").copy()
    table["verdict"] = ["not resolved", "lower", "lower"]
    answer = effects_answers._answer("latent", table[~table["label"].str.endswith("→ 1")], usual)
    assert "not resolved" not in answer.sentence and "largest" not in answer.sentence
    table.loc[table.index[0], "value"] = 9.0  # large, and not resolved
    others = table.assign(label=table["label"].str.replace("→ 1", "→ 64"))
    answer = effects_answers._answer("latent", others, usual)
    first, otherwise = answer.sentence.split(" Not resolved, but by another measure: ")
    assert ". Resolved: latent_dim" in first and "latent_dim 64" not in first
    assert otherwise.startswith("latent_dim 64: 1.48") and "but more by test MAE 1.22" in otherwise
    assert "validation" not in otherwise and "unexplained" not in otherwise


def test_few_seeds_a_partial_study_and_failures_are_said(space, trials):
    some = fail(trials[trials["seed"] < 4], CNN, [1])
    some = some[~some["trial"].str.startswith("digits-unet")]
    text = " ".join(said(effects.estimate(some, curves(some), space)))
    assert "A demonstration: with 4 seeds a sign-flip test, exact and free of normality, can give no" in text
    assert "two-sided p below 0.125;" in text and text.count("sign-flip") == 1
    assert text.count("python -m") == 2, "each command once"
    assert "Still missing: 70 of 110 trials (python -m study.search mine); the training time of 11 of 11 cells" in text
    assert "intervals are interim: not adjusted for repeated looks." in text
    whole = " ".join(said(effects.estimate(trials, curves(trials), space)))
    assert "Still missing: the training time" in whole and "interim" not in whole
    assert "architecture keras_io → unet: no pair: digits-unet-k2-bce-b32 has not been trained yet." in text
    assert f"{CNN}: 1 of 4 trials failed, 25 % [0.631, 80.6]" in text
    assert "with failed trials at the mean image's error the ratio is" in text


def test_the_command_that_makes_codes_again_is_said_once():
    gone = [f"{trial} was left out: it is gone. Rebuild it: --rebuild {trial}" for trial in "ab"]
    found = [*effects._in_short([*gone, "classes are not compared: no data"], "mine")]
    assert found[0] == "classes are not compared: no data" and len(found) == 2
    assert found[1].count("python -m study.search mine --rebuild '*'") == 1
    assert [*effects._in_short([], "mine")] == []


def test_early_stopping_that_changes_a_verdict_is_said(space, trials):
    history = curves(trials)
    stuck = history["trial"].str.startswith("digits-keras_io-k8-bce-b32") & (history["epoch"] < 6)
    found = effects.estimate(trials, history.assign(val_mse=history["val_mse"].mask(stuck, 0.5)), space)
    (text,) = [text for text in said(found) if "another in 1: latent_dim 2 → 8" in text]
    assert "(in the mean of a cell after 4 of 6 epochs at the earliest)" in text
    assert "(trials stopped before a lower error came: 10 of the cell's 10)." in text
    told = " ".join(block(found, space, "latent_dim 2 → 8")["certainty"])
    assert "With early stopping, the validation MSE is" in told
    assert "times the reference's: higher; trials stopped before a lower error came: 10 of the cell's 10." in told
    never = effects.estimate(trials, history, space)
    assert any("all would have made their 6 epochs, as they did" in text for text in said(never))
    assert not any("early stopping" in text for text in block(never, space, "latent_dim 2 → 8")["certainty"])


def test_one_seed_that_early_stopping_ends_too_soon_is_named(space, trials):
    history, some = curves(trials), trials[trials["seed"] < 4]
    stuck = (history["trial"] == "digits-keras_io-k8-bce-b32-s01") & (history["epoch"] < 6)
    found = effects.estimate(some, history.assign(val_mse=history["val_mse"].mask(stuck, 0.5)), space)
    (told,) = [text for text in block(found, space, "latent_dim 2 → 8")["certainty"] if text.startswith("With early")]
    assert "; trials stopped before a lower error came: 1 of the cell's 4; most of the spread is one seed's: " in told
    assert " in seed 1, " in told


def test_one_seed_is_no_plural_and_a_cell_that_never_gets_there_is_said_so(space, trials):
    few = trials[trials["seed"] < 1]
    found = effects.estimate(few, curves(few), space)
    blocks = effects_modifications.blocks(found, space, DATA)
    text = " ".join([*said(found), json.dumps(blocks), str(effects_answers.answers(found, {"photo_patches": 3}))])
    assert "1 seeds" not in text and "1 epochs" not in text
    told = " ".join(block(found, space, "latent_dim 2 → 1")["time"])
    assert "that the reference ends with in 0 of 1 seed within 6 epochs;" in told


def test_an_error_that_no_longer_moves_is_said_so():
    assert effects_modifications._still(1.0) == "; the first did not move over the last quarter of the epochs"
    assert effects_modifications._still(0.9).startswith("; the first is 0.9 times what it was")
    assert effects_modifications._still(np.nan) == ""


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
    assert "architecture, seconds an epoch ÷ the reference's: longer for architecture keras_io → cnn: 2.04 [" in text
    assert "n = 3 rounds" in text and "those times are too long" in text and "training time of 9 of 11 cells" in text
    told = " ".join(block(found, space, "architecture keras_io → cnn")["time"])
    assert "An epoch takes 2.04 [" in told and "times the reference's seconds (longer): 2.25 s against 1.1 s" in told
    other = block(found, space, "architecture keras_io → unet")["time"]
    assert other[0] == "Its training time was not measured alone on the machine."


def test_the_seconds_of_a_search_are_described_and_not_compared(space, trials):
    rows = trials.assign(epoch_seconds=1.0)
    rows.loc[rows["architecture"] == "cnn", "epoch_seconds"] = np.arange(1.0, 11.0)
    found = effects.estimate(rows, curves(rows), space)
    row = found.search_time[found.search_time["cell"] == CNN].iloc[0]
    assert (row["n"], row["seconds"], row["least"], row["greatest"], row["reference_seconds"]) == (10, 5.5, 1, 10, 1)
    told = " ".join(block(found, space, "architecture keras_io → cnn")["time"])
    assert "not measured" not in told, "nothing was measured: that is said once, not with each modification"
    assert "In the search an epoch took 5.5 s (median of n = 10 seeds; 1 to 10), the reference's 1 s (1)." in told
    beside = [one["label"] for one in effects_modifications.blocks(found, space, DATA) if "beside" in str(one["time"])]
    firsts = found.contrasts.groupby("family", sort=False)["label"].first()
    assert beside == list(firsts), "once a family"
    far = rows.assign(epoch_seconds=rows["epoch_seconds"].where(rows["architecture"] == "cnn", 0.5))
    told = " ".join(block(effects.estimate(far, curves(far), space), space, "architecture keras_io → cnn")["time"])
    assert "the reference's 0.5 s (0.5), ranges a factor of 2 or more apart: more than load explains." in told
    elsewhere = rows.assign(environment=np.where(rows["architecture"] == "cnn", "a", "b"))
    told = effects.estimate(elsewhere, curves(elsewhere), space).search_time
    assert CNN not in set(told["cell"]), "seconds of two machines are not set side by side"


def test_answers_are_about_the_baseline_and_cite_a_statistic(usual):
    found = {a.question: a for a in effects_answers.answers(usual, {"digits": 1, "photo_patches": 3})}
    assert set(found) == {"architecture", "latent", "loss", "dataset"}
    known = set(pd.concat(effects_citable.statistics(usual))["id"])
    assert all(a.statistic in known for a in found.values())
    assert found["latent"].sentence.startswith(
        "2 of 3 other latent sizes tried came with less test MSE than the reference (latent_dim 2), 1 with more: "
    )
    assert "latent_dim 1: 1.4" in found["latent"].sentence and found["latent"].figure == "forest-latent"
    assert found["dataset"].sentence.startswith("The one data set with several channels tried ")
    assert (
        "than the reference (dataset digits): " in found["dataset"].sentence or "resolved" in found["dataset"].sentence
    )
    assert "in 1 of 1" not in " ".join(said(usual)), "of a single contrast there is nothing to count"
    grey = effects_answers.answers(usual, {"digits": 1, "photo_patches": 1})
    assert "dataset" not in {a.question for a in grey}, "a data set of one channel answers nothing"


def test_ids_are_unique_and_name_the_reference_unless_it_is_the_baseline(usual):
    ids = pd.concat(effects_citable.statistics(usual))["id"]
    assert ids.is_unique
    assert f"architecture-{CNN}" in set(ids) and f"test_mae-architecture-{CNN}" in set(ids)
    assert "architecture-digits-linear-k2-mse-b32-vs-digits-keras_io-k2-mse-b32" in set(ids)
    assert {f"failed-{CNN}", f"end-val_mse-{BASE}", f"fit-architecture-{CNN}", f"epochs-architecture-{CNN}"} <= set(ids)


# --- blocks -------------------------------------------------------------------------------------------------------


def test_a_block_for_every_contrast_that_was_measured(usual, space):
    found = effects_modifications.blocks(usual, space, DATA)
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
    assert data["why"][0].endswith("a code of the same size, makes of images of 3 channels instead of 1.")
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
    several = " ".join(block(usual, space, "latent_dim 2 → 1")["certainty"])
    assert "among 3 contrasts" in several and "this interval is single, the paired one simultaneous among 3" in several
    assert "this interval is single, as is the paired one." in one and "The pairs correlate by" in one


def test_a_correlation_of_a_few_pairs_is_not_said(space, trials):
    few = trials[trials["seed"] < 5]
    told = " ".join(block(effects.estimate(few, curves(few), space), space, "latent_dim 2 → 1")["certainty"])
    assert "correlate" not in told and "Unpaired (Welch), the ratio is" in told


def test_a_seed_that_makes_most_of_the_spread_is_named(space, trials):
    some = trials[trials["seed"] < 4].copy()
    some.loc[some["trial"] == "digits-keras_io-k8-bce-b32-s02", ["test_mse", "val_mse"]] *= 1.3
    found = effects.estimate(some, curves(some), space)
    row = found.contrasts.set_index("label").loc["latent_dim 2 → 8"]
    ratios = found.pairs.query("label == 'latent_dim 2 → 8'").set_index("seed")["ratio"]
    others = ratios.drop(2)
    assert row[["seed_apart", "ratio_apart"]].tolist() == [2, ratios[2]] and row["n"] == 4, "it is named, and stays in"
    assert row[["others_low", "others_high"]].tolist() == [others.min(), others.max()]
    rest = f"{others.min():.3g} to {others.max():.3g}"
    told = f"ost of the spread is one seed's: {ratios[2]:.3g} in seed 2, {rest} in the others"
    assert f"M{told}." in block(found, space, "latent_dim 2 → 8")["performance"]
    answers = {a.question: a.sentence for a in effects_answers.answers(found, {})}
    assert f"(m{told})" in answers["latent"] and f"(m{told})" in " ".join(said(found))
    assert "one seed's" not in answers["architecture"]


def test_the_least_p_of_sign_flips_is_said_only_of_sign_flips(usual, space, trials):
    least = "; the least that sign flips of 10 seeds can give is 0.00195. joint sign-flip"
    assert least in block(usual, space, "latent_dim 2 → 1")["certainty"][0]
    few = trials[trials["seed"] < 4]
    text = block(effects.estimate(few, curves(few), space), space, "latent_dim 2 → 1")["certainty"][0]
    assert "among 3 contrasts. Bonferroni on paired t" in text and "flips" not in text


def test_losses_are_compared_only_where_both_have_the_same(usual, space):
    assert any("The training loss ends at" in text for text in block(usual, space, "latent_dim 2 → 1")["loss"])
    mse = " ".join(block(usual, space, "loss bce → mse")["loss"])
    assert "minimise different objectives" in mse and "training loss" not in mse and "validation MSE ends at" in mse
    photos = " ".join(block(usual, space, "dataset digits → photo_patches")["loss"])
    assert "Both minimise BCE, but it cannot fall below the entropy of the pixel values" in photos


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


def test_what_passes_the_code_is_an_arrow_beyond_the_axis_of_the_others(usual):
    rows = usual.contrasts.query("family == 'latent'").copy()
    whole = effects_figures.forest(rows, usual.pairs, "").axes[0]
    last = rows.index[-1]
    rows.loc[last, ["ratio", "ratio_low", "ratio_high", "past_code"]] = [0.001, 0.0009, 0.0011, True]
    axes = effects_figures.forest(rows, usual.pairs, "").axes[0]
    arrows = [line for line in axes.get_lines() if line.get_marker() == "<"]
    assert len(arrows) == 1 and arrows[0].get_ydata()[0] == 0
    others = rows.drop(index=last)
    assert axes.get_xlim()[0] > 0.01 and axes.get_xlim()[0] < others["ratio_low"].min()
    assert [text.get_text() for text in axes.texts][:-1] == [text.get_text() for text in whole.texts][:-1]


def test_an_only_contrast_that_turns_against_pca_says_so_first(usual):
    rows = usual.contrasts.query("family == 'dataset'").head(1).copy()
    numbers = {"metric": "test_over_pca", "verdict": "higher", "ratio": 1.3, "ratio_low": 1.2, "ratio_high": 1.4}
    estimates = SimpleNamespace(others=rows.assign(**numbers))
    said = effects_answers._but_of_pca(rows.assign(verdict="lower"), estimates)
    assert said == ", but more where each error is divided by PCA's of its size (1.3 [1.2, 1.4])"
    assert effects_answers._but_of_pca(rows.assign(verdict="higher"), estimates) == ""
    assert effects_answers._but_of_pca(rows.assign(verdict="not resolved"), estimates) == ""


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
    assert "study synthetic" in out and "Still missing: " in out
    assert "against PCA at the same size" in out.replace("\n  ", " ")
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
    assert str(blocks).count("not measured alone on a machine") == 1
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
