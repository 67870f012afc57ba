"""Every use of `python -m study.search`, as a process, on small real data."""

import json
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from study import datasets, lock, records
from study import search as command
from study.errors import InputError
from study.space import trial_name
from tests.conftest import TINY, Search, environment


@pytest.fixture
def copy(finished: Search, tmp_path: Path) -> Search:
    """A finished study that a test may spoil."""
    search = Search(tmp_path)
    shutil.copytree(finished.artifacts, search.artifacts)
    return search


def values(search: Search) -> dict[str, dict]:
    stored = [json.loads(path.read_text()) for path in search.record_paths()]
    return {r["trial"]: {k: v for k, v in r["values"].items() if k not in records.TIMES} for r in stored}


def test_writes_records_tables_and_nothing_else(finished):
    trials = ["digits-dense-k2-mse-n200-s00", "digits-dense-k2-mse-n200-s01"]
    assert [p.parent.name for p in finished.record_paths()][:2] == trials
    there = {p.name for p in finished.study.iterdir()}
    assert there == {"manifest.json", "trials", "trials.csv", "history.csv", "logs", "running", ".lock"}
    assert {p.name for p in finished.record_paths()[0].parent.iterdir()} == {
        "record.json",
        "examples.npz",
        "model.keras",
    }


def test_the_table_has_the_contract_s_columns_and_sane_numbers(finished):
    table = records.load("tiny", finished.artifacts)
    assert list(table.columns) == list(records.COLUMNS)
    assert len(table) == 4 and (table["status"] == "completed").all()
    assert table["test_mse"].between(0, 0.3).all() and (table["narrowest_width"] == 256).all()
    history = records.history("tiny", finished.artifacts)
    best = history.groupby("trial")["val_mse"].min()
    assert np.array_equal(best[table["trial"]].to_numpy(), table["val_mse"].to_numpy())


def test_a_finished_study_is_left_alone(finished):
    before = {p: p.stat().st_mtime_ns for p in finished.record_paths()}
    again = finished()
    assert again.returncode == 0 and "0 to run" in again.stdout
    assert {p: p.stat().st_mtime_ns for p in finished.record_paths()} == before


def test_a_study_goes_on_by_its_name_alone(finished):
    def by_name(*options: str) -> subprocess.CompletedProcess:
        command = [sys.executable, "-m", "study.search", "tiny", "--artifacts", str(finished.artifacts), *options]
        return subprocess.run(command, capture_output=True, text=True, env=environment(), timeout=60, check=False)

    shown = by_name("--status")
    assert shown.returncode == 0 and "study tiny: 4/4 trials done" in shown.stdout, shown.stderr
    refused = by_name("--set", "epochs=3", "--name", "other")
    assert refused.returncode == 2 and "'tiny' is a study" in refused.stderr


def test_a_look_at_a_study_needs_no_data(finished, monkeypatch, capsys):
    def lost(*_: object) -> None:
        raise InputError("no such data set")

    monkeypatch.setattr(datasets, "load", lost)
    place = ["tiny", "--artifacts", str(finished.artifacts)]
    assert command.main([*place, "--status"]) == 0 and "4/4 trials done" in capsys.readouterr().out
    assert command.main(place) == 2 and "no such data set" in capsys.readouterr().err


def test_a_factor_that_is_none_in_some_cells_stays_none_there(search):
    """Keras Tuner fills a value that it was not sent with a default; the trial must not be trained with that."""
    search.write(
        TINY.replace(", train_size=200)", ")").replace("latent_dim=[4])}", "train_size=[None, 100])}").split("FAM")[0]
    )
    assert search("--seeds", "1").returncode == 0
    table = records.load("tiny", search.artifacts)
    assert [None if np.isnan(n) else n for n in table["train_size"].astype(float)] == [None, 100]
    assert table["train_mse"].nunique() == 2
    for path in search.record_paths():
        record = json.loads(path.read_text())
        assert record["trial"] == trial_name(record["cell"], record["seed"])


