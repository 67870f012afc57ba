"""Sizes for applications: hand-made errors with known best sizes, rankings and costs; definitions on small tables."""

import argparse
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis import (
    application_elbow,
    application_elbow_errors,
    application_elbow_figure,
    application_elbow_text,
    latent_elbow,
)
from analysis import application_elbow_estimates as elbow
from analysis.application_elbow_errors import ANOMALY, GENERATION, INPAINTING, RECONSTRUCTION

SIZES = (1, 2, 4, 8)
FALLING = (0.8, 0.5, 0.2, 0.1)
INSIDE = (0.6, 0.3, 0.301, 0.5)  # the best at 2; 4 is as good but for less than 2 %


def points(errors, seeds=6, noise=0.0, curve="toy, dense, mse"):
    """A row a trial, application and split; test errors are 1.1 times those on validation images."""
    rows = [
        {
            **{"dataset": "toy", "curve": curve, "application": name, "latent_dim": k, "seed": seed, "split": split},
            "error": error * (1.1 if split == "test" else 1) * np.exp(noise * np.sin(7 * seed + k)),
            "n_images": 100,
        }
        for name, by_size in errors.items()
        for k, error in zip(SIZES, by_size, strict=True)
        for seed in range(seeds)
        for split in ("val", "test")
    ]
    return pd.DataFrame(rows)


@pytest.fixture(scope="module")
def usual():
    errors = {RECONSTRUCTION: FALLING, INPAINTING: INSIDE, ANOMALY: (0.2, 0.1, 0.104, 0.3)}
    return elbow.estimate(points(errors, noise=1e-4))


def choices(estimates, rule=elbow.BEST):
    rows = estimates.choice[estimates.choice["rule"] == rule]
    return dict(zip(rows["application"], rows["value"], strict=True))


def test_every_application_chooses_by_its_own_error(usual):
    assert choices(usual) == {RECONSTRUCTION: 8, INPAINTING: 2, ANOMALY: 2}
    assert choices(usual, "≤ 20 % of mean image")[RECONSTRUCTION] in (4, 8)
    assert choices(usual, "≤ 10 % of mean image").keys() == {RECONSTRUCTION, INPAINTING}, "an area is no share"


def test_the_margin_takes_the_smaller_of_two_sizes_as_good():
    """2 is 1.5 % worse than 4: as good. At 3 % it is not. Of an AUC, 0.004 is nothing and 0.006 is something."""
    for errors, application, size in (
        ((0.6, 0.203, 0.2, 0.5), INPAINTING, 2),
        ((0.6, 0.206, 0.2, 0.5), INPAINTING, 4),
        ((0.3, 0.104, 0.1, 0.2), ANOMALY, 2),
        ((0.3, 0.106, 0.1, 0.2), ANOMALY, 4),
    ):
        table = pd.DataFrame(np.tile(errors, (6, 1)), columns=SIZES)
        chosen = elbow.choose(application, elbow.BEST, table)
        assert (chosen["value"], chosen["best"]) == (size, 4)


def test_a_kernel_distance_below_0_has_a_margin_all_the_same():
    """2 % of the span, 0.01: however near to 0 the best of them comes."""
    for other, size in ((0.008, 2), (0.012, 4)):
        table = pd.DataFrame(np.tile((0.5, other - 1e-9, -1e-9, 0.3), (6, 1)), columns=SIZES)
        chosen = elbow.choose(GENERATION, elbow.BEST, table)
        assert (chosen["value"], chosen["best"]) == (size, 4) and "2 % of the span" in chosen["method"]


def test_one_seed_chooses_nothing():
    estimates = elbow.estimate(points({RECONSTRUCTION: FALLING, INPAINTING: INSIDE}, seeds=1))
    assert estimates.choice.loc[estimates.choice["rule"] == elbow.BEST, "value"].isna().all()
    said = application_elbow_text.sentences(estimates)
    assert any("no size is chosen" in text and "2 seeds" in text for text in said)
    answer = application_elbow_text.answers(estimates)[0]
    assert answer.statistic == "" and "cannot be told" in answer.sentence


