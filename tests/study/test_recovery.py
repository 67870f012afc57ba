"""kill -9 of chief, workers, supervisor and all at once, ten times over one study; and determinism across processes."""

import json
import random
import subprocess
import sys
import time
from pathlib import Path

import psutil

from study import lock, records
from tests.conftest import ROOT, Search, environment

SPACE = """
BASELINE = dict(dataset="digits", architecture="dense", latent_dim=2, loss="mse", train_size=300)
BLOCKS = {"architecture": dict(architecture=["cnn"])}
TRAINING = dict(epochs=8, seeds=25)
"""
VICTIMS = ["worker", "chief", "supervisor", "all", "worker", "chief", "all", "supervisor", "worker", "chief"]


def numbers(path: Path) -> dict:
    record = json.loads(path.read_text())
    values = {key: value for key, value in record["values"].items() if key not in records.TIMES}
    history = [{key: value for key, value in row.items() if key != "seconds"} for row in record["history"]]
    return {"status": record["status"], "values": values, "history": history}


def wait_until(condition, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "nothing happened in time"
        time.sleep(0.05)


def role(process: psutil.Process) -> str:
    try:
        arguments = process.cmdline()
    except psutil.Error:  # it has just ended by itself
        return "gone"
    return arguments[-1] if "study.process" in arguments else "supervisor"


def lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def kill(supervisor: psutil.Process, victim: str) -> None:
    everyone = [supervisor, *supervisor.children(recursive=True)]
    chosen = [p for p in everyone if victim in ("all", role(p))]
    for process in random.sample(chosen, len(chosen) if victim == "all" else min(1, len(chosen))):
        if lives(process):
            process.kill()


def test_ten_kills_leave_one_record_a_trial_and_the_same_bits(tmp_path):
    random.seed(7)
    (tmp_path / "undisturbed").mkdir()
    undisturbed, search = Search(tmp_path / "undisturbed"), Search(tmp_path)
    for one in (undisturbed, search):
        one.write(SPACE)
    assert undisturbed("--workers", "1").returncode == 0

    family: dict[int, psutil.Process] = {}
    running = None
    for victim in VICTIMS:
        if running is None or running.returncode is not None:
            running = search.start("--workers", "2")
        supervisor = psutil.Process(running.pid)
        count = len(search.record_paths())
        wait_until(lambda count=count: len(search.record_paths()) > count)
        time.sleep(random.uniform(0, 0.8))
        family |= {p.pid: p for p in [supervisor, *supervisor.children(recursive=True)]}
        kill(supervisor, victim)
        if victim in ("supervisor", "all"):
            running.communicate(timeout=30)
    killed_in_time = len(search.record_paths()) < 50
    running.communicate(timeout=300)
    assert killed_in_time, "the study was finished before the last kill: make it longer"
    assert search().returncode == 0

    paths = search.record_paths()
    assert len(paths) == 50 and len(records.load("tiny", search.artifacts)) == 50
    assert [numbers(p) for p in paths] == [numbers(p) for p in undisturbed.record_paths()]
    wait_until(lambda: not any(lives(process) for process in family.values()), 20)
    assert lock.is_free(search.study)
    assert not [p for p in search.study.rglob("*") if p.name.startswith(".") and p.name != ".lock"]


def test_a_trial_alone_gives_the_same_bits_as_among_workers(finished):
    alone = """
import json, sys
from study import datasets, training
cell = json.loads(sys.argv[1])
training.train({**cell, "latent_dim": 3}, 5, {"epochs": 1}, datasets.load("digits"))  # another trial before
record = training.train(cell, 1, {"epochs": 2}, datasets.load("digits"))
print(json.dumps([record.values["test_mse"], record.values["train_ssim"], record.history[-1]["gradient_scale"]]))
"""
    record = json.loads((finished.study / "trials" / "digits-dense-k4-mse-n200-s01" / "record.json").read_text())
    done = subprocess.run(
        [sys.executable, "-c", alone, json.dumps(record["cell"])],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=environment(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1"),
        timeout=120,
        check=True,
    )
    expected = [record["values"]["test_mse"], record["values"]["train_ssim"], record["history"][-1]["gradient_scale"]]
    assert json.loads(done.stdout.splitlines()[-1]) == expected
