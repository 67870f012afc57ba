"""A shipped study that follows from its records, and what is said of one that does not."""

import json
import math
import shutil
import subprocess
import sys

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from analysis import comparison
from analysis.verify import _elsewhere as verdict
from study import files, records
from tests.conftest import Search, environment, pack


def verify(search: Search, *options: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "analysis.verify", *options, "--artifacts", str(search.artifacts)]
    return subprocess.run(command, capture_output=True, text=True, env=environment(), timeout=120, check=False)


@pytest.fixture
def copy(finished: Search, tmp_path) -> Search:
    search = Search(tmp_path)
    shutil.copytree(finished.artifacts, search.artifacts)
    return search


def test_what_follows_from_its_records_and_trains_again_to_the_bit(finished):
    before = {p: p.stat().st_mtime_ns for p in finished.study.rglob("*")}
    done = verify(finished, "tiny")
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert "tiny  records  same to the byte  4 of 4 trials have a whole record of exactly this trial" in lines
    assert "tiny  trials.csv  same to the byte" in lines and "tiny  history.csv  same to the byte" in lines
    assert any(line.startswith("tiny  retrained digits-dense") and "to the bit" in line for line in lines)
    assert lines[-1] == "same to the byte: 4"
    assert {p: p.stat().st_mtime_ns for p in finished.study.rglob("*")} == before


def test_a_number_that_was_changed_is_found(copy):
    path = copy.study / "trials.csv"
    text = path.read_text().splitlines()
    cells = text[1].split(",")
    column = text[0].split(",").index("test_mse")
    cells[column] = str(float(cells[column]) * 0.9)
    path.write_text("\n".join([text[0], ",".join(cells), *text[2:]]) + "\n")
    done = verify(copy, "tiny", "--no-training")
    assert done.returncode == 1
    assert "tiny  trials.csv  DIFFERS  column test_mse, row 0" in done.stdout


@pytest.mark.parametrize("changed", [False, True])
def test_a_packed_table_is_compared_by_what_it_holds(copy, changed):
    path = copy.study / "history.csv"
    if changed:
        path.write_text(path.read_text().replace("digits-dense", "digits-danse"))
    pack(path)
    done = verify(copy, "tiny", "--no-training")
    assert done.returncode == changed, done.stdout
    assert f"tiny  history.csv  {'DIFFERS' if changed else 'same to the byte'}" in done.stdout
    records.write_tables("tiny", copy.artifacts)
    assert path.is_file() and not files.packed(path).exists()


def test_an_analysis_that_cannot_be_run_again_is_named_with_its_reason(copy):
    folder = copy.study / "analysis" / "latent_elbow"
    folder.mkdir(parents=True)
    asked = {"command": ["python", "-m", "analysis.latent_elbow", "tiny"]}
    (folder / "summary.json").write_text(json.dumps(asked))
    done = verify(copy, "tiny", "--no-training")
    assert done.returncode == 0
    assert "tiny  analysis/latent_elbow  not recomputed  error: no curve in this study" in done.stdout


@pytest.mark.parametrize(
    "damage", [lambda packed: packed[:60], lambda packed: packed[:40] + b"\xff" * 40 + packed[80:]]
)
def test_a_damaged_packed_table_and_one_beside_the_plain_table_are_found(copy, damage):
    path = copy.study / "history.csv"
    plain = path.read_bytes()
    pack(path)
    files.packed(path).write_bytes(damage(files.packed(path).read_bytes()))
    done = verify(copy, "tiny", "--no-training")
    assert done.returncode == 1 and "tiny  history.csv  DIFFERS  cannot be read: history.csv.gz" in done.stdout
    path.write_bytes(plain)
    done = verify(copy, "tiny", "--no-training")
    assert done.returncode == 1 and "tiny  history.csv  DIFFERS  history.csv.gz lies beside it" in done.stdout


