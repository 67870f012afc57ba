"""The commands of the applications from end to end on a small study: what they write, say, refuse and do again."""

import argparse
import gzip
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis import anomaly, applications, command, denoising, figures, inpainting, side_by_side, task_work
from analysis.applications import Bench, Found
from study import datasets, files, records
from tests.conftest import environment

COMMANDS = {"inpainting": inpainting, "denoising": denoising, "anomaly": anomaly}
OPTIONS = ["--images", "30", "--workers", "1"]


@pytest.fixture(scope="module")
def artifacts(finished):
    """The finished study with the results of all three commands, and what they printed."""
    said = {}
    for name, module in COMMANDS.items():
        path = finished.folder / f"{name}.txt"
        with path.open("w") as out:
            kept, sys.stdout = sys.stdout, out
            try:
                assert module.main(["tiny", "--artifacts", str(finished.artifacts), *OPTIONS]) == 0
            finally:
                sys.stdout = kept
        said[name] = path.read_text()
    return finished.artifacts, said


@pytest.fixture
def copy(artifacts, tmp_path, monkeypatch):
    """A copy to break; its figures are not drawn."""
    monkeypatch.setattr(figures, "save", lambda figure, stem: [])
    shutil.copytree(artifacts[0], tmp_path / "artifacts")
    return tmp_path / "artifacts"


def run(name, folder, *options):
    return COMMANDS[name].main(["tiny", "--artifacts", str(folder), *OPTIONS, *options])


@pytest.mark.parametrize("name", COMMANDS)
def test_every_file_that_is_printed_is_there_and_every_figure_has_its_numbers(artifacts, name):
    folder, said = artifacts[0] / "tiny" / "analysis" / name, artifacts[1][name]
    written = {Path(line.removeprefix("wrote ")) for line in said.splitlines() if line.startswith("wrote ")}
    assert written == set(folder.iterdir())
    assert {"statistics.csv", "summary.json", "inputs.csv", "digits.png"} <= {path.name for path in written}
    inputs = pd.read_csv(folder / "inputs.csv")
    table = pd.read_csv(folder / ("auc.csv" if name == "anomaly" else "conditions.csv"))
    column = "set" if name == "anomaly" else "condition"
    assert set(table[column]) == set(inputs[column]) and inputs["what"].notna().all()


@pytest.mark.parametrize("name", COMMANDS)
def test_what_may_be_cited_stands_in_the_tables(artifacts, name):
    folder = artifacts[0] / "tiny" / "analysis" / name
    found = pd.read_csv(folder / "statistics.csv")
    assert found["id"].is_unique and found["n"].notna().all() and found["method"].notna().all()
    summary = json.loads((folder / "summary.json").read_text())
    (answer,) = summary["answers"]
    assert answer["question"] == name and answer["statistic"] in set(found["id"])
    assert f"{answer['figure']}.png" in summary["figures"].values()
    numbers = [text for text in summary["sentences"] if text.startswith("digits, ") and "bottleneck" not in text]
    assert all("n = 2 seeds" in text for text in numbers)  # what was trained for the task has no n


@pytest.mark.parametrize("name", COMMANDS)
def test_a_rerun_computes_nothing_and_writes_the_same(artifacts, name, monkeypatch, capsys):
    def fail(*_):
        raise AssertionError("a model was loaded again")

    monkeypatch.setattr(records, "load_model", fail)
    folder = artifacts[0] / "tiny" / "analysis" / name
    before = {path: path.read_bytes() for path in folder.iterdir()}
    assert run(name, artifacts[0]) == 0
    assert {path: path.read_bytes() for path in folder.iterdir()} == before
    assert "left" not in capsys.readouterr().err


def test_only_what_is_missing_is_computed(copy, monkeypatch):
    tasks = copy / "tiny" / "tasks" / "inpainting" / "test"
    (tasks / "digits-dense-k4-mse-n200-s01.csv").unlink()
    kept = {path: path.stat().st_mtime_ns for path in tasks.glob("*.csv")}
    loaded, load = [], records.load_model
    monkeypatch.setattr(records, "load_model", lambda *a: loaded.append(a[1]) or load(*a))
    assert run("inpainting", copy) == 0
    assert loaded == ["digits-dense-k4-mse-n200-s01"]
    assert {path: path.stat().st_mtime_ns for path in kept} == kept


def test_packed_tables_are_read_and_a_damaged_one_is_computed_anew(copy, monkeypatch):
    tasks = copy / "tiny" / "tasks" / "inpainting" / "test"
    results = copy / "tiny" / "analysis" / "inpainting" / "conditions.csv"
    before, name = results.read_bytes(), "digits-dense-k4-mse-n200-s01"
    for path in tasks.glob("*.csv"):
        files.packed(path).write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
    files.packed(tasks / f"{name}.csv").write_bytes(b"no gzip")
    loaded, load = [], records.load_model
    monkeypatch.setattr(records, "load_model", lambda *a: loaded.append(a[1]) or load(*a))
    assert run("inpainting", copy) == 0
    assert results.read_bytes() == before
    assert loaded == [name]
    assert [path.stem for path in tasks.glob("*.csv")] == [name]
    assert not files.packed(tasks / f"{name}.csv").exists()


