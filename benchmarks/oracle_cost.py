"""What the oracle itself costs a trial, up to 10,000 trials: it must not grow.

    KERAS_BACKEND=numpy python -m benchmarks.oracle_cost

Two workers take, renew, report and end the 10,000 trials of 1,000 cells × 10 seeds, in one process and without
training or a network. Printed: milliseconds a trial for each thousand.
"""

import time
import warnings

warnings.simplefilter("ignore")  # Keras Tuner calls a deprecated name of `threading` in every method

from study.oracle import StudyOracle  # noqa: E402
from study.space import DEFAULTS, Task, trial_name  # noqa: E402


def main() -> None:
    """Runs the queue empty and prints the cost of each thousand trials."""
    tasks = [_task(k, seed) for seed in range(10) for k in range(1, 1001)]
    recorded: set[str] = set()
    oracle = StudyOracle(tasks, recorded.__contains__, recorded.add)
    print("trials      ms a trial")
    for thousand in range(10):
        started = time.perf_counter()
        for i in range(1000):
            trial = oracle.create_trial(f"worker-{i % 2}")
            oracle.get_trial(trial.trial_id)
            recorded.add(trial.trial_id)
            oracle.update_trial(trial.trial_id, {"val_mse": 1.0})
            oracle.end_trial(trial)
        print(f"{1000 * (thousand + 1):6d}      {time.perf_counter() - started:10.3f}")


def _task(latent_dim: int, seed: int) -> Task:
    cell = {**DEFAULTS, "dataset": "digits", "architecture": "dense", "latent_dim": latent_dim, "loss": "mse"}
    return Task(trial_name(cell, seed), cell, seed)


if __name__ == "__main__":
    main()
