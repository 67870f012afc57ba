"""The tables and sentences of inpainting and denoising, from results whose errors are known."""

import dataclasses
import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from skimage.metrics import structural_similarity as reference_ssim

from analysis import figures, restoration, restoration_figures, restoration_text
from analysis.applications import Results
from analysis.restoration_estimates import crossing, estimate
from analysis.similarity import structural_similarity
from study import metrics, regularizers
from study.errors import InputError

FACTORS = dict(dataset="digits", train_size=None, normal_class=None, preprocessing="unit")
LEVELS = restoration.DENOISING.crossings
CELLS = {"digits-dense-k2-mse": 0.5, "digits-dense-k8-mse-denoising": -0.3}


def model_rows(seeds=4, conditions=LEVELS, cells=CELLS, noise=0.02, mode="one pass"):
    """Each cell's log skill is its constant, the same in every condition, with noise between seeds."""
    return [
        {
            **FACTORS,
            "trial": f"{cell}-s{seed:02d}",
            "architecture": "dense",
            "regularizer": "denoising" if "denoising" in cell else "none",
            **{"seed": seed, "condition": condition, "mode": mode, "n_images": n},
            "mse": 0.01 * (1 + number) * np.exp(skill + noise * np.random.default_rng([seed, number]).normal()),
            **{"mae": 0.1, "psnr": 20.0, "ssim": 0.5},
        }
        for cell, skill in cells.items()
        for seed in range(seeds)
        for number, condition in enumerate(conditions)
        for n in (360, 100)
    ]


def baseline_rows(
    seeds=4, conditions=LEVELS, method="linear optimum", error=lambda number: 0.01 * (1 + number), n=(360, 100)
):
    return [
        {
            **FACTORS,
            **{"seed": seed, "method": method, "condition": condition, "mode": "one pass", "n_images": count},
            **{"mse": error(number), "mae": 0.1, "psnr": 20.0, "ssim": 0.5, "file": f"baselines-s{seed:02d}"},
        }
        for seed in range(seeds)
        for number, condition in enumerate(conditions)
        for count in n
    ]


def results(models, baselines):
    return Results(pd.DataFrame(models), pd.DataFrame(baselines), {}, [], lambda name: {})


@pytest.fixture(scope="module")
def denoised():
    """Beside the linear optimum a costly baseline: one seed, few images, better at high noise only."""
    costly = baseline_rows(1, method="total variation", error=lambda number: 0.06 / (1 + number), n=(100,))
    return estimate(results(model_rows(), baseline_rows() + costly), LEVELS)


def test_skill_is_the_log_ratio_to_the_linear_optimum_on_the_same_images(denoised):
    row = denoised.skill.set_index("cell").loc["digits-dense-k2-mse"]
    noise = [np.mean([0.02 * np.random.default_rng([s, c]).normal() for c in range(5)]) for s in range(4)]
    assert row["skill"] == pytest.approx(0.5 + np.mean(noise))
    half = stats.t.ppf(1 - 0.025 / 2, 3) * stats.sem(noise)  # Bonferroni for two cells
    assert (row["low"], row["high"]) == pytest.approx((row["skill"] - half, row["skill"] + half))
    assert row["ratio"] == pytest.approx(np.exp(row["skill"]))
    assert (row["verdict"], row["n"], row["conditions"], row["n_images"]) == ("higher", 4, 5, 360)


def test_each_condition_has_its_own_interval(denoised):
    rows = denoised.conditions.query(
        "cell == 'digits-dense-k2-mse' and condition == 'gaussian_0.5' and n_images == 360"
    )
    assert len(rows) == 1
    logs = [np.log(0.03) + 0.5 + 0.02 * np.random.default_rng([s, 2]).normal() for s in range(4)]
    low, high = stats.t.interval(0.95, 3, np.mean(logs), stats.sem(logs))
    assert rows["mse"].item() == pytest.approx(np.exp(np.mean(logs)))
    assert (rows["mse_low"].item(), rows["mse_high"].item()) == pytest.approx((np.exp(low), np.exp(high)))
    assert rows["skill"].item() == pytest.approx(np.mean(logs) - np.log(0.03))


