"""What conclusions survive: outcomes one by one, other stopping rules, and a synthetic study with known turns."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis import effects, robustness, robustness_estimates, robustness_figure, robustness_text
from analysis.chosen_size import ChosenSize
from analysis.robustness_estimates import DECLARED, GRID, SEEDS, SIZES, TUNED, VALIDATION, Study, columns, estimate
from analysis.robustness_figure import SYMBOLS, plot
from analysis.robustness_outcomes import (
    NONE,
    OTHER,
    OTHER_UNRESOLVED,
    OUTCOMES,
    SAME,
    SAME_UNRESOLVED,
    of_contrast,
    of_size,
    worst,
)
from analysis.robustness_stopping import early_stopping, last_epoch, stopped
from study import manifest, records, space
from study.errors import InputError

SPACE = """
BASELINE = dict(dataset="digits", architecture="dense", latent_dim=2, loss="mse")
BLOCKS = {"latent": dict(latent_dim=[4, 8, 16]), "loss": dict(loss=["mae"])}
TRAINING = dict(epochs=6, seeds=6)
FAMILIES = {
    "latent": dict(metric="test_mse", contrasts=[(dict(latent_dim=k), {}) for k in (4, 8, 16)]),
    "loss": dict(metric="test_mse", contrasts=[(dict(loss="mae"), {})]),
}
"""
SHARES = {2: 0.5, 4: 0.3, 8: 0.15, 16: 0.08}


# --- outcomes ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("declared", "value", "low", "high", "expected"),
    [
        (-0.5, -0.1, -0.2, -0.05, SAME),
        (-0.5, -0.1, -0.3, 0.1, SAME_UNRESOLVED),
        (-0.5, 0.1, -0.1, 0.3, OTHER_UNRESOLVED),
        (-0.5, 0.1, 0.05, 0.3, OTHER),
        (0.5, 0.1, np.nan, np.nan, SAME_UNRESOLVED),
        (-0.5, np.nan, np.nan, np.nan, NONE),
        (np.nan, 0.1, 0.05, 0.3, NONE),
    ],
)
def test_a_contrast(declared, value, low, high, expected):
    assert of_contrast(declared, value, low, high) == expected


def size(value, low, high, last=16):
    return ChosenSize(value, low, high, 5, "a rule", 2, last)


@pytest.mark.parametrize(
    ("declared", "varied", "expected"),
    [
        (size(8, 8, 8), size(8, 8, 8), SAME),
        (size(8, 8, 8), size(8, 4, 8), SAME_UNRESOLVED),
        (size(8, 8, 8), size(4, 4, 8), OTHER_UNRESOLVED),
        (size(8, 8, 8), size(4, 4, 4), OTHER),
        (size(8, 8, 8), size(None, 8, None), OTHER_UNRESOLVED),
        (size(8, 8, 8), size(None, None, None), OTHER),
        (size(None, None, None), size(None, None, None), SAME),
        (size(None, 16, None), size(None, 16, None), SAME_UNRESOLVED),
        (size(16, 16, 16), size(None, None, None, last=8), NONE),  # a grid that ends first cannot choose it
        (size(None, None, None), size(None, None, None, last=8), SAME_UNRESOLVED),
        (size(8, 8, 8), size(8, 8, 8, last=8), SAME),
    ],
)
def test_a_size(declared, varied, expected):
    assert of_size(declared, varied) == expected


def test_the_worst_counts():
    assert worst([SAME, SAME_UNRESOLVED, NONE]) == SAME_UNRESOLVED
    assert worst([SAME, OTHER, OTHER_UNRESOLVED]) == OTHER
    assert worst([NONE]) == NONE
    assert set(SYMBOLS) == set(OUTCOMES)


# --- stopping ------------------------------------------------------------------------------------------------------


def by_hand(row, patience):
    """Keras' EarlyStopping, epoch by epoch."""
    best, wait = np.inf, 0
    for error in row:
        if np.isnan(error):
            break
        best, wait = (error, 0) if error < best else (best, wait + 1)
        if wait >= patience:
            break
    return best


