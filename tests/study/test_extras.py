"""The commands beside the plain search: tuned settings, a search proper, the cost of a cell, curves for TensorBoard."""

import dataclasses
import json
import subprocess
import sys
import time

import pandas as pd
import pytest

from study import records, space, tuned
from study.errors import InputError
from tests.conftest import TINY, environment

NUISANCE = """
BASELINE = dict(dataset="digits", architecture="dense", latent_dim=2, loss="mse", train_size=200)
BLOCKS = {"settings": dict(learning_rate=[1e-5, 1e-3], batch_size=[32, 128])}
TRAINING = dict(epochs=2, seeds=2, first_seed=100)
"""
SEARCH = TINY + 'SEARCH = dict(architecture=["dense", "cnn"], latent_dim=(1, 8), learning_rate=(1e-3, 1e-2))\n'


def test_tuned_uses_the_choice_of_another_study_and_the_manifest_says_so(search, tmp_path):
    chooser = tmp_path / "nuisance.py"
    chooser.write_text(NUISANCE)
    command = [sys.executable, "-m", "study.search", str(chooser), "--artifacts", str(search.artifacts)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment(), check=False)
    assert done.returncode == 0, done.stderr
    table = records.load("nuisance", search.artifacts)
    assert sorted(table["seed"].unique()) == [100, 101]
    means = table.groupby(["learning_rate", "batch_size"])["val_mse"].mean()
    rate, batch = means.idxmin()
    chosen = tuned.choices("nuisance", search.artifacts)
    assert chosen == {"dense/mse": {"learning_rate": rate, "batch_size": batch}} and (rate, batch) == (1e-3, 32)

    done = search("--tuned", "--seeds", "1")
    assert done.returncode == 0, done.stderr
    trained = records.load("tiny_tuned", search.artifacts)
    assert set(trained["batch_size"]) == {32} and len(trained) == 2
    described = records.manifest("tiny_tuned", search.artifacts)["space"]
    assert described["tuned"] == chosen
    assert search("--tuned", "--seeds", "1").stdout.count("0 to run") == 1


def test_tuned_refuses_a_study_that_shares_its_seeds_or_is_not_there(finished):
    with pytest.raises(InputError, match="its seeds begin at 0"):
        tuned.choices("tiny", finished.artifacts)
    refused = finished("--tuned", "nowhere")
    assert refused.returncode == 2
    assert "no such study. Run it first: python -m study.search nowhere" in refused.stderr


def test_tuned_refuses_a_study_that_chose_nothing_for_any_of_its_pairs():
    tiny = space.parse("tiny", TINY, "tiny.py")
    some = dataclasses.replace(tiny, tuned={"cnn/mse": {"learning_rate": 0.1, "batch_size": 8}})
    assert tuned.pairs(some) == tuned.untuned(some) == ["dense/mse"]


def test_a_level_can_be_exchanged_everywhere():
    tiny = space.parse("tiny", TINY.replace("latent_dim=[4]", 'dataset=["digits", "photo_patches"]'), "tiny.py")
    changed = space.override(tiny, {"dataset.digits": "mnist"})
    assert changed.baseline["dataset"] == "mnist"
    assert changed.blocks == {"latent": {"dataset": ["mnist", "photo_patches"]}}
    with pytest.raises(InputError, match="has no level 'cifar10' of dataset"):
        space.override(tiny, {"dataset.cifar10": "x"})


