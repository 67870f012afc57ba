"""One search at a time on a study: a lock that its process holds, and that is gone with its process."""

import os
from pathlib import Path
from typing import IO


def acquire(study_folder: Path) -> IO | None:
    """Takes the lock of a study; the open file that holds it, or None where another process has it.

    The operating system drops the lock when the process ends, however it ends: no lock is ever stale.
    """
    file = open(study_folder / ".lock", "a+")  # noqa: SIM115  (held open for as long as the lock is wanted)
    try:
        _lock(file)
    except OSError:
        file.close()
        return None
    return file


def is_free(study_folder: Path) -> bool:
    """Whether nobody holds the lock just now."""
    if not (study_folder / ".lock").exists():
        return True
    file = acquire(study_folder)
    if file is None:
        return False
    file.close()
    return True


if os.name == "nt":
    import msvcrt

    def _lock(file: IO) -> None:
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]

else:
    import fcntl

    def _lock(file: IO) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
