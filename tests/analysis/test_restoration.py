"""The tables and sentences of inpainting and denoising, from results whose errors are known."""

import argparse
import dataclasses
import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from skimage.metrics import structural_similarity as reference_ssim

from analysis import denoising, figures, restoration, restoration_figures, restoration_text
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


def test_where_cells_have_less_error_is_told_condition_by_condition():
    """Resolved ratios alone count; conditions with as many cells stand together, the most cells first."""
    less, more, unresolved = (0.5, 0.9), (1.1, 1.2), (0.5, 1.5)
    table = pd.DataFrame(
        [
            {"cell": cell, "condition": condition, "ratio_low": low, "ratio_high": high}
            for condition, ends in {
                "gaussian_0.1": (unresolved, less, less),
                "gaussian_0.25": (more, more, less),
                "gaussian_0.5": (less, less, less),
                "gaussian_0.75": (more, more, more),
            }.items()
            for cell, (low, high) in zip(("c0", "c1", "c2-denoising"), ends, strict=True)
        ]
    )
    assert restoration_text._where(table, "biharmonic", restoration.DENOISING) == (
        "less error than biharmonic interpolation: all 3 cells (Gaussian noise, standard deviation σ 0.5); 2 cells "
        "(Gaussian noise, standard deviation σ 0.1); 1 cell trained with noise (Gaussian noise, standard deviation "
        "σ 0.25); no cell elsewhere"
    )
    inpainted = restoration_text._where(table, "biharmonic", restoration.INPAINTING)
    assert "trained with" not in inpainted, "noise is no training for it"
    never = table[table["condition"] == "gaussian_0.75"]
    assert restoration_text._where(never, "PCA", restoration.INPAINTING) == (
        "all 3 cells have more error than PCA with each of 1 masks"
    )
    assert restoration_text._where(never.assign(ratio_low=0.9), "PCA", restoration.INPAINTING) == (
        "no cell has less error than PCA with any of 1 masks"
    )


def others(name, ratio, spread=0.0):
    """Estimates with another baseline, whose error is that of the linear optimum times a constant of each seed."""
    made = [
        {**row, "method": name, "mse": row["mse"] * ratio * np.exp(spread * (-1) ** row["seed"])}
        for row in baseline_rows()
    ]
    return estimate(results(model_rows(), baseline_rows() + made), LEVELS)


def test_cells_stand_against_other_baselines_paired_by_seed_in_each_condition(denoised):
    found = others("PCA", 2.0, 0.1).baselines.set_index(["cell", "condition"])
    row = found.loc[("digits-dense-k2-mse", "gaussian_0.5")]
    noise = [0.02 * np.random.default_rng([s, 2]).normal() for s in range(4)]
    logs = 0.5 + np.array(noise) - np.log(2) - 0.1 * np.array([1, -1, 1, -1])
    low, high = stats.t.interval(0.95, 3, logs.mean(), stats.sem(logs))
    assert tuple(row[["ratio", "ratio_low", "ratio_high"]]) == pytest.approx(tuple(np.exp([logs.mean(), low, high])))
    assert row[["baseline", "n", "n_images"]].tolist() == ["PCA", 4, 360] and len(found) == 10
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
    assert found.baselines["n"].tolist() == [4] * 20
    crossings = found.crossings[found.crossings["baseline"] == "total variation"]
    assert crossings["n"].tolist() == [4] * 4
    by_seed = estimate(results(models, baselines), LEVELS, "val").crossings
    of_one = by_seed[(by_seed["baseline"] == "total variation") & by_seed["cell"].str.startswith("class0")]
    assert of_one["n"].tolist() == [1, 1], "other splits have images of their own for each seed"


def test_counts_against_other_baselines_are_told():
    said = restoration_text.sentences(others("PCA", 1.0), restoration.DENOISING, "test")
    text = next(t for t in said if "less error than PCA" in t)
    assert "PCA: 1 cell trained with noise (Gaussian noise, standard deviation σ 0.1 to 1). Of 10 ratios 5 are " in text
    assert "below 1, 5 above, 0 not resolved; the least is 0.7" in text
    each = "paired 95 % t intervals, each for itself, for these test images)."
    assert text.endswith(f"360 test images, n = 4 seeds, {each}")
    said = restoration_text.sentences(others("PCA", 1.0, 2.0), restoration.DENOISING, "test")
    text = next(t for t in said if "than PCA" in t)
    assert "no cell has less error than PCA with any of 5 kinds" in text and "0 above, 10 not resolved" in text


