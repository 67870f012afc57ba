"""Explanations and what could refute them; costs and failures: against values worked out by hand."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.neighbors import KNeighborsClassifier

from analysis import (
    effects_codes,
    effects_cost,
    effects_explanations,
    effects_failures,
    effects_mechanism,
    effects_predictions,
)
from analysis.code_diff import registries
from analysis.effects import contrasts, families_of
from analysis.effects_codes import EXAMPLES, TEST_IMAGES, effective_rank, neighbour_accuracy
from analysis.effects_pca import across_images, with_pca
from study import datasets
from tests.analysis.effects_records import curves, fail, parsed, table
from tests.conftest import pack

BASE, CNN, UNET = (f"digits-{name}-k2-bce-b32" for name in ("keras_io", "cnn", "unet"))
LINEAR, PHOTOS = "digits-linear-k2-mse-b32", "photo_patches-keras_io-k2-bce-b32"
DEEP = """
BASELINE = dict(dataset="digits", architecture="plain_deep", latent_dim=2, loss="mse", batch_size=32, depth=1)
BLOCKS = {"skips": dict(architecture=["plain_deep", "residual"], depth=[1, 4])}
TRAINING = dict(epochs=6, seeds=10)
FAMILIES = {
    "skips": dict(metric="test_mse", contrasts=[(dict(architecture="residual", depth=4), dict(depth=4))]),
    "depth": dict(metric="test_mse", contrasts=[
        (dict(architecture=name, depth=4), dict(architecture=name, depth=1)) for name in ("plain_deep", "residual")
    ]),
}
"""


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
                         "neighbour_accuracy": None, "latent_use": 2.0 if source == TEST_IMAGES else None,
                         "output": None if source == TEST_IMAGES else ""})  # fmt: skip


def contrast(space, cell):
    return next(c for family in families_of(space) for c in family.contrasts if c.cell == cell)


def test_predictions_follow_from_what_is_changed_alone(space):
    functions = registries(space)
    ask = lambda cell, *known: effects_predictions.predictions(contrast(space, cell), functions, *known)  # noqa: E731
    fewer = ask("digits-keras_io-k1-bce-b32")
    assert fewer == {"active_units": "lower", "effective_rank": "lower", "fit": "higher", "neighbour_accuracy": "lower"}
    assert ask("digits-keras_io-k8-bce-b32")["fit"] == "lower"
    assert ask("digits-keras_io-k2-mse-b32") == {"train_excess_bce": "higher", "train_mse": "lower"}
    assert ask("digits-unet-k2-bce-b32") == {"latent_use": "lower"}
    assert ask(CNN) == {} and ask(CNN, (100, 100)) == {}
    assert ask(CNN, (100, 101)) == {"fit": "lower"} and ask(CNN, (101, 100)) == {"fit": "higher"}
    assert ask("digits-keras_io-k2-bce-variational-b32")["active_units"] == "lower"
    assert ask(LINEAR, (100, 10)) == {"over_pca": "higher", "reference_over_pca": "lower"}


def test_another_regularizer_takes_back_what_the_old_one_did():
    """Of two that fit worse nobody knows which does more; what one of them alone moves is predicted."""
    ask = effects_predictions._of_regularizer
    assert ask("none", "sparse") == {"active_units": "lower", "fit": "higher"}
    assert ask("sparse", "none") == {"active_units": "higher", "fit": "lower"}
    assert ask("sparse", "variational") == {}
    assert ask("sparse", "denoising") == {"active_units": "higher"}
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


@pytest.mark.parametrize(("n", "in_words"), [(1, "1 seed"), (2, "2 seeds"), (3, "3 seeds")])
def test_fewer_than_three_seeds_have_neither_interval_nor_verdict(space, trials, n, in_words):
    """And what a few stored examples say without one is left out, unless it is what is predicted."""
    some = trials[trials["seed"] < n]
    found = mechanisms(space, some, of_codes(some, EXAMPLES, 32, some["latent_dim"] + 0.01 * some["seed"]))
    assert set(found["n"]) == {n} and found["low"].isna().all() == (n < 3)
    assert set(found["found"]) == ({"undecided"} if n < 3 else {"undecided", "lower", "higher"})
    ranks = found[found["measurement"] == "effective_rank"].set_index("cell")
    assert (CNN in ranks.index) == (n > 2) and ranks.loc["digits-keras_io-k8-bce-b32", "predicted"] == "higher"
    said = effects_explanations.measured(found.query("cell == @CNN and measurement == 'fit'").iloc[0].to_dict())
    few = f"n = {in_words}, too few for an interval)."
    assert said.endswith(few) if n < 3 else f"n = {in_words}, 95 % t interval, single): lower" in said


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


def test_data_sets_differ_either_way(space):
    """Their sentence fits an error that falls as one that rises."""
    said = effects_explanations.explanation(contrast(space, PHOTOS), space, {})
    assert said.startswith("How much of the images' variance a code of one size can hold differs between data sets")


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
        ({"gradient_scale": "higher"}, "test_mse", "higher"),
        ({"over_pca": "higher", "reference_over_pca": "lower"}, "test_mse", "higher"),
        ({"active_units": "lower"}, "test_mse", ""),
    ],
)
def test_what_a_reason_predicts_of_the_error(expected, metric, way):
    assert effects_predictions.expected_effect(expected, metric) == way


def with_parameters(trials, cell, count):
    return trials.assign(n_parameters=trials["n_parameters"].mask(trials["trial"].str.startswith(cell), count))


def discussed(space, trials, cell=CNN):
    """Explanation and conclusion of a contrast, with the verdict that its error gets."""
    return said_of(space, mechanisms(space, trials), cell)


def said_of(space, found, cell):
    rows = found[found["cell"] == cell].set_index("measurement", drop=False).to_dict("index")
    predicted = [row for row in rows.values() if row["predicted"]]
    resolved = next(iter(rows.values()))["effect"] != "undecided"
    said = effects_explanations.explanation(contrast(space, cell), space, rows)
    return said, effects_explanations.conclusion(predicted, resolved)


def test_a_reason_is_offered_only_for_an_effect_that_it_predicts(space, trials):
    """The cnn has less error: more parameters may explain it, fewer predict the opposite; no effect needs a reason."""
    said, concluded = discussed(space, with_parameters(trials, CNN, 4000))
    assert said.startswith("It has 2 times the parameters, so more to fit with. If that is the reason")
    assert concluded == (
        "The one prediction holds. That of the training error is no test: it follows from the effect itself, since "
        "test ÷ training error did not fall by more than 5 %."
    )
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
    assert concluded == "No measurement was predicted here, so that no explanation is tested."


@pytest.mark.parametrize(
    ("low", "high", "effect", "bound"),
    [(0.99, 1.04, "lower", True), (0.99, 1.04, "higher", True), (1.02, 1.06, "higher", False),
     (1.02, 1.06, "lower", True), (0.90, 0.94, "higher", True), (0.90, 0.94, "lower", False),
     (0.99, 1.04, "undecided", False), (np.nan, np.nan, "lower", False)],
)  # fmt: skip
def test_training_error_follows_test_error_unless_their_ratio_makes_up_for_it(space, low, high, effect, bound):
    found = {"gap": {"low": low, "high": high}}
    known = effects_predictions.bound_to_hold(found, contrast(space, CNN), "test_mse", effect)
    assert ("fit" in known) == ("train_mse" in known) == bound
    assert "fit" not in effects_predictions.bound_to_hold(found, contrast(space, CNN), "test_mae", effect)


def test_a_smaller_code_cannot_hold_more_than_its_units(space):
    """Of 2 → 1 nothing else was possible; 8 units could be as idle as 2, and a reference may use fewer than it has."""
    ask = lambda cell, found: effects_predictions.bound_to_hold(found, contrast(space, cell), "test_mse", "higher")  # noqa: E731
    used = {"active_units": {"reference_value": 2.0}, "effective_rank": {"reference_value": 1.8}}
    smaller = ask("digits-keras_io-k1-bce-b32", used)
    assert smaller["active_units"] == smaller["effective_rank"] == "size"
    assert not used.keys() & ask("digits-keras_io-k8-bce-b32", used).keys()
    assert "effective_rank" not in ask("digits-keras_io-k1-bce-b32", {"effective_rank": {"reference_value": 0.9}})


def test_agreement_that_could_not_fail_is_no_test(space, trials):
    holds = {"agreement": "agrees", "effect": "lower", "expected_effect": "lower", "restates": ""}
    concluded = effects_explanations.conclusion
    assert concluded([holds], True) == "The one prediction holds. It could have failed, and did not."
    follows = "That of the training error is no test: it follows from the effect itself, since test ÷ training "
    follows += "error did not"
    assert concluded([holds | {"restates": "effect"}, holds], True) == (
        f"Predictions that hold: 2 of 2. {follows} fall by more than 5 %. The other could have failed, and did not."
    )
    assert discussed(space, trials, "digits-keras_io-k1-bce-b32")[1] == (
        f"Predictions that hold: 2 of 2. {follows} rise by more than 5 %. That of the units that vary is no test: a "
        "code of so few units cannot reach the reference's."
    )


def test_the_family_tells_how_far_the_number_of_parameters_goes():
    """Of two with fewer parameters one has less error; of a third it is not resolved, and it does not count."""
    of = parsed("""
