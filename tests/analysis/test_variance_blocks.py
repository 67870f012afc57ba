"""The decomposition of full factorial blocks: by hand, by projection, and its promises of any numbers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import stats

from analysis.variance_blocks import RESIDUAL, SEED, decompose, method

BY_HAND = [[[1.0, 3.0], [5.0, 7.0]], [[2.0, 4.0], [6.0, 10.0]]]  # 2 seeds × a × b


def terms(values, factors=("a", "b")):
    return {one.effect: one for one in decompose(values, factors)}


def test_by_hand():
    """Cell means 1.5, 3.5, 5.5, 8.5; grand mean 4.75; seed means 4 and 5.5."""
    found = terms(BY_HAND)
    assert [found[name].ss for name in ("a", "b", "a × b", SEED, RESIDUAL)] == pytest.approx(
        [40.5, 12.5, 0.5, 4.5, 1.5]
    )
    # the effect of a is 2 in seed 0 and 2.5 in seed 1; that of b 1 and 1.5; their product's 0 and 0.5
    assert [found[name].ss_error for name in ("a", "b", "a × b")] == pytest.approx([0.5, 0.5, 0.5])
    assert [found[name].variance for name in ("a", "b", "a × b")] == pytest.approx([40 / 8, 12 / 8, 0.0])
    assert found[RESIDUAL].variance == pytest.approx(1.5 / 3)
    assert found[SEED].variance == pytest.approx((4.5 - 0.5) / 4)
    assert found["a"].share == pytest.approx(5 / 8) and found["a"].p == pytest.approx(stats.f.sf(81, 1, 1))
    assert np.isnan(found["a"].low)  # 2 seeds
    assert "2 seeds are too few" in method(2)


def dummies(shape):
    """Orthonormal columns of every term of a factorial, by QR of products of contrast matrices."""
    bases = [np.linalg.qr(np.column_stack([np.ones(n), np.eye(n)[:, :-1]]))[0] for n in shape]
    split = [(basis[:, :1], basis[:, 1:]) for basis in bases]
    columns = {}
    for which in np.ndindex(*(2 for _ in shape)):
        found = np.ones((1, 1))
        for part, pick in zip(split, which, strict=True):
            found = np.kron(found, part[pick])
        columns[which] = found
    return columns


def test_three_factors_against_projections():
    """Sums of squares are squared lengths of projections on orthogonal columns, whatever the number of levels."""
    shape = (4, 2, 3, 3)
    values = np.random.default_rng(0).normal(size=shape)
    columns = {which: np.square(c.T @ values.ravel()).sum() for which, c in dummies(shape).items()}
    found = terms(values, ("a", "b", "c"))
    names = {(1, 0, 0): "a", (0, 1, 0): "b", (0, 0, 1): "c", (1, 1, 0): "a × b", (1, 0, 1): "a × c", (0, 1, 1): "b × c",
             (1, 1, 1): "a × b × c"}  # fmt: skip
    for which, name in names.items():
        assert found[name].ss == pytest.approx(columns[(0, *which)])
        assert found[name].ss_error == pytest.approx(columns[(1, *which)])
        df = int(np.prod([n - 1 for n, there in zip(shape[1:], which, strict=True) if there]))
        assert (found[name].df, found[name].df_error) == (df, 3 * df)
        f = columns[(0, *which)] / (columns[(1, *which)] / 3)
        assert found[name].p == pytest.approx(stats.f.sf(f, df, 3 * df))
    assert found[SEED].ss == pytest.approx(columns[(1, 0, 0, 0)])


@settings(max_examples=40, deadline=None)
@given(arrays.arrays(float, (4, 2, 3), elements=st.floats(-5, 5)), st.floats(-3, 3), st.floats(0.1, 4))
def test_the_parts_add_up_and_keep_their_shares_under_shift_and_scale(values, shift, scale):
    found = decompose(values, ("a", "b"))
    total = np.square(values - values.mean()).sum()
    assert sum(one.ss for one in found) == pytest.approx(total, abs=1e-9)
    assert sum(one.df for one in found) == values.size - 1
    rest = values - values.mean(axis=0) - values.mean(axis=(1, 2), keepdims=True) + values.mean()
    expected = values.mean(axis=0).var() + values.var(axis=0, ddof=1).mean() - np.square(rest).sum() / 3 / values.size
    assert sum(one.variance for one in found) == pytest.approx(expected, abs=1e-9)
    if sum(one.variance for one in found) > 1e-6:
        moved = decompose(scale * values + shift, ("a", "b"))
        assert [one.share for one in moved] == pytest.approx([one.share for one in found], abs=1e-6)
        assert sum(one.share for one in found) == pytest.approx(1)
        assert all(0 <= one.low <= one.high <= 1 for one in found if one.low == one.low)


def test_seeds_and_cells_in_another_order_change_nothing():
    values = np.random.default_rng(1).normal(size=(5, 3, 2))
    found, moved = decompose(values, ("a", "b")), decompose(values[::-1, [2, 0, 1]], ("a", "b"))
    for one, other in zip(found, moved, strict=True):
        assert (one.share, one.low, one.high) == pytest.approx((other.share, other.low, other.high))


def test_without_noise_the_shares_are_the_effects_own():
    mean = np.array([0.0, 1.0, 5.0])[:, None] + np.array([0.0, 2.0])
    found = terms(np.repeat(mean[None], 4, axis=0))
    variances = [np.var([0, 1, 5]), np.var([0, 2])]
    assert [found["a"].share, found["b"].share] == pytest.approx(np.array(variances) / sum(variances))
    assert (found["a"].p, found["a"].low) == (pytest.approx(0), pytest.approx(found["a"].share))
    assert found["a × b"].share == pytest.approx(0, abs=1e-12)


def test_where_every_replicate_is_cut_off_at_0_there_is_no_interval():
    """b is -0.1 to 0.1 in turn over the seeds: without any of them its mean square is less than chance makes of it."""
    b = np.array([-0.1, 0.1, -0.1, 0.1])[:, None, None] * np.array([-1, 1])
    values = np.array([0.0, 1.0])[:, None] + b + np.random.default_rng(0).normal(0, 0.01, (4, 2, 2))
    found = terms(values)
    assert found["b"].share < 0 and np.isnan([found["b"].low, found["b"].high]).all()
    assert 0 < found["a"].low < found["a"].high and 0 < found[RESIDUAL].low < found[RESIDUAL].high
    assert "none where all replicates are 0 or less" in method(4)


@pytest.mark.parametrize(
    "values", [np.zeros((1, 2, 2)), np.zeros((3, 1, 2)), np.zeros((3, 4)), [[[np.nan, 1], [1, 1]]] * 2]
)
def test_what_is_no_balanced_block(values):
    with pytest.raises(ValueError):
        decompose(values, ("a", "b"))


@pytest.mark.slow
@pytest.mark.parametrize("cells", [(2, 2), (4, 3)])
@pytest.mark.parametrize("n", [3, 5, 10])
@pytest.mark.parametrize("alike", [True, False])
@pytest.mark.parametrize("effects", [(1, 0.1, 0.01), (0.1, 0.1, 0.1), (0.01, 0.01, 0)])
def test_shares_are_unbiased_and_their_intervals_cover(cells, n, alike, effects):
    """Known variances: of a, b, a × b, 0.1² of the seed and 0.2² of the rest, alike in all cells or rising tenfold."""
    rng, runs = np.random.default_rng(n), 1000
    a, b = (np.linspace(-1, 1, k) / np.linspace(-1, 1, k).std() for k in cells)
    product = np.outer(a, b) / np.outer(a, b).std()
    mean = np.sqrt(effects[0]) * a[:, None] + np.sqrt(effects[1]) * b + np.sqrt(effects[2]) * product
    sd = np.ones(cells) if alike else np.repeat(np.geomspace(0.3, 3, cells[0])[:, None], cells[1], axis=1)
    sd *= 0.2 / np.sqrt(np.square(sd).mean())
    truth = np.array([*effects, 0.01, 0.04])
    shares, covered = [], []
    for _ in range(runs):
        values = mean + 0.1 * rng.normal(size=(n, 1, 1)) + sd * rng.normal(size=(n, *cells))
        found = decompose(values, ("a", "b"))
        shares.append([one.variance for one in found])
        covered.append(
            [not (one.low > t + 1e-9 or t > one.high) for one, t in zip(found, truth / truth.sum(), strict=True)]
        )  # no interval excludes nothing
    error = np.std(shares, axis=0) / np.sqrt(runs)
    print(f"\n{cells}, n = {n}, alike {alike}, {effects}: covered {np.mean(covered, axis=0).round(3)}")
    assert np.all(np.abs(np.mean(shares, axis=0) - truth) < 4 * error)
    assert np.all(np.mean(covered, axis=0) >= 0.88)
