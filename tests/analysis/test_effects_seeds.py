"""The seed that makes most of the spread of a contrast: named by a rule, and only where it matters."""

import numpy as np
import pandas as pd
import pytest

from analysis import effects_seeds

NONE = [np.nan] * 4


def apart(ratios):
    pairs = pd.DataFrame({"seed": np.arange(len(ratios)) + 5, "difference": np.log(ratios)})
    key = {"family": "f", "cell": "c", "reference": "r"}
    found = effects_seeds.with_seed_apart(pd.DataFrame([key, {**key, "cell": "unpaired"}]), pairs.assign(**key))
    assert found.loc[1, list(effects_seeds.COLUMNS)].isna().all()
    return found.loc[0]


@pytest.mark.parametrize(
    ("ratios", "expected"),
    [
        ([0.57, 0.39, 0.38, 0.385], [5, 0.57, 0.38, 0.39]),
        ([0.39, 0.38, 0.1, 0.385], [7, 0.1, 0.38, 0.39]),
        ([1.15, 1.16, 1.1601, 1.16], NONE),  # far from the others, but by 1 %
        ([0.5, 0.39, 0.33, 0.36], NONE),  # within three times their range
        ([0.57, 0.39, 0.38], NONE),  # of three, one always lies apart
        ([0.5], NONE),
    ],
)
def test_one_seed_is_named_where_it_lies_far_from_all_others(ratios, expected):
    row = apart(ratios)
    np.testing.assert_allclose(row[list(effects_seeds.COLUMNS)].astype(float), expected)
    said = [*effects_seeds.named(row.to_dict())]
    assert len(said) == (not np.isnan(expected[0]))


def test_in_words():
    (said,) = effects_seeds.named(apart([0.57, 0.39, 0.38, 0.385]).to_dict())
    assert said == "most of the spread is one seed's: 0.57 in seed 5, 0.38 to 0.39 in the others"


@pytest.mark.parametrize(("n", "share"), [(4, 0.15), (10, 0.0)])
def test_how_often_a_seed_lies_apart_by_chance(n, share):
    rng = np.random.default_rng(0)
    named = [effects_seeds._apart(np.arange(n), logs)["seed_apart"] for logs in rng.normal(size=(2000, n))]
    assert np.mean(np.isfinite(named)) == pytest.approx(share, abs=0.02)
