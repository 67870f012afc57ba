"""The memory of a worker over 200 trials in a row: it must stay flat.

    python -m benchmarks.memory

Runs 4 cells × 51 seeds of one epoch on digits with one worker, and reads its resident memory as the trials go by.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

SPACE = """
BASELINE = dict(dataset="digits", architecture="keras_io", latent_dim=2, loss="bce")
BLOCKS = {"cells": dict(architecture=["cnn", "dense"]), "latent": dict(latent_dim=[8])}
TRAINING = dict(epochs=1, seeds=51)
"""


def main() -> None:
    """Runs the study and prints the worker's memory every 25 trials."""
    with tempfile.TemporaryDirectory() as folder:
        space = Path(folder) / "memory.py"
        space.write_text(SPACE)
        command = [sys.executable, "-m", "study.search", str(space), "--artifacts", folder, "--workers", "1"]
        search = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        print("trials   worker's resident memory, MB")
        shown = 0
        while search.poll() is None:
            done = len(list(Path(folder).glob("memory/trials/*/record.json")))
            if done >= shown + 25 and (memory := _worker_memory(search.pid)):
                shown = done
                print(f"{done:6d}   {memory / 1e6:8.0f}", flush=True)
            time.sleep(0.1)


def _worker_memory(supervisor: int) -> int | None:
    for process in psutil.Process(supervisor).children():
        try:
            if process.cmdline()[-1] == "worker":
                return process.memory_info().rss
        except (psutil.Error, IndexError):
            continue
    return None


if __name__ == "__main__":
    main()