def test_a_mean_over_conditions_does_not_hide_those_that_go_the_other_way():
    """Biharmonic interpolation has less error in the mean, and more with one mask: the answer says with which."""
    masks = ("centre_12", "centre_25", "half")
    theirs = baseline_rows(conditions=masks, method="biharmonic", error=lambda n: (1e-4, 1e-3, 1.0)[n])
    found = estimate(results(model_rows(conditions=masks), baseline_rows(conditions=masks) + theirs))
    (answer,) = restoration_text.answers(found, restoration.INPAINTING, "test")
    assert "; less error than biharmonic interpolation: all 2 cells (the lower half); no cell elsewhere (" in (
        answer.sentence
    )
    assert np.log(found.baselines["ratio"]).mean() > 0 and "no, even" not in answer.sentence


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


def test_cells_are_told_against_the_linear_optimum_condition_by_condition(denoised):
    said = restoration_text.sentences(denoised, restoration.DENOISING, "test")
    text = next(t for t in said if ": less error than the linear optimum: " in t)
    assert "1 cell trained with noise (Gaussian noise, standard deviation σ 0.1 to 1). Of 10 ratios 5 are below" in text
    conditions = denoised.conditions.copy()
    for condition, low, high in (("gaussian_0.1", 1.1, 1.3), ("gaussian_1.0", 0.9, 1.1)):
        conditions.loc[conditions["condition"] == condition, ["ratio_low", "ratio_high"]] = low, high
    (answer,) = restoration_text.answers(
        dataclasses.replace(denoised, conditions=conditions), restoration.DENOISING, "test"
    )
    assert "1 cell trained with noise (Gaussian noise, standard deviation σ 0.25 to 0.75); no cell elsewhere" in (
        answer.sentence
    )


