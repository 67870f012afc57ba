"""What codes hold: measures by hand and by independent implementations, and the command on a small trained study."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import cdist

from analysis import figures, latent_space, latent_space_estimates
from analysis.applications import Results
from analysis.latent_space_measures import nearest_class, principal, segments, threshold_error, trustworthiness
from study import datasets, records
from study.errors import InputError

# --- measures ------------------------------------------------------------------------------------------------------


def test_the_best_threshold_by_hand():
    """Fitted: 1 2 | 3 4 fall apart at 2.5; of the test codes one of two a lies above it, one of four b below."""
    fitted, labels = np.array([1.0, 2, 3, 4]), np.array([0, 0, 1, 1])
    codes, truth = np.array([0.0, 3, 2, 3, 4, 5]), np.array([0, 0, 1, 1, 1, 1])
    assert threshold_error(fitted, labels, codes, truth) == pytest.approx((1 / 2 + 1 / 4) / 2)
    assert threshold_error(-fitted, labels, -codes, truth) == pytest.approx((1 / 2 + 1 / 4) / 2)
    assert np.isnan(threshold_error(fitted, np.zeros(4, int), codes, np.zeros(6, int)))


def by_trying_all(fitted, labels, codes, truth):
    errors = []
    for a in range(3):
        for b in range(a + 1, 3):
            tried = []
            ordered = np.sort(np.unique(fitted[np.isin(labels, [a, b])]))
            for cut in [*(ordered[:-1] + ordered[1:]) / 2]:
                for sign in (1, -1):
                    wrong = [np.mean(sign * (x[y == c] - cut) > 0) if c == a else np.mean(sign * (x[y == c] - cut) <= 0)
                             for x, y in ((fitted, labels), (codes, truth)) for c in (a, b)]  # fmt: skip
                    tried.append((np.mean(wrong[:2]), np.mean(wrong[2:])))
            errors.append(min(tried, key=lambda pair: pair[0])[1])
    return np.mean(errors)


def test_the_best_threshold_against_trying_all():
    for seed in range(5):
        rng = np.random.default_rng(seed)
        labels, truth = rng.integers(0, 3, 40), rng.integers(0, 3, 60)
        fitted, codes = labels + rng.normal(0, 0.8, 40), truth + rng.normal(0, 0.8, 60)
        assert threshold_error(fitted, labels, codes, truth) == pytest.approx(
            by_trying_all(fitted, labels, codes, truth)
        )


def test_two_normal_classes_overlap_as_theory_says():
    from scipy.stats import norm

    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], 20_000)
    codes, others = (labels * 2 + rng.normal(size=40_000) for _ in range(2))
    assert threshold_error(codes, labels, others, labels) == pytest.approx(norm.cdf(-1), abs=0.01)


def test_nearest_classes_and_segments():
    fitted = np.concatenate([np.zeros(15), np.ones(15), np.full(15, 2.0)])[:, None]
    labels = np.repeat([3, 7, 3], 15)
    assert list(nearest_class(fitted, labels, np.array([[0.1], [0.9], [2.2]]))) == [3, 7, 3]
    assert segments(np.array([2.0, 0.0, 1.0]), np.array([3, 3, 7])) == 3
    assert segments(np.array([0.0, 1.0]), np.array([3, 3])) == 1


def by_formula(images, codes, k=10):
    """Venna & Kaski 2001: 1 - 2 ÷ (n K (2n - 3K - 1)) · Σ over points, over those near in codes alone, (rank - K)."""
    n = len(images)
    ranks, near = (np.argsort(np.argsort(cdist(x, x) - np.eye(n), axis=1), axis=1) for x in (images, codes))
    far = (near > 0) & (near <= k) & (ranks > k)
    return 1 - 2 / (n * k * (2 * n - 3 * k - 1)) * (ranks[far] - k).sum()


def test_trustworthiness_against_its_formula():
    rng = np.random.default_rng(0)
    images, codes = rng.normal(size=(60, 5)), rng.normal(size=(60, 2))
    codes += images[:, :2]
    assert trustworthiness(images, codes) == pytest.approx((by_formula(images, codes), by_formula(codes, images)))
    assert trustworthiness(images, images * 3) == (1, 1)
    assert np.isnan(trustworthiness(images[:20], codes[:20])).all()


def test_principal_components_of_codes():
    codes = np.random.default_rng(0).normal(size=(50, 4)) * [1, 5, 2, 0.1] + 3
    flat, shares = principal(codes)
    values = np.sort(np.linalg.eigvalsh(np.cov(codes.T)))[::-1]
    assert shares == pytest.approx(values[:2] / values.sum())
    assert np.var(flat, axis=0, ddof=1) == pytest.approx(values[:2])
    assert list(principal(np.ones((5, 3)))[1]) == [0, 0]


# --- estimates -----------------------------------------------------------------------------------------------------


def results():
    """Class errors of a network and of PCA in three seeds; a made-up cell of size 1."""
    draw = {"dataset": "digits", "train_size": None, "normal_class": None, "preprocessing": "unit"}
    models = pd.DataFrame(
        {**draw, "seed": s, "latent_dim": 1, "trial": f"digits-dense-k1-mse-s{s:02d}", "architecture": "dense",
         "loss": "mse", "class_error": 0.5 + 0.1 * s, "segments": 20 + s, "trustworthiness": 0.8, "variance_kept": 0.2,
         "threshold_error": 0.3, "n_images": 4, "classes": 10} for s in range(3)
    )  # fmt: skip
    baselines = pd.DataFrame(
        {**draw, "seed": s, "file": f"baselines-s{s}", "method": method, "size": size, "class_error": error,
         "trustworthiness": 0.9, "segments": 15, "variance_kept": 0.25, "threshold_error": 0.25}
        for s in range(3) for method, size, error in (("PCA", 1, 0.4), ("PCA", 2, 0.1), ("nearest images", 0, 0.05))
    )  # fmt: skip
    cached = {"codes": np.arange(8.0).reshape(4, 2)[:, :1], "labels": np.array([0, 1, 1, 2])}
    pca = {"codes": np.arange(8.0).reshape(4, 2), "labels": cached["labels"]}
    return Results(models, baselines, {}, [], lambda name: pca if name.startswith("baselines") else cached)


def test_a_network_is_compared_with_pca_of_its_size_seed_by_seed():
    found = latent_space_estimates.estimate([results()])
    row = found.cells.set_index("measure").loc["class_error"]
    assert (row["value"], row["pca"], row["difference"], row["n"]) == (pytest.approx(0.6), 0.4, pytest.approx(0.2), 3)
    assert row["difference_high"] - row["difference"] == pytest.approx(4.30265 * 0.1 / np.sqrt(3), rel=1e-4)
    assert found.references.iloc[0][["rule", "class_error"]].tolist() == ["nearest images", pytest.approx(0.05)]
    assert list(found.codes["panel"].unique()) == ["digits-dense-k1-mse", "PCA, size 1"]
    assert list(found.codes["x"]) == [0, 2, 4, 6] * 2 and found.codes["y"].isna().all()


def test_sentences_say_what_one_dimension_holds():
    from analysis.latent_space_text import sentences

    said = sentences(latent_space_estimates.estimate([results()]))
    assert "one dimension of digits-dense-k1-mse holds 20 % [20, 20] of the variance" in said[0]
    assert "21 [18.5, 23.5] pieces by class, where 10 classes could do with 10" in said[0] and "n = 3 seeds" in said[0]
    assert "not resolved for digits-dense-k1-mse" in said[2]


def test_cells_by_rule_and_by_pattern():
    cells = {
        f"{data}-{net}-k{k}-mse": {"dataset": data, "architecture": net, "latent_dim": k}
        for data in ("digits", "patches") for net in ("dense", "cnn") for k in (2, 1)
    }  # fmt: skip
    trials = pd.DataFrame({"trial": [f"{c}-s00" for c in cells], "status": "completed", "randomness": "all"})
    first = ["digits-dense-k1-mse", "digits-dense-k2-mse", "patches-dense-k1-mse", "patches-dense-k2-mse"]
    assert latent_space.chosen(trials, {"cells": cells}, None) == first
    assert latent_space.chosen(trials, {"cells": cells}, "*cnn-k1*") == ["digits-cnn-k1-mse", "patches-cnn-k1-mse"]
    with pytest.raises(InputError, match="matches --cells nothing"):
        latent_space.chosen(trials, {"cells": cells}, "nothing")


# --- the command ---------------------------------------------------------------------------------------------------


def run(study, *options):
    return latent_space.main(["tiny", "--artifacts", str(study.artifacts), "--workers", "1", *options])


def test_of_many_cells_with_trials_missing_the_first_is_named_and_the_rest_counted():
    assert latent_space._first_of(["a: gone", "b: gone", "c: gone"]) == ["a: gone", "b: gone", "c: gone"]
    assert latent_space._first_of([f"{cell}: gone" for cell in "abcd"]) == ["a: gone; in 3 other cells likewise"]


def test_the_command_on_trained_models_and_without_them(finished, tmp_path, capsys):
    assert run(finished) == 0
    out = capsys.readouterr().out
    folder = finished.study / "analysis" / "latent_space"
    written = [line.removeprefix("wrote ") for line in out.splitlines() if line.startswith("wrote ")]
    assert sorted(written) == sorted(str(path) for path in folder.iterdir())
    table = pd.read_csv(folder / "cells.csv").set_index(["latent_dim", "measure"])
    assert set(table.index.get_level_values(0)) == {2, 4}
    assert table.loc[(4, "class_error"), "pca"] < table.loc[(2, "class_error"), "pca"] < 0.6
    assert table.loc[(2, "class_error"), "n_images"] == 360
    lost = records.load("tiny", finished.artifacts).query("latent_dim == 4")["test_fvu"].astype(float)
    kept = 1 - np.exp(np.log(lost).mean())
    assert table.loc[(4, "variance_kept"), "value"] == pytest.approx(kept, abs=1e-4)
    cited = pd.read_csv(folder / "statistics.csv").set_index("id")
    name = "latent_space.difference-digits-dense-k2-mse-n200-class_error"
    assert cited.loc[name, "value"] == pytest.approx(table.loc[(2, "class_error"), "difference"])
    assert json.loads((folder / "summary.json").read_text())["answers"] == []
    before = (folder / "cells.csv").read_bytes()
    assert run(finished) == 0 and (folder / "cells.csv").read_bytes() == before
    capsys.readouterr()

    bare = tmp_path / "artifacts"
    shutil.copytree(finished.artifacts, bare, ignore=shutil.ignore_patterns("model.keras", "analysis", "tasks"))
    assert latent_space.main(["tiny", "--artifacts", str(bare)]) == 0
    out = capsys.readouterr().out
    assert "nothing is measured" in out and "--rebuild '*'" in out
    codes = pd.read_csv(bare / "tiny" / "analysis" / "latent_space" / "codes.csv")
    assert len(codes) == 2 * 32 and set(codes["label"]) <= set(range(10))


def test_what_was_measured_with_models_is_not_replaced_without_them(tmp_path, monkeypatch, capsys):
    digits = datasets.load("digits")
    cell = {"dataset": "digits", "architecture": "dense", "latent_dim": 2}
    row = {**cell, "trial": "digits-dense-k2-mse-s00", "seed": 0, "status": "completed", "randomness": "all"}
    manifest = {"cells": {"digits-dense-k2-mse": cell}, "data": {"digits": {"hashes": digits.hashes()}}}
    stored = {"index": np.arange(32), "codes": np.random.default_rng(0).normal(size=(32, 2))}
    for name, value in {
        "load": pd.DataFrame([row]), "manifest": manifest, "notices": [], "examples": stored, "folder": tmp_path,
    }.items():  # fmt: skip
        monkeypatch.setattr(records, name, lambda *_, value=value: value)
    monkeypatch.setattr(figures, "save", lambda figure, stem: [])
    folder = tmp_path / "analysis" / "latent_space"
    folder.mkdir(parents=True)
    (folder / "cells.csv").write_text("cell,measure,n\ndigits-dense-k2-mse,class_error,3\n")
    assert latent_space.main(["mine"]) == 2
    assert "3 and now 0" in capsys.readouterr().err and [path.name for path in folder.iterdir()] == ["cells.csv"]
    (folder / "cells.csv").unlink()
    assert latent_space.main(["mine"]) == 0, "as in the copy of analysis.verify"
    assert "nothing is measured" in capsys.readouterr().out