def test_status_and_dry_run_write_nothing(finished, search):
    assert "4/4 trials done" in finished("--status").stdout
    plan = search("--dry-run")
    assert plan.returncode == 0 and "2 cells × 2 seeds = 4 trials" in plan.stdout and "expected time" in plan.stdout
    assert not search.artifacts.exists()


def test_more_seeds_and_blocks_extend_with_one_or_two_workers_to_the_same_bits(copy):
    before = values(copy)
    copy.write(TINY.replace("latent_dim=[4])", "latent_dim=[4]), 'loss': dict(latent_dim=[3])"))
    done = copy("--seeds", "3", "--workers", "2")
    assert done.returncode == 0, done.stderr
    after = values(copy)
    assert len(after) == 9 and {name: after[name] for name in before} == before


def test_chosen_cells_come_first_and_the_rest_follows(copy):
    before = values(copy)
    only = copy("--seeds", "4", "--cells", "*-k4-* *-k9-*")
    assert only.returncode == 0 and "4 trials (1 cells, 4 seeds), 2 to run" in only.stdout, only.stdout + only.stderr
    assert "4/4 trials done" in copy("--seeds", "4", "--cells", "*-k4-*", "--status").stdout
    assert set(values(copy)) - set(before) == {f"digits-dense-k4-mse-n200-s0{seed}" for seed in (2, 3)}
    assert (
        "4 trials of the cells *-k2-*; done: 2; to run: 2"
        in copy("--seeds", "4", "--cells", "*-k2-*", "--dry-run").stdout
    )
    assert "8 trials (2 cells, 4 seeds), 2 to run" in copy("--seeds", "4").stdout
    assert len(values(copy)) == 8
    refused = copy("--cells", "*-k9-*")
    assert refused.returncode == 2 and "--cells '*-k9-*' matches no cell of tiny" in refused.stderr


def test_a_changed_space_is_refused_with_the_difference(copy):
    copy.write(TINY.replace("epochs=2", "epochs=3"))
    refused = copy()
    assert refused.returncode == 2 and "epochs: was 2, now 3" in refused.stderr and "--name" in refused.stderr


def test_set_needs_a_name(finished):
    refused = finished("--set", "epochs=1")
    assert refused.returncode == 2 and "--name" in refused.stderr


@pytest.mark.parametrize("spoil", [lambda p: p.write_text(p.read_text()[:200]), lambda p: p.unlink()])
def test_a_truncated_or_missing_record_is_trained_again_to_the_same_bits(copy, spoil):
    before = values(copy)
    spoil(copy.record_paths()[1])
    done = copy()
    assert done.returncode == 0 and "1 to run" in done.stdout
    assert values(copy) == before


def test_a_truncated_manifest_is_written_anew_and_no_trial_lost(copy):
    manifest = copy.study / "manifest.json"
    whole = manifest.read_text()
    manifest.write_text(whole[:100])
    with pytest.raises(records.InputError, match="damaged"):
        records.load("tiny", copy.artifacts)
    copy.record_paths()[0].unlink()
    done = copy()
    assert done.returncode == 0 and "1 to run" in done.stdout
    assert json.loads(manifest.read_text()) == json.loads(whole)


def test_a_complete_study_takes_up_contrasts_and_a_damaged_manifest_is_mended(copy):
    path = copy.study / "manifest.json"
    whole = path.read_text()
    path.write_text(whole[:100])
    done = copy()
    assert done.returncode == 0 and "0 to run" in done.stdout, done.stdout + done.stderr
    assert json.loads(path.read_text()) == json.loads(whole)
    more = 'FAMILIES = {"more": dict(metric="val_mse", contrasts=[(dict(latent_dim=4), {})]), '
    copy.write(TINY.replace("FAMILIES = {", more))
    assert copy().returncode == 0
    assert set(records.manifest("tiny", copy.artifacts)["space"]["families"]) == {"more", "latent"}


def test_what_does_not_go_with_rebuild_is_refused(finished):
    for option in ("--dry-run", "--status", "--retry-failed"):
        refused = finished("--rebuild", "*", option)
        assert refused.returncode == 2 and f"--rebuild does not go with {option}" in refused.stderr
    nothing = finished("--rebuild", "")
    assert nothing.returncode == 2 and "--rebuild '' matches no completed trial" in nothing.stderr


