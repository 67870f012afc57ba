"""What the intervals and tests promise, simulated: run by hand with `pytest -m slow -s` to see the numbers."""

import numpy as np
import pytest
from scipy import stats

from analysis.chosen_size import ChosenSize, chosen_size, non_inferior_size
from analysis.statistics import Contrasts, bonferroni_t, clopper_pearson, holm, paired_t, sign_flip_max_t

pytestmark = pytest.mark.slow

RUNS = 10_000
STUDIES = 1_000
CONTRASTS = 60
SIZES = 2 ** np.arange(8)
CURVE = 0.9 * SIZES**-0.7 + 0.01  # 0.91 at size 1, 0.04 at 128
SCALES = np.geomspace(0.01, 100, CONTRASTS)
SDS = {"independent": 1.0, "shared reference": 2**0.5, "heavy tails": 3**0.5 * SCALES}  # of `noise`
NULLS = list(SDS)


def t_coverage(draws: np.ndarray, truth: float) -> float:
    found = [paired_t(row) for row in draws]
    return float(np.mean([estimate.low <= truth <= estimate.high for estimate in found]))


@pytest.mark.parametrize("n", [3, 5, 10])
def test_t_interval_covers(n):
    rng = np.random.default_rng(n)
    normal = t_coverage(rng.normal(0.3, 1, (RUNS, n)), 0.3)
    heavy = t_coverage(rng.standard_t(3, (RUNS, n)), 0)
    skewed = t_coverage(rng.lognormal(0, 0.7, (RUNS, n)), np.exp(0.7**2 / 2))
    print(f"\nt, n = {n}: normal {normal:.4f}, t with 3 d.f. {heavy:.4f}, lognormal σ = 0.7 {skewed:.4f}")
    assert 0.94 <= normal <= 0.96
    assert heavy >= 0.93


@pytest.mark.parametrize(("n", "truth"), [(5, 0.1), (10, 0.02), (10, 0.5), (50, 0.1)])
def test_clopper_pearson_covers(n, truth):
    ends = [(found.low, found.high) for found in (clopper_pearson(k, n) for k in range(n + 1))]
    low, high = np.array(ends)[np.random.default_rng(n).binomial(n, truth, RUNS)].T
    covered = np.mean((low <= truth) & (truth <= high))
    print(f"\nClopper-Pearson, n = {n}, p = {truth}: {covered:.4f}")
    assert covered >= 0.95


# --- families -----------------------------------------------------------------------------------------------------


def noise(kind: str, n: int, rng: np.random.Generator) -> np.ndarray:
    """(n, CONTRASTS) differences of mean 0."""
    if kind == "heavy tails":
        return rng.standard_t(3, (n, CONTRASTS)) * SCALES
    draws = rng.normal(size=(n, CONTRASTS + 1))
    return draws[:, 1:] - draws[:, :1] if kind == "shared reference" else draws[:, 1:]


def rejects(found: Contrasts) -> np.ndarray:
    return (found.low > 0) | (found.high < 0)


@pytest.mark.parametrize("kind", NULLS)
@pytest.mark.parametrize("n", [10, 16])
def test_max_t_keeps_the_family_wise_error(kind, n):
    rng = np.random.default_rng(n)
    found = [sign_flip_max_t(noise(kind, n, rng)) for _ in range(STUDIES)]
    error = np.mean([study.p.min() <= 0.05 for study in found])
    print(
        f"\nfamily-wise error, max-T, n = {n}, {kind}: {error:.3f}, mean c {np.mean([s.critical for s in found]):.2f}"
    )
    assert error <= 0.065
    assert error == np.mean([rejects(study).any() for study in found])


@pytest.mark.parametrize("kind", NULLS)
def test_bonferroni_and_holm_keep_the_family_wise_error(kind):
    """Holm's step-down rejects something exactly when Bonferroni does: the error of both is the same."""
    rng = np.random.default_rng(5)
    found = [bonferroni_t(noise(kind, 5, rng)) for _ in range(STUDIES)]
    error = np.mean([rejects(study).any() for study in found])
    print(f"\nfamily-wise error, Bonferroni, n = 5, {kind}: {error:.3f}")
    assert error <= 0.065
    assert error == np.mean([study.p.min() <= 0.05 for study in found])


@pytest.mark.parametrize("kind", NULLS)
@pytest.mark.parametrize(("affected", "effect"), [(1, 2), (20, 2), (60, 2), (60, 20)])
def test_max_t_has_power_and_its_intervals_cover_together(affected, effect, kind):
    rng = np.random.default_rng(affected)
    effects = np.where(np.arange(CONTRASTS) < affected, effect, 0.0) * SDS[kind]
    found = [sign_flip_max_t(effects + noise(kind, 10, rng)) for _ in range(STUDIES)]
    power = np.mean([rejects(study)[:affected] for study in found])
    covered = np.mean([np.all((study.low <= effects) & (effects <= study.high)) for study in found])
    false = np.mean([rejects(study)[affected:].any() for study in found])
    setting = f"max-T, n = 10, {kind}, {affected} of 60 at {effect} SD"
    print(f"\n{setting}: power {power:.3f}, all covered {covered:.3f}, error {false:.3f}")
    assert power >= 0.8
    assert covered >= 0.935
    assert false <= 0.065