def test_a_costly_baseline_stands_against_the_optimum_on_its_own_few_images(denoised):
    """Even where the two errors differ between the few images and all of them."""
    few = [row | {"mse": row["mse"] * (2 if row["n_images"] == 100 else 1)} for row in baseline_rows()]
    costly = baseline_rows(1, method="biharmonic", error=lambda number: 0.02 * (1 + number), n=(100,))
    table = estimate(results(model_rows(), few + costly)).conditions
    np.testing.assert_allclose(table[table["cell"] == "biharmonic"]["skill"], 0, atol=1e-12)


def test_crossings_by_hand():
    """Linear between log levels: +1 at 0.25 and -1 at 1 meet 0 at 0.5; touching 0 is not below it."""
    levels = np.array([0.1, 0.25, 1.0])
    assert crossing(levels, np.array([2.0, 1.0, -1.0])) == pytest.approx(0.5)
    assert crossing(levels, np.array([-2.0, -1.0, -1.0])) == 0.1
    assert crossing(levels, np.array([-2.0, -1.0, 0.0])) == np.inf
    assert crossing(levels, np.array([1.0, -1.0, 1.0])) == np.inf, "it must stay below"
    assert crossing(levels, np.array([-1.0, 0.0, -1.0])) == pytest.approx(0.25)
    assert np.isnan(crossing(levels, np.array([np.nan, 1.0, -1.0])))


def test_crossing_of_a_costly_baseline_has_an_interval_over_all_seeds(denoised):
    """Total variation errs 0.06 ÷ rank, the cell 0.01 · rank · e^0.5: the baseline wins from rank 2 on."""
    row = denoised.crossings.query("cell == 'digits-dense-k2-mse' and baseline == 'total variation'").iloc[0]
    assert (row["n"], row["n_images"], row["from"], row["high"]) == (4, 100, np.inf, np.inf)
    assert row["less_error_at"] == "0.1"


def test_crossing_with_an_interval_by_inversion():
    """The mean curve crosses where its interpolation does; its ends where the ends of the pointwise intervals do."""
    logs = np.array([[0.6, 0.2, -0.2, -0.6, -1.0], [0.8, 0.4, 0.0, -0.4, -0.8], [0.7, 0.3, -0.1, -0.5, -0.9]])
    models = [
        {**row, "mse": 0.01 * np.exp(logs[row["seed"], LEVELS.index(row["condition"])])}
        for row in model_rows(3, cells={"digits-dense-k2-mse": 0.0})
    ]
    baselines = baseline_rows(3, error=lambda number: 0.01)
    row = estimate(results(models, baselines), LEVELS).crossings.iloc[0]
    levels = np.array([float(c.split("_")[1]) for c in LEVELS])
    margin = stats.t.ppf(0.975, 2) * stats.sem(logs)
    assert row["from"] == pytest.approx(np.exp(np.log(0.25) + 0.75 * np.log(2)))
    assert row["low"] == pytest.approx(crossing(levels, logs.mean(axis=0) - margin))
    assert row["high"] == pytest.approx(crossing(levels, logs.mean(axis=0) + margin))
    assert row["low"] < row["from"] < row["high"]


def test_always_and_never_are_open_ends(denoised):
    rows = denoised.crossings.query("baseline == 'linear optimum'").set_index("cell")
    assert list(rows.loc["digits-dense-k8-mse-denoising", ["from", "low", "high"]]) == [0.1, 0.1, 0.1]
    assert list(rows.loc["digits-dense-k2-mse", ["from", "low", "high"]]) == [np.inf] * 3
    said = restoration_text.sentences(denoised, restoration.DENOISING, "test")
    text = next(t for t in said if "Gaussian noise, less error than the linear optimum" in t)
    assert (
        "optimum: digits-dense-k8-mse-denoising at σ = 0.1 to 1; the other 1 cell at no level (tried: 0.1, 0.25, "
        "0.5, 0.75, 1; 360 images"
    ) in text
    text = next(t for t in said if "Gaussian noise, less error than total variation" in t)
    assert ": digits-dense-k8-mse-denoising at σ = 0.1 and 0.25; digits-dense-k2-mse at σ = 0.1 (tried: " in text


