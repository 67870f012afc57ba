"""The variance of a whole study: which blocks are decomposed, which refused, and the command on a synthetic one."""

import json

import numpy as np
import pandas as pd
import pytest

from analysis import variance, variance_designs, variance_figure, variance_text
from analysis.variance_blocks import decompose
from analysis.variance_budget import ALL_SOURCES, REMAINDER
from study import datasets, manifest, records, space

SPACE = """
BASELINE = dict(dataset="digits", architecture="dense", latent_dim=2, loss="mse")
BLOCKS = {
    "factorial": dict(architecture=["dense", "cnn"], latent_dim=[2, 4, 8]),
    "star": dict(latent_dim=[2, 4]),
    "randomness": dict(randomness=["weights", "batch_order", "splits"]),
}
TRAINING = dict(epochs=2, seeds=5)
FAMILIES = {"latent": dict(metric="test_mse", contrasts=[(dict(latent_dim=k), {}) for k in (4, 8)])}
"""


@pytest.fixture
def synthetic():
    return space.parse("synthetic", SPACE, "synthetic.py")


@pytest.fixture
def trials(synthetic):
    """log error = 1 for cnn, -log2(k), and noise of 0.1 over seeds, half as much where one source varies."""
    rng, rows = np.random.default_rng(0), []
    for task in synthetic.trials():
        cell = task.cell
        noise = 0.1 if cell["randomness"] == "all" else 0.05
        log = (cell["architecture"] == "cnn") - np.log2(cell["latent_dim"]) + noise * rng.normal()
        row = {**cell, "trial": task.name, "seed": task.seed, "status": "completed", "test_fvu": np.exp(log)}
        rows.append({**row, "test_mse": 0.1 * np.exp(log), "test_mse_image_sd": 0.05, "environment": "one"})
    return pd.DataFrame(rows)


def designs(trials, synthetic):
    blocks, components = variance_designs.estimate(trials, synthetic, "synthetic")
    return blocks.set_index("block"), components


def test_a_whole_block_is_decomposed_and_a_star_is_refused(trials, synthetic):
    blocks, components = designs(trials, synthetic)
    assert dict(blocks["verdict"]) == {"factorial": "decomposed", "star": "refused", "randomness": "refused"}
    assert "no interactions to estimate" in blocks.loc["star", "reason"]
    assert "budget" in blocks.loc["randomness", "reason"]
    rows = trials[trials["randomness"] == "all"]
    logs = np.log(rows.pivot(index="seed", columns=["architecture", "latent_dim"], values="test_fvu"))
    values = logs[[(a, k) for a in ("dense", "cnn") for k in (2, 4, 8)]].to_numpy().reshape(5, 2, 3)
    expected = decompose(values, ["architecture", "latent_dim"])
    assert list(components["effect"]) == [one.effect for one in expected]
    assert list(components["share"]) == pytest.approx([one.share for one in expected])
    assert set(components["n"]) == {5} and set(components["cells"]) == {6}


def test_a_failed_trial_refuses_its_block(trials, synthetic):
    trials.loc[trials["trial"] == "digits-cnn-k4-mse-s03", "status"] = "diverged"
    blocks, components = designs(trials, synthetic)
    assert components.empty and "1 of 30 trials failed" in blocks.loc["factorial", "reason"]


def test_seeds_that_are_still_to_come_are_left_out_and_said(trials, synthetic):
    partial = trials[(trials["seed"] < 3) | (trials["architecture"] == "dense")]
    blocks, components = designs(partial, synthetic)
    assert (blocks.loc["factorial", "seeds"], blocks.loc["factorial", "planned"]) == (3, 5)
    assert set(components["n"]) == {3}
    said = variance_text.sentences(variance.estimate(partial, synthetic, "synthetic", lambda *_: 360))
    so_far = "Block factorial: 3 of 5 seeds have all its cells so far."
    assert f"{so_far} Before all are there, intervals are interim: not adjusted for repeated looks." in said
    blocks, _ = designs(trials[trials["seed"] < 1], synthetic)
    assert blocks.loc["factorial", "reason"].endswith("Go on with: python -m study.search synthetic")


def test_of_one_planned_seed_more_are_asked_for(trials, synthetic):
    one = space.override(synthetic, {"seeds": "1"})
    blocks, _ = designs(trials[trials["seed"] < 1], one)
    assert blocks.loc["factorial", "reason"].endswith("Go on with: python -m study.search synthetic --seeds 2")