@pytest.mark.parametrize("effect", [0, 1, 20])
@pytest.mark.parametrize(("n", "contrasts"), [(10, 1), (10, 3), (16, 3), (30, 10)])
def test_small_families_cover_together(n, contrasts, effect):
    rng = np.random.default_rng(n)
    found = [sign_flip_max_t(effect + rng.normal(size=(n, contrasts))) for _ in range(STUDIES)]
    covered = np.mean([np.all((study.low <= effect) & (effect <= study.high)) for study in found])
    print(f"\nmax-T, n = {n}, {contrasts} contrasts at {effect} SD: all covered {covered:.3f}")
    assert covered >= 0.93


@pytest.mark.parametrize("n", [5, 9])
def test_power_below_ten_seeds_is_shown(n):
    rng = np.random.default_rng(n)
    tables = [noise("independent", n, rng) + 2 for _ in range(STUDIES)]
    power = np.mean([rejects(bonferroni_t(table)) for table in tables])
    by_holm = np.mean([holm(stats.ttest_1samp(table, 0).pvalue) <= 0.05 for table in tables])
    print(f"\nn = {n}, 60 of 60 at 2 SD: power of Bonferroni {power:.3f}, of Holm, without intervals, {by_holm:.3f}")
    assert by_holm >= power


# --- the chosen size ----------------------------------------------------------------------------------------------


def curves(mean: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """(RUNS, n, sizes) errors: 4 % of each mean of its own, and 3 % shared by all sizes of a seed."""
    shared = rng.normal(0, 0.03, (RUNS, n, 1))
    return mean * (1 + shared + rng.normal(0, 0.04, (RUNS, n, len(mean))))


def covers(found: ChosenSize, truth: float) -> bool:
    low = np.inf if found.low is None else found.low
    return low <= truth and (found.high is None or truth <= found.high)


@pytest.mark.parametrize("n", [3, 5, 10])
@pytest.mark.parametrize(
    ("case", "threshold", "truth"),
    [
        ("within the grid", 0.1, 32),
        ("1 % below the threshold", CURVE[4] * 1.01, 16),
        ("just missed by the size before", CURVE[4] * 0.99, 32),
        ("exactly at the threshold", CURVE[4], 16),
        ("the grid's last, exactly", CURVE[7], 128),
        ("the grid's first", 0.92, 1),
        ("beyond the grid, just", CURVE[7] * 0.99, np.inf),
        ("beyond the grid", 0.02, np.inf),
    ],
)
def test_chosen_size_covers(case, threshold, truth, n):
    found = [chosen_size(errors, SIZES, threshold) for errors in curves(CURVE, n, np.random.default_rng(n))]
    covered = np.mean([covers(choice, truth) for choice in found])
    right = np.mean([(np.inf if choice.value is None else choice.value) == truth for choice in found])
    print(f"\nchosen size, n = {n}, {case}: interval covers {covered:.4f}, estimate right {right:.3f}")
    assert covered >= 0.95


@pytest.mark.parametrize("length", [2, 4])
def test_a_plateau_at_the_threshold_costs_the_lower_end(length):
    plateau = np.where(np.arange(8) < 8 - length, CURVE, 0.08)
    found = [chosen_size(errors, SIZES, 0.08) for errors in curves(plateau, 5, np.random.default_rng(0))]
    truth = SIZES[8 - length]
    low, high = (
        np.mean([end(choice) for choice in found])
        for end in (lambda c: c.low is None or c.low > truth, lambda c: c.high is not None and c.high < truth)
    )
    print(f"\nplateau of {length} at the threshold, n = 5: low too large {low:.4f}, high too small {high:.4f}")
    assert low <= 0.025 * length + 0.005
    assert high <= 0.03


@pytest.mark.parametrize("n", [6, 10, 20])
def test_non_inferior_size_rarely_claims_too_little(n):
    mean, margin = np.array([0.3, 0.15, 0.05, 0.0, 0.0, 0.02]), 0.05  # size 4 lies exactly at the margin from 8 and 16
    draws = mean + np.random.default_rng(n).normal(0, 0.02, (RUNS, n, 6))
    found = [non_inferior_size(errors, SIZES[:6], margin) for errors in draws]
    wrong = np.mean([choice.high is not None and choice.high <= 4 for choice in found])
    large = np.mean([choice.low > 4 for choice in found])
    print(f"\nnon-inferior size, n = {n}: high below the smallest {wrong:.4f}, low above it {large:.4f}")
    assert max(wrong, large) <= 0.03


@pytest.mark.parametrize("n", [4, 10, 20])
@pytest.mark.parametrize("spread", [0.7, 1.5])
def test_a_plateau_that_just_misses_the_margin_costs_the_upper_end(n, spread):
    """Six sizes 1 worse than the seventh, with a margin of 1: noise may make one of them the best."""
    mean, rng = np.array([1.0] * 6 + [0.0]), np.random.default_rng(n)
    found = [non_inferior_size(mean + rng.normal(0, spread, (n, 7)), SIZES[:7], 1.0) for _ in range(4 * STUDIES)]
    wrong = np.mean([choice.high is not None and choice.high < 64 for choice in found])
    print(f"\nplateau at the margin, n = {n}, spread {spread}: high too small {wrong:.4f}")
    assert wrong <= 0.07