def test_levels_with_less_error_are_those_that_are_resolved(denoised):
    """Against a baseline, cells with the same levels stand together; what is not resolved is counted."""
    less = ["0.1 0.5 0.75 1", "0.1 0.5 0.75 1", "0.25 0.5", "", ""]
    rows = [
        {"dataset": "digits", "baseline": "PCA", "cell": f"c{place}", "less_error_at": at, "unresolved": place,
         "n": 4, "n_images": 360}
        for place, at in enumerate(less)
    ]  # fmt: skip
    (text,) = restoration_text._crossings(pd.DataFrame(rows), restoration.DENOISING)
    assert text.startswith(
        "digits, Gaussian noise, less error than PCA: c0, c1 at σ = 0.1 and 0.5 to 1; c2 at σ = 0.25 and 0.5; "
        "the other 2 cells at no level (tried: "
    )
    assert "10 of the 25 comparisons are not resolved" in text
    (text,) = restoration_text._crossings(pd.DataFrame(rows[3:]), restoration.DENOISING)
    assert "less error than PCA: all 2 cells at no level (tried: " in text
    one = estimate(results(model_rows(1), baseline_rows(1)), LEVELS)
    assert one.crossings["unresolved"].tolist() == [5, 5], "one seed resolves nothing"
    assert denoised.crossings.query("baseline == 'linear optimum'")["unresolved"].tolist() == [0, 0]


def others(name, ratio, spread=0.0):
    """Estimates with another baseline, whose error is that of the linear optimum times a constant of each seed."""
    made = [
        {**row, "method": name, "mse": row["mse"] * ratio * np.exp(spread * (-1) ** row["seed"])}
        for row in baseline_rows()
    ]
    return estimate(results(model_rows(), baseline_rows() + made), LEVELS)


def test_cells_stand_against_other_baselines_paired_by_seed(denoised):
    found = others("PCA", 2.0, 0.1).baselines.set_index("cell")
    row = found.loc["digits-dense-k2-mse"]
    noise = [np.mean([0.02 * np.random.default_rng([s, c]).normal() for c in range(5)]) for s in range(4)]
    logs = 0.5 + np.array(noise) - np.log(2) - 0.1 * np.array([1, -1, 1, -1])
    half = stats.t.ppf(1 - 0.025 / 2, 3) * stats.sem(logs)  # Bonferroni for two cells
    assert (row["skill"], row["high"] - row["skill"]) == pytest.approx((logs.mean(), half))
    assert row[["baseline", "n", "conditions", "n_images"]].tolist() == ["PCA", 4, 5, 360]
    costly = denoised.baselines  # one seed stands against all, on the images that it has
    assert costly["baseline"].unique().tolist() == ["total variation"] and set(costly["n"]) == {4}
    assert set(costly["n_images"]) == {100}
    assert not len(estimate(results(model_rows(), baseline_rows()), LEVELS).baselines)


