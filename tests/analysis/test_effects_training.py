"""Learning curves, epochs to reach the reference's end, early stopping: against values worked out by hand."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis import effects_cost, effects_training
from analysis.effects import families_of
from analysis.effects_training import ALL_EPOCHS, EARLY, median_interval, reach, stopped, stopping
from tests.analysis.effects_records import curves, fail, parsed, table

BASE, CNN = "digits-keras_io-k2-bce-b32", "digits-cnn-k2-bce-b32"


@pytest.fixture(scope="module")
def space():
    return parsed()


@pytest.fixture(scope="module")
def trials(space):
    return table(space)


@pytest.fixture(scope="module")
def history(trials):
    return curves(trials)


def of(history, values):
    """The history of trials by hand: name → val_mse by epoch."""
    rows = [{"trial": t, "epoch": e, "val_mse": v} for t, curve in values.items() for e, v in enumerate(curve, 1)]
    return pd.DataFrame(rows).reindex(columns=history.columns)


def test_a_curve_is_the_geometric_mean_of_its_seeds(space, trials, history):
    found = effects_training.curves(history, trials, families_of(space))
    row = found.query("cell == @BASE and metric == 'val_mse' and epoch == 3").iloc[0]
    logs = np.log(history[history["trial"].str.startswith(f"{BASE}-s") & (history["epoch"] == 3)]["val_mse"])
    low, high = stats.t.interval(0.95, 9, logs.mean(), stats.sem(logs))
    assert [row["value"], row["low"], row["high"]] == pytest.approx(np.exp([logs.mean(), low, high]))
    assert row["n"] == 10 and row["method"] == "geometric mean over seeds, 95 % t interval of logarithms"
    fvu = found.query("cell == @BASE and metric == 'val_fvu' and epoch == 3").iloc[0]
    assert fvu["value"] == pytest.approx(row["value"] / 0.08)
    loss = found.query("cell == @BASE and metric == 'loss' and epoch == 6").iloc[0]
    assert loss["value"] == pytest.approx(3 * trials.query("trial.str.startswith(@BASE)")["val_mse"].mean())


def test_a_seed_that_diverges_counts_up_to_then(space, trials, history):
    late = (history["trial"] == f"{BASE}-s03") & (history["epoch"] >= 4)
    broken = history.assign(val_mse=history["val_mse"].mask(late, np.inf))
    rows = effects_training.curves(broken, trials, families_of(space)).query("cell == @BASE and metric == 'val_mse'")
    assert list(rows["n"]) == [10, 10, 10, 9, 9, 9]


def test_the_end_of_a_curve_and_how_much_it_still_moved(space, trials, history):
    found = effects_training.ends(effects_training.curves(history, trials, families_of(space)))
    row = found.query("cell == @BASE and metric == 'val_mse'").iloc[0]
    assert row["epoch"] == 6
    assert row["change"] == pytest.approx(1 / (1 + 9 * 0.5**4 - 9 * 0.5**5))  # three quarters of 6 epochs: epoch 5


def test_epochs_until_the_references_end_with_those_that_never_get_there(space, trials, history):
    """The cell is at the reference's error in epoch 2 in six seeds, in epoch 5 in two; two never get there."""
    first = trials[trials["trial"].str.match(f"{BASE}-|{CNN}-")]
    target = first.set_index("trial")["val_mse"]
    values = {name: [9, 9, 9, 9, 9, value] for name, value in target.items()}
    for seed in range(10):
        goal = target[f"{BASE}-s{seed:02d}"]
        curve = [9, goal, goal, goal, goal, goal] if seed < 6 else [9, 9, 9, 9, goal, 9] if seed < 8 else [9] * 6
        values[f"{CNN}-s{seed:02d}"] = curve
    row = reach(of(history, values), first, families_of(space)).set_index("cell").loc[CNN]
    assert (row["n"], row["reached"], row["share"]) == (10, 8, 0.8)
    assert (row["epochs"], row["low"], row["high"]) == (2, 2, np.inf)
    interval = stats.binomtest(8, 10).proportion_ci(method="exact")
    assert [row["share_low"], row["share_high"]] == pytest.approx([interval.low, interval.high])
    assert row["reference_epochs"] == 6 and row["last"] == 6


def test_a_failed_trial_never_gets_there(space, trials, history):
    failed = fail(trials, "digits-keras_io-k8-bce-b32", range(6))
    row = reach(history, failed, families_of(space)).set_index("cell").loc["digits-keras_io-k8-bce-b32"]
    assert (row["n"], row["reached"], row["epochs"]) == (10, 10, 4.0)  # their curves end low, whatever their status
    kept = history[~history["trial"].isin(failed.loc[failed["status"] != "completed", "trial"])]
    row = reach(kept, failed, families_of(space)).set_index("cell").loc["digits-keras_io-k8-bce-b32"]
    assert (row["n"], row["reached"], row["epochs"]) == (10, 4, np.inf)


