"""What the estimates of a simulated study promise: run by hand with `pytest -m slow -s` to see the numbers."""

import numpy as np
import pandas as pd
import pytest

from analysis.effects import contrasts, families_of
from study import space, space_checks

pytestmark = pytest.mark.slow

STUDIES = 1000
SIZES = [1, 3, 4, 6, 8, 12, 16, 32]
SPACE = f"""
BASELINE = dict(dataset="digits", architecture="keras_io", latent_dim=2, loss="bce")
BLOCKS = dict(latent=dict(latent_dim={SIZES}))
TRAINING = dict(epochs=1, seeds=10)
FAMILIES = dict(latent=dict(metric="test_mse", contrasts=[(dict(latent_dim=k), {{}}) for k in {SIZES}]))
"""
SD = 0.05  # of a trial's log error
OF_PAIRS = SD * 2**0.5


@pytest.fixture(scope="module")
def families():
    return families_of(space_checks.validate(space.parse("simulated", SPACE, "simulated.py")))


def studies(families, n, effects, failing=0.0):
    """The contrasts of simulated studies: normal noise and `effects` on the log scale, some trials failed."""
    cells = [families[0].contrasts[0].reference, *(c.cell for c in families[0].contrasts)]
    names = [f"{cell}-s{seed:02d}" for cell in cells for seed in range(n)]
    seeds = np.tile(np.arange(n), len(cells))
    rng = np.random.default_rng(n)
    for _ in range(STUDIES):
        logs = np.log(0.04) + np.repeat([0.0, *effects], n) + rng.normal(0, SD, len(names))
        status = np.where(rng.random(len(names)) < failing, "diverged", "completed")
        trials = pd.DataFrame({"trial": names, "seed": seeds, "status": status, "test_mse": np.exp(logs)})
        yield contrasts(trials, families)


def rejects(found):
    return (found["low"] > 0) | (found["high"] < 0)


@pytest.mark.parametrize(("n", "failing"), [(5, 0), (10, 0), (10, 0.05)])
def test_family_wise_error(families, n, failing):
    errors = np.mean([rejects(found).any() for found in studies(families, n, np.zeros(len(SIZES)), failing)])
    print(f"\nfamily-wise error, n = {n}, {failing:.0%} of trials failed: {errors:.3f}")
    assert errors <= 0.065


@pytest.mark.parametrize(("n", "failing"), [(5, 0), (10, 0), (10, 0.05)])
def test_simultaneous_coverage_of_known_effects(families, n, failing):
    effects = np.array([2, -2, 0, 0, 1, -1, 6, 0]) * OF_PAIRS
    covered = [
        np.all((found["low"] <= effects) & (effects <= found["high"]))
        for found in studies(families, n, effects, failing)
    ]
    print(f"\nall 8 intervals cover, n = {n}, {failing:.0%} of trials failed: {np.mean(covered):.3f}")
    assert np.mean(covered) >= 0.93


@pytest.mark.parametrize("failing", [0, 0.05])
def test_power_and_direction_at_two_standard_deviations(families, failing):
    effects = np.array([2, -2, 2, -2, 0, 0, 0, 0]) * OF_PAIRS
    verdicts = np.array([found["verdict"].to_numpy() for found in studies(families, 10, effects, failing)])
    right = np.mean(verdicts[:, :4] == ["higher", "lower", "higher", "lower"])
    wrong = np.mean(np.isin(verdicts[:, 4:], ["higher", "lower"]).any(axis=1))
    print(f"\npower at 2 SD, n = 10, {failing:.0%} of trials failed: {right:.3f}; error among the nulls {wrong:.3f}")
    assert right >= 0.8
    assert wrong <= 0.065
