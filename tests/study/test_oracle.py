"""The chief's queue, without a network: order, leases, deaths, and that it never raises."""

import subprocess
import sys
import textwrap

from tests.conftest import ROOT, environment

# A chief runs on Keras' numpy backend; this test process may have another, so the cases run in one of their own.
PRELUDE = """
import warnings; warnings.simplefilter("ignore")
from study import oracle as module
from study.oracle import StudyOracle, levels_and_seed
from study.space import DEFAULTS, Task, cell_name, trial_name

now, recorded, given_up = [0.0], set(), []
def task(k, seed):
    cell = dict(dataset="d", architecture="a", latent_dim=k, loss="mse", **DEFAULTS)
    return Task(trial_name(cell, seed), cell, seed)
def make(tasks):
    give_up = lambda name: (recorded.add(name), given_up.append(name))
    return StudyOracle(tasks, recorded.__contains__, give_up, lambda: now[0])
def end(oracle, trial):
    recorded.add(trial.trial_id); oracle.update_trial(trial.trial_id, {"val_mse": 1.0}); oracle.end_trial(trial)
"""


def run(case: str) -> None:
    code = PRELUDE + textwrap.dedent(case)
    subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment(KERAS_BACKEND="numpy"), timeout=120, check=True
    )


def test_order_leases_deaths_and_strangers():
    run("""
    # Each worker keeps to the cells it has traced, lowest seeds first, and goes one seed ahead before it traces again.
    oracle = make([task(k, s) for s in range(3) for k in (1, 2)])
    order = []
    for worker in "abababab":
        trial = oracle.create_trial(worker)
        if trial.status == "RUNNING":
            order.append((worker, trial.trial_id[-7:]))
            end(oracle, trial)
    assert order == [(w, f"{k}-mse-s0{s}"[-7:]) for s in range(3) for w, k in (("a", 1), ("b", 2))], order
    assert trial.status == "STOPPED" and not oracle.tuner_ids and not oracle.ongoing_trials

    # A silent worker's trial goes to another; one that is heard of keeps it.
    recorded.clear()
    oracle = make([task(1, 0), task(2, 0)])
    first, second = oracle.create_trial("a"), oracle.create_trial("b")
    assert oracle.create_trial("c").status == "IDLE"
    now[0] += module.LEASE_SECONDS * 0.9
    oracle.get_trial(second.trial_id)
    now[0] += module.LEASE_SECONDS * 0.2
    again = oracle.create_trial("c")
    assert again.trial_id == first.trial_id and again.status == "RUNNING"
    end(oracle, again); end(oracle, second)
    assert oracle.create_trial("c").status == "STOPPED"

    # A worker that dies three times on a trial is spared it; the others go on.
    recorded.clear()
    oracle = make([task(1, 0), task(2, 0)])
    name = oracle.create_trial("a").trial_id
    assert oracle.create_trial("a").trial_id == name and oracle.create_trial("a").trial_id == name
    other = oracle.create_trial("a")
    assert given_up == [name] and other.trial_id != name
    end(oracle, other)

    # A trial that another chief handed out does no harm, and the lock is free afterwards.
    stranger = oracle._trial("of another chief", levels_and_seed(task(1, 0)), "COMPLETED")
    oracle.update_trial("of another chief", {"val_mse": 1.0}); oracle.end_trial(stranger)
    assert oracle.create_trial("a").status == "STOPPED"

    # Nothing is written.
    import os; assert not os.path.exists("untitled_project")
    """)
