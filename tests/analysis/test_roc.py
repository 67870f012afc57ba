"""ROC areas against scikit-learn, DeLong's variance pair by pair, and the crossed interval by simulation."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import average_precision_score, roc_auc_score

from analysis import roc
from analysis.statistics import t_interval

SCORES = st.lists(st.integers(0, 6), min_size=2, max_size=20).map(lambda values: np.array(values, float))


def pooled(normal, anomalous):
    return np.repeat([0, 1], [len(normal), len(anomalous)]), np.concatenate([normal, anomalous])


@given(SCORES, SCORES)
def test_area_is_scikit_learns_with_ties(normal, anomalous):
    assert roc.area(normal, anomalous) == pytest.approx(roc_auc_score(*pooled(normal, anomalous)))
    assert roc.area(normal, anomalous) + roc.area(anomalous, normal) == pytest.approx(1)


def test_the_anomaly_is_the_positive_class_and_nothing_is_turned_round():
    assert roc.area([1, 2, 3], [4, 5]) == 1
    assert roc.area([4, 5], [1, 2, 3]) == 0


def test_placements_by_hand():
    """Of 1, 3 and a tie at 2: half of the tie counts."""
    of_anomalous, of_normal = roc.placements([1.0, 2.0, 3.0, 4.0], [2.0, 5.0])
    np.testing.assert_allclose(of_anomalous, [1.5 / 4, 1])
    np.testing.assert_allclose(of_normal, [1, 0.75, 0.5, 0.5])
    assert of_anomalous.mean() == pytest.approx(of_normal.mean()) == pytest.approx(0.6875)


def delong(normal, anomalous):
    """DeLong's variance pair by pair, as in their paper (1988, equations 4 to 6): no ranks, no shortcuts."""
    wins = (np.subtract.outer(anomalous, normal) > 0) + 0.5 * (np.subtract.outer(anomalous, normal) == 0)
    return wins.mean(axis=1).var(ddof=1) / len(anomalous) + wins.mean(axis=0).var(ddof=1) / len(normal)


def test_the_variance_of_one_seed_is_delongs():
    rng = np.random.default_rng(0)
    normal, anomalous = rng.integers(0, 30, 80).astype(float), rng.integers(5, 35, 50).astype(float)
    found = roc.crossed([roc.placements(normal, anomalous)])
    assert found.image_sd**2 == pytest.approx(delong(normal, anomalous))
    assert np.isnan(found.seed_sd) and found.n == 1 and "one seed" in found.method
    assert found.low < found.value < found.high and np.isnan(found.p), "of new images, and of no other seed"


def test_delongs_variance_is_that_of_new_images():
    """20,000 new draws of 60 + 40 images."""
    rng = np.random.default_rng(1)
    normal, anomalous = rng.normal(size=(20_000, 60)), rng.normal(1, 1, size=(20_000, 40))
    areas = [roc.area(x, y) for x, y in zip(normal[:2_000], anomalous[:2_000], strict=True)]
    variances = [delong(x, y) for x, y in zip(normal[:400], anomalous[:400], strict=True)]
    assert np.mean(variances) == pytest.approx(np.var(areas), rel=0.1)


@pytest.mark.parametrize("correlation", [-0.8, 0.8])
def test_anomalies_made_of_the_normal_images_have_the_variance_of_new_pairs(correlation):
    """400 new draws of 200 images and what is made of them; as independent classes they would be off by a quarter."""
    rng = np.random.default_rng(3)
    normal, other = rng.normal(size=(2, 400, 200))
    anomalous = 0.8 + correlation * normal + np.sqrt(1 - correlation**2) * other
    over = [[roc.placements(x, y)] for x, y in zip(normal, anomalous, strict=True)]
    spread = np.std([pairs[0][0].mean() for pairs in over])
    assert np.mean([roc.crossed(pairs, same_images=True).image_sd for pairs in over]) == pytest.approx(spread, rel=0.1)
    assert np.mean([roc.crossed(pairs).image_sd for pairs in over]) != pytest.approx(spread, rel=0.2)


