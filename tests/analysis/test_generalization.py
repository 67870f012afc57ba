"""What is memorised and what the split changes: synthetic errors with known ratios, and hand-made results of tasks."""

import argparse
import dataclasses
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats
from sklearn.decomposition import PCA
from sklearn.metrics import roc_auc_score

from analysis import (
    applications,
    figures,
    generalization,
    generalization_answer,
    generalization_captions,
    generalization_estimates,
    generalization_figures,
    generalization_membership,
    generalization_points,
    generalization_text,
    generalization_words,
)
from analysis.generalization_estimates import margin, verdict
from analysis.generalization_flip import flip
from analysis.generalization_rectangle import rectangle
from analysis.generalization_trend import trend
from study import datasets, records
from study.errors import InputError, ModelsGone

CELL = dict(
    dataset="digits", architecture="cnn", latent_dim=8, loss="mse", regularizer="none", depth=None, train_size=None,
    normal_class=None, preprocessing="unit", learning_rate=1e-3, batch_size=128, randomness="all",
)  # fmt: skip
MEMORY, SHIFT = 0.9, 1.1  # training ÷ held-out, held-out ÷ test
ALL = 959  # digits' training images


def table(levels=({},), seeds=4, memory=MEMORY, shift=SHIFT, noise=0.01, **fixed):
    """Trials whose errors have known ratios, with 1 % noise; the control memorises half as much (as logs)."""
    rows = []
    for place, level in enumerate(levels):
        cell = CELL | fixed | level
        name = f"digits-cnn-k{cell['latent_dim']}-mse" + (f"-n{cell['train_size']}" if cell["train_size"] else "")
        for seed in range(seeds):
            rng = np.random.default_rng([seed, place])
            test = 0.02 * np.exp(noise * rng.normal())
            heldout = test * shift * np.exp(noise * rng.normal())
            train = heldout * level.get("memory", memory) * np.exp(noise * rng.normal())
            rows.append(
                {
                    **{name: value for name, value in cell.items() if name != "memory"},
                    **{"trial": f"{name}-s{seed:02d}", "cell": name, "study": "own", "seed": seed, "epochs": 20},
                    **{"train_mse": train, "heldout_mse": heldout, "test_mse": test, "status": "completed"},
                    **{"control_train": np.log(memory) / 2, "control_heldout": 0.0, "control_test": -np.log(shift)},
                    **{"n_train": cell["train_size"] or ALL, "narrowest_width": 64.0, "test_fvu": 0.3},
                }
            )
    return pd.DataFrame(rows)


def estimated(trials):
    differences = generalization_points.differences(generalization_points.reconstruction(trials))
    return generalization_estimates.estimate(differences, trials, "own")


@pytest.fixture(scope="module")
def usual():
    sizes = [dict(train_size=n, memory=m) for n, m in ((100, 0.5), (300, 0.8), (None, 0.999))]
    return estimated(table([*sizes, dict(latent_dim=2, memory=0.999), dict(latent_dim=4, memory=0.999)], noise=0.003))


def test_three_parts_and_their_product():
    trials = table()
    found = estimated(trials).overall.set_index("part")
    logs = {
        "memorisation": np.log(trials["train_mse"] / trials["heldout_mse"]),
        "split shift": np.log(trials["heldout_mse"] / trials["test_mse"]),
    }
    for part, values in logs.items():
        low, high = stats.t.interval(0.95, 3, values.mean(), stats.sem(values))
        assert found.loc[part, ["ratio_low", "ratio", "ratio_high"]].tolist() == pytest.approx(
            np.exp([low, values.mean(), high])
        )
        assert found.loc[part, "p"] == pytest.approx(stats.ttest_1samp(values, 0).pvalue)
    assert found.loc["together", "value"] == pytest.approx(sum(values.mean() for values in logs.values()))
    assert found["n"].unique().tolist() == [4]
    assert found.loc["memorisation", "control_ratio"] == pytest.approx(np.sqrt(MEMORY))


def test_overall_is_a_mean_over_the_cells_that_have_every_seed():
    trials = table([dict(latent_dim=2), dict(latent_dim=4, memory=0.7)])
    found = estimated(trials).overall.set_index("part")
    assert found.loc["memorisation", "value"] == pytest.approx(
        np.log(trials["train_mse"] / trials["heldout_mse"]).mean()
    )
    without = trials.drop(index=trials.index[-3:])  # the second cell has one seed of four
    fewer = estimated(without).overall.set_index("part")
    assert fewer.loc["memorisation", ["cells", "left_out", "left_out_seeds", "n"]].tolist() == [1, 1, 0, 4]
    only = trials[trials["latent_dim"] == 2]
    assert fewer.loc["memorisation", "value"] == pytest.approx(np.log(only["train_mse"] / only["heldout_mse"]).mean())
    said = " ".join(generalization_text.sentences(estimated(without), None, "own"))
    assert "Mean over 1 cell (left out: 1 cell that lacks seeds)" in said


def test_the_answer_gives_the_ends_of_a_range_and_no_mean_over_unlike_cells():
    trials = table([dict(latent_dim=1, memory=0.9), dict(latent_dim=8, memory=0.5)])
    trials.loc[trials["latent_dim"] == 8, "epochs"] = 40
    found = estimated(trials)
    rows = found.cells[found.cells["part"] == "together"].sort_values("value").to_dict("records")
    ends = np.exp(np.log(trials["train_mse"] / trials["test_mse"]).groupby(trials["cell"]).mean()).sort_values()
    assert [row["ratio"] for row in rows] == pytest.approx(list(ends))
    said = answered(found, trials)
    most, least = (f"{generalization_words.number(row)} ({row['cell']})" for row in rows)
    assert f" goes from {most} to {least} (simultaneous 95 % intervals, n = 4 seeds, for the data set's" in said
    assert "with 959 training images, 1 to 8 latent units and 20 to 40 epochs, training" in said
    single = table([dict(latent_dim=1)], memory=0.5).assign(epochs=1)
    said = answered(estimated(single), single)
    assert (
        "959 training images, 1 latent unit and 1 epoch, training images do better" in said
        and "(digits-cnn-k1-" in said
    )


def test_cells_that_learnt_next_to_nothing_are_counted():
    """One network that learnt something, and the cell is none of them."""
    trials = table([dict(latent_dim=1), dict(latent_dim=2), dict(latent_dim=8)])
    trials.loc[trials["latent_dim"] == 1, "test_fvu"] = 0.95
    trials.loc[(trials["latent_dim"] == 2) & (trials["seed"] > 0), "test_fvu"] = 0.95
    found = estimated(trials)
    assert found.overall["unlearnt"].tolist() == [1, 1, 1]
    counted = "learnt next to nothing (every network leaves 90 % or more of the test variance unexplained)"
    assert f"Of these 3 cells 1 {counted}." in answered(found, trials)
    texts = generalization_text.sentences(found, None, "own")
    assert any(f"Mean over 3 cells, 1 of which {counted}, mean of paired" in text for text in texts)
    learnt = table([dict(latent_dim=1), dict(latent_dim=2)])
    assert "learnt next" not in answered(estimated(learnt), learnt)


def half_a_seed(more=1):
    """Three sizes and two codes, five seeds, the last of which stopped after its first cells."""
    trials = table([dict(train_size=n, latent_dim=k) for n in (100, 300, None) for k in (2, 8)], seeds=5, noise=0.003)
    late = trials[trials["seed"] == 4].index[more:]
    return trials.drop(index=late).reset_index(drop=True)


