"""Explanations and what could refute them; costs and failures: against values worked out by hand."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.neighbors import KNeighborsClassifier

from analysis import effects_cost, effects_explanations, effects_failures, effects_mechanism
from analysis.code_diff import registries
from analysis.effects import families_of
from analysis.effects_codes import effective_rank, neighbour_accuracy
from analysis.effects_pca import with_pca
from study import datasets
from tests.analysis.effects_records import curves, fail, parsed, table

BASE, CNN = "digits-keras_io-k2-bce-b32", "digits-cnn-k2-bce-b32"


@pytest.fixture(scope="module")
def space():
    return parsed()


@pytest.fixture(scope="module")
def trials(space):
    return table(space)


def mechanisms(space, trials, codes=None):
    codes = effects_mechanism.no_codes() if codes is None else codes
    known = effects_mechanism.measured(trials, curves(trials), codes)
    return effects_mechanism.mechanisms(known, families_of(space), registries(space))


def contrast(space, cell):
    return next(c for family in families_of(space) for c in family.contrasts if c.cell == cell)


def test_predictions_follow_from_what_is_changed_alone(space):
    functions = registries(space)
    ask = lambda cell, parameters=None: effects_mechanism.predictions(contrast(space, cell), functions, parameters)  # noqa: E731
    fewer = ask("digits-keras_io-k1-bce-b32")
    assert fewer == {"active_units": "lower", "effective_rank": "lower", "fit": "higher", "neighbour_accuracy": "lower"}
    assert ask("digits-keras_io-k8-bce-b32")["fit"] == "lower"
    assert ask("digits-keras_io-k2-mse-b32") == {"train_excess_bce": "higher", "train_mse": "lower"}
    assert ask("digits-unet-k2-bce-b32") == {"latent_use": "lower"}
    assert ask(CNN) == {} and ask(CNN, (100, 100)) == {}
    assert ask(CNN, (100, 101)) == {"fit": "lower"} and ask(CNN, (101, 100)) == {"fit": "higher"}
    assert ask("digits-keras_io-k2-bce-variational-b32")["active_units"] == "lower"


def test_another_regularizer_takes_back_what_the_old_one_did():
    """Of two that fit worse nobody knows which does more; what one of them alone moves is predicted."""
    ask = effects_mechanism._of_regularizer
    assert ask("none", "sparse") == {"active_units": "lower", "fit": "higher"}
    assert ask("sparse", "none") == {"active_units": "higher", "fit": "lower"}
    assert ask("sparse", "variational") == {}
    assert ask("sparse", "denoising") == {"active_units": "higher", "gap": "lower"}
    said = effects_explanations._of_regularizer("sparse", "none")
    assert said.startswith("What sparse does is taken back") and "reverse" in said
    assert "opposed" in effects_explanations._of_regularizer("sparse", "denoising")
    assert effects_explanations._of_regularizer("none", "sparse").startswith("The penalty buys silence")


def test_pca_is_predicted_only_where_the_networks_own_direction_is_resolved(space, trials):
    other = trials["dataset"] == "photo_patches"
    noise = pd.Series(np.random.default_rng(0).normal(size=len(trials)), index=trials.index)
    for fvu, predicted in ((trials["test_fvu"] * (1 + other), "higher"), (0.5 * np.exp(0.1 * noise), "")):
        known = trials.assign(test_fvu=fvu, test_pca_fvu=0.1 + 0.2 * other)
        row = mechanisms(space, known).query("family == 'dataset' and measurement == 'pca'").iloc[0]
        assert (row["predicted"], row["found"]) == (predicted, "higher")
        assert row["agreement"] == ("agrees" if predicted else "")


def test_test_error_is_fit_times_gap(space, trials):
    found = mechanisms(space, trials).query("cell == @CNN").set_index("measurement")
    means = trials.assign(cell=trials["trial"].str[:-4]).groupby("cell")[["test_mse"]].agg(lambda x: np.log(x).mean())
    assert found.loc["fit", "value"] * found.loc["gap", "value"] == pytest.approx(
        float(np.exp(means.loc[CNN] - means.loc[BASE]).iloc[0])
    )
    assert found.loc["gap", "found"] == "undecided" and found.loc["fit", "found"] == "lower"


def test_a_measurement_can_contradict(space, trials):
    """Units that vary although the code has one only: an explanation by directions fails."""
    small = trials["latent_dim"] == 1
    found = mechanisms(space, trials).query("cell == 'digits-keras_io-k1-bce-b32'").set_index("measurement")
    assert found.loc["active_units", ["value", "low", "high", "scale", "found", "agreement"]].tolist() == [
        *(-1, -1, -1, "difference", "lower", "agrees"),
    ]
    more = trials.assign(active_units=trials["active_units"].mask(small, 5))
    found = mechanisms(space, more).query("cell == 'digits-keras_io-k1-bce-b32'").set_index("measurement")
    assert found.loc["active_units", "agreement"] == "contradicts"
    noisy = trials.assign(active_units=trials["active_units"] + trials["seed"] % 2 * small * 2)
    found = mechanisms(space, noisy).query("cell == 'digits-keras_io-k1-bce-b32'").set_index("measurement")
    assert found.loc["active_units", "agreement"] == "undecided"


def test_a_single_seed_decides_nothing(space, trials):
    found = mechanisms(space, trials[trials["seed"] == 0])
    assert set(found["n"]) == {1} and set(found["found"]) == {"undecided"}


def test_what_codes_hold_is_compared_where_it_is_known(space, trials):
    codes = pd.DataFrame({"trial": trials["trial"], "effective_rank": trials["latent_dim"] * 0.9,
                          "neighbour_accuracy": None, "latent_use": 2.0, "images": 32})  # fmt: skip
    found = mechanisms(space, trials, codes).query("cell == 'digits-keras_io-k8-bce-b32'").set_index("measurement")
    assert found.loc["effective_rank", ["value", "agreement"]].tolist() == [pytest.approx(4.0), "agrees"]
    assert found.loc["effective_rank", "images"] == 32 and np.isnan(found.loc["fit", "images"])
    assert found.loc["latent_use", "found"] == "undecided" and "neighbour_accuracy" not in found.index


def test_effective_rank():
    rng = np.random.default_rng(0)
    assert effective_rank(rng.normal(size=(20_000, 5))) == pytest.approx(5, rel=1e-3)
    line = rng.normal(size=(100, 1)) @ np.ones((1, 5))
    assert effective_rank(line) == pytest.approx(1) and effective_rank(np.ones((4, 3))) == 0
    two = np.array([[1, 0], [-1, 0], [0, 0.5], [0, -0.5]])  # variances 4 : 1
    assert effective_rank(two) == pytest.approx(np.exp(-(0.8 * np.log(0.8) + 0.2 * np.log(0.2))))
    assert effective_rank(7 * two + 3) == pytest.approx(effective_rank(two))


def test_neighbour_accuracy_agrees_with_scikit_learn():
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 2, 120)
    codes = rng.normal(size=(120, 2)) + labels[:, None]
    right = 0
    for i in range(120):
        rest = np.delete(np.arange(120), i)
        right += KNeighborsClassifier(5).fit(codes[rest], labels[rest]).predict(codes[[i]])[0] == labels[i]
    assert neighbour_accuracy(codes, labels) == pytest.approx(right / 120)
    assert neighbour_accuracy(np.repeat([[0.0], [9.0]], 10, axis=0), np.repeat([0, 1], 10)) == 1


def test_pcas_errors_stand_beside_the_cells_that_see_other_images(space, trials):
    some = trials[(trials["seed"] < 2)]
    cells = [BASE, "photo_patches-keras_io-k2-bce-b32"]
    found = with_pca(some, cells, lambda name: datasets.load(name)).set_index("trial")
    assert found["test_over_pca"].notna().sum() == 4
    from sklearn.decomposition import PCA

    data = datasets.load("digits")
    splits = datasets.split(data, 1)
    train, test = (datasets.to_unit(x, data.value_range).reshape(len(x), -1) for x in (splits.train, splits.test))
    model = PCA(2, svd_solver="full").fit(train.astype(float))
    error = np.square(model.inverse_transform(model.transform(test)).clip(0, 1) - test).mean()
    row = found.loc[f"{BASE}-s01"]
    assert row["test_over_pca"] == pytest.approx(row["test_mse"] / error, rel=1e-5)
    assert row["test_pca_fvu"] == pytest.approx(error / np.square(train.mean(axis=0) - test).mean(), rel=1e-5)


# --- cost ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def measured(tmp_path):
    """A study's folder with three rounds of two cells; the second takes 2, 2.1 and 1.9 times as long."""
    (tmp_path / "cost").mkdir()
    for cell, seconds in {BASE: [1.0, 2.0, 3.0], CNN: [2.0, 4.2, 5.7]}.items():
        for number, value in enumerate(seconds):
            content = {
                **{"images": 100, "n_parameters": 10, "first_epoch_seconds": 4 * value, "peak_memory_mb": 300.0},
                **{"epoch_seconds": [value, value], "cpu_share": 0.99, "environment": "one"},
            }
            (tmp_path / "cost" / f"{cell}-round{number}.json").write_text(json.dumps(content))
    pd.DataFrame({"cell": [BASE, CNN]}).to_csv(tmp_path / "cost.csv", index=False)
    return tmp_path


