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


def trials(n, sds, rng, pair=0.0):
    """log test_mse = the sum of the sources, and of weights with batch order a term with the standard deviation `pair`.

    Where the seed decides one source alone, the others are those of seed 0.
    """
    draws = {source: rng.normal(0, sd, n) for source, sd in zip(SOURCES, sds, strict=True)}
    both = rng.normal(0, pair, (n, n))
    rows = []
    for level in ("all", *SOURCES):
        for seed in range(n):
            of = {s: seed if level in ("all", s) else 0 for s in SOURCES}
            log = sum(draws[s][of[s]] for s in SOURCES) + both[of["weights"], of["batch_order"]]
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


def variances(n, rng, sds):
    """Of the whole and each source alone, over n seeds: W, B, S, WB, WS, BS, WBS with these standard deviations."""
    single = [rng.normal(0, sd, n) for sd in sds[:3]]
    pairs = [rng.normal(0, sd, (n, n)) for sd in sds[3:6]]
    triple = rng.normal(0, sds[6], (n, n, n))
    seed, fixed = np.arange(n), np.zeros(n, int)
    found = []
    for of in ((seed, seed, seed), (seed, fixed, fixed), (fixed, seed, fixed), (fixed, fixed, seed)):
        logs = sum(draw[one] for draw, one in zip(single, of, strict=True)) + triple[of]
        logs += sum(draw[of[a], of[b]] for draw, (a, b) in zip(pairs, ((0, 1), (0, 2), (1, 2)), strict=True))
        found.append(variance(logs))
    return found


@pytest.mark.parametrize("interactions", [(0, 0, 0, 0), (0.5, 0, 0, 0), (0.3, 0.2, 0.4, 0.6)])
def test_interactions_make_the_whole_less_its_sources_negative(interactions):
    """By -(WB + WS + BS) - 2 WBS: each twin has those of its source; over 2,000 studies of 6 seeds."""
    rng = np.random.default_rng(0)
    found = []
    for _ in range(2000):
        whole, *parts = variances(6, rng, (1, 1, 1, *interactions))
        found.append(difference(whole, parts).value)
    wb, ws, bs, wbs = np.square(interactions)
    assert np.mean(found) == pytest.approx(-(wb + ws + bs) - 2 * wbs, abs=4 * np.std(found) / 2000**0.5)


@pytest.mark.slow
@pytest.mark.parametrize("n", [3, 5, 10])
@pytest.mark.parametrize("pair", [0.0, 0.2])
def test_shares_cover(n, pair):
    """Shares of 9, 1 and 4 parts, and of 4 more that weights and batch order make together."""
    sds, rng = (0.3, 0.1, 0.2), np.random.default_rng(n)
    total = sum(sd**2 for sd in sds) + pair**2
    alone = np.square(sds) + np.array([pair**2, pair**2, 0])
    truth = dict(zip(["initial weights", "batch order", "draw of training and validation"], alone / total, strict=True))
    truth[REMAINDER] = -(pair**2)  # of its variance: the share divides by an estimate
    hits = {name: [] for name in truth}
    for _ in range(1000):
        found = budget(trials(n, sds, rng, pair)).set_index("source")
        for name, value in truth.items():
            ends = ["low", "high"] if name == REMAINDER else ["share_low", "share_high"]
            low, high = found.loc[name, ends]
            hits[name].append(low <= value <= high)
    rates = {name: np.mean(found) for name, found in hits.items()}
    print(f"\nn = {n}, together {pair}: {rates}")
    assert min(rates.values()) >= 0.93