def test_a_last_seed_that_stopped_early_costs_itself_and_no_cell():
    trials = half_a_seed()
    found = estimated(trials)
    whole = found.overall[found.overall["part"] == "memorisation"].set_index("n_train")
    assert whole[["cells", "left_out", "left_out_seeds", "n"]].to_numpy().tolist() == [
        [2, 0, 1, 4],
        [2, 0, 0, 4],
        [2, 0, 0, 4],
    ]
    four = trials[(trials["seed"] < 4) & (trials["train_size"] == 100)]
    assert whole.loc[100, "value"] == pytest.approx(np.log(four["train_mse"] / four["heldout_mse"]).mean())
    said = " ".join(generalization_text.sentences(found, None, "own"))
    assert "Mean over 2 cells (left out: 1 seed that not every cell has)" in said
    assert "simultaneous 95 % intervals, n = 4 seeds, for" in answered(found, trials)


def test_a_last_seed_that_stopped_early_leaves_the_family_whole():
    found = estimated(half_a_seed()).cells.query("part == 'memorisation'")
    assert set(found["n"]) == {4} and set(found["left_out_seeds"]) == {1}
    assert not found["method"].str.contains("lacks seeds").any()
    whole = estimated(half_a_seed().query("seed < 4").reset_index(drop=True)).cells.query("part == 'memorisation'")
    pd.testing.assert_frame_equal(found.drop(columns="left_out_seeds"), whole.drop(columns="left_out_seeds"))
    said = " ".join(generalization_text.sentences(estimated(half_a_seed()), None, "own"))
    assert "n = 4 seeds (1 seed that not every cell has left out); Bonferroni" in said


def answered(found, trials):
    answers = generalization_answer.answers(found, trials.iloc[0])
    return answers[0].sentence if answers else ""


def test_where_every_cell_lacks_a_seed_an_answer_is_left_that_cites_a_statistic():
    """Each of three cells lacks another of three seeds: no cell has every seed, no seed every cell."""
    trials = table([dict(latent_dim=k) for k in (2, 4, 8)], seeds=3)
    trials = trials[trials.index % 4 != 0].reset_index(drop=True)
    found = estimated(trials)
    assert found.overall["value"].notna().all() and (found.overall[["cells", "n"]] >= 1).all(axis=None)
    answer = generalization_answer.answers(found, trials.iloc[0])[0]
    assert answer.statistic in set(pd.concat(generalization._citable(found, {}))["id"])
    said = " ".join([*generalization_text.sentences(found, None, "own"), answer.sentence])
    assert "nan" not in said and " 0 cells" not in said and " 0 seeds" not in said


def test_a_part_that_no_trial_has_gives_no_row_and_is_said():
    exact = table().assign(test_mse=0.0)  # nothing is left to compare with
    asked = argparse.Namespace(tasks=["reconstruction"], cells=None, beside=[])
    differences, _, missing = generalization.measure(asked, "own", exact, None)
    lacking = "nothing can be said of split shift and together: no trial has an error on both sides"
    assert missing == [f"reconstruction: {lacking}"]
    found = generalization_estimates.estimate(differences, exact, "own")
    assert list(found.overall["part"]) == ["memorisation"] and generalization_answer.answers(found, exact.iloc[0]) == []
    assert "nan" not in " ".join(generalization_text.sentences(found, None, "own"))
    with pytest.raises(InputError, match="nothing can be said of memorisation, split shift and together"):
        generalization.measure(asked, "own", exact.assign(heldout_mse=0.0), None)


@pytest.mark.parametrize(
    ("gaps", "seeds", "cells"),
    [
        ([], [0, 1, 2, 3], [0, 1, 2]),
        ([(3, 1), (3, 2)], [0, 1, 2], [0, 1, 2]),  # the last seed stopped after its first cell
        ([(0, 1), (1, 1), (2, 1)], [0, 1, 2, 3], [0, 2]),  # a cell that diverged
        ([(1, 2)], [0, 2, 3], [0, 1, 2]),
        ([(3, 1), (3, 2), (0, 0), (1, 0)], [0, 1, 2], [1, 2]),  # both
    ],
)
def test_the_largest_share_missing_goes_first(gaps, seeds, cells):
    known = np.ones((4, 3), dtype=bool)
    for place in gaps:
        known[place] = False
    assert [np.flatnonzero(mask).tolist() for mask in rectangle(known)] == [seeds, cells]


def test_of_equals_the_later_seed_goes():
    assert [mask.tolist() for mask in rectangle(np.eye(2, dtype=bool))] == [[True, False], [True, False]]


@given(hnp.arrays(bool, hnp.array_shapes(min_dims=2, max_dims=2, max_side=8)))
def test_what_is_kept_is_complete_and_not_empty_if_anything_is_known(known):
    seeds, cells = rectangle(known)
    assert known[np.ix_(seeds, cells)].all()
    assert (seeds.any() and cells.any()) == known.any()
    if known.all():
        assert seeds.all() and cells.all()


@given(st.integers(2, 8), st.integers(1, 12), st.data())
def test_one_seed_that_most_cells_lack_is_all_that_goes_and_never_the_smaller_rectangle(seeds, cells, data):
    """With gaps in one seed alone, what is kept is the larger of both ways to close them."""
    lacking = data.draw(st.integers(1, cells))
    known = np.ones((seeds, cells), dtype=bool)
    known[data.draw(st.integers(0, seeds - 1)), :lacking] = False
    kept_seeds, kept_cells = rectangle(known)
    assert kept_seeds.sum() * kept_cells.sum() == max((seeds - 1) * cells, seeds * (cells - lacking))
    if 2 * lacking >= cells:
        assert (kept_seeds.sum(), kept_cells.sum()) == (seeds - 1, cells)


def test_linear_cells_are_a_control_and_in_no_mean():
    linear = table([dict(train_size=None)], memory=1.0, architecture="linear").assign(cell="digits-linear-k8-mse")
    linear["trial"] = "linear-" + linear["trial"]
    networks = table([dict(train_size=None)])
    found = estimated(pd.concat([networks, linear], ignore_index=True))
    memorised = found.overall.set_index("part").loc["memorisation"]
    assert memorised["value"] == pytest.approx(np.log(networks["train_mse"] / networks["heldout_mse"]).mean())
    assert memorised[["cells", "linear_left_out"]].tolist() == [1, 1]
    assert set(found.cells["cell"]) == {"digits-cnn-k8-mse", "digits-linear-k8-mse"}
    said = " ".join(generalization_text.sentences(found, None, "own"))
    assert "Mean over 1 cell (left out: 1 cell of the linear control)" in said
    said = answered(found, networks)
    assert "as they are; without 1 cell of the linear control)" in said and "linear-k8" not in said
    alone = estimated(linear)
    assert alone.overall[["cells", "linear_left_out"]].drop_duplicates().to_numpy().tolist() == [[1, 0]]
    said = " ".join(generalization_text.sentences(alone, None, "own"))
    assert "Mean over 1 cell of the linear control, mean of" in said
    assert "digits-linear-k8-mse" in answered(alone, linear)


