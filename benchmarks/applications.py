"""The four applications of Problem 2 over the models of a study: seconds, seconds a model, processor time, memory.

    python -m benchmarks.applications STUDY [--artifacts DIR] [--data-dir DIR] [--models 50] [--workers 2]
                                      [--out DIR]

Trains nothing: takes a study that is there, copies it to a folder of its own (--out keeps it), and has every command
compute everything anew at its default number of images. Where the study has fewer models than asked for, the time is
extrapolated in proportion, which is too long, since baselines and figures do not grow with the models.
"""

import argparse
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import nullcontext
from pathlib import Path

from study import records

TASKS = ("inpainting", "denoising", "anomaly", "generation")
MINUTES = 30


def main() -> None:
    """Runs the commands one after another and prints what each took."""
    options = _options()
    table = records.load(options.study, options.artifacts)
    names = list(table.loc[table["status"] == "completed", "trial"][: options.models])
    print(f"{options.study}: {len(names)} models, {options.workers} workers")
    print("task          seconds   a model   CPU s   peak MB")
    total = spent = 0.0
    with nullcontext(options.out) if options.out else tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / options.study
        kept = shutil.ignore_patterns("tasks", "analysis", "report")
        shutil.copytree(Path(options.artifacts) / options.study, copy, ignore=kept)
        for task in options.tasks:
            seconds = _run(task, options, folder, names)
            total += seconds
            # Of finished children the largest; it only grows, so that a smaller command after a larger one is not seen.
            used = resource.getrusage(resource.RUSAGE_CHILDREN)
            cpu, spent = used.ru_utime + used.ru_stime - spent, used.ru_utime + used.ru_stime
            shown = f"{seconds:8.0f}  {seconds / len(names):8.2f}  {cpu:6.0f}  {used.ru_maxrss / 1024:8.0f}"
            print(f"{task:12s} {shown}", flush=True)
    print(f"together     {total:8.0f}  {total / len(names):8.2f}  {spent:6.0f}")
    if len(names) < options.models:
        print(
            f"{options.models} models at that rate: {total / len(names) * options.models / 60:.1f} minutes "
            f"(limit {MINUTES})"
        )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("study")
    parser.add_argument("--artifacts", default="artifacts")
    parser.add_argument("--data-dir")
    parser.add_argument("--models", type=int, default=50)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", help="an empty folder for the copy and the results (default: thrown away)")
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=TASKS)
    return parser.parse_args()


def _run(task: str, options: argparse.Namespace, artifacts: str, names: list[str]) -> float:
    """Seconds that a command took, start to end."""
    command = [sys.executable, "-m", f"analysis.{task}", options.study, "--artifacts", artifacts]
    command += ["--workers", str(options.workers), "--cells", " ".join(names)]
    command += ["--data-dir", options.data_dir] if options.data_dir else []
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
