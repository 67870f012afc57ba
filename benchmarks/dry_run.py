"""How well `study.search --dry-run` predicts the time of a study: the prediction, then the search itself, timed.

    python -m benchmarks.dry_run [SPACE] [--seeds N] [--set KEY=VALUE …] [--data-dir DIR] [--artifacts DIR]

SPACE is `tour` unless another is named. Both on an otherwise quiet machine, one after the other, with the workers that
the search starts by itself. The share of each kind of cell in the prediction is held against the records, so that a
good sum of bad parts would show. With --artifacts the study stays there; else it is thrown away.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from study import forecast, plan, provenance, records, search, timing
from study.job import Job


def main() -> None:
    """Predicts, runs, compares."""
    options = _parser().parse_args()
    with tempfile.TemporaryDirectory() as folder:
        options.artifacts = options.artifacts or Path(folder)
        job = plan.job(options)
        tasks = job.tasks()
        workers = search.default_workers()
        print(f"{job.study}: {len(tasks)} trials, {workers} workers, {provenance.cpu_model()}", flush=True)
        began = time.monotonic()
        timed = forecast.time_kinds(job, tasks)
        predicted = forecast.START_SECONDS + forecast.spread(forecast.trial_seconds(job, tasks, timed), workers)
        print(
            f"predicted {predicted:.0f} s, from timing {len(timed)} kinds in {time.monotonic() - began:.0f} s",
            flush=True,
        )
        began = time.monotonic()
        subprocess.run(_command(options), check=True, stdout=subprocess.DEVNULL)
        measured = time.monotonic() - began
        print(f"measured  {measured:.0f} s; predicted ÷ measured: {predicted / measured:.2f}")
        _print_kinds(job, tasks, timed)


def _print_kinds(job: Job, tasks: list, timed: dict) -> None:
    """Seconds of all trials of each kind: predicted, recorded, their ratio."""
    expected = dict(zip((task.name for task in tasks), forecast.trial_seconds(job, tasks, timed), strict=True))
    table = records.load(job.study, job.artifacts).set_index("trial")
    sums: dict[str, list[float]] = {}
    for task in tasks:
        name = " ".join(str(level) for level in timing.kind(task.cell) if level is not None)
        both = sums.setdefault(name, [0.0, 0.0])
        both[0] += expected[task.name]
        both[1] += table.loc[task.name, "trial_seconds"]
    print(f"{'kind':60s} {'predicted s':>12} {'recorded s':>11} {'ratio':>6}")
    for name, (one, other) in [*sums.items(), ("all", [sum(column) for column in zip(*sums.values(), strict=True)])]:
        print(f"{name:60s} {one:12.1f} {other:11.1f} {one / other:6.2f}")


def _command(options: argparse.Namespace) -> list[str]:
    command = [sys.executable, "-m", "study.search", options.space, "--artifacts", str(options.artifacts)]
    for key in ("seeds", "name", "data_dir"):
        value = getattr(options, key)
        command += [f"--{key.replace('_', '-')}", str(value)] if value else []
    return [*command, *(part for pair in options.set for part in ("--set", pair))]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    plan.add_options(parser)
    parser.set_defaults(space="tour", artifacts=None)
    return parser


if __name__ == "__main__":
    main()
