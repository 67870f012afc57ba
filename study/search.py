"""Runs a study: every cell of a search space with every seed, each trained once and recorded once.

    python -m study.search                          the space `quick`: minutes, no network
    python -m study.search assignment --dry-run     what a space would run, and how long it would take
    python -m study.search my_space.py --workers 2  a search space of your own

Ctrl-C at any time: the same command goes on where it stopped. Exit code 0: all trials complete; 1: some failed;
2: bad input; 130: interrupted.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from study import datasets, progress, provenance, records, space_checks, summary, workers
from study import manifest as manifests
from study import space as spaces
from study.errors import InputError
from study.job import Job


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns its exit code."""
    options = _parser().parse_args(arguments)
    try:
        return _run(options)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def plan(options: argparse.Namespace) -> Job:
    """The job that the options ask for, checked against the data and against what the study holds already.

    Raises:
        InputError: Anything the user can mend.
    """
    settings = _settings(options.set)
    space = spaces.load(options.space)
    if settings and not options.name:
        raise InputError("--set changes what the search space says, so the study needs a name of its own: --name NAME")
    if options.name and not space_checks.SAFE_NAME.fullmatch(options.name.replace("-", "_")):
        raise InputError(f"--name {options.name!r}: allowed are letters, digits, '_', '-' and '.'.")
    space = space_checks.validate(spaces.override(space, settings))
    if options.seeds:
        space = spaces.override(space, {"seeds": str(options.seeds)})
    study, seeds = options.name or space.name, space.training["seeds"]
    manifest = manifests.describe(space, study, _describe_data(space, options.data_dir))
    if (options.artifacts / study / "manifest.json").is_file():
        manifest = _extended(manifest, study, options.artifacts)
    data_dir = str(Path(options.data_dir).resolve()) if options.data_dir else None
    return Job(str(options.artifacts), study, manifest, seeds, data_dir, options.retry_failed)


def _run(options: argparse.Namespace) -> int:
    job = plan(options)
    if options.rebuild:
        return _rebuild(job, options)
    if options.status:
        return summary.print_status(job)
    if options.dry_run:
        return summary.print_plan(job, _workers(options, job))
    if not options.mixed:
        _refuse_mixing(job)
    if role := os.environ.get("KERASTUNER_TUNER_ID"):
        return _run_role(role, job)
    return _search(job, options)


def _search(job: Job, options: argparse.Namespace) -> int:
    _make_folder(job)
    tasks, wanted = job.tasks(), len(job.hashes)
    count = _workers(options, job)
    print(
        f"study {job.study}: {wanted} trials ({len(job.space.cells())} cells, {job.seeds} seeds), {len(tasks)} to run"
    )
    if tasks and (stopped := _supervise(job, count, wanted - len(tasks), options)):
        return stopped
    paths = records.write_tables(job.study, job.artifacts)
    return summary.print_results(job, paths)


def _supervise(job: Job, count: int, already: int, options: argparse.Namespace) -> int:
    """Runs the job with progress; 0, or the exit code of what ended it early."""
    workers.wait_for_lock(job.folder)
    try:
        with progress.Progress(job, count, already) as shown:
            workers.supervise(job, count, shown.tick)
    except KeyboardInterrupt:
        print(f"\ninterrupted. Nothing finished is lost; to go on: {_command(options)}", file=sys.stderr)
        return 130
    except workers.StartError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _rebuild(job: Job, options: argparse.Namespace) -> int:
    """Trains completed trials again whose model is gone, and says whether they came out as recorded."""
    import dataclasses
    import json

    completed = [n for n in job.hashes if (r := job.record(n)) is not None and r["status"] == "completed"]
    chosen = tuple(name for name in completed if fnmatch(name, options.rebuild))
    if not chosen:
        raise InputError(
            f"--rebuild {options.rebuild!r} matches no completed trial of {job.study}; one is: {completed[:1]}"
        )
    job = dataclasses.replace(job, rebuild=chosen)
    tasks = job.tasks()
    print(f"study {job.study}: {len(chosen)} trials match, {len(tasks)} of them without a model to rebuild")
    if tasks and (stopped := _supervise(job, _workers(options, job), len(chosen) - len(tasks), options)):
        return stopped
    outcomes = {t.name: json.loads((job.folder / "trials" / t.name / "rebuild.json").read_text()) for t in tasks}
    for name, outcome in outcomes.items():
        print(f"{name}: {summary.agreement(outcome)}")
    return 0 if all(outcome["status"] == "completed" for outcome in outcomes.values()) else 1