@pytest.mark.parametrize("theirs", [{0: [0], 1: [1]}, {0: [0], 1: range(4)}])
def test_a_costly_baseline_is_of_one_seed_of_each_draw_whichever_it_is(theirs):
    """Its seed is the lowest of each class; a draw of which it has more seeds does not take seeds from another."""
    models, baselines = [], []
    for label, seeds in theirs.items():
        draw = {"normal_class": float(label)}
        models += [{**row, **draw, "trial": f"class{label}-{row['trial']}"} for row in model_rows()]
        costly = [row for row in baseline_rows(method="total variation", n=(100,)) if row["seed"] in seeds]
        baselines += [{**row, **draw} for row in baseline_rows() + costly]
    found = estimate(results(models, baselines), LEVELS)
    assert found.baselines["n"].tolist() == [4] * 4
    crossings = found.crossings[found.crossings["baseline"] == "total variation"]
    assert crossings["n"].tolist() == [4] * 4
    by_seed = estimate(results(models, baselines), LEVELS, "val").crossings
    of_one = by_seed[(by_seed["baseline"] == "total variation") & by_seed["cell"].str.startswith("class0")]
    assert of_one["n"].tolist() == [1, 1], "other splits have images of their own for each seed"


def test_counts_against_other_baselines_are_told():
    found = others("PCA", 1.0)
    said = restoration_text.sentences(found, restoration.DENOISING, "test")
    text = next(t for t in said if "error against other methods" in t)
    assert "less than PCA in 1 of 2 cells, more in 1 (least: digits-dense-k8-mse-denoising 0.7" in text
    assert "geometric mean over 5 conditions, 360 test images, n = 4 seeds; simultaneous over the cells" in text
    assert text.endswith(f"cells against each method: {found.baselines['method'].iloc[0]}; see baselines.csv).")
    (answer,) = restoration_text.answers(found, restoration.DENOISING, "test")
    assert "; below that of PCA in 1 of 2 (1 of them trained with noise), above it in 1; " in answer.sentence
    (answer,) = restoration_text.answers(others("PCA", 1.0, 2.0), restoration.DENOISING, "test")
    assert "; below that of PCA in 0 of 2, above it in 0, not resolved in 2; " in answer.sentence
    (answer,) = restoration_text.answers(found, restoration.INPAINTING, "test")
    assert "trained with" not in answer.sentence, "noise is no training for it"


def test_an_answer_says_no_where_a_method_without_training_has_less_error_than_all_cells():
    for name, words in (("biharmonic", "biharmonic interpolation"), ("PCA", None)):
        (answer,) = restoration_text.answers(others(name, 0.5), restoration.INPAINTING, "test")
        refuted = f"no, even {words}, which needs no training images, has less error than all 2 cells; the error"
        assert answer.sentence.startswith(f"digits, inpainting: {refuted if words else 'the error'}")


def test_what_networks_were_trained_with_is_told(denoised):
    noise = f"Gaussian noise, σ = {regularizers.NOISE:g}"
    (text,) = restoration_text._handicap(denoised.skill, restoration.DENOISING)
    assert f"1 of 2 cells was trained with {noise}, whatever the noise to be removed, the others without noise" in text
    assert text.endswith("the linear optimum has no bottleneck and is fitted anew to each kind and level of noise.")
    (text,) = restoration_text._handicap(denoised.skill, restoration.INPAINTING)
    assert f"no network was trained with removed pixels (1 of 2 cells was trained with {noise}); the linear" in text
    (text,) = restoration_text._handicap(denoised.skill.iloc[:1], restoration.DENOISING)
    assert "no network was trained with noise; the linear optimum" in text
    assert restoration._inputs(restoration.INPAINTING)["trained_on"].str.contains(noise, regex=False).all()


