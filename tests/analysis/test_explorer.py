"""What the explorer computes of a model, packs, chooses and refuses; the page itself is opened in tests/browser."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.decomposition import PCA

from analysis import explorer, explorer_content, explorer_gather, explorer_models, explorer_page
from study.errors import InputError

SHAPES = st.tuples(st.integers(1, 5), *[st.integers(1, 4)] * 2, st.integers(1, 3))


@given(SHAPES, st.integers(0, 2**32 - 1), st.booleans())
def test_pictures_come_out_of_the_page_as_they_went_in(shape, seed, smooth):
    rng = np.random.default_rng(seed)
    pictures = rng.integers(0, 256, shape).astype(np.uint8)
    if smooth:
        pictures = np.cumsum(pictures % 3, axis=0).astype(np.uint8)
    content = explorer_content.packed(pictures)
    np.testing.assert_array_equal(explorer_content.unpacked(content, shape), pictures)


def test_neighbours_on_a_grid_are_packed_as_differences():
    ramp = np.arange(50, dtype=np.uint8)[:, None, None, None] + np.random.default_rng(0).integers(
        0, 200, (1, 16, 16, 3)
    ).astype(np.uint8)
    content = explorer_content.packed(ramp)
    assert content["lag"] == 16 * 16 * 3
    assert len(content["data"]) < ramp.size / 20


@pytest.mark.parametrize(("k", "axes"), [(1, 1), (2, 2)])
def test_up_to_two_dimensions_the_plane_is_the_latent_space(k, axes):
    codes = np.random.default_rng(0).normal(size=(30, k))
    plane = explorer_models.plane_of(codes)
    np.testing.assert_array_equal(plane.places(codes), codes)
    np.testing.assert_array_equal(plane.low, codes.min(axis=0))
    nodes = plane.nodes()
    assert nodes.shape == ((101, 1) if axes == 1 else (441, 2))
    assert nodes[1, 0] - nodes[0, 0] == pytest.approx(np.ptp(codes[:, 0]) / (100 if axes == 1 else 20))
    if axes == 2:
        assert nodes[1, 1] == nodes[0, 1] and nodes[21, 0] == nodes[0, 0]  # the first axis runs fastest
        np.testing.assert_allclose(plane.centres()[0], (nodes[0] + nodes[22]) / 2)
        assert len(plane.centres()) == 400


def test_above_two_dimensions_it_is_that_of_the_two_principal_directions():
    codes = np.random.default_rng(1).normal(size=(50, 6)) * [5, 1, 3, 0.5, 0.2, 0.1] + 7
    plane, pca = explorer_models.plane_of(codes), PCA(2).fit(codes)
    np.testing.assert_allclose(np.abs(plane.places(codes)), np.abs(pca.transform(codes)), atol=1e-9)
    np.testing.assert_allclose(plane.share, pca.explained_variance_ratio_, rtol=1e-9)
    np.testing.assert_allclose(plane.codes(np.zeros((1, 2)))[0], codes.mean(axis=0))
    places = np.array([[1.0, -2.0]])
    np.testing.assert_allclose(plane.places(plane.codes(places)), places)


def test_a_collapsed_encoder_still_has_a_plane():
    plane = explorer_models.plane_of(np.full((9, 2), 4.0))
    assert (plane.high > plane.low).all() and np.isnan(plane.share).all()
    assert plane.low[0] < 4 < plane.high[0]


@pytest.mark.parametrize("counts", [(101,), (21, 21)])
def test_a_linear_decoder_is_interpolated_without_error_and_a_curved_one_is_not(counts):
    axes = [np.linspace(0, 1, count) for count in counts]
    plane = explorer_models.Plane(
        np.zeros(len(counts)), np.eye(len(counts)), *(np.full(len(counts), end) for end in (0.0, 1.0)), np.ones(1)
    )
    linear = lambda places: places.mean(axis=1)[:, None, None, None] * np.ones((1, 2, 2, 1))  # noqa: E731
    assert len(axes) == plane.nodes().shape[1]
    nodes = np.round(255 * linear(plane.nodes())).astype(np.uint8)
    mean, most = explorer_models.off_grid(nodes, linear(plane.centres()), counts)
    assert mean < most <= 0.5 / 255 + 1e-9
    jump = linear(plane.centres()) * 0
    jump[7] = 1
    mean, most = explorer_models.off_grid(nodes * 0, jump, counts)
    assert (mean, most) == (1 / len(jump), 1)


def test_walks_go_along_straight_lines_in_the_order_of_pairs():
    codes = np.array([[0.0, 0], [8, 0], [0, 16]])
    walks = explorer_models.between(codes).reshape(3, 7, 2)
    np.testing.assert_allclose(walks[0], [[t, 0] for t in range(1, 8)])  # 0 → 1
    np.testing.assert_allclose(walks[2, 0], [7, 2])  # 1 → 2


def test_walks_join_one_image_of_each_class_then_others():
    assert explorer_gather.walk_ends(np.array([3, 3, 1, 3, 2]), 5).tolist() == [2, 4, 0, 1, 3]
    assert explorer_gather.walk_ends(None, 4).tolist() == [0, 1, 2, 3]
    labels = np.arange(25) % 12
    assert explorer_gather.walk_ends(labels, 25).tolist() == list(range(10))


def trials(**columns):
    rows = [
        dict(
            trial=f"a-k{k}-s{seed:02d}",
            seed=seed,
            status="completed",
            randomness="all",
            latent_dim=k,
            test_mse=k + seed,
        )
        for k in (1, 2)
        for seed in (0, 1, 2)
    ]
    return pd.DataFrame(rows).assign(**columns)


def test_the_lowest_completed_seed_of_each_cell_is_shown():
    table = trials(status=["error", "completed", "completed"] + ["completed"] * 3)
    assert explorer.choose(table, "*", "x")["trial"].tolist() == ["a-k1-s01", "a-k2-s00"]
    assert explorer.choose(table, "*-s02", "x")["trial"].tolist() == ["a-k1-s02", "a-k2-s02"]
    named = r"--cells 'b\*' \(6 trials, 5 completed\).* for instance, a-k1-s01 and a-k2-s02\.$"
    with pytest.raises(InputError, match=named):
        explorer.choose(table, "b*", "x")
    with pytest.raises(InputError, match=r"Run: python -m study.search x$"):
        explorer.choose(trials(randomness="weights"), "*", "x")


def test_the_error_over_seeds_is_that_of_the_cell():
    table = trials()
    found = explorer_content.over_seeds(table, table.iloc[3])  # its errors are 2, 3 and 4
    assert (found["value"], found["n"]) == (pytest.approx(24 ** (1 / 3)), 3)
    half = 4.302652729749464 * np.std(np.log([2, 3, 4]), ddof=1) / np.sqrt(3)
    assert [found["low"], found["high"]] == pytest.approx([24 ** (1 / 3) * np.exp(s * half) for s in (-1, 1)])


def test_other_settings_are_named_where_they_are_not_the_baselines():
    baseline = dict(depth=None, train_size=None, normal_class=None, preprocessing="unit")
    baseline |= dict(randomness="all", learning_rate=1e-3, batch_size=32)
    row = pd.Series({**baseline, "depth": 4.0, "train_size": np.nan}, dtype=object)
    assert explorer_content.variant_of(row, baseline) == "depth 4"
    assert explorer_content.variant_of(pd.Series(baseline, dtype=object), baseline) == "as the baseline"


def test_a_page_too_large_says_what_to_do():
    explorer_gather.check_size(9_900_000, 10)
    with pytest.raises(InputError, match=r"12\.0 MB; allowed are 10\..*--cells.*--images.*--limit 14"):
        explorer_gather.check_size(12_000_000, 10)


@pytest.mark.parametrize("options", [["--images", "1"], ["--limit", "0"]])
def test_options_out_of_range_are_refused(options, capsys):
    assert explorer.main(options) == 2
    assert "at least 2 images; more than 0 MB" in capsys.readouterr().err


def test_content_cannot_end_its_script_element():
    text = "</script><!-- <script> & \u2028"
    embedded = explorer_page.embedded({text: [text]})
    assert not set("<>&\u2028") & set(embedded)
    assert json.loads(embedded) == {text: [text]}


def test_the_page_is_the_same_for_the_same_content():
    content = {"study": "a & b", "models": [], "images": {}, "curves": [], "notices": []}
    page = explorer_page.page(content)
    assert page == explorer_page.page(content)
    assert "<title>Explorer of the study a &amp; b</title>" in page
    assert "http" not in page.replace("http-equiv", "").replace("http://www.w3.org/2000/svg", "")


def test_curves_are_those_of_the_elbow_analysis(tmp_path):
    cell = dict(
        dataset="d", architecture="a", latent_dim=4, loss="mse", regularizer="none", depth=None, train_size=None
    )
    cell |= dict(normal_class=None, preprocessing="unit", randomness="all", learning_rate=1e-3, batch_size=32)
    assert explorer_content.curves(tmp_path, pd.DataFrame([cell])) == []
    point = dict(curve="d, a", metric="val_mse", relative=0.5, low=np.nan, high=np.nan, pca_relative=0.6, n=1)
    point |= dict(excluded=False)
    sizes = [{**cell, "latent_dim": k, "split": s, **point} for k in (4, 8) for s in ("val", "test")]
    pd.DataFrame(sizes).to_csv(tmp_path / "curve.csv", index=False)
    rule = dict(curve="d, a", rule="≤ 20 %", threshold=0.2, value=np.nan, low=8, high=np.nan, choice="> 8 [8, > 8]")
    rules = [{**rule, "n": 1, "method": "m", "shortened": shortened} for shortened in (False, True)]
    pd.DataFrame(rules).to_csv(tmp_path / "elbow.csv", index=False)
    (found,) = explorer_content.curves(tmp_path, pd.DataFrame([{**cell, "trial": "mine"}]))
    assert [(p["k"], p["trial"], p["low"]) for p in found["points"]] == [(4, "mine", None), (8, None, None)]
    assert [(r["value"], r["low"], r["choice"]) for r in found["rules"]] == [(None, 8, "> 8 [8, > 8]")]


def test_progress_stops_a_page_that_grows_too_large_before_all_is_computed(capsys):
    progress = explorer_gather._Progress(40, 1.0)
    progress.say("first")
    progress.done(600_000)
    progress.say("second")
    with pytest.raises(InputError, match=r"would have about 24\.0 MB"):
        progress.done(600_000)
    assert "explorer: 2/40 second, 0.6 MB so far, about" in capsys.readouterr().err


def test_the_command_asks_for_a_study_that_is_there(tmp_path, capsys):
    assert explorer.main(["--artifacts", str(tmp_path)]) == 2
    assert "study.search quick" in capsys.readouterr().err
