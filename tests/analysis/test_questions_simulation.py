"""What the analyses of training samples and of residual blocks promise, simulated: `pytest -m slow -s` for numbers."""

import numpy as np
import pandas as pd
import pytest

from analysis import generalization_estimates, generalization_membership, residual_estimates, residual_twins, roc
from analysis.generalization_flip import flip
from analysis.residual_estimates import INTERACTION
from analysis.residual_twins import PLAIN, SKIPS
from study.space import DEFAULTS

pytestmark = pytest.mark.slow

STUDIES = 1_000
DEPTHS = (1, 2, 4, 8)


def residual_study(slope, seeds, rng, noise=0.05):
    """Twins at four depths; plain errors rise by 10 % a doubling, each error has 5 % noise of its own."""
    depths = np.tile(DEPTHS, seeds)
    plain = np.log(0.02) + 0.1 * np.log2(depths) + noise * rng.normal(size=len(depths))
    skips = plain + 0.03 + slope * np.log2(depths) + noise * rng.normal(size=len(depths)) * 2**0.5
    same = DEFAULTS | dict(dataset="digits", latent_dim=8, loss="mse", status="completed", collapsed=False)
    tables = [
        pd.DataFrame({"seed": np.repeat(np.arange(seeds), 4), "test_mse": np.exp(logs)}).assign(
            **{**same, "depth": depths, "architecture": name}, n_parameters=900, test_fvu=0.3, trial="t"
        )
        for name, logs in ((PLAIN, plain), (SKIPS, skips))
    ]
    return pd.concat(tables, ignore_index=True)


