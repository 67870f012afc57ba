"""What training a cell costs: each cell alone in a fresh process, cells in turn, several rounds.

    python -m study.cost assignment          after, before or without its search

Times of a search are those of a crowded machine; these are not. Every measurement is a process of its own with one
thread, as a worker has: its first epoch (which pays for tracing), two more, its peak memory. Rounds go over all cells
in turn, so that a slow minute of the machine falls on all. Interrupted, the same command goes on. Writes `cost.csv`:
medians over the rounds, and as `_low` and `_high` their extremes. Memory includes that of the libraries.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from study import files, plan, progress, records, threads
from study.errors import InputError
from study.job import Job
from study.space import FACTORS

EPOCHS = 3  # the first, and two more
BUSY = 0.9  # a share of one core below which something else was running
MEASURES = ("first_epoch_seconds", "epoch_seconds", "images_per_second", "peak_memory_mb")
COLUMNS = (
    *("cell", *FACTORS, "n_parameters", "rounds"),
    *(f"{measure}{part}" for measure in MEASURES for part in ("", "_low", "_high")),
    *("cpu_share", "environment"),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns its exit code."""
    options = _parser().parse_args(arguments)
    if options.measure:
        print(json.dumps(_measure(Job.from_json(sys.stdin.readline()), options.measure)))
        return 0
    try:
        job = plan.job(options)
        plan.make_folder(job)
        return _run(job, options.rounds)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\ninterrupted. No measurement is lost; the same command goes on.", file=sys.stderr)
        return 130


def _run(job: Job, rounds: int) -> int:
    wanted = [(number, cell) for number in range(rounds) for cell in job.space.cells()]
    left = [(number, cell) for number, cell in wanted if _stored(job, number, cell) is None]
    print(f"cost of {job.study}: {len(wanted)} measurements, {len(left)} to make, each alone on the machine")
    began = time.monotonic()
    for done, (number, cell) in enumerate(left):
        remaining = (time.monotonic() - began) / done * (len(left) - done) if done else None
        time_left = f", {progress.duration(remaining)} left" if remaining is not None else ""
        print(f"{len(wanted) - len(left) + done + 1}/{len(wanted)} round {number + 1} {cell}{time_left}", flush=True)
        measured = _in_fresh_process(job, cell)
        _path(job, number, cell).parent.mkdir(exist_ok=True)
        files.write_atomically(_path(job, number, cell), files.to_json(measured))
    table = summarize(job, rounds)
    path = job.folder / "cost.csv"
    files.write_atomically(path, table.to_csv(index=False, lineterminator="\n").encode())
    if busy := int((table["cpu_share"] < BUSY).sum()):
        print(
            f"note: {busy} cells had less than {BUSY:.0%} of a core: other programs were running. Times are too long."
        )
    print(f"wrote {path}")
    return 0


def summarize(job: Job, rounds: int) -> Any:
    """A row a cell, the columns `COLUMNS`: medians over rounds (an epoch's: over rounds and epochs), and extremes."""
    import pandas as pd

    rows = []
    for name, cell in job.space.cells().items():
        found = [m for number in range(rounds) if (m := _stored(job, number, name)) is not None]
        if found:
            known = {"cell": name, "n_parameters": found[0]["n_parameters"], "environment": found[0]["environment"]}
            shares = pd.Series([m["cpu_share"] for m in found])
            rows.append({**cell, **known, "rounds": len(found), **_spread(found), "cpu_share": shares.median()})
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _spread(found: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Median, least and greatest of each of `MEASURES` over the measurements of one cell."""
    import pandas as pd

    epochs = [seconds for m in found for seconds in m["epoch_seconds"]]
    values = {
        "first_epoch_seconds": [m["first_epoch_seconds"] for m in found],
        "epoch_seconds": epochs,
        "images_per_second": [found[0]["images"] / seconds for seconds in epochs],
        "peak_memory_mb": [m["peak_memory_mb"] for m in found],
    }
    spread: dict[str, float] = {}
    for measure, numbers in values.items():
        column = pd.Series(numbers)
        spread |= {measure: column.median(), f"{measure}_low": column.min(), f"{measure}_high": column.max()}
    return spread


def _in_fresh_process(job: Job, cell: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "study.cost", "--measure", cell],
        input=job.to_json() + "\n",
        capture_output=True,
        text=True,
        env={**os.environ, **threads.ONE_THREAD},
        cwd=Path(__file__).parent.parent,
        check=False,
    )
    if done.returncode != 0:
        raise InputError(f"measuring {cell} failed:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def _measure(job: Job, name: str) -> dict[str, Any]:
    """One measurement, in this process."""
    from study import autoencoders, datasets, preprocessing, provenance, training

    cell = job.space.cells()[name]
    data = datasets.load(cell["dataset"], job.data_dir)
    prepared, splits = preprocessing.prepare(cell, 0, data)
    seconds, used, began = [], time.process_time(), time.perf_counter()
    _, steps = training.compiled_steps(cell, prepared, job.space.architectures)
    model = autoencoders.build(cell, data.shape, 0, job.space.architectures)
    steps.start(model.get_weights(), 0)
    images = steps.resident(splits.train)
    for epoch in range(1, EPOCHS + 1):
        order = datasets.rng(0, "batch order", epoch).permutation(len(splits.train))
        started = time.perf_counter()
        steps.epoch(images, order)
        seconds.append(time.perf_counter() - started)
    share = (time.process_time() - used) / (time.perf_counter() - began)
    return {
        "images": len(splits.train),
        "n_parameters": int(model.count_params()),
        "first_epoch_seconds": seconds[0],
        "epoch_seconds": seconds[1:],
        "peak_memory_mb": _peak_memory() / 1e6,
        "cpu_share": share,
        "environment": records.environment_key(provenance.environment()),
    }


def _peak_memory() -> int:
    """The most memory that this process has held, in bytes."""
    if os.name == "nt":
        import psutil

        return psutil.Process().memory_info().peak_wset
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _path(job: Job, number: int, cell: str) -> Path:
    return job.folder / "cost" / f"{cell}-round{number}.json"


def _stored(job: Job, number: int, cell: str) -> dict[str, Any] | None:
    try:
        return json.loads(_path(job, number, cell).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m study.cost", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    plan.add_options(parser)
    parser.add_argument("--rounds", type=plan.positive, default=3, help="measurements of each cell (default: 3)")
    parser.add_argument("--measure", metavar="CELL", help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    sys.exit(main())