def test_crossed_variance_is_the_sum_of_two_parts_by_hand():
    rng = np.random.default_rng(2)
    over = [roc.placements(rng.normal(size=30), rng.normal(1, 1, 20)) for _ in range(4)]
    found = roc.crossed(over)
    values = np.array([positive.mean() for positive, _ in over])
    positives, negatives = (np.mean([pair[i] for pair in over], axis=0) for i in (0, 1))
    parts = np.array([positives.var(ddof=1) / 20, negatives.var(ddof=1) / 30, values.var(ddof=1) / 4])
    df = parts.sum() ** 2 / (parts**2 / [19, 29, 3]).sum()
    assert (found.value, found.n, found.df) == (pytest.approx(values.mean()), 4, pytest.approx(df))
    assert found.image_sd**2 == pytest.approx(parts[:2].sum()) and found.seed_sd**2 == pytest.approx(parts[2])
    lows, highs, ps = np.transpose([on_logits(values.mean(), parts, [19, 29, 3]), with_a_tied_pair(values, parts, 20)])
    assert (found.low, found.high, found.p) == pytest.approx((lows.min(), highs.max(), ps.max()))


def on_logits(value, parts, below):
    """The interval on the logit scale and its p, by scipy."""
    df = parts.sum() ** 2 / (parts**2 / below).sum()
    se, logit = np.sqrt(parts.sum()) / (value * (1 - value)), np.log(value / (1 - value))
    ends = 1 / (1 + np.exp(-logit - stats.t.ppf([0.025, 0.975], df) * se))
    return *ends, 2 * stats.t.sf(abs(logit) / se, df)


def with_a_tied_pair(values, parts, pairs):
    """Beside 20 pairs, one more that is tied: the area moves by a share of 1 / 21 towards 0.5."""
    shift = (0.5 - values.mean()) / (pairs + 1)
    return on_logits(values.mean() + shift, np.append(parts, shift**2), [19, 29, 3, pairs])


def test_a_difference_and_its_family():
    rng = np.random.default_rng(3)
    pairs = []
    for _ in range(3):
        normal, anomalous = rng.normal(size=50), rng.normal(1, 1, 50)
        a, b = roc.placements(normal, anomalous), roc.placements(normal + rng.normal(size=50), anomalous)
        pairs.append((a[0] - b[0], a[1] - b[1]))
    alone, family = roc.crossed(pairs, True), roc.crossed(pairs, True, comparisons=10)
    assert alone.value == family.value and family.high - family.low > alone.high - alone.low
    assert family.p == pytest.approx(min(1, 10 * alone.p)) and "Bonferroni for 10" in family.method
    assert (family.p <= 0.05) == (family.low > 0 or family.high < 0)


def test_a_perfect_separation_says_no_more_than_its_number_of_images():
    """5 and 8 images: 5 independent pairs, all ordered alike: Clopper-Pearson's interval and the sign test."""
    found = roc.crossed([roc.placements(np.zeros(5), np.ones(8))] * 3)
    expected = stats.binomtest(5, 5, 0.5)
    assert (found.value, found.high) == (1, 1) and "Clopper-Pearson for 5" in found.method
    assert found.low == pytest.approx(expected.proportion_ci(method="exact").low)
    assert found.p == pytest.approx(expected.pvalue)
    turned = roc.crossed([roc.placements(np.ones(8), np.zeros(5))])
    assert (turned.low, turned.value, turned.high) == (0, 0, pytest.approx(1 - found.low))
    one = roc.placements(np.zeros(5), np.ones(8))
    same = roc.crossed([(one[0] - one[0], one[1] - one[1])] * 2, True)
    margin = 1 - found.low
    assert (same.low, same.value, same.high, same.p) == (pytest.approx(-margin), 0, pytest.approx(margin), 1)


