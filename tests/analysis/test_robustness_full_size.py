"""A study beside its pilot at full size: ratios, changes and orders known by hand."""

import numpy as np
import pandas as pd
import pytest

from analysis import effects, robustness, robustness_full_size_figure, robustness_text
from analysis.robustness_full_size import Size, compare
from study import space

SPACE = """
BASELINE = dict(dataset="digits", architecture="dense", latent_dim=2, loss="mse", train_size=100)
BLOCKS = {"latent": dict(latent_dim=[4, 8]), "loss": dict(loss=["mae"])}
TRAINING = dict(epochs=6, seeds=4)
FAMILIES = {
    "latent": dict(metric="test_mse", contrasts=[(dict(latent_dim=k), {}) for k in (4, 8)]),
    "loss": dict(metric="test_mse", contrasts=[(dict(loss="mae"), {})]),
}
"""
CUT = {(2, "mse"): 1.0, (4, "mse"): 0.8, (8, "mse"): 0.5, (2, "mae"): 1.1}
FULL = {(2, "mse"): 0.8, (8, "mse"): 0.2, (2, "mae"): 0.6}  # absolute error turns; 4 units were not tried
WOBBLE = np.array([0.9, 1.1, 1.0, 1.05])  # of a seed, in the baseline's error alone


def trials(errors, seeds, train_size):
    rows = []
    for (k, loss), error in errors.items():
        for seed in range(seeds):
            cell = {**space.DEFAULTS, "dataset": "digits", "architecture": "dense", "latent_dim": k, "loss": loss}
            cell |= {"train_size": train_size}
            mse = error * (WOBBLE[seed] if (k, loss) == (2, "mse") else 1)
            rows.append({**cell, "trial": space.trial_name(cell, seed), "seed": seed, "status": "completed",
                         "test_mse": mse})  # fmt: skip
    return pd.DataFrame(rows)


@pytest.fixture(scope="module")
def families():
    return effects.families_of(space.parse("tiny", SPACE, "tiny.py"))


@pytest.fixture(scope="module")
def found(families):
    return compare(Size(trials(CUT, 4, 100), 100, 6), Size(trials(FULL, 2, None), None, 30), families)


def test_ratios_and_their_change_by_hand(found):
    table = found.contrasts.set_index("family")
    assert list(table.index) == ["latent", "loss"]  # of the latent sizes 8 alone
    latent, mean, full_mean = table.loc["latent"], np.exp(np.log(WOBBLE).mean()), np.exp(np.log(WOBBLE[:2]).mean())
    assert (latent["cell"], latent["full_cell"]) == ("digits-dense-k8-mse-n100", "digits-dense-k8-mse")
    assert latent["value"] == pytest.approx(0.5 / mean) and latent["full_value"] == pytest.approx(0.25 / full_mean)
    assert latent["change"] == pytest.approx(0.5 * mean / full_mean)
    assert (latent["full_least"], latent["full_greatest"]) == pytest.approx((0.25 / 1.1, 0.25 / 0.9))
    assert (latent["n"], latent["full_n"]) == (4, 2) and latent["low"] < latent["value"] < latent["high"]
    spread = np.log(WOBBLE[:2]).std(ddof=1) / np.sqrt(2) * 12.7062  # the 97.5 % point of t with one degree of freedom
    assert latent["full_high"] == pytest.approx(latent["full_value"] * np.exp(spread), rel=1e-4)
    assert latent["same"] and not table.loc["loss", "same"]


def test_the_order_of_cells_at_both_sizes(found):
    order = found.order.set_index("cell")
    assert list(order["rank"]) == [1, 2, 3] and list(order["full_rank"]) == [1, 3, 2]
    assert order.loc["digits-dense-k2-mae-n100", "full_error"] == pytest.approx(0.6)


def test_what_is_said(found):
    said = list(robustness_text.full_size(found, "tiny_full"))
    assert said[0].startswith("At full size (all training images, 30 epochs; tiny_full, n = 2) 1 of 2 contrasts has")
    assert "(100 training images, 6 epochs; n = 4), 1 of these in every seed of the pilot" in said[0]
    assert said[-1] == (
        "Order by mean test MSE over each cell's completed trials on digits, "
        "dense-k8-mse < dense-k2-mse < dense-k2-mae here, "
        "dense-k8-mse < dense-k2-mae < dense-k2-mse there (n = 4 and 2)."
    )


def test_a_contrast_of_the_number_of_images_is_not_compared(found):
    text = SPACE.replace("contrasts=[(dict(loss", "contrasts=[(dict(train_size=50), {}), (dict(loss")
    families = effects.families_of(space.parse("tiny", text, "tiny.py"))
    again = compare(found.cut, found.full, families)
    pd.testing.assert_frame_equal(again.contrasts, found.contrasts)


def test_nothing_is_compared_where_no_pair_was_tried(families):
    alone = trials({(8, "mse"): 0.2}, 2, None)
    assert compare(Size(trials(CUT, 4, 100), 100, 6), Size(alone, None, 30), families) is None
    failed = trials(FULL, 2, None).assign(status="diverged")
    assert compare(Size(trials(CUT, 4, 100), 100, 6), Size(failed, None, 30), families) is None


def test_one_seed_has_no_interval(families):
    one = compare(Size(trials(CUT, 4, 100), 100, 6), Size(trials(FULL, 1, None), None, 30), families)
    assert one.contrasts["full_low"].isna().all() and one.contrasts["change_low"].isna().all()
    assert "(no interval)" in " ".join(robustness_text.full_size(one, "tiny_full"))
    robustness_full_size_figure.plot(one)


def test_the_picture_shows_every_seed_of_both(found):
    axes = robustness_full_size_figure.plot(found).axes[0]
    seeds = [line for line in axes.lines if line.get_marker() == "|"]
    assert sorted(len(line.get_xdata()) for line in seeds) == [2, 2, 4, 4]
    means = [line.get_xdata()[0] for line in axes.lines if line.get_marker() in ("o", "D") and len(line.get_xdata())]
    assert means == pytest.approx(found.contrasts[["value", "full_value"]].to_numpy().ravel())


def test_a_study_without_a_pilot_has_no_comparison(tmp_path, families):
    assert robustness.at_full_size("tiny", str(tmp_path), families) is None
