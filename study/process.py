"""What a chief and a worker process do: `python -m study.process chief|worker`, the job as JSON on standard input.

The supervisor (`study/workers.py`) starts them; by hand they run through `study.search` and Keras Tuner's environment
variables. Standard input stays open for as long as the parent lives: when it closes, the process ends.
"""

import json
import os
import sys
import threading
import time
from typing import Any, NoReturn

from study import files, lock, manifest, provenance, records
from study.errors import InputError
from study.job import Job
from study.space import Task

# Exit codes that the supervisor reads.
LOCKED, RECYCLE, CANNOT_WRITE, LOST_CHIEF = 3, 10, 74, 75
# A traced cell costs megabytes that only the end of its process gives back.
CELLS_A_WORKER, TRIALS_A_WORKER = 40, 400


def main() -> int:
    """Runs the role named on the command line."""
    role, job = sys.argv[1], Job.from_json(sys.stdin.readline())
    if job.supervised:
        end_with_parent()
    try:
        return chief(job) if role == "chief" else worker(job)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def end_with_parent() -> None:
    """Ends this process at once when its standard input closes, which happens when its parent ends in any way."""

    def watch() -> None:
        while os.read(0, 1):  # unbuffered: a buffered reader's lock would be held when the interpreter ends
            pass
        os._exit(0)

    threading.Thread(target=watch, daemon=True).start()


def chief(job: Job) -> int:
    """Takes the lock, writes the manifest, and hands out the trials until all have been run."""
    held = lock.acquire(job.folder)
    if held is None:
        return LOCKED
    write_manifest(job)
    files.remove_leftovers(job.folder)
    environment = provenance.environment()
    os.environ["KERAS_BACKEND"] = "numpy"  # a chief computes nothing, and so starts without TensorFlow
    from study.oracle import StudyOracle
    from study.tuner import StudyTuner

    tasks = {task.name: task for task in job.tasks()}
    if not tasks:
        return 0

    def give_up(name: str) -> None:
        _write(job, tasks[name], worker_killer(), environment)

    oracle = StudyOracle(tasks.values(), job.is_done, give_up)
    threading.Thread(target=_tidy, args=(oracle,), daemon=True).start()
    StudyTuner(oracle, lambda name: None, job.folder).search()
    return 0


def worker(job: Job) -> int:
    """Trains the trials that the chief hands out."""
    from study.oracle import StudyOracle
    from study.tuner import StudyTuner

    everything = list(job.space.trials(job.seeds))
    runner = Runner(job)
    oracle = StudyOracle(everything, job.is_done, lambda name: None)
    StudyTuner(oracle, runner.run, job.folder, after_trial=runner.end_if_used_up).search()
    return 0


class Runner:
    """Trains trials one after another in this process, and writes what they leave behind.

    Args:
        job: The run that this process belongs to.
    """

    def __init__(self, job: Job) -> None:
        self.job, self.trials_run = job, 0
        self._tasks = {task.name: task for task in job.space.trials(job.seeds)}
        self._data: dict[str, Any] = {}
        self._status = job.folder / "running" / f"{os.environ.get('KERASTUNER_TUNER_ID', 'worker')}.json"

    def run(self, name: str) -> dict[str, float] | None:
        """Trains a trial unless it is done; its metrics, or None if it failed."""
        from study import training

        if name not in self._tasks:
            _leave(LOST_CHIEF, f"the chief handed out {name}, which is not of this study: another chief's port?")
        task = self._tasks[name]
        if not self.job.is_done(task.name):
            self._show(task, 0)
            self.trials_run += 1
            try:
                record = training.train(
                    task.cell,
                    task.seed,
                    self.job.space.training,
                    self._dataset(task.cell["dataset"]),
                    self.job.space.architectures,
                    lambda epoch, row: self._show(task, epoch),
                )
            except InputError as error:
                _leave(2, f"error: {error}")
            except Exception as error:
                record = training.failure(error)
            _write(self.job, task, record, provenance.environment())
        self._status.unlink(missing_ok=True)
        return self._metrics(task)

    def end_if_used_up(self) -> None:
        """Ends the process once it has traced so much that a fresh one is cheaper; the supervisor starts that."""
        from study import training

        if training.n_compiled() >= CELLS_A_WORKER or self.trials_run >= TRIALS_A_WORKER:
            sys.exit(RECYCLE)

    def _metrics(self, task: Task) -> dict[str, float] | None:
        record = self.job.record(task.name)
        if record is None or record["status"] != "completed":
            return None
        return {key: float(value) for key, value in record["values"].items() if isinstance(value, float)}

    def _dataset(self, name: str) -> Any:
        from study import datasets

        if name not in self._data:
            data = datasets.load(name, self.job.data_dir)
            if data.hashes() != self.job.manifest["data"][name]["hashes"]:
                raise InputError(
                    f"the data set {name} here ({data.source}) holds other images than the study was started with. "
                    "Point --data-dir at the same files."
                )
            self._data = {name: data}  # one at a time: large sets would add up
        return self._data[name]

    def _show(self, task: Task, epoch: int) -> None:
        """Tells the supervisor, and `--status`, what this process is doing."""
        self._status.parent.mkdir(parents=True, exist_ok=True)
        shown = {"trial": task.name, "epoch": epoch, "epochs": self.job.space.training["epochs"], "time": time.time()}
        temporary = self._status.with_suffix(".tmp")
        temporary.write_text(json.dumps(shown))
        os.replace(temporary, self._status)


