"""What a running search shows: done, failed, left, the running trials with their epoch, the time left."""

import json
import sys
import time
from pathlib import Path
from typing import Any

from study import forecast
from study.job import Job

LINE_SECONDS = 10  # off a terminal: a plain line this often, and only if something has changed


class Progress:
    """Shows the progress of a job: a panel that is redrawn on a terminal, plain lines elsewhere.

    Args:
        job: The job.
        workers: How many workers run it.
        already: How many of the study's trials were done before.
    """

    def __init__(self, job: Job, workers: int, already: int) -> None:
        self.job, self.workers, self.already = job, workers, already
        self.tasks = {task.name: task for task in job.tasks()}
        self.failed: dict[str, str] = {}
        self._seen: set[str] = set()
        self._durations = forecast.Durations()
        self._left: float | None = None
        self._last_line, self._last_time = "", 0.0
        self._live = _live() if sys.stdout.isatty() else None

    def __enter__(self) -> "Progress":
        if self._live:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live:
            self._live.stop()

    def tick(self, done: set[str]) -> None:
        """Takes in which trials are done since the start, and shows where things stand."""
        new = done - self._seen
        for name in new:
            record = self.job.record(name)
            self._durations.add(record)
            if record is not None and record["status"] != "completed":
                self.failed[name] = record["status"]
        self._seen |= new
        if new:
            to_go = [task for name, task in self.tasks.items() if name not in done]
            self._left = self._durations.expect(to_go, self.workers)
        self._show([self._counts(len(done)), *running_lines(self.job.folder)])

    def _counts(self, done: int) -> str:
        total = self.already + len(self.tasks)
        left = "" if self._left is None or done == len(self.tasks) else f", about {duration(self._left)} left"
        failed = f", {len(self.failed)} failed" if self.failed else ""
        return f"{self.already + done}/{total} trials done{failed}, {len(self.tasks) - done} to go{left}"

    def _show(self, lines: list[str]) -> None:
        if self._live:
            self._live.update("\n".join(lines))
        elif lines[0] != self._last_line and time.monotonic() - self._last_time > LINE_SECONDS:
            self._last_line, self._last_time = lines[0], time.monotonic()
            print(" | ".join(lines), flush=True)


def running_lines(study_folder: Path) -> list[str]:
    """One line a running trial: "worker-0: digits-cnn-k2-bce-s01, epoch 4 of 10"."""
    lines = []
    for path in sorted((study_folder / "running").glob("*.json")):
        try:
            shown: dict[str, Any] = json.loads(path.read_text())
        except (OSError, ValueError):  # just finished
            continue
        lines.append(f"{path.stem}: {shown['trial']}, epoch {shown['epoch']} of {shown['epochs']}")
    return lines


def duration(seconds: float) -> str:
    """Seconds in words: "50 s", "4 min", "2 h 05 min"."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"


def _live() -> Any:
    from rich.live import Live

    return Live("", refresh_per_second=4, transient=True)
