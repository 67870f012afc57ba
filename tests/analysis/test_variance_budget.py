"""The budget of randomness: variances, their ratios and differences, by hand and against simulated truths."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis.variance_budget import REMAINDER, TEST_IMAGES, difference, estimate, ratio, variance
from study.space import DEFAULTS, FACTORS

SOURCES = ("weights", "batch_order", "splits")
CELL = {**DEFAULTS, "dataset": "digits", "architecture": "dense", "latent_dim": 2, "loss": "mse"}


def test_a_variance_with_its_chi_square_interval():
    found = variance([1.0, 2.0, 4.0, 5.0])
    assert found.value == pytest.approx(10 / 3)
    assert (found.low, found.high) == pytest.approx((10 / stats.chi2.ppf(0.975, 3), 10 / stats.chi2.ppf(0.025, 3)))
    assert np.isnan(variance([1.0]).value) and variance([1.0]).n == 1


def test_a_ratio_with_its_f_interval():
    part, whole = variance([1.0, 2.0, 3.0]), variance([1.0, 2.0, 4.0, 5.0])
    expected = 1 / (10 / 3)
    low, high = expected / stats.f.ppf(0.975, 2, 3), expected / stats.f.ppf(0.025, 2, 3)
    assert ratio(part, whole) == pytest.approx((expected, low, high))
    assert np.isnan(ratio(variance([1.0, 1.0]), variance([2.0, 2.0]))).all()
    assert np.isnan(ratio(variance([1.0]), whole)).all()


def test_a_difference_recovers_its_limits():
    whole, part = variance([0.0, 2.0, 4.0]), variance([0.0, 1.0, 2.0])
    found = difference(whole, [part])
    assert found.value == pytest.approx(3)
    assert found.low == pytest.approx(3 - np.hypot(4 - whole.low, part.high - 1))
    assert found.high == pytest.approx(3 + np.hypot(whole.high - 4, 1 - part.low))


def trials(n, sds, rng, shared=0.0):
    """log test_mse = the sum of the sources; where the seed decides one alone, the others are those of seed 0."""
    draws = {source: rng.normal(0, sd, n) for source, sd in zip(SOURCES, sds, strict=True)}
    both = rng.normal(0, shared, n)
    rows = []
    for level in ("all", *SOURCES):
        for seed in range(n):
            log = sum(draws[s][seed if level in ("all", s) else 0] for s in SOURCES) + both[seed] * (level == "all")
            name = "digits-dense-k2-mse" + ("" if level == "all" else f"-only_{level}")
            row = {**CELL, "randomness": level, "seed": seed, "trial": f"{name}-s{seed:02d}", "status": "completed"}
            rows.append(row | {"test_mse": np.exp(log), "test_mse_image_sd": np.exp(log) * 2})
    return pd.DataFrame(rows)


def budget(table, count=100):
    return estimate(table, list(FACTORS), lambda dataset, normal_class: count)


def test_the_sources_of_one_cell():
    table = trials(6, (0.3, 0.1, 0.2), np.random.default_rng(0))
    found = budget(table).set_index("source")
    logs = {level: np.log(rows["test_mse"]) for level, rows in table.groupby("randomness")}
    expected = np.var(logs["weights"], ddof=1) / np.var(logs["all"], ddof=1)
    assert found.loc["initial weights", "share"] == pytest.approx(expected)
    assert found.loc["all sources", "share"] == 1 and set(found["cell"]) == {"digits-dense-k2-mse"}
    parts = sum(np.var(logs[source], ddof=1) for source in SOURCES)
    assert found.loc[REMAINDER, "variance"] == pytest.approx(np.var(logs["all"], ddof=1) - parts)
    assert found.loc[TEST_IMAGES, "variance"] == pytest.approx(4 / 100)  # (2 × the error)² ÷ 100 images ÷ error²
    assert list(found["n"]) == [6] * 6


def test_where_no_seed_changes_anything_no_share_is_left():
    table = trials(4, (0.1, 0.1, 0.1), np.random.default_rng(0)).assign(test_mse=0.1)
    assert REMAINDER not in set(budget(table)["source"])


def test_a_study_without_such_cells_has_no_budget_and_failures_are_counted():
    table = trials(4, (0.3, 0.1, 0.2), np.random.default_rng(0))
    assert budget(table[table["randomness"] == "all"]).empty
    table.loc[(table["randomness"] == "weights") & (table["seed"] > 1), "status"] = "diverged"
    found = budget(table).set_index("source")
    assert (found.loc["initial weights", "n"], found.loc["initial weights", "failed"]) == (2, 2)
    table.loc[table["randomness"] == "weights", "status"] = "error"
    assert REMAINDER not in set(budget(table)["source"])


@pytest.mark.slow
@pytest.mark.parametrize("n", [3, 5, 10])
@pytest.mark.parametrize("shared", [0.0, 0.2])
def test_shares_cover(n, shared):
    """Shares of 9, 1 and 4 parts; `shared`: what only arises where all sources vary."""
    sds, rng = (0.3, 0.1, 0.2), np.random.default_rng(n)
    total = sum(sd**2 for sd in sds) + shared**2
    truth = dict(
        zip(["initial weights", "batch order", "draw of training and validation"], np.square(sds) / total, strict=True)
    )
    truth[REMAINDER] = shared**2  # of its variance: the share divides by an estimate
    hits = {name: [] for name in truth}
    for _ in range(250):
        found = budget(trials(n, sds, rng, shared)).set_index("source")
        for name, value in truth.items():
            ends = ["low", "high"] if name == REMAINDER else ["share_low", "share_high"]
            low, high = found.loc[name, ends]
            hits[name].append(low <= value <= high)
    rates = {name: np.mean(found) for name, found in hits.items()}
    print(f"\nn = {n}, shared {shared}: {rates}")
    assert min(rates.values()) >= 0.93
