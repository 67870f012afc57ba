"""Galleries of stored reconstructions: their errors by hand, what seeds share, and the command without a model."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from analysis import reconstructions, reconstructions_text
from analysis.reconstructions_estimates import KINDS, estimate, over_cells
from analysis.reconstructions_figure import CELLS, _caption, chosen, draw_all
from study import datasets, metrics, preprocessing, records
from study.errors import InputError
from study.space import DEFAULTS, cell_name

INDEX = np.arange(100, 132)
BASE = {**DEFAULTS, "dataset": "digits", "architecture": "dense", "latent_dim": 2, "loss": "mse"}


@pytest.fixture(scope="module")
def digits():
    return datasets.load("digits", None)


def table(sizes=(2, 4), seeds=3, **levels):
    rows = []
    for k in sizes:
        cell = BASE | {"latent_dim": k} | levels
        rows += [
            {**cell, "trial": f"{cell_name(cell)}-s{s:02d}", "seed": s, "status": "completed", "collapsed": False}
            for s in range(seeds)
        ]
    return pd.DataFrame(rows)


def stored(digits):
    """Every trial's pictures: the image, darkened by its seed's own factor."""

    def examples(trial, *_):
        made = digits.x_test[INDEX] / 16 * (1 - 0.1 * (1 + int(trial[-2:])))
        return {"index": INDEX, "codes": np.zeros((32, 2)), "reconstructions": np.round(255 * made).astype(np.uint8)}

    return examples


@pytest.fixture(scope="module")
def usual(digits):
    return estimate(table(), lambda name: digits, stored(digits))


def test_errors_image_by_image(usual, digits):
    rows = usual.images[usual.images["trial"] == "digits-dense-k4-mse-s01"]
    assert list(rows["test_index"]) == list(INDEX)
    assert list(rows["kind"]) == ["median"] * 16 + ["worst tenth"] * 16
    image = digits.x_test[107] / 16
    assert rows.iloc[7]["mse"] == pytest.approx(np.square(0.2 * image).mean(), rel=0.05)  # 8 bits a pixel
    assert len(usual.images) == 2 * 3 * 32


def test_a_cell_over_its_seeds(usual):
    rows = usual.images[(usual.images["cell"] == "digits-dense-k2-mse") & (usual.images["kind"] == "median")]
    logs = np.log(rows.groupby("seed")["mse"].mean())
    row = usual.cells.iloc[0]
    assert (row["error"], row["n"], row["images"]) == (pytest.approx(np.exp(logs.mean())), 3, 16)
    assert row["low"] < row["error"] < row["high"] and "geometric mean over seeds, 95 % t interval" in row["method"]


def test_what_all_seeds_have_in_common(usual):
    """Errors of 0.1, 0.2 and 0.3 times the image: their mean square is 0.14 / 3, the variance of the factors 0.01."""
    np.testing.assert_allclose(usual.cells["common"], 1 - 0.01 / (0.14 / 3), rtol=0.02)


def test_equal_seeds_share_all_and_one_seed_says_nothing(digits):
    same = stored(digits)
    found = estimate(table(), lambda name: digits, lambda trial: same("x-s00"))
    np.testing.assert_allclose(found.cells["common"], 1)
    one = estimate(table(seeds=1), lambda name: digits, same)
    assert one.cells["common"].isna().all() and one.cells["low"].isna().all()
    assert any("one seed" in text for text in reconstructions_text.sentences(one))


def test_classes_and_preprocessings_are_galleries_of_their_own(digits):
    trials = pd.concat([table(), table(normal_class=1), table(normal_class=1, preprocessing="l1_contrast")])
    found = estimate(trials, lambda name: digits, stored(digits))
    assert [gallery.name for gallery in found.galleries] == ["digits", "digits-class1", "digits-class1-l1_contrast"]
    train = datasets.split(digits, 2, None, 1).train
    seen = preprocessing.fit("l1_contrast", train, digits.value_range)(digits.x_test[INDEX])
    rows = found.images[found.images["trial"] == "digits-dense-k2-mse-class1-l1_contrast-s02"]
    made = stored(digits)("x-s02")["reconstructions"] / np.float32(255)
    np.testing.assert_allclose(rows["mse"], metrics.squared_error(seen, made))


def test_failed_trials_and_single_sources_are_left_out(digits):
    trials = pd.concat([table(), table(randomness="weights")], ignore_index=True)
    trials.loc[0, "status"] = "diverged"
    found = estimate(trials, lambda name: digits, stored(digits))
    assert set(found.galleries[0].pictures) == {"digits-dense-k2-mse", "digits-dense-k4-mse"}
    assert list(found.galleries[0].pictures["digits-dense-k2-mse"]) == [1, 2]


def test_a_trial_without_examples_is_said(digits):
    def gone(trial):
        if trial.endswith("k4-mse-s00"):
            raise InputError(f"{trial} has no examples")
        return stored(digits)(trial)

    found = estimate(table(), lambda name: digits, gone)
    said = "digits-dense-k4-mse-s00 was left out: digits-dense-k4-mse-s00 has no examples"
    assert reconstructions_text.sentences(found)[-1] == said
    with pytest.raises(InputError, match="s00 has no examples"):
        estimate(table(sizes=(4,), seeds=1), lambda name: digits, gone)


@pytest.mark.parametrize(("seeds", "images"), [(1, 6), (3, 6), (5, 4), (10, 2)])
def test_as_many_median_images_as_worst_ones(seeds, images):
    shown = chosen(32, seeds)
    assert len(shown) == images and sum(place < 16 for place in shown) == images // 2
    assert shown[0] == 0 and shown[images // 2] == 16 and images * seeds <= 20


def test_many_cells_and_seeds_are_paged(digits):
    found = estimate(table(sizes=range(1, CELLS + 4), seeds=11), lambda name: digits, stored(digits))
    pages = dict(draw_all(found))
    assert list(pages) == [f"digits-{number}" for number in (1, 2, 3, 4)]
    first, last = pages["digits-1"].axes[0], pages["digits-4"].axes[0]
    assert len(first.get_images()) == 2 * (1 + 10 * CELLS) and len(last.get_images()) == 6 * (1 + 3)
    assert "Page 4 of 4" in pages["digits-4"].get_supxlabel() and "seed 10." in pages["digits-4"].get_supxlabel()


def test_what_holds_over_cells_is_a_table():
    rows = [
        (cell, kind, error)
        for cell, errors in {"a": (1, 2), "b": (1, 4)}.items()
        for kind, error in zip(KINDS, errors, strict=True)
    ]
    cells = pd.DataFrame(rows, columns=["cell", "kind", "error"])
    cells = cells.assign(shown="all", common=[0.5, 0.7, 0.9, 0.9], n=4, collapsed=0)
    (row,) = over_cells(cells, {"all": 2.5}).to_dict("records")
    assert (row["cells"], row["ratio"], row["ratio_least"], row["ratio_greatest"]) == (2, 3, 2, 4)
    assert (row["mean_image_ratio"], row["above"], row["collapsed"]) == (2.5, 1, 0)
    assert (row["common_least"], row["common_least_cell"], row["common_greatest_cell"]) == (0.6, "a", "b")
    (alone,) = over_cells(cells[cells["kind"] == "median"].assign(common=np.nan), {"all": 2.5}).to_dict("records")
    assert alone["cells"] == 0 and alone["common_cells"] == 0 and alone["n"] == 0
    some = cells.assign(collapsed=[0, 0, 1, 0])
    (row,) = over_cells(some, {"all": 2.5}).to_dict("records")
    assert (row["cells"], row["collapsed"], row["ratio"], row["common_greatest_cell"]) == (1, 1, 2, "a")
    (said,) = reconstructions_text._common(row)
    assert said.startswith("60 % (a) of the squared error is common to all seeds of a cell (cells with a ")
    assert "(cells with a collapsed seed left out; n = 4 seeds;" in said
    for every, words in ((cells, "all 2 cells have"), (cells[cells["cell"] == "a"], "the one cell has")):
        (none,) = over_cells(every.assign(collapsed=4), {"all": 2.5}).to_dict("records")
        assert [*reconstructions_text._ratio(none), *reconstructions_text._common(none)] == [
            f"{words} a seed whose network is no better than the mean image: nothing is said of hard images."
        ]
    assert not [*reconstructions_text._ratio(alone), *reconstructions_text._common(alone)]


def test_how_hard_images_are_stands_beside_the_mean_images_ratio(usual, digits):
    row = {"cells": 3, "collapsed": 2, "ratio": 1.52, "ratio_least": 1.1, "ratio_greatest": 1.75, "above": 2}
    assert list(reconstructions_text._ratio({**row, "mean_image_ratio": 1.5})) == [
        "on images of the worst tenth of PCA error the networks have 1.52 times their error on median ones (median "
        "over 3 cells, 2 left out that have a seed whose network is no better than the mean image; from 1.1 to 1.75; "
        "no interval). With the training mean image in their place it is 1.5 times; 2 of 3 cells lie above that."
    ]
    (one,) = reconstructions_text._ratio({**row, "mean_image_ratio": 1.5, "cells": 1, "collapsed": 1})
    assert "(one cell, 1 left out that has a seed whose network is no better than the mean image; no interval)" in one
    images = digits.x_test[INDEX] / 16
    mean = datasets.split(digits, 0, None, None).train.mean(axis=0) / 16
    errors = np.square(images - mean).mean(axis=(1, 2, 3))
    assert usual.over_cells["mean_image_ratio"].item() == pytest.approx(errors[16:].mean() / errors[:16].mean())


def test_sentences_state_n_and_interval(usual):
    said = reconstructions_text.sentences(usual)
    assert all("n = 3" in text for text in said[:2]) and KINDS["worst tenth"] in said[1]
    assert any("common to all seeds" in text and "no interval" in text for text in said)


def test_the_least_and_the_greatest_error_are_said_in_whole_sentences():
    row = {"images": 16, "low": 0.02, "high": 0.04, "n": 4, "method": "t"}
    rows = pd.DataFrame([{**row, "cell": "b", "error": 0.03}, {**row, "cell": "a", "error": 0.02, "low": np.nan}])
    assert list(reconstructions_text._errors(rows, "around the median")) == [
        "on 16 images around the median of PCA error, of 2 cells a has the least error, MSE 0.02 (no interval, n = 4), "
        "and b the greatest, MSE 0.03 [0.02, 0.04] (n = 4) (t, each cell's own; descriptive)."
    ]
    assert list(reconstructions_text._errors(rows[:1], "around the median")) == [
        "on 16 images around the median of PCA error, the one cell, b, has MSE 0.03 [0.02, 0.04] (n = 4) "
        "(t, each cell's own; descriptive)."
    ]


def test_the_caption_says_that_errors_are_not_drawn(usual):
    (_, figure), *_ = draw_all(usual)
    said = " ".join(figure.get_supxlabel().split())
    assert "Their errors are not drawn: images.csv, written beside this picture, holds them." in said


def test_the_caption_names_the_seeds_that_are_drawn(usual):
    captions = {seeds: _caption(usual.galleries[0], seeds, 2) for seeds in ((0, 1, 2), (0, 4, 5), (3,))}
    for seeds, words in (
        ((0, 1, 2), "seeds 0 to 2 from"),
        ((0, 4, 5), "seeds 0, 4, 5 from"),
        ((3,), "every cell, seed 3. "),
    ):
        assert words in captions[seeds]


@pytest.fixture
def command_on(tmp_path, monkeypatch, digits):
    """The command's study, and where it lies."""
    for name, value in {
        "load": lambda study, artifacts: table(),
        "manifest": lambda study, artifacts: {"data": {"digits": {"hashes": digits.hashes()}}},
        "notices": lambda study, artifacts: [],
        "examples": lambda study, trial, artifacts: stored(digits)(trial),
        "latest": lambda artifacts: "newest",
        "folder": lambda study, artifacts: tmp_path / study,
    }.items():
        monkeypatch.setattr(records, name, value)
    return tmp_path