def test_the_command_to_go_on_is_quoted(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["search.py", "tiny", "--rebuild", "*", "--cells", "a* b*"])
    assert command._command() == "python -m study.search tiny --rebuild '*' --cells 'a* b*'"


def test_rebuild_gives_the_same_weights(copy):
    trial = copy.record_paths()[0].parent
    before = records.load_model("tiny", trial.name, copy.artifacts).get_weights()
    (trial / "model.keras").unlink()
    with pytest.raises(records.InputError, match="--rebuild"):
        records.load_model("tiny", trial.name, copy.artifacts)
    done = copy("--rebuild", trial.name)
    assert done.returncode == 0 and "as recorded to the bit" in done.stdout, done.stdout + done.stderr
    after = records.load_model("tiny", trial.name, copy.artifacts).get_weights()
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))


def test_rebuild_brings_back_examples_and_cut_off_models_and_leaves_what_is_whole(copy):
    paths = [path.parent for path in copy.record_paths()]
    first, second = (path / "examples.npz" for path in paths[:2])
    before = first.read_bytes(), second.read_bytes()
    model = paths[0] / "model.keras"
    untouched = model.stat().st_mtime_ns
    first.unlink()
    second.write_bytes(before[1][:200])
    weights = records.load_model("tiny", paths[2].name, copy.artifacts).get_weights()
    cut_off = paths[2] / "model.keras"
    cut_off.write_bytes(cut_off.read_bytes()[:-100])
    for broken in (
        lambda: records.examples("tiny", paths[0].name, copy.artifacts),
        lambda: records.examples("tiny", paths[1].name, copy.artifacts),
        lambda: records.load_model("tiny", paths[2].name, copy.artifacts),
    ):
        with pytest.raises(records.InputError, match="--rebuild"):
            broken()
    done = copy("--rebuild", f"{paths[0].name} {paths[1].name}")
    assert done.returncode == 0 and "2 trials match, 2 of them to rebuild" in done.stdout, done.stdout + done.stderr
    assert done.stdout.count("as recorded to the bit") == 2
    assert (first.read_bytes(), second.read_bytes()) == before
    assert model.stat().st_mtime_ns == untouched
    done = copy("--rebuild", "*")
    assert "4 trials match, 1 of them to rebuild" in done.stdout, done.stdout + done.stderr
    again = records.load_model("tiny", paths[2].name, copy.artifacts).get_weights()
    assert all(np.array_equal(a, b) for a, b in zip(weights, again, strict=True))


def test_records_of_another_environment_are_not_mixed_silently(copy):
    path = copy.record_paths()[0]
    record = json.loads(path.read_text())
    record["environment"]["cpu"] = "Another CPU"
    path.write_text(json.dumps(record))
    copy.record_paths()[2].unlink()
    refused = copy()
    assert refused.returncode == 2 and "cpu: Another CPU ≠" in refused.stderr
    allowed = copy("--mixed")
    assert allowed.returncode == 0 and "MIXED" in allowed.stdout


def test_diverged_and_failing_trials_are_named_and_the_others_go_on(search):
    search.write(
        TINY.replace("latent_dim=[4]", "latent_dim=[4], learning_rate=[1e30]").replace(
            'FAMILIES = {"latent": dict(metric="test_mse", contrasts=[(dict(latent_dim=4), {})])}',
            'BLOCKS["own"] = dict(architecture=["broken"])\n'
            "def broken(shape, latent_dim, depth):\n    raise ValueError('no such network')\n"
            "ARCHITECTURES = dict(broken=broken)",
        )
    )
    done = search("--seeds", "1")
    assert done.returncode == 1, done.stderr
    table = records.load("tiny", search.artifacts).set_index("trial")
    assert dict(table["status"]) == {
        "digits-dense-k2-mse-n200-s00": "completed",
        "digits-dense-k4-mse-n200-lr1e+30-s00": "diverged",
        "digits-broken-k2-mse-n200-s00": "error",
    }
    assert "no such network" in done.stdout and "--retry-failed" in done.stdout
    assert len(records.history("tiny", search.artifacts).query("trial.str.contains('lr1e')")) >= 1
    retried = search("--seeds", "1", "--retry-failed")
    assert retried.returncode == 1 and "2 to run" in retried.stdout