def misordered(count, normal=1_000, anomalous=360):
    """Placements where so many anomalies, the first ones, each score below one normal image alone."""
    scores = np.arange(float(normal))
    return roc.placements(scores, np.where(np.arange(anomalous) < count, normal - 1.5, normal + 1.0))


def test_one_pair_out_of_order_takes_little_from_the_certainty_that_none_gives_and_a_better_area_nothing():
    found = [roc.crossed([misordered(count)] * 3) for count in (0, 1, 2, 5, 20, 100, 360)]
    assert all(after.value < before.value for before, after in itertools.pairwise(found))
    assert all(1 - better.low <= 1.2 * (1 - worse.low) for better, worse in itertools.combinations(found, 2))
    assert all(after.high <= before.high for before, after in itertools.pairwise(found))
    none, one = found[:2]
    assert (none.low, one.low) == (pytest.approx(0.9898, abs=1e-4), pytest.approx(0.9903, abs=1e-3))
    assert one.low < one.value < one.high < 1


@pytest.mark.parametrize(("wrong", "least"), [(7e-4, 0.95), (0.1, 0.92)])
def test_the_interval_of_an_area_near_1_covers_it(wrong, least):
    """Of 1,000 normal and 360 anomalous images: symmetric about the area it covers an area of 0.9993 in 83 %."""
    rng = np.random.default_rng(8)
    apart, hit = -stats.norm.ppf(wrong) * np.sqrt(2), 0
    for _ in range(400):
        found = roc.crossed([roc.placements(rng.normal(size=1_000), rng.normal(apart, 1, 360))])
        hit += found.low <= 1 - wrong <= found.high
    assert least <= hit / 400


def test_two_areas_near_1_are_not_told_apart_too_often():
    """Two scores of the same images, alike in distribution, each area 0.99: 5 % or less are told apart."""
    rng = np.random.default_rng(9)
    apart, told = -stats.norm.ppf(0.01) * np.sqrt(2), 0
    for _ in range(300):
        images = rng.normal(size=300), rng.normal(apart / 0.8, 1, 130)
        of = [roc.placements(*(0.8 * side + 0.6 * rng.normal(size=len(side)) for side in images)) for _ in range(2)]
        found = roc.crossed([tuple(np.subtract(*pair) for pair in zip(*of, strict=True))], True)
        told += found.low > 0 or found.high < 0
    assert told / 300 <= 0.06


def own_normal_images(interval, studies=300, seeds=5, anomalous=130):
    """How often the true area is covered where all seeds share the anomalies and nothing else."""
    rng = np.random.default_rng(10)
    truth, hit = stats.norm.cdf(1.2 / np.sqrt(2)), 0
    for _ in range(studies):
        anomalies = rng.normal(1.2, 1, anomalous)
        found = interval([roc.placements(rng.normal(size=500 + seed), anomalies) for seed in range(seeds)])
        hit += found.low <= truth <= found.high
    return hit / studies


def test_with_normal_images_of_their_own_the_anomalies_are_still_those_of_all_seeds():
    """The seeds' spread holds other normal images, and no other anomalies: a t interval covers in half of all cases."""
    assert own_normal_images(lambda over: roc.crossed(over, own="normal")) >= 0.92
    assert own_normal_images(lambda over: t_interval([positive.mean() for positive, _ in over])) < 0.6


def test_the_parts_of_a_variance_are_of_the_images_that_seeds_share():
    rng = np.random.default_rng(11)
    over = [roc.placements(rng.normal(size=30 + seed), rng.normal(1, 1, 20)) for seed in range(4)]
    of_seeds = np.var([positive.mean() for positive, _ in over], ddof=1) / 4
    of_anomalies = np.mean([positive for positive, _ in over], axis=0).var(ddof=1) / 20
    normal, every = (roc.crossed(over, own=own) for own in ("normal", "all"))
    assert normal.image_sd**2 == pytest.approx(of_anomalies) and every.image_sd == 0
    assert normal.seed_sd**2 == every.seed_sd**2 == pytest.approx(of_seeds)
    assert "anomalies (DeLong) and seeds with their normal images crossed" in normal.method
    assert "seeds with their images" in every.method
    assert roc.crossed(over[:1], own="all").image_sd == roc.crossed(over[:1]).image_sd > 0