def test_a_control_that_some_cells_lack_says_how_many_have_it():
    trials = table([dict(latent_dim=2), dict(latent_dim=64)])
    splits = [f"control_{split}" for split in ("train", "heldout", "test")]
    found = estimated(trials.assign(**{name: trials[name].where(trials["latent_dim"] == 2) for name in splits}))
    assert found.overall[["cells", "control_cells"]].drop_duplicates().to_numpy().tolist() == [[2, 1]]
    assert any("over 1 cell with such a number" in text for text in generalization_text.sentences(found, None, "own"))


def test_a_latent_size_above_the_narrowest_layer_is_left_out_of_the_turning_level_and_said():
    """At 32 units behind 16 nothing is memorised; whether the code is large decides nothing there."""
    sizes = [dict(latent_dim=k, memory=0.5 if k == 8 else 0.999) for k in (2, 4, 8, 32)]
    found = estimated(table(sizes, noise=0.001).assign(narrowest_width=16.0))
    assert found.flips[["tried", "left_out", "value"]].iloc[0].tolist() == ["2, 4, 8", "32", 4]
    assert found.curves.set_index("level")["excluded"].to_dict() == {2: False, 4: False, 8: False, 32: True}
    said = " ".join(generalization_text.sentences(found, None, "own"))
    assert "with 2, 4, 8 latent units (without 32: a layer is narrower)" in said
    assert "Hollow" in generalization_captions.curves(found.curves, "digits")
    only_one = estimated(table(sizes[2:], noise=0.001).assign(narrowest_width=16.0))
    assert only_one.flips.empty and len(only_one.curves) == 2


def test_of_many_curves_the_first_are_named_and_the_others_counted(usual):
    one = usual.flips[usual.flips["axis"] == "latent_dim"].iloc[:1]
    said = list(generalization_text._flips(pd.concat([one] * 20)))
    assert len(said) == 13 and said[-1] == "digits: 8 more curves over latent units are in flips.csv."


def test_against_test_images_intervals_hold_for_these_images(usual):
    for rows in (usual.overall, usual.cells):
        fixed = rows["method"].str.endswith("for these test images")
        assert set(rows["part"][fixed]) == {"split shift", "together"} and fixed.any()
        assert rows["method"][~fixed].str.endswith("each with images of its own").all()
    said = generalization_text.sentences(usual, None, "own")
    assert any("(split shift and together: for these test images)" in text for text in said)


def test_training_set_sizes_and_single_classes_stand_apart():
    trials = pd.concat([table([dict(train_size=100)]), table([dict(train_size=None)]), table(normal_class=1)])
    trials.loc[trials["normal_class"] == 1, "cell"] += "-class1"
    trials["trial"] = trials["trial"] + trials["normal_class"].map(str)
    found = estimated(trials.reset_index(drop=True)).overall
    assert len(found) == 9 and set(found["classes"]) == {"", "one class"}


def test_cells_are_one_family_and_a_cell_that_lacks_seeds_is_adjusted_alone():
    trials = table([dict(latent_dim=k) for k in (2, 4, 8)], seeds=5)
    found = estimated(trials).cells.query("part == 'memorisation'").set_index("cell")
    values = np.log(trials["train_mse"] / trials["heldout_mse"]).to_numpy().reshape(3, 5)
    low, high = stats.t.interval(1 - 0.05 / 3, 4, values[0].mean(), stats.sem(values[0]))
    assert found.iloc[0][["low", "high"]].tolist() == pytest.approx([low, high])
    assert set(found["verdict"]) == {"better"}
    fewer = estimated(trials.drop(index=trials.index[-2:])).cells.query("part == 'memorisation'").set_index("cell")
    alone = fewer.loc["digits-cnn-k8-mse"]
    assert (alone["n"], "lacks seeds" in alone["method"]) == (3, True)
    low, high = stats.t.interval(1 - 0.05 / 3, 2, values[2][:3].mean(), stats.sem(values[2][:3]))
    assert [alone["low"], alone["high"]] == pytest.approx([low, high])
    ends = [each.iloc[0][["low", "high"]].tolist() for each in (found, fewer)]
    assert ends[1] == pytest.approx(ends[0]), "the other two share what is left of the family's error"


def test_one_seed_has_no_interval_and_no_verdict():
    found = estimated(table(seeds=1))
    assert found.overall["low"].isna().all() and set(found.overall["verdict"]) == {"not resolved"}
    said = [*generalization_text.sentences(found, None, "own"), answered(found, table(seeds=1))]
    assert any("no interval: one seed" in text for text in said) and not any("1 seeds" in text for text in said)
    assert said[0].startswith("A demonstration: 1 seed resolves little")


@pytest.mark.parametrize(
    ("low", "high", "equivalent", "expected"),
    [
        (-0.2, -0.1, False, "better"),
        (-0.01, -0.005, True, "better, within the margin"),
        (0.1, 0.2, False, "worse"),
        (0.001, 0.01, True, "worse, within the margin"),
        (-0.01, 0.01, True, "equivalent"),
        (-0.3, 0.1, False, "not resolved"),
        (np.nan, np.nan, False, "not resolved"),
    ],
)
def test_verdicts(low, high, equivalent, expected):
    assert verdict(low, high, equivalent) == expected


def test_equivalence_is_tost_within_two_per_cent():
    trials = table(memory=1.0, noise=0.002)
    found = estimated(trials).overall.set_index("part").loc["memorisation"]
    values = np.log(trials["train_mse"] / trials["heldout_mse"])
    sides = (
        stats.ttest_1samp(values, -np.log(1.02), alternative="greater").pvalue,
        stats.ttest_1samp(values, np.log(1.02), alternative="less").pvalue,
    )
    assert found["equivalence_p"] == pytest.approx(max(sides)) and found["equivalence_p"] < 0.05
    assert found["verdict"].endswith("margin") or found["verdict"] == "equivalent"


GAPS = np.array([[0.5, 0.1, 0.01, 0.01], [0.52, 0.11, 0.012, 0.008], [0.48, 0.09, 0.008, 0.011]])


def test_the_level_from_which_the_gap_stays_small():
    found = flip(GAPS, [100, 300, 1000, 3000], 0.02, falls=True)
    assert (found["value"], found["low"], found["high"]) == (1000, 1000, 1000)
    assert found["words"] == "1,000 [1,000, 1,000]"
    never = flip(GAPS[:, :2], [100, 300], 0.02, falls=True)
    assert np.isnan(never["value"]) and never["words"] == "> 300 [> 300, > 300]"
    always = flip(GAPS[:, 2:], [1000, 3000], 0.02, falls=True)
    assert always["words"] == "≤ 1,000 [≤ 1,000, ≤ 1,000]"


def test_the_level_up_to_which_the_gap_stays_small():
    rising = GAPS[:, ::-1]
    found = flip(rising, [2, 4, 8, 16], 0.02, falls=False)
    assert (found["value"], found["words"]) == (4, "4 [4, 4]")
    assert flip(rising[:, :2], [2, 4], 0.02, falls=False)["words"] == "≥ 4 [≥ 4, ≥ 4]"
    never = flip(rising[:, 2:], [8, 16], 0.02, falls=False)
    assert np.isnan(never["value"]) and never["words"] == "< 8 [< 8, < 8]"


def test_an_uncertain_level_has_a_wide_interval_in_either_direction():
    noisy = np.array([[0.5, 0.03, 0.01], [0.5, 0.005, 0.01], [0.5, 0.02, 0.012]])
    found = flip(noisy, [100, 300, 1000], 0.02, falls=True)
    assert (found["low"], found["high"]) == (300, 1000)
    turned = flip(noisy[:, ::-1], [2, 4, 8], 0.02, falls=False)
    assert (turned["low"], turned["value"], turned["high"]) == (2, 4, 4)


