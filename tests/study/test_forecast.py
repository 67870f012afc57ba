"""How long a study is expected to last: sums by hand, and the sizes of splits as they are drawn."""

import json
import subprocess
import sys

import pytest

from study import datasets, forecast, manifest, plan, space, space_checks, timing
from study.job import Job
from tests.conftest import ROOT, TINY, environment

SECONDS = dict(trial=1.0, trace=5.0, train=0.01, validate=0.002, evaluate=0.003)


def job(text: str = TINY) -> Job:
    tiny = space_checks.validate(space.parse("tiny", text, "tiny.py"))
    return Job("nowhere", "tiny", manifest.describe(tiny, "tiny", plan._describe_data(tiny, None)), 2)


def test_a_trial_by_hand():
    """Digits: a pool of 1,437, so 239 validation and held-out images each, 360 of test; here 200 train for 2 epochs."""
    one = job()
    tasks = list(one.space.trials(2))
    found = forecast.trial_seconds(one, tasks, {timing.kind(tasks[0].cell): SECONDS})
    later = 1.0 + 2 * (200 * 0.01 + 239 * 0.002) + (200 + 2 * 239 + 360) * 0.003
    assert found == pytest.approx([later + 5, later + 5, later, later])  # two cells, each traced once
    assert forecast.spread(found, 2) == pytest.approx(2 * later + 5)


def test_one_long_trial_is_not_shared_among_workers():
    assert forecast.spread([10, 1, 1], 4) == 10 and forecast.spread([], 2) == 0


@pytest.mark.parametrize("train_size", [None, 100])
def test_sizes_are_those_of_the_splits(train_size):
    data = datasets.load("digits")
    drawn = datasets.split(data, 0, train_size)
    described = job().manifest["data"]["digits"]
    cell = {**space.DEFAULTS, "train_size": train_size}
    expected = {name: len(getattr(drawn, name)) for name in ("train", "val", "heldout", "test")}
    assert forecast._split_sizes(described, cell) == expected


def test_what_trials_lasted_says_how_long_others_will():
    durations, cell = forecast.Durations(), job().space.baseline
    assert durations.expect([space.Task("a", cell, 0)], 1) is None
    for seconds in (1.0, 2.0, 9.0):
        durations.add({"status": "completed", "cell": cell, "values": {"trial_seconds": seconds}})
    durations.add({"status": "diverged", "cell": cell, "values": {"trial_seconds": 100.0}})
    durations.add(None)
    other = {**cell, "architecture": "cnn"}
    assert durations.expect([space.Task("a", cell, 0), space.Task("b", other, 0)], 1) == 4.0


def test_one_epoch_is_timed_in_a_process_of_its_own():
    one = job()
    command = [sys.executable, "-m", "study.timing"]
    done = subprocess.run(
        command, input=one.to_json(), capture_output=True, text=True, env=environment(), cwd=ROOT, check=True
    )
    ((kind, seconds),) = json.loads(done.stdout.splitlines()[-1])
    assert tuple(kind) == timing.kind(one.space.baseline)
    assert set(seconds) == set(SECONDS) and all(value >= 0 for value in seconds.values())
    assert seconds["trace"] > 10 * seconds["train"]  # an image's training is no graph's tracing