BASELINE = dict(dataset="digits", architecture="keras_io", latent_dim=2, loss="mse", batch_size=32)
NAMES = ("cnn", "dense", "attention")
BLOCKS = {"architecture": dict(architecture=list(NAMES))}
TRAINING = dict(epochs=6, seeds=10)
FAMILIES = {"all": dict(metric="test_mse", contrasts=[(dict(architecture=name), {}) for name in NAMES])}
""")
    ratios = {"cnn": 0.8, "dense": 1.2, "attention": 0.97}  # the noise of these seeds is 3 % for the last
    trials = table(of, ratio=lambda cell: ratios.get(cell["architecture"], 1.0))
    *cells, open_ = (f"digits-{name}-k2-mse-b32" for name in ("cnn", "dense", "attention"))
    one = with_parameters(with_parameters(trials, cells[0], 1500), open_, 1200)
    found = mechanisms(of, with_parameters(one, cells[1], 1000))
    moves = "In this family the error moves as the number of parameters would have it in 1 of the 2 architectures for"
    assert all(f"{moves} which its direction is resolved." in said_of(of, found, cell)[0] for cell in cells)
    assert found.query("cell == @open_ and measurement == 'fit'")[["predicted", "effect"]].values.tolist() == [
        ["higher", "undecided"]
    ]
    assert "In this family" not in discussed(of, one, cells[0])[0], "of one architecture there is nothing to count"


def test_of_networks_that_did_not_train_no_explanation_is_tested(space, trials):
    """Half of a side that did is enough for the others to be measured."""
    more, fewer = "digits-keras_io-k8-bce-b32", "digits-keras_io-k1-bce-b32"
    cell, some = (trials["trial"].str.startswith(name) for name in (more, fewer))
    found = mechanisms(space, trials.assign(collapsed=cell | some & (trials["seed"] > 4)))
    (row,) = found[found["cell"] == more].to_dict("records")
    assert (row["measurement"], row["value"], row["found"]) == ("collapsed", 1, "undecided")
    assert np.isnan([row["low"], row["high"]]).all(), "all against none says no more than Clopper-Pearson does"
    assert "no interval" in row["method"] and "t interval" not in row["method"]
    assert said_of(space, found, more) == (
        "The cell did not train: none of its networks is better than the mean image.",
        "No measurement was predicted here, so that no explanation is tested.",
    )
    assert said_of(space, found, fewer)[0].startswith("A code with fewer units")
    other = {"collapsed": {"cell_value": 0.5, "reference_value": 1.0, "output": "", "reference_output": "", "n": 10}}
    said = effects_explanations.explanation(contrast(space, more), space, other)
    assert said == "The reference did not train: none of its networks is better than the mean image."


BLACKS = dict(test_mse=0.114, test_mae=0.1325, train_mae=0.13, collapsed=True)


@pytest.mark.parametrize(
    ("loss", "stored", "said"),
    [
        ("mae", "black", "All 10 networks of the cell give one and the same black image, whatever they are shown"),
        ("mae", "one", "All 10 networks of the cell give one and the same image, whatever they are shown"),
        ("mae", None, "All 10 networks of the cell give one and the same image, whatever they are shown"),
        ("mae", "", "The cell did not train: none of its networks is better than the mean image."),
        ("mse", "black", "is a yardstick of that alone, and they were trained on it."),
    ],
)
def test_networks_that_all_give_one_image_are_judged_by_their_own_loss(space, trials, loss, stored, said):
    """Equal errors of unequal seeds, and stored reconstructions that are all alike, or all black."""
    cell = f"digits-keras_io-k2-{loss}-b32"
    mine = trials["trial"].str.startswith(cell)
    black = trials.assign(**{name: trials[name].mask(mine, value) for name, value in BLACKS.items()})
    codes = of_codes(trials[mine & (trials["seed"] == 0)], EXAMPLES, 32).assign(output=stored)
    found = mechanisms(space, black, codes)
    rows = found[(found["cell"] == cell) & (found["family"] == "loss")].set_index("measurement", drop=False)
    explained = effects_explanations.explanation(contrast(space, cell), space, rows.to_dict("index"))
    assert said in explained and ("did not train" in explained) == (stored == "")
    if loss == "mae" and stored != "":
        assert (
            "they were not trained on it. If they do best at what they were trained on, their training MAE is lower"
            in explained
        )
        assert list(rows.index) == ["collapsed", "train_mae"]
        assert rows.loc["train_mae", ["predicted", "agreement"]].tolist() == ["lower", "contradicts"]
    unlike = black.assign(test_mse=black["test_mse"] * (1 + 0.001 * black["seed"]))
    assert not mechanisms(space, unlike, codes)["output"].fillna("").any()


def test_what_stored_reconstructions_have_in_common():
    images = np.zeros((3, 2, 2, 1), np.uint8)
    assert effects_codes._output(images) == "black" and effects_codes._output(images + 7) == "one"
    images[2, 0, 0, 0] = 1
    assert effects_codes._output(images) == ""


def test_units_beyond_the_narrowest_layer_are_credited_with_nothing(space, trials):
    """A layer of 16 units before a code of 32: that all 32 vary is predicted by nobody."""
    cell = "digits-keras_io-k32-bce-b32"
    codes = of_codes(trials, TEST_IMAGES, 360, np.minimum(trials["latent_dim"], 16) * 0.9)
    found = mechanisms(space, trials, codes)
    rows = found[found["cell"] == cell].set_index("measurement")
    assert rows.loc["active_units", "predicted"] == "" and rows.loc["effective_rank", "predicted"] == "higher"
    said, _ = said_of(space, found, cell)
    assert said.startswith("A code with more units has more directions. If that is the reason, the codes have a higher")
    assert said.endswith(
        "A layer of 16 units is narrower than the larger code, so that nothing beyond 16 units can be credited to the "
        "code, whether its units vary or not."
    )
    assert "more units vary, " in said_of(space, found, "digits-keras_io-k8-bce-b32")[0]
    assert effects_predictions.predictions(contrast(space, cell), registries(space), None, 2) == {}
    narrow = {**rows.loc["narrowest_width"].to_dict(), "cell_value": 2.0, "reference_value": 2.0}
    said = effects_explanations.explanation(contrast(space, cell), space, {"narrowest_width": narrow})
    assert said.startswith("A layer of 2 units is no wider than either code")


def test_gradients_of_other_objectives_images_or_kernels_are_not_compared(space):
    def compared(cell, parameters=(100, 100)):
        return "gradient_scale" not in effects_mechanism._not_compared(contrast(space, cell), parameters)

    assert compared("digits-keras_io-k8-bce-b32", (100, 400)) and compared(CNN)
    assert not compared(CNN, (100, 400)) and not compared(CNN, None)
    others = ("digits-keras_io-k2-mse-b32", "digits-keras_io-k2-bce-variational-b32", PHOTOS)
    assert not any(compared(cell) for cell in others)


def test_normalised_networks_without_skips_are_held_against_gradients_that_grow():
    deep = parsed(DEEP)
    plain, residual = (f"digits-{name}-k2-mse-depth4-b32" for name in ("plain_deep", "residual"))
    trials = table(deep, ratio=lambda cell: 2.0 if (cell["architecture"], cell["depth"]) == ("plain_deep", 4) else 1.0)
    found = mechanisms(deep, trials)
    rows = found[found["measurement"] == "gradient_scale"].set_index(["family", "cell"])
    shown = ["predicted", "found", "agreement", "effect", "expected_effect"]
    assert rows.loc[("skips", residual), shown].tolist() == ["lower", "undecided", "undecided", "lower", "lower"]
    assert rows.loc[("depth", plain), shown].tolist() == ["higher", "undecided", "undecided", "higher", "higher"]
    assert rows.loc[("depth", residual), "predicted"] == ""
    fit = found[found["measurement"] == "fit"].set_index(["family", "cell"])
    assert fit.loc[("depth", residual), ["predicted", "expected_effect"]].tolist() == ["lower", "lower"]
    assert fit.loc[("depth", plain), "predicted"] == ""
    said, concluded = said_of(deep, found[found["family"] == "skips"], residual)
    assert said.startswith("It has as many parameters as the reference, and skips. In networks that are normalised")
    assert "those at the first kernel are smaller with skips." in said
    assert concluded == "The one prediction is not resolved. The explanation stays open."
    assert "those at the first kernel are larger in the deeper network." in said_of(deep, found, plain)[0]
    deeper = families_of(deep)[1].contrasts[1]
    assert effects_explanations.explanation(deeper, deep, {}).startswith("No explanation is offered")
    worse = table(deep, ratio=lambda cell: 1.5 if (cell["architecture"], cell["depth"]) == ("residual", 4) else 1.0)
    rows = mechanisms(deep, worse).query("family == 'depth' and cell == @residual").set_index("measurement", drop=False)
    assert effects_explanations.explanation(deeper, deep, rows.to_dict("index")).startswith(
        "There is more error than the reference's, where the reason at hand predicts less error, so that it is not "
        "offered as an explanation: Skips are made to let deeper networks go on improving"
    )
    assert effects_explanations.conclusion(rows[rows["predicted"] != ""].to_dict("records"), True) == (
        "The one prediction fails. The reason predicts less error, and more error was found: it explains nothing here."
    )
    assert effects_predictions.predictions(contrast(deep, residual), registries(deep), (100, 150)) == {"fit": "lower"}


def test_a_linear_network_is_held_against_pca(space, trials):
    """PCA's error lies between the linear network's and its reference's; the number of parameters is no reason."""
    assert {LINEAR, "digits-keras_io-k2-mse-b32"} <= set(across_images(families_of(space)))
    linear = trials["architecture"] == "linear"
    other = with_parameters(trials.assign(test_mse=trials["test_mse"].mask(linear, 0.044)), LINEAR, 10)
    found = mechanisms(space, other.assign(test_over_pca=other["test_mse"] / 0.04))
    rows = found[found["cell"] == LINEAR].set_index("measurement")
    assert rows.loc[["over_pca", "reference_over_pca"], "agreement"].tolist() == ["agrees", "agrees"]
    sides = rows.loc["over_pca", ["value", "cell_value", "reference_value"]].tolist()
    assert sides == pytest.approx([1.1, 0.044, 0.04])
    assert not {"pca", "skill"} & set(rows.index), "both see the same images"
    said = effects_explanations.measured(rows.loc["over_pca"].to_dict())
    assert said.startswith("Test MSE of the cell: 1.1 [1.1, 1.1] times PCA's at the same size on the same images (geo")
    said, concluded = said_of(space, found, LINEAR)
    assert said.startswith("A network without non-linearities has no less squared error")
    assert concluded == (
        "Predictions that hold: 2 of 2. That of the linear network is no test: on the images it is fitted to, it is a "
        "theorem. The other could have failed, and did not."
    )
    said = effects_explanations.explanation(contrast(space, LINEAR), space, {})
    assert said.startswith("No explanation is offered"), "PCA's errors are not known"


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
    pack(measured / "cost.csv")
    pd.testing.assert_frame_equal(effects_cost.rounds(measured), rounds)


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
    row = {"agreement": agreement, "effect": "lower", "expected_effect": "lower", "restates": ""}
    assert effects_explanations.conclusion([row], True).startswith(f"The one prediction {said}")
    assert " of 2" in effects_explanations.conclusion([row] * 2, True)