def worker_killer() -> Any:
    """The record of a trial that no worker survived."""
    from study.training import Record

    return Record("error", error="its worker process died three times while running it (out of memory?); see logs/")


def write_manifest(job: Job) -> None:
    """Writes the manifest of a job, as an extension of the one that is there; the caller holds the study."""
    path = job.folder / "manifest.json"
    content = job.manifest
    if path.is_file():
        try:
            old = records.manifest(job.study, job.artifacts)
        except InputError:  # damaged: the trials' own hashes say whether they belong to the new one
            old = content
        content = manifest.extend(old, content)
    files.write_atomically(path, files.to_json(content))


def _write(job: Job, task: Task, record: Any, environment: dict[str, Any]) -> None:
    """Writes a trial's record, or on a rebuild its model and how it compares with its record."""
    try:
        if job.rebuild:
            _write_rebuilt(job, task, record)
            return
        content = {
            "trial": task.name,
            "hash": job.hashes[task.name],
            "cell": task.cell,
            "seed": task.seed,
            "status": record.status,
            "values": record.values,
            "history": record.history,
            "error": record.error,
            "environment": environment,
            "noted": {**provenance.noted(), "run": job.token},
        }
        files.write_record(job.folder, content, record.examples, record.model)
    except OSError as error:
        _leave(CANNOT_WRITE, f"cannot write {task.name} under {job.folder}: {error}")


def _write_rebuilt(job: Job, task: Task, record: Any) -> None:
    path = job.folder / "trials" / task.name
    before = job.record(task.name)
    outcome = {"run": job.token, "status": record.status, "error": record.error, **_compare(before, record)}
    if record.model is not None and not job.has_model(task.name):
        files.write_model(path, record.model)
    if record.examples and not job.has_examples(task.name):
        files.write_examples(path, record.examples)
    files.write_atomically(path / "rebuild.json", files.to_json(outcome))  # last: it says that the trial is done


def _compare(before: Any, record: Any) -> dict[str, Any]:
    """A retrained trial's metrics, whether all are as recorded to the bit, and their largest relative difference."""
    anew = {
        key: value
        for key, value in record.values.items()
        if key not in records.TIMES and isinstance(value, float) and before["values"].get(key) is not None
    }
    pairs = [(before["values"][key], value) for key, value in anew.items()]
    differences = [abs(new - old) / max(abs(old), 1e-12) for old, new in pairs]
    return {
        "identical": bool(pairs) and all(old == new for old, new in pairs),
        "values": anew,
        "largest_relative_difference": max(differences, default=None),
        "environment_differs": provenance.differences(before["environment"], provenance.environment()),
    }


def _tidy(oracle: Any) -> None:
    while True:
        time.sleep(5)
        oracle.forget_silent_workers()


def _leave(code: int, message: str) -> NoReturn:
    """Ends the process from within a trial: Keras Tuner would take an exception for the trial's own."""
    print(message, file=sys.stderr, flush=True)
    os._exit(code)


if __name__ == "__main__":
    sys.exit(main())