def test_models_trained_with_noise_are_told_against_the_linear_optimum(denoised):
    said = restoration_text.sentences(denoised, restoration.DENOISING, "test")
    text = next(t for t in said if "against the linear optimum on the same images" in t)
    assert text.startswith("digits-dense-k8-mse-denoising, trained with Gaussian noise") and "n = 4 seeds" in text
    assert "less error in 5 of 5 conditions (Gaussian noise, σ = 0.1: 0.7" in text
    conditions = denoised.conditions.copy()
    for condition, low, high in (("gaussian_0.1", 1.1, 1.3), ("gaussian_1.0", 0.9, 1.1)):
        conditions.loc[conditions["condition"] == condition, ["ratio_low", "ratio_high"]] = low, high
    mixed = dataclasses.replace(denoised, conditions=conditions)
    (text,) = restoration_text._told(conditions, restoration.DENOISING)
    assert "less error in 3 of 5 conditions (Gaussian noise, σ = 0.25: 0.7" in text
    assert (
        "), more in 1 (Gaussian noise, standard deviation σ 0.1), not resolved in 1 (Gaussian noise, standard "
        "deviation σ 1) (n = 4 seeds"
    ) in text
    (answer,) = restoration_text.answers(mixed, restoration.DENOISING, "test")
    assert answer.sentence.endswith(
        "have less error than the linear optimum: digits-dense-k8-mse-denoising in 3 of 5 conditions (Gaussian noise, "
        "standard deviation σ 0.25 to 0.75) (paired 95 % t intervals, each for itself)."
    )
    assert not list(restoration_text._told(conditions, restoration.INPAINTING))


def test_conditions_of_one_panel_stand_together():
    found = ["gaussian_0.1", "gaussian_0.5", "salt_pepper_0.5", "poisson_10"]
    assert restoration_text._places(found, restoration.DENOISING) == (
        "Gaussian noise, standard deviation σ 0.1 and 0.5; salt and pepper, share of pixels 0.5; Poisson noise, peak 10"
    )


def test_a_cell_that_lacks_seeds_keeps_those_it_has():
    """Bonferroni for all cells, each over its own seeds."""
    rows = [r for r in model_rows() if not (r["trial"].startswith("digits-dense-k2") and r["seed"] == 3)]
    skill = estimate(results(rows, baseline_rows())).skill.set_index("cell")
    assert skill["n"].to_dict() == {"digits-dense-k2-mse": 3, "digits-dense-k8-mse-denoising": 4}
    noise = [np.mean([0.02 * np.random.default_rng([s, c]).normal() for c in range(5)]) for s in range(3)]
    half = stats.t.ppf(1 - 0.025 / 2, 2) * stats.sem(noise)
    row = skill.loc["digits-dense-k2-mse"]
    assert row["high"] - row["skill"] == pytest.approx(half)
    assert row["p"] == pytest.approx(min(1, 2 * stats.ttest_1samp(np.array(noise) + 0.5, 0).pvalue))
    assert "Bonferroni 95 % intervals for 2" in row["method"]
    said = restoration_text.sentences(estimate(results(rows, baseline_rows())), restoration.DENOISING, "test")
    assert any("n = 3 to 4 seeds" in text for text in said)


def test_one_seed_has_no_interval_and_says_so():
    estimates = estimate(results(model_rows(1), baseline_rows(1)), LEVELS)
    assert estimates.skill["low"].isna().all()
    said = restoration_text.sentences(estimates, restoration.DENOISING, "test")
    assert any("of 2 cells not resolved" in text and "n = 1 seeds" in text and "(no interval)" in text for text in said)


def test_iteration_and_fills_are_compared_on_the_same_images():
    conditions = ("centre_38", "half")
    once = [r | {"mse": r["mse"] * (3 if r["n_images"] == 100 else 1)} for r in model_rows(4, conditions)]
    few = [r for r in once if r["n_images"] == 100]
    iterated = [r | {"mode": "iterated", "mse": r["mse"] * 0.9} for r in few if r["condition"] == "half"]
    filled = [r | {"mode": "filled with black", "mse": r["mse"] * 2} for r in few if r["condition"] == "centre_38"]
    found = estimate(results(once + iterated + filled, baseline_rows(4, conditions)))
    np.testing.assert_allclose(found.iterated["ratio"], 0.9)
    assert set(found.iterated["verdict"]) == {"lower"} and set(found.iterated["n_images"]) == {100}
    assert found.fills[["mode", "verdict"]].values.tolist() == [["filled with black", "higher"]]
    assert found.fills["ratio"].item() == pytest.approx(2)
    said = restoration_text.sentences(found, restoration.INPAINTING, "test")
    assert any("lowers the error of 2 of 2 cells" in text for text in said)
    assert any("error with black 2 [2, 2] times" in text for text in said)