def test_the_test_error_stands_at_the_choice_and_chooses_nothing(usual):
    row = usual.choice[(usual.choice["application"] == INPAINTING) & (usual.choice["rule"] == elbow.BEST)].iloc[0]
    assert row["test_error"] == pytest.approx(1.1 * 0.3, rel=1e-3) and row["test_n"] == 6
    turned = points({RECONSTRUCTION: FALLING, INPAINTING: INSIDE})
    test = turned["split"] == "test"
    turned.loc[test, "error"] = turned.loc[test, "error"].to_numpy()[::-1]
    assert choices(elbow.estimate(turned))[INPAINTING] == 2


def test_agreement_is_kendalls_tau_by_hand():
    """Of the 6 pairs of sizes, reconstruction and INSIDE order (1,2), (1,4) and (1,8) alike and 3 otherwise: τ = 0."""
    estimates = elbow.estimate(points({RECONSTRUCTION: FALLING, INPAINTING: INSIDE, ANOMALY: FALLING[::-1]}))
    rows = estimates.agreement.set_index("application")
    assert rows.loc[INPAINTING, ["tau", "tau_of_means"]].tolist() == pytest.approx([0, 0])
    assert rows.loc[ANOMALY, ["tau", "low", "high"]].tolist() == pytest.approx([-1, -1, -1])
    assert rows.loc[ANOMALY, "p"] == pytest.approx(2 / 24), "the least that 4 sizes can give"


def test_agreement_is_averaged_over_seeds():
    draw = np.random.default_rng(0)
    a, b = (pd.DataFrame(draw.random((5, 4)), columns=SIZES) for _ in range(2))
    taus = [stats.kendalltau(a.loc[i], b.loc[i]).statistic for i in range(5)]
    found = elbow.agreement(a, b)
    low, high = stats.t.interval(0.95, 4, np.mean(taus), stats.sem(taus))
    assert [found["tau"], found["low"], found["high"]] == pytest.approx([np.mean(taus), max(low, -1), min(high, 1)])
    b.loc[2, 4] = np.nan
    assert elbow.agreement(a, b)["n"] == 4


def test_agreement_of_curves_with_ties_has_another_test_and_says_so():
    """Areas of 1 tie: an exact test without ties there is none of."""
    a = pd.DataFrame([[4.0, 3.0, 2.0, 1.0]] * 3, columns=SIZES)
    b = pd.DataFrame([[0.2, 0.1, 0.0, 0.0]] * 3, columns=SIZES)
    found = elbow.agreement(a, b)
    assert found["p"] == pytest.approx(stats.kendalltau(a.loc[0], b.loc[0], method="asymptotic").pvalue)
    assert "normal approximation" in found["test"] and "exact" not in found["method"]
    assert "exact permutation test" in elbow.agreement(a, a)["test"]


def test_regret_is_the_ratio_of_test_errors_paired_by_seed(usual):
    """Reconstruction takes 8 (0.5), inpainting 2 (0.3)."""
    rows = usual.regret[usual.regret["rule"] == elbow.BEST].set_index("application")
    assert rows.loc[INPAINTING, "ratio"] == pytest.approx(5 / 3, rel=1e-3)
    assert rows.loc[INPAINTING, "difference"] == pytest.approx(1.1 * 0.2, rel=1e-3)
    draw = np.random.default_rng(1)
    test = pd.DataFrame(np.exp(draw.normal(size=(7, 2))), columns=[2, 8])
    logs = np.log(test[8]) - np.log(test[2])
    found = elbow.regret(test, 8, 2)
    expected = np.exp([logs.mean(), *stats.t.interval(0.95, 6, logs.mean(), stats.sem(logs))])
    assert [found["ratio"], found["low"], found["high"]] == pytest.approx(expected)


def test_regret_where_nothing_is_lost_and_where_a_ratio_means_nothing():
    test = pd.DataFrame([[0.1, -0.2], [0.3, 0.1]], columns=[2, 8])
    same = elbow.regret(test, 8, 8)
    assert same["difference"] == 0 and np.isnan(same["ratio"])
    assert elbow.regret(test[[2]], 2, 2)["ratio"] == 1
    other = elbow.regret(test, 8, 2)
    assert np.isnan(other["ratio"]) and other["difference"] == pytest.approx(-0.25)
    assert np.isnan(elbow.regret(test, None, 2)["difference"]) and elbow.regret(test, None, 2)["n"] == 0