def test_packed_tables_of_an_analysis_are_compared_by_what_they_hold(copy):
    command = [sys.executable, "-m", "analysis.effects", "tiny", "--artifacts", str(copy.artifacts)]
    subprocess.run(command, check=True, capture_output=True, env=environment(), timeout=120)
    folder = copy.study / "analysis" / "effects"
    changed, same = (folder / name for name in ("contrasts.csv", "statistics.csv"))
    changed.write_text(changed.read_text().replace("digits", "digit", 1))
    for path in (changed, same):
        pack(path)
    done = verify(copy, "tiny", "--no-training")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "tiny  analysis/effects/contrasts.csv  DIFFERS" in done.stdout
    assert "tiny  analysis/effects/statistics.csv  same to the byte" in done.stdout
    assert ".gz" not in done.stdout


def test_a_pilot_is_there_to_compare_with(copy):
    shutil.copytree(copy.study, copy.artifacts / "tiny_full")
    command = [sys.executable, "-m", "analysis.robustness", "tiny", "--artifacts", str(copy.artifacts)]
    subprocess.run(command, check=True, capture_output=True, env=environment(), timeout=120)
    done = verify(copy, "tiny", "--no-training")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "tiny  analysis/robustness/full_size.csv  same to the byte" in done.stdout
    assert "tiny  analysis/robustness/summary.json  same to the byte" in done.stdout
    folder = copy.study / "analysis" / "robustness"
    assert {path.suffix for path in folder.glob("full_size*")} == {".csv", ".png", ".svg"}
    shutil.rmtree(copy.artifacts / "tiny_full")
    subprocess.run(command, check=True, capture_output=True, env=environment(), timeout=120)
    assert not list(folder.glob("full_size*")), "what the pilot said is gone with it"
    assert {path.name for path in folder.glob("*.csv")} >= {"conclusions.csv", "statistics.csv"}


def test_what_needed_a_model_that_is_gone_does_not_differ(copy):
    command = [sys.executable, "-m", "analysis.latent_space", "tiny", "--artifacts", str(copy.artifacts)]
    subprocess.run(command, check=True, capture_output=True, env=environment(), timeout=120)
    shutil.rmtree(copy.study / "tasks")
    done = verify(copy, "tiny", "--no-training")
    assert "tiny  analysis/latent_space/summary.json  same to the byte" in done.stdout, done.stdout + done.stderr
    for model in copy.study.glob("trials/*/model.keras"):
        model.unlink()
    done = verify(copy, "tiny", "--no-training")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "tiny  analysis/latent_space/summary.json  not recomputed  it needs models that are gone" in done.stdout


def test_on_another_processor_a_trial_may_move_as_far_as_two_seeds_lie_apart():
    # Seeds at 1, 2, 3: SD 1, t(0.995; 2) = 9.925, so that two of them may lie 14.036 apart. Metrics that never vary may
    # not move; seeds of other cells and failed ones count for nothing.
    trials = pd.DataFrame(
        {
            "trial": ["a-s00", "a-s01", "a-s02", "a-s03", "b-s00", "b-k8-s00"],
            "status": ["completed"] * 3 + ["error"] + ["completed"] * 2,
            "test_mse": [1.0, 2.0, 3.0, 50.0, 70.0, 90.0],
            "active_share": [0.5, 0.5, 0.5, 0.1, 0.5, 0.5],
        }
    )
    outcome, how = verdict(trials, "a-s01", {"test_mse": 15.9, "active_share": 0.5})
    assert (outcome, how) == (comparison.CLOSE, "test_mse by 0.99 of what two of the cell's 3 seeds may lie apart")
    assert verdict(trials, "a-s01", {"test_mse": 16.1, "active_share": 0.5})[0] == comparison.DIFFERS
    outcome, how = verdict(trials, "a-s01", {"test_mse": 2.0, "active_share": 0.51})
    assert outcome == comparison.DIFFERS and how.startswith("active_share by ")
    assert verdict(trials, "a-s01", {"test_mse": math.nan, "active_share": 0.5})[0] == comparison.DIFFERS
    outcome, how = verdict(trials, "b-s00", {"test_mse": 70.0, "active_share": 0.5})
    assert outcome == comparison.MISSING and "one seed" in how