def test_a_cell_that_lacks_a_seed_does_not_move_the_mean_over_cells():
    """One cell doubles its error, the other quadruples it: every seed's mean is of the same cells."""
    once = [row for row in model_rows(4, ("centre_38",), noise=0.0) if row["n_images"] == 100]
    times = dict(zip(CELLS, (2, 4), strict=True))
    filled = [row | {"mode": "filled with black", "mse": row["mse"] * times[row["trial"][:-4]]} for row in once]
    lacking = [row for row in filled if row["trial"] != "digits-dense-k8-mse-denoising-s03"]
    every, fewer = (
        estimate(results(once + rows, baseline_rows(4, ("centre_38",)))).fills.iloc[0] for rows in (filled, lacking)
    )
    assert every[["ratio", "cells", "left_out"]].tolist() == [pytest.approx(8**0.5), 2, 0]
    assert fewer[["ratio", "ratio_low", "ratio_high", "cells", "left_out", "n"]].tolist() == [
        *(pytest.approx(2), pytest.approx(2), pytest.approx(2), 1, 1, 4),
    ]


def test_without_the_linear_optimum_there_is_no_skill():
    others = baseline_rows(method="mean image")
    with pytest.raises(InputError, match="linear optimum is missing for digits-dense-k2-mse-s00"):
        estimate(results(model_rows(), others))


def test_rows_are_the_metrics_on_all_images_and_on_the_first(monkeypatch):
    monkeypatch.setattr(restoration, "FEW", 3)
    rng = np.random.default_rng(0)
    images, restored = rng.random((2, 5, 9, 8, 2)).astype(np.float32)
    every, first = restoration.rows("half", "one pass", images, restored, share=np.full(5, 0.5))
    assert (every["n_images"], first["n_images"]) == (5, 3)
    squared = np.square(images.astype(float) - restored).mean(axis=(1, 2, 3)) * 2
    assert every["mse"] == pytest.approx(squared.mean()) and first["mse"] == pytest.approx(squared[:3].mean())
    assert every["psnr"] == pytest.approx(np.mean(-10 * np.log10(squared)))
    assert every["mae"] == pytest.approx(2 * np.abs(images - restored).mean(), rel=1e-5)
    assert every["ssim"] == pytest.approx(metrics.structural_similarity(images, restored).mean())


@pytest.mark.parametrize("shape", [(28, 28, 1), (32, 20, 3), (8, 8, 1), (5, 6, 1), (2, 2, 1), (1, 1, 1)])
def test_similarity_is_that_of_the_records(shape):
    rng = np.random.default_rng(1)
    images, others = rng.random((2, 7, *shape)).astype(np.float32)
    others[0] = images[0]
    others[1] += 2
    expected = metrics.structural_similarity(images, others)
    np.testing.assert_allclose(structural_similarity(images, others), expected, atol=1e-9)
    if min(shape[:2]) >= 7:
        found = [
            reference_ssim(x, np.clip(y, 0, 1), data_range=1, channel_axis=-1)
            for x, y in zip(images, others, strict=True)
        ]
        np.testing.assert_allclose(structural_similarity(images, others), found, atol=1e-5)