def test_sentences_and_the_answer_say_what_the_tables_hold(usual):
    said = application_elbow_text.sentences(usual)
    assert any(
        "anomaly: of the sizes tried (1 2 4 8), 2 has the least mean validation error, and 2 is the smallest from "
        "which on, up to 2, no mean exceeds that by more than 0.005 of the AUC (95 % interval 2 alone: shown to be "
        "worse than no other by as much: 2; worse than some other by more: 1; paired t inversion, n = 6 seeds)" in text
        for text in said
    )
    assert any(
        "multiplies the test error of inpainting by 1.67 [" in text and "(8 instead of 2)" in text for text in said
    )
    assert any("Kendall's τ" in text and "n = 6 seeds" in text for text in said)
    answer = application_elbow_text.answers(usual)[0]
    assert "reconstruction 8 [8, 8]" in answer.sentence and "anomaly 2 [≤ 1, 2]" not in answer.sentence
    known = {identity for table in application_elbow.statistics(usual) for identity in table["id"]}
    assert answer.statistic in known and "anomaly" in answer.sentence


def test_the_size_found_best_is_no_safer_than_what_is_shown():
    """Of 8, 16, 32 the last errs least over four seeds, 8 by 14 % more; none is shown to be as good as all others."""
    errors = [(1, 0.90, 0.95), (1, 1.05, 0.80), (1, 0.91, 0.96), (1, 1.06, 0.80)]
    chosen = elbow.choose(RECONSTRUCTION, elbow.BEST, pd.DataFrame(errors, columns=[8, 16, 32]))
    assert (chosen["value"], chosen["best"], chosen["high"], chosen["n"]) == (32, 32, None, 4)
    said = application_elbow_text._best({**chosen, "test": "0.9 [0.8, 1]", "test_n": 4})
    assert said.startswith("of the sizes tried (8 16 32), 32 has the least mean validation error, and 32 is the ")
    assert (
        "by more than 2 % of the error (95 % interval 8 to > 32, not resolved with 4 seeds: shown to be worse than no "
        "other by as much: none; worse than some other by more: none; paired t" in said
    )
    assert said.endswith("The best is the last size tried; a better one may lie beyond.")


def test_few_seeds_are_called_a_demonstration():
    said = application_elbow_text.sentences(elbow.estimate(points({RECONSTRUCTION: FALLING}, seeds=3)))
    assert any(text.startswith("A demonstration: 3 seeds") for text in said)
    assert application_elbow_text.answers(elbow.estimate(points({RECONSTRUCTION: FALLING}))) == []


def test_failed_trials_are_counted_by_size_of_each_curve():
    statuses = {2: ["failed", "completed"], 4: ["completed", "completed"], 8: ["diverged", "failed"]}
    rows = [{"curve": "a", "latent_dim": k, "status": status} for k, some in statuses.items() for status in some]
    trials = pd.DataFrame([*rows, {"curve": "b", "latent_dim": 2, "status": "completed"}])
    (said,) = application_elbow_text.failures(trials)
    assert said.startswith("a: trials failed and are left out: 1 of 2 with 2, 2 of 2 with 8. ")


def test_the_figure_has_a_panel_an_application(usual):
    figure = application_elbow_figure.plot(usual, "toy", application_elbow_text.caption(usual, "toy"))
    titles = [axes.get_title() for axes in figure.axes]
    assert titles[:3] == [RECONSTRUCTION, INPAINTING, ANOMALY]
    line = figure.axes[1].get_lines()[0]
    np.testing.assert_allclose(np.asarray(line.get_ydata(), float), INSIDE, rtol=1e-3)
    assert "n = 6" in figure.get_supxlabel()


CELL = {"dataset": "toy", "train_size": None, "normal_class": None, "preprocessing": "unit", "seed": 0}


def results(models, baselines=()):
    return SimpleNamespace(models=pd.DataFrame(models), baselines=pd.DataFrame(baselines))