def test_curves_over_training_set_size_and_latent_size(usual):
    flips = usual.flips.set_index("axis")
    assert flips.loc["train_size", "value"] == ALL
    assert flips.loc["latent_dim", "value"] == 8 and flips.loc["latent_dim", "tried"] == "2, 4, 8"
    sizes = usual.curves.query("axis == 'train_size'").set_index("level")["ratio"]
    assert sizes.to_dict() == pytest.approx({100: 0.5, 300: 0.8, ALL: 0.999}, rel=0.01)
    assert set(usual.flips["curve"]) == {"cnn, k = 8", "cnn"}


def turning(memory, levels=(100, 300, None), **axis):
    """The sentence about the turning level of a curve over training-set size, or over latent size."""
    pairs = zip(levels, memory, strict=True)
    sizes = [dict(axis, memory=m) | ({"latent_dim": n} if axis else {"train_size": n}) for n, m in pairs]
    found = estimated(table(sizes, noise=0.001))
    return next(text for text in generalization_text._flips(found.flips))


@pytest.mark.parametrize(
    ("memory", "says"),
    [
        ((0.8, 0.9, 0.999), "better than held-out ones from 959 on (959 ["),
        ((0.999, 0.8, 0.9), "better than held-out ones, but not up to the largest of them: only with 100 (> 959 ["),
        ((0.7, 0.8, 0.9), "better than held-out ones at none of them (> 959 ["),
        ((0.999, 0.8, 0.999), "ones from 959 on; the curve is not monotone, its mean passes the margin 2 times (959 ["),
        (
            (0.8, 0.999, 0.9),
            "but not up to the largest of them: only with 300; the curve is not monotone, its mean passes the margin 2",
        ),
    ],
)
def test_where_training_images_stop_doing_better_over_training_set_size(memory, says):
    assert says in turning(memory)
    assert "; epochs are equal: the most images mean 8 times as many updates of the weights as the fewest)" in turning(
        memory
    )


@pytest.mark.parametrize(
    ("memory", "says"),
    [
        ((0.999, 0.9, 0.8), "better than held-out ones up to 2 (2 ["),
        ((0.9, 0.8, 0.999), "ones, but not from the smallest of them on: only with 8 (< 2 ["),
        ((0.9, 0.8, 0.7), "better than held-out ones at none of them (< 2 ["),
        ((0.999, 0.9, 0.999), "ones up to 2; the curve is not monotone, its mean passes the margin 2 times (2 ["),
    ],
)
def test_where_training_images_start_doing_better_over_latent_size(memory, says):
    assert says in turning(memory, (2, 4, 8), train_size=None)
    assert "epochs are equal" not in turning(memory, (2, 4, 8), train_size=None)


def test_the_answer_prints_every_training_set_size_and_who_learnt_nothing():
    """Also what rises with the images: the updates of the weights, with 20 epochs and 128 images in a batch."""
    sizes = [dict(train_size=n, memory=m) for n, m in ((100, 0.999), (300, 0.5), (None, 0.8))]
    trials = table(sizes, noise=0.003)
    trials.loc[(trials["train_size"] == 100) & (trials["seed"] < 3), "test_fvu"] = 1.02
    found = estimated(trials)
    rows = found.curves.query("axis == 'train_size'").set_index("level")
    ends = rows.loc[[100, 300, ALL], ["ratio", "ratio_low", "ratio_high"]].to_numpy()
    numbers = [f"{value:.3f} [{low:.3f}, {high:.3f}]" for value, low, high in ends]
    assert (
        f"Over training-set size, memorisation of cnn is {numbers[0]} with 100 training images (3 of 4 networks learnt "
        f"next to nothing), {numbers[1]} with 300, {numbers[2]} with 959 (95 % t intervals, each for itself, n = 4 "
        "seeds). Epochs are equal, so that updates of the weights rise with the images, from 20 to 160: nothing "
        "follows for either alone."
    ) in answered(found, trials)
    trials = table([dict(latent_dim=k) for k in (2, 8)])
    assert "Over training-set size" not in answered(estimated(trials), trials)


@pytest.mark.parametrize(
    ("memory", "says"),
    [
        ((0.99, 0.7, 0.8), "Why: training images are remembered, the more the larger the code; "),
        ((0.7, 0.8, 0.99), "Why: training images are remembered, the more the smaller the code; "),
        ((0.9, 0.9, 0.9), "Why: how much is remembered is not shown to rise or fall with the code's size; "),
        ((0.7, 0.99, 0.7), "Why: how much is remembered is not shown to rise or fall with the code's size; "),
    ],
)
def test_the_reason_is_the_smallest_and_the_largest_gap_by_latent_size_beside_pca(memory, says):
    trials = table([dict(latent_dim=k, memory=m) for k, m in zip((2, 4, 8), memory, strict=True)], noise=0.02)
    found = estimated(trials)
    said = answered(found, trials)
    curve = found.curves.sort_values("value", ascending=False).to_dict("records")
    least, most = (generalization_words.number(row) for row in (curve[0], curve[-1]))
    assert says in said
    assert (
        f"memorisation (ratio of errors, training ÷ held-out) of cnn goes from {least} with {curve[0]['level']} latent "
        f"units to {most} with {curve[-1]['level']}, PCA's of the same size 0.9"
    ) in said
    split = generalization_words.number(found.overall.query("part == 'split shift'").to_dict("records")[0])
    logs = np.log(trials["train_mse"] / trials["heldout_mse"]).to_numpy().reshape(3, 4)
    slopes = (logs[2] - logs[0]) / 2  # of the least-squares line through 1, 2 and 3 doublings
    slope, (low, high) = slopes.mean(), stats.t.interval(0.95, 3, slopes.mean(), stats.sem(slopes))
    change = f"{np.exp(slope):.3f} [{np.exp(low):.3f}, {np.exp(high):.3f}]"
    assert (
        f"(95 % t intervals, each for itself, n = 4 seeds), and changes by a factor of {change} with each doubling of "
        f"the code (n = 4, paired t); the split itself (held-out ÷ test): {split}, mean"
    ) in said


def test_a_trend_is_a_line_through_all_levels():
    """By hand: slopes of 1, 2 and 3 a doubling over levels 2, 4, 8; a seed that lacks one is left out."""
    values = np.array([[0.0, 1, 2], [1, 3, 5], [0, 3, 6], [0, np.nan, 9]])
    found = trend(values, [2, 4, 8], logs=False)
    half = stats.t.ppf(0.975, 2) / np.sqrt(3)
    ends = [found["change"], found["change_low"], found["change_high"]]
    assert ends == pytest.approx([2, 2 - half, 2 + half]) and found["change_n"] == 3
    assert trend(values, [2, 4, 8], logs=True)["change"] == pytest.approx(np.exp(2))
    assert np.isnan(trend(values[:1], [2, 4, 8], logs=True)["change_low"])