def test_ctrl_c_loses_nothing_and_says_how_to_go_on(search):
    search.write(TINY.replace("epochs=2", "epochs=2000"))
    running = search.start("--workers", "1")
    deadline = time.monotonic() + 120
    while not list(search.study.glob("running/*.json")) and time.monotonic() < deadline:
        time.sleep(0.2)
    second = search()
    assert second.returncode == 2 and "another search is running" in second.stderr
    running.send_signal(signal.SIGINT)
    _, error = running.communicate(timeout=60)
    assert running.returncode == 130 and "to go on: python -m study.search" in error
    assert lock.is_free(search.study)


def test_a_full_disk_ends_in_a_clear_error(search):
    def few_bytes_a_file() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))

    import subprocess

    from tests.conftest import environment

    done = subprocess.run(
        search.command("--workers", "1"),
        capture_output=True,
        text=True,
        env=environment(),
        preexec_fn=few_bytes_a_file,
        timeout=300,
        check=False,
    )
    assert done.returncode == 2 and "cannot write" in done.stderr and "No finished trial is lost" in done.stderr
    assert not search.record_paths()
    assert search("--workers", "1").returncode == 0


def test_artifacts_that_cannot_be_written_are_an_input_error(search):
    search.artifacts.write_text("a file, not a folder")
    refused = search()
    assert refused.returncode == 2 and "--artifacts" in refused.stderr


def test_bad_input_is_refused_before_tensorflow_is_imported(search):
    search.write(TINY.replace('"dense"', '"nonesuch"'))
    refused = search()
    assert refused.returncode == 2 and "unknown architecture 'nonesuch'" in refused.stderr
    assert not search.artifacts.exists()


def test_jax_runs_a_study(search):
    done = search("--seeds", "1", KERAS_BACKEND="jax")
    assert done.returncode == 0, done.stderr
    table, history = records.load("tiny", search.artifacts), records.history("tiny", search.artifacts)
    assert (table["status"] == "completed").all()
    first, last = (history[history["epoch"] == epoch]["val_mse"].to_numpy() for epoch in (1, 2))
    assert (last < first).all()
    record = json.loads(search.record_paths()[0].read_text())
    assert record["environment"]["backend"] == "jax" and "jaxlib" in record["environment"]["libraries"]


def test_a_trial_that_kills_its_workers_becomes_an_error_and_the_others_go_on(search):
    search.write(
        TINY.replace("latent_dim=[4]", 'architecture=["killer"]').split("FAMILIES")[0]
        + "import os, signal\n"
        + "def killer(shape, latent_dim, depth):\n    os.kill(os.getpid(), signal.SIGKILL)\n"
        + "ARCHITECTURES = dict(killer=killer)\n"
    )
    done = search("--seeds", "1", "--workers", "2")
    assert done.returncode == 1 and "died three times" in done.stdout
    table = records.load("tiny", search.artifacts)
    assert list(table["status"]) == ["completed", "error"]


def test_chief_and_workers_by_hand_as_on_several_machines(search, finished):
    import socket
    import subprocess

    from tests.conftest import environment

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = dict(KERASTUNER_ORACLE_IP="127.0.0.1", KERASTUNER_ORACLE_PORT=str(probe.getsockname()[1]))
    started = [
        subprocess.Popen(search.command(), env=environment(KERASTUNER_TUNER_ID=name, **address), stderr=subprocess.PIPE)
        for name in ("chief", "worker-0", "worker-1")
    ]
    outcomes = [(process.communicate(timeout=200)[1], process.returncode) for process in started]
    assert [code for _, code in outcomes] == [0, 0, 0], outcomes
    assert values(search) == values(finished)