def test_the_command_writes_what_it_prints(command_on, capsys):
    assert reconstructions.main([]) == 0
    folder = command_on / "newest" / "analysis" / "reconstructions"
    written = [
        line.removeprefix("wrote ") for line in capsys.readouterr().out.splitlines() if line.startswith("wrote ")
    ]
    assert sorted(written) == sorted(str(path) for path in folder.iterdir())
    cited = pd.read_csv(folder / "statistics.csv").set_index("id")
    assert cited.loc["reconstructions.digits-dense-k2-mse-median", "n"] == 3
    assert cited.loc["reconstructions.common-digits-dense-k2-mse-worst-tenth", "value"] == pytest.approx(
        0.786, abs=0.02
    )
    assert json.loads((folder / "summary.json").read_text())["figures"] == {"digits": "digits.png"}


def test_tables_are_not_replaced_by_ones_of_fewer_seeds(command_on, capsys):
    """As on a clone of a shipped study, of which the examples of one seed are there."""
    assert reconstructions.main([]) == 0
    folder = command_on / "newest" / "analysis" / "reconstructions"
    before = {path: path.read_bytes() for path in folder.iterdir()}
    examples = records.examples

    def of_one_seed(study, trial, artifacts):
        if trial.endswith("s00"):
            return examples(study, trial, artifacts)
        raise InputError(f"{trial} has no examples. Rebuild it.")

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(records, "examples", of_one_seed)
        capsys.readouterr()
        assert reconstructions.main([]) == 2
        said = capsys.readouterr().err
        assert "3 and now 1" in said and "python -m study.search newest --rebuild '*'" in said
        assert {path: path.read_bytes() for path in folder.iterdir()} == before
        for path in before:
            path.unlink()
        assert reconstructions.main([]) == 0, "as in the copy of analysis.verify"
        assert "4 trials were left out. The first, digits-dense-k2-mse-s01" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["variance", "robustness", "reconstructions", "latent_space"])
def test_help_imports_nothing_slow(command):
    code = (
        f"import sys; from analysis import {command}\n"
        f"try: {command}.main(['--help'])\n"
        "except SystemExit as end: assert end.code == 0\n"
        "slow = {'pandas', 'seaborn', 'matplotlib', 'sklearn', 'keras', 'tensorflow'} & set(sys.modules)\n"
        "assert not slow, slow"
    )
    subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