def test_in_anomaly_detection_intervals_hold_for_these_anomalies(usual):
    differences = usual.points[["task", "trial", "part", "value", "control"]].assign(task="anomaly")
    levels = (100, 300, None)
    found = generalization_estimates.estimate(differences, table([dict(train_size=n) for n in levels]), "own")
    for rows in (found.overall, found.cells):
        of = rows.groupby("part")["method"].agg(lambda methods: set(methods.str.rpartition("over seeds ")[2]))
        assert of["memorisation"] == {"each with normal images of its own, for these anomalies"}
        assert of["together"] == of["split shift"] == {"for these test images"}
    assert "The test images, and the anomalies, are one fixed set" in generalization_captions.tasks(
        found.overall, "digits"
    )
    assert "seeds, in anomaly detection for these anomalies. " in generalization_captions.curves(found.curves, "digits")
    assert "anomalies" not in generalization_captions.tasks(usual.overall, "digits")


def test_without_a_curve_the_reason_is_the_cell_that_remembers_most():
    trials = table([dict(depth=1, memory=0.6), dict(depth=2)]).assign(depth=lambda rows: rows["depth"].astype(float))
    trials["cell"] += "-depth" + trials["depth"].map("{:g}".format)
    trials["trial"] = trials["cell"] + "-" + trials["seed"].map(str)
    said = answered(estimated(trials), trials)
    assert "Why: training images are remembered; memorisation (ratio of errors, training ÷ held-out) is 0.6" in said
    assert "in digits-cnn-k8-mse-depth1, PCA's of the same size 0.9" in said
    nothing = table(memory=1.0)
    assert "Why: nothing is shown to be remembered; " in answered(estimated(nothing), nothing)


def test_the_answer_says_which_tasks_were_not_compared_and_the_command(usual):
    first = table([dict(train_size=300)]).iloc[0]
    said = generalization_answer.answers(usual, first)[0].sentence
    command = "python -m analysis.generalization own."
    assert said.endswith(
        f" Not compared here: inpainting, denoising, anomaly, generation; with the trained models: {command}"
    )
    more = [usual.overall, *(usual.overall.assign(task=task) for task in ("denoising", "generation"))]
    some = dataclasses.replace(usual, overall=pd.concat(more))
    said = generalization_answer.answers(some, first)[0].sentence
    assert said.endswith(f" Not compared here: inpainting, anomaly; with the trained models: {command}")
    more += [usual.overall.assign(task=task) for task in ("inpainting", "anomaly")]
    whole = dataclasses.replace(usual, overall=pd.concat(more))
    assert "Not compared" not in generalization_answer.answers(whole, first)[0].sentence


def test_the_curve_over_sizes_is_the_first_cells_or_else_a_networks():
    sizes = [dict(train_size=n, memory=m) for n, m in ((100, 0.5), (None, 0.9))]
    linear = table(sizes, architecture="linear")
    linear = linear.assign(trial="linear-" + linear["trial"], cell="linear-" + linear["cell"])
    own = table([dict(latent_dim=2, train_size=100)])
    trials = pd.concat([own, linear, table(sizes)], ignore_index=True)
    assert "size, memorisation of cnn, k = 8 is " in answered(estimated(trials), trials)
    trials = pd.concat([linear, table(sizes)], ignore_index=True)
    assert "size, memorisation of linear is " in answered(estimated(trials), trials)


def test_studies_beside_it_make_a_curve_over_epochs():
    more = table(memory=0.6).assign(epochs=80, study="longer", trial=lambda t: t["trial"] + "@longer")
    found = estimated(pd.concat([table(memory=0.999, noise=0.002), more], ignore_index=True))
    row = found.flips.set_index("axis").loc["epochs"]
    assert (row["value"], row["tried"]) == (20, "20, 80")
    assert found.overall["value"].abs().max() < 0.2, "a study beside it entered the study's own means"
    said = generalization_text.sentences(found, None, "own", "python -m study.search own")
    assert not any("Not compared over epochs" in text for text in said)


def test_without_them_the_text_says_which_study_would_tell(usual):
    command = "python -m study.search quick --set dataset.mnist=digits"
    assert generalization_text.sentences(usual, None, "mine", command)[-1] == (
        f"Not compared over epochs: {command} --set epochs=80 --name mine_80, then python -m "
        "analysis.generalization mine --beside mine_80"
    )
    without = generalization_text.sentences(usual, None, "mine")
    assert not any("Not compared over epochs" in text for text in without), "no space has these cells"


def test_pca_is_fitted_on_each_seeds_training_images_and_clipped():
    data = datasets.load("digits")
    trials = table([dict(train_size=100, latent_dim=2), dict(train_size=100, latent_dim=8)], seeds=1)
    found = generalization_points.pca(trials, lambda name: data).set_index("trial")
    splits = datasets.split(data, 0, 100, None)
    train, held = (
        datasets.to_unit(x, data.value_range).reshape(len(x), -1).astype(float) for x in (splits.train, splits.heldout)
    )
    basis = PCA(8, svd_solver="full").fit(train)
    for split, images in (("train", train), ("heldout", held)):
        expected = np.square(basis.inverse_transform(basis.transform(images)).clip(0, 1) - images).mean()
        assert np.exp(found.loc["digits-cnn-k8-mse-n100-s00", f"control_{split}"]) == pytest.approx(expected, rel=1e-5)
    assert set(found["n_train"]) == {100}


def test_nothing_left_to_err_is_no_ratio():
    assert np.isnan(generalization_points.log(1e-15)) and generalization_points.log(np.e) == pytest.approx(1)


# --- tasks --------------------------------------------------------------------------------------------------------


def results(models, baselines, per_image=None):
    levels = {**CELL, "seed": 0}
    models = pd.DataFrame([{**levels, "trial": "digits-cnn-k8-mse-s00", **row} for row in models])
    baselines = pd.DataFrame([{**levels, "file": "baselines-dataset-digits-s00", **row} for row in baselines])
    return applications.Results(models, baselines, {}, [], lambda name: (per_image or {}).get(name, {}))


def restored(scale):
    models = [
        {"condition": c, "mode": m, "mse": scale * e, "n_images": 9}
        for c, m, e in (("a", "one pass", 0.01), ("b", "one pass", 0.04), ("a", "iterated", 9.0))
    ]
    baselines = [
        {"condition": c, "mode": "one pass", "method": "linear optimum", "mse": 0.02 * scale**2, "n_images": 9}
        for c in "ab"
    ]
    return results(models, baselines)


def test_restoration_takes_the_mean_log_over_conditions_in_one_pass():
    found = generalization_points.of_task(
        "inpainting", {"train": restored(1), "heldout": restored(2), "test": restored(4)}
    )
    row = found.iloc[0]
    assert np.exp(row["train"]) == pytest.approx(0.02)
    differences = generalization_points.differences(found).set_index("part")
    assert np.exp(differences["value"]).tolist() == pytest.approx([0.5, 0.5, 0.25])
    assert np.exp(differences["control"]).tolist() == pytest.approx([0.25, 0.25, 1 / 16])


def test_anomaly_takes_the_mean_area_over_sets_and_pca_of_the_same_size():
    def of(auc):
        models = [{"set": s, "score": "squared error", "auc": auc + d} for s, d in (("x", 0.1), ("y", -0.1))]
        models += [{"set": "x", "score": "BCE", "auc": 0.0}]
        return results(
            models, [{"set": "x", "method": "PCA 8", "auc": 0.7}, {"set": "x", "method": "PCA 2", "auc": 0.1}]
        )

    found = generalization_points.of_task("anomaly", {"train": of(0.85), "heldout": of(0.8), "test": of(0.75)})
    assert found.iloc[0][["train", "heldout", "test", "control_train"]].tolist() == pytest.approx(
        [0.15, 0.2, 0.25, 0.3]
    )
    value = generalization_points.differences(found).set_index("part")["value"]
    assert value["memorisation"] == pytest.approx(-0.05), "below 0: training images do better"


