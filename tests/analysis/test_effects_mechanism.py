"""Explanations and what could refute them; costs and failures: against values worked out by hand."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.neighbors import KNeighborsClassifier

from analysis import effects_codes, effects_cost, effects_explanations, effects_failures, effects_mechanism
from analysis.code_diff import registries
from analysis.effects import contrasts, families_of
from analysis.effects_codes import EXAMPLES, TEST_IMAGES, effective_rank, neighbour_accuracy
from analysis.effects_pca import with_pca
from study import datasets
from tests.analysis.effects_records import curves, fail, parsed, table

BASE, CNN, UNET = (f"digits-{name}-k2-bce-b32" for name in ("keras_io", "cnn", "unet"))


@pytest.fixture(scope="module")
def space():
    return parsed()


@pytest.fixture(scope="module")
def trials(space):
    return table(space)


def mechanisms(space, trials, codes=None):
    codes = effects_mechanism.no_codes() if codes is None else codes
    known = effects_mechanism.measured(trials, curves(trials), codes)
    families = families_of(space)
    effects = contrasts(trials, families)
    return effects_mechanism.mechanisms(known, families, registries(space), effects)


def of_codes(trials, source, images, ranks=1.0):
    """What the codes of some trials hold: a number a trial, or one for all."""
    return pd.DataFrame({"trial": trials["trial"], "source": source, "effective_rank": ranks, "images": images,
                         "neighbour_accuracy": None, "latent_use": 2.0 if source == TEST_IMAGES else None})  # fmt: skip


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
    codes = of_codes(trials, TEST_IMAGES, 360, trials["latent_dim"] * 0.9)
    found = mechanisms(space, trials, codes).query("cell == 'digits-keras_io-k8-bce-b32'").set_index("measurement")
    assert found.loc["effective_rank", ["value", "agreement"]].tolist() == [pytest.approx(4.0), "agrees"]
    assert found.loc["effective_rank", "images"] == 360 and np.isnan(found.loc["fit", "images"])
    assert found.loc["latent_use", "found"] == "undecided" and "neighbour_accuracy" not in found.index


def test_two_cells_are_compared_on_the_same_images(space, trials):
    """The baseline and the U-Net have models, as trials of cnn have one alone: cnn is compared on examples."""
    some, one = trials["trial"].str.startswith((BASE, UNET)), trials["trial"] == f"{CNN}-s00"
    models = of_codes(trials[some | one], TEST_IMAGES, 360, 1.9)
    examples = of_codes(trials, EXAMPLES, 32, trials["architecture"].map({"cnn": 1.5}).fillna(1.2))
    found = mechanisms(space, trials, pd.concat([models, examples])).set_index(["cell", "measurement"])
    shown = ["source", "images", "reference_images", "n", "cell_value", "reference_value", "value"]
    close = pytest.approx
    assert found.loc[(CNN, "effective_rank"), shown].tolist() == [
        EXAMPLES,
        32,
        32,
        10,
        close(1.5),
        close(1.2),
        close(1.25),
    ]
    assert found.loc[(UNET, "effective_rank"), shown].tolist() == [TEST_IMAGES, 360, 360, 10, close(1.9), close(1.9), 1]
    assert (CNN, "latent_use") not in found.index and (UNET, "latent_use") in found.index
    direction = "half of them chosen as hard, which carry no more than a direction"
    said = effects_explanations.measured(found.loc[(CNN, "effective_rank")].to_dict())
    assert f"n = 10 seeds of 32 stored example images each, {direction}, 95 %" in said
    said = effects_explanations.measured(found.loc[(UNET, "effective_rank")].to_dict())
    assert "n = 10 seeds of 360 test images each, 95 %" in said and direction not in said


def test_other_images_are_counted_for_each_side(space, trials):
    other = trials["dataset"] == "photo_patches"
    found = mechanisms(space, trials, of_codes(trials, TEST_IMAGES, np.where(other, 130, 360)))
    row = found.query("family == 'dataset' and measurement == 'effective_rank'").iloc[0].to_dict()
    assert "of 130 test images each, the reference's of 360" in effects_explanations.measured(row)


def test_the_means_beside_a_ratio_give_it(space, trials):
    """Two seeds, gradients of 1 and 4 against 1 and 1: means 2 and 1, where arithmetic ones would be 2.5 and 1."""
    two = trials[trials["seed"] < 2]
    history = curves(two).assign(gradient_scale=1.0)
    history.loc[history["trial"] == f"{CNN}-s01", "gradient_scale"] = 4.0
    known = effects_mechanism.measured(two, history, effects_mechanism.no_codes())
    families = families_of(space)
    found = effects_mechanism.mechanisms(known, families, registries(space), contrasts(two, families))
    row = found.query("cell == @CNN and measurement == 'gradient_scale'").iloc[0]
    assert row[["value", "cell_value", "reference_value"]].tolist() == pytest.approx([2, 2, 1])
    assert "(geometric means 2 and 1, n = 2 seeds" in effects_explanations.measured(row.to_dict())
    units = found.query("cell == @CNN and measurement == 'active_units'").iloc[0]
    assert "(means 2 and 2, n = 2 seeds" in effects_explanations.measured(units.to_dict())


def test_the_share_of_neighbours_says_which():
    words = effects_mechanism.MEASUREMENTS["neighbour_accuracy"].words
    assert f"their {effects_codes.NEIGHBOURS} nearest codes of the same images" in words


@pytest.mark.parametrize(
    ("expected", "metric", "way"),
    [
        ({"fit": "higher", "active_units": "lower"}, "test_mse", "higher"),
        ({"fit": "higher", "gap": "lower"}, "test_mse", ""),
        ({"train_mse": "lower", "train_excess_bce": "higher"}, "test_mse", "lower"),
        ({"train_mse": "lower", "train_excess_bce": "higher"}, "test_mae", ""),
        ({"latent_use": "lower"}, "test_mse", "lower"),
        ({"gradient_scale": "higher"}, "test_mse", "lower"),
        ({"active_units": "lower"}, "test_mse", ""),
    ],
)
def test_what_a_reason_predicts_of_the_error(expected, metric, way):
    assert effects_mechanism.expected_effect(expected, metric) == way


def with_parameters(trials, cell, count):
    return trials.assign(n_parameters=trials["n_parameters"].mask(trials["trial"].str.startswith(cell), count))


def discussed(space, trials, cell=CNN):
    """Explanation and conclusion of a contrast, with the verdict that its error gets."""
    rows = mechanisms(space, trials).query("cell == @cell").set_index("measurement", drop=False).to_dict("index")
    predicted = [row for row in rows.values() if row["predicted"]]
    resolved = next(iter(rows.values()))["effect"] != "undecided"
    said = effects_explanations.explanation(contrast(space, cell), space, rows)
    return said, effects_explanations.conclusion(predicted, resolved)


def test_a_reason_is_offered_only_for_an_effect_that_it_predicts(space, trials):
    """The cnn has less error: more parameters may explain it, fewer predict the opposite; no effect needs a reason."""
    said, concluded = discussed(space, with_parameters(trials, CNN, 4000))
    assert said.startswith("It has 2 times the parameters, so more to fit with. If that is the reason")
    assert concluded == "The one prediction holds. It could have failed, and did not."
    said, concluded = discussed(space, with_parameters(trials, CNN, 1000))
    assert said.startswith("There is less error than the reference's, where the reason at hand predicts more error")
    assert "not offered as an explanation: It has 0.5 times the parameters" in said
    assert concluded == (
        "The one prediction fails. The reason predicts more error, and less error was found: it explains nothing here."
    )
    same = with_parameters(table(space, range(2), ratio=lambda cell: 1.0), CNN, 1000)
    said, concluded = discussed(space, same)
    assert said.startswith("There is no resolved effect to explain. What was to be expected: It has 0.5 times")
    assert concluded.endswith("There is no resolved effect that this could explain.")


def test_other_images_explain_no_effect_that_is_not_resolved(space, trials):
    said, concluded = discussed(space, trials[trials["seed"] < 2], "photo_patches-keras_io-k2-bce-b32")
    assert said.startswith("There is no resolved effect to explain.")
    assert concluded == "Nothing was predicted, so that these measurements test no explanation."


def test_a_reason_that_names_gradients_is_held_against_those_at_the_first_kernel():
    skips = parsed("""
