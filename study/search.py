"""Runs a study: every cell of a search space with every seed, each trained once and recorded once.

    python -m study.search                          the space `quick`: minutes, no network
    python -m study.search assignment --dry-run     what a space would run, and how long it would take
    python -m study.search my_space.py --workers 2  a search space of your own

Ctrl-C at any time: the same command goes on where it stopped. Exit code 0: all trials complete; 1: some failed;
2: bad input; 130: interrupted.
"""

import argparse
import dataclasses
import os
import shlex
import sys
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from study import explore, plan, progress, proposals, provenance, records, summary, tensorboard, workers
from study.errors import InputError
from study.job import Job
from study.space import cell_name


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns its exit code."""
    options = _parser().parse_args(arguments)
    try:
        return _run(options)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def default_workers() -> int:
    """One a core; on a machine with GPUs two a GPU, so that one computes while the other prepares its next trial."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    gpus = (provenance.gpu_model() or "").splitlines()
    return min(cores, 2 * len(gpus)) if gpus else cores


def _run(options: argparse.Namespace) -> int:
    if options.tensorboard:
        tensorboard.check_installed()
    _refuse_beside_rebuild(options)
    if options.tuner:
        _refuse_beside_tuner(options)
        return explore.run(options, lambda job: _train(job, options))
    job = _chosen(dataclasses.replace(plan.job(options), retry_failed=options.retry_failed), options.cells)
    if options.rebuild is not None:
        return _rebuild(job, options)
    if options.status:
        return summary.print_status(job)
    if options.dry_run:
        return summary.print_plan(job, _workers(options, job))
    _refuse_mixing(job, options)
    if role := os.environ.get("KERASTUNER_TUNER_ID"):
        return _run_role(role, job)
    return _search(job, options)


def _chosen(job: Job, pattern: str | None) -> Job:
    """The job for the cells of a pattern alone."""
    chosen = dataclasses.replace(job, cells=pattern or "*")
    if not chosen.wanted():
        names = list(job.space.cells())
        raise InputError(
            f"--cells {pattern!r} matches no cell of {job.study}: names are such as {names[0]}, {names[-1]}."
        )
    return chosen


def _search(job: Job, options: argparse.Namespace) -> int:
    plan.make_folder(job)
    tasks, wanted = job.tasks(), job.wanted()
    count = _workers(options, job)
    cells = len({cell_name(task.cell) for task in wanted})
    print(f"study {job.study}: {len(wanted)} trials ({cells} cells, {job.seeds} seeds), {len(tasks)} to run")
    if not tasks:
        _write_manifest(job)
    elif stopped := _supervise(job, count, _n_done(job), options):
        return stopped
    _write_curves(job, options, job.hashes)
    paths = records.write_tables(job.study, job.artifacts)
    return summary.print_results(job, paths)


def _write_manifest(job: Job) -> None:
    """What a chief does before it hands out trials, where there are none: contrasts, or a manifest that was damaged."""
    from study import process

    workers.wait_for_lock(job.folder)
    process.write_manifest(job)


def _train(job: Job, options: argparse.Namespace) -> int:
    """A round of a search proper."""
    _refuse_mixing(job, options)
    return _supervise(job, _workers(options, job), _n_done(job), options)


def _n_done(job: Job) -> int:
    return len(job.wanted()) - len(job.tasks())


def _supervise(job: Job, count: int, already: int, options: argparse.Namespace) -> int:
    """Runs the job with progress; 0, or the exit code of what ended it early."""
    workers.wait_for_lock(job.folder)
    try:
        with progress.Progress(job, count, already) as shown:

            def tick(done: set[str]) -> None:
                shown.tick(done)
                _write_curves(job, options, done)

            workers.supervise(job, count, tick)
    except KeyboardInterrupt:
        print(f"\ninterrupted. Nothing finished is lost; to go on: {_command()}", file=sys.stderr)
        return 130
    except workers.StartError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _write_curves(job: Job, options: argparse.Namespace, names: Iterable[str]) -> None:
    """TensorBoard's curves of those trials that have a record and no curves yet, if they are wanted."""
    if options.tensorboard:
        fresh = [name for name in names if not (options.tensorboard / name).is_dir()]
        tensorboard.write(options.tensorboard, [record for name in fresh if (record := job.record(name))])


