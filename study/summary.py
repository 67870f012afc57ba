"""What `study.search` prints: the plan, the status, the results."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from study import forecast, progress, records
from study.job import Job
from study.space import cell_name


def print_plan(job: Job, count: int) -> int:
    """The blocks, the number of cells and trials, what is done, and the expected time with `count` workers."""
    tasks = job.tasks()
    print(f"study {job.study}: baseline {cell_name(job.space.baseline)}")
    for name, block in job.space.blocks.items():
        levels = "; ".join(f"{factor} = {', '.join(map(str, values))}" for factor, values in block.items())
        print(f"  block {name}: {levels}")
    cells, epochs = len(job.space.cells()), job.space.training["epochs"]
    print(f"{cells} cells × {job.seeds} seeds = {len(job.hashes)} trials of {epochs} epochs")
    wanted = job.wanted()
    chosen = f"{len(wanted)} trials of the cells {job.cells}; " if len(wanted) < len(job.hashes) else ""
    print(f"{chosen}done: {len(wanted) - len(tasks)}; to run: {len(tasks)}")
    if tasks:
        durations = forecast.Durations()
        for name in job.hashes:
            durations.add(job.record(name))
        seconds, source = durations.expect(tasks, count), "from this study's records"
        if seconds is None:
            seconds, source = forecast.by_timing(job, tasks, count), "from timing one epoch of each kind now"
        print(f"expected time with {count} workers: {progress.duration(seconds)} ({source})")
    print("nothing was written")
    return 0


def print_status(job: Job) -> int:
    """How many trials are done, failed and to go, and what is running."""
    found = [job.record(task.name) for task in job.wanted()]
    done = [record for record in found if record]
    failed = [record for record in done if record["status"] != "completed"]
    print(
        f"study {job.study}: {len(done)}/{len(found)} trials done, {len(failed)} failed, {len(found) - len(done)} to go"
    )
    for line in progress.running_lines(job.folder):
        print(f"  {line}")
    _print_failures(job, failed)
    return 0


def print_results(job: Job, paths: Sequence[Path]) -> int:
    """The best cells, what failed, the paths written, the next command; the exit code."""
    table = records.load(job.study, job.artifacts)
    found = [job.record(task.name) for task in job.wanted()]
    failed = [record for record in found if record and record["status"] != "completed"]
    print(_best_cells(table))
    for notice in records.notices(job.study, job.artifacts):
        print(f"note: {notice}")
    seeds = job.seeds
    if seeds < 6:
        several = f"{seeds} seeds" if seeds > 1 else "one seed"
        print(f"A demonstration: with {several} no two-sided sign-flip test can give a p below {2 / 2**seeds:.3g}.")
    _print_failures(job, failed)
    print("wrote " + ", ".join(str(path) for path in (job.folder / "manifest.json", *paths)))
    print(f"next: python -m analysis {job.study}{_folder_options(job)} (every analysis, one card)")
    return 1 if failed else 0


def _best_cells(table: Any, shown: int = 5) -> str:
    """The cells with the lowest mean `val_mse` of each data set, their test error with its t interval over seeds."""
    from scipy import stats

    lines = ["best cells by val_mse (test_mse: mean over seeds and 95 % t interval; lower is better)"]
    table = table[table["status"] == "completed"]
    table = table.assign(cell=table["trial"].str.rsplit("-", n=1).str[0])
    for _, rows in table.groupby("dataset", sort=False):
        means = rows.groupby("cell")["val_mse"].mean().sort_values()
        for cell in means.index[:shown]:
            errors = rows.loc[rows["cell"] == cell, "test_mse"]
            half = f" ± {stats.t.ppf(0.975, len(errors) - 1) * errors.sem():.5f}" if len(errors) > 1 else ""
            lines.append(f"  {cell:45s} {errors.mean():.5f}{half} (n = {len(errors)})")
    return "\n".join(lines)


def _print_failures(job: Job, failed: Sequence[dict[str, Any]]) -> None:
    for record in failed:
        what = record["error"].strip().splitlines()[-1] if record["error"] else "its loss was no longer finite"
        print(f"failed: {record['trial']} ({record['status']}): {what}; see {job.folder / 'trials' / record['trial']}")
    if failed:
        folder = _folder_options(job)
        print(f"To train the failed trials again: python -m study.search {job.study} --retry-failed{folder}")


def agreement(outcome: dict[str, Any]) -> str:
    """How a rebuilt trial compares with its record, in words."""
    if outcome["status"] != "completed":
        return f"{outcome['status']} this time: {outcome['error'] or 'the loss was no longer finite'}"
    if outcome["identical"]:
        return "rebuilt, every metric as recorded to the bit"
    where = "; ".join(outcome["environment_differs"]) or "in the same environment"
    return f"rebuilt; metrics differ by up to {outcome['largest_relative_difference']:.1e} relative ({where})"


def _folder_options(job: Job) -> str:
    """What an analysis has to be told to find the study and its data."""
    artifacts = "" if Path(job.artifacts) == records.ARTIFACTS else f" --artifacts {job.artifacts}"
    data = "" if not job.data_dir or os.environ.get("STUDY_DATA_DIR") else f" --data-dir {job.data_dir}"
    return artifacts + data