@pytest.mark.parametrize("seeds", [3, 10])
@pytest.mark.parametrize("slope", [0.0, -0.1])
def test_the_interaction_is_recovered(slope, seeds):
    """On whole tables: the truth is covered in 95 % of the studies, the null is rejected in 5 %."""
    rng = np.random.default_rng(seeds)
    rows = []
    for _ in range(STUDIES // 5):
        twins = residual_study(slope, seeds, rng).assign(of="k = 8")
        for _, pairs in residual_estimates._pairs(twins, pd.Series({"x": 1.0})):
            rows += [row for row in residual_estimates._slopes(pairs) if row["what"] == INTERACTION]
    found = pd.DataFrame(rows)
    covered = ((found["slope_low"] <= slope) & (slope <= found["slope_high"])).mean()
    rejected = ((found["slope_high"] < 0) | (found["slope_low"] > 0)).mean()
    print(
        f"\ninteraction {slope}, n = {seeds}: covered {covered:.3f}, resolved {rejected:.3f}, "
        f"mean {found['slope'].mean():.4f}"
    )
    assert covered >= 0.91  # 200 studies: 95 % less three standard errors, rounded
    assert found["slope"].mean() == pytest.approx(slope, abs=0.01)
    assert rejected <= 0.09 if slope == 0 else seeds < 10 or rejected >= 0.9


@pytest.mark.parametrize("seeds", [3, 5, 10])
@pytest.mark.parametrize(("slope", "noise"), [(0.0, "normal"), (-0.1, "normal"), (0.0, "heavy"), (0.0, "correlated")])
def test_the_interval_of_the_interaction_covers(slope, noise, seeds):
    """Whatever ties the depths of a seed together, seeds are the unit."""
    rng = np.random.default_rng(seeds)
    shape = (10 * STUDIES, seeds, len(DEPTHS))
    draws = rng.standard_t(3, shape) if noise == "heavy" else rng.normal(size=shape)
    if noise == "correlated":
        draws = np.cumsum(draws, axis=-1)
    logs = slope * np.log2(DEPTHS) + 0.05 * draws
    found = [residual_twins.interaction(study, DEPTHS) for study in logs]
    covered = np.mean([one.low <= slope <= one.high for one in found])
    print(f"\ninteraction {slope}, {noise}, n = {seeds}: covered {covered:.4f}")
    assert 0.94 <= covered <= (0.98 if noise == "heavy" else 0.96)


@pytest.mark.parametrize("seeds", [3, 5, 10])
@pytest.mark.parametrize("memory", [1.0, 0.95, 0.8])
def test_the_memorised_share_is_recovered(memory, seeds):
    """Ratios of training to held-out error, as the command estimates them: coverage, and wrong claims at the null."""
    rng = np.random.default_rng(seeds)
    logs = np.log(memory) + 0.02 * rng.normal(size=(10 * STUDIES, seeds))
    found = [generalization_estimates._estimate(study, "reconstruction") for study in logs]
    covered = np.mean([one["low"] <= np.log(memory) <= one["high"] for one in found])
    claimed = np.mean([one["verdict"].startswith(("better", "worse")) for one in found])
    print(f"\nmemorisation {memory}, n = {seeds}: covered {covered:.4f}, claimed {claimed:.4f}")
    assert 0.94 <= covered <= 0.96
    assert claimed <= 0.06 if memory == 1 else claimed > 0.05


@pytest.mark.parametrize("seeds", [3, 10])
@pytest.mark.parametrize("memory", [0.98, 1 / 0.98, 0.95])
def test_equivalence_is_rarely_claimed_of_what_is_not(memory, seeds):
    """At the margin itself, and beyond: at most 5 %."""
    rng = np.random.default_rng(seeds)
    truth = np.log(1.02) * np.sign(np.log(memory)) if abs(np.log(memory)) < 0.03 else np.log(memory)
    found = [
        generalization_estimates._estimate(study, "reconstruction")["equivalence_p"] <= 0.05
        for study in truth + 0.01 * rng.normal(size=(10 * STUDIES, seeds))
    ]
    print(f"\nequivalent, though the ratio is {np.exp(truth):.3f}, n = {seeds}: {np.mean(found):.4f}")
    assert np.mean(found) <= 0.056


def test_families_of_cells_keep_their_error():
    """20 cells that memorise nothing, 5 seeds: a claim of any in at most 5 % of the studies; equivalence likewise."""
    rng = np.random.default_rng(0)
    claimed = []
    for _ in range(STUDIES // 5):
        logs = 0.02 * rng.normal(size=(5, 20))
        table = pd.DataFrame(
            [
                {"seed": s, "cell": f"c{c}", "value": logs[s, c], "control": 0.0, "task": "reconstruction",
                 "part": "memorisation", "dataset": "d", "latent_dim": 8, "n_train": 100}
                for s in range(5) for c in range(20)
            ]
        )  # fmt: skip
        found = generalization_estimates.cells(table)
        claimed.append(found["verdict"].str.startswith(("better", "worse")).any())
    print(f"\nany of 20 cells claimed, n = 5: {np.mean(claimed):.3f}")
    assert np.mean(claimed) <= 0.09  # 200 studies


@pytest.mark.parametrize("seeds", [3, 5, 10])
@pytest.mark.parametrize("shift", [0.0, 0.3])
def test_the_area_of_membership_covers_new_seeds_and_images(shift, seeds):
    """Every seed draws its own images and its own network: how much is memorised varies by 0.1 between seeds."""
    from scipy import stats

    rng = np.random.default_rng(seeds)
    draws = shift + 0.1 * rng.normal(size=100_000)
    truth = stats.norm.cdf(draws / 2**0.5).mean()
    covered = []
    for _ in range(STUDIES):
        rows = []
        for seed in range(seeds):
            held = rng.normal(shift + 0.1 * rng.normal(), 1, 150)
            area = roc.crossed([roc.placements(rng.normal(size=100), held)])
            rows.append({"auc": area.value, "image_se": area.image_sd, "pca_auc": 0.5 + 0.01 * seed})
        table = pd.DataFrame(rows).assign(image_low=0.0, image_high=1.0, part="memorisation")
        found = generalization_membership._mean(table)
        covered.append(found["low"] <= truth <= found["high"])
    print(f"\nmembership, shift {shift}, n = {seeds}: true area {truth:.3f} covered {np.mean(covered):.3f}")
    assert np.mean(covered) >= 0.93


@pytest.mark.parametrize("seeds", [3, 5, 10])
@pytest.mark.parametrize(
    ("gaps", "falls", "truth"),
    [
        ((0.3, 0.1, 0.03, 0.005), True, 3),
        ((0.3, 0.1, 0.05, 0.03), True, np.inf),
        ((0.005, 0.01, 0.1, 0.3), False, 1),
        ((0.05, 0.1, 0.2, 0.3), False, -np.inf),
    ],
)
def test_the_turning_level_is_covered(gaps, falls, truth, seeds):
    """Levels 0 to 3; of a gap that never turns, the level past the end."""
    rng = np.random.default_rng(seeds)
    beyond = np.inf if falls else -np.inf
    covered = []
    for _ in range(STUDIES):
        found = flip(np.array(gaps) + 0.01 * rng.normal(size=(seeds, 4)), [1, 2, 3, 4], np.log(1.02), falls)
        low, high = (beyond if np.isnan(found[end]) else found[end] - 1 for end in ("low", "high"))
        covered.append(low <= truth <= high)
    print(f"\nturning level of {gaps}, n = {seeds}: {np.mean(covered):.3f}")
    assert np.mean(covered) >= 0.95