def test_generation_counts_nearest_training_images_of_the_declared_sampler():
    models = [
        {"sampler": "Gaussian mixture", "nearest_is_training": 0.6},
        {"sampler": "uniform box", "nearest_is_training": 0.1},
    ]
    found = generalization_points.generation(results(models, [{"method": "PCA mixture", "nearest_is_training": 0.55}]))
    assert found[["part", "value", "control"]].values.tolist() == [
        ["memorisation", pytest.approx(-0.1), pytest.approx(-0.05)]
    ]


def errors_of(values, control):
    per_image = {"digits-cnn-k8-mse-s00": {"squared error": values}, "baselines-dataset-digits-s00": {"PCA 8": control}}
    return results([{"method": "squared error"}], [{"method": "PCA 8"}], per_image)


def test_membership_is_the_area_of_held_out_over_training_errors():
    rng = np.random.default_rng(0)
    train, held, test = rng.normal(0, 1, 60), rng.normal(0.5, 1, 50), rng.normal(0.2, 1, 40)
    sides = {
        name: errors_of(values, values[::-1] / 2)
        for name, values in (("train", train), ("heldout", held), ("test", test))
    }
    found = generalization_membership.areas(sides).set_index("part")
    truth = roc_auc_score(np.repeat([0, 1], [60, 50]), np.concatenate([train, held]))
    assert found.loc["memorisation", ["auc", "pca_auc"]].tolist() == pytest.approx([truth, truth])
    assert found.loc["memorisation", ["n_first", "n_second"]].tolist() == [60, 50]
    value = generalization_membership.differences(found.reset_index()).set_index("part").loc["memorisation", "value"]
    assert value == pytest.approx(0.5 - truth)


def test_membership_over_seeds_is_a_t_interval_and_of_one_seed_delongs():
    rows = [
        {"trial": f"t{i}", "part": "memorisation", "auc": auc, "image_se": 0.02, "image_low": 0.5, "image_high": 0.6,
         "pca_auc": 0.52, "n_first": 100, "n_second": 90 + i, "dataset": "digits", "cell": "c", "latent_dim": 8,
         "n_train": 100}
        for i, auc in enumerate((0.60, 0.62, 0.61))
    ]  # fmt: skip
    found = generalization_membership.over_seeds(pd.DataFrame(rows)).iloc[0]
    low, high = stats.t.interval(0.95, 2, 0.61, stats.sem([0.60, 0.62, 0.61]))
    assert [found["low"], found["auc"], found["high"]] == pytest.approx([low, 0.61, high])
    assert (found["over_pca"], found["verdict"], found["n_second"]) == (pytest.approx(0.09), "told apart", 90)
    one = generalization_membership.over_seeds(pd.DataFrame(rows[:1])).iloc[0]
    assert (one["low"], one["high"]) == (0.5, 0.6) and "DeLong" in one["method"]
    alone = generalization_membership.over_seeds(pd.DataFrame(rows[:1]).assign(image_low=0.58))
    assert alone["verdict"].item() == "not resolved", "of other seeds nothing is known"
    assert "in 0 of 1 cells" in next(generalization_text._membership(alone))
    shift = generalization_membership.over_seeds(pd.DataFrame(rows).assign(part="split shift")).iloc[0]
    assert ("images of its own" in found["method"], "these test images" in shift["method"]) == (True, True)


def test_the_first_cell_the_longest_curve_and_training_sizes_are_what_tasks_are_tried_on():
    dense = [dict(architecture="dense", latent_dim=k) for k in (2, 8)]
    cnn = [dict(latent_dim=k) for k in (2, 4, 8)]
    sizes = [dict(loss="bce", train_size=n) for n in (100, None)]
    trials = table([*dense, *cnn, *sizes, dict(loss="mae")])
    shown = ["architecture", "loss", "latent_dim", "train_size"]
    trials["cell"] = trials[shown].map(str).agg("-".join, axis=1).str.replace(".0", "")
    expected = ["dense-mse-2", "cnn-mse-2", "cnn-mse-4", "cnn-mse-8", "cnn-bce-8-100", "cnn-bce-8"]
    assert [cell.removesuffix("-nan").removesuffix("-None") for cell in generalization.task_cells(trials)] == expected


def refusing(monkeypatch, error):
    def refuses(*_):
        raise error

    monkeypatch.setattr(generalization, "results_of", refuses)


def asking(*tasks, cells=None, images=None):
    return argparse.Namespace(tasks=list(tasks), cells=cells, images=images, artifacts="artifacts", beside=[])


def test_a_task_that_cannot_run_is_named_with_its_command(monkeypatch):
    refusing(monkeypatch, InputError("no labels here."))
    found, areas, missing = generalization.measure(asking("reconstruction", "denoising"), "own", table(), None)
    assert set(found["task"]) == {"reconstruction"} and areas is None
    then = "Then: python -m analysis.generalization own --tasks reconstruction denoising"
    assert missing == [f"denoising was left out: no labels here. {then}"]
    with pytest.raises(InputError, match="denoising was left out"):
        generalization.measure(asking("denoising"), "own", table(), None)


def test_models_that_are_gone_are_said_once_with_one_command(monkeypatch):
    refusing(monkeypatch, ModelsGone("no model could be loaded. The first, …"))
    _, _, missing = generalization.measure(asking(*generalization.TASKS), "own", table(), None)
    assert missing == [
        "membership, inpainting, denoising, anomaly and generation were left out: trained models are needed that "
        "are gone. Rebuild them: python -m study.search own --rebuild 'digits-cnn-k8-mse-s[0-9]*', then: "
        "python -m analysis.generalization own"
    ]
    sizes = table([dict(latent_dim=k) for k in (2, 8)])
    two = asking("reconstruction", "anomaly")
    both = "--rebuild 'digits-cnn-k2-mse-s[0-9]* digits-cnn-k8-mse-s[0-9]*', then"
    assert both in generalization.measure(two, "own", sizes, None)[2][0]
    one = asking("reconstruction", "anomaly", cells="*-k8-*", images=50)
    assert generalization.measure(one, "own", sizes, None)[2][0].endswith(
        "Rebuild them: python -m study.search own --rebuild '*-k8-*', then: "
        "python -m analysis.generalization own --tasks reconstruction anomaly --cells '*-k8-*' --images 50"
    )


def test_what_several_tasks_lack_is_said_once(monkeypatch):
    lacking = [applications.Results(pd.DataFrame(), pd.DataFrame(), {}, ["s01 was left out: gone."], lambda name: {})]
    monkeypatch.setattr(generalization, "results_of", lambda *_: dict.fromkeys(("train", "heldout"), lacking[0]))
    whole = generalization_points.differences(generalization_points.reconstruction(table()))
    monkeypatch.setattr(generalization, "_differences", lambda *_: whole)
    missing = generalization.measure(asking("inpainting", "denoising"), "own", table(), None)[2]
    assert missing == ["inpainting and denoising: s01 was left out: gone."]


def test_margins_in_their_units():
    assert np.exp(margin("reconstruction")) == pytest.approx(1.02)
    assert (margin("anomaly"), margin("generation")) == (0.005, 0.02)


# --- words and pictures -------------------------------------------------------------------------------------------


