"""What one run of `study.search` is to do, as plain data that every process of it is given."""

import dataclasses
import json
import uuid
import zipfile
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import Any

from study import manifest, records
from study.errors import InputError
from study.space import Space, Task, cell_name


@dataclass(frozen=True)
class Job:
    """One run of a search.

    Attributes:
        artifacts: The folder of all studies.
        study: The study's name.
        manifest: The manifest that the chief writes, or extends, before it serves.
        seeds: Trials of seeds 0 … seeds − 1 are wanted.
        data_dir: Where the user's data files are, or None.
        cells: Only trials are wanted of whose cells the name matches one of these patterns, with spaces between them.
        retry_failed: Trials that failed are trained again, once.
        rebuild: Names of trials to be trained again, whose model or examples are gone; empty for an ordinary run.
        token: This run's own name: a record that carries it was written by it.
        supervised: Whether standard input is a pipe that closes when the parent process ends.
    """

    artifacts: str
    study: str
    manifest: dict[str, Any]
    seeds: int
    data_dir: str | None = None
    cells: str = "*"
    retry_failed: bool = False
    rebuild: tuple[str, ...] = ()
    token: str = field(default_factory=lambda: uuid.uuid4().hex[:12])
    supervised: bool = True

    @property
    def folder(self) -> Path:
        """The study's folder."""
        return Path(self.artifacts) / self.study

    @cached_property
    def space(self) -> Space:
        """The search space as the manifest has it."""
        return manifest.space_of(self.manifest)

    @cached_property
    def hashes(self) -> dict[str, str]:
        """Trial name → the hash that its record must carry."""
        return records.expected_hashes(self.space, self.manifest["data"], self.seeds)

    def wanted(self) -> list[Task]:
        """The trials of this run, done or not."""
        patterns = self.cells.split()
        return [
            task
            for task in self.space.trials(self.seeds)
            if any(fnmatchcase(cell_name(task.cell), pattern) for pattern in patterns)
            and (not self.rebuild or task.name in self.rebuild)
        ]

    def tasks(self) -> list[Task]:
        """The trials that are wanted and not done."""
        return [task for task in self.wanted() if not self.is_done(task.name)]

    def record(self, name: str) -> dict[str, Any] | None:
        """A trial's valid record, or None."""
        return records.read_record(self.folder, name, self.hashes[name])

    def is_done(self, name: str) -> bool:
        """Whether nothing is left to do for a trial in this run."""
        if self.rebuild:
            return self._was_tried(self.folder / "trials" / name / "rebuild.json")
        record = self.record(name)
        if record is None:
            return False
        return record["status"] == "completed" or not self.retry_failed or record["noted"].get("run") == self.token

    def has_model(self, name: str) -> bool:
        """Whether a trial's trained model is there, not cut off."""
        return zipfile.is_zipfile(self.folder / "trials" / name / "model.keras")

    def has_examples(self, name: str) -> bool:
        """Whether a trial's example images are there and can be read."""
        try:
            records.examples(self.study, name, self.artifacts)
        except InputError:
            return False
        return True

    def to_json(self) -> str:
        """One line of JSON."""
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def from_json(cls, line: str) -> "Job":
        """The inverse of `to_json`."""
        values = json.loads(line)
        return cls(**{**values, "rebuild": tuple(values["rebuild"])})

    def _was_tried(self, path: Path) -> bool:
        try:
            return json.loads(path.read_text(encoding="utf-8")).get("run") == self.token
        except (OSError, ValueError):
            return False