def test_a_trial_that_was_trained_anew_is_evaluated_anew(copy, monkeypatch):
    path = copy / "tiny" / "trials" / "digits-dense-k2-mse-n200-s00" / "record.json"
    content = json.loads(path.read_text())
    options = _options(copy)
    old = task_work.plan(inpainting.TASK, options, "tiny", ()).store
    assert old.is_done("digits-dense-k2-mse-n200-s00")
    monkeypatch.setattr(task_work.Work, "_identity", lambda work, trial: "another" + content["hash"][:5])
    new = task_work.plan(inpainting.TASK, options, "tiny", ()).store
    assert not new.is_done("digits-dense-k2-mse-n200-s00")


def _options(folder, **changes):
    plain = dict(artifacts=str(folder), cells="*", split="test", images=30, workers=1, data_dir=None)
    return argparse.Namespace(**plain | changes)


@pytest.mark.parametrize("damage", ["missing", "corrupt"])
def test_a_model_that_cannot_be_loaded_is_named_with_its_remedy(copy, damage):
    model = copy / "tiny" / "trials" / "digits-dense-k2-mse-n200-s00" / "model.keras"
    model.unlink()
    if damage == "corrupt":
        model.write_bytes(b"no model")
    (copy / "tiny" / "tasks" / "denoising" / "test" / "digits-dense-k2-mse-n200-s00.csv").unlink()
    assert run("denoising", copy) == 0
    said = " ".join(json.loads((copy / "tiny/analysis/denoising/summary.json").read_text())["sentences"])
    assert "digits-dense-k2-mse-n200-s00 was left out" in said
    assert "--rebuild digits-dense-k2-mse-n200-s00" in said
    assert "n = 1 to 2 seeds" in said


def test_no_model_at_all(copy, capsys):
    shutil.rmtree(copy / "tiny" / "tasks")
    for model in copy.glob("tiny/trials/*/model.keras"):
        model.unlink()
    assert run("denoising", copy) == 2
    assert "no model could be loaded" in capsys.readouterr().err
    assert not (copy / "tiny/tasks").exists()  # found out before minutes went into methods to compare with


def test_baselines_are_computed_of_no_draw_without_a_model(copy):
    shutil.rmtree(copy / "tiny" / "tasks")
    for model in copy.glob("tiny/trials/*-s01/model.keras"):
        model.unlink()
    todo, missing = task_work.outstanding(task_work.plan(inpainting.TASK, _options(copy), "tiny", ()))
    assert todo
    assert all(name.endswith("-s00") for name in todo)
    assert any(name.startswith("baselines-") for name in todo)
    assert missing
    assert all(trial.endswith("-s01") and "is gone" in why for trial, why in missing.items())


def test_tables_are_not_replaced_by_ones_of_fewer_seeds(copy, capsys):
    """As on a clone of shipped results, which holds neither models nor values an image, once a seed more was run."""
    assert run("anomaly", copy) == 0
    for gone in (*copy.glob("tiny/tasks/anomaly/test/*-s00.images.npz"), *copy.glob("tiny/trials/*-s00/model.keras")):
        gone.unlink()
    before = {path: path.read_bytes() for path in copy.glob("tiny/analysis/anomaly/*.csv")}
    capsys.readouterr()
    assert run("anomaly", copy) == 2
    said = capsys.readouterr().err
    assert "would replace tables by others of fewer seeds" in said
    assert "python -m study.search tiny --rebuild '*'" in said
    assert {path: path.read_bytes() for path in before} == before
    assert run("anomaly", copy, "--cells", "*-s01") == 0


def test_many_trials_left_out_are_said_in_one_sentence():
    why = {f"t{number}": f"t{number} is gone. Rebuild it." for number in range(4)}
    assert task_work.left_out(why) == [
        "4 trials were left out. The first, t0: t0 is gone. Rebuild it. (all that are gone: --rebuild '*')"
    ]
    del why["t3"]
    assert task_work.left_out(why) == [f"t{n} was left out: t{n} is gone. Rebuild it." for n in range(3)]


def test_a_partial_study_says_what_is_missing(copy, capsys):
    shutil.rmtree(copy / "tiny" / "trials" / "digits-dense-k4-mse-n200-s01")
    assert run("inpainting", copy) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert (
        "PARTIAL: 1 of the 4 trials of this study have not been run. Before all are there, intervals are interim" in out
    )


def test_no_completed_trial(copy, capsys):
    assert run("inpainting", copy, "--cells", "*-k9-*") == 2
    said = capsys.readouterr().err
    assert "no completed trial of 'tiny' matches --cells '*-k9-*' (4 trials, 4 completed). There are, for inst" in said
    assert "digits-dense-k2-mse-n200-s00 and digits-dense-k4-mse-n200-s01." in said


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--images", "1"], "--images 1: allowed is 2 or more"),
        (["--workers", "0"], "--workers 0: allowed is 1 or more"),
    ],
)
def test_numbers_that_make_no_sense(artifacts, capsys, options, said):
    assert run("denoising", artifacts[0], *options) == 2
    assert said in capsys.readouterr().err