def test_other_images_share_no_target(space, trials, history):
    assert "dataset" not in set(reach(history, trials, families_of(space))["family"])


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([3.0], (3, np.nan, np.nan)),
        ([1, 2, 3, 4, 5], (3, np.nan, np.nan)),  # 2 · 2^-5 = 0.06: no interval of 95 %
        ([1, 2, 3, 4, 5, 6], (3.5, 1, 6)),
        ([1, 2, 3, 4, 5, 6, 7, 8, 9, np.inf], (5.5, 2, 9)),
        ([1, np.inf, np.inf, np.inf, np.inf, np.inf], (np.inf, 1, np.inf)),
        ([], (np.nan, np.nan, np.nan)),
    ],
)
def test_median_with_its_exact_interval(values, expected):
    np.testing.assert_equal(median_interval(np.array(values, float)), expected)


def test_the_interval_of_the_median_covers():
    rng = np.random.default_rng(0)
    found = [median_interval(rng.exponential(size=10)) for _ in range(3000)]
    assert 0.965 <= np.mean([low <= np.log(2) <= high for _, low, high in found]) <= 0.99  # exactly 0.979 at n = 10


def test_early_stopping_stops_after_three_epochs_without_a_new_best(history):
    values = {
        "always falls": [6, 5, 4, 3, 2, 1],
        "stops at 5": [5, 2, 3, 3, 3, 1],
        "a new best in time": [5, 2, 3, 3, 1, 1],
        "equal is no new best": [5, 2, 2, 2, 2, 1],
        "ended by divergence": [5, 2],
    }
    found = stopped(of(history, values), 3)
    assert found["epochs"].to_dict() == {
        "always falls": 6,
        "stops at 5": 5,
        "a new best in time": 6,
        "equal is no new best": 5,
        "ended by divergence": 2,
    }
    assert found["val_mse"].to_dict() == {
        "always falls": 1,
        "stops at 5": 2,
        "a new best in time": 1,
        "equal is no new best": 2,
        "ended by divergence": 2,
    }


def test_agrees_with_keras_early_stopping(history):
    """The rule as Keras' callback would have applied it: stop when `wait` reaches the patience."""
    rng = np.random.default_rng(1)
    values = {str(number): list(rng.normal(size=20).cumsum() + 50) for number in range(200)}
    found = stopped(of(history, values), 3)
    for name, curve in values.items():
        best, wait, epochs = np.inf, 0, 0
        for value in curve:
            epochs += 1
            wait = 0 if value < best else wait + 1
            best = min(best, value)
            if wait >= 3:
                break
        assert (found.loc[name, "epochs"], found.loc[name, "val_mse"]) == (epochs, best)


def test_verdicts_with_all_epochs_and_stopped_early(space, trials, history):
    cell = "digits-keras_io-k8-bce-b32"
    stuck = history["trial"].str.startswith(cell) & (history["epoch"] < 6)
    slow = history.assign(val_mse=history["val_mse"].mask(stuck, 0.5))  # half an hour of nothing, then the jump
    found = stopping(slow, trials, families_of(space)).query("cell == @cell").set_index("rule")
    assert list(found["verdict"]) == ["lower", "higher"]
    assert found.loc[EARLY, "ratio"] == pytest.approx(0.5 / 0.04, rel=0.05)
    assert found.loc[[ALL_EPOCHS, EARLY], "epochs"].tolist() == [6, 4]
    assert found.loc[[ALL_EPOCHS, EARLY], ["fell_again", "reference_fell_again"]].to_numpy().tolist() == [
        [0, 0],
        [10, 0],
    ]
    assert set(found["metric"]) == {"val_mse"}
    other = stopping(slow, trials, families_of(space)).query("family == 'dataset'")
    assert set(other["metric"]) == {"val_fvu"} and (other["n"] == 10).all()


def test_epochs_become_seconds_where_the_speed_was_measured():
    keys = {"family": "architecture", "reference": BASE}
    reached = pd.DataFrame([
        {**keys, "cell": CNN, "epochs": 3.0, "reference_epochs": 2.0},
        {**keys, "cell": "never", "epochs": np.inf, "reference_epochs": 2.0},
        {**keys, "cell": "unmeasured", "epochs": 3.0, "reference_epochs": 2.0},
    ])  # fmt: skip
    cost = pd.DataFrame([{**keys, "cell": c, "seconds": 4.0, "reference_seconds": 5.0} for c in (CNN, "never")])
    found = effects_cost.at_speed(reached, cost).set_index("cell")
    assert found.loc[CNN, ["seconds", "reference_seconds"]].tolist() == [12.0, 10.0]
    assert np.isnan(found.loc["never", "seconds"]) and found.loc["never", "reference_seconds"] == 10.0
    assert found.loc["unmeasured", ["seconds", "reference_seconds"]].isna().all()
    assert effects_cost.at_speed(reached, cost.iloc[:0])["seconds"].isna().all()