def _run_role(role: str, job: Job) -> int:
    """A chief or a worker started by hand, with Keras Tuner's environment variables, on any machine."""
    import dataclasses

    from study import process

    missing = [n for n in ("KERASTUNER_ORACLE_IP", "KERASTUNER_ORACLE_PORT") if n not in os.environ]
    if missing:
        raise InputError(
            f"KERASTUNER_TUNER_ID={role} is set, but {' and '.join(missing)} is not; set all three, or none."
        )
    os.environ.update({key: value for key, value in process.ONE_THREAD.items() if key not in os.environ})
    job = dataclasses.replace(job, supervised=False)
    if "chief" not in role:
        return process.worker(job)
    _make_folder(job)
    code = process.chief(job)
    if code == process.LOCKED:
        raise InputError(
            f"another search is running on the study '{job.study}'. Watch it with --status, or end it first."
        )
    records.write_tables(job.study, job.artifacts)
    return code


def _describe_data(space: spaces.Space, data_dir: str | None) -> dict[str, Any]:
    """What the manifest says of each data set; loads it, and so finds what is wrong with it."""
    described: dict[str, Any] = {}
    loaded: dict[str, datasets.Dataset] = {}
    for cell in space.cells().values():
        name = cell["dataset"]
        if name not in loaded:
            data = loaded[name] = datasets.load(name, data_dir)
            sizes = [len(data.x_train), len(data.x_test)]
            described[name] = {
                "shape": list(data.shape),
                "sizes": sizes,
                "source": data.source,
                "hashes": data.hashes(),
            }
    for name, train_size, normal_class in {
        (c["dataset"], c["train_size"], c["normal_class"]) for c in space.cells().values()
    }:
        datasets.split(loaded[name], 0, train_size, normal_class)
    return described


def _extended(manifest: dict[str, Any], study: str, artifacts: Path) -> dict[str, Any]:
    try:
        old = records.manifest(study, artifacts)
    except InputError as error:
        print(f"note: {error} It is written anew.", file=sys.stderr)
        return manifest
    return manifests.extend(old, manifest)


def _refuse_mixing(job: Job) -> None:
    """Refuses to add trials to a seed whose other trials come from another environment."""
    here, seeds = provenance.environment(), {task.seed for task in job.tasks()}
    for task in job.space.trials(job.seeds):
        record = job.record(task.name) if task.seed in seeds else None
        if record and (lines := provenance.differences(record["environment"], here)):
            raise InputError(
                f"seed {task.seed} of study '{job.study}' has trials from another environment than this one "
                f"(there ≠ here): {'; '.join(lines)}. Within a seed trials are compared in pairs. Finish it where it "
                "was begun, or give this study another --name, or accept it with --mixed; every analysis then says so."
            )


def _make_folder(job: Job) -> None:
    try:
        (job.folder / "trials").mkdir(parents=True, exist_ok=True)
        probe = job.folder / ".writable"
        probe.write_text("")
        probe.unlink()
    except OSError as error:
        raise InputError(
            f"cannot write to {job.folder} ({error}). Choose another folder with --artifacts DIR."
        ) from error


def _settings(pairs: Sequence[str]) -> dict[str, str]:
    for pair in pairs:
        if "=" not in pair:
            raise InputError(f"--set {pair}: write KEY=VALUE, such as --set epochs=2")
    return dict(pair.split("=", 1) for pair in pairs)


def _workers(options: argparse.Namespace, job: Job) -> int:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(options.workers or cores, len(job.tasks())))


def _command(options: argparse.Namespace) -> str:
    return "python -m study.search " + " ".join(sys.argv[1:])


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a whole number of at least 1")
    return number


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m study.search", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("space", nargs="?", default="quick", metavar="SPACE", help="a name in search_spaces/, or your own .py file")
    add("--data-dir", default=os.environ.get("STUDY_DATA_DIR"), help="where your data files are (or STUDY_DATA_DIR)")
    add("--artifacts", type=Path, default=records.ARTIFACTS, help="where studies are kept (default: artifacts)")
    add("--workers", type=_positive, help="worker processes, one thread each (default: one a core)")
    add("--seeds", type=_positive, help="how many seeds (default: what the space says); more extend a study")
    add("--set", action="append", default=[], metavar="KEY=VALUE", help="another training setting or baseline level")
    add("--name", help="the study's name (default: the space's); needed with --set")
    add("--dry-run", action="store_true", help="show the plan and the expected time; write nothing")
    add("--status", action="store_true", help="show how far the study is")
    add("--retry-failed", action="store_true", help="train again what failed or diverged")
    add("--rebuild", metavar="PATTERN", help="train completed trials again whose model is gone, and compare")
    add("--mixed", action="store_true", help="allow trials of one seed from different environments; analyses say so")
    return parser


if __name__ == "__main__":
    sys.exit(main())