def test_seconds_are_compared_round_by_round(space, measured):
    rounds = effects_cost.rounds(measured)
    row = effects_cost.ratios(rounds, families_of(space)).iloc[0]
    logs = np.log([2.0, 2.1, 1.9])
    low, high = stats.t.interval(0.95, 2, logs.mean(), stats.sem(logs))
    assert [row["ratio"], row["low"], row["high"]] == pytest.approx(np.exp([logs.mean(), low, high]))
    assert (row["cell"], row["reference"], row["n"]) == (CNN, BASE, 3)
    assert row["image_ratio"] == pytest.approx(row["ratio"]) and row["seconds"] == 4.2
    left = effects_cost.unmeasured(rounds, families_of(space))
    assert BASE not in left and "digits-unet-k2-bce-b32" in left


def test_rounds_of_another_machine_are_not_compared(space, measured):
    rounds = effects_cost.rounds(measured)
    other = rounds.assign(environment=rounds["environment"].mask(rounds["cell"] == CNN, "two"))
    assert effects_cost.ratios(other, families_of(space)).empty


def test_without_a_measurement_there_is_no_time(space, tmp_path):
    assert effects_cost.rounds(tmp_path) is None
    pd.DataFrame({"cell": [BASE]}).to_csv(tmp_path / "cost.csv")
    assert effects_cost.rounds(tmp_path) is None
    assert effects_cost.ratios(None, families_of(space)).empty
    assert CNN in effects_cost.unmeasured(None, families_of(space))


# --- failures -----------------------------------------------------------------------------------------------------


def test_failures_with_exact_intervals_and_what_is_missing(space, trials):
    some = fail(trials, CNN, [1, 2])
    some = some[~some["trial"].str.startswith("digits-unet") | (some["seed"] < 4)]
    found = effects_failures.failures(some, families_of(space), 10)
    row = found.query("cell == @CNN and what == 'failed'").iloc[0]
    interval = stats.binomtest(2, 10).proportion_ci(method="exact")
    assert (row["count"], row["n"]) == (2, 10)
    assert [row["low"], row["high"]] == pytest.approx([interval.low, interval.high])
    assert effects_failures.missing(found) == 6
    collapsed = found.query("cell == @CNN and what == 'collapsed'").iloc[0]
    assert (collapsed["count"], collapsed["n"]) == (0, 8)


@pytest.mark.parametrize(
    ("agreement", "said"), [("agrees", "holds"), ("contradicts", "fails"), ("undecided", "is not")]
)
def test_a_single_prediction_is_not_counted(agreement, said):
    assert effects_explanations.conclusion([{"agreement": agreement}], True).startswith(f"The one prediction {said}")
    assert " of 2" in effects_explanations.conclusion([{"agreement": agreement}] * 2, True)