def test_stopping_rules():
    curves = np.array([[5, 4, 4, 4, 3, 2], [5, 6, 4, 5, 3, 4], [5, 4, 3, 2, 1, np.nan], [1, 2, 3, 4, 5, 0.5]])
    assert list(last_epoch(curves)) == [2, 4, 1, 0.5]
    assert list(early_stopping(curves, 2)) == [4, 3, 1, 1]
    random = np.random.default_rng(0).random((50, 12))
    for patience in (1, 2, 3, 20):
        assert list(early_stopping(random, patience)) == [by_hand(row, patience) for row in random]


# --- a study -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def synthetic():
    return space.parse("synthetic", SPACE, "synthetic.py")


def table(synthetic, noise=0.02):
    """Errors of SHARES; mae has 10 % more MSE than mse, but 20 % less MAE, and 20 % less MSE on validation images."""
    rng, rows = np.random.default_rng(0), []
    for task in synthetic.trials():
        cell, mae = task.cell, task.cell["loss"] == "mae"
        share = SHARES[cell["latent_dim"]] * np.exp(noise * rng.normal())
        errors = {"test_mse": share * (1.1 if mae else 1), "test_mae": share * (0.8 if mae else 1)}
        errors |= {"test_excess_bce": share * (1.1 if mae else 1), "test_ssim": 1 - share / 2 * (1.1 if mae else 1)}
        errors |= {"val_mse": share * (0.8 if mae else 1) / 10, "val_fvu": share * (0.8 if mae else 1)}
        rows.append({**cell, **errors, "trial": task.name, "seed": task.seed, "status": "completed",
                     "narrowest_width": 64, "environment": "one"})  # fmt: skip
    return pd.DataFrame(rows)


def curves(trials):
    """Five epochs at twice, the best at once, and the last at three times the error."""
    rows = [
        {"trial": trial, "epoch": epoch, "val_mse": error * factor}
        for trial, error in zip(trials["trial"], trials["val_mse"], strict=True)
        for epoch, factor in enumerate((2, 1.5, 1, 1.5, 2, 3), 1)
    ]
    return pd.DataFrame(rows)


@pytest.fixture(scope="module")
def alone(synthetic):
    trials = table(synthetic)
    return Study(trials, curves(trials), effects.families_of(synthetic))


@pytest.fixture(scope="module")
def usual(alone):
    return estimate(alone)


def outcomes(estimates, family):
    return estimates.conclusions[estimates.conclusions["family"] == family].iloc[-1]


def test_large_effects_survive_everything(usual):
    row = outcomes(usual, "latent")
    assert row["resolved"] and row["cell"] == "digits-dense-k16-mse"
    assert row["value"] == pytest.approx(0.16, rel=0.05)
    assert [row[name] for name in ("test MAE", "test SSIM", VALIDATION, "last epoch", SEEDS)] == [SAME] * 5
    assert (row["applicable"], row["same"], row["kept"]) == (7, 7, 7)
    assert row[GRID] != row[GRID] and TUNED not in columns(usual.conclusions)


def test_what_turns_is_seen_and_said(usual):
    row = outcomes(usual, "loss")
    assert row["resolved"] and row["value"] == pytest.approx(1.1, rel=0.02)
    assert (row["test MAE"], row[VALIDATION], row["test SSIM"], row[SEEDS]) == (OTHER, OTHER, SAME, SAME)
    said = robustness_text.sentences(usual, "there is no study synthetic_tuned")
    turned = next(text for text in said if text.startswith("Family loss: loss mse → mae"))
    assert "test MAE (resolved)" in turned and f"{VALIDATION} (resolved)" in turned and "SSIM" not in turned
    assert said[-1] == "Tuned hyperparameters were not tried: there is no study synthetic_tuned."
    assert "test MAE (resolved); " in turned, "a variation has a comma in its name"


