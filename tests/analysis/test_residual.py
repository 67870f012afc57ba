"""Residual against plain networks: synthetic records with a known interaction; the latent use of real networks."""

import argparse
import re

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis import (
    applications,
    draws,
    residual,
    residual_estimates,
    residual_figures,
    residual_latent_use,
    residual_modes,
    residual_text,
    residual_twins,
)
from analysis.report import bibliography
from analysis.residual_estimates import IMPUTED, INTERACTION
from analysis.residual_training import TREND, TRENDS
from analysis.residual_twins import PLAIN, SKIPS
from study import autoencoders, datasets, records
from study.architectures import ARCHITECTURES
from study.errors import InputError
from study.space import DEFAULTS, trial_name

DEPTHS = (1, 2, 4, 8)
SLOPE, AT_ONE = -0.2, 0.05  # of the log ratio over log2 depth; at depth 1
MEAN_IMAGE = 0.08
CELL = DEFAULTS | dict(dataset="digits", latent_dim=8, loss="mse")


def trial(architecture, depth, seed, error, **levels):
    cell = CELL | dict(architecture=architecture, depth=depth) | levels
    return {
        **cell,
        **{
            "trial": trial_name(cell, seed),
            "seed": seed,
            "status": "completed",
            "collapsed": False,
            "n_parameters": 900,
        },
        **{"train_mse": error, "test_mse": error, "val_mse": error, "test_fvu": error / MEAN_IMAGE},
    }


def study(depths=DEPTHS, seeds=5, noise=0.02, slope=SLOPE, **levels):
    """Twins whose log ratio falls by 0.2 a doubling; plain networks err 10 % more a doubling."""
    rows = []
    for seed in range(seeds):
        for depth in depths:
            rng = np.random.default_rng([seed, depth])
            plain = 0.02 * 1.1 ** np.log2(depth) * np.exp(noise * rng.normal())
            ratio = np.exp(AT_ONE + slope * np.log2(depth) + noise * rng.normal())
            rows += [trial(PLAIN, depth, seed, plain, **levels), trial(SKIPS, depth, seed, plain * ratio, **levels)]
    return pd.DataFrame(rows)


def curves(trials, epochs=6):
    """Validation errors that fall by 20 % an epoch to the test error; gradients halve a block, not so with skips."""
    rows = []
    for row in trials[trials["status"] == "completed"].to_dict("records"):
        scale = 0.01 * (1 if row["architecture"] == SKIPS else 0.5 ** row["depth"])
        for epoch in range(1, epochs + 1):
            error = row["test_mse"] / 0.8 ** (epochs - epoch)
            known = {"loss": error, "val_mse": error, "gradient_scale": scale}
            rows.append({"trial": row["trial"], "epoch": epoch, **known})
    return pd.DataFrame(rows)


def estimated(trials, cost=None):
    return residual_estimates.estimate(trials, curves(trials), cost)


@pytest.fixture(scope="module")
def usual():
    return estimated(study())


def test_slopes_are_least_squares():
    assert residual_twins.slopes([[1.0, 1.5, 2.5]], [1, 2, 4]) == pytest.approx([0.5])
    values = np.random.default_rng(0).normal(size=(3, 4))
    expected = [np.polyfit([1, 2, 5, 9], row, 1)[0] for row in values]
    np.testing.assert_allclose(residual_twins.slopes(values, [1, 2, 5, 9]), expected)
    with pytest.raises(ValueError, match="2 or more"):
        residual_twins.slopes([[1.0]], [4])


@pytest.mark.parametrize(("estimate", "places"), [("interaction", [0, 1, 2]), ("per_block", [1, 2, 4])])
def test_slopes_over_log2_depth_and_over_depth_have_t_intervals(estimate, places):
    values = np.random.default_rng(1).normal(size=(6, 3))
    slopes = residual_twins.slopes(values, places)
    found = getattr(residual_twins, estimate)(values, [1, 2, 4])
    low, high = stats.t.interval(0.95, 5, slopes.mean(), stats.sem(slopes))
    assert [found.low, found.value, found.high] == pytest.approx([low, slopes.mean(), high])
    assert found.p == pytest.approx(stats.ttest_1samp(slopes, 0).pvalue)
    assert np.isnan(residual_twins.interaction(values[:1], [1, 2, 4]).low)


def test_it_is_the_difference_of_the_architectures_own_slopes(usual):
    by = usual.interaction.set_index("what")["slope"]
    assert by[INTERACTION] == pytest.approx(by[SKIPS] - by[PLAIN])
    assert by[INTERACTION] == pytest.approx(SLOPE, abs=0.03) and by[PLAIN] == pytest.approx(np.log(1.1), abs=0.03)
    assert IMPUTED not in by, "nothing failed"


