"""The command on a study that was really trained: what it measures of models, and the run of several analyses."""

import numpy as np
import pandas as pd
import pytest

from analysis import __main__ as everything
from analysis import generalization
from study import datasets, metrics, records


@pytest.fixture(scope="module")
def place(finished):
    return ["tiny", "--artifacts", str(finished.artifacts)]


def test_training_against_held_out_images_of_trained_networks(place, finished, capsys):
    asked = [*place, "--tasks", "reconstruction", "membership", "--images", "100", "--workers", "1"]
    assert generalization.main(asked) == 0
    out = capsys.readouterr().out
    folder = finished.study / "analysis" / "generalization"
    written = [line.removeprefix("wrote ") for line in out.splitlines() if line.startswith("wrote ")]
    assert sorted(written) == sorted(str(path) for path in folder.iterdir())
    trials = records.load("tiny", finished.artifacts)
    cell = trials[trials["latent_dim"] == 2]
    ratios = np.log(cell["train_mse"] / cell["heldout_mse"])
    points = pd.read_csv(folder / "points.csv")
    mine = points[
        (points["task"] == "reconstruction") & (points["part"] == "memorisation") & (points["latent_dim"] == 2)
    ]
    assert mine["value"].tolist() == pytest.approx(ratios.tolist())
    assert set(points["n_train"]) == {200}
    membership = pd.read_csv(folder / "membership.csv")
    assert membership["n_first"].tolist() == [100, 100, 100] * 2 and membership["auc"].between(0.3, 0.7).all()
    assert membership.query("part == 'split shift'")["n_second"].tolist() == [360, 360]


def test_its_images_are_those_that_the_trial_saw_and_did_not(finished):
    """The errors that membership is judged by, computed here anew from the model and the splits."""
    kept = finished.study / "tasks" / "membership" / "train" / "digits-dense-k2-mse-n200-s00.images.npz"
    data = datasets.load("digits")
    splits = datasets.split(data, 0, 200, None)
    images = datasets.to_unit(splits.train, data.value_range)
    model = records.load_model("tiny", "digits-dense-k2-mse-n200-s00", finished.artifacts)
    errors = metrics.squared_error(images, model.predict(images, verbose=0))
    with np.load(kept) as stored:
        found = stored["squared error"]
    assert len(found) == 100
    assert all(np.isclose(errors, one, rtol=1e-4).any() for one in found)


def test_several_analyses_and_the_card(place, finished, capsys):
    # `generalization` ran above; its defaults would try every task, which have tests of their own.
    assert everything.main([*place, "--only", "residual", "latent_elbow"]) == 2, "this study carries neither"
    out = capsys.readouterr().out
    assert "residual (refused): 'tiny' has neither residual networks" in out
    assert "latent_elbow (refused): no curve in this study" in out
    assert "Discussion 2: would training samples have done better than test samples?\n  " in out
    assert everything.main([*place, "--card"]) == 0
    card = pd.read_csv(finished.study / "analysis" / "card.csv").set_index("question")
    assert card.loc["generalization", "statistic"] == (
        "generalization.cell-reconstruction-together-digits-dense-k2-mse-n200"
    )
    assert card.loc["generalization", "low"] < card.loc["generalization", "value"] < card.loc["generalization", "high"]
    assert card.loc["generalization", "figure"] == "analysis/generalization/curves-digits.png"
    assert card.loc["residual", "command"] == "python -m analysis.residual tiny"