def test_conditions_of_one_panel_stand_together():
    found = ["gaussian_0.1", "gaussian_0.5", "salt_pepper_0.5", "poisson_10"]
    assert restoration_text._places(found, restoration.DENOISING) == (
        "Gaussian noise, standard deviation σ 0.1 and 0.5; salt and pepper, share of pixels 0.5; Poisson noise, peak 10"
    )
    assert restoration_text._places(["centre_12", "centre_25", "half"], restoration.INPAINTING) == (
        "square in the middle, side 12 and 25 %; the lower half"
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


def test_iteration_and_fills_are_compared_on_the_same_images_mask_by_mask():
    """Iteration helps with one mask and hurts with the other, which their mean would hide."""
    conditions, times = ("centre_38", "half"), {"centre_38": 1.25, "half": 0.8}
    once = [r | {"mse": r["mse"] * (3 if r["n_images"] == 100 else 1)} for r in model_rows(4, conditions)]
    few = [r for r in once if r["n_images"] == 100]
    iterated = [r | {"mode": "iterated", "mse": r["mse"] * times[r["condition"]]} for r in few]
    filled = [
        r | {"mode": "filled with black", "mse": r["mse"] * (4 if "denoising" in r["trial"] else 0.5)}
        for r in few
        if r["condition"] == "centre_38"
    ]
    found = estimate(results(once + iterated + filled, baseline_rows(4, conditions)))
    np.testing.assert_allclose(found.iterated["ratio"], found.iterated["condition"].map(times))
    assert set(found.iterated["n_images"]) == {100} and set(found.iterated["n"]) == {4}
    assert found.fills[["mode", "ratio"]].values.tolist() == [
        ["filled with black", pytest.approx(0.5)],
        ["filled with black", pytest.approx(4)],
    ]
    said = restoration_text.sentences(found, restoration.INPAINTING, "test")
    text = next(t for t in said if "ten reconstructions" in t)
    assert "38 % of the side, less error in 0 of 2 cells, more in 2, ratios from 1.25 [1.25, 1.25] (" in text
    assert "; the lower half, less error in 2 of 2 cells, more in 0, ratios from 0.8 [0.8, 0.8] (" in text
    text = next(t for t in said if "filled with another value" in t)
    assert (
        "tried only with a square in the middle, 38 % of the side: black, less error in 1 of 2 cells, more in 1, "
        in (text)
    )
    assert "ratios from 0.5 [0.5, 0.5] (digits-dense-k2-mse) to 4 [4, 4] (digits-dense-k8-mse-denoising)" in text
    ids = pd.concat(restoration._citable(found))["id"]
    assert ids.is_unique and "iterated-digits-dense-k2-mse-half" in set(ids)


LOW, HIGH = LEVELS[0], LEVELS[-1]


def curve_rows(errors):
    """Cells of three sizes, with their errors at low and at high noise, and a cell that is no curve with them."""
    rows = [
        row | {"mse": errors[k][condition == HIGH] * np.exp(0.02 * np.random.default_rng([row["seed"], k]).normal())}
        for k in errors
        for condition in (LOW, HIGH)
        for row in model_rows(conditions=(condition,), cells={f"digits-dense-k{k}-mse": 0.0})
    ]
    return rows + model_rows(conditions=(LOW, HIGH), cells={"digits-dense-k8-mse-denoising": 0.0})


def test_the_best_latent_size_of_each_condition_looked_for_on_the_images_of_its_error_is_a_description():
    """Size 8 is best at low noise, 2 and 4 alike at high noise; cells that differ in more are no curve with them."""
    rows = curve_rows({2: (4.0, 1.0), 4: (2.0, 1.0), 8: (1.0, 3.0)})
    found = estimate(results(rows, baseline_rows(conditions=(LOW, HIGH))))
    table = found.sizes.set_index("condition")
    assert table["curve"].unique().tolist() == ["digits-dense-mse"]
    assert table.loc[LOW, ["size", "low", "high", "tried", "n"]].tolist() == [8, 8, 8, "2 4 8", 4]
    assert table.loc[HIGH, "size"] in (2, 4) and table.loc[HIGH, ["low", "high"]].tolist() == [2, 4]
    assert table["mse_low"].isna().all() and table["mse_high"].isna().all(), "the least of several errors"
    assert table["method"].str.startswith("looked for on the test images: a description, no estimate; least").all()
    (text,) = restoration_text._sizes(found.sizes, restoration.DENOISING, "test")
    begins = "Looked for on the test images: a description, no estimate. Latent size of digits-dense-mse with the "
    assert text.startswith(f"{begins}least error, of 2, 4, 8 [the least, ")
    assert f"; Gaussian noise, standard deviation σ 1: {table.loc[HIGH, 'size']} [2, 4], 0.9" in text
    (answer,) = restoration_text.answers(found, restoration.DENOISING, "test")
    assert "σ 0.1: 8 alone, 0.989;" in answer.sentence and begins in answer.sentence
    cited = pd.concat(restoration._citable(found)).set_index("id").loc["size-digits-dense-mse-gaussian_0.1"]
    assert cited["value"] == 8 and pd.isna(cited["low"]) and "a description" in cited["method"]
    logs = [0.02 * np.random.default_rng([seed, 8]).normal() for seed in range(4)]
    assert table.loc[LOW, "mse"] == pytest.approx(np.exp(np.mean(logs)))
    lone = estimate(results([row for row in rows if row["seed"] == 0], baseline_rows(1, (LOW, HIGH)))).sizes
    assert lone[["low", "high"]].values.tolist() == [[2, 8]] * 2, "one seed tells no size from another"
    assert not len(estimate(results(model_rows(), baseline_rows())).sizes), "two sizes are no curve"


def test_a_latent_size_that_validation_images_choose_has_its_error_estimated_on_test_images():
    """Test images would choose 8 at low noise; validation images choose 4, and there the test error is told."""
    rows = curve_rows({2: (4.0, 1.0), 4: (2.0, 1.0), 8: (1.0, 3.0)})
    validated = results(curve_rows({2: (4.0, 1.0), 4: (1.0, 2.0), 8: (2.0, 3.0)}), [])
    baselines = baseline_rows(conditions=(LOW, HIGH))
    found = estimate(results(rows, baselines), validated=validated)
    row = found.sizes.set_index("condition").loc[LOW]
    assert row[["size", "low", "high", "chosen_on", "n"]].tolist() == [4, 4, 4, "val", 4]
    logs = np.log(2.0) + np.array([0.02 * np.random.default_rng([seed, 4]).normal() for seed in range(4)])
    ends = np.exp([logs.mean(), *stats.t.interval(0.95, 3, logs.mean(), stats.sem(logs))])
    assert row[["mse", "mse_low", "mse_high"]].tolist() == pytest.approx(ends)
    (text,) = restoration_text._sizes(found.sizes, restoration.DENOISING, "test")
    assert text.startswith("Latent size of digits-dense-mse with the least error on validation images, of 2, 4, 8 [")
    assert "and its error on test images [95 % t interval, for these test images]: " in text
    assert f"σ 0.1: 4 alone, {ends[0]:.3g} [{ends[1]:.3g}, {ends[2]:.3g}]" in text and "a description" not in text
    on_val = estimate(results(rows, baselines), split="val").sizes
    assert on_val["method"].str.startswith("looked for on the val images").all() and on_val["mse_low"].isna().all()


@pytest.mark.parametrize("there", [5_000, 1_000])
def test_results_on_validation_images_are_taken_where_all_are_there(monkeypatch, there):
    """Those of --split val, or of the elbow, which takes 1,000 images; nothing is computed for it."""
    found = results(model_rows(), [])

    def plan(task, options, study, against):
        assert options.split == "val"
        known = {"a": True, "b": options.images == there}
        return SimpleNamespace(names=list(known), store=SimpleNamespace(has_table=known.get))

    monkeypatch.setattr(restoration.task_work, "plan", plan)
    asked = []
    evaluate = lambda task, options, study, load: asked.append((options.split, options.images)) or found  # noqa: E731
    monkeypatch.setattr(restoration.applications, "evaluate", evaluate)
    options = argparse.Namespace(split="test", images=300)
    assert restoration._validated(denoising.TASK, options, "mine", None) is found and asked == [("val", there)]
    there = 77
    assert restoration._validated(denoising.TASK, options, "mine", None) is None and len(asked) == 1


def test_intervals_say_for_which_images_they_hold(denoised):
    """All seeds share the test images; of other splits each has its own."""
    costly = baseline_rows(method="total variation", error=lambda number: 0.06 / (1 + number))
    of_val = estimate(results(model_rows(), baseline_rows() + costly), LEVELS, "val")
    for found, images in ((denoised, "for these test images"), (of_val, "each with images of its own")):
        for name in ("conditions", "skill", "baselines", "crossings"):
            assert getattr(found, name)["method"].str.endswith(images).all(), name
    caption = restoration_text.caption(of_val, restoration.DENOISING, "digits", "val")
    assert caption.count("each with images of its own") == 2


def test_without_the_linear_optimum_there_is_no_skill():
    others = baseline_rows(method="mean image")
    named = "missing for digits-dense-k2-mse-s00: remove baselines-dataset-digits-.*s00.csv, or .csv.gz"
    with pytest.raises(InputError, match=named):
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
    assert "over 5 kinds and levels of noise, less error than the linear optimum in 1 of 2 cells, more in 1; " in (
        answer.sentence
    )
    assert "; digits-dense-k8-mse-denoising has the least of the 2 ratios, 0.7" in answer.sentence
    skill = denoised.skill.assign(ratio_low=[0.9, 0.7], ratio_high=[1.1, 0.8])
    (answer,) = restoration_text.answers(dataclasses.replace(denoised, skill=skill), restoration.DENOISING, "test")
    assert "in 1 of 2 cells, more in 0, not resolved in 1; " in answer.sentence
    ids = pd.concat(restoration._citable(denoised))["id"]
    assert answer.statistic in set(ids) and ids.is_unique
    assert "over-digits-dense-k2-mse-total-variation-gaussian_0.5" in set(ids)
    single = estimate(results(model_rows(cells={"digits-dense-k2-mse": 0.5}), baseline_rows()))
    (answer,) = restoration_text.answers(single, restoration.DENOISING, "test")
    assert "; digits-dense-k2-mse has a ratio of 1.6" in answer.sentence, "one ratio is no least one"


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