def test_the_ratio_at_each_depth_with_equal_parameters(usual):
    found = usual.depths.set_index("depth")
    expected = [np.exp(AT_ONE + SLOPE * np.log2(depth)) for depth in DEPTHS]
    np.testing.assert_allclose(found["ratio"], expected, rtol=0.05)
    assert found["n"].tolist() == [5] * 4 and (found["parameters"] == found["parameters_plain"]).all()
    assert found.loc[8, "verdict"] in ("lower", "not resolved")


def test_only_twins_count():
    alone = [trial(SKIPS, 16, seed, 0.01) for seed in range(5)]
    others = [trial("cnn", None, 0, 0.01), trial(SKIPS, None, 0, 0.01), trial(PLAIN, 1, 0, 0.01, loss="bce")]
    shared = study(seeds=2).assign(randomness="weights")
    found = residual_twins.twins(pd.concat([study(), pd.DataFrame([*alone, *others]), shared]))
    assert set(found["trial"]) == set(study()["trial"]) and set(found["randomness"]) == {"all"}
    assert set(found["of"]) == {"k = 8, mse"}


def test_groups_that_differ_in_another_factor_stand_apart():
    both = residual_twins.twins(pd.concat([study(seeds=2), study(seeds=2, train_size=100)]))
    assert list(both["of"].unique()) == ["k = 8, mse", "k = 8, mse, n = 100"]


def test_a_failure_is_left_out_and_counted_at_the_mean_images_error():
    trials = study()
    hit = (trials["architecture"] == PLAIN) & (trials["depth"] == 8) & (trials["seed"] == 0)
    for column in ("test_mse", "test_fvu", "collapsed"):
        trials[column] = trials[column].astype(object).mask(hit, None)
    trials = trials.assign(status=trials["status"].mask(hit, "diverged")).astype({"test_mse": float, "test_fvu": float})
    found = estimated(trials)
    by = found.interaction.set_index("what")
    assert by.loc[INTERACTION, ["n", "seeds_left_out"]].tolist() == [4, 1] and by.loc[IMPUTED, "n"] == 5
    pair = found.pairs.query("seed == 0 and depth == 8").iloc[0]
    assert np.isnan(pair["log_ratio"]) and pair["log_ratio_imputed"] == pytest.approx(np.log(pair[SKIPS] / MEAN_IMAGE))
    failed = found.failures.query("architecture == @PLAIN and depth == 8 and what == 'failed'").iloc[0]
    expected = stats.binomtest(1, 5).proportion_ci(method="exact")
    assert [failed["count"], failed["n"], failed["low"], failed["high"]] == pytest.approx(
        [1, 5, expected.low, expected.high]
    )
    said = residual_text.sentences(found, pd.DataFrame(), pd.DataFrame(), "s")
    assert any("trials that failed to train: plain_deep depth 8: 1 of 5" in text for text in said)
    assert any("With failed trials at the mean image's error" in text for text in said)


def test_epochs_to_the_level_of_the_shallowest_plain_network(usual):
    found = usual.convergence.set_index(["architecture", "depth"])
    level = stats.gmean(study().query("architecture == @PLAIN and depth == 1")["test_mse"])
    assert found["level"].tolist() == pytest.approx([level] * 8)
    assert found.loc[(PLAIN, 8), "reached"] == 0 and np.isinf(found.loc[(PLAIN, 8), "median"])
    assert found.loc[(SKIPS, 8), ["reached", "median"]].tolist() == [5, 5]
    text = next(
        t for t in residual_text.sentences(usual, pd.DataFrame(), pd.DataFrame(), "s") if "reach a validation" in t
    )
    assert "plain_deep depth 8: 0 of 5, median beyond the last epoch" in text


def test_where_the_shallowest_plain_networks_fail_the_next_give_the_level(usual):
    """And where no plain network trains there is no level, no ratio of gradients, and no sentence with a NaN."""
    trials = study()
    failed = trials["architecture"] == PLAIN
    for fails, depth in ((failed & (trials["depth"] == 1), 2), (failed, None)):
        some = trials.assign(
            status=trials["status"].mask(fails, "error"), test_mse=trials["test_mse"].mask(fails),
            test_fvu=trials["test_fvu"].mask(fails), collapsed=trials["collapsed"].mask(fails),
        )  # fmt: skip
        found = residual_estimates.estimate(some, curves(some), None)
        assert set(found.convergence.get("level_depth", ())) == ({depth} if depth else set())
        assert len(found.gradients) == (6 if depth else 0)  # three depths, and three trends
        said = residual_text.sentences(found, pd.DataFrame(), pd.DataFrame(), "tiny")
        assert any("plain networks of depth 2 end with" in text for text in said) == (depth == 2)
        assert not any("nan" in text for text in said)


