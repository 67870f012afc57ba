"""The supervisor: starts the chief and the workers on this machine, keeps them going, and ends them."""

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from study import lock, process, threads
from study.errors import InputError
from study.job import Job

FRUITLESS_STARTS = 3  # start-ups in a row that took no trial: something is broken that another start will not mend
POLL_SECONDS = 0.5
LOCK_PATIENCE = 10  # seconds for the processes of a search that was just killed to notice and go


class StartError(Exception):
    """Chief or workers cannot be kept running; the message ends with their log."""


def supervise(job: Job, workers: int, on_tick: Callable[[set[str]], None]) -> None:
    """Runs a job to its end with one chief and `workers` workers.

    Args:
        job: What to do.
        workers: How many worker processes.
        on_tick: Called a few times a second with the names of the trials that are done since the start.

    Raises:
        InputError: Another search holds the study, or a process refused its input, or nothing can be written.
        StartError: Three start-ups in a row took no trial.
        KeyboardInterrupt: Ctrl-C; every process has been ended.
    """
    pending = {task.name for task in job.tasks()}
    done: set[str] = set()
    with contextlib.closing(_Crew(job, workers)) as crew:
        while pending:
            finished = {name for name in pending if job.is_done(name)}
            pending -= finished
            done |= finished
            crew.keep_going(fruitful=bool(finished))
            on_tick(done)
            time.sleep(POLL_SECONDS)


def wait_for_lock(study_folder: Path) -> None:
    """Waits for a moment while another process holds the study's lock.

    Raises:
        InputError: It still does.
    """
    deadline = time.monotonic() + LOCK_PATIENCE
    while not lock.is_free(study_folder):
        if time.monotonic() > deadline:
            raise InputError(
                f"another search is running on the study '{study_folder.name}'. "
                "Watch it with --status, or end it first."
            )
        time.sleep(0.2)


class _Crew:
    """The processes of a job: a chief, and workers by their Keras Tuner id."""

    def __init__(self, job: Job, workers: int) -> None:
        self.job, self.ids = job, [f"worker-{i}" for i in range(workers)]
        self.logs = job.folder / "logs"
        self.logs.mkdir(parents=True, exist_ok=True)
        self.members: dict[str, subprocess.Popen] = {}
        self.fruitless = 0
        self.port = 0

    def keep_going(self, fruitful: bool) -> None:
        """Starts what is not running, and replaces what has ended."""
        if fruitful or self._takes_trials():
            self.fruitless = 0
        chief = self.members.get("chief")
        if chief is None or chief.poll() is not None:
            self._ended("chief", chief)
            self.close()
            self.port = _free_port()
            self._start("chief")
        for name in self.ids:
            member = self.members.get(name)
            if member is None or member.poll() not in (None, 0):
                self._ended(name, member)
                self._start(name)

    def close(self) -> None:
        """Ends every process: their standard input closes, and those that do not go are killed."""
        for member in self.members.values():
            with contextlib.suppress(OSError):
                member.stdin.close()  # type: ignore[union-attr]
        for member in self.members.values():
            try:
                member.wait(timeout=5)
            except subprocess.TimeoutExpired:
                member.kill()
                member.wait()
        self.members.clear()

    def _ended(self, name: str, member: subprocess.Popen | None) -> None:
        """Reads why a process ended: an error that a new start would meet again is raised."""
        if member is None or member.returncode == process.RECYCLE:
            return
        if member.returncode == process.LOCKED:
            wait_for_lock(self.job.folder)
        if member.returncode == process.CANNOT_WRITE:
            raise InputError(
                f"{self._log_end(name, 1)}\nNo finished trial is lost: make room and run the command again."
            )
        if member.returncode == 2:
            raise InputError(self._log_end(name, 30).rsplit("error: ", 1)[-1])
        self.fruitless += 1
        if self.fruitless >= FRUITLESS_STARTS * (1 if name == "chief" else len(self.ids)):
            raise StartError(
                f"{name} ended {self.fruitless} times without taking a trial. "
                f"The end of {self.logs / name}.log:\n{self._log_end(name, 25)}"
            )

    def _takes_trials(self) -> bool:
        """Whether a worker has taken a trial since it was started: it says so in a file, which a start removes."""
        return any((self.job.folder / "running" / f"{name}.json").exists() for name in self.ids)

    def _start(self, name: str) -> None:
        environment = {
            **os.environ,
            **threads.ONE_THREAD,
            "KERASTUNER_TUNER_ID": name,
            "KERASTUNER_ORACLE_IP": "127.0.0.1",
            "KERASTUNER_ORACLE_PORT": str(self.port),
            "PYTHONPATH": os.pathsep.join(filter(None, [_root(), os.environ.get("PYTHONPATH")])),
        }
        role = "chief" if name == "chief" else "worker"
        (self.job.folder / "running" / f"{name}.json").unlink(missing_ok=True)
        with self._log(name) as log:
            self.members[name] = subprocess.Popen(
                [sys.executable, "-m", "study.process", role],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env=environment,
                text=True,
                **_NEW_GROUP,
            )
        with contextlib.suppress(OSError):  # a process that ended at once is met by the next look at it
            self.members[name].stdin.write(self.job.to_json() + "\n")  # type: ignore[union-attr]
            self.members[name].stdin.flush()  # type: ignore[union-attr]

    @contextlib.contextmanager
    def _log(self, name: str) -> Iterator[IO]:
        with open(self.logs / f"{name}.log", "a", encoding="utf-8") as log:
            log.write(f"--- started {time.strftime('%Y-%m-%d %H:%M:%S')}\n")
            log.flush()
            yield log

    def _log_end(self, name: str, lines: int) -> str:
        text = (self.logs / f"{name}.log").read_text(encoding="utf-8", errors="replace")
        return "\n".join(text.strip().splitlines()[-lines:])


# Ctrl-C reaches the supervisor alone; it then ends the others in order.
_NEW_GROUP: dict = {"creationflags": 0x200} if os.name == "nt" else {"start_new_session": True}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _root() -> str:
    return str(Path(__file__).parent.parent)