def test_sentences_name_shares_n_and_refusals(trials, synthetic):
    said = variance_text.sentences(variance.estimate(trials, synthetic, "synthetic", lambda *_: 360))
    assert said[0].startswith(
        "Block factorial (architecture × latent_dim, 6 cells × 5 seeds), variance of log test_fvu: "
    )
    assert "jackknife" in said[0] and any("not told from none" in text and "×" in text for text in said)
    assert any(text.startswith("Not decomposed: star: a star design") for text in said)
    assert any("another draw of test images" in text and "not resolved with n = 5 seeds" in text for text in said)
    assert any("interval of ± 2 % was in reach of n = 5 seeds" in text for text in said)
    assert any("estimates, no plan" in text for text in said)


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        ((0.0298, 0.011, 0.0574), "2.98 % [1.1, 5.74]"),
        ((0.000234, 0.0000362, 0.000604), "at most 0.0604 %"),  # ends apart by more than a factor of 10
        ((-0.00138, 0.0, 0.0376), "at most 3.76 %"),
        ((-0.00138, np.nan, np.nan), "no more than chance makes (no interval)"),
        ((0.0298, np.nan, np.nan), "2.98 %"),  # 2 seeds
    ],
)
def test_of_a_share_in_a_block_the_upper_end_is_said_where_the_lower_says_nothing(numbers, said):
    row = dict(zip(("share", "low", "high"), numbers, strict=True), effect="seed")
    assert variance_text._share(row) == f"what all cells of a seed share {said}"


@pytest.mark.parametrize(
    ("share", "said"),
    [(13.20092, "1320 %"), (0.285, "28.5 %"), (-1.116, "-112 %"), (4.2e-9, "0.00000042 %"), (float("nan"), "–")],
)
def test_percentages_have_no_power_of_ten(share, said):
    assert variance_text.percentage(share) == said


def budget(*shares):
    """Of one cell with 4 seeds: source, share, its ends."""
    same = {"cell": "c", "sd_percent": 4.0, "n": 4, "failed": 0, "method": "m"}
    whole = (ALL_SOURCES, 1.0, np.nan, np.nan)
    names = ("source", "share", "share_low", "share_high")
    return pd.DataFrame([{**same, **dict(zip(names, row, strict=True))} for row in (whole, *shares)])


WEIGHTS, ORDER = ("initial weights", 0.285, 0.0184, 4.39), ("batch order", 0.06, 0.004, 0.94)
IMAGES = ("test images", 0.0466, 0.00336, 0.145)


def test_numbers_that_are_not_resolved_are_not_printed():
    """Nor is a standard deviation mixed with shares of a variance."""
    whole, vague, largest = variance_text._budget(budget(WEIGHTS, ORDER, (REMAINDER, -1.12, -18.3, 11.8), IMAGES))
    assert whole == "c: over n = 4 seeds the standard deviation of the test MSE is 4 % of the error."
    assert (
        "is not resolved with n = 4 seeds: initial weights, batch order, the whole less its sources, another draw of "
        "test images (the ends of their 95 % intervals differ by more than a factor of 10 or leave what is possible"
    ) in vague
    assert not any(number in vague for number in ("28.5", "1.84", "439", "112", "1180", "4.66"))
    assert largest == "c: which source is the largest is not resolved (n = 4)."


@pytest.mark.parametrize(
    ("ends", "words"),
    [
        ((-0.2, -0.5, 0.1), "not told from 0, so that they may simply add up (m"),
        ((-1.5, -1.9, -1.1), "below 0, as where sources interact"),
        ((0.4, 0.1, 0.7), "above 0, which interactions do not explain (m"),
        ((-1.5, -2.1, -1.1), "is not resolved with n = 4 seeds: initial weights, the whole less its sources (the ends"),
    ],
)
def test_the_whole_less_its_sources_is_below_0_where_they_interact(ends, words):
    said = " ".join(variance_text._budget(budget(WEIGHTS, (REMAINDER, *ends))))
    assert words in said


def test_shares_that_are_resolved_are_given_with_their_intervals():
    narrow, images = ("batch order", 0.2, 0.1, 0.4), ("test images", 0.05, 0.02, 0.1)
    said = list(variance_text._budget(budget(WEIGHTS, narrow, (REMAINDER, -0.2, -0.5, -0.1), images)))
    of = "of the variance of the log error over seeds"
    assert f"c: batch order alone makes 20 % [10, 40] {of} (m, n = 4)." in said
    assert (
        f"c: the whole less its sources is -20 % [-50, -10] {of}, below 0, as where sources interact: each alone "
        "brings its own with the others (m, n = 4)."
    ) in said
    assert f"c: another draw of test images would add 5 % [2, 10] {of} (m, n = 4)." in said
    assert any("seeds: initial weights (the ends" in text for text in said)
    assert not any("not resolved with" in text for text in variance_text._budget(budget(narrow)))
    said = list(variance_text._budget(budget(("initial weights", 0.8, 0.6, 0.9), narrow)))
    assert said[-1] == "c: the largest source is initial weights (n = 4, its interval above the others')."


