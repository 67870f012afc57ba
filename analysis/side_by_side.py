"""Runs shares of one piece of work in processes side by side, each with one thread.

Results do not depend on how many there are: a process is given its share from the start, computes it alone with one
thread, and leaves files. What a process that died has left undone is for the caller to see and to do.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable, Sequence
from typing import Any

from study.threads import ONE_THREAD

EVERY = 1.0  # seconds between ticks


def run(work: Callable[..., None], shares: Sequence[tuple], tick: Callable[[], Any]) -> list[int]:
    """Runs work(*share) of each share in a process of its own, and waits for all.

    Args:
        work: A function of a module, which a fresh interpreter can import.
        shares: Its arguments, picklable; a process each.
        tick: Called about once a second while they run.

    Returns:
        The exit codes of the processes that did not end as they should: empty where all did.
    """
    context = multiprocessing.get_context("spawn")
    kept = {name: os.environ.get(name) for name in ONE_THREAD}
    os.environ.update(ONE_THREAD)
    try:
        processes = [context.Process(target=_guarded, args=(work, share), daemon=True) for share in shares]
        for process in processes:
            process.start()
    finally:
        _restore(kept)
    while running := [process for process in processes if process.is_alive()]:
        running[0].join(EVERY)
        tick()
    return [process.exitcode or 0 for process in processes if process.exitcode]


def _guarded(work: Callable[..., None], share: tuple) -> None:
    """The work, ended at once when the parent ends in any way."""

    def watch() -> None:
        parent = multiprocessing.parent_process()
        assert parent is not None
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
    work(*share)


def _restore(environment: dict[str, str | None]) -> None:
    for name, value in environment.items():
        if value is None:
            del os.environ[name]
        else:
            os.environ[name] = value
