"""How many seeds a claim needs: against scipy's own noncentral t, a simulation, and the tables of a small study."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis import effects, variance_claims
from analysis.variance_seeds import NEVER, for_power, for_width
from study import space

SPACE = """
BASELINE = dict(dataset="digits", architecture="dense", latent_dim=2, loss="mse")
BLOCKS = {"latent": dict(latent_dim=[4, 8])}
TRAINING = dict(epochs=2, seeds=6)
FAMILIES = {"latent": dict(metric="test_mse", contrasts=[(dict(latent_dim=k), {}) for k in (4, 8)])}
"""


def test_the_width_at_the_number_and_one_below():
    found = for_width(0.05, 10, np.log(1.02))
    n = int(found.value)
    widths = [stats.t.ppf(0.975, k - 1) * 0.05 / np.sqrt(k) for k in (n, n - 1)]
    assert widths[0] <= np.log(1.02) < widths[1]
    low, high = (0.05 * np.sqrt(9 / stats.chi2.ppf(p, 9)) for p in (0.975, 0.025))
    assert (
        found.low == for_width(low, 10, np.log(1.02)).value < n < for_width(high, 10, np.log(1.02)).value == found.high
    )


def power(effect, n, level=0.95):
    critical, shift = stats.t.ppf((1 + level) / 2, n - 1), effect * np.sqrt(n)
    return stats.nct.sf(critical, n - 1, shift) + np.nan_to_num(stats.nct.cdf(-critical, n - 1, shift))


@pytest.mark.parametrize("effect", [0.3, 1.0, 2.5])
@pytest.mark.parametrize("level", [0.95, 0.99])
def test_the_power_at_the_number_and_one_below(effect, level):
    n = int(for_power(effect, 1.0, 10, 0.8, level).value)
    assert power(effect, n, level) >= 0.8 > (power(effect, n - 1, level) if n > 2 else 0)


def test_a_textbook_number():
    """34 pairs for a power of 80 % at half a standard deviation (Cohen 1988, table 2.4.1, and every power program)."""
    assert for_power(0.5, 1.0, 20, 0.8).value == 34


def test_what_is_compatible_with_no_effect_may_need_any_number():
    found = for_power(0.1, 1.0, 10, 0.8)
    assert found.high == NEVER and found.low < found.value < NEVER
    assert for_power(0.0, 1.0, 10, 0.8).value == NEVER
    strong = for_power(-5.0, 1.0, 10, 0.8)
    assert 2 <= strong.low <= strong.value <= strong.high < 10


@pytest.mark.parametrize("n", [2, 3, 5, 20])
def test_the_number_lies_within_its_interval(n):
    for mean in np.geomspace(0.01, 50, 12):
        found = for_power(mean, 1.0, n, 0.8, 1 - 0.05 / 7)
        assert found.low <= found.value <= found.high


def test_no_spread():
    assert (for_power(0.1, 0.0, 3, 0.8).value, for_power(0.0, 0.0, 3, 0.8).value) == (2, NEVER)
    assert for_width(0.0, 3, 0.01).value == 2


def study():
    found = space.parse("small", SPACE, "small.py")
    rng, rows = np.random.default_rng(0), []
    for task in found.trials():
        error = 0.05 / task.cell["latent_dim"] * np.exp(0.02 * rng.normal())
        rows.append({**task.cell, "trial": task.name, "seed": task.seed, "status": "completed", "test_mse": error})
    return found, pd.DataFrame(rows)


def test_claims_of_a_study():
    found, trials = study()
    needed = variance_claims.estimate(trials, effects.families_of(found))
    assert list(needed["cell"]) == ["digits-dense-k4-mse", "digits-dense-k8-mse"]
    logs = np.log(trials.pivot(index="seed", columns="latent_dim", values="test_mse"))
    differences = logs[4] - logs[2]
    row = needed.iloc[0]
    assert (row["sd"], row["mean"]) == pytest.approx((differences.std(), differences.mean()))
    assert row["width"] == for_width(differences.std(), 6, np.log(1.02), 0.975).value
    assert row["power"] == for_power(differences.mean(), differences.std(), 6, 0.8, 0.975).value
    assert (row["n"], row["n_family"]) == (6, 2)
    assert len(variance_claims.estimate(trials[trials["seed"] == 0], effects.families_of(found))) == 0


@pytest.mark.slow
def test_the_intervals_of_the_numbers_cover():
    """The true numbers at a spread of 0.1 and an effect of one spread lie within 95 % of the intervals."""
    rng, width, detect = np.random.default_rng(0), [], []
    truth = for_width(0.1, 10, np.log(1.02)).value, for_power(0.1, 0.1, 10, 0.8).value
    for _ in range(400):
        x = rng.normal(0.1, 0.1, 6)
        one = for_width(x.std(ddof=1), 6, np.log(1.02))
        other = for_power(x.mean(), x.std(ddof=1), 6, 0.8)
        width.append(one.low <= truth[0] <= one.high)
        detect.append(other.low <= truth[1] <= other.high)
    print(f"\nwidth {np.mean(width):.3f}, power {np.mean(detect):.3f}")
    assert min(np.mean(width), np.mean(detect)) >= 0.92