def test_inpainting_is_the_mean_ratio_to_the_mean_image_of_one_pass_on_all_images():
    def row(condition, mode, n, mse):
        return {**CELL, "trial": "a", "condition": condition, "mode": mode, "n_images": n, "mse": mse}

    models = [row("x", "one pass", 9, 0.2), row("x", "one pass", 5, 9.0), row("y", "one pass", 9, 0.3)]
    models.append(row("x", "iterated", 9, 9.0))
    means = [
        {**row(c, "one pass", n, mse), "method": "mean image"}
        for c, n, mse in (("x", 9, 0.4), ("x", 5, 1.0), ("y", 9, 0.4))
    ]
    other = [{**row("x", "one pass", 9, 7.0), "method": "biharmonic"}]
    found = application_elbow_errors.inpainting(results(models, means + other))
    assert found.to_dict("records") == [{"trial": "a", "error": pytest.approx((0.5 + 0.75) / 2), "n_images": 9}]


def test_denoising_anomaly_and_generation_by_hand():
    noisy = [
        {"trial": "a", "condition": c, "n_images": 4, "mse": mse, "mean_image": 0.5}
        for c, mse in (("x", 0.1), ("y", 0.3))
    ]
    assert application_elbow_errors.denoising(results(noisy))["error"].item() == pytest.approx(0.4)
    scored = [
        {"trial": "a", "score": score, "auc": auc, "n_normal": 8}
        for score, auc in (("squared error", 0.9), ("squared error", 0.7), ("BCE", 0.1))
    ]
    assert application_elbow_errors.anomaly(results(scored))["error"].item() == pytest.approx(0.2)
    drawn = [
        {"trial": trial, "regularizer": regularizer, "sampler": sampler, "kernel_distance": distance, "n_images": 5}
        for trial, regularizer in (("a", "none"), ("b", "variational"))
        for sampler, distance in (("standard normal", 1.0), ("Gaussian mixture", 2.0), ("uniform box", 3.0))
    ]
    found = application_elbow_errors.generation(results(drawn))
    assert dict(zip(found["trial"], found["error"], strict=True)) == {"a": 2.0, "b": 1.0}


def test_reconstruction_is_the_unexplained_variance_of_either_split():
    rows = pd.DataFrame({"trial": ["a", "b"], "val_fvu": [0.1, 0.2], "test_fvu": [0.3, 0.4]})
    found = application_elbow_errors.reconstruction(rows)
    assert found[["trial", "split", "error"]].to_numpy().tolist() == [
        ["a", "val", 0.1], ["b", "val", 0.2], ["a", "test", 0.3], ["b", "test", 0.4],
    ]  # fmt: skip


def test_tasks_are_asked_for_these_trials_on_a_stated_number_of_images(monkeypatch):
    asked = []

    def evaluate(task, options, study, load, against=()):
        asked.append((task.name, options.split, options.images, options.cells, tuple(against)))
        models = pd.DataFrame([{"trial": t, "condition": "x", "n_images": 4, "mse": 0.1} for t in ("a", "b")])
        return _results_of(models)

    from analysis import applications

    monkeypatch.setattr(applications, "evaluate", evaluate)
    rows = pd.DataFrame({"trial": ["a", "b"]}).assign(val_mse=0.1, val_fvu=0.5, test_mse=0.1, test_fvu=0.25)
    options = argparse.Namespace(artifacts="here", data_dir=None, workers=1)
    found, missing = application_elbow_errors.errors("denoising", rows, options, "s", None)
    assert [call[1:4] for call in asked] == [("val", 1000, "a b"), ("test", asked[1][2], "a b")] and asked[1][2] >= 2000
    assert found.groupby("split")["error"].first().to_dict() == pytest.approx({"val": 0.5, "test": 0.25})
    assert missing == ["one is missing"]


def _results_of(models):
    from analysis.applications import Results

    return Results(models, pd.DataFrame(), {}, ["one is missing"], lambda name: {})


def test_an_unknown_application_is_refused(capsys):
    with pytest.raises(SystemExit) as end:
        latent_elbow.main(["--application", "poetry"])
    assert end.value.code == 2 and "reconstruction" in capsys.readouterr().err
