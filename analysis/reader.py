"""Who reads a command's output may leave early, as `head` does: then the command ends quietly."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

LEFT_EARLY = 1  # the exit status, which is Python's own


def until_it_leaves(printing: Callable[[], int | None]) -> int:
    """Runs what prints; standard output that is closed before its end is no error of the program.

    After https://docs.python.org/3/library/signal.html#note-on-sigpipe: Python flushes standard output once more when
    it ends, so that it must lead somewhere.

    Returns:
        The exit status that `printing` gives, 0 where it gives none; or `LEFT_EARLY`.
    """
    try:
        status = printing()
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return LEFT_EARLY
    return status or 0