@pytest.mark.slow
@pytest.mark.parametrize(("tuner", "budget"), [("bayesian", 6), ("hyperband", 20)])
def test_a_search_proper_that_is_killed_goes_on_to_the_same_answer(search, tuner, budget):
    search.write(SEARCH.replace("train_size=200", "train_size=90").replace("epochs=2", "epochs=1"))
    options = ("--tuner", tuner, "--budget", str(budget))
    study = search.artifacts / f"tiny_{tuner}"
    killed = search.start(*options)
    while len(list(study.glob("trials/*/record.json"))) < 5:
        assert killed.poll() is None, killed.stderr.read()
        time.sleep(0.1)
    killed.kill()
    killed.communicate()
    kept = {path: path.read_bytes() for path in study.glob("trials/*/record.json")}
    first = search(*options)
    assert first.returncode == 0, first.stderr
    assert all(path.read_bytes() == record for path, record in kept.items())
    assert "fresh seeds" in first.stdout
    table = records.load(study.name, search.artifacts)
    assert set(table["seed"]) == {300, 301, 302}
    if tuner == "hyperband":
        assert set(table["train_size"]) == {10, 30, 90}
    for path in sorted(study.glob("trials/*/record.json"))[:4]:
        path.unlink()
    again = search(*options)
    assert again.returncode == 0, again.stderr
    assert again.stdout.splitlines()[-2:] == first.stdout.splitlines()[-2:]
    assert records.load(study.name, search.artifacts)["val_mse"].equals(table["val_mse"])


def test_hyperband_says_how_many_cells_it_needs(search):
    search.write(SEARCH)
    refused = search("--tuner", "hyperband", "--budget", "5")
    assert refused.returncode == 2 and "--budget 5: Hyperband's first bracket tries" in refused.stderr


@pytest.mark.parametrize("option", ["--dry-run", "--status", "--retry-failed", "--cells=*"])
def test_what_does_not_go_with_a_search_proper_is_refused_and_not_ignored(search, option):
    search.write(SEARCH)
    refused = search("--tuner", "bayesian", option)
    assert refused.returncode == 2 and f"--tuner does not go with {option.split('=')[0]}" in refused.stderr
    assert "the study 'tiny_bayesian', of which there is nothing yet" in refused.stderr
    assert not search.artifacts.exists()
    path = search.artifacts / "tiny_bayesian" / "manifest.json"
    path.parent.mkdir(parents=True)
    path.write_text("{}")
    assert "python -m study.search tiny_bayesian --status" in search("--tuner", "bayesian", option).stderr


def test_a_space_without_search_says_what_to_add(search):
    refused = search("--tuner", "bayesian")
    assert refused.returncode == 2 and "Add SEARCH" in refused.stderr


def test_cost_measures_every_cell_in_rounds_and_goes_on(search):
    command = [sys.executable, "-m", "study.cost", str(search.space), "--artifacts", str(search.artifacts)]
    done = subprocess.run([*command, "--rounds", "1"], capture_output=True, text=True, env=environment(), check=False)
    assert done.returncode == 0, done.stderr
    done = subprocess.run([*command, "--rounds", "2"], capture_output=True, text=True, env=environment(), check=False)
    assert done.returncode == 0 and "4 measurements, 2 to make" in done.stdout
    table = pd.read_csv(search.study / "cost.csv")
    assert list(table["latent_dim"]) == [2, 4] and (table["rounds"] == 2).all()
    for measure in ("first_epoch_seconds", "epoch_seconds", "images_per_second", "peak_memory_mb"):
        assert (table[f"{measure}_low"] <= table[measure]).all() and (table[measure] <= table[f"{measure}_high"]).all()
    assert (table["first_epoch_seconds"] > table["epoch_seconds"]).all()  # it pays for tracing
    assert (table["images_per_second_high"] * table["epoch_seconds_low"]).round().tolist() == [200, 200]
    assert table["peak_memory_mb"].between(100, 5000).all()


def test_tensorboard_gets_every_trial_s_curves(finished, tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    assert finished("--tensorboard", str(tmp_path / "curves")).returncode == 0
    for path in finished.record_paths():
        record = json.loads(path.read_text())
        curves = EventAccumulator(str(tmp_path / "curves" / record["trial"])).Reload()
        losses = [event.value for event in curves.Scalars("loss")]
        assert losses == pytest.approx([row["loss"] for row in record["history"]], rel=1e-6)


def test_tensorboard_that_is_missing_is_said_at_once(finished, tmp_path):
    (tmp_path / "tensorboard.py").write_text("raise ImportError('none here')")
    refused = finished("--tensorboard", str(tmp_path / "curves"), PYTHONPATH=f"{tmp_path}:{finished.folder}:.")
    assert refused.returncode == 2 and "pip install tensorboard" in refused.stderr