def test_the_contrasts_are_those_of_effects(usual, alone):
    rows = usual.variations[(usual.variations["family"] == "latent") & (usual.variations["variation"] == "test MAE")]
    expected = effects.contrasts(alone.trials, [alone.families[0]], "test_mae")
    assert list(rows["value"]) == list(expected["ratio"]) and list(rows["p"]) == list(expected["p"])
    left = usual.variations[(usual.variations["variation"] == SEEDS) & (usual.variations["family"] == "loss")]
    assert list(left["seed"]) == list(range(6)) and set(left["n"]) == {5}
    without = effects.contrasts(alone.trials[alone.trials["seed"] != 2], [alone.families[1]])
    assert left.iloc[2]["value"] == without["ratio"].item()


def test_another_stopping_rule_replaces_the_validation_error(alone):
    changed = stopped(alone.trials, alone.history, "last epoch")
    np.testing.assert_allclose(changed["val_mse"], 3 * alone.trials["val_mse"])
    np.testing.assert_allclose(changed["val_fvu"], 3 * alone.trials["val_fvu"])
    patient = stopped(alone.trials, alone.history, "early stopping, patience 3")
    np.testing.assert_allclose(patient["val_mse"], alone.trials["val_mse"])


def test_sizes_follow_the_grid_and_the_stopping_rule(usual):
    rows = usual.conclusions[usual.conclusions["family"] == SIZES].set_index("reference")
    twenty, ten, five = (rows.loc[f"≤ {share} % of mean image"] for share in (20, 10, 5))
    assert (twenty["value"], ten["value"]) == (8, 16) and np.isnan(five["value"])
    assert (twenty[GRID], five[GRID]) == (SAME, SAME_UNRESOLVED)
    assert ten[GRID] == NONE  # 16 is the last size: the grid without it cannot choose it
    assert twenty["last epoch"] == OTHER  # three times the error: beyond the grid
    assert twenty["early stopping, patience 3"] == SAME and twenty["test MAE"] != twenty["test MAE"]


def test_a_size_at_which_every_trial_failed_ends_no_grid(alone):
    """As in `latent_elbow`: the error does not stay below a threshold there, whichever seed is left out."""
    hit = alone.trials["latent_dim"] == 16
    lost = alone.trials.assign(
        status=alone.trials["status"].mask(hit, "diverged"),
        **{name: alone.trials[name].mask(hit) for name in ("val_mse", "val_fvu", "test_mse", "test_mae")},
    )
    rows = estimate(Study(lost, alone.history, [])).conclusions.set_index("reference")
    twenty = rows.loc["≤ 20 % of mean image"]
    assert np.isnan(twenty["value"]) and (twenty[SEEDS], twenty[GRID]) == (SAME, OTHER)
    ends = robustness_estimates._shares(robustness_estimates._points(lost))
    assert (ends["digits, dense, mse"][16] == 1).all() and (ends["digits, dense, mse"][8] < 0.2).all()


def conclusions(*sizes):
    """Of latent sizes: value, outcome without one seed; and beside them one resolved contrast."""
    same = {"n": 4, "resolved": True, "applicable": 1}
    rows = [{**same, "family": "loss", "conclusion": "a", "value": 0.5, SEEDS: SAME, GRID: NONE, "same": 1, "kept": 1}]
    for number, (value, outcome) in enumerate(sizes):
        stays = int(outcome in (SAME, SAME_UNRESOLVED))
        names = {"family": SIZES, "conclusion": f"threshold {number}", "value": value, SEEDS: outcome}
        rows.append({**same, **names, "same": stays, "kept": int(outcome == SAME)})
    return pd.DataFrame(rows)


def test_thresholds_that_no_size_meets_are_no_choices_that_survive():
    table = conclusions((np.nan, SAME), (np.nan, SAME_UNRESOLVED))
    assert robustness_text._overall(table, [SEEDS, GRID]) == (
        "1 of 1 conclusion is resolved as declared. Of these 1 stays the same, and 1 stays resolved too, under every "
        f"variation that applies: {SEEDS}. Not among them: 2 thresholds beyond the latent sizes tried."
    )
    assert list(robustness_text._sizes(table[1:], [SEEDS])) == [
        "Latent sizes: beyond the sizes tried lie 2 of 2 thresholds, as declared and under every variation that "
        "applies (judged on validation images; n = 4 seeds)."
    ]
    assert robustness_text._overall(table[1:], [SEEDS]).startswith("No conclusion is drawn. Not among them: 2")