def test_every_sentence_with_numbers_states_n_and_method(usual):
    for text in generalization_text.sentences(usual, None, "own")[1:]:
        assert "n = 4 seeds" in text and ("95 %" in text), text


@pytest.mark.parametrize(
    ("memory", "shift", "noise", "begins"),
    [
        ((0.5, 0.5), 1.0, 0.001, "Yes, in 2 of 2 cells: in "),
        ((0.5, 0.999), 1.0, 0.001, "Yes, in 1 of 2 cells: in "),
        ((0.5,), 1.0, 0.001, "Yes: in "),
        ((0.999, 0.999), 1.0, 0.001, "No: in "),
        ((1.0, 1.0), 2.0, 0.001, "No, rather worse, in 2 of 2 cells: in "),
        ((1.0, 1.0), 1.0, 0.1, "Not by more than 2 % as far as can be told: in "),
    ],
)
def test_the_answer_follows_the_numbers_and_cites_a_statistic_that_is_there(memory, shift, noise, begins):
    trials = table([dict(latent_dim=k, memory=m) for k, m in zip((2, 8), memory, strict=False)], 4, 1, shift, noise)
    found = estimated(trials)
    answer = generalization_answer.answers(found, trials.iloc[0])[0]
    assert answer.sentence.startswith(begins), answer.sentence
    assert "2 %" in answer.sentence, "the margin is named"
    assert answer.statistic in set(pd.concat(generalization._citable(found, {}))["id"])
    assert answer.figure == ("curves-digits" if len(memory) > 1 else "tasks-digits")


def test_the_answer_counts_what_is_known_of_the_other_cells():
    cells = [(-0.3, -0.4, -0.2, "better"), (0.0, -0.01, 0.01, "equivalent"), (-0.1, -0.2, 0.1, "not resolved")]
    names = ("value", "low", "high", "verdict")
    rows = pd.DataFrame([dict(zip(names, cell, strict=True), margin=np.log(1.02)) for cell in cells])
    main = estimated(table()).overall.to_dict("records")[0]
    said = generalization_answer._verdict(rows, main, alone=False)
    assert said.startswith(
        "Yes, in 1 of 3 cells: in reconstruction of digits with 959 training images, 8 latent units "
    )
    left = "less would not matter (the others: within 2 % in 1, not resolved in 1)."
    assert said.endswith(f"do better than test images by more than 2 %; {left}")
    unresolved = generalization_answer._verdict(rows[1:], main, alone=True)
    assert "in reconstruction (no other task was compared) of digits" in unresolved
    assert unresolved.endswith(
        "is resolved in any of 2 cells; less would not matter (within 2 % in 1, not resolved in 1)."
    )


def test_the_answer_says_what_each_of_its_numbers_is():
    trials = table(memory=0.5, noise=0.001)
    ratio = "The ratio of errors, training ÷ test images (below 1: training images do better), is 0.5"
    assert ratio in answered(estimated(trials), trials)
    tasks = [("inpainting", 0.946, np.nan), ("anomaly", np.nan, -0.013), ("anomaly", np.nan, 0.002)]
    rows = [dict(task=task, ratio=ratio, value=value, cell=f"k{n}") for n, (task, ratio, value) in enumerate(tasks)]
    ends = dict.fromkeys(("low", "high", "ratio_low", "ratio_high"), np.nan)
    assert generalization_answer._in_other_tasks(pd.DataFrame(rows).assign(**ends), "reconstruction") == [
        "In inpainting the ratio of errors, training ÷ test images (below 1: training images do better), is 0.946 (no "
        "interval: one seed) (k0).",
        "In anomaly the difference of 1 - AUC, training less test images (below 0: training images do better), goes "
        "from -0.013 (no interval: one seed) (k1) to +0.002 (no interval: one seed) (k2).",
    ]


def test_figures_draw_what_the_tables_hold(usual):
    table_of = usual.overall
    figure = generalization_figures.plot_tasks(table_of, "caption")
    drawn = {line.get_label(): line for line in figure.axes[0].containers}
    marks = next(c for label, c in drawn.items() if label.startswith("memorisation"))
    np.testing.assert_allclose(sorted(marks[0].get_xdata()), sorted(table_of.query("part == 'memorisation'")["ratio"]))
    names = list(usual.cells["cell"].unique())
    cells = generalization_figures.plot_cells(usual.cells, names, "digits", "caption")
    assert [axes.get_title() for axes in cells.axes] == ["memorisation", "split shift"]
    curves = generalization_figures.plot_curves(usual.curves, "digits")
    assert [axes.get_xlabel() for axes in curves.axes] == ["training images", "latent units"]
    assert "n = 4 seeds" in curves.get_supxlabel()


@pytest.mark.parametrize("chosen", [[], ["anomaly"], ["anomaly", "membership", "generation"]])
def test_areas_have_a_panel_of_their_own(usual, chosen):
    areas = [
        usual.overall.query("part == 'memorisation'")
        .head(1)
        .assign(task=task, ratio=np.nan, value=-0.01, low=-0.02, high=0.0)
        for task in chosen
    ]
    figure = generalization_figures.plot_tasks(pd.concat([usual.overall, *areas]), "caption")
    assert len(figure.axes) == 1 + bool(chosen)
    if chosen:
        assert figure.axes[1].containers[0][0].get_xdata().tolist() == [-0.01] * len(chosen), "the table's sign"
        assert figure.axes[1].get_xlabel().endswith("(below 0: the first does better)")


def of_areas(usual):
    """Rows of two areas: generation, of memorisation alone, before anomaly detection, of all three."""
    numbers = dict(ratio=np.nan, value=-0.01, low=-0.02, high=0.0)
    rows = [
        usual.overall.head(3).assign(task=task, margin=generalization_estimates.margin(task), **numbers)
        for task in ("generation", "anomaly")
    ]
    return pd.concat([rows[0].query("part == 'memorisation'"), rows[1]], ignore_index=True)


def test_marks_stand_in_the_row_of_their_task(usual):
    axes = generalization_figures.plot_tasks(of_areas(usual), "caption").axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == [
        "anomaly, 100 training images",
        "generation, 100 training images",
    ]
    heights = {c.get_label().split(" (")[0]: c[0].get_ydata().tolist() for c in axes.containers}
    assert {part: np.round(places).tolist() for part, places in heights.items()} == {
        "memorisation": [1, 0],
        "split shift": [0],
        "together": [0],
    }


def bands(axes):
    """Extents of the bands: (low, high) of the values, of each."""
    paths = [collection.get_paths()[0].get_extents() for collection in axes.collections if collection.get_zorder() < 0]
    return sorted((round(box.x0, 4), round(box.x1, 4), round(box.y0, 4), round(box.y1, 4)) for box in paths)


def test_each_task_has_the_band_of_its_own_margin(usual):
    axes = generalization_figures.plot_tasks(of_areas(usual), "caption").axes[0]
    assert bands(axes) == [(-0.02, 0.02, 0.5, 1.5), (-0.005, 0.005, -0.5, 0.5)]
    ratios = generalization_figures.plot_tasks(usual.overall, "caption").axes[0]
    assert {box[:2] for box in bands(ratios)} == {(round(1 / 1.02, 4), 1.02)}


def test_captions_name_the_bands_that_are_drawn(usual):
    assert "Band: what would not matter (2 %)." in generalization_captions.tasks(usual.overall, "digits")
    both = generalization_captions.tasks(pd.concat([usual.overall, of_areas(usual)]), "digits")
    assert "(2 %, 0.02 of a share, 0.005 of an area)" in both and "(or below 0 of an area or share) the first" in both
    assert "area" not in generalization_captions.tasks(usual.overall, "digits")