def test_one_seed_has_no_p():
    said = residual_text.sentences(estimated(study(seeds=1)), pd.DataFrame(), pd.DataFrame(), "tiny")
    assert any("cannot be said from one seed" in text for text in said) and not any("nan" in text for text in said)
    assert said[0].startswith("A demonstration: 1 seed can") and not any(" 1 seeds" in text for text in said[:4])


def test_gradients_at_each_depth_and_their_trend(usual):
    found = usual.gradients.set_index("what")
    trends = {TREND: 2, TRENDS[SKIPS]: 1, TRENDS[PLAIN]: 0.5}
    assert found["ratio"].to_dict() == pytest.approx({**{f"depth {d}": 2**d for d in DEPTHS}, **trends})
    text = next(t for t in residual_text.sentences(usual, pd.DataFrame(), pd.DataFrame(), "s") if "gradients at" in t)
    assert "Gradients of plain networks vanish with depth and skips hold them up" in text
    assert (
        "With every further block a stage the ratio is multiplied by about 2 [2, 2], the gradients themselves by: "
        "plain_deep 0.5 [0.5, 0.5]; residual 1 [1, 1] (least-squares slope of the log over depth"
    ) in text
    assert "Adam divides its steps by the size of the gradients" in text


def with_gradients(trials, plain, skips):
    """Gradients of the first epoch over depth; those of the others are memory of it alone."""
    history = curves(trials)
    rows = history.merge(trials[["trial", "architecture", "depth", "seed"]], on="trial")
    slope = np.where(rows["architecture"] == SKIPS, skips, plain)
    noise = 1 + 0.01 * rows["seed"] * (rows["depth"] + (rows["architecture"] == SKIPS))
    return history.assign(gradient_scale=rows["depth"] ** slope * noise * 0.97 ** rows["epoch"])


@pytest.mark.parametrize(
    ("plain", "skips", "said"),
    [
        (-1.0, 0.0, "vanish with depth and skips hold them up"),
        (1.0, 0.1, "grow with depth, as theory has it of normalised networks without skips"),
        (1.0, 2.0, "The ratio grows with depth"),
        (-1.0, -2.0, "The ratio falls with depth"),
        (0.5, 0.5, "is not resolved"),
    ],
)
def test_what_depth_does_to_gradients_is_said_of_either_architecture(plain, skips, said):
    trials = study(seeds=6)
    history = with_gradients(trials, plain, skips)
    found = residual_estimates.estimate(trials, history, None)
    text = next(t for t in residual_text.sentences(found, pd.DataFrame(), pd.DataFrame(), "s") if "gradients at" in t)
    assert said in text, text
    cited = re.findall(r"arXiv:(\d+\.\d+)", text)
    assert set(cited) <= {entry.get("eprint") for entry in bibliography.entries().values()}
    later = history["epoch"] > 1
    other = history.assign(gradient_scale=history["gradient_scale"].mask(later, 1e-9))
    pd.testing.assert_frame_equal(residual_estimates.estimate(trials, other, None).gradients, found.gradients)


def in_evaluation(trials, plain):
    """The estimates where the plain networks of depth 4 have `plain` times their last training loss in evaluation."""
    factor = np.where((trials["architecture"] == PLAIN) & (trials["depth"] == 4), plain, 1.0)
    noise = 1 + 0.001 * (-1) ** trials["seed"] * (trials["architecture"] == PLAIN)
    return residual_estimates.estimate(
        trials.assign(train_mse=trials["train_mse"] * factor * noise), curves(trials), None
    )


def test_what_is_there_in_training_stands_beside_what_evaluation_adds():
    trials = study(seeds=6)
    found = in_evaluation(trials, 2.0)
    table = found.modes.set_index("depth")
    ratios = found.depths.set_index("depth")["ratio"]  # the last loss of these curves is the test error
    np.testing.assert_allclose(table["training"], ratios)
    np.testing.assert_allclose(table["test"], ratios)
    np.testing.assert_allclose(table["evaluation"], [1.0, 1.0, 0.5, 1.0], rtol=2e-3)
    np.testing.assert_allclose(table["training_images"], table["training"] * table["evaluation"])
    logs = found.pairs.query("depth == 8")["log_ratio"]
    low, high = np.exp(stats.t.interval(0.95, 5, logs.mean(), stats.sem(logs)))
    assert table.loc[8, ["training_low", "training_high"]].tolist() == pytest.approx([low, high])
    said = list(residual_modes.sentences(found.modes))
    assert said[0].endswith("With skips, training loss is smaller at depth 2, 4, 8; larger at depth 1.")
    assert f"depth 8: {table.loc[8, 'training']:.3g} [{low:.3g}, {high:.3g}] and {ratios[8]:.3g} (" in said[0]
    assert "depth 4: 0.5 [0.499, 0.501] (plain 0.0241 → 0.0483, residual 0.017 → 0.017)" in said[1], said[1]
    assert "this rise is smaller at depth 4; " in said[1] and "That part of their lead (depth 4) comes from" in said[1]
    assert set(said) <= set(residual_text.sentences(found, pd.DataFrame(), pd.DataFrame(), "s"))
    assert "That part" not in list(residual_modes.sentences(in_evaluation(trials, 0.5).modes))[1]