def test_ends_stay_within_what_can_be():
    scores = np.arange(20.0)
    found = roc.crossed([roc.placements(scores, np.append(scores[1:] + 20, 18.5))])
    assert found.value < found.high < 1
    few = np.array([1.0, -1.0, -1.0])
    found = roc.crossed([(few, few)], True)
    assert found.low == -1 and found.value == pytest.approx(-1 / 3) and 0 < found.high <= 1


def coverage(interval, studies=1_500, seeds=5, images=60):
    """Studies with random seeds and random images: scores = image + effect of the seed + of both."""
    rng = np.random.default_rng(4)
    truth = stats.norm.cdf(1 / np.sqrt(2 * (1 + 0.3**2 + 0.2**2 / 2 + 0.2**2 / 2)))
    hit = 0
    for _ in range(studies):
        normal, anomalous = rng.normal(size=images), rng.normal(1, 1, images)
        over = []
        for _ in range(seeds):
            shift = 0.2 * rng.normal(size=2)
            over.append(
                roc.placements(
                    normal + shift[0] + 0.3 * rng.normal(size=images),
                    anomalous + shift[1] + 0.3 * rng.normal(size=images),
                )
            )
        low, high = interval(over)
        hit += low <= truth <= high
    return hit / studies


@pytest.mark.slow
def test_the_crossed_interval_covers_new_seeds_and_new_images():
    """92 to 97 % where 95 % is promised; seeds alone cover far less, images alone less."""

    def crossed(over):
        found = roc.crossed(over)
        return found.low, found.high

    def of_seeds(over):
        values = [positive.mean() for positive, _ in over]
        return stats.t.interval(0.95, len(values) - 1, np.mean(values), stats.sem(values))

    assert 0.92 <= coverage(crossed) <= 0.97
    assert coverage(of_seeds) < 0.85


def test_average_precision_weighs_both_classes_alike():
    """By hand: scores 4 (anomaly), 3 (normal), 2 (anomaly), 1 (normal) at 50 %: precision 1 and 2/3; mean 5/6.

    Ten times as many normal images with the same scores change nothing.
    """
    assert roc.average_precision([3, 1], [4, 2]) == pytest.approx(5 / 6)
    assert roc.average_precision([3, 1] * 10, [4, 2]) == pytest.approx(5 / 6)
    rng = np.random.default_rng(5)
    normal, anomalous = rng.normal(size=40), rng.normal(1, 1, 40)
    assert roc.average_precision(normal, anomalous) == pytest.approx(
        average_precision_score(*pooled(normal, anomalous))
    )


def test_false_positives_at_95_percent_by_hand():
    """Of 200 anomalies 0 … 199, 190 are at 10 or above; of normal images -100 … 99, 90 are."""
    anomalous, normal = np.arange(200.0), np.arange(-100.0, 100.0)
    assert roc.false_positives(normal, anomalous) == pytest.approx(90 / 200)
    assert roc.false_positives(normal - 1_000, anomalous) == 0
    assert np.isnan(roc.false_positives(normal[:199], anomalous))
    assert np.isnan(roc.false_positives(normal, anomalous[:199]))


def test_the_curve_encloses_the_area():
    rng = np.random.default_rng(6)
    normal, anomalous = rng.integers(0, 9, 60), rng.integers(2, 11, 40)
    false, true = roc.curve(normal, anomalous)
    assert np.trapezoid(true, false) == pytest.approx(roc.area(normal, anomalous))
    assert (false[0], true[0], false[-1], true[-1]) == (0, 0, 1, 1)