def test_intervals_of_shares_are_cut_to_what_is_possible_and_it_is_said(usual):
    wide = of_areas(usual).assign(value=-0.075, low=-0.88, high=0.73)
    row = next(row for row in wide.to_dict("records") if row["task"] == "generation")
    assert generalization_words.number(row) == "-0.075 [-0.500, +0.500] (cut to what is possible)"
    row["task"] = "anomaly"
    assert generalization_words.number(row) == "-0.075 [-0.880, +0.730]", "a difference of areas may be up to 1"
    assert "Intervals of areas and shares are cut" in generalization_captions.tasks(wide, "digits")
    assert "cut" not in generalization_captions.tasks(of_areas(usual), "digits")
    axes = generalization_figures.plot_tasks(wide, "caption").axes[0]
    drawn = axes.containers[0].lines[2][0].get_segments()  # of memorisation: anomaly detection's, and generation's
    ends = sorted(tuple(np.round(part[:, 0], 3)) for part in drawn)
    assert ends == [(-0.88, 0.73), (-0.5, 0.5)]


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        ((-0.075, -0.1, 0.03), "-0.075 [-0.100, +0.030]"),
        ((-0.00012, -0.00046, 0.0002), "-0.00012 [-0.00046, +0.00020]"),
        ((-0.0, -0.0, 0.0), "0.000 [0.000, 0.000]"),
        ((0.01, np.nan, np.nan), "+0.010 (no interval: one seed)"),
    ],
)
def test_tiny_differences_have_two_digits_and_none_has_no_sign(numbers, said):
    assert generalization_words.difference("anomaly", *numbers) == said


@pytest.mark.parametrize(("low", "high"), [(0.51, 1.16), (0.94, 1.06), (0.1, 1.1), (0.45, 2.4), (0.02, 11)])
@pytest.mark.parametrize("areas", [False, True])
def test_labels_of_ratios_do_not_touch(usual, low, high, areas):
    ratios = usual.overall.assign(ratio_low=low, ratio_high=high)
    table_of = pd.concat([ratios, of_areas(usual)]) if areas else ratios
    cells = usual.cells.assign(ratio_low=low, ratio_high=high)
    curves = usual.curves.assign(ratio_low=low, ratio_high=high)
    names = list(cells["cell"].unique())
    with figures.theme():
        for figure, axis in (
            (generalization_figures.plot_tasks(table_of, "caption"), "x"),
            (generalization_figures.plot_cells(cells, names, "digits", "caption"), "x"),
            (generalization_figures.plot_curves(curves, "digits"), "y"),
        ):
            figure.draw_without_rendering()
            labels = [text for text in getattr(figure.axes[0], f"get_{axis}ticklabels")() if text.get_text()]
            boxes = [text.get_window_extent() for text in labels]
            assert "1" in [text.get_text() for text in labels] and 2 <= len(labels) <= 7
            ends = [(box.x0, box.x1) if axis == "x" else (box.y0, box.y1) for box in boxes]
            assert all(other[0] - one[1] > 4 for one, other in pairwise(ends)), [text.get_text() for text in labels]


def with_membership(usual):
    return pd.concat([usual.curves, usual.curves.assign(task="membership")], ignore_index=True)


def test_a_curve_of_areas_has_a_band_about_one_half(usual):
    figure = generalization_figures.plot_curves(with_membership(usual), "digits")
    for axes, expected in ((figure.axes[0], (1 / 1.02, 1.02)), (figure.axes[2], (0.495, 0.505))):
        box = axes.patches[0].get_bbox()
        assert (box.y0, box.y1) == pytest.approx(expected)
    assert "Below 1 and above 0.5 of an area, training" in figure.get_supxlabel().replace("\n", " ")
    assert "(2 %, 0.005 of an area)" in figure.get_supxlabel().replace("\n", " ")


def test_a_caption_speaks_of_no_area_that_is_not_drawn(usual):
    caption = generalization_figures.plot_curves(usual.curves, "digits").get_supxlabel().replace("\n", " ")
    assert "area" not in caption and "Below 1, training images do better" in caption
    assert "Over training images epochs are equal: the most images mean 8 times" in caption
    over_codes = usual.curves.query("axis == 'latent_dim'")
    assert "epochs" not in generalization_captions.curves(over_codes, "digits")


@pytest.mark.parametrize(
    ("levels", "columns", "crowded"),
    [
        ((1, 2, 4, 8, 16, 32, 64), 1, False),
        ((1, 2, 4, 8, 16, 32, 64), 2, False),
        ((500, 2_000, 10_000, 40_000), 2, False),
        ((38_000, 39_000, 40_000), 1, False),
        (tuple(range(1_000, 20_000, 1_000)), 2, True),
    ],
)
def test_labels_are_turned_only_where_they_would_touch(usual, levels, columns, crowded):
    row = usual.curves.query("axis == 'latent_dim'").iloc[0].to_dict()
    axes_of = ("latent_dim", "train_size")[:columns]
    curves = pd.DataFrame([{**row, "axis": axis, "level": level} for axis in axes_of for level in levels])
    figure = generalization_figures.plot_curves(curves, "digits")
    with figures.theme():
        figure.draw_without_rendering()
        for axes in figure.axes:
            labels = axes.get_xticklabels()
            assert {label.get_rotation() for label in labels} == {30.0 if crowded else 0.0}
            boxes = [label.get_window_extent() for label in labels]
            assert crowded or all(one.x1 < other.x0 for one, other in pairwise(boxes))


def test_no_completed_trial(monkeypatch):
    failed = table().assign(status="error")
    monkeypatch.setattr(records, "load", lambda study, artifacts: failed)
    with pytest.raises(InputError, match=r"no completed trial in 'own' yet. Run: python -m study.search own"):
        generalization.trials_of("own", "artifacts")


def test_trials_that_share_their_splits_are_no_replicates(monkeypatch):
    both = pd.concat([table(seeds=2), table(seeds=3, randomness="weights")])
    monkeypatch.setattr(records, "load", lambda study, artifacts: both)
    assert len(generalization.trials_of("own", "artifacts")) == 2


def test_what_is_evaluated_on_each_split(monkeypatch):
    """Test results are those of the task's own analysis; generation is asked once."""
    asked = []
    monkeypatch.setattr(records, "manifest", lambda study, artifacts: {"data": {"digits": {}}})
    monkeypatch.setattr(records, "folder", lambda study, artifacts: Path("x"))
    none = pd.DataFrame({"dataset": [], "set": []})

    def evaluate(task, options, study, load, against=()):
        asked.append((task.name, options.split, options.images, against))
        return applications.Results(none, none, {}, [], dict)

    monkeypatch.setattr(applications, "evaluate", evaluate)
    options = argparse.Namespace(artifacts="a", data_dir=None, images=50, workers=1, cells=None)
    for name in ("membership", "anomaly", "generation"):
        generalization.results_of(name, options, "own", datasets.load, "*")
    assert [row[:3] for row in asked if row[0] != "anomaly"] == [
        *(("membership", split, images) for split, images in (("train", 50), ("heldout", 50), ("test", 2000))),
        ("generation", "test", 2000),
    ]
    assert [list(row[3]) for row in asked if row[0] == "anomaly"] == [["digits", "photo_patches"]] * 3