def test_choices_and_thresholds_beyond_the_grid_are_counted_apart():
    table = conclusions((8, SAME), (16, OTHER), (np.nan, OTHER_UNRESOLVED))
    chosen, beyond, *moved = robustness_text._sizes(table[1:], [SEEDS])
    assert chosen == (
        "Latent sizes: 1 of 2 choices stays the same under every variation that applies (judged on validation images; "
        "n = 4 seeds)."
    )
    assert "beyond the sizes tried lies 1 of 3 thresholds, as declared and 0 of these under every" in beyond
    assert [text.split(",")[0] for text in moved] == ["Latent sizes: threshold 1", "Latent sizes: threshold 2"]
    assert robustness_text._overall(table, [SEEDS]).startswith(
        "3 of 3 conclusions are resolved as declared. Of these 2 "
    )


def test_a_family_of_one_direction_and_labels_with_commas():
    table = conclusions()[["family", "conclusion", "value", "n", "applicable", "same", "kept", "resolved", SEEDS]]
    (said,) = robustness_text._family("loss", table, [SEEDS])
    assert said == (
        "Family loss: 1 of 1 direction is resolved (n = 4 seeds); 1 stays the same under every variation that applies, "
        "1 of these resolved every time."
    )
    (said,) = robustness_text._family("loss", table.assign(resolved=False, n=1), [SEEDS])
    assert said == "Family loss: 0 of 1 direction is resolved (n = 1 seed), so that none could turn."
    labels = ["none → denoising at cnn, latent_dim 32", "none → denoising at cnn, latent_dim 64"]
    both = pd.concat([table, *(table.assign(resolved=False, conclusion=label) for label in labels)])
    assert list(robustness_text._family("loss", both, [SEEDS]))[-1] == (
        f"Family loss: not resolved as declared: {labels[0]}; {labels[1]}."
    )


def test_a_tuned_study_counts(alone, synthetic):
    trials = table(synthetic, noise=0.03).assign(learning_rate=3e-3)
    trials["trial"] = trials["trial"].str.replace(r"-s(\d+)$", r"-lr0.003-s\1", regex=True)
    tuned_space = space.override(synthetic, {"learning_rate": "0.003"})
    swapped = trials["test_mse"].where(trials["loss"] != "mae", trials["test_mse"] / 2)
    tuned = Study(trials.assign(test_mse=swapped), curves(trials), effects.families_of(tuned_space))
    found = estimate(Study(alone.trials, alone.history, alone.families, tuned))
    assert (outcomes(found, "loss")[TUNED], outcomes(found, "latent")[TUNED]) == (OTHER, SAME)
    sizes = found.conclusions[found.conclusions["family"] == SIZES].iloc[0]
    assert sizes[TUNED] == SAME and TUNED in columns(found.conclusions)


def test_curves_of_one_grid_are_judged_together(alone, monkeypatch):
    """A hundred curves ask for sizes as often as one does: what keeps 100,000 trials within seconds."""
    asked = []
    real = robustness_estimates.chosen_sizes
    monkeypatch.setattr(robustness_estimates, "chosen_sizes", lambda *of: asked.append(of[0].shape[1]) or real(*of))
    few = estimate(Study(alone.trials, alone.history, []))
    calls, asked[:] = len(asked), []
    copies = [
        alone.trials.assign(batch_size=size, trial=alone.trials["trial"] + f"-b{size}") for size in range(100, 200)
    ]
    trials = pd.concat(copies, ignore_index=True)
    many = estimate(Study(trials, curves(trials), []))
    assert len(asked) == calls and set(asked) == {100}
    first, same = (found.conclusions.iloc[0] for found in (few, many))
    assert len(many.conclusions) == 300 and (first["value"], first[SEEDS]) == (same["value"], same[SEEDS])