def test_the_training_set_is_no_anomaly_under_its_own_name_or_another(copy, tmp_path, capsys):
    assert run("anomaly", copy, "--against", "digits") == 2
    assert "every model of this study was trained on 'digits'" in capsys.readouterr().err
    digits = datasets.load("digits")
    again = (digits.x_train[:100] / 16).astype(np.float32)
    np.savez(tmp_path / "other.npz", x_train=again, x_test=again)
    assert run("anomaly", copy, "--against", "other", "--data-dir", str(tmp_path)) == 2
    assert "100 of its 100 test images are images of 'digits'" in capsys.readouterr().err


def test_an_anomaly_set_that_does_not_exist(copy, capsys):
    assert run("anomaly", copy, "--against", "nowhere") == 2
    assert "no data set 'nowhere'" in capsys.readouterr().err


def test_another_set_of_images_is_another_result(copy, capsys):
    """Results against other sets do not stand in for these."""
    assert run("anomaly", copy, "--against", "photo_patches", "--images", "20", "--cells", "*-k2-*") == 0
    table = pd.read_csv(copy / "tiny" / "analysis" / "anomaly" / "auc.csv")
    assert set(table["set"]) == {"photo_patches", "noise", "inverted"} and set(table["n_normal"]) == {20}


def test_other_splits_have_a_folder_of_their_own(copy):
    assert run("inpainting", copy, "--split", "val", "--cells", "*-k2-*") == 0
    folder = copy / "tiny" / "analysis" / "inpainting" / "val"
    assert pd.read_csv(folder / "statistics.csv")["id"].str.startswith("inpainting.val.").all()


@pytest.mark.slow
def test_workers_leave_the_same_results(copy):
    """Two processes, and a trial whose result one of them must not have twice."""
    before = {path.name: path.read_bytes() for path in (copy / "tiny" / "tasks" / "anomaly" / "test").glob("*.csv")}
    shutil.rmtree(copy / "tiny" / "tasks" / "anomaly")
    work = task_work.plan(anomaly.TASK, _options(copy), "tiny", ("digits", "photo_patches"))
    assert sorted(work.names) == sorted(name.removesuffix(".csv") for name in before)
    ended = side_by_side.run(task_work.do_share, [(work, work.names[:3]), (work, work.names[3:])], lambda: None)
    assert ended == []
    for name, text in before.items():
        again = pd.read_csv(copy / "tiny" / "tasks" / "anomaly" / "test" / name, skiprows=1)
        first = pd.read_csv(io.BytesIO(text), skiprows=1)
        pd.testing.assert_frame_equal(again, first, rtol=1e-4)


def slow_bench(draw):
    """A task that takes a while for each model."""

    def model(network, row):
        time.sleep(0.4)
        return Found([{"condition": "any", "mse": float(row.latent_dim)}], {})

    return Bench(lambda: Found([{"method": "none", "condition": "any", "mse": 0.0}], {}), model)


SLOW = applications.Task("slow", version=1, images=10, open=slow_bench)


@pytest.mark.slow
def test_killed_in_the_middle_it_goes_on_where_it_was(copy):
    """kill -9 after the first result; what is there is whole and is not computed again."""
    code = (
        "from analysis import applications, command\nfrom study import records\n"
        "from tests.analysis.test_applications import SLOW, _options\n"
        f"options = _options({str(copy)!r})\n"
        "load = command.loader(records.manifest('tiny', options.artifacts), None)\n"
        "applications.evaluate(SLOW, options, 'tiny', load)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code], env=environment(), stderr=subprocess.DEVNULL)
    folder = copy / "tiny" / "tasks" / "slow" / "test"
    deadline = time.monotonic() + 120
    while not list(folder.glob("digits-*.csv")) and time.monotonic() < deadline:
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    done = {path: path.stat().st_mtime_ns for path in folder.glob("digits-*.csv")}
    assert 1 <= len(done) < 4
    results = applications.evaluate(SLOW, _options(copy), "tiny", command.loader(records.manifest("tiny", copy), None))
    assert sorted(results.models["mse"]) == [2, 2, 4, 4]
    assert {path: path.stat().st_mtime_ns for path in done} == done


def test_a_damaged_result_is_named(copy, capsys):
    path = copy / "tiny" / "tasks" / "anomaly" / "test" / "digits-dense-k2-mse-n200-s00.images.npz"
    path.write_bytes(b"no archive")
    assert run("anomaly", copy) == 2
    assert f"{path} is damaged" in capsys.readouterr().err


def test_workers_that_die_are_noticed():
    assert side_by_side.run(os._exit, [(0,), (3,)], lambda: None) == [3]