def test_training_loss_on_another_scale_is_not_compared():
    for levels in ({"loss": "bce"}, {"regularizer": "sparse"}):
        trials = study(seeds=3, **levels)
        assert estimated(trials).modes.empty


def fail(trials, chosen):
    """The trials with some of them diverged."""
    return trials.assign(
        status=trials["status"].mask(chosen, "diverged"), test_mse=trials["test_mse"].mask(chosen),
        test_fvu=trials["test_fvu"].mask(chosen), collapsed=trials["collapsed"].astype(object).mask(chosen, None),
    )  # fmt: skip


def test_a_depth_at_which_plain_networks_fail_costs_the_others_no_seeds():
    trials = study(seeds=10)
    found = estimated(fail(trials, (trials["architecture"] == PLAIN) & (trials["depth"] == 8) & (trials["seed"] > 0)))
    assert found.depths["n"].tolist() == [10, 10, 10, 1]
    first = found.depths.iloc[0]
    pairs = found.pairs.query("depth == 1")["log_ratio"]
    low, high = stats.t.interval(1 - 0.05 / 4, 9, pairs.mean(), stats.sem(pairs))
    assert [first["low"], first["high"]] == pytest.approx([np.exp(low), np.exp(high)])
    answer = residual_text.answers(found, pd.DataFrame())[0].sentence
    assert "0 of 40 residual trials failed" in answer and "; 9 of 40 plain trials failed and 0 left as much;" in answer
    assert "With failed trials at the mean image's error the interaction is" in answer and "nan" not in answer


def test_where_no_seed_is_whole_the_answer_counts_failures_at_the_mean_images_error():
    trials = study(seeds=10)
    plain = trials["architecture"] == PLAIN
    lost = plain & (trials["depth"] == 4) & (trials["seed"] < 5) | plain & (trials["depth"] == 8) & (trials["seed"] > 4)
    found = estimated(fail(trials, lost))
    assert list(found.interaction.query("what == @IMPUTED")["n"]) == [10]
    answer = residual_text.answers(found, pd.DataFrame())[0]
    assert "and with failed trials at the mean image's error residual networks gain on plain ones" in answer.sentence
    assert answer.statistic in set(pd.concat(residual._citable(found, pd.DataFrame(), pd.DataFrame()))["id"])
    assert found.depths["n"].tolist() == [10, 10, 5, 5]


def test_trials_that_have_not_been_run_are_no_failures():
    trials = study(seeds=6)
    partial = trials[(trials["seed"] < 5) | (trials["depth"] == 1)]
    found = estimated(partial)
    assert IMPUTED not in set(found.interaction["what"])
    assert found.depths["n"].tolist() == [5] * 4 and found.depths["seeds_left_out"].tolist() == [1] * 4
    whole = estimated(trials[trials["seed"] < 5]).depths
    np.testing.assert_allclose(found.depths[[SKIPS, PLAIN]], whole[[SKIPS, PLAIN]])
    said = residual_text.sentences(found, pd.DataFrame(), pd.DataFrame(), "s")
    assert any("at most 1 seed left out" in text for text in said)


def test_a_depth_at_which_no_seed_has_both_twins_yet_takes_nothing_from_the_others():
    """At depth 8 plain networks of seeds 0 to 2 have been run, residual ones of 3 and 4."""
    trials = study()
    plain = trials["architecture"] == PLAIN
    found = estimated(trials[(trials["depth"] < 8) | (plain == (trials["seed"] < 3))])
    expected = estimated(study(depths=DEPTHS[:-1]))
    columns = ["depth", "ratio", "low", "high", "n", SKIPS, PLAIN, "verdict", "seeds_left_out"]
    pd.testing.assert_frame_equal(found.depths[columns], expected.depths[columns])
    assert found.depths["depth"].tolist() == [1, 2, 4] and set(found.depths["n"]) == {5}


def test_residual_networks_catch_up_with_the_end_of_their_twin():
    trials = study(seeds=5, slope=-0.2, noise=0.0)  # at depth 1 their error is 5 % more, at 8 42 % less
    found = estimated(trials).catching_up.set_index("depth")
    assert found.loc[1, ["reached", "n"]].tolist() == [0, 5] and np.isinf(found.loc[1, "median"])
    assert found.loc[8, ["reached", "median"]].tolist() == [5, 4]  # 0.8² < exp(0.05 - 0.6) < 0.8² · 1.25
    said = residual_text.sentences(estimated(trials), pd.DataFrame(), pd.DataFrame(), "s")
    assert any("depth 1: 0 of 5 [0, 52] %; " in text and "median epoch 4" in text for text in said)