BASELINE = dict(dataset="digits", architecture="plain_deep", latent_dim=2, loss="mse", batch_size=32)
BLOCKS = {"skips": dict(architecture=["residual"])}
TRAINING = dict(epochs=6, seeds=10)
FAMILIES = {"skips": dict(metric="test_mse", contrasts=[(dict(architecture="residual"), {})])}
""")
    trials = table(skips, ratio=lambda cell: 0.5 if cell["architecture"] == "residual" else 1.0)
    cell = "digits-residual-k2-mse-b32"
    rows = mechanisms(skips, trials).set_index("measurement", drop=False)
    row = rows.loc["gradient_scale", ["predicted", "found", "agreement", "effect", "expected_effect"]]
    assert row.tolist() == ["higher", "undecided", "undecided", "lower", "lower"]
    said, concluded = discussed(skips, trials, cell)
    assert "those at the first kernel are larger than the reference's" in said
    assert concluded == "The one prediction is not resolved. The explanation stays open."
    said, _ = discussed(skips, with_parameters(trials, cell, 3000), cell)
    assert said.startswith("It has 1.5 times the parameters")


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
    row = {"agreement": agreement, "effect": "lower", "expected_effect": "lower"}
    assert effects_explanations.conclusion([row], True).startswith(f"The one prediction {said}")
    assert " of 2" in effects_explanations.conclusion([row] * 2, True)