def _rebuild(job: Job, options: argparse.Namespace) -> int:
    """Trains completed trials again whose model or examples are gone, and says whether they came out as recorded."""
    import json

    records_of = {task.name: job.record(task.name) for task in job.wanted()}
    completed = [name for name, record in records_of.items() if record and record["status"] == "completed"]
    chosen = [name for name in completed if any(fnmatchcase(name, part) for part in options.rebuild.split())]
    if not chosen:
        such = f"allowed are patterns of names such as {completed[0]}" if completed else "it has none yet"
        raise InputError(f"--rebuild {options.rebuild!r} matches no completed trial of {job.study}: {such}.")
    lacking = tuple(name for name in chosen if not (job.has_model(name) and job.has_examples(name)))
    print(f"study {job.study}: {len(chosen)} trials match, {len(lacking)} of them to rebuild")
    if not lacking:
        return 0
    job = dataclasses.replace(job, rebuild=lacking)
    if stopped := _supervise(job, _workers(options, job), 0, options):
        return stopped
    outcomes = {name: json.loads((job.folder / "trials" / name / "rebuild.json").read_text()) for name in lacking}
    for name, outcome in outcomes.items():
        print(f"{name}: {summary.agreement(outcome)}")
    return 0 if all(outcome["status"] == "completed" for outcome in outcomes.values()) else 1


def _run_role(role: str, job: Job) -> int:
    """A chief or a worker started by hand, with Keras Tuner's environment variables, on any machine."""
    from study import process, threads

    missing = [n for n in ("KERASTUNER_ORACLE_IP", "KERASTUNER_ORACLE_PORT") if n not in os.environ]
    if missing:
        raise InputError(
            f"KERASTUNER_TUNER_ID={role} is set, but {' and '.join(missing)} is not; set all three, or none."
        )
    os.environ.update({key: value for key, value in threads.ONE_THREAD.items() if key not in os.environ})
    job = dataclasses.replace(job, supervised=False)
    if "chief" not in role:
        return process.worker(job)
    plan.make_folder(job)
    code = process.chief(job)
    if code == process.LOCKED:
        raise InputError(
            f"another search is running on the study '{job.study}'. Watch it with --status, or end it first."
        )
    records.write_tables(job.study, job.artifacts)
    return code


def _refuse_beside_rebuild(options: argparse.Namespace) -> None:
    """Refuses what would be done to the same study in another way."""
    given = [name for name in ("dry_run", "status", "retry_failed") if getattr(options, name)]
    if options.rebuild is not None and given:
        raise InputError(f"--rebuild does not go with --{given[0].replace('_', '-')}: one after the other.")


def _refuse_beside_tuner(options: argparse.Namespace) -> None:
    """Refuses what says something about the trials of a study, which a search proper does not know beforehand."""
    beside = ("dry_run", "status", "rebuild", "retry_failed", "cells")
    given = [name for name in beside if getattr(options, name) not in (None, False)]
    if given:
        study = explore.study_name(options)
        look = (options.artifacts / study / "manifest.json").is_file()
        raise InputError(
            f"--tuner does not go with --{given[0].replace('_', '-')}: it decides what to train by the results so far, "
            f"at most {explore.most_trials(options.budget)} trials. What it trains is the study '{study}'"
            + (f": python -m study.search {study} --status" if look else ", of which there is nothing yet.")
        )


def _refuse_mixing(job: Job, options: argparse.Namespace) -> None:
    """Refuses to add trials to a seed whose other trials come from another environment, unless --mixed allows it."""
    if options.mixed:
        return
    here, seeds = provenance.environment(), {task.seed for task in job.tasks()}
    for task in job.space.trials(job.seeds):
        record = job.record(task.name) if task.seed in seeds else None
        if record and (lines := provenance.differences(record["environment"], here)):
            raise InputError(
                f"seed {task.seed} of study '{job.study}' has trials from another environment than this one "
                f"(there ≠ here): {'; '.join(lines)}. Within a seed trials are compared in pairs. Finish it where it "
                "was begun, or give this study another --name, or accept it with --mixed; every analysis then says so."
            )


def _workers(options: argparse.Namespace, job: Job) -> int:
    return max(1, min(options.workers or default_workers(), len(job.tasks())))


def _command() -> str:
    return "python -m study.search " + shlex.join(sys.argv[1:])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m study.search", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    plan.add_options(parser)
    add = parser.add_argument
    add("--workers", type=plan.positive, help="worker processes, one thread each (default: one a core, or two a GPU)")
    add("--tuner", choices=proposals.TUNERS, help="propose cells from the space's SEARCH instead of its blocks")
    add("--budget", type=plan.positive, default=explore.BUDGET, help="cells that --tuner tries (default: 24)")
    add("--dry-run", action="store_true", help="show the plan and the expected time; write nothing")
    add("--status", action="store_true", help="show how far the study is")
    add("--cells", metavar="PATTERN", help="only these now, such as '*-k8-*' or 'a* b*'; without it the rest follows")
    add("--retry-failed", action="store_true", help="train again what failed or diverged")
    add(
        "--rebuild",
        metavar="PATTERN",
        help="train completed trials again whose model or examples are gone, and compare; names with seed, 'a-s00 b-*'",
    )
    add("--tensorboard", type=Path, metavar="DIR", help="also write each trial's curves for TensorBoard")
    add("--mixed", action="store_true", help="allow trials of one seed from different environments; analyses say so")
    return parser


if __name__ == "__main__":
    sys.exit(main())