def test_a_slope_does_not_say_who_is_ahead():
    """Skips that raise the error everywhere, ever less: a gain with depth, and still higher at the deepest."""
    found = estimated(study(seeds=10, slope=-0.2).assign(test_mse=lambda t: t["test_mse"] * np.where(
        t["architecture"] == SKIPS, 3.0, 1.0)))  # fmt: skip
    answer = residual_text.answers(found, pd.DataFrame())[0].sentence
    assert "residual networks gain on plain ones with depth" in answer
    assert "At depth 8 the ratio is 1.7" in answer and ": higher (n = 10)" in answer
    assert "lower" not in answer


def test_cost_is_compared_in_the_rounds_that_measured_both(usual):
    cells = study(seeds=1)
    names = cells["trial"].str.removesuffix("-s00")
    rounds = [
        cells[["architecture"]].assign(
            cell=names, round=number, environment="one", cpu_share=0.99, images=900, first_epoch_seconds=4.0,
            peak_memory_mb=500.0, seconds=np.where(cells["architecture"] == SKIPS, 3.0, 2.0) * slow)
        for number, slow in enumerate((1.0, 1.1, 5.0))
    ]  # fmt: skip
    rounds[1] = rounds[1][rounds[1]["cell"] != names.iloc[0]]  # a round without the plain network of depth 1
    measured = pd.concat(rounds).drop(columns="architecture")
    found = estimated(study(), measured)
    assert found.cost["ratio"].tolist() == pytest.approx([1.5] * 4) and found.cost["n"].tolist() == [2, 3, 3, 3]
    said = residual_text.sentences(found, pd.DataFrame(), pd.DataFrame(), "mine")
    assert any("depth 2: 3.3 s against 2.2 s, 1.5 [1.5, 1.5] times" in text for text in said)
    assert not any("something else was running" in text for text in said)
    busy = estimated(study(), measured.assign(cpu_share=np.where(measured["cell"] == names.iloc[2], 0.5, 1.0)))
    said = residual_text.sentences(busy, pd.DataFrame(), pd.DataFrame(), "mine")
    assert any(text.startswith("In 1 of these something else was running") for text in said)
    without = residual_text.sentences(usual, pd.DataFrame(), pd.DataFrame(), "mine")
    assert any("Run: python -m study.cost mine" in text for text in without)