def test_bad_input(finished):
    unknown = verify(finished, "nothing")
    assert unknown.returncode == 2 and "no study 'nothing'" in unknown.stderr
    trial = verify(finished, "tiny", "--trial", "x")
    assert trial.returncode == 2 and "--trial x" in trial.stderr


def compared(tmp_path, name, old, new):
    for place, content in (("old", old), ("new", new)):
        (tmp_path / place).mkdir(exist_ok=True)
        (tmp_path / place / name).write_bytes(content)
    return comparison.compare(tmp_path / "old" / name, tmp_path / "new" / name)


def test_numbers_within_and_beyond_the_tolerance(tmp_path):
    table = b"a,b\nx,1.0\ny,\n"
    assert compared(tmp_path, "t.csv", table, table) == (comparison.SAME, "")
    assert compared(tmp_path, "t.csv", table, b"a,b\nx,1.0000001\ny,\n")[0] == comparison.CLOSE
    outcome, detail = compared(tmp_path, "t.csv", table, b"a,b\nx,1.00001\ny,\n")
    assert outcome == comparison.DIFFERS and detail.startswith("column b, row 0: 1.0 there, 1.00001 anew")
    assert compared(tmp_path, "t.csv", table, b"a,b\nz,1.0\ny,\n")[0] == comparison.DIFFERS
    assert compared(tmp_path, "t.csv", table, b"a,b\nx,1.0\n") == (comparison.DIFFERS, "2 × 2 there, 1 × 2 anew")


def test_texts(tmp_path):
    old = {"sentences": ["a", "b"], "n": 3.0}
    close, other = {**old, "n": 3.0 + 1e-8}, {**old, "sentences": ["a", "c"]}
    text = [json.dumps(value).encode() for value in (old, close, other)]
    assert compared(tmp_path, "s.json", text[0], text[1])[0] == comparison.CLOSE
    assert compared(tmp_path, "s.json", text[0], text[2]) == (comparison.DIFFERS, "at .sentences[1]")
    assert compared(tmp_path, "s.json", text[0], b"{")[0] == comparison.DIFFERS


def test_pictures(tmp_path):
    paths = []
    for name, value in (("a", 100), ("b", 102), ("c", 110)):
        paths.append(tmp_path / f"{name}.png")
        Image.fromarray(np.full((4, 5), value, np.uint8)).save(paths[-1])
    assert comparison.compare(paths[0], paths[1]) == (comparison.CLOSE, "pixels up to 2 of 255 apart")
    assert comparison.compare(paths[0], paths[2]) == (comparison.DIFFERS, "pixels up to 10 of 255 apart")
    assert comparison.compare(paths[0], tmp_path / "none.png")[0] == comparison.MISSING


def drawn(path, shift, value):
    """A drawing with a picture in it, as Matplotlib writes them."""
    figure, axes = plt.subplots()
    axes.plot([0.0, 1.0], [0.0, 1.0 + shift], "o")
    axes.imshow(np.full((4, 5, 3), value, np.uint8), extent=(0, 1, 0, 1))
    axes.set(xlim=(0, 1), ylim=(0, 1.5))
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)
    return path


def test_drawings(tmp_path):
    with matplotlib.rc_context({"svg.hashsalt": "same"}):
        first = drawn(tmp_path / "a.svg", 0.0, 100)
        assert comparison.compare(first, drawn(tmp_path / "b.svg", 0.0, 100)) == (comparison.SAME, "")
        outcome, detail = comparison.compare(first, drawn(tmp_path / "c.svg", 1e-5, 101))
        assert outcome == comparison.CLOSE and "points apart" in detail
        outcome, detail = comparison.compare(first, drawn(tmp_path / "d.svg", 0.1, 100))
        assert outcome == comparison.DIFFERS and "points apart" in detail
        outcome, detail = comparison.compare(first, drawn(tmp_path / "e.svg", 0.0, 110))
        assert (outcome, detail) == (comparison.DIFFERS, "pixels up to 10 of 255 apart")
    other = tmp_path / "f.svg"
    other.write_text(first.read_text().replace("<svg", "<svg class='x'"))
    assert comparison.compare(first, other) == (comparison.DIFFERS, "another drawing")