def test_seeds_needed_are_told_apart_from_the_label_and_left_out_where_not_resolved():
    known = {"label": "latent_dim 2 → 8", "width": 109.0, "width_low": 38.0, "width_high": 367.0}
    vague = {"label": "loss mse → mae", "width": 2811.0, "width_low": 15.0, "width_high": np.inf}
    assert variance_text._listed(pd.DataFrame([known]), "width") == "latent_dim 2 → 8: 109 seeds [38, 367]"
    assert variance_text._listed(pd.DataFrame([vague, known]), "width") == (
        "latent_dim 2 → 8: 109 seeds [38, 367]; not resolved for 1 of 2"
    )
    assert variance_text._listed(pd.DataFrame([vague]), "width") == ""
    ends = {f"power{end}": known[f"width{end}"] for end in ("", "_low", "_high")}
    said = list(variance_text._needed(pd.DataFrame([{**vague, **ends, "family": "loss", "n": 4}])))
    assert said[0] == (
        "Family loss: an interval of ± 2 % was not in reach of n = 4 seeds for its one claim; how many seeds it takes "
        "is not resolved."
    )
    assert "loss mse → mae: 109 seeds [38, 367] (95 % intervals by the noncentral t of n = 4 seeds)" in said[1]


def test_an_estimate_beyond_the_axis_is_an_arrow_without_a_point():
    table = budget(("batch order", 0.5, 0.1, 4.0), (REMAINDER, -1.12, -18.3, 11.8), ("test images", 5.0, 3.5, 9.0))
    axes = variance_figure.plot_budget(table).axes[0]
    drawn = [(line.get_marker(), line.get_xdata()[0], line.get_ydata()[0]) for line in axes.lines]
    marks = {(mark, float(x), int(y)) for mark, x, y in drawn if mark in ("o", "<", ">")}
    assert marks == {("o", 50, 2), (">", 300, 2), ("<", -100, 1), (">", 300, 1), (">", 300, 0)}
    assert [text.get_text() for text in axes.texts] == ["50 %", "-112 %", "500 %"]
    said = " ".join(axes.figure.get_supxlabel().split())
    assert said.endswith("Arrows: the interval leaves the axis; an estimate that does so has no point.")


def test_a_study_with_nothing_to_split_says_so(trials, synthetic):
    plain = trials[trials["latent_dim"] == 2].query("architecture == 'dense' and randomness == 'all'")
    found = variance.estimate(plain, synthetic, "synthetic", lambda *_: 360)
    said = variance_text.sentences(found)
    assert list(found.tables()) == ["blocks"]
    assert any(text.startswith("No budget of randomness") for text in said)
    assert any(text.startswith("No number of seeds") for text in said)


@pytest.fixture
def study(tmp_path, monkeypatch, trials, synthetic):
    digits = datasets.load("digits", None)
    described = manifest.describe(synthetic, "synthetic", {"digits": {"hashes": digits.hashes()}})
    for name, value in {
        "load": lambda study, artifacts: trials,
        "manifest": lambda study, artifacts: described,
        "notices": lambda study, artifacts: ["A notice."],
        "latest": lambda artifacts: "synthetic",
        "folder": lambda study, artifacts: tmp_path / study,
    }.items():
        monkeypatch.setattr(records, name, value)
    return tmp_path / "synthetic" / "analysis" / "variance"


def test_the_command_writes_what_it_prints(study, capsys):
    assert variance.main([]) == 0
    out = capsys.readouterr().out
    assert out.startswith("study synthetic\n") and "A notice." in out
    written = [line.removeprefix("wrote ") for line in out.splitlines() if line.startswith("wrote ")]
    assert sorted(written) == sorted(str(path) for path in study.iterdir())
    assert {"blocks.png", "randomness.png", "seeds.png", "components.csv", "budget.csv"} <= {
        p.name for p in study.iterdir()
    }
    cited = pd.read_csv(study / "statistics.csv").set_index("id")
    components = pd.read_csv(study / "components.csv").set_index("effect")
    share = cited.loc["variance.share-factorial-latent_dim"]
    assert share["value"] == pytest.approx(components.loc["latent_dim", "share"])
    assert cited.loc["variance.randomness-digits-dense-k2-mse-initial-weights", "n"] == 5
    assert "variance.seeds-width-latent-digits-dense-k4-mse-digits-dense-k2-mse" in cited.index
    assert json.loads((study / "summary.json").read_text())["answers"] == []
    before = {path: path.read_bytes() for path in study.iterdir()}
    assert variance.main(["--format", "json"]) == 0
    assert {path: path.read_bytes() for path in study.iterdir()} == before, "a second run writes other bytes"
    json.loads(capsys.readouterr().out)