def test_a_unet_without_models_keeps_what_its_records_say(stored, tmp_path, monkeypatch, capsys):
    trials = with_unet()
    stored(trials, pd.DataFrame(columns=["trial", "epoch", "loss", "val_mse", "gradient_scale"]))

    def evaluate(task, options, study, load):
        raise InputError("no model could be loaded. Run: python -m study.search s --rebuild '*'")

    monkeypatch.setattr(applications, "evaluate", evaluate)
    assert residual.main(["s", "--artifacts", str(tmp_path)]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "Latent use was left out: no model could be loaded" in out and "reconstruction: 0.00101 against" in out


@pytest.mark.parametrize(
    ("slope", "noise", "seeds", "said"),
    [
        (-0.2, 0.02, 6, "residual networks gain on plain ones with depth: "),
        (0.2, 0.02, 6, "residual networks lose ground to plain ones with depth: "),
        (0.0, 0.05, 6, "whether residual networks gain on plain ones with depth is not resolved"),
        (-0.2, 0.02, 1, "cannot be said from one seed"),
    ],
)
def test_the_answer_follows_the_interval(slope, noise, seeds, said):
    found = estimated(study(slope=slope, noise=noise, seeds=seeds))
    answer = residual_text.answers(found, pd.DataFrame())[0]
    assert said in answer.sentence and f"n = {seeds} seed{'s' * (seeds > 1)}" in answer.sentence, answer.sentence
    assert answer.sentence.startswith(f"Yes, they train (0 of {4 * seeds} residual trials failed")
    assert answer.statistic in set(pd.concat(residual._citable(found, pd.DataFrame(), pd.DataFrame()))["id"])
    assert answer.figure in dict(residual_figures.draw_all(found, pd.DataFrame(), pd.DataFrame()))


def test_networks_that_leave_what_the_mean_image_leaves_do_not_count_as_trained():
    found = estimated(study().assign(test_fvu=0.95))
    answer = residual_text.answers(found, pd.DataFrame())[0].sentence
    assert answer.startswith(
        "Not as tried here (0 of 20 residual trials failed and 20 left 90 % or more of the test variance unexplained"
    )
    assert "At depth 1, 2, 4, 8 every plain and residual network leaves 95 % of the test variance" in answer
    assert "so the ratio there says nothing of skips" in answer
    trials = study()
    some = estimated(trials.assign(test_fvu=np.where(trials["seed"] == 0, 0.95, 0.3)))
    answer = residual_text.answers(some, pd.DataFrame())[0].sentence
    assert answer.startswith("They do not always train (0 of 20 residual trials failed and 4 left 90 % or more")
    assert "every" not in answer


def test_where_all_plain_networks_learn_next_to_nothing_the_ratio_is_no_measure():
    trials = study(noise=0)
    deep = trials["depth"] == 8
    fvu = np.where(deep & (trials["architecture"] == PLAIN), 0.96 + 0.015 * trials["seed"], 0.25)
    found = estimated(trials.assign(test_fvu=fvu))
    at = found.depths.set_index("depth")
    assert at.loc[8, ["plain_deep_fvu_least", "plain_deep_fvu_most"]].tolist() == pytest.approx([0.96, 1.02])
    counts = found.failures.query("what == 'unlearnt' and count > 0")
    assert counts[["architecture", "depth", "count", "n"]].to_numpy().tolist() == [[PLAIN, 8, 5, 5]]
    said = residual_text.sentences(found, pd.DataFrame(), pd.DataFrame(), "s")
    ceiling = (
        "At depth 8 every plain network leaves 96 to 102 % of the test variance unexplained (the mean image 100 %): "
        "they learnt next to nothing, so the ratio there says whether the residual ones train, not by how much they "
        "are better"
    )
    slope = next(text for text in said if "gain on plain ones" in text)
    ratios = next(text for text in said if "at equal parameters" in text)
    answer = residual_text.answers(found, pd.DataFrame())[0].sentence
    assert slope.endswith(f"{ceiling}; slopes over depth run into this ceiling.") and ratios.endswith(f"{ceiling}.")
    assert f"{ceiling}; slopes over depth run into this ceiling." in answer
    assert "(FVU 0.25 against 0.96 to 1.02)" in ratios
    assert "; 0 of 20 plain trials failed and 5 left as much;" in answer
    assert any("plain_deep depth 8: 5 of 5 [48, 100] %" in text for text in said)


@pytest.mark.parametrize(
    ("growth", "said"),
    [
        (
            1.2,
            "deeper residual networks were expected to get better, and get worse",
        ),
        (0.8, "deeper residual networks get better, as was expected"),
        (1.0, "whether deeper residual networks get better, as was expected, is not resolved"),
    ],
)
def test_what_depth_does_to_residual_networks_themselves(growth, said):
    skips = [
        trial(SKIPS, depth, seed, 0.02 * growth ** np.log2(depth) * (1 + 0.01 * (-1) ** (seed + depth // 2)))
        for seed in range(6)
        for depth in DEPTHS
    ]
    plain = study(seeds=6).query("architecture == @PLAIN")
    found = estimated(pd.concat([plain, pd.DataFrame(skips)], ignore_index=True))
    answer = residual_text.answers(found, pd.DataFrame())[0].sentence
    assert f"(n = 6 seeds; descriptive): {said}." in answer


def test_few_seeds_say_what_they_assume():
    text = residual_text.sentences(estimated(study(seeds=3)), pd.DataFrame(), pd.DataFrame(), "s")
    assert text[0].startswith("A demonstration: 3 seeds") and "sign flips of 3 seeds give no p below 1/4" in text[1]


def test_the_least_p_of_sign_flips_is_not_rounded():
    assert residual_text._coarse({"n": 4}).endswith("sign flips of 4 seeds give no p below 1/8")
    assert residual_text._coarse({"n": 6}) == ""


def test_the_figure_draws_ratios_and_curves(usual):
    stem, figure = next(iter(residual_figures.draw_all(usual, pd.DataFrame(), pd.DataFrame())))
    assert stem == "depth-digits-k-8-mse"
    seeds = figure.axes[0].get_lines()[0]
    np.testing.assert_allclose(seeds.get_ydata(), np.exp(usual.pairs["log_ratio"]))
    labels = figure.axes[1].get_legend_handles_labels()[1]
    assert labels == [f"{name}, depth {depth}" for name in (SKIPS, PLAIN) for depth in (1, 8)]


# --- past the code ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def draw():
    data = datasets.load("digits")
    rows = pd.DataFrame([trial("cnn", None, 0, 0.02)])
    return draws.draw_of(rows, lambda name: data, True, split="test", wanted=40, sizes=(8,))


def used(draw, architecture):
    model = autoencoders.build(CELL | dict(architecture=architecture), draw.data.shape, 0, ARCHITECTURES)
    return residual_latent_use.TASK.open(draw).model(model, None).rows[0]


def test_without_skips_past_the_code_everything_goes_through_it(draw):
    found = used(draw, "cnn")
    assert found["use"] == pytest.approx(1, abs=1e-4) and found["n_images"] == 40


def test_a_unet_passes_the_image_by(draw):
    assert 0 < used(draw, "unet")["use"] < 0.9


def test_a_latent_use_that_is_not_known_is_no_number():
    row = {"use": float("nan"), "n_images": 500}
    assert "no latent use is known" in residual_text._latent_use(row) and "nan" not in residual_text._latent_use(row)


def test_a_decoder_that_ignores_the_code_uses_none_of_it(draw):
    import keras

    images, code, skip = keras.Input((8, 8, 1)), keras.Input((8,)), keras.Input((8, 8, 1))
    encoder = keras.Model(images, [keras.layers.Dense(8)(keras.layers.Flatten()(images)), images + 0.0], name="encoder")
    decoder = keras.Model([code, skip], skip * 1.0, name="decoder")
    model = keras.Model(images, decoder(encoder(images)))
    found = residual_latent_use.TASK.open(draw).model(model, None).rows[0]
    other = draw.images[residual_latent_use.exchanged(40)]
    assert found["use"] == 0 and found["between"] == pytest.approx(np.square(draw.images - other).mean(), rel=1e-5)
    assert residual_latent_use.TASK.open(draw).baselines().rows[0]["between"] == pytest.approx(found["between"])


def with_unet(errors=(0.001, 0.02), seeds=3):
    rows = [
        trial(name, None, seed, error * (1 + 0.01 * seed))
        for name, error in zip(("unet", "cnn"), errors, strict=True)
        for seed in range(seeds)
    ]
    return pd.DataFrame(rows)


def test_a_unet_is_held_against_the_same_cell_without_skips():
    trials = pd.concat(
        [with_unet(), pd.DataFrame([trial("keras_io", None, 0, 0.02), trial("unet", None, 0, 0.1, loss="bce")])]
    )
    assert residual_latent_use.references(trials) == {"digits-unet-k8-mse": "digits-cnn-k8-mse"}
    assert residual_latent_use.cells(trials) == ["digits-unet-k8-mse", "digits-cnn-k8-mse"]
    assert residual_latent_use.cells(study(depths=[1], seeds=1)) == [
        "digits-plain_deep-k8-mse-depth1",
        "digits-residual-k8-mse-depth1",
    ]


def test_the_leak_in_other_tasks_is_read_from_their_results(tmp_path):
    trials = with_unet()
    folder = tmp_path / "tasks" / "anomaly" / "test"
    folder.mkdir(parents=True)
    for row in trials.to_dict("records"):
        auc = (0.6 if row["architecture"] == "unet" else 0.9) + 0.01 * row["seed"] * (row["architecture"] == "cnn")
        (folder / f"{row['trial']}.csv").write_text(
            f"# v1\ntrial,set,score,auc\nt,a,squared error,{auc}\nt,a,BCE,0.1\n"
        )
    found, missing = residual_latent_use.leak(trials, tmp_path)
    by = found.set_index("what")
    assert missing == ["generation"] and list(by.index) == ["reconstruction", "anomaly"]
    assert by.loc["reconstruction", "value"] == pytest.approx(0.05)
    differences = np.array([-0.30, -0.31, -0.32])
    low, high = stats.t.interval(0.95, 2, differences.mean(), stats.sem(differences))
    assert by.loc["anomaly", ["low", "value", "high"]].tolist() == pytest.approx([low, differences.mean(), high])
    said = residual_text.sentences(estimated(study(depths=[1])), pd.DataFrame(), found, "s")
    assert any("digits-unet-k8-mse against digits-cnn-k8-mse, anomaly: 0.6 against 0.91" in text for text in said)


USE = pd.DataFrame(
    {
        **{"dataset": "digits", "cell": ["digits-unet-k8-mse", "digits-cnn-k8-mse"], "architecture": ["unet", "cnn"]},
        **{"use": [0.08, 1.0], "low": [0.05, 1.0], "high": [0.11, 1.0], "n": 3, "change": 0.01, "between": 0.1},
        **{"n_images": 360, "method": "mean, 95 % t interval over seeds"},
    }
)


def test_without_twins_the_answer_is_about_the_unet():
    trials = with_unet()
    none = residual_estimates.estimate(
        trials, pd.DataFrame(columns=["trial", "epoch", "loss", "val_mse", "gradient_scale"]), None
    )
    answer = residual_text.answers(none, USE)[0]
    assert "changes the output by 8 % of what lies between" in answer.sentence and answer.figure == "latent-use"
    assert answer.statistic in set(pd.concat(residual._citable(none, USE, pd.DataFrame()))["id"])
    said = residual_text.sentences(none, USE, pd.DataFrame(), "s")
    assert any(text.startswith("The latent use of 1 cell is 1 by construction") for text in said)
    figure = residual_figures.plot_use(USE, pd.DataFrame(), residual_text.caption_use(USE, pd.DataFrame()))
    assert figure.axes[0].containers[0][0].get_xdata().tolist() == [0.08, 1.0]


def test_a_latent_use_that_is_one_by_construction_is_not_drawn(usual):
    without = USE[USE["architecture"] != "unet"]
    assert "latent-use" not in dict(residual_figures.draw_all(usual, without, pd.DataFrame()))
    assert "latent-use" in dict(residual_figures.draw_all(usual, USE, pd.DataFrame()))
    whole = USE.assign(use=1.0).iloc[0].to_dict()
    assert residual_text._latent_use(whole).endswith("nothing measurable passes the code by.")


@pytest.fixture
def stored(tmp_path, monkeypatch):
    """The command's study: twins, a U-Net and its reference, without models of their own."""

    def put(trials, history):
        for name, value in {
            "load": lambda study, artifacts: trials,
            "history": lambda study, artifacts: history,
            "manifest": lambda study, artifacts: {"data": {}},
            "notices": lambda study, artifacts: ["Seeds of this study come from several machines."],
            "folder": lambda study, artifacts: tmp_path / study,
            "latest": lambda artifacts: "newest",
        }.items():
            monkeypatch.setattr(records, name, value)

    return put


def test_the_command_writes_what_it_prints(stored, tmp_path, monkeypatch, capsys):
    trials = pd.concat([study(seeds=3), with_unet()])
    stored(trials, curves(study(seeds=3)))
    asked = []

    def evaluate(task, options, study, load):
        asked.append((task.name, options.split, sorted(options.cells.split())[:2]))
        models = trials.assign(
            use=np.where(trials["architecture"] == "unet", 0.1, 1.0), change=0.01, between=0.1, n_images=40
        )
        return applications.Results(models, pd.DataFrame(), {}, ["one was left out"], lambda name: {})

    monkeypatch.setattr(applications, "evaluate", evaluate)
    assert residual.main(["--artifacts", str(tmp_path), "--workers", "1"]) == 0
    out = capsys.readouterr().out
    assert asked == [("latent_use", "test", ["digits-cnn-k8-mse-s[0-9]*", "digits-plain_deep-k8-mse-depth1-s[0-9]*"])]
    assert "one was left out" in out and "Run: python -m analysis.anomaly newest" in out.replace("\n  ", " ")
    folder = tmp_path / "newest" / "analysis" / "residual"
    written = [line.removeprefix("wrote ") for line in out.splitlines() if line.startswith("wrote ")]
    assert sorted(written) == sorted(str(path) for path in folder.iterdir())
    assert {"interaction.csv", "latent_use.csv", "leak.csv", "latent-use.png"} <= {
        path.name for path in folder.iterdir()
    }


def test_what_the_unet_lacks_is_named_with_the_command_that_computes_it(stored, tmp_path, monkeypatch):
    trials = with_unet()
    trials.loc[trials["architecture"] == "unet", "seed"] += 10  # no seed has both
    stored(trials, None)
    monkeypatch.setattr(applications, "evaluate", lambda *_: (_ for _ in ()).throw(InputError("gone.")))
    asked = argparse.Namespace(artifacts=str(tmp_path), data_dir=None, images=500, workers=1)
    assert residual._past_the_code(asked, "named", trials)[2][1:] == [
        "The U-Net in reconstruction was left out. Run: python -m study.search named",
        "The U-Net in anomaly was left out. Run: python -m analysis.anomaly named",
        "The U-Net in generation was left out. Run: python -m analysis.generation named",
    ]


def test_models_that_are_gone_cost_the_latent_use_alone(stored, tmp_path, monkeypatch):
    stored(study(seeds=2), curves(study(seeds=2)))

    def gone(*_):
        raise InputError("no model could be loaded. Run: python -m study.search s --rebuild '*'")

    monkeypatch.setattr(applications, "evaluate", gone)
    asked = argparse.Namespace(artifacts=str(tmp_path), data_dir=None, images=500, workers=1)
    use, leak, missing = residual._past_the_code(asked, "named", study(seeds=2))
    assert missing == ["Latent use was left out: no model could be loaded. Run: python -m study.search s --rebuild '*'"]
    assert len(use) == len(leak) == 0


def test_a_study_with_neither_is_refused_with_the_space_that_has_both(stored, tmp_path, capsys):
    stored(pd.DataFrame([trial("cnn", None, 0, 0.02)]), pd.DataFrame(columns=list(records.HISTORY_COLUMNS)))
    assert residual.main(["mine", "--artifacts", str(tmp_path)]) == 2
    assert "python -m study.search residual_depth" in capsys.readouterr().err