def test_the_answer_names_a_statistic_and_a_figure(denoised):
    """The cell with the least of all ratios, whichever validation images would choose."""
    (answer,) = restoration_text.answers(denoised, restoration.DENOISING, "test")
    assert (answer.question, answer.figure) == ("denoising", "digits")
    assert answer.statistic == "skill-digits-dense-k8-mse-denoising"
    assert "the error on test images is below the linear optimum's in 1 of 2 cells, above it in 1; " in answer.sentence
    assert "; digits-dense-k8-mse-denoising has the least of the 2 ratios, 0.7" in answer.sentence
    skill = denoised.skill.assign(verdict=["not resolved", "lower"])
    (answer,) = restoration_text.answers(dataclasses.replace(denoised, skill=skill), restoration.DENOISING, "test")
    assert "in 1 of 2 cells, above it in 0, not told apart from it in 1; " in answer.sentence
    ids = pd.concat(restoration._citable(denoised))["id"]
    assert answer.statistic in set(ids) and ids.is_unique
    assert "over-digits-dense-k2-mse-total-variation" in set(ids)
    single = estimate(results(model_rows(cells={"digits-dense-k2-mse": 0.5}), baseline_rows()))
    (answer,) = restoration_text.answers(single, restoration.DENOISING, "test")
    assert "; digits-dense-k2-mse has 1.6" in answer.sentence, "one ratio is no least one"


def test_chosen_cells_are_the_first_and_the_best_of_each_kind_by_validation_error():
    def row(architecture, k, error, regularizer="none"):
        name = f"digits-{architecture}-k{k}-mse-s00"
        kind = dict(architecture=architecture, regularizer=regularizer, status="completed")
        return {"trial": name, "val_mse": error, "test_mse": 1 - error, **kind}

    trials = pd.DataFrame([row("dense", 2, 0.5), row("dense", 8, 0.1), row("cnn", 2, 0.3), row("cnn", 8, 0.2)])
    cells = pd.DataFrame({"dataset": "digits", "cell": trials["trial"].str.removesuffix("-s00")})
    assert restoration_figures.chosen(trials, cells) == {"digits": ["digits-dense-k2-mse", "digits-cnn-k8-mse"]}


def test_a_caption_says_that_the_first_kinds_are_shown_where_there_may_be_more():
    assert restoration_figures.rule(["c"] * 4).endswith("one of each architecture and regularizer.")
    assert restoration_figures.rule(["c"] * 5).endswith("regularizer, of which the first 5 are shown.")
    assert restoration_figures.rule(["c"] * 5, 4).endswith("regularizer, of which the first 4 are shown.")


def test_a_caption_gives_the_range_of_the_numbers_of_images(denoised):
    some = SimpleNamespace(skill=denoised.skill.assign(n_images=[35, 5000]))
    assert "on the same 35 to 5,000 test images" in restoration_text.caption(
        some, restoration.DENOISING, "digits", "test"
    )


def test_the_figure_draws_the_tables(denoised):
    cells = list(CELLS)
    caption = restoration_text.caption(denoised, restoration.DENOISING, "digits", "test")
    figure = restoration_figures.plot(denoised, restoration.DENOISING, "digits", cells, caption)
    assert "n = 4 seeds" in figure.get_supxlabel() and "360 test images" in caption
    lines = {line.get_label(): line for axes in figure.subfigs[1].axes[:1] for line in axes.get_lines()}
    table = denoised.conditions.query("cell == 'linear optimum' and n_images == 360")
    np.testing.assert_allclose(lines["linear optimum"].get_ydata(), table["mse"])
    assert json.dumps(sorted(lines)).count("total variation") == 1
    assert SimpleNamespace(**vars(restoration.DENOISING)).name == "denoising"


@pytest.mark.parametrize(
    ("low", "high", "character", "labels"),
    [
        (0.0013, 0.0194, 0.0, ["0.002", "0.005", "0.01"]),
        (0.0013, 0.0194, 0.06, ["0.003", "0.01"]),  # "0.005" would touch "0.01"
        (0.0012, 0.09, 0.06, ["0.003", "0.01", "0.03"]),
        (0.011, 0.018, 0.06, ["0.013", "0.015"]),  # no power of ten and its third within
    ],
)
def test_labels_of_a_logarithmic_axis_do_not_touch(low, high, character, labels):
    axes = figures.new(1.0).subplots()
    axes.set(xscale="log", xlim=(low, high))
    restoration_figures.plain_ticks(axes.xaxis, character=character)
    assert [label.get_text() for label in axes.get_xticklabels()] == labels
