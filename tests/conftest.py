"""What the end-to-end tests share: small search spaces, and `study.search` as a process of its own."""

import gzip
import os
import subprocess
import sys
from pathlib import Path

import pytest

from study import files

ROOT = Path(__file__).parent.parent
TINY = """
BASELINE = dict(dataset="digits", architecture="dense", latent_dim=2, loss="mse", train_size=200)
BLOCKS = {"latent": dict(latent_dim=[4])}
TRAINING = dict(epochs=2, seeds=2)
FAMILIES = {"latent": dict(metric="test_mse", contrasts=[(dict(latent_dim=4), {})])}
"""


LONGEST = ("test_recovery.py", "test_search.py", "test_extras.py", "test_generation.py", "test_explorer.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first, so that two workers that share the files out end together; slow tests get an hour."""
    order = {name: place for place, name in enumerate(LONGEST)}
    for item in items:
        if item.get_closest_marker("slow"):
            item.add_marker(pytest.mark.timeout(3600))
    items.sort(key=lambda item: order.get(item.path.name, len(LONGEST)))


def environment(**changes: str) -> dict[str, str]:
    """The environment of a test's process: nothing of the caller's that would steer a search."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("KERASTUNER_", "KERAS_BACKEND", "PYTEST_"))}
    return {**clean, "PYTHONPATH": str(ROOT), **changes}


class Search:
    """Runs `python -m study.search` in a folder of its own, on a search space that is a file there."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.artifacts = folder, folder / "artifacts"
        self.space = folder / "tiny.py"
        self.write(TINY)

    @property
    def study(self) -> Path:
        return self.artifacts / "tiny"

    def write(self, text: str) -> None:
        self.space.write_text(text)

    def command(self, *options: str) -> list[str]:
        base = [sys.executable, "-m", "study.search", str(self.space), "--artifacts", str(self.artifacts)]
        return [*base, *options]

    def __call__(self, *options: str, **changes: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            self.command(*options), capture_output=True, text=True, env=environment(**changes), timeout=300, check=False
        )

    def start(self, *options: str) -> subprocess.Popen:
        return subprocess.Popen(
            self.command(*options), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment()
        )

    def record_paths(self) -> list[Path]:
        return sorted(self.study.glob("trials/*/record.json"))


def pack(table: Path) -> None:
    """Leaves a table only packed, as a large one is shipped."""
    files.packed(table).write_bytes(gzip.compress(table.read_bytes()))
    table.unlink()


@pytest.fixture
def search(tmp_path: Path) -> Search:
    return Search(tmp_path)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Search:
    """A finished study of the tiny space: 2 cells × 2 seeds. Tests of a module share it and leave it finished."""
    search = Search(tmp_path_factory.mktemp("finished"))
    done = search("--workers", "1")
    assert done.returncode == 0, done.stderr
    return search