def test_a_picture_of_many_conclusions_shows_those_that_matter(usual):
    table = pd.concat([usual.conclusions] * 40, ignore_index=True)
    table["family"] = "latent"
    drawn = robustness_figure._drawn(table)
    assert len(drawn) == robustness_figure.MOST < len(table) and list(drawn.index) == sorted(drawn.index)
    assert set(drawn["resolved"]) == {True} and (drawn["conclusion"] == "loss mse → mae").sum() == 40
    said = robustness_text.caption(usual, 3)
    assert f"Drawn are 3 of {len(usual.conclusions)}" in said
    assert "Drawn" not in robustness_text.caption(usual, len(usual.conclusions))


def test_nothing_to_conclude(alone):
    few = alone.trials[alone.trials["latent_dim"] == 2]
    with pytest.raises(InputError, match="draws no conclusions"):
        estimate(Study(few, alone.history, []))


def test_the_picture_draws_every_conclusion(usual):
    figure = plot(usual)
    drawn = sum(len(line.get_xdata()) for line in figure.axes[0].get_lines() if line.get_marker() in ("o", "x", "X"))
    shown = columns(usual.conclusions)
    there = sum(usual.conclusions[name].isin(OUTCOMES).sum() for name in shown)
    assert drawn == there + len(usual.conclusions)
    labels = [tick.get_text() for tick in figure.axes[0].get_yticklabels()]
    contrasts = usual.conclusions[usual.conclusions["family"] != SIZES]
    assert set(contrasts["conclusion"]) <= set(labels) and "digits, dense, mse: ≤ 20 %" in labels
    said = " ".join(figure.get_supxlabel().split())
    assert "n = 6 seeds" in said and "its critical t grows 1.35 times, in a family of 8 contrasts 1.83 times" in said
    for contrasts_of_a_family, growth in ((1, 1.35), (8, 1.83)):
        upper = 1 - 0.025 / contrasts_of_a_family
        assert stats.t.ppf(upper, 2) / stats.t.ppf(upper, 3) == pytest.approx(growth, abs=0.005)


@pytest.fixture
def study(tmp_path, monkeypatch, alone, synthetic):
    described = manifest.describe(synthetic, "synthetic", {})

    def folder(study, artifacts):
        if study.endswith(("_tuned", "_full")):
            raise InputError("no such study")
        return tmp_path / study

    for name, value in {
        "load": lambda study, artifacts: folder(study, artifacts) and alone.trials,
        "history": lambda study, artifacts: alone.history,
        "manifest": lambda study, artifacts: folder(study, artifacts) and described,
        "notices": lambda study, artifacts: [],
        "latest": lambda artifacts: "synthetic",
        "folder": folder,
    }.items():
        monkeypatch.setattr(records, name, value)
    return tmp_path / "synthetic" / "analysis" / "robustness"


def test_the_command_writes_what_it_prints(study, capsys):
    assert robustness.main([]) == 0
    out = capsys.readouterr().out
    written = [line.removeprefix("wrote ") for line in out.splitlines() if line.startswith("wrote ")]
    assert sorted(written) == sorted(str(path) for path in study.iterdir())
    cited = pd.read_csv(study / "statistics.csv").set_index("id")
    same = cited.loc["robustness.same-loss-digits-dense-k2-mae-digits-dense-k2-mse"]
    assert (same["value"], same["n"]) == (3, 7)  # excess BCE, SSIM, any one seed
    ratio = cited.loc["robustness.ratio-loss-digits-dense-k2-mae-digits-dense-k2-mse-test-MAE"]
    assert ratio["value"] == pytest.approx(0.8, rel=0.05) and ratio["low"] < ratio["value"] < ratio["high"]
    assert f"robustness.size-{SIZES.replace(' ', '-')}-digits-dense-mse" in " ".join(cited.index)
    assert DECLARED not in set(pd.read_csv(study / "statistics.csv")["what"])
    assert json.loads((study / "summary.json").read_text())["figures"] == {"conclusions": "conclusions.png"}


def test_families_of_a_large_study_are_judged_on_their_own_rows(alone, monkeypatch):
    seen = []
    real = effects.contrasts
    monkeypatch.setattr(
        robustness_estimates.effects, "contrasts", lambda t, *rest: seen.append(len(t)) or real(t, *rest)
    )
    estimate(alone)
    assert max(seen) == 24  # of 30: four cells of six seeds
